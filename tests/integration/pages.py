"""The forum's pages: those of the services equal the monolith's to the byte, refuse what the monolith
refuses, and go on without the others.

Needs STRANGLER_BUILD (the build folder) and curl.
"""

import signal
import sqlite3
import sys
import tempfile
import time
import unittest
import urllib.parse

from forum import MODULES, Forum
from monolith_client import PROBLEM
from pages_visitor import Visitor, comparable, feeds_last, wait_for_feeds, wait_until
from strangler_test import wait_stopped

WHOLE_RUN_SECONDS = 280
HTML = "text/html; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
NASTY = ["'; DROP TABLE posts; --", "\" OR 1=1 --", "<script>alert(1)</script>",
         "\"><img src=x onerror=alert(1)>", "</textarea><script>x</script>", "{}{}%s%n",
         "\u202e\ud7ff𝄞 zero\u200bwidth", "');--\\", "a\r\nSet-Cookie: sid=x", "&amp;&lt;"]
TABLES = {"users": ["users", "accounts", "sessions"], "threads": ["threads", "categories"],
          "posts": ["posts", "likes"]}
FOLLOWS = {"users": ["users"], "threads": ["users", "threads"],
           "posts": ["users", "threads", "posts"]}
ACTS = ["edit", "delete", "like"]


def in_time(ask):
    """Who cannot find out in time whether a thread was opened elsewhere says so, and is asked
    again."""
    answer = ask()
    while answer.status == 503:
        assert answer.fields["retry-after"] == "1", answer.fields
        answer = ask()
    return answer


