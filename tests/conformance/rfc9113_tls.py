"""RFC 9113 section 9.2 and what belongs to it: which TLS carries HTTP/2, and for which names. Tickets,
certificates, ALPN and what is never spoken (renegotiation, compression, early data) are in
integration/client_tls.py."""

import socket
import ssl
import threading
import warnings

from http2_peer import (END_HEADERS, END_STREAM, PREFACE, SETTINGS, Http2Client, ask_once, frame,
                        headers_frame)
from http2_probe import GET, ConformanceCase
from strangler_test import main

# RFC 9113 appendix A forbids them: CBC, and keys that are not ephemeral.
FORBIDDEN = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA256",
             "AES128-GCM-SHA256", "AES256-SHA", "DHE-RSA-AES128-SHA256")
GOOD = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305")


def client_context(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class Tls(ConformanceCase):
    def shake_hands(self, context, name: str = "localhost") -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", self.proxy.tls), 20)
        try:
            return self.closing(context.wrap_socket(sock, server_hostname=name))
        except ssl.SSLError:
            sock.close()
            raise

    def ask(self, sock, authority: str = "localhost") -> int:
        """One request over HTTP/2 on a connection that somebody else has made."""
        client = Http2Client.__new__(Http2Client)
        super(Http2Client, client).__init__(sock)
        client.next_id, client.answers, client.done = 1, {}, set()
        client.goaways, client.seen = [], []
        client.send(PREFACE + frame(SETTINGS))
        return client.ask("/", authority=authority).status

    def test_2_tls_1_2_and_1_3_carry_it_and_nothing_older(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context("h2")
            context.minimum_version = context.maximum_version = version
            sock = self.shake_hands(context)
            self.assertEqual((sock.version(), sock.selected_alpn_protocol()),
                             (version.name.replace("_", "."), "h2"))
            self.assertEqual(self.ask(sock), 200)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = client_context("h2")
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = version
            with self.assertRaises(ssl.SSLError):
                self.shake_hands(context)

    def test_2_2_ciphers_that_it_forbids_never_carry_it(self):
        for protocols in (("h2",), ("h2", "http/1.1")):
            for cipher in FORBIDDEN:
                context = client_context(*protocols)
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers(cipher)
                with self.subTest(cipher, protocols=protocols):
                    try:
                        agreed = self.shake_hands(context).selected_alpn_protocol()
                    except ssl.SSLError:
                        continue
                    self.assertNotEqual(agreed, "h2")
        for cipher in GOOD:
            context = client_context("h2")
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(cipher)
            self.assertEqual(self.ask(self.shake_hands(context)), 200)

    def test_3_2_its_preface_is_no_request_where_http1_was_agreed_on(self):
        for protocols in ((), ("http/1.1",)):
            sock = self.shake_hands(client_context(*protocols))
            sock.sendall(PREFACE + frame(SETTINGS) + headers_frame(1, GET, END_HEADERS | END_STREAM))
            said = b""
            while piece := sock.recv(65536):
                said += piece
            self.assertRegex(said, rb"^HTTP/1\.1 (400|501|505) ")
        self.assertEqual(self.backend.requests, [])

    def test_9110_7_4_the_authority_decides_whatever_name_the_handshake_was_for(self):
        # All names of a listener are served under the same rules, so that none is misdirected.
        for name in ("localhost", "other.test", None):
            for authority in ("localhost", "elsewhere.test"):
                sock = self.shake_hands(client_context("h2"), name)
                self.assertEqual(self.ask(sock, authority), 200)
                self.assertEqual(self.backend.requests[-1].values("host"), [authority])

    def test_one_connection_may_ask_for_several_names(self):
        client = self.closing(Http2Client(self.proxy.tls, tls=True))
        for name in ("a.test", "b.test", "a.test:8443"):
            self.assertEqual(client.ask("/", authority=name).status, 200)
            self.assertEqual(self.backend.requests[-1].values("host"), [name])

    def test_a_reload_leaves_what_is_open_alone(self):
        client = self.closing(Http2Client(self.proxy.tls, tls=True))
        slow = client.start("/slow")
        over = threading.Event()

        def reload():
            self.proxy.reload()
            over.set()
        thread = threading.Thread(target=reload)
        thread.start()
        while not over.is_set():
            self.assertEqual(client.ask("/").status, 200)
        thread.join()
        self.assertNotIn(slow, client.done)
        self.assertEqual(client.goaways, [])


if __name__ == "__main__":
    main()
