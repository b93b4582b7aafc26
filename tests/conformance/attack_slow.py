"""Clients that take their time: the handshake, the preface, a head or a body that never comes to its
end, and answers that nobody takes (slowloris, slow POST, slow read; CVE-2019-9511, CVE-2019-9517).
One absolute time for a head, one for a silent body, one for output that does not move; and what is
held meanwhile is bounded. RFC 9110 section 15.5.9, RFC 9113 section 10.5."""

import socket
import ssl
import struct
import threading
import time

import hpack
from flood_case import FloodCase, request_block, request_frame
from http1_backend import Gone, Http1Backend, answer_bytes
from http2_peer import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS,
                        WINDOW_UPDATE, Http2Client, connect, frame, settings_payload)
from strangler_test import backend_text, config_text, main, wait_until

LARGE_BYTES = 4 << 20
LARGEST_WINDOW = (1 << 31) - 1
SHORT_S = 1  # the limits below, with time enough for those who do as they should
SOON_S = 8   # on a busy machine; less than the limits are otherwise


def client_hello() -> bytes:
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    machine = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    try:
        machine.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


class SlowCase(FloodCase):
    limits = """limits: { header_timeout = "1s"; body_timeout = "1s";
                          write_timeout = "1s"; idle_timeout = "2s"; };"""

    def wait_end(self, sock):
        """Closed by the other end, in whatever way."""
        try:
            while sock.recv(65536):
                pass
        except (OSError, Gone):
            pass

    def dribble(self, sock, data: bytes) -> float:
        """Byte by byte, faster than any limit for silence; how long that was taken."""
        began = time.monotonic()
        sock.settimeout(SHORT_S / 10)
        for byte in data:
            try:
                sock.sendall(bytes([byte]))
                if not sock.recv(65536):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            self.fail("all of it was taken")
        return time.monotonic() - began


class Heads(SlowCase):
    def starts(self) -> dict:
        settings = PREFACE + frame(SETTINGS)
        block = request_block()
        return {
            "nothing": (b"", None),
            "half a handshake": (client_hello()[:100], True),
            "nothing behind the handshake": (b"", False),
            "half a preface": (PREFACE[:10], None),
            "a frame's head in half": (settings + frame(HEADERS, 0, 1, block)[:5], None),
            "half a header block": (settings + frame(HEADERS, END_STREAM, 1, block)[:30], None),
            "a block without its end": (settings + frame(HEADERS, END_STREAM, 1, block), None),
            "a block, continued": (settings + frame(HEADERS, END_STREAM, 1, block[:9]) +
                                   frame(CONTINUATION, 0, 1, block[9:]), None),
            "settings alone": (settings, None),
        }

    def connect(self, raw_tls) -> list:
        if raw_tls is None:
            return [connect(self.proxy.plain), connect(self.proxy.tls, True)]
        return [connect(self.proxy.tls) if raw_tls else connect(self.proxy.tls, True)]

    def test_who_stops_is_closed_in_time(self):
        for name, (data, raw_tls) in self.starts().items():
            socks = [self.closing(sock) for _ in range(10) for sock in self.connect(raw_tls)]

            def attack(socks=socks, data=data):
                for sock in socks:
                    sock.sendall(data)
                began = time.monotonic()
                for sock in socks:
                    self.wait_end(sock)
                self.assertLess(time.monotonic() - began, SOON_S)
            self.under(name, attack)

    def test_who_goes_on_slowly_is_closed_in_the_same_time(self):
        settings = PREFACE + frame(SETTINGS)
        field = hpack.encode([("x-a", "y")])
        dribbles = {
            "handshake": (connect(self.proxy.tls), client_hello() * 2),
            "preface": (connect(self.proxy.plain), PREFACE[:-1] * 20),
            "preface over TLS": (connect(self.proxy.tls, True), PREFACE),
        }
        for name, tls in (("block", False), ("block over TLS", True)):
            sock = connect(self.proxy.tls if tls else self.proxy.plain, tls)
            sock.sendall(settings + frame(HEADERS, END_STREAM, 1, request_block()))
            dribbles[name] = (sock, frame(CONTINUATION, 0, 1, field) * 20)
        for name, (sock, data) in dribbles.items():
            with self.subTest(name):
                self.closing(sock)
                if name == "preface over TLS":  # it is short; the whole of it in time is no fault
                    sock.sendall(data[:10])
                    self.wait_end(sock)
                else:
                    self.assertLess(self.dribble(sock, data), SOON_S)

    def test_hundreds_of_them_leave_others_alone(self):
        block = frame(HEADERS, END_STREAM, 1, request_block())

        def attack():
            socks = [self.closing(connect(self.proxy.plain)) for _ in range(300)]
            socks += [self.closing(connect(self.proxy.tls)) for _ in range(100)]
            for sock in socks[:300]:
                sock.sendall(PREFACE + frame(SETTINGS) + block)
            for sock in socks:
                self.wait_end(sock)
        self.under("crowd", attack)


