"""RFC 9110 sections 7.6 and 7.8, RFC 7239: which fields go on in both directions, which stay on
their own hop, and who may say who asks."""

from http1_backend import answer_bytes, serving
from http1_client import Http1Client
from http2_peer import Http2Client
from strangler_test import backend_text, config_text, main
from wire import WireCase, naming, request

GET = "GET / HTTP/1.1"
# Nothing of these may reach a backend from somebody who is not trusted, in whatever spelling.
FORGED = [
    "x-forwarded-for: 6.6.6.6", "x-forwarded-host: evil", "x-forwarded-proto: gopher",
    "x-forwarded-port: 666", "x-forwarded-server: evil", "x-forwarded-prefix: /evil",
    "x-forwarded-by: 6.6.6.6", "forwarded: for=6.6.6.6;host=evil", "x-real-ip: 6.6.6.6",
    "x-original-path: /evil", "x-strangler-side: extracted", "x-strangler-token: evil",
    "x-strangler-anything: evil", "proxy: http://evil/", "x-request-id: 1",
    # names that CGI and WSGI make the same of
    "x_forwarded_for: 6.6.6.6", "X-Forwarded_For: 6.6.6.6", "x_forwarded-for: 6.6.6.6",
    "X_FORWARDED_HOST: evil", "x_forwarded_proto: gopher", "x_forwarded_port: 666",
    "x_real_ip: 6.6.6.6", "x_strangler_side: extracted", "x_original_path: /evil",
    "content_length: 5", "transfer_encoding: chunked", "x_request_id: 1",
]


class Section7(WireCase):
    """`forward = []`: what the backend gets is the client's, and nothing of ours."""

    def check_fields(self, said: str, sent: str, line: str = GET):
        with self.subTest(said):
            self.check_forwarded(request(line, "host: a\n" + said),
                                 request("GET / HTTP/1.1", "host: a\n" + sent))

    def test_6_1_fields_of_one_hop_stay_on_it(self):
        for field in ("connection: close", "connection: keep-alive", "connection:",
                      "connection: ,x-b,,", "keep-alive: timeout=5, max=100",
                      "proxy-connection: keep-alive", "te: trailers", "te: gzip;q=0.5, trailers",
                      "te:", "upgrade: h2c", "upgrade: websocket", "upgrade: TLS/1.0, x",
                      "http2-settings: AAMAAABkAAQAAP__", "Keep-Alive: 5", "PROXY-CONNECTION: x"):
            self.check_fields(f"x-a: 1\n{field}\nx-b: 2\n", "x-a: 1\n" + (
                "" if "x-b" in field else "x-b: 2\n"))

    def test_6_1_what_connection_lists_stays_too(self):
        for connection in ("x-hop", "X-Hop", "close, x-hop", "x-hop, close", " ,x-hop ,",
                           "keep-alive,x-hop", "x-none, x-hop, x-kept-not"):
            self.check_fields(f"connection: {connection}\nx-hop: 1\nX-HOP: 2\nx-kept: 3\n",
                              "x-kept: 3\n")
            self.check_fields(f"x-hop: 1\nx-kept: 3\nConnection: {connection}\n", "x-kept: 3\n")
        self.check_fields("connection: x-one\nx-one: 1\nx-two: 2\nconnection: x-two\n", "")
        self.check_fields("connection: x-kep\nx-kept: 3\n", "x-kept: 3\n")

    def test_6_1_what_the_proxy_or_the_backend_lives_by_cannot_be_listed_away(self):
        self.check_fields("connection: host, authorization, cookie, via, x-forwarded-for\n"
                          "authorization: Basic x\ncookie: a=b\n",
                          "authorization: Basic x\ncookie: a=b\n")
        self.check_forwarded(
            request(fields="host: a\nconnection: content-length, host\ncontent-length: 3\n",
                    body=b"abc"),
            request(fields="host: a\ncontent-length: 3\n", body=b"abc"))
        self.check_forwarded(
            request(fields="host: a\nconnection: transfer-encoding\ntransfer-encoding: chunked\n",
                    body=b"3\r\nabc\r\n0\r\n\r\n"),
            request(fields="host: a\ntransfer-encoding: chunked\n",
                    body=b"3\r\nabc\r\n0\r\n\r\n"))

    def test_6_1_the_same_towards_http_1_0(self):
        self.check_fields("connection: keep-alive, x-hop\nx-hop: 1\n", "", "GET / HTTP/1.0")

    def test_8_an_upgrade_to_h2c_is_none(self):
        settings = "http2-settings: AAMAAABkAAQAAP__\n"
        for fields in ("upgrade: h2c\n" + settings + "connection: upgrade, http2-settings\n",
                       "upgrade: h2c\nconnection: Upgrade\n", "upgrade: h2c\n", settings,
                       "upgrade: H2C\n" + settings + "connection: HTTP2-Settings, Upgrade\n",
                       "upgrade: h2c\nconnection: upgrade, http2-settings\n",
                       "upgrade: websocket, h2c\n" + settings + "connection: upgrade\n",
                       "upgrade: h2c\nupgrade: h2c\nconnection: upgrade\nconnection: upgrade\n",
                       "upgrade: h2c, websocket\nconnection: x, UPGRADE\n"):
            with self.subTest(fields):
                self.backend.forget()
                client = self.client()
                client.send(request(GET, "host: a\n" + fields) + request("GET /2 HTTP/1.1"))
                self.assertEqual(client.read().body, b"GET /")  # no 101, and HTTP/1.1 goes on
                self.assertEqual(client.read().body, b"GET /2")
                client.close()
                self.assertEqual(self.backend.wire(), request(GET) + request("GET /2 HTTP/1.1"))

    def test_8_nor_to_anything_else_on_a_route_without_tunnels(self):
        for fields in ("upgrade: TLS/1.0\n", "upgrade: connect-udp\n", "upgrade: h2c/1\n",
                       "upgrade: websocket\nsec-websocket-version: 13\n"):
            kept = "sec-websocket-version: 13\n" if "sec" in fields else ""
            self.check_fields("connection: upgrade\n" + fields, kept)

    def test_9110_10_1_1_an_expectation_that_nobody_knows_is_the_backend_s(self):
        self.check_fields("expect: x\n", "expect: x\n")
        self.check_fields("expect: 100-continue\n", "", "GET / HTTP/1.0")

    def test_nothing_forged_reaches_a_backend(self):
        for field in FORGED:
            self.check_fields(field + "\nx-kept: 1\n", "x-kept: 1\n")
            self.check_fields(field + "\n" + field.upper() + "\n", "")

    def test_names_that_only_look_like_ours_pass(self):
        for field in ("x-forwarded: 1", "x-strangler: 1", "x_private: 1", "user_agent: x",
                      "proxy-authorization: Basic x", "forwarded-for: 1", "real-ip: 1"):
            self.check_fields(field + "\n", field + "\n")

    def test_6_3_via_stays_when_it_is_not_ours_to_say(self):
        self.check_fields("via: 1.1 other\n", "via: 1.1 other\n")


