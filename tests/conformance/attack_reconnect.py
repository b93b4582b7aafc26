"""Who comes again and again, on a new connection each time: those who have gone before they were
accepted cost next to nothing, and others are served beside and behind them."""

import socket
import ssl
import threading
import time

from flood_case import MIB, FloodCase, request_frame
from http1_backend import Gone
from http1_client import Http1Client
from http2_peer import PREFACE, SETTINGS, connect, frame
from strangler_test import main, wait_until

REQUESTS = 100
ANSWERED = 30  # of those who wait for a word, so that not the log of them is measured
CROWD = 300
ATTACKERS = 8
ATTACK_S = 3


def requests_text(path: str, count: int = REQUESTS) -> bytes:
    return PREFACE + frame(SETTINGS) + b"".join(
        request_frame(stream, path) for stream in range(1, 2 * count, 2))


def client_hello() -> bytes:
    """The first words of a handshake, from nobody who would go on with it."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Queue(FloodCase):
    """What waits to be accepted while the proxy stands still, it meets all at once."""

    def come_and_go(self, data: bytes, tls: bool = False):
        for _ in range(CROWD):
            with connect(self.proxy.tls if tls else self.proxy.plain) as sock:
                sock.sendall(data)

    def gone(self) -> float:
        return self.proxy.total("strangler_client_faults_total", fault="gone")

    def test_requests_of_those_who_have_gone_reach_no_backend(self):
        with self.proxy.frozen():
            self.come_and_go(requests_text("/gone"))
            behind = self.client()
            stream = behind.start("/behind")
        self.assertEqual(behind.wait(stream).status, 200)
        wait_until("all are gone", lambda: self.gone() == CROWD)
        self.assertNotIn("/gone", [request.target for request in self.backend.requests])
        wait_until("nobody else is there",
                   lambda: self.proxy.total("strangler_connections") == 1)

    def test_nobody_shakes_hands_with_those_who_have_gone(self):
        with self.proxy.frozen():
            self.come_and_go(client_hello(), tls=True)
        wait_until("all are gone", lambda: self.gone() == CROWD)
        self.assertEqual(
            self.proxy.total("strangler_client_faults_total", fault="handshake"), 0)
        self.assertEqual(self.client(tls=True).ask("/").status, 200)

    def test_who_has_said_all_in_http1_is_answered(self):
        with self.proxy.frozen():
            clients = [self.closing(Http1Client(self.proxy.plain)) for _ in range(20)]
            for client in clients:
                client.start("/half")
                client.socket.shutdown(socket.SHUT_WR)
        for client in clients:
            self.assertEqual(client.read().status, 200)
        self.assertEqual(self.gone(), 0)


class Floods(FloodCase):
    """Of requests that the proxy answers by itself: no backend is slower than it."""
    growth_bytes = 64 * MIB  # whom it takes in one turn it gives what a hundred requests need

    def text(self) -> str:
        return super().text().replace("routes: {", 'routes: { no: { prefix = "/no"; deny = 403; };')

    def attack(self, data: bytes, reads: bool, tls: bool = False):
        """Each attacker comes, asks, waits for a word or not, and comes again."""
        end = time.monotonic() + ATTACK_S

        def run(number: int):
            while time.monotonic() < end:
                try:
                    with connect(self.proxy.tls if tls else self.proxy.plain, tls,
                                 source=f"127.0.0.{number + 2}") as sock:
                        sock.sendall(data)
                        if reads:
                            sock.recv(1 << 16)
                except (Gone, OSError):
                    pass
        threads = [threading.Thread(target=run, args=(number,)) for number in range(ATTACKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_plain_requests_on_new_connections_without_end(self):
        for reads in (False, True):
            for tls in (False, True):
                self.under(f"come and go, {reads=} {tls=}", lambda reads=reads, tls=tls:
                           self.attack(requests_text("/no", ANSWERED if reads else REQUESTS),
                                       reads, tls))


if __name__ == "__main__":
    main()