class Bodies(SlowCase):
    def test_content_that_does_not_come_is_408_and_no_backend_takes_it_for_whole(self):
        for tls in (False, True):
            client = self.client(tls)
            streams = [client.start("/", "POST", [("content-length", "9")], ends=False)
                       for _ in range(30)]
            for stream in streams[::2]:
                client.send_body(stream, b"abc", ends=False)

            def attack(client=client, streams=streams):
                for stream in streams:
                    self.assertEqual(client.wait(stream).status, 408)
            self.under(f"slow post, {tls=}", attack)
        self.assertEqual({seen.method for seen in self.backend.requests}, {"GET"})

    def test_content_that_dribbles_is_content(self):
        client = self.client()
        stream = client.start("/", "POST", ends=False)
        for _ in range(10):
            client.send_frame(DATA, 0, stream, b"x")
            threading.Event().wait(SHORT_S / 10)
        client.send_frame(DATA, END_STREAM, stream)
        self.assertEqual(client.wait(stream).json()["length"], 10)

    def test_frames_without_content_are_no_progress(self):
        client = self.client()
        stream = client.start("/", "POST", ends=False)
        client.socket.settimeout(SHORT_S / 10)
        began = time.monotonic()
        while stream not in client.done and time.monotonic() - began < SOON_S:
            client.send_frame(DATA, 8, stream, b"\x05" + b"\0" * 5)
            try:
                client.take_frame()
            except TimeoutError:
                pass
        self.assertEqual(client.answers[stream].status, 408)


class Answers(FloodCase):
    """What is not taken is not read from the backend, either."""
    limits = 'limits: { write_timeout = "2s"; };'

    def setUp(self):
        self.sent = 0
        self.large = Http1Backend(self.send_large)
        super().setUp()
        self.closing(self.large)

    def text(self) -> str:
        return super().text().replace("backends: {", "backends: { " +
                                      backend_text("large", self.large.port)).replace(
            "routes: {", 'routes: { large: { prefix = "/large"; backend = "large"; };')

    def send_large(self, connection):
        while True:
            connection.read_request()
            connection.send(answer_bytes(b"", fields=())[:-2].replace(b"length: 0", b"length: %d"
                                                                      % LARGE_BYTES) + b"\r\n")
            for _ in range(LARGE_BYTES >> 16):
                connection.send(b"z" * (1 << 16))
                self.sent += 1 << 16

    def ask_large(self, client: Http2Client, count: int = 100) -> list:
        client.auto = False
        return [client.start("/large") for _ in range(count)]

    def test_zero_windows_hold_little_and_are_given_up(self):
        for tls in (False, True):
            client = self.client(tls, settings={4: 0})
            streams = self.ask_large(client)

            def attack(client=client, streams=streams):
                for stream in streams:
                    answer = client.wait(stream)
                    self.assertEqual((answer.body, answer.status), (b"", 200))
                    self.assertIsNotNone(answer.reset)
            self.under(f"zero window, {tls=}", attack)

    def test_one_byte_windows_hold_little(self):
        client = self.client(settings={4: 1})
        streams = self.ask_large(client)

        def attack():
            for _ in range(10):
                for stream in streams:
                    client.send_frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1))
            while sum(len(answer.body) for answer in client.answers.values()) < 11 * len(streams):
                client.take_frame()
        self.under("dribble", attack)

    def test_who_does_not_read_is_given_up(self):
        for tls in (False, True):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", self.proxy.tls if tls else self.proxy.plain))
            self.closing(sock)
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                context.set_alpn_protocols(["h2"])
                sock = self.closing(context.wrap_socket(sock))
            sock.sendall(PREFACE + frame(SETTINGS, 0, 0, settings_payload({4: LARGEST_WINDOW})) +
                         frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - 65535)) +
                         b"".join(request_frame(stream, "/large") for stream in range(1, 100, 2)))
            self.under(f"nothing is read, {tls=}", lambda: wait_until(
                "it is given up", lambda: self.proxy.total(
                    "strangler_client_faults_total", fault="write_timeout") >= 1 + tls))

    def test_the_backend_sends_no_more_than_was_asked_for(self):
        client = self.client(settings={4: 0})
        self.ask_large(client, 1)
        client.wait_head(1)
        client.wait_ping()
        self.assertLess(self.sent, LARGE_BYTES)


class Idle(FloodCase):
    limits = 'limits: { idle_timeout = "1s"; };'

    def test_a_connection_without_requests_is_sent_away(self):
        for tls in (False, True):
            client = self.client(tls)
            self.assertEqual(client.ask("/").status, 200)
            client.wait_closed()
            last = client.goaways[-1]
            self.assertEqual((last.code, last.payload[:4]), (0, struct.pack(">I", 1)))


class Limits(FloodCase):
    limits = 'limits: { connections = 12; body_bytes = "1000"; };'

    def test_content_over_the_limit_is_413(self):
        for tls in (False, True):
            client = self.client(tls)
            announced = client.start("/", "POST", [("content-length", "1001")], ends=False)
            self.assertEqual(client.wait(announced).status, 413)
            reached = client.start("/", "POST", ends=False)
            client.send_body(reached, b"x" * 1001, ends=False)
            self.assertEqual(client.wait(reached).status, 413)
            self.assertEqual(client.ask("/", "POST", body=b"x" * 1000).json()["length"], 1000)
        self.assertEqual([len(seen.body) for seen in self.backend.requests
                          if seen.method == "POST"], [1000, 1000])

    def test_content_over_the_limit_in_a_flood_is_not_held(self):
        client = self.client()

        def attack():
            for _ in range(20):
                stream = client.start("/", "POST", ends=False)
                client.send(frame(DATA, 0, stream, b"x" * 16000) * 4)
                self.assertEqual(client.wait(stream).status, 413)
        self.under("413", attack)

    def test_connections_over_the_limit_wait_for_their_turn(self):
        wait_until("nobody is there", lambda: self.proxy.total("strangler_connections") == 0)
        clients = [self.client() for _ in range(12)]
        streams = [client.start("/slow") for client in clients]
        wait_until("they are served",
                   lambda: self.proxy.total("strangler_live_exchanges") == len(streams))
        late = self.client()
        self.assertEqual(self.proxy.total("strangler_connections"), 12)
        clients[0].close()
        self.assertEqual(late.ask("/").status, 200)


if __name__ == "__main__":
    main()
