"""One and the same scripted site over HTTP/1.1 and HTTP/2: a function from request to Reply."""

from dataclasses import dataclass, field

from http1_backend import Http1Backend, Request, echo_body
from http2_peer import END_HEADERS, Http2Backend, headers_frame


@dataclass
class Reply:
    status: int = 200
    fields: list = field(default_factory=list)
    body: bytes = b""
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)  # (status, fields) of each
    has_length: bool = True


def _lines(status: int, fields) -> bytes:
    return "".join([f"HTTP/1.1 {status} Said\r\n",
                    *(f"{name}: {value}\r\n" for name, value in fields), "\r\n"]).encode("latin-1")


def _has_content(request: Request, status: int) -> bool:
    return request.method != "HEAD" and status not in (204, 304)


def send_http1(connection, request: Request, reply: Reply):
    out = b"".join(_lines(status, fields) for status, fields in reply.interim)
    fields = list(reply.fields)
    chunked = bool(reply.trailers) or not reply.has_length
    if chunked and reply.status != 204:
        fields.append(("transfer-encoding", "chunked"))
    elif reply.status != 204:
        fields.append(("content-length", str(len(reply.body))))
    out += _lines(reply.status, fields)
    if _has_content(request, reply.status):
        out += _chunked(reply) if chunked else reply.body
    connection.send(out)


def _chunked(reply: Reply) -> bytes:
    body = b"%x\r\n%s\r\n" % (len(reply.body), reply.body) if reply.body else b""
    return body + b"0\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in reply.trailers).encode() + b"\r\n"


def send_http2(connection, request, reply: Reply):
    for status, fields in reply.interim:
        connection.send(headers_frame(request.stream, [(":status", str(status)), *fields],
                                      END_HEADERS))
    fields = list(reply.fields)
    if reply.has_length and not reply.trailers and reply.status != 204:
        fields.append(("content-length", str(len(reply.body))))
    has_content = _has_content(request, reply.status)
    connection.answer(request.stream, reply.body if has_content else b"", str(reply.status), fields,
                      reply.trailers if has_content else ())


def serve_http1(site, port: int = 0) -> Http1Backend:
    def script(connection):
        while True:
            request = connection.read_request()
            send_http1(connection, request, site(request))
    return Http1Backend(script, port)


def serve_http2(site, port: int = 0) -> Http2Backend:
    def script(connection):
        connection.begin()
        while True:
            request = connection.read_request()
            send_http2(connection, request, site(request))
    return Http2Backend(script, port)


SERVE = {"http/1.1": serve_http1, "h2": serve_http2}


def echo(request: Request) -> Reply:
    """What arrived, as JSON."""
    return Reply(fields=[("content-type", "application/json")], body=echo_body(request))
