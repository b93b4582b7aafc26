"""extracted/flip between the real applications: who may write, and that nothing is lost on the way."""

import json
import os
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from http1_backend import Http1Backend, answer_bytes, serving
from http2_peer import Http2Backend, serving2
from lagging_feeds import LaggingFeeds
from services_programs import BUILD, Program
from strangler_test import free_port, main, wait_until

FLIP = os.path.join(BUILD, "extracted", "flip", "flip")
NEVER_S = 3600


class Flip(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="strangler-flip-")
        self.addCleanup(folder.cleanup)
        self.users_address, self.monolith_address = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.users_origin = f"http://{self.users_address}"
        self.folder = folder.name
        self.start_monolith()
        self.start_users("--monolith", self.monolith.origin)
        self.addCleanup(lambda: self.users.stop())  # whichever runs then

    def start_users(self, *options):
        self.users = Program("users", self.folder, *options, listen=self.users_address)
        self.users.wait_ready()

    def start_monolith(self):
        """At the same address each time."""
        self.monolith = Program("monolith", self.folder, "--follow-users", self.users_origin,
                                listen=self.monolith_address)
        self.addCleanup(self.monolith.stop)
        self.monolith.wait_ready()

    def flip(self, owner: str, epoch: int, **environment):
        settings = dict(os.environ, FORUM_LEGACY=self.monolith.origin,
                        FORUM_USERS=self.users_origin)
        settings.update(environment)
        return subprocess.run([FLIP, "users", owner, str(epoch)], env=settings, timeout=60,
                              capture_output=True, text=True, check=False)

    def ask(self, side: str, path: str):
        origin = self.monolith.origin if side == "legacy" else self.users_origin
        options = ["--http2-prior-knowledge"] if side == "extracted" else []
        done = subprocess.run(["curl", "-s", "--fail", *options, origin + path], timeout=20,
                              capture_output=True, check=True)
        return json.loads(done.stdout)

    def owner(self, side: str) -> tuple:
        said = self.ask(side, "/internal/owner/users")
        return said["owner"], said["epoch"]

    def register(self, name: str) -> int:
        body = {"username": name, "password": "long enough", "name": name}
        request = urllib.request.Request(
            self.monolith.origin + "/api/2.0/users", json.dumps(body).encode(),
            {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def names_at_service(self) -> list:
        return [user["username"] for user in self.ask("extracted", "/api/users")]

    def test_the_old_owner_refuses_and_the_new_one_has_everything(self):
        self.assertEqual(self.register("before"), 201)
        done = self.flip("extracted", 2)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.owner("legacy"), self.owner("extracted")), (("extracted", 2),) * 2)
        self.assertIn("before", self.names_at_service())
        self.assertEqual(self.register("after"), 409)

    def test_there_and_back_and_there_again(self):
        for owner, epoch in (("extracted", 2), ("legacy", 3), ("extracted", 4)):
            self.assertEqual(self.flip(owner, epoch).returncode, 0)
            self.assertEqual((self.owner("legacy"), self.owner("extracted")),
                             ((owner, epoch),) * 2)
            self.assertEqual(self.register(f"in-{epoch}"), 201 if owner == "legacy" else 409)
        self.assertIn("in-3", self.names_at_service())

    def test_an_old_epoch_changes_nothing(self):
        self.assertEqual(self.flip("extracted", 5).returncode, 0)
        done = self.flip("legacy", 4)
        self.assertEqual(done.returncode, 1)
        self.assertIn("epoch 5", done.stderr)
        self.assertEqual((self.owner("legacy"), self.owner("extracted")), (("extracted", 5),) * 2)

    def let_go(self):
        """A flip that waits for a new owner that never has everything."""
        self.users.stop()
        relay = LaggingFeeds(self.monolith.origin, NEVER_S)
        self.addCleanup(relay.close)
        self.start_users("--monolith", relay.origin)
        self.assertEqual(self.register("too-new"), 201)
        flip = subprocess.Popen([FLIP, "users", "extracted", "2"], text=True,
                                stderr=subprocess.PIPE, env=dict(
                                    os.environ, FORUM_LEGACY=self.monolith.origin,
                                    FORUM_USERS=self.users_origin))
        self.addCleanup(flip.stderr.close)
        self.addCleanup(flip.wait)
        wait_until("it lets go", lambda: self.owner("legacy") == ("extracted", 2))
        return flip

    def test_with_the_new_owner_down_nothing_is_begun(self):
        before = self.owner("legacy")
        for is_stopped in (True, False):
            if is_stopped:
                self.users.process.send_signal(signal.SIGSTOP)
            else:
                self.users.process.kill()
                self.users.process.wait()
            done = self.flip("extracted", 2)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the extracted application at", done.stderr)
            self.assertEqual(self.owner("legacy"), before)
        self.assertEqual(self.register("still-here"), 201)

    def test_with_the_new_owner_lost_on_the_way_the_old_one_owns_again(self):
        flip = self.let_go()
        self.assertEqual(self.register("in-between"), 409)
        self.users.process.kill()
        self.users.process.wait()
        self.assertEqual(flip.wait(30), 1)
        self.assertIn("the extracted application at", flip.stderr.read())
        self.assertEqual(self.owner("legacy"), ("legacy", 3))
        self.assertEqual(self.register("still-here"), 201)

    def test_an_old_owner_that_was_killed_meanwhile_owns_again_when_it_is_back(self):
        flip = self.let_go()
        self.monolith.process.kill()
        self.monolith.process.wait()
        self.assertIn("users stays", flip.stderr.readline())
        self.start_monolith()
        self.assertEqual(flip.wait(30), 1)
        self.assertEqual(self.owner("legacy"), ("legacy", 3))
        self.assertEqual(self.register("still-here"), 201)

    def test_an_application_that_cannot_tell_for_the_moment_is_asked_again(self):
        """What answers 5xx has refused nothing: it may own, or may not, as before."""
        heard = []

        def legacy(request):
            if request.method == "POST":
                heard.append(json.loads(request.body)["owner"])
            busy = heard.count("legacy") in (1, 2)
            body = {"owner": "legacy", "epoch": 1, "feeds_last": {}}
            return answer_bytes(json.dumps(body).encode(),
                                "503 Service Unavailable" if busy else "200 OK")

        def extracted(connection, request):
            status = "409" if request.method == "POST" else "200"
            connection.answer(request.stream, b'{"cursors": {}}', status)
        old, new = Http1Backend(serving(legacy)), Http2Backend(serving2(extracted))
        self.addCleanup(old.close)
        self.addCleanup(new.close)
        done = self.flip("extracted", 2, FORUM_LEGACY=f"http://127.0.0.1:{old.port}",
                         FORUM_USERS=f"http://127.0.0.1:{new.port}")
        self.assertEqual((done.returncode, heard), (1, ["extracted"] + 3 * ["legacy"]))
        self.assertNotIn("may have", done.stderr)

    def test_bad_usage_says_how(self):
        for arguments in ([], ["users", "extracted"], ["users", "both", "2"], ["bots", "legacy", "2"],
                          ["users", "legacy", "0"], ["users", "legacy", "-1"],
                          ["users", "legacy", "2x"]):
            done = subprocess.run([FLIP, *arguments], capture_output=True, text=True, timeout=10,
                                  check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage: flip MODULE OWNER EPOCH", done.stderr)


if __name__ == "__main__":
    main()
