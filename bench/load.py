"""One measurement: a burst of h2load through one proxy, and what it cost."""

import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import processes
from processes import BenchError

HERE = os.path.dirname(os.path.abspath(__file__))
WITHOUT_H2_BACKENDS = ("nginx", "h2o")
LOAD_TIMEOUT_S = 120


@dataclass(frozen=True)
class Workload:
    name: str
    text: str
    is_tls: bool
    path: str
    share: float  # of --requests: large bodies need fewer for the same time
    post_bytes: int = 0
    tickets: str = ""  # "without", "with": one connection a request
    connections: int = 32
    streams: int = 10  # a connection; 0: HTTP/1.1
    lacked_by: tuple = ()  # proxies that cannot do it


WORKLOADS = (
    Workload("h2-tls-100", "h2 TLS, GET 100 B", True, "/100", 1),
    Workload("h2c-100", "h2c, GET 100 B", False, "/100", 1),
    Workload("h2-tls-100-one", "h2 TLS, one connection with 100 streams, GET 100 B", True, "/100",
             1, connections=1, streams=100),
    Workload("h2c-100-one", "h2c, one connection with 100 streams, GET 100 B", False, "/100", 1,
             connections=1, streams=100),
    Workload("h1-tls-100", "HTTP/1.1 TLS, keep-alive, GET 100 B", True, "/100", 0.5,
             connections=64, streams=0),
    Workload("h1-100", "HTTP/1.1, keep-alive, GET 100 B", False, "/100", 0.5,
             connections=64, streams=0),
    Workload("h2-tls-100-h2", "h2 TLS, GET 100 B, h2c backend", True, "/h2/100", 1,
             lacked_by=WITHOUT_H2_BACKENDS),
    Workload("h2c-100-h2", "h2c, GET 100 B, h2c backend", False, "/h2/100", 1,
             lacked_by=WITHOUT_H2_BACKENDS),
    Workload("h2-tls-16k", "h2 TLS, GET 16 KiB", True, "/16k", 0.4),
    Workload("h2-tls-1m", "h2 TLS, GET 1 MiB", True, "/1m", 0.02),
    Workload("h2c-1m", "h2c, GET 1 MiB", False, "/1m", 0.03),
    Workload("h2-tls-post-1k", "h2 TLS, POST 1 KiB", True, "/100", 1, 1024),
    Workload("h2-tls-post-64k", "h2 TLS, POST 64 KiB", True, "/100", 0.1, 65536),
    Workload("tls-full", "TLS 1.3, a full handshake and GET 100 B", True, "/100", 0.01,
             tickets="without"),
    Workload("tls-resumed", "TLS 1.3, a resumed handshake and GET 100 B", True, "/100", 0.01,
             tickets="with"),
    Workload("h2-tls-copied", "h2 TLS, GET 100 B, each copied (shadow, mirror)", True,
             "/copied/100", 0.5),
    Workload("h2-tls-copied-h2", "h2 TLS, GET 100 B, h2c backend, each copied (shadow)", True,
             "/h2/copied/100", 0.5, lacked_by=WITHOUT_H2_BACKENDS),
)


@dataclass(frozen=True)
class Sample:
    cpu_us: float  # of the proxy, a request; the same as seconds a million requests
    rate: float  # requests a second
    others: float  # cores that programs which are not ours used meanwhile
    errors: int


class Bench:
    """What every measurement of a session shares."""

    def __init__(self, backends, folder):
        self.backends = backends
        self.folder = folder

    def _command(self, proxy, workload, requests):
        if workload.tickets:
            return [sys.executable, "-B", os.path.join(HERE, "handshakes.py"),
                    str(proxy.tls_port), workload.path, str(requests), workload.tickets]
        command = ["h2load", "-t", "1", "-c", str(workload.connections), "-n", str(requests),
                   "--tls13-ciphers=TLS_AES_128_GCM_SHA256"]
        command += ["-m", str(workload.streams)] if workload.streams else ["--h1"]
        if workload.post_bytes:
            path = os.path.join(self.folder, f"post-{workload.post_bytes}")
            with open(path, "wb") as file:
                file.write(b"x" * workload.post_bytes)
            command += ["-d", path]
        return command + [proxy.url(workload)]

    def _seconds(self, proxy):
        """CPU time of the proxy, of all three programs (of the load once it ended), of all."""
        own = proxy.cpu_seconds()
        load = resource.getrusage(resource.RUSAGE_CHILDREN)
        backends = sum(processes.cpu_seconds(backend.pid) for backend in self.backends)
        return (own, own + backends + load.ru_utime + load.ru_stime, processes.machine_seconds())

    def measure(self, proxy, workload, requests):
        requests = max(requests, workload.connections)
        command = self._command(proxy, workload, requests)
        began, before = time.monotonic(), self._seconds(proxy)
        good, rate = run_load(command)
        own, ours, machine = (b - a for a, b in zip(before, self._seconds(proxy)))
        if proxy.process.poll() is not None:
            raise BenchError(f"{proxy.label} ended with status {proxy.process.returncode}")
        others = max(machine - ours, 0) / (time.monotonic() - began)
        return Sample(own / max(good, 1) * 1e6, rate, others, requests - good)


def run_load(command):
    """(requests answered with 2xx, requests a second) of one h2load or handshakes.py."""
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
        raise BenchError(f"the load failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return int(good.group(1)), float(rate.group(1))
