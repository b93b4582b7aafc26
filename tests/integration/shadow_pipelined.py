"""Copies with `pipeline` over HTTP/1.1: each is compared with its own answer or with none, whatever
the side that gets several at once makes of them."""

import json
import random
import threading

from http1_backend import Gone, answer_bytes, serving
from http2_peer import Http2Client, END_HEADERS, END_STREAM, headers_frame
from shadow_case import JSON, ShadowCase
from strangler_test import main, wait_until

BATCH = 8
WITHOUT_BASELINE = 'compare: { baseline = "0%"; };'


def echo(request) -> bytes:
    return answer_bytes(json.dumps({"path": request.target}).encode(), fields=JSON)


class Pipelined(ShadowCase):
    def start_pipelined(self, extracted, legacy=serving(echo), shadow="", module="", **options):
        """One worker, so that copies of one turn meet."""
        self.start(legacy, extracted, workers=1, module=WITHOUT_BASELINE + module,
                   shadow=f"pipeline = {BATCH}; max_inflight = 1000; {shadow}",
                   backend='timeouts: { keep_alive = "60s"; };', **options)
        self.client = self.closing(Http2Client(self.proxy.plain))
        self.asked = 0

    def send_batch(self) -> list:
        """All of them are in one read of the proxy, so their copies leave at the end of its turn."""
        streams, frames = [], []
        for _ in range(BATCH):
            self.asked += 1
            streams.append(self.client.take_id())
            fields = [(":method", "GET"), (":scheme", "http"), (":path", f"/api/{self.asked}"),
                      (":authority", "localhost")]
            frames.append(headers_frame(streams[-1], fields, END_HEADERS | END_STREAM))
        self.client.send(b"".join(frames))
        return streams

    def wait_batch(self, streams: list):
        for number, stream in enumerate(streams, self.asked - BATCH + 1):
            answer = self.client.wait(stream)
            self.assertEqual((answer.status, answer.json()), (200, {"path": f"/api/{number}"}))

    def ask_batch(self):
        self.wait_batch(self.send_batch())

    def check(self, **verdicts: int):
        """The books of all that was asked; every copy was sent."""
        self.wait_settled(self.asked)
        self.assertEqual(self.drops(), {})
        self.assertEqual(self.verdicts(), verdicts)


class Pairs(Pipelined):
    def test_copies_of_one_turn_share_a_connection_and_each_has_its_own_answer(self):
        self.start_pipelined(serving(echo))
        for _ in range(3):
            self.ask_batch()
            self.wait_settled(self.asked)
        self.check(match=3 * BATCH)
        self.assertEqual(self.extracted.connection_count, 1)
        self.assertGreater(self.legacy.connection_count, 1)  # what clients wait for goes alone
        targets = [request.target for request in self.extracted.requests]
        self.assertEqual(targets, [f"/api/{i}" for i in range(1, self.asked + 1)])

    def test_a_wrong_answer_is_that_of_one_copy_and_of_no_other(self):
        def wrong_once(request):
            return answer_bytes(b'{"path":0}', fields=JSON) if request.target == "/api/3" \
                else echo(request)
        self.start_pipelined(serving(wrong_once))
        self.ask_batch()
        self.check(match=BATCH - 1, learning=1)

    def test_without_the_key_each_copy_has_a_connection(self):
        self.start_pipelined(serving(echo))
        self.change(f"pipeline = {BATCH};", "")
        self.ask_batch()
        self.check(match=BATCH)
        self.assertGreater(self.extracted.connection_count, 1)

    def test_a_get_that_writes_goes_alone(self):
        gate, answered, behind = threading.Event(), [], []

        def first(connection):
            request = connection.read_request()
            gate.wait(20)
            connection.send(echo(request))
            answered.append(request)
            connection.wait_end()

        def second(connection):
            while True:
                request = connection.read_request()
                behind.append(connection.has_input(0))
                connection.send(echo(request))
        self.start_pipelined(second, first, isolated=True, module='shadow_writes = "sandbox";')
        self.change('prefix = "/api";', 'prefix = "/api"; treat_as_write = true;')
        streams = self.send_batch()
        wait_until("the first side has them", lambda: len(self.legacy.requests) == BATCH)
        with self.proxy.frozen():  # so that all copies of these writes may go at one moment
            gate.set()
            wait_until("all are answered", lambda: len(answered) == BATCH)
        self.wait_batch(streams)
        self.check(match=BATCH)
        self.assertEqual(behind, [False] * BATCH)


