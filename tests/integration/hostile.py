"""Clients that break HTTP/2 or try to use the proxy up. Each is dealt with by itself: after every
attack a plain request is answered, and at the end nothing is held any more."""

import socket
import ssl
import struct

import hpack
from http1_backend import Gone, Http1Backend, answer_bytes
from http2_peer import (CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, HEADERS,
                        PING, PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH, RST_STREAM, SETTINGS,
                        STREAM_CLOSED, WINDOW_UPDATE, Http2Client, ask_once, connect, frame,
                        headers_frame)
from scripted_site import SERVE, echo
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, main,
                            wait_until)

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")]
LIMITS = 'limits: { header_timeout = "300ms"; body_timeout = "300ms"; body_bytes = "1000"; };'


def replaced(name, value):
    return [(its_name, value if its_name == name else its_value) for its_name, its_value in GET]


class HostileCase(ProxyCase):
    protocol = "http/1.1"
    limits = LIMITS

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE[self.protocol](echo))
        self.proxy = self.start_proxy(
            config_text(backend_text("monolith", self.backend.port, self.protocol),
                        more=self.limits), asan=SMALL_QUARANTINE)
        self.addCleanup(self.check_others_are_served)

    def check_others_are_served(self):
        for tls in (False, True):
            port = self.proxy.tls if tls else self.proxy.plain
            self.assertEqual(ask_once(port, "/after", tls=tls).status, 200)

    def client(self, **more) -> Http2Client:
        return self.closing(Http2Client(self.proxy.plain, **more))

    def flood(self, client, data: bytes):
        """Sends until it is all out or the proxy has had enough."""
        try:
            client.send(data)
        except (Gone, OSError):
            pass

    def expect_goaway(self, client, *codes):
        """A GOAWAY with one of these codes, and then the end; a bare end if none is given."""
        client.wait_closed()
        if codes:
            self.assertTrue(client.goaways, "closed without a word")
            self.assertIn(client.goaways[-1].code, codes)


