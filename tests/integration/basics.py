"""One request after the other: methods, statuses, fields and bodies arrive as they were sent,
through both listeners and from backends of both protocols."""

import email.utils
import hashlib
import os
import re
import subprocess
import time

from http1_backend import Http1Backend, Request, answer_bytes
from http2_peer import Http2Backend, Http2Client, ask_once, headers_frame
from scripted_site import SERVE, Reply, echo
from strangler_test import ProxyCase, backend_text, config_text, curl, main

BIG_BODY = os.urandom(700_001)
LONG_VALUE = "v" * 20_000
UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

REPLIES = {
    "/none": Reply(204, [("x-kept", "1")]),
    "/same": Reply(304, [("etag", '"a"')]),
    "/moved": Reply(301, [("location", "/elsewhere?a=b")], b"gone"),
    "/big": Reply(200, [("content-type", "application/octet-stream")], BIG_BODY),
    "/unknown-length": Reply(200, [], BIG_BODY, has_length=False),
    "/empty": Reply(200, [], b""),
    "/trailers": Reply(200, [], b"body", [("x-checksum", "abc"), ("x-second", "2")]),
    "/hints": Reply(200, [], b"page", interim=[
        (103, [("link", "</style.css>; rel=preload")]), (103, [("link", "</two.css>")])]),
    "/long": Reply(200, [("x-long", LONG_VALUE)], b"x"),
    "/cookies": Reply(200, [("set-cookie", "a=1"), ("set-cookie", "b=2")], b"x"),
    "/dated": Reply(200, [("date", "then")], b"x"),
    "/error": Reply(503, [("retry-after", "5")], b"sorry"),
}


def site(request: Request) -> Reply:
    path = request.target.partition("?")[0]
    return REPLIES[path] if path in REPLIES else echo(request)


