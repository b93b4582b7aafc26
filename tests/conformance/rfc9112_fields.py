"""RFC 9112 section 5 and 3.2, RFC 9110 sections 5 and 7.2: the fields of a head, and its Host."""

from strangler_test import main
from wire import WireCase, request

LINE = b"GET / HTTP/1.1\r\n"


class Section5(WireCase):
    def check_lines_refused(self, *lines: bytes):
        """In front of Host and behind it: a reader that skips one line would see the next."""
        for line in lines:
            with self.subTest(line=line):
                self.check_refused(LINE + b"host: a\r\n" + line + b"\r\n", 400)
                self.check_refused(LINE + line + b"host: a\r\n\r\n", 400)

    def test_a_line_ends_with_cr_lf_alone(self):
        self.check_lines_refused(b"x: y\n", b"x: y\r", b"x: y\r\r\n", b"x: y\rz: 1\r\n",
                                 b"x: y\n\r\n", b"x: y\r\n\n", b"x: y\n\n", b"x: \r\r\n",
                                 b"x: y\nz: 1\r\n", b"\n", b"\r")

    def test_1_a_name_is_a_token_and_the_colon_follows_at_once(self):
        self.check_lines_refused(
            b"x\r\n", b"x : y\r\n", b"x\t: y\r\n", b": y\r\n", b":\r\n", b"x y: z\r\n",
            b"content-length : 5\r\n", b"content-length\t: 5\r\n", b"host : b\r\n",
            b"transfer-encoding : chunked\r\n", b"transfer-encoding\v: chunked\r\n",
            b":path: /evil\r\n", b":authority: b\r\n", b"\x7fx: y\r\n", b"\xc3\xa4: y\r\n",
            b"x\xe2\x80\x8b: y\r\n", b"x\x85: y\r\n", b"\xa0x: y\r\n")
        self.check_lines_refused(*(b"x%c: y\r\n" % byte for byte in b"\"(),/;<=>?@[\\]{}"))

    def test_9110_5_5_a_value_has_no_nul_and_no_other_control(self):
        controls = [byte for byte in range(0x20) if byte not in b"\t\r\n"] + [0x7f]
        for form in (b"x: a%cb\r\n", b"x:%c\r\n", b"x: a%c\r\n"):
            self.check_lines_refused(*(form % byte for byte in controls))
        self.check_lines_refused(*(b"x%c: y\r\n" % byte for byte in controls))

    def test_9110_5_5_other_values_pass_byte_for_byte_without_their_blanks(self):
        for said, sent in ((b" a b ", b"a b"), (b"\t a \t b\t ", b"a \t b"), (b"", b""),
                           (b" \t", b""), (b"\xc3\xa4\xff\x80", b"\xc3\xa4\xff\x80"),
                           (b'"a\\"b, c"', b'"a\\"b, c"'), (b" a:b: c", b"a:b: c"), (b":", b":"),
                           (b"%0d%0ax: y", b"%0d%0ax: y"), (b"\\r\\nx: y", b"\\r\\nx: y"),
                           (b"a\xe5\x98\x8d\xe5\x98\x8ab", b"a\xe5\x98\x8d\xe5\x98\x8ab")):
            with self.subTest(said):
                self.check_forwarded(LINE + b"host: a\r\nX-One:" + said + b"\r\n\r\n",
                                     LINE + b"host: a\r\nx-one: " + sent + b"\r\n\r\n")

    def test_2_a_folded_line_is_refused_wherever_it_stands(self):
        self.check_lines_refused(
            b"x: y\r\n z\r\n", b"x: y\r\n\tz\r\n", b" x: y\r\n", b"\tx: y\r\n", b"x:\r\n y\r\n",
            b"x: y\r\n \r\n", b"x: y\r\n\t\r\n", b"content-length:\r\n 5\r\n",
            b"content-length: 5\r\n 5\r\n", b"transfer-encoding:\r\n chunked\r\n",
            b"transfer-encoding: chunked\r\n ,identity\r\n", b"transfer-encoding\n : chunked\r\n",
            b"x: y\r\n host: b\r\n", b"x: y\r\n\r host: b\r\n")

    def test_9110_5_3_fields_of_one_name_stay_in_their_order_and_unknown_ones_stay(self):
        self.check_forwarded(
            request("GET / HTTP/1.1", "X-B: 2\nhost: a\nx-a: 1\nX-b: 3\naccept: c, d\naccept: e\n"
                    "x-b: 1\nunknown-one: \n"),
            request("GET / HTTP/1.1", "host: a\nx-b: 2\nx-a: 1\nx-b: 3\naccept: c, d\naccept: e\n"
                    "x-b: 1\nunknown-one: \n"))

    def test_9110_5_4_a_large_head_is_431(self):
        big = "x: " + "y" * 30_000 + "\n"
        for fields in (big * 3, "x: y\n" * 200, "x:" + " " * 70_000 + "\n", "x: y\n" * 20_000):
            self.check_refused(request("GET / HTTP/1.1", "host: a\n" + fields), 431)
        self.check_refused(LINE + b"n" * 70_000, 431)
        self.check_refused(LINE + b"host: a\r\nx: " + b"y" * 70_000, 431)
        self.check_forwarded(request("GET / HTTP/1.1", "host: a\n" + big),
                             request("GET / HTTP/1.1", "host: a\n" + big))

    def test_a_head_in_single_bytes_is_the_same_head(self):
        self.backend.forget()
        client = self.client()
        for byte in LINE + b"Host: a\r\nX-A: b c \r\nx-b:\r\n\r\n":
            client.send(bytes([byte]))
        self.assertEqual(client.read().status, 200)
        client.close()
        self.assertEqual(self.backend.wire(), LINE + b"host: a\r\nx-a: b c\r\nx-b: \r\n\r\n")


