"""The extracted services on their own: feeds, ownership, and what happens when they are killed.

A scripted monolith offers feeds (and nothing else), so that every event is this file's own. Needs
STRANGLER_BUILD (the build folder) and curl.
"""

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

from http2_peer import settings_payload
from services_programs import Program, ask

WHOLE_RUN_SECONDS = 240
WAIT_S = 20
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
        if parts[1:3] != ["internal", "feed"]:
            self.answer(404, b"Not Found", 0)
            return
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        wait = int(query.get("wait", "0s")[:-1])
        body, last = self.server.owner.read(parts[3], int(query["after"]), wait,
                                            int(query["limit"]))
        self.answer(200, body, last)

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

    def __init__(self, address=("127.0.0.1", 0)):
        self.seq = 0
        self.events = {}
        self.raw = {}
        self.changed = threading.Condition()
        self.is_over = False
        self.server = FeedServer(address, FeedAnswers)
        self.server.owner = self
        self.origin = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        with self.changed:
            self.is_over = True
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
            if feed in self.raw:
                return self.raw[feed], 10 ** 6
            self.changed.wait_for(
                lambda: self.is_over or self.last(feed) > after, timeout=wait)
            events = [event for event in self.events.get(feed, []) if event["seq"] > after]
            lines = [json.dumps(event).encode() + b"\n" for event in events[:limit]]
            return b"".join(lines), self.last(feed)

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
        program = self.start("users")
        for round_number in range(20):
            self.monolith.put("users", user(1, f"name {round_number}"))
            begun = time.monotonic()
            wait_until(lambda: self.rows(program, "/api/users/1")["name"] ==
                       f"name {round_number}" if ask(program, "/api/users/1").status == 200
                       else False, "the event")
            self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(self.lag(program, "users"), 0)

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
        self.assertIn("feed users", program.complaints())

    def test_lag_grows_while_the_source_is_away_and_ends_when_it_is_back(self):
        program = self.start("users")
        wait_until(lambda: self.lag(program, "users") == 0, "no lag")
        origin = self.monolith.server.server_address
        self.monolith.stop()
        wait_until(lambda: self.lag(program, "users") > 0.5, "lag")
        self.assertEqual(ask(program, "/api/users").status, 200)
        self.monolith = ScriptedMonolith(origin)
        wait_until(lambda: self.lag(program, "users") == 0, "no lag")
        self.monolith.put("users", user(7))
        wait_until(lambda: self.rows(program, "/api/users") != [], "the event")


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
        self.assertTrue(1 <= time.monotonic() - begun < 5)

    def test_bad_questions_are_refused(self):
        program = self.start("users")
        for query in ["after=-1", "after=x", "after=", "after=9999999999999999", "limit=0",
                      "limit=501", "wait=31s", "wait=1", "wait=s", "wait=10h"]:
            self.assertEqual(ask(program, "/internal/feed/users?" + query).status, 400, query)
        for feed in ["posts", "user", "userss", "%75sers", "Users%00"]:
            self.assertEqual(ask(program, f"/internal/feed/{feed}").status, 404, feed)

    def test_a_stop_answers_those_who_wait(self):
        program = self.start("users")
        answers = []
        waiting = [threading.Thread(
            target=lambda: answers.append(ask(program, "/internal/feed/users?wait=30s")))
            for _ in range(5)]
        for each in waiting:
            each.start()
        wait_until(lambda: connections(program) == 5, "the long polls")
        self.assertEqual(program.stop(), 0)
        for each in waiting:
            each.join(WAIT_S)
        self.assertEqual([answer.status for answer in answers], [200] * 5)

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
