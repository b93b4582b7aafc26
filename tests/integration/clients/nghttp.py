"""nghttp in front of the forum: every frame and every setting that it can be made to send."""

import json
import re
import subprocess
import unittest

from forum_case import COMMAND_SECONDS, PASSWORD, PATHS, ForumCase, run_program
from strangler_test import main, wait_until

JSON = ("-H", "content-type: application/json")
LOG_IN = {"username": "marga", "password": PASSWORD}


class Nghttp(ForumCase):
    def setUp(self):
        super().setUp()
        self.login = self.write_file("login", json.dumps(LOG_IN).encode())

    def nghttp(self, *options: str) -> str:
        return run_program("nghttp", "--no-verify-peer", *options)

    def on_both_ports(self):
        for origin in (self.tls, self.plain):
            with self.subTest(origin):
                yield origin

    def test_everything_is_read_as_the_monolith_says_it(self):
        for origin in self.on_both_ports():
            for path in PATHS:
                self.assertEqual(self.nghttp(origin + path), self.direct(path).decode())

    def test_statuses_and_ends_are_as_they_should_be(self):
        for origin in self.on_both_ports():
            said = self.nghttp("-nv", *(origin + path for path in PATHS))
            statuses = re.findall(r":status: (\d+)", said)
            self.assertEqual(sorted(map(int, statuses)), sorted(PATHS.values()))
            self.assertNotIn("recv RST_STREAM", said)
            self.assertEqual(len(re.findall(r"recv \w+ frame [^\n]*\n +; [^\n]*END_STREAM", said)),
                             len(PATHS))

    def test_more_at_once_than_are_allowed_wait_for_their_turn(self):
        for origin in self.on_both_ports():
            said = self.nghttp("-nv", "-m", "300", origin + "/api/users")
            self.assertEqual(len(re.findall(":status: 200", said)), 300)
            self.assertNotIn("RST_STREAM", said)

    def test_a_page_and_what_belongs_to_it(self):
        for origin in self.on_both_ports():
            said = self.nghttp("-nsa", origin + "/forum")
            self.assertRegex(said, r" 200 +\S+ /forum\n")
            self.assertRegex(said, r" 200 +\S+ /forum/style.css\n")

    def test_settings_of_all_kinds_change_nothing(self):
        body = self.direct("/api/posts/in-thread/1").decode()
        for options in (("-w", "1", "-W", "1"), ("-w", "4"), ("-w", "30", "-W", "30"),
                        ("-c", "0"), ("-c", "0", "-c", "4096"), ("-c", "1048576"),
                        ("--encoder-header-table-size=0",), ("--padding=255",),
                        ("--continuation",), ("--no-dep",), ("--no-rfc7540-pri",), ("--no-push",),
                        ("--max-concurrent-streams=1",)):
            for origin in self.on_both_ports():
                self.assertEqual(self.nghttp(*options, origin + "/api/posts/in-thread/1"), body,
                                 options)

    def test_weights_are_taken(self):
        for origin in self.on_both_ports():
            said = self.nghttp("-nv", "-p", "1", "-p", "256", origin + "/api/users",
                               origin + "/api/threads")
            self.assertEqual(len(re.findall(":status: 200", said)), 2)

    def test_bodies_are_taken_padded_with_trailers_and_without_a_length(self):
        for options in ((), ("--padding=200",), ("--trailer", "x-end: here"),
                        ("--no-content-length",), ("--continuation",)):
            for origin in self.on_both_ports():
                said = self.nghttp("-nv", *JSON, *options, "-d", self.login,
                                   origin + "/api/2.0/sessions")
                self.assertIn(":status: 201", said, options)

    def test_a_body_is_sent_when_100_has_come(self):
        for origin in self.on_both_ports():
            said = self.nghttp("-nv", *JSON, "--expect-continue", "-d", self.login,
                               origin + "/api/2.0/sessions")
            waited, sent, answered = (said.find(words) for words in (
                ":status: 100", "send DATA frame", ":status: 201"))
            self.assertTrue(0 < waited < sent < answered, said)

    def test_an_upgrade_to_h2c_is_not_made(self):
        """RFC 9113 section 3.1 has done away with it."""
        done = subprocess.run(["nghttp", "-nu", self.plain + "/api/users"], capture_output=True,
                              timeout=COMMAND_SECONDS, check=False)
        self.assertIn(b"HTTP Upgrade failed", done.stderr)
        wait_until("it is answered as HTTP/1.1", lambda: any(
            line["protocol"] == "http/1.1" for line in self.proxy.log_lines()))


if __name__ == "__main__":
    main()
