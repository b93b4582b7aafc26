"""Many clients at once: what an idle connection costs, what those that come and go leave behind, and
what happens when there are more of them than descriptors."""

import resource
import socket
import threading
import time

from http1_backend import Http1Backend, named
from http1_client import Http1Client
from http2_peer import Http2Client, ask_once
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, is_sanitized,
                            main, wait_until)

KIB = 1024
# Of resident memory, by (HTTP/2, TLS).
IDLE_BYTES = {(True, True): 32 * KIB, (True, False): 16 * KIB,
              (False, True): 20 * KIB, (False, False): 4 * KIB}
IDLE_CONNECTIONS = 1000
VISITS = 2000 if is_sanitized() else 20_000
WARM_UP_VISITS = 1000
GROWTH_BYTES = (24 if is_sanitized() else 4) * 1024 * KIB
DESCRIPTORS = 256
CLIENTS = 1000
PATIENT = 'limits: { idle_timeout = "600s"; header_timeout = "600s"; };'


def allow_descriptors():
    """As many sockets for ourselves as we may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class CrowdCase(ProxyCase):
    def start(self, **options):
        allow_descriptors()
        self.backend = self.closing(Http1Backend(named("good")))
        self.proxy = self.start_proxy(
            config_text(backend_text("monolith", self.backend.port), more=PATIENT), **options)


class Idle(CrowdCase):
    def come(self, http2: bool, tls: bool, count: int):
        """So many clients that ask once and stay."""
        port = self.proxy.tls if tls else self.proxy.plain
        for _ in range(count):
            client = Http2Client(port, tls) if http2 else Http1Client(port, tls)
            self.held.append(client)
            self.assertEqual(client.ask("/").body, b"good")

    def test_an_idle_connection_costs_no_more_than_it_may(self):
        if is_sanitized():
            self.skipTest("a sanitizer's own memory is many times as large")
        for (http2, tls), most in IDLE_BYTES.items():
            with self.subTest(http2=http2, tls=tls):
                self.held: list = []
                self.start(workers=1)
                self.come(http2, tls, 100)
                before = self.proxy.resident_bytes()
                self.come(http2, tls, IDLE_CONNECTIONS)
                each = (self.proxy.resident_bytes() - before) / IDLE_CONNECTIONS
                for client in self.held:
                    client.close()
                self.assertLess(each, most)


class ComingAndGoing(CrowdCase):
    def visit(self, count: int):
        for number in range(count):
            tls = number % 20 == 0
            with socket.create_connection(("127.0.0.1", self.port(tls)), 20) as sock:
                if number % 2 == 0:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[:number % 40])
            if number % 100 == 0:
                self.assertEqual(ask_once(self.port(tls), tls=tls).status, 200)

    def port(self, tls: bool) -> int:
        return self.proxy.tls if tls else self.proxy.plain

    def test_who_comes_and_goes_leaves_no_descriptor_and_no_memory_behind(self):
        self.start(asan=SMALL_QUARANTINE)
        self.visit(WARM_UP_VISITS)
        self.proxy.check_nothing_is_left()
        descriptors = self.proxy.total("process_open_fds")
        memory = self.proxy.resident_bytes()
        self.visit(VISITS)
        self.proxy.check_nothing_is_left()
        wait_until("descriptors are closed",
                   lambda: self.proxy.total("process_open_fds") <= descriptors)
        self.assertLess(self.proxy.resident_bytes() - memory, GROWTH_BYTES)


class MoreThanDescriptors(CrowdCase):
    def test_it_serves_on_does_not_spin_and_recovers_by_itself(self):
        self.start(descriptors=DESCRIPTORS)
        served = self.closing(Http2Client(self.proxy.plain))
        self.assertEqual(served.ask("/").status, 200)
        crowd = [socket.create_connection(("127.0.0.1", self.port(number)), 20)
                 for number in range(CLIENTS)]
        try:
            wait_until("it is full", lambda: self.proxy.total("strangler_connections") > 50)
            begun, cpu = time.monotonic(), self.proxy.cpu_seconds()
            while time.monotonic() - begun < 3:
                self.assertEqual(served.ask("/").status, 200)
                threading.Event().wait(0.2)
            share = (self.proxy.cpu_seconds() - cpu) / (time.monotonic() - begun)
            self.assertLess(share, 0.1)
        finally:
            for sock in crowd:
                sock.close()
        begun = time.monotonic()
        for tls in (False, True):
            self.assertEqual(ask_once(self.port(tls), tls=tls).status, 200)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertLess(self.proxy.total("process_open_fds"), DESCRIPTORS)

    def port(self, odd: int) -> int:
        return self.proxy.tls if odd % 2 else self.proxy.plain


if __name__ == "__main__":
    main()
