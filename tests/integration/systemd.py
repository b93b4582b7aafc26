"""What a supervisor does for us and hears of us: sockets by LISTEN_FDS, states by NOTIFY_SOCKET, and
the unit files that are shipped."""

import configparser
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

from hand_over_clients import adopt_orphans, hand_over
from http1_backend import Http1Backend, named
from http2_peer import Http2Client, ask_once
from strangler_test import (PROXY, SOURCE, ProxyCase, backend_text, config_text, free_port, main)

# Like systemd: listens, then runs the proxy with the sockets from descriptor 3 on. The addresses
# stand in the variable that is the test's.
LAUNCHER = f"""#!/usr/bin/env python3
import os, socket, sys
places = os.environ.pop("TEST_ADDRESSES").split()
sockets = []
for place in places:
    local = place.startswith("/")
    sock = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
    sock.bind(place if local else ("127.0.0.1", int(place)))
    sock.listen(16)
    sockets.append(sock)
count = len(sockets)
for at in range(count):
    os.dup2(sockets[at].fileno(), 50 + at)
for at in range(count):
    os.dup2(50 + at, 3 + at, inheritable=True)
os.closerange(3 + count, 50 + count)
os.environ["LISTEN_FDS"] = str(count)
os.environ["LISTEN_FDNAMES"] = ":".join("a" * count)
os.environ["LISTEN_PID"] = str(os.getpid() + int(os.environ.pop("TEST_PID_OFFSET", "0")))
os.execv("{PROXY}", ["{PROXY}", *sys.argv[1:]])
"""


class Supervised(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(Http1Backend(named("monolith")))
        self.notify = self.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.notify.bind(os.path.join(self.folder, "notify"))
        self.notify.settimeout(30)
        self.environment = {"NOTIFY_SOCKET": self.notify.getsockname()}

    def config(self) -> str:
        return config_text(backend_text("monolith", self.backend.port))

    def heard(self) -> dict:
        """The next message."""
        return dict(line.split("=", 1) for line in self.notify.recv(4096).decode().split("\n"))


class Notified(Supervised):
    def setUp(self):
        super().setUp()
        self.proxy = self.start_proxy(self.config(), environment=self.environment)

    def test_start_reload_and_stop(self):
        self.assertEqual(self.heard(), {"READY": "1"})
        for text in (self.config(), "nonsense"):
            self.proxy.write("10-test.cfg", text)
            self.proxy.hang_up()
            begun = self.heard()
            self.assertEqual(begun["RELOADING"], "1")
            self.assertGreater(int(begun["MONOTONIC_USEC"]), 0)
            self.assertEqual(self.heard(), {"READY": "1"})
        self.proxy.process.send_signal(signal.SIGQUIT)
        self.assertEqual(self.heard(), {"STOPPING": "1"})
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_hand_over_names_the_new_main_process(self):
        self.heard()
        first = self.proxy.process.pid
        hand_over(self.proxy)
        self.assertEqual(self.heard()["RELOADING"], "1")
        self.assertEqual(self.heard(), {"READY": "1", "MAINPID": str(self.proxy.process.pid)})
        self.assertNotEqual(self.proxy.process.pid, first)
        self.proxy.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.heard(), {"STOPPING": "1"})  # and nothing of the old one before
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_hand_over_that_fails_is_over_with_the_same_process(self):
        self.heard()
        self.proxy.write("10-test.cfg", "nonsense")
        self.proxy.process.send_signal(signal.SIGUSR2)
        self.assertEqual(self.heard()["RELOADING"], "1")
        self.assertEqual(self.heard(), {"READY": "1"})
        self.proxy.write("10-test.cfg", self.config())


