"""Face 1.0 of the forum, on the monolith and on the three services, over the wire.

Needs STRANGLER_BUILD (the build folder) and curl; h2load is used if it is there.
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

from services_programs import Program, ask, ask_all, program_path
from strangler_test import free_port, wait_until

WHOLE_RUN_SECONDS = 300
TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
SERVICES = {
    "users": ["/api/users", "/api/users/{}"],
    "threads": ["/api/threads", "/api/threads/{}"],
    "posts": ["/api/posts", "/api/posts/in-thread/{}", "/api/posts/by-user/{}"],
}
KEYS = {
    "users": ["id", "username", "name", "bio"],
    "threads": ["id", "title", "createdBy"],
    "posts": ["thread", "text", "user"],
}
NOT_OURS = ["//api", "/api/./users", "/%61pi", "/%61pi/users", "/api//users", "/api/users//",
            "/api/usersx", "/api/users/1/2", "/api/users/1//", "/api/posts/1", "/api/posts/in-thread",
            "/api/posts/in-thread/", "/api/posts/by-user/1/2", "/api/x/../users", "/nowhere",
            "/api/threads/1/posts", "/apiusers", "//", "/api//"]
MEANS_1 = ["1", "01", "1abc", "1.9", "%31", "%201", "%091", "+1", "0x1", "1%00", "1%zz", "1%2f2"]
MEANS_NOTHING = ["0", "-1", "abc", "99999", "%", "%zz1", "%ff1", "NaN", "0x", "9007199254740993",
                 "18446744073709551617", "..", ".", "1" * 400, "%C0%B1", "-", "%2e%2e"]
USER_3_EVENT = """INSERT INTO outbox (feed, epoch, at_ms, body)
    SELECT 'users', 1, 1, '"op":"put","id":3,"row":' || json_object('id', id, 'username', username,
    'name', name, 'bio', bio, 'created_ms', created_ms) FROM users WHERE id = 3"""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def odd_ids(count):
    choose = random.Random(7)
    signs = list("0123456789abcxXeE+-.,_~!$&'()*;:@") + ["%31", "%20", "%zz", "%00", "%C2%A0", "%"]
    return ["".join(choose.choices(signs, k=choose.randint(1, 6))) for _ in range(count)]


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + payload


def get_frame(stream, more=b""):
    return frame(1, 5, stream, b"\x82\x84\x86" + more)


class Forum(unittest.TestCase):
    """All four programs, started once. Tests that end a program start their own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.programs = {"monolith": Program("monolith", cls.folder.name).wait_ready()}
        cls.monolith = cls.programs["monolith"]
        for name in SERVICES:
            cls.programs[name] = cls.start_service(name, cls.folder.name, cls.monolith.origin)

    @classmethod
    def tearDownClass(cls):
        statuses = {name: program.stop() for name, program in cls.programs.items()}
        complaints = {name: program.complaints() for name, program in cls.programs.items()}
        cls.folder.cleanup()
        assert set(statuses.values()) == {0}, (statuses, complaints)
        assert set(complaints.values()) == {""}, complaints

    @staticmethod
    def start_service(name, folder, origin):
        return Program(name, folder, "--monolith", origin).wait_ready()

    def both(self, name):
        return [self.monolith, self.programs[name]]

    def check(self, answer, status, content_type, body=None):
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.one("content-type"), content_type)
        if status == 204:
            self.assertEqual((answer.body, answer.all("content-length")), (b"", []))
        if body is not None:
            self.assertEqual(answer.body, body)

    def check_allow(self, answer):
        self.assertEqual(answer.all("allow"), ["HEAD", "GET"])

    def paths_of(self, name, ids):
        patterns = SERVICES[name]
        return [patterns[0], patterns[0] + "/", patterns[0].upper(), patterns[0] + "?a=/b//c"] + \
            [pattern.format(id) for pattern in patterns[1:] for id in ids]

    # The table, row by row

    def test_the_roots_are_plain_text(self):
        for program in self.programs.values():
            for path in ["/", "/api", "/api/", "/API/", "/?x=1", "/health"]:
                self.check(ask(program, path), 200, TEXT)

    def test_collections_are_compact_arrays_with_keys_in_order(self):
        for name in SERVICES:
            for program in self.both(name):
                answer = ask(program, SERVICES[name][0])
                self.check(answer, 200, JSON)
                rows = json.loads(answer.body)
                self.assertGreaterEqual(len(rows), 10)
                self.assertEqual({tuple(row) for row in rows}, {tuple(KEYS[name])})
                compact = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
                self.assertEqual(answer.body, compact.encode())

    def test_an_object_is_the_row_of_its_collection(self):
        for name in ["users", "threads"]:
            for program in self.both(name):
                rows = json.loads(ask(program, SERVICES[name][0]).body)
                for row in rows:
                    answer = ask(program, f"/api/{name}/{row['id']}/")
                    self.check(answer, 200, JSON)
                    self.assertEqual(json.loads(answer.body), row)

    def test_odd_spellings_of_1_mean_1(self):
        for name in SERVICES:
            for program in self.both(name):
                for pattern in SERVICES[name][1:]:
                    paths = [pattern.format(id) for id in MEANS_1]
                    answers = ask_all(program, paths)
                    self.check(answers[0], 200, JSON)
                    self.assertNotEqual(answers[0].body, b"[]")
                    for path, answer in zip(paths, answers):
                        self.assertEqual(answer.comparable(), answers[0].comparable(), path)

    def test_an_unknown_id_is_204_or_an_empty_array(self):
        for name in SERVICES:
            for program in self.both(name):
                for pattern in SERVICES[name][1:]:
                    for answer in ask_all(program, [pattern.format(id) for id in MEANS_NOTHING]):
                        if name == "posts":
                            self.check(answer, 200, JSON, b"[]")
                        else:
                            self.check(answer, 204, None)

    def test_posts_are_selected_by_thread_and_by_user(self):
        for program in self.both("posts"):
            posts = json.loads(ask(program, "/api/posts").body)
            for key, path in [("thread", "in-thread"), ("user", "by-user")]:
                for id in {post[key] for post in posts}:
                    answer = ask(program, f"/api/posts/{path}/{id}")
                    self.assertEqual(json.loads(answer.body),
                                     [post for post in posts if post[key] == id])

    def test_head_is_get_without_body(self):
        for name in SERVICES:
            paths = self.paths_of(name, ["1", "nobody"]) + ["/", "/api", "/nowhere"]
            for program in self.both(name):
                for got, head in zip(ask_all(program, paths), ask_all(program, paths, "--head")):
                    self.assertEqual((head.status, head.fields, head.body),
                                     (got.status, got.fields, b""))

    def test_options_names_the_methods_in_two_fields(self):
        for name in SERVICES:
            for program in self.both(name):
                for answer in ask_all(program, self.paths_of(name, ["1", "x"]), "-X", "OPTIONS"):
                    self.check(answer, 204, None)
                    self.check_allow(answer)

    def test_writing_is_405_with_both_allow_fields(self):
        for name in SERVICES:
            for program in self.both(name):
                for method in ["POST", "PUT", "PATCH", "DELETE"]:
                    for body in [[], ["-d", "a=b"], ["-d", "a=b", "-H", "Expect: 100-continue"]]:
                        paths = self.paths_of(name, ["1", "x"])
                        for answer in ask_all(program, paths, "-X", method, *body):
                            self.check(answer, 405, TEXT)
                            self.check_allow(answer)

    def test_an_unknown_path_is_404_whatever_the_method(self):
        for program in self.programs.values():
            for method in ["GET", "OPTIONS", "POST", "DELETE"]:
                for answer in ask_all(program, NOT_OURS, "-X", method):
                    self.check(answer, 404, TEXT, b"Not Found")
                    self.assertEqual(answer.all("allow"), [])

    def test_a_service_knows_only_its_own_paths(self):
        for name in SERVICES:
            others = [path for other in SERVICES if other != name for path in SERVICES[other]]
            paths = [path.format(1) for path in others] + ["/forumx"]
            for answer in ask_all(self.programs[name], paths):
                self.check(answer, 404, TEXT, b"Not Found")
            problem = ask(self.programs[name], "/internal/export/users")
            self.check(problem, 404, "application/problem+json")

    def test_services_answer_like_the_monolith_to_the_byte(self):
        ids = odd_ids(200) + MEANS_1 + MEANS_NOTHING + [str(i) for i in range(-1, 70)]
        for name in SERVICES:
            paths = self.paths_of(name, ids) + ["/", "/api", "/api/", "/health"] + \
                [path for path in NOT_OURS]
            for options in [[], ["--head"], ["-X", "OPTIONS"], ["-d", "x"], ["-X", "BREW"]]:
                old, new = [ask_all(program, paths, *options) for program in self.both(name)]
                for path, a, b in zip(paths, old, new):
                    self.assertEqual(a.comparable(), b.comparable(), (path, options))

    # What goes beyond the table

    def test_the_export_is_one_row_a_line(self):
        for name in SERVICES:
            answer = ask(self.monolith, f"/internal/export/{name}")
            self.check(answer, 200, "application/x-ndjson")
            self.assertTrue(answer.body.endswith(b"}\n"))
            rows = [json.loads(line) for line in answer.body.splitlines()]
            self.assertEqual([row["id"] for row in rows], sorted(row["id"] for row in rows))
            served = json.loads(ask(self.programs[name], SERVICES[name][0]).body)
            self.assertEqual([{key: row[key] for key in KEYS[name]} for row in rows], served)

    def test_a_large_unwanted_body_is_taken_and_the_answer_still_comes(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(5 * 1024 * 1024)
            for program in self.both("users"):
                self.check(ask(program, "/api/users", "-T", file.name), 405, TEXT)

    def test_the_monolith_keeps_a_connection_after_a_body_nobody_wanted(self):
        requests = b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" \
                   b"DELETE /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" \
                   b"3\r\nabc\r\n0\r\n\r\n" \
                   b"HEAD /api/users HTTP/1.1\r\nHost: x\r\n\r\n" \
                   b"GET /api/users/nobody HTTP/1.1\r\nHost: x\r\n\r\n" \
                   b"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = self.monolith.send_raw(requests)
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answer),
                         [b"405", b"405", b"200", b"204", b"200"])
        nothing = answer[answer.index(b"HTTP/1.1 204"):].split(b"\r\n\r\n")[0]
        self.assertNotIn(b"content-length", nothing.lower())
        self.assertNotIn(b"transfer-encoding", nothing.lower())

    def test_hostile_bytes_end_a_connection_and_nothing_else(self):
        settings = frame(4, 0, 0)
        begun = PREFACE + settings
        attacks = [
            b"", b"\0" * 100, os.urandom(5000), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\x01",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300000, b"GET /" + b"a" * 200000,
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET /\0/ HTTP/1.1\r\nHost: x\r\n\r\n", PREFACE, PREFACE[:10], PREFACE + b"\xff" * 500,
            begun + frame(0, 0, 0, b"x"), begun + frame(0, 0, 1, b"x"), begun + get_frame(2),
            begun + frame(1, 4, 1, b"\xff" * 50), begun + frame(9, 4, 1, b""),
            begun + frame(8, 0, 0, b"\0\0\0\0"), begun + frame(8, 0, 0, b"\x7f\xff\xff\xff"),
            begun + frame(4, 0, 0, b"\0\4\xff\xff\xff\xff"), begun + b"\xff\xff\xff\1\4\0\0\0\1",
            begun + frame(1, 0, 1, b"\x82") + frame(9, 0, 1, b"\0\1a\1b") * 20000,
            begun + b"".join(get_frame(i) + frame(3, 0, i, b"\0\0\0\x08")
                             for i in range(1, 20001, 2)),
            begun + frame(6, 0, 0, b"12345678") * 20000, begun + settings * 20000,
            begun + b"".join(get_frame(i, b"\0\1a\x7f\xd1\x1e" + b"b" * 5000)
                             for i in range(1, 21, 2)),
            begun + b"".join(frame(1, 4, i, b"\x83\x84\x86") + frame(0, 0, i) * 50
                             for i in range(1, 4001, 2)),
            begun + frame(1, 5, 1, b"\x86"), begun + frame(1, 5, 1, b"\0\7:method\7CONNECT"),
            begun + frame(1, 5, 1, b"\0\7:method\0\x84\x86"),
        ]
        for program in self.programs.values():
            for attack in attacks:
                program.throw(attack)
                if program.name != "monolith":  # which notices a half-closed connection late
                    program.send_raw(attack)
                self.assertTrue(program.is_running(), program.complaints())
            self.check(ask(program, "/health"), 200, TEXT)

    def test_a_reset_flood_is_told_to_calm_down(self):
        flood = b"".join(get_frame(i) + frame(3, 0, i, b"\0\0\0\x08") for i in range(1, 20001, 2))
        answer = self.programs["users"].send_raw(PREFACE + frame(4, 0, 0) + flood)
        self.assertIn(struct.pack(">I", 11), answer[-17:])

    def test_a_client_that_does_not_read_holds_nobody_else_up(self):
        posts = self.programs["posts"]
        with posts.connect() as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            path = b"\x44\x0a/api/posts"
            wide = frame(4, 0, 0, b"\0\4\x7f\xff\xff\xff") + frame(8, 0, 0, b"\x7f\0\0\0")
            asks = b"".join(frame(1, 5, i, b"\x82" + path + b"\x86") for i in range(1, 1999, 2))
            stuck.sendall(PREFACE + wide + asks)
            for answer in ask_all(posts, ["/api/posts"] * 20):
                self.check(answer, 200, JSON)

    def test_h2load_sees_no_failure(self):
        if shutil.which("h2load") is None:
            self.skipTest("h2load is not installed")
        many_at_once = ["-c", "1", "-m", "900", "-w", "26", "-W", "28"]
        for name, options in [("monolith", ["--h1"]), ("users", []), ("posts", []),
                              ("posts", many_at_once)]:
            path = "/api/posts" if name == "posts" else "/api/users/1"
            report = subprocess.run(
                ["h2load", "-n", "20000", "-c", "8", "-m", "10", *options,
                 self.programs[name].origin + path],
                check=True, capture_output=True, text=True, timeout=120).stdout
            self.assertIn("20000 succeeded, 0 failed, 0 errored, 0 timeout", report)


