"""RFC 9113 sections 3 to 5: the preface, frames and header blocks, streams and their states."""

import struct

from http2_peer import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE,
                        PRIORITY, SETTINGS, Http2Client, connect, frame, headers_frame)
from http2_probe import (COMPRESSION_ERROR, FRAME_SIZE_ERROR, GET, PRIORITY_FLAG, PROTOCOL_ERROR,
                         STREAM_CLOSED, ConformanceCase, Probe, block, closed, get, post, request,
                         reset, window)
from strangler_test import main


class Section3(ConformanceCase):
    def test_4_the_server_s_first_frame_is_settings(self):
        for tls in (False, True):
            sock = connect(self.proxy.tls if tls else self.proxy.plain, tls)
            sock.sendall(PREFACE + frame(SETTINGS))
            self.assertEqual(sock.recv(4)[3:], bytes([SETTINGS]))
            sock.close()

    def test_4_a_preface_that_is_wrong_or_without_settings_ends_the_connection(self):
        for tls in (False, True):
            for data in (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", PREFACE + frame(PING, 0, 0, b"8" * 8),
                         PREFACE + get(1)):
                sock = connect(self.proxy.tls if tls else self.proxy.plain, tls)
                sock.sendall(data)
                while sock.recv(65536):
                    pass
                sock.close()


class Section4(ConformanceCase):
    def test_1_frames_of_unknown_types_and_flags_are_ignored(self):
        self.check_answered({
            "type": frame(0x16, 0xff, 0, b"x" * 8) + get(1),
            "type on a stream": post(1, "/") + frame(0xee, 0, 1, b"x") +
                frame(DATA, END_STREAM, 1),
            "flag of ping": frame(PING, 0x16, 0, b"8" * 8) + get(1),
            "flag of headers": headers_frame(1, GET, END_HEADERS | END_STREAM | 0x42),
            "reserved bit": frame(HEADERS, END_HEADERS | END_STREAM, 1 | 1 << 31, block(GET)),
        })

    def test_2_frames_of_the_size_that_we_allow_are_taken_and_larger_ones_not(self):
        self.check_answered({"largest": post(1, "/") + frame(DATA, END_STREAM, 1, b"x" * 16384)})
        self.check_stream_errors(FRAME_SIZE_ERROR, {
            "data": post(1) + frame(DATA, END_STREAM, 1, b"x" * 16385)})
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "headers": frame(HEADERS, END_HEADERS | END_STREAM, 1,
                             block([*GET, ("x", "y" * 16384)])),
            "settings": frame(SETTINGS, 0, 0, b"x" * 16386),
        })

    def test_3_a_block_that_cannot_be_decompressed_is_a_connection_error(self):
        self.check_connection_errors(COMPRESSION_ERROR, {
            "garbage": frame(HEADERS, END_HEADERS, 1, b"\xff" * 8),
            "index 0": frame(HEADERS, END_HEADERS, 1, block(GET) + b"\x80"),
        })

    def test_3_nothing_comes_between_the_frames_of_a_block(self):
        begun = frame(HEADERS, END_STREAM, 1, block(GET))
        self.check_connection_errors(PROTOCOL_ERROR, {
            "priority": begun + frame(PRIORITY, 0, 1, b"\0\0\0\0\1"),
            "data": begun + frame(DATA, 0, 1, b"x"),
            "another stream's headers": begun + get(3),
            "another stream's continuation": begun + frame(CONTINUATION, END_HEADERS, 3),
            "ping": begun + frame(PING, 0, 0, b"8" * 8),
            "unknown": begun + frame(0x20, 0, 1, b"x"),
        })


