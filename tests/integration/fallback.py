"""A read that the extracted side fails is answered by legacy, where the module wants it: after which
failures, and after which not; at most a fifth of the requests; and counted as a failure."""

import threading
import time

from cookie_jar import CookieJar
from http1_backend import Http1Backend, answer_bytes, once
from http2_peer import Http2Client, ask_once
from scripted_site import SERVE, Reply, echo, serve_http1
from strangler_test import ProxyCase, backend_text, config_text, free_port, main, wait_until

# Nobody is taken for too slow who is only on a busy machine, but where that is what it is about.
FALLBACK = 'on_error = "fallback"; fallback_after = "20s"; pin = "0";'
IMPATIENT = FALLBACK.replace("20s", "300ms")


def legacy_site(request):
    reply = echo(request)
    reply.fields.append(("x-side", "legacy"))
    return reply


def saying(status: int):
    return lambda request: Reply(status, [("x-side", "extracted")], b"said")


def resetting(connection):
    connection.read_request()
    connection.reset()


class FallbackCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(serve_http1(legacy_site))

    def config(self, port: int, protocol: str = "http/1.1", more: str = FALLBACK,
               top: str = "", route: str = "") -> str:
        module = (f'modules: {{ m: {{ legacy = "monolith"; extracted = "users"; stage = "live"; {more} '
                  f'routes: {{ api: {{ prefix = "/api"; {route} }}; }}; }}; }};\n{top}')
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("users", port, protocol), more=module)

    def start_saying(self, status: int, protocol: str = "http/1.1", **more):
        backend = self.closing(SERVE[protocol](saying(status)))
        return self.start_proxy(self.config(backend.port, protocol, **more))

    def last_line(self, proxy) -> dict:
        return proxy.wait_log(1)[-1]

    def check_fell_back(self, proxy, answer, fault: str, attempts: int = 2):
        self.assertEqual((answer.status, answer.value("x-side")), (200, "legacy"))
        line = self.last_line(proxy)
        self.assertEqual((line["reason"], line["side"], line["status"], line["attempts"]),
                         ("fallback", "legacy", 200, attempts))
        self.assertEqual(line["endpoint"], f"127.0.0.1:{self.legacy.port}")
        self.assertEqual(proxy.fault_count("users", fault), attempts - 1)
        self.assertEqual(proxy.fault_count("monolith", fault), 0)
        self.assertEqual(proxy.total("strangler_decisions_total", module="m", side="legacy",
                                     reason="fallback"), 1)


class Failures(FallbackCase):
    def test_nobody_listens(self):
        proxy = self.start_proxy(self.config(free_port()))
        self.check_fell_back(proxy, ask_once(proxy.plain, "/api/x"), "connect")

    def test_the_connection_is_reset(self):
        backend = self.closing(Http1Backend(resetting))
        proxy = self.start_proxy(self.config(backend.port))
        self.check_fell_back(proxy, ask_once(proxy.plain, "/api/x"), "reset")

    def test_the_answer_is_malformed(self):
        backend = self.closing(Http1Backend(once(b"HTTP/9.9 oh\r\n\r\n")))
        proxy = self.start_proxy(self.config(backend.port))
        self.check_fell_back(proxy, ask_once(proxy.plain, "/api/x"), "malformed")

    def test_the_endpoint_says_that_it_cannot(self):
        for protocol in SERVE:
            for status in (502, 503, 504):
                proxy = self.start_saying(status, protocol)
                self.check_fell_back(proxy, ask_once(proxy.plain, "/api/x"), "status")

    def test_other_answers_are_the_answer(self):
        for status in (200, 404, 500, 501, 505):
            proxy = self.start_saying(status)
            answer = ask_once(proxy.plain, "/api/x")
            self.assertEqual((answer.status, answer.value("x-side")), (status, "extracted"))
            self.assertEqual(self.last_line(proxy)["reason"], "stage live")

    def test_no_answer_in_time(self):
        release = threading.Event()
        backend = self.closing(Http1Backend(lambda connection: release.wait(20)))
        proxy = self.start_proxy(self.config(backend.port, more=IMPATIENT))
        began = time.monotonic()
        answer = ask_once(proxy.plain, "/api/x")
        release.set()
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.check_fell_back(proxy, answer, "first_byte_timeout")

    def test_a_slow_answer_is_cut_and_not_mixed(self):
        """What has begun is never replaced."""
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"x" * 100)[:-50])
            connection.reset()
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(self.config(backend.port))
        answer = ask_once(proxy.plain, "/api/x")
        self.assertIsNotNone(answer.reset)
        self.assertNotIn("fallback", self.last_line(proxy)["reason"])

    def test_at_most_one_retry_and_one_fallback(self):
        """Two endpoints that reset: the one, the other, legacy."""
        one, two = (self.closing(Http1Backend(resetting)) for _ in range(2))
        text = self.config(one.port).replace(
            f'"127.0.0.1:{one.port}"', f'"127.0.0.1:{one.port}", "127.0.0.1:{two.port}"')
        proxy = self.start_proxy(text)
        self.check_fell_back(proxy, ask_once(proxy.plain, "/api/x"), "reset", attempts=3)

    def test_legacy_fails_too(self):
        proxy = self.start_saying(503)
        self.legacy.close()
        answer = ask_once(proxy.plain, "/api/x")
        self.assertEqual(answer.status, 502)
        self.assertEqual(self.last_line(proxy)["reason"], "fallback")


