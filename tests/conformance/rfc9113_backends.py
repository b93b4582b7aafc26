"""RFC 9113 sections 5, 6, 8 and 10.5 for backends that speak HTTP/2: what they may flood, break or
take back, as clients of both protocols see it."""

import struct
import threading

import hpack
from http1_backend import Gone
from http1_client import Http1Client
from http2_peer import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INTERNAL_ERROR, PING,
                        PRIORITY, REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2Backend,
                        Http2Client, frame, headers_frame, settings_payload)
from strangler_test import (SMALL_QUARANTINE, ProxyCase, backend_text, config_text, main,
                            wait_until)

OK = (":status", "200")
MEMORY_BYTES = 32 << 20
FLOOD_BYTES = 64 << 20


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def begun(stream: int) -> bytes:
    return headers_frame(stream, [OK])


# What is said again and again instead of an answer, or behind its head.
FLOODS = {
    "ping": lambda stream: frame(PING, 0, 0, b"12345678"),
    "settings": lambda stream: frame(SETTINGS, 0, 0, settings_payload({4: 65535})),
    "settings of much": lambda stream: frame(SETTINGS, 0, 0, settings_payload({4: 65535}) * 100),
    "settings of nothing": lambda stream: frame(SETTINGS),
    "priority": lambda stream: frame(PRIORITY, 0, stream, number(0) + b"\1"),
    "window updates": lambda stream: frame(WINDOW_UPDATE, 0, 0, number(1)),
    "empty data": lambda stream: frame(DATA, 0, stream),
    "padding": lambda stream: frame(DATA, 8, stream, b"\xff" + b"\0" * 255),
    "interim heads": lambda stream: headers_frame(stream, [(":status", "103")]),
    "unknown": lambda _: frame(0x20, 0, 0, b"x"),
    "unknown of a stream": lambda stream: frame(0xfe, 0xff, stream),
    "resets of nothing": lambda stream: frame(RST_STREAM, 0, stream + 2, number(8)),
}


