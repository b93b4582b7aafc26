"""A slow reader at either end holds no more than its windows: memory stays flat while large bodies
pass whole, and a hundred stalled readers leave everybody else alone.

Memory is the resident set of the sanitized proxy, whose quarantine of freed memory is made small,
so that what grows is what the proxy holds. With --large bodies are 1 GiB (by hand)."""

import hashlib
import sys
import time

from http1_backend import Http1Backend, answer_bytes
from http2_peer import (DATA, END_STREAM, INITIAL_WINDOW, Http2Backend, Http2Client, ask_once,
                        frame, headers_frame)
from memory_sampler import Sampler
from scripted_site import SERVE, Reply
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, curl, main,
                            run_all)

LARGE = "--large" in sys.argv
MIB = 1 << 20
BODY_BYTES = (1024 if LARGE else 64) * MIB
PIECE = bytes(range(256)) * 4096  # 1 MiB
RATE = (64 if LARGE else 32) * MIB  # bytes a second at the slow end
GROWTH_BYTES = 32 * MIB


def body_digest() -> str:
    digest = hashlib.sha256()
    for _ in range(BODY_BYTES // MIB):
        digest.update(PIECE)
    return digest.hexdigest()


class Pace:
    """Holds a reader or writer to RATE."""

    def __init__(self):
        self.began = time.monotonic()
        self.bytes = 0

    def took(self, length: int):
        self.bytes += length
        ahead = self.bytes / RATE - (time.monotonic() - self.began)
        if ahead > 0:
            time.sleep(ahead)


class SlowEnds:
    protocol = ""

    def setUp(self):
        super().setUp()
        self.uploaded = []
        self.backend = self.closing(self.make_backend())
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, self.protocol)), asan=SMALL_QUARANTINE)
        curl(self.url("/small"))  # what is made once is there before we measure

    def url(self, path):
        return f"http://127.0.0.1:{self.proxy.plain}{path}"

    def test_a_large_download_to_a_slow_client_holds_little_and_arrives_whole(self):
        digest = hashlib.sha256()
        client = self.closing(Http2Client(self.proxy.plain, window=1 << 18))
        with Sampler(self.proxy) as sampler:
            stream = client.start("/large")
            pace = Pace()
            while stream not in client.done:
                got = client.take_frame()
                if got.type == DATA:
                    client.answers[stream].body = b""
                    digest.update(got.payload)
                    pace.took(len(got.payload))
        self.assertEqual(digest.hexdigest(), body_digest())
        self.assertLess(sampler.growth(), GROWTH_BYTES)

    def test_curl_at_a_limited_rate_gets_it_whole(self):
        self.check_download()

    def check_download(self, *options: str):
        with Sampler(self.proxy) as sampler:
            answer = curl(self.url("/large"), "--limit-rate", str(RATE), *options, timeout_s=200)
        self.assertEqual(hashlib.sha256(answer.body).hexdigest(), body_digest())
        self.assertLess(sampler.growth(), GROWTH_BYTES)

    def test_a_large_upload_to_a_slow_backend_holds_little_and_arrives_whole(self):
        self.check_upload()

    def check_upload(self, *options: str):
        with Sampler(self.proxy) as sampler:
            answer = curl(self.url("/upload"), "-H", "expect:", "-T", "-", *options,
                          data=PIECE * (BODY_BYTES // MIB), timeout_s=200)
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.uploaded, [(BODY_BYTES, body_digest())])
        self.assertLess(sampler.growth(), GROWTH_BYTES)


class SlowEndsWithHttp1Backend(SlowEnds, ProxyCase):
    protocol = "http/1.1"

    def make_backend(self):
        return Http1Backend(self.script, receive_buffer=65536)

    def script(self, connection):
        while True:
            request = connection.read_head()
            if request.target == "/upload":
                self.read_upload(connection)
                connection.send(answer_bytes(b"ok"))
            elif request.target == "/large":
                connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % BODY_BYTES)
                for _ in range(BODY_BYTES // MIB):
                    connection.send(PIECE)
            else:
                connection.send(answer_bytes(b"small"))

    def read_upload(self, connection):
        digest, total, pace = hashlib.sha256(), 0, Pace()
        while length := int(connection.read_until(b"\r\n"), 16):
            data = connection.read_exactly(length)
            connection.read_exactly(2)
            digest.update(data)
            total += length
            pace.took(length)
        connection.read_until(b"\r\n")
        self.uploaded.append((total, digest.hexdigest()))

    def test_a_large_download_over_http_1_1_holds_little_and_arrives_whole(self):
        self.check_download("--http1.1")

    def test_a_large_upload_over_http_1_1_holds_little_and_arrives_whole(self):
        self.check_upload("--http1.1")


class SlowEndsWithHttp2Backend(SlowEnds, ProxyCase):
    protocol = "h2"

    def make_backend(self):
        return Http2Backend(self.script)

    def script(self, connection):
        connection.begin()
        while True:
            request = connection.read_head()
            if request.target == "/upload":
                self.read_upload(connection, request)
                connection.answer(request.stream, b"ok")
            elif request.target == "/large":
                connection.complete.clear()
                connection.send(headers_frame(request.stream, [(":status", "200")]))
                for _ in range(BODY_BYTES // MIB):
                    connection.send_body(request.stream, PIECE, ends=False)
                connection.send_frame(DATA, END_STREAM, request.stream)
            else:
                connection.answer(request.stream, b"small")

    def read_upload(self, connection, request):
        digest, total, pace = hashlib.sha256(), 0, Pace()
        while not request.ended:
            got = connection.take_frame()  # gives the window back
            if got.type == DATA:
                digest.update(got.payload)
                total += len(got.payload)
                request.body = b""
                pace.took(len(got.payload))
        connection.complete.clear()
        self.uploaded.append((total, digest.hexdigest()))


class StalledReaders(ProxyCase):
    """All behind one and the same connection to an h2 backend."""

    def script(self, connection):
        connection.begin()
        while True:
            request = connection.read_request()
            if request.target == "/stall":  # as much as its window takes, and never an end
                connection.send(headers_frame(request.stream, [(":status", "200")]) + b"".join(
                    frame(DATA, 0, request.stream, b"x" * 16000) for _ in range(4)))
            else:
                connection.answer(request.stream, b"quick")

    def setUp(self):
        super().setUp()
        self.backend = self.closing(Http2Backend(self.script))
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", self.backend.port, "h2")), workers=1)
        # Before its settings are known, a connection takes a hundred streams and no more.
        self.assertEqual(ask_once(self.proxy.plain).body, b"quick")

    def stall(self, client, count):
        client.auto = False
        for _ in range(count):
            client.start("/stall")

    def check_others(self):
        client = self.closing(Http2Client(self.proxy.plain))
        for _ in range(100):
            began = time.monotonic()
            self.assertEqual(client.ask("/").body, b"quick")
            self.assertLess(time.monotonic() - began, 20)  # the stalled ones never end

    def test_a_hundred_streams_without_window_leave_others_alone(self):
        stalled = self.closing(Http2Client(self.proxy.plain, settings={4: 0}))
        self.stall(stalled, 100)
        for stream in range(1, 200, 2):
            stalled.wait_head(stream)
        self.proxy.wait_total(100, "strangler_backend_streams")
        self.check_others()
        self.assertEqual(self.backend.connection_count, 1)

    def test_fifty_connections_that_do_not_read_leave_others_alone(self):
        for _ in range(50):
            deaf = self.closing(Http2Client(self.proxy.plain, settings={4: 1 << 30}))
            self.stall(deaf, 2)
        self.proxy.wait_total(100, "strangler_backend_streams")
        self.check_others()
        self.assertEqual(self.backend.connection_count, 1)

    def test_stalled_uploads_leave_others_alone(self):
        uploads = self.closing(Http2Client(self.proxy.plain))
        for _ in range(100):
            stream = uploads.start("/", "POST", ends=False)
            uploads.send_frame(DATA, 0, stream, b"x" * 1000)
        self.proxy.wait_total(100, "strangler_backend_streams")
        self.check_others()


class SilentReaders(ProxyCase):
    def test_an_answer_that_trickles_on_gives_who_does_not_read_it_no_more_time(self):
        trickled = []

        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while not connection.has_input(0.25) and len(trickled) < 40:
                connection.send(b"x")
                trickled.append(1)
        backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", backend.port), more='limits: { write_timeout = "1s"; };'))
        client = self.closing(Http2Client(self.proxy.plain, settings={INITIAL_WINDOW: 0}))
        self.assertIsNotNone(client.wait(client.start()).reset)
        self.assertLess(len(trickled), 40)


class ManyAtOnce(ProxyCase):
    def test_bodies_of_many_streams_at_once_are_not_mixed_up(self):
        for protocol, serve in SERVE.items():
            with self.subTest(protocol):
                backend = self.closing(serve(lambda request: Reply(
                    body=request.target.encode() * (200_000 // len(request.target)))))
                proxy = self.start_proxy(config_text(
                    backend_text("monolith", backend.port, protocol)))

                def ask(number, port=proxy.plain):
                    client = self.closing(Http2Client(port, window=100_000))
                    streams = {f"/{number}/{i}": None for i in range(20)}
                    for target in streams:
                        streams[target] = client.start(target)
                    for target, stream in streams.items():
                        wanted = target.encode() * (200_000 // len(target))
                        if client.wait(stream).body != wanted:
                            raise AssertionError(f"another body for {target}")
                run_all([lambda n=n: ask(n) for n in range(6)])


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--large"]
    main(3000 if LARGE else 240)
