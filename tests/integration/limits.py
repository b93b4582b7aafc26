"""How much a backend is given to do at once: what is beyond waits, not for long, and is refused when
too many wait."""

import threading
import time

from http1_backend import Http1Backend, answer_bytes, echo_body, named
from http2_peer import Http2Backend, Http2Client, serving2
from strangler_test import ProxyCase, backend_text, config_text, main, run_all, wait_until


class Gate:
    """Answers wait in it until let through, and it knows how many are in it."""

    def __init__(self):
        self.condition = threading.Condition()
        self.inside = 0
        self.most = 0
        self.tickets = 0

    def enter(self):
        with self.condition:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.condition.wait_for(lambda: self.tickets > 0, 20)
            self.tickets -= 1
            self.inside -= 1

    def let(self, count: int):
        with self.condition:
            self.tickets += count
            self.condition.notify_all()

    def wait_inside(self, count: int):
        wait_until(f"{count} requests at the backend", lambda: self.inside == count)


class Limits(ProxyCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate()

    def gated(self, connection):
        while True:
            request = connection.read_request()
            self.gate.enter()
            connection.send(answer_bytes(echo_body(request)))

    def gated_h2(self, connection):
        connection.begin()
        while True:
            stream = connection.read_request().stream

            def answer(stream=stream):
                self.gate.enter()
                connection.answer(stream, b"done")
            threading.Thread(target=answer, daemon=True).start()

    def start(self, limits: str, protocol: str = "http/1.1", workers: int = 1,
              timeouts: str = 'connect = "10s";'):
        kind, script = (Http2Backend, self.gated_h2) if protocol == "h2" else \
            (Http1Backend, self.gated)
        self.backend = self.closing(kind(script))
        self.addCleanup(self.gate.let, 1000)
        self.protocol = protocol
        self.proxy = self.start_proxy(self.text(limits, timeouts), workers=workers)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def text(self, limits: str, timeouts: str = 'connect = "10s";') -> str:
        return config_text(backend_text("monolith", self.backend.port, self.protocol,
                                        f"limits: {{ {limits} }}; timeouts: {{ {timeouts} }};"))

    def reached(self, limit: str) -> float:
        return self.proxy.total("strangler_backend_limit_reached_total", backend="monolith",
                                limit=limit)

    def wait_pending(self, count: int):
        self.proxy.wait_total(count, "strangler_backend_pending", backend="monolith")

    def expect_refusal(self, answer):
        self.assertEqual((answer.status, answer.reset), (503, None))
        self.assertEqual(answer.value("retry-after"), "1")
        self.assertEqual(answer.value("content-type"), "application/problem+json")

    def check_waiting(self):
        streams = [self.client.start(f"/{i}") for i in range(5)]
        self.gate.wait_inside(2)
        self.wait_pending(3)
        self.assertEqual(self.proxy.total("strangler_backend_streams"), 2)
        self.gate.let(1)
        while not self.client.done:
            self.client.take_frame()
        self.gate.wait_inside(2)
        self.gate.let(4)
        for stream in streams:
            self.assertEqual(self.client.wait(stream).status, 200)
        self.assertEqual(self.gate.most, 2)
        # Each pair goes to two threads of the backend at the same time.
        targets = [request.target for request in self.backend.requests]
        self.assertEqual((set(targets[:2]), targets[2], set(targets[3:])),
                         ({"/0", "/1"}, "/2", {"/3", "/4"}))
        self.assertEqual(self.reached("in_flight"), 1)  # the others found a queue
        self.assertEqual(self.proxy.fault_count("monolith", "overload"), 0)
        self.wait_pending(0)

    def test_requests_beyond_in_flight_wait_in_their_order(self):
        self.start("in_flight = 2;")
        self.check_waiting()

    def test_requests_beyond_in_flight_wait_in_their_order_with_h2(self):
        self.start("in_flight = 2;", "h2")
        self.check_waiting()
        self.assertEqual(self.backend.connection_count, 1)

    def test_when_too_many_wait_the_next_is_refused_at_once(self):
        self.start("in_flight = 1; pending = 1;")
        streams = [self.client.start() for _ in range(2)]
        self.gate.wait_inside(1)
        self.wait_pending(1)
        self.expect_refusal(self.client.ask("/"))
        self.expect_refusal(self.client.ask("/", "POST", body=b"x" * 100_000))
        self.assertEqual(self.proxy.fault_count("monolith", "overload"), 2)
        self.assertEqual(self.reached("pending"), 2)
        self.gate.let(2)
        for stream in streams:
            self.assertEqual(self.client.wait(stream).status, 200)

    def test_without_a_queue_everything_beyond_is_refused(self):
        self.start("in_flight = 1; pending = 0;")
        stream = self.client.start()
        self.gate.wait_inside(1)
        self.expect_refusal(self.client.ask("/"))
        self.gate.let(1)
        self.assertEqual(self.client.wait(stream).status, 200)

    def test_nobody_waits_longer_than_for_a_connection(self):
        self.start("in_flight = 1;", timeouts='connect = "200ms";')
        stream = self.client.start()
        self.gate.wait_inside(1)
        began = time.monotonic()
        self.expect_refusal(self.client.ask("/"))
        self.assertGreater(time.monotonic() - began, 0.19)
        self.assertEqual(self.proxy.fault_count("monolith", "overload"), 1)
        self.wait_pending(0)
        self.gate.let(1)
        self.assertEqual(self.client.wait(stream).status, 200)

    def test_what_was_sent_while_waiting_arrives_whole(self):
        self.start("in_flight = 1;")
        first = self.client.start()
        self.gate.wait_inside(1)
        body = bytes(range(256)) * 800
        stream = self.client.start("/body", "POST", ends=False)
        self.client.send_body(stream, body[:100_000], ends=False)
        self.wait_pending(1)
        self.gate.let(2)
        self.client.send_body(stream, body[100_000:])
        self.assertEqual(self.client.wait(first).status, 200)
        self.assertEqual(self.client.wait(stream).json()["length"], len(body))
        self.assertEqual(self.backend.requests[1].body, body)

    def test_a_client_that_gives_up_gives_up_its_place(self):
        self.start("in_flight = 1; pending = 1;")
        first = self.client.start()
        self.gate.wait_inside(1)
        other = Http2Client(self.proxy.plain)
        other.start()
        self.wait_pending(1)
        other.close()
        self.wait_pending(0)
        second = self.client.start()
        self.wait_pending(1)
        self.gate.let(2)
        for stream in (first, second):
            self.assertEqual(self.client.wait(stream).status, 200)
        self.assertEqual(len(self.backend.requests), 2)

    def test_one_connection_is_used_in_turn(self):
        self.start("connections = 1;")
        streams = [self.client.start() for _ in range(4)]
        self.gate.wait_inside(1)
        self.wait_pending(3)
        self.gate.let(4)
        for stream in streams:
            self.assertEqual(self.client.wait(stream).status, 200)
        self.assertEqual((self.gate.most, self.backend.connection_count), (1, 1))
        self.assertEqual(self.reached("connections"), 1)

    def test_one_connection_carries_many_requests_with_h2(self):
        self.start("connections = 1;", "h2")
        streams = [self.client.start() for _ in range(20)]
        self.gate.wait_inside(20)
        self.gate.let(20)
        for stream in streams:
            self.assertEqual(self.client.wait(stream).status, 200)
        self.assertEqual(self.backend.connection_count, 1)

    def test_the_limit_holds_for_all_workers_together(self):
        self.start("in_flight = 3;", workers=2)
        clients = [self.closing(Http2Client(self.proxy.plain)) for _ in range(8)]
        streams = [(client, [client.start() for _ in range(3)]) for client in clients]
        self.gate.wait_inside(3)
        self.wait_pending(21)
        self.gate.let(24)

        def wait_all(client, ids):
            for stream in ids:
                self.assertEqual(client.wait(stream).status, 200)
        run_all([lambda pair=pair: wait_all(*pair) for pair in streams])
        self.assertEqual(self.gate.most, 3)

    def test_a_reload_that_raises_the_limit_is_obeyed_by_the_next_request(self):
        self.start("in_flight = 1; pending = 0;")
        first = self.client.start()
        self.gate.wait_inside(1)
        self.expect_refusal(self.client.ask("/"))
        self.proxy.reload("10-test.cfg", self.text("in_flight = 2; pending = 0;"))
        second = self.client.start()
        self.gate.wait_inside(2)
        self.gate.let(2)
        for stream in (first, second):
            self.assertEqual(self.client.wait(stream).status, 200)

    def test_a_read_that_finds_no_room_may_fall_back(self):
        self.backend = self.closing(Http1Backend(self.gated))
        self.addCleanup(self.gate.let, 1000)
        legacy = self.closing(Http1Backend(named("legacy")))
        for pending in (0, 1):  # refused at once, or after some time
            proxy = self.start_proxy(config_text(
                backend_text("monolith", legacy.port),
                backend_text("users", self.backend.port, more=f"""
                    limits: {{ in_flight = 1; pending = {pending}; }};
                    timeouts: {{ connect = "100ms"; }};"""),
                more="""modules: { users: {
                    legacy = "monolith"; extracted = "users"; stage = "live"; on_error = "fallback";
                    fallback_after = "10s"; routes: { all: { prefix = "/"; }; }; }; };"""), workers=1)
            client = self.closing(Http2Client(proxy.plain))
            first = client.start()
            self.gate.wait_inside(1)
            self.assertEqual(client.ask("/").body, b"legacy")
            self.gate.let(1)
            self.assertEqual(client.wait(first).status, 200)

    def test_one_backend_that_is_full_does_not_hold_up_another(self):
        self.backend = self.closing(Http1Backend(self.gated))
        self.addCleanup(self.gate.let, 1000)
        other = self.closing(Http2Backend(serving2(
            lambda connection, request: connection.answer(request.stream, b"other"))))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, more="limits: { in_flight = 1; };"),
            backend_text("other", other.port, "h2"),
            more='routes: { o: { prefix = "/o"; backend = "other"; }; };'), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))
        streams = [self.client.start() for _ in range(3)]
        self.gate.wait_inside(1)
        self.assertEqual(self.client.ask("/o").body, b"other")
        self.gate.let(3)
        for stream in streams:
            self.client.wait(stream)


if __name__ == "__main__":
    main()
