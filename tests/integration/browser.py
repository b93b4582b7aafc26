"""People use a browser: one goes through the whole forum, on every stage of a migration. The pictures
stay in the build folder, in browser/."""

import os
import subprocess
import unittest

from shipped_site import SERVICES, Site
from strangler_test import BUILD, SOURCE, ProxyCase, main

MODULES = os.environ.get("BROWSER_MODULES", os.path.join(os.path.dirname(BUILD), "browser",
                                                         "node_modules"))
SCRIPT = os.path.join(SOURCE, "tests", "browser", "forum.mjs")
PICTURES = os.path.join(BUILD, "browser")


class Browser(ProxyCase):
    def visit(self, site: Site, what: str):
        folder = os.path.join(PICTURES, what)
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(
            ["node", SCRIPT, f"https://127.0.0.1:{site.proxy.tls}", folder, f"anna-{what}"],
            env=dict(os.environ, BROWSER_MODULES=MODULES), capture_output=True, text=True,
            timeout=120, check=False)
        self.assertEqual(done.returncode, 0, f"{what}: {done.stdout}{done.stderr}")

    def sides_since(self, site: Site, before: int) -> dict:
        lines = site.proxy.wait_log(before + 1)[before:]
        return {module: {line["side"] for line in lines if line["module"] == module}
                for module in SERVICES}

    def move_writes(self, site: Site):
        for module in SERVICES:
            site.edit(module, write_owner='"extracted"')
        site.reload()
        for module in SERVICES:
            site.proxy.wait_total(1, "strangler_module_write_owner", module=module,
                                  owner="extracted")

    def test_a_visitor_notices_nothing_at_any_stage(self):
        site = Site(self.folder)
        self.addCleanup(site.stop_programs)
        self.addCleanup(site.proxy.finish)
        for module in SERVICES:  # short, so that a visitor who writes all the time sees both sides
            site.edit(module, pin='"100ms"')
        for stage, percent in (("legacy", 0), ("ramp", 50), ("ramp", 100), ("live", 100)):
            for module in SERVICES:
                site.set_stage(module, stage, percent)
            site.reload()
            before = len(site.proxy.log_lines())
            self.visit(site, f"{stage}-{percent}")
            sides = self.sides_since(site, before)
            if stage == "legacy":
                self.assertEqual(set().union(*sides.values()), {"legacy"})
            elif percent == 100:
                self.assertIn("extracted", sides["posts"])
        self.move_writes(site)
        before = len(site.proxy.log_lines())
        self.visit(site, "writes-moved")
        self.assertEqual(set().union(*self.sides_since(site, before).values()), {"extracted"})


if __name__ == "__main__":
    main()
