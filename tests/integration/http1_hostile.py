"""Clients that break HTTP/1.1 or try to smuggle a second request past the proxy. What is wrong is
answered with a problem and the end of the connection, and never reaches a backend; what is right
reaches it framed anew, in one way. The backend reads strictly: what it could not read fails the
test."""

import signal
import socket
import threading
import time

from http1_backend import Gone, Http1Backend, answer_bytes
from http1_client import Http1Client, ask_raw_once
from scripted_site import SERVE, echo
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, main,
                            wait_until)

SHORT_LIMITS = ('limits: { header_timeout = "500ms"; body_timeout = "300ms"; body_bytes = "1000"; '
                'idle_timeout = "20s"; };')
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
BEHIND = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"


def request(line: str = "POST / HTTP/1.1", fields: str = "host: a\n", body: bytes = b"") -> bytes:
    """The text with CR LF for each of its line ends, and the body as it is."""
    return (line + "\n" + fields + "\n").replace("\n", "\r\n").encode("latin-1") + body


def chunked(body: bytes) -> bytes:
    return request(fields="host: a\ntransfer-encoding: chunked\n", body=body)


class HostileCase(ProxyCase):
    limits = ""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](echo))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port), more=self.limits), asan=SMALL_QUARANTINE)
        self.addCleanup(self.check_others_are_served)

    def check_others_are_served(self):
        client = Http1Client(self.proxy.plain)
        self.assertEqual(client.ask("/after").status, 200)
        client.close()

    def client(self, tls: bool = False) -> Http1Client:
        return self.closing(Http1Client(self.proxy.tls if tls else self.proxy.plain, tls))

    def targets(self) -> set:
        return {seen.target for seen in self.backend.requests}

    def check_refused(self, data: bytes, *statuses: int):
        """One answer, a problem, and the end; what stands behind it is not looked at."""
        client = self.client()
        client.send(data + BEHIND)
        answer = client.read()
        self.assertIn(answer.status, statuses, data[:80])
        self.assertEqual(answer.value("content-type"), "application/problem+json")
        self.assertEqual(answer.value("connection"), "close")
        self.assertRegex(answer.json()["request_id"], f"^{UUID}$")
        self.assertEqual(client.read_rest(), b"")
        client.close()


