"""What an operator relies on: Unix listeners, reloads that are whole or nothing, faults that are counted."""

import os
import socket
import subprocess

from http1_backend import Http1Backend, named
from http2_peer import Gone, Http2Client, ask_once, frame
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

PRIORITY, RST_STREAM = 2, 3


class Listeners(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(Http1Backend(named("backend")))
        self.text = config_text(backend_text("monolith", self.backend.port))

    def ask_unix(self, path: str) -> str:
        done = subprocess.run(
            ["curl", "-s", "--http2-prior-knowledge", "--unix-socket", path, "http://site/"],
            capture_output=True, text=True, timeout=20, check=False)
        return done.stdout

    def test_all_workers_accept_from_one_unix_socket_and_its_file_goes_with_them(self):
        path = os.path.join(self.folder, "listen.sock")
        listener = f'listeners: {{ local: {{ address = "unix:{path}"; }}; }};'
        proxy = self.start_proxy_on({"10-test.cfg": self.text, "20-local.cfg": listener}, workers=2)
        for _ in range(8):
            self.assertEqual(self.ask_unix(path), "backend")
        proxy.write("20-local.cfg", "# nothing\n")
        proxy.reload()
        self.assertFalse(os.path.exists(path))
        proxy.reload("20-local.cfg", listener)
        self.assertEqual(self.ask_unix(path), "backend")
        self.assertEqual(proxy.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_a_file_left_by_a_killed_proxy_is_replaced(self):
        path = os.path.join(self.folder, "listen.sock")
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.close()
        self.start_proxy(self.text + f'listeners: {{ local: {{ address = "unix:{path}"; }}; }};')
        self.assertEqual(self.ask_unix(path), "backend")


class WholeReloads(ProxyCase):
    def test_a_refused_reload_leaves_the_access_log_where_it_was(self):
        backend = self.closing(Http1Backend(named("backend")))
        proxy = self.start_proxy(config_text(backend_text("monolith", backend.port)))
        taken = self.closing(socket.socket())
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        other = proxy.log_path + ".other"
        text = proxy.own_config().replace(proxy.log_path, other)
        proxy.write("00-proxy.cfg", text)
        proxy.write("20-more.cfg", "listeners: { more: { address = "
                    f'"127.0.0.1:{taken.getsockname()[1]}"; }}; }};')
        proxy.hang_up()
        wait_until("it is refused", lambda: "generation 1 stays" in proxy.errors())
        self.assertEqual(ask_once(proxy.plain).status, 200)
        self.assertEqual(len(proxy.wait_log(1)), 1)
        self.assertEqual(os.path.getsize(other), 0)
        self.assertEqual(proxy.total("strangler_config_last_reload_successful"), 0)


class ClientFaults(ProxyCase):
    def setUp(self):
        super().setUp()
        backend = self.closing(Http1Backend(named("backend")))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", backend.port), more='limits: { header_timeout = "1s"; };'))

    def wait_fault(self, fault: str):
        self.proxy.wait_total(1, "strangler_client_faults_total", fault=fault)

    def test_each_kind_is_counted_by_its_name(self):
        for port, data, fault in ((self.proxy.plain, b"GET / HTTP/1.1\r\n\r\n", "protocol"),
                                  (self.proxy.tls, b"not a handshake at all", "handshake"),
                                  (self.proxy.plain, b"PRI * HT", "head_timeout")):
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(data)
                self.wait_fault(fault)

    def test_who_sends_only_frames_that_move_nothing_is_counted_and_sent_away(self):
        client = self.closing(Http2Client(self.proxy.plain))
        try:
            for _ in range(40):
                client.send(frame(PRIORITY, stream=1, payload=b"\0\0\0\0\20") * 100)
        except Gone:
            pass
        self.wait_fault("idle_frames")

    def test_resets_are_counted_whatever_code_they_carry(self):
        client = self.closing(Http2Client(self.proxy.plain))
        try:
            for _ in range(600):
                stream = client.start("/")
                client.send_frame(RST_STREAM, stream=stream, payload=b"\0\0\0\0")  # NO_ERROR
        except Gone:
            pass
        self.wait_fault("resets")

    def test_answers_without_content_are_no_resets(self):
        client = self.closing(Http2Client(self.proxy.plain))
        for _ in range(600):
            self.assertEqual(client.ask("/", "HEAD").status, 200)
        self.assertEqual(self.proxy.total("strangler_client_faults_total"), 0)


if __name__ == "__main__":
    main()
