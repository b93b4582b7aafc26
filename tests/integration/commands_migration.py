"""A whole migration, there and back, driven by the commands alone under load: every verb in every
stage, and not one request of a client fails."""

import os
import subprocess
import threading
import time

from http1_backend import Http1Backend, named
from http2_peer import Gone, Http2Backend, Http2Client, ask_once, serving2
from strangler_test import (IDENTITY_CLIENT, ProxyCase, backend_text, config_text, is_sanitized,
                            main, wait_until)

DONE, PROBLEM = 0, 1
ABORT_S = 5 if is_sanitized() else 1  # a sanitizer takes time of its own, on a busy machine
PEOPLE, CONNECTIONS = 200, 4
FLIP = "#!/bin/sh\necho \"$@\" >> {folder}/told\n"
STAGES = ("legacy", "shadow", "ramp", "live", "retired")


class Load:
    """People who read all the time, and one who writes all the time. Remembers what went wrong."""

    def __init__(self, port: int):
        self.faults: list = []
        self.reads = self.writes = 0
        self.sides: dict = {}  # of the last whole round
        self.rounds = 0
        self.over = threading.Event()
        self.port = port
        self.threads = [threading.Thread(target=self.read), threading.Thread(target=self.write)]
        for thread in self.threads:
            thread.start()

    def read(self):
        client = subprocess.Popen([IDENTITY_CLIENT, str(self.port), str(PEOPLE), str(CONNECTIONS),
                                   "/api/x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while not self.over.is_set():
            client.stdin.write("go\n")
            client.stdin.flush()
            sides: dict = {}
            for line in client.stdout:
                index, side = line.split()
                if index == "done":
                    break
                sides[int(index)] = side
            if len(sides) != PEOPLE:
                self.faults.append(f"{PEOPLE - len(sides)} reads of {PEOPLE} failed")
                break
            self.reads += PEOPLE
            self.sides = sides
            self.rounds += 1
        client.stdin.close()
        if client.wait(30) != 0:
            self.faults.append("the reading client ended with a fault")
        client.stdout.close()

    def write(self):
        client = Http2Client(self.port)
        try:
            while not self.over.is_set():
                answer = client.ask("/api/x", "POST", body=b"text")
                if answer.status != 200:
                    self.faults.append(f"a write was answered {answer.status} {answer.body!r}")
                    break
                self.writes += 1
                time.sleep(0.002)  # a person, not a flood
        except (Gone, OSError) as fault:
            self.faults.append(f"a write failed: {fault!r}")
        client.close()

    def shares(self) -> float:
        """Percent of people on the extracted side, in a round that began after this call."""
        seen = self.rounds + 1
        wait_until("a whole round", lambda: self.rounds > seen or self.faults)
        return 100 * sum(side == "extracted" for side in self.sides.values()) / PEOPLE

    def close(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class MigrationCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(Http1Backend(named("legacy")))
        self.extracted = self.closing(Http2Backend(serving2(
            lambda connection, request: connection.answer(
                request.stream, b"extracted", fields=[("x-side", "extracted")]))))
        flip = os.path.join(self.folder, "flip.sh")
        with open(flip, "w", encoding="ascii") as file:
            file.write(FLIP.format(folder=self.folder))
        os.chmod(flip, 0o755)
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.legacy.port),
            backend_text("service", self.extracted.port, "h2"),
            more=f"""identity = [ "assign", "address" ];
modules: {{ m: {{ legacy = "monolith"; extracted = "service";
    stage   = "legacy"; # where everything begins
    percent = 0;
    shadow: {{ percent = 5; }}; on_flip = "{flip}";
    routes: {{ api: {{ prefix = "/api"; }}; }}; }}; }};"""))

    def run_command(self, *words: str, status: int = DONE) -> str:
        done = self.proxy.command(*words, "--why", "a test") if words[0] in CHANGING else \
            self.proxy.command(*words)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def read_side(self) -> str:
        return ask_once(self.proxy.plain, "/api/x").body.decode()

    def write_side(self) -> str:
        return ask_once(self.proxy.plain, "/api/x", "POST").body.decode()

    def module(self) -> dict:
        return self.proxy.operate("/modules/m")[1]


CHANGING = {"stage", "percent", "abort", "resume", "writes", "freeze", "unfreeze", "confirm", "undo",
            "save", "reload"}


