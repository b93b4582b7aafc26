"""Reads requests as the strictest server would: whatever two readers could see differently is a
NotStrict. For the bytes that a backend got, to show that nothing was smuggled past the proxy."""

import re

from http1_backend import Request

# A path without what readers differ about; a query is nobody's business, in one word.
_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) "
    rb"(/(?:[!-\"$&->@-\[\]-~]|%[0-9A-Fa-f]{2})*(?:\?[!-\"$-~]*)?|\*) HTTP/1\.1")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9a-z-]+): ((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*"
                    rb"[!-~\x80-\xff])?)?)")
_HOST = re.compile(r"(?:[0-9a-z._~-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"0|[1-9a-f][0-9a-f]{0,14}")
# Hop by hop, or what nobody behind the proxy may see.
_NEVER = {"keep-alive", "proxy-connection", "te", "http2-settings", "proxy", "trailers"}
_TUNNEL = [("connection", "upgrade"), ("upgrade", "websocket")]


class NotStrict(ValueError):
    """Two readers could differ about these bytes."""


class Incomplete(Exception):
    """Good so far, but there is no end yet."""


class _Reader:
    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take_line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        line = self.data[self.at:] if end < 0 else self.data[self.at:end + 1]
        if re.search(rb"\0|\r(?!\n|\Z)|(?<!\r)\n", line):
            raise NotStrict(f"a bare CR, a bare LF or a NUL: {line!r}")
        if end < 0:
            raise Incomplete
        self.at = end + 1
        return line[:-2]

    def take(self, length: int) -> bytes:
        if len(self.data) - self.at < length:
            self.at = len(self.data)
            raise Incomplete
        data = self.data[self.at:self.at + length]
        self.at += length
        return data

    def take_fields(self) -> list:
        fields = []
        while line := self.take_line():
            found = _FIELD.fullmatch(line)
            if not found:
                raise NotStrict(f"not a field: {line!r}")
            fields.append((found[1].decode(), found[2].decode("latin-1")))
        return fields

    def take_chunks(self, request: Request):
        while True:
            line = self.take_line()
            if not _CHUNK_SIZE.fullmatch(line):
                raise NotStrict(f"not a chunk's size: {line!r}")
            if int(line, 16) == 0:
                break
            request.body += self.take(int(line, 16))
            if self.take(2) != b"\r\n":
                raise NotStrict("no line end behind a chunk")
        request.trailers = self.take_fields()
        for name, _ in request.trailers:
            if name in _NEVER | {"host", "content-length", "transfer-encoding", "connection"}:
                raise NotStrict(f"{name} in trailers")


def _check_head(request: Request):
    hosts, lengths, codings = (request.values(name) for name in
                               ("host", "content-length", "transfer-encoding"))
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise NotStrict(f"not one host: {hosts}")
    if len(lengths) + len(codings) > 1:
        raise NotStrict(f"framed twice: {request.fields}")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise NotStrict(f"no length: {lengths}")
    if codings and codings != ["chunked"]:
        raise NotStrict(f"another coding: {codings}")
    if _NEVER & {name for name, _ in request.fields}:
        raise NotStrict(f"a field of one hop: {request.fields}")
    tunnel = [field for field in request.fields if field[0] in ("connection", "upgrade")]
    if tunnel and (tunnel != _TUNNEL or request.method != "GET" or lengths or codings):
        raise NotStrict(f"a field of one hop: {tunnel}")
    if request.target == "*" and request.method != "OPTIONS":
        raise NotStrict("* is for OPTIONS")


def _take_request(reader: _Reader) -> Request:
    line = reader.take_line()
    found = _REQUEST_LINE.fullmatch(line)
    if not found:
        raise NotStrict(f"not a request line: {line!r}")
    request = Request(found[1].decode(), found[2].decode(), reader.take_fields())
    _check_head(request)
    if request.value("transfer-encoding"):
        reader.take_chunks(request)
    else:
        request.body = reader.take(int(request.value("content-length") or 0))
    return request


def read_all(data: bytes) -> tuple:
    """(the whole requests, what stands behind them: the begin of another)."""
    reader, requests, begin = _Reader(data), [], 0
    try:
        while begin < len(data):
            requests.append(_take_request(reader))
            begin = reader.at
    except Incomplete:
        pass
    return requests, data[begin:]
