"""RFC 9112 sections 4 … 8 for answers: what an HTTP/1.1 backend may say wrong, what clients of both
protocols then see, and that nobody takes a part for the whole."""

from http1_backend import Gone, Http1Backend, answer_bytes, once
from http1_client import Http1Client
from http2_peer import INTERNAL_ERROR, Http2Client
from strangler_test import ProxyCase, backend_text, config_text, main

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
LENGTH_2 = b"content-length: 2\r\n\r\nok"


def lines(start: bytes) -> bytes:
    """A good answer, but for its first line."""
    return start + b"\r\n" + LENGTH_2


def field(line: bytes) -> bytes:
    """A good answer with this line in its head."""
    return OK + line + LENGTH_2


def framed(fields: bytes, body: bytes = b"ok") -> bytes:
    return OK + fields + b"\r\n\r\n" + body


# What is said before the connection closes. Not a byte of it may reach a client: 502.
STATUS_LINES = {
    "no status line": b"<html>hello</html>",
    "content alone (HTTP/0.9)": b"<html>\r\n\r\nhello</html>\r\n",
    "another protocol": b"ICY 200 OK\r\n\r\n",
    "rtsp": lines(b"RTSP/1.0 200 OK"),
    "version 0.9": lines(b"HTTP/0.9 200 OK"),
    "version 1.2": lines(b"HTTP/1.2 200 OK"),
    "version 1.10": lines(b"HTTP/1.10 200 OK"),
    "version 2.0": lines(b"HTTP/2.0 200 OK"),
    "version in lower case": lines(b"http/1.1 200 OK"),
    "no version": lines(b"200 OK"),
    "status 99": lines(b"HTTP/1.1 99 Low"),
    "status 000": lines(b"HTTP/1.1 000 Low"),
    "status 1000": lines(b"HTTP/1.1 1000 High"),
    "status 600": lines(b"HTTP/1.1 600 High"),
    "status 0200": lines(b"HTTP/1.1 0200 OK"),
    "status 00000000000000000200": lines(b"HTTP/1.1 00000000000000000200 OK"),
    "status 65736": lines(b"HTTP/1.1 65736 OK"),
    "status 18446744073709551816": lines(b"HTTP/1.1 18446744073709551816 OK"),
    "status 20": lines(b"HTTP/1.1 20 OK"),
    "status +20": lines(b"HTTP/1.1 +20 OK"),
    "status abc": lines(b"HTTP/1.1 abc OK"),
    "no status": lines(b"HTTP/1.1"),
    "no status behind the space": lines(b"HTTP/1.1 "),
    "200OK": lines(b"HTTP/1.1 200OK"),
    "a tab behind the version": lines(b"HTTP/1.1\t200 OK"),
    "a tab behind the status": lines(b"HTTP/1.1 200\tOK"),
    "two spaces": lines(b"HTTP/1.1  200 OK"),
    "a line in front": lines(b"\r\nHTTP/1.1 200 OK"),
    "a bare line feed in front": lines(b"\nHTTP/1.1 200 OK"),
    "a space in front": lines(b" HTTP/1.1 200 OK"),
    "a NUL in front": lines(b"\0HTTP/1.1 200 OK"),
    "a bare CR in the phrase": lines(b"HTTP/1.1 200 O\rK"),
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    "an endless phrase": lines(b"HTTP/1.1 200 " + b"r" * 200_000),
}

FIELDS = {
    "a NUL": field(b"x-a: b\0c\r\n"),
    "a NUL alone": field(b"x-a: \0\r\n"),
    "a bare CR": field(b"x-a: b\rx-c: d\r\n"),
    "a bare CR at the end": field(b"x-a: b\r\r\n"),
    "a bare LF": field(b"x-a: b\nx-c: d\r\n"),
    "a control": field(b"x-a: b\1c\r\n"),
    "a DEL": field(b"x-a: b\x7fc\r\n"),
    "a space in a name": field(b"x a: b\r\n"),
    "a space behind a name": OK + b"content-length : 2\r\n\r\nok",
    "a NUL in a name": field(b"\0: b\r\n"),
    "a name that is no token": field(b"x(a: b\r\n"),
    "a name above 0x7f": field(b"x\x80: b\r\n"),
    "no colon": field(b"nonsense\r\n"),
    "an empty name": field(b": x\r\n"),
    "a blank line start": field(b" x-a: b\r\n"),
    "a large field": field(b"x-a: " + b"b" * 200_000 + b"\r\n"),
    "many fields": field(b"x-a: b\r\n" * 2000),
    "fields without end": OK + b"x-a: b\r\n" * 100_000,
}

