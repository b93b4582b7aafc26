"""HTTP/2 backends that break the protocol, refuse, fall silent or go away."""

import struct
import threading

from http2_peer import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INTERNAL_ERROR, PING,
                        PUSH, REFUSED_STREAM, SETTINGS, WINDOW_UPDATE, Http2Backend, Http2Client,
                        frame, headers_frame)
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

OK = (":status", "200")


def whole(fields, stream=1):
    return headers_frame(stream, fields, END_HEADERS | END_STREAM)


# Name, fields of the head: each breaks RFC 9113 section 8 and must become 502.
REFUSED_HEADS = {
    "no_status": [("x-a", "b")],
    "empty_status": [(":status", "")],
    "status_word": [(":status", "abc")],
    "status_99": [(":status", "99")],
    "status_1000": [(":status", "1000")],
    "status_101": [(":status", "101")],
    "two_statuses": [OK, OK],
    "late_status": [("x-a", "b"), OK],
    "unknown_pseudo": [OK, (":fancy", "1")],
    "request_pseudo": [OK, (":path", "/")],
    "upper_case": [OK, ("X-A", "b")],
    "space_in_name": [OK, ("x a", "b")],
    "capital_of_a_known_name": [OK, ("Date", "b")],
    "empty_name": [OK, ("", "b")],
    "only_a_colon": [OK, (":", "b")],
    "late_pseudo": [OK, ("x-a", "b"), (":status", "200")],
    "blank_before_value": [OK, ("x-a", " b")],
    "blank_behind_value": [OK, ("x-a", "b\t")],
    "delete_in_value": [OK, ("x-a", "b\x7f")],
    "nul_in_value": [OK, ("x-a", b"b\0c")],
    "crlf_in_value": [OK, ("x-a", b"b\r\nx-c: d")],
    "connection_field": [OK, ("connection", "close")],
    "transfer_encoding": [OK, ("transfer-encoding", "chunked")],
    "keep_alive": [OK, ("keep-alive", "timeout=5")],
    "proxy_connection": [OK, ("proxy-connection", "close")],
    "upgrade": [OK, ("upgrade", "websocket")],
    "te_of_more": [OK, ("te", "trailers, deflate")],
    "two_lengths": [OK, ("content-length", "1"), ("content-length", "2")],
    "bad_length": [OK, ("content-length", "x")],
    "negative_length": [OK, ("content-length", "-1")],
    "empty_length": [OK, ("content-length", "")],
    "large_length": [OK, ("content-length", "9223372036854775808")],
    "length_of_an_interim_head": [(":status", "103"), ("content-length", "0")],
    "length_of_no_content": [(":status", "204"), ("content-length", "1")],
    "lengths_of_no_content": [(":status", "204")] + [("content-length", "0")] * 2,
    "ended_interim": [(":status", "103")],
}