class Listening(Supervised):
    def setUp(self):
        super().setUp()
        self.launcher = os.path.join(self.folder, "launcher")
        with open(self.launcher, "w", encoding="ascii") as file:
            file.write(LAUNCHER)
        os.chmod(self.launcher, 0o755)
        self.port, self.other = free_port(), free_port()
        self.path = os.path.join(self.folder, "public.sock")
        self.more = (f'listeners: {{ extra: {{ address = "127.0.0.1:{self.port}"; }}; '
                     f'local: {{ address = "unix:{self.path}"; }}; }};')

    def start(self, places, **environment):
        variables = {**self.environment, "TEST_ADDRESSES": " ".join(map(str, places)),
                     **environment}
        return self.start_proxy_on({"10-test.cfg": self.config(), "20-more.cfg": self.more},
                                   program=self.launcher, environment=variables, workers=3)

    def ask_local(self) -> str:
        return subprocess.run(
            ["curl", "-s", "--http2-prior-knowledge", "--unix-socket", self.path, "http://site/"],
            capture_output=True, text=True, timeout=20, check=False).stdout

    def test_sockets_are_used_for_the_listeners_of_their_addresses(self):
        proxy = self.start([self.other, self.path, self.port])
        for _ in range(2):
            self.assertEqual(ask_once(self.port).body, b"monolith")
            self.assertEqual(ask_once(proxy.plain).body, b"monolith")
            self.assertEqual(self.ask_local(), "monolith")
            hand_over(proxy)
        self.assertIn(f"127.0.0.1:{self.other}, which was passed to us, is no listener's address",
                      proxy.errors())
        with self.assertRaises(ConnectionRefusedError):
            Http2Client(self.other)
        # Whoever made the file removes it: systemd goes on listening there.
        self.assertEqual(proxy.stop(), 0)
        self.assertTrue(os.path.exists(self.path))

    def test_sockets_of_another_process_are_left_alone(self):
        with self.assertRaisesRegex(AssertionError, "cannot listen on"):
            self.start([self.port], TEST_PID_OFFSET="1")

    def test_what_is_no_listening_socket_is_said(self):
        self.environment["LISTEN_FDS"] = "2"
        program = os.path.join(self.folder, "program")
        with open(program, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nLISTEN_PID=$$ exec {PROXY} "$@" 3</dev/null\n')
        os.chmod(program, 0o755)
        proxy = self.start_proxy(self.config(), program=program, environment=self.environment)
        for fd in (3, 4):
            self.assertIn(f"descriptor {fd}, which was passed to us, is no listening stream socket",
                          proxy.errors())
        self.assertEqual(ask_once(proxy.plain).body, b"monolith")


class UnitFiles(unittest.TestCase):
    def read(self, name: str) -> configparser.ConfigParser:
        unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        unit.optionxform = str
        unit.read(os.path.join(SOURCE, "proxy", name), encoding="utf-8")
        return unit

    def test_the_service_is_what_the_proxy_does(self):
        service = self.read("strangler.service")["Service"]
        self.assertEqual((service["Type"], service["NotifyAccess"]), ("notify", "main"))
        self.assertRegex(service["ExecStart"], r"^/\S+/strangler run /\S+$")
        self.assertRegex(service["ExecReload"], r"-HUP \$MAINPID$")
        self.assertEqual(service["KillSignal"], "SIGQUIT")
        for name in ("DynamicUser", "NoNewPrivileges", "PrivateTmp"):
            self.assertEqual(service[name], "yes")
        self.assertEqual(service["ProtectSystem"], "strict")
        self.assertEqual(service["StateDirectory"], "strangler")
        # Longer than the default of limits.drain_timeout.
        self.assertGreater(int(re.fullmatch(r"(\d+)s", service["TimeoutStopSec"])[1]), 600)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_understands_them(self):
        folder = os.path.join(os.environ["STRANGLER_BUILD"], "units")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        self.addCleanup(shutil.rmtree, folder)
        paths = [os.path.join(folder, name) for name in ("strangler.service", "strangler.socket")]
        for path in paths:
            with open(os.path.join(SOURCE, "proxy", os.path.basename(path)),
                      encoding="utf-8") as file:
                text = file.read().replace("/usr/local/bin/strangler", PROXY)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    adopt_orphans()
    main()
