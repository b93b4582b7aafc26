"""RFC 9112 section 9 and RFC 9110 section 9.2.2 towards backends: which connections are used again,
what is tried again, and that a request is never half a request and never two."""

import signal
import socket
import threading

from http1_backend import Gone, answer_bytes, serving
from http1_client import Http1Client
from http2_peer import CANCEL, NO_ERROR, RST_STREAM, Http2Client
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until
from wire import BEHIND, WireBackend, naming

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
EVIL = answer_bytes(b"evil")

# What is said behind a whole answer to whom: (method, the answer, its content).
SURPLUS = {
    "behind a length": ("GET", OK + b"content-length: 2\r\n\r\nok" + EVIL, b"ok"),
    "one byte behind a length": ("GET", OK + b"content-length: 2\r\n\r\nokx", b"ok"),
    "a line end behind a length": ("GET", OK + b"content-length: 2\r\n\r\nok\r\n", b"ok"),
    "behind a length of nothing": ("GET", OK + b"content-length: 0\r\n\r\n" + EVIL, b""),
    "behind the last chunk": ("GET", CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + EVIL, b"ok"),
    "content of 204": ("GET", b"HTTP/1.1 204 No\r\n\r\n" + b"evil", b""),
    "an answer behind 204": ("GET", b"HTTP/1.1 204 No\r\ncontent-length: 4\r\n\r\n" + EVIL, b""),
    "chunks behind 204": ("GET", b"HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                          b""),
    "content of 304": ("GET", b"HTTP/1.1 304 Same\r\ncontent-length: 4\r\n\r\nevil", b""),
    "content for HEAD": ("HEAD", EVIL, b""),
    "chunks for HEAD": ("HEAD", CHUNKED + b"4\r\nevil\r\n0\r\n\r\n", b""),
}


class BackendCase(ProxyCase):
    def start(self, script, more: str = "", workers: int = 1):
        """One worker: one pool, which sees all requests."""
        self.backend = self.closing(WireBackend(script))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, more=more)), workers=workers)

    def clients(self):
        """One of each protocol; both have ask()."""
        for kind in (Http2Client, Http1Client):
            with self.subTest(kind.__name__):
                client = kind(self.proxy.plain)
                yield client
                client.close()


class Surplus(BackendCase):
    """RFC 9112 section 9.2: bytes that nobody asked for are nobody's answer."""

    def test_a_connection_with_surplus_bytes_is_not_used_again(self):
        cases = list(SURPLUS.values())

        def answer(request):
            number = request.target[1:]
            return cases[int(number)][1] if number.isdigit() else answer_bytes(b"good")
        self.start(serving(answer))
        for client in self.clients():
            for number, (method, _, body) in enumerate(cases):
                self.backend.requests.clear()
                got = client.ask(f"/{number}", method)
                self.assertEqual((got.body, got.reset), (body, None), list(SURPLUS)[number])
                self.assertEqual(client.ask("/next").body, b"good", list(SURPLUS)[number])
                used, after = self.backend.requests
                self.assertNotEqual(used.connection, after.connection, list(SURPLUS)[number])

    def test_bytes_on_an_idle_connection_close_it(self):
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"first"))
            connection.send(EVIL)
            connection.wait_end()
            ended.append(connection.number)
        ended = []
        self.start(script)
        for client in self.clients():
            for _ in range(3):
                self.assertEqual(client.ask("/").body, b"first")
                wait_until("the proxy closes", lambda: len(ended) == self.backend.connection_count)

    def test_bytes_that_came_before_the_request_are_not_its_answer(self):
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"good"))
            if connection.number == 1:
                go.wait(20)
                connection.send(answer_bytes(b"evil", fields=[("connection", "close")]))
                sent.set()
            while True:
                connection.read_request()
                connection.send(answer_bytes(b"good"))
        go, sent = threading.Event(), threading.Event()
        self.start(script)
        client = self.closing(Http2Client(self.proxy.plain))
        self.assertEqual(client.ask("/").body, b"good")
        client.wait_ping()  # it has nothing left to do
        # Both wait for the proxy when it wakes: the bytes nobody asked for, and the next request.
        self.proxy.process.send_signal(signal.SIGSTOP)
        self.proxy.wait_stopped()
        go.set()
        sent.wait(20)
        stream = client.start("/next", "POST")
        self.proxy.process.send_signal(signal.SIGCONT)
        answer = client.wait(stream)
        self.assertIn((answer.status, answer.body == b"good"), ((200, True), (502, False)), answer)


