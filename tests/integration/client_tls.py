"""TLS towards clients, beyond a plain handshake: tickets, several certificates, new ones while it
runs, and what is never spoken. Versions and ciphers are in conformance/rfc9113_tls.py."""

import os
import shutil
import socket
import ssl
import subprocess

from certificates import Authority
from http1_backend import Http1Backend, answer_bytes, named, serving
from http2_peer import Http2Client
from strangler_test import ProxyCase, backend_text, config_text, main

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
WORKERS = 4


def client_context(version=None, protocols=("http/1.1",)) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


class TlsCase(ProxyCase):
    def start(self, **options):
        self.backend = self.closing(Http1Backend(named("good")))
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)),
                                      **options)

    def shake_hands(self, context, name: str = "localhost", session=None):
        sock = socket.create_connection(("127.0.0.1", self.proxy.tls), 20)
        return context.wrap_socket(sock, server_hostname=name, session=session)

    def visit(self, context, session=None) -> tuple:
        """(was the session resumed, the one for the next visit). Tickets of TLS 1.3 come with the
        answer."""
        with self.shake_hands(context, session=session) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 200"))
            return sock.session_reused, sock.session

    def s_client(self, *options: str, text: bytes = b"") -> str:
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.proxy.tls}",
                               *options], input=text, capture_output=True, timeout=30, check=False)
        return (done.stdout + done.stderr).decode("utf-8", "replace")


class Tickets(TlsCase):
    def test_every_worker_takes_the_tickets_of_the_others(self):
        self.start(workers=WORKERS)
        for version in VERSIONS:
            context = client_context(version)
            reused, session = self.visit(context)
            self.assertFalse(reused)
            for _ in range(4 * WORKERS):
                reused, session = self.visit(context, session)
                self.assertTrue(reused, version)

    def test_tickets_survive_reloads_and_new_certificates(self):
        self.start(workers=WORKERS)
        authority = Authority(self.folder)
        for version in VERSIONS:
            context = client_context(version)
            session = self.visit(context)[1]
            self.proxy.reload()
            reused, session = self.visit(context, session)
            self.assertTrue(reused, version)
            self.replace_certificate(authority.issue(version.name))
            self.proxy.reload()
            self.assertTrue(self.visit(context, session)[0], version)

    def replace_certificate(self, paths):
        for path, name in zip(paths, ("dev.pem", "dev.key")):
            shutil.copy(path, os.path.join(self.proxy.routes, name))

    def test_a_ticket_that_is_not_ours_costs_a_whole_handshake_and_nothing_else(self):
        self.start()
        mine = self.proxy
        context = client_context(ssl.TLSVersion.TLSv1_2)
        session = self.visit(context)[1]
        self.start()
        self.assertFalse(self.visit(context, session)[0])
        self.proxy = mine
        self.assertTrue(self.visit(context, session)[0])


