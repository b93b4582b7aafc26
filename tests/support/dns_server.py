"""A scripted DNS server (RFC 1035) on loopback: what it says about each name is a table that the test
changes as it goes."""

import ipaddress
import socket
import struct
import threading
from dataclasses import dataclass, field

from strangler_test import free_port

A, CNAME, AAAA = 1, 5, 28
NO_ERROR, SERVER_FAILURE, NAME_ERROR = 0, 2, 3
TRUNCATED = 0x0200


@dataclass
class Record:
    """What is said about a name. Without addresses of a kind: that there are none."""
    addresses: list = field(default_factory=list)
    ttl: int = 1
    code: int = NO_ERROR
    silent: bool = False
    truncated: bool = False  # over UDP: the whole answer is had over TCP
    alias: str = ""  # a CNAME, with its own ttl below
    alias_ttl: int = 1


def _name_bytes(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _read_question(message: bytes) -> tuple:
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    kind, = struct.unpack_from(">H", message, at + 1)
    return ".".join(labels).lower(), kind, message[12:at + 5]


def _resource(name: str, kind: int, ttl: int, data: bytes) -> bytes:
    return _name_bytes(name) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


class DnsServer:
    def __init__(self):
        self.records: dict = {}
        self.questions: list = []  # (name, kind)
        self.over_tcp = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = free_port()
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen(16)
        self.over = False
        self.threads = [threading.Thread(target=run, daemon=True)
                        for run in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    def says(self, name: str, *addresses: str, **more):
        self.records[name] = Record(list(addresses), **more)

    def asked(self, name: str) -> int:
        return sum(question[0] == name for question in self.questions)

    def _resources(self, name: str, kind: int, record: Record) -> list:
        out = []
        if record.alias:
            out.append(_resource(name, CNAME, record.alias_ttl, _name_bytes(record.alias)))
            name = record.alias
        for text in record.addresses:
            address = ipaddress.ip_address(text)
            if kind == (A if address.version == 4 else AAAA):
                out.append(_resource(name, kind, record.ttl, address.packed))
        return out

    def _answer(self, message: bytes, tcp: bool):
        name, kind, question = _read_question(message)
        self.questions.append((name, kind))
        record = self.records.get(name, Record(code=NAME_ERROR))
        if record.silent:
            return None
        short = record.truncated and not tcp
        self.over_tcp += tcp
        resources = [] if short or record.code else self._resources(name, kind, record)
        flags = 0x8180 | record.code | (TRUNCATED if short else 0)
        return message[:2] + struct.pack(">HHHHH", flags, 1, len(resources), 0, 0) + \
            question + b"".join(resources)

    def _serve_udp(self):
        while not self.over:
            try:
                message, who = self.udp.recvfrom(4096)
            except OSError:
                return
            if self.over or len(message) < 17:
                continue
            answer = self._answer(message, False)
            if answer:
                self.udp.sendto(answer, who)

    def _serve_tcp(self):
        while not self.over:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(5)
                try:
                    while length := sock.recv(2, socket.MSG_WAITALL):
                        message = sock.recv(struct.unpack(">H", length)[0], socket.MSG_WAITALL)
                        answer = self._answer(message, True) or b""
                        sock.sendall(struct.pack(">H", len(answer)) + answer)
                except OSError:
                    pass

    def close(self):
        self.over = True
        self.udp.sendto(b"", ("127.0.0.1", self.port))  # wakes recvfrom()
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.udp.close()
        self.tcp.close()
        for thread in self.threads:
            thread.join(10)
