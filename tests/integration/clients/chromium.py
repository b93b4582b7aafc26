"""Headless Chromium in front of the forum: over HTTP/2, and over HTTP/1.1 where it is told so or has no
choice. browser.py takes it through the stages of a migration."""

import json
import os
import unittest

from forum_case import PATHS, ForumCase, run_program
from strangler_test import BUILD, SOURCE, main

MODULES = os.environ.get("BROWSER_MODULES",
                         os.path.join(os.path.dirname(BUILD), "browser", "node_modules"))
SCRIPTS = os.path.join(SOURCE, "tests", "browser")
WITHOUT_HTTP2 = "--disable-http2"


class Chromium(ForumCase):
    def node(self, script: str, *arguments: str, data: bytes = b""):
        run_program("node", os.path.join(SCRIPTS, script), *arguments, data=data,
                    environment={**os.environ, "BROWSER_MODULES": MODULES})

    def on_all_ways(self):
        for name, origin, protocol, flags in (
                ("HTTP/2 over TLS", self.tls, "h2", ()),
                ("HTTP/1.1 over TLS", self.tls, "http/1.1", (WITHOUT_HTTP2,)),
                ("HTTP/1.1", self.plain, "http/1.1", ())):
            with self.subTest(name):
                yield origin, protocol, flags

    def test_a_page_reads_and_writes_gives_up_and_sends_too_much(self):
        for origin, protocol, flags in self.on_all_ways():
            answers = {path: (status, self.direct(path).decode())
                       for path, status in PATHS.items()}
            self.node("requests.mjs", origin, protocol, *flags, data=json.dumps(answers).encode())
            self.proxy.check_nothing_is_left()

    def test_a_visitor_walks_through_the_forum_over_http_1(self):
        for i, (origin, protocol, flags) in enumerate(self.on_all_ways()):
            if protocol != "h2":
                self.node("forum.mjs", origin, self.scratch, f"visitor-{i}", *flags)


if __name__ == "__main__":
    main()
