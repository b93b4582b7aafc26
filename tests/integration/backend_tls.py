"""TLS towards backends: whose answers are believed, what the proxy shows of itself, and that both
protocols work over it as they do in clear."""

import ssl
import threading

from certificates import Authority, server_context
from http1_backend import Http1Backend, answer_bytes, echo_body, named, serving
from http2_peer import INTERNAL_ERROR, Http2Backend, Http2Client, serving2
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

NAMES = "DNS:users.test,DNS:*.wild.test"


class BackendTls(ProxyCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.names: list = []  # that clients asked for by SNI

    def context(self, alternatives: str = NAMES, protocols=(), client_authority: str = "",
                authority=None):
        certificate, key = (authority or self.authority).issue("server", alternatives)
        context = server_context(certificate, key, protocols, client_authority)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        return context

    def start_backend(self, script=None, **context):
        self.backend = self.closing(Http1Backend(script or named("good"),
                                                 tls=self.context(**context)))

    def text(self, tls: str, protocol: str = "http/1.1", more: str = "") -> str:
        return config_text(backend_text("monolith", self.backend.port, protocol,
                                        f"tls: {{ {tls} }}; {more}"))

    def trusting(self, name: str = "users.test") -> str:
        return f'ca = "{self.authority.path}"; server_name = "{name}";'

    def start(self, tls: str, protocol: str = "http/1.1", more: str = "", workers: int = 1):
        self.proxy = self.start_proxy(self.text(tls, protocol, more), workers=workers)
        self.client = self.closing(Http2Client(self.proxy.plain))

    def expect_refused(self, words: str):
        before = self.proxy.fault_count("monolith", "tls")
        answer = self.client.ask("/")
        self.assertEqual((answer.status, answer.reset), (502, None))
        self.assertEqual(answer.value("content-type"), "application/problem+json")
        self.assertEqual(self.proxy.fault_count("monolith", "tls"), before + 1)
        self.assertEqual(self.backend.requests, [])
        self.assertIn(words, self.proxy.errors())

    def test_the_right_name_and_chain_are_believed(self):
        self.start_backend()
        self.start(self.trusting())
        for _ in range(3):
            self.assertEqual(self.client.ask("/").body, b"good")
        self.assertEqual(set(self.names), {"users.test"})
        self.assertEqual(self.proxy.fault_count("monolith", "tls"), 0)

    def test_a_wildcard_certificate_is_believed_for_one_label(self):
        self.start_backend()
        self.start(self.trusting("a.wild.test"))
        self.assertEqual(self.client.ask("/").status, 200)

    def test_another_name_is_not_believed_and_hears_no_request(self):
        self.start_backend()
        self.start(self.trusting("other.test"))
        self.expect_refused("hostname mismatch")

    def test_another_authority_is_not_believed(self):
        self.start_backend(authority=Authority(self.folder, "stranger"))
        self.start(self.trusting())
        self.expect_refused("unable to get local issuer certificate")

    def test_without_ca_the_authorities_of_the_system_are_asked(self):
        self.start_backend()
        self.start('server_name = "users.test";')
        self.expect_refused("local issuer")

    def test_without_server_name_the_address_has_to_stand_in_the_certificate(self):
        self.start_backend(alternatives="IP:127.0.0.1")
        self.start(f'ca = "{self.authority.path}";')
        self.assertEqual(self.client.ask("/").status, 200)
        self.assertEqual(self.names, [None])  # an address is no name to tell by SNI

    def test_a_name_does_not_stand_for_the_address(self):
        self.start_backend()
        self.start(f'ca = "{self.authority.path}";')
        self.expect_refused("IP address mismatch")

    def test_not_verified_anybody_may_answer(self):
        self.start_backend(authority=Authority(self.folder, "stranger"))
        self.start('verify = false; server_name = "other.test";')
        self.assertEqual(self.client.ask("/").status, 200)
        self.assertEqual(self.names, ["other.test"])

    def test_a_client_certificate_is_shown_when_there_is_one(self):
        certificate, key = self.authority.issue("proxy")
        self.start_backend(client_authority=self.authority.path)
        self.start(self.trusting() + f'certificate = "{certificate}"; key = "{key}";')
        self.assertEqual(self.client.ask("/").status, 200)

    def test_a_backend_that_wants_a_certificate_and_gets_none_is_a_fault_of_tls(self):
        self.start_backend(client_authority=self.authority.path)
        self.start(self.trusting())
        self.expect_refused("certificate required")

    def test_a_backend_without_tls_is_a_fault_of_tls(self):
        self.backend = self.closing(Http1Backend(named("plain")))
        self.backend.script = lambda connection: connection.send(answer_bytes(b"plain"))
        self.start(self.trusting())
        self.expect_refused("wrong version number")

    def test_a_silent_handshake_ends_with_the_time_to_connect(self):
        self.backend = self.closing(Http1Backend(lambda connection: connection.wait_end()))
        self.start(self.trusting(), more='timeouts: { connect = "200ms"; };')
        self.assertEqual(self.client.ask("/").status, 504)
        self.assertEqual(self.proxy.fault_count("monolith", "connect_timeout"), 1)

    def test_h2_is_agreed_by_alpn(self):
        self.backend = self.closing(Http2Backend(serving2(
            lambda connection, request: connection.answer(request.stream, b"two")),
            tls=self.context(protocols=["h2", "http/1.1"])))
        self.start(self.trusting(), "h2")
        for stream in [self.client.start() for _ in range(20)]:
            self.assertEqual(self.client.wait(stream).body, b"two")
        self.assertEqual(self.backend.connection_count, 1)

    def test_h2_is_not_spoken_to_a_backend_that_does_not_choose_it(self):
        for protocols in ((), ("http/1.1",)):
            self.start_backend(protocols=protocols)
            self.start(self.trusting(), "h2")
            # One without a common protocol may also refuse by itself.
            self.expect_refused("h2" if not protocols else "TLS")

    def test_a_session_is_resumed(self):
        reused = []

        def script(connection):
            reused.append(connection.socket.session_reused)
            connection.read_request()
            connection.send(answer_bytes(b"bye", fields=[("connection", "close")]))
        self.start_backend(script)
        self.start(self.trusting())
        for _ in range(4):
            self.assertEqual(self.client.ask("/").status, 200)
        self.assertEqual(reused, [False, True, True, True])

    def test_a_reload_with_another_authority_is_obeyed_by_the_next_request(self):
        self.start_backend()
        self.start(self.trusting(), more='timeouts: { keep_alive = "60s"; };')
        self.assertEqual(self.client.ask("/").status, 200)
        good = self.read(self.authority.path)
        stranger = Authority(self.folder, "stranger")
        self.write(self.authority.path, self.read(stranger.path))
        self.proxy.reload()
        self.backend.requests.clear()
        # Neither the open connection nor the session that was made under the old rules serves it.
        self.expect_refused("local issuer")
        self.write(self.authority.path, good)
        self.proxy.reload()
        self.assertEqual(self.client.ask("/").status, 200)

    def test_a_reload_that_changes_nothing_keeps_connections(self):
        self.start_backend()
        self.start(self.trusting(), more='timeouts: { keep_alive = "60s"; };')
        self.assertEqual(self.client.ask("/").status, 200)
        self.proxy.reload()
        self.assertEqual(self.client.ask("/").status, 200)
        self.assertEqual(self.backend.connection_count, 1)

    def test_tls_that_is_turned_on_by_a_reload_is_never_left_out(self):
        clear = self.closing(Http1Backend(named("clear")))
        self.backend = clear
        self.proxy = self.start_proxy(config_text(backend_text(
            "monolith", clear.port, more='timeouts: { keep_alive = "60s"; };')), workers=1)
        self.client = self.closing(Http2Client(self.proxy.plain))
        self.assertEqual(self.client.ask("/").body, b"clear")
        self.proxy.reload("10-test.cfg", self.text(self.trusting()))
        clear.requests.clear()
        self.assertIn(self.client.ask("/").status, (502, 504))
        self.assertEqual(clear.requests, [])

    @staticmethod
    def read(path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    @staticmethod
    def write(path: str, data: bytes):
        with open(path, "wb") as file:
            file.write(data)

    def test_large_bodies_pass_both_ways(self):
        body = bytes(range(256)) * 8000

        def answer(request):
            return answer_bytes(request.body + echo_body(request)[:0])
        self.start_backend(serving(answer))
        self.start(self.trusting(), workers=2)
        for _ in range(3):
            self.assertEqual(self.client.ask("/", "POST", body=body).body, body)

    def test_large_bodies_pass_both_ways_over_h2(self):
        body = bytes(range(256)) * 8000
        self.backend = self.closing(Http2Backend(serving2(
            lambda connection, request: connection.answer(request.stream, request.body)),
            tls=self.context(protocols=["h2"])))
        self.start(self.trusting(), "h2")
        for _ in range(3):
            self.assertEqual(self.client.ask("/", "POST", body=body).body, body)

    def test_get_on_a_connection_that_was_just_closed_is_tried_again_and_post_is_not(self):
        def script(connection):
            connection.read_request()
            connection.send(answer_bytes(b"first"))
            connection.read_request()
        self.start_backend(script)
        self.start(self.trusting())
        self.assertEqual(self.client.ask("/").body, b"first")
        self.assertEqual(self.client.ask("/").body, b"first")
        self.assertEqual(self.client.ask("/", "POST", body=b"x").status, 502)
        self.assertEqual([request.method for request in self.backend.requests],
                         ["GET", "GET", "GET", "POST"])

    def test_an_answer_whose_end_tls_did_not_say_is_cut(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nhow long is this?")
            connection.backend.go.wait(20)
            connection.socket.close()  # Python says no close_notify here
        self.start_backend(script)
        self.backend.go = threading.Event()
        self.start(self.trusting())
        stream = self.client.start()
        self.client.wait_head(stream)
        self.backend.go.set()
        self.assertEqual(self.client.wait(stream).reset, INTERNAL_ERROR)

    def test_an_answer_whose_end_tls_did_say_is_whole(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nso long")
            try:
                connection.socket.unwrap()
            except (ssl.SSLError, OSError):
                pass
        self.start_backend(script)
        self.start(self.trusting())
        answer = self.client.ask("/")
        self.assertEqual((answer.body, answer.reset), (b"so long", None))

    def test_idle_connections_are_known_to_be_closed(self):
        self.start_backend()
        self.start(self.trusting(), more='timeouts: { keep_alive = "50ms"; };')
        self.assertEqual(self.client.ask("/").status, 200)
        self.proxy.wait_total(0, "strangler_backend_connections")
        self.assertEqual(self.client.ask("/").status, 200)
        wait_until("two connections", lambda: self.backend.connection_count == 2)


if __name__ == "__main__":
    main()