FRAMING = {
    "two lengths": framed(b"content-length: 1\r\ncontent-length: 2"),
    "a list of lengths": framed(b"content-length: 1, 2"),
    "no length": framed(b"content-length:"),
    "a negative length": framed(b"content-length: -2"),
    "a signed length": framed(b"content-length: +2"),
    "a hexadecimal length": framed(b"content-length: 0x2"),
    "a length and more": framed(b"content-length: 2;"),
    "a length of two words": framed(b"content-length: 2 2"),
    "a folded length": framed(b"content-length: 2\r\n 0"),
    "a length beyond 64 bits": framed(b"content-length: 99999999999999999999"),
    "a length beyond 63 bits": framed(b"content-length: 9223372036854775808"),
    "length and coding": framed(b"content-length: 5\r\ntransfer-encoding: chunked", b"0\r\n\r\n"),
    "coding and length": framed(b"transfer-encoding: chunked\r\ncontent-length: 5", b"0\r\n\r\n"),
    "another coding": framed(b"transfer-encoding: gzip, chunked", b"0\r\n\r\n"),
    "identity": framed(b"transfer-encoding: identity"),
    "an empty coding": framed(b"transfer-encoding:"),
    "xchunked": framed(b"transfer-encoding: xchunked", b"0\r\n\r\n"),
    "chunked twice": framed(b"transfer-encoding: chunked, chunked", b"0\r\n\r\n"),
    "chunked on two lines": framed(b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
                                   b"0\r\n\r\n"),
    "chunked and a fold": framed(b"transfer-encoding: chunked\r\n ", b"2\r\nok\r\n0\r\n\r\n"),
    "chunked and a folded word": framed(b"transfer-encoding: chunked\r\n x", b"2\r\nok\r\n"),
    "coding in HTTP/1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
}

INTERIM = {
    "switching that nobody asked for":
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhi",
    "switching to h2c": b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    "switching to nothing": b"HTTP/1.1 101 Switching\r\n\r\n",
    "a flood": b"HTTP/1.1 102 Wait\r\n\r\n" * 2000 + OK + LENGTH_2,
    "a flood of heads": (b"HTTP/1.1 103 Go\r\nlink: " + b"a" * 30_000 + b"\r\n\r\n") * 10,
    "with content": b"HTTP/1.1 100 Go\r\ncontent-length: 10\r\n\r\n0123456789",
    "in chunks": b"HTTP/1.1 103 Go\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "a bad one behind a good one": b"HTTP/1.1 103 Go\r\n\r\n" + lines(b"HTTP/1.1 0200 OK"),
}

ENDS = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "half a head": OK + b"content-le",
    "a head without its end": OK + b"content-length: 2\r\n",
    "an interim answer alone": b"HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n",
}

REFUSED = {**STATUS_LINES, **FIELDS, **FRAMING, **INTERIM, **ENDS}

# The head was good, what follows is not: nobody may take it for whole.
CUT = {
    "shorter than its length": framed(b"content-length: 100", b"abc"),
    "nothing of its length": framed(b"content-length: 100", b""),
    "no last chunk": CHUNKED + b"3\r\nabc\r\n",
    "half a chunk": CHUNKED + b"30\r\nabc",
    "no end of the trailers": CHUNKED + b"3\r\nabc\r\n0\r\n",
    "half a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nx-a",
    **{f"the size {size!r}": CHUNKED + size + b"\r\nabc\r\n0\r\n\r\n" for size in (
        b"", b"zz", b"+3", b"-3", b"0x3", b" 3", b"3 ", b"3_0", b"fffffffffffffffff",
        b"10000000000000003", b"3\0", b"3;\n", b"3;a\rb", b"3;a\0", b"3;" + b"e" * 5000)},
    "a bare LF behind the size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "a bare LF behind the data": CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    "other bytes behind the data": CHUNKED + b"3\r\nabcxx0\r\n\r\n",
    "data beyond the chunk": CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n",
    "bare LFs at the end": CHUNKED + b"3\r\nabc\r\n0\n\n",
    "extensions without end": CHUNKED + b"1;eeeeeeee\r\na\r\n" * 2000 + b"0\r\n\r\n",
    "a NUL in trailers": CHUNKED + b"3\r\nabc\r\n0\r\nx: \0\r\n\r\n",
    "trailers without end": CHUNKED + b"3\r\nabc\r\n0\r\n" + b"x-t: y\r\n" * 10_000 + b"\r\n",
}

