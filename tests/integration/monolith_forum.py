"""Face 2.0 of the forum on the monolith: as JSON, as pages, and what the hostile send.

Needs STRANGLER_BUILD (the build folder).
"""

import signal
import sys
import unittest

from monolith_client import PROBLEM, ForumCase

WHOLE_RUN_SECONDS = 280
HTML = "text/html; charset=utf-8"
NASTY = ["'; DROP TABLE posts; --", "\" OR 1=1 --", "<script>alert(1)</script>",
         "\"><img src=x onerror=alert(1)>", "</textarea><script>x</script>", "{}{}%s%n",
         "\u202e\ud7ff𝄞 zero\u200bwidth", "');--\\", "a\r\nSet-Cookie: sid=x"]

class AsJson(ForumCase):
    def test_a_whole_visit(self):
        client = self.client()
        answer = client.register("Anna_1", name="Anna")
        self.assertEqual(answer.status, 201)
        me = answer.json
        self.assertEqual(list(me), ["id", "username", "name", "bio", "created_at"])
        self.assertEqual(client.get("/api/2.0/me").json, me)
        self.assertEqual(client.json("DELETE", "/api/2.0/sessions/current").status, 204)
        self.assertNotIn("sid", client.cookies)
        self.problem(client.get("/api/2.0/me"), 401)
        answer = client.log_in("Anna_1", "a good password")
        self.assertEqual((answer.status, answer.json), (201, {"user": me}))

        thread = client.json("POST", "/api/2.0/threads",
                             {"category": "lounge", "title": "Hello & welcome"})
        self.assertEqual(thread.status, 201)
        self.assertEqual(thread.json["category"], {"slug": "lounge", "title": "The lounge"})
        self.assertEqual(thread.json["author"], {"id": me["id"], "username": "Anna_1"})
        self.assertRegex(thread.json["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        posts = f"/api/2.0/threads/{thread.json['id']}/posts"
        post = client.json("POST", posts, {"text": "a quokka said hello"}).json
        self.assertEqual((post["likes"], post["liked"], post["edited_at"]), (0, False, None))
        path = f"/api/2.0/posts/{post['id']}"
        edited = client.json("PATCH", path, {"text": "a quokka says hello"})
        self.assertEqual((edited.status, edited.json["text"]), (200, "a quokka says hello"))
        self.assertIsNotNone(edited.json["edited_at"])
        for _ in range(2):
            self.assertEqual(client.json("PUT", path + "/like").status, 204)
            self.assertEqual(client.get(path).json["likes"], 1)
        self.assertTrue(client.get(path).json["liked"])
        self.assertFalse(self.client().get(path).json["liked"])
        found = client.get("/api/2.0/search?q=QUOKKA+says").json
        self.assertEqual([item["id"] for item in found["items"]], [post["id"]])
        self.assertEqual(client.get("/api/2.0/search?q=quokka+said").json["total"], 0)
        for _ in range(2):
            self.assertEqual(client.json("DELETE", path + "/like").status, 204)
        self.assertEqual(client.get(posts).json["items"][0]["likes"], 0)

        edit = client.json("PATCH", f"/api/2.0/users/{me['id']}", {"bio": "I post."})
        self.assertEqual((edit.json["name"], edit.json["bio"]), ("Anna", "I post."))
        batch = client.get(f"/api/2.0/users?ids={me['id']},1,99999").json["items"]
        self.assertEqual([user["id"] for user in batch], [me["id"], 1])
        self.assertEqual(client.json("DELETE", path).status, 204)
        self.problem(client.get(path), 404)
        self.assertEqual(client.get(posts).json["total"], 0)
        self.assertEqual(client.get("/api/2.0/search?q=quokka").json["total"], 0)
        self.assertNotIn("quokka", client.get("/api/posts").body.decode())

    def test_lists_come_in_pages_of_twenty(self):
        client = self.somebody()
        for i in range(41):
            client.json("POST", "/api/2.0/threads", {"category": "running", "title": f"No. {i}"})
        path = "/api/2.0/categories/running/threads"
        pages = [client.get(f"{path}?page={page}").json for page in range(1, 5)]
        total = pages[0]["total"]
        self.assertEqual([len(page["items"]) for page in pages], [20, 20, total - 40, 0])
        self.assertEqual({page["pages"] for page in pages}, {3})
        ids = [item["id"] for page in pages for item in page["items"]]
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertEqual(len(set(ids)), total)
        last = client.get("/forum/c/running?page=3").page
        self.assertNotIn("rel=\"next\"", last.text)
        self.assertIn("?page=2\"", last.text)
        for bad in ["0", "-1", "x", "1.5", "99999999999999999999"]:
            self.problem(client.get(f"{path}?page={bad}"), 422, "page")

    def test_fields_have_bounds(self):
        client = self.somebody()
        fresh = {"username": "fresh", "password": "12345678", "name": "x"}
        for field, values in {
                "username": ["ab", "a" * 33, "a b", "a.b", "ä" * 4, "<b>", "", 5, None],
                "password": ["1234567", "x" * 201, "1234567\0"], "name": ["x" * 81, "a\0b"]}.items():
            for value in values:
                answer = self.client().json("POST", "/api/2.0/users", {**fresh, field: value})
                self.problem(answer, 422, field)
        self.problem(client.register(client.username), 422, "username")
        user = f"/api/2.0/users/{client.id}"
        self.problem(client.json("PATCH", user, {"bio": "ü" * 501}), 422, "bio")
        self.assertEqual(client.json("PATCH", user, {"bio": "ü" * 500}).status, 200)
        for title in ["ab", "x" * 121, "abc\0", ["abc"]]:
            self.problem(client.json("POST", "/api/2.0/threads",
                                     {"category": "lounge", "title": title}), 422, "title")
        self.problem(client.json("POST", "/api/2.0/threads",
                                 {"category": "nowhere", "title": "title"}), 422, "category")
        for text in ["", "x" * 10001, "\0"]:
            self.problem(client.json("POST", "/api/2.0/threads/1/posts", {"text": text}), 422, "text")
        long = client.json("POST", "/api/2.0/threads/1/posts", {"text": "𝄞" * 10000})
        self.assertEqual((long.status, len(long.json["text"])), (201, 10000))
        for ids in ["", "1,", "a", "1,2,-3", ",".join("1" * 101)]:
            self.problem(client.get(f"/api/2.0/users?ids={ids}"), 422, "ids")

    def test_what_is_not_yours_is_not_yours(self):
        author, other, nobody = self.somebody(), self.somebody(), self.client()
        post = author.json("POST", "/api/2.0/threads/1/posts", {"text": "mine"}).json["id"]
        path = f"/api/2.0/posts/{post}"
        for client, status in [(other, 403), (nobody, 401)]:
            self.problem(client.json("PATCH", path, {"text": "x"}), status)
            self.problem(client.json("DELETE", path), status)
            self.problem(client.json("PATCH", f"/api/2.0/users/{author.id}", {"name": "x"}), status)
        for method, what in [("POST", "/api/2.0/threads/1/posts"), ("PATCH", path)]:
            self.problem(nobody.json(method, what, {"text": "x"}), 401)
        self.problem(nobody.json("PUT", path + "/like"), 401)
        self.problem(nobody.log_in("marga", "wrong"), 401)
        self.problem(nobody.log_in("nobody-at-all", "wrong"), 401)
        self.assertEqual(author.get(path).json["text"], "mine")
        for client in (author, other):
            self.problem(client.json("PATCH", "/api/2.0/posts/999999", {"text": "x"}), 404)
            self.problem(client.json("POST", "/api/2.0/threads/999999/posts", {"text": "x"}), 404)

    def test_bodies_that_are_none(self):
        client = self.somebody()
        path = "/api/2.0/threads/1/posts"
        for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]:
            self.problem(client.json("POST", path, {"text": "x"}, content_type=type), 415)
        for body in [b"", b"{", b"[]", b"null", b'{"text":"\xff"}', b'{"text":"\xed\xa0\x80"}',
                     b'{"text":"x"}x', b'{"text":"a","text":"b"}', b"[" * 60000, b'{"text":"\\ud800"}']:
            self.problem(client.json("POST", path, body), 400)
        self.problem(client.json("POST", path, b" " * 65537), 413)
        self.problem(client.json("POST", path, b" " * 5000000), 413)
        self.problem(client.json("POST", path, {"text": "x"}, origin="http://evil.example"), 403)
        self.problem(client.json("POST", path, {"text": "x"}, origin="null"), 403)
        here = f"http://{self.program.host}:{self.program.port}"
        self.assertEqual(client.json("POST", path, {"text": "x"}, origin=here).status, 201)
        for path in ["/api/2.0/search?q=%ff", "/api/2.0/search?q=%zz", "/api/2.0/search?q=%"]:
            self.problem(client.get(path), 400)
        for path in ["/api/2.0/search", "/api/2.0/search?q=", "/api/2.0/search?q=%00",
                     "/api/2.0/search?q=+", "/api/2.0/search?q=" + "x" * 201]:
            self.problem(client.get(path), 422, "q")
        for path in ["/api/2.0/users/0", "/api/2.0/users/1abc", "/api/2.0/nope", "/api/2.0/posts/",
                     "/api/2.0/categories/nope/threads", "/internal/feed/nope"]:
            self.problem(client.get(path), 404)

    def test_searches_have_no_syntax(self):
        client = self.client()
        for words in ["%22", "NEAR(", "*", "text:x", "a+OR+b", "-x", "^x", "%22%22%22", "(", "%27",
                      "+".join("a" * 60), "%CC%81", "x*", "{a+b}:"]:
            answer = client.get(f"/api/2.0/search?q={words}")
            self.assertEqual(answer.status, 200, (words, answer.body))


class AsPages(ForumCase):
    def page(self, answer, status=200):
        self.assertEqual((answer.status, answer.type), (status, HTML), answer.body[:300])
        self.assertIn("default-src 'none'", answer.fields["content-security-policy"])
        page = answer.page
        self.assertNotIn("script", page.tags)
        for form in page.forms:
            self.assertLessEqual(set(form["shown"]), page.labels)
        return page

    def see(self, answer, location):
        self.assertEqual(answer.status, 303, answer.body[:500])
        self.assertRegex(answer.fields["location"], location)
        return answer.fields["location"]

    def test_a_whole_visit(self):
        client = self.client()
        path = "/forum/register"
        answer = client.fill(path, username="x", name="Bea <b>", password="12345678")
        self.assertIn("Bea &lt;b&gt;", self.page(answer, 422).text)
        self.see(client.fill(path, username="berta", name="Berta", password="12345678"), "^/forum$")
        self.assertIn("Logged in as", self.page(client.get("/forum")).text)
        self.see(client.fill("/forum", "/forum/logout"), "^/forum$")
        self.assertNotIn("Logged in as", self.page(client.get("/forum")).text)
        answer = client.fill("/forum/login", username="berta", password="wrong")
        self.assertIn("wrong", self.page(answer, 401).text)
        self.see(client.fill("/forum/login", username="berta", password="12345678"), "^/forum$")

        new = "/forum/c/front-end/new"
        self.page(client.fill(new, title="x"), 422)
        thread = self.see(client.fill(new, title="A <new> thread"), r"^/forum/t/\d+$")
        self.assertIn("A &lt;new&gt; thread", self.page(client.get(thread)).text)
        self.page(client.fill(thread, thread + "/reply", text=""), 422)
        post = self.see(client.fill(thread, thread + "/reply", text="wombat & co"),
                        r"^/forum/t/\d+\?page=1#post-\d+$").split("-")[1]
        self.assertIn("wombat &amp; co", self.page(client.get(thread)).text)
        self.see(client.fill(f"/forum/p/{post}/edit", text="wombat <i>"), "#post-" + post)
        like = f"/forum/p/{post}/like"
        self.see(client.fill(thread, like, {"like": "1"}), "#post-" + post)
        self.assertIn("1 like<", self.page(client.get(thread)).text)
        self.see(client.fill(thread, like, {"like": "0"}), "#post-" + post)
        self.assertIn("wombat &lt;i&gt;", self.page(client.get("/forum/search?q=wombat")).text)
        me = client.get("/api/2.0/me").json["id"]
        self.see(client.fill(f"/forum/u/{me}/edit", name="B", bio="hm\nhm"), f"/forum/u/{me}$")
        self.assertIn("hm\nhm", self.page(client.get(f"/forum/u/{me}")).text)
        self.see(client.fill(thread, f"/forum/p/{post}/delete"), "^/forum/t/")
        self.assertNotIn("wombat", self.page(client.get(thread)).text)

    def test_every_page_is_balanced_and_says_who_is_there(self):
        client = self.somebody()
        for path in ["/forum", "/forum/c/lounge", "/forum/c/lounge/new", "/forum/t/8", "/forum/u/1",
                     f"/forum/u/{client.id}/edit", "/forum/search", "/forum/search?q=the",
                     "/forum/login", "/forum/register"]:
            page = self.page(client.get(path))
            self.assertIn(f"Logged in as <a href=\"/forum/u/{client.id}\">{client.username}</a>",
                          page.text)
            self.assertIn("Log in</a>", self.page(self.client().get(path)).text) \
                if not path.endswith(("new", "edit")) else None
        self.assertIn("&lt;marquee&gt;", "".join(
            self.client().get(f"/forum/t/{i}").body.decode() for i in range(1, 11)))
        for path in ["/forum/t/0", "/forum/t/9999", "/forum/c/nope", "/forum/u/x", "/forum/nope",
                     "/forum/p/9999/edit", "/forum/t/1?page=0"]:
            self.page(client.get(path), 404)
        self.page(client.ask("DELETE", "/forum/t/1"), 405)
        self.assertEqual(client.get("/forum/style.css").type, "text/css; charset=utf-8")

    def test_forms_need_the_word_of_their_session(self):
        client, other = self.somebody(), self.somebody()
        mine = client.get("/forum/t/1").page.form("/forum/t/1/reply")["fields"]["csrf"]
        theirs = other.get("/forum/t/1").page.form("/forum/t/1/reply")["fields"]["csrf"]
        self.assertNotEqual(mine, theirs)
        before = client.get("/api/2.0/threads/1/posts").json["total"]
        for word in [theirs, "", mine[:-1], mine.upper() + "x", "0" * 64]:
            self.page(client.form("/forum/t/1/reply", {"csrf": word, "text": "forged"}), 403)
        self.page(client.form("/forum/t/1/reply", {"text": "forged"}), 403)
        self.page(self.client().form("/forum/login", {"username": "marga",
                                                      "password": "figs-and-dates"}), 403)
        self.page(self.client().form("/forum/t/1/reply", {"csrf": mine, "text": "x"}), 401)
        form = {"csrf": mine, "text": "x"}
        self.page(client.form("/forum/t/1/reply", form, content_type="text/plain"), 415)
        self.page(client.form("/forum/t/1/reply", {**form, "text": "x" * 70000}), 413)
        self.page(client.ask("POST", "/forum/t/1/reply", f"csrf={mine}&text=%ff".encode(),
                             content_type="application/x-www-form-urlencoded"), 400)
        self.assertEqual(client.get("/api/2.0/threads/1/posts").json["total"], before)
        post = client.json("POST", "/api/2.0/threads/1/posts", {"text": "mine"}).json["id"]
        for act in ["edit", "delete"]:
            self.page(other.form(f"/forum/p/{post}/{act}", {"csrf": theirs, "text": "x"}), 403)
        self.page(other.get(f"/forum/p/{post}/edit"), 403)
        self.page(other.get(f"/forum/u/{client.id}/edit"), 403)
        self.see(self.client().get(f"/forum/p/{post}/edit"), "^/forum/login$")

    def test_the_cookie_is_secure_behind_tls(self):
        client = self.client()
        answer = client.json("POST", "/api/2.0/sessions",
                             {"username": "moss", "password": "figs-and-dates"},
                             x_forwarded_proto="https")
        self.assertIn("; Secure", answer.fields["set-cookie"])
        self.assertNotIn("; Secure", self.client().log_in("moss").fields["set-cookie"])

    def test_nothing_that_people_write_becomes_sql_or_markup(self):
        client = self.somebody()
        for nasty in NASTY:
            thread = client.json("POST", "/api/2.0/threads", {"category": "lounge", "title": nasty})
            self.assertEqual((thread.status, thread.json["title"]), (201, nasty))
            path = f"/forum/t/{thread.json['id']}"
            post = client.json("POST", f"/api/2.0/threads/{thread.json['id']}/posts",
                               {"text": nasty}).json
            self.assertEqual(client.get(f"/api/2.0/posts/{post['id']}").json["text"], nasty)
            user = client.json("PATCH", f"/api/2.0/users/{client.id}", {"name": nasty, "bio": nasty})
            self.assertEqual((user.json["name"], user.json["bio"]), (nasty, nasty))
            for page in [path, "/forum", "/forum/c/lounge", f"/forum/u/{client.id}",
                         f"/forum/p/{post['id']}/edit", f"/forum/u/{client.id}/edit"]:
                got = self.page(client.get(page))
                self.assertNotIn("img", got.tags)
            self.page(client.fill("/forum/login", username=nasty, password=nasty), 401)
            found = client.ask("GET", "/forum/search?q=" + "".join(
                f"%{byte:02x}" for byte in nasty.encode()))
            self.assertNotIn("img", self.page(found).tags)
        self.assertEqual(client.get("/api/2.0/categories").status, 200)
        sid = client.cookies["sid"]
        for sid in ["' OR 1=1 --", sid[:-1], sid + "x", "a" * 43]:
            self.problem(self.client().get("/api/2.0/me", cookie=f"sid={sid}"), 401)


if __name__ == "__main__":
    signal.alarm(WHOLE_RUN_SECONDS)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
