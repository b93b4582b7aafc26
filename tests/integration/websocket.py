"""WebSockets: an Upgrade of HTTP/1.1 or an extended CONNECT of HTTP/2 becomes a tunnel to a backend
that says 101, on routes that are for it and nowhere else."""

import base64
import hashlib
import signal
import struct
import threading
import time

from http1_backend import Gone, Http1Backend, answer_bytes
from http1_client import Http1Client
from http2_peer import CANCEL, DATA, END_STREAM, RST_STREAM, Http2Backend, Http2Client
from strangler_test import (DEADLINE_S, SMALL_QUARANTINE, ProxyCase, backend_text, config_text,
                            main, wait_until)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
FIELDS = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13"),
          ("sec-websocket-key", KEY), ("sec-websocket-protocol", "chat"), ("origin", "http://a")]
ENABLE_CONNECT_PROTOCOL = 8
ROUTES = """routes: {
    ws: { prefix = "/ws"; backend = "monolith"; websocket = true; };
    plain: { prefix = "/plain"; backend = "monolith"; };
    h2: { prefix = "/h2"; backend = "h2"; websocket = true; };
};"""


def accept_of(key: str) -> str:
    """RFC 6455 section 4.2.2."""
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(digest).decode()


def accept_bytes(request) -> bytes:
    key = request.value("sec-websocket-key")
    assert len(base64.b64decode(key, validate=True)) == 16, key
    return (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_of(key)}\r\nSec-WebSocket-Protocol: chat\r\n"
            "x-from: backend\r\n\r\n").encode()


def switch(connection):
    request = connection.read_head()
    connection.backend.requests.append(request)
    connection.send(accept_bytes(request))
    return request


def echo_tunnel(connection):
    """Says everything again, and ends its side when the client has ended its own."""
    switch(connection)
    connection.send(b"hello")
    while True:
        try:
            if not connection.buffer:
                connection._more()
        except Gone:
            return
        connection.send(connection.buffer)
        connection.buffer = b""


class OverHttp1:
    """A tunnel's end at a client of HTTP/1.1."""

    tls = False

    def __init__(self, proxy, path="/ws", early: bytes = b"", fields=()):
        self.client = Http1Client(proxy.tls if self.tls else proxy.plain, self.tls)
        self.client.start(path, fields=[*FIELDS, *fields])
        self.client.send(early)

    def head(self):
        return self.client.read_head()

    def check_head(self, case, answer):
        case.assertEqual(answer.status, 101)
        case.assertEqual(answer.value("upgrade"), "websocket")
        case.assertEqual(answer.value("connection"), "upgrade")
        case.assertEqual(answer.value("sec-websocket-accept"), accept_of(KEY))

    def send(self, data):
        self.client.send(data)

    def read(self, length) -> bytes:
        return self.client.read_exactly(length)

    def end(self):
        self.client.end_output()

    def read_rest(self) -> bytes:
        return self.client.read_rest()

    def wait_cut(self):
        self.client.wait_closed()

    def close(self):
        self.client.close()


class OverTls(OverHttp1):
    tls = True


class OverHttp2:
    """The same at a client of HTTP/2."""

    def __init__(self, proxy, path="/ws", early: bytes = b"", fields=()):
        self.client = Http2Client(proxy.plain)
        own = [(name, value) for name, value in FIELDS
               if name not in ("upgrade", "connection", "sec-websocket-key")]
        self.stream = self.client.start_raw(
            [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
             (":path", path), (":authority", "localhost"), *own, *fields], ends=False)
        if early:
            self.send(early)
        self.at = 0

    def head(self):
        return self.client.wait_head(self.stream)

    def check_head(self, case, answer):
        case.assertEqual(answer.status, 200)
        for name in ("upgrade", "connection", "sec-websocket-accept"):
            case.assertIsNone(answer.value(name))

    def send(self, data):
        self.client.send_body(self.stream, data, ends=False)

    def read(self, length) -> bytes:
        answer = self.client.answers[self.stream]
        while len(answer.body) - self.at < length:
            if self.stream in self.client.done:
                raise Gone
            self.client.take_frame()
        self.at += length
        return answer.body[self.at - length:self.at]

    def end(self):
        self.client.send_frame(DATA, END_STREAM, self.stream)

    def read_rest(self) -> bytes:
        answer = self.client.wait(self.stream)
        assert answer.reset is None, answer.reset
        return answer.body[self.at:]

    def wait_cut(self):
        assert self.client.wait(self.stream).reset == CANCEL

    def close(self):
        self.client.close()


