"""extracted/reconcile: between the real applications it finds exactly what was planted, and between
two scripted ones it knows replication under way from faults."""

import hashlib
import http.client
import json
import os
import sqlite3
import subprocess
import tempfile
import unittest
from urllib.parse import parse_qs, urlsplit

from forum import Forum, command_path
from http1_backend import Http1Backend, answer_bytes, serving
from http2_peer import Http2Backend, ask_once, serving2
from strangler_test import main, wait_until

RECONCILE = command_path("reconcile")
SIDE = {"legacy": "monolith"}
FEEDS = {"users": ("users", "accounts", "sessions"), "threads": ("categories", "threads"),
         "posts": ("posts", "likes")}
MODULE_OF = {feed: module for module, feeds in FEEDS.items() for feed in feeds}
EVERY_CHARACTER = "".join(map(chr, range(1, 128))) + "\u00e9\u2028\u20ac\U0001d11e"
# A change of one row by hand, the row it makes different, and the members of it that differ.
CHANGES = {
    "users": ("UPDATE users SET bio = 'changed' WHERE id = 3", "3", ["bio"]),
    "accounts": ("UPDATE accounts SET n = 1, r = 2 WHERE id = 4", "4", ["n", "r"]),
    "sessions": ("UPDATE sessions SET user_id = user_id + 1", None, ["user"]),
    "categories": ("UPDATE categories SET position = 9 WHERE id = 2", "2", ["position"]),
    "threads": ("UPDATE threads SET title = 'changed' WHERE id = 5", "5", ["title"]),
    "posts": ("UPDATE posts SET edited_ms = 5, deleted = 1 WHERE id = 7", "7",
              ["edited_ms", "deleted"]),
    "likes": ("UPDATE likes SET created_ms = 5", None, ["created_ms"]),
}
# Makes a copy of a row under an id of its own.
ADDITIONS = {
    "users": ("INSERT INTO users (id, username, name, bio, created_ms)"
              " VALUES (90001, 'planted', '', '', 1)", "90001"),
    "accounts": ("INSERT INTO accounts (id, username, salt, hash, n, r, p)"
                 " SELECT 90001, 'planted', salt, hash, n, r, p FROM accounts LIMIT 1", "90001"),
    "sessions": ("INSERT INTO sessions (id, user_id, created_ms, expires_ms)"
                 f" VALUES ('{'f' * 64}', 1, 1, 1)", "f" * 64),
    "categories": ("INSERT INTO categories (id, slug, title, description, position)"
                   " VALUES (90001, 'planted', '', '', 1)", "90001"),
    "threads": ("INSERT INTO threads (id, title, created_by, category_id, created_ms)"
                " VALUES (90001, 'planted', 1, 1, 1)", "90001"),
    "posts": ("INSERT INTO posts (id, thread_id, text, user_id, created_ms)"
              " VALUES (90001, 1, 'planted', 1, 1)", "90001"),
    "likes": ("INSERT INTO likes (post_id, user_id, created_ms) VALUES (1, 90001, 1)", "1:90001"),
}
KEYS = {"likes": "post_id || ':' || user_id"}


def found(report: dict, feed: str) -> list:
    entry, = (each for each in report["feeds"] if each["feed"] == feed)
    return entry["differences"]


