"""One person who uses the forum through the proxy: registers, logs in, writes, and remembers it."""

import json


class Visitor:
    """`ask(method, path, headers, body)` sends one request and returns its answer; `check(is_right,
    text)` is told about each."""

    def __init__(self, name, ask, check):
        self.name = name
        self.send = ask
        self.check = check
        self.session = None
        self.reads = []  # paths whose answers have to be the same everywhere

    def ask(self, status, method, path, value=None):
        headers = ("Content-Type: application/json",) if value is not None else ()
        if self.session:
            headers += (f"Cookie: {self.session}",)
        body = None if value is None else json.dumps(value)
        answer = self.send(method, path, headers, body)
        self.check(answer.status == status,
                   f"{self.name}: {method} {path}: {answer.status} instead of {status}: "
                   f"{answer.body[:200]!r}")
        for cookie in answer.values("set-cookie"):
            if cookie.startswith("sid="):
                self.session = cookie.split(";")[0]
        if answer.status != status:
            raise RuntimeError(f"{self.name} cannot go on")
        return json.loads(answer.body) if answer.body else None

    def write_everything(self):
        """Something of every kind that people write."""
        password = "quite a long one"
        user = self.ask(201, "POST", "/api/2.0/users", {
            "username": self.name, "password": password, "name": "Smoke"})
        self.ask(200, "PATCH", f"/api/2.0/users/{user['id']}", {
            "name": "Smoke Test", "bio": f"{self.name} <b>&</b>"})
        self.session = None
        self.ask(201, "POST", "/api/2.0/sessions", {"username": self.name, "password": password})
        me = self.ask(200, "GET", "/api/2.0/me")
        self.check(me["id"] == user["id"], f"{self.name}: me is {me}")
        thread = self.ask(201, "POST", "/api/2.0/threads", {
            "category": "lounge", "title": f"A thread of {self.name}"})
        self.write_posts(thread["id"])
        self.reads += [f"/api/2.0/users/{user['id']}", f"/api/2.0/threads/{thread['id']}",
                       f"/api/2.0/threads/{thread['id']}/posts"]

    def write_posts(self, thread):
        word = self.name.replace("-", "")
        first, second = (self.reply(thread, f"{word} says {i}") for i in range(2))
        self.ask(200, "PATCH", f"/api/2.0/posts/{first}", {"text": f"{word} corrects it"})
        self.ask(204, "PUT", f"/api/2.0/posts/{first}/like")
        self.ask(204, "DELETE", f"/api/2.0/posts/{second}")
        self.reads += [f"/api/2.0/posts/{first}", f"/api/2.0/search?q={word}+corrects"]

    def reply(self, thread, text):
        """A thread that was opened on one side comes to the other a moment later."""
        return self.ask(201, "POST", f"/api/2.0/threads/{thread}/posts", {"text": text})["id"]

    def log_out(self):
        self.ask(204, "DELETE", "/api/2.0/sessions/current")
        self.ask(401, "POST", "/api/2.0/threads", {"category": "lounge", "title": "Too late"})
