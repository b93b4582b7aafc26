"""The migration itself, with the files of routes/ as they are shipped: under steady load the modules
go from the monolith to their services, one after the other and step by step, by route file and HUP,
and one of them all the way back. Nothing fails, nothing is lost, nothing is doubled.

STRANGLER_MIGRATION_WRITES: how many writes are done at each step (40), for a longer run.
"""

import json
import os
import sqlite3
import subprocess
import tempfile
import unittest

from forum import command_path
from forum_people import Crowd, Reader, Writer
from shipped_site import Site
from strangler_test import main, wait_until

WRITES = int(os.environ.get("STRANGLER_MIGRATION_WRITES", "40"))
WRITERS, READERS = 6, 4
SETTLE = "20s"
TABLES = {
    "users": "SELECT id, bio FROM users",
    "threads": "SELECT id, title, created_by FROM threads",
    "posts": "SELECT id, iif(deleted, NULL, text), user_id FROM posts",
    "likes": "SELECT post_id, user_id FROM likes",
}


class Migration(unittest.TestCase):
    may_fail = False

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="strangler-migration-")
        self.addCleanup(folder.cleanup)
        self.site = Site(folder.name)
        self.addCleanup(self.check_programs)
        self.addCleanup(self.site.proxy.finish)
        self.owners = dict.fromkeys(("users", "threads", "posts"), "legacy")
        ports = (self.site.proxy.plain, self.site.proxy.tls)
        self.writers = [Writer(f"writer-{i}", ports[i % 2], i % 2 == 1, self.may_fail)
                        for i in range(WRITERS)]
        self.readers = [Reader(f"reader-{i}", ports[i % 2], i % 2 == 1, self.may_fail)
                        for i in range(READERS)]
        for module in self.owners:
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

    def move_writes(self, module: str, side: str):
        self.owners[module] = side
        self.site.edit(module, write_owner=f'"{side}"')
        said = f"writes of {module} go to {side} now"
        before = self.site.proxy.errors().count(said)
        self.site.proxy.hang_up()
        self.crowd.wait(lambda: self.site.proxy.errors().count(said) > before, said)
        wait_until("the change is in force", lambda: self.site.proxy.total(
            "strangler_config_last_reload_successful") == 1)
        self.after_step()

    def after_step(self):
        self.crowd.go_on_for(WRITES, 4 * WRITES)
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
        for name in ("monolith", "extracted"):
            self.check_ledgers({table: self.rows(name, table) for table in TABLES})
        for module, owner in self.owners.items():
            self.check_owner(module, owner)
        self.crowd.go_on()

    def rows(self, side: str, table: str) -> list:
        service = {"likes": "posts"}.get(table, table)
        name = "monolith" if side == "monolith" else service
        connection = sqlite3.connect(os.path.join(self.site.folder, name + ".db"), timeout=30)
        rows = connection.execute(TABLES[table]).fetchall()
        connection.close()
        return rows

    def check_owner(self, module: str, owner: str):
        for name in ("monolith", module):
            option = "--http1.1" if name == "monolith" else "--http2-prior-knowledge"
            done = subprocess.run(["curl", "-sS", option, f"{self.site.origin(name)}"
                                   f"/internal/owner/{module}"], capture_output=True, check=True)
            self.assertEqual(json.loads(done.stdout)["owner"], owner)

    def check_ledgers(self, rows: dict):
        for writer in self.writers:
            mine = {table: {row[0]: row[1] for row in rows[table] if row[-1] == writer.user}
                    for table in ("threads", "posts")}
            self.check_added(writer, mine)
            for table, states in (("threads", writer.ledger.threads),
                                  ("posts", writer.ledger.posts)):
                for number, allowed in states.items():
                    self.assertIn(mine[table].get(number, "nothing"), allowed,
                                  f"{writer.name}: {table} {number}")
            liked = {post for post, user in rows["likes"] if user == writer.user}
            for post, allowed in writer.ledger.likes.items():
                self.assertIn(post in liked, allowed, f"{writer.name}: like of {post}")
            self.assertIn(dict(rows["users"]).get(writer.user), writer.ledger.bio | {None}
                          if not writer.user else writer.ledger.bio, writer.name)

    def check_added(self, writer, mine: dict):
        """What is there and was not acknowledged is there once, and was asked for."""
        for table, known in (("threads", writer.ledger.threads), ("posts", writer.ledger.posts)):
            surplus = [text for number, text in mine[table].items() if number not in known]
            for text in surplus:
                self.assertIn(text, writer.ledger.may_have_added, f"{writer.name}: {table}")
            self.assertEqual(len(surplus), len(set(surplus)), f"{writer.name}: {table} doubled")

    def test_modules_move_one_after_the_other_and_one_moves_back(self):
        self.crowd.go_on_for(WRITES, 4 * WRITES)
        for module in self.owners:
            self.move_there(module)
        self.move_back("threads")
        self.crowd.end()
        self.crowd.check()


if __name__ == "__main__":
    main(600)