class Closing(BackendCase):
    def test_9_6_who_says_close_is_not_asked_again(self):
        said = [answer_bytes(b"x", fields=[("connection", value)])
                for value in ("close", "Close", "x, close", "close, keep-alive")]
        said += [b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx"]
        self.start(serving(lambda request: said[int(request.target[1:])]))
        for client in self.clients():
            for number in range(len(said)):
                before = self.backend.connection_count
                for _ in range(2):
                    self.assertEqual(client.ask(f"/{number}").body, b"x")
                self.assertEqual(self.backend.connection_count, before + 2, said[number])

    def test_9_3_who_does_not_is_asked_again(self):
        said = [answer_bytes(b"x"), CHUNKED + b"1\r\nx\r\n0\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n",
                b"HTTP/1.1 103 Go\r\n\r\n" + answer_bytes(b"x"),
                b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx"]
        self.start(serving(lambda request: said[int(request.target[1:])]))
        for client in self.clients():
            for number in range(len(said)):
                self.assertIn(client.ask(f"/{number}").status, (200, 204))
        self.assertEqual(self.backend.connection_count, 1)

    def test_9_5_an_unused_connection_is_closed_in_its_time(self):
        self.start(serving(lambda _: answer_bytes(b"x")), 'timeouts: { keep_alive = "100ms"; };')
        for client in self.clients():
            client.ask("/")
            self.proxy.wait_total(0, "strangler_backend_connections")


class Retries(BackendCase):
    """A kept connection that ends when it is used again: was the request seen or not?"""

    @staticmethod
    def dies_of_second(connection):
        """A kept connection ends when it is asked for /second; a fresh one answers."""
        request = connection.read_request()
        while True:
            connection.send(naming(request))
            request = connection.read_request()
            if request.target == "/second":
                return

    def check_second(self, method: str, body: bytes, status: int, times: int):
        for client in self.clients():
            self.assertEqual(client.ask("/first").status, 200)
            self.backend.forget()
            answer = client.ask("/second", method, body=body)
            self.assertEqual((answer.status, answer.reset), (status, None))
            seen = self.backend.requests
            self.assertEqual([(one.method, one.target) for one in seen],
                             [(method, "/second")] * times)
            self.assertEqual(len({one.connection for one in seen}), times)

    def test_a_read_is_tried_once_more_and_answered(self):
        self.start(self.dies_of_second)
        for method in ("GET", "HEAD", "OPTIONS"):
            self.check_second(method, b"", 200, 2)
        self.assertEqual({line["attempts"] for line in self.proxy.wait_log(12)[1::2]}, {2})

    def test_a_write_is_sent_once(self):
        self.start(self.dies_of_second)
        for method, body in (("POST", b""), ("POST", b"data"), ("PUT", b"data"), ("PATCH", b""),
                             ("GET", b"data")):
            self.check_second(method, body, 502, 1)

    def test_reads_never_notice_connections_that_end_between_requests(self):
        def script(connection):
            for _ in range(connection.number % 4 + 1):
                connection.read_request()
                connection.send(answer_bytes(b"fine"))
        self.start(script, workers=2)
        for client in self.clients():
            for _ in range(200):
                self.assertEqual(client.ask("/").status, 200)

    def test_the_second_try_is_not_on_another_kept_connection(self):
        """All of them end for one reason: the backend's time for unused ones, or its restart."""
        def script(connection):
            if connection.number > 3:
                serving(lambda _: answer_bytes(b"again"))(connection)
            connection.read_request()
            together.wait(20)
            connection.send(answer_bytes(b"first"))
            connection.read_request()
        together = threading.Barrier(3)
        self.start(script)
        client = self.closing(Http2Client(self.proxy.plain))
        for stream in [client.start() for _ in range(3)]:
            self.assertEqual(client.wait(stream).body, b"first")
        answer = client.ask("/second")
        self.assertEqual((answer.status, answer.body), (200, b"again"))

    def test_nobody_is_asked_more_than_twice(self):
        def script(connection):
            connection.read_request()
        self.start(script)
        for client in self.clients():
            for _ in range(5):
                self.assertEqual(client.ask("/").status, 502)
        self.assertLessEqual(len(self.backend.requests), 20)


class HalfSent(BackendCase):
    """A request whose end has not been sent leaves its connection unfit for another."""

    def check_only_cut(self, count: int):
        """No backend saw an end of these; and what it saw first is their begin."""
        self.proxy.wait_total(0, "strangler_backend_streams")
        wait_until("all of them", lambda: len(self.backend.taken) >= count)
        self.assertEqual(self.backend.whole_requests(), [])

    @staticmethod
    def early(connection):
        request = connection.read_head()
        connection.send(answer_bytes(b"early", status=request.target[1:4] + " Early"))
        if not request.target.endswith("closes"):
            connection.wait_end()

    def test_an_early_answer_is_delivered_and_its_connection_not_used_again(self):
        self.start(self.early)
        client = self.closing(Http2Client(self.proxy.plain))
        streams = {}
        for status in (200, 403, 413, 303):
            for fields in ((), (("content-length", "100000"),)):
                stream = client.start(f"/{status}", "POST", fields, ends=False)
                client.send_body(stream, b"x" * 1000, ends=False)
                answer = client.wait(stream)
                self.assertEqual((answer.status, answer.body), (status, b"early"))
                streams[stream] = answer
        for answer in streams.values():
            while answer.reset is None:
                client.take_frame()
            self.assertEqual(answer.reset, NO_ERROR)
        self.check_only_cut(len(streams))
        self.assertEqual(self.backend.connection_count, len(streams))

    def test_who_goes_on_to_the_end_of_the_request_is_not_reset(self):
        """RFC 9113 section 8.1: and trailers that come then are those of no other request."""
        self.start(self.early)
        client = self.closing(Http2Client(self.proxy.plain))
        streams = []
        for trailers in ((), (("x-end", "here"),), None):
            streams.append(client.start("/200", "POST", ends=False))
            self.assertEqual(client.wait(streams[-1]).body, b"early")
            self.proxy.wait_total(0, "strangler_live_exchanges")  # what comes now is nobody's
            if trailers is not None:
                client.send_body(streams[-1], b"x" * 50_000, trailers=trailers)
        answers = [client.answers[stream] for stream in streams]
        while answers[-1].reset is None:  # the others would have been reset before it
            client.take_frame()
        self.assertEqual([answer.reset for answer in answers], [None, None, NO_ERROR])
        self.assertEqual(self.proxy.total("strangler_http_requests_total"), len(streams))
        self.check_only_cut(len(streams))

    def test_over_http1_what_follows_of_the_body_is_no_request(self):
        self.start(self.early)
        count = 0
        for status in (403, 413):
            for coding in (("content-length", "100000"), ("transfer-encoding", "chunked")):
                with self.subTest(status=status, coding=coding):
                    client = self.closing(Http1Client(self.proxy.plain))
                    client.start(f"/{status}", "POST", [coding])
                    client.send_chunk(b"x" * 1000)
                    answer = client.read()
                    self.assertEqual((answer.status, answer.body), (status, b"early"))
                    self.assertEqual(answer.value("connection"), "close")
                    client.send(b"0\r\n\r\n" + BEHIND)
                    client.wait_closed()
                    count += 1
                    self.check_only_cut(count)

    def test_the_answer_of_one_who_closes_at_once_is_delivered_if_it_came(self):
        self.start(self.early)
        client = self.closing(Http2Client(self.proxy.plain))
        for _ in range(20):
            stream = client.start("/403-closes", "POST", ends=False)
            client.send_body(stream, b"x" * 200_000)
            self.assertIn(client.wait(stream).status, (403, 502))
        self.assertEqual(client.ask("/%zz").status, 400)  # the session lives

    def test_a_client_that_goes_in_its_upload_takes_it_along(self):
        def script(connection):
            request = connection.read_head()
            try:
                connection.read_body(request)
            except (Gone, ConnectionError):
                gone.append(request.target)
        for fields in ((), (("content-length", "100000"),)):
            gone = []
            self.start(script)
            client = Http2Client(self.proxy.plain)
            stream = client.start("/reset", "POST", fields, ends=False)
            client.send_body(stream, b"x" * 1000, ends=False)
            wait_until("it is there", lambda: b"x" * 1000 in self.backend.wire())
            client.send_frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4, "big"))
            wait_until("the backend is told", lambda: gone == ["/reset"])
            stream = client.start("/closed", "POST", fields, ends=False)
            client.send_body(stream, b"x" * 1000, ends=False)
            self.proxy.wait_total(1, "strangler_backend_streams")
            client.close()
            wait_until("the backend is told", lambda: gone == ["/reset", "/closed"])
            client = Http1Client(self.proxy.plain)
            client.start("/http1", "POST", fields or [("transfer-encoding", "chunked")])
            client.send_chunk(b"x" * 1000)
            self.proxy.wait_total(1, "strangler_backend_streams")
            client.close()
            wait_until("the backend is told", lambda: gone == ["/reset", "/closed", "/http1"])
            self.check_only_cut(3)

    def test_a_client_that_goes_in_its_download_frees_the_backend_at_once(self):
        def script(connection):
            connection.read_request()
            connection.send(CHUNKED)
            try:
                while True:
                    connection.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
            except (Gone, ConnectionError):
                freed.append(connection.number)
        freed = []
        self.start(script)
        http2 = Http2Client(self.proxy.plain)
        stream = http2.start()
        http2.wait_head(stream)
        http2.send_frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4, "big"))
        wait_until("the first is free", lambda: len(freed) == 1)
        stream = http2.start()
        http2.wait_head(stream)
        http2.close()
        wait_until("the second is free", lambda: len(freed) == 2)
        http1 = Http1Client(self.proxy.plain)
        http1.start()
        http1.read_head()
        http1.socket.shutdown(socket.SHUT_RDWR)
        http1.close()
        wait_until("the third is free", lambda: len(freed) == 3)
        self.proxy.wait_total(0, "strangler_live_exchanges")


if __name__ == "__main__":
    main()
