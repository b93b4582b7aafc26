"""RFC 9112 section 9 towards clients: how long a connection lives, in which order it is answered,
and that nothing is done with what stands behind its end."""

import socket

from http1_backend import answer_bytes
from http1_client import Http1Client
from strangler_test import main, wait_until
from wire import BEHIND, WireCase, naming, request

KEEP = "host: a\nconnection: keep-alive\n"


def answers_by_path(connection):
    while True:
        seen = connection.read_request()
        if seen.target == "/chunked":
            connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                            b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n")
        elif seen.target == "/hints":
            connection.send(b"HTTP/1.1 103 Go\r\nlink: </a>\r\n\r\n" + answer_bytes(b"page"))
        elif seen.target == "/closes":
            connection.send(answer_bytes(b"x", fields=[("connection", "close")]))
            return
        else:
            connection.send(naming(seen))


class Section9(WireCase):
    script = staticmethod(answers_by_path)

    def test_3_a_connection_stays_unless_somebody_says_otherwise(self):
        client = self.client()
        for path in ("/", "/chunked", "/hints", "/closes", "/"):  # the backend's close is its own
            answer = client.ask(path)
            self.assertEqual((answer.status, answer.value("connection")), (200, None))
        client.close()

    def test_3_close_is_in_every_spelling_the_end(self):
        for fields in ("connection: close\n", "Connection: CLOSE\n", "connection: x, close\n",
                       "connection: close, keep-alive\n", "connection: keep-alive, close\n",
                       "connection: x\nconnection: close\n", "connection: ,,close,\n"):
            with self.subTest(fields):
                self.backend.forget()
                client = self.client()
                client.send(request("GET /1 HTTP/1.1", "host: a\n" + fields) + BEHIND)
                answer = client.read()
                self.assertEqual((answer.body, answer.value("connection")), (b"GET /1", "close"))
                self.assertEqual(client.read_rest(), b"")
                client.close()
                self.assertEqual(self.backend.wire(), request("GET /1 HTTP/1.1"))

    def test_3_http_1_0_ends_unless_it_asks_to_be_kept(self):
        for fields, kept in ("host: a\n", False), (KEEP, True), (KEEP.upper(), True), \
                ("host: a\nconnection: keep-alive, close\n", False), \
                ("host: a\nproxy-connection: keep-alive\n", False):
            with self.subTest(fields):
                client = self.client()
                client.send(request("GET /1 HTTP/1.0", fields))
                answer = client.read()
                self.assertEqual(answer.value("connection"), "keep-alive" if kept else "close")
                if kept:
                    self.assertEqual(client.ask("/2").body, b"GET /2")
                else:
                    self.assertEqual(client.read_rest(), b"")
                client.close()

    def test_6_1_http_1_0_gets_no_chunks_no_trailers_and_no_interim_answers(self):
        for path, body in (("/chunked", b"abc"), ("/hints", b"page")):
            client = self.client()
            client.send(request(f"GET {path} HTTP/1.0", KEEP + "te: trailers\n"))
            answer = client.read()
            self.assertEqual((answer.body, answer.interim, answer.trailers), (body, [], []))
            self.assertIsNone(answer.value("transfer-encoding"))
            client.close()

    def test_3_2_pipelined_requests_are_answered_in_their_order(self):
        said = [request(f"GET /{i} HTTP/1.1") if i % 3 else
                request(f"POST /{i} HTTP/1.1", f"host: a\ncontent-length: {len(BEHIND)}\n", BEHIND)
                for i in range(60)]
        client = self.client()
        client.send(b"".join(said))
        for i in range(60):
            self.assertEqual(client.read().body, f"{'GET' if i % 3 else 'POST'} /{i}".encode())
        client.close()
        self.assertEqual(self.backend.wire(), b"".join(said))

    def test_3_2_what_is_wrong_in_the_middle_ends_it_there(self):
        client = self.client()
        client.send(request("GET /1 HTTP/1.1") + request("GET / HTTP/1.1", "host: a\nx y: z\n") +
                    BEHIND)
        self.assertEqual(client.read().body, b"GET /1")
        answer = client.read()
        self.assertEqual((answer.status, answer.value("connection")), (400, "close"))
        self.assertEqual(client.read_rest(), b"")
        client.close()
        self.assertEqual(self.backend.wire(), request("GET /1 HTTP/1.1"))

    def test_3_a_preface_of_http2_is_no_second_request(self):
        client = self.client()
        self.assertEqual(client.ask("/1").status, 200)
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        self.assertEqual(client.read().status, 505)
        self.assertEqual(client.read_rest(), b"")
        client.close()

    def test_6_who_is_refused_in_the_middle_of_sending_hears_why(self):
        """Closing at once would make the client's kernel drop the answer it has not read yet."""
        for tls in (False, True):
            for line in ("POST /%zz HTTP/1.1", "POST /a\\b HTTP/1.1"):
                with self.subTest(line=line, tls=tls):
                    client = self.client(tls)
                    client.send(request(line, "host: a\ncontent-length: 1000000\n"))
                    for _ in range(20):
                        client.send(b"x" * 10_000)
                    answer = client.read()
                    self.assertEqual((answer.status, answer.value("connection")), (400, "close"))
                    client.close()

    def test_6_the_end_of_the_last_answer_is_the_end_of_the_connection(self):
        client = self.client()
        client.start("/", fields=[("connection", "close")])
        client.read()
        self.assertEqual(client.socket.recv(1), b"")
        client.close()

    def test_a_client_that_has_ended_its_side_is_answered(self):
        client = self.client()
        client.send(request("GET /1 HTTP/1.1") + request("GET /2 HTTP/1.1"))
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([client.read().body for _ in range(2)], [b"GET /1", b"GET /2"])
        self.assertEqual(client.read_rest(), b"")
        client.close()

    def test_8_a_client_that_is_gone_has_left_nothing(self):
        for data in (b"", b"GET", request("GET / HTTP/1.1")[:-2], request("GET / HTTP/1.1"),
                     request(fields="host: a\ncontent-length: 9\n", body=b"x")):
            client = Http1Client(self.proxy.plain)
            client.send(data)
            client.reset()
        wait_until("nothing is left", lambda: self.proxy.total("strangler_connections") == 0)
        self.proxy.wait_total(0, "strangler_live_exchanges")  # they end a moment later


if __name__ == "__main__":
    main()