class Pages(unittest.TestCase):
    """All four programs; the monolith owns everything, the services have read it all."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="strangler-pages-")
        cls.forum = Forum(cls.temporary.name)
        cls.visitors = []
        cls.known = {}  # (program, who): their visitor
        cls.write_something()
        cls.settle()

    @classmethod
    def tearDownClass(cls):
        for visitor in cls.visitors:
            visitor.close()
        statuses = {name: each.stop() for name, each in cls.forum.programs.items()}
        complaints = {name: each.complaints() for name, each in cls.forum.programs.items()}
        cls.temporary.cleanup()
        assert set(statuses.values()) == {0}, (statuses, complaints)
        assert "Sanitizer" not in str(complaints) and "runtime error" not in str(complaints)

    @classmethod
    def write_something(cls):
        """Two people, long lists, likes, edits, gaps, and what must not become markup."""
        cls.author, cls.other = cls.person("Author_1"), cls.person("Other-2")
        cls.thread = cls.open_thread(cls.author, "A long thread")
        posts = [cls.add_post(cls.author, cls.thread, f"Post {i}\n\n  line two")
                 for i in range(45)]
        cls.post, cls.theirs = posts[3], cls.add_post(cls.other, cls.thread, "\nnot yours")
        cls.add_post(cls.other, cls.open_thread(cls.other, "Only one"), "wombat")
        cls.empty = cls.open_thread(cls.author, "An empty thread")
        for text in NASTY:
            cls.add_post(cls.author, cls.open_thread(cls.other, text), text + " wombat")
        for i in range(25):
            cls.open_thread(cls.author, f"No. {i}", "running")
        for visitor in (cls.author, cls.other):
            for post in posts[:2]:
                visitor.json("PUT", f"/api/2.0/posts/{post}/like")
        cls.author.json("PATCH", f"/api/2.0/posts/{posts[1]}", {"text": "edited wombat"})
        cls.author.json("DELETE", f"/api/2.0/posts/{posts[2]}")
        cls.deleted = posts[2]

    @classmethod
    def person(cls, username):
        visitor = cls.visitor()
        answer = visitor.register(username, name="<b>Name</b> " + username)
        assert answer.status == 201, answer.body
        visitor.username, visitor.id = username, answer.json["id"]
        return visitor

    @classmethod
    def visitor(cls, name="monolith", jar=None):
        visitor = Visitor(cls.forum.programs[name], jar)
        cls.visitors.append(visitor)
        return visitor

    @staticmethod
    def open_thread(visitor, title, category="lounge"):
        answer = visitor.json("POST", "/api/2.0/threads", {"category": category, "title": title})
        assert answer.status == 201, answer.body
        return answer.json["id"]

    @staticmethod
    def add_post(visitor, thread, text):
        answer = visitor.json("POST", f"/api/2.0/threads/{thread}/posts", {"text": text})
        assert answer.status == 201, answer.body
        return answer.json["id"]

    @classmethod
    def settle(cls):
        for name in MODULES:
            for aggregate in FOLLOWS[name]:
                feeds = feeds_last(cls.forum.monolith, aggregate)
                if name != "users":
                    feeds.pop("accounts", None)
                wait_for_feeds(cls.forum.monolith, cls.forum.programs[name], feeds, "legacy")

    def at(self, name, visitor):
        """The same person, at another program; None is a new visitor each time."""
        if visitor is None:
            stranger = self.visitor(name)
            self.addCleanup(stranger.close)
            return stranger
        if (name, visitor.username) not in self.known:
            self.known[name, visitor.username] = self.visitor(name, visitor.cookies)
        return self.known[name, visitor.username]

    def stored(self):
        """Every row of both sides that a form could have changed."""
        rows = {}
        for name, tables in TABLES.items():
            for side in ("monolith", name):
                connection = sqlite3.connect(self.forum.database(side), timeout=30)
                for table in tables:
                    rows[side, table] = connection.execute(
                        f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                connection.close()
        return rows

    def page(self, answer, status):
        self.assertEqual((answer.status, answer.type), (status, HTML), answer.body[:300])
        self.assertIn("default-src 'none'", answer.fields["content-security-policy"])
        self.assertNotIn("script", answer.page.tags)
        self.assertNotIn("img", answer.page.tags)
        return answer.page

    def same(self, module, visitor, ask):
        """Asks both sides of a module, as the same person; returns one of the equal answers."""
        legacy = ask(self.at("monolith", visitor))
        extracted = ask(self.at(module, visitor))
        self.assertEqual(comparable(legacy), comparable(extracted))
        return extracted

    def everybody(self):
        return [None, self.author, self.other]


class AreTheSame(Pages):
    def paths_of(self, module):
        thread, post = self.thread, self.post
        escaped = [urllib.parse.quote(text) for text in NASTY]
        return {
            "users": ["/forum/register", "/forum/login", "/Forum/Login/", "/forum/register?x=%zz",
                      "/forum/style.css"] +
                     [f"/forum/u/{who}{end}" for end in ("", "/", "/edit") for who in
                      (1, 12, self.author.id, self.other.id, 0, 99999, "x", "1x", "01")],
            "threads": ["/forum", "/forum/", "/Forum", "/forum/c/lounge", "/forum/c/lounge?page=2",
                        "/forum/c/running", "/forum/c/running?page=2", "/forum/c/running?page=99",
                        "/forum/c/front-end", "/forum/c/nope", "/forum/c/lounge?page=0",
                        "/forum/c/lounge?page=x", "/forum/c/lounge?page=", "/forum/c/lounge?%zz",
                        "/forum/c/lounge/new", "/forum/c/nope/new", "/forum/c/'%22<>",
                        "/forum/c/lounge?page=9999999999", "/forum/style.css"],
            "posts": [f"/forum/t/{i}" for i in range(0, self.empty + len(NASTY) + 3)] +
                     [f"/forum/t/{thread}?page={page}" for page in ("1", "2", "3", "4", "0", "-1")] +
                     [f"/forum/p/{which}/edit" for which in
                      (post, self.theirs, self.deleted, 0, 99999, "x", "1x")] +
                     ["/forum/t/99999", "/forum/t/x", f"/forum/t/0{thread}", "/forum/p/1"] +
                     [f"/forum/search{query}" for query in
                      ("", "?q=", "?q=wombat", "?q=post", "?q=post&page=2", "?q=post&page=9",
                       "?q=+", "?q=%00", "?q=%ff", "?q=%zz", "?q=" + "x" * 201, "?q=zebra",
                       "?q=%22&page=1", "?page=x", *[f"?q={text}" for text in escaped])],
        }[module]

    def test_every_page_for_everybody(self):
        for module in MODULES:
            for visitor in self.everybody():
                for path in self.paths_of(module):
                    with self.subTest(module=module, path=path, who=getattr(
                            visitor, "username", None)):
                        answer = self.same(module, visitor, lambda each, at=path: each.get(at))
                        if answer.type == HTML:
                            self.page(answer, answer.status)

    def test_unknown_paths_and_methods(self):
        for module in MODULES:
            for method, path in [("GET", "/forum/nope"), ("DELETE", "/forum/nope"),
                                 ("BREW", "/forum/nope"), ("GET", "/forumx"), ("GET", "/forum//")]:
                self.same(module, None, lambda each, how=method, at=path: each.ask(how, at))
        for path, module in [("/forum/c/lounge", "threads"), ("/forum/t/1", "posts"),
                             ("/forum/u/1", "users")]:
            answer = self.same(module, self.author, lambda each, at=path: each.ask("DELETE", at))
            self.page(answer, 405)

    def forms(self):
        """Module, page with the form, where it goes, and its one value (None: it has none)."""
        return [("threads", "/forum/c/lounge/new", "/forum/c/lounge/new", "title"),
                ("posts", f"/forum/t/{self.thread}", f"/forum/t/{self.thread}/reply", "text"),
                ("posts", f"/forum/p/{self.post}/edit", f"/forum/p/{self.post}/edit", "text"),
                *[("posts", f"/forum/t/{self.thread}", f"/forum/p/{self.post}/{act}", None)
                  for act in ("delete", "like")],
                ("users", f"/forum/u/{self.author.id}/edit", f"/forum/u/{self.author.id}/edit",
                 "bio"),
                ("users", "/forum", "/forum/logout", None)]

    def word(self, visitor):
        """The CSRF word of a visitor's session, out of any page."""
        return visitor.get("/forum").page.form("/forum/logout")["fields"]["csrf"]

    def test_every_form_refuses_what_is_forged_or_malformed_and_stores_nothing(self):
        mine, theirs = self.word(self.author), self.word(self.other)
        self.assertNotEqual(mine, theirs)
        before = self.stored()
        for module, _, path, _ in self.forms():
            values = {"title": "A title", "text": "A text", "like": "1"}
            good = {"csrf": mine, **values}
            cases = [(self.author, values, 403), (self.author, {**good, "csrf": ""}, 403),
                     (self.author, {**good, "csrf": theirs}, 403),
                     (self.author, {**good, "csrf": mine[:-1]}, 403),
                     (self.author, {**good, "csrf": mine.upper()}, 403),
                     (self.author, {**good, "csrf": "0" * 64}, 403),
                     (None, good, 401), (None, values, 401),
                     (self.author, {**good, "text": "x" * 2 ** 20, "title": "x" * 2 ** 20}, 413),
                     (self.author, {f"a{i}": "x" for i in range(33)}, 400)]
            for visitor, form, status in cases:
                self.page(self.same(module, visitor,
                                    lambda each, at=path, what=form: each.form(at, what)), status)
            for kind in ["text/plain", "multipart/form-data", "application/json", "", FORM + "x"]:
                self.page(self.same(module, self.author, lambda each, at=path, of=kind: each.form(
                    at, good, content_type=of)), 415)
            for bad in [b"&text=%ff&title=%ff", b"&x=%zz", b"&x=%2", b"&text=%ed%a0%80", b"&%c0%af=1"]:
                body = f"csrf={mine}".encode() + bad
                self.page(self.same(module, self.author, lambda each, at=path, what=body: each.ask(
                    "POST", at, what, content_type=FORM)), 400)
        self.assertEqual(self.stored(), before)

    def test_a_form_is_shown_again_with_what_was_sent_and_what_was_wrong(self):
        before = self.stored()
        long = {"title": "ü<" * 61, "text": "ü<" * 5001, "bio": "ü<" * 251}
        for module, _, path, name in self.forms():
            bad = ["" if name != "bio" else "\0\0", "\0", "a\0bcd", long.get(name)]
            for value in ([] if name is None else bad):
                form = {"csrf": self.word(self.author), name: value}
                answer = self.same(module, self.author,
                                   lambda each, at=path, what=form: each.form(at, what))
                self.page(answer, 422)
                if "\0" not in value:
                    self.assertIn(value.replace("<", "&lt;"), answer.page.text)
        self.assertEqual(self.stored(), before)

    def test_who_does_not_own_the_writes_says_so_in_plain_words(self):
        before = self.stored()
        for module, _, path, name in self.forms():
            visitor = self.at(module, self.author)
            answer = visitor.form(path, {"csrf": self.word(self.author), name or "x": "A text"})
            text = self.page(answer, 409).text
            self.assertIn(f"Writes to {module} belong to the legacy side since epoch 1.", text)
        self.assertEqual(self.stored(), before)


