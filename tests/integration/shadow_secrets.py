"""What people send to be kept secret is nowhere in what the proxy keeps, logs or prints, wherever it
turns up again: in both sides' answers, in failures of either, in comparisons and their commands."""

import base64
import html
import json
import os
import re
from urllib.parse import parse_qs, quote

from http1_backend import answer_bytes, serving
from http1_client import Http1Client
from shadow_case import JSON, ShadowCase
from strangler_test import main, wait_until

MARK = "s3cret"  # in each secret, so that one search finds pieces of any
PIN = 47110815
HTML = [("content-type", "text/html; charset=utf-8")]

SENT = [
    ("cookie", f'sid=cookie/{MARK}+1; quoted="quoted{MARK}2"; nameless{MARK}3'),
    ("authorization", "Basic " + base64.b64encode(f"anna:basic&{MARK}4".encode()).decode()),
    ("x-api-key", f"key/{MARK}<5>"),
]
QUERY = f"?page=2&token=query%2F{MARK}6"

COMPARE = """compare: { baseline = "100%"; headers = [ "x-seen" ];
  redact = [ "$..password", "$..pin", "$.token", "$.answer", "header:x-api-key" ]; };"""


def traces(text: str) -> list:
    """Pieces of secrets, written in any way."""
    coded = [base64.b64encode(b"x" * shift + MARK.encode()).decode()[first:last]
             for shift, first, last in ((0, 0, 8), (1, 2, 9), (2, 3, 10))]
    return re.findall("|".join([f".{{0,60}}{MARK}.{{0,20}}", str(PIN), *coded]), text)


# --- sides that say all that they hear --------------------------------------------------------

def heard(request) -> dict:
    """By name: the secrets of the request as a program would have understood them."""
    user = base64.b64decode(request.value("authorization").split()[1]).decode()
    cookies = request.value("cookie").split("; ")
    form = parse_qs(request.body.decode()) if b"=" in request.body else {}
    query = parse_qs(request.target.partition("?")[2])
    return {"sid": cookies[0].partition("=")[2], "quoted": cookies[1].partition("=")[2].strip('"'),
            "nameless": cookies[2], "user": user, "word": user.partition(":")[2],
            "key": request.value("x-api-key"), "token": query.get("token", [""])[0],
            "form": form.get("password", [""])[0]}


def as_json(name: str, said: dict) -> bytes:
    return json.dumps({
        **{field: f"{name} {value}" for field, value in said.items()},
        "side": name, "password": f"json {MARK} of {name}", "deep": {"pin": PIN, "name": name},
        "answer": [f"{MARK} {name}", {"because": f"{MARK} {name}"}],
        "by_session": {said["sid"]: name}, "quoted": quote(said["sid"], safe="")}).encode()


def as_html(name: str, said: dict) -> bytes:
    rows = "".join(f'<p class="{field}" title="{html.escape(value)}">{name} {html.escape(value)}</p>'
                   f'<a href="/next?token={quote(value, safe="")}&amp;side={name}">next</a>'
                   for field, value in said.items())
    return f"<!doctype html><title>{name}</title><body>{rows}</body>".encode()


def answering(name: str):
    """By path: JSON, a page, a failure of the second side."""
    fresh = [("set-cookie", f"sid=fresh{MARK}-of-{name}; Path=/; HttpOnly"),
             ("x-seen", f"{name} cookie/{MARK}+1")]

    def answer(request) -> bytes:
        said = heard(request)
        path = request.target.partition("?")[0]
        second = name == "extracted"
        if path.endswith("/page"):
            return answer_bytes(as_html(name, said), fields=HTML + fresh)
        if path.endswith("/broken") and second:
            return answer_bytes(as_html(name, said), "500 Internal Server Error", HTML + fresh)
        if path.endswith("/broken"):  # no JSON: a name twice, and an end that is missing
            return answer_bytes(as_json(name, said)[:-1] + b', "password": "' + MARK.encode(),
                                fields=JSON + fresh)
        return answer_bytes(as_json(name, said), fields=JSON + fresh)
    return answer


def failing(name: str):
    """A script: by path, fails in ways that a log might want to quote."""
    answer = answering(name)

    def script(connection):
        while True:
            request = connection.read_request()
            way = re.search(r"/(half|garbage|field|status|length)", request.target)
            if way is None or f"/{name}" not in request.target:
                connection.send(answer(request))
                continue
            said = json.dumps(request.fields).encode()
            connection.send({
                "half": b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n" + said,
                "garbage": said,
                "field": b"HTTP/1.1 200 OK\r\nbad field " + said + b": \x01\r\n\r\n",
                "status": b"HTTP/1.1 " + said + b"\r\n\r\n",
                "length": b"HTTP/1.1 200 OK\r\ncontent-length: " + said + b"\r\n\r\n",
            }[way[1]])
            return
    return script