class Oddities(Pipelined):
    """Who waits behind something odd has no answer: an error, never a mismatch."""

    def test_an_answer_that_says_close_is_the_last_that_shared_a_connection(self):
        def closes(connection):
            while True:
                request = connection.read_request()
                body = json.dumps({"path": request.target}).encode()
                connection.send(answer_bytes(body, fields=[*JSON, ("connection", "close")]))
                if connection.number == 1:
                    connection.wait_end()
                    raise Gone
        self.start_pipelined(closes)
        self.ask_batch()
        self.check(match=1, error=BATCH - 1)
        self.assertIn("one at a time", self.proxy.errors())
        self.ask_batch()
        self.check(match=1 + BATCH, error=BATCH - 1)
        self.assertEqual(self.extracted.connection_count, 1 + BATCH)

    def test_a_side_that_answers_only_the_first_of_all_costs_the_others_their_time(self):
        def lazy(connection):
            connection.send(echo(connection.read_request()))
            connection.wait_end()
        self.start_pipelined(lazy, shadow='timeout = "2s";')
        self.ask_batch()
        self.check(match=1, error=BATCH - 1)

    def test_a_side_that_says_more_than_it_was_asked_for_loses_its_connection(self):
        def talkative(connection):
            for _ in range(BATCH):
                connection.send(echo(connection.read_request()))
            connection.send(answer_bytes(b'{"path":"/api/9"}', fields=JSON))
            connection.wait_end()
        self.start_pipelined(talkative)
        for _ in range(3):
            self.ask_batch()
            self.wait_settled(self.asked)
        self.check(match=3 * BATCH)
        self.assertEqual(self.extracted.connection_count, 3)

    def test_an_answer_that_is_too_long_is_its_own_fault_alone(self):
        def long_once(request):
            return answer_bytes(b"x" * 300000) if request.target == "/api/2" else echo(request)
        self.start_pipelined(serving(long_once))
        self.ask_batch()
        self.check(match=BATCH - 1, not_comparable=1)
        self.assertEqual(self.extracted.connection_count, 1)

    def test_no_answer_is_ever_compared_with_that_of_another_request(self):
        dice = random.Random(7)
        lock = threading.Lock()

        def roll() -> int:
            with lock:
                return dice.randrange(40)

        def wild(connection):
            while True:
                data = echo(connection.read_request())
                what = roll()
                if what == 0:
                    connection.reset()
                    raise Gone
                if what == 1:
                    raise Gone  # closes
                if what == 2:
                    connection.send(data[:roll() + 1])
                    raise Gone
                if what == 3:
                    connection.send(b"HTTP/1.1 2000 no\r\n\r\n" + data)
                elif what < 10:
                    connection.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + data)
                elif what < 20:
                    connection.send(data[:what])
                    connection.send(data[what:])
                else:
                    connection.send(data)
        self.start_pipelined(wild, shadow='timeout = "20s";')
        for _ in range(60):
            self.ask_batch()
        wait_until("copies end", lambda: self.proxy.total("strangler_shadows_in_flight") == 0)
        self.wait_settled(self.asked)
        verdicts = self.verdicts()
        self.assertEqual(set(verdicts), {"match", "error"})
        self.assertEqual(sum(verdicts.values()), self.total("shadow_sent_total"))
        self.assertEqual(set(self.drops()) - {"backend_down"}, set())


if __name__ == "__main__":
    main()
