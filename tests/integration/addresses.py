"""What one client address may have of the front door, however many connections it comes with."""

from http1_client import Http1Client
from http2_peer import Http2Client, ask_once, connect
from scripted_site import SERVE, echo
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

GUEST = "127.0.0.2"
OTHER = "127.0.0.3"


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

    def refused(self, fault: str = "connections") -> float:
        return self.proxy.total("strangler_client_faults_total", fault=fault)


class Connections(Case):
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


if __name__ == "__main__":
    main()
