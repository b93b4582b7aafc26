"""The monolith's feeds, ownership, following and knobs.

Needs STRANGLER_BUILD (the build folder).
"""

import hashlib
import http.client
import json
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import unittest

from http2_peer import Http2Backend, serving2
from monolith_client import PROBLEM, Client, ForumCase
from services_programs import Program
from strangler_test import is_sanitized

WHOLE_RUN_SECONDS = 280
FOLLOW_SECONDS = 20
SECONDS_OF_SILENCE = 25
AT_ONCE_S = 2 if is_sanitized() else 0.1  # of a long poll of 20 s
FEEDS = {
    "users": ("SELECT id, username, name, bio, created_ms FROM users",
              ["id", "username", "name", "bio", "created_ms"]),
    "accounts": ("SELECT id, username, lower(hex(salt)), lower(hex(hash)), n, r, p FROM accounts",
                 ["id", "username", "salt", "hash", "n", "r", "p"]),
    "sessions": ("SELECT id, user_id, created_ms, expires_ms FROM sessions",
                 ["id", "user", "created_ms", "expires_ms"]),
    "categories": ("SELECT id, slug, title, description, position FROM categories",
                   ["id", "slug", "title", "description", "position"]),
    "threads": ("SELECT id, title, created_by, category_id, created_ms FROM threads",
                ["id", "title", "createdBy", "category", "created_ms"]),
    "posts": ("SELECT id, thread_id, user_id, text, created_ms, edited_ms, deleted FROM posts",
              ["id", "thread", "user", "text", "created_ms", "edited_ms", "deleted"]),
    "likes": ("SELECT post_id, user_id, created_ms FROM likes", ["post", "user", "created_ms"]),
}


def rows_of(database, feed):
    sql, names = FEEDS[feed]
    with sqlite3.connect(database) as connection:
        rows = [dict(zip(names, row)) for row in connection.execute(sql)]
    connection.close()
    return sorted(rows, key=str)


def replay(client, feed):
    """The rows that the events of a feed leave, from the first on."""
    rows, after = {}, 0
    while True:
        events, last = client.feed(feed, after, limit=37)
        for event in events:
            assert event["seq"] > after and event["feed"] == feed, event
            after = event["seq"]
            if event["op"] == "put":
                rows[event["id"]] = event["row"]
            else:
                rows.pop(event["id"], None)
        if not events:
            assert after == last, (feed, after, last)
            return sorted(rows.values(), key=str)