class MalformedAnswers(ProxyCase):
    def start(self, script, more=""):
        self.backend = self.closing(Http2Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", self.backend.port, "h2", more)), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def start_answering(self, table):
        """Each request gets the bytes that table[name] makes for its stream; else 200."""
        def script(connection):
            connection.begin()
            while True:
                request = connection.read_request()
                name = request.target[1:]
                if name in table:
                    connection.send(table[name](request.stream))
                else:
                    connection.answer(request.stream, b"fine")
        self.start(script)

    def faults(self, label):
        return self.proxy.fault_count("monolith", label)

    def test_a_faulty_head_becomes_502_and_the_connection_lives(self):
        self.start_answering({
            name: lambda stream, fields=fields: whole(fields, stream)
            for name, fields in REFUSED_HEADS.items()})
        for name in REFUSED_HEADS:
            with self.subTest(name):
                before = self.faults("malformed")
                answer = self.client.ask("/" + name)
                self.assertEqual((answer.status, answer.reset), (502, None))
                self.assertEqual(answer.value("content-type"), "application/problem+json")
                self.assertEqual(self.faults("malformed"), before + 1)
                self.assertEqual(self.client.ask("/fine").body, b"fine")

    def test_a_body_of_another_length_than_said_resets_the_stream(self):
        said = [OK, ("content-length", "5")]
        self.start_answering({
            "short": lambda stream: headers_frame(stream, said) +
            frame(DATA, END_STREAM, stream, b"abc"),
            "long": lambda stream: headers_frame(stream, said) +
            frame(DATA, END_STREAM, stream, b"abcdefgh"),
            "once_more": lambda stream: headers_frame(stream, said) +
            frame(DATA, 0, stream, b"abcdefgh") + frame(DATA, END_STREAM, stream, b"abcde"),
            "none": lambda stream: whole(said, stream)})
        for name in ("short", "long", "once_more"):
            answer = self.client.ask("/" + name)
            self.assertEqual(answer.reset, INTERNAL_ERROR, name)
        self.assertEqual(self.client.ask("/none").status, 502)
        self.assertEqual(self.client.ask("/fine").body, b"fine")

    def test_content_where_there_is_none_does_not_get_to_the_client(self):
        no_content = {"GET": [(":status", "304"), ("content-length", "9")],
                      "HEAD": [OK, ("content-length", "9")], "DELETE": [(":status", "204")]}

        def script(connection):
            connection.begin()
            while True:
                request = connection.read_request()
                content = b"x" if request.target == "/some" else b""
                connection.send(headers_frame(request.stream, no_content[request.method]) +
                                frame(DATA, END_STREAM, request.stream, content))
        self.start(script)
        for method, (status, *_) in no_content.items():
            for path in ("/some", "/none"):
                with self.subTest(path, method=method):
                    answer = self.client.ask(path, method)
                    self.assertEqual((str(answer.status), answer.reset, answer.body),
                                     (status[1], None, b""))

    def test_an_answer_whose_parts_come_in_the_wrong_order_is_reset(self):
        interim = [(":status", "103")]
        begun = lambda stream: headers_frame(stream, [OK]) + frame(DATA, 0, stream, b"abc")
        before_its_head = {
            "content_behind_interim": lambda stream: headers_frame(stream, interim) +
            frame(DATA, 0, stream, b"abc"),
            "end_behind_interim": lambda stream: headers_frame(stream, interim) +
            frame(DATA, END_STREAM, stream)}
        behind_it = {
            "trailers_that_end_nothing": lambda stream: begun(stream) +
            headers_frame(stream, [("x-a", "b")]) + frame(DATA, END_STREAM, stream),
            "a_second_head": lambda stream: begun(stream) + whole([OK], stream),
            "pseudo_in_trailers": lambda stream: begun(stream) + whole([(":path", "/")], stream),
            "length_in_trailers": lambda stream: begun(stream) +
            whole([("content-length", "4")], stream),
            "connection_in_trailers": lambda stream: begun(stream) +
            whole([("connection", "close")], stream),
            "trailers_before_the_end": lambda stream: headers_frame(
                stream, [OK, ("content-length", "4")]) + frame(DATA, 0, stream, b"abc") +
            whole([("x-a", "b")], stream)}
        self.start_answering({**before_its_head, **behind_it})
        for name in before_its_head | behind_it:
            with self.subTest(name):
                before = self.faults("malformed")
                answer = self.client.ask("/" + name)
                if name in before_its_head:
                    self.assertEqual((answer.status, answer.reset), (502, None))
                else:
                    self.assertEqual(answer.reset, INTERNAL_ERROR)
                self.assertEqual(self.faults("malformed"), before + 1)
                self.assertEqual(self.client.ask("/fine").body, b"fine")

    def test_a_field_of_the_backends_table_is_as_good_as_it_was(self):
        entered = lambda value: b"\x88\x40\x03x-a" + bytes([len(value)]) + value  # :status 200, x-a
        again = b"\x88\xbe"  # the last that entered
        blocks = [entered(b"good"), again, again, entered(b"b\0d"), again, entered(b"fine"), again,
                  b"\x88\xbf", b"\x88\xc0", again]  # the one before it, and before that

        def script(connection):
            connection.begin()
            for block in blocks:
                connection.send(frame(HEADERS, END_HEADERS | END_STREAM,
                                      connection.read_request().stream, block))
            connection.wait_end()
        self.start(script)
        answers = [self.client.ask("/") for _ in blocks]
        self.assertEqual([answer.value("x-a") for answer in answers], [
            "good", "good", "good", None, None, "fine", "fine", None, "good", "fine"])
        self.assertEqual([answer.status for answer in answers],
                         [200, 200, 200, 502, 502, 200, 200, 502, 200, 200])

    def test_what_looks_odd_and_is_allowed_passes(self):
        self.start_answering({
            "te": lambda stream: whole([OK, ("te", "Trailers"), ("x-a", "b")], stream),
            "204": lambda stream: whole([(":status", "204"), ("content-length", "0"), ("x-a", "b")],
                                        stream),
            "empty": lambda stream: whole([OK, ("server", ""), ("x-a", "b")], stream),
            "length": lambda stream: headers_frame(stream, [OK, ("x-a", "b"), (
                "content-length", "6")]) + frame(DATA, 0, stream, b"abc") + frame(DATA, 0, stream) +
            frame(DATA, 0, stream, b"def") + whole([("x-c", "d")], stream)})
        for name, body in {"te": b"", "204": b"", "empty": b"", "length": b"abcdef"}.items():
            with self.subTest(name):
                answer = self.client.ask("/" + name)
                self.assertEqual((answer.reset, answer.body, answer.value("x-a")),
                                 (None, body, "b"))
        self.assertIsNone(self.client.ask("/204").value("content-length"))

    def test_a_large_head_is_refused(self):
        self.start_answering({
            "many": lambda stream: whole([OK] + [(f"x-{i}", "y") for i in range(1000)], stream),
            "large": lambda stream: whole([OK, ("x-a", "y" * 50_000), ("x-b", "y" * 50_000)],
                                          stream)})
        for name in ("many", "large"):
            self.assertEqual(self.client.ask("/" + name).status, 502, name)
            self.assertEqual(self.client.ask("/fine").body, b"fine")
        self.assertEqual(self.faults("header_limit"), 2)

    def test_endless_interim_answers_are_refused(self):
        self.start_answering({
            "hints": lambda stream: b"".join(headers_frame(stream, [(":status", "103")])
                                             for _ in range(100))})
        self.assertEqual(self.client.ask("/hints").status, 502)
        self.assertEqual(self.client.ask("/fine").body, b"fine")

    def test_frames_that_break_the_connection_become_502(self):
        # One connection each: the backend is in no state to go on.
        faults = [
            frame(DATA, END_STREAM, 1, b"body without head"),
            frame(CONTINUATION, END_HEADERS, 1, b""),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xff\xff\xff\xff\xff"),
            frame(SETTINGS, 0, 0, b"123"),
            frame(PING, 0, 0, b"short"),
            frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)),
            frame(PUSH, END_HEADERS, 1, struct.pack(">I", 2) + b"\x82"),
            frame(DATA, 0, 99, b"a stream that nobody opened"),
            b"\xff" * 200,
        ]
        def script(connection):
            connection.begin()
            number = int(connection.read_request().target[1:])
            if number < len(faults):
                connection.send(faults[number])
            else:
                connection.answer(1, b"fine")
            connection.wait_end()
        self.start(script, 'timeouts: { first_byte = "20s"; keep_alive = "1ms"; };')
        for number in range(len(faults)):
            with self.subTest(number=number):
                self.assertEqual(self.client.ask(f"/{number}").status, 502)
        self.assertEqual(self.client.ask("/1000").body, b"fine")

    def test_something_else_than_settings_becomes_502(self):
        def script(connection):
            connection.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            connection.wait_end()
        self.start(script)
        self.assertEqual(self.client.ask("/").status, 502)
        self.assertEqual(self.faults("malformed"), 1)

    def test_a_backend_that_ignores_the_window_is_cut_off(self):
        def script(connection):
            connection.begin()
            connection.auto = False
            request = connection.read_request()
            connection.send(headers_frame(request.stream, [OK]))
            for _ in range(10_000):
                connection.send(frame(DATA, 0, request.stream, b"x" * 16384))
        self.start(script)
        client = self.closing(Http2Client(self.proxy.plain, settings={4: 0}))
        stream = client.start()
        self.assertEqual(client.wait(stream).reset, INTERNAL_ERROR)

    def test_a_stream_reset_in_the_middle_of_its_body_is_reset_for_the_client(self):
        def script(connection):
            connection.begin()
            request = connection.read_request()
            connection.send(headers_frame(request.stream, [OK]) +
                            frame(DATA, 0, request.stream, b"abc"))
            connection.backend.go.wait(20)
            connection.reset(request.stream, INTERNAL_ERROR)
            connection.wait_end()
        self.start(script)
        self.backend.go = threading.Event()
        stream = self.client.start()
        while self.client.take_frame().type != DATA:
            pass
        self.backend.go.set()
        self.assertEqual(self.client.wait(stream).reset, INTERNAL_ERROR)
        self.assertEqual(self.faults("reset"), 1)

    def test_a_connection_lost_in_the_middle_of_a_body_resets_all_its_streams(self):
        def script(connection):
            connection.begin()
            for _ in range(5):
                request = connection.read_request()
                connection.send(headers_frame(request.stream, [OK]) +
                                frame(DATA, 0, request.stream, b"abc"))
            connection.socket.close()
        self.start(script)
        for stream in [self.client.start() for _ in range(5)]:
            self.assertEqual(self.client.wait(stream).reset, INTERNAL_ERROR)


