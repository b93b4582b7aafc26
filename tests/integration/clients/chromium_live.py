"""Chromium holds WebSockets over HTTP/2 and over HTTP/1.1, events and a long poll through the proxy to a
real server of them, while the proxy reads its files anew, twice, and people move to the other side.
STRANGLER_LIVE_SECONDS says how long: 600 by hand, less in a hurry."""

import json
import os
import subprocess
import unittest

from strangler_test import (BUILD, SOURCE, ProxyCase, backend_text, config_text, main,
                            wait_until)

SECONDS = int(os.environ.get("STRANGLER_LIVE_SECONDS", "12"))
MODULES = os.environ.get("BROWSER_MODULES",
                         os.path.join(os.path.dirname(BUILD), "browser", "node_modules"))
SCRIPTS = os.path.join(SOURCE, "tests", "browser")
FRONTS = 3


class Live(ProxyCase):
    def start_node(self, script: str, *arguments: str):
        node = subprocess.Popen(["node", os.path.join(SCRIPTS, script), *arguments],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "BROWSER_MODULES": MODULES})
        self.addCleanup(node.stdout.close)
        self.addCleanup(node.wait, SECONDS + 60)
        self.addCleanup(node.stdin.close)  # which ends it
        return node

    def start_server(self, name: str) -> int:
        return int(self.start_node("live_server.mjs", name).stdout.readline())

    def start_site(self):
        backends = [backend_text(name, self.start_server(name)) for name in ("old", "new")]
        self.proxy = self.start_proxy(config_text(*backends, default="old", more="""
            identity = [ "address" ];
            modules: { live: {
                legacy = "old"; extracted = "new"; stage = "ramp"; percent = 0; pin = "0";
                routes: { all: { prefix = "/live"; websocket = true; on_change = "keep"; }; };
            }; };"""))

    def next_line(self):
        line = self.browsers.stdout.readline()
        self.assertTrue(line, "the browsers have given up")
        return json.loads(line)

    def go_on(self):
        self.browsers.stdin.write("go on\n")
        self.browsers.stdin.flush()

    def check_conversation(self, had: dict):
        self.assertEqual((had["code"], had["wasClean"], had["wrong"]), (1000, True, 0))
        self.assertEqual((had["echoed"], had["server"]["echoed"]), (had["sent"], had["sent"]))
        self.assertEqual(had["pushes"], had["server"]["pushed"])
        self.assertGreater(min(had["sent"], had["pushes"]), 5 * SECONDS)

    def test_they_outlive_reloads_and_a_move_to_the_other_side(self):
        self.start_site()
        self.browsers = self.start_node("live.mjs", f"https://127.0.0.1:{self.proxy.tls}",
                                        f"http://127.0.0.1:{self.proxy.plain}", str(SECONDS))
        self.assertEqual(self.next_line(), ["old"] * FRONTS)
        self.proxy.reload()
        moved = self.proxy.command("percent", "live", "100")
        self.assertEqual(moved.returncode, 0, moved.stderr)
        self.go_on()
        self.assertEqual(self.next_line(), ["new"] * FRONTS)
        self.proxy.reload()
        self.go_on()
        self.assertEqual(self.next_line(), ["new"] * FRONTS)
        self.go_on()
        had = self.next_line()
        print(json.dumps(had), end=" ", flush=True)
        for conversation in had["conversations"]:
            self.check_conversation(conversation)
        self.assertEqual(had["events"]["wrong"], 0)
        self.assertGreater(had["events"]["events"], SECONDS)
        self.assertEqual((had["polled"]["status"], had["polled"]["body"]), (200, "old"))
        self.assertGreaterEqual(had["polled"]["ms"], had["pollMs"] - 1)
        self.check_log()

    def check_log(self):
        """Of each front: the long conversation, and one after each change."""
        def sockets_logged():
            return [line for line in self.proxy.log_lines() if line["path"] == "/live/socket"]
        wait_until("a line of each conversation", lambda: len(sockets_logged()) >= 4 * FRONTS)
        sockets = sockets_logged()
        self.assertEqual({line["status"] for line in sockets}, {101})
        protocols = [line["protocol"] for line in sockets]
        self.assertEqual((protocols.count("h2"), protocols.count("http/1.1")), (4, 8))


if __name__ == "__main__":
    main(SECONDS + 240)