class Basics:
    """Run once for each protocol towards the backend."""

    protocol = ""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE[self.protocol](site))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, self.protocol)))

    def on_both_listeners(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                yield self.closing(Http2Client(self.proxy.tls if tls else self.proxy.plain, tls))

    def ask(self, path, method="GET", fields=(), body=b"", **more):
        return ask_once(self.proxy.plain, path, method, fields, body, **more)

    def test_bodies_of_answers_arrive_whole(self):
        for client in self.on_both_listeners():
            for path in ("/big", "/unknown-length"):
                answer = client.ask(path)
                self.assertEqual((answer.status, answer.reset), (200, None))
                self.assertEqual(hashlib.sha256(answer.body).digest(),
                                 hashlib.sha256(BIG_BODY).digest())
            self.assertEqual(client.ask("/big").value("content-length"), str(len(BIG_BODY)))
            self.assertEqual(client.ask("/empty").value("content-length"), "0")

    def test_head_204_and_304_have_no_body(self):
        for client in self.on_both_listeners():
            head = client.ask("/big", "HEAD")
            self.assertEqual((head.status, head.body, head.reset), (200, b"", None))
            self.assertEqual(head.value("content-length"), str(len(BIG_BODY)))
            none = client.ask("/none")
            self.assertEqual((none.status, none.body, none.value("x-kept")), (204, b"", "1"))
            self.assertIsNone(none.value("content-length"))
            same = client.ask("/same")
            self.assertEqual((same.status, same.body, same.value("etag")), (304, b"", '"a"'))
            self.assertEqual(client.ask("/empty").status, 200)

    def test_statuses_and_fields_of_answers_are_kept(self):
        for client in self.on_both_listeners():
            moved = client.ask("/moved")
            self.assertEqual((moved.status, moved.value("location")), (301, "/elsewhere?a=b"))
            self.assertEqual(client.ask("/long").value("x-long"), LONG_VALUE)
            self.assertEqual(client.ask("/cookies").values("set-cookie"), ["a=1", "b=2"])
            error = client.ask("/error")
            self.assertEqual((error.status, error.body, error.value("retry-after")),
                             (503, b"sorry", "5"))

    def test_an_answer_has_the_date_of_its_backend_or_else_ours(self):
        for client in self.on_both_listeners():
            self.assertEqual(client.ask("/dated").values("date"), ["then"])
            for path in ("/empty", "/none", "/%zz"):
                said, = client.ask(path).values("date")
                age_s = time.time() - email.utils.parsedate_to_datetime(said).timestamp()
                self.assertTrue(-1 <= age_s < 60, said)

    def test_early_hints_come_before_the_answer(self):
        for client in self.on_both_listeners():
            answer = client.ask("/hints")
            self.assertEqual(answer.interim, [(103, [("link", "</style.css>; rel=preload")]),
                                              (103, [("link", "</two.css>")])])
            self.assertEqual((answer.status, answer.body), (200, b"page"))

    def test_an_answer_without_trailers_stays_so(self):
        for client in self.on_both_listeners():
            for path in ("/dated", "/hints", "/empty", "/echo"):
                self.assertEqual(client.ask(path).trailers, [], path)

    def test_trailers_pass_both_ways(self):
        for client in self.on_both_listeners():
            answer = client.ask("/trailers")
            self.assertEqual(answer.trailers, [("x-checksum", "abc"), ("x-second", "2")])
            self.assertEqual(answer.body, b"body")
            stream = client.start("/echo", "POST", ends=False)
            client.send_body(stream, b"abc", trailers=[
                ("x-sum", "7"), ("x-forwarded-for", "6.6.6.6"), ("content-type", "no/no")])
            echoed = client.wait(stream).json()
            self.assertEqual(echoed["trailers"], [["x-sum", "7"]])
            self.assertEqual(echoed["length"], 3)

    def test_request_bodies_arrive_whole(self):
        digest = hashlib.sha256(BIG_BODY).hexdigest()
        for client in self.on_both_listeners():
            for fields in ((), (("content-length", str(len(BIG_BODY))),)):
                for method in ("POST", "PUT", "PATCH"):
                    answer = client.ask("/echo", method, fields, BIG_BODY)
                    self.assertEqual(answer.json()["sha256"], digest)
                    self.assertEqual(answer.json()["method"], method)
            self.assertEqual(client.ask("/echo", "POST").json()["length"], 0)
            self.assertEqual(client.ask("/echo", "DELETE", body=b"why").json()["length"], 3)
            self.assertEqual(client.ask("/echo", "GET", body=b"odd").json()["length"], 3)

    def test_a_body_is_framed_by_its_length_or_in_chunks(self):
        known = self.ask("/echo", "POST", [("content-length", "4")], b"1234").json()
        unknown = self.ask("/echo", "POST", [], b"1234").json()
        lengths = [value for name, value in known["fields"] if name == "content-length"]
        self.assertEqual(lengths, ["4"])
        names = [name for name, _ in unknown["fields"]]
        self.assertNotIn("content-length", names)
        self.assertEqual("transfer-encoding" in names, self.protocol == "http/1.1")

    def test_the_query_and_the_path_are_kept_byte_for_byte(self):
        for target in ("/echo?a=b&c=%20d%2F&&x=/../y?z;q", "/echo?", "/echo/%C3%A4%20b",
                       "/echo/a+b=c;d", "/echo//two", "/echo/trailing/"):
            self.assertEqual(self.ask(target).json()["target"], target)

    def test_bytes_that_no_uri_has_are_sent_encoded(self):
        self.assertEqual(self.ask(b"/echo/\xc3\xa4?b=\xe4&c=%e4".decode("latin-1"))
                         .json()["target"], "/echo/%C3%A4?b=%E4&c=%e4")

    def test_cookie_crumbs_are_one_field_again(self):
        fields = [("cookie", "a=1"), ("x-between", "1"), ("cookie", "b=2"), ("cookie", "c=3")]
        echoed = self.ask("/echo", fields=fields).json()["fields"]
        self.assertEqual([value for name, value in echoed if name == "cookie"], ["a=1; b=2; c=3"])

    def test_own_fields_of_the_request_arrive_in_order(self):
        fields = [("x-one", "1"), ("accept", "text/plain"), ("x-two", "a, b"), ("x-one", "again"),
                  ("x-empty", ""), ("authorization", "Bearer x"), ("te", "trailers")]
        echoed = [tuple(pair) for pair in self.ask("/echo", fields=fields).json()["fields"]]
        self.assertEqual([pair for pair in echoed if pair in fields], fields[:-1])

    def test_large_heads_pass(self):
        fields = [(f"x-field-{i}", "y" * 400) for i in range(100)]
        echoed = [tuple(pair) for pair in self.ask("/echo", fields=fields).json()["fields"]]
        self.assertTrue(set(fields) <= set(echoed))

    def test_the_backend_sees_who_asked_for_what(self):
        for tls in (False, True):
            port = self.proxy.tls if tls else self.proxy.plain
            scheme = "https" if tls else "http"
            echoed = ask_once(port, "/echo", fields=[
                ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "gopher"),
                ("x-forwarded-host", "evil"), ("forwarded", "for=6.6.6.6"), ("via", "1.1 other"),
                ("x-request-id", "mine"), ("x-strangler-side", "extracted"), ("proxy", "evil"),
                ("x-real-ip", "6.6.6.6"), ("x-original-path", "/evil")],
                tls=tls, scheme=scheme, authority="forum.example.org:8443").json()["fields"]
            seen = {}
            for name, value in echoed:
                seen.setdefault(name, []).append(value)
            self.assertEqual(seen["x-forwarded-for"], ["127.0.0.1"])
            self.assertEqual(seen["x-forwarded-proto"], [scheme])
            self.assertEqual(seen["x-forwarded-host"], ["forum.example.org:8443"])
            self.assertEqual(seen["forwarded"], [
                f'for=127.0.0.1;proto={scheme};host="forum.example.org:8443"'])
            self.assertEqual(seen["via"], ["1.1 other, 2.0 strangler"])
            self.assertRegex(seen["x-request-id"][0], "^" + UUID7 + "$")
            self.assertRegex(seen["traceparent"][0], "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
            for name in ("x-strangler-side", "proxy", "x-real-ip", "x-original-path"):
                self.assertNotIn(name, seen)
            if self.protocol == "http/1.1":
                self.assertEqual(seen["host"], ["forum.example.org:8443"])

    def test_a_good_traceparent_goes_on_and_a_bad_one_is_replaced(self):
        good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        for sent, kept in ((good, True), ("00-" + "0" * 32 + good[35:], False), ("x", False)):
            echoed = dict(self.ask("/echo", fields=[("traceparent", sent)]).json()["fields"])
            self.assertEqual(echoed["traceparent"] == sent, kept, sent)

    def test_a_client_that_waits_for_100_in_vain_is_served(self):
        answer = curl(f"http://127.0.0.1:{self.proxy.plain}/echo", "-H", "expect: 100-continue",
                      "--data-binary", "@-", data=b"z" * 5000)
        self.assertEqual((answer.status, answer.json()["length"]), (200, 5000))

    def test_curl_gets_the_same_over_tls(self):
        answer = curl(f"https://127.0.0.1:{self.proxy.tls}/big")
        self.assertEqual((answer.status, answer.body), (200, BIG_BODY))
        answer = curl(f"https://127.0.0.1:{self.proxy.tls}/echo", "--data-binary", "@-",
                      data=BIG_BODY)
        self.assertEqual(answer.json()["sha256"], hashlib.sha256(BIG_BODY).hexdigest())


class BasicsWithHttp1Backend(Basics, ProxyCase):
    protocol = "http/1.1"

    def test_hop_by_hop_fields_of_an_answer_stay_behind(self):
        REPLIES["/hop"] = Reply(200, [
            ("connection", "keep-alive, x-private"), ("keep-alive", "timeout=5"),
            ("x-private", "1"), ("proxy-connection", "keep-alive"), ("x-public", "1")], b"x")
        answer = self.ask("/hop")
        self.assertEqual({name for name, _ in answer.fields} - {"content-length"},
                         {"x-public", "date"})

    def test_one_kept_connection_carries_many_requests(self):
        with_one_client = self.closing(Http2Client(self.proxy.plain))
        for _ in range(20):
            self.assertEqual(with_one_client.ask("/echo").status, 200)
        self.assertEqual({request.connection for request in self.backend.requests}, {1})


class BasicsWithHttp2Backend(Basics, ProxyCase):
    protocol = "h2"

    def test_one_connection_carries_many_requests_at_once(self):
        client = self.closing(Http2Client(self.proxy.plain))
        streams = [client.start(f"/echo?{i}") for i in range(50)]
        for i, stream in enumerate(streams):
            self.assertEqual(client.wait(stream).json()["target"], f"/echo?{i}")
        self.assertEqual(self.backend.connection_count, 1)


class Expectations(ProxyCase):
    """Expect: 100-continue goes on, and what the backend says to it comes back."""

    def start(self, protocol: str, script):
        backend = self.closing({"http/1.1": Http1Backend, "h2": Http2Backend}[protocol](script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port, protocol)))
        client = self.closing(Http2Client(proxy.plain))
        stream = client.start("/", "POST", [("expect", "100-continue"), ("content-length", "5")],
                              ends=False)
        return client, stream

    def check_go_on(self, protocol: str, script):
        client, stream = self.start(protocol, script)
        while not (stream in client.answers and client.answers[stream].interim):
            client.take_frame()
        self.assertEqual(client.answers[stream].interim, [(100, [])])
        client.send_body(stream, b"12345")
        self.assertEqual(client.wait(stream).body, b"got 5")

    def test_100_from_an_http1_backend_lets_the_body_come(self):
        def script(connection):
            request = connection.read_head()
            self.assertEqual(request.value("expect"), "100-continue")
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.read_body(request)
            connection.send(answer_bytes(b"got %d" % len(request.body)))
        self.check_go_on("http/1.1", script)

    def test_100_from_an_http2_backend_lets_the_body_come(self):
        def script(connection):
            connection.begin()
            request = connection.read_head()
            self.assertEqual(request.value("expect"), "100-continue")
            connection.send(headers_frame(request.stream, [(":status", "100")]))
            request = connection.read_request()
            connection.answer(request.stream, b"got %d" % len(request.body))
            connection.wait_end()
        self.check_go_on("h2", script)

    def test_417_instead_of_100_comes_back_and_the_body_never_goes(self):
        def script(connection):
            connection.read_head()
            connection.send(answer_bytes(b"no", status="417 Expectation Failed"))
            connection.wait_end()
            self.assertEqual(connection.buffer, b"")
        client, stream = self.start("http/1.1", script)
        answer = client.wait(stream)
        self.assertEqual((answer.status, answer.body, answer.interim), (417, b"no", []))


class OtherClients(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](site))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))

    def test_nghttp_finds_nothing_to_complain_about(self):
        said = subprocess.run(["nghttp", "-v", "-d", __file__,
                               f"http://127.0.0.1:{self.proxy.plain}/trailers"],
                              capture_output=True, text=True, timeout=30, check=True).stdout
        self.assertIn("x-checksum: abc", said)
        self.assertNotIn("RST_STREAM", said)

    def test_a_local_reply_is_a_problem_with_the_id_of_the_request(self):
        answer = ask_once(self.proxy.plain, "/%zz")
        self.assertEqual((answer.status, answer.value("content-type")),
                         (400, "application/problem+json"))
        self.assertEqual(answer.value("content-length"), str(len(answer.body)))
        line = self.proxy.wait_log(1)[0]
        self.assertTrue(re.fullmatch(UUID7, line["request_id"]))
        self.assertEqual(answer.json()["request_id"], line["request_id"])
        self.assertEqual(answer.json()["status"], 400)


if __name__ == "__main__":
    main()
