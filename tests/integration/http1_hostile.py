"""Clients of HTTP/1.1 that are slow, greedy or want too much, and answers that break under them.
What they may say wrong: tests/conformance/rfc9112_*.py."""

import os
import signal
import socket
import threading
import time

from http1_backend import Gone, Http1Backend, answer_bytes
from http1_client import Http1Client
from scripted_site import SERVE, echo
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, main,
                            wait_until)

SHORT_LIMITS = ('limits: { header_timeout = "1s"; body_timeout = "300ms"; body_bytes = "1000"; '
                'idle_timeout = "20s"; };')


def request(line: str = "POST / HTTP/1.1", fields: str = "host: a\n", body: bytes = b"") -> bytes:
    """The text with CR LF for each of its line ends, and the body as it is."""
    return (line + "\n" + fields + "\n").replace("\n", "\r\n").encode("latin-1") + body


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


class Greedy(HostileCase):
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

    def test_a_head_without_end_holds_little(self):
        before = self.proxy.resident_bytes()
        clients = [self.client() for _ in range(50)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: " + b"y" * 60_000)
        self.assertLess(self.proxy.resident_bytes() - before, 32 << 20)
        for client in clients:
            client.close()


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


class Uploads(HostileCase):
    """Of clients that do not read before they have sent everything."""
    limits = 'limits: { body_bytes = "1000"; };'

    def upload(self, client, piece: bytes, seconds: float):
        """Until it is over, or cut off by the proxy."""
        client.send(request(fields="host: a\ncontent-length: 1000000000\n"))
        pace, end = threading.Event(), time.monotonic() + seconds
        while time.monotonic() < end:
            client.send(piece)
            pace.wait(0.02)

    def test_an_early_answer_is_whole_after_a_long_upload(self):
        for tls in (False, True):
            client = self.client(tls)
            self.upload(client, b"x" * 8192, 3)
            self.assertEqual(client.read().status, 413)
            self.assertEqual(client.read_rest(), b"")

    def test_a_client_that_only_trickles_is_not_waited_for(self):
        with self.assertRaises((Gone, OSError)):
            self.upload(self.client(), b"x", 10)


class Limits(ProxyCase):
    def start(self, limits: str, script=None):
        self.backend = self.closing(Http1Backend(script) if script else SERVE["http/1.1"](echo))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port),
                                                  more=f"limits: {{ {limits} }};"))

    def test_an_idle_connection_is_closed(self):
        self.start('idle_timeout = "1s";')
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

    def test_who_stops_reading_at_whatever_byte_is_given_up(self):
        """A Unix socket is often full exactly when all has been written: nothing of what comes next
        goes into it."""
        path, body, count = os.path.join(self.folder, "l.sock"), b"x" * 4_000_000, 40

        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(body))
            connection.wait_end()
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port), more='limits: { write_timeout = "300ms"; };'
            f'listeners: {{ local: {{ address = "unix:{path}"; }}; }};'))
        for number in range(count):
            client = self.closing(socket.socket(socket.AF_UNIX))
            client.connect(path)
            client.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            client.recv(number * 13007, socket.MSG_WAITALL)
        self.assertEqual(len(self.proxy.wait_log(count)), count)

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
        self.client.send(request("GET /smuggled HTTP/1.1"))
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
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port),
                                             more='limits: { header_timeout = "1s"; };'))
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
