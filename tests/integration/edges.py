"""What only shows after many requests, or at a limit of the system: credit that must come back,
budgets, descriptors, signals in a row, TLS at its edges."""

import resource
import signal
import socket
import ssl
import struct
import threading

from http1_backend import Http1Backend, answer_bytes, named, serving
from http1_client import Http1Client
from http2_peer import (CANCEL, DATA, END_STREAM, REFUSED_STREAM, RST_STREAM, Http2Backend,
                        Http2Client, ask_once, connect, frame, headers_frame)
from scripted_site import SERVE, Reply, echo
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until


class Credit(ProxyCase):
    """Windows that are not given back stop a connection only after a while."""

    def start(self, protocol: str, script=None, more: str = ""):
        if script:
            backend = self.closing({"h2": Http2Backend, "http/1.1": Http1Backend}[protocol](script))
        else:
            backend = self.closing(SERVE[protocol](echo))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", backend.port, protocol), more=more), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def check_a_large_upload(self):
        answer = self.client.ask("/", "POST", body=b"x" * 3_000_000)
        self.assertEqual(answer.json()["length"], 3_000_000)

    def test_refused_bodies_give_their_window_back(self):
        self.start("http/1.1", more="""
            routes: { no: { prefix = "/no"; deny = 403; }; };""")
        self.client.wait_ping()  # our windows are known
        for _ in range(40):
            stream = self.client.start("/no", "POST", ends=False)
            self.client.send(frame(DATA, 0, stream, b"x" * 16000) * 8 +
                             frame(DATA, END_STREAM, stream))
            self.assertEqual(self.client.wait(stream).status, 403)
        self.check_a_large_upload()

    def test_uploads_that_are_reset_give_their_window_back(self):
        for protocol in ("http/1.1", "h2"):
            with self.subTest(protocol):
                self.start(protocol)
                for _ in range(40):
                    stream = self.client.start("/", "POST", ends=False)
                    self.client.send(frame(DATA, 0, stream, b"x" * 16000) * 4 +
                                     frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)))
                self.client.wait_ping()
                self.check_a_large_upload()

    def test_uploads_that_a_backend_fails_give_their_window_back(self):
        def script(connection):
            request = connection.read_head()
            if request.target == "/":
                connection.read_body(request)
                connection.send(answer_bytes(b'{"length": %d}' % len(request.body)))
            else:
                connection.reset()
        self.start("http/1.1", script)
        for _ in range(40):
            stream = self.client.start("/fail", "POST", ends=False)
            self.client.send(frame(DATA, 0, stream, b"x" * 16000) * 4 +
                             frame(DATA, END_STREAM, stream))
            self.assertEqual(self.client.wait(stream).status, 502)
        self.check_a_large_upload()

    def test_downloads_that_are_reset_leave_the_others_their_window(self):
        for protocol in ("http/1.1", "h2"):
            with self.subTest(protocol):
                backend = self.closing(SERVE[protocol](lambda _: Reply(body=b"y" * 500_000)))
                proxy = self.start_proxy(config_text(backend_text(
                    "monolith", backend.port, protocol)), workers=1)
                client = self.closing(Http2Client(proxy.plain, settings={4: 0}))
                for _ in range(40):  # without a window: nothing of it leaves us
                    stream = client.start("/")
                    client.wait_head(stream)
                    client.send_frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))
                other = self.closing(Http2Client(proxy.plain))
                self.assertEqual(len(other.ask("/").body), 500_000)

    def test_padding_counts_for_the_window(self):
        self.start("http/1.1")
        stream = self.client.start("/", "POST", ends=False)
        padded = frame(DATA, 8, stream, bytes([255]) + b"x" + b"\0" * 255)
        for _ in range(200):  # 51 KiB of padding at a time, more than all windows in sum
            self.client.send(padded * 40)
            self.client.wait_ping()
        self.client.send_frame(DATA, END_STREAM, stream)
        self.assertEqual(self.client.wait(stream).json()["length"], 8000)

    def test_a_thousand_requests_on_one_connection(self):
        for protocol in ("http/1.1", "h2"):
            self.start(protocol)
            for i in range(500):
                body = b"z" * (i * 7 % 3000)
                self.assertEqual(self.client.ask("/", "POST", body=body).json()["length"],
                                 len(body))