class BrokenConnections(HostileCase):
    def test_garbage_instead_of_a_preface_is_closed(self):
        for data in (b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/3",
                     PREFACE[:-1] + b"X", b"GET / HTTP/1.1\r\n\r\n", b"\r\n" * 1000):
            with self.subTest(data=data[:20]):
                with connect(self.proxy.plain) as sock:
                    sock.sendall(data)
                    while sock.recv(65536):
                        pass
        for data in (b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(tls=data[:20]):
                sock = connect(self.proxy.tls, True)
                sock.sendall(data)
                while sock.recv(65536):
                    pass
                sock.close()

    def test_silence_before_the_preface_is_closed_in_time(self):
        for start in (b"", PREFACE[:10]):
            for tls in (False, True):
                sock = self.closing(connect(self.proxy.tls if tls else self.proxy.plain, tls))
                if start:
                    sock.sendall(start)
                try:
                    while sock.recv(65536):
                        pass
                except ConnectionResetError:
                    pass

    def test_silence_in_the_handshake_is_closed_in_time(self):
        for start in (b"", b"\x16\x03\x01\x02\x00\x01\x00"):
            sock = self.closing(socket.create_connection(("127.0.0.1", self.proxy.tls), 30))
            sock.sendall(start)
            self.assertEqual(sock.recv(100), b"")

    def test_a_handshake_that_dribbles_is_closed_in_time(self):
        hello = ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        sock = self.closing(socket.create_connection(("127.0.0.1", self.proxy.tls), 30))
        sock.settimeout(0.05)
        for byte in hello.read():  # at least 10 s, if nobody ends it
            try:
                sock.sendall(bytes([byte]))
                if sock.recv(100) == b"":
                    return
            except TimeoutError:
                pass
            except ConnectionError:
                return
        self.fail("it was let go on for ever")

    def test_an_unfinished_header_block_is_bounded_in_time(self):
        block = hpack.encode(GET)
        for data in (frame(HEADERS, END_STREAM, 1, block),
                     frame(HEADERS, END_STREAM, 1, block[:20]),
                     frame(HEADERS, END_STREAM, 1, block)[:-5],
                     b"\0\0\x40\1"):
            with self.subTest(data=data[:12]):
                client = self.client()
                client.send(data)
                client.wait_closed()

    def test_a_head_that_dribbles_is_bounded_in_time(self):
        client = self.client()
        client.send(frame(HEADERS, END_STREAM, 1, hpack.encode(GET)))
        client.socket.settimeout(0.05)
        for _ in range(200):  # at least 10 s, if nobody ends it
            try:
                client.send(frame(CONTINUATION, 0, 1, hpack.encode([("x-a", "b")])))
                client.take_frame()
            except TimeoutError:
                continue
            except (Gone, OSError):
                return
        self.fail("the head may take for ever")

    def test_frames_that_break_the_connection_are_answered_by_goaway(self):
        faults = {
            "data on stream 0": frame(DATA, 0, 0, b"x"),
            "headers on stream 0": frame(HEADERS, END_HEADERS, 0, hpack.encode(GET)),
            "an even stream": headers_frame(2, GET),
            "continuation alone": frame(CONTINUATION, END_HEADERS, 1),
            "another frame inside of a head": frame(HEADERS, 0, 1) + frame(PING, 0, 0, b"8" * 8),
            "settings of odd length": frame(SETTINGS, 0, 0, b"12345"),
            "settings on a stream": frame(SETTINGS, 0, 1),
            "settings that are an answer and not": frame(SETTINGS, 1, 0, b"123456"),
            "a window too large to start with": frame(
                SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 31)),
            "a frame size too small": frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 100)),
            "a short ping": frame(PING, 0, 0, b"1"),
            "push": frame(PUSH, END_HEADERS, 1, b"\0\0\0\2"),
            "an oversized frame": frame(DATA, 0, 1, b"x" * 20_000),
            "a broken compression": frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
            "window overflow": frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", (1 << 31) - 1)) * 2,
            "a window of nothing": frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)),
            "data on an idle stream": frame(DATA, 0, 7, b"x"),
            "reset of an idle stream": frame(RST_STREAM, 0, 7, struct.pack(">I", 8)),
        }
        for name, data in faults.items():
            with self.subTest(name):
                client = self.client()
                self.assertEqual(client.ask("/before").status, 200) if "stream" not in name else 0
                client.send(data)
                client.wait_closed()
                self.assertTrue(client.goaways, "closed without a word")
                self.assertNotEqual(client.goaways[-1].code, 0)


