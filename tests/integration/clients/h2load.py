"""h2load in front of the forum: thousands of requests, of which none may be lost, none counted twice
and none answered wrongly."""

import re
import unittest

from forum_case import ForumCase, run_program
from strangler_test import main

REQUESTS = 2000
_DONE = re.compile(r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
                   r"(\d+) failed, (\d+) errored, (\d+) timeout")
_CODES = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_DATA = re.compile(r"\((\d+)\) data\n")
WAYS = {"HTTP/2 over TLS": (True, ()), "HTTP/2 in clear": (False, ("-p", "h2c")),
        "HTTP/1.1 over TLS": (True, ("--h1",)), "HTTP/1.1": (False, ("--h1",))}


class H2load(ForumCase):
    def load(self, urls: list, *options: str) -> tuple:
        """(how many of each class of status, bytes of bodies); every request was answered."""
        path = self.write_file("urls", "\n".join(urls).encode())
        counted = self.proxy.total("strangler_http_requests_total")
        said = run_program("h2load", "-n", str(REQUESTS), *options, "-i", path)
        done = _DONE.search(said)
        self.assertIsNotNone(done, said)
        total, started, ended, _, _, errors, late = map(int, done.groups())
        self.assertEqual((total, started, ended, errors, late),
                         (REQUESTS, REQUESTS, REQUESTS, 0, 0), said)
        self.proxy.check_nothing_is_left()
        self.assertEqual(self.proxy.total("strangler_http_requests_total") - counted, REQUESTS)
        return tuple(map(int, _CODES.search(said).groups())), int(_DATA.search(said)[1])

    def on_all_ways(self):
        for name, (tls, options) in WAYS.items():
            with self.subTest(name):
                yield self.tls if tls else self.plain, options

    def check_reads(self, *more: str):
        paths = ["/api/users", "/api/users/1", "/api/threads/2", "/api/posts/in-thread/1"]
        each = sum(len(self.direct(path)) for path in paths)
        for origin, options in self.on_all_ways():
            codes, length = self.load([origin + path for path in paths], *options, *more)
            self.assertEqual(codes, (REQUESTS, 0, 0, 0))
            # Each client begins with the first path, and goes through them in their order.
            self.assertEqual(length, each * REQUESTS // len(paths))

    def test_all_reads_are_answered_whole_on_many_connections(self):
        self.check_reads("-c", "20", "-t", "2")

    def test_a_hundred_at_once_on_each_connection(self):
        self.check_reads("-c", "5", "-m", "100")

    def test_small_windows_lose_nothing(self):
        body = len(self.direct("/api/posts/in-thread/1"))
        for origin in (self.tls, self.plain):
            codes, length = self.load([origin + "/api/posts/in-thread/1"], "-c", "10", "-m", "20",
                                      "-w", "6", "-W", "10")
            self.assertEqual((codes, length), ((REQUESTS, 0, 0, 0), body * REQUESTS))

    def test_writes_that_nobody_takes_are_each_refused(self):
        body = self.write_file("body", b"figs " * 2000)
        for origin, options in self.on_all_ways():
            codes, _ = self.load([origin + "/api/users"], *options, "-c", "10", "-m", "20", "-d",
                                 body)
            self.assertEqual(codes, (0, 0, REQUESTS, 0))


if __name__ == "__main__":
    main()
