"""Copies of requests to the other side: what they may never do to a client, and what they find."""

import json
import os
import threading

from http1_backend import answer_bytes, serving
from shadow_case import JSON, ShadowCase, saying
from strangler_test import main, run_all, wait_until


class Copies(ShadowCase):
    def test_a_read_is_copied_and_the_copy_says_so(self):
        self.start(saying({"id": 1}), saying({"id": 1}))
        answer = self.get("/api/users/1?full=1", "-H", "cookie: sid=abc", "-H", "x-mine: 1")
        self.assertEqual((answer.status, answer.json()), (200, {"id": 1}))
        self.wait_verdict("match", 1)
        # A baseline, on a connection of its own, may come first.
        first, = [r for r in self.legacy.requests if r.value("x-strangler-shadow") is None]
        second, = self.extracted.requests
        self.assertEqual((second.method, second.target), ("GET", "/api/users/1?full=1"))
        self.assertEqual(second.value("x-strangler-shadow"), "1")
        for name in ("host", "cookie", "x-mine", "x-request-id", "x-forwarded-for"):
            self.assertEqual(first.values(name), second.values(name), name)
        self.wait_settled(1)

    def test_the_answer_of_a_copy_reaches_nobody(self):
        secret = [("set-cookie", "stolen=1"), ("x-second", "1")]
        self.start(saying({"id": 1}),
                   serving(lambda request: answer_bytes(b"{}", "500 No", JSON + secret)))
        answer = self.get()
        self.assertEqual((answer.status, answer.json()), (200, {"id": 1}))
        self.assertEqual((answer.value("set-cookie"), answer.value("x-second")), (None, None))
        self.wait_settled(1)

    def test_in_stage_live_the_roles_are_swapped(self):
        self.start(saying({"from": "legacy"}), saying({"from": "extracted"}), stage="live")
        self.assertEqual(self.get().json(), {"from": "extracted"})
        wait_until("the copy at legacy", lambda: self.legacy.requests)
        self.assertEqual(self.legacy.requests[0].value("x-strangler-shadow"), "1")

    def test_a_ramp_copies_both_ways_and_a_stage_without_copies_none(self):
        self.start(saying({"id": 1}), saying({"id": 1}), stage="ramp", module="percent = 50;")
        for i in range(20):
            self.get("/api", "-H", f"cookie: strangler_id={i:032x}")
        self.wait_settled(20)
        everything = self.legacy.requests + self.extracted.requests
        copies = [r for r in everything if r.value("x-strangler-shadow") == "1"]
        self.assertGreaterEqual(len(copies), 20)
        self.assertEqual(len(everything) - len(copies), 20)
        for backend in (self.legacy, self.extracted):  # both are asked and copied to
            asked = {r.value("x-strangler-shadow") for r in backend.requests}
            self.assertEqual(asked, {None, "1"})
        self.change('"ramp"', '"retired"; write_owner = "extracted"')
        self.proxy.wait_total(1, "strangler_module_stage", module="users", stage="retired")
        self.get("/api", "-H", f"cookie: strangler_id={1:032x}")
        self.assertEqual(self.total("shadow_sampled_total"), 20)

    def test_whole_people_are_sampled(self):
        self.start(saying({"id": 1}), saying({"id": 1}), shadow="")
        self.change("percent = 100", "percent = 30")
        for _ in range(2):
            for i in range(40):
                self.get("/api", "-H", f"cookie: strangler_id={i:032x}")
        wait_until("copies end", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)
        sampled = self.total("shadow_sampled_total")
        self.assertEqual(sampled % 2, 0)
        self.assertTrue(4 <= sampled <= 44, sampled)

    def test_a_rewrite_holds_for_the_extracted_side_only(self):
        self.start(saying({"id": 1}), saying({"id": 1}))
        self.change('prefix = "/api";',
                    'prefix = "/api"; rewrite: { regex = "^/api/(.*)"; path = "/v2/$1"; };')
        self.get("/api/users/1")
        self.wait_settled(1)
        self.assertEqual(self.extracted.requests[0].target, "/v2/users/1")
        self.assertEqual({r.target for r in self.legacy.requests}, {"/api/users/1"})


