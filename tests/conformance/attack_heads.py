"""Header blocks that are endless, or larger inside than outside: CONTINUATION floods (CVE-2024-27316,
CVE-2024-28182), HPACK bombs, too many and too large fields, long targets. RFC 9113 sections 6.10 and
10.5.1, RFC 7541 section 7.3."""

import hpack
from flood_case import FloodCase, request_block, request_frame
from http2_peer import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INTERNAL_ERROR,
                        frame, headers_frame)
from strangler_test import main

COMPRESSION_ERROR = 9
SIZE_UPDATES = b"\x20\x3f\xe1\x1f"  # of the dynamic table: to nothing, and to 4096 bytes
LARGE_ENTRY = b"\x40\x03x-a\x7f\xa0\x1e" + b"y" * 3999  # enters the dynamic table


def is_refused(answer) -> bool:
    return answer.status in (400, 414, 431) or answer.reset is not None


class Continuations(FloodCase):
    pieces = {
        "empty": b"",
        "one byte": hpack.encode([("x-a", "y")])[:1],
        "small fields": hpack.encode([("x-a", "y" * 100)]),
        "large fields": hpack.encode([("x-a", "y" * 16_000)]),
        "indexed fields": b"\x90" * 16_000,
    }

    def test_a_block_without_end_is_ended_by_us(self):
        for number, (name, piece) in enumerate(self.pieces.items()):
            client = self.client(number % 2 == 1)
            flood = frame(HEADERS, END_STREAM, 1, request_block()) + \
                frame(CONTINUATION, 0, 1, piece) * (20_000 if len(piece) < 1000 else 500)
            self.under(name, lambda client=client, flood=flood: self.flood_and_hear(client, flood))
        self.assertEqual([seen.target for seen in self.backend.requests
                          if seen.target not in ("/", "/beside")], [])

    def test_nor_is_one_of_trailers(self):
        for number, (name, piece) in enumerate(self.pieces.items()):
            client = self.client(number % 2 == 0)
            flood = request_frame(1, "/slow", False) + frame(HEADERS, END_STREAM, 1, b"") + \
                frame(CONTINUATION, 0, 1, piece) * (20_000 if len(piece) < 1000 else 500)
            self.under(name, lambda client=client, flood=flood: self.flood_and_hear(client, flood))
        self.proxy.wait_total(0, "strangler_backend_streams")

    def test_a_whole_block_in_some_pieces_is_a_request(self):
        block = request_block()
        for tls in (False, True):
            client = self.client(tls)
            client.send(frame(HEADERS, END_STREAM, 1) +
                        b"".join(frame(CONTINUATION, 0, 1, block[at:at + 20])
                                 for at in range(0, len(block), 20)) +
                        frame(CONTINUATION, END_HEADERS, 1))
            self.assertEqual(client.wait(1).status, 200)


class Bombs(FloodCase):
    def attack(self, client, block: bytes, count: int):
        for stream in range(1, 2 * count, 2):
            client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))
        for stream in range(1, 2 * count, 2):
            self.assertTrue(is_refused(client.wait(stream)), client.answers[stream])
        self.assertEqual(client.ask("/").status, 200)

    def bomb(self, name: str, block: bytes, tls: bool = False):
        client = self.client(tls)
        client.next_id = 101
        self.under(name, lambda: self.attack(client, block, 50))

    def test_one_large_entry_named_over_and_over_is_refused(self):
        self.bomb("thousands of times", request_block() + LARGE_ENTRY + b"\xbe" * 8000)
        self.bomb("just too often", request_block() + LARGE_ENTRY + b"\xbe" * 16, True)

    def test_what_is_far_too_large_is_not_even_read_to_its_end(self):
        client = self.client()
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1,
                          request_block() + LARGE_ENTRY + b"\xbe" * 8000))
        answer = client.wait(1)
        self.assertEqual((answer.status, answer.reset), (0, INTERNAL_ERROR))

    def test_a_cookie_in_thousands_of_crumbs_is_refused(self):
        self.bomb("crumbs", request_block() + b"\x60\x01x" + b"\xbe" * 8000)

    def test_more_fields_than_allowed_are_refused(self):
        self.bomb("fields", request_block() + b"\x90" * 200, True)

    def test_a_table_that_changes_its_size_all_the_time_costs_little(self):
        client = self.client()

        def attack():
            for stream in range(1, 100, 2):
                client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream,
                                  SIZE_UPDATES * 3000 + request_block("/sized")))
            self.assertIn(client.wait(1).status, (0, 200))
        self.under("updates", attack)

    def test_heads_that_are_too_large_are_431_and_the_connection_stays(self):
        for tls in (False, True):
            client = self.client(tls)
            for fields in ([("x-a", "y" * 40_000), ("x-b", "y" * 40_000)],
                           [(f"x-{i}", "y" * 3000) for i in range(30)],
                           [(f"x-{i}", "") for i in range(200)], [("cookie", "a=b")] * 1000):
                self.assertEqual(client.ask("/", fields=fields).status, 431)
                self.assertEqual(client.ask("/fine").status, 200)

    def test_a_long_target_is_refused(self):
        client = self.client()
        self.assertIn(client.ask("/" + "a" * 65_400).status, (414, 431))
        self.assertEqual(client.ask("/fine").status, 200)

    def test_a_field_that_no_decoder_takes_ends_the_connection(self):
        client = self.client()
        client.start("/", fields=[("x-a", "y" * 70_000)])
        client.wait_closed()
        self.assertEqual(client.goaways[-1].code, COMPRESSION_ERROR)

    def test_trailers_that_are_too_large_are_refused(self):
        for trailers in ([(f"x-{i}", "") for i in range(200)], [("x-a", "y" * 40_000)] * 2):
            client = self.client()
            client.send(request_frame(1, "/", False) + frame(DATA, 0, 1, b"x") +
                        headers_frame(1, trailers, END_HEADERS | END_STREAM))
            self.assertTrue(is_refused(client.wait(1)))
            client.next_id = 3
            self.assertEqual(client.ask("/fine").status, 200)


if __name__ == "__main__":
    main()
