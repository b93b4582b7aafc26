"""The forum's real programs behind a proxy: the monolith, three services, a module for each."""

import os
import tempfile

from services_programs import Program
from strangler_test import ProxyCase, backend_text, config_text

MODULES = {"users": "/api/users", "threads": "/api/threads", "posts": "/api/posts"}


def module_text(name: str, percent: float, more: str = "") -> str:
    return f"""
  {name}: {{
    legacy = "monolith"; extracted = "{name}"; stage = "ramp"; percent = {percent}; {more}
    routes: {{ api: {{ prefix = "{MODULES[name]}"; ignore_case = true; }}; }};
  }};"""


class Forum:
    def __init__(self, folder: str):
        self.folder = folder
        self.programs: dict = {}
        self.monolith = self.start("monolith")
        origin = self.monolith.wait_ready().origin
        for name in MODULES:
            self.start(name, "--monolith", origin)
        for program in self.programs.values():
            if program is not self.monolith:
                program.wait_ready()

    def start(self, name: str, *arguments: str, **options) -> Program:
        self.programs[name] = Program(name, self.folder, *arguments, **options)
        return self.programs[name]

    def restart(self, name: str) -> Program:
        """At the address where it was."""
        old = self.programs[name]
        return self.start(name, "--monolith", self.monolith.origin,
                          listen=f"127.0.0.1:{old.port}").wait_ready()

    def config(self, percent: float, more: str = "") -> str:
        backends = [backend_text("monolith", self.monolith.port)] + [
            backend_text(name, self.programs[name].port, "h2") for name in MODULES]
        modules = "".join(module_text(name, percent) for name in MODULES)
        return config_text(*backends, more=f"modules: {{{modules}\n}};\n{more}")

    def stop(self):
        for program in self.programs.values():
            program.stop()


class ForumCase(ProxyCase):
    def start_forum(self) -> Forum:
        forum = Forum(tempfile.mkdtemp(dir=self.folder))
        self.addCleanup(forum.stop)
        return forum


def url_file(folder: str, port: int, count: int = 30) -> str:
    """Addresses of all modules, for h2load."""
    path = os.path.join(folder, "urls")
    with open(path, "w", encoding="ascii") as file:
        for i in range(1, count + 1):
            for prefix in ("/api/users", "/api/threads", "/api/posts/in-thread",
                           "/api/posts/by-user"):
                file.write(f"http://127.0.0.1:{port}{prefix}/{i}\n")
    return path
