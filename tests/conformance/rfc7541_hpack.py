"""RFC 7541: compression that is right, and compression that is wrong."""

import struct

from http2_peer import END_HEADERS, END_STREAM, HEADERS, SETTINGS, frame
from http2_probe import COMPRESSION_ERROR, GET, ConformanceCase, block
from strangler_test import main

INDEXED_GET = b"\x82\x86\x84"  # :method GET, :scheme http, :path /
AUTHORITY = b"\x41\x09localhost"  # indexed name, added to the table


def head(data: bytes, stream: int = 1) -> bytes:
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, data)


class Hpack(ConformanceCase):
    def seen(self, name: str):
        return self.backend.requests[-1].value(name)

    def test_2_3_3_an_index_beyond_both_tables_is_an_error(self):
        self.check_connection_errors(COMPRESSION_ERROR, {
            "a field": head(INDEXED_GET + AUTHORITY + b"\xbf"),  # 63: the table has one entry
            "far": head(INDEXED_GET + AUTHORITY + b"\xff\xff\xff\x7f"),
            "a name": head(INDEXED_GET + AUTHORITY + b"\x7f\x01\x01v"),
            "zero": head(INDEXED_GET + AUTHORITY + b"\x80"),
        })

    def test_2_3_the_dynamic_table_is_kept_from_block_to_block(self):
        self.check_answered({"again": head(INDEXED_GET + AUTHORITY) + head(INDEXED_GET + b"\xbe", 3)},
                            3)

    def test_4_2_the_size_of_the_table_changes_within_our_limit_and_at_the_begin(self):
        self.check_answered({
            "smaller": head(b"\x20" + INDEXED_GET + AUTHORITY),
            "twice": head(b"\x20\x3f\xe1\x1f" + INDEXED_GET + AUTHORITY),
        })
        self.check_connection_errors(COMPRESSION_ERROR, {
            "above": head(b"\x3f\xe2\x1f" + INDEXED_GET + AUTHORITY),
            "at the end": head(INDEXED_GET + AUTHORITY + b"\x20"),
        })

    def test_5_1_integers_are_bounded(self):
        self.check_connection_errors(COMPRESSION_ERROR, {
            "an index": head(INDEXED_GET + b"\xff" + b"\xff" * 10 + b"\x01"),
            "a length": head(INDEXED_GET + b"\x00\x7f" + b"\xff" * 10 + b"\x01"),
            "a length beyond the block": head(INDEXED_GET + b"\x00\x05x"),
        })

    def test_5_2_huffman_codes_end_in_a_little_padding_of_ones(self):
        name = b"\x00\x03x-a"  # a literal without indexing
        self.check_answered({
            "a good one": head(INDEXED_GET + AUTHORITY + name + b"\x81\x1f"),  # "a"
        })
        self.assertEqual(self.seen("x-a"), "a")
        self.check_connection_errors(COMPRESSION_ERROR, {
            "padding of more than 7 bits": head(INDEXED_GET + AUTHORITY + name + b"\x82\x1f\xff"),
            "padding of zeros": head(INDEXED_GET + AUTHORITY + name + b"\x81\x18"),
            "the end of string": head(INDEXED_GET + AUTHORITY + name + b"\x84\xff\xff\xff\xff"),
        })

    def test_6_2_literals_of_all_kinds_are_read(self):
        for kind, first in (("with indexing", 0x40), ("without indexing", 0), ("never indexed", 0x10)):
            new_name, known_name = bytes([first]), bytes([first | 15]) + b"\x01"  # 16, where 4 bits
            if first == 0x40:
                known_name = b"\x50"  # are too few: accept-encoding
            self.check_answered({
                kind: head(INDEXED_GET + AUTHORITY + new_name + b"\x03x-b\x01c"),
                kind + ", huffman": head(INDEXED_GET + AUTHORITY + new_name +
                                         b"\x83\xf2\xb0\xff\x81\x1f"),  # x-a, a
                kind + ", a name of the table": head(INDEXED_GET + AUTHORITY + known_name +
                                                     b"\x01c"),
                kind + ", the same by huffman": head(INDEXED_GET + AUTHORITY + known_name +
                                                     b"\x81\x1f"),
            })
            seen = [(name, request.value(name)) for request in self.backend.requests
                    for name in ("x-b", "x-a", "accept-encoding") if request.value(name)]
            self.backend.requests.clear()
            self.assertEqual(seen[::2], [("x-b", "c"), ("x-a", "a"), ("accept-encoding", "c"),
                                         ("accept-encoding", "a")])

    def test_6_1_indexed_fields_are_read(self):
        self.check_answered({"of the static table": head(INDEXED_GET + AUTHORITY + b"\x90"),
                             "empty": head(INDEXED_GET + AUTHORITY + b"\xba")})  # user-agent
        self.assertEqual(self.backend.requests[0].value("accept-encoding"), "gzip, deflate")

    def test_entries_that_do_not_fit_empty_the_table(self):
        large = b"\x40\x03x-l" + b"\x7f\x81\x1f" + b"y" * 4096  # 4096 + 3 + 32: more than the table
        self.check_connection_errors(COMPRESSION_ERROR, {
            "and what was there is gone": head(INDEXED_GET + AUTHORITY + large) +
                head(INDEXED_GET + b"\xbe", 3)})

    def test_our_own_table_may_be_forbidden(self):
        self.check_answered({
            "no table": frame(SETTINGS, 0, 0, struct.pack(">HI", 1, 0)) + head(block(GET)) +
                head(block(GET), 3)}, 3)


if __name__ == "__main__":
    main()
