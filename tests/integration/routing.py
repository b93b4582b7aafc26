"""Which backend gets which request, seen from both ends of the real program. The rules themselves
have unit tests; here it is about the wire: the bytes of the target, what is sent on and
logged."""

from http1_backend import Request
from http2_peer import Http2Client
from scripted_site import SERVE, Reply
from strangler_test import ProxyCase, backend_text, config_text, main

COOKIE = [("cookie", "strangler_id=" + "0" * 32)]


def site_called(name: str):
    def site(request: Request) -> Reply:
        fields = [("x-side", name), ("x-path", request.target)]
        original = request.value("x-original-path")
        return Reply(fields=fields + ([("x-original", original)] if original else []),
                     body=name.encode())
    return site


class RoutingCase(ProxyCase):
    """Backends that answer their names: a monolith over HTTP/1.1, two others over h2."""

    def start(self, more: str):
        self.backends = {}
        texts = []
        for name, protocol in (("monolith", "http/1.1"), ("users", "h2"), ("next", "h2")):
            self.backends[name] = self.closing(SERVE[protocol](site_called(name)))
            texts.append(backend_text(name, self.backends[name].port, protocol))
        self.texts = texts
        self.proxy = self.start_proxy(self.config(more))
        self.client = self.closing(Http2Client(self.proxy.plain))

    def config(self, more: str) -> str:
        return config_text(*self.texts, more=more)

    def who(self, path, method="GET", fields=(), **more):
        """The backend's name, or the status of a refusal."""
        answer = self.client.ask(path, method, fields, **more)
        return answer.value("x-side") or answer.status

    def expect(self, wanted, *requests):
        for request in requests:
            with self.subTest(request=request):
                self.assertEqual(self.who(*request), wanted)


class Conditions(RoutingCase):
    def test_conditions_of_host_method_header_query_and_cookie(self):
        self.start("""routes: {
            by_host:     { host = "next.example.org"; prefix = "/"; backend = "next"; };
            by_any_host: { host = "*.sub.example.org"; prefix = "/"; backend = "users"; };
            by_method:   { prefix = "/export"; methods = [ "GET", "HEAD" ]; backend = "next"; };
            by_header:   { prefix = "/api"; headers = [ "x-version=2", "accept=~json" ];
                           backend = "next"; };
            by_presence: { prefix = "/p"; headers = [ "x-debug" ]; backend = "next"; };
            by_query:    { prefix = "/search"; query = [ "engine=next" ]; backend = "next"; };
            by_cookie:   { prefix = "/c"; cookies = [ "beta=1" ]; backend = "next"; };
        };""")
        json = ("accept", "application/json")
        self.expect("next", ("/export",), ("/export", "HEAD"),
                    ("/api/1", "GET", [("x-version", "2"), json]), ("/p", "GET", [("x-debug", "")]),
                    ("/search?a=b&engine=next",), ("/c", "GET", [("cookie", "a=b; beta=1")]),
                    ("/c", "GET", [("cookie", "a=b"), ("cookie", "beta=1")]))
        self.expect("monolith", ("/export", "POST"), ("/api/1", "GET", [("x-version", "3"), json]),
                    ("/api/1", "GET", [("x-version", "2")]), ("/p",), ("/search?engine=nextX",),
                    ("/search?xengine=next",), ("/c", "GET", [("cookie", "beta=12")]),
                    ("/c", "GET", [("cookie", "xbeta=1")]), ("/exportX",))
        self.assertEqual(self.who("/", authority="next.example.org"), "next")
        self.assertEqual(self.who("/", authority="NEXT.example.org:8443"), "next")
        self.assertEqual(self.who("/export", authority="a.sub.example.org"), "users")
        self.assertEqual(self.who("/", authority="sub.example.org"), "monolith")
        self.assertEqual(self.who("/", authority="xnext.example.org"), "monolith")

    def test_precedence(self):
        self.start("""routes: {
            exact:   { exact = "/a/b"; backend = "next"; };
            longer:  { prefix = "/a/b/c"; backend = "next"; };
            shorter: { prefix = "/a"; backend = "users"; };
            pattern: { regex = "/c$"; backend = "next"; };
            urgent:  { prefix = "/u"; headers = [ "x-a" ]; backend = "next"; priority = 1; };
            dull:    { prefix = "/u"; headers = [ "x-a", "x-b" ]; backend = "users"; };
            folded:  { prefix = "/Folded"; ignore_case = true; backend = "next"; };
        };""")
        self.expect("next", ("/a/b",), ("/a/b/c/d",), ("/z/c",), ("/fOLDED/x",),
                    ("/u", "GET", [("x-a", "1"), ("x-b", "1")]))
        self.expect("users", ("/a",), ("/a/b/x",), ("/a/c",), ("/a/b/",))
        self.expect("monolith", ("/",), ("/A/b",), ("/ab",), ("/u",))

    def test_the_path_that_matched_is_the_path_that_is_sent(self):
        self.start('routes: { a: { prefix = "/a"; backend = "next"; }; };')
        for asked, sent in (("/x/../a/./b?c=/../d", "/a/b?c=/../d"), ("/%61/%7Eb", "/a/~b"),
                            ("/a/%c3%a4", "/a/%C3%A4"), ("/../../a", "/a"), ("/a/b/..", "/a/")):
            answer = self.client.ask(asked)
            self.assertEqual((answer.value("x-side"), answer.value("x-path")), ("next", sent))


