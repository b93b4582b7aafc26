"""What one client address may have of the front door, however many connections it comes with."""

import os
import socket
import struct
import time

from flood_case import request_frame
from http1_backend import Gone
from http1_client import Http1Client
from http2_peer import (ENHANCE_YOUR_CALM, PING, RST_STREAM, Http2Client, ask_once, connect, frame)
from scripted_site import SERVE, echo
from strangler_test import (ProxyCase, backend_text, config_text, free_port, main, wait_until)

GUEST = "127.0.0.2"
OTHER = "127.0.0.3"
SERVED = b"HTTP/1.1 200"


class Case(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](echo))

    def text(self, limits: str, more: str = "") -> str:
        return config_text(backend_text("monolith", self.backend.port),
                           more=f"limits: {{ {limits} }}; {more}")

    def client(self, source: str = GUEST, tls: bool = False) -> Http2Client:
        return self.closing(Http2Client(self.proxy.tls if tls else self.proxy.plain, tls,
                                        source=source))

    def served(self, count: int, source: str = GUEST) -> list:
        """So many connections, each of which has its answer."""
        clients = [self.client(source, number % 2 == 1) for number in range(count)]
        for client in clients:
            self.assertEqual(client.ask("/").status, 200)
        return clients

    def is_closed(self, source: str = GUEST, tls: bool = False) -> bool:
        """At once: nothing is said, and TLS is not begun."""
        sock = connect(self.proxy.tls if tls else self.proxy.plain, source=source)
        with sock:
            sock.settimeout(10)
            try:
                return sock.recv(1) == b""
            except ConnectionResetError:
                return True
            except TimeoutError:
                return False

    def refused(self, fault: str = "connections") -> float:
        return self.proxy.total("strangler_client_faults_total", fault=fault)


class Connections(Case):
    @staticmethod
    def ask(sock: socket.socket) -> bytes:
        sock.settimeout(10)
        sock.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        try:
            return sock.recv(len(SERVED), socket.MSG_WAITALL)
        except ConnectionResetError:
            return b""

    def start(self, limit: int = 3, more: str = ""):
        self.proxy = self.start_proxy(self.text(f"connections_per_address = {limit};", more))

    def test_one_more_than_an_address_may_have_is_closed_before_a_word(self):
        self.start()
        clients = self.served(3)
        for tls in (False, True):
            self.assertTrue(self.is_closed(tls=tls))
        self.assertEqual(self.refused(), 2)
        for client in clients:
            self.assertEqual(client.ask("/").status, 200)
        self.assertEqual(len(self.served(3, OTHER)), 3)

    def test_when_one_is_gone_another_may_come(self):
        self.start()
        clients = self.served(3)
        for client in clients[:2]:
            client.close()
        self.proxy.wait_total(1, "strangler_connections")
        self.served(2)
        self.assertTrue(self.is_closed())

    def test_who_comes_one_after_the_other_is_never_refused(self):
        self.start(1)
        for _ in range(50):
            client = Http1Client(self.proxy.plain)
            client.start("/", fields=[("connection", "close")])
            self.assertEqual(client.read().status, 200)
            client.close()
            self.proxy.wait_total(0, "strangler_connections")
        self.assertEqual(self.refused(), 0)

    def test_a_trusted_proxy_stands_for_many(self):
        self.start(2, f'trusted_proxies = [ "{OTHER}/32" ];')
        self.served(8, OTHER)
        self.served(2)
        self.assertTrue(self.is_closed())
        self.assertEqual(self.refused(), 1)

    def test_those_who_are_exempt_take_no_room_from_their_network(self):
        """No address at all and ::1 are in the same /64."""
        port, path = free_port(), os.path.join(self.folder, "l.sock")
        self.start(2, f'listeners: {{ six: {{ address = "[::1]:{port}"; }}; '
                      f'local: {{ address = "unix:{path}"; }}; }};')
        for _ in range(3):
            local = self.closing(socket.socket(socket.AF_UNIX))
            local.connect(path)
            self.assertEqual(self.ask(local), SERVED)
        six = [self.closing(socket.create_connection(("::1", port), 10)) for _ in range(2)]
        self.assertEqual([self.ask(sock) for sock in six], [SERVED, SERVED])
        self.assertEqual(self.refused(), 0)

    def test_a_reload_sets_the_limit_also_for_those_who_are_there(self):
        self.start(0)
        clients = self.served(4)
        self.proxy.reload("10-test.cfg", self.text("connections_per_address = 4;"))
        self.assertTrue(self.is_closed())
        for client in clients:
            self.assertEqual(client.ask("/").status, 200)
        self.proxy.reload("10-test.cfg", self.text("connections_per_address = 6;"))
        self.served(2)
        self.assertTrue(self.is_closed())
        self.proxy.reload("10-test.cfg", self.text(""))
        self.served(3)

    def test_those_who_are_refused_in_a_flood_cost_the_others_nothing(self):
        self.start(2)
        self.served(2)
        other = self.client(OTHER)
        for _ in range(300):
            self.assertTrue(self.is_closed())
        self.assertEqual(other.ask("/").status, 200)
        self.assertEqual(ask_once(self.proxy.plain).status, 200)
        self.assertEqual(self.refused(), 300)
        wait_until("nobody else", lambda: self.proxy.total("strangler_connections") == 3)


