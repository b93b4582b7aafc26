"""The admin address over HTTP: what its pages say, and that a wrong request is told so and changes
nothing."""

import json
import os
import socket
import threading

from http1_backend import Http1Backend, named
from http2_peer import Http2Client
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

MODULES = """identity = [ "cookie:who", "address" ];
modules: {{
  users: {{ legacy = "monolith"; extracted = "service"; stage = "ramp"; percent = 25; {more}
    routes: {{ api: {{ prefix = "/api"; methods = [ "GET", "POST" ]; }}; }}; }};
  threads: {{ legacy = "monolith"; extracted = "service"; routes: {{ t: {{ prefix = "/t"; }}; }}; }};
}};
routes: {{ internal: {{ prefix = "/internal"; deny = 404; }};
           own: {{ exact = "/own"; backend = "service"; }}; }};"""


class AdminCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(Http1Backend(named("legacy")))
        self.extracted = self.closing(Http1Backend(named("extracted")))
        self.proxy = self.start_proxy(self.config())

    def config(self, more: str = "") -> str:
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("service", self.extracted.port),
                           more=MODULES.format(more=more))

    def generation(self) -> int:
        return self.proxy.operate("/generation")[1]["generation"]

    def assert_refused(self, answer: tuple, status: int, text: str = ""):
        """With problem details, and nothing has changed."""
        found, problem = answer
        self.assertEqual((found, problem.get("status")), (status, status), problem)
        self.assertIn(text, problem["detail"])
        self.assertEqual(self.generation(), 1)