class AreWritten(Pages):
    """The services own everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in MODULES:
            done = cls.forum.command("flip", name, "extracted", "2")
            assert done.returncode == 0, done

    def stored(self):
        """Once the monolith has read all that was written before."""
        for name in MODULES:
            service = self.forum.programs[name]
            wait_for_feeds(service, self.forum.monolith, feeds_last(service, name), "extracted")
        return super().stored()

    def see(self, answer, location):
        self.assertEqual(answer.status, 303, answer.body[:500])
        self.assertRegex(answer.fields["location"], location)
        self.assertEqual(answer.body, b"")
        return answer.fields["location"]

    def fill(self, visitor, module, page, action, **values):
        """Sends the form of a page, which may be of another module, as a browser would."""
        here = self.at(module, visitor)
        form = here.get(page).page.form(action)
        return here.form(action or page, {**form["fields"], **values})

    def test_a_whole_visit_over_both_services(self):
        new = "/forum/c/front-end/new"
        path = self.see(self.fill(self.author, "threads", new, None, title="A <new> thread"),
                        r"^/forum/t/\d+$")
        posts = self.at("posts", self.author)
        self.assertIn("A &lt;new&gt; thread", self.page(in_time(lambda: posts.get(path)), 200).text)
        self.page(self.fill(self.author, "posts", path, path + "/reply", text=""), 422)
        at = self.see(self.fill(self.author, "posts", path, path + "/reply", text="quokka & co"),
                      r"^/forum/t/\d+\?page=1#post-\d+$")
        post = at.split("-")[1]
        self.assertIn("quokka &amp; co", self.page(posts.get(path), 200).text)
        self.see(self.fill(self.author, "posts", f"/forum/p/{post}/edit", None, text="quokka <i>"),
                 "#post-" + post + "$")
        like = f"/forum/p/{post}/like"
        self.see(self.fill(self.author, "posts", path, like, like="1"), "#post-" + post)
        self.see(self.fill(self.other, "posts", path, like, like="1"), "#post-" + post)
        self.assertIn("2 likes<", self.page(posts.get(path), 200).text)
        self.see(self.fill(self.author, "posts", path, like, like="0"), "#post-" + post)
        self.assertIn("1 like<", self.page(posts.get(path), 200).text)
        found = self.page(posts.get("/forum/search?q=quokka"), 200)
        self.assertIn("quokka &lt;i&gt;", found.text)
        self.see(self.fill(self.author, "posts", path, f"/forum/p/{post}/delete"),
                 r"^/forum/t/\d+\?page=1$")
        self.assertNotIn("quokka", self.page(posts.get(path), 200).text)
        self.assertIn("A &lt;new&gt; thread",
                      self.page(self.at("threads", None).get("/forum"), 200).text)

    def test_a_reply_lands_on_the_page_where_it_is_seen(self):
        path = f"/forum/t/{self.thread}"
        at = self.see(self.fill(self.other, "posts", path, path + "/reply", text="the last"),
                      r"\?page=3#post-\d+$")
        page = self.page(self.at("posts", self.author).get(at.split("#")[0]), 200)
        self.assertIn(at.split("#")[1], page.ids)
        edit = f"/forum/p/{self.post}/edit"
        self.see(self.fill(self.author, "posts", edit, None, text="edited"), r"\?page=1#post-")

    def test_a_thread_opened_a_moment_ago_elsewhere_can_be_replied_to(self):
        threads, posts = self.at("threads", self.author), self.at("posts", self.author)
        word = threads.get("/forum").page.form("/forum/logout")["fields"]["csrf"]
        for i in range(20):
            path = self.see(threads.form("/forum/c/running/new",
                                         {"csrf": word, "title": f"Fresh {i}"}), "^/forum/t/")
            number = path.split("/")[-1]
            asks = [lambda: posts.form(path + "/reply", {"csrf": word, "text": "quick"}),
                    lambda: posts.json("POST", f"/api/2.0/threads/{number}/posts", {"text": "q"}),
                    lambda: posts.get(path),
                    lambda: posts.get(f"/api/2.0/threads/{number}/posts")]
            answer = in_time(asks[i % 4])
            self.assertEqual(answer.status, [303, 201, 200, 200][i % 4], answer.body)

    def test_a_thread_that_nobody_knows_is_not_found(self):
        before = self.stored()
        posts = self.at("posts", self.author)
        word = posts.get("/forum/search").page.form("/forum/logout")["fields"]["csrf"]
        self.page(in_time(lambda: posts.get("/forum/t/987654")), 404)
        self.page(in_time(lambda: posts.form("/forum/t/987654/reply",
                                                  {"csrf": word, "text": "x"})), 404)
        for method, value in [("GET", None), ("POST", {"text": "x"})]:
            answer = in_time(lambda how=method, what=value: posts.json(
                how, "/api/2.0/threads/987654/posts", what))
            self.assertEqual((answer.status, answer.type), (404, PROBLEM))
        self.assertEqual(self.stored(), before)

    def test_what_is_not_yours_stays_as_it_is(self):
        before = self.stored()
        word = self.at("posts", self.author).get("/forum/search").page.form(
            "/forum/logout")["fields"]["csrf"]
        for post, status in [(self.theirs, 403), (self.deleted, 404), (987654, 404), (0, 404)]:
            for act in ACTS[:2] if status == 403 else ACTS:
                answer = self.at("posts", self.author).form(
                    f"/forum/p/{post}/{act}", {"csrf": word, "text": "mine now", "like": "1"})
                self.page(answer, status)
        self.assertEqual(self.stored(), before)

    def test_nothing_that_people_write_becomes_sql_or_markup(self):
        for nasty in NASTY:
            path = self.see(self.fill(self.author, "threads", "/forum/c/lounge/new", None,
                                      title=nasty), "^/forum/t/")
            answer = self.fill_there(path, nasty)
            post = self.see(answer, "#post-").split("-")[1]
            stored = self.at("posts", None).get(f"/api/2.0/posts/{post}").json["text"]
            self.assertEqual(stored, nasty)
            for module, page in [("threads", "/forum"), ("threads", "/forum/c/lounge"),
                                 ("posts", path), ("posts", f"/forum/p/{post}/edit"),
                                 ("posts", "/forum/search?q=" + urllib.parse.quote(nasty))]:
                self.page(self.at(module, self.author).get(page), 200)

    def fill_there(self, path, text):
        in_time(lambda: self.at("posts", self.author).get(path))
        return self.fill(self.author, "posts", path, path + "/reply", text=text)

    def test_the_one_who_no_longer_owns_says_who_does(self):
        word = self.author.get("/forum/search").page.form("/forum/logout")["fields"]["csrf"]
        answer = self.author.form(f"/forum/t/{self.thread}/reply", {"csrf": word, "text": "x"})
        self.assertIn("Writes to posts belong to the extracted side since epoch 2.",
                      self.page(answer, 409).text)


class AreSplit(Pages):
    """Threads have moved, posts have not: the monolith shows threads that are opened elsewhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = cls.forum.command("flip", "threads", "extracted", "2")
        assert done.returncode == 0, done

    def test_a_thread_opened_a_moment_ago_is_known_to_the_monolith(self):
        threads, legacy = self.at("threads", self.author), self.at("monolith", self.author)
        word = threads.get("/forum").page.form("/forum/logout")["fields"]["csrf"]
        for i in range(20):
            path = threads.form("/forum/c/running/new", {"csrf": word, "title": f"Fresh {i}"}) \
                .fields["location"]
            number = path.split("/")[-1]
            asks = [lambda: legacy.form(path + "/reply", {"csrf": word, "text": "quick"}),
                    lambda: legacy.json("POST", f"/api/2.0/threads/{number}/posts", {"text": "q"}),
                    lambda: legacy.get(path),
                    lambda: legacy.get(f"/api/2.0/threads/{number}/posts")]
            answer = in_time(asks[i % 4])
            self.assertEqual(answer.status, [303, 201, 200, 200][i % 4], answer.body)

    def test_a_thread_that_nobody_knows_is_not_found(self):
        legacy = self.at("monolith", self.author)
        self.page(in_time(lambda: legacy.get("/forum/t/987654")), 404)
        answer = in_time(lambda: legacy.json("POST", "/api/2.0/threads/987654/posts",
                                             {"text": "x"}))
        self.assertEqual((answer.status, answer.type), (404, PROBLEM))


