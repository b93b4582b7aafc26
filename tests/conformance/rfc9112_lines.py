"""RFC 9112 sections 2 and 3: the lines of a request, its target and its version, and what is made
of them for the backend."""

from strangler_test import main
from wire import BEHIND, WireCase, request

HOST = b"host: a\r\n\r\n"


class Section2(WireCase):
    def test_2_a_line_ends_with_cr_lf_alone(self):
        for line in (b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\r\n", b"GET /\n HTTP/1.1\r\n",
                     b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\n\r", b"GET / HTTP/1.1\r\n\n",
                     b"GET / HTTP/1.1\x85", b"GET / HTTP/1.1\xe2\x80\xa8"):
            with self.subTest(line=line):
                self.check_refused(line + HOST, 400)

    def test_2_no_line_holds_a_bare_cr_a_nul_or_another_control(self):
        for byte in b"\0\1\b\t\v\f\r\n\x1b\x7f":
            for at in (b"G%cT / HTTP/1.1\r\n", b"GET%c/ HTTP/1.1\r\n", b"GET /a%cb HTTP/1.1\r\n",
                       b"GET /?%c HTTP/1.1\r\n", b"GET /%cHTTP/1.1\r\n", b"GET / HTTP/1.1%c\r\n",
                       b"%cGET / HTTP/1.1\r\n"):
                with self.subTest(line=at % byte):
                    self.check_refused(at % byte + HOST, 400)

    def test_2_garbage_is_refused_at_once(self):
        for data in (b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n" * 1000,
                     b"\rGET / HTTP/1.1\r\n" + HOST, b"\n", b"{", b"\r\r\n", b"\xef\xbb\xbfGET"):
            with self.subTest(data=data[:20]):
                self.check_refused(data, 400)

    def test_2_one_empty_line_in_front_is_overlooked_and_not_passed_on(self):
        self.check_forwarded(b"\r\n" + request("GET /1 HTTP/1.1"), request("GET /1 HTTP/1.1"))
        self.check_refused(b"\r\n\r\n" + request("GET /2 HTTP/1.1"), 400)

    def test_2_no_blanks_stand_between_the_first_line_and_the_fields(self):
        for blank in (b" ", b"\t", b"\v", b" \r\n", b"\t\r\n", b"  x: y\r\n "):
            with self.subTest(blank=blank):
                self.check_refused(b"GET / HTTP/1.1\r\n" + blank + HOST, 400)

    def test_3_other_majors_are_505_and_what_is_no_version_is_400(self):
        for version in ("0.9", "2.0", "3.0", "9.9"):
            self.check_refused(request(f"GET / HTTP/{version}"), 505)
        for version in ("http/1.1", "HTTP/1.10", "HTTP/11", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP",
                        "HTTP/01.1", "HTTP/1,1", "HTTP /1.1", "HTTP/ 1.1", "HTTP/1.1x", "HTTP/x.y",
                        "RTSP/1.0", "ICY/1.1", "HTTP/-1.1", "HTTP/+1.1"):
            with self.subTest(version):
                self.check_refused(request("GET / " + version), 400)

    def test_3_the_backend_is_spoken_to_in_our_own_version(self):
        for minor in "0129":
            self.check_forwarded(request(f"GET / HTTP/1.{minor}"), request("GET / HTTP/1.1"))