class RequestLines(HostileCase):
    def test_lines_that_are_none_are_refused(self):
        faults = [
            b"GET\r\n", b"GET /\r\n", b"GET  / HTTP/1.1\r\n", b"GET /  HTTP/1.1\r\n",
            b"GET / HTTP/1.1 \r\n", b" GET / HTTP/1.1\r\n", b"\tGET / HTTP/1.1\r\n",
            b"GET\t/\tHTTP/1.1\r\n", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\r\n",
            b"GET / http/1.1\r\n", b"GET / HTTP/1.10\r\n", b"GET / HTTP/11\r\n",
            b"GET / HTTP/1\r\n", b"GET / RTSP/1.0\r\n", b"GET /a b HTTP/1.1\r\n",
            b"GET /\0 HTTP/1.1\r\n", b"GET /\x7f HTTP/1.1\r\n", b"GET /\x0b HTTP/1.1\r\n",
            b"GET /a\rb HTTP/1.1\r\n", b"G\0T / HTTP/1.1\r\n", b"G(T / HTTP/1.1\r\n",
            b"GET /%zz HTTP/1.1\r\n", b"GET /%2 HTTP/1.1\r\n", b"GET /# HTTP/1.1\r\n",
            b"GET x HTTP/1.1\r\n", b"GET localhost:80 HTTP/1.1\r\n", b"GET * HTTP/1.1\r\n",
            b"GET ftp://a/ HTTP/1.1\r\n", b"GET http:///x HTTP/1.1\r\n",
            b"GET http://u@a/ HTTP/1.1\r\n", b"GET http://a b/ HTTP/1.1\r\n",
        ]
        for line in faults:
            with self.subTest(line=line):
                answer = ask_raw_once(self.proxy.plain, line + b"host: a\r\n\r\n")
                self.assertEqual(answer.status, 400)
        self.assertEqual(self.targets(), set())

    def test_garbage_is_refused_at_once(self):
        for data in (b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n" * 1000,
                     b"\rGET / HTTP/1.1\r\nhost: a\r\n\r\n", b"\n", b"{", b"\r\r\n"):
            with self.subTest(data=data[:20]):
                self.check_refused(data, 400)

    def test_one_empty_line_in_front_is_overlooked(self):
        for _ in range(2):
            client = self.client()
            client.send(b"\r\nGET /1 HTTP/1.1\r\nhost: a\r\n\r\n\r")
            self.assertEqual(client.read().status, 200)
            client.send(b"\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertEqual(client.read().status, 200)

    def test_other_versions_are_505(self):
        for version in ("0.9", "2.0", "3.0", "9.9"):
            self.check_refused(request(f"GET / HTTP/{version}"), 505)
        self.assertEqual(ask_raw_once(self.proxy.plain, request("GET / HTTP/1.2")).status, 200)

    def test_methods_that_we_do_not_serve(self):
        for line in ("BREW / HTTP/1.1", "get / HTTP/1.1", "M" * 300 + " / HTTP/1.1",
                     "CONNECT localhost:22 HTTP/1.1", "CONNECT / HTTP/1.1"):
            self.check_refused(request(line), 501)
        client = self.client()
        answer = client.ask("/", "TRACE")
        self.assertEqual(answer.status, 405)
        self.assertNotIn("TRACE", answer.value("allow"))
        self.assertEqual(client.ask("/").status, 200)
        self.assertEqual(self.targets(), {"/"})

    def test_a_long_line_is_414_and_a_long_head_431(self):
        self.check_refused(b"GET /" + b"a" * 70_000, 414)
        self.check_refused(b"A" * 70_000, 414)
        big = "x: " + "y" * 30_000 + "\n"
        self.check_refused(request("GET / HTTP/1.1", "host: a\n" + big * 3), 431)
        self.check_refused(request("GET / HTTP/1.1", "host: a\n" + "x: y\n" * 200), 431)
        self.check_refused(request("GET / HTTP/1.1", "host: a\n" + "x:" + " " * 70_000 + "\n"), 431)
        self.check_refused(b"GET / HTTP/1.1\r\n" + b"n" * 70_000, 431)
        client = self.client()
        self.assertEqual(client.ask("/" + "a" * 30_000, fields=[("x", "y" * 30_000)]).status, 200)

    def test_a_head_without_end_holds_little(self):
        before = self.proxy.resident_bytes()
        clients = [self.client() for _ in range(50)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: " + b"y" * 60_000)
        self.assertLess(self.proxy.resident_bytes() - before, 32 << 20)
        for client in clients:
            client.close()


class Pipelines(HostileCase):
    def test_answers_that_nobody_reads_do_not_pile_up(self):
        for path, limit in (("/", 32 << 20), ("/%2f", 32 << 20)):
            client = self.client()
            before = self.proxy.resident_bytes()
            client.socket.settimeout(1)
            try:
                client.send(request(f"GET {path} HTTP/1.1") * 200_000)
            except (TimeoutError, Gone):
                pass
            self.assertLess(self.proxy.resident_bytes() - before, limit)
            client.close()

    def test_single_bytes_in_chunks_hold_little(self):
        deaf = self.closing(Http1Backend(lambda connection: connection.has_input(30) and
                                         gone.wait(30), receive_buffer=4096))
        gone = threading.Event()
        self.addCleanup(gone.set)
        self.proxy.reload("10-test.cfg", config_text(backend_text("monolith", deaf.port)))
        client = self.client()
        before = self.proxy.resident_bytes()
        client.start("/", "POST", [("transfer-encoding", "chunked")])
        client.socket.settimeout(1)
        try:
            for _ in range(500):
                client.send(b"1\r\nx\r\n" * 10_000)
        except (TimeoutError, Gone):
            pass
        self.assertLess(self.proxy.resident_bytes() - before, 32 << 20)
        client.close()
        gone.set()
        self.proxy.reload("10-test.cfg", config_text(backend_text("monolith", self.backend.port)))


class Fields(HostileCase):
    def test_lines_that_readers_differ_about_are_refused(self):
        faults = [
            b"x: y\n", b"x: y\rz: 1\r\n", b"x\r\n", b"x : y\r\n", b"x\t: y\r\n", b": y\r\n",
            b"x: y\r\n z\r\n", b"x: y\r\n\tz\r\n", b" x: y\r\n", b"x y: z\r\n", b"x(: y\r\n",
            b"x: \0\r\n", b"x: a\0b\r\n", b"x\0: y\r\n", b"x: a\x0bb\r\n", b"x: \x7f\r\n",
            b"\xc3\xa4: y\r\n", b"x: y\r\r\n", b":path: /evil\r\n", b"x: y\r\n\n",
            b"content-length : 5\r\n", b"transfer-encoding\x0b: chunked\r\n",
            b"transfer-encoding\n : chunked\r\n",
        ]
        for line in faults:
            with self.subTest(line=line):
                self.check_refused(b"GET / HTTP/1.1\r\nhost: a\r\n" + line + b"\r\n", 400)
                self.check_refused(b"GET / HTTP/1.1\r\n" + line + b"host: a\r\n\r\n", 400)
        self.assertEqual(self.targets(), set())

    def test_a_host_is_said_exactly_once_and_is_one(self):
        for fields in ("", "host:\n", "host: a\nhost: a\n", "host: a\nHOST: b\n", "host: a b\n",
                       "host: a, b\n", "host: u@a\n", "host: a/b\n", "host: a?b\n", "host: a:x\n",
                       "host: [::1\n", "host: \x01\n", "host: a\\b\n", "x-host: a\n"):
            with self.subTest(fields=fields):
                self.check_refused(request("GET / HTTP/1.1", fields), 400)
                self.check_refused(request("GET http://a/ HTTP/1.1", fields), 400)
        self.check_refused(request("GET / HTTP/1.0", "host: a\nhost: b\n"), 400)
        self.assertEqual(self.targets(), set())

    def test_values_may_hold_what_the_rules_allow(self):
        client = self.client()
        client.send(b"GET / HTTP/1.1\r\nHost:a\r\nX-One:\t a \t b\t \r\nx-two:\xc3\xa4\xff\r\n"
                    b"x-empty:\r\nx-empty-too: \t\r\n\r\n")
        seen = dict(map(tuple, client.read().json()["fields"]))
        self.assertEqual((seen["x-one"], seen["x-two"], seen["x-empty"], seen["x-empty-too"]),
                         ("a \t b", "\xc3\xa4\xff", "", ""))


class Framing(HostileCase):
    """A hole here is a breach: every request line reaches the backend once, as we sent it."""

    def test_two_framings_or_an_unclear_one_are_refused(self):
        faults = [
            "content-length: 3\ntransfer-encoding: chunked\n",
            "transfer-encoding: chunked\ncontent-length: 3\n",
            "content-length: 0\ntransfer-encoding: chunked\n",
            "content-length: 3\ncontent-length: 3\n", "content-length: 3\ncontent-length: 4\n",
            "content-length: 3, 3\n", "content-length: 3,\n", "content-length: 3 4\n",
            "content-length: +3\n", "content-length: -3\n", "content-length: 0x3\n",
            "content-length: 3.0\n", "content-length:\n", "content-length: a\n",
            "content-length: \"3\"\n", "content-length: 99999999999999999999\n",
            "content-length: 18446744073709551619\n", "content-length: 9223372036854775808\n",
            "content-length: \xb3\n",
            "transfer-encoding:\n", "transfer-encoding: identity\n",
            "transfer-encoding: chunked, identity\n", "transfer-encoding: identity, chunked\n",
            "transfer-encoding: chunked, chunked\n", "transfer-encoding: gzip\n",
            "transfer-encoding: gzip, chunked\n", "transfer-encoding: xchunked\n",
            "transfer-encoding: chunkedx\n", "transfer-encoding: chunked;x=y\n",
            "transfer-encoding: \"chunked\"\n", "transfer-encoding: 'chunked'\n",
            "transfer-encoding: chun ked\n", "transfer-encoding: ,chunked\n",
            "transfer-encoding: chunked,\n", "transfer-encoding: chunked\x01\n",
            "transfer-encoding: \x0cchunked\n", "transfer-encoding: \xa0chunked\n",
            "transfer-encoding: chunked\ntransfer-encoding: chunked\n",
            "transfer-encoding: chunked\ntransfer-encoding: identity\n",
            "transfer-encoding: identity\ntransfer-encoding: chunked\n",
            "transfer_encoding: chunked\ntransfer-encoding: x\n",
        ]
        for fields in faults:
            for body in (b"3\r\nabc\r\n0\r\n\r\n", b"abc"):
                with self.subTest(fields=fields, body=body):
                    self.check_refused(request(fields="host: a\n" + fields, body=body), 400, 501)
        self.check_refused(request("POST / HTTP/1.0", "host: a\ntransfer-encoding: chunked\n",
                                   b"0\r\n\r\n"), 400)
        self.assertEqual(self.targets(), set())

    def test_funky_chunks_are_refused(self):
        faults = [
            b"\r\n", b"x\r\n", b"0x3\r\nabc\r\n", b"+3\r\nabc\r\n", b"-3\r\nabc\r\n",
            b" 3\r\nabc\r\n", b"3 \r\nabc\r\n", b"3 3\r\nabc\r\n", b"3_0\r\nabc\r\n",
            b"3\nabc\r\n", b"3\rabc\r\n", b"3\r\nabc\n", b"3\r\nabc", b"3\r\nabcd\r\n",
            b"3\r\nabc\r\r\n", b"3\r\nabcxx", b"3;\nabc\r\n", b"3;a\rb\r\nabc\r\n",
            b"3;a\0\r\nabc\r\n", b"3;a\nabc\r\n", b"ffffffffffffffff3\r\nabc\r\n",
            b"10000000000000003\r\nabc\r\n", b"3\r\nabc\r\n0\n\n", b"3\r\nabc\r\n0\r\n\n",
            b"0\r\nx: y\n\r\n", b"0\r\n x: y\r\n\r\n", b"0\r\nx : y\r\n\r\n", b"0\r\nx\r\n\r\n",
            b"0\r\nx: y\r\n z\r\n\r\n", b"0\r\nx: \0\r\n\r\n",
            b"3;" + b"e" * 5000 + b"\r\nabc\r\n", b"1;eeeeeeee\r\na\r\n" * 600,
        ]
        for body in faults:
            with self.subTest(body=body[:30]):
                client = self.client()
                try:
                    client.send(chunked(body) + b"0\r\n\r\n" + BEHIND)
                    answer = client.read()
                except (Gone, ConnectionError):
                    continue  # the answer had begun
                self.assertEqual(answer.status, 400)
                client.wait_closed()
        # What reached the backend of these was cut: no request was complete.
        self.assertEqual([seen.target for seen in self.backend.requests], [])
        self.backend.faults.clear()  # it saw some that were cut

    def test_a_body_is_framed_by_its_message_whatever_the_method(self):
        for method in ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT"):
            for body in (b"content-length: %d\r\n\r\n%s" % (len(BEHIND), BEHIND),
                         b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                         % (len(BEHIND), BEHIND)):
                client = self.client()
                client.send(f"{method} /framed HTTP/1.1\r\nhost: a\r\n".encode() + body +
                            request("GET /next HTTP/1.1"))
                self.assertEqual(client.read(method).status, 200)
                self.assertEqual(client.read().json()["target"], "/next")
                client.close()
        self.assertEqual(self.targets(), {"/framed", "/next"})

    def test_bodies_of_requests_that_are_refused_are_no_requests(self):
        for method, path in (("POST", "/%zz"), ("TRACE", "/"), ("POST", "/a%2fb")):
            client = self.client()
            client.send(f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(BEHIND)}"
                        "\r\n\r\n".encode() + BEHIND)
            self.assertGreaterEqual(client.read().status, 400)
            self.assertEqual(client.read_rest(), b"")
        self.assertEqual(self.targets(), set())

    def test_an_upgrade_that_nobody_serves_is_none(self):
        for fields in ("upgrade: h2c\nhttp2-settings: AAMAAABkAAQAAP__\n"
                       "connection: upgrade, http2-settings\n",
                       "upgrade: h2c\nconnection: upgrade\n",
                       "upgrade: websocket\nconnection: upgrade\nsec-websocket-version: 13\n"
                       "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n",
                       "upgrade: TLS/1.0\nconnection: upgrade\n"):
            client = self.client()
            client.send(request("GET /first HTTP/1.1", "host: a\n" + fields) +
                        request("GET /second HTTP/1.1"))
            first = client.read()
            self.assertEqual((first.status, first.json()["target"]), (200, "/first"))
            names = [name for name, _ in first.json()["fields"]]
            for name in ("upgrade", "connection", "http2-settings"):
                self.assertNotIn(name, names)
            self.assertEqual(client.read().json()["target"], "/second")


class Slow(HostileCase):
    limits = SHORT_LIMITS

    def test_a_head_that_dribbles_is_bounded_in_time(self):
        for start in (b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n"):
            for tls in (False, True):
                client = self.client(tls)
                client.send(start)
                client.socket.settimeout(0.05)
                end = time.monotonic() + 10
                while time.monotonic() < end:
                    try:
                        client.send(b"x")
                        client._more()
                        break
                    except TimeoutError:
                        continue
                client.socket.settimeout(30)
                self.assertEqual(client.read().status, 408)
                self.assertEqual(client.read_rest(), b"")
        self.assertEqual(self.proxy.total("strangler_client_faults_total", fault="head_timeout"), 6)

    def test_the_second_head_is_bounded_as_the_first(self):
        client = self.client()
        self.assertEqual(client.ask("/").status, 200)
        client.send(b"GET / HTTP/1.1\r\nhost:")
        self.assertEqual(client.read().status, 408)
        client.wait_closed()

    def test_silence_is_closed_without_a_word(self):
        for tls in (False, True):
            self.assertEqual(self.client(tls).read_rest(), b"")

    def test_a_body_that_does_not_come_is_408(self):
        for fields in ("content-length: 5\n", "transfer-encoding: chunked\n"):
            client = self.client()
            client.send(request(fields="host: a\n" + fields))
            self.assertEqual(client.read().status, 408)
            self.assertEqual(client.read_rest(), b"")
        self.assertEqual(self.targets(), set())

    def test_a_body_over_the_limit_is_413(self):
        client = self.client()
        client.send(request(fields="host: a\ncontent-length: 1001\n"))
        answer = client.read()
        self.assertEqual((answer.status, answer.value("connection")), (413, "close"))
        client = self.client()
        client.start("/", "POST", [("transfer-encoding", "chunked")])
        client.send_chunk(b"x" * 600)
        client.send_chunk(b"x" * 600)
        answer = client.read()
        self.assertEqual((answer.status, answer.value("connection")), (413, "close"))
        self.assertEqual(self.client().ask("/", "POST", body=b"x" * 1000).json()["length"], 1000)


class Limits(ProxyCase):
    def start(self, limits: str, script=None):
        self.backend = self.closing(Http1Backend(script) if script else SERVE["http/1.1"](echo))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port),
                                                  more=f"limits: {{ {limits} }};"))

    def test_an_idle_connection_is_closed(self):
        self.start('idle_timeout = "200ms";')
        for tls in (False, True):
            client = self.closing(Http1Client(self.proxy.tls if tls else self.proxy.plain, tls))
            self.assertEqual(client.ask("/").status, 200)
            self.assertEqual(client.read_rest(), b"")

    def test_a_client_that_does_not_read_is_given_up(self):
        body = b"x" * 5_000_000

        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(body))
            connection.wait_end()
        self.start('write_timeout = "300ms";', script)
        client = self.closing(Http1Client(self.proxy.plain))
        client.start()
        wait_until("it is given up", lambda: self.proxy.total("strangler_live_exchanges") == 0 and
                   len(self.proxy.log_lines()) == 1)
        self.assertLess(len(client.socket.recv(1 << 24, socket.MSG_WAITALL)), len(body))

    def test_connections_over_the_limit_wait(self):
        self.start("connections = 5;")
        clients = [self.closing(Http1Client(self.proxy.plain)) for _ in range(5)]
        for client in clients:
            self.assertEqual(client.ask("/").status, 200)
        late = self.closing(Http1Client(self.proxy.plain))
        late.start()
        self.assertEqual(self.proxy.total("strangler_connections"), 5)
        clients[0].close()
        self.assertEqual(late.read().status, 200)


