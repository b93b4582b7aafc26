"""Python's httpx in front of the forum, over HTTP/2 (with h2, another implementation than nghttp2) and
over HTTP/1.1."""

import json
import os
import unittest

from forum_case import HERE, PATHS, ForumCase, run_program
from strangler_test import main

SCRIPT = os.path.join(HERE, "httpx_client.py")
PYTHON = "/usr/bin/python3"  # which has Debian's packages


class Httpx(ForumCase):
    def visit(self, scenario: str, versions=("2", "1.1")):
        answers = {path: (status, self.direct(path).decode()) for path, status in PATHS.items()}
        for version in versions:
            for origin in (self.tls, self.plain):
                with self.subTest(f"{version} {origin}"):
                    run_program(PYTHON, "-I", "-B", SCRIPT, scenario, origin, version,
                                data=json.dumps(answers).encode())
                    self.proxy.check_nothing_is_left()

    def test_everything_is_read_as_the_monolith_says_it(self):
        self.visit("reads")

    def test_head_tells_the_length_and_has_no_body(self):
        self.visit("heads")

    def test_more_at_once_than_are_allowed_wait_for_their_turn(self):
        self.visit("crowd")

    def test_a_member_talks_and_takes_it_back(self):
        self.visit("member")

    def test_a_form_without_a_length_is_sent_and_its_redirect_followed(self):
        self.visit("form")

    def test_who_gives_up_often_is_served_on(self):
        self.visit("cancels")

    def test_a_body_that_is_too_large_is_refused_and_nothing_else_is(self):
        self.visit("too_large")


if __name__ == "__main__":
    main()
