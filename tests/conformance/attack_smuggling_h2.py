"""Requests over HTTP/2 that would be two, or another one, once they are written for an HTTP/1.1 backend:
line ends, framing fields, trailers that mean too much, two names for the host, paths in disguise.
RFC 9113 sections 8.2, 8.3 and 10.3, RFC 9110 section 6.5.1, RFC 9112 section 11.2.

The backend reads strictly: what is no well-framed request with one Host is a fault of the test."""

import itertools

from http2_peer import DATA, END_HEADERS, END_STREAM, frame, headers_frame
from http2_probe import GET, POST, PROTOCOL_ERROR, ConformanceCase
from scripted_site import SERVE, echo
from strangler_test import backend_text, config_text, main

LINE_ENDS = ("\r\n", "\n", "\r", "\0", "\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n")


def ended(fields) -> bytes:
    return headers_frame(1, fields, END_HEADERS | END_STREAM)


def replaced(name: str, value) -> list:
    return [(its_name, value if its_name == name else its_value) for its_name, its_value in GET]


def with_trailers(trailers) -> bytes:
    return headers_frame(1, [*POST[:2], (":path", "/"), POST[3]]) + frame(DATA, 0, 1, b"abc") + \
        ended(trailers)


class Lines(ConformanceCase):
    def test_no_pseudo_field_ends_a_line(self):
        values = {":method": "GET", ":scheme": "http", ":path": "/", ":authority": "localhost"}
        self.check_malformed({
            f"{name} {mark!r} {where}": ended(replaced(name, value))
            for (name, good), mark in itertools.product(
                values.items(), [*LINE_ENDS, " ", "\t", " HTTP/1.1\r\nx: y", "\x7f"])
            for where, value in (("at the end", good + mark), ("inside", good[:1] + mark + good[1:]))
        })

    def test_no_field_ends_a_line(self):
        self.check_malformed({f"{mark!r} in {what}": ended([*GET, field]) for mark in LINE_ENDS
                              for what, field in (("a name", ("x" + mark + "y", "z")),
                                                  ("a value", ("x-a", "y" + mark + "z")),
                                                  ("a cookie", ("cookie", "a=b" + mark + "c")))})

    def test_no_name_is_another_one_for_who_reads_it_again(self):
        names = ["transfer-encoding ", "transfer-encoding:", "transfer-encoding: chunked\r\nx",
                 "content-length ", " host", "host:", "x:y", "\ttransfer-encoding", "",
                 "transfer\u212aencoding".encode(), "Transfer-Encoding", "hos\xadt"]
        self.check_malformed({repr(name): ended([*GET, (name, "chunked")]) for name in names})

    def test_trailers_end_no_line(self):
        self.check_malformed({f"{mark!r}": with_trailers([("x-a", "y" + mark)])
                              for mark in LINE_ENDS})