class BrokenStreams(HostileCase):
    def test_a_window_overflow_of_a_stream_resets_it(self):
        client = self.client()
        stream = client.start("/", "POST", ends=False)
        for _ in range(2):
            client.give_window(stream, (1 << 31) - 1)
        self.assertEqual(client.wait(stream).reset, FLOW_CONTROL_ERROR)
        self.assertEqual(client.ask("/").status, 200)

    def test_data_on_a_closed_stream_does_no_harm(self):
        client = self.client()
        stream = client.start("/")
        self.assertEqual(client.wait(stream).status, 200)
        client.send(frame(DATA, 0, stream, b"late"))
        client.send(frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))
        client.send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 8)))
        try:
            self.assertEqual(client.ask("/").status, 200)
        except Gone:
            self.assertEqual(client.goaways[-1].code, STREAM_CLOSED)

    def test_data_behind_the_end_of_a_request_is_refused(self):
        client = self.client()
        stream = client.start("/", "POST", ends=False)
        client.send(frame(DATA, END_STREAM, stream, b"x") + frame(DATA, 0, stream, b"y"))
        client.wait_closed()
        self.assertTrue(client.goaways or client.answers[stream].reset == STREAM_CLOSED)

    def test_malformed_requests_are_reset_and_reach_nobody(self):
        faults = [
            GET[1:], GET[:2] + GET[3:], GET[:1] + GET[2:],  # without method, path, scheme
            GET + [(":path", "/twice")], GET + [(":fancy", "x")], GET + [(":status", "200")],
            [*GET[:3], ("x-a", "b"), GET[3]],  # a pseudo field behind others
            GET + [("X-Upper", "b")], GET + [("x a", "b")], GET + [("", "b")],
            GET + [("x-a", b"b\0")], GET + [("x-a", b"b\r\nx: y")], GET + [("x-a", b"b\n")],
            GET + [("connection", "close")], GET + [("transfer-encoding", "chunked")],
            GET + [("keep-alive", "1")], GET + [("proxy-connection", "close")],
            GET + [("upgrade", "h2c")], GET + [("te", "gzip")],
            GET + [("content-length", "1"), ("content-length", "2")],
            GET + [("content-length", "x")], GET + [("content-length", "-1")],
            replaced(":path", ""), replaced(":path", b"/a b"), replaced(":path", b"/a\r\nb"),
            replaced(":path", b"/\0"), replaced(":method", b"GE T"), replaced(":method", b"G\r\nX"),
            replaced(":authority", b"a b"), replaced(":authority", b"a\r\nb"),
            replaced(":authority", "user@host"), replaced(":authority", ""),
            GET[:3], GET[:3] + [("host", "")], GET[:3] + [("host", "a"), ("host", "b")],
            replaced(":scheme", b"ht tp"), replaced(":path", "no-slash"), replaced(":path", "*"),
            GET + [("content-length", "5")],  # and END_STREAM
            GET + [("host", "elsewhere")], GET + [("host", "")],
        ]
        for fields in faults:
            with self.subTest(fields=fields):
                client = self.client()
                answer = client.wait(client.start_raw(fields))
                self.assertTrue(answer.reset == PROTOCOL_ERROR or answer.status == 400,
                                (answer.status, answer.reset))
                self.assertEqual(client.ask("/fine").status, 200)
                client.close()
        self.assertEqual({request.target for request in self.backend.requests}, {"/fine"})

    def test_a_body_of_another_length_than_said_is_reset(self):
        for said, sent in (("2", b"abc"), ("5", b"abc")):
            client = self.client()
            stream = client.start("/", "POST", [("content-length", said)], ends=False)
            client.send_frame(DATA, END_STREAM, stream, sent)
            answer = client.wait(stream)
            self.assertTrue(answer.reset == PROTOCOL_ERROR or answer.status == 400, answer)
        self.assertEqual(self.backend.requests, [])  # none was complete

    def test_methods_that_we_do_not_serve(self):
        client = self.client()
        for method, status in (("BREW", 501), ("get", 501), ("TRACE", 405), ("M" * 300, 501)):
            self.assertEqual(client.wait(client.start("/", method)).status, status, method)
        connect_fields = [(":method", "CONNECT"), (":authority", "localhost:22")]
        answer = client.wait(client.start_raw(connect_fields))
        self.assertEqual(answer.status, 501)
        self.assertEqual(self.backend.requests, [])

    def test_a_large_head_is_431(self):
        client = self.client()
        for fields in ([("x-a", "y" * 40_000), ("x-b", "y" * 40_000)],
                       [(f"x-{i}", "y" * 3000) for i in range(30)],
                       [(f"x-{i}", "") for i in range(200)], [("cookie", "a=b")] * 1000):
            answer = client.ask("/", fields=fields)
            self.assertEqual(answer.status, 431)
            self.assertEqual(client.ask("/fine").status, 200)

    def test_a_long_target_is_refused(self):
        answer = self.client().ask("/" + "a" * 65_400)
        self.assertIn(answer.status, (414, 431))

    def test_a_field_that_no_decoder_takes_ends_the_connection(self):
        client = self.client()
        client.start("/", fields=[("x-a", "y" * 70_000)])
        self.expect_goaway(client, 9)  # COMPRESSION_ERROR

    def test_a_body_over_the_limit_is_413(self):
        client = self.client()
        announced = client.start("/", "POST", [("content-length", "1001")], ends=False)
        self.assertEqual(client.wait(announced).status, 413)
        reached = client.start("/", "POST", ends=False)
        client.send_body(reached, b"x" * 1001, ends=False)
        self.assertEqual(client.wait(reached).status, 413)
        self.assertEqual(client.ask("/", "POST", body=b"x" * 1000).json()["length"], 1000)

    def test_a_body_that_does_not_come_is_408(self):
        client = self.client()
        for sent in (b"", b"abc"):
            stream = client.start("/", "POST", ends=False)
            client.send_body(stream, sent, ends=False)
            self.assertEqual(client.wait(stream).status, 408)
        self.assertEqual(client.ask("/fine").status, 200)
        self.assertEqual([request.target for request in self.backend.requests], ["/fine"])


