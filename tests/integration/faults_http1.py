"""HTTP/1.1 backends that fall silent, vanish or answer at the limits. What they may say wrong, and
what becomes of their connections: tests/conformance/rfc9112_answers.py, backend_connections.py."""

import socket
import threading
import time

from http1_backend import Http1Backend, answer_bytes, named, once, serving
from http2_peer import INTERNAL_ERROR, Http2Client, ask_once
from scripted_site import SERVE, Reply
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
SAID = {
    "fine": answer_bytes(b"fine"),
    "status_99": b"HTTP/1.1 99 Low\r\ncontent-length: 0\r\n\r\n",
    "shorter_than_said": HEAD + b"content-length: 100\r\n\r\nabc",
    "half_a_chunk": CHUNKED + b"30\r\nabc",
    "zeros_without_end": CHUNKED + b"3\r\nabc\r\n" + b"0" * 1_000_000,
    "none": b"HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n",
    "same": b"HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\n",
}


class AnswersByPath(ProxyCase):
    """Each answer comes on a connection that the backend then closes."""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(Http1Backend(self.answer_by_path))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))
        self.client = self.closing(Http2Client(self.proxy.plain))

    @staticmethod
    def answer_by_path(connection):
        name = connection.read_request().target[1:]
        connection.send(b"HTTP/1.1 204 No\r\nx-large: " + b"y" * int(name) + b"\r\n\r\n"
                        if name.isdigit() else SAID[name])

    def test_a_head_close_to_the_limit_is_passed_or_refused_but_not_lost(self):
        for length in range(63_000, 65_600, 200):
            self.assertIn(self.client.ask(f"/{length}").status, (204, 502), length)
        self.assertEqual(self.client.ask("/60000").status, 204)

    def test_a_client_does_not_pay_for_what_its_backend_cuts(self):
        for _ in range(600):
            self.assertEqual(self.client.ask("/shorter_than_said").reset, INTERNAL_ERROR)
        self.assertEqual(self.client.ask("/fine").body, b"fine")
        self.assertEqual(self.client.goaways, [])

    def test_the_size_of_a_chunk_has_an_end(self):
        answer = self.client.ask("/zeros_without_end")
        self.assertEqual(answer.reset, INTERNAL_ERROR)
        self.assertEqual(self.proxy.fault_count("monolith", "malformed"), 1)

    def test_204_tells_no_length(self):
        for path, status, length in (("/none", 204, None), ("/same", 304, "5")):
            answer = self.client.ask(path)
            self.assertEqual((answer.status, answer.reset), (status, None))
            self.assertEqual(answer.value("content-length"), length)

    def test_the_access_log_has_what_became_of_them(self):
        for name in ("status_99", "half_a_chunk"):
            self.client.ask("/" + name)
        first, second = self.proxy.wait_log(2)
        self.assertEqual((first["status"], first["attempts"]), (502, 1))
        self.assertEqual((second["status"], second["bytes_sent"]), (200, 3))


class LimitedBodies(ProxyCase):
    def test_the_limit_of_a_body_holds_when_the_answer_has_begun(self):
        def script(connection):
            connection.read_head()
            connection.send(CHUNKED + b"3\r\nabc\r\n")
            connection.wait_end()
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port),
                                             more='limits: { body_bytes = "100KiB"; };'))
        client = self.closing(Http2Client(proxy.plain))
        stream = client.start("/", "POST", ends=False)
        client.wait_head(stream)
        client.send_body(stream, b"x" * 3_000_000)
        self.assertIsNotNone(client.wait(stream).reset)