class Life(unittest.TestCase):
    """Starts, stops, crashes and restarts, each in a folder of its own."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.running = []

    def tearDown(self):
        for program in self.running:
            if program.is_running():
                program.kill()
        self.temporary.cleanup()

    def start(self, name, *arguments, **more):
        self.running.append(Program(name, self.folder, *arguments, **more))
        return self.running[-1]

    def change(self, name, sql):
        with sqlite3.connect(os.path.join(self.folder, name + ".db")) as database:
            database.execute(sql)
        database.close()

    def test_a_second_start_does_not_seed_again_not_even_after_a_crash(self):
        for end in [Program.stop, Program.kill]:
            monolith = self.start("monolith").wait_ready()
            self.change("monolith", "DELETE FROM posts WHERE id = (SELECT max(id) FROM posts)")
            before = ask(monolith, "/api/posts").body
            end(monolith)
            monolith = self.start("monolith").wait_ready()
            self.assertEqual(ask(monolith, "/api/posts").body, before)
            self.assertEqual(monolith.stop(), 0)

    def test_a_service_follows_the_monolith_at_each_start(self):
        monolith = self.start("monolith").wait_ready()
        for _ in range(3):
            users = self.start("users", "--monolith", monolith.origin).wait_ready()
            self.assertEqual(ask(users, "/api/users").body, ask(monolith, "/api/users").body)
            self.assertEqual(users.kill(), -signal.SIGKILL)
            self.change("monolith", "UPDATE users SET bio = bio || '!' WHERE id = 3")
            self.change("monolith", USER_3_EVENT)

    def test_a_filled_service_starts_without_the_monolith_and_says_so(self):
        monolith = self.start("monolith").wait_ready()
        for name in SERVICES:
            self.assertEqual(
                self.start(name, "--monolith", monolith.origin).wait_ready().stop(), 0)
        expected = {name: ask(monolith, SERVICES[name][0]).body for name in SERVICES}
        monolith.stop()
        for name in SERVICES:
            service = self.start(name, "--monolith", monolith.origin).wait_ready()
            self.assertEqual(ask(service, SERVICES[name][0]).body, expected[name])
            self.assertEqual(service.stop(), 0)
            self.assertIn("serving the", service.complaints())

    def test_an_empty_service_waits_for_the_monolith(self):
        port = free_port()
        posts = self.start("posts", "--monolith", f"http://127.0.0.1:{port}")
        wait_until("the first failed try is told", posts.complaints)
        self.start("monolith", listen=f"127.0.0.1:{port}").wait_ready()
        posts.wait_ready()
        self.assertEqual(posts.stop(), 0)
        self.assertRegex(posts.complaints(), r"\Aposts: cannot import yet \(http://.*\n\Z")

    def test_an_empty_service_gives_up_in_time(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
            threads = self.start("threads", "--monolith", origin, "--import-timeout", "500ms")
            self.assertEqual(threads.wait(), 1)
            self.assertIn("cannot import", threads.complaints())

    def test_a_service_that_waits_for_the_monolith_can_be_stopped(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            threads = self.start("threads", "--monolith",
                                 f"http://127.0.0.1:{silent.getsockname()[1]}")
            silent.settimeout(20)
            connection, _ = silent.accept()
            self.assertEqual(threads.stop(), 0)
            connection.close()

    def test_a_half_sent_export_changes_nothing(self):
        monolith = self.start("monolith").wait_ready()
        users = self.start("users", "--monolith", monolith.origin).wait_ready()
        before = ask(users, "/api/users").body
        users.stop()
        with socket.create_server(("127.0.0.1", 0)) as fake:
            fake.settimeout(20)
            users = self.start("users", "--monolith",
                               f"http://127.0.0.1:{fake.getsockname()[1]}")
            connection, _ = fake.accept()
            connection.recv(4096)
            row = b'{"id":1,"username":"a","name":"b","bio":"c"}\n'
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"
                               % (len(row), row))
            connection.close()
            users.wait_ready()
        self.assertEqual(ask(users, "/api/users").body, before)
        self.assertEqual(users.stop(), 0)

    def test_a_stop_is_clean_with_clients_connected(self):
        monolith = self.start("monolith").wait_ready()
        users = self.start("users", "--monolith", monolith.origin).wait_ready()
        with monolith.connect() as old, users.connect() as new:
            old.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            new.sendall(PREFACE + frame(4, 0, 0) + get_frame(1))
            self.assertTrue(old.recv(100).startswith(b"HTTP/1.1 200"))
            self.assertTrue(new.recv(9))
            self.assertEqual(users.stop(signal.SIGINT), 0)
            self.assertEqual(monolith.stop(signal.SIGINT), 0)
            said = b""
            while piece := new.recv(65536):
                said += piece
            self.assertIn(b"\7\0\0\0\0\0" + struct.pack(">II", 1, 0), said)
        self.assertEqual(users.complaints() + monolith.complaints(), "")

    def test_bad_usage_is_2_a_fault_is_1_help_is_0(self):
        usage = [["--nonsense"], ["extra"], ["--listen"], ["--listen", "nowhere"],
                 ["--listen", "127.0.0.1"], ["--listen", "127.0.0.1:99999"]]
        service_usage = [["--monolith", "ftp://x"], ["--import-timeout", "soon"]]
        with socket.create_server(("127.0.0.1", 0)) as taken:
            fault = [["--listen", "127.0.0.1:%d" % taken.getsockname()[1], "--database", "x.db"],
                     ["--listen", "127.0.0.1:0", "--database", "/nowhere/x.db"]]
            for name in ["monolith", *SERVICES]:
                more = [] if name == "monolith" else service_usage
                for arguments, status in [*((a, 2) for a in usage + more), (["--help"], 0),
                                          *((a, 1) for a in fault)]:
                    run = subprocess.run([program_path(name), *arguments], cwd=self.folder,
                                         capture_output=True, text=True, timeout=30)
                    self.assertEqual(run.returncode, status, (name, arguments, run.stderr))
                    self.assertEqual(run.stderr == "", status == 0)
                    self.assertEqual("Usage" in run.stdout, status == 0)


if __name__ == "__main__":
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
