"""What an operator hears of copies: differences in pages and commands, what they say about the way
back, and that a migration of the public sample is warned of each of its surprises."""

import gzip
import json
import sys

from http1_backend import answer_bytes, serving
from shadow_case import JSON, ShadowCase, saying
from strangler_test import main, wait_until

HTML = [("content-type", "text/html")]
ALWAYS = 'compare: { baseline = "100%"; };'
METHODS = ("GET HEAD POST PUT DELETE OPTIONS PATCH QUERY TRACE PROPFIND PROPPATCH MKCOL COPY MOVE "
           "LOCK UNLOCK REPORT SEARCH MKCALENDAR ACL").split()
UNKNOWN = ("BREW PURGE LINK UNLINK BIND UNBIND REBIND MERGE CHECKOUT CHECKIN UNCHECKOUT LABEL UPDATE "
           "VERSION-CONTROL MKWORKSPACE MKACTIVITY BASELINE-CONTROL ORDERPATCH MKREDIRECTREF PRI "
           "UPDATEREDIRECTREF NOTIFY SUBSCRIBE M-SEARCH SOURCE STREAM INVITE X-WRITE "
           "get Post").split()


class Triage(ShadowCase):
    def find(self, paths, count=24):
        """Asks until everything has been learned, and then once more."""
        for path in paths:
            for _ in range(count):
                self.get(path)
            wait_until("judged", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)

    def mismatches(self) -> list:
        return self.proxy.operate("/mismatches")[1]["mismatches"]

    def module(self) -> dict:
        return self.proxy.operate("/modules/users")[1]

    def test_a_difference_is_shown_and_accepted(self):
        self.start(saying({"id": 1, "name": "anna"}), saying({"id": 1, "name": "bea"}), module=ALWAYS)
        self.assertEqual(self.mismatches(), [])
        self.find(["/api/users/7"])
        found, = self.mismatches()
        self.assertEqual((found["module"], found["path"], found["field"], found["kind"]),
                         ("users", "/api/users/{id}", "$.name", "value"))
        number = str(found["id"])
        listed = self.proxy.command("mismatches", "users")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for word in ("/api/users/{id}", "$.name", "first seen", "last seen"):
            self.assertIn(word, listed.stdout)
        shown = self.proxy.command("mismatch", "show", number)
        self.assertIn('-    "name": "anna"', shown.stdout)
        self.assertIn('+    "name": "bea"', shown.stdout)
        self.assertIn('    "id": 1', shown.stdout)
        shown = json.loads(self.proxy.command("mismatch", "show", number, "--json").stdout)
        self.assertLessEqual(len(shown["examples"]), 5)
        self.assertEqual(self.proxy.command("accept", number).returncode, 2)
        done = self.proxy.command("accept", number, "--why", "names are new")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('compare: { ignore = [ "$.name" ]; };', done.stdout)
        self.find(["/api/users/7"], 1)
        self.assertEqual(self.verdicts()["accepted"], 1)
        self.assertEqual(self.mismatches()[0]["accepted"]["why"], "names are new")

    def test_what_is_not_there_and_what_is_too_long_is_refused(self):
        self.start(saying({}), saying({}))
        for path in ("/mismatches/1", "/mismatches/x", "/mismatches/-1"):
            self.assertEqual(self.proxy.operate(path)[0], 404)
            self.assertEqual(self.proxy.operate(path + "/accept", {"why": "so"})[0], 404)
        self.assertEqual(self.proxy.operate("/mismatches?module=nobody")[0], 404)
        self.assertEqual(self.proxy.operate("/mismatches/1/accept", {})[0], 422)
        self.assertEqual(self.proxy.operate("/mismatches/1/accept", {"why": "x" * 100000})[0], 413)
        self.assertEqual(self.proxy.operate("/mismatches/1/accept", {"why": "x" * 10000})[0], 422)
        self.assertEqual(self.proxy.command("mismatch", "show", "1").returncode, 1)
        self.assertEqual(self.proxy.command("mismatch", "hide", "1").returncode, 2)

    def test_the_way_back_has_to_be_proven_in_stage_live(self):
        wrong = {"now": False}
        self.start(serving(lambda request: answer_bytes(
                       json.dumps({"id": 2 if wrong["now"] else 1}).encode(), fields=JSON)),
                   saying({"id": 1}), stage="live", module=ALWAYS)
        self.assertEqual((self.module()["rollback_ready"], self.module()["rollback_why"]),
                         (False, "nothing was compared yet"))
        self.find(["/api/users/7"])
        module = self.module()
        self.assertEqual((module["rollback_ready"], module["mismatch_percent"]), (True, 0))
        shadow = module["shadow"]
        self.assertEqual((shadow["sampled"], shadow["sent"], shadow["dropped"]), (24, 24, {}))
        self.assertEqual(shadow["verdicts"], {"match": 24})
        self.assertGreater(shadow["p99_ms"], 0)
        self.assertIsNotNone(shadow["last_compared"])
        self.assertIsNotNone(shadow["pair_p50_ms"])
        self.assertIn("copies: 24 sampled, 24 sent", self.proxy.command("status").stdout)
        wrong["now"] = True
        self.find(["/api/users/7"], 1)
        module = self.module()
        self.assertFalse(module["rollback_ready"])
        self.assertIn("1 of the last 25 answers are mismatches", module["rollback_why"])
        self.assertEqual(module["mismatch_percent"], 4)

    def test_the_surprises_of_the_public_sample_are_found(self):
        def legacy(request):
            path = request.target.lower().rstrip("/")
            if path in ("/api/users", "/api/threads", "/api/usersx"):
                return answer_bytes(b'[{"id":1}]', fields=JSON)
            return answer_bytes(b"Not Found", "404 Not Found")

        def case_sensitive(request):
            if request.target in ("/api/users", "/api/users/"):
                return answer_bytes(b'[{"id":1}]', fields=JSON)
            return answer_bytes(b"Not Found", "404 Not Found")
        self.start(serving(legacy), serving(case_sensitive), module=ALWAYS)
        self.find(["/api/users", "/api/USERS", "/api/usersX", "/api/threads", "/api/nobody"])
        self.assertEqual({(row["path"], row["field"]) for row in self.mismatches()},
                         {("/api/USERS", "status"), ("/api/usersX", "status"),
                          ("/api/threads", "status")})

    def test_no_method_that_writes_reaches_the_other_side(self):
        listed = ", ".join(f'"{method}"' for method in METHODS)
        self.start(saying({}), saying({}), shadow=f"methods = [ {listed} ];",
                   module='compare: { baseline = "0%"; };')
        self.change('api: { prefix = "/api"; };', 'api: { prefix = "/api"; }; '
                    'out: { prefix = "/api/logout"; treat_as_write = true; }; '
                    'vote: { prefix = "/api/threads"; regex = "/vote$"; treat_as_write = true; };')
        self.assertEqual(len(METHODS + UNKNOWN), 50)
        for method in METHODS + UNKNOWN:
            options = ["-I"] if method == "HEAD" else ["-X", method]
            self.get("/api/users", *options)
            self.get("/api/logout", *options)
            self.get("/api/threads/7/vote", *options)
        wait_until("none under way", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)
        self.assertEqual({(request.method, request.target) for request in self.extracted.requests},
                         {(method, "/api/users") for method in ("GET", "HEAD", "OPTIONS")})
        self.assertEqual(set(self.drops()), {"unsafe"})

    def test_bombs_end_in_time(self):
        # CPU time of the whole proxy; without limits it would be minutes, and gigabytes.
        gzip_type = [*JSON, ("content-encoding", "gzip")]
        zeros = gzip.compress(bytes(64 << 20))
        key = "k" * (1 << 20)
        bombs = {  # what both sides say, each with a digit of its own, and the verdict
            "deep": (b"[" * 500000 + b"@", JSON, "not_comparable"),
            "deep objects": (b'{"a":' * 200000 + b"@", JSON, "not_comparable"),
            "zip": (zeros, gzip_type, "not_comparable"),
            "zip in zip": (gzip.compress(zeros), [*JSON, ("content-encoding", "gzip, gzip")],
                           "not_comparable"),
            "many": (b"[" + b"{}," * 300000 + b"@]", JSON, "not_comparable"),
            "attributes": (b"<p a b c d e f g h>" * 50000 + b"@", HTML, "not_comparable"),
            "tags": (b"<b>" * 250000 + b"@", HTML, "not_comparable"),
            "deep page": (b"<div>" * 90000 + b"@", HTML, "learning"),
            "key": (f'{{"{key}":@}}'.encode(), JSON, "learning"),
            "number": (b"[1" + b"0" * (1 << 20) + b"@]", JSON, "learning"),
            "exponent": (b"[1e99999999999999999999@]", JSON, "not_comparable"),
        }

        def throwing(digit: bytes):
            def answer(request):
                body, fields, _ = bombs[request.target.rpartition("/")[2].replace("-", " ")]
                # For @; in gzip it is in the time of its head, since no two zips may be the same.
                marked = body[:4] + digit + body[5:] if len(fields) > 1 else body.replace(b"@", digit)
                return answer_bytes(marked, fields=fields)
            return serving(answer)
        self.start(throwing(b"1"), throwing(b"2"),
                   shadow='max_body = "2MiB"; timeout = "20s";',
                   module='compare: { baseline = "0%"; };')
        for name, (_, _, verdict) in bombs.items():
            expected = self.verdicts()
            expected[verdict] = expected.get(verdict, 0) + 1
            before_s = self.proxy.cpu_seconds()
            self.get("/api/" + name.replace(" ", "-"))
            self.wait_verdict(verdict, expected[verdict])
            self.assertEqual(self.verdicts(), expected, name)
            used_s = self.proxy.cpu_seconds() - before_s
            print(f"{name}: {used_s:.2f} s", file=sys.stderr)
            self.assertLess(used_s, 10, name)
        self.assertLess(self.proxy.total("strangler_shadow_memory_bytes"), 1)


if __name__ == "__main__":
    main()