class Answers(ProxyCase):
    """What a backend does wrong, as a client of HTTP/1 sees it."""

    def start(self, script, more: str = ""):
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port),
                                                  more=more))
        self.client = self.closing(Http1Client(self.proxy.plain))

    def check_cut(self, answer: bytes, version: str = "1.1", tls: bool = False):
        def script(connection):
            connection.read_request()
            connection.send(answer)
            wait_until("the client has read", lambda: seen)
        seen = []
        self.start(script)
        client = self.closing(Http1Client(self.proxy.tls if tls else self.proxy.plain, tls))
        client.start(version=version)
        head = client.read_head()
        self.assertEqual(client.read_exactly(3), b"abc" if "transfer-encoding" not in dict(
            head.fields) else b"3\r\n")
        seen.append(True)
        return client, head

    def test_a_cut_answer_of_known_length_is_short(self):
        client, _ = self.check_cut(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        self.assertEqual(client.read_rest(), b"")

    def test_a_cut_chunked_answer_has_no_last_chunk(self):
        for tls in (False, True):
            client, _ = self.check_cut(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", tls=tls)
            self.assertEqual(client.read_rest(), b"abc\r\n")

    def test_a_cut_answer_that_ends_with_the_connection_is_reset(self):
        chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
        client, head = self.check_cut(chunks, "1.0")
        self.assertEqual(head.value("connection"), "close")
        with self.assertRaises(ConnectionResetError):
            client.read_rest()
        client, head = self.check_cut(chunks, "1.0", tls=True)
        client.socket.suppress_ragged_eofs = False
        with self.assertRaises(OSError):  # no close_notify
            client.read_rest()

    def test_an_answer_that_ends_with_the_connection_and_is_not_read_is_reset(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000)
        self.start(script, more='limits: { write_timeout = "300ms"; };')
        self.client.start(version="1.0")
        self.proxy.wait_log(1)
        with self.assertRaises(ConnectionResetError):
            self.client.read_rest()

    def test_an_early_answer_is_delivered_and_the_rest_of_the_body_is_no_request(self):
        def script(connection):
            connection.read_head()
            connection.send(answer_bytes(b"no", status="403 Forbidden"))
            connection.wait_end()
        self.start(script)
        self.client.start("/", "POST", [("content-length", "100000")])
        self.client.send(b"x" * 1000)
        answer = self.client.read()
        self.assertEqual((answer.status, answer.body), (403, b"no"))
        self.assertEqual(answer.value("connection"), "close")
        self.client.send(BEHIND)
        self.assertEqual(self.client.read_rest(), b"")
        self.assertEqual([line["status"] for line in self.proxy.wait_log(1)], [403])

    def test_a_body_that_is_broken_behind_an_answer_cuts_it(self):
        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
            connection.wait_end()
        self.start(script)
        self.client.start("/", "POST", [("transfer-encoding", "chunked")])
        self.client.read_head()
        self.client.send(b"0x\r\n")
        self.assertEqual(self.client.read_rest(), b"3\r\nabc\r\n")

    def test_switching_protocols_that_nobody_asked_for_is_502(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n"
                            b"connection: upgrade\r\n\r\n")
            connection.wait_end()
        self.start(script)
        for fields in ((), (("upgrade", "x"), ("connection", "upgrade"))):
            self.assertEqual(self.client.ask("/", fields=fields).status, 502)


class Expectations(ProxyCase):
    """Expect: 100-continue goes on, and what the backend says to it comes back."""

    def start(self, protocol_script, version: str = "1.1"):
        self.backend = self.closing(Http1Backend(protocol_script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port),
                                                  more='limits: { body_bytes = "1000"; };'))
        self.client = self.closing(Http1Client(self.proxy.plain))

    def ask(self, length: int = 5, version: str = "1.1"):
        self.client.start("/", "POST", [("expect", "100-continue"),
                                        ("content-length", str(length))], version)

    def go_on(self, connection):
        request_head = connection.read_head()
        self.assertEqual(request_head.value("expect"), "100-continue")
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.read_body(request_head)
        connection.send(answer_bytes(b"got %d" % len(request_head.body)))

    def test_100_lets_the_body_come(self):
        def script(connection):
            while True:
                self.go_on(connection)
        self.start(script)
        for _ in range(2):
            self.ask()
            self.assertEqual(self.client.read_until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue")
            self.client.send(b"12345")
            answer = self.client.read()
            self.assertEqual((answer.body, answer.value("connection")), (b"got 5", None))

    def test_a_final_answer_instead_ends_the_connection(self):
        def script(connection):
            connection.read_head()
            connection.send(answer_bytes(b"no", status="417 Expectation Failed"))
            connection.wait_end()
        self.start(script)
        self.ask()
        answer = self.client.read()
        self.assertEqual((answer.status, answer.interim), (417, []))
        self.assertEqual(answer.value("connection"), "close")
        self.client.send(BEHIND)
        self.assertEqual(self.client.read_rest(), b"")

    def test_what_is_refused_anyway_is_refused_at_once(self):
        self.start(lambda connection: connection.wait_end())
        self.ask(1001)
        answer = self.client.read()
        self.assertEqual((answer.status, answer.interim), (413, []))

    def test_http_1_0_knows_no_expectations(self):
        def script(connection):
            request_head = connection.read_request()
            self.assertIsNone(request_head.value("expect"))
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" + answer_bytes(b"got"))
        self.start(script)
        self.ask(version="1.0")
        self.client.send(b"12345")
        answer = self.client.read()
        self.assertEqual((answer.status, answer.interim), (200, []))


class Streams(ProxyCase):
    """What has no end yet passes at once."""

    def test_events_and_long_polls_pass_unbuffered(self):
        told = []

        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                            b"transfer-encoding: chunked\r\n\r\n")
            for i in range(5):
                data = b"data: %d\n\n" % i
                connection.send(b"%x\r\n%s\r\n" % (len(data), data))
                wait_until("it has come", lambda: len(told) > i)
            connection.send(b"0\r\n\r\n")
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        for tls in (False, True):
            told.clear()
            client = self.closing(Http1Client(proxy.tls if tls else proxy.plain, tls))
            client.start("/events")
            client.read_head()
            for i in range(5):
                self.assertEqual(client.read_until(b"\n\n\r\n"), b"9\r\ndata: %d" % i)
                told.append(i)
            self.assertEqual(client.read_until(b"\r\n\r\n"), b"0")

    def test_a_graceful_stop_lets_answers_finish_and_idle_connections_go(self):
        gate = []

        def script(connection):
            connection.read_request()
            wait_until("the gate opens", lambda: gate)
            connection.send(answer_bytes(b"at last"))
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        idle, busy = (self.closing(Http1Client(proxy.plain)) for _ in range(2))
        busy.start()
        proxy.wait_total(1, "strangler_backend_streams")
        proxy.process.send_signal(signal.SIGQUIT)
        self.assertEqual(idle.read_rest(), b"")
        gate.append(True)
        answer = busy.read()
        self.assertEqual((answer.body, answer.value("connection")), (b"at last", "close"))
        self.assertEqual(proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