class Budgets(ProxyCase):
    def test_retries_are_at_most_a_fifth_of_the_requests(self):
        def script(connection):
            connection.begin()
            while True:
                connection.reset(connection.read_request().stream, REFUSED_STREAM)
        backend = self.closing(Http2Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port, "h2")),
                                 workers=1)
        client = self.closing(Http2Client(proxy.plain))
        for _ in range(1000):
            self.assertEqual(client.ask("/").status, 502)
        stock = 100
        self.assertLessEqual(len(backend.requests), 1000 + 1000 * 0.2 + stock)
        self.assertGreaterEqual(len(backend.requests), 1000 + 1000 * 0.2)

    def test_timeouts_of_a_route_come_before_the_backend_s(self):
        backend = self.closing(Http1Backend(lambda connection: connection.wait_end()))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port), more="""
            routes: { fast: { prefix = "/fast"; backend = "monolith";
                              timeouts: { first_byte = "200ms"; }; }; };"""))
        self.assertEqual(ask_once(proxy.plain, "/fast").status, 504)


class Descriptors(ProxyCase):
    def test_the_proxy_outlives_a_lack_of_descriptors(self):
        backend = self.closing(Http1Backend(named("monolith")))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        used = int(proxy.total("process_open_fds"))
        resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        held = [socket.create_connection(("127.0.0.1", proxy.plain)) for _ in range(60)]
        client = None
        try:
            # Whoever was let in before the end may ask; perhaps not even a backend can be reached.
            cpu = proxy.cpu_seconds()
            self.assertLess(self.cpu_over(proxy, 1.0) - cpu, 0.6)  # it does not spin
        finally:
            for sock in held:
                sock.close()
        client = self.closing(Http2Client(proxy.plain))
        wait_until("it serves again", lambda: client.ask("/").status == 200)

    def test_connections_to_the_admin_address_do_not_spin_it_out_of_descriptors(self):
        backend = self.closing(Http1Backend(named("monolith")))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        used = int(proxy.total("process_open_fds"))
        resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        held = [socket.create_connection(("127.0.0.1", proxy.admin)) for _ in range(60)]
        try:
            cpu = proxy.cpu_seconds()
            self.assertLess(self.cpu_over(proxy, 1.0) - cpu, 0.6)
        finally:
            for sock in held:
                sock.close()
        self.assertEqual(wait_until("it answers", lambda: proxy.ask_admin("/ready")[0]), 200)

    def test_the_admin_address_answers_again_when_its_many_clients_are_gone(self):
        backend = self.closing(Http1Backend(named("monolith")))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        held = [socket.create_connection(("127.0.0.1", proxy.admin)) for _ in range(100)]
        for sock in held[:64]:  # those are let in
            sock.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(sock.recv(15).startswith(b"HTTP/1.1 200"))
        proxy.process.send_signal(signal.SIGSTOP)  # so that all of them leave at once
        for sock in held:
            sock.close()
        proxy.process.send_signal(signal.SIGCONT)
        self.assertEqual(proxy.ask_admin("/ready")[0], 200)

    @staticmethod
    def cpu_over(proxy, seconds: float) -> float:
        threading.Event().wait(seconds)
        return proxy.cpu_seconds()

    def test_descriptors_and_memory_come_back(self):
        backend = self.closing(Http1Backend(serving(
            lambda _: answer_bytes(b"x", fields=[("connection", "close")]))))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        ask_once(proxy.tls, tls=True)
        proxy.check_nothing_is_left()
        before = proxy.total("process_open_fds")
        for _ in range(50):
            for tls in (False, True):
                ask_once(proxy.tls if tls else proxy.plain, tls=tls)
        proxy.check_nothing_is_left()
        proxy.wait_total(0, "strangler_backend_connections")
        wait_until("descriptors are closed", lambda: proxy.total("process_open_fds") <= before + 1)


