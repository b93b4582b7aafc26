"""Large uploads and downloads through every client that takes them, byte for byte, while the proxy's
memory stays where it was. STRANGLER_TRANSFER_MIB says how large: 1024 by hand, less in a hurry."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from forum_case import HERE
from memory_sampler import Sampler
from streaming_backend import StreamingBackend, body_digest, body_pieces
from strangler_test import (BUILD, SMALL_QUARANTINE, SOURCE, ProxyCase, backend_text, config_text,
                            main)

MIB = 1 << 20
BYTES = int(os.environ.get("STRANGLER_TRANSFER_MIB", "64")) * MIB
GROWTH_BYTES = 32 * MIB
SECONDS = 60 + BYTES // MIB  # at a MiB a second, which is very slow
PIECE_BYTES = 1 << 18
MODULES = os.environ.get("BROWSER_MODULES",
                         os.path.join(os.path.dirname(BUILD), "browser", "node_modules"))
CHROMIUM_SCRIPT = os.path.join(SOURCE, "tests", "browser", "transfer.mjs")
DOWNLOAD = f"/download?bytes={BYTES}"
CURL = ("curl", "--disable", "-sS", "-k", "--fail", "--max-time", str(SECONDS))
NGHTTP = ("nghttp", "--no-verify-peer", "-w", "20", "-W", "24")


class Transfers(ProxyCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="strangler-test-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.file = os.path.join(folder, "body")
        with open(cls.file, "wb") as file:
            for piece in body_pieces(BYTES):
                file.write(piece)
        cls.digest = body_digest(BYTES)

    def setUp(self):
        super().setUp()
        self.backend = self.closing(StreamingBackend())
        self.proxy = self.start_proxy(config_text(backend_text("monolith", self.backend.port)),
                                      asan=SMALL_QUARANTINE)
        self.plain = f"http://127.0.0.1:{self.proxy.plain}"
        self.tls = f"https://127.0.0.1:{self.proxy.tls}"

    def run_client(self, *command: str, **environment: str) -> tuple:
        """(what it says, hashed; the last bytes of it). The proxy's memory is watched meanwhile."""
        digest, last, began = hashlib.sha256(), b"", time.monotonic()
        with Sampler(self.proxy) as sampler, open(self.file, "rb") as file:
            client = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE,
                                      env={**os.environ, **environment})
            with client.stdout as output:
                while piece := output.read1(PIECE_BYTES):
                    digest.update(piece)
                    last = (last + piece)[-1000:]
            self.assertEqual(client.wait(SECONDS), 0, last)
        self.assertLess(sampler.growth(), GROWTH_BYTES)
        print(f"{time.monotonic() - began:.2f} s, {sampler.growth() // 1024} KiB more, ",
              end="", flush=True)
        return digest.hexdigest(), last

    def check_download(self, *command: str):
        self.assertEqual(self.run_client(*command)[0], self.digest)

    def check_upload(self, *command: str):
        said = json.loads(self.run_client(*command)[1])
        self.assertEqual((said["bytes"], said["sha256"]), (BYTES, self.digest))
        return said

    # --- curl

    def curl_downloads(self, origin: str, *options: str):
        self.check_download(*CURL, *options, origin + DOWNLOAD)

    def curl_uploads(self, origin: str, *options: str):
        self.check_upload(*CURL, *options, "-T", self.file, origin + "/upload")

    def test_curl_downloads_over_http_1(self):
        self.curl_downloads(self.plain, "--http1.1")

    def test_curl_downloads_over_http_1_and_tls(self):
        self.curl_downloads(self.tls, "--http1.1")

    def test_curl_downloads_over_http_1_0(self):
        self.curl_downloads(self.plain, "--http1.0")

    def test_curl_downloads_over_http_2_and_tls(self):
        self.curl_downloads(self.tls, "--http2")

    def test_curl_downloads_over_http_2_in_clear(self):
        self.curl_downloads(self.plain, "--http2-prior-knowledge")

    def test_curl_uploads_over_http_1(self):
        self.curl_uploads(self.plain, "--http1.1")

    def test_curl_uploads_over_http_1_and_tls(self):
        self.curl_uploads(self.tls, "--http1.1")

    def test_curl_uploads_in_chunks(self):
        self.check_upload(*CURL, "--http1.1", "-T", "-", self.plain + "/upload")

    def test_curl_uploads_over_http_2_and_tls(self):
        self.curl_uploads(self.tls, "--http2")

    def test_curl_uploads_over_http_2_in_clear(self):
        self.curl_uploads(self.plain, "--http2-prior-knowledge")

    def test_curl_takes_up_a_download_that_broke_off(self):
        for origin, version in ((self.plain, "--http1.1"), (self.tls, "--http2")):
            path = os.path.join(self.folder, "part")
            with open(path, "wb") as part, open(self.file, "rb") as file:
                part.write(file.read(BYTES // 2 + 1))
            self.run_client(*CURL, version, "-C", "-", "-o", path, origin + DOWNLOAD)
            with open(path, "rb") as file:
                self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), self.digest)

    def test_curl_gets_the_trailers_behind_a_body_without_a_length(self):
        heads = os.path.join(self.folder, "heads")
        for origin, *options in ((self.plain, "--http1.1", "-H", "TE: trailers", "-H",
                                  "Connection: TE"), (self.tls, "--http2")):
            self.check_download(*CURL, *options, "-D", heads, f"{origin}/chunked?bytes={BYTES}")
            with open(heads, encoding="latin-1") as file:
                self.assertIn(f"x-sha256: {self.digest}\n", file.read())

    # --- others

    def test_nghttp_downloads(self):
        for origin in (self.tls, self.plain):
            self.check_download(*NGHTTP, origin + DOWNLOAD)

    def test_nghttp_uploads_with_a_trailer(self):
        for origin in (self.tls, self.plain):
            said = self.check_upload(*NGHTTP, "--no-content-length", "--trailer", "x-end: here",
                                     "-d", self.file, origin + "/upload")
            self.assertEqual(said["trailers"], ["x-end: here"])

    def node(self, what: str, check):
        script = os.path.join(HERE, "node_transfer.mjs")
        for origin in (self.tls, self.plain):
            check("node", script, what, origin, DOWNLOAD, self.file)

    def test_node_downloads(self):
        self.node("download", self.check_download)

    def test_node_uploads_with_a_trailer(self):
        self.node("upload", lambda *command: self.assertEqual(
            self.check_upload(*command)["trailers"], ["x-end: here"]))

    def httpx(self, what: str, check):
        script = os.path.join(HERE, "httpx_transfer.py")
        for origin, version in ((self.tls, "2"), (self.plain, "2"), (self.tls, "1.1")):
            check("/usr/bin/python3", "-I", "-B", script, what, origin + DOWNLOAD, version,
                  self.file)

    def test_httpx_downloads(self):
        self.httpx("download", self.check_download)

    def test_httpx_uploads(self):
        self.httpx("upload", self.check_upload)

    def chromium(self, what: str) -> dict:
        _, last = self.run_client("node", CHROMIUM_SCRIPT, what, self.tls, DOWNLOAD, self.file,
                                  BROWSER_MODULES=MODULES)
        said = json.loads(last)
        self.assertEqual((said["bytes"], said["sha256"]), (BYTES, self.digest))

    def test_chromium_downloads(self):
        self.chromium("download")

    def test_chromium_uploads(self):
        self.chromium("upload")


if __name__ == "__main__":
    main(6 * SECONDS)
