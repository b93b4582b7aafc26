"""USR2: a new process takes over on the same sockets, without a lost request and with everything
that was changed by command; one that cannot start changes nothing."""

import os
import signal
import socket
import ssl
import subprocess
import threading

from hand_over_clients import Visitors, adopt_orphans, begin_hand_over, hand_over, successor
from http1_backend import Http1Backend, answer_bytes, named
from http1_client import Http1Client
from http2_peer import Http2Client, ask_once
from strangler_test import (PROXY, ProxyCase, backend_text, config_text, free_port, main,
                            wait_until)

HAND_OVERS = 10

# A new process until the old one has let go.
TALK = ("#!/usr/bin/env python3\nimport os, socket, time\n"
        "count = int(os.environ['STRANGLER_HAND_OVER'].split(',')[0])\n"
        "pair = socket.socket(fileno=3 + count)\n"
        "pair.setblocking(True)\npair.recv(1000)\npair.send(b'prepared')\n"
        "assert pair.recv(64).split()[0] == b'go'\n")


class HandOver(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(Http1Backend(named("monolith")))
        self.proxy = self.start_proxy(self.config())

    def config(self, more: str = "") -> str:
        return config_text(backend_text("monolith", self.backend.port), more=more)

    def check(self, visitors: Visitors):
        self.assertEqual(visitors.faults(), [])
        self.assertEqual(self.proxy.errors().count("error: "), 0)

    def test_ten_hand_overs_lose_no_request(self):
        first = self.proxy.process.pid
        group = os.getpgid(first)
        with Visitors(self.proxy.plain, self.proxy.tls) as visitors:
            for _ in range(HAND_OVERS):
                visitors.wait_for_each(3)
                hand_over(self.proxy)
                self.assertEqual(self.proxy.ask_admin("/ready")[0], 200)
            visitors.wait_for_each(3)
        self.check(visitors)
        self.assertNotEqual(self.proxy.process.pid, first)
        self.assertEqual(os.getpgid(self.proxy.process.pid), group)  # Ctrl-C ends it, too

    def test_a_tls_session_is_resumed_by_the_new_process(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def visit(session):
            with socket.create_connection(("127.0.0.1", self.proxy.tls), 20) as plain, \
                    context.wrap_socket(plain, session=session) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 200"))
                return sock.session_reused, sock.session
        _, session = visit(None)
        for _ in range(2):
            hand_over(self.proxy)
            resumed, session = visit(session)
            self.assertTrue(resumed)

    def test_what_waits_to_be_accepted_is_served_with_fewer_workers_and_with_more(self):
        for workers in (4, 1, 3):
            self.proxy.workers = workers
            self.proxy.write_own()
            with Visitors(self.proxy.plain, self.proxy.tls) as visitors:
                visitors.wait_for_each(1)
                hand_over(self.proxy)
                visitors.wait_for_each(1)
            self.check(visitors)
            # Each socket is accepted from: the kernel puts connections to all of them.
            for _ in range(20):
                self.assertEqual(ask_once(self.proxy.plain).body, b"monolith")

    def test_nothing_is_lost_that_came_before_its_first_byte(self):
        silent = self.closing(socket.create_connection(("127.0.0.1", self.proxy.plain)))
        partial = self.closing(socket.create_connection(("127.0.0.1", self.proxy.plain)))
        partial.sendall(b"GET / HTTP/1.1\r\nho")
        wait_until("both are there", lambda: self.proxy.total("strangler_connections") == 2)
        old = begin_hand_over(self.proxy)
        wait_until("the old one drains", lambda: "draining" in self.proxy.errors())
        silent.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        partial.sendall(b"st: a\r\n\r\n")
        for sock in (silent, partial):
            answer = b"".join(iter(lambda one=sock: one.recv(4096), b"")).lower()
            self.assertIn(b"200 ok", answer)
            self.assertIn(b"connection: close", answer)
        self.assertEqual(old.wait(), 0)

    def test_the_old_process_drains_and_says_goaway_twice(self):
        client = self.closing(Http2Client(self.proxy.plain))
        client.ask("/")
        self.assertEqual(begin_hand_over(self.proxy).wait(), 0)
        client.wait_closed()
        self.assertEqual(len(client.goaways), 2)

    def test_a_unix_listener_is_handed_over(self):
        path = os.path.join(self.folder, "public.sock")
        listener = f'listeners: {{ local: {{ address = "unix:{path}"; }}; }};'
        self.proxy.reload("20-local.cfg", listener)
        file = os.stat(path).st_ino
        for _ in range(2):
            hand_over(self.proxy)
            self.assertEqual(os.stat(path).st_ino, file)
            self.assertEqual(self.ask_unix(path), "monolith")
        self.proxy.write("20-local.cfg", "# nothing")
        hand_over(self.proxy)
        self.assertFalse(os.path.exists(path))

    def ask_unix(self, path: str) -> str:
        return subprocess.run(
            ["curl", "-s", "--http2-prior-knowledge", "--unix-socket", path, "http://site/"],
            capture_output=True, text=True, timeout=20, check=False).stdout

    def test_changed_listeners_are_as_the_files_say(self):
        added = free_port()
        kept, gone = self.proxy.tls, self.proxy.plain
        self.proxy.plain = added
        self.proxy.write_own()
        hand_over(self.proxy)
        self.assertEqual(ask_once(added).body, b"monolith")
        self.assertEqual(ask_once(kept, tls=True).body, b"monolith")
        with self.assertRaises(ConnectionRefusedError):
            Http2Client(gone)
        self.assertIn(f"not listening on 127.0.0.1:{gone} any more", self.proxy.errors())

    def test_the_generation_goes_on(self):
        for _ in range(3):
            self.proxy.reload()
        hand_over(self.proxy)
        self.assertEqual(self.proxy.total("strangler_config_generation"), 5)


class NewProcess(ProxyCase):
    """What is started by USR2 is no proxy that can start: the old one goes on."""

    def setUp(self):
        super().setUp()
        self.program = os.path.join(self.folder, "strangler")
        os.symlink(PROXY, self.program)
        self.backend = self.closing(Http1Backend(named("monolith")))
        more = ('identity = [ "address" ]; limits: { hand_over_timeout = "20s"; }; '
                'modules: { m: { legacy = "monolith"; extracted = "monolith"; stage = "ramp"; '
                'percent = 25; routes: { api: { prefix = "/api"; }; }; }; };')
        self.text = config_text(backend_text("monolith", self.backend.port), more=more)
        self.proxy = self.start_proxy(self.text, program=self.program)
        self.change(percent=10)

    def change(self, **body):
        status, answer = self.proxy.operate("/modules/m/percent", body)
        self.assertEqual((status, answer["changed"]), (200, True))

    def install(self, script: str):
        """The file of the program is another one now."""
        with open(self.program + ".new", "w", encoding="ascii") as file:
            file.write(script)
        os.chmod(self.program + ".new", 0o755)
        os.rename(self.program + ".new", self.program)

    def check_refused(self, why: str):
        client = self.closing(Http2Client(self.proxy.plain))
        client.ask("/")
        before = self.proxy.errors().count("this process goes on")
        self.proxy.process.send_signal(signal.SIGUSR2)
        wait_until("it goes on",
                   lambda: self.proxy.errors().count("this process goes on") > before)
        self.assertRegex(self.proxy.errors(), why)
        self.assertEqual(client.ask("/").body, b"monolith")
        self.assertEqual(client.goaways, [])
        wait_until("the admin address answers", self.proxy.is_ready)
        self.change(percent=20)  # and the journal is there
        self.change(percent=10)

    def check_succeeds(self):
        """After all that the next one works."""
        os.unlink(self.program)
        os.symlink(PROXY, self.program)
        self.proxy.write("10-test.cfg", self.text)
        hand_over(self.proxy)
        self.assertEqual(self.proxy.operate("/modules")[1]["modules"][0]["percent"], 10)

    def test_the_file_is_gone_or_ends_at_once(self):
        os.unlink(self.program)
        self.check_refused("cannot run .*No such file")
        self.install("#!/bin/sh\nexit 3\n")
        self.check_refused("ended with status 3")
        self.install("#!/bin/sh\nkill -SEGV $$\n")
        self.check_refused("was killed")
        self.check_succeeds()

    def test_it_hangs(self):
        self.proxy.reload("10-test.cfg", self.text.replace('"20s"', '"200ms"'))
        self.install("#!/bin/sh\nexec sleep 1000\n")
        self.check_refused("was not ready in time")
        self.proxy.reload("10-test.cfg", self.text)
        self.check_succeeds()

    def test_it_has_faulty_files_or_an_address_that_is_taken(self):
        self.proxy.write("10-test.cfg", "nonsense")
        self.check_refused("ended with status 1")
        self.proxy.write("10-test.cfg", self.text)
        # It has the journal and the admin address by then, and gives them back.
        self.proxy.extra_listeners["third"] = self.backend.port
        self.proxy.write_own()
        self.check_refused("cannot listen")
        del self.proxy.extra_listeners["third"]
        self.proxy.write_own()
        self.check_succeeds()

    def test_it_ends_or_hangs_with_the_journal_let_go(self):
        self.install(TALK + "os._exit(5)\n")
        self.check_refused("ended with status 5")
        self.install(TALK + "pair.send(b'ready?')\ntime.sleep(1000)\n")
        self.check_refused("in a way that is not ours")
        self.proxy.reload("10-test.cfg", self.text.replace('"20s"', '"1s"'))
        self.install(TALK + "time.sleep(1000)\n")
        self.check_refused("was not ready in time")
        self.proxy.reload("10-test.cfg", self.text)
        self.check_succeeds()

    def test_the_admin_address_is_waited_for_over_the_next_hand_over(self):
        """Somebody has taken it while it was let go."""
        taken = os.path.join(self.folder, "taken")
        self.install(TALK + "with socket.socket() as other:\n"
                     "    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
                     f"    other.bind(('127.0.0.1', {self.proxy.admin}))\n    other.listen()\n"
                     f"    open('{taken}', 'w').close()\n    if os.fork() == 0:\n"
                     f"        while os.path.exists('{taken}'):\n            time.sleep(0.02)\n"
                     "    os._exit(5)\n")
        old = self.proxy.process
        old.send_signal(signal.SIGUSR2)
        wait_until("it is missed", lambda: "this is tried again" in self.proxy.errors())
        self.install("#!/bin/sh\nexit 3\n")
        old.send_signal(signal.SIGUSR2)
        wait_until("the next one fails, too", lambda: "ended with status 3" in self.proxy.errors())
        os.unlink(taken)
        wait_until("the admin address answers", self.proxy.is_ready)
        self.check_succeeds()

    def test_a_newer_file_is_used_and_signals_meanwhile_are_not_lost(self):
        go_on = os.path.join(self.folder, "go on")
        self.install(f"#!/bin/sh\nwhile [ ! -e '{go_on}' ]; do sleep 0.02; done\n"
                     f"echo 'this is newer' >&2\nexec {PROXY} \"$@\"\n")
        generation = self.proxy.total("strangler_config_generation")
        old = self.proxy.process
        old.send_signal(signal.SIGUSR2)
        wait_until("it began", lambda: "handing over" in self.proxy.errors())
        old.send_signal(signal.SIGUSR2)
        wait_until("it is refused", lambda: "USR2 is refused: a hand-over is under way"
                   in self.proxy.errors())
        old.send_signal(signal.SIGHUP)
        wait_until("it waits", lambda: "the reload waits for that" in self.proxy.errors())
        with open(go_on, "w", encoding="ascii"):
            pass
        self.assertEqual(old.wait(30), 0)
        self.proxy.process = successor(self.proxy)
        self.assertIn("this is newer", self.proxy.errors())
        self.proxy.wait_total(generation + 2, "strangler_config_generation")


class LiveChanges(ProxyCase):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.backend = self.closing(Http1Backend(self.script))
        self.addCleanup(self.gate.set)
        self.flip = os.path.join(self.folder, "flip.sh")
        with open(self.flip, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nwhile [ -e {self.folder}/hold ]; do sleep 0.02; done\n")
        os.chmod(self.flip, 0o755)
        modules = " ".join(
            f'{name}: {{ legacy = "monolith"; extracted = "monolith"; stage = "live"; '
            f'on_flip = "{self.flip}"; '
            f'routes: {{ {name}: {{ prefix = "/{name}"; }}; }}; }};' for name in "abc")
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port),
            more=f'identity = [ "address" ]; modules: {{ {modules} }};'))

    def script(self, connection):
        while True:
            if connection.read_request().target.endswith("/slow"):
                self.gate.wait(20)
            connection.send(answer_bytes(b"monolith"))

    def operate(self, path: str, **body) -> dict:
        status, answer = self.proxy.operate(path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def modules(self) -> list:
        return self.proxy.operate("/modules")[1]["modules"]

    def test_all_of_them_survive(self):
        self.operate("/modules/a/abort", who="bob", why="slow")
        self.operate("/modules/b/stage", stage="ramp", confirm_within_ms=60000)
        self.operate("/modules/c/freeze", ttl_ms=60000)
        before = self.modules()
        generation = self.proxy.total("strangler_config_generation")
        hand_over(self.proxy)
        self.assertEqual(self.modules(), before)
        self.assertGreater(self.proxy.total("strangler_config_generation"), generation)
        self.operate("/modules/c/unfreeze")
        self.operate("/modules/b/confirm")
        self.operate("/modules/a/resume")

    def test_nothing_is_saved_in_files_that_the_new_process_has_read_already(self):
        self.operate("/modules/b/stage", stage="ramp")
        write = self.closing(Http1Client(self.proxy.plain))
        write.start("/c/slow", "POST", [("content-length", "0")])
        wait_until("it is under way", lambda: self.backend.requests)
        freeze = threading.Thread(target=self.operate, args=("/modules/c/freeze",),
                                  kwargs={"max_wait_ms": 10000, "ttl_ms": 60000})
        freeze.start()  # so long nothing is let go
        self.addCleanup(freeze.join)
        wait_until("it is frozen", lambda: self.modules()[2]["frozen"])
        said = self.proxy.errors().count("warning[")
        self.assertGreater(said, 0)
        old = self.proxy.process
        old.send_signal(signal.SIGUSR2)
        wait_until("the new one has read them", lambda: self.proxy.errors().count("warning[") > said)
        status, answer = self.proxy.operate("/modules/b/save", {})
        self.gate.set()
        self.assertEqual(old.wait(30), 0)
        self.proxy.process = successor(self.proxy)
        self.assertEqual(self.modules()[1]["stage"], "ramp")
        self.assertEqual(status, 503, answer)
        self.assertIn("hand-over", answer["detail"])
        self.operate("/modules/b/save")

    def test_a_write_that_waits_in_the_old_process_goes_on_when_the_freeze_is_over(self):
        self.operate("/modules/c/freeze", ttl_ms=3000)
        client = self.closing(Http2Client(self.proxy.plain))
        write = client.start("/c", "POST")
        client.wait_ping()
        old = begin_hand_over(self.proxy)
        self.assertEqual(client.wait(write).body, b"monolith")
        self.assertEqual(old.wait(30), 0)
        wait_until("the new one has thawed, too", lambda: not self.modules()[2]["frozen"])

    def test_usr2_is_refused_while_a_write_owner_changes(self):
        hold = os.path.join(self.folder, "hold")
        with open(hold, "w", encoding="ascii"):
            pass
        answers: list = []
        thread = threading.Thread(
            target=lambda: answers.append(self.operate("/modules/a/writes", owner="extracted")))
        thread.start()
        wait_until("it changes", lambda: self.modules()[0]["flipping"])
        self.proxy.process.send_signal(signal.SIGUSR2)
        wait_until("it is refused", lambda: "USR2 is refused: a write owner is being changed"
                   in self.proxy.errors())
        os.remove(hold)
        thread.join()
        self.assertTrue(answers[0]["changed"])
        hand_over(self.proxy)
        self.assertEqual(self.modules()[0]["write_owner"], "extracted")

    def test_no_write_owner_changes_while_the_old_process_may_still_write(self):
        client = self.closing(Http2Client(self.proxy.plain))
        slow = client.start("/slow")
        wait_until("it is there", lambda: self.backend.requests)
        old = begin_hand_over(self.proxy)
        wait_until("the new one answers", self.proxy.is_ready)
        status, answer = self.proxy.operate("/modules/a/writes",
                                            {"owner": "extracted", "timeout_ms": 100})
        self.assertEqual(status, 504, answer)
        self.proxy.process.send_signal(signal.SIGUSR2)
        wait_until("it is refused", lambda: "USR2 is refused: the process before this one"
                   in self.proxy.errors())
        self.gate.set()
        self.assertEqual(client.wait(slow).body, b"monolith")
        self.assertEqual(old.wait(30), 0)
        self.assertTrue(self.operate("/modules/a/writes", owner="extracted")["changed"])


if __name__ == "__main__":
    adopt_orphans()
    main()