class Coincidences(ProxyCase):
    def test_clients_that_go_as_their_answers_come_leave_nothing_behind(self):
        """A buffer that is never given back stops the proxy when it ends."""
        gate, answered = threading.Event(), threading.Semaphore(0)

        def script(connection):
            connection.read_request()
            gate.wait(20)
            connection.send(answer_bytes(b"x" * 10_000))
            answered.release()
            connection.wait_end()
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)), workers=1)
        clients = [Http1Client(proxy.plain) for _ in range(20)]
        for client in clients:
            client.start()
        proxy.wait_total(len(clients), "strangler_backend_streams")
        # Both wait for the proxy when it wakes, in either order.
        proxy.process.send_signal(signal.SIGSTOP)
        proxy.wait_stopped()
        for client in clients[::2]:
            client.reset()
        gate.set()
        for client in clients:
            answered.acquire(timeout=20)
        for client in clients[1::2]:
            client.reset()
        proxy.process.send_signal(signal.SIGCONT)
        proxy.wait_total(0, "strangler_live_exchanges")


class Signals(ProxyCase):
    def test_a_storm_of_signals_is_weathered(self):
        backend = self.closing(Http1Backend(named("monolith")))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        client = self.closing(Http2Client(proxy.plain))
        for _ in range(100):
            proxy.hang_up()
            proxy.process.send_signal(signal.SIGUSR1)
            self.assertEqual(client.ask("/").status, 200)
        proxy.reload()
        self.assertEqual(client.ask("/").status, 200)

    def test_term_in_the_middle_of_reloads_ends_it(self):
        backend = self.closing(Http1Backend(named("monolith")))
        for number in (signal.SIGTERM, signal.SIGQUIT):
            proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
            for _ in range(20):
                proxy.hang_up()
            self.assertEqual(proxy.stop(number), 0)

    def test_a_backend_may_leave_the_configuration_while_it_answers(self):
        gate = threading.Event()

        def script(connection):
            connection.begin()
            request = connection.read_request()
            connection.send(headers_frame(request.stream, [(":status", "200")]))
            gate.wait(20)
            connection.send_body(request.stream, b"at last")
            connection.wait_end()
        old = self.closing(Http2Backend(script))
        new = self.closing(Http1Backend(named("new")))
        proxy = self.start_proxy(config_text(backend_text("old", old.port, "h2"), default="old"))
        self.addCleanup(gate.set)
        client = self.closing(Http2Client(proxy.plain))
        stream = client.start("/")
        client.wait_head(stream)
        proxy.reload("10-test.cfg", config_text(backend_text("new", new.port), default="new"))
        self.assertEqual(client.ask("/").body, b"new")
        gate.set()
        self.assertEqual(client.wait(stream).body, b"at last")
        self.assertEqual(proxy.wait_log(2)[1]["generation"], 1)
        # The connection to a backend that nobody names any more does not stay.
        wait_until("it is closed", lambda: proxy.total("strangler_backend_connections") <= 1)


class Tls(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](echo))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        return context

    def handshake(self, context, session=None):
        sock = socket.create_connection(("127.0.0.1", self.proxy.tls), 20)
        return context.wrap_socket(sock, server_hostname="localhost", session=session)

    def test_a_session_is_resumed(self):
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.handshake(context) as first:
            session = first.session
        with self.handshake(context, session) as second:
            self.assertTrue(second.session_reused)

    def test_a_client_that_vanishes_in_the_handshake_or_later_does_no_harm(self):
        for cut in (1, 5, 50, 150):
            raw = connect(self.proxy.tls)
            hello = ssl.MemoryBIO()
            machine = self.context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
            with self.assertRaises(ssl.SSLWantReadError):
                machine.do_handshake()
            raw.sendall(hello.read()[:cut])
            raw.close()
        client = Http2Client(self.proxy.tls, tls=True)
        client.start("/", "POST", ends=False)
        client.socket.close()  # without close_notify
        self.assertEqual(ask_once(self.proxy.tls, tls=True).status, 200)

    def test_garbage_inside_of_records_ends_the_connection(self):
        raw = connect(self.proxy.tls)
        raw.sendall(b"\x16\x03\x01\x00\x05hello" + b"\x17\x03\x03\x00\x10" + b"x" * 16)
        while raw.recv(1000):
            pass
        raw.close()

    def test_large_bodies_pass_in_both_directions_at_once(self):
        client = self.closing(Http2Client(self.proxy.tls, tls=True))
        body = bytes(range(256)) * 12_000
        streams = [client.start("/", "POST", ends=False) for _ in range(3)]
        for stream in streams:
            client.send_body(stream, body)
        for stream in streams:
            self.assertEqual(client.wait(stream).json()["length"], len(body))


if __name__ == "__main__":
    main()
