"""kill -9 in the middle of writes, for each of the four programs that store something: the database
is whole, every write that was acknowledged is there, and each row has its event.

STRANGLER_KILLS: how often each program is killed (10).
"""

import http.client
import json
import os
import random
import shutil
import sqlite3
import tempfile
import threading
import unittest

from http1_backend import Gone
from http2_peer import Http2Client
from services_programs import Program
from strangler_test import main

KILLS = int(os.environ.get("STRANGLER_KILLS", "10"))
WRITERS = 4
MOST_WRITES = 40  # of a life
EDITED = 1        # the user who is logged in
JSON = ("content-type", "application/json")


class Http1Writer:
    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, value, cookie: str) -> tuple:
        self.connection.request(method, path, json.dumps(value).encode(),
                                dict([JSON, ("cookie", cookie)]))
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("set-cookie", "")

    def close(self):
        self.connection.close()


class Http2Writer:
    def __init__(self, port: int):
        self.client = Http2Client(port)

    def ask(self, method: str, path: str, value, cookie: str) -> tuple:
        answer = self.client.ask(path, method, [JSON, ("cookie", cookie)],
                                 json.dumps(value).encode())
        if answer.status == 0 or answer.reset is not None:
            raise Gone
        return answer.status, answer.body, ""

    def close(self):
        self.client.close()


class Killed(unittest.TestCase):
    """One program that is killed again and again, and what it has acknowledged."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="strangler-kills-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.random = random.Random()
        self.lock = threading.Lock()
        self.kept: dict = {}  # (table, id): text
        self.monolith = None

    def start_monolith(self) -> Program:
        self.monolith = Program("monolith", self.folder).wait_ready()
        writer = Http1Writer(self.monolith.port)
        status, _, cookie = writer.ask("POST", "/api/2.0/sessions", {
            "username": "marga", "password": "figs-and-dates"}, "")
        writer.close()
        self.assertEqual(status, 201)
        self.cookie = cookie.split(";")[0]
        return self.monolith

    def start_service(self, name: str) -> Program:
        return Program(name, self.folder, "--monolith", self.monolith.origin).wait_ready()

    # --- writing until the end

    def write_once(self, writer, number: int):
        """One write of any kind; (table, id) and its text."""
        raise NotImplementedError

    def acknowledge(self, what: tuple, text: str):
        with self.lock:
            self.kept[what] = text
            self.left -= 1
            if self.left == 0:
                self.program.process.kill()

    def write_on(self, make, number: int):
        writer = None
        try:
            writer = make(self.program.port)
            while True:
                self.acknowledge(*self.write_once(writer, number))
        except (Gone, OSError, http.client.HTTPException):
            pass
        except Exception as error:  # raised by live_once()
            self.faults.append(error)
            self.program.process.kill()
        finally:
            if writer is not None:
                writer.close()

    def live_once(self, make):
        self.left = self.random.randrange(1, MOST_WRITES)
        self.faults: list = []
        threads = [threading.Thread(target=self.write_on, args=(make, i)) for i in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.faults, [])
        self.program.kill()
        self.check()

    # --- what has to be there

    def check(self):
        """A copy is looked at, so that the program itself recovers the database."""
        name = self.program.name + ".db"
        with tempfile.TemporaryDirectory() as folder:
            for end in ("", "-wal"):
                path = os.path.join(self.folder, name + end)
                if os.path.exists(path):
                    shutil.copy(path, folder)
            database = sqlite3.connect(os.path.join(folder, name))
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.check_rows(database)
            database.close()

    def check_rows(self, database):
        for table, column in (("posts", "text"), ("threads", "title"), ("users", "name")):
            kept = {number: text for (of, number), text in self.kept.items() if of == table}
            if not kept:
                continue
            stored = dict(database.execute(f"SELECT id, {column} FROM {table}"))
            if table == "users" and EDITED in kept:  # the next edit may be there, unanswered
                self.assertGreaterEqual(int(stored[EDITED]), int(kept.pop(EDITED)))
            self.assertEqual({number: stored.get(number) for number in kept}, kept)
            for number, body in database.execute("SELECT max(seq), body FROM outbox WHERE feed = ?"
                                                 " GROUP BY json_extract('{' || body || '}', '$.id')",
                                                 (table,)):
                row = json.loads("{" + body + "}")["row"]
                self.assertEqual(stored.get(row["id"]), row[column], number)

    def add(self, writer, method: str, path: str, value: dict, status: int = 201) -> int:
        said, body, _ = writer.ask(method, path, value, self.cookie)
        if said != status:
            raise AssertionError(f"{method} {path}: {said} {body!r}")
        return json.loads(body)["id"]

    def add_post(self, writer, number: int):
        text = f"{number} {random.getrandbits(64)} " + "words " * random.randrange(400)
        return ("posts", self.add(writer, "POST", "/api/2.0/threads/1/posts", {"text": text})), text

    def add_thread(self, writer, number: int):
        title = f"{number} {random.getrandbits(64)}"
        return ("threads", self.add(writer, "POST", "/api/2.0/threads",
                                    {"category": "lounge", "title": title})), title


class Monolith(Killed):
    def write_once(self, writer, number: int):
        return random.choice((self.add_post, self.add_thread))(writer, number)

    def test_the_monolith_loses_nothing(self):
        for _ in range(KILLS):
            self.program = self.start_monolith()
            self.live_once(Http1Writer)


class Services(Killed):
    def own(self, name: str):
        writer = Http2Writer(self.program.port)
        status, body, _ = writer.ask("POST", f"/internal/owner/{name}",
                                     {"owner": "extracted", "epoch": 2}, "")
        writer.close()
        self.assertEqual(status, 200, body)

    def kill_service(self, name: str, write_once):
        self.write_once = write_once
        self.start_monolith()
        self.addCleanup(self.monolith.stop)
        for _ in range(KILLS):
            self.program = self.start_service(name)
            self.own(name)
            self.live_once(Http2Writer)

    def test_the_posts_service_loses_nothing(self):
        self.kill_service("posts", self.add_post)

    def test_the_threads_service_loses_nothing(self):
        self.kill_service("threads", self.add_thread)

    def test_the_users_service_loses_nothing(self):
        """One writes a profile again and again, counting; the others register people."""
        self.edits = 0

        def write(writer, number: int):
            if number > 0:
                name = f"w-{random.getrandbits(60):x}"
                return ("users", self.add(writer, "POST", "/api/2.0/users", {
                    "username": name, "password": "quite a long one", "name": name})), name
            self.edits += 1
            text = str(self.edits)
            self.add(writer, "PATCH", f"/api/2.0/users/{EDITED}", {"name": text, "bio": ""}, 200)
            return ("users", EDITED), text
        self.kill_service("users", write)


if __name__ == "__main__":
    main(30 * KILLS)
