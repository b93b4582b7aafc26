"""What a browser keeps of cookies, as far as tests need it: by name, until Max-Age is over."""

import time
from http.cookies import SimpleCookie


class CookieJar:
    def __init__(self):
        self.cookies: dict = {}  # name -> (value, until)

    def take(self, answer):
        """The answer's cookies, and the answer."""
        for text in answer.values("set-cookie"):
            for name, morsel in SimpleCookie(text).items():
                seconds = float(morsel["max-age"] or "inf")
                self.cookies[name] = (morsel.value, time.monotonic() + seconds)
        return answer

    def fields(self, *more) -> list:
        """Fields of a request: a Cookie field, if there is any, and `more`."""
        now = time.monotonic()
        kept = [f"{name}={value}" for name, (value, until) in self.cookies.items() if until > now]
        return ([("cookie", "; ".join(kept))] if kept else []) + list(more)

    def set(self, name: str, value: str):
        self.cookies[name] = (value, float("inf"))

    def names(self) -> set:
        return set(self.cookies)
