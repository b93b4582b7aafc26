"""One of three endpoints is ill, under load: reads never notice, writes hardly and not for long, and
the proxy says which one it is."""

import os
import re
import socket
import subprocess

from http1_backend import Http1Backend, answer_bytes, serving
from http2_peer import Http2Backend, Http2Client, serving2
from strangler_test import ProxyCase, config_text, main, wait_until

# Long enough for the well ones on a busy machine.
TIMEOUTS = 'timeouts: { first_byte = "1s"; };'


def slow(connection):
    connection.read_request()
    connection.wait_end()


def resetting(connection):
    connection.read_request()
    connection.reset()


def garbage(connection):
    connection.read_request()
    connection.send(b"garbage\r\n\r\n")


def busy(connection):
    serving(lambda _: answer_bytes(b"busy", "503 Service Unavailable"))(connection)


def resetting_h2(connection):
    connection.begin()
    while True:
        connection.reset(connection.read_request().stream, 2)


def garbage_h2(connection):
    connection.begin()
    connection.read_request()
    connection.send(b"\xff" * 100)


def slow_h2(connection):
    connection.begin()
    while True:
        connection.take_frame()


class IllEndpoints(ProxyCase):
    def start(self, ill_port: int, protocol: str = "http/1.1", keys: str = TIMEOUTS, **more):
        well = (Http2Backend, serving2(lambda connection, request:
                                       connection.answer(request.stream, b"well"))) \
            if protocol == "h2" else (Http1Backend, serving(lambda _: answer_bytes(b"well")))
        self.ill_port = ill_port
        ports = [self.closing(well[0](well[1])).port, ill_port, self.closing(well[0](well[1])).port]
        endpoints = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        self.proxy = self.start_proxy(config_text(
            f'monolith: {{ endpoints = [ {endpoints} ]; protocol = "{protocol}"; {keys} }};'), **more)

    def load(self, count: int, body: bytes = b"") -> int:
        """How many of `count` requests did not get 2xx."""
        options = []
        if body:
            path = os.path.join(self.folder, "body")
            with open(path, "wb") as file:
                file.write(body)
            options = ["-d", path]
        done = subprocess.run(
            ["h2load", "-n", str(count), "-c", "4", "-m", "4", *options,
             f"http://127.0.0.1:{self.proxy.plain}/"],
            capture_output=True, text=True, timeout=100, check=True)
        found = re.search(r"status codes: (\d+) 2xx", done.stdout)
        return count - int(found[1])

    def of_ill_one(self, name: str) -> float:
        return self.proxy.total(name, endpoint=f"127.0.0.1:{self.ill_port}")

    def wait_noticed(self):
        def notices():
            self.assertEqual(self.load(300), 0, "a read failed before the proxy noticed")
            self.load(100, b"x" * 100)
            return self.of_ill_one("strangler_endpoint_healthy") == 0
        wait_until("the proxy notices", notices)
        self.assertEqual(self.proxy.total("strangler_endpoint_healthy"), 2)

    def check_others_serve(self, count: int = 2000):
        self.assertEqual(self.load(count), 0, "a read failed")
        self.assertLessEqual(self.load(count, b"x" * 100), count / 1000, "too many writes failed")

    def check_ejected(self):
        self.wait_noticed()
        self.assertEqual(self.of_ill_one("strangler_endpoint_ejected"), 1)
        self.assertEqual(self.of_ill_one("strangler_endpoint_ejections_total"), 1)
        self.assertEqual(self.proxy.total("strangler_endpoint_ejected"), 1)
        self.check_others_serve()

    def test_a_dead_one(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.start(closed.getsockname()[1])
            self.wait_noticed()
            self.check_others_serve()

    def test_a_slow_one(self):
        self.start(self.closing(Http1Backend(slow)).port)
        self.check_ejected()
        self.assertGreater(self.proxy.fault_count("monolith", "first_byte_timeout"), 0)

    def test_writes_one_after_another_meet_a_hanging_one_once(self):
        ill = self.closing(Http1Backend(slow)).port
        for balance in ("two_choices", "least_in_flight", "round_robin", "hash"):
            with self.subTest(balance):
                self.start(ill, keys=f'{TIMEOUTS} balance = "{balance}";',
                           workers=1)
                client = self.closing(Http2Client(self.proxy.plain))
                statuses = [client.ask("/", "POST", body=b"x").status for _ in range(60)]
                self.assertLessEqual(statuses.count(504), 1)
                self.assertGreaterEqual(statuses.count(200), 59)
                if balance != "hash":  # who may have chosen another one
                    self.assertEqual(self.of_ill_one("strangler_endpoint_failures_total"), 1)

    def test_a_resetting_one(self):
        self.start(self.closing(Http1Backend(resetting)).port)
        self.check_ejected()

    def test_one_that_answers_garbage(self):
        self.start(self.closing(Http1Backend(garbage)).port)
        self.check_ejected()
        self.assertGreater(self.proxy.fault_count("monolith", "malformed"), 0)

    def test_a_resetting_one_with_h2(self):
        self.start(self.closing(Http2Backend(resetting_h2)).port, "h2")
        self.check_ejected()

    def test_a_slow_one_with_h2(self):
        self.start(self.closing(Http2Backend(slow_h2)).port, "h2")
        self.check_ejected()

    def test_one_that_answers_garbage_with_h2(self):
        self.start(self.closing(Http2Backend(garbage_h2)).port, "h2")
        self.check_ejected()

    def test_one_that_says_503_is_ejected_though_its_answers_are_passed_on(self):
        self.start(self.closing(Http1Backend(busy)).port)
        self.assertGreater(self.load(300), 0)
        wait_until("an ejection", lambda: self.load(100) == 0 and
                   self.of_ill_one("strangler_endpoint_ejected") == 1)
        self.assertEqual(self.load(1000), 0)


if __name__ == "__main__":
    main()