class Pauses(Case):
    """Who is sent away for a flood, again and again, is not let in for a while."""

    def start(self, pause: str = "10s", more: str = ""):
        self.proxy = self.start_proxy(self.text(f'address_pause = "{pause}";', more))

    def flood(self, source: str = GUEST, kind: str = "nothing") -> list:
        """One connection, over what it is allowed; what it was told."""
        floods = {
            "nothing": frame(200, 0, 0) * 2500,
            "pings": frame(PING, 0, 0, b"12345678") * 2500,  # more are owed than are kept in mind
            "resets": b"".join(request_frame(stream) +
                               frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
                               for stream in range(1, 801, 2)),
        }
        client = Http2Client(self.proxy.plain, source=source)
        client.auto = False
        try:
            client.send(floods[kind])
        except Gone:
            pass
        client.wait_closed()
        client.close()
        return [goaway.code for goaway in client.goaways]

    def flood_thrice(self, source: str = GUEST):
        faults = self.refused("idle_frames")
        for _ in range(3):
            self.flood(source)
        wait_until("each has ended", lambda: self.refused("idle_frames") == faults + 3)

    def serves(self, source: str = GUEST) -> bool:
        try:
            client = Http2Client(self.proxy.plain, source=source)
        except OSError:
            return False
        try:
            return client.ask("/").status == 200
        except (Gone, OSError):
            return False
        finally:
            client.close()

    def check_held_off(self, began: float, pause_s: float, source: str = GUEST,
                       tls: bool = False):
        """And counted, unless this machine was so slow that the pause is over."""
        before = self.refused("paused")
        is_over = not self.is_closed(source, tls)
        if is_over:
            self.assertGreater(time.monotonic() - began, pause_s)
        else:
            self.assertEqual(self.refused("paused"), before + 1)

    def test_three_floods_in_a_row_close_the_door_for_a_second(self):
        self.start()
        stays = self.client()
        self.assertEqual(stays.ask("/").status, 200)
        for kind in ("pings", "resets"):
            self.assertIn(self.flood(kind=kind)[-1:], ([ENHANCE_YOUR_CALM], []))
            self.assertTrue(self.serves())
        began = time.monotonic()
        self.flood()
        self.check_held_off(began, 1)
        self.check_held_off(began, 1, tls=True)
        self.assertEqual(stays.ask("/").status, 200)  # who was there stays
        self.assertTrue(self.serves(OTHER))
        wait_until("the door is open", self.serves)
        self.assertGreater(time.monotonic() - began, 0.9)
        self.proxy.wait_total(0, "strangler_paused_addresses")
        self.assertIn(f"no connections from {GUEST} for 1000 ms", self.proxy.errors())

    def test_who_goes_on_waits_longer(self):
        self.start()
        self.flood_thrice()
        wait_until("the door is open", self.serves)
        began = time.monotonic()
        self.flood_thrice()
        wait_until("the door is open", self.serves)
        self.assertGreater(time.monotonic() - began, 1.9)

    def test_a_trusted_proxy_is_never_held_off(self):
        self.start(more=f'trusted_proxies = [ "{OTHER}/32" ];')
        for _ in range(2):
            self.flood_thrice(OTHER)
        self.assertTrue(self.serves(OTHER))
        self.assertEqual(self.refused("paused"), 0)

    def test_a_reload_switches_it_off_and_on(self):
        self.start("1h")
        began = time.monotonic()
        self.flood_thrice()
        self.check_held_off(began, 1)
        self.proxy.reload("10-test.cfg", self.text('address_pause = "0";'))
        self.assertTrue(self.serves())
        for _ in range(2):
            self.flood_thrice()
        self.assertTrue(self.serves())
        self.proxy.reload("10-test.cfg", self.text(""))
        began = time.monotonic()
        self.flood_thrice(OTHER)
        self.check_held_off(began, 1, OTHER)

    def test_one_who_breaks_rules_is_not_held_off(self):
        self.start()
        for _ in range(20):
            client = Http2Client(self.proxy.plain, source=GUEST)
            client.send(frame(PING, 0, 1, b"12345678"))
            client.wait_closed()
            client.close()
        self.assertTrue(self.serves())


if __name__ == "__main__":
    main()
