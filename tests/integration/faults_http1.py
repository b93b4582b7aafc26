"""HTTP/1.1 backends that break the protocol, fall silent or vanish: the client gets the right
status or a reset stream, never a made-up end, and a connection in doubt is never used again."""

import signal
import socket
import threading
import time

from http1_backend import Http1Backend, answer_bytes, named, once, serving
from http2_peer import INTERNAL_ERROR, NO_ERROR, Http2Client, ask_once
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"

# Name of the fault, what the backend says before it closes, the fault's label. No byte of these may
# reach the client.
REFUSED_HEADS = {
    "no_status_line": (b"<html>hello</html>", "malformed"),
    "another_protocol": (b"ICY 200 OK\r\n\r\n", "malformed"),
    "version_2": (b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "status_99": (b"HTTP/1.1 99 Low\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "status_1000": (b"HTTP/1.1 1000 High\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "status_600": (b"HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "status_word": (b"HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "two_lengths": (HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab", "malformed"),
    "length_list": (HEAD + b"content-length: 1, 2\r\n\r\nab", "malformed"),
    "negative_length": (HEAD + b"content-length: -1\r\n\r\n", "malformed"),
    "hex_length": (HEAD + b"content-length: 0x1\r\n\r\na", "malformed"),
    "overflowing_length": (HEAD + b"content-length: 99999999999999999999\r\n\r\n", "malformed"),
    "length_and_coding": (
        HEAD + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "malformed"),
    "coding_and_length": (
        HEAD + b"transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n", "malformed"),
    "other_coding": (HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "malformed"),
    "coding_in_1.0": (
        b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "malformed"),
    "nul_in_value": (HEAD + b"x-a: b\0c\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "cr_in_value": (HEAD + b"x-a: b\rx-c: d\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "space_in_name": (HEAD + b"x a: b\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "space_behind_name": (HEAD + b"content-length : 0\r\n\r\n", "malformed"),
    "no_colon": (HEAD + b"nonsense\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "empty_name": (HEAD + b": x\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "switching_unasked": (
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhi", "malformed"),
    "large_field": (HEAD + b"x-a: " + b"b" * 200_000 + b"\r\n\r\n", "header_limit"),
    "many_fields": (HEAD + b"x-a: b\r\n" * 2000 + b"\r\n", "header_limit"),
    "endless_interim": (b"HTTP/1.1 102 Wait\r\n\r\n" * 2000, "header_limit"),
    "interim_with_content": (
        b"HTTP/1.1 100 Go\r\ncontent-length: 10\r\n\r\n0123456789", "malformed"),
    "interim_in_chunks": (
        b"HTTP/1.1 103 Go\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "malformed"),
    "nothing": (b"", "reset"),
    "half_a_head": (HEAD + b"content-le", "reset"),
    "interim_alone": (b"HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n", "reset"),
}

# The head was good, what follows is not: the stream is reset, so that nobody takes it for whole.
CUT_BODIES = {
    "shorter_than_said": (HEAD + b"content-length: 100\r\n\r\nabc", "reset"),
    "no_last_chunk": (CHUNKED + b"3\r\nabc\r\n", "reset"),
    "half_a_chunk": (CHUNKED + b"30\r\nabc", "reset"),
    "garbage_for_a_size": (CHUNKED + b"3\r\nabc\r\nzz\r\n", "malformed"),
    "signed_size": (CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n", "malformed"),
    "prefixed_size": (CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", "malformed"),
    "overflowing_size": (CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", "malformed"),
    "data_beyond_the_chunk": (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", "malformed"),
}

# Whole answers, with something behind them that must not become the next answer.
SURPLUS = {
    "behind_a_length": (HEAD + b"content-length: 2\r\n\r\nok" + answer_bytes(b"evil"), b"ok"),
    "behind_the_last_chunk": (CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + answer_bytes(b"evil"), b"ok"),
    "behind_204": (b"HTTP/1.1 204 No\r\n\r\n" + b"evil", b""),
    "behind_304": (b"HTTP/1.1 304 Same\r\ncontent-length: 4\r\n\r\n" + b"evil", b""),
}


class MalformedAnswers(ProxyCase):
    """The path names the case; each answer comes on a connection that the backend then closes."""

    def setUp(self):
        super().setUp()
        self.backend = self.closing(Http1Backend(self.answer_by_path))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)))
        self.client = self.closing(Http2Client(self.proxy.plain))

    @staticmethod
    def answer_by_path(connection):
        name = connection.read_request().target[1:]
        table = {**REFUSED_HEADS, **CUT_BODIES}
        connection.send(table[name][0] if name in table else answer_bytes(b"fine"))

    def faults(self, label):
        return self.proxy.fault_count("monolith", label)

    def test_a_faulty_head_becomes_502_and_is_counted(self):
        for name, (_, label) in REFUSED_HEADS.items():
            with self.subTest(name):
                before = self.faults(label)
                answer = self.client.ask("/" + name)
                self.assertEqual((answer.status, answer.reset), (502, None))
                self.assertEqual(answer.value("content-type"), "application/problem+json")
                self.assertEqual(answer.json()["status"], 502)
                self.assertEqual(self.faults(label), before + 1)
        self.assertEqual(self.client.ask("/fine").body, b"fine")

    def test_a_cut_body_resets_the_stream(self):
        for name, (_, label) in CUT_BODIES.items():
            with self.subTest(name):
                before = self.faults(label)
                answer = self.client.ask("/" + name)
                self.assertEqual(answer.reset, INTERNAL_ERROR)
                self.assertIn(answer.status, (0, 200))  # the head may be overtaken
                self.assertEqual(self.faults(label), before + 1)
        self.assertEqual(self.client.ask("/fine").body, b"fine")

    def test_a_head_close_to_the_limit_is_passed_or_refused_but_not_lost(self):
        for length in range(63_000, 65_600, 200):
            status = self.ask_for_head(length).status
            self.assertIn(status, (204, 502), length)
        self.assertEqual(self.ask_for_head(60_000).status, 204)

    def ask_for_head(self, length):
        REFUSED_HEADS["close"] = (b"HTTP/1.1 204 No\r\nx-large: " + b"y" * length + b"\r\n\r\n", "")
        try:
            return self.client.ask("/close")
        finally:
            del REFUSED_HEADS["close"]

    def test_a_client_does_not_pay_for_what_its_backend_cuts(self):
        for _ in range(600):
            self.assertEqual(self.client.ask("/shorter_than_said").reset, INTERNAL_ERROR)
        self.assertEqual(self.client.ask("/fine").body, b"fine")
        self.assertEqual(self.client.goaways, [])

    def test_204_tells_no_length(self):
        for name in ("204 No", "304 Same"):
            CUT_BODIES["length"] = (b"HTTP/1.1 %s\r\ncontent-length: 5\r\n\r\n" % name.encode(), "")
            answer = self.client.ask("/length")
            del CUT_BODIES["length"]
            self.assertEqual((answer.status, answer.reset), (int(name[:3]), None))
            self.assertEqual(answer.value("content-length"), None if name[0] == "2" else "5")

    def test_the_access_log_has_what_became_of_them(self):
        for name in ("status_99", "half_a_chunk"):
            self.client.ask("/" + name)
        first, second = self.proxy.wait_log(2)
        self.assertEqual((first["status"], first["attempts"]), (502, 1))
        self.assertEqual((second["status"], second["bytes_sent"]), (200, 3))


class AnswersByteByByte(ProxyCase):
    def test_an_answer_may_come_byte_by_byte(self):
        def script(connection):
            connection.read_request()
            for byte in CHUNKED + b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n":
                connection.send(bytes([byte]))
            connection.wait_end()
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        answer = ask_once(proxy.plain)
        self.assertEqual((answer.status, answer.body, answer.trailers),
                         (200, b"abcde", [("x-sum", "1")]))

    def test_an_answer_without_length_ends_with_its_connection(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        answer = ask_once(proxy.plain)
        self.assertEqual((answer.status, answer.body, answer.reset), (200, b"until the end", None))


class KeptConnections(ProxyCase):
    def start(self, script, more=""):
        self.backend = self.closing(Http1Backend(script))
        # One worker, so that one pool sees all requests.
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", self.backend.port, more=more)), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def test_a_connection_with_surplus_bytes_is_not_used_again(self):
        def answer(request):
            name = request.target[1:]
            return SURPLUS[name][0] if name in SURPLUS else answer_bytes(b"good")
        self.start(serving(answer))
        for name, (_, body) in SURPLUS.items():
            with self.subTest(name):
                answer = self.client.ask("/" + name)
                self.assertEqual((answer.body, answer.reset), (body, None))
                self.assertEqual(self.client.ask("/next").body, b"good")
        last_of_connection = {request.connection: request.target[1:]
                              for request in self.backend.requests}
        self.assertEqual(sum(name in SURPLUS for name in last_of_connection.values()), len(SURPLUS))

    def test_a_body_behind_the_answer_to_head_is_never_the_next_answer(self):
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"evil"))
            connection.wait_end()
        self.start(script)
        answer = self.client.ask("/", "HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(self.client.ask("/").body, b"evil")  # its own answer this time
        self.assertEqual(self.backend.connection_count, 2)

    def test_bytes_on_an_idle_connection_close_it(self):
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"first"))
            connection.send(answer_bytes(b"evil"))
            connection.wait_end()
            self.backend.ended = True
        self.start(script)
        self.backend.ended = False
        self.assertEqual(self.client.ask("/").body, b"first")
        wait_until("the proxy closes", lambda: self.backend.ended)
        self.assertEqual(self.client.ask("/").body, b"first")

    def test_bytes_that_came_before_the_request_are_not_its_answer(self):
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"good"))
            if connection.number == 1:
                self.backend.go.wait(20)
                connection.send(answer_bytes(b"evil", fields=[("connection", "close")]))
                self.backend.sent.set()
            while True:
                connection.read_request()
                connection.send(answer_bytes(b"good"))
        self.start(script)
        self.backend.go, self.backend.sent = threading.Event(), threading.Event()
        self.assertEqual(self.client.ask("/").body, b"good")
        self.client.wait_ping()  # it has nothing left to do
        # Both wait for the proxy when it wakes: the bytes nobody asked for, and the next request.
        self.proxy.process.send_signal(signal.SIGSTOP)
        self.proxy.wait_stopped()
        self.backend.go.set()
        self.backend.sent.wait(20)
        stream = self.client.start("/next", "POST")
        self.proxy.process.send_signal(signal.SIGCONT)
        answer = self.client.wait(stream)
        self.assertIn((answer.status, answer.body == b"good"), ((200, True), (502, False)), answer)

    def test_connection_close_is_obeyed(self):
        self.start(serving(lambda _: answer_bytes(b"x", fields=[("connection", "close")])))
        for _ in range(3):
            self.assertEqual(self.client.ask("/").body, b"x")
        self.assertEqual(self.backend.connection_count, 3)

    def closes_on_the_second_request(self, connection):
        if connection.number == 1:
            connection.read_request()
            connection.send(answer_bytes(b"first"))
            connection.read_request()
            return
        serving(lambda _: answer_bytes(b"again"))(connection)

    def test_get_on_a_connection_that_was_just_closed_is_tried_again(self):
        self.start(self.closes_on_the_second_request)
        self.assertEqual(self.client.ask("/").body, b"first")
        answer = self.client.ask("/second")
        self.assertEqual((answer.status, answer.body), (200, b"again"))
        self.assertEqual(self.proxy.wait_log(2)[1]["attempts"], 2)

    def test_post_on_a_connection_that_was_just_closed_is_sent_once(self):
        for body in (b"", b"data"):
            with self.subTest(body=body):
                self.start(self.closes_on_the_second_request)
                self.assertEqual(self.client.ask("/").body, b"first")
                self.assertEqual(self.client.ask("/second", "POST", body=body).status, 502)
                self.assertEqual([request.method for request in self.backend.requests],
                                 ["GET", "POST"])

    def test_an_unused_connection_is_closed_after_keep_alive(self):
        self.start(serving(lambda _: answer_bytes(b"x")), 'timeouts: { keep_alive = "100ms"; };')
        self.client.ask("/")
        self.proxy.wait_total(0, "strangler_backend_connections")


class EarlyAnswers(ProxyCase):
    def start(self, script):
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)),
                                      workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def test_an_answer_before_the_end_of_the_request_is_delivered(self):
        def script(connection):
            connection.read_head()
            connection.send(answer_bytes(b"no need"))
            connection.wait_end()
        self.start(script)
        for fields in ((), (("content-length", "100000"),)):
            stream = self.client.start("/", "POST", fields, ends=False)
            self.client.send_body(stream, b"x" * 1000, ends=False)
            answer = self.client.wait(stream)
            self.assertEqual((answer.status, answer.body), (200, b"no need"))
            while self.client.answers[stream].reset is None:
                self.client.take_frame()
            self.assertEqual(self.client.answers[stream].reset, NO_ERROR)
        self.assertEqual(self.backend.connection_count, 2)

    def test_a_body_sent_on_after_an_early_answer_is_dropped(self):
        def script(connection):
            connection.read_head()
            connection.send(answer_bytes(b"enough", status="403 Forbidden"))
            connection.reset()
        self.start(script)
        stream = self.client.start("/", "POST", ends=False)
        self.client.send_body(stream, b"x" * 3_000_000)
        self.assertIn(self.client.wait(stream).status, (403, 502))
        self.assertEqual(self.client.ask("/%zz").status, 400)  # the session lives


class LimitedBodies(ProxyCase):
    def test_the_limit_of_a_body_holds_when_the_answer_has_begun(self):
        def script(connection):
            connection.read_head()
            connection.send(CHUNKED + b"3\r\nabc\r\n")
            connection.wait_end()
        backend = self.closing(Http1Backend(script))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port),
                                             more='limits: { body_bytes = "100KiB"; };'))
        client = self.closing(Http2Client(proxy.plain))
        stream = client.start("/", "POST", ends=False)
        client.wait_head(stream)
        client.send_body(stream, b"x" * 3_000_000)
        self.assertIsNotNone(client.wait(stream).reset)


class Silence(ProxyCase):
    def start(self, script, timeouts):
        self.backend = self.closing(Http1Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", self.backend.port, more=f"timeouts: {{ {timeouts} }};")))

    def expect(self, status, reset, label):
        answer = ask_once(self.proxy.plain)
        self.assertEqual((answer.status, answer.reset), (status, reset))
        self.proxy.wait_total(1, "strangler_backend_errors_total", backend="monolith", fault=label)

    def test_no_first_byte_in_time_is_504(self):
        def script(connection):
            connection.read_request()
            connection.wait_end()
        self.start(script, 'first_byte = "200ms";')
        self.expect(504, None, "first_byte_timeout")

    def test_half_a_head_does_not_stop_the_first_byte_clock(self):
        def script(connection):
            connection.read_request()
            connection.send(HEAD)
            connection.wait_end()
        self.start(script, 'first_byte = "200ms";')
        self.expect(504, None, "first_byte_timeout")

    def test_silence_inside_an_answer_resets_it(self):
        def script(connection):
            connection.read_request()
            connection.send(HEAD + b"content-length: 10\r\n\r\nabc")
            connection.wait_end()
        self.start(script, 'idle = "200ms";')
        self.expect(200, INTERNAL_ERROR, "idle_timeout")

    def test_an_answer_that_dribbles_is_bounded_by_total(self):
        def script(connection):
            connection.read_request()
            connection.send(CHUNKED)
            while not connection.has_input(0.02):
                connection.send(b"1\r\nx\r\n")
        self.start(script, 'total = "400ms"; idle = "10s";')
        self.expect(200, INTERNAL_ERROR, "total_timeout")

    def test_an_answer_that_dribbles_lives_longer_than_idle(self):
        def script(connection):
            connection.read_request()
            connection.send(CHUNKED)
            for _ in range(40):
                connection.send(b"1\r\nx\r\n")
                connection.has_input(0.02)
            connection.send(b"0\r\n\r\n")
            connection.wait_end()
        self.start(script, 'idle = "400ms";')
        answer = ask_once(self.proxy.plain)
        self.assertEqual((answer.body, answer.reset), (b"x" * 40, None))

    def test_no_answer_by_total_is_504(self):
        def script(connection):
            connection.read_request()
            connection.wait_end()
        self.start(script, 'total = "200ms";')
        self.expect(504, None, "total_timeout")

    def test_a_backend_that_accepts_nobody_is_504(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = []
            while True:  # until the kernel answers no more
                sock = self.closing(socket.socket())
                sock.settimeout(0.3)
                waiting.append(sock)
                try:
                    sock.connect(full.getsockname())
                except TimeoutError:
                    break
            self.proxy = self.start_proxy(config_text(backend_text(
                "monolith", full.getsockname()[1], more='timeouts: { connect = "200ms"; };')))
            self.expect(504, None, "connect_timeout")

    def test_a_backend_that_is_not_there_is_502_at_once(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.proxy = self.start_proxy(config_text(backend_text(
                "monolith", closed.getsockname()[1])))
            began = time.monotonic()
            self.expect(502, None, "connect")
            self.assertLess(time.monotonic() - began, 5)

    def test_reset_in_the_middle_of_a_body_resets_the_stream(self):
        def script(connection):
            connection.read_request()
            connection.send(HEAD + b"content-length: 100000\r\n\r\n" + b"x" * 5000)
            connection.backend.head_seen.wait(20)
            connection.reset()
        self.start(script, "")
        self.backend.head_seen = threading.Event()
        client = self.closing(Http2Client(self.proxy.plain))
        stream = client.start()
        while len(client.answers.get(stream).body if stream in client.answers else b"") < 5000:
            client.take_frame()
        self.backend.head_seen.set()
        self.assertEqual(client.wait(stream).reset, INTERNAL_ERROR)


class SeveralEndpoints(ProxyCase):
    def test_a_dead_endpoint_costs_no_request_without_body(self):
        good = self.closing(Http1Backend(named("good")))
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            endpoints = f'"127.0.0.1:{good.port}", "127.0.0.1:{closed.getsockname()[1]}"'
            proxy = self.start_proxy(config_text(
                f"monolith: {{ endpoints = [ {endpoints} ]; }};"))
            client = self.closing(Http2Client(proxy.plain))
            for _ in range(50):
                self.assertEqual(client.ask("/").status, 200)
                self.assertEqual(client.wait(client.start("/", "POST")).status, 200)

    def test_what_one_endpoint_said_is_not_mixed_into_the_answer_of_another(self):
        liar = self.closing(Http1Backend(once(
            b"HTTP/1.1 100 Go\r\ncontent-length: 10\r\n\r\n0123456789")))
        honest = self.closing(Http1Backend(named("honest")))
        proxy = self.start_proxy(config_text(
            f'monolith: {{ endpoints = [ "127.0.0.1:{liar.port}", "127.0.0.1:{honest.port}" ]; '
            'balance = "round_robin"; };'))
        client = self.closing(Http2Client(proxy.plain))
        for _ in range(30):
            answer = client.ask("/")
            self.assertTrue(answer.status == 502 or answer.body == b"honest", answer)


if __name__ == "__main__":
    main()
