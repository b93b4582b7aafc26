"""Faults on purpose: each knob means the same at the monolith and at every service.

Needs STRANGLER_BUILD (the build folder).
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from forum import MODULES
from http2_peer import Http2Client
from monolith_client import PROBLEM
from pages_visitor import Visitor
from services_programs import Program, program_path

WHOLE_RUN_SECONDS = 200
LISTS = {
    "users": ["/api/2.0/users?ids=3,1,2", "/api/2.0/users?ids=99", "/api/2.0/users/1"],
    "threads": ["/api/2.0/categories", "/api/2.0/categories/lounge/threads",
                "/api/2.0/categories/lounge/threads?page=2", "/api/2.0/threads?ids=2,1",
                "/api/2.0/threads/1"],
    "posts": ["/api/2.0/threads/1/posts", "/api/2.0/posts/1", "/api/2.0/search?q=the",
              "/api/2.0/search?q=zebra"],
}
# What is between applications, and for their operators.
CONTROL = ["/health", "/metrics", "/internal/feed/{}", "/internal/owner/{}", "/internal/rows/{}",
           "/internal/digest/{}"]
WRITES = {
    "users": ("/api/2.0/users", {"username": "never", "password": "12345678", "name": ""}),
    "threads": ("/api/2.0/threads", {"category": "lounge", "title": "Never"}),
    "posts": ("/api/2.0/threads/1/posts", {"text": "never"}),
}


class Knobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name
        cls.monolith = Program("monolith", cls.folder).wait_ready()

    @classmethod
    def tearDownClass(cls):
        assert cls.monolith.stop() == 0, cls.monolith.complaints()
        cls.temporary.cleanup()

    def visitor(self, name, *knobs):
        """At a program with these knobs."""
        folder = self.folder
        if name == "monolith":
            folder = os.path.join(self.folder, "other")
            os.makedirs(folder, exist_ok=True)
        else:
            knobs = ("--monolith", self.monolith.origin, *knobs)
        program = Program(name, folder, *knobs).wait_ready()
        visitor = Visitor(program)
        self.addCleanup(self.end, visitor)
        return visitor

    def end(self, visitor):
        visitor.close()
        if visitor.program.is_running():
            self.assertEqual(visitor.program.stop(), 0, visitor.program.complaints())

    def test_each_bug_is_the_same_on_both_sides(self):
        right = Visitor(self.monolith)
        for bug in ["off-by-one", "dropped-field", "reordered"]:
            wrong = self.visitor("monolith", "--bug", bug)
            changed = set()
            for module in MODULES:
                service = self.visitor(module, "--bug", bug)
                for path in LISTS[module]:
                    said = service.get(path)
                    self.assertEqual((said.status, said.json), (200, wrong.get(path).json), path)
                    if said.json != right.get(path).json:
                        changed.add(module)
            bitten = {"dropped-field": {"users", "posts"}}.get(bug, set(MODULES))
            self.assertEqual(changed, bitten, bug)
        right.close()

    def test_a_slow_search_takes_a_second_more_and_nothing_else_does(self):
        for module in MODULES:
            service = self.visitor(module, "--bug", "slow-search")
            begun = time.monotonic()
            for path in LISTS[module][:1] * 20:
                self.assertEqual(service.get(path).status, 200)
            self.assertLess(time.monotonic() - begun, 20)
            if module == "posts":
                for path in ["/api/2.0/search?q=the", "/forum/search?q=the", "/api/2.0/search"]:
                    begun = time.monotonic()
                    self.assertIn(service.get(path).status, (200, 422))
                    self.assertGreaterEqual(time.monotonic() - begun, 1)

    def test_latency_holds_back_every_answer_but_control(self):
        for module in MODULES:
            service = self.visitor(module, "--latency", "500ms,600ms")
            for path in [LISTS[module][0], f"/api/{module}", "/nowhere"]:
                begun = time.monotonic()
                self.assertIn(service.get(path).status, (200, 404))
                self.assertGreaterEqual(time.monotonic() - begun, 0.5)
            paths = [path.format(module) for path in CONTROL] * 5
            begun = time.monotonic()
            for path in paths:
                self.assertEqual(service.get(path).status, 200, path)
            self.assertLess(time.monotonic() - begun, 0.5 * len(paths))
            many = Http2Client(service.program.port)
            begun = time.monotonic()
            streams = [many.start(f"/api/{module}/1") for _ in range(50)]
            self.assertEqual({many.wait(stream).status for stream in streams} - {200, 204, 404},
                             set())
            self.assertLess(time.monotonic() - begun, 0.5 * 50)
            many.close()

    def test_a_stop_holds_nothing_back(self):
        for module in MODULES:
            program = Program(module, self.folder, "--monolith", self.monolith.origin, "--latency",
                              "60s").wait_ready()
            client = Http2Client(program.port)
            stream = client.start("/api")
            client.wait_ping()
            begun = time.monotonic()
            program.process.send_signal(signal.SIGTERM)
            self.assertEqual(client.wait(stream).status, 200)
            client.close()
            self.assertEqual(program.wait(), 0)
            self.assertLess(time.monotonic() - begun, 30)  # of a minute

    def monolith_with(self, *knobs):
        folder = os.path.join(self.folder, "stopped")
        os.makedirs(folder, exist_ok=True)
        return Program("monolith", folder, *knobs).wait_ready()

    def test_a_monolith_stops_while_clients_go_on_asking_for_what_is_held_back(self):
        def ask_on(program, asked):
            try:
                with program.connect() as connection:
                    while True:
                        connection.sendall(b"GET /forum HTTP/1.1\r\nhost: a\r\n\r\n")
                        if not connection.recv(65536):
                            return
                        asked.release()
            except OSError:
                pass
        for _ in range(30):
            program, asked = self.monolith_with("--latency", "1ms"), threading.Semaphore(0)
            clients = [threading.Thread(target=ask_on, args=(program, asked)) for _ in range(3)]
            for client in clients:
                client.start()
            for _ in range(10):
                asked.acquire()
            status = program.stop()
            for client in clients:
                client.join()
            self.assertEqual(status, 0, program.complaints())

    def test_a_monolith_that_holds_very_much_back_stops_at_once(self):
        program = self.monolith_with("--latency", "60s")
        clients = [program.connect() for _ in range(300)]
        for client in clients:
            client.sendall(b"GET /forum HTTP/1.1\r\nhost: a\r\n\r\n")
        self.assertEqual(program.stop(), 0, program.complaints())
        for client in clients:
            client.close()

    def test_failures_are_a_share_and_store_nothing(self):
        for module in MODULES:
            wrong, service = [self.visitor(name, "--fail", "100%") for name in ("monolith", module)]
            for path in [*LISTS[module], f"/api/{module}", "/nowhere"]:
                said = service.get(path)
                self.assertEqual((said.status, said.type, said.json),
                                 (500, PROBLEM, wrong.get(path).json), path)
            for path in CONTROL:
                self.assertEqual(service.get(path.format(module)).status, 200, path)
            owner = {"owner": "extracted", "epoch": 2}
            self.assertEqual(service.json("POST", f"/internal/owner/{module}", owner).status, 200)
            path, value = WRITES[module]
            self.assertEqual(service.json("POST", path, value).status, 500)
            self.assertEqual(service.get(f"/internal/owner/{module}").json["outbox_last"], 0)
            self.assertEqual(service.json("POST", f"/internal/owner/{module}",
                                          {"owner": "legacy", "epoch": 3}).status, 200)
            self.end(wrong)
            self.end(service)
            some = self.visitor(module, "--fail", "30%")
            statuses = [some.get(f"/api/{module}").status for _ in range(200)]
            self.assertEqual(set(statuses), {200, 500})
            self.assertTrue(20 <= statuses.count(500) <= 110, statuses.count(500))

    def test_what_is_no_value_is_bad_usage(self):
        for name in ["monolith", *MODULES]:
            for option, values in {
                    "--latency": ["", "soon", "5", "2s,1s", "61s", "1ms,2ms,3ms", ",5ms", "5ms,"],
                    "--fail": ["", "5", "101%", ".5%", "-1%", "1.2.3%", "nan%", "%"],
                    "--bug": ["", "none", "slow", "OFF-BY-ONE"]}.items():
                for value in values:
                    done = subprocess.run([program_path(name), option, value], timeout=30,
                                          cwd=self.folder, capture_output=True, text=True,
                                          check=False)
                    self.assertEqual((done.returncode, done.stdout), (2, ""), (name, option, value))
                    self.assertIn(f"'{value}'", done.stderr)


if __name__ == "__main__":
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
