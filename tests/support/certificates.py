"""Certificates for tests: authorities, what they sign, and TLS contexts made of those."""

import os
import ssl
import subprocess


def _openssl(*arguments: str):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Authority:
    """`ca.path` is its certificate; `issue` signs others."""

    def __init__(self, folder: str, name: str = "authority"):
        self.folder = folder
        self.path = os.path.join(folder, f"{name}.pem")
        self.key = os.path.join(folder, f"{name}.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.path)

    def issue(self, name: str, alternatives: str = "") -> tuple:
        """(certificate, key). `alternatives` like "DNS:users.test,IP:127.0.0.1"."""
        paths = [os.path.join(self.folder, f"{name}.{end}") for end in ("pem", "key", "csr", "ext")]
        certificate, key, request, extensions = paths
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternatives}\n" if alternatives else "")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key,
                 "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key


def server_context(certificate: str, key: str, protocols=(), client_authority: str = ""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if client_authority:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