# Not as it should be said, but clear: (what is said, the field x-a, the content).
CLEANED = {
    "a fold": (field(b"x-a: b\r\n c\r\n"), "b c", b"ok"),
    "a fold at the start": (field(b"x-a:\r\n b\r\n"), "b", b"ok"),
    "a folded length": (OK + b"content-length:\r\n 2\r\n\r\nok", None, b"ok"),
    "a folded coding": (OK + b"transfer-encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", None,
                        b"ok"),
    "no phrase": (lines(b"HTTP/1.1 200"), None, b"ok"),
    "an empty phrase": (lines(b"HTTP/1.1 200 "), None, b"ok"),
    "version 1.0": (lines(b"HTTP/1.0 200 OK"), None, b"ok"),
    "no length": (OK + b"\r\nok", None, b"ok"),
    "CHUNKED": (OK + b"Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n", None, b"ok"),
    "extensions": (CHUNKED + b"1;a=b\r\no\r\n0001\r\nk\r\n0;c\r\n\r\n", None, b"ok"),
    "bytes above 0x7f": (field(b"x-a: \xe4\r\n"), "\xe4", b"ok"),
}


class Answers(ProxyCase):
    """One fault after the other, each on a connection that the backend then closes."""

    def setUp(self):
        super().setUp()
        self.said = b""
        self.backend = self.closing(Http1Backend(lambda connection: once(self.said)(connection)))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)),
                                      workers=1)
        self.http2 = self.closing(Http2Client(self.proxy.plain))

    def say(self, said: bytes):
        self.said = said
        self.backend.requests.clear()

    def check_asked_once(self):
        self.assertEqual(len(self.backend.requests), 1)

    def check_refused(self, cases: dict):
        for name, said in cases.items():
            with self.subTest(name):
                for ask in (self.http2.ask, self.ask_http1):
                    self.say(said)
                    answer = ask("/")
                    self.assertEqual((answer.status, answer.reset), (502, None))
                    self.assertEqual(answer.value("content-type"), "application/problem+json")
                    self.assertEqual(answer.json()["status"], 502)
                    self.check_asked_once()
        self.say(answer_bytes(b"fine"))
        self.assertEqual(self.http2.ask("/").body, b"fine")

    def ask_http1(self, path: str):
        client = Http1Client(self.proxy.plain)
        try:
            return client.ask(path)
        finally:
            client.close()

    def test_4_status_lines(self):
        self.check_refused(STATUS_LINES)

    def test_5_fields(self):
        self.check_refused(FIELDS)

    def test_6_framing(self):
        self.check_refused(FRAMING)

    def test_9110_15_2_interim_answers(self):
        self.check_refused(INTERIM)

    def test_8_answers_that_end_too_early(self):
        self.check_refused(ENDS)

    def test_8_a_cut_answer_is_never_whole_over_http2(self):
        for name, said in CUT.items():
            with self.subTest(name):
                self.say(said)
                answer = self.http2.ask("/")
                self.assertEqual(answer.reset, INTERNAL_ERROR)
                self.assertIn(answer.status, (0, 200))  # the head may be overtaken
                self.check_asked_once()
        self.assertEqual(self.http2.goaways, [])  # the client does not pay for it

    def test_8_a_cut_answer_is_never_whole_over_http1(self):
        for name, said in CUT.items():
            with self.subTest(name):
                self.say(said)
                client = Http1Client(self.proxy.plain)
                client.start("/")
                with self.assertRaises((Gone, ConnectionError)):
                    client.read()
                client.close()
                self.check_asked_once()

    def test_8_nor_for_a_client_of_http_1_0_who_sees_the_end_by_the_connection(self):
        for name, said in CUT.items():
            with self.subTest(name):
                self.say(said)
                client = Http1Client(self.proxy.plain)
                client.start("/", version="1.0")
                with self.assertRaises((Gone, ConnectionError)):
                    client.read()
                client.close()

    def test_what_is_clear_passes_cleaned(self):
        for name, (said, value, body) in CLEANED.items():
            with self.subTest(name):
                for ask in (self.http2.ask, self.ask_http1):
                    self.say(said)
                    answer = ask("/")
                    self.assertEqual((answer.status, answer.value("x-a"), answer.body),
                                     (200, value, body))

    def test_an_answer_in_single_bytes_is_the_same_answer(self):
        def script(connection):
            connection.read_request()
            for byte in b"HTTP/1.1 103 Go\r\n\r\n" + CHUNKED + b"3;x\r\nabc\r\n0\r\nx-t: 1\r\n\r\n":
                connection.send(bytes([byte]))
            connection.wait_end()
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)), workers=1)
        client = self.closing(Http2Client(proxy.plain))
        answer = client.ask("/")
        self.assertEqual((answer.status, answer.body, answer.trailers, answer.interim),
                         (200, b"abc", [("x-t", "1")], [(103, [])]))

    def test_each_kind_of_fault_is_counted(self):
        for label, name in (("malformed", "status 99"), ("header_limit", "many fields"),
                            ("header_limit", "a flood"), ("reset", "half a head")):
            before = self.proxy.fault_count("monolith", label)
            self.say(REFUSED[name])
            self.assertEqual(self.http2.ask("/").status, 502)
            self.assertEqual(self.proxy.fault_count("monolith", label), before + 1, name)


if __name__ == "__main__":
    main()
