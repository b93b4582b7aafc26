"""Node in front of the forum: its client of HTTP/2, its client of HTTP/1.1 and fetch."""

import json
import os
import subprocess
import unittest

from forum_case import COMMAND_SECONDS, HERE, PATHS, ForumCase, run_program
from strangler_test import main

SCRIPT = os.path.join(HERE, "node_http2.mjs")


class Node(ForumCase):
    def expected(self) -> bytes:
        answers = {path: (status, self.direct(path).decode()) for path, status in PATHS.items()}
        return json.dumps(answers).encode() + b"\n"

    def visit(self, scenario: str, *origins: str):
        for origin in origins or (self.tls, self.plain):
            with self.subTest(origin):
                run_program("node", "--no-warnings", SCRIPT, scenario, origin, data=self.expected())
                self.proxy.check_nothing_is_left()

    def test_everything_is_read_as_the_monolith_says_it(self):
        self.visit("reads")

    def test_head_tells_the_length_and_has_no_body(self):
        self.visit("heads")

    def test_more_at_once_than_are_allowed_wait_for_their_turn(self):
        self.visit("crowd")

    def test_a_member_talks_and_takes_it_back(self):
        self.visit("member")

    def test_who_gives_up_often_is_served_on(self):
        self.visit("cancels")

    def test_settings_may_change_at_any_time(self):
        self.visit("settings")

    def test_a_body_is_sent_when_100_has_come(self):
        self.visit("continues")

    def test_a_body_that_is_too_large_is_refused_and_nothing_else_is(self):
        self.visit("tooLarge")

    def test_connections_of_http_1_are_kept(self):
        self.visit("keptHttp1")

    def test_fetch_reads_and_writes(self):
        self.visit("fetches")

    def test_a_session_outlives_reloads_and_sees_no_difference(self):
        node = subprocess.Popen(["node", SCRIPT, "goesOn", self.tls], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        self.addCleanup(node.stdout.close)
        self.addCleanup(node.stdin.close)
        node.stdin.write(self.expected())
        node.stdin.flush()
        for percent in (50, 100, 0):
            self.assertEqual(node.stdout.readline(), b"open\n")
            for module in ("users", "threads", "posts"):
                self.site.set_stage(module, "ramp", percent)
            self.site.reload()
            node.stdin.write(b"go on\n")
            node.stdin.flush()
        self.assertEqual(node.wait(COMMAND_SECONDS), 0)


if __name__ == "__main__":
    main()
