"""For tests that flood: a site whose parts behave differently under a client that misbehaves, and
what has to hold meanwhile. Plain requests on other connections are answered in time, the proxy's
memory grows by little, and no backend is given more to do at once than one client may ask for."""

import select
import ssl
import threading
import time
from typing import Callable

import hpack
from http1_backend import Gone, Http1Backend
from http1_client import Http1Client
from http2_peer import (END_HEADERS, END_STREAM, HEADERS, TIMEOUT_S, Http2Backend, Http2Client,
                        ask_once, frame)
from scripted_site import SERVE, echo
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, is_sanitized,
                            wait_until)

MIB = 1 << 20
GROWTH_BYTES = 32 * MIB
ANSWER_S = 5 if is_sanitized() else 2  # a sanitizer takes time of its own, on a busy machine
STREAM_LIMIT = 128
PIECE_BYTES = 1 << 16
BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stubborn:
    """Takes requests and works on each until the test is over, whatever becomes of its client."""

    def __init__(self, protocol: str):
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.alive = 0
        kind, script = (Http2Backend, self.run_h2) if protocol == "h2" else \
            (Http1Backend, self.run_http1)
        self.backend = kind(script)
        self.port = self.backend.port

    def begin(self):
        with self.lock:
            self.alive += 1

    def run_http1(self, connection):
        connection.read_head()
        self.begin()
        self.over.wait(60)

    def run_h2(self, connection):
        connection.begin({3: 1000})
        while True:
            connection.read_head()  # resets of it are read and do not matter
            self.begin()

    def close(self):
        self.over.set()
        self.backend.close()


class Bystanders:
    """Other clients, who ask again and again while something goes on."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.over = threading.Event()
        self.answers = 0
        self.slowest_s = 0.0
        self.faults: list = []
        self.first_bytes = self.most_bytes = proxy.resident_bytes()
        self.clients: list = []
        self.threads = [threading.Thread(target=self.run, args=(ask,))
                        for ask in (self.stay(False), self.stay(True), self.come(False),
                                    self.come(True), self.stay_http1())]
        self.threads.append(threading.Thread(target=self.sample))

    def stay(self, tls: bool) -> Callable:
        client = Http2Client(self.proxy.tls if tls else self.proxy.plain, tls)
        self.clients.append(client)
        return lambda: client.ask("/beside").status

    def stay_http1(self) -> Callable:
        client = Http1Client(self.proxy.plain)
        self.clients.append(client)
        return lambda: client.ask("/beside").status

    def come(self, tls: bool) -> Callable:
        port = self.proxy.tls if tls else self.proxy.plain
        return lambda: ask_once(port, "/beside", tls=tls).status

    def run(self, ask: Callable):
        try:
            while True:
                began = time.monotonic()
                status = ask()
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.answers += 1
                if status != 200:
                    self.faults.append(status)
                if self.over.wait(0.02):
                    return
        except Exception as error:  # told by check()
            self.faults.append(error)

    def sample(self):
        while not self.over.wait(0.02):
            self.most_bytes = max(self.most_bytes, self.proxy.resident_bytes())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        for client in self.clients:
            client.close()

    def growth(self) -> int:
        return self.most_bytes - self.first_bytes


class FloodCase(ProxyCase):
    """`/slow` is never answered but notices when nobody waits any more; `/stubborn` does not even
    that; `/large` is as much as one asks for; everything else is echoed at once."""
    protocol = "http/1.1"
    limits = ""
    growth_bytes = GROWTH_BYTES
    pause = 'limits: { address_pause = "0"; };'  # else who floods soon would not be let in

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](echo))
        self.slow = self.closing(SERVE[self.protocol](echo) if self.protocol == "h2" else
                                 Http1Backend(lambda connection: connection.wait_end()))
        self.stubborn = self.closing(Stubborn(self.protocol))
        self.proxy = self.start_proxy_on({"10-test.cfg": self.text(), "20-pause.cfg": self.pause},
                                         asan=SMALL_QUARANTINE)
        self.warm_up()

    def text(self) -> str:
        return config_text(
            backend_text("monolith", self.backend.port),
            backend_text("slow", self.slow.port, self.protocol),
            backend_text("stubborn", self.stubborn.port, self.protocol),
            more=f"""{self.limits}
                routes: {{ slow: {{ prefix = "/slow"; backend = "slow"; }};
                           stubborn: {{ prefix = "/stubborn"; backend = "stubborn"; }}; }};""")

    def warm_up(self):
        for tls in (False, True):
            for _ in range(20):
                ask_once(self.proxy.tls if tls else self.proxy.plain, tls=tls)

    def client(self, tls: bool = False, **more) -> Http2Client:
        return self.closing(Http2Client(self.proxy.tls if tls else self.proxy.plain, tls, **more))

    def flood(self, client: Http2Client, data: bytes):
        """Sends until it is all out or the proxy has had enough."""
        try:
            client.send(data)
        except (Gone, OSError):
            pass

    def flood_and_hear(self, client: Http2Client, data: bytes):
        """The same, while what comes back is read, until the proxy closes. By one thread: of two that
        use the same TLS connection, one may take what the other met for its end."""
        client.auto = False
        sock, rest = client.socket, memoryview(data)
        sock.setblocking(False)
        is_over = False
        while not is_over:
            rest = rest[self.send_some(sock, rest[:PIECE_BYTES]):]
            try:
                piece = sock.recv(PIECE_BYTES)
                client.buffer += piece
                is_over = not piece
            except BLOCKED:
                select.select([sock], [sock] if rest else [], [], TIMEOUT_S)
            except OSError:
                is_over = True
        sock.settimeout(TIMEOUT_S)
        client.wait_closed()  # the frames of all that was read

    @staticmethod
    def send_some(sock, data) -> int:
        """How much needs not to be sent any more."""
        try:
            return sock.send(data) if data else 0
        except BLOCKED:
            return 0
        except OSError:
            return len(data)  # nobody takes it

    def under(self, name: str, attack: Callable, least_s: float = 0.2):
        """Runs the attack, at most once in this time, and checks what has to hold meanwhile."""
        with self.subTest(name):
            with Bystanders(self.proxy) as others:
                began = time.monotonic()
                attack()
                wait_until("others have asked", lambda: others.faults or (
                    others.answers >= 20 and time.monotonic() - began > least_s))
            self.report(name, others)
            self.assertEqual(others.faults, [])
            self.assertLess(others.slowest_s, ANSWER_S)
            self.assertLess(others.growth(), self.growth_bytes)
            self.assertLess(self.stubborn.alive, STREAM_LIMIT + 1)

    @staticmethod
    def report(name: str, others: Bystanders):
        print(f"    {name}: {others.answers} answers beside it, the slowest in "
              f"{others.slowest_s * 1000:.0f} ms, {others.growth() / MIB:.1f} MiB more")


def request_block(path: str = "/", method: str = "GET", more=()) -> bytes:
    return hpack.encode([(":method", method), (":scheme", "http"), (":path", path),
                         (":authority", "localhost"), *more])


def request_frame(stream: int, path: str = "/", ends: bool = True, more=()) -> bytes:
    flags = END_HEADERS | (END_STREAM if ends else 0)
    return frame(HEADERS, flags, stream, request_block(path, "GET" if ends else "POST", more))