class Faults(AdminCase):
    def raw(self, path: str, method: str, body: bytes, **fields: str) -> tuple:
        fields = {"Authorization": f"Bearer {self.proxy.token()}",
                  **{name.replace("_", "-"): value for name, value in fields.items()}}
        status, text, head = self.proxy.ask_admin(path, method, body, fields)
        return status, json.loads(text), head

    def test_a_change_is_a_post(self):
        for path in ("/modules/users/stage", "/abort", "/undo", "/reload", "/endpoints/drain"):
            for method in ("GET", "PUT", "DELETE"):
                status, problem, head = self.raw(path, method, b"")
                self.assertEqual((status, problem["status"], head["allow"]), (405, 405, "POST"))
        self.assertEqual(self.generation(), 1)

    def test_a_body_is_json_of_a_bounded_size(self):
        path, typed = "/modules/users/percent", {"Content_Type": "application/json"}
        for body, fields, status in (
                (b'{"percent": 50', typed, 400), (b"", {}, 422), (b"[50]", typed, 400),
                (b'{"percent": 50, "percent": 60}', typed, 400), (b"\xff\xfe", typed, 400),
                (b'{"percent": 50}', {"Content_Type": "text/plain"}, 415),
                (b'{"percent": 50}', {"Content_Type": "application/x-www-form-urlencoded"}, 415),
                (b'{"percent": 50, "why": "' + b"x" * 70000 + b'"}', typed, 413),
                (b"[" * 60000, typed, 400)):
            found, problem, _ = self.raw(path, "POST", body, **fields)
            self.assertEqual((found, problem["status"]), (status, status), body[:40])
        self.assertEqual(self.generation(), 1)
        found, answer, _ = self.raw(path, "POST", b'{"percent": 50}',
                                    Content_Type="Application/JSON; charset=utf-8")
        self.assertEqual((found, answer["changed"]), (200, True))

    def test_a_body_without_an_end_is_cut_off_and_not_collected(self):
        for head in (b"Content-Length: 100000000", b"Transfer-Encoding: chunked"):
            with socket.create_connection(("127.0.0.1", self.proxy.admin)) as sock:
                sock.settimeout(20)
                sock.sendall(b"POST /abort HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                             self.proxy.token().encode() + b"\r\n" + head + b"\r\n\r\n")
                answer = b""
                if b"Length" in head:
                    answer = sock.recv(1000)
                else:
                    sock.sendall((b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 8 + b"0\r\n\r\n")
                    answer = sock.recv(1000)
                self.assertIn(b" 413 ", answer)
        self.assertEqual(self.generation(), 1)

    def test_every_value_is_of_its_kind(self):
        for path, body, text in (
                ("/modules/users/percent", {"percent": 100.00001}, "from 0 to 100"),
                ("/modules/users/percent", {"percent": 12.34567}, "four decimals"),
                ("/modules/users/percent", {"percent": -0.0001}, "from 0 to 100"),
                ("/modules/users/percent", {"percent": "50"}, "from 0 to 100"),
                ("/modules/users/percent", {"percent": None}, "from 0 to 100"),
                ("/modules/users/percent", {"percent": 1e300}, "from 0 to 100"),
                ("/modules/users/percent", {}, "`percent` is missing"),
                ("/modules/users/percent", {"percent": 50, "why": 7}, "`why`"),
                ("/modules/users/percent", {"percent": 50, "why": "x" * 501}, "too long"),
                ("/modules/users/percent", {"percent": 50, "why": "a\x1b[2J"}, "control"),
                ("/modules/users/percent", {"percent": 50, "who": "x" * 101}, "too long"),
                ("/modules/users/percent", {"percent": 50, "force": 1}, "true or false"),
                ("/modules/users/percent", {"percent": 50, "confirm_within_ms": -1}, "0 or more"),
                ("/modules/users/percent", {"percent": 50, "confirm_within_ms": 10}, ""),
                ("/modules/users/percent", {"precent": 50}, "no key `precent`"),
                ("/modules/users/stage", {"stage": "lvie"}, "no stage `lvie`"),
                ("/modules/users/writes", {"owner": "follow"}, "no side `follow`: legacy, extracted"),
                ("/modules/users/writes", {"owner": "both"}, "no side `both`: legacy, extracted"),
                ("/undo", {"entry": "1"}, "whole number"),
                ("/explain", {"method": "GET"}, "`url` is missing"),
                ("/explain", {"method": "GET", "url": "x"}, "a URL is like"),
                ("/explain", {"method": "GET", "url": "/", "from": "nobody"}, "IP address"),
                ("/explain", {"method": "GET", "url": "/", "headers": [1]}, "list of texts"),
                ("/explain", {"method": "GET", "url": "/", "headers": ["a"]}, "'name: value'")):
            self.assert_refused(self.proxy.operate(path, body), 422, text)

    def test_a_mistyped_name_gets_a_suggestion(self):
        for path, body, status, suggestion in (
                ("/modules/user/percent", {"percent": 1}, 404, "users"),
                ("/modules/Threads/abort", {}, 404, "threads"),
                ("/modules/user/save", {}, 404, "users"),
                ("/modules/user", None, 404, "users"),
                ("/history?module=treads", None, 404, "threads"),
                ("/modules/users/stage", {"stage": "lvie"}, 422, "live"),
                ("/modules/users/percent", {"precent": 1}, 422, "percent")):
            answer = self.proxy.operate(path, body)
            self.assert_refused(answer, status)
            self.assertEqual(answer[1].get("suggestion"), suggestion, path)
        for name in ("nothing-like-it", "x" * 300, "%2e%2e", "a%2fb", "%ff"):
            answer = self.proxy.operate(f"/modules/{name}/abort", {})
            self.assert_refused(answer, 404)
            self.assertNotIn("suggestion", answer[1])

    def test_a_stage_that_is_no_neighbour_needs_force(self):
        self.assert_refused(self.proxy.operate("/modules/threads/stage", {"stage": "live"}), 409)
        self.assert_refused(self.proxy.operate("/modules/users/stage", {"stage": "retired"}), 409)
        status, answer = self.proxy.operate("/modules/threads/stage",
                                            {"stage": "live", "force": True})
        self.assertEqual((status, answer["module"]["stage"]), (200, "live"))

    def test_of_two_editors_the_second_is_told(self):
        for value in ('"1"', "1", "*"):
            percent = self.proxy.operate("/modules/users")[1]["percent"] + 1
            status, answer = self.proxy.operate("/modules/users/percent", {"percent": percent},
                                                If_Match=value if value == "*" else str(
                                                    self.generation()))
            self.assertEqual((status, answer["changed"]), (200, True))
        generation = self.generation()
        status, problem = self.proxy.operate("/modules/users/percent", {"percent": 99}, If_Match='"1"')
        self.assertEqual((status, problem["changed"], problem["generation"]), (412, False, generation))
        for path in ("/modules/users/save", "/reload", "/abort", "/undo"):
            self.assertEqual(self.proxy.operate(path, {}, If_Match="1")[0], 412, path)
        for value in ("x", '"', "-1", "W/\"1\"", "99999999999999999999"):
            self.assertEqual(self.proxy.operate("/reload", {}, If_Match=value)[0], 400, value)
        self.assertEqual((self.generation(), self.proxy.operate("/modules/users")[1]["percent"]),
                         (generation, 28))


class Pages(AdminCase):
    def change(self, path: str, **body) -> dict:
        status, answer = self.proxy.operate(path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def test_a_change_answers_with_what_it_changed(self):
        answer = self.change("/modules/users/percent", percent=12.5, who="alice", why="half")
        self.assertEqual((answer["changed"], answer["durable"], answer["generation"],
                          answer["entry"]), (True, True, 2, 1))
        self.assertEqual(answer["changes"],
                         [{"module": "users", "key": "percent", "from": 25, "to": 12.5}])
        module = answer["module"]
        self.assertEqual((module["name"], module["stage"], module["percent"], module["file"]),
                         ("users", "ramp", 12.5,
                          {"stage": "ramp", "percent": 25, "write_owner": "legacy"}))
        override, = module["overrides"]
        self.assertEqual((override["key"], override["file"], override["running"], override["who"],
                          override["why"]), ("percent", 25, 12.5, "alice", "half"))
        self.assertRegex(override["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        again = self.change("/modules/users/percent", percent=12.5)
        self.assertEqual((again["changed"], again["generation"], again["entry"]), (False, 2, None))

    def test_modules_show_every_state(self):
        self.change("/modules/users/abort", who="bob", why="slow")
        self.change("/modules/threads/freeze", ttl_ms=60000)
        self.change("/modules/users/percent", percent=30, confirm_within_ms=60000)
        users, threads = self.proxy.operate("/modules")[1]["modules"]
        self.assertEqual((users["name"], threads["name"]), ("users", "threads"))
        self.assertEqual((users["aborted"]["who"], users["aborted"]["why"],
                          users["aborted"]["durable"]), ("bob", "slow", True))
        self.assertEqual((users["pending"]["key"], users["pending"]["back_to"],
                          users["pending"]["value"]), ("percent", 25, 30))
        self.assertIn("until", threads["frozen"])
        self.assertEqual((threads["aborted"], users["frozen"], users["flipping"]),
                         (False, False, False))
        self.assertEqual(self.proxy.operate("/modules/users")[1], users)

    def test_status_counts_both_sides(self):
        client = self.closing(Http2Client(self.proxy.plain))
        for i in range(100):
            client.ask("/api", "GET", [("cookie", f"who={i}")])
        users = self.proxy.operate("/status")[1]["modules"][0]
        sides = (users["legacy_side"], users["extracted_side"])
        self.assertEqual(sum(side["requests"] for side in sides), 100)
        for side in sides:
            self.assertGreater(side["requests"], 5)
            self.assertEqual(side["errors"], 0)
            self.assertGreater(side["requests_per_s"], 0)
            self.assertGreater(side["p99_ms"], 0)
            self.assertGreaterEqual(side["p99_ms"], side["p50_ms"])
        self.assertEqual(users["rollback_ready"], True)
        self.assertIsNone(self.proxy.operate("/modules/threads")[1]["rollback_ready"])

    def test_errors_and_a_side_that_is_gone_are_seen(self):
        self.legacy.close()
        client = self.closing(Http2Client(self.proxy.plain))
        for i in range(20):
            client.ask("/api", "GET", [("cookie", f"who={i}")])
        users = self.proxy.operate("/modules/users")[1]
        self.assertEqual(users["legacy_side"]["errors_percent"], 100)
        self.assertEqual(users["extracted_side"]["errors"], 0)
        self.assertEqual((users["rollback_ready"], users["rollback_why"]),
                         (False, "legacy is not healthy"))

    def test_history_tells_the_newest_first(self):
        self.change("/modules/users/percent", percent=30, who="alice")
        self.change("/modules/threads/stage", stage="ramp", who="bob", why="begin")
        self.change("/undo", who="carol")
        entries = self.proxy.operate("/history")[1]["entries"]
        self.assertEqual([(row["entry"], row["verb"], row["who"]) for row in entries],
                         [(3, "undo", "carol"), (2, "stage", "bob"), (1, "percent", "alice")])
        self.assertEqual((entries[0]["undo_of"], entries[1]["undone_by"], entries[2]["undone_by"]),
                         (2, 3, None))
        self.assertEqual(entries[1]["changes"], [{"module": "threads", "key": "stage",
                                                  "from": "legacy", "to": "ramp"}])
        self.assertEqual(len(self.proxy.operate("/history?limit=1")[1]["entries"]), 1)
        of_users = self.proxy.operate("/history?module=users")[1]["entries"]
        self.assertEqual([row["entry"] for row in of_users], [1])
        for limit in ("0", "-1", "x", "10001"):
            self.assertEqual(self.proxy.operate(f"/history?limit={limit}")[0], 422)

    def test_being_asked_makes_no_journal(self):
        self.assertEqual(self.proxy.operate("/history")[1], {"entries": []})
        self.assertNotIn("strangler.db", os.listdir(os.path.join(self.proxy.folder, "state")))

    def differences(self) -> list:
        return [(row["module"], row["key"], row["file"], row["running"], row["because"])
                for row in self.proxy.operate("/diff")[1]["differences"]]

    def test_diff_holds_the_files_against_what_runs(self):
        self.assertEqual(self.differences(), [])
        self.change("/modules/users/percent", percent=30)
        self.change("/modules/threads/abort")
        self.assertEqual(self.differences(), [("users", "percent", 25, 30, "command"),
                                              ("threads", "aborted", False, True, "command")])
        text = self.config().replace("percent = 25", "percent = 60").replace("threads:", "posts:")
        self.proxy.write("10-test.cfg", text)
        self.assertEqual(self.differences(), [
            ("users", "percent", 60, 30, "command and edited"),
            ("threads", "module", False, True, "edited"), ("posts", "module", True, False, "edited")])
        self.proxy.write("10-test.cfg", "modules: {")
        answer = self.proxy.operate("/diff")[1]
        self.assertTrue(answer["files_have_errors"])
        self.assertEqual(self.differences()[0], ("users", "percent", 25, 30, "command"))

    def test_save_writes_one_value_and_nothing_else(self):
        path = os.path.join(self.proxy.routes, "10-test.cfg")
        with open(path, encoding="utf-8") as file:
            before = file.read()
        self.change("/modules/users/percent", percent=30)
        self.change("/modules/threads/stage", stage="ramp")
        answer = self.change("/modules/users/save")
        self.assertEqual(answer["saved"], [{"module": "users", "file": path}])
        self.assertEqual(answer["module"]["overrides"], [])
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), before.replace("percent = 25", "percent = 30"))
        answer = self.change("/save")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(text, before.replace("percent = 25", "percent = 30").replace(
            'extracted = "service"; routes: { t:', 'extracted = "service"; stage = "ramp"; '
            'routes: { t:'))
        self.assertEqual((answer["changed"], self.differences()), (True, []))
        self.assertEqual(self.change("/save")["changed"], False)
        self.proxy.reload()
        self.assertEqual(self.differences(), [])

    def test_save_does_not_lose_what_somebody_edits_meanwhile(self):
        self.change("/modules/users/percent", percent=30)
        edited = self.config().replace("percent = 25", "percent = 60")
        self.proxy.write("10-test.cfg", edited)
        status, problem = self.proxy.operate("/modules/users/save", {})
        self.assertEqual(status, 409)
        self.assertIn("was edited in the file", problem["detail"])
        path = os.path.join(self.proxy.routes, "10-test.cfg")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), edited)
        self.change("/modules/users/save", force=True)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), edited.replace("percent = 60", "percent = 30"))

    def test_save_into_faulty_files_changes_nothing(self):
        self.change("/modules/users/percent", percent=30)
        self.proxy.write("20-more.cfg", "nonsense = 1;")
        status, problem = self.proxy.operate("/modules/users/save", {})
        self.assertEqual(status, 409)
        self.assertIn("strangler check", problem["detail"])
        self.assertEqual(self.differences()[0], ("users", "percent", 25, 30, "command"))

    def test_a_reload_is_answered_when_it_is_in_force(self):
        self.proxy.write("10-test.cfg", self.config().replace("percent = 25", "percent = 60"))
        answer = self.change("/reload")
        self.assertEqual((answer["generation"],
                          self.proxy.operate("/modules/users")[1]["percent"]), (2, 60))
        self.proxy.write("10-test.cfg", "modules: {")
        status, problem = self.proxy.operate("/reload", {})
        self.assertIn(status, (409, 422, 500))
        self.assertTrue(problem["detail"])
        self.assertEqual(self.generation(), 2)
        self.assertFalse(self.proxy.operate("/status")[1]["last_reload_successful"])

    def test_an_answer_that_comes_later_holds_up_nobody(self):
        flip = os.path.join(self.folder, "flip.sh")
        with open(flip, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\ntouch {flip}.began\n"
                       f"while [ ! -e {flip}.go ]; do sleep 0.02; done\n")
        os.chmod(flip, 0o755)
        self.proxy.reload("10-test.cfg", self.config(f'on_flip = "{flip}";'))
        answers: list = []
        thread = threading.Thread(target=lambda: answers.append(
            self.proxy.operate("/modules/users/writes", {"owner": "extracted"})))
        thread.start()
        self.addCleanup(thread.join)
        wait_until("the program runs", lambda: os.path.exists(flip + ".began"))
        self.assertTrue(self.proxy.operate("/modules/users")[1]["flipping"])
        self.change("/modules/threads/abort")
        self.change("/modules/users/abort")
        self.assertEqual(answers, [])
        with open(flip + ".go", "w", encoding="ascii"):
            pass
        thread.join(20)
        status, answer = answers[0]
        self.assertEqual((status, answer["module"]["write_owner"]), (200, "extracted"))

    def test_who_asked_and_left_does_no_harm(self):
        flip = os.path.join(self.folder, "flip.sh")
        with open(flip, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\ntouch {flip}.began\nsleep 30\n")
        os.chmod(flip, 0o755)
        self.proxy.reload("10-test.cfg", self.config(f'on_flip = "{flip}";'))
        sock = socket.create_connection(("127.0.0.1", self.proxy.admin))
        body = b'{"owner": "extracted"}'
        sock.sendall(b"POST /modules/users/writes HTTP/1.1\r\nHost: localhost\r\n"
                     b"Authorization: Bearer " + self.proxy.token().encode() +
                     b"\r\nContent-Type: application/json\r\nContent-Length: " +
                     str(len(body)).encode() + b"\r\n\r\n" + body)
        wait_until("the program runs", lambda: os.path.exists(flip + ".began"))
        sock.close()
        self.assertEqual(self.proxy.operate("/generation")[0], 200)
        self.assertEqual(self.proxy.stop(), 0)  # with the order still unanswered

    def test_endpoints_are_drained_and_come_back(self):
        name = f"service/127.0.0.1:{self.extracted.port}"
        answer = self.change("/endpoints/drain", endpoint=name)
        self.assertEqual((answer["changed"], answer["endpoint"]["state"]), (True, "draining"))
        self.assertEqual(self.change("/endpoints/drain", endpoint=name)["changed"], False)
        backends = self.proxy.operate("/backends")[1]["backends"]
        service = next(row for row in backends if row["name"] == "service")
        self.assertEqual(service["endpoints"][0]["endpoint"], name)
        self.assertEqual(service["endpoints"][0]["state"], "draining")
        answer = self.change("/endpoints/drain", endpoint=name, drain=False)
        self.assertEqual(answer["endpoint"]["state"], "healthy")
        for wrong in ("service", "service/", "/", "x/127.0.0.1:1"):
            self.assertEqual(self.proxy.operate("/endpoints/drain", {"endpoint": wrong})[0], 404)

    def test_routes_and_config_say_what_the_files_made(self):
        routes = self.proxy.operate("/routes")[1]
        rows = {row["route"]: row for row in routes["routes"]}
        self.assertEqual((rows["api"]["module"], rows["api"]["takes"], rows["api"]["goes_to"]),
                         ("users", "/api/… GET POST", "monolith or service"))
        self.assertEqual((rows["internal"]["deny"], rows["own"]["goes_to"], rows["own"]["deny"]),
                         (404, "service", None))
        self.assertEqual(rows["api"]["file"], os.path.join(self.proxy.routes, "10-test.cfg"))
        self.assertEqual(routes["default"], "monolith")
        config = self.proxy.operate("/config")[1]
        self.assertEqual((config["path"], config["routes"], config["modules"]),
                         (self.proxy.routes, 4, 2))
        self.assertNotIn(self.proxy.token(), json.dumps(config))

    def test_explain_says_what_the_log_says(self):
        client = self.closing(Http2Client(self.proxy.plain))
        self.change("/modules/users/percent", percent=50, who="alice")
        for method, path, cookie in (("GET", "/api/1", "who=a"), ("GET", "/api/1", "who=bb"),
                                     ("POST", "/api/1", "who=a"), ("GET", "/internal", "x=1"),
                                     ("GET", "/else", "x=1")):
            before = len(self.proxy.log_lines())
            client.ask(path, method, [("cookie", cookie)])
            line = self.proxy.wait_log(before + 1)[before]
            found = self.proxy.operate("/explain", {"method": method, "url": path,
                                                    "headers": [f"cookie: {cookie}"]})[1]
            self.assertEqual((found["reason"], found["generation"]),
                             (line["reason"], line["generation"]))
            self.assertEqual(found.get("side", "none"), line["side"])
        found = self.proxy.operate("/explain", {"method": "GET", "url": "/api"})[1]
        self.assertEqual(found["live"]["overrides"][0]["who"], "alice")
        self.change("/modules/users/abort")
        found = self.proxy.operate("/explain", {"method": "GET", "url": "/api"})[1]
        self.assertEqual((found["reason"], found["side"]), ("abort", "legacy"))
        self.change("/modules/users/freeze")
        found = self.proxy.operate("/explain", {"method": "POST", "url": "/api"})[1]
        self.assertEqual((found["reason"], found["held"]), ("freeze", True))
        self.change("/modules/users/unfreeze")

    def test_the_index_names_every_page(self):
        pages = self.proxy.operate("/")[1]["pages"]
        for page in pages:
            if page["method"] == "GET" and "*" not in page["path"] and page["path"] != "/metrics":
                self.assertEqual(self.proxy.operate(page["path"])[0], 200, page)


if __name__ == "__main__":
    main()