FRONTS = (OverHttp1, OverTls, OverHttp2)


class Tunnels(ProxyCase):
    def start(self, script=echo_tunnel, more: str = "", **options):
        self.backend = self.closing(Http1Backend(script))
        self.h2 = self.closing(Http2Backend(lambda connection: connection.wait_end()))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port, more=more),
            backend_text("h2", self.h2.port, "h2"), more=ROUTES), **options)

    def on_all_fronts(self, **more):
        for front in FRONTS:
            with self.subTest(front.__name__):
                yield self.closing(front(self.proxy, **more))

    def test_bytes_pass_both_ways_and_ends_do(self):
        self.start()
        for tunnel in self.on_all_fronts():
            answer = tunnel.head()
            tunnel.check_head(self, answer)
            self.assertEqual(answer.value("sec-websocket-protocol"), "chat")
            self.assertEqual(answer.value("x-from"), "backend")
            self.assertEqual(tunnel.read(5), b"hello")
            for i in range(20):
                data = b"%d" % i * 1000
                tunnel.send(data)
                self.assertEqual(tunnel.read(len(data)), data)
            if isinstance(tunnel, OverTls):
                continue  # there is no half of a TLS socket in Python
            tunnel.send(b"last")
            tunnel.end()
            self.assertEqual(tunnel.read_rest(), b"last")
        for request in self.backend.requests:
            self.assertEqual(request.method, "GET")
            self.assertEqual(request.value("upgrade"), "websocket")
            self.assertEqual(request.value("connection"), "upgrade")
            self.assertEqual(request.value("sec-websocket-version"), "13")
            self.assertIsNone(request.value("content-length"))
            self.assertIsNone(request.value("transfer-encoding"))

    def test_what_is_sent_before_101_is_the_tunnel_s(self):
        self.start()
        for tunnel in self.on_all_fronts(early=b"early bird"):
            tunnel.head()
            self.assertEqual(tunnel.read(15), b"helloearly bird")

    def test_the_backend_s_end_is_passed_on_while_the_client_goes_on(self):
        heard = []

        def script(connection):
            switch(connection)
            connection.send(b"bye")
            connection.socket.shutdown(1)
            heard.append(connection.read_exactly(8))
            try:
                connection._more()
            except Gone:
                heard.append("end")
        self.start(script)
        for front in (OverHttp1, OverHttp2):
            heard.clear()
            tunnel = self.closing(front(self.proxy))
            tunnel.head()
            self.assertEqual(tunnel.read(3), b"bye")
            if front is OverHttp1:
                self.assertEqual(tunnel.client.read_rest(), b"")
            else:
                tunnel.client.wait(tunnel.stream)
            tunnel.send(b"and more")
            tunnel.end()
            wait_until("the backend heard it", lambda: heard == [b"and more", "end"])

    def test_a_half_that_nobody_speaks_on_any_more_ends(self):
        def script(connection):
            switch(connection)
            connection.socket.shutdown(1)
            connection.wait_end()
        self.start(script, more='timeouts: { idle = "1s"; };')
        tunnels = list(self.on_all_fronts())
        for tunnel in tunnels:  # their clients wait for something, or are gone without a word
            tunnel.head()
        self.proxy.wait_total(0, "strangler_live_exchanges")
        self.proxy.wait_total(0, "strangler_connections", protocol="http/1.1")

    def test_a_half_whose_backend_is_gone_ends(self):
        gone = []

        def script(connection):
            switch(connection)
            connection.socket.shutdown(1)
            connection.read_exactly(1)
            connection.reset()
            gone.append(1)
        self.start(script)
        tunnels = list(self.on_all_fronts())
        for tunnel in tunnels:
            tunnel.head()
            tunnel.send(b"y")
        wait_until("no backend is there", lambda: len(gone) == len(tunnels))
        for tunnel in tunnels:
            tunnel.send(b"y")
        self.proxy.wait_total(0, "strangler_live_exchanges")
        self.proxy.wait_total(0, "strangler_connections", protocol="http/1.1")

    def test_a_tunnel_that_a_backend_resets_is_cut(self):
        def script(connection):
            switch(connection)
            connection.send(b"x")
            connection.read_exactly(1)
            connection.reset()
        self.start(script)
        for tunnel in self.on_all_fronts():
            tunnel.head()
            self.assertEqual(tunnel.read(1), b"x")
            tunnel.send(b"y")
            tunnel.wait_cut()
        self.assertEqual(self.proxy.total("strangler_backend_errors_total"), 0)

    def test_a_client_that_goes_takes_its_tunnel_along(self):
        gone = []

        def script(connection):
            switch(connection)
            try:
                connection._more()
            except (Gone, OSError):
                gone.append(1)
        self.start(script)
        for count, tunnel in enumerate(self.on_all_fronts()):
            tunnel.head()
            if isinstance(tunnel, OverHttp2):
                tunnel.client.send_frame(RST_STREAM, 0, tunnel.stream, struct.pack(">I", CANCEL))
            else:
                tunnel.close()
            wait_until("the backend hears of it", lambda: len(gone) == count + 1)
        self.proxy.wait_total(0, "strangler_live_exchanges")

    def test_other_answers_are_plain_answers(self):
        def script(connection):
            while True:
                request = connection.read_head()
                connection.backend.requests.append(request)
                connection.send(answer_bytes(b"not for you", status="403 Forbidden"))
        self.start(script)
        for tunnel in self.on_all_fronts():
            answer = tunnel.head()
            self.assertEqual(answer.status, 403)
            self.assertEqual(tunnel.read(11), b"not for you")
            if not isinstance(tunnel, OverHttp2):  # and the connection goes on
                self.assertEqual(tunnel.client.ask("/plain").body, b"not for you")

    def test_what_was_meant_for_a_tunnel_never_follows_a_plain_answer(self):
        met = []
        said = threading.Event()

        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nno")
            met.append(said.wait(DEADLINE_S) and connection.has_input(0.5))
            connection.send(b"pe")
            connection.wait_end()
        self.start(script)
        tunnel = self.closing(OverHttp2(self.proxy))
        self.assertEqual(tunnel.head().status, 404)
        tunnel.send(b"GET /plain/smuggled HTTP/1.1\r\nhost: a\r\n\r\n")
        tunnel.client.wait_ping()
        said.set()
        self.assertEqual(tunnel.client.wait(tunnel.stream).body, b"nope")
        self.assertEqual(met, [False])

    def test_routes_that_are_not_for_it_see_a_plain_get(self):
        def script(connection):
            while True:
                connection.read_request()
                connection.send(answer_bytes(b"plain"))
        self.start(script)
        for path in ("/plain", "/else"):
            for front in (OverHttp1, OverTls):
                tunnel = self.closing(front(self.proxy, path))
                self.assertEqual(tunnel.client.read().body, b"plain")
            self.assertEqual(self.closing(OverHttp2(self.proxy, path)).head().status, 501)
        for request in self.backend.requests:
            for name in ("upgrade", "connection"):
                self.assertIsNone(request.value(name))

    def test_a_backend_of_http2_has_no_websockets(self):
        self.start()
        self.assertEqual(self.closing(OverHttp2(self.proxy, "/h2")).head().status, 501)

    def test_a_backend_that_never_says_whether_it_is_one_is_not_waited_for(self):
        def script(connection):
            connection.read_head()
            connection.wait_end()
        self.start(script, more='timeouts: { first_byte = "1s"; };')
        for tunnel in self.on_all_fronts():
            self.assertEqual(tunnel.head().status, 504)

    def test_only_a_whole_and_plain_upgrade_to_websocket_is_one(self):
        def script(connection):
            while True:
                request = connection.read_request()
                self.assertIsNone(request.value("upgrade"))
                connection.send(answer_bytes(b"plain"))
        self.start(script)
        client = self.closing(Http1Client(self.proxy.plain))
        for method, version, fields in (
                ("GET", "1.1", [("upgrade", "websocket")]),
                ("GET", "1.1", [("connection", "upgrade")]),
                ("GET", "1.1", [("upgrade", "h2c"), ("connection", "upgrade")]),
                ("GET", "1.1", [("upgrade", "xwebsocket"), ("connection", "upgrade")]),
                ("POST", "1.1", [("upgrade", "websocket"), ("connection", "upgrade"),
                                 ("content-length", "0")]),
                ("GET", "1.1", [("upgrade", "websocket"), ("connection", "upgrade"),
                                ("transfer-encoding", "chunked")]),
                ("GET", "1.0", [("upgrade", "websocket"),
                                ("connection", "upgrade, keep-alive")])):
            client.start("/ws", method, fields, version)
            if fields[-1][0] == "transfer-encoding":
                client.send(b"0\r\n\r\n")
            self.assertEqual(client.read().body, b"plain")

    def test_a_switch_that_is_none_is_502(self):
        answers = [
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
            b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"content-length: 5\r\n\r\n",
        ]

        def script(connection):
            connection.read_head()
            connection.send(answers[0])
            connection.wait_end()
        self.start(script)
        while answers:
            for tunnel in self.on_all_fronts():
                self.assertEqual(tunnel.head().status, 502)
            answers.pop(0)

    def test_extended_connect_is_announced_and_strict(self):
        self.start()
        client = self.closing(Http2Client(self.proxy.plain))
        client.wait_ping()
        self.assertEqual(client.settings[ENABLE_CONNECT_PROTOCOL], 1)
        base = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
                (":path", "/ws"), (":authority", "localhost")]
        for fields, status in (([*base[:1], (":protocol", "connect-udp"), *base[2:]], 501),
                               ([(":method", "GET"), *base[1:]], 0), (base[:2] + base[4:], 0),
                               ([base[0], base[4]], 501)):
            answer = client.wait(client.start_raw(fields, ends=False))
            self.assertTrue(answer.status == status and (status or answer.reset is not None),
                            (fields, answer))
        self.assertEqual(client.wait(client.start_raw(base)).status, 400)  # ended at once
        self.assertEqual(self.backend.requests, [])

    def test_a_slow_end_holds_the_other_back(self):
        total = 32 << 20

        def script(connection):
            switch(connection)
            try:
                for _ in range(total >> 20):
                    connection.send(b"x" * (1 << 20))
            except (Gone, OSError):
                pass
        self.start(script, asan=SMALL_QUARANTINE)
        before = self.proxy.resident_bytes()
        tunnels = list(self.on_all_fronts())
        for tunnel in tunnels:
            tunnel.head()
        if hasattr(tunnels[-1], "client"):
            tunnels[-1].client.auto = False  # gives no window back
        time.sleep(0.3)
        self.assertLess(self.proxy.resident_bytes() - before, 24 << 20)
        tunnels[0].client.skip(total)
        self.assertLess(self.proxy.resident_bytes() - before, 24 << 20)

    def test_a_slow_backend_holds_the_client_back(self):
        taken = []

        def script(connection):
            switch(connection)
            wait_until("the client has filled everything", lambda: taken)
            connection.read_exactly(taken[0])
            connection.send(b"done")
        self.start(script, asan=SMALL_QUARANTINE)
        before = self.proxy.resident_bytes()
        tunnel = self.closing(OverHttp1(self.proxy))
        tunnel.head()
        tunnel.client.socket.setblocking(False)
        sent, end = 0, time.monotonic() + 5
        while time.monotonic() < end and sent < 64 << 20:
            try:
                sent += tunnel.client.socket.send(b"y" * 65536)
                end = time.monotonic() + 0.5
            except BlockingIOError:
                time.sleep(0.01)
        self.assertLess(sent, 64 << 20)
        self.assertLess(self.proxy.resident_bytes() - before, 24 << 20)
        tunnel.client.socket.setblocking(True)
        tunnel.client.socket.settimeout(30)
        taken.append(sent)
        self.assertEqual(tunnel.read(4), b"done")

    def test_silence_on_both_sides_ends_it(self):
        self.start(more='timeouts: { idle = "2s"; };')
        tunnels = list(self.on_all_fronts())
        for tunnel in tunnels:
            tunnel.head()
            self.assertEqual(tunnel.read(5), b"hello")
        for _ in range(4):  # one side's word is enough to keep it
            time.sleep(0.6)
            began = time.monotonic()
            for tunnel in tunnels:
                tunnel.send(b"x")
                self.assertEqual(tunnel.read(1), b"x")
        for tunnel in tunnels:
            tunnel.wait_cut()
            self.assertGreater(time.monotonic() - began, 1.9)

    def test_reloads_leave_it_alone_and_the_log_tells_of_it(self):
        self.start()
        tunnels = list(self.on_all_fronts())
        for tunnel in tunnels:
            tunnel.head()
        text = config_text(backend_text("monolith", self.backend.port),
                           more='routes: { ws: { prefix = "/ws"; deny = 403; }; };')
        self.proxy.reload("10-test.cfg", text)
        for tunnel in tunnels:
            tunnel.send(b"still here")
            self.assertEqual(tunnel.read(15), b"hellostill here")
            tunnel.close()
        lines = self.proxy.wait_log(3)
        self.assertEqual({(line["status"], line["method"], line["route"]) for line in lines},
                         {(101, "GET", "ws")})
        self.assertEqual({line["bytes_sent"] for line in lines}, {15})
        self.assertEqual({line["bytes_received"] for line in lines}, {10})

    def test_one_that_would_go_elsewhere_is_given_notice_where_that_is_wanted(self):
        self.start()
        other = self.closing(Http1Backend(echo_tunnel))

        def text(backend):
            keys = f'backend = "{backend}"; websocket = true;'
            return config_text(
                backend_text("monolith", self.backend.port), backend_text("other", other.port),
                more=f"""routes: {{ kept: {{ prefix = "/kept"; {keys} }};
                    ws: {{ prefix = "/ws"; {keys} on_change = "close_after";
                           close_after = "4s"; }}; }};""")

        def check_alive(tunnel):
            tunnel.send(b"still here")
            self.assertEqual(tunnel.read(10), b"still here")
        self.proxy.reload("10-test.cfg", text("monolith"))
        tunnels = list(self.on_all_fronts())
        kept = self.closing(OverHttp2(self.proxy, "/kept"))
        for tunnel in [*tunnels, kept]:
            tunnel.head()
            tunnel.read(5)
        self.proxy.reload("10-test.cfg", text("other"))
        self.proxy.reload("10-test.cfg", text("monolith"))  # taken back in time
        time.sleep(4.5)
        for tunnel in [*tunnels, kept]:
            check_alive(tunnel)
        began = time.monotonic()
        self.proxy.reload("10-test.cfg", text("other"))
        for tunnel in tunnels:
            tunnel.wait_cut()
        self.assertGreater(time.monotonic() - began, 3.5)
        check_alive(kept)

    def test_a_graceful_stop_waits_for_it(self):
        self.start()
        tunnels = [self.closing(front(self.proxy)) for front in (OverHttp1, OverHttp2)]
        for tunnel in tunnels:
            tunnel.head()
            tunnel.read(5)
        self.proxy.process.send_signal(signal.SIGQUIT)
        tunnels[1].client.wait_goaway()
        for tunnel in tunnels:
            tunnel.send(b"still here")
            self.assertEqual(tunnel.read(10), b"still here")
            tunnel.end()
            self.assertEqual(tunnel.read_rest(), b"")
        self.assertEqual(self.proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
