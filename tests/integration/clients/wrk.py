"""wrk in front of the forum: as much HTTP/1.1 as goes, and pipelines."""

import os
import re
import unittest

from forum_case import HERE, ForumCase, run_program
from strangler_test import main


ENOUGH, ROUNDS = 100, 60


class Wrk(ForumCase):
    def wrk(self, url: str, *options: str, counted: str = r"(\d+) requests in") -> str:
        """For a second, and for another one until that was enough: machines are slow at times."""
        said = ""
        for _ in range(ROUNDS):
            said += run_program("wrk", "-d", "1s", "--timeout", "60s", *options, url)
            if sum(map(int, re.findall(counted, said))) > ENOUGH:
                return said
        raise AssertionError(f"not {ENOUGH} requests in {ROUNDS} s: {said}")

    def check_clean(self, said: str):
        self.assertNotIn("Socket errors", said)
        self.assertNotIn("Non-2xx", said)

    def on_both_ports(self):
        for origin in (self.tls, self.plain):
            with self.subTest(origin):
                yield origin

    def test_a_storm_of_reads_is_answered_without_an_error(self):
        for origin in self.on_both_ports():
            self.check_clean(self.wrk(origin + "/api/users", "-t", "2", "-c", "50"))

    def test_a_storm_across_both_sides_of_a_ramp_is_too(self):
        self.site.set_stage("threads", "ramp", 50)
        self.site.reload()
        for origin in self.on_both_ports():
            self.check_clean(self.wrk(origin + "/api/threads/1", "-t", "2", "-c", "50"))

    def test_pipelines_are_answered_in_order(self):
        script = os.path.join(HERE, "in_order.lua")
        for origin in self.on_both_ports():
            said = self.wrk(origin, "-t", "2", "-c", "2", "-s", script, counted=r"came (\d+) wrong")
            self.assertEqual(set(re.findall(r"came \d+ wrong (\d+)", said)), {"0"})
            self.assertNotIn("Socket errors", said)

    def test_who_asks_to_close_is_let_go_each_time(self):
        for origin in self.on_both_ports():
            said = self.wrk(origin + "/api", "-t", "2", "-c", "10", "-H", "Connection: close")
            self.assertNotIn("Non-2xx", said)


if __name__ == "__main__":
    main()
