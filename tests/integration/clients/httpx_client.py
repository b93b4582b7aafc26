"""httpx in front of the forum. One scenario a run; whatever is not as it should be is an exception.

    python3 -I httpx_client.py SCENARIO ORIGIN VERSION

On standard input: JSON, {path: [status, body]}, what the forum says when it is asked directly. Not
among the other modules of the tests: those have an hpack of their own."""

import asyncio
import json
import sys

import httpx

SCENARIO, ORIGIN, VERSION = sys.argv[1:]
IS_2 = VERSION == "2"
OPTIONS = {"base_url": ORIGIN, "http2": IS_2, "http1": not IS_2, "verify": False, "timeout": 60}
EXPECTED = {path: tuple(answer) for path, answer in json.load(sys.stdin).items()}
LARGE_BYTES = 200_000  # too much for the forum


def check(answer, path: str):
    assert answer.http_version == ("HTTP/2" if IS_2 else "HTTP/1.1"), answer.http_version
    assert (answer.status_code, answer.text) == EXPECTED[path], (path, answer)


def reads():
    with httpx.Client(**OPTIONS) as client:
        for _ in range(3):
            for path in EXPECTED:
                check(client.get(path), path)


def heads():
    with httpx.Client(**OPTIONS) as client:
        for path, (status, body) in EXPECTED.items():
            answer = client.head(path)
            assert (answer.status_code, answer.content) == (status, b""), path
            if status == 200:
                assert answer.headers["content-length"] == str(len(body.encode())), path


def crowd():
    """More at once than the proxy allows, on one connection of HTTP/2 or a hundred of HTTP/1.1."""
    async def ask(client, path):
        check(await client.get(path), path)

    async def run():
        async with httpx.AsyncClient(**OPTIONS) as client:
            await client.get("/")
            await asyncio.gather(*(ask(client, path) for path in list(EXPECTED) * 30))
    asyncio.run(run())


def member():
    with httpx.Client(**OPTIONS) as client:
        def send(method, path, status, **values):
            answer = client.request(method, "/api/2.0" + path, json=values or None)
            assert answer.status_code == status, (path, answer, answer.text)
            return answer.json() if answer.content else None
        send("POST", "/sessions", 201, username="marga", password="figs-and-dates")
        thread = send("POST", "/threads", 201, category="lounge", title="Asked by httpx")
        posts = f"/threads/{thread['id']}/posts"
        post = send("POST", posts, 201, text="Dätes & figs. " * 600)
        send("PATCH", f"/posts/{post['id']}", 200, text="Figs.")
        send("PUT", f"/posts/{post['id']}/like", 204)
        [item] = send("GET", posts, 200)["items"]
        assert (item["text"], item["likes"]) == ("Figs.", 1), item
        send("DELETE", f"/posts/{post['id']}", 204)
        send("DELETE", "/sessions/current", 204)


def form():
    """Without a length, because the body is an iterator, and with a redirect at its end."""
    with httpx.Client(**OPTIONS, follow_redirects=True) as client:
        token = client.get("/forum/login").text.split('name="csrf" value="')[1].split('"')[0]
        fields = {"csrf": token, "username": "pilu", "password": "figs-and-dates"}
        pieces = [f"{name}={value}&".encode() for name, value in fields.items()]
        answer = client.post("/forum/login", content=iter(pieces), headers={
            "content-type": "application/x-www-form-urlencoded"})
        assert [each.status_code for each in answer.history] == [303], answer.history
        assert "Logged in as" in answer.text


def cancels():
    with httpx.Client(**OPTIONS) as client:
        for _ in range(100):
            with client.stream("GET", "/api/posts/in-thread/1") as answer:
                assert answer.status_code == 200
        check(client.get("/api/users"), "/api/users")


def too_large():
    """httpx looks for the answer when all is sent, so it must be little enough to be taken in time."""
    with httpx.Client(**OPTIONS) as client:
        answer = client.post("/api/2.0/sessions", json={"username": "x" * LARGE_BYTES})
        assert answer.status_code == 413, answer
        check(client.get("/api/users"), "/api/users")


{"reads": reads, "heads": heads, "crowd": crowd, "member": member, "form": form,
 "cancels": cancels, "too_large": too_large}[SCENARIO]()