class Floods(HostileCase):
    limits = ""

    def setUp(self):
        super().setUp()
        # This one answers nobody: what reaches it stays under way until it is cancelled.
        self.slow = self.closing(Http1Backend(lambda connection: connection.wait_end()))
        self.proxy.reload("10-test.cfg", config_text(
            backend_text("monolith", self.backend.port, self.protocol),
            backend_text("slow", self.slow.port),
            more='routes: { slow: { prefix = "/slow"; backend = "slow"; }; };'))

    def reset_frames(self, path: str, count: int) -> bytes:
        block = hpack.encode(replaced(":path", path))
        return b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, stream, block) +
            frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            for stream in range(1, 2 * count, 2))

    def test_rapid_reset_leaves_nothing_under_way(self):
        for path in ("/", "/slow"):
            client = self.client()
            self.flood(client, self.reset_frames(path, 1000))
            try:
                client.wait_ping()
            except (Gone, OSError):
                pass
            for name in ("strangler_live_exchanges", "strangler_backend_streams"):
                self.proxy.wait_total(0, name)

    def test_endless_rapid_reset_is_ended(self):
        client = self.client()
        self.flood(client, self.reset_frames("/slow", 50_000))
        client.wait_closed()
        self.assertLess(self.proxy.total("strangler_http_requests_total"), 5000)

    def test_resets_that_we_are_made_to_send_are_budgeted_too(self):
        # Each request is good, and then broken so that we reset it (CVE-2025-8671).
        client = self.client()
        block = hpack.encode(replaced(":path", "/slow"))
        overflow = struct.pack(">I", (1 << 31) - 1)
        self.flood(client, b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, stream, block) +
            frame(WINDOW_UPDATE, 0, stream, overflow)
            for stream in range(1, 100_000, 2)))
        client.socket.settimeout(10)
        client.wait_closed()
        self.assertLess(self.proxy.total("strangler_http_requests_total"), 5000)

    def test_a_continuation_flood_is_ended(self):
        for piece in (b"", hpack.encode([("x-a", "y" * 100)])):
            client = self.client()
            self.flood(client, frame(HEADERS, END_STREAM, 1, hpack.encode(GET)) +
                       frame(CONTINUATION, 0, 1, piece) * 20_000)
            client.wait_closed()

    def test_a_compression_bomb_is_bounded(self):
        client = self.client()
        # One large entry in the dynamic table, then named thousands of times.
        block = hpack.encode(GET) + b"\x40" + b"\3x-a" + b"\x7f\xa0\x1e" + b"y" * 3999
        block += b"\xbe" * 8000
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, client.take_id(), block))
        answer = client.wait(1)
        self.assertTrue(answer.status == 431 or answer.reset is not None, answer)

    def test_floods_of_control_frames_do_not_grow_the_output(self):
        floods = {
            "ping": frame(PING, 0, 0, b"12345678"),
            "settings": frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)),
            "empty settings": frame(SETTINGS),
            "priority": frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 10)),
            "unknown": frame(200, 0, 0, b"x" * 100),
        }
        for name, data in floods.items():
            with self.subTest(name):
                client = self.client()
                before = self.proxy.resident_bytes()
                client.socket.settimeout(5)
                self.flood(client, data * 100_000)  # never reading what comes back
                self.assertLess(self.proxy.resident_bytes() - before, 32 << 20)
                client.close()
                self.check_others_are_served()

    def test_refusals_that_nobody_reads_do_not_pile_up(self):
        refused = [(":method", "GET")]
        for fields in (GET, refused):  # over the limit of streams, and malformed
            with self.subTest(fields=fields):
                client = self.client()
                client.auto = False
                block = hpack.encode([*fields, ("x-a", "/slow")] if fields is refused else
                                     replaced(":path", "/slow"))
                before = self.proxy.resident_bytes()
                client.socket.settimeout(5)
                for start in range(1, 400_000, 20_000):
                    self.flood(client, b"".join(
                        frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
                        for stream in range(start, start + 20_000, 2)))
                self.assertLess(self.proxy.resident_bytes() - before, 100 << 20)
                client.close()
                self.check_others_are_served()

    def test_a_few_frames_that_move_nothing_are_harmless(self):
        client = self.client()
        stream = client.start("/", "POST", ends=False)
        client.send((frame(DATA, 0, stream) + frame(PRIORITY, 0, stream, b"\0\0\0\0\1") +
                     frame(200, 0, 0, b"x")) * 20)
        client.send(frame(DATA, END_STREAM, stream))
        self.assertEqual(client.wait(stream).json()["length"], 0)

    def test_frames_that_move_nothing_are_budgeted(self):
        floods = {
            "data": lambda stream: frame(DATA, 0, stream),
            "priority": lambda _: frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 10)),
            "unknown": lambda _: frame(200, 0, 0, b"x"),
            "window": lambda _: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
        }
        for name, make in floods.items():
            with self.subTest(name):
                client = self.client(window=1)
                stream = client.start("/", "POST", ends=False)
                self.flood(client, make(stream) * 200_000)
                client.wait_closed()

    def test_more_streams_than_allowed_are_refused(self):
        client = self.client()
        streams = [client.start("/slow") for _ in range(300)]
        while len(client.done) < 300 - 128:
            client.take_frame()
        self.assertEqual({client.answers[stream].reset for stream in client.done}, {7})
        self.assertEqual(client.done, set(streams[128:]))
        self.proxy.wait_total(128, "strangler_live_exchanges")

    def test_many_connections_come_and_go(self):
        for _ in range(200):
            with connect(self.proxy.plain) as sock:
                sock.sendall(PREFACE + frame(SETTINGS) + headers_frame(1, GET, 5))
        for _ in range(20):
            with connect(self.proxy.tls, True) as sock:
                sock.sendall(PREFACE + frame(SETTINGS) + headers_frame(1, GET, 5))
        self.proxy.wait_total(0, "strangler_connections")