class Framing(ConformanceCase):
    def test_a_body_is_framed_by_its_frames_alone(self):
        self.check_malformed({
            "h2.te": headers_frame(1, [*POST, ("transfer-encoding", "chunked")]) +
                frame(DATA, END_STREAM, 1, b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
            "h2.te, identity": ended([*GET, ("transfer-encoding", "identity")]),
            "h2.te, empty": ended([*GET, ("transfer-encoding", "")]),
            "h2.cl, shorter": headers_frame(1, [*POST, ("content-length", "0")]) +
                frame(DATA, END_STREAM, 1, b"GET /smuggled HTTP/1.1\r\n\r\n"),
            "h2.cl, longer": headers_frame(1, [*POST, ("content-length", "100")]) +
                frame(DATA, END_STREAM, 1, b"abc"),
            "h2.cl, twice the same": ended([*GET, ("content-length", "0, 0")]),
            "connection": ended([*GET, ("connection", "content-length")]),
            "upgrade": ended([*GET, ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__")]),
            "te": ended([*GET, ("te", "gzip")]), "te, listed": ended([*GET, ("te", "trailers, gzip")]),
        })

    def test_content_is_framed_by_any_method(self):
        cases = {}
        for method in ("GET", "HEAD", "DELETE", "OPTIONS"):
            fields = [(":method", method), *GET[1:]]
            cases[method] = headers_frame(1, fields) + frame(DATA, END_STREAM, 1, b"GET / x\r\n\r\n")
            cases[method + ", length known"] = headers_frame(
                1, [*fields, ("content-length", "11")]) + frame(DATA, END_STREAM, 1, b"GET / x\r\n\r\n")
        self.check_answered(cases)
        self.assertEqual([len(seen.body) for seen in self.backend.requests], [11] * 16)


class Trailers(ConformanceCase):
    """What a trailer says never comes to stand in a head, nor is it passed on if it would matter there."""
    DROPPED = [
        ("host", "evil"), ("trailer", "x"), ("authorization", "x"),
        ("cookie", "a=b"), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil"), ("forwarded", "for=1.2.3.4"), ("x-real-ip", "1.2.3.4"),
        ("via", "1.1 evil"), ("x-request-id", "mine"), ("traceparent", "00-1-1-01"),
        ("x-strangler-side", "extracted"), ("expect", "100-continue"), ("range", "bytes=0-1"),
        ("content-encoding", "gzip"), ("content-type", "x/y"), ("max-forwards", "0"),
    ]

    def test_fields_that_frame_route_or_tell_who_asks_are_dropped(self):
        cases = {name: with_trailers([(name, value), ("x-sum", "1")]) for name, value in self.DROPPED}
        self.check_answered(cases)
        for seen in self.backend.requests:
            with self.subTest(trailers=seen.trailers):
                self.assertEqual(seen.trailers, [("x-sum", "1")])
                self.assertEqual(seen.values("host"), ["localhost"])
                self.assertNotIn("evil", str(seen.fields))
                self.assertNotIn("1.2.3.4", str(seen.fields))

    def test_what_frames_a_message_is_malformed_in_them(self):
        self.check_malformed({name: with_trailers([(name, "x")]) for name in (
            "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
            "content-length", ":path", ":authority", ":status")})


class Names(ConformanceCase):
    def test_the_host_is_said_once_and_one_way(self):
        self.check_malformed({
            "another host": ended([*GET, ("host", "evil")]),
            "another port": ended([*GET, ("host", "localhost:81")]),
            "an empty host": ended([*GET, ("host", "")]),
            "two hosts": ended([*GET[:3], ("host", "localhost"), ("host", "evil")]),
            "a list": ended(replaced(":authority", "localhost, evil")),
            "a path in it": ended(replaced(":authority", "localhost/evil")),
            "user information": ended(replaced(":authority", "localhost@evil")),
            "a port that is none": ended(replaced(":authority", "localhost:x")),
            "two authorities": ended([*GET, (":authority", "evil")]),
        })
        self.check_answered({"the same": ended([*GET, ("host", "localhost")])})
        self.assertEqual([seen.values("host") for seen in self.backend.requests],
                         [["localhost"]] * 2)

    def test_a_tunnel_is_not_to_be_had_by_connect(self):
        target = [(":method", "CONNECT"), (":authority", "localhost:22")]
        self.each({"connect": headers_frame(1, target)}, lambda case, tls:
                  self.assertIn("answer 1 501", self.say(case, tls)))
        self.check_malformed({
            "with a path": headers_frame(1, [*target, (":path", "/"), (":scheme", "http")]),
            "an unknown protocol without the rest": headers_frame(1, [*target,
                                                                      (":protocol", "x")]),
        })

    def test_extended_connect_is_for_websockets_alone(self):
        def connect(protocol: str) -> bytes:
            return headers_frame(1, [(":method", "CONNECT"), (":protocol", protocol), *GET[1:]])
        self.each({name: connect(name) for name in ("connect-udp", "h2c", "tcp", "")},
                  lambda case, tls: self.assertTrue(
                      {"answer 1 400", "answer 1 501", "reset 1 1"} & self.say(case, tls)))
        self.assertEqual(self.backend.requests, [])


class Paths(ConformanceCase):
    """`/internal` is refused however it is spelled, and what is sent is what was decided about."""

    def setUp(self):
        super().setUp()
        self.guarded = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port),
            more='routes: { internal: { prefix = "/internal"; deny = 403; }; };'))
        self.proxy = self.guarded

    def ask(self, path: str, tls: bool):
        probe = self.probe(tls)
        try:
            return probe.ask(path)
        finally:
            probe.close()

    def test_what_is_denied_is_denied_in_any_disguise(self):
        paths = ["/internal", "/internal/x", "//internal", "/./internal", "/a/../internal",
                 "/%69nternal", "/INTERNAL", "/internal;x", "/a/%2e%2e/internal", "/internal//",
                 "/a/..%2finternal", "/a%2f..%2finternal", "/internal%2fx", "\\internal", "/\\internal",
                 "/..;/internal", "/internal%00", "/%2e/internal", "/internal/.", "/x/../../internal",
                 "/internal?x", "/%2finternal", "/internal%5cx", "/a/..\\internal"]

        def check(path: str, tls: bool):
            answer = self.ask(path, tls)
            self.assertIn(answer.status or answer.reset, (400, 403, PROTOCOL_ERROR))
        self.each({path: path for path in paths}, check)
        self.assertEqual(self.backend.requests, [])

    def test_one_form_is_decided_about_and_sent(self):
        forms = {"/a/./b": "/a/b", "/a/../b": "/b", "/%61/b": "/a/b", "/a//b": "/a//b",
                 "/a/b/..": "/a/", "/%7eme": "/~me", "/a%20b": "/a%20b", "/a;x=1/b": "/a;x=1/b",
                 "/a/%2e%2e/b?q=%2e%2e/..": "/b?q=%2e%2e/..", "/%c3%a9": "/%C3%A9"}

        def check(path: str, tls: bool):
            self.assertEqual(self.ask(path, tls).status, 200)
            self.assertEqual(self.backend.requests[-1].target.lower(), forms[path].lower())
        self.each({path: path for path in forms}, check)

    def test_what_may_mean_two_things_is_refused(self):
        def check(path: str, tls: bool):
            answer = self.ask(path, tls)
            self.assertIn(answer.status or answer.reset, (400, PROTOCOL_ERROR))
        self.each({path: path for path in (
            "/a%2fb", "/a%5cb", "/a%00b", "/a\\b", "/a/..;/b", "/%zz", "/%", "/a%2", "/a#b", "a",
            "http://evil/", "*", "//%2e%2e%2f")}, check)
        self.assertEqual(self.backend.requests, [])


class ToHttp2Backend(ConformanceCase):
    """The same grammar holds for who would not be confused by it."""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["h2"](echo))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, "h2")))

    def test_nothing_malformed_is_passed_on(self):
        self.check_malformed({
            "a line end in a value": ended([*GET, ("x-a", "b\r\nc: d")]),
            "a line end in a path": ended(replaced(":path", "/\r\nx: y")),
            "a blank in a method": ended(replaced(":method", "GE T")),
            "a connection field": ended([*GET, ("connection", "close")]),
            "another host": ended([*GET, ("host", "evil")]),
            "a coding": ended([*GET, ("transfer-encoding", "chunked")]),
        })


if __name__ == "__main__":
    main()
