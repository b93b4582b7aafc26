"""RFC 3986 section 6.2.2, RFC 9110 section 4.2.3: one form of a path, by which it is routed and in
which it is sent; what readers differ about is refused."""

from http1_client import Http1Client
from http2_peer import Http2Client
from strangler_test import backend_text, config_text, main
from wire import WireBackend, WireCase, naming, request
from http1_backend import serving

# What is asked and what is sent; /inner is the other backend's, /guarded nobody's.
SENT = {
    "/inner": "/inner", "/inner/": "/inner/", "/inner/x": "/inner/x", "/innerx": "/innerx",
    # dot segments, section 5.2.4
    "/inner/../x": "/x", "/x/../inner": "/inner", "/../inner": "/inner", "/./inner": "/inner",
    "/../../../inner/a": "/inner/a", "/x/y/../../inner/./a/.": "/inner/a/", "/inner/..": "/",
    "/inner/a/..": "/inner/", "/inner/...": "/inner/...", "/inner/..a": "/inner/..a",
    "/inner/.a": "/inner/.a", "/x/..//inner": "//inner", "/inner//../x": "/inner/x",
    # encodings of unreserved characters, section 6.2.2.2
    "/%69nner": "/inner", "/%69%6E%6e%65%72": "/inner", "/x%7Ey%2Dz%5F%2e": "/x~y-z_.",
    "/inner/%41%5a%30": "/inner/AZ0", "/x/%2e%2e/inner": "/inner", "/x/.%2E/inner": "/inner",
    "/%2e/inner": "/inner", "/x/%2e%2e": "/", "/inner/%2e%2e/%2E%2e/x": "/x",
    # others stay, with upper-case digits, section 6.2.2.1
    "/%c3%a4": "/%C3%A4", "/a%20b": "/a%20b", "/a%3fb": "/a%3Fb", "/a%23b": "/a%23b",
    "/a%3bb": "/a%3Bb", "/inner%3b": "/inner%3B", "/a%0d%0ab": "/a%0D%0Ab", "/a%0A": "/a%0A",
    "/a%7f": "/a%7F", "/a%26b%3dc": "/a%26b%3Dc",
    # decoded once, never twice
    "/%2569nner": "/%2569nner", "/a%252fb": "/a%252fb",
    "/x/%252e%252e/inner": "/x/%252e%252e/inner",
    "/a%25": "/a%25", "/%2541": "/%2541",
    # what a URI may hold otherwise stays byte for byte
    "//": "//", "//inner": "//inner", "/inner//a": "/inner//a", "/x///": "/x///",
    "/inner;a=b": "/inner;a=b", "/inner/a;b": "/inner/a;b", "/x;/inner": "/x;/inner",
    "/a;/../inner": "/inner", "/INNER": "/INNER", "/a@b:c": "/a@b:c", "/~a": "/~a",
    "/a&b=c+d,e!$*()'": "/a&b=c+d,e!$*()'", "/a:80/b": "/a:80/b", "/http://x/": "/http://x/",
    # the query is nobody's business, RFC 9110 section 7.7
    "/inner?": "/inner?", "/x?/inner": "/x?/inner", "/x?a=/../inner": "/x?a=/../inner",
    "/inner?%2f%5c%00%2e%41": "/inner?%2f%5c%00%2e%41", "/x?a?b": "/x?a?b", "/?%": "/?%",
    "/x/..?/inner": "/?/inner", "/x?\\": "/x?\\",
}

REFUSED = [
    # readers differ: a separator, or not
    "/a%2fb", "/a%2Fb", "/%2finner", "/inner%2f", "/x%2f..%2finner", "/inner/%2e%2e%2fx",
    "/..%2finner", "/a%5cb", "/a%5Cb", "/inner%5c..%5cx", "/a\\b", "\\inner", "/\\inner",
    "/inner\\..\\x", "/x/..\\inner",
    # readers differ: the end of the name, or not
    "/a%00b", "/inner%00", "/%00", "/inner%00.png", "/x/..;/inner", "/inner/..;a=b/x", "/..;/inner",
    "/x/%2e%2e;/inner",
    # no path at all
    "/%", "/%4", "/%zz", "/%g1", "/%u0041", "/inner%", "/a%2", "/%-1", "/% 20",
]

