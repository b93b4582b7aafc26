"""Who is served by which side: the share, that nobody who was moved is moved back by raising the
percent, and how a client without identity is given one."""

import re
import subprocess

from http1_backend import Http1Backend, named
from http2_peer import Http2Backend, Http2Client, ask_once, serving2
from scripted_site import Reply, serve_http1
from strangler_test import IDENTITY_CLIENT, ProxyCase, backend_text, config_text, main

PEOPLE, CONNECTIONS = 10_000, 4
PERCENTS = (0, 10, 25, 50, 100)
HTML = ("accept", "text/html,application/xhtml+xml;q=0.9")


class People:
    """The identity client and what it last said: index -> side."""

    def __init__(self, port: int, count: int):
        self.count = count
        self.process = subprocess.Popen(
            [IDENTITY_CLIENT, str(port), str(count), str(CONNECTIONS), "/api/users/1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask_all(self) -> dict:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        sides = {}
        for line in self.process.stdout:
            index, side = line.split()
            if index == "done":
                if side != "0":
                    raise AssertionError(f"{side} requests were not answered")
                return sides
            sides[int(index)] = side
        raise AssertionError("the client ended early")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        if status != 0:
            raise AssertionError(f"the client ended with {status}")


class IdentityCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(Http1Backend(named("legacy")))
        self.extracted = self.closing(Http2Backend(serving2(
            lambda connection, request: connection.answer(
                request.stream, b"extracted", fields=[("x-side", "extracted")]))))

    def config(self, percent: float, identity: str = '"assign", "address"') -> str:
        return config_text(
            backend_text("monolith", self.legacy.port),
            backend_text("users", self.extracted.port, "h2"),
            more=f"""identity = [ {identity} ];
modules: {{ users: {{ legacy = "monolith"; extracted = "users"; stage = "ramp";
    percent = {percent}; routes: {{ api: {{ prefix = "/api/users"; }}; }}; }}; }};""")


class Share(IdentityCase):
    def test_a_quarter_of_ten_thousand_within_one_point_on_every_worker(self):
        proxy = self.start_proxy(self.config(25))
        people = self.closing(People(proxy.plain, PEOPLE))
        first, second = people.ask_all(), people.ask_all()
        self.assertEqual(first, second)
        extracted = sum(side == "extracted" for side in first.values())
        self.assertEqual(len(first), PEOPLE)
        self.assertAlmostEqual(extracted / PEOPLE * 100, 25, delta=1)
        other = self.start_proxy(self.config(25), workers=1)  # a replica decides alike
        self.assertEqual(self.closing(People(other.plain, PEOPLE)).ask_all(), first)

    def test_raising_the_percent_on_open_connections_moves_nobody_back(self):
        proxy = self.start_proxy(self.config(0))
        people = self.closing(People(proxy.plain, PEOPLE))
        moved = set()
        for percent in PERCENTS:
            proxy.reload("10-test.cfg", self.config(percent))
            now = {index for index, side in people.ask_all().items() if side == "extracted"}
            self.assertTrue(moved <= now, f"{len(moved - now)} moved back at {percent}")
            self.assertAlmostEqual(len(now) / PEOPLE * 100, percent, delta=1)
            moved = now
        self.assertEqual(len(moved), PEOPLE)
        self.assertEqual(proxy.total("strangler_connections"), CONNECTIONS)

    def test_the_log_says_the_bucket_that_decided(self):
        proxy = self.start_proxy(self.config(25))
        people = self.closing(People(proxy.plain, 200))
        sides = people.ask_all()
        lines = proxy.wait_log(200)
        self.assertEqual(sum(line["side"] == "extracted" for line in lines),
                         sum(side == "extracted" for side in sides.values()))
        for line in lines:
            bucket, sign, limit = re.fullmatch(r"bucket (\d+)(<|>=)(\d+)", line["reason"]).groups()
            self.assertEqual((int(bucket) < int(limit), limit), (sign == "<", "250000"))
            self.assertEqual(line["side"], "extracted" if sign == "<" else "legacy")


class Assigned(IdentityCase):
    def setUp(self):
        super().setUp()
        self.proxy = self.start_proxy(self.config(50))

    def page(self, *fields, method="GET", tls=False):
        return ask_once(self.proxy.tls if tls else self.proxy.plain, "/api/users", method,
                        [HTML, *fields], tls=tls, scheme="https" if tls else "http")

    def cookies(self, answer) -> list:
        return [value for value in answer.values("set-cookie")
                if value.startswith("strangler_id=")]

    def test_a_page_load_gives_an_identity_and_uses_it_at_once(self):
        seen = set()
        for _ in range(40):
            first = self.page()
            cookie, = self.cookies(first)
            value = re.match("strangler_id=([0-9a-f]{32});", cookie)[1]
            self.assertNotIn(value, seen)
            seen.add(value)
            for _ in range(2):
                again = self.page(("cookie", f"a=b; strangler_id={value}; c=d"))
                self.assertEqual(again.value("x-side"), first.value("x-side"))
                self.assertEqual(self.cookies(again), [])
        sides = {line["side"] for line in self.proxy.wait_log(120)}
        self.assertEqual(sides, {"legacy", "extracted"})

    def test_the_cookie_is_safe_to_keep(self):
        cookie, = self.cookies(self.page())
        secure, = self.cookies(self.page(tls=True))
        for word in ("HttpOnly", "SameSite=Lax", "Path=/"):
            self.assertIn(word, cookie)
        self.assertNotIn("Secure", cookie)
        self.assertIn("Secure", secure)

    def test_only_page_loads_are_given_one(self):
        for answer in (self.page(method="HEAD"), self.page(method="POST"),
                       ask_once(self.proxy.plain, "/api/users", fields=[("accept", "*/*")]),
                       ask_once(self.proxy.plain, "/api/users")):
            self.assertEqual(answer.status, 200)
            self.assertEqual(self.cookies(answer), [])

    def test_a_cookie_that_is_not_ours_is_replaced(self):
        for value in ("short", "G" * 32, "A" * 32, "a" * 33):
            self.assertEqual(len(self.cookies(self.page(("cookie", f"strangler_id={value}")))), 1)

    def test_without_a_cookie_the_address_decides_and_keeps_its_side(self):
        client = self.closing(Http2Client(self.proxy.plain))
        sides = {client.ask("/api/users").value("x-side") for _ in range(20)}
        self.assertEqual(len(sides), 1)

    def test_named_sources_decide(self):
        for source, fields in (('"header:x-user"', lambda i: [("x-user", f"u{i}")]),
                               ('"cookie:sid"', lambda i: [("cookie", f"sid=u{i}")])):
            self.proxy.reload("10-test.cfg", self.config(50, source))
            client = self.closing(Http2Client(self.proxy.plain))
            rounds = [[client.ask("/api/users", fields=fields(i)).value("x-side")
                       for i in range(40)] for _ in range(2)]
            self.assertEqual(rounds[0], rounds[1])
            self.assertEqual(set(rounds[0]), {"legacy", "extracted"})
            self.assertEqual(client.ask("/api/users").value("x-side"), "legacy")


class SharedCaches(IdentityCase):
    """What an answer says about caches decides whether it may carry an identity."""

    CASES = (
        # what the backend says; is an identity given; is `private` added
        ([], True, True),
        (["no-cache"], True, True),
        (["max-age=0, must-revalidate"], True, True),
        (["private, max-age=60"], True, False),
        (["no-store"], True, False),
        (["no-cache", "Private"], True, False),
        (['private="x-a"'], True, True),
        (["public"], False, False),
        (["max-age=60"], False, False),
        (["no-transform", "S-MaxAge=5"], False, False),
    )

    def setUp(self):
        super().setUp()
        self.legacy = self.closing(serve_http1(lambda request: Reply(
            fields=[("cache-control", text) for text in self.CASES[int(request.value("x-case"))][0]])))

    def test_an_answer_that_they_keep_carries_none(self):
        proxy = self.start_proxy(self.config(0))
        for index, (said, given, added) in enumerate(self.CASES):
            answer = ask_once(proxy.plain, "/api/users", fields=[HTML, ("x-case", str(index))])
            cookies = [value for value in answer.values("set-cookie")
                       if value.startswith("strangler_id=")]
            self.assertEqual(len(cookies), int(given), said)
            self.assertEqual(answer.values("cache-control"), said + ["private"] * added)


if __name__ == "__main__":
    main()
