"""Measures strangler beside other proxies: CPU per request and requests per second, paired by run.

Started by run.sh, which installs and builds what is needed.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time

import chart
import latency
import load
import processes
import proxies
import table
from processes import BenchError

DEFAULT_WORKLOADS = "h2-tls-100,h2c-100,h2-tls-16k"
QUICK_TIME_LIMIT_S = 55
WARM_UP_SHARE = 20
# A measurement during which others used more of a core is made again, so often at most.
QUIET = 0.05
TRIES = 4


def measure_quietly(bench, proxy, workload, requests, tries):
    """The least disturbed sample of up to `tries`, and the errors of all of them."""
    best, errors = None, 0
    for _ in range(tries):
        sample = bench.measure(proxy, workload, requests)
        errors += sample.errors
        if best is None or sample.others < best.others:
            best = sample
        if best.others <= QUIET:
            break
    return best, errors


def able(started, workload):
    return [proxy for proxy in started if proxy.name not in workload.lacked_by]


def warm_up(options, bench, started, workloads, results):
    for workload in workloads:
        for proxy in able(started, workload):
            requests = int(options.requests * workload.share) // WARM_UP_SHARE
            results.count_errors(workload, proxy,
                                 bench.measure(proxy, workload, requests).errors)


def run_once(options, bench, order, workloads, results):
    for workload in workloads:
        for proxy in able(order, workload):
            sample, errors = measure_quietly(bench, proxy, workload,
                                             int(options.requests * workload.share),
                                             1 if options.quick else TRIES)
            results.add(workload, proxy, sample)
            results.count_errors(workload, proxy, errors)


def measure_all(options, bench, started, workloads):
    """Every proxy meets every workload once a run, in an order that changes from run to run."""
    results = table.Results(workloads, [proxy.label for proxy in started])
    deadline = time.monotonic() + options.time_limit
    warm_up(options, bench, started, workloads, results)
    for run in range(options.runs):
        if run > 0 and time.monotonic() > deadline:
            print(f"time limit: {run} of {options.runs} runs were made", file=sys.stderr)
            break
        turn = run % len(started)
        run_once(options, bench, started[turn:] + started[:turn], workloads, results)
        print(f"run {run + 1} of {options.runs} done", file=sys.stderr)
    return results


def named_workloads(text):
    known = {workload.name: workload for workload in load.WORKLOADS}
    names = list(known) if text == "all" else text.split(",")
    for name in names:
        if name not in known:
            raise BenchError(f"unknown workload {name}; there are {', '.join(known)} and all")
    return [known[name] for name in names]


def proxy_names(options):
    names = [options.subject] + [name for name in options.peers.split(",") if name]
    for name in names:
        known = ["strangler", *(f"strangler:{variant}" for variant in proxies.VARIANTS),
                 *proxies.COMMANDS]
        if name not in known and "/" not in name:
            raise BenchError(f"unknown proxy {name}; there are {', '.join(known)} "
                             "and paths of other builds")
    return names


def start_backend(name, command, folder, running):
    port, = processes.free_ports(1)
    log_path = os.path.join(folder, f"{name}.log")
    backend = processes.start([str(port) if word == "PORT" else word for word in command],
                              processes.LOAD_CORE, log_path)
    running.append(backend)
    processes.wait_for_port(backend, port, log_path)
    return port


def start_backends(options, folder, running):
    """One of HTTP/1.1, and one of HTTP/2 in clear, which has only what workloads ask it for."""
    files = os.path.join(folder, "files")
    for place in ("h2", "h2/copied"):
        os.makedirs(os.path.join(files, place))
        with open(os.path.join(files, place, "100"), "w", encoding="ascii") as file:
            file.write("x" * 100)
    return {
        "backend_port": start_backend("backend", [options.backend, "PORT"], folder, running),
        "h2_backend_port": start_backend(
            "h2_backend", ["nghttpd", "--no-tls", "-d", files, "PORT"], folder, running),
    }


def start_proxies(options, folder, ports, running):
    shared = dict(proxies.make_certificate(folder), **ports)
    names = proxy_names(options)
    started = []
    for i, (name, label) in enumerate(zip(names, table.labels_for(names))):
        proxy = proxies.start(name, label, options.strangler, os.path.join(folder, str(i)), shared)
        running.append(proxy.process)
        started.append(proxy)
    return started


def compare(options, folder):
    """True: every request was answered as it should be."""
    workloads = named_workloads(options.workload)
    running = []
    try:
        ports = start_backends(options, folder, running)
        backends = list(running)
        started = start_proxies(options, folder, ports, running)
        results = measure_all(options, load.Bench(backends, folder), started, workloads)
        latencies = latency.measure(options, started) if options.latency else None
        memory = {proxy.label: processes.peak_memory_kib(proxy.process.pid) for proxy in started}
    finally:
        for process in reversed(running):
            processes.stop(process)
    print_all(options, results, latencies, memory)
    write_files(options, results, latencies, memory)
    return results.errors() + (latencies.failed if latencies else 0) == 0


def print_all(options, results, latencies, memory):
    results.print_table()
    if latencies:
        latencies.print_table()
    print("\nMost memory held: " +
          ", ".join(f"{label} {kib / 1024:.0f} MiB" for label, kib in memory.items()))
    if options.quick:
        print("\nA quick run is too short for its figures to mean anything.")
    else:
        results.print_standing()
        results.print_disturbed(QUIET)


def write_files(options, results, latencies, memory):
    if options.json:
        data = {"workloads": results.as_data(), "memory_kib": memory,
                "latency_ms": latencies.as_data() if latencies else {}}
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
    if options.chart:
        with open(options.chart, "w", encoding="utf-8") as file:
            file.write(chart.draw(results))


def read_options():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200000, help="a run, of the small ones")
    parser.add_argument("--workload", default=DEFAULT_WORKLOADS,
                        help="names with commas, or all: " +
                             ", ".join(workload.name for workload in load.WORKLOADS))
    parser.add_argument("--peers", default="nginx,nghttpx,haproxy,h2o",
                        help="names with commas; strangler or the path of another build compares "
                             "with itself; empty measures alone")
    parser.add_argument("--quick", action="store_true", help="a smoke run: fails only on errors")
    parser.add_argument("--time-limit", type=float, default=1200, metavar="SECONDS",
                        help="no further run begins after this")
    parser.add_argument("--subject", default="strangler", help="the proxy that is compared")
    parser.add_argument("--strangler", default="", metavar="PATH", help="the program to measure")
    parser.add_argument("--latency", type=int, default=0, metavar="RATE",
                        help="also the time added at so many requests a second; 3000 is usual")
    parser.add_argument("--json", default="", metavar="FILE", help="all samples, for programs")
    parser.add_argument("--chart", default="", metavar="FILE", help="the CPU ratios as SVG")
    parser.add_argument("--load", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--backend", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.runs, options.time_limit = 1, QUICK_TIME_LIMIT_S
        options.requests = min(options.requests, 5000)
    if not 1 <= options.runs <= 100 or not 1 <= options.requests <= 10_000_000:
        parser.error("--runs is 1 to 100, --requests 1 to 10000000")
    if not 0 <= options.latency <= 100_000:
        parser.error("--latency is 1 to 100000 requests a second")
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