class Backends(ProxyCase):
    def start(self, script, more: str = "", **options):
        self.backend = self.closing(Http2Backend(script, **options))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, "h2", 'timeouts: { first_byte = "20s"; '
                         'idle = "20s"; total = "25s"; };'), more=more),
            workers=1, asan=SMALL_QUARANTINE)

    def clients(self):
        for kind in (Http1Client, Http2Client):
            with self.subTest(kind.__name__):
                client = kind(self.proxy.plain)
                yield client
                client.close()

    def ask(self, client, path: str):
        """The answer, or None when it was cut."""
        try:
            answer = client.ask(path)
        except (Gone, ConnectionError):
            return None
        return None if answer.reset is not None else answer

    def test_10_5_floods_hold_little_and_are_ended(self):
        def script(connection):
            connection.begin()
            connection.auto = False
            while True:
                request = connection.read_request()
                if request.target == "/fine":
                    connection.answer(request.stream, b"fine")
                    continue
                name, _, behind = request.target[1:].partition("/")
                flood = FLOODS[name.replace("-", " ")](request.stream)
                if behind:
                    connection.send(begun(request.stream))
                flood *= 65536 // len(flood)
                for _ in range(FLOOD_BYTES // len(flood)):
                    connection.send(flood)
        self.start(script)
        before = self.proxy.resident_bytes()
        for name in FLOODS:
            for behind in ("", "/head"):
                with self.subTest(name, behind=behind):
                    client = self.closing(Http2Client(self.proxy.plain))
                    answer = self.ask(client, "/" + name.replace(" ", "-") + behind)
                    self.assertEqual(answer and answer.status, None if behind else 502)
                    # It takes along what is asked on the same connection, until that is closed.
                    wait_until("it is well", lambda: client.ask("/fine").body == b"fine")
                    self.assertLess(self.proxy.resident_bytes() - before, MEMORY_BYTES)

    def test_10_5_a_head_without_end_or_of_much_is_refused(self):
        block = hpack.encode([OK])

        def script(connection):
            connection.begin()
            connection.auto = False
            stream = connection.read_request().stream
            connection.send(self.said(stream))
            connection.wait_end()
        self.start(script)
        bomb = hpack.encode([OK, ("x-a", "b" * 4000)]) + b"\xbe" * 16_000
        cases = {
            "continuations": lambda stream: frame(HEADERS, 0, stream, block) +
                frame(CONTINUATION, 0, stream, b"") * 100_000,
            "continuations with fields": lambda stream: frame(HEADERS, 0, stream, block) +
                frame(CONTINUATION, 0, stream, hpack.encode([("x-a", "b" * 4000)]) * 4) * 1000,
            "one block of much": lambda stream: frame(HEADERS, END_HEADERS, stream, bomb),
            "a large field": lambda stream: headers_frame(stream, [OK, ("x-a", "b" * 200_000)]),
        }
        before = self.proxy.resident_bytes()
        for name, said in cases.items():
            self.said = said
            for client in self.clients():
                with self.subTest(name):
                    self.assertEqual(client.ask("/").status, 502)
        self.assertLess(self.proxy.resident_bytes() - before, MEMORY_BYTES)

    def test_4_3_heads_arrive_as_they_are_whatever_table_the_backend_allows(self):
        sizes = (0, 4096, 65536, 40, 100)

        def script(connection):
            connection.begin({1: 60})  # SETTINGS_HEADER_TABLE_SIZE
            for size in sizes:
                for _ in range(5):
                    connection.answer(connection.read_request().stream, b"fine")
                connection.send_frame(SETTINGS, 0, 0, settings_payload({1: size}))
            connection.wait_end()
        self.start(script)
        client = self.closing(Http2Client(self.proxy.plain))
        for number in range(5 * len(sizes)):
            fields = [("x-a", "same"), ("x-b", f"other {number}"), ("cookie", "a=b"),
                      ("te", "trailers"), ("x-c", "c" * (20_000 if number % 5 == 4 else 50))]
            stream = client.start(f"/{number}?a=b", "POST", fields, ends=False)
            client.send_body(stream, b"abc", trailers=[("x-a", "same"), ("x-d", "same")])
            self.assertEqual(client.wait(stream).body, b"fine")
            got = self.backend.requests[-1]
            self.assertEqual((got.method, got.target, got.body), ("POST", f"/{number}?a=b", b"abc"))
            for field in fields[:3] + fields[4:]:
                self.assertIn(field, got.fields)
            self.assertEqual(got.trailers, [("x-a", "same"), ("x-d", "same")])

    def test_4_3_heads_that_waited_for_room_and_were_given_up_meanwhile_spoil_no_others(self):
        reads_on = threading.Event()

        def script(connection):
            connection.begin({3: 1000})  # SETTINGS_MAX_CONCURRENT_STREAMS
            connection.answer(connection.read_request().stream, b"fine")
            reads_on.wait(30)
            while True:
                connection.answer(connection.read_request().stream, b"fine")
        self.start(script, receive_buffer=4096)
        fields = [("x-a", "same"), ("x-b", "b" * 20_000)]
        client = self.closing(Http2Client(self.proxy.plain))
        client.ask("/")
        given_up = [Http2Client(self.proxy.plain) for _ in range(3)]
        for other in given_up:
            for _ in range(90):
                other.start("/given-up", fields=fields)
            other.wait_ping()
        streams = [client.start(f"/{number}", fields=fields[:1]) for number in range(50)]
        for other in given_up:
            other.close()
        self.proxy.wait_log(1 + 3 * 90)
        reads_on.set()
        for stream in streams:
            self.assertEqual(client.wait(stream).body, b"fine")
        self.assertEqual(self.backend.connection_count, 1)
        self.assertTrue(all(one.value("x-a") == "same" for one in self.backend.requests[1:]))

    def test_8_1_a_body_that_ends_before_its_time_is_never_whole(self):
        def script(connection):
            connection.begin()
            while True:
                request = connection.read_request()
                said = [OK, ("content-length", "9")] if "length" in request.target else [OK]
                connection.send(headers_frame(request.stream, said) +
                                frame(DATA, 0, request.stream, b"abc"))
                if request.target.endswith("reset"):
                    connection.reset(request.stream, INTERNAL_ERROR)
                elif request.target.endswith("closed"):
                    return
                elif request.target.endswith("end"):
                    connection.send(frame(DATA, END_STREAM, request.stream))
                elif request.target.endswith("more"):
                    connection.send(frame(DATA, END_STREAM, request.stream, b"x" * 20))
        self.start(script)
        for path in ("/reset", "/closed", "/length-reset", "/length-closed", "/length-end",
                     "/length-more"):
            for client in self.clients():
                with self.subTest(path):
                    self.assertIsNone(self.ask(client, path))

    def test_8_7_what_was_refused_is_tried_once_more_and_a_write_that_was_not_is_not(self):
        def script(connection):
            connection.begin()
            while True:
                request = connection.read_request()
                seen = [one.target for one in self.backend.requests]
                if "refused" in request.target and seen.count(request.target) == 1:
                    connection.reset(request.stream, REFUSED_STREAM)
                elif "reset" in request.target:
                    connection.reset(request.stream, INTERNAL_ERROR)
                else:
                    connection.answer(request.stream, b"fine")
        self.start(script)
        for number, client in enumerate(self.clients()):
            self.assertEqual(client.ask(f"/refused-{number}").body, b"fine")
            self.assertEqual(client.ask(f"/refused-post-{number}", "POST", body=b"x").status, 502)
            self.assertEqual(client.ask(f"/reset-{number}", "POST", body=b"x").status, 502)
        seen = [one.target for one in self.backend.requests]
        self.assertEqual([seen.count(f"/refused-{number}") for number in (0, 1)], [2, 2])
        self.assertEqual([seen.count(f"/refused-post-{number}") for number in (0, 1)], [1, 1])
        self.assertEqual([seen.count(f"/reset-{number}") for number in (0, 1)], [1, 1])


if __name__ == "__main__":
    main()