class Writes(ShadowCase):
    def test_no_write_is_copied_without_the_two_switches(self):
        methods = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL", "LOCK", "QUERY"]
        listed = ", ".join(f'"{method}"' for method in methods)
        self.start(saying({"id": 1}), saying({"id": 1}),
                   shadow=f'methods = [ "GET", {listed} ];')
        for method in methods:
            self.get("/api/users", "-X", method)
        self.wait_settled(len(methods))
        self.assertEqual(self.total("shadow_dropped_total", reason="unsafe"), len(methods))
        self.assertEqual(self.extracted.requests, [])

    def test_a_get_that_writes_is_a_write(self):
        self.start(saying({"id": 1}), saying({"id": 1}))
        self.change('prefix = "/api";', 'prefix = "/api"; treat_as_write = true;')
        self.get("/api/logout")
        self.wait_settled(1)
        self.assertEqual(self.total("shadow_dropped_total", reason="unsafe"), 1)
        self.assertEqual(self.extracted.requests, [])

    def test_in_the_sandbox_a_write_follows_its_first_answer(self):
        gate = threading.Event()

        def slow(request):
            gate.wait(10)
            return answer_bytes(b"{}", "201 Created", JSON + [("location", "/api/users/7")])
        self.start(serving(slow), saying({}, status="201 Created"), isolated=True,
                   module='shadow_writes = "sandbox";', shadow='methods = [ "POST" ];')
        client = threading.Thread(target=lambda: self.get("/api/users", "-d", "name=anna"))
        client.start()
        wait_until("the first side has it", lambda: self.legacy.requests)
        self.assertEqual(self.extracted.requests, [])
        gate.set()
        client.join()
        wait_until("the copy", lambda: self.extracted.requests)
        copy = self.extracted.requests[0]
        self.assertEqual((copy.method, copy.body), ("POST", b"name=anna"))
        self.assertEqual(copy.value("x-strangler-first-location"), "/api/users/7")
        self.assertEqual(copy.value("idempotency-key"), self.legacy.requests[0].value("x-request-id"))
        self.wait_settled(1)


