"""People who use the forum through the proxy, over HTTP/2 connections of their own: writers, who keep
a ledger of what they were told is stored, and readers. Whoever meets what should not be says so."""

import json
import random
import re
import threading
import time
from html import escape
from urllib.parse import urlencode

from http1_backend import Gone
from http2_peer import Http2Client

PASSWORD = "quite a long one"
READ_BACK_S = 20
# What may happen to a request while a program that it needs is down.
AWAY = (502, 503, 504)
CATEGORIES = ("lounge",)
CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
POST_PLACE = re.compile(r"(/forum/t/\d+)\?page=(\d+)#post-\d+")
OWN_PROFILE = re.compile(r'Logged in as <a href="/forum/u/(\d+)">')


class Unanswered(Exception):
    """The request may have been done or not."""


class Visitor:
    """A connection and a cookie jar."""

    def __init__(self, name: str, port: int, tls: bool, may_fail: bool = False):
        self.name = name
        self.port, self.tls = port, tls
        self.may_fail = may_fail
        self.cookies: dict = {}
        self.client = None
        self.answered = 0
        self.failed = 0

    def ask(self, method: str, path: str, value=None, kind: str = "application/json"):
        fields = [("cookie", f"{name}={text}") for name, text in self.cookies.items()]
        body = b""
        if value is not None:
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            fields += [("content-type", kind), ("content-length", str(len(body)))]
        answer = self.send(method, path, fields, body)
        for line in answer.values("set-cookie"):
            name, text = line.split(";")[0].split("=", 1)
            if text and "Max-Age=0" not in line:
                self.cookies[name] = text
            else:
                self.cookies.pop(name, None)
        self.answered += 1
        return answer

    def send(self, method: str, path: str, fields: list, body: bytes):
        try:
            if self.client is None:
                self.client = Http2Client(self.port, self.tls)
            answer = self.client.ask(path, method, fields, body,
                                     scheme="https" if self.tls else "http")
        except (Gone, OSError) as error:
            raise AssertionError(f"{self.name}: {method} {path}: {error!r}") from error
        is_away = answer.status in AWAY or answer.reset is not None
        if is_away and self.may_fail:
            self.failed += 1
            raise Unanswered
        if answer.reset is not None:
            raise AssertionError(f"{self.name}: {method} {path}: reset {answer.reset}")
        return answer

    def close(self):
        if self.client is not None:
            self.client.close()


class Ledger:
    """What is stored, as far as its writer knows: for each row the states that it may be in. One,
    unless a change of it was not answered."""

    def __init__(self):
        self.threads: dict = {}  # id: {title}
        self.posts: dict = {}    # id: {text or None for deleted}
        self.likes: dict = {}    # id of the post: {bool}
        self.bio: set = {""}
        self.may_have_added: list = []  # texts and titles of which nobody knows

    @staticmethod
    def may(states: set, state):
        states.add(state)

    @staticmethod
    def will(states: set, state):
        states.clear()
        states.add(state)


