"""RFC 9112 section 7.1: chunks and trailers of requests. They are made anew; no line of the
client's reaches the backend."""

from strangler_test import main
from wire import BEHIND, WireCase, request

EXTENSION_BYTES = 4096  # of all chunks of a body
FIELDS = "host: a\ntransfer-encoding: chunked\n"
LAST = b"0\r\n\r\n"


def chunked(body: bytes, fields: str = FIELDS) -> bytes:
    return request(fields=fields, body=body)


class Section7(WireCase):
    def check_broken(self, *bodies: bytes):
        """Alone, and behind a chunk that is good."""
        for body in bodies:
            for before in (b"", b"2\r\nok\r\n"):
                with self.subTest(body=body[:40], before=before):
                    self.check_cut(chunked(before + body + LAST))
        self.check_next()

    def check_anew(self, body: bytes, content: bytes, trailers=()):
        """The strict reader knows no extension, no leading zero and no upper case."""
        self.backend.forget()
        client = self.client()
        client.send(chunked(body))
        self.assertEqual(client.read().body, b"POST /")
        client.close()
        [seen] = self.backend.whole_requests()
        self.assertEqual((seen.body, seen.trailers), (content, list(trailers)))
        self.assertTrue(self.backend.wire().startswith(chunked(b"")))

    def test_1_a_size_is_hexadecimal_and_nothing_else(self):
        self.check_broken(
            b"\r\n", b"x\r\n", b"0x3\r\nabc\r\n", b"0X3\r\nabc\r\n", b"x3\r\nabc\r\n",
            b"+3\r\nabc\r\n", b"-3\r\nabc\r\n", b"-0\r\n\r\n", b" 3\r\nabc\r\n", b"\t3\r\nabc\r\n",
            b"3 \r\nabc\r\n", b"3\t\r\nabc\r\n", b"3 3\r\nabc\r\n", b"3_0\r\nabc\r\n",
            b"3,\r\nabc\r\n", b"3.0\r\nabc\r\n", b"3h\r\nabc\r\n", b"\"3\"\r\nabc\r\n",
            b"3\0\r\nabc\r\n", b"\x003\r\nabc\r\n", b"3\x0b\r\nabc\r\n", b"\xef\xbc\x93\r\nabc\r\n",
            b";a\r\nabc\r\n", b";\r\n", b"3 ;a\r\nabc\r\n", b"\r\n3\r\nabc\r\n")

    def test_1_a_size_that_overflows_is_refused(self):
        self.check_broken(
            b"ffffffffffffffff3\r\nabc\r\n", b"10000000000000003\r\nabc\r\n",
            b"100000000000000000000000000000003\r\nabc\r\n", b"1" + b"0" * 1000 + b"3\r\nabc\r\n",
            b"ffffffffffffffffffff\r\nabc\r\n")

    def test_1_a_line_of_a_chunk_ends_with_cr_lf(self):
        self.check_broken(
            b"3\nabc\r\n", b"3\rabc\r\n", b"3\r\rabc\r\n", b"3\r\r\nabc\r\n", b"3\n\rabc\r\n",
            b"3\r\nabc\n", b"3\r\nabc\r", b"3\r\nabc\r\r\n", b"3\r\nabc\n\r", b"3\r\nabcxx",
            b"3\r\nabcd\r\n", b"3\r\nab\r\n", b"3\r\nabc0\r\n\r\n", b"3\r\nabc  \r\n",
            b"3\r\nabc\0\0", b"2\r\nabc\r\n", b"0\n\n", b"0\r\r", b"0\n\r\n", b"0\r\n\n",
            b"0\rx\r\n\r\n", b"0\r\n\rx")

    def test_1_1_extensions_are_dropped(self):
        for extension in (b";a", b";a=b", b";a=\"b c\"", b";a;b=c", b";0"):
            with self.subTest(extension):
                self.check_anew(b"3" + extension + b"\r\nabc\r\n" + LAST, b"abc")
                self.check_anew(b"3\r\nabc\r\n0" + extension + b"\r\n\r\n", b"abc")

    def test_1_1_an_extension_holds_no_line_end_and_no_control(self):
        self.check_broken(
            b"3;\nabc\r\n", b"3;a\nabc\r\n", b"3;a\rb\r\nabc\r\n", b"3;a\r\r\nabc\r\n",
            b"3;a\0\r\nabc\r\n", b"3;a\x01\r\nabc\r\n", b"3;a=\"\n\"\r\nabc\r\n",
            b"3;a=\"\r\n\"\r\nabc\r\n", b"0;a\n\r\n", b"0;\n\n", b"0;a\rb\r\n\r\n",
            b"3;\n0\r\n\r\n" + BEHIND)

    def test_1_1_extensions_are_bounded_over_the_whole_body(self):
        self.check_broken(b"3;" + b"e" * 5000 + b"\r\nabc\r\n", b"1;eeeeeeee\r\na\r\n" * 600,
                          b"3\r\nabc\r\n0;" + b"e" * 5000 + b"\r\n\r\n")
        self.check_anew(b"3;" + b"e" * (EXTENSION_BYTES - 100) + b"\r\nabc\r\n" + LAST, b"abc")

    def test_1_1_chunks_are_made_anew(self):
        self.check_anew(b"1;x\r\na\r\n002\r\nbc\r\n000\r\n\r\n", b"abc")
        self.check_anew(b"A\r\n0123456789\r\n" + LAST, b"0123456789")
        self.check_anew(b"0" * 30 + b"3\r\nabc\r\n" + LAST, b"abc")
        self.check_anew(LAST, b"")
        self.check_anew(b"23\r\n" + BEHIND + b"\r\n" + LAST, BEHIND)

    def test_1_1_what_is_too_large_for_us_is_413(self):
        self.start(self.script, 'forward = []; limits: { body_bytes = "1000"; };')
        for body in (b"3e9\r\n" + b"x" * 1001, (b"258\r\n" + b"x" * 600 + b"\r\n") * 2):
            client = self.client()
            client.send(chunked(body))
            answer = client.read()
            self.assertEqual((answer.status, answer.value("connection")), (413, "close"))
            client.close()
            self.proxy.wait_total(0, "strangler_backend_streams")
            self.assertEqual(self.backend.whole_requests(), [])

    def test_1_2_trailers_are_fields_like_others(self):
        self.check_broken(
            b"0\r\nx: y\n\r\n", b"0\r\n x: y\r\n\r\n", b"0\r\nx : y\r\n\r\n", b"0\r\nx\r\n\r\n",
            b"0\r\nx: y\r\n z\r\n\r\n", b"0\r\nx: \0\r\n\r\n", b"0\r\n: y\r\n\r\n",
            b"0\r\nx y: z\r\n\r\n", b"0\r\nx: a\rb\r\n\r\n", b"0\r\nx: a\x0bb\r\n\r\n",
            b"0\r\nx: y\r\r\n\r\n", b"0\r\nx: y\r\n\n", b"0\r\n\tx: y\r\n\r\n",
            b"0\r\n" + BEHIND[:-2] + b"\r\n")

    def test_1_2_too_many_of_them_are_refused(self):
        self.check_broken(b"0\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
                          b"0\r\nx: " + b"y" * 70_000 + b"\r\n\r\n")

    def test_1_2_one_that_would_frame_the_content_anew_is_refused(self):
        self.check_broken(b"0\r\ntransfer-encoding: chunked\r\n\r\n",
                          b"0\r\nTransfer-Encoding: identity\r\n\r\n")

    def test_1_2_they_pass_behind_the_content_and_are_never_in_the_head(self):
        """RFC 9110 section 6.5.1: what frames, routes or says who asks is dropped."""
        dropped = [
            "content-length: 5", "host: b", "connection: close",
            "trailer: x", "te: trailers", "upgrade: h2c", "expect: 100-continue",
            "authorization: Bearer x", "cookie: a=b", "set-cookie: a=b", "content-type: a/b",
            "content-encoding: gzip", "content-range: bytes 0-1/2", "cache-control: no-store",
            "max-forwards: 0", "x-forwarded-for: 6.6.6.6", "x-forwarded-host: b",
            "x-forwarded-proto: https", "x-forwarded-port: 1", "forwarded: for=6.6.6.6",
            "x-real-ip: 6.6.6.6", "x-strangler-side: legacy", "x-original-path: /evil", "via: b",
            "proxy: b", "x-request-id: 1", "traceparent: 00", "x_forwarded_for: 6.6.6.6",
            "content_length: 5", "X-Forwarded_For: 6.6.6.6", "Host: b", "keep-alive: 5"]
        for line in dropped:
            with self.subTest(line):
                self.check_anew(b"3\r\nabc\r\n0\r\n" + line.encode() + b"\r\nX-Sum: 7\r\n\r\n",
                                b"abc", [("x-sum", "7")])


if __name__ == "__main__":
    main()