class FloodsToHttp2Backend(HostileCase):
    protocol = "h2"
    limits = ""

    def test_rapid_reset_leaves_nothing_under_way(self):
        client = self.client()
        block = hpack.encode(GET)
        self.flood(client, b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, stream, block) +
            frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            for stream in range(1, 2000, 2)))
        try:
            client.wait_ping()
        except (Gone, OSError):
            pass
        for name in ("strangler_live_exchanges", "strangler_backend_streams"):
            self.proxy.wait_total(0, name)


class Limits(ProxyCase):
    def start(self, limits: str):
        self.backend = self.closing(SERVE["http/1.1"](echo))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port),
                                                  more=f"limits: {{ {limits} }};"))

    def test_an_idle_connection_is_sent_away(self):
        self.start('idle_timeout = "200ms";')
        for tls in (False, True):
            client = self.closing(Http2Client(self.proxy.tls if tls else self.proxy.plain, tls))
            self.assertEqual(client.ask("/").status, 200)
            client.wait_closed()
            last = client.goaways[-1]
            self.assertEqual((last.code, last.payload[:4]), (0, struct.pack(">I", 1)))

    def test_a_client_that_does_not_read_is_given_up(self):
        body = b"x" * 5_000_000
        backend = self.closing(Http1Backend(
            lambda connection: (connection.read_request(), connection.send(answer_bytes(body)),
                                connection.wait_end())))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port),
                                             more='limits: { write_timeout = "300ms"; };'))
        no_window = self.closing(Http2Client(proxy.plain, settings={4: 1000}))
        no_window.auto = False
        stream = no_window.start("/")
        self.assertIsNotNone(no_window.wait(stream).reset)
        deaf = self.closing(Http2Client(proxy.plain, settings={4: (1 << 31) - 1}, window=1 << 30))
        deaf.start("/")
        wait_until("it is given up", lambda: proxy.total("strangler_live_exchanges") == 0 and
                   len(proxy.log_lines()) == 2)

    def test_connections_over_the_limit_wait(self):
        self.start("connections = 5;")
        clients = [self.closing(Http2Client(self.proxy.plain)) for _ in range(5)]
        for client in clients:
            self.assertEqual(client.ask("/").status, 200)
        late = self.closing(Http2Client(self.proxy.plain))
        self.assertEqual(self.proxy.total("strangler_connections"), 5)
        clients[0].close()
        self.assertEqual(late.ask("/").status, 200)


if __name__ == "__main__":
    main()
