"""Floods of frames that cost their sender nothing (CVE-2019-9512, 9514, 9515, 9518 and their kind;
RFC 9113 section 10.5): nothing that we owe piles up, who goes on is sent away, and others do not feel
it."""

import struct

import hpack
from flood_case import FloodCase, request_frame
from http2_peer import (ACK, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS,
                        PING, PREFACE, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2Client,
                        connect, frame, headers_frame, settings_payload)
from strangler_test import main, wait_until

PADDED = 8
COUNT = 50_000

# By stream: one whose request is open and has no content yet.
FRAMES = {
    "ping": lambda _: frame(PING, 0, 0, b"12345678"),
    "ping, acknowledged": lambda _: frame(PING, ACK, 0, b"12345678"),
    "settings": lambda _: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)),
    "settings, empty": lambda _: frame(SETTINGS),
    "settings, window up and down": lambda _: frame(SETTINGS, 0, 0, struct.pack(
        ">HIHI", 4, 0, 4, 1 << 20)),
    "settings, table up and down": lambda _: frame(SETTINGS, 0, 0, struct.pack(
        ">HIHI", 1, 0, 1, 1 << 20)),
    "priority": lambda stream: frame(PRIORITY, 0, stream, struct.pack(">IB", 0, 10)),
    "priority of idle streams": lambda _: frame(PRIORITY, 0, 1001, struct.pack(">IB", 7, 10)),
    "unknown": lambda _: frame(200, 0, 0, b"x" * 100),
    "unknown, empty": lambda stream: frame(0x10, 0, stream),
    "window of the connection": lambda _: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
    "window of a stream": lambda stream: frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1)),
    "data, empty": lambda stream: frame(DATA, 0, stream),
    "data, nothing but a length of padding": lambda stream: frame(DATA, PADDED, stream, b"\0"),
    "data, nothing but padding": lambda stream: frame(DATA, PADDED, stream, b"\x09" + b"\0" * 9),
    "reset of a stream that is over": lambda _: frame(RST_STREAM, 0, 1, struct.pack(">I", 8)),
    "goaway": lambda _: frame(GOAWAY, 0, 0, b"\0" * 8),
}

ANSWERED = [name for name in FRAMES if name == "ping" or name.startswith("settings")]


class Frames(FloodCase):
    def open(self, tls: bool) -> tuple:
        """A client whose first request is over and whose second is waited for."""
        client = self.client(tls, window=1)
        self.assertEqual(client.ask("/").status, 200)
        return client, client.start("/slow", "POST", ends=False)

    def test_who_sends_nothing_else_is_sent_away(self):
        for number, (name, make) in enumerate(FRAMES.items()):
            client, stream = self.open(number % 2 == 1)

            self.under(name, lambda client=client, data=make(stream) * COUNT:
                       self.flood_and_hear(client, data))
            with self.subTest(name):
                # Without a word only when more is owed at once than is kept in mind.
                self.assertIn([got.code for got in client.goaways][-1:], (
                    [[ENHANCE_YOUR_CALM]] if name not in ANSWERED else [[ENHANCE_YOUR_CALM], []]))

    def test_who_does_not_read_what_it_is_owed_is_not_read_from(self):
        for number, name in enumerate(("ping", "settings", "settings, window up and down")):
            client, stream = self.open(number % 2 == 1)
            client.auto = False
            client.socket.settimeout(5)
            self.under(name, lambda client=client, make=FRAMES[name], stream=stream:
                       self.flood(client, make(stream) * COUNT))
            client.close()

    def test_a_few_of_each_are_harmless(self):
        for name, make in FRAMES.items():
            with self.subTest(name):
                client, stream = self.open(False)
                client.send(make(stream) * 20)
                if name != "goaway":
                    self.assertEqual(client.ask("/").status, 200)
                    self.assertEqual(client.goaways, [])
                client.close()

    def test_a_download_in_small_steps_is_no_flood(self):
        client = self.client(settings={4: 1000})
        stream = client.start("/", fields=[("x-a", "y" * 20_000)])
        self.assertEqual(len(client.wait(stream).json()["fields"][-1]), 2)
        self.assertEqual(client.goaways, [])


class Refusals(FloodCase):
    """Each is answered with a reset that nobody reads."""

    def attack(self, client: Http2Client, block: bytes, flags: int):
        for first in range(1, 200_000, 20_000):
            self.flood(client, b"".join(frame(HEADERS, flags, stream, block)
                                        for stream in range(first, first + 20_000, 2)))

    def test_resets_that_nobody_reads_do_not_pile_up(self):
        blocks = {
            "over the limit of streams": hpack.encode([
                (":method", "GET"), (":scheme", "http"), (":path", "/slow"),
                (":authority", "localhost")]),
            "malformed": hpack.encode([(":method", "GET"), ("x-a", "b")]),
            "answered by us": hpack.encode([(":method", "BREW"), (":scheme", "http"),
                                            (":path", "/"), (":authority", "localhost")]),
        }
        for name, block in blocks.items():
            for tls in (False, True):
                client = self.client(tls)
                client.auto = False
                client.socket.settimeout(2)
                self.under(f"{name}, {tls=}", lambda client=client, block=block:
                           self.attack(client, block, END_HEADERS | END_STREAM))
                client.close()

    def test_more_streams_than_allowed_are_refused_and_the_others_served(self):
        client = self.client()
        streams = [client.start("/slow") for _ in range(300)]
        while len(client.done) < 300 - 128:
            client.take_frame()
        self.assertEqual({client.answers[stream].reset for stream in client.done}, {7})
        self.assertEqual(client.done, set(streams[128:]))
        self.proxy.wait_total(128, "strangler_live_exchanges")


class Connections(FloodCase):
    def test_many_that_come_with_a_request_and_go_leave_nothing(self):
        block = [(":method", "GET"), (":scheme", "http"), (":path", "/slow"),
                 (":authority", "localhost")]

        def attack():
            for number in range(300):
                tls = number % 10 == 0
                sock = connect(self.proxy.tls if tls else self.proxy.plain, tls)
                sock.sendall(PREFACE + frame(SETTINGS, 0, 0, settings_payload({4: 0})) +
                             b"".join(headers_frame(stream, block, END_HEADERS | END_STREAM)
                                      for stream in range(1, 20, 2)))
                sock.close()
        self.under("come and go", attack)
        wait_until("all are gone", lambda: self.proxy.total("strangler_connections") == 0)

    def test_small_pieces_of_content_are_content(self):
        client = self.client()
        stream = client.take_id()

        def attack():
            client.send(request_frame(stream, "/", False) + frame(DATA, 0, stream, b"x") * COUNT +
                        frame(DATA, END_STREAM, stream))
            self.assertEqual(client.wait(stream).json()["length"], COUNT)
        self.under("one byte each", attack)


if __name__ == "__main__":
    main()
