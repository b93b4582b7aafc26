"""Real requests through the running demo at 0, 25 and 100 percent, and with the writes of modules on
the other side; started by demo.sh --smoke.

The monolith, asked directly, says what the right answer is: a client must not see which side
answered. reconcile says whether both sides hold the same.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys

from curl_client import Request, fetch
from proxy_control import ProxyControl
from visitor import Visitor

IDENTITIES = 200
REPEATS = 3
# 25 % of 200 is 50; four standard deviations to both sides.
FEWEST_AT_25, MOST_AT_25 = 25, 75
UNKNOWN_ID = 999999
FAULTS_SHOWN = 40

SAME_FIELDS = ("content-type", "allow")
LOG_FIELDS = ("ts", "request_id", "trace_id", "client", "protocol", "method", "authority", "path",
              "status", "duration_s", "ttfb_s", "route", "module", "stage", "side", "reason",
              "endpoint", "attempts", "shadow", "generation")

MODULE_PATHS = {
    "users": ("/api/users", "/api/users/", "/api/users/1", f"/api/users/{UNKNOWN_ID}",
              "/API/Users/1", "/api/users/1abc", "/api/users/1/nothing"),
    "threads": ("/api/threads", "/api/threads/1", f"/api/threads/{UNKNOWN_ID}", "/API/THREADS/1",
                "/api/threads/1/nothing"),
    "posts": ("/api/posts", "/api/posts/in-thread/1", "/api/posts/by-user/1",
              f"/api/posts/in-thread/{UNKNOWN_ID}", "/API/posts/IN-thread/1",
              "/api/posts/nothing"),
}
# Face 2.0, as nobody in particular sees it.
FORUM_PATHS = ("/api/2.0/users/1", "/api/2.0/users?ids=1,2,3", f"/api/2.0/users/{UNKNOWN_ID}",
               "/api/2.0/me", "/api/2.0/categories", "/api/2.0/categories/lounge/threads",
               "/api/2.0/categories/nothing/threads", "/api/2.0/threads/1",
               "/api/2.0/threads?ids=1,2", f"/api/2.0/threads/{UNKNOWN_ID}",
               "/api/2.0/threads/1/posts", "/api/2.0/threads/1/posts?page=0", "/api/2.0/posts/1",
               f"/api/2.0/posts/{UNKNOWN_ID}", "/api/2.0/search?q=the", "/api/2.0/search?q=", "/api/2.0/search?q=%20")
# Modules whose service takes writes.
WRITTEN_MODULES = ("users", "threads", "posts")
PAGES = ("/forum", "/forum/", "/forum/c/lounge", "/forum/c/lounge?page=2", "/forum/c/nothing",
         "/forum/c/lounge/new", "/forum/t/1", f"/forum/t/{UNKNOWN_ID}", "/forum/p/1/edit",
         "/forum/search", "/forum/search?q=the", "/forum/register", "/forum/login", "/forum/u/1",
         f"/forum/u/{UNKNOWN_ID}", "/forum/u/1/edit", "/forum/style.css", "/forum/nothing")
READS = ("GET", "HEAD", "OPTIONS")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# What everybody may ask without any module.
OTHER_PATHS = ("/", "/api", "/nothing-here")
REFUSED_PATHS = ("/internal", "/internal/feed/users?after=0", "//internal", "/INTERNAL;x",
                 "/%69nternal", "/metrics", "/Metrics;x")


def cookie_of(number):
    return hashlib.md5(str(number).encode()).hexdigest()


class Smoke:
    def __init__(self, options):
        self.control = ProxyControl(options.admin, options.proxy_pid, options.routes,
                                    options.access_log)
        self.sites = {
            "direct": (f"http://127.0.0.1:{options.monolith}", ("http1.1",), "1.1"),
            "tls": (f"https://localhost:{options.tls}",
                    ("http2", f'cacert = "{options.certificate}"'), "2"),
            "h2c": (f"http://127.0.0.1:{options.plain}", ("http2-prior-knowledge",), "2"),
        }
        self.reconcile_program = options.reconcile
        self.ports = {name: getattr(options, name)
                      for name in ("monolith", "users", "threads", "posts")}
        self.owners = {"users": "legacy", "threads": "legacy", "posts": "legacy"}
        self.visitors = 0
        self.reads = []  # paths of what visitors wrote
        self.present = []  # visitors who are logged in
        self.sent = 0  # to the proxy: each becomes one line of the access log
        self.faults = 0
        self.checks = 0

    def check(self, is_right, text):
        self.checks += 1
        if not is_right:
            self.faults += 1
            if self.faults <= FAULTS_SHOWN:
                print(f"smoke: {text}", file=sys.stderr)

    def ask(self, site, requests):
        base, options, version = self.sites[site]
        # curl 7.88 fails when it uses a cleartext HTTP/2 connection again.
        answers = fetch([Request(base + path, method, headers, *body)
                         for method, path, headers, *body in requests], options, site != "h2c")
        self.sent += len(requests) if site != "direct" else 0
        for (method, path, *_), answer in zip(requests, answers):
            self.check(answer.version == version,
                       f"{site} {method} {path}: HTTP/{answer.version} instead of {version}")
        return answers

    def compare(self, requests):
        """Both listeners answer as the monolith does."""
        expected = self.ask("direct", requests)
        for site in ("tls", "h2c"):
            for request, answer, wanted in zip(requests, self.ask(site, requests), expected):
                what = f"{site} {request[0]} {request[1]} {' '.join(request[2])}"
                self.check(answer.status == wanted.status,
                           f"{what}: {answer.status}, the monolith says {wanted.status}")
                self.check(answer.body == wanted.body,
                           f"{what}: body {answer.body[:200]!r} is not {wanted.body[:200]!r}")
                for name in SAME_FIELDS:
                    self.check(answer.values(name) == wanted.values(name),
                               f"{what}: {name} {answer.values(name)}, "
                               f"the monolith says {wanted.values(name)}")

    def compare_everything(self):
        some = [(f"Cookie: strangler_id={cookie_of(i)}",) for i in range(4)]
        self.compare([(method, path, headers) for paths in MODULE_PATHS.values()
                      for path in paths for method in READS for headers in some])
        self.compare([(method, path, some[0]) for paths in MODULE_PATHS.values()
                      for path in paths for method in WRITES])
        self.compare([(method, path, ()) for path in OTHER_PATHS for method in ("GET", "POST")])

    def compare_forum(self):
        """What was written is the same everywhere, whoever asks whom for it."""
        self.compare([("GET", path, (f"Cookie: strangler_id={cookie_of(i)}",))
                      for path in (*FORUM_PATHS, *self.reads[-16:]) for i in range(2)])
        # Who sends no token of a visitor's own is given a new one, in every form another.
        visitors = [f"vsid={'v' * 43}"] + [visitor.session for visitor in self.present]
        self.compare([("GET", path, (f"Cookie: strangler_id={cookie_of(i)}; {who}",
                                     "Accept: text/html"))
                      for path in PAGES for i, who in enumerate(visitors)])

    def check_reconciled(self):
        done = subprocess.run([self.reconcile_program, "--settle", "10s"], capture_output=True,
                              text=True, check=False, timeout=120)
        self.check(done.returncode == 0, f"reconcile: {done.returncode}\n{done.stdout}{done.stderr}")

    def write_forum(self):
        """Somebody on each listener writes; every write goes to its owner and reaches both sides."""
        before = self.logged()
        sent = self.sent
        for site in ("tls", "h2c"):
            self.visitors += 1
            visitor = Visitor(f"smoke-{self.visitors}",
                              lambda *request, where=site: self.ask(where, [request])[0],
                              self.check)
            visitor.write_everything()
            self.reads += visitor.reads
            self.present.append(visitor)
        for line in self.control.log_lines_after(before, self.sent - sent):
            if line["method"] not in READS:
                self.check(line["side"] == self.owners[line["module"]],
                           f"{line['method']} {line['path']} was on {line['side']}")
        self.check_reconciled()
        self.compare_forum()
        while self.present:
            self.present.pop().log_out()

    def is_told(self, module):
        """Both applications know the owner."""
        answers = [self.ask_direct(name, f"/internal/owner/{module}")
                   for name in ("monolith", module)]
        return all(said["owner"] == self.owners[module] for said in answers)

    def ask_direct(self, name, path):
        option = "http1.1" if name == "monolith" else "http2-prior-knowledge"
        answer, = fetch([Request(f"http://127.0.0.1:{self.ports[name]}{path}")], (option,))
        return json.loads(answer.body)

    def move_writes(self, module, side):
        self.owners[module] = side
        self.control.set_owner(module, side, lambda: self.is_told(module))
        self.write_forum()
        self.check(self.control.total("strangler_config_last_reload_successful") == 1,
                   f"the writes of {module} did not move")
        print(f"smoke: writes of {module} on {side}")

    def check_forum(self):
        for site in ("tls", "h2c"):
            page, = self.ask(site, [("GET", "/forum", ("Accept: text/html",))])
            self.check(page.status == 200 and b"<html" in page.body.lower() and
                       page.values("content-type")[:1] and
                       page.values("content-type")[0].startswith("text/html"),
                       f"{site} GET /forum: {page.status} {page.values('content-type')}")

    def check_refusals(self):
        for site in ("tls", "h2c"):
            requests = [("GET", path, ()) for path in REFUSED_PATHS]
            for (_, path, _), answer in zip(requests, self.ask(site, requests)):
                self.check(answer.status == 403, f"{site} GET {path}: {answer.status}, not refused")

    def logged(self):
        """The lines of the access log, once every request so far has its one line there."""
        lines = len(self.control.log_lines_after(0, self.sent))
        self.check(lines == self.sent, f"{self.sent} requests, {lines} lines in the access log")
        return lines

    def check_log_line(self, line, percent):
        missing = [name for name in LOG_FIELDS if name not in line]
        self.check(not missing, f"the access log lacks {', '.join(missing)}")
        bucket = re.fullmatch(r"bucket (\d+)(<|>=)(\d+)", line.get("reason", ""))
        if bucket:
            side = "extracted" if int(bucket.group(1)) < percent * 10000 else "legacy"
            self.check(line.get("side") == side, f"{line['reason']}, but the side is {line['side']}")

    def sides_of_identities(self, percent):
        """Which side each of the identities was on, by the access log; they must not move."""
        before = self.logged()
        # parseInt: every one of these paths is user 1, and names its client in the log.
        requests = [("GET", f"/api/users/1c{i}", (f"Cookie: strangler_id={cookie_of(i)}",))
                    for _ in range(REPEATS) for i in range(IDENTITIES)]
        decided = self.decisions()
        self.ask("tls", requests)
        sides = {}
        for line in self.control.log_lines_after(before, len(requests)):
            self.check_log_line(line, percent)
            side = sides.setdefault(line["path"], line["side"])
            self.check(side == line["side"], f"{line['path']} moved at {percent} percent")
        self.check(len(sides) == IDENTITIES, f"{len(sides)} identities in the access log")
        extracted = sum(side == "extracted" for side in sides.values())
        grown = {side: number - decided[side] for side, number in self.decisions().items()}
        wanted = {"extracted": extracted * REPEATS, "legacy": (IDENTITIES - extracted) * REPEATS}
        self.check(grown == wanted, f"metrics count {grown}, the access log {wanted}")
        return {path for path, side in sides.items() if side == "extracted"}

    def decisions(self):
        return {side: self.control.total("strangler_decisions_total", module="users", side=side)
                for side in ("legacy", "extracted")}

    def check_share(self, percent, moved_before):
        extracted = self.sides_of_identities(percent)
        fewest, most = {0: (0, 0), 25: (FEWEST_AT_25, MOST_AT_25),
                        100: (IDENTITIES, IDENTITIES)}[percent]
        self.check(fewest <= len(extracted) <= most,
                   f"{len(extracted)} of {IDENTITIES} are on the extracted side at {percent} percent")
        self.check(moved_before <= extracted,
                   f"{len(moved_before - extracted)} were moved back by raising to {percent} percent")
        return extracted

    def check_sides_of_modules(self, percent):
        """At both ends every module's reads are on one side, and writes stay on legacy."""
        before = self.logged()
        requests = [(method, paths[0], (f"Cookie: strangler_id={cookie_of(1)}",))
                    for paths in MODULE_PATHS.values() for method in ("GET", "POST")]
        self.ask("h2c", requests)
        read_side = {0: ("legacy",), 25: ("legacy", "extracted"), 100: ("extracted",)}[percent]
        for line in self.control.log_lines_after(before, len(requests)):
            allowed = read_side if line["method"] == "GET" else ("legacy",)
            self.check(line["side"] in allowed, f"{line['method']} {line['path']} was on "
                                                f"{line['side']} at {percent} percent")

    def wait_until_idle(self):
        # The request for the metrics is not an exchange of the proxy's.
        self.control.wait_for("no live exchange", lambda: self.control.total(
            "strangler_live_exchanges") == 0)

    def run(self):
        extracted = set()
        for percent in (0, 25, 100):
            self.control.set_percent(percent)
            self.compare_everything()
            extracted = self.check_share(percent, extracted)
            self.check_sides_of_modules(percent)
            self.write_forum()
            print(f"smoke: {percent} percent, {len(extracted)} of {IDENTITIES} identities on the "
                  f"extracted side")
        for side in ("extracted", "legacy"):
            for module in WRITTEN_MODULES:
                self.move_writes(module, side)
        self.check_forum()
        self.check_refusals()
        self.wait_until_idle()
        self.logged()


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--tls", "--plain", "--admin", "--monolith", "--users", "--threads", "--posts",
                 "--proxy-pid"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--routes", "--access-log", "--certificate", "--reconcile"):
        parser.add_argument(name, required=True)
    return parser.parse_args()


def main():
    smoke = Smoke(read_options())
    try:
        smoke.run()
    except (RuntimeError, OSError) as error:
        smoke.check(False, str(error))
    print(f"smoke: {smoke.checks} checks, {smoke.faults} faults")
    return 1 if smoke.faults else 0


if __name__ == "__main__":
    sys.exit(main())