class Requests(FallbackCase):
    def test_legacy_sees_its_own_path_and_the_same_request(self):
        route = 'rewrite: { regex = "^/api"; path = "/v2"; };'
        seen = []

        def site(request):
            seen.append(request)
            return Reply(503)
        backend = self.closing(serve_http1(site))
        proxy = self.start_proxy(self.config(backend.port, route=route))
        sent = ask_once(proxy.plain, "/api/x?y", fields=[("a", "b")]).json()
        self.assertEqual((seen[0].target, sent["target"]), ("/v2/x?y", "/api/x?y"))
        self.assertEqual(seen[0].value("x-original-path"), "/api/x")
        fields = [pair for pair in seen[0].fields if pair[0] not in ("x-original-path", "host")]
        self.assertEqual([tuple(pair) for pair in sent["fields"] if pair[0] != "host"],
                         [tuple(pair) for pair in fields])
        self.assertEqual(self.last_line(proxy)["request_id"], seen[0].value("x-request-id"))

    def test_a_write_never_falls_back(self):
        for method, route in (("POST", ""), ("DELETE", ""), ("GET", "treat_as_write = true;")):
            proxy = self.start_saying(503, more=FALLBACK + 'write_owner = "extracted";', route=route)
            answer = ask_once(proxy.plain, "/api/x", method)
            self.assertEqual((answer.status, answer.value("x-side")), (503, "extracted"))

    def test_a_read_with_a_body_never_falls_back(self):
        proxy = self.start_saying(503, route="treat_as_read = true;")
        self.assertEqual(ask_once(proxy.plain, "/api/x", "POST", body=b"x").status, 503)
        self.assertEqual(ask_once(proxy.plain, "/api/x", "HEAD").status, 200)

    def test_who_chose_a_side_gets_that_side(self):
        proxy = self.start_saying(503, top='trusted_clients = [ "127.0.0.1" ];')
        answer = ask_once(proxy.plain, "/api/x", fields=[("x-strangler-side", "extracted")])
        self.assertEqual(answer.status, 503)
        self.assertEqual(self.last_line(proxy)["reason"], "override")

    def test_who_has_written_does_not_get_older_data(self):
        backend = self.closing(serve_http1(
            lambda request: Reply(201 if request.method == "POST" else 503)))
        more = FALLBACK.replace('pin = "0"', 'pin = "1m"') + 'write_owner = "extracted";'
        proxy = self.start_proxy(self.config(backend.port, more=more))
        client, jar = self.closing(Http2Client(proxy.plain)), CookieJar()
        self.assertEqual(client.ask("/api/x").value("x-side"), "legacy")
        jar.take(client.ask("/api/x", "POST", body=b"x"))
        self.assertEqual(client.ask("/api/x", fields=jar.fields()).status, 503)

    def test_without_on_error_nothing_falls_back(self):
        proxy = self.start_saying(503, more="")
        self.assertEqual(ask_once(proxy.plain, "/api/x").status, 503)

    def test_a_retired_module_has_nothing_to_fall_back_to(self):
        proxy = self.start_saying(
            503, more=FALLBACK.replace("pin", 'write_owner = "extracted"; pin'))
        proxy.write("10-test.cfg", self.config_of(proxy).replace('"live"', '"retired"'))
        proxy.reload()
        self.assertEqual(ask_once(proxy.plain, "/api/x").status, 503)

    @staticmethod
    def config_of(proxy) -> str:
        with open(f"{proxy.routes}/10-test.cfg", encoding="utf-8") as file:
            return file.read()


class Budget(FallbackCase):
    REQUESTS, STOCK = 500, 100

    def test_a_fifth_of_the_requests_falls_back_beyond_a_small_stock(self):
        backend = self.closing(serve_http1(saying(503)))
        proxy = self.start_proxy(self.config(backend.port), workers=1)
        client = self.closing(Http2Client(proxy.plain))
        statuses = [client.ask("/api/x").status for _ in range(self.REQUESTS)]
        fallbacks = statuses.count(200)
        self.assertEqual(set(statuses), {200, 503})
        self.assertLessEqual(fallbacks, self.STOCK + self.REQUESTS // 5)
        self.assertGreaterEqual(fallbacks, self.REQUESTS // 5)
        self.assertEqual(proxy.fault_count("users", "status"), fallbacks)

    def test_without_budget_a_slow_answer_is_waited_for(self):
        slow = threading.Event()

        def site(request):
            if request.target == "/api/slow":
                slow.wait(20)
                return Reply(200, [("x-side", "extracted")])
            return Reply(503)
        backend = self.closing(serve_http1(site))
        proxy = self.start_proxy(self.config(backend.port, more=IMPATIENT), workers=1)
        client = self.closing(Http2Client(proxy.plain))
        wait_until("the stock is used up", lambda: client.ask("/api/x").status == 503)
        wait_until("and the rest", lambda: client.ask("/api/x").status == 200)
        stream = client.start("/api/slow")
        before = proxy.total("strangler_decisions_total", reason="fallback")
        threading.Timer(0.6, slow.set).start()  # twice the patience
        self.assertEqual(client.wait(stream).value("x-side"), "extracted")
        self.assertEqual(proxy.total("strangler_decisions_total", reason="fallback"), before)


if __name__ == "__main__":
    main()