class Silence(ProxyCase):
    def start(self, script, timeouts):
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", self.backend.port, more=f"timeouts: {{ {timeouts} }};")))

    def expect(self, status, reset, label):
        answer = ask_once(self.proxy.plain)
        self.assertEqual((answer.status, answer.reset), (status, reset))
        self.proxy.wait_total(1, "strangler_backend_errors_total", backend="monolith", fault=label)

    def test_no_first_byte_in_time_is_504(self):
        def script(connection):
            connection.read_request()
            connection.wait_end()
        self.start(script, 'first_byte = "200ms";')
        self.expect(504, None, "first_byte_timeout")

    def test_half_a_head_does_not_stop_the_first_byte_clock(self):
        def script(connection):
            connection.read_request()
            connection.send(HEAD)
            connection.wait_end()
        self.start(script, 'first_byte = "200ms";')
        self.expect(504, None, "first_byte_timeout")

    def test_silence_inside_an_answer_resets_it(self):
        def script(connection):
            connection.read_request()
            connection.send(HEAD + b"content-length: 10\r\n\r\nabc")
            connection.wait_end()
        self.start(script, 'idle = "200ms";')
        self.expect(200, INTERNAL_ERROR, "idle_timeout")

    def test_an_answer_that_dribbles_is_bounded_by_total(self):
        def script(connection):
            connection.read_request()
            connection.send(CHUNKED)
            while not connection.has_input(0.02):
                connection.send(b"1\r\nx\r\n")
        self.start(script, 'total = "2s"; idle = "10s";')
        self.expect(200, INTERNAL_ERROR, "total_timeout")

    def test_an_answer_that_dribbles_lives_longer_than_idle(self):
        def script(connection):
            connection.read_request()
            connection.send(CHUNKED)
            for _ in range(40):
                connection.send(b"1\r\nx\r\n")
                connection.has_input(0.06)
            connection.send(b"0\r\n\r\n")
            connection.wait_end()
        self.start(script, 'idle = "2s";')
        answer = ask_once(self.proxy.plain)
        self.assertEqual((answer.body, answer.reset), (b"x" * 40, None))

    def test_no_answer_by_total_is_504(self):
        def script(connection):
            connection.read_request()
            connection.wait_end()
        self.start(script, 'total = "200ms";')
        self.expect(504, None, "total_timeout")

    def test_a_backend_that_accepts_nobody_is_504(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = []
            while True:  # until the kernel answers no more
                sock = self.closing(socket.socket())
                sock.settimeout(0.3)
                waiting.append(sock)
                try:
                    sock.connect(full.getsockname())
                except TimeoutError:
                    break
            self.proxy = self.start_proxy(config_text(backend_text(
                "monolith", full.getsockname()[1], more='timeouts: { connect = "200ms"; };')))
            self.expect(504, None, "connect_timeout")

    def test_a_backend_that_is_not_there_is_502_at_once(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.proxy = self.start_proxy(config_text(backend_text(
                "monolith", closed.getsockname()[1])))
            began = time.monotonic()
            self.expect(502, None, "connect")
            self.assertLess(time.monotonic() - began, 5)

    def test_reset_in_the_middle_of_a_body_resets_the_stream(self):
        def script(connection):
            connection.read_request()
            connection.send(HEAD + b"content-length: 100000\r\n\r\n" + b"x" * 5000)
            connection.backend.head_seen.wait(20)
            connection.reset()
        self.start(script, "")
        self.backend.head_seen = threading.Event()
        client = self.closing(Http2Client(self.proxy.plain))
        stream = client.start()
        while len(client.answers.get(stream).body if stream in client.answers else b"") < 5000:
            client.take_frame()
        self.backend.head_seen.set()
        self.assertEqual(client.wait(stream).reset, INTERNAL_ERROR)


def mirror(request) -> Reply:
    return Reply(body=request.body)


class SeveralEndpoints(ProxyCase):
    def start_beside_a_dead_one(self, good: int, protocol: str, names) -> tuple:
        """A backend for each name, at /name, of which the first request meets the dead endpoint."""
        closed = self.closing(socket.socket())
        closed.bind(("127.0.0.1", 0))
        endpoints = f'"127.0.0.1:{closed.getsockname()[1]}", "127.0.0.1:{good}"'
        backends = [f'{name}: {{ endpoints = [ {endpoints} ]; protocol = "{protocol}"; '
                    'balance = "round_robin"; };' for name in names]
        routes = [f'{name}: {{ prefix = "/{name}"; backend = "{name}"; }};' for name in names]
        proxy = self.start_proxy(config_text(*backends, default=names[0],
                                             more=f"routes: {{ {' '.join(routes)} }};"))
        return proxy, self.closing(Http2Client(proxy.plain))

    def check_dead_one(self, protocol: str):
        bodies = {"none": None, "empty": [b""], "one": [b"x"], "pieces": [b"a" * 10, b"b" * 20],
                  "large": [b"c" * 300000]}
        good = self.closing(SERVE[protocol](mirror))
        proxy, client = self.start_beside_a_dead_one(good.port, protocol, list(bodies))
        for name, pieces in bodies.items():
            stream = client.start(f"/{name}", "POST", ends=pieces is None)
            for piece in pieces or []:
                client.send_body(stream, piece, ends=piece is pieces[-1])
            answer = client.wait(stream)
            self.assertEqual((answer.status, answer.body), (200, b"".join(pieces or [])), name)
            self.assertEqual(proxy.fault_count(name, "connect"), 1, name)

    def test_a_dead_endpoint_costs_no_request_with_or_without_a_body(self):
        self.check_dead_one("http/1.1")

    def test_a_dead_endpoint_of_h2_costs_no_request_either(self):
        self.check_dead_one("h2")

    def test_a_body_that_comes_late_goes_to_the_second_endpoint(self):
        good = self.closing(SERVE["http/1.1"](mirror))
        proxy, client = self.start_beside_a_dead_one(good.port, "http/1.1", ["late"])
        stream = client.start("/late", "POST", ends=False)
        wait_until("a refused connection", lambda: proxy.fault_count("late", "connect") == 1)
        client.send_body(stream, b"at last")
        self.assertEqual(client.wait(stream).body, b"at last")

    def test_what_one_endpoint_said_is_not_mixed_into_the_answer_of_another(self):
        liar = self.closing(Http1Backend(once(
            b"HTTP/1.1 100 Go\r\ncontent-length: 10\r\n\r\n0123456789")))
        honest = self.closing(Http1Backend(named("honest")))
        proxy = self.start_proxy(config_text(
            f'monolith: {{ endpoints = [ "127.0.0.1:{liar.port}", "127.0.0.1:{honest.port}" ]; '
            'balance = "round_robin"; };'))
        client = self.closing(Http2Client(proxy.plain))
        for _ in range(30):
            answer = client.ask("/")
            self.assertTrue(answer.status == 502 or answer.body == b"honest", answer)


if __name__ == "__main__":
    main()
