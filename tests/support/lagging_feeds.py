"""Stands between the monolith and who follows its feeds, and lets each event pass only when it is old
enough: a replica that lags. All else passes as it is."""

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

POLL_S = 0.02


class LaggingFeeds:
    def __init__(self, origin: str, lag_s: float):
        self.address = urlsplit(origin).netloc
        self.lag_s = lag_s
        self.closing = threading.Event()
        relay = self

        class Relay(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                relay.pass_on(self, b"")

            def do_POST(self):
                relay.pass_on(self, self.rfile.read(int(self.headers["content-length"] or 0)))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def ask(self, method: str, path: str, body: bytes, fields: dict) -> tuple:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def pass_on(self, relay, body: bytes):
        fields = {name: value for name, value in relay.headers.items()
                  if name.lower() not in ("host", "connection", "content-length")}
        try:
            if relay.command == "GET" and relay.path.startswith("/internal/feed/"):
                answer = self.old_events(relay.path, fields)
            else:
                answer = self.ask(relay.command, relay.path, body, fields)
            self.send(relay, *answer)
        except OSError:  # one of them has ended
            relay.close_connection = True

    def old_events(self, path: str, fields: dict) -> tuple:
        """The feed's answer with the events that are old enough, once there is one or `wait` is over.
        X-Feed-Last stays: whoever follows knows that it lags."""
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        end = time.monotonic() + float(query.pop("wait", "0s").rstrip("s"))
        path = url.path + "?" + "&".join(f"{name}={value}" for name, value in query.items())
        while True:
            status, headers, body = self.ask("GET", path, b"", fields)
            newest = (time.time() - self.lag_s) * 1000
            lines = [line for line in body.splitlines() if json.loads(line)["at_ms"] <= newest]
            if lines or status != 200 or time.monotonic() > end or self.closing.wait(POLL_S):
                return status, headers, b"".join(line + b"\n" for line in lines)

    @staticmethod
    def send(relay, status: int, headers: list, body: bytes):
        relay.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                relay.send_header(name, value)
        relay.send_header("content-length", str(len(body)))
        relay.end_headers()
        relay.wfile.write(body)

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