def wait_until(what, seconds=FOLLOW_SECONDS):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def has_read(program, sock):
    """All that came by this connection, says the kernel."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    ends = f":{program.port:04X}", f":{sock.getsockname()[1]:04X}"
    return [row[4].split(":")[1] for row in rows
            if (row[1][-5:], row[2][-5:]) == ends] == ["00000000"]


def write_a_bit(client, number):
    """Something in every feed that has writes."""
    client.register(f"writer-{number}")
    thread = client.json("POST", "/api/2.0/threads",
                         {"category": "lounge", "title": f"Thread {number}"}).json["id"]
    post = client.json("POST", f"/api/2.0/threads/{thread}/posts", {"text": "one 'two' <3"}).json["id"]
    client.json("PATCH", f"/api/2.0/posts/{post}", {"text": "three \u0001 \" \\ 𝄞"})
    client.json("PUT", f"/api/2.0/posts/{post}/like")
    client.json("PUT", "/api/2.0/posts/2/like")
    client.json("DELETE", f"/api/2.0/posts/{post}/like")
    gone = client.json("POST", f"/api/2.0/threads/{thread}/posts", {"text": "soon gone"}).json["id"]
    client.json("DELETE", f"/api/2.0/posts/{gone}")
    return thread, post


class Feeds(ForumCase):
    def test_a_feed_from_the_start_gives_the_rows(self):
        client = self.client()
        for number in range(3):
            write_a_bit(client, number)
        client.json("DELETE", "/api/2.0/sessions/current")
        for feed in FEEDS:
            rows = rows_of(os.path.join(self.folder, "monolith.db"), feed)
            self.assertGreater(len(rows), 0, feed)
            self.assertEqual(replay(client, feed), rows, feed)

    def test_a_long_poll_wakes_at_a_write(self):
        writer, delays = self.somebody(), []
        for number in range(10):
            reader = self.client()
            _, last = reader.feed("posts")
            found = []
            thread = threading.Thread(target=lambda: found.extend(
                [reader.feed("posts", last, "20s")[0], time.monotonic()]))
            thread.start()
            time.sleep(0.05)  # so that it really waits
            writer.json("POST", "/api/2.0/threads/1/posts", {"text": f"wake {number}"})
            written = time.monotonic()
            thread.join()
            self.assertEqual([event["row"]["text"] for event in found[0]], [f"wake {number}"])
            delays.append(found[1] - written)
        self.assertLess(sorted(delays)[len(delays) // 2], AT_ONCE_S, delays)

    def test_a_feed_never_gives_more_than_it_says_it_has(self):
        over = threading.Event()

        def write(client):
            while not over.is_set():
                client.json("PUT", "/api/2.0/posts/1/like")
                client.json("DELETE", "/api/2.0/posts/1/like")
        writers = [threading.Thread(target=write, args=(self.somebody(),)) for _ in range(3)]
        for writer in writers:
            writer.start()
        reader, after = self.client(), 0
        for _ in range(1500):
            events, last = reader.feed("likes", after)
            after = events[-1]["seq"] if events else after
            if after > last:
                break
        over.set()
        for writer in writers:
            writer.join()
        self.assertLessEqual(after, last)

    def test_many_long_polls_hold_nobody_up(self):
        readers = [self.client() for _ in range(100)]
        for reader in readers:
            reader.connection.request("GET", "/internal/feed/categories?after=9999&wait=5s")
        began = time.monotonic()
        self.assertEqual(self.client().get("/api/users/1").status, 200)
        self.assertLess(time.monotonic() - began, 4)
        for reader in readers:
            answer = reader.connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b""))
        self.assertGreaterEqual(time.monotonic() - began, 4.5)

    def test_bad_questions_are_422(self):
        for query in ["after=-1", "after=x", "wait=31s", "wait=1", "wait=s", "limit=0", "limit=x"]:
            answer = self.client().get(f"/internal/feed/posts?{query}")
            self.problem(answer, 422, query.split("=")[0])

    def test_a_stop_ends_long_polls(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Program("monolith", folder).wait_ready()
            client = self.client(program)
            client.connection.request("GET", "/internal/feed/posts?after=9999&wait=30s")
            wait_until(lambda: has_read(program, client.connection.sock))
            began = time.monotonic()
            self.assertEqual(program.stop(), 0)
            self.assertLess(time.monotonic() - began, 15)  # of 30 s
            self.assertEqual(client.connection.getresponse().status, 200)


class Ownership(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.running = []

    def tearDown(self):
        for program in self.running:
            if program.is_running():
                self.assertEqual(program.stop(), 0)

    def start(self, *arguments, folder=None):
        program = Program("monolith", folder or self.folder, *arguments).wait_ready()
        self.running.append(program)
        return program, self.client(program)

    def client(self, program):
        client = Client(program)
        self.addCleanup(client.close)
        return client

    def own(self, client, aggregate, owner, epoch, status=200):
        answer = client.json("POST", f"/internal/owner/{aggregate}", {"owner": owner, "epoch": epoch})
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def test_who_is_not_the_owner_refuses_writes(self):
        program, client = self.start()
        thread, post = write_a_bit(client, 1)
        state = client.get("/internal/owner/posts").json
        self.assertEqual((state["owner"], state["epoch"], state["cursors"]), ("legacy", 1, {}))
        self.assertEqual(self.own(client, "posts", "extracted", 2)["outbox_last"],
                         state["outbox_last"])
        self.assertEqual(self.own(client, "posts", "extracted", 2)["epoch"], 2)
        self.own(client, "posts", "legacy", 2, 409)
        self.own(client, "posts", "legacy", 1, 409)
        self.own(client, "posts", "nobody", 3, 422)
        self.own(client, "nothing", "legacy", 3, 404)
        page = client.get(f"/forum/t/{thread}").page
        for answer in [client.json("POST", f"/api/2.0/threads/{thread}/posts", {"text": "x"}),
                       client.json("PATCH", f"/api/2.0/posts/{post}", {"text": "x"}),
                       client.json("DELETE", f"/api/2.0/posts/{post}"),
                       client.json("PUT", f"/api/2.0/posts/{post}/like")]:
            self.assertEqual((answer.status, answer.type), (409, PROBLEM))
            said = answer.json
            self.assertEqual((said["title"], said["aggregate"], said["owner"], said["epoch"]),
                             ("Not the write owner", "posts", "extracted", 2))
        answer = client.form(f"/forum/t/{thread}/reply",
                             {**page.form(f"/forum/t/{thread}/reply")["fields"], "text": "x"})
        self.assertEqual(answer.status, 409)
        self.assertIn("extracted side since epoch 2", answer.page.text)
        self.assertEqual(client.register("still-here").status, 201)
        self.assertEqual(client.get("/internal/owner/posts").json["outbox_last"],
                         state["outbox_last"])
        self.assertEqual(program.kill(), -signal.SIGKILL)
        program, client = self.start()
        self.assertEqual(client.get("/internal/owner/posts").json["epoch"], 2)
        self.own(client, "posts", "legacy", 3)
        client.log_in("marga")
        self.assertEqual(client.json("PUT", f"/api/2.0/posts/{post}/like").status, 204)
        self.assertIn('owner_epoch{aggregate="posts",owner="legacy"} 3',
                      client.get("/metrics").body.decode())

    def bridge(self, program):
        """The monolith `program` as if it were a service: cleartext HTTP/2."""
        def answer(connection, request):
            there = http.client.HTTPConnection(program.host, program.port, timeout=40)
            try:
                there.request(request.method, request.target, request.body,
                              {"content-type": "application/json"})
                said = there.getresponse()
                last = said.headers.get("x-feed-last")
                connection.answer(request.stream, said.read(), str(said.status),
                                  [("x-feed-last", last)] if last else [])
            except OSError:
                connection.reset(request.stream, 2)
            finally:
                there.close()
        backend = Http2Backend(serving2(answer))
        self.addCleanup(backend.close)
        return f"http://127.0.0.1:{backend.port}"

    def test_it_follows_the_other_side_and_goes_on_after_a_kill(self):
        with tempfile.TemporaryDirectory() as other:
            source, writer = self.start(folder=other)
            origin = self.bridge(source)
            follow = [f"--follow-{name}={origin}" for name in ("users", "threads", "posts")]
            program, client = self.start(*follow)
            for aggregate in ("users", "threads", "posts"):
                self.own(client, aggregate, "extracted", 2)
            for number in range(6):
                write_a_bit(writer, number)
                if number % 2:
                    self.assertEqual(program.kill(), -signal.SIGKILL)
                    program, client = self.start(*follow)
            databases = [os.path.join(folder, "monolith.db") for folder in (self.folder, other)]
            for feed in FEEDS:
                wait_until(lambda name=feed: rows_of(databases[0], name) == rows_of(databases[1], name))
            self.assertEqual(client.get("/api/2.0/search?q=three").json,
                             self.client(source).get("/api/2.0/search?q=three").json)
            wait_until(lambda: 'lag_seconds{feed="posts",source="extracted"} 0.000'
                       in client.get("/metrics").body.decode())
            wanted = writer.get("/internal/owner/posts").json["feeds_last"]
            self.assertEqual(client.get("/internal/owner/posts").json["cursors"],
                             {f"{feed}@extracted": seq for feed, seq in wanted.items()})
            self.sessions_of_the_other_side(program, client, source)
            self.back_to_this_side(client, writer)

    def late_service(self):
        """A service whose long polls say nothing, as if news came late. What it answers at once is
        `self.late`; while that is None, it does not. `self.check` is its word about sessions."""
        over = threading.Event()

        def answer(connection, request):
            if request.method == "POST" and self.late is not None:
                connection.answer(request.stream, b"{}", self.check)
            elif "wait=" in request.target or self.late is None:
                over.wait(SECONDS_OF_SILENCE)
                connection.answer(request.stream, b"", "503")
            else:
                lines = b"".join(json.dumps(event).encode() + b"\n" for event in self.late)
                connection.answer(request.stream, lines, "200",
                                  [("x-feed-last", str(len(self.late)))])
        backend = Http2Backend(serving2(answer))
        self.addCleanup(backend.close)
        self.addCleanup(over.set)
        return f"http://127.0.0.1:{backend.port}"

    def test_a_thread_that_was_opened_elsewhere_a_moment_ago_is_there(self):
        self.late = []
        _, client = self.start("--follow-threads", self.late_service())
        client.log_in("marga")
        self.own(client, "threads", "extracted", 2)
        asked = ["/forum/t/99", "/api/2.0/threads/99/posts"]
        self.assertEqual([client.get(path).status for path in asked], [404, 404])
        self.late = [{"seq": number - 97, "feed": "threads", "epoch": 2, "at_ms": 1, "op": "put",
                      "id": number, "row": {"id": number, "title": f"Thread {number}",
                                            "createdBy": 1, "category": 1, "created_ms": 1}}
                     for number in (98, 99)]
        answer = client.json("POST", "/api/2.0/threads/99/posts", {"text": "first"})
        self.assertEqual(answer.status, 201)
        self.assertIn("Thread 98", client.get("/forum/t/98").page.text)
        self.assertEqual(client.get("/api/2.0/threads/99/posts").json["total"], 1)
        self.late = None
        self.assertEqual(client.get("/forum/t/99").status, 200)
        for answer in (client.get("/api/2.0/threads/100/posts"), client.get("/forum/t/100"),
                       client.json("POST", "/api/2.0/threads/100/posts", {"text": "x"})):
            self.assertEqual((answer.status, answer.fields["retry-after"]), (503, "1"))
        self.own(client, "threads", "legacy", 3)
        self.assertEqual(client.get("/forum/t/100").status, 404)

    def test_of_whom_nobody_can_tell_whether_they_are_logged_in_is_asked_to_come_again(self):
        self.late = None
        _, client = self.start("--follow-users", self.late_service())
        self.own(client, "users", "extracted", 2)
        client.cookies = {"sid": "a" * 43}
        for answer in (client.json("POST", "/api/2.0/threads/1/posts", {"text": "x"}),
                       client.get("/api/2.0/me"), client.form("/forum/t/1/reply", {"text": "x"})):
            self.assertEqual((answer.status, answer.fields["retry-after"]), (503, "1"))
        self.assertEqual(client.get("/forum/t/1").status, 200)

    def test_only_the_owner_of_the_sessions_can_deny_one(self):
        self.late, self.check = [], "409"
        _, client = self.start("--follow-users", self.late_service())
        client.log_in("marga")
        unknown = self.client(client.program)
        unknown.cookies = {"sid": "a" * 43}
        known = {"id": hashlib.sha256(client.cookies["sid"].encode()).hexdigest()}
        other = {"id": "0" * 64}
        check = "/internal/sessions/check"
        self.assertTrue(client.json("POST", check, known).json["owner"])
        self.assertEqual(client.json("POST", check, other).status, 404)
        self.own(client, "users", "extracted", 2)
        self.assertFalse(client.json("POST", check, known).json["owner"])
        self.assertEqual(client.json("POST", check, other).status, 409)
        self.assertEqual((client.get("/api/2.0/me").status, unknown.get("/api/2.0/me").status),
                         (200, 503))
        self.check = "404"
        self.assertEqual((client.get("/api/2.0/me").status, unknown.get("/api/2.0/me").status),
                         (401, 401))

    def back_to_this_side(self, client, writer):
        """Ids go on above those of the other side; what that still writes is history."""
        database = os.path.join(self.folder, "monolith.db")
        highest = max(row["id"] for row in rows_of(database, "posts"))
        for aggregate in ("users", "threads", "posts"):
            self.own(client, aggregate, "legacy", 3)
        client.log_in("marga")
        post = client.json("POST", "/api/2.0/threads/1/posts", {"text": "mine"}).json["id"]
        self.assertEqual(post, highest + 1)
        writer.json("POST", "/api/2.0/threads/1/posts", {"text": "too late"})
        last = writer.get("/internal/owner/posts").json["feeds_last"]["posts"]
        wait_until(lambda: client.get("/internal/owner/posts").json["cursors"]["posts@extracted"]
                   == last)
        self.assertEqual(client.get(f"/api/2.0/posts/{post}").json["text"], "mine")
        self.assertEqual(client.get("/api/2.0/search?q=late").json["total"], 0)

    def sessions_of_the_other_side(self, program, here, source):
        there = self.client(source)
        there.log_in("pilu")
        here.cookies = dict(there.cookies)
        self.assertEqual(here.get("/api/2.0/me").json["username"], "pilu")
        there.json("DELETE", "/api/2.0/sessions/current")
        wait_until(lambda: here.get("/api/2.0/me").status == 401)
        here.cookies = {"sid": "a" * 43}
        self.assertEqual(here.get("/api/2.0/me").status, 401)
        self.assertEqual(program.complaints(), "")

    def test_a_database_of_face_1_is_brought_up_to_date(self):
        database = os.path.join(self.folder, "monolith.db")
        with sqlite3.connect(database) as connection:
            connection.executescript("""
                CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE,
                    name TEXT NOT NULL, bio TEXT NOT NULL);
                CREATE TABLE threads (id INTEGER PRIMARY KEY, title TEXT NOT NULL,
                    created_by INTEGER NOT NULL REFERENCES users(id));
                CREATE TABLE posts (id INTEGER PRIMARY KEY,
                    thread_id INTEGER NOT NULL REFERENCES threads(id), text TEXT NOT NULL,
                    user_id INTEGER NOT NULL REFERENCES users(id));
                CREATE INDEX posts_by_thread ON posts(thread_id, id);
                CREATE INDEX posts_by_user ON posts(user_id, id);
                CREATE INDEX threads_by_creator ON threads(created_by);
                INSERT INTO users VALUES (3, 'old.one', 'Old "One"', 'bio'), (7, 'two', 'T', '');
                INSERT INTO threads VALUES (5, 'An old thread', 7);
                INSERT INTO posts VALUES (4, 5, 'ancient words', 3), (9, 5, 'and more', 7);
                PRAGMA user_version = 1;""")
        connection.close()
        for _ in range(2):
            _, client = self.start()
            self.assertEqual(client.get("/api/users").json, [
                {"id": 3, "username": "old.one", "name": 'Old "One"', "bio": "bio"},
                {"id": 7, "username": "two", "name": "T", "bio": ""}])
            self.assertEqual(client.get("/api/posts").json, [
                {"thread": 5, "text": "ancient words", "user": 3},
                {"thread": 5, "text": "and more", "user": 7}])
            self.assertEqual(client.get("/api/2.0/search?q=ancient").json["items"][0]["id"], 4)
            for feed in ("users", "categories", "threads", "posts"):
                self.assertEqual(replay(client, feed), rows_of(database, feed))
            self.assertEqual(self.running.pop().stop(), 0)
        _, client = self.start()
        client.register("new-one")
        self.assertEqual(client.json("POST", "/api/2.0/threads/5/posts", {"text": "x"}).json["id"], 10)

    def test_knobs(self):
        program, client = self.start("--latency", "100ms,150ms", "--bug", "off-by-one")
        began = time.monotonic()
        self.assertEqual(client.get("/api/2.0/categories").json["total"], 5)
        self.assertGreaterEqual(time.monotonic() - began, 0.1)
        program.stop()
        program, client = self.start("--fail", "100%")
        self.assertEqual(client.get("/api/users").status, 500)
        answer = client.register("never-there")
        self.assertEqual((answer.status, answer.type), (500, PROBLEM))
        self.assertEqual(client.get("/internal/feed/sessions").body, b"")
        program.stop()
        program, client = self.start("--bug", "reordered")
        self.assertEqual([item["id"] for item in client.get("/api/2.0/categories").json["items"]],
                         [4, 3, 2, 1])
        program.stop()
        program, client = self.start("--bug", "dropped-field")
        self.assertNotIn("bio", client.get("/api/2.0/users/1").json)
        program.stop()
        program, client = self.start("--bug", "slow-search")
        began = time.monotonic()
        self.assertEqual(client.get("/api/2.0/search?q=the").status, 200)
        self.assertGreaterEqual(time.monotonic() - began, 1)


if __name__ == "__main__":
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
