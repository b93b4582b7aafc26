"""Live changes between real programs: under load, while writes are held or moved, without room for the
journal, and over a kill."""

import os
import resource
import signal
import subprocess
import threading
import time

from http1_backend import Http1Backend, answer_bytes, named
from http2_peer import Http2Client, ask_once
from strangler_test import (ProxyCase, backend_text, config_text, is_sanitized, main,
                            wait_until)

ABORT_S = 5 if is_sanitized() else 1  # a sanitizer takes time of its own, on a busy machine
FLIP = """#!/bin/sh
echo "$@" >> {folder}/told
while [ -e {folder}/hold ]; do sleep 0.02; done
"""


class LiveCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.release = threading.Event()
        self.slow_seen = threading.Event()
        self.addCleanup(self.release.set)
        self.legacy = self.closing(Http1Backend(self.slow_script))
        self.extracted = self.closing(Http1Backend(named("extracted")))
        self.program = os.path.join(self.folder, "flip.sh")
        with open(self.program, "w", encoding="ascii") as file:
            file.write(FLIP.format(folder=self.folder))
        os.chmod(self.program, 0o755)
        self.proxy = self.start_proxy(self.config())

    def slow_script(self, connection):
        while True:
            request = connection.read_request()
            if request.target.endswith("/slow"):
                self.slow_seen.set()
                self.release.wait(20)
            connection.send(answer_bytes(b"legacy"))

    def config(self, more: str = 'stage = "live";') -> str:
        modules = (f'm: {{ legacy = "monolith"; extracted = "service"; {more} '
                   f'on_flip = "{self.program}"; routes: {{ r: {{ prefix = "/m"; }}; }}; }};'
                   'shared: { legacy = "monolith"; extracted = "service"; stage = "live"; '
                   'write_owner = "follow"; shared_store = true; '
                   'routes: { r: { prefix = "/shared"; }; }; };')
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("service", self.extracted.port),
                           more=f'identity = [ "address" ];\nmodules: {{ {modules} }};')

    def hold(self):
        with open(os.path.join(self.folder, "hold"), "w", encoding="ascii"):
            pass

    def let_go(self):
        os.remove(os.path.join(self.folder, "hold"))

    def told(self) -> list:
        path = os.path.join(self.folder, "told")
        if not os.path.exists(path):
            return []
        with open(path, encoding="ascii") as file:
            return file.read().splitlines()

    def order(self, path: str, status: int = 200, **body) -> dict:
        found, answer = self.proxy.operate(path, body)
        self.assertEqual(found, status, answer)
        return answer

    def order_later(self, path: str, **body) -> tuple:
        """The thread that waits for the answer, and the list that will hold it."""
        answers: list = []
        thread = threading.Thread(target=lambda: answers.append(self.proxy.operate(path, body)))
        thread.start()
        self.addCleanup(thread.join)
        return thread, answers

    def module(self, name: str = "m") -> dict:
        return self.proxy.operate(f"/modules/{name}")[1]

    def read(self, path: str = "/m/x") -> bytes:
        return ask_once(self.proxy.plain, path).body

    def post_later(self, path: str = "/m/x") -> tuple:
        answers: list = []
        thread = threading.Thread(target=lambda: answers.append(
            ask_once(self.proxy.plain, path, "POST", body=b"text")))
        thread.start()
        self.addCleanup(thread.join)
        return thread, answers

    def wait_held(self, count: int = 1):
        """Until that many requests wait in the proxy."""
        self.proxy.wait_total(count, "strangler_live_exchanges")


