"""A visitor of the forum's programs, with one jar of cookies wherever they go.

The monolith is asked as in monolith_client.py, the services in HTTP/2.
"""

import email.message
import re
import threading
import time

from http2_peer import Http2Client
from monolith_client import Answer, Client

WAIT_S = 20
CSRF = re.compile(rb'name="csrf" value="[0-9a-f]{64}"')


class FramedAnswer(Answer):
    def __init__(self, answer):  # pylint: disable=super-init-not-called
        self.status, self.body = answer.status, answer.body
        self.fields = email.message.Message()
        for name, value in answer.fields:
            self.fields[name] = value
        self.type = self.fields.get("content-type", "")
        assert len(self.body) == int(self.fields.get("content-length", 0)), answer


class Visitor(Client):
    """At one program. `jar` is shared by those of the same person."""

    def __init__(self, program, jar=None):
        super().__init__(program)
        self.cookies = {} if jar is None else jar
        self.frames = Http2Client(program.port) if program.name != "monolith" else None

    def close(self):
        super().close()
        if self.frames is not None:
            self.frames.close()

    def ask(self, method, path, body=None, **fields):
        if self.frames is None:
            return super().ask(method, path, body, **fields)
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if self.cookies:
            fields.setdefault("cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        answer = FramedAnswer(self.frames.ask(path, method, list(fields.items()), body or b"",
                                              authority=f"127.0.0.1:{self.program.port}"))
        self.take_cookies(answer)
        return answer


def comparable(answer):
    """What two programs have to agree on; CSRF words differ from visitor to visitor."""
    names = ["content-type", "content-security-policy", "cache-control", "location"]
    return (answer.status, [answer.fields.get(name) for name in names],
            CSRF.sub(b'name="csrf" value=""', answer.body))


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {WAIT_S} s: {what}")
        threading.Event().wait(0.01)


def feeds_last(program, aggregate):
    visitor = Visitor(program)
    last = visitor.get(f"/internal/owner/{aggregate}").json["feeds_last"]
    visitor.close()
    return last


def wait_for_feeds(source, service, feeds, side):
    """Until the service has what the source's feeds hold now."""
    visitor = Visitor(service)
    for feed, last in feeds.items():
        wanted = f'feed_cursor{{feed="{feed}",source="{side}"}} '

        def cursor():
            lines = visitor.get("/metrics").body.decode().splitlines()
            return next(int(line[len(wanted):]) for line in lines if line.startswith(wanted))
        wait_until(lambda: cursor() >= last, f"{service.name} read {feed} of {source.name}")
    visitor.close()
