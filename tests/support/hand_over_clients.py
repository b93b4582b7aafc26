"""A proxy that hands over to a new process, and clients that go on all the while: each connects
again after GOAWAY or `connection: close`, and asks again only what surely was not processed."""

import ctypes
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

from http1_backend import Gone
from http1_client import Http1Client
from http2_peer import Http2Client
from strangler_test import DEADLINE_S, POLL_S, Proxy, wait_until

PR_SET_CHILD_SUBREAPER = 36
TAKEN_OVER = re.compile(r"process (\d+) has taken over")
LOST = (Gone, ConnectionError, ssl.SSLError, socket.timeout)


def adopt_orphans():
    """From now on whoever outlives its parent among our descendants is our child."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class Successor:
    """A process that we did not start, in the words of subprocess.Popen."""

    def __init__(self, pid: int):
        self.pid = pid
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                return None  # not ours yet
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float = DEADLINE_S):
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("strangler", timeout)
            time.sleep(POLL_S)
        return self.returncode

    def send_signal(self, number: int):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def successor(proxy: Proxy) -> Successor:
    """The one that took over last."""
    return Successor(int(TAKEN_OVER.findall(proxy.errors())[-1]))


def begin_hand_over(proxy: Proxy):
    """Until the new process serves; then it is the proxy's. The old one, which may drain still."""
    before = len(TAKEN_OVER.findall(proxy.errors()))
    old = proxy.process
    old.send_signal(signal.SIGUSR2)
    wait_until("the new process has taken over",
               lambda: len(TAKEN_OVER.findall(proxy.errors())) > before)
    proxy.process = successor(proxy)
    return old


def hand_over(proxy: Proxy):
    """Until the old process has ended, too, and the new one says so."""
    ends = "the process before this one has ended"
    before = proxy.errors().count(ends)
    status = begin_hand_over(proxy).wait(DEADLINE_S)
    if status != 0:
        raise AssertionError(f"the old process ended with {status}: {proxy.errors()[-4000:]}")
    wait_until("it knows that it is alone", lambda: proxy.errors().count(ends) > before)


# --- clients -------------------------------------------------------------------------------------

class Visitor:
    """Asks on and on, in a thread of its own, and counts."""

    def __init__(self, connect):
        self.connect = connect
        self.client = None
        self.asked = self.repeated = self.connections = 0
        self.faults: list = []
        self.over = False
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over:
            try:
                self._ask()
            except Exception as error:  # the test's to judge
                self.faults.append(repr(error))
                self._leave()
        self._leave()

    def _ask(self):
        first = self.client is None
        if first:
            self.client = self.connect()
            self.connections += 1
        try:
            status = self.ask(first)
        except LOST as error:
            if not self.may_repeat(first):
                raise
            self.repeated += 1
            self._leave()
            if isinstance(error, socket.timeout):
                raise
            return
        self.asked += 1
        if status != 200:
            self.faults.append(status)

    def _leave(self):
        if self.client is not None:
            self.client.close()
        self.client = None

    def ask(self, first: bool) -> int:
        raise NotImplementedError

    def may_repeat(self, first: bool) -> bool:
        raise NotImplementedError


class Visitor2(Visitor):
    """HTTP/2. What GOAWAY says was not processed may be asked again (RFC 9113 section 6.8)."""

    def ask(self, first: bool) -> int:
        status = self.client.ask("/").status
        if self.client.goaways:
            self._leave()
        return status

    def may_repeat(self, first: bool) -> bool:
        last = [int.from_bytes(goaway.payload[:4], "big") for goaway in self.client.goaways]
        return bool(last) and min(last) < self.client.next_id - 2


class Visitor1(Visitor):
    """HTTP/1.1. A kept connection may be closed while a request is on its way (RFC 9112 section
    9.3.1); the first request of one may not be lost."""

    def ask(self, first: bool) -> int:
        answer = self.client.ask("/")
        if answer.value("connection") == "close":
            self._leave()
        return answer.status

    def may_repeat(self, first: bool) -> bool:
        return not first and not self.client.buffer


class Passerby(Visitor1):
    """A connection for each request, so that some always wait to be accepted."""

    def ask(self, first: bool) -> int:
        status = self.client.ask("/", fields=[("connection", "close")]).status
        self._leave()
        return status


class Visitors:
    """with Visitors(port, tls_port) as visitors: …"""

    def __init__(self, port: int, tls_port: int):
        self.all = [
            Visitor2(lambda: Http2Client(port)), Visitor2(lambda: Http2Client(tls_port, tls=True)),
            Visitor1(lambda: Http1Client(port)), Visitor1(lambda: Http1Client(tls_port, tls=True)),
            Passerby(lambda: Http1Client(port)), Passerby(lambda: Http1Client(tls_port, tls=True)),
        ]

    def __enter__(self):
        for visitor in self.all:
            visitor.thread.start()
        return self

    def __exit__(self, *_):
        for visitor in self.all:
            visitor.over = True
        for visitor in self.all:
            visitor.thread.join()

    def asked(self) -> list:
        return [visitor.asked for visitor in self.all]

    def wait_for_each(self, count: int):
        """Each has so many more answers, or a fault."""
        before = self.asked()
        wait_until("answers for each visitor", lambda: all(
            visitor.faults or visitor.asked >= asked + count
            for visitor, asked in zip(self.all, before)))

    def faults(self) -> list:
        return [fault for visitor in self.all for fault in visitor.faults]
