"""The time that a proxy adds: an open loop at a fixed rate, all proxies in turns."""

import os
import re
import statistics
import subprocess

import processes
from processes import BenchError

SECONDS = 2
TIMEOUT_S = 60
QUANTILES = ("p50", "p99", "p99.9")


def command_of(program, port, path, rate):
    return [program, str(port), path, str(rate), str(SECONDS)]


def run_load(command):
    """({quantile: ms}, failed) of one bench_load."""
    def before_exec():
        os.sched_setaffinity(0, {processes.LOAD_CORE})
        processes.never_wait()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, preexec_fn=before_exec, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"no end after {TIMEOUT_S} s: {' '.join(command)}") from error
    failed = re.search(r"failed (\d+)", done.stdout)
    if not failed:
        raise BenchError(f"the load failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    found = {name: re.search(rf" {re.escape(name)} ([\d.]+)", done.stdout) for name in QUANTILES}
    return {name: float(match.group(1)) for name, match in found.items()}, int(failed.group(1))


class Latencies:
    """By proxy: the quantiles of each run. The first label is the subject."""

    def __init__(self, labels, rate):
        self.labels = labels
        self.rate = rate
        self.samples = {label: [] for label in labels}
        self.failed = 0

    def values(self, label, quantile):
        return [sample[quantile] for sample in self.samples[label]]

    def median(self, label, quantile):
        return statistics.median(self.values(label, quantile))

    def as_data(self):
        return {label: {name: self.values(label, name) for name in QUANTILES}
                for label in self.labels}

    def print_table(self):
        subject = self.labels[0]
        print(f"\nh2c, GET 100 B, {self.rate} requests a second, ms from when a request was due; "
              "median of the runs:\n")
        print("| proxy | p50 | p99 | p99.9 | p99, subject less it |")
        print("|---|---:|---:|---:|---:|")
        for label in self.labels:
            apart = [a - b for a, b in zip(self.values(subject, "p99"), self.values(label, "p99"))]
            cells = [f"{self.median(label, name):.3f}" for name in QUANTILES]
            paired = "" if label == subject else f"{statistics.median(apart):+.3f}"
            print("| " + " | ".join([label, *cells, paired]) + " |")


def measure(options, started):
    """Each proxy once a run, in an order that changes from run to run."""
    latencies = Latencies([proxy.label for proxy in started], options.latency)
    for run in range(options.runs):
        turn = run % len(started)
        for proxy in started[turn:] + started[:turn]:
            sample, failed = run_load(command_of(options.load, proxy.plain_port, "/100",
                                                 options.latency))
            latencies.samples[proxy.label].append(sample)
            latencies.failed += failed
    return latencies
