#!/usr/bin/env python3
"""What copies cost the client: p99 at a fixed rate with all requests copied to a side that misbehaves,
beside p99 without copies. Both take turns in one run, on one proxy and one legacy backend.

    bench/shadow.py BUILD_FOLDER [--rate 20000] [--seconds 1] [--rounds 9] [SIDE …]

A side is silent, late, resets, floods, garbage, down, or good: one that answers as legacy does. Prints
a row a side: the median of the differences of turns that follow each other, and in brackets the
least and the greatest. Exits 1 when copies cost more than a millisecond, a request failed, memory
grew beyond the budget of copies, or the books of the copies do not balance."""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import processes

LIMIT_MS = 1.0
BUDGET_MIB = 64
SIDES = ("good", "silent", "late", "resets", "floods", "garbage", "down")


def config(port, admin, legacy, extracted, folder):
    return f"""
listeners: {{ plain: {{ address = "127.0.0.1:{port}"; }}; }};
admin: {{ address = "127.0.0.1:{admin}"; }};
state_dir = "{folder}";
access_log: {{ path = "off"; }};
workers = 1;
identity = [ "address" ];
backends: {{ legacy: {{ endpoints = [ "127.0.0.1:{legacy}" ]; }};
            extracted: {{ endpoints = [ "127.0.0.1:{extracted}" ]; }}; }};
default = "legacy";
modules: {{
  off: {{ legacy = "legacy"; extracted = "extracted"; routes: {{ r: {{ prefix = "/"; }}; }}; }};
  on:  {{ legacy = "legacy"; extracted = "extracted"; stage = "shadow";
         shadow: {{ percent = 100; }}; routes: {{ r: {{ prefix = "/"; headers = [ "x-on" ]; }}; }}; }};
}};
"""


class Books:
    """What the proxy says of the copies, and what the system says of the proxy."""

    def __init__(self, admin, pid):
        self.admin = admin
        self.pid = pid

    def counters(self, family):
        """By the label that is not the module: {"queue_full": 3}."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = {}
        for labels, number in re.findall(rf'^strangler_{family}\{{(.*)\}} (\d+)$', text, re.M):
            names = [value for key, value in re.findall(r'(\w+)="(.*?)"', labels) if key != "module"]
            found[names[0] if names else ""] = found.get(names[0] if names else "", 0) + int(number)
        return {name: count for name, count in found.items() if count > 0}

    def balance(self):
        """When nothing is in flight any more: each sampled one is sent or dropped."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            sampled = sum(self.counters("shadow_sampled_total").values())
            ended = (sum(self.counters("shadow_sent_total").values()) +
                     sum(self.counters("shadow_dropped_total").values()))
            if sampled == ended:
                return True
            time.sleep(0.2)
        return False

    def peak_mib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024

    def cpu_s(self):
        return processes.cpu_seconds(self.pid)


def load(arguments, port, fields):
    """(p99 in milliseconds, failed requests)"""
    program = os.path.join(arguments.build, "bench", "bench_load")
    def before_exec():
        os.sched_setaffinity(0, {processes.LOAD_CORE})
        processes.never_wait()
    done = subprocess.run([program, str(port), "/100", str(arguments.rate), str(arguments.seconds),
                           *fields], capture_output=True, text=True, check=False,
                          timeout=arguments.seconds + 60, preexec_fn=before_exec)
    match = re.search(r"failed (\d+) .*p99 ([\d.]+)", done.stdout)
    if match is None:
        raise processes.BenchError(f"the load said: {done.stdout}{done.stderr}")
    return float(match.group(2)), int(match.group(1))


class Turns:
    """Rounds with and without copies, in an order that changes."""

    def __init__(self, arguments, port, books):
        self.arguments, self.port, self.books = arguments, port, books
        self.p99 = {False: [], True: []}
        self.cpu_s = {False: 0.0, True: 0.0}
        self.failed = 0

    def turn(self, copies):
        before = self.books.cpu_s()
        p99, failed = load(self.arguments, self.port, ["x-on", "1"] if copies else [])
        self.cpu_s[copies] += self.books.cpu_s() - before
        self.p99[copies].append(p99)
        self.failed += failed

    def run(self):
        for number in range(self.arguments.rounds):
            first = number % 2 == 1
            self.turn(first)
            self.turn(not first)

    def load_percent(self, copies):
        return 100 * self.cpu_s[copies] / self.arguments.seconds / self.arguments.rounds

    def differences(self):
        return [on - off for on, off in zip(self.p99[True], self.p99[False])]


def commands(arguments, name, path, ports):
    """What is started: (command, core, port)"""
    legacy, extracted, port = ports
    folder = os.path.join(arguments.build, "bench")
    yield [os.path.join(folder, "bench_backend"), str(legacy)], processes.LOAD_CORE, legacy
    if name == "good":
        yield [os.path.join(folder, "bench_backend"), str(extracted)], processes.LOAD_CORE, extracted
    elif name != "down":
        yield ([os.path.join(folder, "bench_bad_side"), str(extracted), name], processes.LOAD_CORE,
               extracted)
    yield ([os.path.join(arguments.build, "proxy", "strangler"), "run", path], processes.PROXY_CORE,
           port)


def measure(name, arguments, folder):
    """Prints the row; whether all is well."""
    port, admin, legacy, extracted = processes.free_ports(4)
    path = os.path.join(folder, f"{name}.cfg")
    with open(path, "w", encoding="ascii") as file:
        file.write(config(port, admin, legacy, extracted, os.path.join(folder, f"{name}-state")))
    started = []
    try:
        for command, core, listens in commands(arguments, name, path, (legacy, extracted, port)):
            log = os.path.join(folder, f"{name}-{len(started)}.log")
            started.append(processes.start(command, core, log, command[0].endswith("bench_backend")))
            processes.wait_for_port(started[-1], listens, log)
        books = Books(admin, started[-1].pid)
        load(arguments, port, [])  # a warm-up
        before_mib = books.peak_mib()
        turns = Turns(arguments, port, books)
        turns.run()
        return print_row(name, turns, books, books.peak_mib() - before_mib)
    finally:
        for process in reversed(started):
            processes.stop(process)


def print_row(name, turns, books, grown_mib):
    differences = turns.differences()
    cost = statistics.median(differences)
    balanced = books.balance()
    print(f"{name:8} p99 {statistics.median(turns.p99[False]):.2f} ms, with copies {cost:+.2f} "
          f"({min(differences):+.2f} … {max(differences):+.2f}); proxy {turns.load_percent(False):.0f} % "
          f"of its core, with copies {turns.load_percent(True):.0f} %; failed {turns.failed}; memory "
          f"+{grown_mib:.0f} MiB; sent {books.counters('shadow_sent_total').get('', 0)}, dropped "
          f"{books.counters('shadow_dropped_total')}, verdicts {books.counters('compare_total')}"
          f"{'' if balanced else '; THE BOOKS DO NOT BALANCE'}", flush=True)
    return cost <= LIMIT_MS and turns.failed == 0 and grown_mib <= BUDGET_MIB and balanced


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("sides", nargs="*", default=list(SIDES), metavar="SIDE")
    parser.add_argument("--rate", type=int, default=20000, help="requests a second")
    parser.add_argument("--seconds", type=float, default=1, help="of each turn")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as folder:
        good = [measure(name, arguments, folder) for name in arguments.sides]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