class GoOnAlone(unittest.TestCase):
    """With some of the others gone."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="strangler-pages-")
        self.addCleanup(temporary.cleanup)
        self.forum = Forum(temporary.name)
        self.addCleanup(self.forum.stop)

    def end(self, *names):
        for name in names:
            self.forum.programs.pop(name).kill()

    def visitor(self, name):
        visitor = Visitor(self.forum.programs[name])
        self.addCleanup(visitor.close)
        return visitor

    def expect_out_of_reach(self, name):
        for path in ("/forum/t/4711", "/api/2.0/threads/4711/posts"):
            answer = self.visitor(name).get(path)
            self.assertEqual((answer.status, answer.fields["retry-after"]), (503, "1"))
            self.assertIn("does not answer", answer.body.decode())

    def forget_names(self):
        """Somebody logs in, and with every second person their name is lost; returns them."""
        somebody = self.visitor("monolith")
        number = somebody.log_in("marga").json["user"]["id"]
        for name in ("threads", "posts"):
            connection = sqlite3.connect(self.forum.database(name), timeout=30)
            wait_until(lambda base=connection: base.execute(
                "SELECT count(*) FROM sessions").fetchone()[0] > 0, "the session")
            with connection:
                connection.execute("DELETE FROM users WHERE id % 2 = ?", (number % 2,))
            connection.close()
        return somebody

    def expect_pages_without_names(self, somebody):
        for name, paths in {"threads": ["/forum", "/forum/c/lounge", "/forum/c/lounge/new"],
                            "posts": ["/forum/t/1", "/forum/search?q=the"]}.items():
            visitor = self.visitor(name)
            visitor.cookies = somebody.cookies
            for path in paths:
                answer = visitor.get(path)
                self.assertEqual((answer.status, answer.type), (200, HTML), answer.body)
                self.assertRegex(answer.page.text, r'Logged in as <a href="/forum/u/\d+">someone<')
                if not path.endswith("/new"):
                    self.assertIn('<span class="author">someone</span>', answer.page.text)
                    self.assertRegex(answer.page.text, 'class="author" href="/forum/u/')

    def test_names_that_cannot_be_had_are_left_out(self):
        somebody = self.forget_names()
        self.end("users", "monolith")
        self.expect_pages_without_names(somebody)

    def test_who_says_nothing_holds_nobody_up_for_long(self):
        somebody = self.forget_names()
        silent = [self.forum.programs[name] for name in ("users", "monolith")]
        for program in silent:
            program.process.send_signal(signal.SIGSTOP)
            wait_stopped(program.process.pid)
        try:
            begun = time.monotonic()
            self.expect_pages_without_names(somebody)
            # Five pages, each of which asks for the session and for names, 150 ms each.
            self.assertLess(time.monotonic() - begun, 15)
        finally:
            for program in silent:
                program.process.send_signal(signal.SIGCONT)

    def test_who_would_know_a_thread_does_not_answer(self):
        self.assertEqual(self.forum.command("flip", "threads", "extracted", "2").returncode, 0)
        self.end("threads")
        for name in ("monolith", "posts"):
            self.expect_out_of_reach(name)
            self.assertEqual(self.visitor(name).get("/forum/t/1").status, 200)


def main():
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])


if __name__ == "__main__":
    main()
