"""Says something to the proxy over HTTP/2 and tells what came of it: for tests that go rule by
rule. A case is bytes, or a function from Probe to bytes; what it may lead to is a set of outcomes."""

import struct
import threading
from typing import Callable, Union

import hpack
from http1_backend import Gone, Http1Backend
from http2_peer import (END_HEADERS, END_STREAM, PING, RST_STREAM, WINDOW_UPDATE, Http2Client,
                        frame, headers_frame)
from scripted_site import SERVE, echo
from strangler_test import ProxyCase, backend_text, config_text

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM = range(12)
PADDED, PRIORITY_FLAG = 8, 32

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")]
POST = [(":method", "POST"), *GET[1:]]


def request(path: str = "/", method: str = "GET") -> list:
    return [(":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost")]


def get(stream: int, path: str = "/") -> bytes:
    return headers_frame(stream, request(path), END_HEADERS | END_STREAM)


def post(stream: int, path: str = "/slow") -> bytes:
    """A request whose content is yet to come, to a backend that does not answer."""
    return headers_frame(stream, request(path, "POST"))


def window(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


class Probe(Http2Client):
    """A client that is past its preface, and whose settings are known."""

    def __init__(self, port: int, tls: bool = False):
        super().__init__(port, tls)
        self.wait_ping()

    def hear(self) -> set:
        """Everything that is said until what we sent is dealt with, as words."""
        try:
            # Acknowledgements may go before what was to be said first; behind the second, all is.
            for payload in (b"the end?", b"for sure"):
                self.send_frame(PING, 0, 0, payload)
                while not any(got.type == PING and got.payload == payload for got in self.seen):
                    self.take_frame()
        except (Gone, OSError):
            self.wait_closed()  # what it has said before
            if not self.goaways:
                return {"closed"}
        words = {f"reset {stream} {answer.reset}" for stream, answer in self.answers.items()
                 if answer.reset is not None}
        words |= {f"goaway {got.code}" for got in self.goaways}
        words |= {f"answer {stream} {answer.status}" for stream, answer in self.answers.items()
                  if answer.status}
        return words


Case = Union[bytes, Callable[[Probe], bytes]]


class ConformanceCase(ProxyCase):
    """A proxy whose `/slow` is never answered, whose `/deaf` is not even read, and everything else
    is answered at once."""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](echo))
        self.slow = self.closing(Http1Backend(lambda connection: connection.wait_end()))
        self.over = threading.Event()
        self.deaf = self.closing(Http1Backend(lambda _: self.over.wait(30), receive_buffer=4096))
        self.addCleanup(self.over.set)
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port), backend_text("slow", self.slow.port),
            backend_text("deaf", self.deaf.port), more="""routes: {
                slow: { prefix = "/slow"; backend = "slow"; };
                deaf: { prefix = "/deaf"; backend = "deaf"; };
            };"""))

    def probe(self, tls: bool = False) -> Probe:
        return Probe(self.proxy.tls if tls else self.proxy.plain, tls)

    def each(self, cases: dict, check: Callable[[Case, bool], None]):
        """Every case in clear and over TLS."""
        for name, case in cases.items():
            for tls in (False, True):
                with self.subTest(name, tls=tls):
                    check(case, tls)

    def say(self, case: Case, tls: bool = False) -> set:
        probe = self.probe(tls)
        try:
            try:
                probe.send(case if isinstance(case, bytes) else case(probe))
            except (Gone, OSError):
                pass
            return probe.hear()
        finally:
            probe.close()

    def check_connection_errors(self, code: int, cases: dict):
        self.each(cases, lambda case, tls: self.assertIn(f"goaway {code}", self.say(case, tls)))

    def check_stream_errors(self, code: int, cases: dict, stream: int = 1):
        """RFC 9113 section 5.4.2 lets a stream's error be the connection's."""
        def check(case: Case, tls: bool):
            words = self.say(case, tls)
            self.assertTrue({f"reset {stream} {code}", f"goaway {code}"} & words, words)
        self.each(cases, check)

    def check_harmless(self, cases: dict):
        def check(case: Case, tls: bool):
            words = self.say(case, tls)
            self.assertFalse([word for word in words
                              if word == "closed" or word.startswith(("goaway", "reset"))], words)
        self.each(cases, check)

    def check_answered(self, cases: dict, stream: int = 1, status: int = 200):
        """The request is served in spite of it."""
        def check(case: Case, tls: bool):
            probe = self.probe(tls)
            probe.send(case if isinstance(case, bytes) else case(probe))
            self.assertEqual(probe.wait(stream).status, status)
            self.assertFalse(probe.goaways)
            probe.close()
        self.each(cases, check)

    def check_malformed(self, cases: dict):
        """Reset, or refused with 400; and no backend hears of it."""
        def check(case: Case, tls: bool):
            words = self.say(case, tls)
            self.assertTrue({f"reset 1 {PROTOCOL_ERROR}", f"goaway {PROTOCOL_ERROR}",
                             "answer 1 400"} & words, words)
            self.assertNotIn("answer 1 200", words)
        self.each(cases, check)
        self.assertEqual([seen.target for seen in self.backend.requests], [])


def closed(probe: Probe, path: str = "/") -> int:
    """A stream that is over."""
    stream = probe.take_id()
    probe.send(get(stream, path))
    probe.wait(stream)
    return stream


def block(fields) -> bytes:
    return hpack.encode(fields)

