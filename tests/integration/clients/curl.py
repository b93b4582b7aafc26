"""curl in front of the forum, in every version of HTTP that it speaks."""

import json
import os
import subprocess
import unittest
from dataclasses import dataclass

from forum_case import COMMAND_SECONDS, PASSWORD, PATHS, ForumCase, run_program
from strangler_test import main

MIB = 1 << 20


@dataclass(frozen=True)
class Way:
    """How curl comes, and what it then speaks."""
    options: tuple
    version: str
    tls: bool

    @property
    def keeps_connections(self) -> bool:
        """curl 7.88 cannot use a connection of prior knowledge twice, and closes those of 1.0."""
        return "--http1.0" not in self.options and (self.version == "1.1" or self.tls)


WAYS = {
    "HTTP/1.0": Way(("--http1.0",), "1.1", False),  # whom we answer in our version
    "HTTP/1.0 over TLS": Way(("--http1.0",), "1.1", True),
    "HTTP/1.1": Way(("--http1.1",), "1.1", False),
    "HTTP/1.1 over TLS": Way(("--http1.1",), "1.1", True),
    "HTTP/2 over TLS": Way(("--http2",), "2", True),
    "HTTP/2 in clear": Way(("--http2-prior-knowledge",), "2", False),
    "an offer to upgrade to h2c": Way(("--http2",), "1.1", False),
    "TLS without ALPN": Way(("--no-alpn",), "1.1", True),
    "TLS 1.2": Way(("--tls-max", "1.2"), "2", True),
}