class Refusals(RoutingCase):
    SPELLINGS = ("/internal", "/internal/x", "//internal", "/INTERNAL", "/INTERNAL;x",
                 "/internal;a=b", "/%69nternal", "/x/../internal", "/./internal",
                 "///internal//x", "/x/..//internal",
                 "/internal/", "/Internal/../internal", "/;a/internal", "/internal?x")
    AMBIGUOUS = ("/a%2fb", "/a%2Fb", "/a%5cb", "/a%00b", "/a\\b", "/a/..;/b", "/%2e%2e%2finternal",
                 "/internal%2fx", "/..;/internal")
    MALFORMED = ("/%", "/%4", "/%zz", "/a%g1", "/%u0041")
    GUARD = 'routes: { internal: { prefix = "/internal"; deny = 403; }; };'

    def test_no_spelling_of_a_denied_path_gets_through(self):
        self.start(self.GUARD)
        self.expect(403, *((path,) for path in self.SPELLINGS))
        self.expect(403, ("/internal", "POST"), ("/internal", "OPTIONS"))
        self.expect("monolith", ("/internalX",), ("/x/internal",), ("/internal.x",))

    def test_ambiguous_and_malformed_paths_are_400(self):
        self.start(self.GUARD)
        self.expect(400, *((path,) for path in self.AMBIGUOUS + self.MALFORMED))

    def test_ambiguous_paths_may_be_left_to_default_but_never_past_a_guard(self):
        self.start('ambiguous_paths = "legacy";' + self.GUARD)
        for path in ("/a%2fb", "/a%5Cb", "/a/..;/b"):
            answer = self.client.ask(path)
            self.assertEqual((answer.value("x-side"), answer.value("x-path")), ("monolith", path))
        self.expect(403, ("/internal%2fx",), ("/..;/internal",), ("/%2finternal",))
        self.expect(400, *((path,) for path in self.MALFORMED))

    def test_allow_lets_in_only_whom_it_names(self):
        self.start("""routes: {
            office: { prefix = "/admin"; backend = "next"; allow = [ "10.0.0.0/8" ]; };
            local:  { prefix = "/local"; backend = "next"; allow = [ "127.0.0.0/8" ]; };
        };""")
        self.expect(403, ("/admin",), ("//admin",), ("/ADMIN/x",),
                    ("/admin", "GET", [("x-forwarded-for", "10.1.2.3")]))
        self.expect("next", ("/local",))
        self.proxy.reload("10-test.cfg", self.config("""
            trusted_proxies = [ "127.0.0.1" ];
            routes: { office: { prefix = "/admin"; backend = "next"; allow = [ "10.0.0.0/8" ]; }; };
        """))
        self.expect("next", ("/admin", "GET", [("x-forwarded-for", "10.1.2.3")]))
        self.expect(403, ("/admin",),
                    ("/admin", "GET", [("x-forwarded-for", "10.1.2.3, 192.0.2.1")]))

    def test_a_refusal_reaches_nobody_and_names_its_route(self):
        self.start(self.GUARD)
        self.who("/internal/secret")
        line = self.proxy.wait_log(1)[0]
        self.assertEqual((line["status"], line["route"], line["reason"], line["attempts"]),
                         (403, "internal", "deny", 0))
        self.assertEqual(self.backends["monolith"].requests, [])


