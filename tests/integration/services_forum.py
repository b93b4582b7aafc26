"""The extracted services on their own: feeds, ownership, and what happens when they are killed.

A scripted monolith offers feeds (and nothing else), so that every event is this file's own. Needs
STRANGLER_BUILD (the build folder) and curl.
"""

import hashlib
import http.server
import json
import os
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import parse_qs, urlsplit

from http2_peer import Http2Client, settings_payload
from services_programs import Program, ask
from strangler_test import free_port, is_sanitized

WHOLE_RUN_SECONDS = 240
WAIT_S = 20
SOON_S = 2  # where a long poll lasts 5 s and more
AT_ONCE_S = SOON_S if is_sanitized() else 0.1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FEEDS = {
    "users": ["users", "accounts", "sessions"],
    "threads": ["categories", "threads", "users", "sessions"],
    "posts": ["posts", "likes", "users", "sessions", "threads", "categories"],
}


def user(number, name="someone"):
    return {"id": number, "username": f"user{number}", "name": name, "bio": "", "created_ms": 1}


def thread(number, title="A title"):
    return {"id": number, "title": title, "createdBy": 1, "category": 1, "created_ms": 1}


def post(number, text="Words", deleted=False):
    return {"id": number, "thread": 1, "user": 1, "text": text, "created_ms": 1,
            "edited_ms": None, "deleted": deleted}


