"""Speaks to one monolith as a program does (JSON) and as a browser does (forms and cookies)."""

import html.parser
import http.client
import json
import tempfile
import unittest
import urllib.parse

from services_programs import Program

VOID = {"meta", "link", "input", "br", "hr"}
SECONDS = 30
PROBLEM = "application/problem+json"


class Page(html.parser.HTMLParser):
    """Checks that tags nest and that ids are there once; keeps forms, labels and scripts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.forms, self.labels, self.ids, self.tags = [], [], set(), [], []
        self.text = text
        assert text.startswith("<!DOCTYPE html>"), text[:80]
        self.feed(text)
        assert self.open == [], self.open
        assert len(self.ids) == len(set(self.ids)), self.ids

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "form":
            self.forms.append({"action": attrs.get("action"), "method": attrs.get("method"),
                               "fields": {}, "shown": []})
        elif tag == "label":
            self.labels.add(attrs["for"])
        elif tag in ("input", "textarea") and self.forms:
            self.forms[-1]["fields"][attrs["name"]] = attrs.get("value", "")
            if attrs.get("type") != "hidden":
                self.forms[-1]["shown"].append(attrs["id"])

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def form(self, action):
        return next(form for form in self.forms if form["action"] == action)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.fields = response.headers
        self.body = response.read()
        self.type = self.fields.get("content-type", "")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def page(self):
        return Page(self.body.decode())


class Client:
    """One visitor with a cookie jar and a connection that is kept."""

    def __init__(self, program):
        self.program = program
        self.cookies = {}
        self.connection = http.client.HTTPConnection(program.host, program.port, timeout=SECONDS)

    def close(self):
        self.connection.close()

    def ask(self, method, path, body=None, **fields):
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if self.cookies:
            fields.setdefault("cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        self.connection.request(method, path, body, fields)
        answer = Answer(self.connection.getresponse())
        self.take_cookies(answer)
        return answer

    def take_cookies(self, answer):
        for line in answer.fields.get_all("set-cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            assert "HttpOnly" in line and "SameSite=Lax" in line and "Path=/" in line, line
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    def get(self, path, **fields):
        return self.ask("GET", path, **fields)

    def json(self, method, path, value=None, **fields):
        if value is None:
            return self.ask(method, path, **fields)
        fields.setdefault("content_type", "application/json")
        body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        return self.ask(method, path, body, **fields)

    def form(self, path, values, **fields):
        fields.setdefault("content_type", "application/x-www-form-urlencoded")
        return self.ask("POST", path, urllib.parse.urlencode(values).encode(), **fields)

    def fill(self, page_path, action=None, button=None, **values):
        """Gets a page and sends its form, as a browser would."""
        form = self.get(page_path).page.form(action)
        return self.form(action or page_path, {**form["fields"], **values, **(button or {})})

    def register(self, username, password="a good password", name="Somebody"):
        return self.json("POST", "/api/2.0/users",
                         {"username": username, "password": password, "name": name})

    def log_in(self, username, password="figs-and-dates"):
        return self.json("POST", "/api/2.0/sessions", {"username": username, "password": password})

    def feed(self, name, after=0, wait="0", limit=500):
        answer = self.get(f"/internal/feed/{name}?after={after}&wait={wait}&limit={limit}")
        assert answer.status == 200 and answer.type == "application/x-ndjson", answer.body
        return [json.loads(line) for line in answer.body.splitlines()], \
            int(answer.fields["x-feed-last"])


class ForumCase(unittest.TestCase):
    """One monolith for all tests of a class; it must have nothing to complain about."""

    names = 0
    arguments: list = []

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name
        cls.program = Program("monolith", cls.folder, *cls.arguments).wait_ready()

    @classmethod
    def tearDownClass(cls):
        status, complaints = cls.program.stop(), cls.program.complaints()
        cls.temporary.cleanup()
        assert (status, complaints) == (0, ""), (status, complaints)

    def client(self, program=None):
        client = Client(program or self.program)
        self.addCleanup(client.close)
        return client

    def somebody(self):
        """A new account, logged in."""
        ForumCase.names += 1
        client = self.client()
        client.username = f"somebody-{ForumCase.names}"
        answer = client.register(client.username)
        self.assertEqual(answer.status, 201, answer.body)
        client.id = answer.json["id"]
        return client

    def problem(self, answer, status, field=None):
        self.assertEqual((answer.status, answer.type), (status, PROBLEM), answer.body)
        self.assertEqual(answer.json["status"], status)
        self.assertEqual(answer.json.get("field"), field, answer.body)