class Writer(Visitor):
    """Writes, and reads back each write at once, as whoever keeps cookies can."""

    def __init__(self, name: str, port: int, tls: bool, may_fail: bool = False, seed: int = 0):
        super().__init__(name, port, tls, may_fail)
        self.random = random.Random(f"{name} {seed}")
        self.ledger = Ledger()
        self.written = 0
        self.user = 0
        self.may_be_known = may_fail  # after an attempt to register that was not answered
        self.may_be_out = False       # after one to log out
        self.open_threads: list = [1]

    def expect(self, answer, status: int, what: str):
        if answer.status != status:
            raise AssertionError(f"{self.name}: {what}: {answer.status} instead of {status}: "
                                 f"{answer.body[:300]!r}")
        return json.loads(answer.body) if answer.body else None

    def write(self, status: int, method: str, path: str, value=None):
        answer = self.ask(method, path, value)
        if answer.status == 401 and self.may_be_out:
            self.log_in()
            raise Unanswered
        said = self.expect(answer, status, f"{method} {path}")
        self.written += 1
        return said

    # --- coming and going

    def arrive(self):
        """Registers, unless an attempt that was not answered did."""
        answer = self.ask("POST", "/api/2.0/users", {
            "username": self.name, "password": PASSWORD, "name": "Writer"})
        if answer.status == 422 and self.may_be_known:
            self.log_in()
            return
        self.user = self.expect(answer, 201, "register")["id"]
        self.written += 1

    def log_in(self):
        self.user = self.expect(self.ask("POST", "/api/2.0/sessions", {
            "username": self.name, "password": PASSWORD}), 201, "log in")["user"]["id"]
        self.may_be_out = False

    def log_out(self):
        self.may_be_out = self.may_fail
        self.write(204, "DELETE", "/api/2.0/sessions/current")

    # --- writing

    def new_text(self) -> str:
        return f"{self.name} {self.random.getrandbits(48):012x} " + "\u00e9<&> words " * \
            self.random.randrange(4)

    def open_thread(self):
        title = self.new_text()[:100].strip()
        self.ledger.may_have_added.append(title)
        thread = self.write(201, "POST", "/api/2.0/threads",
                            {"category": self.random.choice(CATEGORIES), "title": title})["id"]
        self.ledger.may_have_added.remove(title)
        self.ledger.threads[thread] = {title}
        self.open_threads.append(thread)
        self.read_back(f"/api/2.0/threads/{thread}", lambda said: said["title"] == title)

    def reply(self):
        text = self.new_text()
        thread = self.random.choice(self.open_threads[-3:])
        self.ledger.may_have_added.append(text)
        post = self.write(201, "POST", f"/api/2.0/threads/{thread}/posts", {"text": text})["id"]
        self.ledger.may_have_added.remove(text)
        self.ledger.posts[post] = {text}
        self.ledger.likes[post] = {False}
        self.read_back(f"/api/2.0/posts/{post}", lambda said: said["text"] == text)

    def own_post(self):
        standing = [post for post, states in self.ledger.posts.items() if None not in states]
        return self.random.choice(standing[-8:]) if standing else None

    def edit(self):
        post = self.own_post()
        if post is None:
            return
        text = self.new_text()
        self.ledger.may(self.ledger.posts[post], text)
        self.write(200, "PATCH", f"/api/2.0/posts/{post}", {"text": text})
        self.ledger.will(self.ledger.posts[post], text)
        self.read_back(f"/api/2.0/posts/{post}", lambda said: said["text"] == text)

    def delete(self):
        post = self.own_post()
        if post is None:
            return
        self.ledger.may(self.ledger.posts[post], None)
        self.write(204, "DELETE", f"/api/2.0/posts/{post}")
        self.ledger.will(self.ledger.posts[post], None)
        self.read_back(f"/api/2.0/posts/{post}", None)

    def like(self):
        post = self.own_post()
        if post is None:
            return
        likes = self.random.random() < 0.7
        self.ledger.may(self.ledger.likes[post], likes)
        self.write(204, "PUT" if likes else "DELETE", f"/api/2.0/posts/{post}/like")
        self.ledger.will(self.ledger.likes[post], likes)
        self.read_back(f"/api/2.0/posts/{post}", lambda said: said["liked"] == likes)

    def edit_profile(self):
        bio = self.new_text()
        self.ledger.may(self.ledger.bio, bio)
        self.write(200, "PATCH", f"/api/2.0/users/{self.user}", {"name": "Writer", "bio": bio})
        self.ledger.will(self.ledger.bio, bio)
        self.read_back(f"/api/2.0/users/{self.user}", lambda said: said["bio"] == bio)

    def come_again(self):
        self.log_out()
        self.log_in()
        self.read_back("/api/2.0/me", lambda said: said["id"] == self.user)

    def read_back(self, path: str, is_right):
        """The write is there at the first look. `is_right` None: it is gone."""
        answer = self.ask("GET", path)
        if is_right is None:
            self.expect(answer, 404, f"reading back {path}")
        elif not is_right(self.expect(answer, 200, f"reading back {path}")):
            raise AssertionError(f"{self.name}: {path}: its own write is not there: "
                                 f"{answer.body[:300]!r}")

    def step(self):
        if not self.user:
            self.arrive()
            return
        act = self.random.choices(
            (self.open_thread, self.reply, self.edit, self.delete, self.like, self.edit_profile,
             self.come_again), (10, 34, 20, 6, 14, 12, 4))[0]
        act()


