"""Who may use the admin address, and what a client that is slow, silent or wrong costs: nothing."""

import http.client
import json
import os
import socket
import stat
import subprocess
import time

from http1_backend import Http1Backend, named
from strangler_test import PROXY, ProxyCase, backend_text, config_text, main, wait_until


class Tcp(ProxyCase):
    def setUp(self):
        super().setUp()
        backend = self.closing(Http1Backend(named("backend")))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))

    def ask(self, path: str = "/generation", method: str = "GET", body=None, **fields: str) -> tuple:
        status, text, head = self.proxy.ask_admin(
            path, method, body, {name.replace("_", "-"): value for name, value in fields.items()})
        return status, json.loads(text), head

    def bearer(self) -> str:
        return f"Bearer {self.proxy.token()}"

    def assert_refused(self, answer: tuple, status: int):
        found, problem, head = answer
        self.assertEqual((found, problem["status"], problem["type"]), (status, status, "about:blank"))
        self.assertEqual(head["content-type"], "application/problem+json")
        self.assertTrue(problem["detail"])

    def test_the_token_opens_every_page(self):
        self.assertEqual(self.ask(Authorization=self.bearer())[:2], (200, {"generation": 1}))
        self.assertEqual(self.ask(Authorization=self.bearer().replace("Bearer", "bearer"))[0], 200)

    def test_no_token_and_a_wrong_one_are_refused(self):
        token = self.proxy.token()
        for value in (None, "", "Bearer", "Bearer ", f"Basic {token}", f"Bearer {token[:-1]}",
                      f"Bearer {token}x", f"Bearer {token[:-1]}x", "Bearer " + "x" * 20000):
            fields = {} if value is None else {"Authorization": value}
            answer = self.ask(**fields)
            self.assert_refused(answer, 401)
            self.assertEqual(answer[2]["www-authenticate"], "Bearer")
        self.assertEqual(self.ask("/no-such-page")[0], 401)
        self.assertNotIn(token, self.proxy.errors())

    def test_readiness_and_metrics_need_none(self):
        self.assertEqual(self.proxy.ask_admin("/ready")[0], 200)
        self.assertEqual(self.proxy.ask_admin("/metrics", fields={"Host": "prometheus.local"})[0], 200)

    def test_a_name_that_was_pointed_at_us_is_refused(self):
        for host in ("evil.example", f"evil.example:{self.proxy.admin}", "localhost.evil.example",
                     "203.0.113.9", "127.0.0.1.evil.example", "[2001:db8::1]:80", "[::1", ""):
            self.assert_refused(self.ask(Authorization=self.bearer(), Host=host), 403)
        for host in ("localhost", f"LOCALHOST:{self.proxy.admin}", "127.0.0.1", "[::1]:9901",
                     "127.1.2.3:80"):
            self.assertEqual(self.ask(Authorization=self.bearer(), Host=host)[0], 200, host)

    def test_the_token_is_made_once_and_for_its_owner_alone(self):
        path = os.path.join(self.proxy.folder, "state", "admin.token")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        token = self.proxy.token()
        self.assertRegex(token, "^[0-9a-f]{64}$")
        self.proxy.stop()
        self.proxy.start()
        self.assertEqual(self.proxy.token(), token)
        self.assertEqual(os.listdir(os.path.dirname(path)).count("admin.token"), 1)

    def test_a_token_that_others_can_read_is_none(self):
        path = os.path.join(self.proxy.folder, "state", "admin.token")
        self.proxy.stop()
        os.chmod(path, 0o640)
        done = subprocess.run([PROXY, "run", self.proxy.routes], capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)
        os.chmod(path, 0o600)
        self.proxy.start()

    def test_an_unknown_page_and_a_wrong_method_say_what_there_is(self):
        self.assert_refused(self.ask("/no-such-page", Authorization=self.bearer()), 404)
        self.assert_refused(self.ask("/generation/", Authorization=self.bearer()), 404)
        for method in ("POST", "DELETE", "BREW"):
            answer = self.ask(method=method, body=b"", Authorization=self.bearer())
            self.assert_refused(answer, 405)
            self.assertEqual(answer[2]["allow"], "GET, HEAD")

    def test_head_is_get_without_its_body(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.admin, timeout=20)
        self.addCleanup(connection.close)
        connection.request("HEAD", "/generation", headers={"Authorization": self.bearer()})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b""))
        self.assertGreater(int(answer.headers["content-length"]), 0)

    def test_slow_and_half_open_clients_hold_up_nobody(self):
        for words in (b"", b"GET", b"GET /ready HTTP/1.1\r\nHost: x\r\n",
                      b"POST /undo HTTP/1.1\r\nHost: localhost\r\ncontent-length: 9\r\n\r\n{"):
            for _ in range(8):
                slow = self.closing(socket.create_connection(("127.0.0.1", self.proxy.admin)))
                slow.sendall(words)
        gone = socket.create_connection(("127.0.0.1", self.proxy.admin))
        gone.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        gone.close()
        began = time.monotonic()
        self.assertEqual(self.proxy.ask_admin("/ready")[0], 200)
        self.assertEqual(self.proxy.reload(), 2)
        self.assertLess(time.monotonic() - began, 8)  # not when those have had their time

    def test_a_client_that_sends_a_byte_now_and_then_is_sent_away(self):
        slow = self.closing(socket.create_connection(("127.0.0.1", self.proxy.admin)))
        slow.settimeout(0.2)
        began = time.monotonic()
        text = iter(b"GET /ready HTTP/1.1\r\nx: " + b"y" * 1000)
        while time.monotonic() - began < 20:
            try:
                slow.send(bytes([next(text)]))
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.assertLess(time.monotonic() - began, 18)


class Local(ProxyCase):
    def start(self, folder: str) -> subprocess.Popen:
        text = (f'listeners: {{ l: {{ address = "unix:{folder}/l.sock"; }}; }};\nadmin: {{ address = "unix:{folder}/admin.sock"; }};\n'
                'backends: { m: { endpoints = [ "127.0.0.1:9" ]; }; };\ndefault = "m";\n')
        with open(os.path.join(folder, "a.cfg"), "w", encoding="ascii") as file:
            file.write(text)
        process = subprocess.Popen([PROXY, "run", os.path.join(folder, "a.cfg")],
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        return process

    def ask(self, path: str, *options: str) -> str:
        done = subprocess.run(["curl", "-s", "--unix-socket", path, *options,
                               "http://any.name/generation"],
                              capture_output=True, text=True, timeout=20, check=False)
        return done.stdout

    def test_a_socket_is_its_owners_alone_and_needs_no_token(self):
        path = os.path.join(self.folder, "admin.sock")
        process = self.start(self.folder)
        wait_until("it answers", lambda: "generation" in self.ask(path))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "state", "admin.token")))
        process.terminate()
        self.assertEqual(process.wait(20), 0)
        self.assertFalse(os.path.exists(path))

    def test_what_is_no_socket_is_not_deleted(self):
        path = os.path.join(self.folder, "admin.sock")
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
        process = self.start(self.folder)
        self.assertEqual(process.wait(20), 1)
        self.assertIn("admin address", process.stderr.read())
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")


if __name__ == "__main__":
    main()