class Certificates(TlsCase):
    """Which one is shown, told by its serial number."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.start()

    def issue(self, name: str, alternatives: str) -> str:
        for path in self.authority.issue(name, alternatives):
            if path.endswith((".pem", ".key")):
                shutil.copy(path, self.proxy.routes)
        return f'{{ certificate = "{name}.pem"; key = "{name}.key"; }}'

    def listen_with(self, *certificates: str):
        text = self.proxy.own_config()
        begin = text.index("certificates = (")
        end = text.index(");", begin)
        self.proxy.reload("00-proxy.cfg",
                          text[:begin] + f'certificates = ( {", ".join(certificates)} ' + text[end:])

    def shown(self, name) -> str:
        context = client_context()
        with self.shake_hands(context, name) as sock:
            der = sock.getpeercert(True)
        done = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject"],
                              input=der, capture_output=True, timeout=30, check=True)
        return done.stdout.decode().strip().rpartition("= ")[2]

    def test_the_name_picks_it_an_exact_one_first_and_an_unknown_one_gets_the_default(self):
        self.listen_with(self.issue("first", "DNS:first.test"),
                         self.issue("wild", "DNS:*.shop.test"),
                         self.issue("exact", "DNS:www.shop.test,DNS:shop.test"))
        for name, certificate in (
                ("first.test", "first"), ("a.shop.test", "wild"), ("www.shop.test", "exact"),
                ("WWW.Shop.Test", "exact"), ("shop.test", "exact"), ("a.b.shop.test", "first"),
                ("other.test", "first"), (None, "first")):
            self.assertEqual(self.shown(name), certificate, name)

    def test_a_new_certificate_is_shown_after_a_reload_and_no_connection_is_dropped(self):
        client = self.closing(Http2Client(self.proxy.tls, tls=True))
        self.assertEqual(client.ask("/").body, b"good")
        self.assertEqual(self.shown("localhost"), "localhost")
        self.listen_with(self.issue("second", "DNS:localhost"))
        self.assertEqual(self.shown("localhost"), "second")
        self.assertEqual(client.ask("/").body, b"good")

    def test_an_answer_under_way_crosses_a_change_of_certificates_whole(self):
        body = bytes(range(256)) * 20_000
        backend = self.closing(Http1Backend(serving(lambda _: answer_bytes(body))))
        self.proxy.reload("10-test.cfg", config_text(backend_text("monolith", backend.port)))
        client = self.closing(Http2Client(self.proxy.tls, tls=True, window=1 << 25,
                                          settings={4: 100}))
        stream = client.start("/")
        client.wait_head(stream)
        self.listen_with(self.issue("second", "DNS:localhost"))
        client.give_window(stream, 1 << 24)
        self.assertEqual(client.wait(stream).body, body)

    def test_a_certificate_that_cannot_be_used_changes_nothing(self):
        with open(os.path.join(self.proxy.routes, "dev.pem"), "w", encoding="ascii") as file:
            file.write("no certificate\n")
        self.proxy.hang_up()
        self.proxy.wait_total(0, "strangler_config_last_reload_successful")
        self.assertEqual(self.shown("localhost"), "localhost")


class NeverSpoken(TlsCase):
    def setUp(self):
        super().setUp()
        self.start()

    def test_without_a_common_protocol_the_alert_says_so(self):
        said = self.s_client("-alpn", "spdy/3,h3")
        self.assertIn("alert number 120", said)  # no_application_protocol (RFC 7301 section 3.2)

    def test_the_server_s_order_of_protocols_decides(self):
        self.assertIn("ALPN protocol: h2", self.s_client("-alpn", "http/1.1,h2"))
        self.assertIn("No ALPN negotiated", self.s_client())

    def test_the_server_s_order_of_ciphers_decides_too(self):
        said = self.s_client("-tls1_3", "-ciphersuites",
                             "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256")
        self.assertIn("TLS_AES_128_GCM_SHA256", said)
        said = self.s_client("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384")
        self.assertIn("TLS_AES_256_GCM_SHA384", said)

    def test_clients_cannot_renegotiate(self):
        said = self.s_client("-tls1_2", "-msg", text=b"R\n")
        self.assertIn("RENEGOTIATING", said)
        self.assertIn("no_renegotiation", said)

    def test_nothing_is_compressed(self):
        for version in ("-tls1_2", "-tls1_3"):
            self.assertIn("Compression: NONE", self.s_client(version, "-comp"))

    def test_early_data_is_not_taken(self):
        kept = os.path.join(self.folder, "session")
        early = os.path.join(self.folder, "early")
        with open(early, "wb") as file:
            file.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        said = self.s_client("-tls1_3", "-ign_eof", "-sess_out", kept, text=request)
        self.assertIn("Max Early Data: 0", said)
        said = self.s_client("-tls1_3", "-ign_eof", "-sess_in", kept, "-early_data", early,
                             text=request)
        self.assertIn("Reused, TLSv1.3", said)
        self.assertIn("Early data was not sent", said)
        self.assertEqual([seen.method for seen in self.backend.requests], ["GET", "GET"])

    def test_with_tls_minimum_1_3_nothing_older_is_spoken(self):
        self.proxy.reload("20-tls.cfg", 'tls_minimum = "1.3";')
        with self.assertRaises(ssl.SSLError):
            self.shake_hands(client_context(ssl.TLSVersion.TLSv1_2))
        self.visit(client_context(ssl.TLSVersion.TLSv1_3))


if __name__ == "__main__":
    main()