class FeedAnswers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        parts = url.path.split("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if parts[1:] == ["api", "2.0", "users"]:
            self.answer_json(*self.server.owner.people(query["ids"]))
            return
        if parts[1:3] == ["internal", "owner"] and self.server.owner.state is not None:
            self.answer_json(200, self.server.owner.state)
            return
        if parts[1:3] == ["internal", "rows"] and self.server.owner.state is not None:
            rows = self.server.owner.rows.get(parts[3], b"")
            self.answer(200, b"" if "after" in query else rows, 0)
            return
        if parts[1:3] != ["internal", "feed"]:
            self.answer(404, b"Not Found", 0)
            return
        wait = int(query.get("wait", "0s")[:-1])
        body, last = self.server.owner.read(parts[3], int(query["after"]), wait,
                                            int(query["limit"]))
        self.answer(200, body, last)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.answer_json(*self.server.owner.check(asked["id"]))

    def answer_json(self, status, value):
        self.answer(status, json.dumps(value).encode(), 0)

    def answer(self, status, body, last):
        if self.server.owner.is_over:
            self.close_connection = True
            return
        try:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-feed-last", str(last))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the service was killed


class FeedServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class ScriptedMonolith:
    """Feeds with a long poll. `raw` replaces what a feed says, for hostile events."""

    def __init__(self, port=0):
        self.seq = 0
        self.events = {}
        self.raw = {}
        self.state = None  # of every aggregate; None: no rows are offered, only feeds
        self.rows = {}     # by feed
        self.sessions = {}  # hash of the token to the user's id
        self.names = {}     # known only to who asks
        self.asked = 0
        self.answers = threading.Event()  # cleared: questions find nobody in time
        self.answers.set()
        self.changed = threading.Condition()
        self.is_over = False
        self.server = FeedServer(("127.0.0.1", port or free_port()), FeedAnswers)
        self.server.owner = self
        self.origin = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        with self.changed:
            self.is_over = True
            self.answers.set()
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def add(self, feed, op, identity, row=None, epoch=1):
        with self.changed:
            self.seq += 1
            event = {"seq": self.seq, "feed": feed, "epoch": epoch,
                     "at_ms": int(time.time() * 1000), "op": op, "id": identity}
            if row is not None:
                event["row"] = row
            self.events.setdefault(feed, []).append(event)
            self.changed.notify_all()
            return self.seq

    def put(self, feed, row, epoch=1):
        return self.add(feed, "put", row["id"], row, epoch)

    def read(self, feed, after, wait, limit):
        with self.changed:
            self.changed.wait_for(
                lambda: self.is_over or feed in self.raw or self.last(feed) > after, timeout=wait)
            if feed in self.raw:
                return self.raw[feed], 10 ** 6
            events = [event for event in self.events.get(feed, []) if event["seq"] > after]
            lines = [json.dumps(event).encode() + b"\n" for event in events[:limit]]
            return b"".join(lines), self.last(feed)

    def check(self, hash_of_token):
        self.asked += 1
        self.answers.wait(WAIT_S)
        user_id = self.sessions.get(hash_of_token)
        if user_id is None:
            return 404, {}
        return 200, {"user": user_id, "expires_ms": int(time.time() * 1000) + 10 ** 6}

    def people(self, ids):
        self.asked += 1
        self.answers.wait(WAIT_S)
        wanted = [int(each) for each in ids.split(",")]
        return 200, {"items": [{"id": each, "username": self.names[each]} for each in wanted
                               if each in self.names]}

    def last(self, feed):
        events = self.events.get(feed, [])
        return events[-1]["seq"] if events else 0


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {WAIT_S} s: {what}")
        threading.Event().wait(0.005)


class Service(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.monolith = ScriptedMonolith()
        self.running = []

    def tearDown(self):
        for program in self.running:
            if program.is_running():
                self.assertEqual(program.stop(), 0, program.complaints())
            self.assertNotIn("Sanitizer", program.complaints())
            self.assertNotIn("runtime error", program.complaints())
        self.monolith.stop()
        self.temporary.cleanup()

    def start(self, name, *arguments, **more):
        program = Program(name, self.folder, "--monolith", self.monolith.origin, *arguments,
                          **more)
        self.running.append(program)
        return program.wait_ready()

    def rows(self, program, path):
        return json.loads(ask(program, path).body)

    def owner(self, program, name):
        return json.loads(ask(program, f"/internal/owner/{name}").body)

    def set_owner(self, program, name, owner, epoch):
        return ask(program, f"/internal/owner/{name}", "-d",
                   json.dumps({"owner": owner, "epoch": epoch}))

    def cursor(self, program, feed):
        text = ask(program, "/metrics").body.decode()
        wanted = 'feed_cursor{feed="%s",source="legacy"} ' % feed
        return next(int(line[len(wanted):]) for line in text.splitlines()
                    if line.startswith(wanted))

    def lag(self, program, feed):
        text = ask(program, "/metrics").body.decode()
        wanted = 'lag_seconds{feed="%s",source="legacy"} ' % feed
        return next(float(line[len(wanted):]) for line in text.splitlines()
                    if line.startswith(wanted))


class Feeds(Service):
    def test_a_new_service_reads_every_feed_from_its_start(self):
        for number in range(1, 701):  # more than one batch
            self.monolith.put("posts", post(number, f"Word {number}", number == 5))
        for service, path in [("posts", "/api/posts")]:
            program = self.start(service)
            self.assertEqual([row["text"] for row in self.rows(program, path)],
                             [f"Word {number}" for number in range(1, 701) if number != 5])
            self.assertEqual(self.cursor(program, "posts"), 700)

    def test_events_arrive_soon_and_in_order(self):
        program, delays = self.start("users"), []
        for round_number in range(20):
            self.monolith.put("users", user(1, f"name {round_number}"))
            begun = time.monotonic()
            wait_until(lambda: self.rows(program, "/api/users/1")["name"] ==
                       f"name {round_number}" if ask(program, "/api/users/1").status == 200
                       else False, "the event")
            delays.append(time.monotonic() - begun)
        self.assertLess(sorted(delays)[len(delays) // 2], SOON_S, delays)
        self.assertEqual(self.lag(program, "users"), 0)

    def test_an_answer_that_is_older_than_what_was_read_is_no_reason_to_read_everything_again(self):
        """Its events are taken; only a feed without any, and with an earlier end, is a new one."""
        program = self.start("users")
        read, asked = self.monolith.read, []

        def read_late(feed, after, wait, limit):
            body, last = read(feed, after, wait, limit)
            if feed == "users":
                asked.append(after)
                last = last - 1 if body else last
            return body, last
        self.monolith.read = read_late
        for number in (1, 2, 3):
            self.monolith.put("users", user(number))
            wait_until(lambda last=number: self.cursor(program, "users") == last, "the event")
        self.assertEqual([after for after in asked if after == 0][1:], [])
        self.assertEqual(program.complaints(), "")

    def test_a_delete_removes_the_row_and_a_second_one_nothing(self):
        self.monolith.put("threads", thread(1))
        self.monolith.put("threads", thread(2))
        program = self.start("threads")
        self.monolith.add("threads", "delete", 1)
        self.monolith.add("threads", "delete", 1)
        wait_until(lambda: self.cursor(program, "threads") == 4, "both deletes")
        self.assertEqual([row["id"] for row in self.rows(program, "/api/threads")], [2])

    def test_likes_are_known_by_two_ids(self):
        self.monolith.add("likes", "put", "3:4", {"post": 3, "user": 4, "created_ms": 1})
        self.monolith.add("likes", "put", "3:5", {"post": 3, "user": 5, "created_ms": 1})
        self.monolith.add("likes", "delete", "3:4")
        self.start("posts").stop()
        with sqlite3.connect(os.path.join(self.folder, "posts.db")) as database:
            self.assertEqual(database.execute("SELECT post_id, user_id FROM likes").fetchall(),
                             [(3, 5)])
        database.close()

    def test_an_older_epoch_does_not_undo_a_newer_one_in_a_copy(self):
        self.monolith.put("users", user(1) | {"username": "new"}, epoch=2)
        self.monolith.put("users", user(1) | {"username": "old"}, epoch=1)
        self.start("posts").stop()
        with sqlite3.connect(os.path.join(self.folder, "posts.db")) as database:
            self.assertEqual(database.execute("SELECT username FROM users").fetchall(), [("new",)])
        database.close()

    def test_twenty_kills_at_random_moments_lose_and_double_nothing(self):
        choose = random.Random(11)
        expected = {}
        stop = threading.Event()

        def write():
            number = 0
            while not stop.is_set():
                number += 1
                row = post(1 + number % 300, f"Version {number}")
                expected[row["id"]] = row["text"]
                self.monolith.put("posts", row)
                stop.wait(0.0005)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            program = self.start("posts")
            for _ in range(20):
                stop.wait(choose.uniform(0, 0.25))
                self.assertEqual(program.kill(), -signal.SIGKILL)
                program = self.start("posts")
        finally:
            stop.set()
            writer.join()
        wait_until(lambda: self.cursor(program, "posts") == self.monolith.last("posts"), "the end")
        self.assertEqual([row["text"] for row in self.rows(program, "/api/posts")],
                         [expected[number] for number in sorted(expected)])

    def test_a_bad_event_stops_its_feed_and_nothing_else(self):
        good = {"seq": 5, "feed": "users", "epoch": 1, "at_ms": 1, "op": "put", "id": 1,
                "row": user(1)}
        self.monolith.put("sessions", {"id": "ab", "user": 1, "created_ms": 1, "expires_ms": 2})
        program = self.start("users")
        line = json.dumps(good).encode() + b"\n"
        for bad in [b"nonsense\n", b"[]\n", b"\n", b"{}\n", line[:-2], line[:-1],
                    line.replace(b'"put"', b'"twist"'), line.replace(b'"seq": 5', b'"seq": -5'),
                    line.replace(b'"seq": 5', b'"seq": 5.5'), line.replace(b'"bio"', b'"oib"'),
                    line.replace(b'"created_ms": 1', b'"created_ms": "1"'), b"\xff\xfe\n",
                    b"[" * 100000 + b"\n", line + b"{"]:
            self.monolith.raw["users"] = bad
            self.monolith.put("sessions", {"id": "ab", "user": 1, "created_ms": 1,
                                           "expires_ms": 2})
            last = self.monolith.last("sessions")
            wait_until(lambda: self.cursor(program, "sessions") == last, "the other feed")
            self.assertEqual(self.rows(program, "/api/users"), [])
            self.assertEqual(self.cursor(program, "users"), 0)
        del self.monolith.raw["users"]
        self.monolith.put("users", user(1))
        wait_until(lambda: self.rows(program, "/api/users") != [], "the feed goes on")
        wait_until(lambda: "feed users" in program.complaints(), "the complaint")

    def test_lag_grows_while_the_source_is_away_and_ends_when_it_is_back(self):
        program = self.start("users")
        wait_until(lambda: self.lag(program, "users") == 0, "no lag")
        port = self.monolith.server.server_address[1]
        self.monolith.stop()
        wait_until(lambda: self.lag(program, "users") > 0.5, "lag")
        self.assertEqual(ask(program, "/api/users").status, 200)
        self.monolith = ScriptedMonolith(port)
        wait_until(lambda: self.lag(program, "users") == 0, "no lag")
        self.monolith.put("users", user(7))
        wait_until(lambda: self.rows(program, "/api/users") != [], "the event")


class Rows(Service):
    """A new service takes the rows of the monolith, and follows the feeds from there on."""

    def setUp(self):
        super().setUp()
        self.row = json.dumps(user(1)).encode() + b"\n"
        self.monolith.state = {"owner": "legacy", "epoch": 3, "feeds_last": {"users": 7},
                               "cursors": {"sessions@extracted": 9, "users@extracted": 4}}
        for _ in range(7):
            self.monolith.put("users", user(9))

    def test_it_goes_on_where_the_rows_end(self):
        self.monolith.rows["users"] = self.row
        self.monolith.put("users", user(2))
        program = self.start("users")
        wait_until(lambda: self.cursor(program, "users") == 8, "the event")
        self.assertEqual([row["id"] for row in self.rows(program, "/api/users")], [1, 2])
        state = self.owner(program, "users")
        self.assertEqual((state["owner"], state["epoch"]), ("legacy", 3))
        program.stop()
        with sqlite3.connect(os.path.join(self.folder, "users.db")) as database:
            self.assertEqual(database.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchall(), [(9,)])
        database.close()
        self.monolith.rows["users"] = b"not asked for again"
        self.start("users")

    def refuse(self):
        program = Program("users", self.folder, "--monolith", self.monolith.origin)
        self.running.append(program)
        self.assertEqual(program.wait(), 1)
        self.assertIn("cannot import: ", program.complaints().splitlines()[-1])
        with sqlite3.connect(os.path.join(self.folder, "users.db")) as database:
            for table in ("users", "cursors", "service_facts"):
                self.assertEqual(database.execute(f"SELECT * FROM {table}").fetchall(), [], table)
        database.close()

    def test_what_is_not_understood_ends_the_start_and_leaves_nothing(self):
        good = dict(self.monolith.state)
        for bad in [b"nonsense\n", b"[]\n", b"\n", b"{}\n", self.row[:-2], self.row[:-1],
                    self.row + b"{", self.row.replace(b'"bio"', b'"oib"'), b"\xff\xfe\n",
                    self.row.replace(b'"id": 1', b'"id": 1.5'), b"[" * 100000 + b"\n",
                    self.row.replace(b'"id": 1', b'"id": "%s"' % (b"9" * 200)),
                    self.row + self.row.replace(b'"id": 1', b'"id": 2')]:  # the name is taken
            self.monolith.rows["users"] = bad
            self.refuse()
        self.monolith.rows["users"] = self.row
        for bad in [[], {}, good | {"owner": "me"}, good | {"epoch": 0}, good | {"epoch": "3"}, 5]:
            self.monolith.state = bad
            self.refuse()
        self.monolith.state = good | {"feeds_last": [], "cursors": 5}
        program = self.start("users")
        wait_until(lambda: self.cursor(program, "users") == 7, "the feed from its start")


class Ownership(Service):
    def test_it_starts_with_the_other_side_and_moves_forward_only(self):
        for name in FEEDS:
            program = self.start(name)
            first = self.owner(program, name)
            self.assertEqual((first["aggregate"], first["owner"], first["epoch"]),
                             (name, "legacy", 1))
            self.assertEqual(first["outbox_last"], 0)
            own = {"users": ["users", "accounts", "sessions"], "threads": ["categories", "threads"],
                   "posts": ["posts", "likes"]}[name]
            self.assertEqual(first["cursors"], {f"{feed}@legacy": 0 for feed in own})
            for owner, epoch, status in [("extracted", 2, 200), ("extracted", 2, 200),
                                         ("legacy", 2, 409), ("legacy", 1, 409),
                                         ("legacy", 3, 200), ("extracted", 4, 200)]:
                answer = self.set_owner(program, name, owner, epoch)
                self.assertEqual(answer.status, status, (owner, epoch, answer.body))
            self.assertEqual(program.kill(), -signal.SIGKILL)
            program = self.start(name)
            self.assertEqual(self.owner(program, name)["epoch"], 4)
            self.assertEqual(self.owner(program, name)["owner"], "extracted")

    def test_a_late_change_is_told_who_owns(self):
        program = self.start("users")
        self.set_owner(program, "users", "extracted", 7)
        answer = self.set_owner(program, "users", "legacy", 3)
        self.assertEqual((answer.status, answer.one("content-type")),
                         (409, "application/problem+json"))
        said = json.loads(answer.body)
        self.assertEqual((said["title"], said["aggregate"], said["owner"], said["epoch"]),
                         ("Not the write owner", "users", "extracted", 7))

    def test_nonsense_changes_nothing(self):
        program = self.start("posts")
        for body in ["", "{", "[]", "{}", '{"owner":"legacy"}', '{"owner":"me","epoch":2}',
                     '{"owner":"extracted","epoch":0}', '{"owner":"extracted","epoch":"2"}',
                     '{"owner":"extracted","epoch":2.5}', '{"owner":1,"epoch":2}',
                     '{"owner":"extracted","epoch":99999999999999999999}',
                     '{"owner":"extracted","owner":"legacy","epoch":2}']:
            answer = ask(program, "/internal/owner/posts", "--data-binary", body)
            self.assertEqual(answer.status, 422, body)
        self.assertEqual(ask(program, "/internal/owner/posts", "-d", "x" * 5000).status, 413)
        self.assertEqual(self.set_owner(program, "users", "extracted", 2).status, 404)
        self.assertEqual(self.owner(program, "posts")["epoch"], 1)

    def test_an_owner_passes_over_events_of_earlier_epochs(self):
        self.monolith.put("users", user(1, "before"))
        program = self.start("users")
        self.set_owner(program, "users", "extracted", 2)
        self.monolith.put("users", user(1, "late"), epoch=1)
        wait_until(lambda: self.cursor(program, "users") == 2, "the cursor")
        self.assertEqual(self.rows(program, "/api/users/1")["name"], "before")
        self.set_owner(program, "users", "legacy", 3)
        self.monolith.put("users", user(1, "back"), epoch=3)
        wait_until(lambda: self.rows(program, "/api/users/1")["name"] == "back", "the event")

    def test_an_owner_starts_without_the_monolith_and_keeps_its_rows(self):
        self.monolith.put("users", user(1))
        program = self.start("users")
        self.set_owner(program, "users", "extracted", 2)
        program.stop()
        self.monolith.events.clear()
        self.monolith.read = lambda *arguments: (b"", 0)
        program = self.start("users")
        self.assertEqual(len(self.rows(program, "/api/users")), 1)


class LongPoll(Service):
    def add_event(self, name, feed, row):
        """As a write of the service does: the row's event, in the service's own database."""
        with sqlite3.connect(os.path.join(self.folder, name + ".db")) as database:
            database.execute(
                "INSERT INTO outbox (feed, epoch, at_ms, body) VALUES (?, 2, 5, ?)",
                (feed, '"op":"put","id":%d,"row":%s' % (row["id"], json.dumps(row))))
        database.close()

    def test_the_feed_is_ndjson_in_order_with_its_end_named(self):
        program = self.start("users")
        for number in range(1, 8):
            self.add_event("users", "users", user(number))
        answer = ask(program, "/internal/feed/users?after=2&limit=3")
        self.assertEqual((answer.status, answer.one("content-type"), answer.one("x-feed-last")),
                         (200, "application/x-ndjson", "7"))
        events = [json.loads(line) for line in answer.body.splitlines()]
        self.assertEqual([event["seq"] for event in events], [3, 4, 5])
        self.assertEqual(events[0], {"seq": 3, "feed": "users", "epoch": 2, "at_ms": 5,
                                     "op": "put", "id": 3, "row": user(3)})
        self.assertEqual(ask(program, "/internal/feed/users?after=7").body, b"")
        self.assertEqual(ask(program, "/internal/feed/accounts").one("x-feed-last"), "0")

    def test_an_empty_feed_answers_when_the_wait_is_over(self):
        program = self.start("users")
        begun = time.monotonic()
        answer = ask(program, "/internal/feed/users?wait=1s")
        self.assertEqual((answer.status, answer.body, answer.one("x-feed-last")), (200, b"", "0"))
        self.assertTrue(1 <= time.monotonic() - begun < WAIT_S)

    def test_bad_questions_are_refused(self):
        program = self.start("users")
        for query in ["after=-1", "after=x", "after=", "after=9999999999999999", "limit=0",
                      "limit=501", "wait=31s", "wait=1", "wait=s", "wait=10h"]:
            self.assertEqual(ask(program, "/internal/feed/users?" + query).status, 400, query)
        for feed in ["posts", "user", "userss", "%75sers", "Users%00"]:
            self.assertEqual(ask(program, f"/internal/feed/{feed}").status, 404, feed)

    def test_a_stop_answers_those_who_wait(self):
        program = self.start("users")
        clients = [Http2Client(program.port) for _ in range(5)]
        for client in clients:
            client.start("/internal/feed/users?wait=30s")
            client.wait_ping()  # it has been read
        program.process.send_signal(signal.SIGTERM)
        for client in clients:
            self.assertEqual(client.wait(1).status, 200)
            client.close()
        self.assertEqual(program.wait(), 0)

    def test_those_who_leave_while_they_wait_hold_nothing(self):
        program = self.start("users")
        path = b"/internal/feed/users?wait=30s"
        ask_frame = b"\x82\x86\x04" + bytes([len(path)]) + path
        settings = h2_frame(4, 0, 0, settings_payload({}))
        for _ in range(50):
            asks = b"".join(h2_frame(1, 5, stream, ask_frame) for stream in range(1, 60, 2))
            resets = b"".join(h2_frame(3, 0, stream, b"\0\0\0\x08") for stream in range(1, 30, 2))
            program.throw(PREFACE + settings + asks + resets)
        with program.connect() as many:  # more than may wait: the rest is answered at once
            asks = b"".join(h2_frame(1, 5, stream, ask_frame) for stream in range(1, 1999, 2))
            many.sendall(PREFACE + settings + asks)
            self.assertEqual(ask(program, "/health").status, 200)
        self.assertEqual(ask(program, "/internal/feed/users").status, 200)


class Threads(Service):
    """/api/2.0 of the threads service."""

    TOKEN = "t" * 43

    def setUp(self):
        super().setUp()
        for number, slug in [(1, "lounge"), (2, "empty")]:
            self.monolith.put("categories", {"id": number, "slug": slug, "title": slug.title(),
                                             "description": "About.", "position": number})
        self.monolith.put("users", user(1))
        for number in range(1, 46):
            self.monolith.put("threads", thread(number, f"Title {number} <é>"))
        self.program = self.start("threads")

    def hash_of(self, token):
        return hashlib.sha256(token.encode()).hexdigest()

    def put_session(self, token, life_ms=10 ** 6):
        hash_of_token = self.hash_of(token)
        self.monolith.put("sessions", {"id": hash_of_token, "user": 1, "created_ms": 1,
                                       "expires_ms": int(time.time() * 1000) + life_ms})
        last = self.monolith.last("sessions")
        wait_until(lambda: self.cursor(self.program, "sessions") == last, "the session")

    def add(self, body, *options, token=TOKEN, kind="application/json"):
        return ask(self.program, "/api/2.0/threads", "-H", f"content-type: {kind}", "-H",
                   f"cookie: a=b; sid={token}", "--data-binary",
                   body if isinstance(body, str) else json.dumps(body), *options)

    def test_lists_come_in_pages_newest_first(self):
        titles = []
        for page in [1, 2, 3]:
            said = self.rows(self.program, f"/api/2.0/categories/lounge/threads?page={page}")
            self.assertEqual((said["page"], said["pages"], said["total"]), (page, 3, 45))
            self.assertNotIn("degraded", said)
            titles += [item["title"] for item in said["items"]]
        self.assertEqual(titles, [f"Title {number} <é>" for number in range(45, 0, -1)])
        for page in ["4", "999999999999999"]:
            self.assertEqual(self.rows(self.program,
                                       f"/api/2.0/categories/lounge/threads?page={page}")["items"],
                             [])
        self.assertEqual(self.rows(self.program, "/api/2.0/categories/empty/threads"),
                         {"items": [], "page": 1, "pages": 1, "total": 0})

    def test_objects_are_whole(self):
        self.assertEqual(self.rows(self.program, "/api/2.0/threads/3"),
                         {"id": 3, "title": "Title 3 <é>",
                          "category": {"slug": "lounge", "title": "Lounge"},
                          "author": {"id": 1, "username": "user1"},
                          "created_at": "1970-01-01T00:00:00Z"})
        batch = self.rows(self.program, "/api/2.0/threads?ids=7,99,3")
        self.assertEqual([item["id"] for item in batch["items"]], [7, 3])
        self.assertEqual([item["slug"] for item in
                          self.rows(self.program, "/api/2.0/categories")["items"]],
                         ["lounge", "empty"])

    def test_what_is_not_there_is_404_what_is_odd_422(self):
        for path, status in [("threads/99", 404), ("threads/0", 404), ("threads/x", 404),
                             ("threads/1x", 404), ("threads/" + "9" * 40, 404),
                             ("categories/none/threads", 404), ("categories/%00/threads", 404),
                             ("categories/lounge/threads?page=0", 422),
                             ("categories/lounge/threads?page=x", 422), ("threads", 422),
                             ("threads?ids=", 422), ("threads?ids=1,,2", 422),
                             ("threads?ids=" + ",".join(["1"] * 101), 422)]:
            answer = ask(self.program, "/api/2.0/" + path)
            self.assertEqual((answer.status, answer.one("content-type")),
                             (status, "application/problem+json"), path)
            self.assertEqual(json.loads(answer.body)["status"], status)

    def test_an_author_who_is_not_here_is_asked_for_and_left_out_when_late(self):
        self.monolith.put("threads", thread(50) | {"createdBy": 7})
        wait_until(lambda: ask(self.program, "/api/2.0/threads/50").status == 200, "the thread")
        said = self.rows(self.program, "/api/2.0/threads/50")
        self.assertEqual((said["author"], said["degraded"]), (None, ["users"]))
        self.monolith.names[7] = "late \"arrival\""
        for path in ["threads/50", "threads?ids=50", "categories/lounge/threads"]:
            said = self.whole(path)
            thread_said = said["items"][0] if "items" in said else said
            self.assertEqual(thread_said["author"], {"id": 7, "username": "late \"arrival\""})
        self.monolith.answers.clear()
        begun = time.monotonic()
        for path in ["threads/50", "threads?ids=50", "categories/lounge/threads"]:
            said = self.rows(self.program, "/api/2.0/" + path)
            self.assertEqual(said["degraded"], ["users"])
        self.assertLess(time.monotonic() - begun, WAIT_S / 2)
        self.monolith.answers.set()

    def whole(self, path):
        """With what others know: on a busy machine they may be too late for it at first."""
        said = []

        def is_whole():
            said.append(self.rows(self.program, "/api/2.0/" + path))
            return "degraded" not in said[-1]
        wait_until(is_whole, "all names")
        return said[-1]

    def test_writes_are_refused_until_the_service_owns_them(self):
        self.put_session(self.TOKEN)
        body = {"category": "lounge", "title": "A new one"}
        answer = self.add(body)
        self.assertEqual((answer.status, answer.one("content-type")),
                         (409, "application/problem+json"))
        said = json.loads(answer.body)
        self.assertEqual((said["title"], said["aggregate"], said["owner"], said["epoch"]),
                         ("Not the write owner", "threads", "legacy", 1))
        self.assertEqual(self.owner(self.program, "threads")["outbox_last"], 0)
        self.set_owner(self.program, "threads", "extracted", 2)
        answer = self.add(body)
        self.assertEqual((answer.status, answer.one("location")), (201, "/api/2.0/threads/46"))
        self.assertEqual(self.rows(self.program, "/api/threads/46"),
                         {"id": 46, "title": "A new one", "createdBy": 1})
        self.set_owner(self.program, "threads", "legacy", 3)
        self.assertEqual(self.add(body).status, 409)

    def test_a_new_thread_is_in_the_feed_at_once_and_survives_a_kill(self):
        self.put_session(self.TOKEN)
        self.set_owner(self.program, "threads", "extracted", 2)
        delays = []
        for number in range(46, 56):
            after = self.owner(self.program, "threads")["outbox_last"]
            heard = []
            listener = threading.Thread(target=lambda: heard.append(
                (ask(self.program, f"/internal/feed/threads?after={after}&wait=20s"),
                 time.monotonic())))
            before = connections(self.program)
            listener.start()
            wait_until(lambda: connections(self.program) > before, "the long poll")
            answer = self.add({"category": "lounge", "title": f"New {number} \"\\\u0001é"})
            written = time.monotonic()
            self.assertEqual(answer.status, 201)
            listener.join(WAIT_S)
            delays.append(heard[0][1] - written)
            event = json.loads(heard[0][0].body)
            self.assertEqual((event["op"], event["id"], event["epoch"], event["row"]["title"]),
                             ("put", number, 2, f"New {number} \"\\\u0001é"))
            self.assertEqual(set(event["row"]),
                             {"id", "title", "createdBy", "category", "created_ms"})
        self.assertLess(sorted(delays)[len(delays) // 2], AT_ONCE_S, delays)
        self.program.kill()
        self.program = self.start("threads")
        self.assertEqual(self.rows(self.program, "/api/2.0/threads/55")["id"], 55)
        self.assertEqual(self.owner(self.program, "threads")["outbox_last"], 10)

    def test_a_session_is_known_by_the_copy_by_asking_or_not_at_all(self):
        self.set_owner(self.program, "threads", "extracted", 2)
        body = {"category": "lounge", "title": "A new one"}
        self.assertEqual(self.add(body).status, 401)
        self.assertEqual(self.monolith.asked, 1)
        self.monolith.sessions[self.hash_of(self.TOKEN)] = 1
        self.assertEqual(self.add(body).status, 201)
        self.put_session("u" * 43)
        asked = self.monolith.asked
        self.assertEqual(self.add(body, token="u" * 43).status, 201)
        self.assertEqual(self.monolith.asked, asked)
        self.put_session("v" * 43, life_ms=-1)
        self.assertEqual(self.add(body, token="v" * 43).status, 401)
        self.monolith.add("sessions", "delete", self.hash_of("u" * 43))
        wait_until(lambda: self.add(body, token="u" * 43).status == 401, "the log-out")
        check, self.monolith.check = self.monolith.check, lambda _: (409, {})
        self.assertEqual(self.add(body).status, 503)  # who does not own the sessions denies none
        self.monolith.check = check
        self.monolith.answers.clear()
        begun = time.monotonic()
        answer = self.add(body)  # who would know says nothing: not a stranger, not a guest
        self.assertEqual((answer.status, answer.one("retry-after")), (503, "1"))
        self.assertLess(time.monotonic() - begun, WAIT_S / 2)
        self.assertEqual(ask(self.program, "/api/2.0/categories", "-H",
                             f"cookie: sid={self.TOKEN}").status, 200)
        self.monolith.answers.set()

    def test_hostile_writes_are_refused_and_store_nothing(self):
        self.put_session(self.TOKEN)
        self.set_owner(self.program, "threads", "extracted", 2)
        good = {"category": "lounge", "title": "A new one"}
        for body, status in [("", 400), ("{", 400), ("[]", 400), ("[" * 60000, 400),
                             ('{"title":"a","title":"b"}', 400), ({}, 422),
                             (good | {"title": 5}, 422), (good | {"title": "ab"}, 422),
                             (good | {"title": "é" * 121}, 422), (good | {"title": "a\0bc"}, 422),
                             (good | {"category": "none"}, 422), (good | {"category": ""}, 422),
                             ("x" * 70000, 413)]:
            answer = self.add(body)
            self.assertEqual((answer.status, answer.one("content-type")),
                             (status, "application/problem+json"), str(body)[:50])
        self.assertEqual(self.add(good, kind="text/plain").status, 415)
        self.assertEqual(self.add(good, kind="application/jsonp").status, 415)
        self.assertEqual(self.add(good, "-H", "origin: http://evil.test").status, 403)
        self.assertEqual(self.add(good, "-H", "origin: null").status, 403)
        for token in ["", "t" * 42, "t" * 44, "t" * 42 + "!", "t" * 5000]:
            self.assertEqual(self.add(good, token=token).status, 401)
        self.assertEqual(self.owner(self.program, "threads")["outbox_last"], 0)
        own = f"origin: http://c0.test:{self.program.port}"
        self.assertEqual(self.add(good | {"title": "é" * 120}, "-H", own).status, 201)


class Posts(Service):
    """/api/2.0 of the posts service: user 1 is "t…", user 2 is "u…"."""

    def setUp(self):
        super().setUp()
        for number, token in [(1, "t" * 43), (2, "u" * 43)]:
            self.monolith.put("users", user(number))
            self.monolith.put("sessions", {
                "id": hashlib.sha256(token.encode()).hexdigest(), "user": number, "created_ms": 1,
                "expires_ms": int(time.time() * 1000) + 10 ** 6})
        self.monolith.put("threads", thread(1))
        for number in range(1, 46):
            self.monolith.put("posts", post(number, f"Post {number} über \"Feigen\" & dates"))
        self.program = self.start("posts")

    def write(self, method, path, body=None, token="t" * 43):
        options = [] if body is None else ["-H", "content-type: application/json",
                                           "--data-binary", json.dumps(body)]
        return ask(self.program, "/api/2.0/" + path, "-X", method, "-H", f"cookie: sid={token}",
                   *options)

    def own(self):
        self.set_owner(self.program, "posts", "extracted", 2)

    def events(self, feed):
        answer = ask(self.program, f"/internal/feed/{feed}")
        return [json.loads(line) for line in answer.body.splitlines()]

    def test_a_thread_is_read_in_pages_oldest_first(self):
        ids = []
        for page in [1, 2, 3]:
            said = self.rows(self.program, f"/api/2.0/threads/1/posts?page={page}")
            self.assertEqual((said["page"], said["pages"], said["total"]), (page, 3, 45))
            ids += [item["id"] for item in said["items"]]
        self.assertEqual(ids, list(range(1, 46)))
        self.assertEqual(self.rows(self.program, "/api/2.0/posts/3"),
                         {"id": 3, "thread": 1, "author": {"id": 1, "username": "user1"},
                          "text": "Post 3 über \"Feigen\" & dates",
                          "created_at": "1970-01-01T00:00:00Z", "edited_at": None, "likes": 0,
                          "liked": False})
        for path in ["threads/2/posts", "posts/99", "posts/x"]:
            self.assertEqual(ask(self.program, "/api/2.0/" + path).status, 404, path)

    def test_every_write_is_refused_until_the_service_owns_them(self):
        for method, path, body in [("POST", "threads/1/posts", {"text": "a"}),
                                   ("PATCH", "posts/1", {"text": "a"}), ("DELETE", "posts/1", None),
                                   ("PUT", "posts/1/like", None), ("DELETE", "posts/1/like", None)]:
            answer = self.write(method, path, body)
            self.assertEqual(answer.status, 409, (method, path))
            self.assertEqual(json.loads(answer.body)["aggregate"], "posts")
            self.assertEqual(self.write(method, path, body, token="x" * 43).status, 401)
        self.assertEqual(self.events("posts") + self.events("likes"), [])

    def test_posts_are_written_edited_and_deleted(self):
        self.own()
        answer = self.write("POST", "threads/1/posts", {"text": "Neu \U0001f331\n\"<b>\""})
        self.assertEqual((answer.status, answer.one("location")), (201, "/api/2.0/posts/46"))
        self.assertEqual(json.loads(answer.body)["text"], "Neu \U0001f331\n\"<b>\"")
        self.assertEqual(self.write("PATCH", "posts/46", {"text": "No"}, "u" * 43).status, 403)
        edited = self.write("PATCH", "posts/46", {"text": "Besser"})
        self.assertEqual((edited.status, json.loads(edited.body)["text"]), (200, "Besser"))
        self.assertRegex(json.loads(edited.body)["edited_at"], r"^20\d\d-")
        self.assertEqual(self.write("DELETE", "posts/46", token="u" * 43).status, 403)
        self.assertEqual(self.write("DELETE", "posts/46").status, 204)
        self.assertEqual(self.write("DELETE", "posts/46").status, 404)
        self.assertEqual(ask(self.program, "/api/2.0/posts/46").status, 404)
        events = self.events("posts")
        self.assertEqual([(event["op"], event["id"], event["epoch"], event["row"]["text"],
                           event["row"]["deleted"]) for event in events],
                         [("put", 46, 2, "Neu \U0001f331\n\"<b>\"", False),
                          ("put", 46, 2, "Besser", False), ("put", 46, 2, "", True)])
        self.assertEqual(json.loads(self.write("POST", "threads/1/posts", {"text": "x"}).body)["id"],
                         47)
        for body, status in [({}, 422), ({"text": ""}, 422), ({"text": "a" * 10001}, 422),
                             ({"text": "a\0"}, 422), ({"text": 5}, 422), ([], 400)]:
            self.assertEqual(self.write("POST", "threads/1/posts", body).status, status, str(body)[:40])
        self.assertEqual(self.write("POST", "threads/9/posts", {"text": "x"}).status, 404)

    def test_liking_twice_is_liking_once(self):
        self.own()
        for token in ["t" * 43, "t" * 43, "u" * 43]:
            self.assertEqual(self.write("PUT", "posts/3/like", token=token).status, 204)
        said = json.loads(self.write("GET", "posts/3").body)
        self.assertEqual((said["likes"], said["liked"]), (2, True))
        self.assertFalse(self.rows(self.program, "/api/2.0/posts/3")["liked"])
        for _ in range(2):
            self.assertEqual(self.write("DELETE", "posts/3/like").status, 204)
        self.assertEqual(self.rows(self.program, "/api/2.0/posts/3")["likes"], 1)
        self.assertEqual([(event["op"], event["id"]) for event in self.events("likes")],
                         [("put", "3:1"), ("put", "3:2"), ("delete", "3:1")])

    def test_search_finds_words_and_gives_no_sign_a_meaning(self):
        def found(words):
            answer = ask(self.program, "/api/2.0/search?q=" + words)
            self.assertEqual(answer.status, 200, (words, answer.body))
            return json.loads(answer.body)
        self.assertEqual(found("feigen")["total"], 45)
        self.assertEqual([item["id"] for item in found("POST+17")["items"]], [17])
        self.assertEqual(found("%C3%BCber%20dates&page=3")["total"], 45)
        for odd in ["%22", "*", "feigen*", "NEAR(a,b)", "a+OR+b", "text:post", "-post", "(", "%27",
                    "%22%22%22", "^post", "%7B", "a%09b", "+".join(["w"] * 100)]:
            self.assertLessEqual(found(odd)["total"], 45)
        for bad in ["", "+", "a%00", "a" * 201]:
            self.assertEqual(ask(self.program, "/api/2.0/search?q=" + bad).status, 422, bad)
        for bad in ["%", "%2", "%zz", "%ff"]:
            self.assertEqual(ask(self.program, "/api/2.0/search?q=" + bad).status, 400, bad)
        self.own()
        self.write("PATCH", "posts/17", {"text": "Something else"})
        self.write("DELETE", "posts/18")
        self.assertEqual((found("feigen")["total"], found("else")["total"]), (43, 1))


class Users(Service):
    """/api/2.0 of the users service, and the others asking it."""

    TOKEN = "t" * 43

    def setUp(self):
        super().setUp()
        for number in [1, 2]:
            self.monolith.put("users", user(number))
        self.monolith.put("sessions", {
            "id": hashlib.sha256(self.TOKEN.encode()).hexdigest(), "user": 1, "created_ms": 1,
            "expires_ms": int(time.time() * 1000) + 10 ** 6})
        self.program = self.start("users")

    def edit(self, number, body, token=TOKEN):
        return ask(self.program, f"/api/2.0/users/{number}", "-X", "PATCH", "-H",
                   "content-type: application/json", "-H", f"cookie: sid={token}",
                   "--data-binary", json.dumps(body))

    def test_people_are_read_one_by_one_in_batches_and_by_session(self):
        whole = {"id": 1, "username": "user1", "name": "someone", "bio": "",
                 "created_at": "1970-01-01T00:00:00Z"}
        self.assertEqual(self.rows(self.program, "/api/2.0/users/1"), whole)
        self.assertEqual(json.loads(ask(self.program, "/api/2.0/me", "-H",
                                        f"cookie: sid={self.TOKEN}").body), whole)
        self.assertEqual(ask(self.program, "/api/2.0/me").status, 401)
        batch = self.rows(self.program, "/api/2.0/users?ids=2,7,1")
        self.assertEqual([item["id"] for item in batch["items"]], [2, 1])
        for path, status in [("users/9", 404), ("users/x", 404), ("users", 422)]:
            self.assertEqual(ask(self.program, "/api/2.0/" + path).status, status, path)

    def test_a_profile_is_changed_by_its_owner_once_the_service_owns_it(self):
        new = {"name": "Nëw", "bio": "line\n<two>"}
        self.assertEqual(self.edit(1, new).status, 409)
        self.set_owner(self.program, "users", "extracted", 2)
        self.assertEqual(self.edit(2, new).status, 403)
        self.assertEqual(self.edit(1, new, token="x" * 43).status, 401)
        for bad in [{"name": 5}, {"name": "a" * 81, "bio": ""}, {"name": "", "bio": "b" * 501}]:
            self.assertEqual(self.edit(1, bad).status, 422)
        answer = self.edit(1, new)
        self.assertEqual((answer.status, json.loads(answer.body)["name"]), (200, "Nëw"))
        event = json.loads(ask(self.program, "/internal/feed/users").body)
        self.assertEqual((event["id"], event["epoch"], event["row"]), (1, 2, user(1) | new))

    def test_the_others_follow_it_and_ask_it(self):
        posts = self.start("posts", "--users", self.program.origin)
        self.set_owner(self.program, "users", "extracted", 2)
        self.monolith.put("threads", thread(1))
        self.monolith.put("posts", post(1))
        wait_until(lambda: ask(posts, "/api/2.0/posts/1").status == 200, "the post")
        self.assertEqual(self.rows(posts, "/api/2.0/posts/1")["author"]["username"], "user1")
        self.assertEqual(self.edit(1, {"name": "a", "bio": "b"}).status, 200)
        wanted = b'feed_cursor{feed="users",source="extracted"} 1\n'
        wait_until(lambda: wanted in ask(posts, "/metrics").body, "the event")


class WithTheRealMonolith(unittest.TestCase):
    def test_the_posts_service_answers_like_the_monolith(self):
        with tempfile.TemporaryDirectory() as folder:
            monolith = Program("monolith", folder).wait_ready()
            posts = Program("posts", folder, "--monolith", monolith.origin).wait_ready()
            for path in ["threads/1/posts", "threads/1/posts?page=2", "posts/1", "posts/7",
                         "search?q=the", "search?q=the&page=2", "search?q=zebra"]:
                old, new = ask(monolith, "/api/2.0/" + path), ask(posts, "/api/2.0/" + path)
                self.assertEqual((old.status, old.body), (new.status, new.body), path)
            self.assertEqual((posts.stop(), monolith.stop()), (0, 0))
            self.assertEqual(posts.complaints(), "")

    def test_the_threads_service_answers_like_the_monolith(self):
        with tempfile.TemporaryDirectory() as folder:
            monolith = Program("monolith", folder).wait_ready()
            threads = Program("threads", folder, "--monolith", monolith.origin).wait_ready()
            for path in ["categories", "categories/lounge/threads", "categories/running/threads",
                         "categories/lounge/threads?page=2", "threads/1", "threads?ids=3,1,2,400"]:
                old, new = ask(monolith, "/api/2.0/" + path), ask(threads, "/api/2.0/" + path)
                self.assertEqual((old.status, old.body), (new.status, new.body), path)
            self.assertEqual((threads.stop(), monolith.stop()), (0, 0))
            self.assertEqual(threads.complaints(), "")


def h2_frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + \
        payload


def connections(program):
    """How many are connected to a program (states of /proc/net/tcp: 01 is established)."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    local = f":{program.port:04X}"
    return sum(row[1].endswith(local) and row[3] == "01" for row in rows)


if __name__ == "__main__":
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
