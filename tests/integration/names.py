"""Endpoints by host name: found by DNS without a pause, found again when the answer expires, and used
on when nobody answers."""

import random
import time

from certificates import Authority, server_context
from dns_server import A, AAAA, NAME_ERROR, SERVER_FAILURE, DnsServer
from http1_backend import Http1Backend, answer_bytes, named, serving
from http2_peer import Http2Client
from strangler_test import ProxyCase, config_text, free_port, main, wait_until

NAME = "users.test"


class Names(ProxyCase):
    def setUp(self):
        super().setUp()
        self.dns = self.closing(DnsServer())
        self.port = free_port()

    def backend(self, address: str, **more) -> Http1Backend:
        """Its answers say the address."""
        return self.closing(Http1Backend(named(address), self.port, host=address, **more))

    def text(self, endpoints: str = "", keys: str = "", more: str = "") -> str:
        endpoints = endpoints or f'"{NAME}:{self.port}"'
        return config_text(f"monolith: {{ endpoints = [ {endpoints} ]; {keys} }};",
                           more=f'resolver = "127.0.0.1:{self.dns.port}";\n{more}')

    def start(self, *arguments, **more):
        self.proxy = self.start_proxy(self.text(*arguments, **more))
        self.client = self.closing(Http2Client(self.proxy.plain))

    def said(self, count: int = 30) -> set:
        answers = [self.client.ask("/") for _ in range(count)]
        self.assertEqual({answer.status for answer in answers}, {200})
        return {answer.body.decode() for answer in answers}

    def wait_said(self, *addresses: str):
        """Without a request that failed on the way there."""
        wait_until(f"endpoints {addresses}", lambda: self.said(20) == set(addresses))

    def test_all_addresses_of_a_name_are_endpoints(self):
        self.backend("127.0.0.1")
        self.backend("127.0.0.2")
        self.dns.says(NAME, "127.0.0.1", "127.0.0.2", ttl=3600)
        self.start()
        self.assertEqual(self.said(), {"127.0.0.1", "127.0.0.2"})  # from the first request on
        self.assertEqual(set(self.dns.questions), {(NAME, A), (NAME, AAAA)})
        for address in ("127.0.0.1", "127.0.0.2"):
            self.assertEqual(self.proxy.total("strangler_endpoint_healthy", backend="monolith",
                                              endpoint=f"{address}:{self.port}"), 1)

    def test_ipv6_addresses_are_endpoints_too(self):
        self.dns.says(NAME, "::1", "127.0.0.1", ttl=3600)
        self.backend("127.0.0.1")
        self.start()
        self.assertEqual(self.said(), {"127.0.0.1"})  # nobody listens on ::1
        self.assertEqual(self.proxy.total("strangler_endpoint_failures_total",
                                          endpoint=f"[::1]:{self.port}") > 0, True)

    def test_the_next_answer_is_obeyed_when_the_first_expires(self):
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            self.backend(address)
        self.dns.says(NAME, "127.0.0.1", ttl=1)
        self.start()
        generation = self.proxy.total("strangler_config_generation")
        self.wait_said("127.0.0.1")
        self.dns.says(NAME, "127.0.0.2", "127.0.0.3", ttl=1)
        self.wait_said("127.0.0.2", "127.0.0.3")
        self.dns.says(NAME, "127.0.0.3", ttl=0)
        self.wait_said("127.0.0.3")
        self.assertEqual(self.proxy.total("strangler_config_generation"), generation)
        before = self.dns.asked(NAME)
        began = time.monotonic()
        wait_until("it is asked again", lambda: self.dns.asked(NAME) >= before + 4)
        self.assertGreater(time.monotonic() - began, 1)  # a ttl of 0 is 1 s here

    def test_what_is_gone_loses_its_idle_connections(self):
        first = self.backend("127.0.0.1")
        self.backend("127.0.0.2")
        self.dns.says(NAME, "127.0.0.1", ttl=1)
        self.start(keys='timeouts: { keep_alive = "60s"; };')
        self.wait_said("127.0.0.1")
        self.dns.says(NAME, "127.0.0.2", ttl=3600)
        self.wait_said("127.0.0.2")
        wait_until("its connections are closed", lambda: all(
            sock.fileno() < 0 for sock in first.sockets))

    def test_a_failure_keeps_the_last_addresses(self):
        failures = {"broken.test": {"code": SERVER_FAILURE}, "gone.test": {"code": NAME_ERROR},
                    "empty.test": {}}
        addresses = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
        for name, address in zip(failures, addresses):
            self.backend(address)
            self.dns.says(name, address, ttl=1)
        self.start(", ".join(f'"{name}:{self.port}"' for name in failures))
        self.wait_said(*addresses)
        for name, failure in failures.items():
            self.dns.says(name, **failure)
        before = {name: self.dns.asked(name) for name in failures}
        wait_until("each has failed twice", lambda: all(
            self.dns.asked(name) > before[name] + 2 for name in failures))
        self.assertEqual(self.said(100), set(addresses))
        for name in failures:
            self.assertIn(f"the host name {name} cannot be resolved", self.proxy.errors())
        self.backend("127.0.0.4")
        for name in failures:
            self.dns.says(name, "127.0.0.4", ttl=1)
        self.wait_said("127.0.0.4")
        for name in failures:
            self.assertIn(f"the host name {name} resolves again", self.proxy.errors())

    def test_it_starts_with_a_name_that_cannot_be_resolved(self):
        self.dns.says(NAME, code=NAME_ERROR)
        self.start()
        answer = self.client.ask("/")
        self.assertEqual((answer.status, answer.value("retry-after")), (503, "1"))
        self.assertIn("requests get 503 until it can", self.proxy.errors())
        self.assertEqual(self.proxy.fault_count("monolith", "no_endpoint"), 1)
        self.backend("127.0.0.1")
        self.dns.says(NAME, "127.0.0.1")
        wait_until("it is found", lambda: self.client.ask("/").status == 200)

    def test_requests_wait_for_the_first_answer_but_not_long(self):
        self.dns.says(NAME, silent=True)
        self.start(keys='timeouts: { connect = "300ms"; };')
        began = time.monotonic()
        self.assertEqual(self.client.ask("/").status, 503)
        self.assertGreater(time.monotonic() - began, 0.29)
        self.backend("127.0.0.1")
        stream = self.client.start("/", "POST", ends=False)
        self.client.send_body(stream, b"x" * 1000, ends=False)
        self.dns.says(NAME, "127.0.0.1")
        self.client.send_body(stream, b"y" * 1000)
        if self.client.wait(stream).status != 200:  # c-ares was not about to ask again
            wait_until("it is found", lambda: self.client.ask("/").status == 200)

    def test_a_truncated_answer_is_had_over_tcp(self):
        self.backend("127.0.0.1")
        self.dns.says(NAME, "127.0.0.1", truncated=True, ttl=3600)
        self.start()
        self.assertEqual(self.said(), {"127.0.0.1"})
        self.assertGreater(self.dns.over_tcp, 0)

    def test_an_alias_expires_with_its_shortest_record(self):
        self.backend("127.0.0.1")
        self.backend("127.0.0.2")
        self.dns.says(NAME, "127.0.0.1", alias="real.test", alias_ttl=1, ttl=3600)
        self.start()
        self.wait_said("127.0.0.1")
        self.dns.says(NAME, "127.0.0.2", alias="other.test", alias_ttl=3600, ttl=3600)
        self.wait_said("127.0.0.2")

    def test_no_more_endpoints_than_a_backend_may_have(self):
        addresses = [f"127.{i}.{k}.1" for i in (1, 2) for k in range(250)]
        chosen = {f"{address}:{self.port}" for address in addresses[:256]}
        self.dns.says(NAME, *random.Random(1).sample(addresses, 500), ttl=1, truncated=True)
        self.dns.says("other.test", "127.3.1.1", ttl=1)
        self.start(f'"{NAME}:{self.port}", "other.test:{self.port}"')

        def endpoints():
            return {dict(sample.labels)["endpoint"] for sample in self.proxy.metrics()
                    if sample.name == "strangler_endpoint_healthy"}
        wait_until("endpoints", lambda: len(endpoints()) > 200)
        before = self.dns.asked("other.test")
        wait_until("both are asked", lambda: self.dns.asked("other.test") > before + 2)
        self.assertEqual(endpoints(), chosen)
        self.dns.says(NAME, *reversed(addresses), ttl=1, truncated=True)
        before = self.dns.asked(NAME)
        wait_until("it is asked twice", lambda: self.dns.asked(NAME) > before + 2)
        self.assertEqual(endpoints(), chosen)
        self.assertEqual(self.proxy.errors().count(
            f"the host name {NAME} leads to more endpoints than"), 1)

    def test_another_order_of_the_same_addresses_changes_nothing(self):
        addresses = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
        for address in addresses:
            self.backend(address)
        self.dns.says(NAME, *reversed(addresses), ttl=1)
        self.proxy = self.start_proxy(self.text(keys='balance = "round_robin";'), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))
        for order in ((0, 2, 1), (2, 0, 1)):
            answers = [self.client.ask("/").body.decode() for _ in range(6)]
            begin = addresses.index(answers[0])
            self.assertEqual(answers, [addresses[(begin + i) % 3] for i in range(6)])
            self.dns.says(NAME, *(addresses[i] for i in order), ttl=1)
            before = self.dns.asked(NAME)
            wait_until("it is asked twice", lambda: self.dns.asked(NAME) > before + 2)

    def test_names_and_addresses_stand_side_by_side_with_their_weights(self):
        self.backend("127.0.0.1")
        self.backend("127.0.0.2")
        self.dns.says(NAME, "127.0.0.2", ttl=3600)
        self.start(f'"127.0.0.1:{self.port}", "{NAME}:{self.port}"', "weights = [ 1, 0 ];")
        self.assertEqual(self.said(), {"127.0.0.1"})

    def test_two_names_for_one_address(self):
        self.backend("127.0.0.1")
        self.dns.says(NAME, "127.0.0.1", ttl=3600)
        self.dns.says("other.test", "127.0.0.1", ttl=3600)
        self.start(f'"{NAME}:{self.port}", "other.test:{self.port}"')
        self.assertEqual(self.said(), {"127.0.0.1"})

    def test_tls_expects_the_name_that_led_there(self):
        authority = Authority(self.folder)
        seen = []
        context = server_context(*authority.issue("server", f"DNS:{NAME}"))
        context.sni_callback = lambda _, name, __: seen.append(name)
        self.backend("127.0.0.1", tls=context)
        self.dns.says(NAME, "127.0.0.1", ttl=3600)
        self.dns.says("other.test", "127.0.0.1", ttl=3600)
        tls = f'tls: {{ ca = "{authority.path}"; }};'
        self.start(keys=tls)
        self.assertEqual(self.said(), {"127.0.0.1"})
        self.assertEqual(set(seen), {NAME})
        self.proxy.reload("10-test.cfg", self.text(f'"other.test:{self.port}"', tls))
        self.assertEqual(self.client.ask("/").status, 502)
        self.assertIn("hostname mismatch", self.proxy.errors())

    def test_probes_follow_the_names(self):
        probed: dict = {}

        def script(address):
            def answer(request):
                if request.target == "/health":
                    probed[address] = request.value("host")
                return answer_bytes(address.encode())
            return serving(answer)
        for address in ("127.0.0.1", "127.0.0.2"):
            self.closing(Http1Backend(script(address), self.port, host=address))
        self.dns.says(NAME, "127.0.0.1", ttl=1)
        self.start(keys='health: { path = "/health"; interval = "100ms"; };')
        wait_until("a probe", lambda: probed == {"127.0.0.1": NAME})
        self.dns.says(NAME, "127.0.0.2", ttl=1)
        wait_until("another probe", lambda: "127.0.0.2" in probed)

    def test_a_reload_forgets_nothing_and_may_ask_somebody_else(self):
        self.backend("127.0.0.1")
        self.backend("127.0.0.2")
        self.dns.says(NAME, "127.0.0.1", ttl=3600)
        self.start()
        self.wait_said("127.0.0.1")
        asked = self.dns.asked(NAME)
        self.proxy.reload()
        self.assertEqual(self.said(), {"127.0.0.1"})
        self.assertEqual(self.dns.asked(NAME), asked)
        self.dns = self.closing(DnsServer())
        self.dns.says(NAME, "127.0.0.2", ttl=3600)
        self.proxy.reload("10-test.cfg", self.text())
        self.wait_said("127.0.0.2")

    def test_a_change_under_load_fails_no_request(self):
        addresses = [f"127.0.0.{i}" for i in range(1, 5)]
        for address in addresses:
            self.backend(address)
        self.dns.says(NAME, *addresses[:2], ttl=1)
        self.start()
        seen = self.said(50)
        for turn in range(1, 4):
            self.dns.says(NAME, addresses[turn], ttl=1)
            wait_until("all ask the new one", lambda: seen.update(self.said(50)) or
                       self.said(20) == {addresses[turn]})
        self.assertEqual(seen, set(addresses))


if __name__ == "__main__":
    main(at_once=4)