class Section3(WireCase):
    def test_a_request_line_has_three_words_and_two_spaces(self):
        for line in ("GET", "GET ", "GET /", "GET / ", "GET  / HTTP/1.1", "GET /  HTTP/1.1",
                     "GET / HTTP/1.1 ", " GET / HTTP/1.1", "\tGET / HTTP/1.1", "GET\t/\tHTTP/1.1",
                     "GET /a b HTTP/1.1", "GET / HTTP/1.1 HTTP/1.1", "GET HTTP/1.1", "/ HTTP/1.1",
                     "GET / / HTTP/1.1", "GET /\xa0 HTTP/1.1 x", "HTTP/1.1 200 OK"):
            with self.subTest(line=line):
                self.check_refused(request(line), 400, 501)

    def test_1_methods_are_tokens_and_their_case_counts(self):
        for method in ("BREW", "get", "Get", "GETX", "M" * 300, "PRI", "_GET", "GET.", "!"):
            with self.subTest(method):
                self.check_refused(request(f"{method} / HTTP/1.1"), 501)
        for method in ("G(T", "G/T", "G:T", "G\"T", "G\x80T", "G[T", "(", "{", "G,T", "G;T", "G=T"):
            with self.subTest(method):
                self.check_refused(request(f"{method} / HTTP/1.1"), 400, 501)

    def test_1_methods_of_the_registry_reach_the_backend(self):
        for method in ("GET", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE",
                       "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY", "MKCALENDAR", "ACL"):
            answer = self.check_forwarded(request(f"{method} /x HTTP/1.1"),
                                          request(f"{method} /x HTTP/1.1"))
            self.assertEqual(answer.body, f"{method} /x".encode())
        self.check_forwarded(request("HEAD /x HTTP/1.1"), request("HEAD /x HTTP/1.1"), "HEAD")
        for method in ("POST", "PUT", "PATCH"):  # RFC 9110 section 8.6: one that expects content
            self.check_forwarded(request(f"{method} /x HTTP/1.1"), request(
                f"{method} /x HTTP/1.1", "host: a\ncontent-length: 0\n"))

    def test_1_a_long_line_is_414_and_8000_octets_are_none(self):
        self.check_refused(b"GET /" + b"a" * 70_000, 414)
        self.check_refused(b"A" * 70_000, 414)
        path = "/" + "a" * 30_000
        self.check_forwarded(request(f"GET {path} HTTP/1.1"), request(f"GET {path} HTTP/1.1"))

    def test_2_1_what_is_no_target_is_refused(self):
        for target in ("x", "localhost:80", "*", "?", "?a", "#", "/#", "/a#b", "/?#", "//#", "/%zz",
                       "/%2", "/%", "\\", "http:/a/", "http:a", "http://", "http:///x", "://a/",
                       "ftp://a/", "file:///etc", "http://u@a/", "http://u:p@a/", "http://a b/",
                       "http://a:x/", "http://[::1/", "http://a\\b/", "http://a#b", "http://a/#b",
                       "http://a,b/", "http://%61/", "http://a:65536/", "javascript:x"):
            with self.subTest(target):
                self.check_refused(request(f"GET {target} HTTP/1.1"), 400)

    def test_2_2_the_authority_of_an_absolute_target_is_the_host(self):
        for target, host, path in (
                ("http://Other.example:81/x?q", "other.example:81", "/x?q"),
                ("HTTP://b/x", "b", "/x"), ("http://b", "b", "/"), ("http://b?q", "b", "/?q"),
                ("https://b/", "b", "/"), ("http://[::1]:8080/", "[::1]:8080", "/"),
                ("http://b//x", "b", "//x"), ("http://b/http://c/", "b", "/http://c/")):
            for minor in "10":
                with self.subTest(target=target, minor=minor):
                    self.check_forwarded(request(f"GET {target} HTTP/1.{minor}", "host: a\n"),
                                         request(f"GET {path} HTTP/1.1", f"host: {host}\n"))

    def test_2_2_an_absolute_target_needs_a_host_beside_it_all_the_same(self):
        for fields in ("", "host:\n", "host: a\nhost: a\n", "host: a b\n", "host: u@a\n"):
            with self.subTest(fields):
                self.check_refused(request("GET http://a/ HTTP/1.1", fields), 400)

    def test_2_3_connect_is_refused_in_every_form(self):
        for target in ("localhost:22", "/", "*", "http://a/", "a", "127.0.0.1:22", "[::1]:22"):
            with self.subTest(target):
                self.check_refused(request(f"CONNECT {target} HTTP/1.1"), 400, 501)
        self.check_refused(request("CONNECT localhost:22 HTTP/1.1", "host: a\ncontent-length: 34\n",
                                   BEHIND), 501)

    def test_2_4_an_asterisk_is_for_options_and_stays_one(self):
        self.check_forwarded(request("OPTIONS * HTTP/1.1"), request("OPTIONS * HTTP/1.1"))
        self.check_forwarded(request("OPTIONS http://b HTTP/1.1"),
                             request("OPTIONS * HTTP/1.1", "host: b\n"))
        self.check_forwarded(request("OPTIONS http://b/ HTTP/1.1"),
                             request("OPTIONS / HTTP/1.1", "host: b\n"))
        for line in ("GET * HTTP/1.1", "OPTIONS ** HTTP/1.1", "OPTIONS *? HTTP/1.1",
                     "OPTIONS */ HTTP/1.1", "POST * HTTP/1.1"):
            self.check_refused(request(line), 400)

    def test_3_a_client_of_http_1_0_may_leave_the_host_to_us(self):
        ours = f"host: 127.0.0.1:{self.proxy.plain}\n"
        self.check_forwarded(request("GET / HTTP/1.0", ""), request("GET / HTTP/1.1", ours))
        self.check_forwarded(request("GET http://b/ HTTP/1.0", ""),
                             request("GET / HTTP/1.1", "host: b\n"))

    def test_9110_9_3_8_trace_is_405_with_what_is_allowed_and_shows_nothing(self):
        client = self.client()
        answer = client.ask("/", "TRACE", [("cookie", "secret=1")])
        self.assertEqual(answer.status, 405)
        self.assertNotIn("TRACE", answer.value("allow"))
        self.assertNotIn(b"secret", answer.body)
        self.assertEqual(client.ask("/").status, 200)
        client.close()


if __name__ == "__main__":
    main()
