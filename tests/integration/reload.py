"""HUP and the signals that end: a change of the files is in force at the next request, loses none,
and a faulty one changes nothing."""

import os
import signal
import subprocess
import threading

from forum import ForumCase, url_file
from http1_backend import Http1Backend, answer_bytes, named
from http1_client import Http1Client
from http2_peer import Http2Client, ask_once
from strangler_test import (PROXY, ProxyCase, backend_text, config_text, free_port, main,
                            make_certificate, wait_until)

REQUESTS, PEOPLE = 60_000, 4
MAX_STREAM = (1 << 31) - 1


class UnderLoad(ForumCase):
    def setUp(self):
        super().setUp()
        self.forum = self.start_forum()
        self.proxy = self.start_proxy(self.config(25))
        self.urls = url_file(self.folder, self.proxy.plain)

    def config(self, percent: float) -> str:
        return self.forum.config(percent, 'identity = [ "header:x-id" ];')

    def h2load(self, identity: str):
        return subprocess.Popen(
            ["h2load", "-n", str(REQUESTS // PEOPLE), "-c", "4", "-m", "10", "-H",
             f"x-id: {identity}", "-i", self.urls],
            stdout=subprocess.PIPE, text=True)

    def reload_until_over(self, loads: list) -> int:
        """Twenty times a second, the percent changing to and fro; then how often that was."""
        count = 0
        while any(load.poll() is None for load in loads):
            count += 1
            self.proxy.reload("10-test.cfg", self.config(25 if count % 2 else 75))
            try:
                loads[-1].wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        return count

    def test_more_than_ten_reloads_lose_no_request(self):
        loads = [self.h2load(f"person-{i}") for i in range(PEOPLE)]
        reloads = self.reload_until_over(loads)
        for load in loads:
            said = load.communicate()[0]
            self.assertIn(f"{REQUESTS // PEOPLE} succeeded, 0 failed, 0 errored, 0 timeout", said)
            self.assertIn(f"{REQUESTS // PEOPLE} 2xx, 0 3xx, 0 4xx, 0 5xx", said)
        self.assertGreaterEqual(reloads, 10)
        self.assertEqual(self.proxy.total("strangler_config_generation"), reloads + 1)
        self.proxy.wait_total(REQUESTS, "strangler_http_requests_total")
        for side in ("legacy", "extracted"):
            self.assertGreater(self.proxy.total("strangler_decisions_total", side=side),
                               REQUESTS / 10)


class Reloading(ProxyCase):
    def setUp(self):
        super().setUp()
        self.first = self.closing(Http1Backend(named("first")))
        self.second = self.closing(Http1Backend(named("second")))
        self.proxy = self.start_proxy(self.config("first"))

    def config(self, default: str, more: str = "") -> str:
        return config_text(backend_text("first", self.first.port),
                           backend_text("second", self.second.port), default=default, more=more)

    def successful(self) -> float:
        return self.proxy.total("strangler_config_last_reload_successful")

    def test_an_open_connection_obeys_at_its_next_request(self):
        client = self.closing(Http2Client(self.proxy.tls, tls=True))
        self.assertEqual(client.ask("/").body, b"first")
        self.proxy.reload("10-test.cfg", self.config("second"))
        self.assertEqual(client.ask("/").body, b"second")
        self.assertEqual([line["generation"] for line in self.proxy.wait_log(2)], [1, 2])
        self.assertEqual(client.goaways, [])

    def test_a_request_under_way_keeps_what_it_began_with(self):
        gate = threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsl")
            gate.wait(20)
            connection.send(b"owly")
        slow = self.closing(Http1Backend(script))
        self.proxy.reload("10-test.cfg", config_text(backend_text("first", slow.port),
                                                     default="first"))
        client = self.closing(Http2Client(self.proxy.plain))
        stream = client.start("/")
        client.wait_head(stream)
        self.proxy.reload("10-test.cfg", self.config("second"))
        self.assertEqual(client.ask("/").body, b"second")
        gate.set()
        self.assertEqual(client.wait(stream).body, b"slowly")

    def test_a_faulty_file_changes_nothing(self):
        client = self.closing(Http2Client(self.proxy.plain))
        self.assertEqual(self.successful(), 1)
        faulty = {
            "syntax": "backends: { first: ",
            "unknown key": self.config("first", "nonsense = 1;"),
            "unknown backend": self.config("third"),
            "bad regex": self.config("second", 'routes: { a: { regex = "("; deny = 403; }; };'),
            "no backend": "x = 1;",
        }
        for name, text in faulty.items():
            with self.subTest(name):
                self.proxy.write("10-test.cfg", text)
                lines = self.proxy.errors().count("reload of")
                self.proxy.hang_up()
                wait_until("a complaint", lambda count=lines: self.proxy.errors().count(
                    "reload of") > count)
                self.assertEqual(self.successful(), 0)
                self.assertEqual(self.proxy.total("strangler_config_generation"), 1)
                self.assertEqual(client.ask("/").body, b"first")
        self.assertRegex(self.proxy.errors(), r"10-test\.cfg:\d+:\d+: error\[\w+\]")
        self.proxy.reload("10-test.cfg", self.config("second"))
        self.assertEqual(self.successful(), 1)
        self.assertEqual(client.ask("/").body, b"second")

    def test_a_listener_comes_and_goes_by_reload(self):
        port = free_port()
        client = self.closing(Http2Client(self.proxy.plain))
        client.ask("/")
        self.proxy.extra_listeners["third"] = port
        self.proxy.write_own()
        self.proxy.reload()
        extra = self.closing(Http2Client(port))
        self.assertEqual(extra.ask("/").body, b"first")
        del self.proxy.extra_listeners["third"]
        self.proxy.write_own()
        self.proxy.reload()
        with self.assertRaises(ConnectionRefusedError):
            Http2Client(port)
        for open_one in (client, extra):  # what is connected stays
            self.assertEqual(open_one.ask("/").body, b"first")

    def test_an_address_that_is_taken_is_a_fault_of_the_reload(self):
        self.proxy.extra_listeners["third"] = self.first.port
        self.proxy.write_own()
        self.proxy.hang_up()
        wait_until("a complaint", lambda: "cannot listen" in self.proxy.errors())
        self.assertEqual(self.successful(), 0)
        self.assertEqual(ask_once(self.proxy.plain).body, b"first")

    def test_a_change_of_workers_waits_for_a_restart_and_says_so(self):
        self.proxy.workers = 1
        self.proxy.write_own()
        self.proxy.reload()
        self.assertRegex(self.proxy.errors(), "`workers` has changed; this waits for a restart")
        self.assertEqual(self.successful(), 1)
        self.assertEqual(ask_once(self.proxy.plain).body, b"first")

    def test_a_module_that_is_renamed_or_gone_is_warned_of(self):
        ramp = ('legacy = "first"; extracted = "second"; stage = "ramp"; percent = 50; '
                'routes: { a: { prefix = "/a"; }; }; };')
        self.proxy.reload("10-test.cfg", self.config("first", f"modules: {{ old: {{ {ramp} }};"))
        self.assertNotIn("warning[module", self.proxy.errors())
        self.proxy.reload("10-test.cfg", self.config("first", f"modules: {{ new: {{ {ramp} }};"))
        self.assertIn('hint: cohort = "old"; keeps everybody', self.proxy.errors())
        self.proxy.reload("10-test.cfg", self.config("first"))
        self.assertIn("warning[module-gone]: no file defines the module `new`", self.proxy.errors())

    def test_certificates_change_without_a_restart(self):
        old = self.closing(Http2Client(self.proxy.tls, tls=True))
        make_certificate(self.proxy.routes)
        self.proxy.reload()
        new = self.closing(Http2Client(self.proxy.tls, tls=True))
        self.assertNotEqual(old.socket.getpeercert(True), new.socket.getpeercert(True))
        self.assertEqual((old.ask("/").body, new.ask("/").body), (b"first", b"first"))

    def test_usr1_opens_the_access_log_again(self):
        ask_once(self.proxy.plain, "/one")
        self.proxy.wait_log(1)
        os.rename(self.proxy.log_path, self.proxy.log_path + ".1")
        self.proxy.process.send_signal(signal.SIGUSR1)
        wait_until("a new log", lambda: os.path.exists(self.proxy.log_path))
        ask_once(self.proxy.plain, "/two")
        self.assertEqual([line["path"] for line in self.proxy.wait_log(1)], ["/two"])


class Ending(ProxyCase):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()

        def script(connection):
            while True:
                request = connection.read_request()
                if request.target == "/slow":
                    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsl")
                    self.gate.wait(20)
                    connection.send(b"owly")
                else:
                    connection.send(answer_bytes(b"quick"))
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))
        self.addCleanup(self.gate.set)

    def test_term_and_int_stop_at_once_with_clients_and_requests_open(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))
            client = self.closing(Http2Client(proxy.plain))
            client.wait_head(client.start("/slow"))
            idle = self.closing(Http2Client(proxy.tls, tls=True))
            idle.ask("/")
            self.assertEqual(proxy.stop(number), 0)
            client.wait_closed()

    def test_quit_finishes_what_was_begun_and_says_goaway_twice(self):
        client = self.closing(Http2Client(self.proxy.plain))
        slow = client.start("/slow")
        client.wait_head(slow)
        with self.proxy.frozen():
            self.proxy.process.send_signal(signal.SIGQUIT)
            crossed = client.start("/")  # on its way when the first GOAWAY comes
        client.wait_goaway()
        self.assertEqual(self.last_stream(client.goaways[0]), MAX_STREAM)
        self.assertEqual(client.wait(crossed).body, b"quick")
        while len(client.goaways) < 2:
            client.take_frame()
        self.assertEqual(self.last_stream(client.goaways[1]), crossed)
        self.assertEqual({goaway.code for goaway in client.goaways}, {0})
        self.assertTrue(self.proxy.is_running())
        self.gate.set()
        self.assertEqual(client.wait(slow).body, b"slowly")
        client.wait_closed()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_quit_takes_nothing_new_and_is_not_ready(self):
        client = self.closing(Http2Client(self.proxy.plain))
        client.wait_head(client.start("/slow"))
        self.proxy.process.send_signal(signal.SIGQUIT)
        wait_until("draining", lambda: "draining" in self.proxy.errors())
        self.assertEqual(self.proxy.ask_admin("/ready")[0], 503)
        with self.assertRaises(ConnectionRefusedError):
            Http2Client(self.proxy.plain)
        self.gate.set()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_quit_without_clients_ends_at_once(self):
        self.assertEqual(self.proxy.stop(signal.SIGQUIT), 0)

    def test_quit_closes_idle_connections(self):
        clients = [self.closing(Http2Client(self.proxy.tls, tls=True)) for _ in range(3)]
        for client in clients:
            client.ask("/")
        self.proxy.process.send_signal(signal.SIGQUIT)
        for client in clients:
            client.wait_closed()
            self.assertEqual(len(client.goaways), 2)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_quit_serves_a_request_that_is_on_its_way(self):
        kept = self.closing(Http1Client(self.proxy.plain))
        kept.ask("/")
        silent, partial = (self.closing(Http1Client(self.proxy.plain)) for _ in range(2))
        partial.send(b"GET / HTTP/1.1\r\nho")
        self.proxy.wait_total(3, "strangler_connections")
        with self.proxy.frozen():
            self.proxy.process.send_signal(signal.SIGQUIT)
            kept.start("/")
        self.assertEqual(kept.read().body, b"quick")
        wait_until("draining", lambda: "draining" in self.proxy.errors())
        silent.start("/")
        partial.send(b"st: a\r\n\r\n")
        for client in (silent, partial):
            answer = client.read()
            self.assertEqual((answer.body, answer.value("connection")), (b"quick", "close"))
        for client in (kept, silent, partial):
            self.assertEqual(client.read_rest(), b"")
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_the_drain_timeout_ends_a_drain(self):
        self.proxy.reload("10-test.cfg", config_text(
            backend_text("monolith", self.backend.port),
            more='limits: { drain_timeout = "200ms"; };'))
        client = self.closing(Http2Client(self.proxy.plain))
        client.wait_head(client.start("/slow"))
        self.assertEqual(self.proxy.stop(signal.SIGQUIT), 0)

    def test_a_reload_while_draining_is_refused(self):
        client = self.closing(Http2Client(self.proxy.plain))
        slow = client.start("/slow")
        client.wait_head(slow)
        self.proxy.process.send_signal(signal.SIGQUIT)
        client.wait_goaway()
        self.proxy.hang_up()
        wait_until("it is refused", lambda: "reload" in self.proxy.errors())
        self.gate.set()
        self.assertEqual(client.wait(slow).body, b"slowly")
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_term_ends_a_drain(self):
        client = self.closing(Http2Client(self.proxy.plain))
        client.wait_head(client.start("/slow"))
        self.proxy.process.send_signal(signal.SIGQUIT)
        client.wait_goaway()
        self.assertEqual(self.proxy.stop(), 0)

    def test_a_second_proxy_on_the_same_address_does_not_start(self):
        second = subprocess.run([PROXY, "run", self.proxy.routes], capture_output=True, text=True,
                                timeout=30, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("cannot listen", second.stderr)
        self.assertEqual(ask_once(self.proxy.plain).body, b"quick")

    @staticmethod
    def last_stream(goaway) -> int:
        return int.from_bytes(goaway.payload[:4], "big")


if __name__ == "__main__":
    main()
