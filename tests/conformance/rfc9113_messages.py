"""RFC 9113 section 8: requests that are malformed, and those that are not."""

from http2_peer import DATA, END_HEADERS, END_STREAM, frame, headers_frame
from http2_probe import GET, POST, ConformanceCase, Probe, post
from strangler_test import main


def ended(fields) -> bytes:
    return headers_frame(1, fields, END_HEADERS | END_STREAM)


def without(name: str) -> list:
    return [pair for pair in GET if pair[0] != name]


def replaced(name: str, value) -> list:
    return [(its_name, value if its_name == name else its_value) for its_name, its_value in GET]


class Section8(ConformanceCase):
    def test_1_trailers_end_the_request_and_have_no_pseudo_fields(self):
        begun = post(1, "/") + frame(DATA, 0, 1, b"x")
        self.check_malformed({
            "trailers that do not end it": begun + headers_frame(1, [("x-sum", "1")], END_HEADERS),
            "pseudo-fields in them": begun + ended([(":path", "/evil"), ("x-sum", "1")]),
            "status in them": begun + ended([(":status", "200")]),
            "upper case in them": begun + ended([("X-Sum", "1")]),
            "connection in them": begun + ended([("connection", "close")]),
        })
        self.check_answered({"good ones": post(1, "/") + frame(DATA, 0, 1, b"x") +
                             ended([("x-sum", "1")])})

    def test_1_every_kind_of_request_is_answered(self):
        body = frame(DATA, 0, 1, b"test")
        self.check_answered({
            "get": ended(GET), "head": ended(replaced(":method", "HEAD")),
            "post": headers_frame(1, POST) + frame(DATA, END_STREAM, 1, b"test"),
            "post with trailers": headers_frame(1, [*POST, ("trailer", "x-sum")]) + body +
                ended([("x-sum", "1")]),
        })
        self.assertEqual([len(seen.body) for seen in self.backend.requests], [0] * 4 + [4] * 4)

    def test_1_1_the_content_is_as_long_as_was_said(self):
        said = [*POST, ("content-length", "3")]
        self.check_malformed({
            "less": headers_frame(1, said) + frame(DATA, END_STREAM, 1, b"xx"),
            "more": headers_frame(1, said) + frame(DATA, END_STREAM, 1, b"xxxx"),
            "more in pieces": headers_frame(1, said) + frame(DATA, 0, 1, b"xx") +
                frame(DATA, END_STREAM, 1, b"xx"),
            "none": ended(said),
            "two lengths": ended([*GET, ("content-length", "0"), ("content-length", "1")]),
            "no number": ended([*GET, ("content-length", "one")]),
            "negative": ended([*GET, ("content-length", "-1")]),
            "a sign": ended([*GET, ("content-length", "+0")]),
            "a list": ended([*GET, ("content-length", "0, 0")]),
            "beyond 64 bits": headers_frame(1, [*POST, ("content-length", "99999999999999999999")])
                + frame(DATA, END_STREAM, 1),
        })
        self.check_answered({"right": headers_frame(1, said) + frame(DATA, END_STREAM, 1, b"xxx"),
                             "zero": ended([*GET, ("content-length", "0")])})

    def test_2_1_names_are_lower_case_tokens(self):
        names = ["X-Upper", "accepT", "x a", "x:a", "x\x7f", "x\x80", "x(", "x\"", "x,", " x", "x ",
                 "x\t", "x\r\ny", "x\0", ""]
        self.check_malformed({repr(name): ended([*GET, (name, "v")]) for name in names})

    def test_2_1_values_have_no_line_ends_nulls_or_blank_ends(self):
        values = [b"a\rb", b"a\nb", b"a\0b", b"a\r\nx: y", b"\n", b"\0", b"\r"]
        self.check_malformed({repr(value): ended([*GET, ("x-a", value)]) for value in values})
        for value in (b" a", b"a ", b"\ta", b"a\t"):  # cut off or refused, never passed on
            words = self.say(ended([*GET, ("x-a", value)]))
            if "answer 1 200" in words:
                self.assertEqual(self.backend.requests.pop().value("x-a"), "a")

    def test_2_2_connection_specific_fields_are_malformed(self):
        self.check_malformed({name: ended([*GET, (name, value)]) for name, value in (
            ("connection", "keep-alive"), ("keep-alive", "timeout=5"), ("proxy-connection", "x"),
            ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"),
            ("te", "trailers, deflate"))})
        self.check_answered({"te: trailers": ended([*GET, ("te", "trailers")])})

    def test_3_pseudo_fields_are_known_first_and_said_once(self):
        self.check_malformed({
            "unknown": ended([*GET, (":fancy", "1")]),
            "of an answer": ended([*GET, (":status", "200")]),
            "behind others": ended([*without(":path"), ("x-a", "b"), (":path", "/")]),
            **{f"two {name}": ended([*GET, (name, value)]) for name, value in GET},
            "protocol without connect": ended([*GET, (":protocol", "websocket")]),
            "upper case": ended([*without(":method"), (":Method", "GET")]),
        })

    def test_3_1_a_request_says_method_scheme_and_path(self):
        self.check_malformed({
            **{f"no {name}": ended(without(name)) for name in (":method", ":scheme", ":path")},
            "an empty path": ended(replaced(":path", "")),
            "a path without slash": ended(replaced(":path", "x")),
            "an asterisk for get": ended(replaced(":path", "*")),
            "a path with a blank": ended(replaced(":path", "/a b")),
            "a path with a fragment": ended(replaced(":path", "/a#b")),
            "an absolute path": ended(replaced(":path", "http://evil/")),
            "an empty authority": ended(replaced(":authority", "")),
            "user information": ended(replaced(":authority", "user@localhost")),
            "another host": ended([*GET, ("host", "evil")]),
            "two hosts": ended([*GET, ("host", "localhost"), ("host", "localhost")]),
            "an empty method": ended(replaced(":method", "")),
            "a method with a blank": ended(replaced(":method", "GE T")),
            "a scheme that is none": ended(replaced(":scheme", "ht tp")),
        })
        self.check_answered({
            "host instead of authority": ended([*without(":authority"), ("host", "localhost")]),
            "the same host": ended([*GET, ("host", "localhost")]),
            "a host in capitals": ended([*without(":authority"), (":authority", "LOCALHOST"),
                                         ("host", "localhost")]),
            "options for all": ended([(":method", "OPTIONS"), (":scheme", "http"), (":path", "*"),
                                      (":authority", "localhost")]),
        })

    def test_2_3_cookies_may_come_in_crumbs(self):
        self.check_answered({"crumbs": ended([*GET, ("cookie", "a=1"), ("cookie", "b=2")])})
        self.assertEqual(self.backend.requests[-1].values("cookie"), ["a=1; b=2"])

    def test_5_connect_is_refused(self):
        words = self.say(headers_frame(1, [(":method", "CONNECT"), (":authority", "localhost:22")]))
        self.assertIn("answer 1 501", words)
        self.check_malformed({
            "with a path": headers_frame(1, [(":method", "CONNECT"), (":authority", "a:1"),
                                             (":path", "/"), (":scheme", "http")]),
            "without authority": headers_frame(1, [(":method", "CONNECT")]),
        })

    def test_methods_that_we_do_not_serve_are_said_to_be_so(self):
        def method(name):
            return ended(replaced(":method", name))
        self.check_answered({name: method(name) for name in ("BREW", "get", "M" * 300)}, status=501)
        self.check_answered({"trace": method("TRACE")}, status=405)
        self.assertEqual(self.backend.requests, [])

    def test_6_an_answer_before_the_end_of_the_request_is_whole(self):
        probe = Probe(self.proxy.plain)
        probe.send(headers_frame(1, [(":method", "POST"), (":scheme", "http"), (":path", "/%zz"),
                                     (":authority", "localhost")]))
        answer = probe.wait(1)
        self.assertEqual(answer.status, 400)
        self.assertEqual(len(answer.body), int(answer.value("content-length")))
        while probe.answers[1].reset is None:
            probe.take_frame()
        self.assertEqual(probe.answers[1].reset, 0)  # NO_ERROR: the rest is not wanted
        probe.close()

    def test_a_head_of_many_frames_is_one_request(self):
        self.check_answered({"large": headers_frame(1, [*GET, *[(f"x-{i}", "y" * 500)
                                                               for i in range(60)]],
                                                    END_HEADERS | END_STREAM)})
        self.assertEqual([len(seen.fields) > 60 for seen in self.backend.requests], [True, True])


if __name__ == "__main__":
    main()
