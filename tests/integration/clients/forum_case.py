"""What the suite of each client stands on: one site, the whole forum behind the proxy with the shipped
routes, for all tests of a file. After each test the proxy must have let go of everything."""

import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from shipped_site import Site

HERE = os.path.dirname(os.path.abspath(__file__))
# Face 1.0 of the forum, which says the same to everybody, and what it answers.
PATHS = {"/": 200, "/api": 200, "/api/users": 200, "/api/users/1": 200, "/api/users/99999": 204,
         "/API/Threads/": 200, "/api/threads/2": 200, "/api/posts/in-thread/1": 200,
         "/api/posts/by-user/99999": 200, "/forum/style.css": 200, "/nothing/here": 404}
PASSWORD = "figs-and-dates"  # of everybody whom the forum knows when it is new
COMMAND_SECONDS = 100


def run_program(*command: str, data: bytes = b"", environment=None) -> str:
    """What it says on standard output. It has to end well."""
    done = subprocess.run(command, input=data, capture_output=True, timeout=COMMAND_SECONDS,
                          env=environment, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command[:4])} … ended with status {done.returncode}: "
                             f"{(done.stderr + done.stdout).decode(errors='replace')[-3000:]}")
    return done.stdout.decode()


class ForumCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="strangler-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.site = Site(cls.folder)
        cls.addClassCleanup(cls.site.stop_programs)
        cls.proxy = cls.site.proxy
        cls.addClassCleanup(cls.proxy.finish)
        cls.plain = f"http://127.0.0.1:{cls.proxy.plain}"
        cls.tls = f"https://127.0.0.1:{cls.proxy.tls}"

    def setUp(self):
        self.scratch = tempfile.mkdtemp(dir=self.folder)
        self.addCleanup(self.proxy.check_nothing_is_left)

    def direct(self, path: str) -> bytes:
        """What the monolith says to those who ask it without a proxy."""
        try:
            with urllib.request.urlopen(self.site.origin("monolith") + path, timeout=20) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.read()

    def write_file(self, name: str, data: bytes) -> str:
        path = os.path.join(self.scratch, name)
        with open(path, "wb") as file:
            file.write(data)
        return path
