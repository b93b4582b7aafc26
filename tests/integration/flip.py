"""A change of write owner, by file and HUP: held writes, older ones waited for, on_flip, one record; and
the old owner stays after every failure."""

import os
import sqlite3
import threading

from http1_backend import Http1Backend, answer_bytes, named
from http2_peer import Http2Client, ask_once
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

FLIP = """#!/bin/sh
echo "$@" >> {folder}/told
while [ -e {folder}/hold ]; do sleep 0.02; done
exit $(cat {folder}/status)
"""


class WriteOwner(ProxyCase):
    def setUp(self):
        super().setUp()
        self.release = threading.Event()
        self.slow_seen = threading.Event()
        self.legacy = self.closing(Http1Backend(self.legacy_script))
        self.extracted = self.closing(Http1Backend(named("extracted")))
        self.path = os.path.join(self.folder, "flip.sh")
        with open(self.path, "w", encoding="ascii") as file:
            file.write(FLIP.format(folder=self.folder))
        os.chmod(self.path, 0o755)
        self.set_status(0)
        self.proxy = self.start_proxy(self.config("legacy"))
        self.client = self.closing(Http2Client(self.proxy.plain))

    def legacy_script(self, connection):
        while True:
            request = connection.read_request()
            if request.target == "/api/slow":
                self.slow_seen.set()
                self.release.wait(20)
            connection.send(answer_bytes(b"legacy"))

    def config(self, owner: str, stage: str = "live", more: str = "") -> str:
        module = (f'modules: {{ m: {{ legacy = "monolith"; extracted = "service"; stage = "{stage}"; '
                  f'write_owner = "{owner}"; on_flip = "{self.path}"; {more}'
                  'routes: { api: { prefix = "/api"; }; }; }; };')
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("service", self.extracted.port), more=module)

    def set_status(self, status: int):
        with open(os.path.join(self.folder, "status"), "w", encoding="ascii") as file:
            file.write(str(status))

    def hold(self, on: bool):
        path = os.path.join(self.folder, "hold")
        if on:
            with open(path, "w", encoding="ascii"):
                pass
        elif os.path.exists(path):
            os.remove(path)

    def told(self) -> list:
        path = os.path.join(self.folder, "told")
        if not os.path.exists(path):
            return []
        with open(path, encoding="ascii") as file:
            return file.read().splitlines()

    def post(self, path: str = "/api/x", body: bytes = b"text"):
        return ask_once(self.proxy.plain, path, "POST", body=body)

    def change(self, owner: str, stage: str = "live"):
        self.proxy.write("10-test.cfg", self.config(owner, stage))
        self.proxy.hang_up()

    def order(self, path: str, status: int = 200, **body) -> dict:
        found, answer = self.proxy.operate(path, body)
        self.assertEqual(found, status, answer)
        return answer

    def wait_said(self, text: str):
        wait_until(text, lambda: text in self.proxy.errors())

    def records(self) -> list:
        path = os.path.join(os.path.dirname(self.proxy.log_path), "state", "strangler.db")
        database = sqlite3.connect(path)
        rows = database.execute("SELECT module, owner_from, owner_to, epoch, successful FROM flip"
                                " ORDER BY id").fetchall()
        database.close()
        return rows

    def start_post(self, results: list, path: str = "/api/x", body: bytes = b"text"):
        thread = threading.Thread(target=lambda: results.append(self.post(path, body)))
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def test_writes_wait_and_go_to_the_new_owner(self):
        self.assertEqual(self.post().body, b"legacy")
        self.hold(True)
        self.change("extracted")
        wait_until("the program runs", self.told)
        results: list = []
        large = os.urandom(600_000)  # more than a stream's window: held back by flow control
        threads = [self.start_post(results), self.start_post(results, body=large)]
        self.assertEqual(self.client.ask("/api/x").body, b"extracted")  # reads do not wait
        self.assertEqual(results, [])
        self.hold(False)
        for thread in threads:
            thread.join(20)
        self.assertEqual([answer.body for answer in results], [b"extracted"] * 2)
        self.assertEqual(self.told(), ["m extracted 2"])
        self.assertEqual(self.records(), [("m", "legacy", "extracted", 2, 1)])

    def test_an_older_write_is_waited_for(self):
        results: list = []
        thread = self.start_post(results, "/api/slow")
        self.slow_seen.wait(10)
        self.change("extracted")
        self.proxy.wait_total(1, "strangler_module_frozen", module="m")
        later: list = []
        second = self.start_post(later)
        wait_until("the second write waits",
                   lambda: self.proxy.total("strangler_live_exchanges") >= 2)
        self.assertEqual(self.told(), [])
        self.release.set()
        thread.join(20)
        second.join(20)
        self.assertEqual((results[0].body, later[0].body), (b"legacy", b"extracted"))
        self.assertEqual(self.told(), ["m extracted 2"])

    def test_a_program_that_fails_leaves_the_old_owner(self):
        self.set_status(3)
        self.change("extracted")
        self.wait_said("writes of m stay with legacy: on_flip failed")
        self.assertEqual(self.post().body, b"legacy")
        self.assertEqual(self.proxy.total("strangler_config_last_reload_successful"), 0)
        self.set_status(0)
        self.proxy.hang_up()  # the same files again: tried again, with an epoch above that of taking it back
        self.wait_said("writes of m go to extracted now")
        self.assertEqual(self.post().body, b"extracted")
        self.assertEqual(self.told(), ["m extracted 2", "m extracted 4"])
        self.assertEqual([row[4] for row in self.records()], [0, 1])

    def test_a_program_that_is_not_there_leaves_the_old_owner(self):
        os.remove(self.path)
        self.change("extracted")
        self.wait_said("writes of m stay with legacy: cannot run")
        self.assertEqual(self.post().body, b"legacy")

    def test_who_waits_too_long_is_told_to_come_again(self):
        self.hold(True)
        self.change("extracted")
        wait_until("the program runs", self.told)
        answer = self.post()
        self.assertEqual((answer.status, answer.value("retry-after")), (503, "1"))
        self.assertEqual(answer.value("content-type"), "application/problem+json")
        self.hold(False)
        self.wait_said("writes of m go to extracted now")

    def test_the_way_back_is_the_same_way(self):
        for owner, epoch in (("extracted", 2), ("legacy", 3), ("extracted", 4)):
            self.change(owner)
            wait_until(f"epoch {epoch}", lambda: f"m {owner} {epoch}" in self.told())
            wait_until("it is in force", lambda: self.post().body == owner.encode())

    def test_the_applications_are_told_when_writes_follow_reads_again(self):
        self.proxy.reload("10-test.cfg", self.config("follow", more="shared_store = true; "))
        self.assertEqual(self.told(), ["m follow 2"])
        self.assertEqual(self.post().body, b"extracted")
        self.order("/modules/m/writes", owner="legacy")
        self.assertEqual(self.post().body, b"legacy")
        self.set_status(2)  # as a program does that knows no such owner
        self.assertIn("writes of m stay with legacy: on_flip failed",
                      self.order("/undo", 500)["detail"])
        self.set_status(0)
        self.order("/undo")
        self.assertEqual(self.told()[1:], ["m legacy 3", "m follow 4", "m follow 6"])
        self.assertEqual(self.post().body, b"extracted")

    def test_writes_do_not_follow_reads_again_after_the_stores_were_parted(self):
        self.proxy.reload("10-test.cfg", self.config("follow", more="shared_store = true; "))
        entry = self.order("/modules/m/writes", owner="legacy")["entry"]
        told = self.told()
        self.proxy.reload("10-test.cfg", self.config("legacy"))
        self.assertIn("shared_store", self.order("/undo", 409, entry=entry)["detail"])
        self.assertEqual((self.post().body, self.told()), (b"legacy", told))

    def test_retired_begins_with_the_new_owner_and_not_before(self):
        self.hold(True)
        self.change("extracted", "retired")
        wait_until("the program runs", self.told)
        results: list = []
        thread = self.start_post(results)
        self.assertEqual(results, [])
        self.hold(False)
        thread.join(20)
        self.assertEqual(results[0].body, b"extracted")

    def test_a_reload_meanwhile_waits_for_the_change(self):
        self.hold(True)
        self.change("extracted")
        wait_until("the program runs", self.told)
        self.proxy.hang_up()
        self.wait_said("the reload waits for that")
        self.hold(False)
        self.wait_said("writes of m go to extracted now")
        self.assertEqual(self.post().body, b"extracted")

    def test_an_owner_edited_while_nobody_served_is_changed_at_the_start(self):
        self.change("extracted")
        self.wait_said("writes of m go to extracted now")
        self.assertEqual(self.proxy.stop(), 0)
        self.proxy.write("10-test.cfg", self.config("legacy"))
        self.proxy.start()
        wait_until("it was told", lambda: "m legacy 3" in self.told())
        wait_until("it is in force", lambda: self.post().body == b"legacy")

    def test_stopping_in_the_middle_leaves_the_old_owner(self):
        self.hold(True)
        self.change("extracted")
        wait_until("the program runs", self.told)
        self.assertEqual(self.proxy.stop(), 0)
        self.hold(False)
        self.proxy.start()
        wait_until("it is tried again or not begun", lambda: self.post().status == 200)


if __name__ == "__main__":
    main()