class Ours(WireCase):
    """With all that the proxy says itself."""

    settings = ""

    def seen(self, fields, kind=Http1Client):
        self.backend.forget()
        client = kind(self.proxy.plain)
        self.assertEqual(client.ask("/", fields=fields).status, 200)
        client.close()
        [seen] = self.backend.whole_requests()
        return seen

    def fields(self) -> list:
        return [tuple(field.lower().split(": ", 1)) for field in FORGED]

    def test_what_is_forged_is_replaced_and_said_once(self):
        for kind, version in (Http1Client, "1.1"), (Http2Client, "2.0"):
            with self.subTest(kind.__name__):
                seen = self.seen(self.fields(), kind)
                self.assertEqual(seen.values("x-forwarded-for"), ["127.0.0.1"])
                self.assertEqual(seen.values("x-forwarded-proto"), ["http"])
                self.assertEqual(seen.values("x-forwarded-host"), ["localhost"])
                self.assertEqual(seen.values("forwarded"),
                                 ['for=127.0.0.1;proto=http;host="localhost"'])
                self.assertEqual(seen.values("via"), [f"{version} strangler"])
                self.assertRegex(seen.value("x-request-id"), "^[0-9a-f-]{36}$")
                ours = {"host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
                        "forwarded", "via", "x-request-id", "traceparent"}
                self.assertEqual({name for name, _ in seen.fields}, ours)

    def test_it_cannot_be_listed_away(self):
        names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via",
                 "x-request-id", "traceparent")
        seen = self.seen([("connection", ", ".join(names)), ("connection", "close")])
        for name in names:
            self.assertEqual(len(seen.values(name)), 1, name)

    def test_6_3_via_is_added_behind_the_others(self):
        seen = self.seen([("via", "1.0 a"), ("via", "1.1 b, 2.0 c")])
        self.assertEqual(seen.values("via"), ["1.0 a, 1.1 b, 2.0 c, 1.1 strangler"])

    def test_from_a_trusted_proxy_it_goes_on_and_ours_is_last(self):
        self.proxy.reload("10-test.cfg", config_text(
            backend_text("monolith", self.backend.port), more='trusted_proxies = [ "127.0.0.1" ];'))
        seen = self.seen([("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2"),
                          ("x-forwarded-proto", "https"), ("x-forwarded-host", "site.example"),
                          ("forwarded", "for=192.0.2.1"), ("x-real-ip", "192.0.2.1"),
                          ("x-request-id", "abc-1"), ("proxy", "evil"),
                          ("x-strangler-token", "guess")])
        self.assertEqual(seen.values("x-forwarded-for"), ["192.0.2.1, 192.0.2.2, 127.0.0.1"])
        self.assertEqual(seen.values("x-forwarded-proto"), ["https"])
        self.assertEqual(seen.values("x-forwarded-host"), ["site.example"])
        self.assertEqual(seen.values("forwarded"), [
            'for=192.0.2.1, for=127.0.0.1;proto=http;host="localhost"'])
        self.assertEqual(seen.values("x-real-ip"), ["192.0.2.1"])
        self.assertEqual(seen.values("x-request-id"), ["abc-1"])
        self.assertEqual(seen.values("proxy") + seen.values("x-strangler-token"), [])
        for kind in (Http1Client, Http2Client):  # one that says nothing
            seen = self.seen([], kind)
            self.assertEqual(seen.values("x-forwarded-for"), ["127.0.0.1"])
            self.assertEqual(seen.values("x-forwarded-proto"), ["http"])
            self.assertEqual(seen.values("forwarded"), [
                'for=127.0.0.1;proto=http;host="localhost"'])


