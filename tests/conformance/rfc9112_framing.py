"""RFC 9112 section 6: where a request ends. A hole here is a breach: whatever is unclear is refused
before a byte of it reaches a backend, and what is clear is framed anew in one way."""

from strangler_test import main
from wire import BEHIND, WireCase, request

CHUNKED = b"3\r\nabc\r\n0\r\n\r\n"
# With what a client could mean to send along: content of the one framing, of the other, a request.
BODIES = (CHUNKED, b"abc", b"0\r\n\r\n", BEHIND, b"")
METHODS = ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH", "PROPFIND")


class Section6(WireCase):
    def check_unclear(self, *fields: str, line: str = "POST / HTTP/1.1"):
        for field in fields:
            for body in BODIES:
                with self.subTest(field=field, body=body):
                    self.check_refused(request(line, "host: a\n" + field, body), 400, 501)

    def test_1_a_transfer_coding_and_a_length_are_refused_in_either_order(self):
        self.check_unclear(
            "content-length: 3\ntransfer-encoding: chunked\n",
            "transfer-encoding: chunked\ncontent-length: 3\n",
            "content-length: 0\ntransfer-encoding: chunked\n",
            "content-length: 6\nx: y\nTransfer-Encoding: Chunked\n",
            "content-length: 3\ntransfer-encoding: identity\n",
            "content-length: 3\ntransfer-encoding: x\n", "content-length: 3\ntransfer-encoding:\n",
            "content-length:\ntransfer-encoding: chunked\n")
        self.check_unclear("content-length: 3\ntransfer-encoding: chunked\n",
                           line="GET / HTTP/1.1")

    def test_1_a_transfer_coding_that_is_not_chunked_alone_is_refused(self):
        self.check_unclear(*(f"transfer-encoding: {value}\n" for value in (
            "", "identity", "gzip", "deflate", "compress", "x", "trailers", "gzip, chunked",
            "chunked, gzip", "chunked, identity", "identity, chunked", "chunked, chunked",
            "gzip, chunked, chunked", ",chunked", "chunked,", ", chunked", "chunked,,", ",",
            "xchunked", "chunkedx", "chunked x", "chunke", "hunked", "chun ked", "chunked;x=y",
            "chunked;", "\"chunked\"", "'chunked'", "chunked\"", "=chunked", "chunked:",
            "[chunked]", "chunked/1", "chunked\x80", "\xa0chunked", "chunked\xa0",
            "chun\u00adked", "\u00e7hunked", "CHUNKED, CHUNKED")))

    def test_1_one_that_is_hidden_behind_a_control_is_refused(self):
        self.check_unclear(*(f"transfer-encoding: {value}\n" for value in (
            "\x0bchunked", "\x0cchunked", "chunked\x0b", "chunked\x01", "\0chunked", "chunked\0")),
            "transfer-encoding\x0b: chunked\n", "transfer-encoding : chunked\n",
            " transfer-encoding: chunked\n", "x: y\n\ttransfer-encoding: chunked\n")

    def test_1_one_that_is_said_twice_is_refused(self):
        self.check_unclear(
            "transfer-encoding: chunked\ntransfer-encoding: chunked\n",
            "transfer-encoding: chunked\ntransfer-encoding: identity\n",
            "transfer-encoding: identity\ntransfer-encoding: chunked\n",
            "transfer-encoding: chunked\ntransfer-encoding:\n",
            "transfer-encoding:\ntransfer-encoding: chunked\n",
            "transfer-encoding: chunked\nx: y\nTRANSFER-ENCODING: x\n",
            "transfer-encoding: gzip\ntransfer-encoding: chunked\n")

    def test_1_http_1_0_has_none(self):
        self.check_unclear("transfer-encoding: chunked\n", "transfer-encoding: identity\n",
                           "transfer-encoding: chunked\nconnection: keep-alive\n",
                           "transfer-encoding: chunked\ncontent-length: 3\n",
                           line="POST / HTTP/1.0")

    def test_1_an_unknown_one_is_501_and_its_name_has_no_case(self):
        self.check_refused(request(fields="host: a\ntransfer-encoding: gzip, chunked\n"), 501)
        for name in ("chunked", "Chunked", "CHUNKED", " chunked "):
            self.check_forwarded(
                request(fields=f"host: a\nTransfer-Encoding:{name}\n", body=CHUNKED),
                request(fields="host: a\ntransfer-encoding: chunked\n", body=CHUNKED))

    def test_1_fields_that_look_like_it_frame_nothing_and_stay_here(self):
        for name in ("transfer_encoding", "Transfer_Encoding", "content_length"):
            self.check_forwarded(request("GET / HTTP/1.1", f"host: a\n{name}: chunked\n"),
                                 request("GET / HTTP/1.1"))

    def test_2_a_length_is_one_number(self):
        self.check_unclear(*(f"content-length: {value}\n" for value in (
            "", "a", "3a", "a3", "+3", "-3", "-0", "0x3", "3.0", "3e0", "3 4", "3,4", "3, 3", "3,",
            ",3", "3;", "3;x=y", "\"3\"", "'3'", "(3)", "three", "\xb3", "3\x0b", "\x0b3",
            "3\0", "3 ,", "3_0", "1,000", "0b11", "03x", "99999999999999999999",
            "18446744073709551616", "18446744073709551619", "9223372036854775808",
            "340282366920938463463374607431768211459", "9" * 1000)))

    def test_2_a_length_is_said_once(self):
        self.check_unclear("content-length: 3\ncontent-length: 3\n",
                           "content-length: 3\ncontent-length: 4\n",
                           "content-length: 0\nContent-Length: 34\n",
                           "content-length: 3\nx: y\ncontent-length: 0\n",
                           "content-length:\ncontent-length: 3\n",
                           "content-length: 3\ncontent-length:\n")

    def test_2_one_that_is_good_is_sent_in_its_one_form(self):
        for said in ("3", "03", "0000000000000000000000003", " 3 "):
            self.check_forwarded(request(fields=f"host: a\nContent-Length:{said}\n", body=b"abc"),
                                 request(fields="host: a\ncontent-length: 3\n", body=b"abc"))

    def test_3_content_is_framed_by_its_message_whatever_the_method(self):
        """A reader that knows a method without content takes what is in it for the next request."""
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BEHIND), BEHIND)
        for method in METHODS:
            for field, body in (f"content-length: {len(BEHIND)}\n", BEHIND), \
                    ("transfer-encoding: chunked\n", chunks):
                with self.subTest(method=method, field=field):
                    said = request(f"{method} /framed HTTP/1.1", "host: a\n" + field, body)
                    self.check_forwarded(said, said, method)

    def test_3_what_stands_behind_it_is_the_next_request(self):
        said = request("GET /1 HTTP/1.1", f"host: a\ncontent-length: {len(BEHIND)}\n", BEHIND)
        client = self.client()
        client.send(said + request("GET /2 HTTP/1.1"))
        self.assertEqual(client.read().body, b"GET /1")
        self.assertEqual(client.read().body, b"GET /2")
        client.close()
        self.assertEqual(self.backend.wire(), said + request("GET /2 HTTP/1.1"))

    def test_3_without_either_there_is_no_content(self):
        for method in ("GET", "POST", "DELETE"):
            client = self.client()
            client.send(request(f"{method} /1 HTTP/1.1") + request("GET /2 HTTP/1.1"))
            self.assertEqual(client.read().body, f"{method} /1".encode())
            self.assertEqual(client.read().body, b"GET /2")
            client.close()

    def test_3_a_length_of_none_is_no_content(self):
        said = request("GET /1 HTTP/1.1", "host: a\ncontent-length: 0\n")
        client = self.client()
        client.send(said + request("GET /2 HTTP/1.1"))
        self.assertEqual(client.read().body, b"GET /1")
        self.assertEqual(client.read().body, b"GET /2")
        client.close()

    def test_3_content_of_a_request_that_is_refused_is_no_request(self):
        """It is not read, so nothing may follow (RFC 9110 section 9.3.1, RFC 9112 section 9.3)."""
        for line in ("POST /%zz HTTP/1.1", "TRACE / HTTP/1.1", "POST /a%2fb HTTP/1.1",
                     "GET /a\\b HTTP/1.1", "GET /%00 HTTP/1.1"):
            for field, body in (f"content-length: {len(BEHIND)}\n", BEHIND), \
                    ("transfer-encoding: chunked\n", b"23\r\n" + BEHIND + b"\r\n0\r\n\r\n"):
                with self.subTest(line=line, field=field):
                    self.check_refused(request(line, "host: a\n" + field, body), 400, 405)

    def test_a_request_that_ends_too_early_has_no_end_behind_us(self):
        for field, body in ("content-length: 5\n", b"1234"), ("content-length: 1\n", b""), \
                ("transfer-encoding: chunked\n", b"3\r\nabc\r\n"), \
                ("transfer-encoding: chunked\n", b"3\r\nab"), \
                ("transfer-encoding: chunked\n", b"0\r\n"):
            with self.subTest(field=field, body=body):
                self.backend.forget()
                client = self.client()
                client.send(request(fields="host: a\n" + field, body=body))
                self.proxy.wait_total(1, "strangler_live_exchanges")
                client.end_output()
                client.wait_closed()
                client.close()
                self.proxy.wait_total(0, "strangler_backend_streams")
                self.assertEqual(self.backend.whole_requests(), [])
                self.check_next()


if __name__ == "__main__":
    main()
