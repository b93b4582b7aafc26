"""The forum's programs are killed and come back under load: only their own routes notice, nothing
hangs, and all is well again by itself."""

import threading
import time

from forum import ForumCase
from http2_peer import Http2Client
from strangler_test import main, run_all, wait_until

CLIENTS = 4
PATHS = ("/api/users/1", "/api/threads/1", "/api/posts/in-thread/1", "/forum")


class Load:
    """Clients that ask all paths in turn until told to stop."""

    def __init__(self, case, port: int):
        self.port = port
        self.case = case
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.answers: list = []  # (path, status, content type)
        self.slowest_s = 0.0

    def run(self):
        client = Http2Client(self.port)
        try:
            while not self.over.is_set():
                for path in PATHS:
                    began = time.monotonic()
                    answer = client.ask(path)
                    with self.lock:
                        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                        self.answers.append((path, answer.status, answer.value("content-type")))
        finally:
            client.close()

    def since(self, mark: int, path: str) -> list:
        with self.lock:
            return [status for its_path, status, _ in self.answers[mark:] if its_path == path]

    def wait_answers(self, path: str, condition, what: str):
        mark = len(self.answers)
        wait_until(what, lambda: condition(self.since(mark, path)))


class LostBackends(ForumCase):
    def setUp(self):
        super().setUp()
        self.forum = self.start_forum()
        self.proxy = self.start_proxy(self.forum.config(100, 'identity = [ "address" ];'))
        self.load = Load(self, self.proxy.plain)

    def kill_and_restart(self, name: str, path: str):
        load = self.load
        load.wait_answers(path, lambda said: len(said) > 20 and set(said) == {200}, "a good start")
        self.forum.programs[name].kill()
        load.wait_answers(path, lambda said: len(said) > 20 and set(said[-20:]) <= {502, 503},
                          "failures")
        self.forum.restart(name)
        load.wait_answers(path, lambda said: len(said) > 20 and set(said[-20:]) == {200},
                          "a good end")

    def run_under_load(self, work):
        def guarded():
            try:
                work()
            finally:
                self.load.over.set()
        run_all([self.load.run] * CLIENTS + [guarded])

    def check(self, lost: str):
        for path, status, content_type in self.load.answers:
            if status != 200:
                self.assertEqual((path, content_type), (lost, "application/problem+json"))
                self.assertIn(status, (502, 503))
        self.assertLess(self.load.slowest_s, 20)

    def test_a_killed_service_is_missed_on_its_routes_alone_and_found_again(self):
        def work():
            for _ in range(2):
                self.kill_and_restart("users", "/api/users/1")
        self.run_under_load(work)
        self.check("/api/users/1")
        self.assertGreater(self.proxy.total("strangler_backend_errors_total", backend="users"), 0)
        for name in ("monolith", "threads", "posts"):
            self.assertEqual(self.proxy.total("strangler_backend_errors_total", backend=name), 0)

    def test_a_killed_monolith_is_missed_on_its_routes_alone_and_found_again(self):
        def work():
            load, monolith = self.load, self.forum.monolith
            load.wait_answers("/forum", lambda said: len(said) > 20, "a good start")
            monolith.kill()
            load.wait_answers("/forum", lambda said: len(said) > 20 and
                              set(said[-20:]) <= {502, 503}, "failures")
            self.forum.restart("monolith")
            load.wait_answers("/forum", lambda said: len(said) > 20 and
                              set(said[-20:]) == {200}, "a good end")
        self.run_under_load(work)
        self.check("/forum")

    def test_a_service_that_stops_orderly_is_found_again_at_its_next_start(self):
        def work():
            load = self.load
            load.wait_answers("/api/users/1", lambda said: len(said) > 20, "a good start")
            self.forum.programs["users"].stop()
            self.forum.restart("users")
            load.wait_answers("/api/users/1", lambda said: len(said) > 20 and
                              set(said[-20:]) == {200}, "a good end")
        self.run_under_load(work)
        self.check("/api/users/1")
        self.assertEqual(self.proxy.fault_count("users", "malformed"), 0)


if __name__ == "__main__":
    main()