class BetweenApplications(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="strangler-reconcile-")
        cls.forum = Forum(cls.temporary.name)
        cls.visitor = http.client.HTTPConnection("127.0.0.1", cls.forum.ports["monolith"],
                                                 timeout=30)
        cls.write_something()

    @classmethod
    def tearDownClass(cls):
        cls.visitor.close()
        cls.forum.stop()
        cls.temporary.cleanup()

    @classmethod
    def write(cls, method: str, path: str, value=None, cookie: str = "") -> tuple:
        body = None if value is None else json.dumps(value).encode()
        cls.visitor.request(method, path, body,
                            {"content-type": "application/json", "cookie": cookie})
        answer = cls.visitor.getresponse()
        content = answer.read()
        assert answer.status in (200, 201, 204), (answer.status, content)
        return answer, json.loads(content or b"null")

    @classmethod
    def write_something(cls):
        """A session, a like, and a post with every character that a text may have."""
        answer, _ = cls.write("POST", "/api/2.0/sessions",
                              {"username": "marga", "password": "figs-and-dates"})
        cookie = answer.headers["set-cookie"].split(";")[0]
        _, post = cls.write("POST", "/api/2.0/threads/1/posts", {"text": EVERY_CHARACTER}, cookie)
        cls.write("PUT", f"/api/2.0/posts/{post['id']}/like", cookie=cookie)
        wait_until("everything is on both sides", lambda: cls.forum.reconcile()[0] == 0)

    def change(self, side: str, feed: str, sql: str):
        name = SIDE.get(side, MODULE_OF[feed])
        connection = sqlite3.connect(self.forum.database(name), timeout=30)
        with connection:
            changed = connection.execute(sql).rowcount
        connection.close()
        self.assertGreater(changed, 0, sql)

    def row(self, side: str, feed: str, key=None) -> tuple:
        """A row by the text of its key, or any."""
        column = KEYS.get(feed, "id")
        connection = sqlite3.connect(self.forum.database(SIDE.get(side, MODULE_OF[feed])))
        where = "" if key is None else f" WHERE CAST({column} AS TEXT) = '{key}'"
        cursor = connection.execute(f"SELECT CAST({column} AS TEXT), * FROM {feed}{where} LIMIT 1")
        key, *values = cursor.fetchone()
        names = [column[0] for column in cursor.description[1:]]
        connection.close()
        return key, dict(zip(names, values))

    def put_back(self, side: str, feed: str, row: dict):
        connection = sqlite3.connect(self.forum.database(SIDE.get(side, MODULE_OF[feed])),
                                     timeout=30)
        with connection:
            connection.execute(f"REPLACE INTO {feed} ({', '.join(row)})"
                               f" VALUES ({', '.join('?' * len(row))})", list(row.values()))
        connection.close()

    def expect(self, feed: str, *differences):
        status, report = self.forum.reconcile(MODULE_OF[feed])
        self.assertEqual(found(report, feed), list(differences))
        self.assertEqual((status, report["equal"]), (1, False) if differences else (0, True))
        for other in FEEDS[MODULE_OF[feed]]:
            if other != feed:
                self.assertEqual(found(report, other), [])

    def ask(self, program: str, path: str) -> tuple:
        if program != "monolith":
            answer = ask_once(self.forum.ports[program], path)
            return answer.status, answer.body
        self.visitor.request("GET", path)
        answer = self.visitor.getresponse()
        return answer.status, answer.read()

    def test_a_row_that_is_changed_on_either_side_is_named_with_its_members(self):
        for feed, (sql, key, members) in CHANGES.items():
            for side in ("legacy", "extracted"):
                with self.subTest(feed=feed, side=side):
                    key, row = self.row(side, feed, key)
                    self.change(side, feed, sql)
                    self.expect(feed, {"id": key, "kind": "different", "members": members})
                    self.put_back(side, feed, row)
                    self.expect(feed)

    def test_a_row_that_is_missing_or_added_on_either_side_is_named(self):
        for feed, (sql, key) in ADDITIONS.items():
            for side in ("legacy", "extracted"):
                with self.subTest(feed=feed, side=side):
                    self.change(side, feed, sql)
                    self.expect(feed, {"id": key, "kind": f"only_{side}"})
                    column = KEYS.get(feed, "id")
                    self.change(side, feed, f"DELETE FROM {feed} WHERE {column} = '{key}'")
                    self.expect(feed)

    def test_people_get_lines_and_no_secrets(self):
        key, row = self.row("extracted", "accounts", "5")
        self.change("extracted", "accounts", "UPDATE accounts SET salt = 'abcd' WHERE id = 5")
        self.change("extracted", "users", ADDITIONS["users"][0])
        done = self.forum.command("reconcile", "users")
        self.change("extracted", "users", "DELETE FROM users WHERE id = 90001")
        self.put_back("extracted", "accounts", row)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(done.stdout, r"(?m)^users +\d+ legacy +\d+ extracted  1 differ$")
        self.assertIn("\n  only extracted  90001\n", done.stdout)
        self.assertIn(f"\n  different       {key}: salt\n", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^sessions .*  equal$")
        self.assertNotIn("abcd", done.stdout)

    def test_a_digest_is_that_of_the_rows_and_both_sides_write_them_alike(self):
        for feed, module in MODULE_OF.items():
            for query in ("", "?limit=3", "?after=2&upto=6", "?after=3", "?upto=4", "?after=9&limit=1"):
                said = []
                for program in ("monolith", module):
                    status, rows = self.ask(program, f"/internal/rows/{feed}{query}")
                    self.assertEqual(status, 200)
                    digest = json.loads(self.ask(program, f"/internal/digest/{feed}{query}")[1])
                    self.assertEqual(digest["digest"], hashlib.sha256(rows).hexdigest())
                    self.assertEqual(digest["count"], rows.count(b"\n"))
                    said.append((digest, rows))
                self.assertEqual(said[0], said[1], (feed, query))
        posts = [json.loads(line) for line in
                 self.ask("posts", "/internal/rows/posts")[1].splitlines()]
        self.assertIn(EVERY_CHARACTER, [post["text"] for post in posts])

    def test_ranges_that_are_none_are_refused(self):
        for program in ("monolith", "posts"):
            for query in ("?after=", "?after=x", "?upto=1%20OR%201", f"?after={'1' * 81}",
                          "?limit=0", "?limit=1001", "?limit=x", "?limit=-1"):
                for what in ("rows", "digest"):
                    status, body = self.ask(program, f"/internal/{what}/posts{query}")
                    self.assertIn(status, (400, 422), (program, what, query, body))
            for path in ("/internal/rows/nothing", "/internal/digest/nothing"):
                self.assertEqual(self.ask(program, path)[0], 404)
        self.assertEqual(self.ask("posts", "/internal/rows/accounts")[0], 404)

    def test_who_does_not_answer_is_named(self):
        done = subprocess.run([RECONCILE, "threads"], capture_output=True, text=True, timeout=30,
                              env={**os.environ, **self.forum.environment(),
                                   "FORUM_THREADS": "http://127.0.0.1:9"}, check=False)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("the extracted application at http://127.0.0.1:9", done.stderr)

    def test_bad_usage_says_how(self):
        for arguments in (["bots"], ["--settle"], ["--settle", "5"], ["--nothing"],
                          ["users", "likes"]):
            done = self.forum.command("reconcile", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("usage: reconcile", done.stderr)


class Side:
    """The rows of a forum, which a test may change each time that they are asked for."""

    def __init__(self):
        self.feeds: dict = {feed: {} for feed in MODULE_OF}
        self.asked = 0
        self.on_rows = lambda: None

    @staticmethod
    def key(text: str):
        parts = text.split(":")
        return text if len(text) == 64 else tuple(map(int, parts))

    def page(self, feed: str, query: dict) -> tuple:
        rows = sorted(self.feeds[feed].items(), key=lambda item: self.key(item[0]))
        limit = int(query["limit"])
        if "after" in query:
            rows = [item for item in rows if self.key(item[0]) > self.key(query["after"])]
        if "upto" in query:
            rows = [item for item in rows if self.key(item[0]) <= self.key(query["upto"])]
        return rows[:limit], len(rows) > limit

    def answer(self, path: str) -> bytes:
        self.asked += 1
        url = urlsplit(path)
        _, internal, what, feed = url.path.split("/")
        assert internal == "internal", path
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        rows, has_more = self.page(feed, query)
        lines = b"".join(json.dumps(row).encode() + b"\n" for _, row in rows)
        if what == "rows":
            self.on_rows()
            return lines
        return json.dumps({"feed": feed, "count": len(rows), "more": has_more,
                           "last": rows[-1][0] if rows else None,
                           "digest": hashlib.sha256(lines).hexdigest()}).encode()


class BetweenScripts(unittest.TestCase):
    def setUp(self):
        self.legacy, self.extracted = Side(), Side()
        servers = (Http1Backend(serving(lambda request: answer_bytes(
                       self.legacy.answer(request.target)))),
                   Http2Backend(serving2(lambda connection, request: connection.answer(
                       request.stream, self.extracted.answer(request.target)))))
        for server in servers:
            self.addCleanup(server.close)
        self.environment = {"FORUM_LEGACY": f"http://127.0.0.1:{servers[0].port}",
                            "FORUM_POSTS": f"http://127.0.0.1:{servers[1].port}"}

    def put(self, *ids, feed: str = "posts", text: str = "words"):
        for side in (self.legacy, self.extracted):
            for number in ids:
                side.feeds[feed][str(number)] = {"id": number, "text": text}

    def reconcile(self, *arguments: str) -> tuple:
        done = subprocess.run([RECONCILE, "posts", "--json", *arguments], capture_output=True,
                              text=True, timeout=60, env={**os.environ, **self.environment},
                              check=False)
        if done.returncode > 1:
            return done.returncode, done.stderr
        report = json.loads(done.stdout)
        posts, likes = report["feeds"]
        self.assertEqual(likes["differences"], [])
        return done.returncode, posts

    def ids(self, posts: dict, kind: str) -> list:
        return [each["id"] for each in posts["differences"] if each["kind"] == kind]

    def test_many_rows_are_compared_by_few_questions(self):
        self.put(*range(1, 2501))
        status, posts = self.reconcile()
        self.assertEqual((status, posts["legacy_rows"], posts["extracted_rows"]), (0, 2500, 2500))
        self.assertLess(self.legacy.asked + self.extracted.asked, 20)

    def test_differences_at_every_border_are_found(self):
        self.put(*range(1, 2501))
        missing = {1, 50, 51, 999, 1000, 1001, 1050, 2000, 2500}
        for number in missing:
            del self.extracted.feeds["posts"][str(number)]
        extra = {*range(2501, 2600), 10 ** 9}
        for number in extra:
            self.extracted.feeds["posts"][str(number)] = {"id": number, "text": "words"}
        changed = {2, 1002, 1999}
        for number in changed:
            self.legacy.feeds["posts"][str(number)]["text"] = "other words"
            self.extracted.feeds["posts"][str(number)] = {"id": number, "text": "words"}
        status, posts = self.reconcile()
        self.assertEqual(status, 1)
        self.assertEqual(sorted(map(int, self.ids(posts, "only_legacy"))), sorted(missing))
        self.assertEqual(sorted(map(int, self.ids(posts, "only_extracted"))), sorted(extra))
        self.assertEqual(sorted(map(int, self.ids(posts, "different"))), sorted(changed))
        self.assertEqual(posts["legacy_rows"], 2500)
        self.assertEqual(posts["extracted_rows"], 2500 - len(missing) + len(extra))

    def test_a_side_that_is_empty_lacks_everything_and_the_list_ends(self):
        self.put(*range(1, 1501))
        self.extracted.feeds["posts"].clear()
        status, posts = self.reconcile()
        self.assertEqual((status, posts["cut"]), (1, True))
        self.assertEqual(self.ids(posts, "only_legacy"), [str(i) for i in range(1, 1001)])

    def test_what_arrives_late_is_no_difference(self):
        self.put(1, 2)
        del self.extracted.feeds["posts"]["2"]
        self.legacy.feeds["posts"]["1"] = {"id": 1, "text": "edited"}
        asked = []

        def arrive():
            asked.append(True)
            if len(asked) == 3:
                self.put(1, text="edited")
            if len(asked) == 5:
                self.put(2)
        self.extracted.on_rows = arrive
        status, posts = self.reconcile("--settle", "30s")
        self.assertEqual((status, posts["settled"], posts["differences"]), (0, 2, []))

    def test_a_row_that_moves_on_both_sides_is_no_difference(self):
        """The follower is always one step behind, but follows."""
        self.put(1)
        steps = [0]

        def edit():
            steps[0] += 1
            self.extracted.feeds["posts"]["1"] = dict(self.legacy.feeds["posts"]["1"])
            self.legacy.feeds["posts"]["1"] = {"id": 1, "text": f"edit {steps[0]}"}
        self.legacy.on_rows = edit
        edit()
        self.assertEqual(self.reconcile("--settle", "30s")[0], 0)

    def test_a_side_that_does_not_follow_is_a_difference(self):
        self.put(1)
        steps = [0]

        def edit():
            steps[0] += 1
            self.legacy.feeds["posts"]["1"] = {"id": 1, "text": f"edit {steps[0]}"}
        self.legacy.on_rows = edit
        edit()
        status, posts = self.reconcile("--settle", "500ms")
        self.assertEqual((status, self.ids(posts, "different")), (1, ["1"]))
        self.assertGreater(self.legacy.asked, 3)

    def test_a_difference_that_stays_is_waited_for_no_longer_than_said(self):
        self.put(1)
        del self.legacy.feeds["posts"]["1"]
        status, posts = self.reconcile("--settle", "300ms")
        self.assertEqual((status, self.ids(posts, "only_extracted")), (1, ["1"]))

    def test_answers_that_are_no_answers_are_said_to_be(self):
        for answer in (b"", b"[]", b"{}", b'{"count":1,"more":true,"last":null,"digest":"00"}',
                       b'{"count":1,"more":false,"last":"1"}', b"no\n", b"{\n",
                       b'{"count":1,"more":false,"last":"' + b"1" * 200 + b'","digest":"00"}'):
            self.extracted.answer = lambda path, said=answer: said
            status, errors = self.reconcile()
            self.assertEqual(status, 3, answer)
            self.assertIn("reconcile: the extracted application's answer", errors)


if __name__ == "__main__":
    main()
