"""Accounts and sessions at the users service: as the monolith has them, and across both sides.

Needs STRANGLER_BUILD (the build folder).
"""

import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from http1_backend import Gone
from http2_peer import Http2Client
from monolith_client import PROBLEM
from pages_visitor import Visitor
from pages_visitor import comparable as comparable_page
from services_programs import BUILD, Program
from strangler_test import free_port, wait_until

WHOLE_RUN_SECONDS = 280
FLIP = os.path.join(BUILD, "extracted", "flip", "flip")
KILLS = 8
FEW = 10  # passwords, two at a time: all have their turn within 10 s, which a stop has, too
JSON = [("content-type", "application/json")]
FRESH = {"username": "fresh", "password": "12345678", "name": "Fräsh"}


class Pair:
    """A monolith and a users service that follow each other."""

    def __init__(self, case):
        temporary = tempfile.TemporaryDirectory()
        case.addCleanup(temporary.cleanup)
        self.case, self.folder = case, temporary.name
        self.address = f"127.0.0.1:{free_port()}"
        self.monolith = self.keep(Program("monolith", self.folder, "--follow-users",
                                          "http://" + self.address).wait_ready())
        self.users = self.start_users()

    def keep(self, program):
        self.case.addCleanup(lambda: self.check_end(program))
        return program

    def check_end(self, program):
        if program.is_running():
            self.case.assertEqual(program.stop(), 0, program.complaints())
        self.case.assertNotRegex(program.complaints(), "Sanitizer|runtime error|: database:")

    def start_users(self):
        return self.keep(Program("users", self.folder, "--monolith", self.monolith.origin,
                                 listen=self.address).wait_ready())

    def flip(self, owner, epoch):
        settings = dict(os.environ, FORUM_LEGACY=self.monolith.origin,
                        FORUM_USERS="http://" + self.address)
        done = subprocess.run([FLIP, "users", owner, str(epoch)], env=settings, timeout=60,
                              capture_output=True, text=True, check=False)
        self.case.assertEqual((done.returncode, done.stderr), (0, ""))

    def client(self, side, cookies=None):
        client = Visitor(self.monolith if side == "legacy" else self.users, dict(cookies or {}))
        self.case.addCleanup(client.close)
        return client

    def rows(self, name, sql):
        with sqlite3.connect(os.path.join(self.folder, name + ".db")) as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return rows


def comparable(answer):
    """An answer without what differs by chance: when it was made, and the session's token."""
    fields = sorted((name.lower(), re.sub(r"sid=[\w-]{43}", "sid=TOKEN", value))
                    for name, value in answer.fields.items() if name.lower() != "date")
    body = re.sub(rb'"created_at":"20[^"]*"', b'"created_at":"NOW"', answer.body)
    fields = [field for field in fields if field[0] != "content-length"]
    return answer.status, fields, body


