"""The migration itself, with the files of routes/ as they are shipped: under steady load the modules
go from the monolith to their services, one after the other and step by step, by route file and HUP,
and one of them all the way back. Nothing fails, nothing is lost, nothing is doubled.

The same again while every program but the proxy is killed now and then, and comes back half a
second later. Then requests may fail with 502, 503 or 504, and still nothing is lost or doubled.

STRANGLER_MIGRATION_WRITES: how many writes are done at each step, for a longer run.
STRANGLER_SEED: a number from which the kills are drawn; a failure says which it was.
"""

import json
import os
import random
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from forum import command_path
from forum_people import Crowd, PageWriter, Reader, Writer
from shipped_site import Site
from strangler_test import main

MODULES = ("users", "threads", "posts")
WRITES = int(os.environ.get("STRANGLER_MIGRATION_WRITES", "0"))
SEED = int(os.environ.get("STRANGLER_SEED", "0")) or random.randrange(1, 10 ** 6)
WRITERS, PAGE_WRITERS, READERS = 6, 3, 4
SETTLE = "20s"
AWAY_S = 0.5
TABLES = {
    "users": "SELECT id, bio FROM users",
    "threads": "SELECT id, title, created_by FROM threads",
    "posts": "SELECT id, iif(deleted, NULL, text), user_id FROM posts",
    "likes": "SELECT post_id, user_id FROM likes",
}


class Reaper:
    """Kills one program after the other, at random, and starts it again."""

    def __init__(self, site: Site):
        self.site = site
        self.random = random.Random(SEED)
        self.is_over = threading.Event()
        self.all_run = threading.Lock()  # held while a program is away
        self.kills: list = []
        self.faults: list = []
        self.thread = threading.Thread(target=self.reap)
        self.thread.start()

    def reap(self):
        try:
            while not self.is_over.wait(self.random.uniform(0.05, 0.6)):
                with self.all_run:
                    self.kill(self.random.choice(list(self.site.programs)))
        except Exception as error:  # handed on by end()
            self.faults.append(error)

    def kill(self, name: str):
        self.kills.append(name)
        self.site.programs[name].kill()
        time.sleep(AWAY_S)
        self.site.start(name).wait_ready()

    def end(self):
        self.is_over.set()
        self.thread.join()
        if self.faults:
            raise self.faults[0]


