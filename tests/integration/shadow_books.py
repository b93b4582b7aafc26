"""Every copy that is sampled is sent or dropped for one reason, and none outlives its time: whatever
the client, the two sides, the operator or the process does meanwhile."""

import os
import signal
import socket
import subprocess
import threading

from certificates import Authority, server_context
from hand_over_clients import Visitors, adopt_orphans, hand_over
from http1_backend import Http1Backend, answer_bytes, serving
from http1_client import Http1Client
from http2_peer import MAX_STREAMS, Http2Backend
from shadow_case import JSON, ShadowCase, saying
from strangler_test import main, wait_until

WRITES = {"isolated": True, "module": 'shadow_writes = "sandbox";'}


def silent(connection):
    """A script: reads, and never answers."""
    connection.wait_end()


def swallowing(connection):
    """A script: forgets each body as it comes."""
    request = connection.read_head()
    left = int(request.value("content-length")) - len(connection.buffer)
    while left > 0:
        left -= len(connection.socket.recv(1 << 20))
    connection.send(answer_bytes())


class FullBacklog:
    """A listener that nobody can connect to: its queue is full, and the kernel drops the rest."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            self.waiting.append(sock)

    def close(self):
        for sock in [*self.waiting, self.listener]:
            sock.close()


class Drops(ShadowCase):
    """Each reason once; wait_settled balances the books."""

    def check(self, sampled: int, **drops: int):
        self.wait_settled(sampled)
        self.assertEqual(self.drops(), drops)

    def client(self) -> Http1Client:
        return self.closing(Http1Client(self.proxy.plain))

    def test_no_more_than_max_inflight_are_under_way(self):
        gate = threading.Event()

        def held(request):
            gate.wait(20)
            return answer_bytes(b"{}", fields=JSON)
        self.start(saying({}), serving(held), shadow='max_inflight = 1; timeout = "60s";')
        for _ in range(3):
            self.get()
        gate.set()
        self.check(3, queue_full=2)

    def test_what_would_take_too_much_memory_is_dropped(self):
        self.start(swallowing, saying({}), **WRITES,
                   shadow='methods = [ "POST" ]; max_body = "100MiB";')
        upload = os.path.join(self.folder, "upload")
        with open(upload, "wb") as file:
            file.truncate(40 * 1024 * 1024)
        self.assertEqual(self.get("/api", "-T", upload, "-X", "POST").status, 200)
        self.check(1, memory=1)

    def test_a_body_that_is_too_long_is_not_sent(self):
        self.start(saying({}), saying({}), **WRITES,
                   shadow='methods = [ "POST" ]; max_body = "1KiB";')
        self.get("/api", "-d", "x" * 5000)
        self.check(1, body_limit=1)
        client = self.client()
        client.start("/api", "POST", [("transfer-encoding", "chunked")])
        for _ in range(3):
            client.send_chunk(b"x" * 500)
        # The copy has gone while the client's request goes on.
        self.check(2, body_limit=2)
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.read().status, 200)
        self.assertEqual(self.extracted.requests, [])

    def test_what_cannot_be_sent_in_time_is_too_late(self):
        nobody = self.closing(FullBacklog())
        self.start_between(self.backend(saying({})), nobody, shadow='timeout = "200ms";')
        self.get()
        self.check(1, deadline=1)

    def test_what_waits_for_a_free_stream_too_long_is_too_late(self):
        def never_again(connection):
            """What was sent before our settings came is answered when they have been heard."""
            connection.begin({MAX_STREAMS: 0})
            request = connection.read_request()
            while not connection.settings_heard:
                connection.take_frame()
            connection.answer(request.stream, b"{}", fields=JSON)
            connection.wait_end()
        extracted = self.closing(Http2Backend(never_again))
        self.start_between(self.backend(saying({})), extracted, protocol="h2",
                           shadow='timeout = "1s";', workers=1)
        # Each connection takes one, and there is an end to new connections.
        asked = 0
        while not self.drops():
            self.get()
            asked += 1
            self.wait_settled(asked)
        self.assertEqual(self.drops(), {"deadline": 1})
        self.assertLessEqual(len(extracted.requests), asked - 1)

    def test_a_write_without_an_answer_is_too_late(self):
        gate = threading.Event()

        def late(request):
            gate.wait(20)
            return answer_bytes(b"{}", fields=JSON)
        self.start(serving(late), saying({}), **WRITES,
                   shadow='methods = [ "POST" ]; timeout = "50ms";')
        client = self.client()
        client.start("/api", "POST", [("content-length", "0")])
        self.check(1, deadline=1)
        gate.set()
        self.assertEqual(client.read().status, 200)
        self.assertEqual(self.extracted.requests, [])

    def test_a_side_that_is_down_is_sent_nothing(self):
        self.start(saying({}), saying({}))
        self.extracted.close()
        self.get()
        self.check(1, backend_down=1)

    def ask_until_it_rests(self, reason: str):
        """After 20 copies that were of no use; on a slow machine a rest may be over by then."""
        asked = 20
        while not self.drops():
            self.assertEqual(self.get().status, 200)
            asked += 1
            self.assertLess(asked, 60)
        self.wait_settled(asked)
        self.assertEqual(set(self.drops()), {reason})

    def test_a_side_that_fails_each_copy_rests_for_a_second(self):
        well = threading.Event()
        good = saying({"id": 1})

        def failing(connection):
            if well.is_set():
                good(connection)
            else:
                connection.read_request()
                connection.reset()
        self.start(saying({"id": 1}), failing)
        for number in range(20):
            self.get()
            wait_until("a verdict", lambda number=number: self.verdicts().get("error") == number + 1)
        self.ask_until_it_rests("backend_down")
        well.set()

        def is_asked_again():
            self.get()
            return self.verdicts().get("match", 0) > 0
        wait_until("it is asked again", is_asked_again)

    def test_a_side_whose_answers_are_too_long_rests_too(self):
        large = answer_bytes(b"x" * 2000)
        self.start(saying({"id": 1}), serving(lambda request: large), shadow='max_body = "1KiB";')
        for number in range(20):
            self.get()
            self.wait_verdict("not_comparable", number + 1)
        self.ask_until_it_rests("body_limit")

    def test_a_side_without_a_trusted_connection_is_sent_nothing(self):
        authority, stranger = Authority(self.folder), Authority(self.folder, "stranger")
        certificate, key = stranger.issue("server", "DNS:users.test")
        server = Http1Backend(saying({}), tls=server_context(certificate, key))
        self.start_between(self.backend(saying({})), self.closing(server),
                           more=f'tls: {{ ca = "{authority.path}"; server_name = "users.test"; }};')
        self.get()
        self.check(1, backend_down=1)

    def test_a_write_is_unsafe(self):
        self.start(saying({}), saying({}), shadow='methods = [ "POST" ];')
        self.get("/api", "-d", "x")
        self.check(1, unsafe=1)

    def test_a_tunnel_is_not_copied(self):
        def switch(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                            b"connection: upgrade\r\n"
                            b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            connection.wait_end()
        self.start(switch, saying({}))
        self.change('prefix = "/api";', 'prefix = "/api"; websocket = true;')
        client = self.client()
        client.start("/api/chat", fields=[
            ("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")])
        self.assertEqual(client.read_head().status, 101)
        self.check(1, upgrade=1)
        client.reset()

    def test_half_a_request_of_a_client_that_left_is_not_sent(self):
        self.start(saying({}), saying({}), **WRITES, shadow='methods = [ "POST" ];')
        client = self.client()
        client.start("/api", "POST", [("content-length", "10")])
        client.send(b"12345")
        wait_until("a copy", lambda: self.proxy.total("strangler_shadows_in_flight") == 1)
        client.reset()
        self.check(1, client_gone=1)
        self.assertEqual(self.extracted.requests, [])

    def test_a_draining_proxy_begins_no_copies(self):
        gate = threading.Event()

        def held(request):
            if request.target == "/api/held":
                gate.wait(100)
            return answer_bytes(b"{}", fields=JSON)
        self.start(serving(held), saying({}))
        self.addCleanup(gate.set)
        holding, late = self.client(), self.client()
        holding.start("/api/held")
        wait_until("it is held", lambda: self.legacy.requests)
        late.send(b"GET /api/late HTTP/1.1\r\n")
        self.proxy.wait_total(2, "strangler_connections", protocol="http/1.1")
        self.proxy.process.send_signal(signal.SIGQUIT)
        # Only now has every worker heard of it.
        wait_until("draining", lambda: "draining" in self.proxy.errors())
        late.send(b"host: a\r\n\r\n")
        self.assertEqual(late.read().status, 200)
        wait_until("the late one is shed", lambda: self.drops() == {"shed": 1})
        gate.set()
        self.assertEqual(holding.read().status, 200)
        self.assertEqual(self.proxy.wait_exit(), 0)


class Lives(ShadowCase):
    def test_copies_take_the_way_that_the_backend_asks_for(self):
        authority = Authority(self.folder)
        certificate, key = authority.issue("server", "DNS:users.test")
        server = Http1Backend(saying({"id": 1}), tls=server_context(certificate, key))
        self.start_between(self.backend(saying({"id": 1})), self.closing(server),
                           more=f'tls: {{ ca = "{authority.path}"; server_name = "users.test"; }};')
        self.get()
        self.wait_verdict("match", 1)
        self.assertEqual(server.handshake_faults, [])

    def test_a_stream_without_end_holds_no_place(self):
        def events(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n")
            connection.wait_end()
        self.start(events, saying({}), shadow='timeout = "1s";')
        client = self.closing(Http1Client(self.proxy.plain))
        client.start("/api/events")
        client.read_until(b"data: 1\n\n")
        self.wait_settled(1)
        self.assertEqual(self.verdicts(), {"error": 1})
        self.assertEqual(self.proxy.total("strangler_live_exchanges"), 1)
        client.reset()

    def test_an_answer_too_long_to_be_kept_is_not_waited_for(self):
        gate = threading.Event()

        def endless(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n" + b"x" * 5000)
            gate.wait(20)
            connection.send(b"x" * 5000)
        self.start(endless, saying({}), shadow='max_body = "1KiB";')
        client = self.closing(Http1Client(self.proxy.plain))
        client.start("/api/long")
        answer = client.read_head()
        self.wait_settled(1)
        self.assertEqual(self.verdicts(), {"not_comparable": 1})
        gate.set()
        client.read_answer_body(answer)
        self.assertEqual(len(answer.body), 10000)

    def test_both_sides_hear_where_the_client_wanted_to_go(self):
        for stage, rewritten in (("shadow", lambda s: s.extracted), ("live", lambda s: s.extracted)):
            self.start(saying({"id": 1}), saying({"id": 1}), stage=stage,
                       module='compare: { baseline = "100%"; };')
            self.change('prefix = "/api";',
                        'prefix = "/api"; rewrite: { regex = "^/api/(.*)"; path = "/v2/$1"; };')
            self.get("/api/users/1", "-H", "x-original-path: /spoofed")
            self.wait_settled(1)
            wait_until("three requests",
                       lambda: len(self.legacy.requests + self.extracted.requests) == 3)
            for request in rewritten(self).requests:
                self.assertEqual((request.target, request.values("x-original-path")),
                                 ("/v2/users/1", ["/api/users/1"]))
            for request in self.legacy.requests:
                self.assertEqual((request.target, request.values("x-original-path")),
                                 ("/api/users/1", []))

    def test_a_key_of_the_client_is_its_own(self):
        self.start(saying({}), saying({}), **WRITES, shadow='methods = [ "POST" ];')
        self.get("/api", "-d", "x", "-H", "idempotency-key: mine")
        self.wait_settled(1)
        self.assertEqual(self.extracted.requests[0].values("idempotency-key"), ["mine"])

    def test_large_heads_are_paid_for(self):
        fields = [*JSON, *((f"x-large-{i}", "y" * 5000) for i in range(10))]
        gate = threading.Event()

        def held(request):
            gate.wait(20)
            return answer_bytes(b"{}", fields=fields)
        self.start(serving(lambda request: answer_bytes(b"{}", fields=fields)), serving(held),
                   shadow='max_inflight = 1000; timeout = "20s";')
        for _ in range(10):
            self.get()
        before = self.proxy.total("strangler_shadow_memory_bytes")
        self.assertGreater(before, 10 * 50000)
        gate.set()
        self.wait_settled(10)

    def test_a_reload_lets_copies_end_under_the_rules_that_they_began_with(self):
        gate = threading.Event()

        def held(request):
            gate.wait(20)
            return answer_bytes(b'{"id":1}', fields=JSON)
        self.start(saying({"id": 1}), serving(held))
        for _ in range(5):
            self.get()
        text = self.proxy_text()
        self.proxy.reload("10-test.cfg", text[:text.index("identity")].replace("users:", "other:"))
        self.assertEqual(self.proxy.total("strangler_shadows_in_flight"), 5)
        gate.set()
        self.wait_settled(5)
        self.assertEqual(self.verdicts(), {"match": 5})

    def test_copies_hold_no_end_up(self):
        for number in (signal.SIGQUIT, signal.SIGTERM):
            self.start(saying({}), silent, shadow='timeout = "60s"; max_inflight = 1000;')
            for _ in range(5):
                self.get()
            self.assertEqual(self.proxy.total("strangler_shadows_in_flight"), 5)
            self.assertEqual(self.proxy.stop(number), 0)

    def test_an_end_in_the_middle_of_everything_is_an_orderly_one(self):
        self.start(saying({"id": 1}), saying({"id": 2}), shadow='max_inflight = 1000;',
                   module='compare: { baseline = "100%"; };')
        urls = f"http://127.0.0.1:{self.proxy.plain}/api"
        with subprocess.Popen(["h2load", "-n", "1000000", "-c", "4", "-m", "8", urls],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
            wait_until("mismatches", lambda: self.verdicts().get("mismatch", 0) > 0)
            self.assertEqual(self.proxy.stop(), 0)
            load.terminate()

    def test_reloads_and_hand_overs_meanwhile_lose_no_request_and_no_copy(self):
        never = threading.Event()

        def slow(request):
            never.wait(0.2)
            return answer_bytes(b'{"id":2}', fields=JSON)
        self.start(saying({"id": 1}), serving(slow), module='compare: { baseline = "100%"; };')
        self.change('prefix = "/api"', 'prefix = "/"')

        def copies_are_under_way():
            return self.proxy.total("strangler_shadows_in_flight") > 0
        with Visitors(self.proxy.plain, self.proxy.tls) as visitors:
            for number in range(6):
                visitors.wait_for_each(3)
                wait_until("copies", copies_are_under_way)
                if number % 2 == 0:
                    self.change("shadow: {", "shadow: { ")  # the same in other words
                else:
                    hand_over(self.proxy)  # an end with status 0: what it had sampled adds up
            visitors.wait_for_each(3)
        self.assertEqual(visitors.faults(), [])
        self.wait_settled(self.total("shadow_sampled_total"))
        self.assertGreater(self.total("shadow_sent_total"), 0)
        self.assertEqual(self.extracted.faults, [])


if __name__ == "__main__":
    adopt_orphans()
    main()