class Section5(ConformanceCase):
    def test_1_an_idle_stream_takes_headers_and_priority_alone(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "data": frame(DATA, END_STREAM, 1, b"x"),
            "reset": reset(1),
            "window": window(1, 100),
            "continuation": frame(CONTINUATION, END_HEADERS, 1, block(GET)),
            "data above others": get(1) + frame(DATA, END_STREAM, 3, b"x"),
            "window above others": get(1) + window(3, 1),
            "reset above others": get(1) + reset(3),
            "our own stream": window(2, 1),
            "data on our own stream": frame(DATA, 0, 2, b"x"),
        })
        self.check_answered({"priority": frame(PRIORITY, 0, 1, b"\0\0\0\0\1") + get(1)})

    def test_1_behind_the_end_of_a_request_come_no_data_and_no_headers(self):
        over = get(1, "/slow")
        self.check_stream_errors(STREAM_CLOSED, {
            "data": over + frame(DATA, END_STREAM, 1, b"x"),
            "headers": over + get(1, "/slow"),
        })
        self.check_connection_errors(PROTOCOL_ERROR, {
            "continuation": over + frame(CONTINUATION, END_HEADERS, 1, block(GET))})
        self.check_harmless({
            "window": over + window(1, 10),
            "priority": over + frame(PRIORITY, 0, 1, b"\0\0\0\0\1"),
            "reset": over + reset(1),
        })

    def test_1_a_stream_that_was_reset_is_closed(self):
        gone = post(1) + reset(1)
        self.check_stream_errors(STREAM_CLOSED, {
            "data": gone + frame(DATA, END_STREAM, 1, b"x"),
            "headers": gone + get(1, "/slow"),
        })
        self.check_connection_errors(PROTOCOL_ERROR, {
            "continuation": gone + frame(CONTINUATION, END_HEADERS, 1, block(GET))})

    def test_1_a_stream_that_has_ended_is_closed(self):
        self.check_stream_errors(STREAM_CLOSED, {
            "data": lambda probe: frame(DATA, END_STREAM, closed(probe), b"x"),
            "headers": lambda probe: get(closed(probe)),
        })
        self.check_connection_errors(PROTOCOL_ERROR, {
            "continuation": lambda probe: frame(CONTINUATION, END_HEADERS, closed(probe),
                                                block(GET))})
        self.check_harmless({
            "window": lambda probe: window(closed(probe), 10),
            "reset": lambda probe: reset(closed(probe)),
            "priority": lambda probe: frame(PRIORITY, 0, closed(probe), b"\0\0\0\0\1"),
        })

    def test_1_1_streams_have_odd_numbers_that_grow(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "even": get(2),
            "zero": get(0),
            "lower and never used": get(5) + get(3),
            "lower, and its turn is long past": b"".join(get(i) for i in (1, 3, 9, 11, 13)) +
                get(7),
            "lower, of many": b"".join(get(4 * i + 1) for i in range(7)) + get(15),
        })

    def test_1_1_skipped_numbers_are_closed(self):
        self.check_stream_errors(STREAM_CLOSED, {"data": get(5) + frame(DATA, 0, 3, b"x")}, 3)
        self.check_harmless({"window": get(5) + window(3, 1), "reset": get(5) + reset(3),
                             "priority": get(5) + frame(PRIORITY, 0, 3, b"\0\0\0\0\1")})

    def test_1_2_more_streams_than_we_allow_are_refused(self):
        def one_too_many(probe):
            streams = range(1, 2 * probe.settings[3] + 2, 2)
            return b"".join(get(stream, "/slow") for stream in streams)
        words = self.say(one_too_many)
        self.assertTrue({f"goaway {PROTOCOL_ERROR}", "reset 257 1", "reset 257 7"} & words, words)

    def test_3_1_a_stream_cannot_depend_on_itself(self):
        # RFC 7540 section 5.3.1; RFC 9113 has no priorities, but keeps what their frames look like.
        dependency = struct.pack(">IB", 1, 10)
        exclusive = struct.pack(">IB", 1 | 1 << 31, 10)
        self.check_stream_errors(PROTOCOL_ERROR, {
            "headers": frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, 1,
                             dependency + block(GET)),
            "idle": frame(PRIORITY, 0, 1, dependency),
            "open": post(1) + frame(PRIORITY, 0, 1, dependency),
            "exclusive": post(1) + frame(PRIORITY, 0, 1, exclusive),
            "byte by byte": lambda probe: [probe.send(bytes([byte])) for byte in
                                           frame(PRIORITY, 0, 1, dependency)] and b"",
        })

    def test_3_1_any_other_dependency_is_taken(self):
        def priority(stream, dependency, weight):
            return frame(PRIORITY, 0, stream, struct.pack(">IB", dependency, weight))
        self.check_answered({
            "least weight": priority(1, 0, 0) + get(1),
            "largest weight": priority(1, 0, 255) + get(1),
            "another stream": priority(1, 3, 16) + priority(3, 5, 16) + get(1),
            "exclusively": priority(1, 3 | 1 << 31, 16) + get(1),
            "of a stream above": priority(123, 0, 16) + get(1),
            "many": priority(1, 3, 1) * 20 + get(1),
            "byte by byte": lambda probe: [probe.send(bytes([byte])) for byte in
                                           priority(1, 3, 1) + get(1)] and b"",
        })

    def test_4_1_after_a_connection_error_the_connection_is_closed(self):
        probe = Http2Client(self.proxy.plain)
        probe.wait_ping()
        probe.send(frame(PING, 0, 0, b"short"))
        probe.wait_closed()
        last = probe.goaways[-1]
        self.assertEqual((last.type, last.stream, last.code), (GOAWAY, 0, FRAME_SIZE_ERROR))
        probe.close()

    def test_4_1_a_goaway_names_the_last_request_that_was_taken(self):
        for tls in (False, True):
            probe = self.probe(tls)
            self.assertEqual(probe.ask("/").status, 200)
            probe.send(frame(PING, 0, 0, b"short"))
            probe.wait_closed()
            self.assertEqual(probe.goaways[-1].payload[:4], struct.pack(">I", 1))
            probe.close()

    def test_7_error_codes_that_we_do_not_know_are_taken(self):
        self.check_answered({"of a stream": post(1) + reset(1, 0xff) + get(3)}, 3)
        self.check_answered({"of the connection": get(1) +
                             frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xff))})

    def test_5_extensions_are_ignored(self):
        self.check_answered({
            "unknown setting": frame(SETTINGS, 0, 0, struct.pack(">HI", 0xff, 1)) + get(1),
            "unknown frame inside of a request": post(1, "/") + frame(0x1f, 0, 1, b"x" * 100) +
                frame(DATA, END_STREAM, 1, b"y"),
        })

    def test_1_what_crosses_our_own_reset_is_overlooked(self):
        def after_early_answer(probe):
            stream = probe.take_id()
            probe.send(headers_frame(stream, request("/%zz", "POST")))
            probe.wait(stream)
            while probe.answers[stream].reset is None:
                probe.take_frame()
            return frame(DATA, 0, stream, b"x" * 100) + frame(DATA, END_STREAM, stream, b"y")
        probe = Probe(self.proxy.plain)
        probe.send(after_early_answer(probe))
        self.assertFalse([word for word in probe.hear() if word.startswith("goaway")])
        probe.close()
        malformed = headers_frame(1, GET[1:]) + frame(DATA, END_STREAM, 1, b"x")
        self.assertEqual(self.say(malformed), {"reset 1 1"})


if __name__ == "__main__":
    main()
