"""RFC 9110 sections 6, 8, 9.3.2, 10.1.1 and 15: what an answer is, and which have no content; for
clients of both protocols and backends of both."""

from http1_client import Http1Client
from http2_peer import Http2Client
from scripted_site import SERVE, Reply, echo
from strangler_test import ProxyCase, backend_text, config_text, main

REPLIES = {
    "/none": Reply(204, [("x-kept", "1")]),
    "/same": Reply(304, [("etag", 'W/"a, b"')], b"not sent"),
    "/reset": Reply(205),
    "/page": Reply(200, [("content-type", "text/html")], b"0123456789"),
    "/unknown-length": Reply(200, [], b"0123456789", has_length=False),
    "/part": Reply(206, [("content-range", "bytes 2-4/10")], b"234"),
    "/teapot": Reply(418, [], b"short"),
    "/login": Reply(401, [("www-authenticate", 'Basic realm="a"'),
                          ("www-authenticate", "Bearer")], b"no"),
    "/proxy-login": Reply(407, [("proxy-authenticate", "Basic")], b"no"),
    "/hints": Reply(200, [], b"page", interim=[(103, [("link", "</a>"), ("link", "</b>")]),
                                               (102, []), (103, [("link", "</c>")]), (199, [])]),
    "/trailers": Reply(200, [("trailer", "x-sum")], b"body", [("x-sum", "1"), ("x-two", "2")]),
    "/bad-trailers": Reply(200, [], b"body", [("x-sum", "1"), ("set-cookie", "a=b"),
                                              ("content-type", "a/b"), ("cache-control", "no")]),
    **{f"/{status}": Reply(status, [], b"said") for status in
       (200, 201, 202, 203, 207, 226, 299, 300, 301, 303, 308, 399, 400, 402, 404, 406, 409, 410,
        412, 415, 416, 421, 422, 428, 429, 431, 451, 499, 500, 501, 505, 507, 511, 599)},
}


def site(request) -> Reply:
    return REPLIES.get(request.target) or echo(request)


class Answers:
    protocol = ""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE[self.protocol](site))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, self.protocol),
            more='routes: { no: { prefix = "/no"; deny = 403; }; };'), workers=1)

    def clients(self):
        for kind in (Http1Client, Http2Client):
            with self.subTest(kind.__name__):
                client = kind(self.proxy.plain)
                yield client
                client.close()

    def test_15_statuses_pass_as_they_are_known_or_not(self):
        for client in self.clients():
            for path in (path for path in REPLIES if path[1:].isdigit()):
                answer = client.ask(path)
                self.assertEqual((answer.status, answer.body), (int(path[1:]), b"said"))

    def test_15_3_5_and_15_4_5_have_no_content(self):
        """The client reads strictly: the next answer begins where this one has no content."""
        for client in self.clients():
            for _ in range(2):
                none = client.ask("/none")
                self.assertEqual((none.status, none.body, none.value("x-kept")), (204, b"", "1"))
                self.assertEqual(none.values("content-length") + none.values("transfer-encoding"),
                                 [])
                same = client.ask("/same")
                self.assertEqual((same.status, same.body, same.value("etag")),
                                 (304, b"", 'W/"a, b"'))
                self.assertEqual(same.values("content-length"), ["8"])
                self.assertEqual(client.ask("/reset").status, 205)

    def test_9_3_2_the_answer_to_head_is_a_head(self):
        for client in self.clients():
            for path, length in (("/page", "10"), ("/unknown-length", None), ("/none", None),
                                 ("/teapot", "5"), ("/trailers", None)):
                answer = client.ask(path, "HEAD")
                self.assertEqual((answer.status, answer.body), (REPLIES[path].status, b""))
                self.assertEqual(answer.value("content-length"), length, path)
                self.assertEqual(answer.value("content-type"),
                                 client.ask(path).value("content-type"))
            refused = client.ask("/no", "HEAD")
            self.assertEqual((refused.status, refused.body), (403, b""))
            self.assertEqual(refused.value("content-length"),
                             client.ask("/no").value("content-length"))

    def test_15_2_interim_answers_pass_before_the_answer(self):
        for client in self.clients():
            answer = client.ask("/hints")
            self.assertEqual(answer.body, b"page")
            self.assertEqual(answer.interim, [(103, [("link", "</a>"), ("link", "</b>")]),
                                              (102, []), (103, [("link", "</c>")]), (199, [])])

    def test_6_5_1_trailers_pass_when_they_may_and_are_wanted(self):
        wanted = [("te", "trailers")]
        for client in self.clients():
            answer = client.ask("/trailers", fields=wanted)
            self.assertEqual((answer.body, answer.trailers),
                             (b"body", [("x-sum", "1"), ("x-two", "2")]))
            self.assertEqual(answer.values("x-sum"), [])  # never in the head
            answer = client.ask("/bad-trailers", fields=wanted)
            self.assertEqual((answer.body, answer.trailers), (b"body", [("x-sum", "1")]))
        client = self.closing(Http1Client(self.proxy.plain))
        self.assertEqual(client.ask("/trailers").trailers, [])

    def test_13_and_14_conditions_ranges_and_challenges_are_not_ours(self):
        sent = [("if-match", '"a", W/"b"'), ("if-none-match", "*"), ("range", "bytes=2-4"),
                ("if-range", '"a"'), ("if-modified-since", "Tue, 15 Nov 1994 08:12:31 GMT"),
                ("if-unmodified-since", "x"), ("authorization", "Basic a:b"),
                ("proxy-authorization", "Basic c"), ("accept-encoding", "gzip;q=0, br"),
                ("cache-control", "no-cache"), ("pragma", "no-cache"), ("priority", "u=1, i")]
        for client in self.clients():
            seen = [tuple(pair) for pair in client.ask("/echo", fields=sent).json()["fields"]]
            self.assertEqual([pair for pair in seen if pair in sent], sent)
            part = client.ask("/part")
            self.assertEqual((part.status, part.value("content-range")), (206, "bytes 2-4/10"))
            self.assertEqual(client.ask("/login").values("www-authenticate"),
                             ['Basic realm="a"', "Bearer"])
            self.assertEqual(client.ask("/proxy-login").value("proxy-authenticate"), "Basic")

    def test_8_6_a_length_goes_with_what_has_one_and_with_nothing_else(self):
        for client in self.clients():
            self.assertEqual(client.ask("/page").values("content-length"), ["10"])
            self.assertEqual(client.ask("/unknown-length").values("content-length"), [])
            self.assertEqual(client.ask("/trailers").values("content-length"), [])


class FromHttp1(Answers, ProxyCase):
    protocol = "http/1.1"


class FromHttp2(Answers, ProxyCase):
    protocol = "h2"


if __name__ == "__main__":
    main()
