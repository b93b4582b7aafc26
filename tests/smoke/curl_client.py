"""Requests by curl: many in one process, so that they share a connection as a browser's would."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Optional

TIMEOUT_S = 20


@dataclass(frozen=True)
class Request:
    url: str
    method: str = "GET"
    headers: tuple = ()
    body: Optional[str] = None


@dataclass(frozen=True)
class Answer:
    status: int
    version: str
    fields: tuple  # (lower-case name, value), in order
    body: bytes

    def values(self, name):
        return [value for field, value in self.fields if field == name]


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _config_of(request, options, place):
    lines = [f"url = {_quoted(request.url)}", "path-as-is", f"max-time = {TIMEOUT_S}",
             f"output = {_quoted(place + '.body')}", f"dump-header = {_quoted(place + '.head')}",
             r'write-out = "%{http_code} %{http_version} %{errormsg}\n"', *options]
    lines.append("head" if request.method == "HEAD" else f"request = {_quoted(request.method)}")
    lines += [f"header = {_quoted(header)}" for header in request.headers]
    if request.body is not None:
        lines.append(f"data-binary = {_quoted(request.body)}")
    return "\n".join(lines)


def _read(path):
    # curl makes no file for an answer without a body.
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def _answer(place, line, is_head):
    status, version, *_ = line.split(" ", 2)
    fields = []
    for field in _read(place + ".head").decode("latin-1").split("\r\n"):
        name, colon, value = field.partition(":")
        if colon:
            fields.append((name.lower(), value.strip()))
    return Answer(int(status), version, tuple(fields), b"" if is_head else _read(place + ".body"))


def _run(requests, options):
    with tempfile.TemporaryDirectory() as folder:
        places = [os.path.join(folder, str(i)) for i in range(len(requests))]
        config = "\nnext\n".join(_config_of(request, options, place)
                                 for request, place in zip(requests, places))
        done = subprocess.run(["curl", "--disable", "--silent", "--show-error", "--config", "-"],
                              input=config, capture_output=True, text=True, check=False,
                              timeout=TIMEOUT_S * 5)
        lines = done.stdout.splitlines()
        if len(lines) != len(requests):
            raise RuntimeError(f"curl exited with {done.returncode}: {done.stderr.strip()}")
        return [_answer(place, line, request.method == "HEAD")
                for request, place, line in zip(requests, places, lines)]


def fetch(requests, options, reuses_connections=True):
    """The answers in the order of the requests; options are lines of curl's config for each."""
    if reuses_connections:
        return _run(requests, options)
    return [answer for request in requests for answer in _run([request], options)]
