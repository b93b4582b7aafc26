"""A scripted HTTP/1.1 server: every connection runs a script in a thread of its own, which reads
requests (strictly, as a server that is easy to smuggle past would not) and sends what it likes."""

import hashlib
import json
import re
import select
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field

from strangler_test import free_port

TIMEOUT_S = 30
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.1")


class Gone(Exception):
    """The other end has closed the connection."""


@dataclass
class Request:
    method: str
    target: str
    fields: list
    body: bytes = b""
    trailers: list = field(default_factory=list)
    connection: int = 0  # which connection of the backend it came by

    def values(self, name: str) -> list:
        return [value for its_name, value in self.fields if its_name == name]

    def value(self, name: str):
        values = self.values(name)
        return values[0] if values else None


def echo_body(request: Request) -> bytes:
    """What arrived, as JSON."""
    return json.dumps({
        "method": request.method, "target": request.target, "fields": request.fields,
        "length": len(request.body), "sha256": hashlib.sha256(request.body).hexdigest(),
        "trailers": request.trailers}).encode()


def answer_bytes(body: bytes = b"", status: str = "200 OK", fields=()) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields),
             f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    def __init__(self, backend, number: int, sock: socket.socket):
        self.backend = backend
        self.number = number
        self.socket = sock
        self.buffer = b""

    # --- reading

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Gone
        self.buffer += piece

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self._more()
        data, self.buffer = self.buffer.split(mark, 1)
        return data

    def read_exactly(self, length: int) -> bytes:
        while len(self.buffer) < length:
            self._more()
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def _read_fields(self, block: bytes) -> list:
        fields = []
        for line in block.decode("latin-1").split("\r\n") if block else []:
            name, colon, value = line.partition(":")
            if not colon or not _TOKEN.fullmatch(name) or re.search(r"[\0\r\n]", value):
                raise ValueError(f"not a field: {line!r}")
            fields.append((name.lower(), value.strip(" \t")))
        return fields

    def read_head(self) -> Request:
        line, _, block = self.read_until(b"\r\n\r\n").partition(b"\r\n")
        found = _REQUEST_LINE.fullmatch(line.decode("latin-1"))
        if not found:
            raise ValueError(f"not a request line: {line!r}")
        request = Request(found[1], found[2], self._read_fields(block), connection=self.number)
        lengths, codings = request.values("content-length"), request.values("transfer-encoding")
        if len(request.values("host")) != 1 or len(lengths) + len(codings) > 1:
            raise ValueError(f"framed or named twice: {request.fields}")
        return request

    def _read_chunked(self, request: Request):
        pieces = []
        while length := int(self.read_until(b"\r\n"), 16):
            pieces.append(self.read_exactly(length))
            if self.read_exactly(2) != b"\r\n":
                raise ValueError("no line end behind a chunk")
        request.body = b"".join(pieces)
        while line := self.read_until(b"\r\n"):
            request.trailers += self._read_fields(line)

    def read_body(self, request: Request):
        if request.value("transfer-encoding") == "chunked":
            self._read_chunked(request)
        elif request.value("content-length"):
            request.body = self.read_exactly(int(request.value("content-length")))

    def read_request(self) -> Request:
        request = self.read_head()
        self.read_body(request)
        self.backend.requests.append(request)
        return request

    # --- writing and waiting

    def send(self, data: bytes):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def reset(self):
        """RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_end(self):
        """Until the proxy closes; what it sends meanwhile is dropped."""
        try:
            while True:
                self._more()
                self.buffer = b""
        except (Gone, OSError):
            pass

    def has_input(self, seconds: float) -> bool:
        return bool(self.buffer or select.select([self.socket], [], [], seconds)[0])


class Http1Backend:
    """`script(connection)` runs for each connection and may raise Gone. What else goes wrong in a
    script is kept and raised by close(). When it is closed, its port is still nobody else's: it stays
    closed, or another one of the test takes its place."""

    def __init__(self, script, port: int = 0, receive_buffer: int = 0, tls=None,
                 host: str = "127.0.0.1"):
        self.script = script
        self.host = host
        self.tls = tls  # an ssl.SSLContext
        self.handshake_faults: list = []
        self.requests: list = []
        self.connection_count = 0
        self.faults: list = []
        self.sockets: list = []
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind((host, port or free_port()))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(TIMEOUT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connection_count += 1
                self.sockets.append(sock)
            connection = self._make_connection(self.connection_count, sock)
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _make_connection(self, number: int, sock: socket.socket):
        return Connection(self, number, sock)

    def _shake_hands(self, connection) -> bool:
        if self.tls is None:
            return True
        try:
            connection.socket = self.tls.wrap_socket(connection.socket, server_side=True)
            return True
        except OSError as error:  # the proxy may well refuse us
            self.handshake_faults.append(error)
            return False

    def _run(self, connection):
        try:
            if self._shake_hands(connection):
                self.script(connection)
        except (Gone, ConnectionError, BrokenPipeError):
            pass
        except OSError as error:
            if not self.closing() and not isinstance(error, ssl.SSLError):
                self.faults.append(error)
        except Exception as error:  # raised by close()
            self.faults.append(error)
        finally:
            connection.socket.close()

    def closing(self) -> bool:
        return self.listener.fileno() < 0

    def close(self):
        self.listener.close()
        try:  # wakes accept()
            socket.create_connection((self.host, self.port), 1).close()
        except OSError:
            pass
        for sock in self.sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(TIMEOUT_S)
        if self.faults:
            raise self.faults[0]


def serving(answer):
    """A script: answers each request with the bytes of answer(request), on and on."""
    def script(connection):
        while True:
            connection.send(answer(connection.read_request()))
    return script


def named(name: str):
    """A script: says its name."""
    def answer(request: Request) -> bytes:
        data = answer_bytes(name.encode(), fields=[("x-side", name)])
        return data[:-len(name)] if request.method == "HEAD" else data
    return serving(answer)


def once(data: bytes):
    """A script: reads a request, sends these bytes, closes."""
    def script(connection):
        connection.read_request()
        connection.send(data)
    return script
