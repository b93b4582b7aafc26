"""RFC 9113 section 6: each type of frame, where it may stand, how long it is and what it says."""

import struct

from http2_peer import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING,
                        PRIORITY, PUSH, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, headers_frame)
from http2_probe import (FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GET, PADDED, POST, PRIORITY_FLAG,
                         PROTOCOL_ERROR, ConformanceCase, Probe, block, get, post, window)
from strangler_test import main

LARGEST_WINDOW = (1 << 31) - 1


def setting(name: int, value: int) -> bytes:
    return frame(SETTINGS, 0, 0, struct.pack(">HI", name, value))


class Section6(ConformanceCase):
    def test_1_data_belongs_to_a_stream_and_its_padding_to_the_frame(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "stream 0": frame(DATA, 0, 0, b"x"),
            "padding as long as the frame": post(1) + frame(DATA, PADDED, 1, b"\5xxxxx"[:5]),
            "padding longer than the frame": post(1) + frame(DATA, PADDED, 1, b"\xffx"),
        })
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "padded without room for the length": post(1) + frame(DATA, PADDED, 1, b"")})
        self.check_answered({
            "padding": post(1, "/") + frame(DATA, PADDED | END_STREAM, 1, b"\4xx\0\0\0\0"),
            "nothing but padding": post(1, "/") + frame(DATA, PADDED | END_STREAM, 1, b"\2\0\0"),
        })

    def test_2_headers_belong_to_a_stream_and_their_padding_to_the_frame(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "stream 0": frame(HEADERS, END_HEADERS, 0, block(GET)),
            "padding longer than the frame": frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff\x82"),
        })
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "padded without room for the length": frame(HEADERS, END_HEADERS | PADDED, 1),
            "priority without room for it": frame(HEADERS, END_HEADERS | PRIORITY_FLAG, 1, b"\0"),
        })
        self.check_answered({
            "padding": frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1,
                             b"\3" + block(GET) + b"\0\0\0"),
            "priority": frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, 1,
                              struct.pack(">IB", 0, 15) + block(GET)),
            "both": frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG | PADDED, 1,
                          b"\1" + struct.pack(">IB", 0, 15) + block(GET) + b"\0"),
        })

    def test_3_priority_is_five_bytes_on_a_stream(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "stream 0": frame(PRIORITY, 0, 0, b"\0\0\0\0\1")})
        self.check_stream_errors(FRAME_SIZE_ERROR, {
            "short": post(1) + frame(PRIORITY, 0, 1, b"\0\0\0\1"),
            "long": post(1) + frame(PRIORITY, 0, 1, b"\0\0\0\0\1\1"),
        })

    def test_4_rst_stream_is_four_bytes_on_a_stream_that_was_opened(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "stream 0": frame(RST_STREAM, 0, 0, b"\0\0\0\x08"),
            "idle": frame(RST_STREAM, 0, 1, b"\0\0\0\x08"),
        })
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "short": post(1) + frame(RST_STREAM, 0, 1, b"\0\0\x08"),
            "long": post(1) + frame(RST_STREAM, 0, 1, b"\0\0\0\0\x08"),
        })

    def test_5_settings_are_six_bytes_each_on_stream_0(self):
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "an acknowledgement that says something": frame(SETTINGS, ACK, 0, b"\0\4\0\0\0\1"),
            "five bytes": frame(SETTINGS, 0, 0, b"\0\4\0\0\0"),
        })
        self.check_connection_errors(PROTOCOL_ERROR, {"on a stream": frame(SETTINGS, 0, 1)})

    def test_5_2_settings_have_ranges(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "push": setting(2, 2), "frame size below": setting(5, 16383),
            "frame size above": setting(5, 1 << 24), "connect": setting(8, 2),
        })
        self.check_connection_errors(FLOW_CONTROL_ERROR, {"window": setting(4, 1 << 31)})
        self.check_answered({
            "largest window": setting(4, LARGEST_WINDOW) + get(1),
            "largest frame": setting(5, (1 << 24) - 1) + get(1),
            "no table": setting(1, 0) + get(1), "a large table": setting(1, 1 << 31) + get(1),
            "unknown": setting(0xfff, 7) + get(1), "twice": setting(4, 1) + setting(4, 65535) + get(1),
        })

    def test_5_3_values_are_taken_in_their_order(self):
        twice = frame(SETTINGS, 0, 0, struct.pack(">HIHI", 4, 100, 4, 1))
        for tls in (False, True):
            probe = self.probe(tls)
            probe.auto = False  # no windows are given back
            probe.send(twice + get(1))
            probe.wait_head(1)
            probe.hear()
            self.assertEqual(len(probe.answers[1].body), 1)
            probe.close()

    def test_5_3_each_settings_frame_is_acknowledged(self):
        probe = Probe(self.proxy.plain)
        probe.seen.clear()
        probe.send(setting(4, 70_000) * 3)
        probe.send_frame(PING, 0, 0, b"the end?")
        while not any(got.type == PING for got in probe.seen):
            probe.take_frame()
        acknowledged = [got for got in probe.seen if got.type == SETTINGS and got.flags & ACK]
        self.assertEqual(len(acknowledged), 3)
        probe.close()

    def test_6_clients_push_nothing(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "on a stream": post(1) + frame(PUSH, END_HEADERS, 1, b"\0\0\0\2" + block(GET)),
            "on stream 0": frame(PUSH, END_HEADERS, 0, b"\0\0\0\2" + block(GET)),
        })

    def test_7_ping_is_eight_bytes_on_stream_0_and_comes_back(self):
        self.check_connection_errors(PROTOCOL_ERROR, {"on a stream": frame(PING, 0, 1, b"8" * 8)})
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "short": frame(PING, 0, 0, b"7" * 7), "long": frame(PING, 0, 0, b"9" * 9)})
        probe = Probe(self.proxy.plain)
        probe.send(frame(PING, ACK, 0, b"unasked!") + frame(PING, 0, 0, b"whatever"))
        self.assertEqual(probe.hear(), set())
        pings = [got.payload for got in probe.seen if got.type == PING]
        self.assertEqual(pings, [b"whatever", b"the end?", b"for sure"])
        probe.close()

    def test_8_goaway_belongs_to_stream_0_and_lets_requests_finish(self):
        self.check_connection_errors(PROTOCOL_ERROR, {
            "on a stream": frame(GOAWAY, 0, 1, b"\0" * 8)})
        self.check_connection_errors(FRAME_SIZE_ERROR, {"short": frame(GOAWAY, 0, 0, b"\0" * 7)})
        self.check_answered({"after a request": get(1) + frame(GOAWAY, 0, 0, b"\0" * 8)})

    def test_9_windows_are_obeyed(self):
        probe = Probe(self.proxy.plain)
        probe.send(setting(4, 1) + get(1))
        while not probe.answers.get(1) or not probe.answers[1].body:
            probe.take_frame()
        self.assertEqual(len(probe.answers[1].body), 1)  # and the auto-given byte back, and so on
        probe.auto = False
        probe.close()
        probe = Probe(self.proxy.plain)
        probe.auto = False
        probe.send(setting(4, 0) + get(1))
        probe.wait_head(1)
        probe.hear()
        self.assertEqual(probe.answers[1].body, b"")
        probe.send(setting(4, 1))
        while not probe.answers[1].body:
            probe.take_frame()
        self.assertEqual(len(probe.answers[1].body), 1)
        probe.send(setting(4, 0))  # below zero now
        probe.send(window(1, 1))
        probe.seen.clear()
        probe.hear()
        self.assertEqual(len(probe.answers[1].body), 1)
        probe.send(window(1, 2))
        while len(probe.answers[1].body) < 3:
            probe.take_frame()
        probe.close()

    def test_9_window_updates_are_four_bytes_and_more_than_nothing(self):
        self.check_connection_errors(PROTOCOL_ERROR, {"of nothing": window(0, 0)})
        self.check_stream_errors(PROTOCOL_ERROR, {"of nothing for a stream": post(1) + window(1, 0)})
        self.check_connection_errors(FRAME_SIZE_ERROR, {
            "short": frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"),
            "long": frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0\1"),
            "short for a stream": post(1) + frame(WINDOW_UPDATE, 0, 1, b"\0\0\1"),
        })

    def test_9_1_windows_do_not_overflow(self):
        self.check_connection_errors(FLOW_CONTROL_ERROR, {
            "of the connection": window(0, LARGEST_WINDOW) * 2,
            "by settings": get(1, "/slow") + window(1, LARGEST_WINDOW - 65535) + setting(4, 65536)})
        self.check_stream_errors(FLOW_CONTROL_ERROR, {
            "of a stream": post(1) + window(1, LARGEST_WINDOW) * 2})

    def test_9_1_nobody_sends_more_than_our_windows(self):
        piece = frame(DATA, 0, 1, b"x" * 16384)
        words = self.say(post(1, "/deaf") + piece * 2000)  # more than sockets hold on the way
        self.assertTrue({"reset 1 3", "goaway 3", "closed"} & words, words)
        self.assertEqual(self.proxy.total("strangler_client_faults_total"), 0)

    def test_10_continuation_follows_a_block_that_is_not_ended(self):
        begun = frame(HEADERS, END_STREAM, 1, block(GET)[:5])
        self.check_answered({
            "one": begun + frame(CONTINUATION, END_HEADERS, 1, block(GET)[5:]),
            "some": begun + frame(CONTINUATION, 0, 1, block(GET)[5:9]) +
                frame(CONTINUATION, 0, 1) + frame(CONTINUATION, END_HEADERS, 1, block(GET)[9:]),
        })
        self.check_connection_errors(PROTOCOL_ERROR, {
            "on stream 0": begun + frame(CONTINUATION, END_HEADERS, 0, block(GET)[5:]),
            "behind the end of the block": headers_frame(1, GET) +
                frame(CONTINUATION, END_HEADERS, 1, block([("x", "y")])),
            "behind the end of a block in parts": frame(HEADERS, 0, 1, block(GET)) +
                frame(CONTINUATION, END_HEADERS, 1) + frame(CONTINUATION, END_HEADERS, 1),
            "behind data": headers_frame(1, POST) + frame(DATA, 0, 1, b"x") +
                frame(CONTINUATION, END_HEADERS, 1),
            "alone": frame(CONTINUATION, END_HEADERS, 1, block(GET)),
        })


if __name__ == "__main__":
    main()