class Host(WireCase):
    """RFC 9112 section 3.2: whoever asks HTTP/1.1 says exactly one, and a valid one."""

    def test_none_two_or_an_invalid_one_are_refused(self):
        for fields in ("", "x-host: a\n", "host:\n", "host: \t\n", "host: a\nhost: a\n",
                       "host: a\nHOST: b\n", "host: a\nx: y\nhost: a\n", "host: a\nhost:\n",
                       "host:\nhost: a\n", "host: a b\n", "host: a, b\n", "host: a,\n",
                       "host: u@a\n", "host: a/b\n", "host: a?b\n", "host: a#b\n", "host: a:x\n",
                       "host: a:80:80\n", "host: a:65536\n", "host: a:-1\n", "host: a: 80\n",
                       "host: :80\n", "host: [::1\n", "host: ::1\n", "host: [::1]x\n",
                       "host: [a]\n", "host: []\n", "host: \x01\n", "host: a\\b\n", "host: a%2fb\n",
                       "host: a\x80\n", "host: http://a/\n", "host: a;b\n", "host: a'b\n",
                       "host: \"a\"\n", "host: <a>\n", "host: " + "a" * 300 + "\n"):
            with self.subTest(fields):
                self.check_refused(request("GET / HTTP/1.1", fields), 400)

    def test_two_are_refused_in_http_1_0_too(self):
        self.check_refused(request("GET / HTTP/1.0", "host: a\nhost: b\n"), 400)
        self.check_refused(request("GET / HTTP/1.0", "host: a b\n"), 400)

    def test_a_valid_one_is_sent_in_its_one_form(self):
        for said, sent in (("a", "a"), ("A.Example", "a.example"), ("a:80", "a:80"),
                           ("[::1]", "[::1]"), ("[::1]:8080", "[::1]:8080"), ("1.2.3.4", "1.2.3.4"),
                           ("a_b-c.~d", "a_b-c.~d")):
            with self.subTest(said):
                self.check_forwarded(request("GET / HTTP/1.1", f"HOST:\t{said} \n"),
                                     request("GET / HTTP/1.1", f"host: {sent}\n"))

    def test_fields_that_look_like_it_do_not_replace_it(self):
        self.check_forwarded(
            request("GET / HTTP/1.1", "x-host: b\nhost: a\nx-http-host-override: b\nhost_: b\n"),
            request("GET / HTTP/1.1", "host: a\nx-host: b\nx-http-host-override: b\nhost_: b\n"))


if __name__ == "__main__":
    main()
