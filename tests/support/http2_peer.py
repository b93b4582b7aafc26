"""HTTP/2 by single frames (RFC 9113), for saying what no library would say: a client and a server.
Both acknowledge SETTINGS and PING and give back windows unless told not to."""

import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass, field

import hpack
from http1_backend import Gone, Http1Backend, Request
from strangler_test import Answer

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = \
    range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 5, 7, 8, 11
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME = 1, 2, 3, 4, 5
FRAME_BYTES = 16384
TIMEOUT_S = 30


@dataclass
class Frame:
    type: int
    flags: int
    stream: int
    payload: bytes

    @property
    def ends_stream(self) -> bool:
        return self.type in (DATA, HEADERS) and bool(self.flags & END_STREAM)

    @property
    def code(self) -> int:
        """The error code of RST_STREAM or GOAWAY."""
        return struct.unpack(">I", self.payload[-4:] if self.type == RST_STREAM
                             else self.payload[4:8])[0]


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings_payload(settings: dict) -> bytes:
    return b"".join(struct.pack(">HI", name, value) for name, value in settings.items())


def headers_frame(stream: int, fields, flags: int = END_HEADERS) -> bytes:
    """HEADERS, and CONTINUATION if the block is too large for one frame."""
    block = hpack.encode(fields)
    parts = [block[at:at + FRAME_BYTES] for at in range(0, len(block), FRAME_BYTES)] or [b""]
    if len(parts) == 1:
        return frame(HEADERS, flags, stream, block)
    ends = flags & END_HEADERS
    return b"".join([frame(HEADERS, flags & ~END_HEADERS, stream, parts[0]),
                     *(frame(CONTINUATION, 0, stream, part) for part in parts[1:-1]),
                     frame(CONTINUATION, ends, stream, parts[-1])])


