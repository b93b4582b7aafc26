"""Starting, pinning, watching and ending the processes of a measurement. Ends only its own."""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 10
PR_SET_PDEATHSIG = 1
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

PROXY_CORE = 0
LOAD_CORE = 1 if (os.cpu_count() or 1) > 1 else 0

_libc = ctypes.CDLL(None)


class BenchError(Exception):
    """Something that makes the measurement worthless; its text is for the user."""


def free_ports(count):
    """Outside of the range from which the kernel takes ports for connections to others."""
    held = []
    while len(held) < count:
        with contextlib.suppress(OSError):
            held.append(socket.create_server(("127.0.0.1", random.randrange(12000, 32000))))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def never_wait():
    """Called in a child: it runs as soon as it has something to do, before all else on its core, if
    we may ask for that. For what measures, so that its own waiting is not measured."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def start(command, core, log_path, at_once=False):
    """A process of ours on one core; it ends when we end, however we do."""
    def before_exec():
        os.sched_setaffinity(0, {core})
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if at_once:
            never_wait()
    with open(log_path, "wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                preexec_fn=before_exec)


def log_tail(log_path):
    with open(log_path, encoding="utf-8", errors="replace") as log:
        return "".join(log.readlines()[-10:])


def wait_for_port(process, port, log_path):
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise BenchError(f"{process.args[0]} does not listen on port {port}:\n{log_tail(log_path)}")


def stop(process):
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def process_tree(pid):
    """The process and all that descend from it."""
    pids = [pid]
    for parent in pids:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children", encoding="ascii") as children:
                    pids += [int(child) for child in children.read().split()]
        except FileNotFoundError:
            pass
    return pids


def cpu_seconds(pid):
    """User and system time of a process and its descendants."""
    ticks = 0
    for member in process_tree(pid):
        try:
            with open(f"/proc/{member}/stat", encoding="ascii", errors="replace") as stat:
                # The name in brackets may hold spaces; utime and stime are fields 14 and 15.
                fields = stat.read().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def peak_memory_kib(pid):
    """The most that a process and its descendants held resident, each at its own time."""
    kib = 0
    for member in process_tree(pid):
        try:
            with open(f"/proc/{member}/status", encoding="ascii", errors="replace") as status:
                lines = [line for line in status if line.startswith("VmHWM:")]
        except FileNotFoundError:
            continue
        kib += sum(int(line.split()[1]) for line in lines)
    return kib


def machine_seconds():
    """What all processes of the machine, its kernel and its host have used of all cores."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / CLOCK_TICKS
