"""A server of HTTP/1.1 for bodies of any size: it makes what it sends and hashes what it gets, piece by
piece, and holds neither."""

import hashlib
import json
import random
import re
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from http1_backend import Connection, Http1Backend, Request, answer_bytes

PIECE_BYTES = 1 << 18
SEED = 2026


def body_pieces(length: int):
    """The body of this length, the same one each time."""
    source = random.Random(SEED)
    while length > 0:
        piece = source.randbytes(PIECE_BYTES)[:length]
        yield piece
        length -= len(piece)


@lru_cache
def body_digest(length: int, first: int = 0) -> str:
    """SHA-256 of it, from the byte number `first` on."""
    digest = hashlib.sha256()
    for piece in body_pieces(length):
        digest.update(piece[first:])
        first = max(0, first - len(piece))
    return digest.hexdigest()


def _hash_exactly(connection: Connection, digest, length: int):
    while length > 0:
        piece = connection.read_exactly(min(length, PIECE_BYTES))
        digest.update(piece)
        length -= len(piece)


def _take_body(connection: Connection, request: Request) -> dict:
    digest, total = hashlib.sha256(), 0
    if request.value("expect") == "100-continue":
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    if request.value("transfer-encoding") == "chunked":
        while length := int(connection.read_until(b"\r\n"), 16):
            _hash_exactly(connection, digest, length)
            assert connection.read_exactly(2) == b"\r\n"
            total += length
        while line := connection.read_until(b"\r\n"):
            request.trailers.append(line.decode())
    else:
        total = int(request.value("content-length") or 0)
        _hash_exactly(connection, digest, total)
    return {"bytes": total, "sha256": digest.hexdigest(), "trailers": request.trailers}


def _send_part(connection: Connection, request: Request, length: int):
    """All of it, or from a byte on; with its length."""
    found = re.fullmatch(r"bytes=(\d+)-", request.value("range") or "")
    first = int(found[1]) if found else 0
    status = "206 Partial Content" if found else "200 OK"
    place = f"content-range: bytes {first}-{length - 1}/{length}\r\n" if found else ""
    connection.send(f"HTTP/1.1 {status}\r\ncontent-length: {length - first}\r\n{place}"
                    "accept-ranges: bytes\r\ncontent-type: application/octet-stream\r\n"
                    "content-disposition: attachment; filename=body\r\n\r\n".encode())
    if request.method == "HEAD":
        return
    for piece in body_pieces(length):
        connection.send(piece[first:])
        first = max(0, first - len(piece))


def _send_chunked(connection: Connection, length: int):
    """Without a length; its digest is a trailer."""
    connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sha256\r\n\r\n")
    digest = hashlib.sha256()
    for piece in body_pieces(length):
        digest.update(piece)
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    connection.send(f"0\r\nx-sha256: {digest.hexdigest()}\r\n\r\n".encode())


def _serve(connection: Connection):
    while True:
        request = connection.read_head()
        url = urlsplit(request.target)
        length = int(parse_qs(url.query).get("bytes", ["0"])[0])
        if url.path == "/download":
            _send_part(connection, request, length)
        elif url.path == "/chunked":
            _send_chunked(connection, length)
        elif url.path == "/upload":
            connection.send(answer_bytes(json.dumps(_take_body(connection, request)).encode()))
        else:
            connection.send(answer_bytes(b"<title>transfers</title>",
                                         fields=[("content-type", "text/html")]))


class StreamingBackend(Http1Backend):
    """/download?bytes=N, /chunked?bytes=N; /upload answers with {"bytes", "sha256", "trailers"}."""

    def __init__(self):
        super().__init__(_serve)
