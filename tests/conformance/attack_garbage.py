"""What is no HTTP/2 at all, and frames by chance: no crash, no leak, an end in good time. RFC 9113
sections 3.4 and 5.4.1."""

import random
import socket

import hpack
from flood_case import FloodCase, request_block
from http1_backend import Gone
from http2_peer import PREFACE, SETTINGS, connect, frame
from strangler_test import main

ROUNDS = 300


def random_frame(chance: random.Random) -> bytes:
    """Mostly of a known type, with what may belong into it."""
    kind = chance.choice([*range(10), chance.randrange(256)])
    stream = chance.choice([0, 1, 1, 3, 5, 2, chance.randrange(1 << 32)])
    payload = chance.choice([
        b"", request_block(), bytes(chance.randrange(256) for _ in range(chance.randrange(60))),
        b"\0" * chance.choice([4, 5, 6, 8]), hpack.encode([("x-a", "b")]),
        b"\xff" * chance.randrange(20)])
    return frame(kind, chance.choice([0, 1, 4, 5, 8, 13, 32, 45, chance.randrange(256)]), stream,
                 payload)


class Garbage(FloodCase):
    limits = 'limits: { header_timeout = "1s"; idle_timeout = "1s"; body_timeout = "1s"; };'

    def check_closed(self, data: bytes, tls: bool):
        with connect(self.proxy.tls if tls else self.proxy.plain, tls) as sock:
            try:
                sock.sendall(data)
                while sock.recv(65536):
                    pass
            except (OSError, Gone):
                pass

    def test_what_is_no_preface_is_closed(self):
        cases = [b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/3",
                 PREFACE[:-1] + b"X", b"\r\n" * 1000, b"\xff" * 100_000]

        def attack():
            for data in cases:
                for tls in (False, True):
                    self.check_closed(data, tls)
            self.check_closed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True)  # h2 was agreed on
        self.under("garbage", attack)
        self.assertEqual({seen.target for seen in self.backend.requests}, {"/", "/beside"})

    def test_what_is_no_handshake_is_closed(self):
        def attack():
            for data in (b"\0" * 100, PREFACE + frame(SETTINGS), b"GET / HTTP/1.1\r\n\r\n",
                         b"\x16\x03\x01\x00\x05hello" + b"\x17\x03\x03\x00\x10" + b"x" * 16,
                         b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000,
                         b"\x15\x03\x03\x00\x02\x02\x28", b"\x80\x2e\x01\x03\x01" + b"x" * 50):
                with socket.create_connection(("127.0.0.1", self.proxy.tls), 20) as sock:
                    try:
                        sock.sendall(data)
                        while sock.recv(65536):
                            pass
                    except OSError:
                        pass
        self.under("handshakes", attack)

    def test_frames_by_chance_end_and_leave_nothing(self):
        chance = random.Random(20240403)

        def attack():
            for number in range(ROUNDS):
                frames = b"".join(random_frame(chance) for _ in range(chance.randrange(1, 12)))
                cut = chance.randrange(len(frames) + 1) if number % 3 == 0 else len(frames)
                with connect(self.proxy.plain) as sock:
                    try:
                        sock.sendall(PREFACE + frame(SETTINGS) + frames[:cut])
                        sock.shutdown(socket.SHUT_WR)
                        while sock.recv(65536):
                            pass
                    except OSError:
                        pass
        self.under("frames", attack)


if __name__ == "__main__":
    main()