class Answers(WireCase):
    """RFC 9110 section 7.6.1 in the other direction."""

    def ask_both(self, head: str):
        self.said = head.replace("\n", "\r\n").encode() + b"content-length: 2\r\n\r\nok"
        for kind in (Http1Client, Http2Client):
            client = kind(self.proxy.plain)
            answer = client.ask("/")
            self.assertEqual((answer.status, answer.body, answer.value("content-length")),
                             (200, b"ok", "2"))
            yield answer
            # The backend's connection is not the client's.
            self.assertEqual(client.ask("/").status, 200)
            client.close()

    def setUp(self):
        self.said = answer_bytes(b"ok")
        self.script = serving(lambda seen: self.said)
        super().setUp()

    def test_6_1_fields_of_one_hop_stay_on_it(self):
        for answer in self.ask_both(
                "HTTP/1.1 200 OK\nconnection: close, x-hop, X-Hop-2\nx-hop: 1\nx-hop-2: 1\n"
                "keep-alive: timeout=5\nproxy-connection: close\nupgrade: h2c\nte: x\n"
                "x-kept: 1\nx-kept: 2\nset-cookie: a=1\nset-cookie: b=2\n"):
            names = {name for name, _ in answer.fields}
            self.assertFalse(names & {"connection", "x-hop", "x-hop-2", "keep-alive", "upgrade",
                                      "proxy-connection", "te", "transfer-encoding"}, names)
            self.assertEqual(answer.values("x-kept"), ["1", "2"])
            self.assertEqual(answer.values("set-cookie"), ["a=1", "b=2"])

    def test_6_1_its_length_cannot_be_listed_away(self):
        for answer in self.ask_both("HTTP/1.1 200 OK\nconnection: content-length, date\n"):
            self.assertIsNotNone(answer.value("date"))

    def test_9110_6_6_1_it_has_the_date_of_its_backend_or_else_ours(self):
        said = "Tue, 15 Nov 1994 08:12:31 GMT"
        for answer in self.ask_both(f"HTTP/1.1 200 OK\ndate: {said}\n"):
            self.assertEqual(answer.values("date"), [said])
        for answer in self.ask_both("HTTP/1.1 200 OK\n"):
            self.assertRegex(answer.value("date"), r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} "
                             r"\d\d:\d\d:\d\d GMT$")


if __name__ == "__main__":
    main()
