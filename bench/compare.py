"""Measures strangler beside other proxies: CPU per request and requests per second, paired by run.

Started by run.sh, which installs and builds what is needed.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import processes
import proxies
from processes import BenchError

CONNECTIONS = 32
STREAMS = 10
LOAD_TIMEOUT_S = 120
QUICK_TIME_LIMIT_S = 55
WARM_UP_SHARE = 20
NOTHING_TO_SPEAK_OF = 0.10
AGAIN = " again"  # the second of the same name


@dataclass(frozen=True)
class Workload:
    name: str
    text: str
    is_tls: bool
    path: str
    share: float  # of --requests: large bodies need fewer for the same time
    post_bytes: int = 0


WORKLOADS = (
    Workload("h2-tls-100", "h2 TLS, GET 100 B", True, "/100", 1),
    Workload("h2c-100", "h2c, GET 100 B", False, "/100", 1),
    Workload("h2-tls-16k", "h2 TLS, GET 16 KiB", True, "/16k", 0.4),
    Workload("h2-tls-1m", "h2 TLS, GET 1 MiB", True, "/1m", 0.02),
    Workload("h2-tls-post-1k", "h2 TLS, POST 1 KiB", True, "/100", 1, 1024),
)
DEFAULT_WORKLOADS = "h2-tls-100,h2c-100,h2-tls-16k"


@dataclass
class Series:
    """What one proxy did in one workload, a value a run."""
    cpu_us: list = field(default_factory=list)  # CPU seconds a million requests
    rate: list = field(default_factory=list)
    errors: int = 0


def load_command(url, requests, post_file):
    command = ["h2load", "-t", "1", "-c", str(CONNECTIONS), "-m", str(STREAMS),
               "-n", str(requests), "--tls13-ciphers=TLS_AES_128_GCM_SHA256"]
    return command + (["-d", post_file] if post_file else []) + [url]


def run_load(command):
    """(requests answered with 2xx, requests a second) of one h2load."""
    def before_exec():
        os.sched_setaffinity(0, {processes.LOAD_CORE})
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_TIMEOUT_S,
                              stdin=subprocess.DEVNULL, preexec_fn=before_exec, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"no end after {LOAD_TIMEOUT_S} s: {' '.join(command)}") from error
    rate = re.search(r"finished in \S+, ([\d.]+) req/s", done.stdout)
    good = re.search(r"status codes: (\d+) 2xx", done.stdout)
    if done.returncode != 0 or not rate or not good:
        raise BenchError(f"h2load failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return int(good.group(1)), float(rate.group(1))


def measure(proxy, workload, requests, post_file, series):
    command = load_command(proxy.url(workload.is_tls, workload.path), requests,
                           post_file if workload.post_bytes else None)
    cpu_before = proxy.cpu_seconds()
    good, rate = run_load(command)
    cpu = proxy.cpu_seconds() - cpu_before
    series.errors += requests - good
    if proxy.process.poll() is not None:
        raise BenchError(f"{proxy.label} ended with status {proxy.process.returncode}")
    series.cpu_us.append(cpu / max(good, 1) * 1e6)
    series.rate.append(rate)


def rounds(options, running, workloads, post_file):
    """Every proxy meets every workload once a run, in an order that changes from run to run."""
    table = {(workload.name, proxy.label): Series() for workload in workloads for proxy in running}
    deadline = time.monotonic() + options.time_limit
    for workload in workloads:
        count = max(int(options.requests * workload.share), CONNECTIONS)
        for proxy in running:
            warm_up = Series()
            measure(proxy, workload, max(count // WARM_UP_SHARE, CONNECTIONS), post_file, warm_up)
            table[workload.name, proxy.label].errors += warm_up.errors
    for run in range(options.runs):
        if run > 0 and time.monotonic() > deadline:
            print(f"time limit: {run} of {options.runs} runs were made", file=sys.stderr)
            break
        turn = run % len(running)
        order = running[turn:] + running[:turn]
        for workload in workloads:
            count = max(int(options.requests * workload.share), CONNECTIONS)
            for proxy in order:
                measure(proxy, workload, count, post_file, table[workload.name, proxy.label])
        print(f"run {run + 1} of {options.runs} done", file=sys.stderr)
    return table


def ratios(own, other):
    return [a / b for a, b in zip(own, other) if b > 0]


def ratio_text(values):
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def print_table(table, workloads, labels):
    subject = labels[0]
    print(f"| workload | proxy | requests/s | CPU s a million requests (least) | {subject} ÷ it, CPU "
          f"| {subject} ÷ it, requests/s | errors |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for workload in workloads:
        own = table[workload.name, subject]
        for label in labels:
            it = table[workload.name, label]
            paired = ["", ""] if it is own else [ratio_text(ratios(own.cpu_us, it.cpu_us)),
                                                 ratio_text(ratios(own.rate, it.rate))]
            print(f"| {workload.text} | {label} | {statistics.median(it.rate):.0f} "
                  f"| {statistics.median(it.cpu_us):.1f} ({min(it.cpu_us):.1f}) "
                  f"| {paired[0]} | {paired[1]} | {it.errors} |")


def standing(subject, best, values):
    ratio = statistics.median(values)
    if abs(ratio - 1) < NOTHING_TO_SPEAK_OF:
        return f"level with {best} (ratio {ratio:.2f}; under 10 % is nothing)"
    word = "less" if ratio < 1 else "more"
    return f"{abs(ratio - 1) * 100:.0f} % {word} CPU a request than {best}, the best of the others"


def print_standing(table, workloads, labels):
    subject = labels[0]
    others = [label for label in labels[1:] if not label.endswith(AGAIN)]
    if not others:
        return
    print(f"\nWhere {subject} stands:\n")
    for workload in workloads:
        best = min(others, key=lambda name: statistics.median(table[workload.name, name].cpu_us))
        values = ratios(table[workload.name, subject].cpu_us, table[workload.name, best].cpu_us)
        if values:
            print(f"- {workload.text}: {standing(subject, best, values)}")


def named_workloads(text):
    known = {workload.name: workload for workload in WORKLOADS}
    names = list(known) if text == "all" else text.split(",")
    for name in names:
        if name not in known:
            raise BenchError(f"unknown workload {name}; there are {', '.join(known)} and all")
    return [known[name] for name in names]


def proxy_names(options):
    names = [options.subject] + [name for name in options.peers.split(",") if name]
    for name in names:
        if name not in proxies.COMMANDS and name != "strangler" and "/" not in name:
            raise BenchError(f"unknown proxy {name}; there are strangler, "
                             f"{', '.join(proxies.COMMANDS)} and paths of other builds")
    return names


def labels_for(names):
    """Two of the same name can be told apart."""
    return [name if name not in names[:i] else name + AGAIN for i, name in enumerate(names)]


def start_all(options, folder, running):
    backend_port, = processes.free_ports(1)
    log_path = os.path.join(folder, "backend.log")
    backend = processes.start([options.backend, str(backend_port)], processes.LOAD_CORE, log_path)
    running.append(backend)
    processes.wait_for_port(backend, backend_port, log_path)
    shared = dict(proxies.make_certificate(folder), backend_port=backend_port)
    names = proxy_names(options)
    started = []
    for i, (name, label) in enumerate(zip(names, labels_for(names))):
        proxy = proxies.start(name, label, options.strangler, os.path.join(folder, str(i)), shared)
        running.append(proxy.process)
        started.append(proxy)
    return started


def compare(options, folder):
    """True: every request was answered as it should be."""
    workloads = named_workloads(options.workload)
    post_file = os.path.join(folder, "post")
    with open(post_file, "wb") as file:
        file.write(b"x" * 1024)
    running = []
    try:
        started = start_all(options, folder, running)
        table = rounds(options, started, workloads, post_file)
    finally:
        for process in reversed(running):
            processes.stop(process)
    labels = [proxy.label for proxy in started]
    print_table(table, workloads, labels)
    if options.quick:
        print("\nA quick run is too short for its figures to mean anything.")
    else:
        print_standing(table, workloads, labels)
    return all(series.errors == 0 for series in table.values())


def read_options():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200000, help="a run, of the small ones")
    parser.add_argument("--workload", default=DEFAULT_WORKLOADS,
                        help="names with commas, or all: " + ", ".join(w.name for w in WORKLOADS))
    parser.add_argument("--peers", default="nginx,nghttpx,haproxy",
                        help="names with commas; strangler or the path of another build compares "
                             "with itself; empty measures alone")
    parser.add_argument("--quick", action="store_true", help="a smoke run: fails only on errors")
    parser.add_argument("--time-limit", type=float, default=1200, metavar="SECONDS",
                        help="no further run begins after this")
    parser.add_argument("--subject", default="strangler", help="the proxy that is compared")
    parser.add_argument("--strangler", default="", metavar="PATH", help="the program to measure")
    parser.add_argument("--backend", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.runs, options.time_limit = 1, QUICK_TIME_LIMIT_S
        options.requests = min(options.requests, 5000)
    if not 1 <= options.runs <= 100 or not 1 <= options.requests <= 10_000_000:
        parser.error("--runs is 1 to 100, --requests 1 to 10000000")
    return options


def main():
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if processes.LOAD_CORE == processes.PROXY_CORE:
        print("one core only: the load takes from the proxy what it measures", file=sys.stderr)
    try:
        with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder:
            all_good = compare(options, folder)
    except (BenchError, OSError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if not all_good:
        sys.exit("bench: some requests failed; the figures mean nothing")


if __name__ == "__main__":
    main()
