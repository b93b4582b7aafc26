"""Request bodies towards an HTTP/1.1 backend gather into long sends, but nothing waits that nobody has
more for: what a client says in dribbles is heard at once, whatever else the proxy has to do, and a
request that ends early or is given up leaves nothing behind."""

import hashlib
import queue
import threading
import time

from http1_backend import Gone, Http1Backend, answer_bytes, echo_body, serving
from http1_client import Http1Client
from http2_peer import RST_STREAM, Http2Client
from strangler_test import DEADLINE_S, ProxyCase, backend_text, config_text, main, run_all

DRIBBLES = 50
BYTES = 12
KIB = 1024
CANCEL = b"\0\0\0\x08"
CLIENT_WINDOW = 1024 * KIB  # what the proxy lets one connection send ahead


class Dribbler:
    """A client that says its body a byte at a time. `known`: its head tells the length."""

    def __init__(self, port: int, protocol: str, known: bool, tls: bool):
        self.is_h2 = protocol == "h2"
        self.known = known
        self.client = (Http2Client if self.is_h2 else Http1Client)(port, tls)
        fields = [("content-length", str(DRIBBLES))] if known else []
        if self.is_h2:
            self.stream = self.client.start("/dribbles", "POST", fields, ends=False)
        else:
            self.client.start("/dribbles", "POST",
                              fields or [("transfer-encoding", "chunked")])

    def say(self, data: bytes):
        if self.is_h2:
            self.client.send_body(self.stream, data, ends=False)
        elif self.known:
            self.client.send(data)
        else:
            self.client.send_chunk(data)

    def finish(self):
        if self.is_h2:
            self.client.send_body(self.stream, b"")
            return self.client.wait(self.stream)
        if not self.known:
            self.client.send(b"0\r\n\r\n")
        return self.client.read()


class Dribbles(ProxyCase):
    def setUp(self):
        super().setUp()
        self.heard = queue.Queue()  # the head's target, then each byte of the body
        self.backend = self.closing(Http1Backend(self.script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)),
                                      workers=1)

    def script(self, connection):
        while True:
            request = connection.read_head()
            if request.target != "/dribbles":
                connection.read_body(request)
                connection.send(answer_bytes(b"other"))
                continue
            self.heard.put(request.target)
            for _ in range(DRIBBLES):
                self.heard.put(self.read_byte(connection, request))
            if request.value("transfer-encoding"):
                connection.read_until(b"0\r\n\r\n")
            connection.send(answer_bytes(b"heard"))

    @staticmethod
    def read_byte(connection, request) -> bytes:
        if not request.value("transfer-encoding"):
            return connection.read_exactly(1)
        assert connection.read_until(b"\r\n") == b"1"
        return connection.read_exactly(3)[:1]

    def dribble(self, protocol: str, known: bool, tls: bool = False):
        port = self.proxy.tls if tls else self.proxy.plain
        dribbler = Dribbler(port, protocol, known, tls)
        try:
            self.assertEqual(self.heard.get(timeout=DEADLINE_S), "/dribbles")
            for i in range(DRIBBLES):
                said = bytes([65 + i % 26])
                dribbler.say(said)
                self.assertEqual(self.heard.get(timeout=DEADLINE_S), said)
            self.assertEqual(dribbler.finish().body, b"heard")
        finally:
            dribbler.client.close()

    def test_a_byte_is_heard_before_the_next_one_is_said(self):
        for tls in (False, True):
            for protocol in ("h2", "http/1.1"):
                for known in (True, False):
                    with self.subTest(tls=tls, protocol=protocol, known=known):
                        self.dribble(protocol, known, tls)

    def test_it_is_heard_while_the_proxy_is_busy_with_others(self):
        over = threading.Event()

        def keep_busy():
            client = Http2Client(self.proxy.plain)
            while not over.is_set():
                for stream in [client.start("/other") for _ in range(50)]:
                    client.wait(stream)
            client.close()

        def dribble():
            try:
                self.dribble("h2", known=True)
                self.dribble("http/1.1", known=True)
            finally:
                over.set()

        run_all([keep_busy, dribble])

    def test_a_body_without_end_waits_behind_none_of_the_same_client(self):
        client = self.closing(Http2Client(self.proxy.plain))
        stream = client.start("/dribbles", "POST", [("content-length", str(DRIBBLES))], ends=False)
        self.assertEqual(self.heard.get(timeout=DEADLINE_S), "/dribbles")
        for _ in range(DRIBBLES):
            client.send_body(stream, b"x", ends=False)
            self.assertEqual(client.ask("/other", "POST", body=b"y" * 100 * KIB).body, b"other")
            self.assertEqual(self.heard.get(timeout=DEADLINE_S), b"x")
        client.send_body(stream, b"")
        self.assertEqual(client.wait(stream).body, b"heard")