class PageWriter(Writer):
    """The same by the forum's pages, as a browser without JavaScript does it: gets a form, sends it,
    goes where it is told to, and sees there what it wrote."""

    def page(self, path: str) -> str:
        answer = self.ask("GET", path)
        if answer.status == 303 and self.may_be_out:
            self.log_in()
            raise Unanswered
        return self.expect_page(answer, path)

    def expect_page(self, answer, path: str) -> str:
        if answer.status != 200:
            raise AssertionError(f"{self.name}: GET {path}: {answer.status} {answer.body[:300]!r}")
        return answer.body.decode()

    def find(self, pattern, page: str) -> str:
        """What a page for somebody who is logged in has. While nobody can tell whether they are,
        they read as a guest."""
        found = pattern.search(page)
        if found is None and self.may_fail:
            raise Unanswered
        return found.group(1)

    def csrf(self, page: str) -> str:
        return self.find(CSRF, page)

    def send_form(self, path: str, csrf: str, **values):
        body = urlencode({"csrf": csrf, **values}).encode()
        return self.ask("POST", path, body, "application/x-www-form-urlencoded")

    def submit(self, path: str, csrf: str, **values) -> str:
        """Where the answer leads to."""
        answer = self.send_form(path, csrf, **values)
        if answer.status in (401, 403) and self.may_be_out and path != "/forum/login":
            self.log_in()
            raise Unanswered
        if answer.status != 303:
            raise AssertionError(f"{self.name}: POST {path}: {answer.status} {answer.body[:500]!r}")
        self.written += 1
        return answer.value("location")

    def see(self, path: str, text: str):
        if escape(text.strip()) not in self.page(path):
            raise AssertionError(f"{self.name}: {path}: its own write is not there")

    def see_post(self, location: str, text: str):
        """At the page that the answer named, or at the one before: a post moves there if somebody
        deletes an older one of the thread meanwhile. An old copy of the thread has it on neither."""
        path, page = POST_PLACE.fullmatch(location).groups()
        answer = self.ask("GET", f"{path}?page={page}")
        is_gone = int(page) > 1 and answer.status == 404
        if not is_gone and escape(text.strip()) in self.expect_page(answer, location):
            return
        if page == "1":
            raise AssertionError(f"{self.name}: {location}: its own write is not there")
        self.see(f"{path}?page={int(page) - 1}", text)

    # --- coming and going

    def arrive(self):
        csrf = self.csrf(self.page("/forum/register"))
        answer = self.send_form("/forum/register", csrf, username=self.name, password=PASSWORD,
                                name="Writer")
        if answer.status == 422 and self.may_be_known:
            self.log_in()
            return
        if answer.status != 303:
            raise AssertionError(f"{self.name}: register: {answer.status} {answer.body[:500]!r}")
        self.written += 1
        self.find_user()

    def find_user(self):
        self.user = int(self.find(OWN_PROFILE, self.page("/forum")))

    def log_in(self):
        page = self.expect_page(self.ask("GET", "/forum/login"), "/forum/login")
        self.submit("/forum/login", self.csrf(page), username=self.name, password=PASSWORD)
        self.may_be_out = False
        self.find_user()

    def log_out(self):
        csrf = self.csrf(self.page("/forum"))
        self.may_be_out = self.may_fail
        self.submit("/forum/logout", csrf)

    def come_again(self):
        self.log_out()
        self.log_in()

    # --- writing

    def open_thread(self):
        title = self.new_text()[:100].strip()
        csrf = self.csrf(self.page("/forum/c/lounge/new"))
        self.ledger.may_have_added.append(title)
        location = self.submit("/forum/c/lounge/new", csrf, title=title)
        self.ledger.may_have_added.remove(title)
        thread = int(location.rsplit("/", 1)[1])
        self.ledger.threads[thread] = {title}
        self.open_threads.append(thread)
        self.see(location, title)

    def reply(self):
        text = self.new_text()
        thread = self.random.choice(self.open_threads[-3:])
        csrf = self.csrf(self.page(f"/forum/t/{thread}"))
        self.ledger.may_have_added.append(text)
        location = self.submit(f"/forum/t/{thread}/reply", csrf, text=text)
        self.ledger.may_have_added.remove(text)
        post = int(location.rsplit("-", 1)[1])
        self.ledger.posts[post] = {text}
        self.ledger.likes[post] = {False}
        self.see_post(location, text)

    def edit(self):
        post = self.own_post()
        if post is None:
            return
        text = self.new_text()
        csrf = self.csrf(self.page(f"/forum/p/{post}/edit"))
        self.ledger.may(self.ledger.posts[post], text)
        location = self.submit(f"/forum/p/{post}/edit", csrf, text=text)
        self.ledger.will(self.ledger.posts[post], text)
        self.see_post(location, text)

    def delete(self):
        post = self.own_post()
        if post is None:
            return
        csrf = self.csrf(self.page(f"/forum/p/{post}/edit"))
        self.ledger.may(self.ledger.posts[post], None)
        self.submit(f"/forum/p/{post}/delete", csrf)
        self.ledger.will(self.ledger.posts[post], None)

    def like(self):
        post = self.own_post()
        if post is None:
            return
        likes = self.random.random() < 0.7
        csrf = self.csrf(self.page(f"/forum/p/{post}/edit"))
        self.ledger.may(self.ledger.likes[post], likes)
        self.submit(f"/forum/p/{post}/like", csrf, like=int(likes))
        self.ledger.will(self.ledger.likes[post], likes)

    def edit_profile(self):
        bio = self.new_text()
        csrf = self.csrf(self.page(f"/forum/u/{self.user}/edit"))
        self.ledger.may(self.ledger.bio, bio)
        location = self.submit(f"/forum/u/{self.user}/edit", csrf, name="Writer", bio=bio)
        self.ledger.will(self.ledger.bio, bio)
        self.see(location, bio)


