"""Rapid Reset (CVE-2023-44487), by the client's resets and by those that it provokes (MadeYouReset,
CVE-2025-8671): streams end fast, the work behind them does not. RFC 9113 sections 5.1.2 and 10.5."""

import struct
import time

from flood_case import STREAM_LIMIT, FloodCase, request_frame
from http1_backend import Gone
from http2_peer import (DATA, END_STREAM, ENHANCE_YOUR_CALM, PRIORITY, REFUSED_STREAM, RST_STREAM,
                        WINDOW_UPDATE, Http2Client, frame, headers_frame)
from strangler_test import main, wait_until

OVERFLOW = struct.pack(">I", (1 << 31) - 1)

# What is sent behind a good request so that either end resets it.
ENDINGS = {
    "rapid reset": lambda stream: frame(RST_STREAM, 0, stream, struct.pack(">I", 8)),
    "reset with no error": lambda stream: frame(RST_STREAM, 0, stream, struct.pack(">I", 0)),
    "window overflow": lambda stream: frame(WINDOW_UPDATE, 0, stream, OVERFLOW),
    "window of nothing": lambda stream: frame(WINDOW_UPDATE, 0, stream, b"\0\0\0\0"),
    "data behind the end": lambda stream: frame(DATA, END_STREAM, stream, b"x"),
    "headers behind the end": lambda stream: headers_frame(stream, [("x-a", "b")]),
    "priority too short": lambda stream: frame(PRIORITY, 0, stream, b"\0\0\0\1"),
    "dependency on itself": lambda stream: frame(PRIORITY, 0, stream,
                                                 struct.pack(">IB", stream, 1)),
}


def streams(path: str, ending, count: int) -> bytes:
    return b"".join(request_frame(stream, path) + ending(stream)
                    for stream in range(1, 2 * count, 2))


class Resets(FloodCase):
    def attack(self, client: Http2Client, path: str, ending, count: int):
        self.flood(client, streams(path, ending, count))
        client.wait_closed()

    def test_who_goes_on_is_sent_away(self):
        for number, (name, ending) in enumerate(ENDINGS.items()):
            client = self.client(number % 2 == 1)
            self.under(name, lambda client=client, ending=ending:
                       self.attack(client, "/slow", ending, 5000))
            self.assertTrue(client.goaways)
            self.assertNotEqual(client.goaways[-1].code, 0)
        self.assertLess(self.proxy.total("strangler_http_requests_total", route="slow"),
                        len(ENDINGS) * 500)


class NothingIsLeft(FloodCase):
    def test_what_is_given_up_at_once_costs_the_backend_nothing(self):
        client = self.client()
        self.flood(client, streams("/slow", ENDINGS["rapid reset"], 200))
        client.wait_ping()
        self.proxy.wait_total(0, "strangler_live_exchanges")
        # But for the few that the reads cut off from their reset.
        self.assertLess(max(self.slow.connection_count, len(self.slow.requests)), 10)

    def test_nothing_stays_under_way(self):
        for path in ("/", "/slow"):
            client = self.client()
            self.flood(client, streams(path, ENDINGS["rapid reset"], 1000))
            try:
                client.wait_ping()
            except (Gone, OSError):
                pass
            for name in ("strangler_live_exchanges", "strangler_backend_streams"):
                self.proxy.wait_total(0, name)


class NothingIsLeftOverHttp2(NothingIsLeft):
    protocol = "h2"


class WorkThatGoesOn(FloodCase):
    """At a backend that does not notice that nobody waits any more."""

    def one_by_one(self, client: Http2Client, ending):
        """Each is let through to its backend before it is reset, until some were refused."""
        refused = 0
        for stream in range(1, 1001, 2):
            reached = self.stubborn.alive
            client.send(request_frame(stream, "/stubborn"))
            end = time.monotonic() + 20
            while self.stubborn.alive == reached and not self.is_refused(client, stream):
                self.assertLess(time.monotonic(), end)
            client.send(ending(stream))
            refused += self.is_refused(client, stream)
            if refused > 20:
                return

    @staticmethod
    def is_refused(client: Http2Client, stream: int) -> bool:
        client.socket.settimeout(0.001)
        try:
            client.take_frame()
        except TimeoutError:
            pass
        return stream in client.answers and client.answers[stream].reset == REFUSED_STREAM

    def test_a_backend_that_does_not_notice_has_no_more_to_do_than_one_client_may_ask_for(self):
        client = self.client()
        self.under("one by one", lambda: self.one_by_one(client, ENDINGS["rapid reset"]))
        self.assertEqual(self.stubborn.alive, STREAM_LIMIT)

    def test_nor_by_resets_that_we_are_made_to_send(self):
        client = self.client()
        self.under("one by one", lambda: self.one_by_one(client, ENDINGS["window overflow"]))
        self.assertEqual(self.stubborn.alive, STREAM_LIMIT)


class WorkThatGoesOnOverHttp2(WorkThatGoesOn):
    protocol = "h2"


class Browsers(FloodCase):
    def test_who_leaves_a_page_now_and_then_is_served(self):
        client = self.client()
        for _ in range(4):
            streams = [client.start("/slow") for _ in range(50)]
            for stream in streams:
                client.send_frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            self.assertEqual(client.ask("/").status, 200)
        self.assertEqual(client.goaways, [])

    def test_places_come_back_when_the_backend_is_through(self):
        client = self.client()
        began = time.monotonic()
        for _ in range(2):  # 100 each: more than all places together
            streams = [client.start("/slow") for _ in range(100)]
            wait_until("they are under way", lambda: len(self.slow.sockets) and
                       self.proxy.total("strangler_backend_streams") == 100)
            for stream in streams:
                client.send_frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            client.wait_ping()
            wait_until("their connections are closed",
                       lambda: self.proxy.total("strangler_backend_connections") <= 1)
        self.assertEqual(client.ask("/").status, 200)
        self.assertEqual([answer.reset for answer in client.answers.values() if answer.reset], [])
        self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    main()
