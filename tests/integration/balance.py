"""Which endpoint of a backend gets a request: shares by weight, and the same endpoint for the same
person."""

from collections import Counter

from http1_backend import Http1Backend, named
from http2_peer import Http2Client
from strangler_test import ProxyCase, config_text, main

NAMES = ("a", "b", "c")


class Balance(ProxyCase):
    def start(self, backend_keys: str, more: str = ""):
        ports = [self.closing(Http1Backend(named(name))).port for name in NAMES]
        self.proxy = self.start_proxy(config_text(self.text(ports, backend_keys), more=more),
                                      workers=1)
        self.ports = ports
        self.client = self.closing(Http2Client(self.proxy.plain))

    @staticmethod
    def text(ports, backend_keys):
        endpoints = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        return f"monolith: {{ endpoints = [ {endpoints} ]; {backend_keys} }};"

    def ask(self, fields=()) -> str:
        answer = self.client.ask("/", fields=fields)
        self.assertEqual(answer.status, 200)
        return answer.body.decode()

    def test_round_robin_obeys_weights_in_every_cycle(self):
        self.start('balance = "round_robin"; weights = [ 3, 2, 0 ];')
        for _ in range(5):
            said = Counter(self.ask() for _ in range(5))
            self.assertEqual(said, {"a": 3, "b": 2})

    def test_two_choices_obeys_weights_when_nothing_is_under_way(self):
        self.start("weights = [ 1, 0, 0 ];")
        self.assertEqual({self.ask() for _ in range(20)}, {"a"})

    def test_hash_keeps_a_person_at_an_endpoint_and_spreads_people(self):
        self.start('balance = "hash";', 'identity = [ "header:x-user" ];')
        seen = {}
        for user in range(60):
            fields = [("x-user", f"user-{user}")]
            seen[user] = self.ask(fields)
            self.assertEqual(self.ask(fields), seen[user])
        self.assertEqual(set(seen.values()), set(NAMES))
        # One endpoint less moves only its own people, and a reload by itself nobody.
        self.proxy.reload("10-test.cfg", config_text(
            self.text(self.ports[:2], 'balance = "hash";'), more='identity = [ "header:x-user" ];'))
        for user, name in seen.items():
            now = self.ask([("x-user", f"user-{user}")])
            self.assertTrue(now == name if name != "c" else now in ("a", "b"))

    def test_hash_without_an_identity_goes_by_the_address(self):
        self.start('balance = "hash";', 'trusted_proxies = [ "127.0.0.1" ];')
        seen = {}
        for address in (*(f"192.0.2.{i}" for i in range(30)), *(f"2001:db8:{i}::7" for i in range(30))):
            seen[address] = self.ask([("x-forwarded-for", address)])
        self.assertEqual(set(seen.values()), set(NAMES))
        for address, name in seen.items():
            self.assertEqual(self.ask([("x-forwarded-for", address)]), name)
            if ":" in address:  # another address of the same network is the same client
                self.assertEqual(self.ask([("x-forwarded-for", address + "7")]), name)


if __name__ == "__main__":
    main()
