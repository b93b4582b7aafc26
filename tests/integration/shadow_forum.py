"""The real forum under copies: each bug on purpose is found and named, and without one nothing is."""

import os
import sqlite3
import subprocess
import unittest

from shipped_site import Site
from strangler_test import ProxyCase, main, wait_until

REQUESTS = int(os.environ.get("SHADOW_FORUM_REQUESTS", "3000"))
RATE = 2500  # requests a second
MAX_INFLIGHT = 300
SHADOW = f'{{ percent = 100; max_inflight = {MAX_INFLIGHT}; timeout = "60s"; }}'
PATHS = {
    "users": ["/api/users", "/api/users/{id}", "/api/2.0/users/{id}", "/forum/u/{id}"],
    "threads": ["/api/threads", "/api/threads/{id}", "/api/2.0/threads/{id}", "/forum",
                "/api/2.0/categories", "/forum/c/lounge"],
    "posts": ["/api/posts", "/api/posts/in-thread/{id}", "/api/posts/by-user/{id}",
              "/api/2.0/threads/{id}/posts", "/api/2.0/posts/{id}", "/forum/t/{id}",
              "/api/2.0/search?q=old"],
}


class ShadowForum(ProxyCase):
    def start(self, *modules: str):
        self.site = Site(self.folder)
        self.proxy = self.site.proxy
        self.addCleanup(self.site.stop_programs)
        self.addCleanup(self.proxy.finish)
        for module in modules:
            self.site.edit(module, stage='"shadow"', shadow=SHADOW)
        self.site.reload()

    def load(self, paths: list, requests: int, at_once: tuple = ("-c", "2", "-m", "4")):
        """Some of the ids are unknown: 404 on both sides."""
        urls = os.path.join(self.folder, "urls")
        with open(urls, "w", encoding="ascii") as file:
            for i in range(1, 13):
                for path in paths:
                    file.write(f"http://127.0.0.1:{self.proxy.plain}{path.format(id=i)}\n")
        # No faster than a thread of low priority compares beside all these programs on two cores.
        done = subprocess.run(["h2load", "-n", str(requests), *at_once, "-i", urls,
                               f"--rps={RATE / 2}"], capture_output=True, text=True,
                              timeout=100 + requests / 100, check=True)
        self.assertIn(f"{requests} done", done.stdout)
        self.assertIn("0 errored, 0 timeout", done.stdout)
        wait_until("copies end", lambda: self.proxy.total("strangler_shadows_in_flight") == 0, 120)

    def verdicts(self) -> dict:
        counts: dict = {}
        for sample in self.proxy.metrics():
            if sample.name == "strangler_compare_total":
                verdict = dict(sample.labels)["verdict"]
                counts[verdict] = counts.get(verdict, 0) + int(sample.value)
        return counts

    def found(self) -> set:
        with sqlite3.connect(f"file:{self.proxy.folder}/state/mismatches.db?mode=ro",
                             uri=True) as database:
            return set(database.execute("SELECT module, path, field FROM mismatch"))

    def test_without_a_bug_nothing_is_found(self):
        self.start(*PATHS)
        self.load([path for paths in PATHS.values() for path in paths], REQUESTS)
        verdicts = self.verdicts()
        self.assertEqual({name: count for name, count in verdicts.items() if name != "match"}, {},
                         self.found())
        self.assertGreater(self.proxy.total("strangler_shadow_sampled_total"), REQUESTS / 2)
        # How many more are sent depends on how much else the machine has to do.
        self.assertGreaterEqual(verdicts["match"], MAX_INFLIGHT)
        self.assertEqual(verdicts["match"], self.proxy.total("strangler_shadow_sent_total"))

    def check_bug(self, bug: str, module: str, path: str, template: str, field: str):
        self.start(module)
        self.site.programs[module].stop()
        self.site.start(module, "--bug", bug).wait_ready()
        self.load([path], 1000)
        wait_until(f"{bug} is found", lambda: (module, template, field) in self.found())

    def test_an_off_by_one_is_found(self):
        self.check_bug("off-by-one", "posts", "/api/2.0/threads/{id}/posts",
                       "/api/2.0/threads/{id}/posts", "$.total")

    def test_a_dropped_field_is_found(self):
        self.check_bug("dropped-field", "users", "/api/2.0/users/{id}", "/api/2.0/users/{id}",
                       "$.bio")

    def test_a_reordering_is_found(self):
        self.check_bug("reordered", "threads", "/api/2.0/categories", "/api/2.0/categories",
                       "$.items")

    def test_a_slow_search_is_seen_in_the_pairs_of_times(self):
        self.start("posts")
        self.site.programs["posts"].stop()
        self.site.start("posts", "--bug", "slow-search").wait_ready()
        # One by one, so that the first side's answers wait for nothing.
        self.load(["/api/2.0/search?q=old"], 50, ("-c", "1", "-m", "1"))
        slower = [sample.value for sample in self.proxy.metrics()
                  if sample.name == "strangler_pair_latency_delta_seconds_bucket"
                  and ("le", "0.3") in sample.labels]
        count = self.proxy.total("strangler_pair_latency_delta_seconds_count", module="posts")
        self.assertEqual((slower, count), ([0], 50))


if __name__ == "__main__":
    main()
