"""HTTP/1.1 and 1.0 towards clients: what was sent arrives, in order, through both listeners and
from backends of both protocols; connections are kept or closed as the messages say."""

import hashlib
import json
import os
import socket
import ssl
import subprocess

from http1_backend import Gone, Http1Backend, Request, answer_bytes, serving
from http1_client import Http1Client
from http2_peer import Http2Client, connect
from scripted_site import SERVE, Reply, echo
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

BIG_BODY = os.urandom(700_001)
LONG_VALUE = "v" * 20_000

REPLIES = {
    "/none": Reply(204, [("x-kept", "1")]),
    "/same": Reply(304, [("etag", '"a"')], has_length=False),
    "/big": Reply(200, [], BIG_BODY),
    "/unknown-length": Reply(200, [], BIG_BODY, has_length=False),
    "/empty": Reply(200, [], b""),
    "/trailers": Reply(200, [("trailer", "x-checksum")], b"body",
                       [("x-checksum", "abc"), ("x-second", "2")]),
    "/hints": Reply(200, [], b"page", interim=[
        (103, [("link", "</style.css>; rel=preload")]), (103, [("link", "</two.css>")])]),
    "/long": Reply(200, [("x-long", LONG_VALUE)], b"x"),
    "/cookies": Reply(200, [("set-cookie", "a=1"), ("set-cookie", "b=2")], b"x"),
    "/teapot": Reply(418, [], b"short"),
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
            backend_text("monolith", self.backend.port, self.protocol),
            more='routes: { no: { prefix = "/no"; deny = 403; }; };'))

    def client(self, tls: bool = False) -> Http1Client:
        return self.closing(Http1Client(self.proxy.tls if tls else self.proxy.plain, tls))

    def on_both_listeners(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                yield self.client(tls)

    def test_bodies_of_answers_arrive_whole(self):
        for client in self.on_both_listeners():
            for path in ("/big", "/unknown-length"):
                answer = client.ask(path)
                self.assertEqual(answer.status, 200)
                self.assertEqual(hashlib.sha256(answer.body).digest(),
                                 hashlib.sha256(BIG_BODY).digest())
            self.assertEqual(client.ask("/big").value("content-length"), str(len(BIG_BODY)))
            self.assertEqual(client.ask("/unknown-length").value("transfer-encoding"), "chunked")
            self.assertEqual(client.ask("/empty").value("content-length"), "0")

    def test_head_204_and_304_have_no_body(self):
        for client in self.on_both_listeners():
            head = client.ask("/big", "HEAD")
            self.assertEqual(head.value("content-length"), str(len(BIG_BODY)))
            none = client.ask("/none")
            self.assertEqual((none.status, none.value("x-kept")), (204, "1"))
            self.assertIsNone(none.value("content-length"))
            same = client.ask("/same")
            self.assertEqual((same.status, same.value("etag")), (304, '"a"'))
            self.assertEqual(client.ask("/no", "HEAD").status, 403)
            self.assertEqual(client.ask("/empty").status, 200)

    def test_statuses_and_fields_are_kept(self):
        for client in self.on_both_listeners():
            self.assertEqual(client.ask("/long").value("x-long"), LONG_VALUE)
            self.assertEqual(client.ask("/cookies").values("set-cookie"), ["a=1", "b=2"])
            self.assertEqual(client.ask("/teapot").status, 418)

    def test_early_hints_come_before_the_answer_but_not_to_http_1_0(self):
        for client in self.on_both_listeners():
            answer = client.ask("/hints")
            self.assertEqual(answer.interim, [(103, [("link", "</style.css>; rel=preload")]),
                                              (103, [("link", "</two.css>")])])
            self.assertEqual(answer.body, b"page")
            answer = client.ask("/hints", version="1.0")
            self.assertEqual((answer.interim, answer.body), ([], b"page"))

    def test_trailers_come_to_who_asked_for_them(self):
        for client in self.on_both_listeners():
            answer = client.ask("/trailers", fields=[("te", "trailers"), ("connection", "te")])
            self.assertEqual(answer.trailers, [("x-checksum", "abc"), ("x-second", "2")])
            answer = client.ask("/trailers")
            self.assertEqual((answer.trailers, answer.body), ([], b"body"))

    def test_trailers_of_a_request_pass_unless_they_mean_too_much(self):
        for client in self.on_both_listeners():
            client.start("/echo", "POST", [("transfer-encoding", "chunked"), ("trailer", "x-sum")])
            client.send_chunk(b"abc")
            client.send(b"0\r\nX-Sum: 7 \r\nx-forwarded-for: 6.6.6.6\r\nhost: evil\r\n"
                        b"content-type: no/no\r\n\r\n")
            echoed = client.read().json()
            self.assertEqual(echoed["trailers"], [["x-sum", "7"]])
            self.assertEqual(echoed["length"], 3)

    def test_request_bodies_arrive_whole(self):
        digest = hashlib.sha256(BIG_BODY).hexdigest()
        for client in self.on_both_listeners():
            for method in ("POST", "PUT", "PATCH", "DELETE", "GET", "QUERY", "PROPFIND"):
                echoed = client.ask("/echo", method, body=BIG_BODY).json()
                self.assertEqual((echoed["sha256"], echoed["method"]), (digest, method))
            client.start("/echo", "POST", [("transfer-encoding", "chunked")])
            for at in range(0, len(BIG_BODY), 70_000):
                client.send_chunk(BIG_BODY[at:at + 70_000])
            client.send(b"0\r\n\r\n")
            self.assertEqual(client.read().json()["sha256"], digest)
            self.assertEqual(client.ask("/echo", "POST").json()["length"], 0)

    def test_chunks_are_made_anew(self):
        client = self.client()
        client.send_text("POST /echo HTTP/1.1\nhost: a\ntransfer-encoding: Chunked\n\n"
                         "1;ext=\"1\"\na\n002;b\nbc\n000;c\n\n")
        echoed = client.read().json()
        self.assertEqual(echoed["length"], 3)
        self.assertEqual([value for name, value in echoed["fields"]
                          if name == "transfer-encoding"],
                         ["chunked"] if self.protocol == "http/1.1" else [])

    def test_a_request_in_single_bytes_is_the_request(self):
        for client in self.on_both_listeners():
            for byte in (b"POST /echo?x HTTP/1.1\r\nHost: a\r\nX-A: b c \r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"):
                client.send(bytes([byte]))
            echoed = client.read().json()
            self.assertEqual((echoed["target"], echoed["length"]), ("/echo?x", 3))
            self.assertIn(["x-a", "b c"], echoed["fields"])
            self.assertEqual(echoed["trailers"], [["x-t", "1"]])

    def test_one_connection_carries_many_requests(self):
        for client in self.on_both_listeners():
            for i in range(50):
                self.assertEqual(client.ask(f"/echo?{i}").json()["target"], f"/echo?{i}")
            self.assertEqual(self.proxy.total("strangler_connections", protocol="http/1.1"), 1)
            client.close()

    def test_pipelined_requests_are_answered_in_their_order(self):
        for client in self.on_both_listeners():
            requests = []
            for i in range(100):
                body = b"x" * (i * 97 % 5000)
                kind = i % 4
                if kind == 0:
                    requests.append(b"GET /echo?%d HTTP/1.1\r\nhost: a\r\n\r\n" % i)
                elif kind == 1:
                    requests.append(b"POST /echo?%d HTTP/1.1\r\nhost: a\r\ncontent-length: %d"
                                    b"\r\n\r\n%s\r\n" % (i, len(body), body))
                elif kind == 2:
                    requests.append(b"POST /echo?%d HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
                                    b"chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                                    % (i, len(body) + 1, body + b"y"))
                else:
                    requests.append(b"GET /no/%d HTTP/1.1\r\nhost: a\r\n\r\n" % i)
            client.send(b"".join(requests))
            for i in range(100):
                answer = client.read()
                if i % 4 == 3:
                    self.assertEqual(answer.status, 403)
                else:
                    self.assertEqual(answer.json()["target"], f"/echo?{i}")

    def test_connections_are_closed_as_the_request_says(self):
        for fields, version in (([("connection", "close")], "1.1"),
                                ([("connection", "x, CLOSE")], "1.1"), ([], "1.0")):
            client = self.client()
            answer = client.ask("/echo", fields=fields, version=version)
            self.assertEqual(answer.value("connection"), "close")
            self.assertEqual(client.read_rest(), b"")
        client = self.client()
        for _ in range(3):
            answer = client.ask("/echo", fields=[("connection", "keep-alive")], version="1.0")
            self.assertEqual(answer.value("connection"), "keep-alive")
        self.assertIsNone(client.ask("/echo").value("connection"))

    def test_who_says_that_it_is_the_last_request_is_not_waited_for(self):
        for client in self.on_both_listeners():
            client.ask("/echo", fields=[("connection", "close")])
            self.assertEqual(client.read_rest(), b"")
            client.send(b"Nobody is there to hear this.")
            wait_until("it is reset", lambda sock=client.socket:
                       sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0)

    def test_who_sends_more_behind_its_last_request_has_its_answer_all_the_same(self):
        request = b"GET /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        for client in self.on_both_listeners():
            client.send(request + b"\r\nmore")
            self.assertEqual(client.read().status, 200)
            client.send(b"and more")
            self.assertEqual(client.read_rest(), b"")

    def test_an_answer_without_length_to_http_1_0_ends_with_the_connection(self):
        for client in self.on_both_listeners():
            answer = client.ask("/unknown-length", fields=[("connection", "keep-alive")],
                                version="1.0")
            self.assertIsNone(answer.value("transfer-encoding"))
            self.assertEqual(hashlib.sha256(answer.body).digest(),
                             hashlib.sha256(BIG_BODY).digest())

    def test_http_1_0_may_leave_the_host_out(self):
        client = self.client()
        client.send(b"GET /echo HTTP/1.0\r\n\r\n")
        fields = dict(map(tuple, client.read().json()["fields"]))
        self.assertEqual(fields["x-forwarded-host"], f"127.0.0.1:{self.proxy.plain}")
        self.assertIn("1.0 strangler", fields["via"])

    def test_absolute_targets_name_the_host(self):
        client = self.client()
        for target, host, path in (
                ("http://Other.example:81/echo?q", "other.example:81", "/echo?q"),
                ("http://other.example?q", "other.example", "/?q")):
            echoed = client.ask(target, host="localhost").json()
            fields = dict(map(tuple, echoed["fields"]))
            self.assertEqual((fields["x-forwarded-host"], echoed["target"]), (host, path))
        client.start("*", "OPTIONS")
        self.assertEqual(client.read().json()["target"], "*")
        client.start("http://a", "OPTIONS")
        self.assertEqual(client.read().json()["target"], "*")

    def test_options_may_count_their_hops(self):
        client = self.client()
        for hops, left in (("10", "9"), ("1", "0"), ("x", "x")):
            echoed = client.ask("/echo", "OPTIONS", [("max-forwards", hops)]).json()
            self.assertIn(["max-forwards", left], echoed["fields"])
        for path in ("*", "/echo"):
            answer = client.ask(path, "OPTIONS", [("max-forwards", "0")])
            self.assertEqual((answer.status, answer.value("content-length")), (204, None))
            self.assertIn("OPTIONS", answer.value("allow"))
        echoed = client.ask("/echo", "GET", [("max-forwards", "0")]).json()
        self.assertIn(["max-forwards", "0"], echoed["fields"])

    def test_the_query_and_the_path_are_kept_byte_for_byte(self):
        client = self.client()
        for target in ("/echo?a=b&c=%20d%2F&&x=/../y?z;q", "/echo?", "/echo/%C3%A4%20b",
                       "/echo/a+b=c;d", "/echo//two", "/echo/trailing/"):
            self.assertEqual(client.ask(target).json()["target"], target)

    def test_bytes_that_no_uri_has_are_sent_encoded(self):
        client = self.client()
        self.assertEqual(client.ask("/echo/\xc3\xa4?b=\xe4&c=%e4").json()["target"],
                         "/echo/%C3%A4?b=%E4&c=%e4")

    def test_the_backend_sees_who_asked_for_what(self):
        for tls in (False, True):
            client = self.client(tls)
            client.start("/echo", "GET", [
                ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "gopher"),
                ("forwarded", "for=6.6.6.6"), ("via", "1.1 other"), ("proxy", "evil"),
                ("x_forwarded_for", "6.6.6.6"), ("x-strangler-side", "extracted"),
                ("connection", "close, x-private, host, authorization, content-length"),
                ("authorization", "Bearer x"), ("x-private", "1"), ("keep-alive", "timeout=5"),
                ("te", "trailers"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__"),
                ("proxy-connection", "keep-alive"), ("x-kept", "1")],
                host="Forum.example.org:8443")
            echoed = client.read().json()["fields"]
            seen = {}
            for name, value in echoed:
                seen.setdefault(name, []).append(value)
            self.assertEqual(seen["x-forwarded-for"], ["127.0.0.1"])
            self.assertEqual(seen["x-forwarded-proto"], ["https" if tls else "http"])
            self.assertEqual(seen["x-forwarded-host"], ["forum.example.org:8443"])
            self.assertEqual(seen["via"], ["1.1 other, 1.1 strangler"])
            self.assertEqual(seen["authorization"], ["Bearer x"])
            self.assertEqual(seen["x-kept"], ["1"])
            for name in ("proxy", "x_forwarded_for", "x-strangler-side", "x-private", "upgrade",
                         "keep-alive", "te", "http2-settings", "proxy-connection", "connection"):
                self.assertNotIn(name, seen)

    def test_cookies_pass_as_one_field(self):
        client = self.client()
        echoed = client.ask("/echo", fields=[("cookie", "a=1; b=2")]).json()["fields"]
        self.assertIn(["cookie", "a=1; b=2"], echoed)

    def test_the_log_and_the_metrics_name_the_protocol(self):
        client = self.client(tls=True)
        client.ask("/echo")
        client.ask("/echo", version="1.0")
        lines = self.proxy.wait_log(2)
        self.assertEqual([line["protocol"] for line in lines], ["http/1.1", "http/1.0"])

    def test_curl_gets_and_sends_the_same_over_both_listeners(self):
        for tls in (False, True):
            url = (f"https://127.0.0.1:{self.proxy.tls}" if tls
                   else f"http://127.0.0.1:{self.proxy.plain}")
            for version in ("--http1.1", "--http1.0"):
                said = subprocess.run(["curl", "--disable", "-sSfk", version, url + "/big"],
                                      capture_output=True, timeout=30, check=True).stdout
                self.assertEqual(said, BIG_BODY)
            said = subprocess.run(
                ["curl", "--disable", "-sSfk", "--http1.1", "-H", "transfer-encoding: chunked",
                 "-H", "expect: 100-continue", "--data-binary", "@-", url + "/echo", url + "/echo"],
                input=BIG_BODY, capture_output=True, timeout=30, check=True).stdout
            first = json.loads(said[:said.index(b"}") + 1])
            self.assertEqual(first["sha256"], hashlib.sha256(BIG_BODY).hexdigest())


class BasicsWithHttp1Backend(Basics, ProxyCase):
    protocol = "http/1.1"


class BasicsWithHttp2Backend(Basics, ProxyCase):
    protocol = "h2"


class Versions(ProxyCase):
    """Which protocol a connection speaks."""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](site))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))

    def test_alpn_decides_over_tls(self):
        for offered, chosen in ((("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"),
                                (("http/1.1",), "http/1.1"), (("x", "http/1.1"), "http/1.1"), (("http/1.0",), "http/1.0")):
            sock = connect(self.proxy.tls, True, offered)
            self.assertEqual(sock.selected_alpn_protocol(), chosen)
            sock.close()
        for offered in (("spdy/3", "x"), ("h2c",)):
            with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                connect(self.proxy.tls, True, offered)

    def test_without_alpn_it_is_http_1_1(self):
        client = self.closing(Http1Client(self.proxy.tls, True, ()))
        self.assertEqual(client.ask("/echo").status, 200)
        client = self.closing(Http1Client(self.proxy.tls, True, ()))
        answer = client.ask_raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.assertEqual(answer.status, 505)

    def test_who_agreed_on_h2_has_to_speak_it(self):
        client = self.closing(Http1Client(self.proxy.tls, True, ("h2",)))
        client.start("/echo")
        self.assertEqual(client.read_rest(), b"")

    def test_the_preface_decides_in_clear_also_in_pieces(self):
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for cut in range(1, len(preface)):
            client = self.closing(Http2Client(self.proxy.plain, send_preface=False))
            client.socket.sendall(preface[:cut])
            client.socket.sendall(preface[cut:] + b"\0\0\0\4\0\0\0\0\0")
            self.assertEqual(client.ask("/echo").status, 200)
            client.close()
        for start in (b"P", b"PR", b"PRI * HTTP/2.0\r\n"):
            client = self.closing(Http1Client(self.proxy.plain))
            client.send(start)
            self.proxy.wait_total(1, "strangler_connections", protocol="unknown")
            if start[-1:] == b"\n":
                self.assertEqual(client.ask_raw(b"Host: a\r\n\r\n").status, 505)
            else:
                client.send(b"OST" if start == b"P" else b"OPPATCH")
                client.send(b" /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
                self.assertEqual(client.read().status, 200)
            client.close()


class HalfClosed(ProxyCase):
    """Clients that end their side when they have asked."""

    def start(self, script):
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))

    def test_they_are_answered_nevertheless(self):
        self.start(serving(lambda request: answer_bytes(request.target.encode() * 50_000)))
        client = self.closing(Http1Client(self.proxy.plain))
        for i in range(3):
            client.start(f"/{i}")
        client.end_output()
        for i in range(3):
            answer = client.read()
            self.assertEqual(answer.body, f"/{i}".encode() * 50_000)
        self.assertEqual(answer.value("connection"), "close")
        self.assertEqual(client.read_rest(), b"")

    def test_one_that_says_nothing_is_let_go(self):
        self.start(serving(lambda request: answer_bytes()))
        client = self.closing(Http1Client(self.proxy.plain))
        client.end_output()
        self.assertEqual(client.read_rest(), b"")

    def test_a_request_that_is_cut_so_reaches_its_end_nowhere(self):
        seen = []

        def script(connection):
            request = connection.read_head()
            try:
                connection.read_body(request)
            except Gone:
                seen.append("cut")
        self.start(script)
        for start in (b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\n",
                      b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n123",
                      b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"):
            client = self.closing(Http1Client(self.proxy.plain))
            client.send(start)
            if b"POST" in start:
                self.proxy.wait_total(1, "strangler_backend_streams")
            client.end_output()
            client.wait_closed()
        self.proxy.wait_total(0, "strangler_live_exchanges")

    def test_one_that_is_gone_does_not_keep_its_backend_for_long(self):
        self.start(lambda connection: connection.wait_end())
        client = Http1Client(self.proxy.plain)
        client.start()
        self.proxy.wait_total(1, "strangler_backend_streams")
        client.close()
        self.proxy.wait_total(0, "strangler_live_exchanges")
        self.assertEqual(self.proxy.wait_log(1)[0]["status"], 499)


if __name__ == "__main__":
    main()