class Secrets(ShadowCase):
    def setUp(self):
        super().setUp()
        self.start(failing("legacy"), failing("extracted"), isolated=True,
                   module=f'shadow_writes = "sandbox"; {COMPARE}',
                   shadow='methods = [ "GET", "POST" ]; timeout = "2s";')

    # --- sending

    def ask(self, client, path: str, method: str = "GET", body: bytes = b""):
        fields = SENT if not body else [
            *SENT, ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", str(len(body)))]
        client.start(path + QUERY, method, fields)
        client.send(body)
        return client.read()

    def wait_judged(self):
        wait_until("all is judged", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)

    def ask_until_learned(self):
        client = Http1Client(self.proxy.plain)
        for path in ("/api/users/1", "/api/page", "/api/broken"):
            for _ in range(25):
                self.assertEqual(self.ask(client, path).status, 200)
            self.wait_judged()
            self.ask(client, path, "POST", f"name=anna&password=form%2F{MARK}%2B7".encode())
        self.wait_judged()
        client.socket.close()

    def fail_in_each_way(self):
        for side in ("extracted", "legacy"):
            for way in ("half", "garbage", "field", "status", "length"):
                client = Http1Client(self.proxy.plain)
                client.start(f"/api/{way}/{side}{QUERY}", fields=SENT)
                client.end_output()
                client.wait_end()
                client.socket.close()

    def send_what_is_refused(self):
        head = f"GET /api/users/1{QUERY} HTTP/1.1\nhost: localhost\n"
        for text in (f"{head}cookie: sid={MARK}\x01\n\n", f"{head}cookie {MARK}: 1\n\n",
                     f"GET /api/{QUERY} {MARK} HTTP/1.1\n\n", f"GET /{QUERY} HTTP/9.9\ncookie: {MARK}\n\n",
                     f"{head}x-large: {MARK * 20000}\n\n",
                     f"{head}content-length: 1\ntransfer-encoding: {MARK}\n\n"):
            client = Http1Client(self.proxy.plain)
            client.send_text(text)
            client.wait_end()
            client.socket.close()

    # --- what is left of it

    def printed(self) -> dict:
        """All that commands and pages say, by what was asked."""
        said = {}

        def say(*words: str):
            done = self.proxy.command(*words)
            self.assertIn(done.returncode, (0, 1), (words, done.stderr))
            said[" ".join(words)] = done.stdout + done.stderr
        rows = self.proxy.operate("/mismatches?limit=1000")[1]["mismatches"]
        self.assertGreater(len(rows), 10)
        for number in (str(row["id"]) for row in rows):
            say("mismatch", "show", number)
            say("mismatch", "show", number, "--json")
        say("accept", str(rows[0]["id"]), "--why", "it is wanted")
        fields = [word for name, value in SENT for word in ("-H", f"{name}: {value}")]
        for words in (["mismatches"], ["mismatches", "-n", "1000"], ["mismatches", "--json"],
                      ["status"], ["status", "--json"], ["history"], ["history", "--json"],
                      ["diff"], ["diff", "--json"]):
            say(*words)
        for more in ([], ["--json"]):  # it prints the query that it is given
            done = self.proxy.command("explain", "GET", "/api/users/1", *fields, *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            said["explain " + " ".join(more)] = done.stdout
        for page in ("/metrics", "/status", "/modules", "/mismatches", "/history"):
            said[page] = self.proxy.ask_admin(
                page, fields={"Authorization": f"Bearer {self.proxy.token()}"})[1]
        return said

    def kept(self) -> dict:
        """All files that the proxy has written, by path."""
        files = {}
        for folder, _, names in os.walk(self.proxy.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    files[name] = file.read().decode("latin-1")
        return files

    def check_nothing_in(self, texts: dict):
        for name, text in texts.items():
            self.assertEqual(traces(text), [], name)

    def test_secrets_are_nowhere_in_what_is_kept_logged_or_printed(self):
        self.ask_until_learned()
        self.fail_in_each_way()
        self.send_what_is_refused()
        wait_until("failures are counted",
                   lambda: self.verdicts().get("error", 0) >= 5
                   and self.verdicts().get("mismatch", 0) > 10)
        printed = self.printed()
        files = self.kept()
        self.check_nothing_in(printed)
        self.check_nothing_in(files)
        self.proxy.stop()
        self.check_nothing_in(self.kept())
        # All of that was really there to be found.
        shown = "".join(printed.values())
        for piece in ("(redacted ", "GET /api/broken", "POST /api/users/1", "POST /api/page",
                      "$.side", "html:", "status", "header:x-seen", "$.by_session"):
            self.assertIn(piece, shown)
        self.assertIn("mismatches.db", files)
        self.assertGreater(files["access.log"].count("/api/users/1"), 20)
        for backend in (self.legacy, self.extracted):
            self.assertGreater(len(traces(str(backend.requests))), 100)

    def test_the_search_finds_what_it_looks_for(self):
        for text in (MARK, f"x%2F{MARK}", base64.b64encode(f"a{MARK}b".encode()).decode(),
                     base64.b64encode(f"ab{MARK}b".encode()).decode(),
                     base64.b64encode(f"abc{MARK}b".encode()).decode(), f"[{PIN}]"):
            self.assertEqual(len(traces(text)), 1, text)


if __name__ == "__main__":
    main()
