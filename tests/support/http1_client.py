"""A client of HTTP/1.1 that sends what it is told, byte for byte, and reads answers strictly: as a
cache that is easy to poison would not."""

import re
import socket

from http1_backend import Connection, Gone
from http2_peer import connect
from strangler_test import Answer

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\t -~]*")


class Http1Client(Connection):
    """One connection. TLS with ALPN http/1.1, unless `protocols` says otherwise."""

    def __init__(self, port: int, tls: bool = False, protocols=("http/1.1",)):
        super().__init__(None, 0, connect(port, tls, protocols))

    # --- sending

    def send_text(self, text: str):
        """With CR LF for each line end of the text."""
        self.send(text.replace("\n", "\r\n").encode("latin-1"))

    def start(self, path: str = "/", method: str = "GET", fields=(), version: str = "1.1",
              host: str = "localhost"):
        lines = [f"{method} {path} HTTP/{version}", f"host: {host}",
                 *(f"{name}: {value}" for name, value in fields), "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))

    def send_chunk(self, data: bytes):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end_output(self):
        self.socket.shutdown(socket.SHUT_WR)

    # --- hearing

    def _read_answer_head(self) -> Answer:
        line, _, block = self.read_until(b"\r\n\r\n").partition(b"\r\n")
        found = _STATUS_LINE.fullmatch(line)
        assert found, line
        return Answer(int(found[1]), self._read_fields(block), b"")

    def read_head(self) -> Answer:
        """The final head; those before it are its `interim`."""
        interim = []
        while True:
            answer = self._read_answer_head()
            if answer.status >= 200 or answer.status == 101:
                answer.interim = interim
                return answer
            interim.append((answer.status, answer.fields))

    def read_answer_body(self, answer: Answer, method: str = "GET"):
        lengths, codings = answer.values("content-length"), answer.values("transfer-encoding")
        assert len(lengths) + len(codings) <= 1, answer.fields
        if method == "HEAD" or answer.status in (204, 304):
            assert not codings, answer.fields
        elif codings:
            assert codings == ["chunked"], codings
            self._read_chunked(answer)
        elif lengths:
            answer.body = self.read_exactly(int(lengths[0]))
        else:
            assert answer.value("connection") == "close", answer.fields
            answer.body = self.read_rest()

    def read(self, method: str = "GET") -> Answer:
        answer = self.read_head()
        self.read_answer_body(answer, method)
        return answer

    def read_rest(self) -> bytes:
        """Until the other end closes in an orderly way."""
        while True:
            try:
                self._more()
            except Gone:
                data, self.buffer = self.buffer, b""
                return data

    def skip(self, length: int):
        """So many bytes come, and nobody looks at them."""
        while length > len(self.buffer):
            length -= len(self.buffer)
            self.buffer = b""
            self._more()
        self.buffer = self.buffer[length:]

    def wait_closed(self):
        """Until the other end is gone, in whatever way."""
        try:
            self.read_rest()
        except OSError:
            pass

    # --- both

    def ask(self, path: str = "/", method: str = "GET", fields=(), body: bytes = b"",
            **more) -> Answer:
        if body or method in ("POST", "PUT", "PATCH"):
            fields = [*fields, ("content-length", str(len(body)))]
        self.start(path, method, fields, **more)
        self.send(body)
        return self.read(method)

    def ask_raw(self, data: bytes, method: str = "GET") -> Answer:
        self.send(data)
        return self.read(method)

    def close(self):
        self.socket.close()


def ask_raw_once(port: int, data: bytes, tls: bool = False) -> Answer:
    """What is said to these bytes on a connection of their own."""
    client = Http1Client(port, tls)
    try:
        return client.ask_raw(data)
    finally:
        client.close()
