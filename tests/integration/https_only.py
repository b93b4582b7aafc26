"""Sites that are for https only: `redirect` sends those who come in clear to where TLS is spoken, and
`hsts` tells browsers to begin there the next time."""

from http1_backend import Http1Backend, answer_bytes, serving
from http1_client import Http1Client
from http2_peer import Http2Client, ask_once
from strangler_test import ProxyCase, backend_text, config_text, curl, main

HSTS = "strict-transport-security"


def answer(request) -> bytes:
    fields = [(HSTS, "max-age=5; includeSubDomains")] if request.target == "/strict" else []
    return answer_bytes(b"good", fields=fields)


class HttpsOnly(ProxyCase):
    def start(self, more: str = ""):
        self.backend = self.closing(Http1Backend(serving(answer)))
        self.proxy = self.start_proxy(
            config_text(backend_text("monolith", self.backend.port), more=more))
        self.proxy.reload("00-proxy.cfg", self.own_config())

    def own_config(self) -> str:
        text = self.proxy.own_config()
        plain = f'"127.0.0.1:{self.proxy.plain}";'
        tls = f'"127.0.0.1:{self.proxy.tls}";'
        return text.replace(plain, f'{plain} redirect = "https";').replace(
            tls, f'{tls} hsts = "365d";')

    def expect_redirect(self, answered, host: str, target: str):
        self.assertEqual(answered.status, 308)
        self.assertEqual(answered.values("location"),
                         [f"https://{host}:{self.proxy.tls}{target}"])
        self.assertEqual(answered.values(HSTS), [])  # RFC 6797 section 7.2

    def test_every_request_in_clear_is_sent_to_its_place_at_the_https_listener(self):
        self.start()
        http1 = self.closing(Http1Client(self.proxy.plain))
        http2 = self.closing(Http2Client(self.proxy.plain))
        for method, target, authority in (
                ("GET", "/", "forum.test"), ("GET", "/a/b%2Fc?q=1&r=https://x", "forum.test:8080"),
                ("DELETE", "//other.test/", "[::1]:80"), ("GET", "/.well-known/x", "forum.test")):
            host = authority.rpartition(":")[0] if authority[-1].isdigit() else authority
            self.expect_redirect(http2.ask(target, method, authority=authority), host, target)
            request = f"{method} {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
            self.expect_redirect(http1.ask_raw(request.encode()), host, target)
        self.assertEqual(self.backend.requests, [])

    def test_a_post_stays_one_and_its_body_goes_nowhere(self):
        self.start()
        http1 = self.closing(Http1Client(self.proxy.plain))
        http2 = self.closing(Http2Client(self.proxy.plain))
        for client in (http1, http2):
            self.expect_redirect(client.ask("/p", "POST", body=b"x" * 1000), "localhost", "/p")
        self.assertEqual(self.backend.requests, [])

    def test_options_of_the_server_and_clients_without_a_host_get_one_too(self):
        self.start()
        client = self.closing(Http1Client(self.proxy.plain))
        self.expect_redirect(client.ask_raw(b"OPTIONS * HTTP/1.1\r\nHost: forum.test\r\n\r\n"),
                             "forum.test", "")
        self.expect_redirect(client.ask_raw(b"GET /old HTTP/1.0\r\n\r\n"), "127.0.0.1", "/old")

    def test_what_is_malformed_is_refused_and_not_sent_on(self):
        self.start()
        client = self.closing(Http1Client(self.proxy.plain))
        refused = client.ask_raw(b"GET /%zz HTTP/1.1\r\nHost: forum.test\r\n\r\n")
        self.assertEqual((refused.status, refused.values("location")), (400, []))

    def test_curl_follows_and_is_told_to_stay(self):
        self.start()
        followed = curl(f"http://127.0.0.1:{self.proxy.plain}/x", "-L")
        self.assertEqual((followed.status, followed.body), (200, b"good"))
        self.assertEqual(followed.values(HSTS), ["max-age=31536000"])
        self.assertEqual({line["reason"] for line in self.proxy.wait_log(2)},
                         {"redirect", "default"})

    def test_every_answer_over_tls_says_it_unless_the_backend_does(self):
        self.start()
        client = self.closing(Http2Client(self.proxy.tls, tls=True))
        self.assertEqual(client.ask("/").values(HSTS), ["max-age=31536000"])
        self.assertEqual(client.ask("/%zz").values(HSTS), ["max-age=31536000"])
        self.assertEqual(client.ask("/strict").values(HSTS), ["max-age=5; includeSubDomains"])

    def test_only_trusted_proxies_may_say_that_they_took_the_tls_off(self):
        self.start()
        said = [("x-forwarded-proto", "https")]
        self.assertEqual(ask_once(self.proxy.plain, fields=said).status, 308)
        self.proxy.reload("20-trust.cfg", 'trusted_proxies = [ "127.0.0.0/8" ];')
        self.assertEqual(ask_once(self.proxy.plain, fields=said).status, 200)
        http1 = self.closing(Http1Client(self.proxy.plain))
        self.assertEqual(http1.ask("/", fields=said).status, 200)
        self.assertEqual(http1.ask("/", fields=[("x-forwarded-proto", "http")]).status, 308)

    def test_a_reload_ends_it(self):
        self.start()
        self.assertEqual(ask_once(self.proxy.plain).status, 308)
        self.proxy.reload("00-proxy.cfg", self.proxy.own_config())
        self.assertEqual(ask_once(self.proxy.plain).status, 200)
        self.assertEqual(ask_once(self.proxy.tls, tls=True).values(HSTS), [])


if __name__ == "__main__":
    main()