class Curl(ForumCase):
    def on_all_ways(self):
        for name, way in WAYS.items():
            with self.subTest(name):
                yield way

    def origin(self, way: Way) -> str:
        return self.tls if way.tls else self.plain

    def transfer(self, way: Way, urls: list, *options: str, data: bytes = b"") -> list:
        """One curl asks all of them: (what it tells of each transfer, the body), in their order."""
        outputs = [os.path.join(self.scratch, f"body-{i}") for i in range(len(urls))]
        config = "".join(f'url = "{url}"\noutput = "{output}"\n'
                         for url, output in zip(urls, outputs))
        path = self.write_file("urls", config.encode())
        for output in outputs:
            open(output, "wb").close()  # curl makes none for an empty body
        said = run_program("curl", "--disable", "-sS", "-k", "--path-as-is", "--max-time",
                           str(COMMAND_SECONDS), *way.options, *options, "-w", "%{json}\\n",
                           "-D", os.path.join(self.scratch, "heads"), "-K", path, data=data)
        results = sorted((json.loads(line) for line in said.splitlines()),
                         key=lambda result: result["urlnum"])
        self.assertEqual({result["http_version"] for result in results}, {way.version})
        bodies = []
        for output in outputs:
            with open(output, "rb") as file:
                bodies.append(file.read())
        return list(zip(results, bodies))

    def heads(self) -> str:
        """All heads of the last transfer, those before the final one and trailers included."""
        with open(os.path.join(self.scratch, "heads"), encoding="latin-1", newline="") as file:
            return file.read()

    def ask(self, way: Way, path: str, *options: str, data: bytes = b"") -> tuple:
        """(status, body)"""
        [(result, body)] = self.transfer(way, [self.origin(way) + path], *options, data=data)
        return result["response_code"], body

    # --- reading

    def test_everything_is_read_as_the_monolith_says_it(self):
        bodies = [self.direct(path) for path in PATHS]
        for way in self.on_all_ways():
            if way.keeps_connections:
                answers = self.transfer(way, [self.origin(way) + path for path in PATHS])
            else:
                answers = [self.transfer(way, [self.origin(way) + path])[0] for path in PATHS]
            self.assertEqual([result["response_code"] for result, _ in answers],
                             list(PATHS.values()))
            self.assertEqual([body for _, body in answers], bodies)

    def test_head_tells_the_length_and_has_no_body(self):
        body = self.direct("/api/users")
        for way in self.on_all_ways():
            self.assertEqual(self.ask(way, "/api/users", "--head", "-o", "/dev/null"), (200, b""))
            self.assertIn(f"content-length: {len(body)}\r\n", self.heads().lower())

    def test_a_connection_is_kept(self):
        for way in self.on_all_ways():
            if way.keeps_connections:
                answers = self.transfer(way, [self.origin(way) + "/api/users/1"] * 20)
                self.assertEqual(sum(result["num_connects"] for result, _ in answers), 1)

    def test_an_old_client_may_ask_for_its_connection_to_be_kept(self):
        way = WAYS["HTTP/1.0"]
        answers = self.transfer(way, [self.plain + "/api/users/1"] * 5, "-H",
                                "Connection: keep-alive")
        self.assertEqual(sum(result["num_connects"] for result, _ in answers), 1)

    def test_many_at_once(self):
        body = self.direct("/api/threads")
        for way in self.on_all_ways():
            if not way.keeps_connections:
                continue
            answers = self.transfer(way, [self.origin(way) + "/api/threads"] * 100, "--parallel",
                                    "--parallel-max", "50")
            self.assertEqual({(result["response_code"], got) for result, got in answers},
                             {(200, body)})
            if way.version == "2":
                self.assertLess(sum(result["num_connects"] for result, _ in answers), 50)

    def test_ranges_and_encodings_that_the_forum_does_not_know_do_no_harm(self):
        body = self.direct("/forum/style.css")
        for way in self.on_all_ways():
            self.assertEqual(self.ask(way, "/forum/style.css", "-r", "10-19", "--compressed"),
                             (200, body))

    def test_a_refusal_is_a_problem_as_json(self):
        for way in self.on_all_ways():
            status, body = self.ask(way, "/internal/feed/users")
            self.assertEqual((status, json.loads(body)["status"]), (403, 403))

    # --- writing

    def post(self, way: Way, path: str, values: dict, *options: str, method: str = "POST"):
        status, body = self.ask(
            way, path, "-X", method, "-H", "content-type: application/json", "--data-binary", "@-",
            "-b", self.jar, "-c", self.jar, *options, data=json.dumps(values).encode())
        return status, json.loads(body) if body else None

    def enter(self, way: Way, name: str):
        self.jar = os.path.join(self.scratch, "jar")
        if os.path.exists(self.jar):
            os.remove(self.jar)
        self.assertEqual(self.post(way, "/api/2.0/sessions",
                                   {"username": name, "password": PASSWORD})[0], 201)

    def test_a_member_talks_and_takes_it_back(self):
        for way in self.on_all_ways():
            self.enter(way, "marga")
            session = ("-b", self.jar)
            status, thread = self.post(way, "/api/2.0/threads",
                                       {"category": "lounge", "title": "Asked by curl"})
            self.assertEqual(status, 201)
            posts = f"/api/2.0/threads/{thread['id']}/posts"
            status, post = self.post(way, posts, {"text": "Figs & dates " * 700})
            self.assertEqual(status, 201)
            one = f"/api/2.0/posts/{post['id']}"
            self.assertEqual(self.post(way, one, {"text": "Figs"}, method="PATCH")[0], 200)
            self.assertEqual(self.ask(way, one + "/like", "-X", "PUT", *session), (204, b""))
            [item] = json.loads(self.ask(way, posts, *session)[1])["items"]
            self.assertEqual((item["text"], item["likes"]), ("Figs", 1))
            self.assertEqual(self.ask(way, one, "-X", "DELETE", *session), (204, b""))
            self.assertEqual(self.ask(way, "/api/2.0/sessions/current", "-X", "DELETE", *session),
                             (204, b""))
            self.assertEqual(self.ask(way, "/api/2.0/me", *session)[0], 401)

    def test_a_form_is_sent_and_its_redirect_followed(self):
        for way in self.on_all_ways():
            jar = os.path.join(self.scratch, "forms")
            cookies = ("-b", jar, "-c", jar)
            page = self.ask(way, "/forum/login", *cookies)[1].decode()
            token = page.split('name="csrf" value="')[1].split('"')[0]
            if way.tls or way.version != "2":  # which could not use its connection twice
                status, body = self.ask(
                    way, "/forum/login", *cookies, "--location", "--data-urlencode",
                    f"csrf={token}", "--data-urlencode", "username=moss", "--data-urlencode",
                    f"password={PASSWORD}")
                self.assertEqual(status, 200)
                self.assertIn(b"Logged in as", body)
            os.remove(jar)

    def test_bodies_in_pieces_arrive(self):
        for way in self.on_all_ways():
            if "--http1.0" in way.options:
                continue
            self.enter(way, "pilu")
            status, thread = self.post(way, "/api/2.0/threads",
                                       {"category": "lounge", "title": "In pieces"},
                                       "-H", "Transfer-Encoding: chunked")
            self.assertEqual((status, thread["title"]), (201, "In pieces"))

    def test_a_body_is_sent_when_100_has_come(self):
        for way in self.on_all_ways():
            if way.version == "2" or "--http1.0" in way.options:
                continue  # curl does not wait there
            self.enter(way, "marga")
            status, _ = self.post(way, "/api/2.0/threads",
                                  {"category": "lounge", "title": "May I?"}, "-H",
                                  "Expect: 100-continue", "--expect100-timeout", "60")
            self.assertEqual(status, 201)
            self.assertTrue(self.heads().startswith("HTTP/1.1 100"), self.heads())

    def test_a_body_that_is_too_large_is_refused_before_it_is_sent(self):
        large = self.write_file("large", bytes(11 * MIB))
        way = WAYS["HTTP/1.1"]
        [(result, _)] = self.transfer(way, [self.plain + "/api/2.0/threads"], "-X", "POST",
                                      "--data-binary", "@" + large, "-H", "Expect: 100-continue",
                                      "--expect100-timeout", "60")
        self.assertEqual((result["response_code"], result["size_upload"]), (413, 0))

    def test_a_body_that_is_too_large_is_refused_while_it_is_sent(self):
        large = self.write_file("large", bytes(11 * MIB))
        for way in self.on_all_ways():
            for more in ((), ("-H", "Transfer-Encoding: chunked")):
                if "--http1.0" in way.options and more:
                    continue
                status, _ = self.ask(way, "/api/2.0/threads", "-X", "POST", "-H", "Expect:",
                                     "--data-binary", "@" + large, *more)
                self.assertEqual(status, 413)

    # --- giving up

    def test_downloads_that_are_given_up_leave_nothing_behind(self):
        for way in self.on_all_ways():
            done = subprocess.run(["curl", "--disable", "-sS", "-k", *way.options, "--max-filesize",
                                   "10", self.origin(way) + "/api/posts/in-thread/1"],
                                  capture_output=True, timeout=COMMAND_SECONDS, check=False)
            self.assertEqual(done.returncode, 63, done.stderr)  # too large for it
            self.proxy.check_nothing_is_left()


if __name__ == "__main__":
    main()
