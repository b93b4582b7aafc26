"""A drain ends no connection on which something has been sent to us: whatever was asked before the
client could know of the end is answered."""

import os
import signal
import socket
import threading
import time

from http1_backend import Gone, Http1Backend, answer_bytes, serving
from http1_client import Http1Client
from http2_peer import INITIAL_WINDOW, Http2Client
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until


class DrainCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()

    def start(self, more: str = "", **options):
        """Behind it everything is said at once, but `/held` only when the gate is open."""
        def answer(request):
            if request.target == "/held":
                self.gate.wait(20)
            return answer_bytes(request.target.encode())
        self.backend = self.closing(Http1Backend(serving(answer)))
        self.proxy = self.start_proxy(
            config_text(backend_text("monolith", self.backend.port), more=more), **options)
        self.addCleanup(self.gate.set)

    def client(self, tls: bool = False) -> Http1Client:
        return self.closing(Http1Client(self.proxy.tls if tls else self.proxy.plain, tls))

    def hold(self, tls: bool = False) -> Http1Client:
        """A client whose request is with the backend."""
        client = self.client(tls)
        client.start("/held")
        wait_until("it is held", lambda: self.backend.requests)
        return client

    def drain(self):
        self.proxy.process.send_signal(signal.SIGQUIT)
        wait_until("draining", lambda: "draining" in self.proxy.errors())

    def check_answers(self, client: Http1Client, *paths: str):
        """One after the other; the last says that it is the last, and is."""
        for path in paths:
            answer = client.read()
            self.assertEqual((answer.status, answer.body), (200, path.encode()))
            self.assertEqual(answer.value("connection"), "close" if path == paths[-1] else None)
        self.assertEqual(client.read_rest(), b"")


class SlowReaders(ProxyCase):
    """An answer that is the last of its connection is whole, also for who reads it later than the
    notice that an idle connection has. A Unix socket holds little, so that some of it waits."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        path = os.path.join(self.folder, "l.sock")

        def answer(request):
            self.gate.wait(20)
            return answer_bytes(b"x" * int(request.target[1:]))
        self.backend = self.closing(Http1Backend(serving(answer)))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port),
            more=f'listeners: {{ local: {{ address = "unix:{path}"; }}; }};'))
        self.clients = {size: self.closing(socket.socket(socket.AF_UNIX))
                        for size in range(20_000, 400_000, 20_000)}
        for client in self.clients.values():
            client.connect(path)

    def start(self, version: str):
        for size, client in self.clients.items():
            client.sendall(f"GET /{size} HTTP/{version}\r\nhost: localhost\r\n\r\n".encode())
        wait_until("all are held", lambda: len(self.backend.requests) == len(self.clients))

    def drain(self):
        self.proxy.process.send_signal(signal.SIGQUIT)
        wait_until("draining", lambda: "draining" in self.proxy.errors())

    def check_answers(self):
        time.sleep(1)  # slow readers
        for size, client in self.clients.items():
            with client.makefile("rb") as file:
                head, _, body = file.read().partition(b"\r\n\r\n")
            self.assertIn(b"connection: close", head)
            self.assertEqual(len(body), size)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_an_answer_that_begins_in_a_drain_is_read_in_its_own_time(self):
        self.start("1.1")
        self.drain()
        self.gate.set()
        self.check_answers()

    def test_an_answer_that_is_on_its_way_is_read_in_its_own_time(self):
        self.start("1.0")
        self.gate.set()
        wait_until("all of some answers has left or waits", lambda: len(self.proxy.log_lines()) > 5)
        self.drain()
        self.check_answers()


class SlowReadersOfHttp2(ProxyCase):
    def test_what_is_on_its_way_when_the_connection_ends_is_read_whole(self):
        """The client gives windows back as it reads: answered with a reset, that would destroy what
        it has not read yet."""
        body = b"x" * 1_000_000
        backend = self.closing(Http1Backend(serving(lambda request: answer_bytes(body))))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        client = self.closing(Http2Client(proxy.plain, settings={INITIAL_WINDOW: 1 << 24}))
        stream = client.start()
        proxy.wait_log(1)
        proxy.process.send_signal(signal.SIGQUIT)
        wait_until("draining", lambda: "draining" in proxy.errors())
        time.sleep(2)  # a slow reader
        self.assertEqual(len(client.wait(stream).body), len(body))
        client.wait_closed()
        self.assertEqual(proxy.wait_exit(), 0)


class Drains(DrainCase):
    def test_requests_in_a_row_are_all_answered(self):
        self.start()
        paths = ("/held", "/second", "/third")
        clients = [self.client(), self.client(tls=True)]
        for client in clients:
            for path in paths:
                client.start(path)
        wait_until("both are held", lambda: len(self.backend.requests) == 2)
        self.drain()
        self.gate.set()
        for client in clients:
            self.check_answers(client, *paths)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_request_that_is_not_read_yet_is_answered(self):
        for tls in (False, True):
            self.gate.clear()
            self.start()
            client = self.hold(tls)
            self.drain()
            with self.proxy.frozen():
                client.start("/behind")
                self.gate.set()
            self.check_answers(client, "/held", "/behind")
            self.assertEqual(self.proxy.wait_exit(), 0)

    def test_who_goes_on_sending_holds_it_up_no_longer_than_a_thousand_answers(self):
        self.start()
        client = self.hold()
        self.drain()
        self.gate.set()
        request = b"GET /more HTTP/1.1\r\nhost: a\r\n\r\n"

        def send():
            try:
                while True:
                    client.send(request)
            except (OSError, Gone):
                pass
        sender = threading.Thread(target=send)
        sender.start()
        client.wait_closed()
        client.close()
        sender.join()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertLessEqual(len(self.backend.requests), 1 + 1000)

    def test_connections_that_wait_to_be_accepted_are_served(self):
        self.start(workers=1)
        with self.proxy.frozen():
            clients = [self.client() for _ in range(300)]
            for client in clients:
                client.start("/waiting")
            self.proxy.process.send_signal(signal.SIGQUIT)
        for client in clients:
            self.assertEqual(client.read().body, b"/waiting")
        self.assertEqual(self.proxy.wait_exit(), 0)


class Late(DrainCase):
    def test_what_came_in_time_is_answered_when_the_proxy_was_late(self):
        limit_s = 3
        self.start(more=f'limits: {{ idle_timeout = "{limit_s}s"; }};', workers=1)
        clients = [self.client() for _ in range(150)]
        for client in clients:
            client.ask("/")
        with self.proxy.frozen():
            over = time.monotonic() + limit_s + 0.1
            kept = [client for client in clients if not client.has_input(0)]
            for client in kept:
                client.start("/in-time")
            wait_until("the limit is over", lambda: time.monotonic() > over)
        for client in kept:
            self.assertEqual(client.read().body, b"/in-time")


if __name__ == "__main__":
    main()