class GoingAway(ProxyCase):
    def start(self, script, more=""):
        self.backend = self.closing(Http2Backend(script))
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", self.backend.port, "h2", more)), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def test_a_refused_read_is_tried_once_more(self):
        def script(connection):
            connection.begin()
            while True:
                request = connection.read_request()
                if len(self.backend.requests) == 1 or request.target == "/never":
                    connection.reset(request.stream, REFUSED_STREAM)
                else:
                    connection.answer(request.stream, b"fine")
        self.start(script)
        answer = self.client.ask("/")
        self.assertEqual((answer.status, answer.body), (200, b"fine"))
        self.assertEqual(self.proxy.wait_log(1)[0]["attempts"], 2)
        self.assertEqual(self.client.ask("/never").status, 502)
        self.assertEqual(len(self.backend.requests), 4)
        self.assertEqual(self.proxy.fault_count("monolith", "refused"), 3)

    def test_a_write_whose_body_is_gone_is_not_tried_again(self):
        def script(connection):
            connection.begin()
            while True:
                connection.reset(connection.read_request().stream, REFUSED_STREAM)
        self.start(script)
        self.assertEqual(self.client.ask("/", "POST", body=b"once").status, 502)
        self.assertEqual(len(self.backend.requests), 1)

    def test_requests_above_the_last_stream_of_goaway_go_elsewhere(self):
        def script(connection):
            connection.begin()
            request = connection.read_request()
            if connection.number == 1:
                connection.goaway(0)
                connection.wait_end()
                return
            while True:
                connection.answer(request.stream, b"fine")
                request = connection.read_request()
        self.start(script)
        for method in ("GET", "POST"):
            stream = self.client.start("/", method)
            self.assertEqual(self.client.wait(stream).body, b"fine")
        self.assertEqual(self.backend.connection_count, 2)

    def test_what_goaway_lets_finish_finishes_and_the_next_goes_elsewhere(self):
        def script(connection):
            connection.begin()
            request = connection.read_request()
            if connection.number == 1:
                connection.goaway(request.stream)
                self.backend.go.wait(20)
            while True:
                connection.answer(request.stream, b"from %d" % connection.number)
                request = connection.read_request()
        self.start(script)
        self.backend.go = threading.Event()
        first = self.client.start("/")
        wait_until("the first request", lambda: self.backend.requests)
        # The second one can only be answered when GOAWAY has been heard.
        wait_until("another connection", lambda: self.client.ask("/").body == b"from 2")
        self.backend.go.set()
        self.assertEqual(self.client.wait(first).body, b"from 1")

    def test_a_connection_closed_between_requests_is_not_noticed_by_clients(self):
        def script(connection):
            connection.begin()
            while True:
                request = connection.read_request()
                if request.target == "/close":
                    return
                connection.answer(request.stream, b"fine")
        self.start(script)
        for _ in range(5):
            self.assertEqual(self.client.ask("/").status, 200)
            # An answered connection that closes without an answer: a read may go elsewhere, and
            # meets the same fate there.
            self.assertEqual(self.client.ask("/close").status, 502)

    def test_post_on_a_connection_that_closes_is_sent_once(self):
        def script(connection):
            connection.begin()
            connection.answer(connection.read_request().stream, b"fine")
            connection.read_request()
        self.start(script)
        self.assertEqual(self.client.ask("/").status, 200)
        self.assertEqual(self.client.ask("/", "POST", body=b"once").status, 502)
        self.assertEqual([request.method for request in self.backend.requests], ["GET", "POST"])

    def test_a_limit_of_streams_makes_requests_wait_or_go_elsewhere(self):
        def script(connection):
            connection.begin({3: 1})  # SETTINGS_MAX_CONCURRENT_STREAMS
            while True:
                request = connection.read_request()
                if connection.open or connection.complete:
                    raise AssertionError("more streams than allowed")
                connection.answer(request.stream, b"fine")
        self.start(script)
        self.client.ask("/")  # SETTINGS have been heard
        for stream in [self.client.start(f"/{i}") for i in range(60)]:
            self.assertEqual(self.client.wait(stream).body, b"fine")

    def test_early_answer_with_no_error_is_delivered(self):
        def script(connection):
            connection.begin()
            connection.auto = False
            request = connection.read_head()
            connection.answer(request.stream, b"enough", "413")
            connection.reset(request.stream, 0)
            connection.auto = True
            connection.wait_end()
        self.start(script)
        stream = self.client.start("/", "POST", ends=False)
        self.client.send_body(stream, b"x" * 10_000, ends=False)
        answer = self.client.wait(stream)
        self.assertEqual((answer.status, answer.body), (413, b"enough"))

    def test_no_first_byte_is_504_and_the_stream_is_cancelled(self):
        def script(connection):
            connection.begin()
            while True:
                connection.take_frame()
                self.backend.resets += [code for _, code in connection.resets]
                connection.resets.clear()
        self.start(script, 'timeouts: { first_byte = "200ms"; };')
        self.backend.resets = []
        self.assertEqual(self.client.ask("/").status, 504)
        wait_until("a reset", lambda: self.backend.resets == [8])

    def test_silence_inside_an_answer_resets_it(self):
        def script(connection):
            connection.begin()
            request = connection.read_request()
            connection.send(headers_frame(request.stream, [OK]) +
                            frame(DATA, 0, request.stream, b"abc"))
            connection.wait_end()
        self.start(script, 'timeouts: { idle = "200ms"; };')
        self.assertEqual(self.client.ask("/").reset, INTERNAL_ERROR)
        self.assertEqual(self.proxy.fault_count("monolith", "idle_timeout"), 1)

    def test_a_backend_without_settings_times_out(self):
        def script(connection):
            connection.wait_end()
        self.start(script, 'timeouts: { first_byte = "200ms"; };')
        self.assertEqual(self.client.ask("/").status, 504)

    def test_a_connection_that_fell_silent_is_replaced(self):
        def script(connection):
            connection.begin()
            connection.answer(connection.read_request().stream, b"fine")
            if connection.number == 1:
                connection.auto = False  # as if it were behind a cut wire
                connection.wait_end()
            while True:
                connection.answer(connection.read_request().stream, b"fine")
        self.start(script, 'timeouts: { first_byte = "2s"; keep_alive = "60s"; };')
        self.assertEqual(self.client.ask("/").status, 200)
        self.assertIn(200, [self.client.ask("/").status for _ in range(6)])

    def test_the_client_going_away_cancels_the_request(self):
        def script(connection):
            connection.begin()
            while True:
                connection.take_frame()
                self.backend.resets += [code for _, code in connection.resets]
                connection.resets.clear()
        self.start(script)
        self.backend.resets = []
        self.client.start("/")
        wait_until("a request", lambda: self.backend.requests)
        self.client.close()
        wait_until("a reset", lambda: self.backend.resets == [8])
        self.assertEqual(self.proxy.wait_log(1)[0]["status"], 499)


if __name__ == "__main__":
    main()