class WholeMigration(MigrationCase):
    def reads_of(self, stage: str) -> str:
        """Where the one who asks without a cookie reads, at 0 or 100 percent."""
        if stage == "ramp":
            return "extracted" if self.module()["percent"] == 100 else "legacy"
        return "extracted" if stage in ("live", "retired") else "legacy"

    def check_abort(self, stage: str):
        if stage == "retired":
            self.assertIn("retired", self.run_command("abort", "m", status=PROBLEM))
            return
        self.run_command("abort", "m")
        self.assertEqual(self.read_side(), "legacy")
        self.assertEqual(self.load.shares(), 0)
        before = self.proxy.operate("/generation")[1]
        self.run_command("abort", "m")  # twice is no error and changes nothing
        self.assertEqual(self.proxy.operate("/generation")[1], before)
        self.run_command("percent", "m", "100")  # kept, and does not act
        self.assertEqual(self.read_side(), "legacy")
        self.run_command("undo")  # of the percent …
        self.run_command("undo")  # … and of the abort, which is a resume
        self.assertFalse(self.module()["aborted"])
        self.assertEqual(self.read_side(), self.reads_of(stage))
        self.run_command("abort")  # all
        self.assertEqual(self.read_side(), "legacy")
        self.run_command("resume", "m")
        self.run_command("resume", "m")
        self.assertEqual(self.read_side(), self.reads_of(stage))

    def check_percent(self, stage: str):
        if stage == "retired":
            self.run_command("percent", "m", "50", status=PROBLEM)
            return
        self.run_command("percent", "m", "100", "--confirm-within", "1h")
        self.assertEqual(self.read_side(), self.reads_of(stage))
        self.run_command("percent", "m", "50", status=PROBLEM)  # one waits to be confirmed
        self.run_command("confirm", "m")
        self.run_command("percent", "m", "50")
        share = self.load.shares()
        if stage == "ramp":
            self.assertTrue(35 < share < 65, share)
        else:
            self.assertEqual(share, 100 if stage == "live" else 0)
        self.run_command("percent", "m", "0")
        self.run_command("confirm", "m", status=PROBLEM)

    def check_writes(self, stage: str):
        if stage == "retired":
            self.run_command("freeze", "m", status=PROBLEM)
            self.run_command("writes", "m", "legacy", status=PROBLEM)
            self.run_command("writes", "m", "extracted")
            return
        self.run_command("freeze", "m", "--max-wait", "10s", "--ttl", "60s")
        self.run_command("unfreeze", "m")
        self.run_command("unfreeze", "m")
        for owner in ("extracted", "extracted", "legacy"):
            self.run_command("writes", "m", owner)
            self.assertEqual(self.write_side(), owner)
        self.run_command("writes", "m", "extracted")
        self.run_command("abort", "m", "--writes")  # reads and writes
        self.assertEqual((self.read_side(), self.write_side()), ("legacy", "legacy"))
        self.run_command("resume", "m")

    def check_rest(self, stage: str):
        self.run_command("save", "m")
        self.assertIn("as the files say", self.run_command("diff"))
        self.run_command("reload")
        self.assertEqual((self.module()["stage"], self.read_side()), (stage, self.reads_of(stage)))
        self.assertIn(f" {stage} ", self.run_command("status"))
        self.assertEqual(self.load.faults, [], f"in stage {stage}")

    def test_there_and_back_without_a_failed_request(self):
        self.run_command("abort")  # with nothing going on
        self.run_command("resume", "m")
        self.load = self.closing(Load(self.proxy.plain))
        for stage in STAGES:
            if stage == "retired":
                self.run_command("stage", "m", "retired", status=PROBLEM)  # writes are with legacy
                self.run_command("writes", "m", "extracted")
            if stage != "legacy":
                self.run_command("stage", "m", stage)
            self.assertEqual(self.module()["stage"], stage)
            self.check_percent(stage)
            self.check_abort(stage)
            self.check_writes(stage)
            self.check_rest(stage)
        for stage in reversed(STAGES[:-1]):
            self.run_command("stage", "m", stage)
            self.assertEqual(self.read_side(), self.reads_of(stage))
        self.run_command("writes", "m", "legacy")
        self.run_command("save")
        self.load.close()
        self.assertEqual(self.load.faults, [])
        self.assertGreater(self.load.reads, 10 * PEOPLE)
        self.assertGreater(self.load.writes, 100)
        self.assertEqual([sample for sample in self.proxy.metrics()
                          if sample.name == "strangler_http_requests_total"
                          and dict(sample.labels)["code"] != "200"], [])


class Urgent(MigrationCase):
    def test_an_abort_is_answered_within_a_second_under_full_load(self):
        self.proxy.operate("/modules/m/stage", {"stage": "live", "force": True})
        load = subprocess.Popen(["h2load", "-c", "20", "-m", "20", "-D", "8",
                                 f"http://127.0.0.1:{self.proxy.plain}/api/x"],
                                stdout=subprocess.DEVNULL)
        self.addCleanup(load.wait)
        wait_until("the load is there",
                   lambda: self.proxy.total("strangler_live_exchanges") >= 100)
        times = []
        for _ in range(5):
            began = time.monotonic()
            self.assertEqual(self.proxy.operate("/modules/m/abort", {})[0], 200)
            times.append(time.monotonic() - began)
            self.assertEqual(self.read_side(), "legacy")
            self.assertEqual(self.proxy.operate("/modules/m/resume", {})[0], 200)
        self.assertLess(sorted(times)[len(times) // 2], ABORT_S, times)
        load.terminate()


if __name__ == "__main__":
    main()