class Load(LiveCase):
    def test_an_abort_under_full_load_is_answered_within_a_second(self):
        load = subprocess.Popen(
            ["h2load", "-D", "8", "-c", "16", "-m", "16", f"http://127.0.0.1:{self.proxy.plain}/m/x"],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(load.wait)
        wait_until("load", lambda: self.proxy.total("strangler_http_requests_total") > 200)
        for verb in ("abort", "resume") * 3:
            before = self.proxy.total("strangler_decisions_total", reason="abort")
            began = time.monotonic()
            self.assertTrue(self.order(f"/modules/m/{verb}")["durable"])
            self.assertLess(time.monotonic() - began, ABORT_S)
            wait_until("it acts", lambda count=before, verb=verb: verb == "resume" or
                       self.proxy.total("strangler_decisions_total", reason="abort") > count)
        said = load.communicate()[0]
        self.assertIn(" 0 failed, 0 errored, 0 timeout", said)
        self.assertRegex(said, r"status codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx")


class Holding(LiveCase):
    def test_a_freeze_holds_writes_and_lets_reads_go(self):
        self.order("/modules/m/freeze")
        self.assertEqual(self.proxy.total("strangler_module_frozen", module="m"), 1)
        thread, answers = self.post_later()
        self.wait_held()
        self.assertEqual(self.read(), b"extracted")
        self.assertEqual(answers, [])
        self.order("/modules/m/unfreeze")
        thread.join()
        self.assertEqual(answers[0].body, b"legacy")

    def test_a_freeze_holds_writes_that_follow_reads(self):
        self.order("/modules/shared/freeze")
        thread, answers = self.post_later("/shared/x")
        self.wait_held()
        self.assertEqual(self.read("/shared/x"), b"extracted")
        self.order("/modules/shared/unfreeze")
        thread.join()
        self.assertEqual(answers[0].body, b"extracted")

    def test_a_freeze_is_answered_when_older_writes_are_over(self):
        older, answers = self.post_later("/m/slow")
        self.slow_seen.wait(10)
        freezer, freezes = self.order_later("/modules/m/freeze", max_wait_ms=20000)
        self.proxy.wait_total(1, "strangler_module_frozen", module="m")
        self.assertEqual(freezes, [])
        self.release.set()
        freezer.join()
        older.join()
        self.assertEqual((freezes[0][0], answers[0].body), (200, b"legacy"))
        self.order("/modules/m/unfreeze")

    def test_a_freeze_says_when_older_writes_go_on(self):
        older, _ = self.post_later("/m/slow")
        self.slow_seen.wait(10)
        answer = self.order("/modules/m/freeze", 504, max_wait_ms=100)
        self.assertIn("1 older writes are still in flight", answer["detail"])
        self.assertTrue(self.module()["frozen"])
        self.release.set()
        older.join()
        self.order("/modules/m/freeze")
        self.order("/modules/m/unfreeze")

    def test_a_freeze_ends_by_itself(self):
        self.order("/modules/m/freeze", ttl_ms=300)
        thread, answers = self.post_later()
        thread.join()
        self.assertEqual(answers[0].body, b"legacy")
        self.assertFalse(self.module()["frozen"])

    def test_who_goes_away_while_a_freeze_waits_takes_nothing_along(self):
        older, _ = self.post_later("/m/slow")
        self.slow_seen.wait(10)
        caller = subprocess.Popen(
            ["curl", "-s", "-X", "POST", "-H", f"Authorization: Bearer {self.proxy.token()}",
             f"http://127.0.0.1:{self.proxy.admin}/modules/m/freeze", "-H",
             "Content-Type: application/json", "-d", '{"max_wait_ms": 20000}'])
        self.proxy.wait_total(1, "strangler_module_frozen", module="m")
        caller.kill()
        caller.wait()
        self.order("/modules/m/unfreeze")
        self.release.set()
        older.join()


class Moving(LiveCase):
    def test_an_abort_acts_at_once_while_writes_move_and_outlives_it(self):
        self.hold()
        mover, answers = self.order_later("/modules/m/writes", owner="extracted")
        wait_until("the program runs", self.told)
        self.assertEqual(self.read(), b"extracted")
        self.order("/modules/m/abort", why="errors")
        self.assertEqual(self.read(), b"legacy")
        self.assertIn("busy", self.order("/modules/m/stage", 409, stage="ramp")["detail"])
        self.order("/modules/shared/stage", stage="ramp")  # another module is not busy
        self.let_go()
        mover.join()
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(self.read(), b"legacy")
        shown = self.module()
        self.assertEqual((shown["write_owner"], shown["aborted"]["why"]), ("extracted", "errors"))

    def test_an_abort_with_writes_brings_everything_back(self):
        self.order("/modules/m/writes", owner="extracted")
        self.order("/modules/m/abort", writes=True)
        self.assertEqual(self.read(), b"legacy")
        self.assertEqual(ask_once(self.proxy.plain, "/m/x", "POST", body=b"x").body, b"legacy")
        self.assertEqual(self.told(), ["m extracted 2", "m legacy 3"])

    def test_answers_that_had_to_wait_are_given_without_delay(self):
        took_s = []
        for owner in ("extracted", "legacy") * 4:
            began = time.monotonic()
            self.order("/modules/m/writes", owner=owner)
            took_s.append(time.monotonic() - began)
        # Else each would wait for the heartbeat, which comes once a second.
        self.assertLess(min(took_s), 0.5, took_s)

    def test_a_change_that_takes_too_long_leaves_the_old_owner(self):
        self.hold()
        mover, answers = self.order_later("/modules/m/writes", owner="extracted", timeout_ms=300)
        wait_until("the way back is told", lambda: "m legacy 4" in self.told())
        self.let_go()
        mover.join()
        self.assertEqual(answers[0][0], 504)
        self.assertEqual(self.module()["write_owner"], "legacy")
        self.assertEqual(ask_once(self.proxy.plain, "/m/x", "POST", body=b"x").body, b"legacy")


class Journal(LiveCase):
    def limit_files(self, size: int):
        resource.prlimit(self.proxy.process.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def test_without_room_for_the_journal_only_an_abort_is_done(self):
        self.order("/modules/m/stage", stage="ramp")
        generation = self.proxy.total("strangler_config_generation")
        self.limit_files(1)
        for path, body in (("/modules/m/percent", {"percent": 10}), ("/undo", {}),
                           ("/modules/m/freeze", {}), ("/modules/m/writes", {"owner": "extracted"})):
            answer = self.order(path, 503, **body)
            self.assertIn("the journal failed", answer["detail"])
        self.assertEqual(self.proxy.total("strangler_config_generation"), generation)
        self.assertEqual(self.told(), [])
        answer = self.order("/modules/m/abort", 500)
        self.assertIn("aborted, not durable", answer["detail"])
        self.assertEqual(self.read(), b"legacy")
        self.limit_files(resource.RLIM_INFINITY)
        self.assertTrue(self.order("/modules/m/abort")["durable"])
        self.proxy.process.kill()
        self.proxy.process.wait()
        self.proxy.start()
        self.assertEqual(self.read(), b"legacy")

    def test_an_unconfirmed_change_has_gone_back_before_the_first_request_after_a_kill(self):
        self.order("/modules/m/stage", stage="ramp")
        self.order("/modules/m/percent", percent=0)
        self.assertEqual(self.read(), b"legacy")
        self.order("/modules/m/percent", percent=100, confirm_within_ms=5000)
        self.assertEqual(self.read(), b"extracted")
        self.proxy.process.kill()
        self.proxy.process.wait()
        reverts_at = time.time() + 5
        wait_until("the time is over", lambda: time.time() > reverts_at)
        self.proxy.start()
        self.assertEqual(self.read(), b"legacy")
        self.assertIn("was not confirmed in time", self.proxy.errors())

    def test_a_hang_up_keeps_what_commands_changed_and_says_so(self):
        self.order("/modules/m/stage", stage="ramp", who="ada")
        self.order("/modules/m/abort", who="ada")
        self.proxy.reload("10-test.cfg", self.config('stage = "live"; percent = 50;'))
        self.assertIn("module m, by command: stage ramp (the files: live), aborted by ada",
                      self.proxy.errors())
        self.assertEqual(self.read(), b"legacy")
        self.order("/modules/m/resume")
        shown = self.module()
        self.assertEqual((shown["stage"], shown["percent"]), ("ramp", 50))
        self.proxy.reload("10-test.cfg", self.config('stage = "shadow"; shadow: { percent = 1; };'))
        self.assertEqual(self.module()["stage"], "shadow")
        self.assertIn("module m: stage shadow, was ramp (reload: the files have changed)",
                      self.proxy.errors())

    def test_two_proxies_do_not_share_a_journal(self):
        self.order("/modules/m/abort")
        other = os.path.join(self.folder, "other.cfg")
        with open(other, "w", encoding="ascii") as file:
            file.write(f'listeners: {{ plain: {{ address = "unix:{self.folder}/other"; }}; }};\n'
                       f'state_dir = "{self.proxy.folder}/state";\n' + self.config())
        done = subprocess.run([self.proxy.process.args[0], "run", other], capture_output=True,
                              text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another proxy uses state_dir", done.stderr)

    def test_an_end_in_the_middle_of_a_change_answers_and_leaves_the_old_owner(self):
        client = self.closing(Http2Client(self.proxy.plain))
        self.hold()
        mover, answers = self.order_later("/modules/m/writes", owner="extracted")
        wait_until("the program runs", self.told)
        stream = client.start("/m/x", "POST", fields=[("content-length", "0")])
        self.wait_held()
        self.proxy.process.send_signal(signal.SIGQUIT)
        wait_until("the way back is told", lambda: "m legacy 4" in self.told())
        self.let_go()
        mover.join()
        self.assertEqual(answers[0][0], 503)
        self.assertEqual(client.wait(stream).body, b"legacy")
        client.close()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_fast_stop_says_that_an_order_is_left_undone(self):
        self.hold()
        mover, answers = self.order_later("/modules/m/writes", owner="extracted")
        wait_until("the program runs", self.told)
        self.assertEqual(self.proxy.stop(), 0)
        self.let_go()
        mover.join()
        status, problem = answers[0]
        self.assertEqual((status, problem["status"], problem["title"]),
                         (503, 503, "Service Unavailable"))
        self.assertIn("strangler status", problem["detail"])

    def test_an_end_waits_for_the_way_back(self):
        self.hold()
        mover, answers = self.order_later("/modules/m/writes", owner="extracted")
        wait_until("the program runs", self.told)
        self.proxy.process.send_signal(signal.SIGQUIT)
        wait_until("the way back is told", lambda: "m legacy 4" in self.told())
        self.assertTrue(self.proxy.is_running())
        self.let_go()
        mover.join()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertEqual(answers[0][0], 503)
        self.proxy.start()
        self.assertEqual(self.told(), ["m extracted 2", "m legacy 4"])  # nothing is left to settle


if __name__ == "__main__":
    main()