class LikeTheMonolith(unittest.TestCase):
    """The same requests to a monolith that owns the users, and to a service that does."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.alone = Program("monolith", folder.name).wait_ready()
        self.addCleanup(self.alone.stop)
        self.pair = Pair(self)
        self.pair.flip("extracted", 2)
        self.old, self.new = Visitor(self.alone), self.pair.client("extracted")
        self.addCleanup(self.old.close)

    def both(self, method, path, value=None, status=None, **fields):
        old, new = [client.json(method, path, value, **fields) for client in (self.old, self.new)]
        self.assertEqual(comparable(new), comparable(old), (method, path, str(value)[:100], fields))
        if status is not None:
            self.assertEqual(new.status, status, (method, path, str(value)[:100], new.body))
        return new

    def test_a_visit_with_everything_that_is_refused_on_the_way(self):
        self.refuse_accounts()
        me = self.both("POST", "/api/2.0/users", FRESH, 201).json["id"]
        self.both("GET", "/api/2.0/me", status=200)
        self.both("POST", "/api/2.0/users", FRESH, 422)
        self.both("POST", "/api/2.0/users", {**FRESH, "username": "marga"}, 422)
        self.both("POST", "/api/2.0/users", {**FRESH, "username": "Marga", "name": ""}, 201)
        self.both("POST", "/api/2.0/sessions", FRESH, 201)
        self.both("POST", "/api/2.0/sessions", FRESH, 201, x_forwarded_proto="https")
        self.edit_profiles(me)
        self.both("DELETE", "/api/2.0/sessions/current", origin="http://evil.example", status=403)
        self.both("DELETE", "/api/2.0/sessions/current", status=204)
        self.both("DELETE", "/api/2.0/sessions/current", status=401)
        self.both("GET", "/api/2.0/me", status=401)
        self.both("PATCH", f"/api/2.0/users/{me}", {"name": "x"}, 401)
        self.refuse_sessions()

    def refuse_accounts(self):
        path = "/api/2.0/users"
        for field, values in {"username": ["ab", "a" * 33, "a b", "a.b", "ä" * 4, "", 5, None, []],
                              "password": ["1234567", "x" * 201, "1234567\0", 5, None],
                              "name": ["x" * 81, "a\0b", 5, None]}.items():
            for value in values:
                self.both("POST", path, {**FRESH, field: value}, 422)
            self.both("POST", path, {key: FRESH[key] for key in FRESH if key != field}, 422)
        self.both("POST", path, {"username": "a", "password": "b", "name": "x" * 81}, 422)
        self.both("POST", path, {"username": "a", "password": "b", "name": 7}, 422)
        for body in [b"{", b"[]", b'"x"', b'{"name":"\xff"}', b'{"a":1,"a":2}', b"[" * 60000, b" "]:
            self.both("POST", path, body, 400)
        self.both("POST", path, b" " * 65537, 413)
        for kind in ["text/plain", "application/jsonx", "application/x-www-form-urlencoded"]:
            self.both("POST", path, FRESH, 415, content_type=kind)
        self.both("POST", path, FRESH, 403, origin="http://evil.example")
        self.both("POST", path, FRESH, 403, origin="null", content_type="text/plain")
        for path in ["/api/2.0/sessions", "/api/2.0/sessions/current", "/api/2.0/users",
                     "/api/2.0/users/1", "/api/2.0/me", "/api/2.0/sessions/other", "/api/2.0/x"]:
            for method in ["PUT", "OPTIONS", "BREW"]:
                self.both(method, path)
        self.both("GET", "/api/2.0/sessions", status=405)

    def edit_profiles(self, me):
        path = f"/api/2.0/users/{me}"
        for value in [{"name": "N"}, {"bio": "B\n<b>"}, {"name": "M", "bio": ""}, {}, {"x": 1}]:
            self.both("PATCH", path, value, 200)
        for value in [{"name": "x" * 81}, {"bio": "ü" * 501}, {"bio": 5}, {"name": None},
                      {"name": "x" * 81, "bio": 5}]:
            self.both("PATCH", path, value, 422)
        for user in ["1", str(me + 1), "9999"]:
            self.both("PATCH", f"/api/2.0/users/{user}", {"name": "x" * 81}, 403)
        for user in ["0", "x", "1x", "-1", "9" * 30]:
            self.both("PATCH", f"/api/2.0/users/{user}", {}, 404)
        self.both("PATCH", "/api/2.0/users/0", {"bio": 5}, 422)

    def refuse_sessions(self):
        path = "/api/2.0/sessions"
        for who in [{"username": "fresh", "password": "wrong"},
                    {"username": "nobody", "password": "12345678"},
                    {"username": "fresh", "password": "x" * 201},
                    {"username": "", "password": ""}, {"username": "FRESH", "password": "12345678"},
                    {"username": "' OR 1=1 --", "password": "'"}]:
            self.both("POST", path, who, 401)
        for who in [{"username": "fresh"}, {"password": "12345678"}, {},
                    {"username": 5, "password": "12345678"}]:
            self.both("POST", path, who, 422)

    def page(self, ask, status):
        """The same page from both, apart from CSRF words and from when somebody came."""
        old, new = [comparable_page(ask(client)) for client in (self.old, self.new)]
        since = re.compile(rb'<time datetime="20[^<]*</time>')
        self.assertEqual([since.sub(b"", part) if isinstance(part, bytes) else part for part in new],
                         [since.sub(b"", part) if isinstance(part, bytes) else part for part in old])
        self.assertEqual(new[0], status, new)
        return new

    def fill(self, path, status, action=None, **values):
        return self.page(lambda who: who.fill(path, action, **values), status)

    def test_a_visit_with_pages(self):
        register, log_in = "/forum/register", "/forum/login"
        good = {"username": "berta", "name": "Berta <b>", "password": "12345678"}
        for wrong in [{"username": "b"}, {"username": "<b>\"'&"}, {"password": "1234567"},
                      {"name": "ü<" * 41}, {"name": "a\0"}, {"username": "marga"}]:
            self.fill(register, 422, **{**good, **wrong})
        for path in (register, log_in):
            self.page(lambda who, at=path: who.form(at, good), 403)
            self.page(lambda who, at=path: who.form(at, {**good, "csrf": "0" * 64}), 403)
            self.page(lambda who, at=path: who.form(at, good, content_type="text/plain"), 415)
            self.page(lambda who, at=path: who.form(at, {**good, "x": "x" * 70000}), 413)
            self.page(lambda who, at=path: who.ask(
                "POST", at, b"username=%ff", content_type="application/x-www-form-urlencoded"), 400)
        self.page(lambda who: who.form("/forum/logout", {}), 401)
        self.fill(register, 303, **good)
        for who in (self.old, self.new):
            self.assertNotEqual(who.cookies["sid"], who.cookies["vsid"])
        me = f"/forum/u/{self.new.get('/api/2.0/me').json['id']}"
        for path, status in [(register, 200), (log_in, 200), (me, 200), (me + "/edit", 200),
                             ("/forum/u/1", 200), ("/forum/u/1/edit", 403), ("/forum/u/0", 404)]:
            self.page(lambda who, at=path: who.get(at), status)
        for wrong in [{"name": "x" * 81}, {"bio": "ü" * 501}, {"bio": "\0"}]:
            self.fill(me + "/edit", 422, **wrong)
        self.fill(me + "/edit", 303, name="B </textarea>", bio="\nhm\n<script>")
        self.page(lambda who: who.get(me), 200)
        self.page(lambda who: who.get(me + "/edit"), 200)
        self.page(lambda who: who.form("/forum/u/1/edit", {"name": "x"}), 403)
        self.fill(log_in, 401, username="berta", password="wrong")
        self.fill(log_in, 401, username="nobody <i>", password="")
        self.fill(log_in, 303, username="berta", password="12345678")
        self.page(lambda who: who.form("/forum/logout", {"csrf": "0" * 64}), 403)
        self.fill(me, 303, "/forum/logout")
        for who in (self.old, self.new):
            self.assertNotIn("sid", who.cookies)
        for path, status in [(me, 200), (me + "/edit", 303)]:
            self.page(lambda who, at=path: who.get(at), status)
        self.fill(log_in, 303, username="berta", password="12345678")
        self.page(lambda who: who.get(me), 200)

    def test_who_does_not_own_the_users_says_so_last(self):
        for pair_side, program in [("extracted", self.old), ("legacy", self.new)]:
            aggregate = {"owner": pair_side, "epoch": 5}
            self.assertEqual(program.json("POST", "/internal/owner/users", aggregate).status, 200)
        old, new = [client.json("POST", "/api/2.0/users", FRESH) for client in (self.old, self.new)]
        self.assertEqual((old.status, new.status), (409, 409))
        self.assertEqual(new.json, json.loads(old.body.replace(b"extracted", b"legacy")))
        self.assertEqual(new.json["aggregate"], "users")
        for method, path, value, status in [
                ("POST", "users", {**FRESH, "username": "ab"}, 422),
                ("POST", "sessions", {"username": "marga", "password": "wrong"}, 401),
                ("DELETE", "sessions/current", None, 401), ("PATCH", "users/1", {}, 401)]:
            self.both(method, "/api/2.0/" + path, value, status)
        for who in (self.old, self.new):
            self.assertEqual(who.log_in("marga").status, 409)
            for path in ("/forum/register", "/forum/login"):
                answer = who.fill(path, username="marga", name="", password="figs-and-dates")
                self.assertEqual(answer.status, 409)
                self.assertIn("Writes to users belong to the ", answer.page.text)
        self.fill("/forum/login", 401, username="marga", password="wrong")


class AcrossSides(unittest.TestCase):
    def test_what_one_side_made_the_other_takes(self):
        pair = Pair(self)
        epoch, delays = 1, []
        for here, there in [("legacy", "extracted"), ("extracted", "legacy")] * 2:
            if epoch > 1:
                pair.flip(here, epoch)
            writer = pair.client(here)
            name = f"made-in-{epoch}"
            me = writer.register(name).json
            reader = pair.client(there, writer.cookies)
            self.assertNotEqual(reader.get("/api/2.0/me").status, 401)
            wait_until("the user", lambda who=reader, me=me: who.get("/api/2.0/me").json == me)
            self.assertEqual(reader.json("PATCH", f"/api/2.0/users/{me['id']}", {}).status, 409)
            self.assertEqual(pair.client(there).log_in(name, "a good password").status, 409)
            for before in range(1, epoch + 1):
                answer = pair.client(here).log_in(f"made-in-{before}", "a good password")
                self.assertEqual(answer.status, 201, (here, before, answer.body))
            self.assertEqual(writer.json("DELETE", "/api/2.0/sessions/current").status, 204)
            begun = time.monotonic()
            wait_until("the log-out", lambda who=reader: who.get("/api/2.0/me").status == 401)
            delays.append(time.monotonic() - begun)
            writer.cookies = dict(reader.cookies)
            self.assertEqual(writer.get("/api/2.0/me").status, 401)
            epoch += 1
        self.assertLess(sorted(delays)[len(delays) // 2], 3, delays)  # a long poll lasts 5 s

    def test_who_has_just_come_is_called_by_name_on_the_other_side(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        for number in range(20):
            name = f"just-here-{number}"
            writer = pair.client("extracted")
            link = f"<a href=\"/forum/u/{writer.register(name).json['id']}\">{name}</a>"
            page = pair.client("legacy", writer.cookies).get("/forum").page
            self.assertIn(f"<span>Logged in as {link}</span>", page.text)

    def test_a_log_out_holds_at_the_owner_whatever_the_monolith_still_believes(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        visitor = pair.client("extracted")
        visitor.log_in("pilu")
        wait_until("the monolith knows the session",
                   lambda: len(pair.rows("monolith", "SELECT id FROM sessions")) == 1)
        os.kill(pair.monolith.process.pid, signal.SIGSTOP)
        try:
            sid = dict(visitor.cookies)
            self.assertEqual(visitor.json("DELETE", "/api/2.0/sessions/current").status, 204)
            self.assertEqual(pair.client("extracted", sid).get("/api/2.0/me").status, 401)
        finally:
            os.kill(pair.monolith.process.pid, signal.SIGCONT)
        self.assertEqual(pair.client("extracted", sid).get("/api/2.0/me").status, 401)

    def test_the_token_is_stored_as_its_hash_and_sessions_that_are_over_are_swept(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        visitor = pair.client("extracted")
        visitor.log_in("marga")
        stored = pair.rows("users", "SELECT id, user_id, expires_ms - created_ms FROM sessions")
        self.assertEqual([row[1:] for row in stored], [(1, 30 * 24 * 3600 * 1000)])
        self.assertRegex(stored[0][0], "^[0-9a-f]{64}$")
        dump = b"".join(pathlib.Path(pair.folder, name).read_bytes()
                        for name in os.listdir(pair.folder) if name.startswith("users.db"))
        self.assertNotIn(visitor.cookies["sid"].encode(), dump)
        self.assertNotIn(b"figs-and-dates", dump)
        pair.users.stop()
        with sqlite3.connect(os.path.join(pair.folder, "users.db")) as database:
            database.execute("UPDATE sessions SET expires_ms = 5")
        database.close()
        pair.users = pair.start_users()
        old = stored[0][0]
        self.assertEqual(pair.client("extracted", visitor.cookies).get("/api/2.0/me").status, 401)
        self.assertEqual(pair.client("extracted").log_in("moss").status, 201)
        self.assertNotIn(old, [row[0] for row in pair.rows("users", "SELECT id FROM sessions")])
        events, _ = pair.client("extracted").feed("sessions")
        self.assertEqual([(event["op"], event["id"] == old) for event in events],
                         [("put", True), ("delete", True), ("put", False)])
        sessions = "SELECT * FROM sessions"
        wait_until("the monolith follows",
                   lambda: pair.rows("monolith", sessions) == pair.rows("users", sessions))


class StartsEmpty(unittest.TestCase):
    """A service whose database is new, although the ownership has moved before."""

    TABLES = {"users": "SELECT id, username, name, bio, created_ms FROM users",
              "accounts": "SELECT id, username, lower({0}), lower({1}), n, r, p FROM accounts",
              "sessions": "SELECT id, user_id, created_ms, expires_ms FROM sessions"}

    def rows_of(self, pair, name):
        hexed = ("hex(salt)", "hex(hash)") if name == "monolith" else ("salt", "hash")
        return {table: sorted(pair.rows(name, sql.format(*hexed)))
                for table, sql in self.TABLES.items()}

    def settle(self, pair):
        wait_until("both sides are equal",
                   lambda: self.rows_of(pair, "monolith") == self.rows_of(pair, "users"))

    def lose(self, pair, name="users"):
        for end in ("", "-wal", "-shm"):
            pathlib.Path(pair.folder, name + ".db" + end).unlink(missing_ok=True)

    def make(self, pair, side, name):
        """A new account, and one log-out."""
        visitor = pair.client(side)
        visitor.register(name)
        gone = pair.client(side)
        gone.log_in(name, "a good password")
        sid = dict(gone.cookies)
        self.assertEqual(gone.json("DELETE", "/api/2.0/sessions/current").status, 204)
        return visitor, sid

    def test_it_takes_what_the_monolith_knows_and_no_writes_before_the_next_flip(self):
        pair = Pair(self)
        self.make(pair, "legacy", "first")
        pair.flip("extracted", 2)
        visitor, gone = self.make(pair, "extracted", "second")
        self.settle(pair)
        before = self.rows_of(pair, "users")
        pair.users.kill()
        self.lose(pair)
        pair.users = pair.start_users()
        self.assertEqual(self.rows_of(pair, "users"), before)
        self.assertRegex(pair.users.complaints(), r"\Ausers: the database is new, .* epoch 2.*\n\Z")
        here = pair.client("extracted", visitor.cookies)
        self.assertEqual(here.get("/api/2.0/me").json["username"], "second")
        # Nobody owns the sessions now, so nobody can say that there is none.
        self.assertEqual(pair.client("extracted", gone).get("/api/2.0/me").status, 503)
        for side in ("legacy", "extracted"):
            self.assertEqual(pair.client(side).register("nobody").status, 409)
        pair.flip("legacy", 3)
        self.make(pair, "legacy", "third")
        pair.flip("extracted", 4)
        self.make(pair, "extracted", "fourth")
        self.settle(pair)
        names = [row[1] for row in self.rows_of(pair, "monolith")["users"]]
        self.assertEqual(names[-4:], ["first", "second", "third", "fourth"])

    def test_it_may_own_again_at_once_and_the_monolith_misses_nothing(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        for number in range(3):
            self.make(pair, "extracted", f"before-{number}")
        self.settle(pair)
        pair.users.kill()
        self.lose(pair)
        pair.users = pair.start_users()
        pair.flip("extracted", 3)
        for number in range(3):
            self.make(pair, "extracted", f"after-{number}")
        self.settle(pair)
        self.assertEqual(len(self.rows_of(pair, "monolith")["users"]), 12 + 6)

    def test_after_there_and_back_nothing_is_missing_and_nothing_comes_back(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        _, gone = self.make(pair, "extracted", "over-there")
        visitor = pair.client("extracted")
        visitor.log_in("pilu")
        self.settle(pair)
        pair.flip("legacy", 3)
        late = pair.client("legacy", visitor.cookies)
        self.assertEqual(late.json("DELETE", "/api/2.0/sessions/current").status, 204)
        self.make(pair, "legacy", "back-here")
        before = self.rows_of(pair, "monolith")
        posts = pair.keep(Program("posts", pair.folder, "--monolith", pair.monolith.origin,
                                  "--users", pair.users.origin).wait_ready())
        last = late.get("/internal/owner/users").json["cursors"]["sessions@extracted"]
        client = Visitor(posts)
        self.addCleanup(client.close)
        wanted = f'feed_cursor{{feed="sessions",source="extracted"}} {last}\n'
        wait_until("posts reads the other side's feed",
                   lambda: wanted in client.get("/metrics").body.decode())
        self.assertEqual(sorted(pair.rows("posts", "SELECT id FROM sessions")),
                         [row[:1] for row in before["sessions"]])
        self.assertEqual(pair.rows("posts", "SELECT id, username FROM users"),
                         [row[:2] for row in before["users"]])
        pair.users.kill()
        self.lose(pair)
        pair.users = pair.start_users()
        self.assertEqual(self.rows_of(pair, "users"), before)
        self.assertEqual(pair.users.complaints(), "")
        for sid in (gone, visitor.cookies):
            self.assertEqual(pair.client("extracted", sid).get("/api/2.0/me").status, 401)

    def test_a_start_that_is_killed_is_begun_anew(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        self.make(pair, "extracted", "one")
        self.settle(pair)
        before = self.rows_of(pair, "users")
        choose = random.Random(3)
        pair.users.kill()
        for _ in range(KILLS):
            self.lose(pair)
            pair.users = pair.keep(Program("users", pair.folder, "--monolith",
                                           pair.monolith.origin, listen=pair.address))
            threading.Event().wait(choose.uniform(0, 0.15))
            pair.users.process.kill()  # whether it was ready or not
            pair.users.process.communicate()
            pair.users.errors.close()
        pair.users = pair.start_users()
        self.assertEqual(self.rows_of(pair, "users"), before)


class UnderLoad(unittest.TestCase):
    def start(self):
        pair = Pair(self)
        pair.flip("extracted", 2)
        return pair

    def log_ins(self, connection, count):
        body = json.dumps({"username": "marga", "password": "wrong"}).encode()
        streams = [connection.start("/api/2.0/sessions", "POST", JSON, ends=False)
                   for _ in range(count)]
        for stream in streams:
            connection.send_body(stream, body)
        return streams

    def test_passwords_hold_up_nobody_else(self):
        pair = self.start()
        many = Http2Client(pair.users.port)
        streams = self.log_ins(many, FEW)
        read = [many.start("/api/2.0/users/1") for _ in range(5)]
        self.assertEqual({many.wait(stream).status for stream in read}, {200})
        self.assertLess(len(many.done), 5 + FEW // 2)  # most passwords come after what came after
        self.assertEqual({many.wait(stream).status for stream in streams}, {401})
        many.close()

    def test_more_than_can_wait_is_told_to_come_again(self):
        pair = self.start()
        many = Http2Client(pair.users.port)
        answers = [many.wait(stream) for stream in self.log_ins(many, 200)]
        self.assertEqual({answer.status for answer in answers}, {401, 503})
        busy = [answer for answer in answers if answer.status == 503]
        self.assertGreaterEqual(len(busy), 50)
        self.assertEqual({(answer.value("retry-after"), answer.value("content-type"))
                          for answer in busy}, {("1", PROBLEM)})
        many.close()

    def test_those_who_go_away_meanwhile_leave_nothing(self):
        pair = self.start()
        for resets in (True, False):
            gone = Http2Client(pair.users.port)
            streams = self.log_ins(gone, 40)
            for stream in streams if resets else []:
                gone.send_frame(3, 0, stream, b"\0\0\0\x08")
            gone.wait_ping()
            gone.close()
        self.assertEqual(pair.client("extracted").log_in("moss").status, 201)
        last = Http2Client(pair.users.port)
        streams = self.log_ins(last, FEW)
        last.wait_ping()
        pair.users.process.send_signal(signal.SIGTERM)
        self.assertEqual({last.wait(stream).status for stream in streams}, {401})
        last.close()
        self.assertEqual(pair.users.wait(), 0)

    def test_kills_lose_no_account_that_was_acknowledged(self):
        pair = self.start()
        choose = random.Random(5)
        kept, number = [], 0
        for _ in range(KILLS):
            clients = [pair.client("extracted") for _ in range(3)]
            stop = threading.Event()

            def register(client, first):
                count = first
                while not stop.is_set():
                    try:
                        answer = client.register(f"account-{count}")
                    except (Gone, OSError):
                        return
                    self.assertEqual(answer.status, 201, answer.body)
                    kept.append((f"account-{count}", dict(client.cookies)))
                    count += 3

            threads = [threading.Thread(target=register, args=(client, number + i))
                       for i, client in enumerate(clients)]
            for thread in threads:
                thread.start()
            wait_until("an account", lambda before=len(kept): len(kept) > before)
            stop.wait(choose.uniform(0, 0.3))
            pair.users.kill()
            stop.set()
            for thread in threads:
                thread.join()
            number += 10000
            pair.users = pair.start_users()
        self.assertEqual(pair.rows("users", "PRAGMA integrity_check"), [("ok",)])
        names = {name for name, in pair.rows("users", "SELECT username FROM accounts")}
        self.assertLessEqual({name for name, _ in kept}, names)
        for table, column in [("users", "id"), ("accounts", "id"), ("sessions", "user_id")]:
            feed = {event["row"]["user" if table == "sessions" else "id"]
                    for event in self.events(pair, table)}
            stored = {row[0] for row in pair.rows("users", f"SELECT {column} FROM {table}")
                      if row[0] > 12}
            self.assertEqual(feed, stored, table)
            self.assertEqual(len(stored), len(names) - 12, table)
        name, cookies = kept[-1]
        reader = pair.client("legacy", cookies)
        wait_until("the monolith follows",
                   lambda: reader.get("/api/2.0/me").json.get("username") == name)

    @staticmethod
    def events(pair, feed):
        client, after, found = pair.client("extracted"), 0, []
        while True:
            events, _ = client.feed(feed, after)
            if not events:
                return found
            found += events
            after = events[-1]["seq"]


if __name__ == "__main__":
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