class Harmless(ShadowCase):
    """Whatever the other side does, the client's request is as it was."""

    def check(self, script, count=30, backend="", shadow='timeout = "300ms";'):
        self.start(saying({"id": 1}), script, backend=backend, shadow=shadow)

        def ask():
            for _ in range(count // 3):
                answer = self.get()
                self.assertEqual((answer.status, answer.json()), (200, {"id": 1}))
        run_all([ask] * 3)
        self.wait_settled(count)

    def test_a_side_that_never_answers(self):
        self.check(lambda connection: connection.wait_end(), shadow='timeout = "3s"; max_inflight = 5;')
        self.assertGreater(self.total("shadow_dropped_total", reason="queue_full"), 0)
        self.assertEqual(self.verdicts().get("error"), self.total("shadow_sent_total"))

    def test_a_side_that_resets(self):
        def reset(connection):
            connection.read_request()
            connection.reset()
        self.check(reset)
        self.assertEqual(self.verdicts().get("error"), self.total("shadow_sent_total"))

    def test_a_side_that_talks_garbage(self):
        def garbage(connection):
            connection.read_request()
            connection.send(b"\x00\x01 no HTTP at all \r\n\r\n" * 100)
        self.check(garbage)

    def test_a_side_that_floods(self):
        def flood(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
            piece = b"x" * 65536
            for _ in range(16384):
                connection.send(piece)
        self.check(flood, shadow='timeout = "60s";')  # which nobody waits for
        self.assertEqual(set(self.drops()) - {"body_limit"}, set())
        self.wait_verdict("not_comparable", self.total("shadow_sent_total"))

    def test_a_side_that_is_down(self):
        self.start(saying({"id": 1}), saying({"id": 1}))
        self.extracted.close()
        for _ in range(10):
            self.assertEqual(self.get().status, 200)
        self.wait_settled(10)
        self.assertEqual(self.total("shadow_dropped_total", reason="backend_down"), 10)

    def test_a_client_that_leaves_costs_no_copy_of_half_a_request(self):
        self.start(saying({"id": 1}), saying({"id": 1}), isolated=True,
                   module='shadow_writes = "sandbox";', shadow='methods = [ "POST" ]; max_body = "1KiB";')
        self.get("/api/users", "-d", "x" * 5000)
        self.wait_settled(1)
        self.assertEqual(self.total("shadow_dropped_total", reason="body_limit"), 1)


class Compared(ShadowCase):
    def ask_until(self, verdict: str, most: int = 600):
        for _ in range(most // 20):
            for _ in range(20):
                self.get()
            wait_until("copies end", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)
            if self.verdicts().get(verdict, 0) > 0:
                return
        self.fail(f"no {verdict} in {self.verdicts()}")

    def test_the_same_bytes_match_whatever_they_are_and_however_they_come(self):
        large = bytes(range(256)) * 100
        bodies = {  # both sides say the same; some of it nobody could read
            "zstd": answer_bytes(b"?" * 3000, fields=[*JSON, ("content-encoding", "zstd")]),
            "twice": answer_bytes(b'{"a":1,"a":2}', fields=JSON),
            "cut": answer_bytes(b'{"a":', fields=JSON),
            "nothing": answer_bytes(),
            "large": answer_bytes(large, fields=[("content-type", "text/html")]),
        }
        chunked = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n"
        for at in range(0, len(large), 5120):
            chunked += b"1400\r\n" + large[at:at + 5120] + b"\r\n"
        self.start(serving(lambda request: bodies[request.target.rpartition("/")[2]]),
                   serving(lambda request: chunked + b"0\r\n\r\n" if request.target.endswith("large")
                           else bodies[request.target.rpartition("/")[2]]),
                   module='compare: { baseline = "0%"; };')
        for name in bodies:
            for _ in range(4):
                self.get(f"/api/{name}")
        self.wait_settled(20)
        self.assertEqual(self.verdicts(), {"match": 20})
        self.assertEqual(self.mismatch_percent(), 0)

    def mismatch_percent(self):
        return self.proxy.operate("/status")[1]["modules"][0]["mismatch_percent"]

    def test_a_real_difference_is_learned_confirmed_and_found(self):
        self.start(saying({"id": 1, "name": "anna"}), saying({"id": 1}),
                   module='compare: { baseline = "100%"; };')
        self.assertIsNone(self.mismatch_percent())
        self.ask_until("mismatch")
        self.assertEqual(set(self.verdicts()) - {"learning", "mismatch"}, set())
        verdicts = self.verdicts()
        self.assertAlmostEqual(self.mismatch_percent(),
                               100 * verdicts["mismatch"] / sum(verdicts.values()))
        self.assertGreaterEqual(self.verdicts()["learning"], 19)

    def say(self, *words: str, status: int = 0) -> str:
        done = self.proxy.command(*words)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def test_a_mismatch_is_listed_shown_and_accepted(self):
        self.start(saying({"id": 1, "name": "anna"}), saying({"id": 1}),
                   module='compare: { baseline = "100%"; };')
        self.assertEqual(self.say("mismatches"), "no mismatch was found\n")
        self.ask_until("mismatch")
        wait_until("it is listed", lambda: self.proxy.operate("/mismatches")[1]["mismatches"])
        number = str(self.proxy.operate("/mismatches")[1]["mismatches"][0]["id"])
        self.assertRegex(self.say("mismatches", "users"),
                         rf"\n *{number} +users +/api/users/{{id}} +\$\.name +missing +\d+ +\d{{4}}-")
        shown = self.say("mismatch", "show", number)
        self.assertIn(f"if it is wanted: `strangler accept {number} --why …`, or in the module's group "
                      '`compare`: ignore = [ "$.name" ];', shown)
        self.assertRegex(shown, r"\n\d{4}-\S+ \S+  GET /api/users/1  \S+\nwhere they differ  anna  \|  \n  200\n")
        self.assertIn('\n-    "name": "anna"\n', shown)
        self.assertIn("--why", self.say("accept", number, status=2))
        self.assertEqual(self.proxy.operate(f"/mismatches/{number}/accept", {})[0], 422)
        self.assertIn(f"mismatch {number} is accepted\n",
                      self.say("accept", number, "--why", "names went away"))
        self.assertIn("names went away", self.say("mismatches"))
        self.assertIn("names went away", self.say("mismatch", "show", number))
        before = self.verdicts()["mismatch"]
        self.ask_until("accepted")
        self.assertEqual(self.verdicts()["mismatch"], before)

    def test_a_mismatch_that_is_not_there(self):
        self.start(saying({"id": 1}), saying({"id": 1}))
        for words in (["mismatch", "show", "99"], ["mismatch", "show", "x"],
                      ["accept", "99", "--why", "x"], ["mismatches", "user"]):
            self.assertIn("no m", self.say(*words, status=1))
        self.assertIn("did you mean `users`?", self.say("mismatches", "user", status=1))
        self.say("mismatch", "hide", "1", status=2)
        self.say("mismatches", "-n", "0", status=2)

    def test_what_the_first_side_cannot_decide_itself_is_noise(self):
        numbers = iter(range(10**9))
        self.start(serving(lambda request: answer_bytes(
                       json.dumps({"id": 1, "at": next(numbers)}).encode(), fields=JSON)),
                   saying({"id": 1, "at": -1}), module='compare: { baseline = "100%"; };')
        self.ask_until("noise")
        self.assertNotIn("mismatch", self.verdicts())

    def test_a_race_is_explained_by_asking_again(self):
        answers = {"count": 0}

        def changing(request):
            """One wrong answer, when everything has been learned."""
            shadow = request.value("x-strangler-shadow") == "1"
            answers["count"] += shadow
            return answer_bytes(json.dumps({"id": 2 if answers["count"] == 30 and shadow
                                            else 1}).encode(), fields=JSON)
        self.start(saying({"id": 1}), serving(changing), module='compare: { baseline = "100%"; };')
        for _ in range(32):
            self.get()
            wait_until("judged", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)
        self.wait_verdict("race", 1)
        self.assertEqual(self.verdicts(), {"match": 31, "race": 1})

    def test_paths_that_are_new_each_time_are_learned_together(self):
        self.start(saying({"id": 1}), saying({"id": 2}), module='compare: { baseline = "100%"; };')
        words = (f"{a}-{b}" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst")
        for _ in range(12):
            for _ in range(20):
                self.get(f"/api/t/{next(words)}")
            wait_until("judged", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)
        self.assertEqual(set(self.verdicts()), {"learning", "mismatch"})
        self.assertEqual({row["path"] for row in self.proxy.operate("/mismatches")[1]["mismatches"]},
                         {"(others of route api)"})

    def test_ignored_places_and_conditional_requests(self):
        self.start(saying({"id": 1, "views": 1}), saying({"id": 1, "views": 2}),
                   module='compare: { ignore = [ "$.views" ]; };')
        self.get()
        self.wait_verdict("match", 1)
        self.get("/api/users/1", "-H", "if-none-match: x")
        self.wait_verdict("not_comparable", 1)

    def test_secrets_are_nowhere_in_what_is_kept(self):
        secret = "s3cr3t-cookie-value"

        def echo(name):
            return serving(lambda request: answer_bytes(
                json.dumps({"side": name, "cookie": request.value("cookie"),
                            "password": "hunter2hunter2", "pin": 4711,
                            "key": request.value("x-api-key"),
                            "by_session": {request.value("cookie"): name}}).encode(),
                fields=JSON + [("set-cookie", "sid=fresh-session-secret; Path=/")]))
        self.start(echo("legacy"), echo("extracted"),
                   module='compare: { baseline = "100%"; redact = [ "$.password", "$.pin", "header:x-api-key" ]; };')
        for _ in range(30):
            self.get("/api/users/1?token=query-secret", "-H", f"cookie: sid={secret}",
                     "-H", "authorization: Bearer bearer-secret-token",
                     "-H", "x-api-key: my-own/api+key")
        wait_until("a mismatch", lambda: self.verdicts().get("mismatch", 0) > 0)
        self.proxy.stop()
        kept = b""
        state = os.path.join(self.proxy.folder, "state")
        for name in os.listdir(state):
            with open(os.path.join(state, name), "rb") as file:
                kept += file.read()
        self.assertIn(b"$.side", kept)
        for word in (secret, "bearer-secret-token", "fresh-session-secret", "hunter2hunter2",
                     "query-secret", "4711", "my-own/api+key", "my-own\\/api"):
            self.assertNotIn(word.encode(), kept, word)


if __name__ == "__main__":
    main()