class Steps(unittest.TestCase):
    may_fail = False
    writes = 40

    def setUp(self):
        self.writes = WRITES or self.writes
        folder = tempfile.TemporaryDirectory(prefix="strangler-migration-")
        self.addCleanup(folder.cleanup)
        self.site = Site(folder.name)
        self.addCleanup(self.check_programs)
        self.addCleanup(self.site.proxy.finish)
        self.owners = dict.fromkeys(MODULES, "legacy")
        ports = (self.site.proxy.plain, self.site.proxy.tls)
        self.writers = [(PageWriter if i < PAGE_WRITERS else Writer)(
            f"writer-{i}", ports[i % 2], i % 2 == 1, self.may_fail) for i in range(WRITERS)]
        self.readers = [Reader(f"reader-{i}", ports[i % 2], i % 2 == 1, self.may_fail)
                        for i in range(READERS)]
        for module in MODULES:
            self.site.set_stage(module, "legacy")
        self.site.reload()
        self.crowd = Crowd([*self.writers, *self.readers])
        self.addCleanup(self.crowd.end)

    def check_programs(self):
        for program in self.site.programs.values():
            self.assertEqual(program.stop(), 0, program.complaints())
            for word in ("Sanitizer", "runtime error"):
                self.assertNotIn(word, program.complaints())

    # --- steps

    def set_stage(self, module: str, stage: str, percent: float = 0):
        self.site.set_stage(module, stage, percent)
        self.site.reload()
        self.after_step()

    def said(self, text: str) -> int:
        return self.site.proxy.errors().count(text)

    def try_to_move(self, module: str, side: str) -> bool:
        moved, stayed = f"writes of {module} go to {side} now", f"writes of {module} stay with"
        before = (self.said(moved), self.said(stayed))
        self.site.proxy.hang_up()
        self.crowd.wait(lambda: (self.said(moved), self.said(stayed)) != before, moved)
        return self.said(moved) > before[0]

    def move_writes(self, module: str, side: str):
        self.owners[module] = side
        self.site.edit(module, write_owner=f'"{side}"')
        while not self.try_to_move(module, side):
            self.assertTrue(self.may_fail, self.site.proxy.errors())
        self.crowd.wait(lambda: self.site.proxy.total(
            "strangler_config_last_reload_successful") == 1, "the change is in force")
        self.after_step()

    def after_step(self):
        self.crowd.go_on_for(self.writes, 4 * self.writes)

    # --- what has to be

    def check_equal(self, *options: str):
        done = subprocess.run([command_path("reconcile"), *options], capture_output=True, text=True,
                              timeout=120, check=False)
        self.crowd.check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def check_everything(self):
        """Nobody writes: both sides are the same, and hold what the writers were told."""
        self.crowd.pause()
        self.check_equal("--settle", SETTLE)
        self.check_equal()
        for side in ("monolith", "extracted"):
            rows = {table: self.rows(side, table) for table in TABLES}
            for writer in self.writers:
                self.check_ledger(writer, rows)
        for module, owner in self.owners.items():
            self.check_owner(module, owner)
        self.crowd.go_on()

    def rows(self, side: str, table: str) -> list:
        service = {"likes": "posts"}.get(table, table)
        name = "monolith" if side == "monolith" else service
        connection = sqlite3.connect(os.path.join(self.site.folder, name + ".db"), timeout=30)
        rows = connection.execute(TABLES[table]).fetchall()
        self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        connection.close()
        return rows

    def check_owner(self, module: str, owner: str):
        for name in ("monolith", module):
            option = "--http1.1" if name == "monolith" else "--http2-prior-knowledge"
            done = subprocess.run(["curl", "-sS", option, f"{self.site.origin(name)}"
                                   f"/internal/owner/{module}"], capture_output=True, check=True)
            self.assertEqual(json.loads(done.stdout)["owner"], owner)

    def check_ledger(self, writer, rows: dict):
        if not writer.user:
            return
        ledger = writer.ledger
        self.check_texts(writer, ledger.threads, rows["threads"])
        self.check_texts(writer, ledger.posts, rows["posts"])
        liked = {post for post, user in rows["likes"] if user == writer.user}
        for post, allowed in ledger.likes.items():
            self.assertIn(post in liked, allowed, f"{writer.name}: like of {post}")
        self.assertIn(dict(rows["users"])[writer.user], ledger.bio, writer.name)

    def check_texts(self, writer, acknowledged: dict, rows: list):
        """Everything acknowledged is there as it was last; what else is there was asked for, once."""
        mine = {number: text for number, text, user in rows if user == writer.user}
        for number, allowed in acknowledged.items():
            self.assertIn(mine.get(number, "nothing"), allowed, f"{writer.name}: {number}")
        surplus = [text for number, text in mine.items() if number not in acknowledged]
        self.assertEqual(len(surplus), len(set(surplus)), f"{writer.name}: doubled")
        self.assertLessEqual(set(surplus), set(writer.ledger.may_have_added), writer.name)


class Migration(Steps):
    def after_step(self):
        super().after_step()
        self.check_equal("--settle", SETTLE)

    def move_there(self, module: str):
        for percent in (10, 50, 100):
            self.set_stage(module, "ramp", percent)
        self.set_stage(module, "live")
        self.move_writes(module, "extracted")
        self.check_everything()

    def move_back(self, module: str):
        self.move_writes(module, "legacy")
        for percent in (100, 50, 10):
            self.set_stage(module, "ramp", percent)
        self.set_stage(module, "legacy")
        self.check_everything()

    def test_modules_move_one_after_the_other_and_one_moves_back(self):
        self.crowd.go_on_for(self.writes, 4 * self.writes)
        for module in MODULES:
            self.move_there(module)
        self.move_back("threads")
        self.crowd.end()
        self.crowd.check()


class WithKills(Steps):
    may_fail = True
    writes = 12

    def setUp(self):
        super().setUp()
        self.reaper = Reaper(self.site)
        self.addCleanup(self.reaper.end)

    def check_everything(self):
        with self.reaper.all_run:
            super().check_everything()

    def after_step(self):
        before = len(self.reaper.kills)
        super().after_step()
        self.crowd.wait(lambda: len(self.reaper.kills) > before, "a kill")

    def move_there(self, module: str):
        self.set_stage(module, "ramp", 50)
        self.set_stage(module, "live")
        self.move_writes(module, "extracted")
        self.check_everything()

    def move_back(self, module: str):
        self.move_writes(module, "legacy")
        self.set_stage(module, "legacy")
        self.check_everything()

    def test_kills_lose_and_double_nothing_on_the_way(self):
        with self.subTest(seed=SEED):
            for module in MODULES:
                self.move_there(module)
            self.move_back("posts")
            self.reaper.end()
            self.check_everything()
            self.crowd.end()
            self.crowd.check()
            self.assertGreater(len(self.reaper.kills), 10)


if __name__ == "__main__":
    main(3600 if WRITES else 300)