class Reader(Visitor):
    """Reads what has always been there; each answer is a whole one."""

    PATHS = ("/api/users", "/api/users/{}", "/api/threads", "/api/threads/{}",
             "/api/posts/in-thread/{}", "/api/posts/by-user/{}", "/api/2.0/users/{}",
             "/api/2.0/users?ids=1,2,{}", "/api/2.0/categories", "/api/2.0/threads/{}",
             "/api/2.0/categories/lounge/threads", "/api/2.0/threads/{}/posts", "/api/2.0/posts/{}",
             "/api/2.0/search?q=the", "/api/2.0/threads?ids={}", "/forum", "/forum/c/lounge",
             "/forum/t/{}", "/forum/u/{}", "/forum/search?q=the", "/forum/login")

    def __init__(self, name: str, port: int, tls: bool, may_fail: bool = False, seed: int = 0):
        super().__init__(name, port, tls, may_fail)
        self.random = random.Random(f"{name} {seed}")

    def step(self):
        self.cookies["strangler_id"] = f"{self.random.getrandbits(128):032x}"
        path = self.random.choice(self.PATHS).format(self.random.randrange(1, 9))
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise AssertionError(f"{self.name}: GET {path}: {answer.status} {answer.body[:300]!r}")
        if path.startswith("/forum"):
            assert answer.body.endswith(b"</html>\n"), answer.body[-100:]
        else:
            json.loads(answer.body)


class Crowd:
    """Everybody in a thread of their own. The first who has something to complain about ends it."""

    def __init__(self, people: list):
        self.people = people
        self.faults: list = []
        self.is_over = threading.Event()
        self.may_go = threading.Event()
        self.may_go.set()
        self.changed = threading.Condition()
        self.resting: set = set()
        self.threads = [threading.Thread(target=self.live, args=(person,)) for person in people]
        for thread in self.threads:
            thread.start()

    def live(self, person):
        try:
            while not self.is_over.is_set():
                if not self.may_go.is_set():
                    self.rest(person)
                try:
                    person.step()
                except Unanswered:
                    pass
        except Exception as error:  # handed on by check()
            self.faults.append(error)
            self.is_over.set()
            self.may_go.set()
        finally:
            with self.changed:
                self.resting.add(person)
                self.changed.notify_all()
            person.close()

    def rest(self, person):
        with self.changed:
            self.resting.add(person)
            self.changed.notify_all()
        self.may_go.wait()
        with self.changed:
            self.resting.discard(person)

    def check(self):
        if self.faults:
            raise self.faults[0]

    def wait(self, condition, what: str, deadline_s: float = 60):
        end = time.monotonic() + deadline_s
        while not condition():
            self.check()
            if time.monotonic() > end:
                raise AssertionError(f"not within {deadline_s} s: {what}")
            self.is_over.wait(0.01)
        self.check()

    def count(self) -> tuple:
        return (sum(getattr(person, "written", 0) for person in self.people),
                sum(person.answered for person in self.people))

    def go_on_for(self, writes: int, answers: int):
        """Until so many more were done."""
        before = self.count()
        self.wait(lambda: self.count()[0] >= before[0] + writes and
                  self.count()[1] >= before[1] + answers, f"{writes} writes, {answers} answers")

    def pause(self):
        self.may_go.clear()
        with self.changed:
            self.changed.wait_for(lambda: len(self.resting) == len(self.people), 60)
        self.check()

    def go_on(self):
        self.may_go.set()

    def end(self):
        self.is_over.set()
        self.may_go.set()
        for thread in self.threads:
            thread.join()