class ManyUploads(ProxyCase):
    def test_bodies_of_many_streams_come_whole_though_all_together_fill_the_window(self):
        backend = self.closing(Http1Backend(serving(
            lambda request: answer_bytes(echo_body(request)))))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        size, count = 64 * KIB - 1, 60
        self.assertGreater(size * count // 2, CLIENT_WINDOW)
        for tls in (False, True):
            client = self.closing(Http2Client(proxy.tls if tls else proxy.plain, tls))
            bodies = {}
            for i in range(count):
                stream = client.start(f"/{i}", "POST", [("content-length", str(size))], ends=False)
                bodies[stream] = bytes([i]) * size
            for stream, body in bodies.items():
                client.send_body(stream, body[:size // 2], ends=False)
            for stream, body in bodies.items():
                client.send_body(stream, body[size // 2:])
            for stream, body in bodies.items():
                answer = client.wait(stream).json()
                self.assertEqual(answer["sha256"], hashlib.sha256(body).hexdigest())


class EarlyEnds(ProxyCase):
    def start(self, script):
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))

    def test_an_answer_to_the_head_comes_before_the_body_is_whole(self):
        def script(connection):
            connection.read_head()
            connection.send(answer_bytes(b"no", "403 Forbidden", [("connection", "close")]))
            connection.wait_end()

        self.start(script)
        fields = [("content-length", str(1000 * KIB))]
        client = self.closing(Http2Client(self.proxy.plain))
        stream = client.start("/", "POST", fields, ends=False)
        client.send_body(stream, b"x", ends=False)
        self.assertEqual((client.wait_head(stream).status, client.wait(stream).body), (403, b"no"))
        client = self.closing(Http1Client(self.proxy.plain))
        client.start("/", "POST", fields)
        client.send(b"x")
        answer = client.read()
        self.assertEqual((answer.status, answer.body), (403, b"no"))

    def test_an_answer_may_wait_for_a_body_that_comes_slowly(self):
        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
            self.assertEqual(connection.read_exactly(BYTES), b"x" * BYTES)
            connection.send(b"whole")
        backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", backend.port, more='timeouts: { idle = "2s"; };')))
        fields = [("content-length", str(BYTES))]
        one = self.closing(Http1Client(self.proxy.plain))
        other = self.closing(Http2Client(self.proxy.plain))
        one.start("/", "POST", fields)
        stream = other.start("/", "POST", fields, ends=False)
        head = one.read_head()
        other.wait_head(stream)
        for _ in range(BYTES):  # longer than the limit for silence
            time.sleep(0.25)
            one.send(b"x")
            other.send_body(stream, b"x", ends=False)
        one.read_answer_body(head)
        self.assertEqual(head.body, b"whole")
        self.assertEqual(other.wait(stream).body, b"whole")
        self.assertEqual(self.proxy.fault_count("monolith", "idle_timeout"), 0)

    def test_a_client_that_stops_in_its_body_is_no_fault_of_who_waits_for_it(self):
        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
            connection.wait_end()
        backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", backend.port, more='timeouts: { idle = "1s"; };')))
        client = self.closing(Http2Client(self.proxy.plain))
        stream = client.start("/", "POST", [("content-length", "5")], ends=False)
        client.send_body(stream, b"x", ends=False)
        self.assertEqual(client.wait_head(stream).status, 200)
        self.assertIsNotNone(client.wait(stream).reset)
        self.assertEqual(self.proxy.fault_count("monolith", "idle_timeout"), 0)

    def test_a_backend_is_asked_to_continue_before_there_is_a_body(self):
        def script(connection):
            request = connection.read_head()
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.read_body(request)
            connection.send(answer_bytes(request.body))
            connection.wait_end()

        self.start(script)
        client = self.closing(Http1Client(self.proxy.plain))
        client.start("/", "POST", [("content-length", "5"), ("expect", "100-continue")])
        self.assertTrue(client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 "))
        client.send(b"hello")
        self.assertEqual(client.read().body, b"hello")

    def test_an_upload_that_is_given_up_is_no_whole_request_to_its_backend(self):
        heard = queue.Queue()

        def script(connection):
            request = connection.read_head()
            heard.put("head")
            try:
                connection.read_body(request)
                heard.put("body")
            except (Gone, ConnectionError):
                heard.put("end")

        self.start(script)
        client = self.closing(Http2Client(self.proxy.plain))
        for sent in (0, 1, 1000, 100 * KIB):
            stream = client.start("/", "POST", [("content-length", str(200 * KIB))], ends=False)
            client.send_body(stream, b"x" * sent, ends=False)
            self.assertEqual(heard.get(timeout=DEADLINE_S), "head")
            client.send_frame(RST_STREAM, 0, stream, CANCEL)
            self.assertEqual(heard.get(timeout=DEADLINE_S), "end")
        self.assertEqual(len(self.backend.requests), 0)


if __name__ == "__main__":
    main(120)
