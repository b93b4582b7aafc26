"""The scripts in vtc/: scripted clients and servers of varnishtest on both sides of the proxy."""

import os
import subprocess

from strangler_test import ProxyCase, backend_text, config_text, free_port, main

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vtc")


class Scripts(ProxyCase):
    def test_every_script_passes(self):
        scripts = sorted(name for name in os.listdir(SCRIPTS) if name.endswith(".vtc"))
        self.assertTrue(scripts)
        for name in scripts:
            with self.subTest(name):
                self.run_script(os.path.join(SCRIPTS, name))

    def run_script(self, path: str):
        backend, backend2 = free_port(), free_port()
        proxy = self.start_proxy(config_text(
            backend_text("monolith", backend), backend_text("service", backend2, "h2"),
            more='routes: { service: { prefix = "/h2"; backend = "service"; }; };'), workers=1)
        done = subprocess.run(
            ["varnishtest", "-D", f"proxy={proxy.plain}", "-D", f"backend={backend}",
             "-D", f"backend2={backend2}", path],
            cwd=self.folder, capture_output=True, text=True, timeout=40, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    main()