class FrameSocket:
    """Frames in and out of a socket."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = b""
        self.decoder = hpack.Decoder()
        self.auto = True  # answers SETTINGS and PING, and gives windows back
        self.send_lock = threading.Lock()
        self.stream_windows: dict = {}  # how much we may send
        self.connection_window = 65535
        self.initial_window = 65535
        self.initial_settings_seen = False
        self.settings_heard = False  # the other end has acknowledged ours
        self.settings: dict = {}  # of the other end

    def send(self, data: bytes):
        try:
            with self.send_lock:
                self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError) as error:
            raise Gone from error

    def send_frame(self, kind: int, flags: int = 0, stream: int = 0, payload: bytes = b""):
        self.send(frame(kind, flags, stream, payload))

    def _exactly(self, length: int) -> bytes:
        while len(self.buffer) < length:
            piece = self.socket.recv(262144)
            if not piece:
                raise Gone
            self.buffer += piece
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def read_frame(self) -> Frame:
        head = self._exactly(9)
        length = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        got = Frame(kind, flags, stream, self._exactly(length))
        self._note(got)
        if self.auto:
            try:
                self._react(got)
            except Gone:
                pass  # what it has said before it went is to be read still
        return got

    def _note(self, got: Frame):
        if got.type == WINDOW_UPDATE:
            increment = int.from_bytes(got.payload, "big")
            if got.stream:
                self.stream_windows[got.stream] = self.window_of(got.stream) + increment
            else:
                self.connection_window += increment
        elif got.type == SETTINGS and got.flags & ACK:
            self.settings_heard = True
        elif got.type == SETTINGS:
            self.initial_settings_seen = True
            for at in range(0, len(got.payload), 6):
                name, value = struct.unpack(">HI", got.payload[at:at + 6])
                self.settings[name] = value
                if name == INITIAL_WINDOW:
                    self._change_initial_window(value)

    def _change_initial_window(self, value: int):
        for stream in self.stream_windows:
            self.stream_windows[stream] += value - self.initial_window
        self.initial_window = value

    def _react(self, got: Frame):
        if got.type == SETTINGS and not got.flags & ACK:
            self.send_frame(SETTINGS, ACK)
        elif got.type == PING and not got.flags & ACK:
            self.send_frame(PING, ACK, 0, got.payload)
        elif got.type == DATA and got.payload:
            update = struct.pack(">I", len(got.payload))
            out = frame(WINDOW_UPDATE, 0, 0, update)
            if not got.ends_stream:
                out += frame(WINDOW_UPDATE, 0, got.stream, update)
            self.send(out)

    def window_of(self, stream: int) -> int:
        return self.stream_windows.setdefault(stream, self.initial_window)

    def read_headers(self, first: Frame) -> list:
        """The fields of a header block that began with this frame."""
        assert not first.flags & (8 | 32), "padding and priority are not expected"
        block, got = first.payload, first
        while not got.flags & END_HEADERS:
            got = self.read_frame()
            block += got.payload
        return self.decoder.decode(block)

    def close(self):
        self.socket.close()


class Http2Client(FrameSocket):
    def __init__(self, port: int, tls: bool = False, settings=None, window: int = 1 << 24,
                 send_preface: bool = True, source: str = ""):
        super().__init__(connect(port, tls, source=source))
        self.next_id = 1
        self.answers: dict = {}
        self.done: set = set()
        self.goaways: list = []
        self.seen: list = []  # frames that belong to no stream
        if send_preface:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings_payload(settings or {})) +
                      frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", window)))

    # --- asking

    def start(self, path: str = "/", method: str = "GET", fields=(), authority: str = "localhost",
              ends: bool = True, scheme: str = "http") -> int:
        return self.start_raw([(":method", method), (":scheme", scheme), (":path", path),
                               (":authority", authority), *fields], ends)

    def start_raw(self, fields, ends: bool = True) -> int:
        stream = self.take_id()
        self.send(headers_frame(stream, fields, END_HEADERS | (END_STREAM if ends else 0)))
        return stream

    def take_id(self) -> int:
        stream = self.next_id
        self.next_id += 2
        return stream

    def send_body(self, stream: int, body: bytes, ends: bool = True, trailers=()):
        """Obeys the windows. Returns early when the answer comes to an end before the body."""
        at = 0
        while at < len(body):
            room = min(self.window_of(stream), self.connection_window, FRAME_BYTES, len(body) - at)
            if room <= 0:
                self.take_frame()
                if stream in self.done:
                    return
                continue
            last = ends and not trailers and at + room == len(body)
            self.send_frame(DATA, END_STREAM if last else 0, stream, body[at:at + room])
            self.stream_windows[stream] -= room
            self.connection_window -= room
            at += room
        if ends and trailers:
            self.send(headers_frame(stream, trailers, END_HEADERS | END_STREAM))
        elif ends and not body:
            self.send_frame(DATA, END_STREAM, stream)

    def give_window(self, stream: int, amount: int):
        self.send_frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", amount))

    # --- hearing

    def take_frame(self) -> Frame:
        got = self.read_frame()
        if got.type == GOAWAY:
            self.goaways.append(got)
        if got.stream == 0 or got.type == WINDOW_UPDATE:
            self.seen.append(got)
            return got
        answer = self.answers.setdefault(got.stream, Answer(0, [], b""))
        if got.type == HEADERS:
            self._take_headers(answer, self.read_headers(got))
        elif got.type == DATA:
            answer.body += got.payload
        elif got.type == RST_STREAM:
            answer.reset = got.code
        if got.type == RST_STREAM or got.ends_stream:
            self.done.add(got.stream)
        return got

    @staticmethod
    def _take_headers(answer: Answer, fields: list):
        status = int(dict(fields).get(":status", 0))
        plain = [(name, value) for name, value in fields if not name.startswith(":")]
        if not status:
            answer.trailers = plain
        elif status < 200:
            answer.interim.append((status, plain))
        else:
            answer.status, answer.fields = status, plain

    def wait(self, stream: int) -> Answer:
        """The whole answer, or what there was before it was reset."""
        while stream not in self.done:
            self.take_frame()
        return self.answers[stream]

    def wait_head(self, stream: int) -> Answer:
        while stream not in self.done and not self.answers.get(stream, Answer(0, [], b"")).status:
            self.take_frame()
        return self.answers[stream]

    def ask(self, path: str = "/", method: str = "GET", fields=(), body: bytes = b"",
            **more) -> Answer:
        has_body = method in ("POST", "PUT", "PATCH") or bool(body)
        stream = self.start(path, method, fields, ends=not has_body, **more)
        if has_body:
            self.send_body(stream, body)
        return self.wait(stream)

    def wait_goaway(self) -> Frame:
        while not self.goaways:
            self.take_frame()
        return self.goaways[0]

    def wait_ping(self):
        """Everything sent so far has been read by the other end."""
        self.send_frame(PING, 0, 0, b"are you?")
        while not any(got.type == PING and got.flags & ACK for got in self.seen):
            self.take_frame()
        self.seen.clear()

    def wait_closed(self):
        """Reads until the other end closes."""
        try:
            while True:
                self.take_frame()
        except (Gone, ConnectionError, ssl.SSLError):
            pass


def connect(port: int, tls: bool = False, protocols=("h2",), source: str = ""):
    """From the address `source`, a part of 127.0.0.0/8."""
    sock = socket.create_connection(("127.0.0.1", port), TIMEOUT_S, (source, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return sock
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(sock, server_hostname="localhost")


def ask_once(port: int, path: str = "/", method: str = "GET", fields=(), body: bytes = b"",
             tls: bool = False, **more) -> Answer:
    """One request on a connection of its own."""
    client = Http2Client(port, tls)
    try:
        return client.ask(path, method, fields, body, **more)
    finally:
        client.close()


# --- server --------------------------------------------------------------------------------------

@dataclass
class Http2Request(Request):
    stream: int = 0
    ended: bool = False
    pseudo: dict = field(default_factory=dict)


class ServerConnection(FrameSocket):
    """What an Http2Backend's script gets."""

    def __init__(self, backend, number: int, sock: socket.socket):
        super().__init__(sock)
        self.backend = backend
        self.number = number
        self.open: dict = {}
        self.complete: deque = deque()
        self.resets: list = []
        self.sends_settings = True

    def begin(self, settings=None):
        """Preface and SETTINGS; the script calls it unless it wants to misbehave already here."""
        if self._exactly(len(PREFACE)) != PREFACE:
            raise ValueError("no preface")
        self.send_frame(SETTINGS, 0, 0, settings_payload(settings or {}))
        self.send_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 26))

    def take_frame(self) -> Frame:
        got = self.read_frame()
        if got.type == HEADERS:
            self._take_headers(got)
        elif got.type == DATA and got.stream in self.open:
            self.open[got.stream].body += got.payload
        elif got.type == RST_STREAM:
            self.resets.append((got.stream, got.code))
        if got.ends_stream and got.stream in self.open:
            request = self.open.pop(got.stream)
            request.ended = True
            self.complete.append(request)
        return got

    def _take_headers(self, got: Frame):
        fields = self.read_headers(got)
        if got.stream in self.open:
            self.open[got.stream].trailers = fields
            return
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        plain = [(name, value) for name, value in fields if not name.startswith(":")]
        request = Http2Request(pseudo[":method"], pseudo[":path"], plain, stream=got.stream,
                               connection=self.number, pseudo=pseudo)
        self.open[got.stream] = request
        self.backend.requests.append(request)

    def read_request(self) -> Http2Request:
        """The next complete request."""
        while not self.complete:
            self.take_frame()
        return self.complete.popleft()

    def read_head(self) -> Http2Request:
        """The next request whose head has come and that nobody has been given yet."""
        while True:
            got = self.take_frame()
            if got.type == HEADERS and got.stream in self.open:
                return self.open[got.stream]
            if self.complete:
                return self.complete.popleft()

    def answer(self, stream: int, body: bytes = b"", status: str = "200", fields=(),
               trailers=()):
        self.send(headers_frame(stream, [(":status", status), *fields],
                                END_HEADERS | (0 if body or trailers else END_STREAM)))
        if body:
            self.send_body(stream, body, not trailers)
        if trailers:
            self.send(headers_frame(stream, trailers, END_HEADERS | END_STREAM))

    def send_body(self, stream: int, body: bytes, ends: bool = True):
        at = 0
        while at < len(body):
            room = min(self.window_of(stream), self.connection_window, FRAME_BYTES, len(body) - at)
            if any(reset == stream for reset, _ in self.resets):
                return
            if room <= 0:
                self.take_frame()
                continue
            last = ends and at + room == len(body)
            self.send_frame(DATA, END_STREAM if last else 0, stream, body[at:at + room])
            self.stream_windows[stream] -= room
            self.connection_window -= room
            at += room

    def reset(self, stream: int, code: int):
        self.send_frame(RST_STREAM, 0, stream, struct.pack(">I", code))

    def goaway(self, last: int, code: int = NO_ERROR):
        self.send_frame(GOAWAY, 0, 0, struct.pack(">II", last, code))

    def wait_end(self):
        try:
            while True:
                self.take_frame()
        except (Gone, OSError):
            pass


class Http2Backend(Http1Backend):
    def _make_connection(self, number: int, sock: socket.socket):
        return ServerConnection(self, number, sock)


def serving2(answer):
    """A script: answer(connection, request) for each complete request, on and on."""
    def script(connection):
        connection.begin()
        while True:
            answer(connection, connection.read_request())
    return script
