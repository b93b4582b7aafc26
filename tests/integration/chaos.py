"""Everything at once, at random, under a reload now and then: backends that stall, cut, reset and
lie, clients that leave, reset, do not read and do not finish. Nothing may crash, hang or be left
behind, and a whole answer is the right one. The seed is printed; --seed N repeats it, --seconds N
lasts."""

import random
import sys
import threading
import time

from http1_backend import Gone, Http1Backend, answer_bytes
from http2_peer import (CANCEL, DATA, END_HEADERS, INTERNAL_ERROR, REFUSED_STREAM, RST_STREAM,
                        Http2Backend, Http2Client, frame, headers_frame)
from strangler_test import ProxyCase, backend_text, config_text, main, run_all

CLIENTS = 6
WHOLE_ANSWERS = 50  # at least, however slow the machine is
LONGEST_S = 120
BODY = b"0123456789" * 3000


def option(name: str, default: int) -> int:
    if name in sys.argv:
        at = sys.argv.index(name)
        value = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
        return value
    return default


SEED = option("--seed", random.randrange(1 << 30))
SECONDS = option("--seconds", 8)


def http1_script(connection):
    rng = random.Random(SEED * 1000 + connection.number)
    while True:
        request = connection.read_head()
        what = rng.randrange(16)
        if what == 0:
            return  # without an answer
        if what == 1:
            connection.reset()
            raise Gone
        if what == 2:
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
            return
        if what == 3:
            connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcdeXX")
            connection.wait_end()
            return
        if what == 4:
            connection.send(answer_bytes(BODY) + b"surplus")
            connection.wait_end()
            return
        if what == 5:
            connection.send(answer_bytes(b"early"))  # perhaps before the body has come
            connection.wait_end()
            return
        if what == 6:
            connection.has_input(0.3)  # silence for a while
        connection.read_body(request)
        if what == 7:
            connection.send(b"HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nx-whole: 1\r\n"
        if what < 10:
            connection.send(head + b"transfer-encoding: chunked\r\n\r\n")
            if request.method != "HEAD":
                for at in range(0, len(BODY), 10_000):
                    connection.send(b"2710\r\n" + BODY[at:at + 10_000] + b"\r\n")
                connection.send(b"0\r\nx-sum: 1\r\n\r\n")
        else:
            connection.send(head + b"content-length: %d\r\n\r\n" % len(BODY))
            if request.method != "HEAD":
                connection.send(BODY)


def http2_script(connection):
    rng = random.Random(SEED * 2000 + connection.number)
    connection.begin({3: rng.choice([1, 10, 100])})
    while True:
        request = connection.read_head() if rng.randrange(3) == 0 else connection.read_request()
        what = rng.randrange(16)
        if what == 0:
            return
        if what == 1:
            connection.goaway(request.stream - 2 if request.stream > 1 else 0)
            connection.wait_end()
            return
        if what == 2:
            connection.reset(request.stream, rng.choice([REFUSED_STREAM, CANCEL, INTERNAL_ERROR]))
        elif what == 3:
            connection.send(headers_frame(request.stream, [(":status", "200")]) +
                            frame(DATA, 0, request.stream, b"half"))
            connection.reset(request.stream, INTERNAL_ERROR)
        elif what == 4:
            connection.send(headers_frame(request.stream, [("no", "status")], END_HEADERS | 1))
        elif what == 5:
            connection.send(b"\xff" * 50)
            connection.wait_end()
            return
        elif what == 6:
            pass  # never an answer
        else:
            if what == 7:
                connection.send(headers_frame(request.stream, [(":status", "103")]))
            connection.answer(request.stream, b"" if request.method == "HEAD" else BODY,
                              fields=[("x-whole", "1")])


class Person:
    """One connection's worth of a client's behaviour."""

    def __init__(self, rng: random.Random, port: int, tls: bool):
        self.rng = rng
        self.client = Http2Client(port, tls, settings={4: rng.choice([0, 1000, 65535, 1 << 20])})
        self.whole = 0

    def ask(self):
        rng = self.rng
        method = rng.choice(["GET", "GET", "HEAD", "POST"])
        stream = self.client.start(rng.choice(["/one/", "/two/"]) + str(rng.randrange(100)), method,
                                   ends=method != "POST")
        if self.client.stream_windows.get(stream) is None:
            self.client.give_window(stream, 1 << 20)
        what = rng.randrange(10)
        if what == 0:
            self.client.send_frame(RST_STREAM, 0, stream, b"\0\0\0\x08")
            return
        if method == "POST":
            self.client.send_body(stream, b"u" * rng.randrange(200_000), ends=what > 1)
            if what <= 1:  # never finished
                return
        if what == 2:
            return  # asked and never looked at
        self.check(method, self.client.wait(stream))

    def check(self, method: str, answer):
        if answer.reset is None and answer.value("x-whole"):
            self.whole += 1
            if answer.body != (b"" if method == "HEAD" else BODY):
                raise AssertionError(f"{method}: {len(answer.body)} bytes taken for a whole answer")
        elif answer.reset is None and answer.status not in (200, 408, 502, 503, 504):
            raise AssertionError(f"{method}: {answer.status}")


class Chaos(ProxyCase):
    def setUp(self):
        super().setUp()
        self.one = self.closing(Http1Backend(http1_script))
        self.two = self.closing(Http2Backend(http2_script))
        self.proxy = self.start_proxy(self.config(1))
        self.began = time.monotonic()
        self.whole = [0] * CLIENTS

    def config(self, turn: int) -> str:
        timeouts = 'timeouts: { first_byte = "300ms"; idle = "300ms"; keep_alive = "%dms"; };'
        first, second = ("monolith", "two") if turn % 2 else ("two", "monolith")
        return config_text(
            backend_text("monolith", self.one.port, more=timeouts % 50),
            backend_text("two", self.two.port, "h2", timeouts % 100),
            more=f"""limits: {{ body_timeout = "300ms"; write_timeout = "500ms"; streams = 50;
                header_timeout = "1s"; idle_timeout = "1s"; }};
                routes: {{ one: {{ prefix = "/one"; backend = "{first}"; }};
                           two: {{ prefix = "/two"; backend = "{second}"; }}; }};""")

    def goes_on(self) -> bool:
        lasted_s = time.monotonic() - self.began
        return lasted_s < SECONDS or (sum(self.whole) <= WHOLE_ANSWERS and lasted_s < LONGEST_S)

    def run_client(self, number: int):
        rng = random.Random(SEED + number)
        while self.goes_on():
            tls = rng.randrange(2) == 0
            person = Person(rng, self.proxy.tls if tls else self.proxy.plain, tls)
            try:
                for _ in range(rng.randrange(1, 40)):
                    person.ask()
            except TimeoutError:
                raise  # everything has an end by the limits above
            except (Gone, OSError):
                pass  # sent away: it may have earned it
            finally:
                self.whole[number] += person.whole
                person.client.close()

    def run_reloads(self):
        turn = 1
        while self.goes_on():
            turn += 1
            self.proxy.reload("10-test.cfg", self.config(turn))
            threading.Event().wait(0.2)

    def test_nothing_is_left_behind(self):
        print(f"seed {SEED}", flush=True)
        run_all([lambda n=n: self.run_client(n) for n in range(CLIENTS)] + [self.run_reloads])
        self.assertGreater(sum(self.whole), WHOLE_ANSWERS)


if __name__ == "__main__":
    main(SECONDS + LONGEST_S + 100)
