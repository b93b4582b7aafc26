"""Connects over TLS 1.3 again and again, one request each, and says so in the words of h2load.

    handshakes.py PORT PATH COUNT with|without      (tickets)
"""

import os
import socket
import sys
import time

# Read when the library is loaded: there is no other way to choose a suite of TLS 1.3.
os.environ["OPENSSL_CONF"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openssl.cnf")
import ssl


def make_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def ask_once(context, address, request, session):
    """(a good answer, resumed, the session to come back with)"""
    with socket.create_connection(address) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, session=session) as tls:
            tls.sendall(request)
            answer = b""
            while part := tls.recv(65536):
                answer += part
            return answer.startswith(b"HTTP/1.1 2"), tls.session_reused, tls.session


def main():
    port, path, count, tickets = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    context, session = make_context(), None
    if tickets == "with":
        session = ask_once(context, ("127.0.0.1", port), request, None)[2]
    began, good = time.monotonic(), 0
    for _ in range(count):
        is_good, resumed, latest = ask_once(context, ("127.0.0.1", port), request, session)
        good += is_good and resumed == (tickets == "with")
        session = latest if tickets == "with" else None
    seconds = time.monotonic() - began
    print(f"finished in {seconds:.2f}s, {count / seconds:.2f} req/s")
    print(f"status codes: {good} 2xx")


if __name__ == "__main__":
    main()