class Sides(RoutingCase):
    def module(self, more: str, routes: str = 'api: { prefix = "/api/users"; };') -> str:
        return f"""identity = [ "assign" ];
            modules: {{ users: {{ legacy = "monolith"; extracted = "users"; {more}
            routes: {{ {routes} }}; }}; }};"""

    def test_stages_decide_about_reads(self):
        self.start(self.module('stage = "legacy";'))
        for settings, side in (('stage = "legacy";', "monolith"),
                               ('stage = "ramp"; percent = 0;', "monolith"),
                               ('stage = "ramp"; percent = 100;', "users"),
                               ('stage = "live";', "users"),
                               ('stage = "retired"; write_owner = "extracted";', "users")):
            self.proxy.reload("10-test.cfg", self.config(self.module(settings)))
            for method in ("GET", "HEAD", "OPTIONS"):
                self.assertEqual(self.who("/api/users/1", method, COOKIE), side, settings)
            self.assertEqual(self.who("/other", fields=COOKIE), "monolith")

    def test_writes_go_to_their_owner_whatever_the_percent(self):
        self.start(self.module('stage = "legacy";'))
        for settings, side in (
                ('stage = "ramp"; percent = 100;', "monolith"),
                ('stage = "live"; write_owner = "legacy";', "monolith"),
                ('stage = "ramp"; percent = 0; write_owner = "extracted";', "users"),
                ('stage = "ramp"; percent = 100; write_owner = "follow"; shared_store = true;',
                 "users"),
                ('stage = "ramp"; percent = 0; write_owner = "follow"; shared_store = true;',
                 "monolith")):
            self.proxy.reload("10-test.cfg", self.config(self.module(settings)))
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                self.assertEqual(self.who("/api/users", method, COOKIE), side, settings)

    def test_routes_may_say_that_a_read_writes_and_a_write_reads(self):
        self.start(self.module('stage = "ramp"; percent = 100;', """
            api:    { prefix = "/api/users"; };
            search: { exact = "/api/users/search"; treat_as_read = true; };
            logout: { exact = "/logout"; treat_as_write = true; };"""))
        self.expect("users", ("/api/users", "GET", COOKIE), ("/api/users/search", "POST", COOKIE))
        self.expect("monolith", ("/logout", "GET", COOKIE), ("/api/users", "POST", COOKIE))
        self.assertEqual([line["reason"] for line in self.proxy.wait_log(4)][2:],
                         ["write_owner legacy"] * 2)

    @staticmethod
    def seen(answer) -> tuple:
        return answer.value("x-side"), answer.value("x-path"), answer.value("x-original")

    def test_a_rewrite_is_for_the_extracted_side_alone(self):
        routes = r"""page: { prefix = "/showthread.php";
            rewrite: { regex = "^/showthread\.php/([0-9]+)$"; path = "/threads/$1"; }; };"""
        self.start(self.module('stage = "ramp"; percent = 100;', routes))
        answer = self.client.ask("/showthread.php/17?page=2", fields=COOKIE)
        self.assertEqual(self.seen(answer),
                         ("users", "/threads/17?page=2", "/showthread.php/17"))
        answer = self.client.ask("/showthread.php/none",
                                 fields=COOKIE + [("x-original-path", "/e")])
        self.assertEqual((answer.value("x-path"), answer.value("x-original")),
                         ("/showthread.php/none", None))
        self.proxy.reload("10-test.cfg", self.config(
            self.module('stage = "ramp"; percent = 0;', routes)))
        answer = self.client.ask("/showthread.php/17?page=2", fields=COOKIE)
        self.assertEqual(self.seen(answer),
                         ("monolith", "/showthread.php/17?page=2", None))

    def test_modules_of_one_cohort_move_the_same_people(self):
        def modules(cohort):
            return f"""identity = [ "assign" ]; modules: {{
                users:  {{ legacy = "monolith"; extracted = "users"; stage = "ramp"; percent = 50;
                          {cohort} routes: {{ a: {{ prefix = "/a"; }}; }}; }};
                others: {{ legacy = "monolith"; extracted = "next"; stage = "ramp"; percent = 50;
                          {cohort} routes: {{ b: {{ prefix = "/b"; }}; }}; }};
            }};"""
        self.start(modules('cohort = "together";'))

        def pairs():
            people = [[("cookie", f"strangler_id={i:032x}")] for i in range(60)]
            return {(self.who("/a", fields=person) == "users",
                     self.who("/b", fields=person) == "next") for person in people}
        self.assertEqual(pairs(), {(True, True), (False, False)})
        self.proxy.reload("10-test.cfg", self.config(modules("")))
        self.assertEqual(len(pairs()), 4)


if __name__ == "__main__":
    main()
