"""A backend that keeps every byte it gets, and cases that look at both ends: at what the client is
told, and at what exactly reached the backend, read once more by a strict reader."""

import socket

import strict_http1
from http1_backend import Connection, Gone, Http1Backend, answer_bytes, serving
from http1_client import Http1Client
from strangler_test import ProxyCase, backend_text, config_text, wait_until

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
BEHIND = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"


class WireConnection(Connection):
    def _more(self):
        before = len(self.buffer)
        super()._more()
        self.backend.taken[self.number] += self.buffer[before:]


class WireBackend(Http1Backend):
    def __init__(self, script, **options):
        self.taken: dict = {}  # connection number -> bytes
        self.callers: set = set()  # ports that connections came from
        self.ended = 0             # so many connections are read to their end
        super().__init__(script, **options)

    def _make_connection(self, number: int, sock):
        self.taken[number] = b""
        self.callers.add(sock.getpeername()[1])
        return WireConnection(self, number, sock)

    def _run(self, connection):
        super()._run(connection)
        with self.lock:
            self.ended += 1

    def wait_accepted(self):
        """All who have connected until now."""
        with socket.create_connection((self.host, self.port)) as last:
            wait_until("it is accepted", lambda: last.getsockname()[1] in self.callers)

    def wire(self) -> bytes:
        """Everything, connection by connection."""
        return b"".join(self.taken[number] for number in sorted(self.taken))

    def forget(self):
        """What comes from now on counts; connections that were closed are gone."""
        for number in self.taken:
            self.taken[number] = b""
        self.requests.clear()

    def whole_requests(self) -> list:
        """Read strictly, from every connection; raises NotStrict."""
        return [request for number in sorted(self.taken)
                for request in strict_http1.read_all(self.taken[number])[0]]


def naming(request) -> bytes:
    """An answer that says what it answers."""
    body = f"{request.method} {request.target}".encode()
    data = answer_bytes(body)
    return data[:-len(body)] if request.method == "HEAD" else data


def request(line: str = "POST / HTTP/1.1", fields: str = "host: a\n", body: bytes = b"") -> bytes:
    """The text with CR LF for each of its line ends, and the body as it is."""
    return (line + "\n" + fields + "\n").replace("\n", "\r\n").encode("latin-1") + body


class WireCase(ProxyCase):
    """`forward = []`: the backend gets what the client said and nothing else, so that its bytes can
    be compared."""

    script = staticmethod(serving(naming))
    settings = "forward = [];"
    backend_settings = ""

    def setUp(self):
        super().setUp()
        self.start(self.script)
        self.addCleanup(self.check_the_rest)

    def start(self, script, settings=None, backend_settings=None):
        self.backend = self.closing(WireBackend(script))
        # One worker: one pool, so that a connection in doubt would be used again.
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, more=self.backend_settings
                         if backend_settings is None else backend_settings),
            more=self.settings if settings is None else settings), workers=1)

    def check_the_rest(self):
        """Whatever a case did: all that reached the backend is strict, and nothing is smuggled."""
        for seen in self.backend.whole_requests():
            self.assertNotIn("smuggled", seen.target)

    def client(self, tls: bool = False) -> Http1Client:
        return Http1Client(self.proxy.tls if tls else self.proxy.plain, tls)

    # --- what becomes of a request

    def check_refused(self, data: bytes, *statuses: int):
        """One answer, a problem, and the end of the connection: what stands behind is not looked
        at. Not a byte of it reaches the backend."""
        self.backend.forget()
        client = self.client()
        client.send(data + BEHIND)
        answer = client.read()
        self.assertIn(answer.status, statuses, data[:80])
        self.assertEqual(answer.value("content-type"), "application/problem+json")
        self.assertEqual(answer.value("connection"), "close")
        self.assertRegex(answer.json()["request_id"], f"^{UUID}$")
        self.assertEqual(client.read_rest(), b"")
        client.close()
        self.assertEqual(self.backend.wire(), b"")

    def check_forwarded(self, data: bytes, wire: bytes, method: str = "GET", status: int = 200):
        """The answer, and exactly these bytes at the backend."""
        self.backend.forget()
        client = self.client()
        client.send(data)
        answer = client.read(method)
        self.assertEqual(answer.status, status, data[:80])
        client.close()
        self.assertEqual(self.backend.wire(), wire)
        self.assertEqual(len(self.backend.whole_requests()), 1)
        return answer

    def check_cut(self, data: bytes):
        """The head may have gone on before the fault was seen: then what reached the backend has no
        end, and its connection is closed."""
        self.backend.forget()
        client = self.client()
        try:
            client.send(data + BEHIND)
            answer = client.read()
            self.assertIn(answer.status, (400, 431), data[:80])
            self.assertEqual(answer.value("connection"), "close")
        except (Gone, ConnectionError):
            pass  # the answer had begun
        client.wait_closed()
        client.close()
        self.proxy.wait_total(0, "strangler_backend_streams")
        self.backend.wait_accepted()
        wait_until("what was cut is read to its end", lambda: len(self.backend.taken) ==
                   self.backend.ended + self.proxy.total("strangler_backend_connections"))
        self.assertEqual(self.backend.whole_requests(), [])

    def check_next(self):
        """The next request is served, by a connection that is in order."""
        client = self.client()
        self.assertEqual(client.ask("/next").body, b"GET /next")
        client.close()