GUARDED = ["/guarded", "/guarded/", "/guarded/x", "/%67uarded", "/x/../guarded", "/./guarded",
           "//guarded", "///guarded//x", "/x/..//guarded", "/GUARDED", "/Guarded/x", "/guarded;a",
           "/guarded;a=b/x", "/;a/guarded", "/guarded?x", "/x/%2e%2e/guarded", "/%2567uarded"]


class Paths(WireCase):
    def setUp(self):
        super().setUp()
        self.inner = self.closing(WireBackend(serving(naming)))
        self.proxy.reload("10-test.cfg", config_text(
            backend_text("monolith", self.backend.port), backend_text("inner", self.inner.port),
            more="""forward = []; routes: {
                inner: { prefix = "/inner"; backend = "inner"; };
                guarded: { prefix = "/guarded"; deny = 403; }; };"""))

    def wire(self) -> tuple:
        return self.backend.wire(), self.inner.wire()

    def forget(self):
        self.backend.forget()
        self.inner.forget()

    def clients(self):
        for kind in (Http1Client, Http2Client):
            client = kind(self.proxy.plain)
            yield kind.__name__, client
            client.close()

    def test_a_path_is_sent_in_the_form_by_which_it_was_routed(self):
        for kind, client in self.clients():
            for asked, sent in SENT.items():
                with self.subTest(asked, kind=kind):
                    self.forget()
                    self.assertEqual(client.ask(asked).body, f"GET {sent}".encode())
                    path = sent.partition("?")[0]
                    wire = request(f"GET {sent} HTTP/1.1", "host: localhost\n")
                    self.assertEqual(self.wire(), (b"", wire) if path == "/inner" or
                                     path.startswith("/inner/") else (wire, b""))

    def test_what_is_sent_is_its_own_form(self):
        for kind, client in self.clients():
            for sent in set(SENT.values()):
                with self.subTest(sent, kind=kind):
                    self.assertEqual(client.ask(sent).body, f"GET {sent}".encode())

    def test_what_readers_differ_about_is_refused(self):
        for asked in REFUSED:
            with self.subTest(asked):
                self.inner.forget()
                self.check_refused(request(f"GET {asked} HTTP/1.1"), 400)
                self.assertEqual(self.inner.wire(), b"")
        client = self.closing(Http2Client(self.proxy.plain))
        self.forget()
        for asked in REFUSED:
            with self.subTest(asked, kind="h2"):
                answer = client.ask(asked)
                self.assertTrue(answer.status == 400 or answer.reset is not None, answer)
        self.assertEqual(self.wire(), (b"", b""))

    def test_no_spelling_gets_past_a_guard(self):
        for kind, client in self.clients():
            self.forget()
            for asked in GUARDED:
                for method in ("GET", "OPTIONS", "DELETE"):
                    with self.subTest(asked, kind=kind, method=method):
                        self.assertEqual(client.ask(asked, method).status, 403)
            self.assertEqual(self.wire(), (b"", b""))

    def test_bytes_that_no_uri_has_are_encoded(self):
        client = self.closing(Http1Client(self.proxy.plain))
        for asked, sent in (("/\xc3\xa4", "/%C3%A4"), ("/\xff", "/%FF"),
                            ("/?\xe4=%e4", "/?%E4=%e4"),
                            ("/\xc0\xaf", "/%C0%AF"), ("/\xe2\x88\x95", "/%E2%88%95")):
            self.forget()
            self.assertEqual(client.ask(asked).body, f"GET {sent}".encode())
            self.assertEqual(self.backend.wire(),
                             request(f"GET {sent} HTTP/1.1", "host: localhost\n"))


if __name__ == "__main__":
    main()
