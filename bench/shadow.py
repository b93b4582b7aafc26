#!/usr/bin/env python3
"""What copies cost the client: p99 at a fixed rate with all requests copied to a side that misbehaves,
beside p99 without copies. Both take turns in one run, on one proxy and one legacy backend.

    bench/shadow.py BUILD_FOLDER [--rate 1000] [--seconds 3] [--rounds 5] [SIDE …]

Prints a row a side, and exits 1 when copies cost more than a millisecond or a request failed."""

import argparse
import multiprocessing
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import processes

CLIENTS = 10
LIMIT_MS = 1.0


# --- sides that misbehave, in a process of their own --------------------------------------------

def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise OSError
        data += piece


def silent(sock):
    while sock.recv(65536):
        pass


def late(sock):
    read_head(sock)
    time.sleep(30)
    sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def resets(sock):
    read_head(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def floods(sock):
    read_head(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
    piece = b"x" * 262144
    for _ in range(4096):
        sock.sendall(piece)


def garbage(sock):
    read_head(sock)
    sock.sendall(b"\x00\x01 no HTTP at all\r\n\r\n" * 50)


SIDES = {"silent": silent, "late": late, "resets": resets, "floods": floods, "garbage": garbage,
         "down": None}


def serve(listener, side):
    def run(sock):
        try:
            side(sock)
        except OSError:
            pass
        finally:
            sock.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=run, args=(sock,), daemon=True).start()


def start_side(name):
    """(port, process or None)"""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = listener.getsockname()[1]
    if SIDES[name] is None:
        listener.close()
        return port, None
    process = multiprocessing.Process(target=serve, args=(listener, SIDES[name]), daemon=True)
    process.start()
    listener.close()
    return port, process


# --- measuring -----------------------------------------------------------------------------------

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


def load(port, fields, arguments, folder):
    """The durations in milliseconds, sorted, and how many requests failed."""
    log = os.path.join(folder, "load.log")
    if os.path.exists(log):
        os.remove(log)
    requests = arguments.rate * arguments.seconds
    subprocess.run(["taskset", "-c", str(processes.LOAD_CORE), "h2load", "-n", str(requests), "-c",
                    str(CLIENTS), "-m", "10", f"--rps={arguments.rate / CLIENTS}",
                    f"--log-file={log}", *fields, f"http://127.0.0.1:{port}/100"], check=True, stdout=subprocess.DEVNULL)
    with open(log, encoding="ascii") as file:
        rows = [line.split("\t") for line in file]
    failed = requests - sum(row[1].startswith("2") for row in rows)
    return sorted(int(row[2]) / 1000 for row in rows), failed


def p99(durations):
    return durations[int(len(durations) * 0.99)]


def drops(admin):
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = {}
    for line in lines:
        if line.startswith("strangler_shadow_dropped_total") and not line.endswith(" 0"):
            found[line.split('reason="')[1].split('"')[0]] = int(float(line.split()[-1]))
    return found


def measure(name, arguments, folder):
    port, admin, legacy = processes.free_ports(3)
    extracted, side = start_side(name)
    path = os.path.join(folder, f"{name}.cfg")
    with open(path, "w", encoding="ascii") as file:
        file.write(config(port, admin, legacy, extracted, os.path.join(folder, f"{name}-state")))
    started = []
    try:
        for command, core, listens in (
                ([os.path.join(arguments.build, "bench", "bench_backend"), str(legacy)],
                 processes.LOAD_CORE, legacy),
                ([os.path.join(arguments.build, "proxy", "strangler"), "run", path],
                 processes.PROXY_CORE, port)):
            log = os.path.join(folder, f"{name}-{len(started)}.log")
            started.append(processes.start(command, core, log))
            processes.wait_for_port(started[-1], listens, log)
        load(port, [], arguments, folder)  # a warm-up
        deltas, offs, failed = [], [], 0
        for _ in range(arguments.rounds):
            off, off_failed = load(port, [], arguments, folder)
            on, on_failed = load(port, ["-H", "x-on: 1"], arguments, folder)
            offs.append(p99(off))
            deltas.append(p99(on) - p99(off))
            failed += off_failed + on_failed
        return statistics.median(offs), statistics.median(deltas), failed, drops(admin)
    finally:
        for process in started:
            process.terminate()
            process.wait()
        if side is not None:
            side.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("sides", nargs="*", default=list(SIDES), metavar="SIDE")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=3, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_intermixed_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.sides:
            off, delta, failed, dropped = measure(name, arguments, folder)
            print(f"{name:8} p99 without copies {off:6.2f} ms, with {delta:+6.2f} ms, "
                  f"failed {failed}, dropped {dropped}", flush=True)
            worst = max(worst, delta if failed == 0 else LIMIT_MS + 1)
    return 1 if worst > LIMIT_MS else 0


if __name__ == "__main__":
    sys.exit(main())
