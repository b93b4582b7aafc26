"""The forum's real programs behind a proxy: the monolith, three services, a module for each."""

import json
import os
import subprocess
import tempfile

from services_programs import BUILD, Program
from strangler_test import ProxyCase, backend_text, config_text, free_port

MODULES = {"users": "/api/users", "threads": "/api/threads", "posts": "/api/posts"}
SIBLINGS = {"users": (), "threads": ("users",), "posts": ("users", "threads")}
COMMAND_SECONDS = 120


def command_path(name: str) -> str:
    return os.path.join(BUILD, "extracted", name, name)


def module_text(name: str, percent: float, more: str = "") -> str:
    return f"""
  {name}: {{
    legacy = "monolith"; extracted = "{name}"; stage = "ramp"; percent = {percent}; {more}
    routes: {{ api: {{ prefix = "{MODULES[name]}"; ignore_case = true; }}; }};
  }};"""


class Forum:
    """Every program follows those whose rows it holds, wherever they are written."""

    def __init__(self, folder: str):
        self.folder = folder
        self.programs: dict = {}
        self.ports = {name: free_port() for name in ("monolith", *MODULES)}
        self.start("monolith").wait_ready()
        for name in MODULES:
            self.start(name)
        for name in MODULES:
            self.programs[name].wait_ready()

    @property
    def monolith(self) -> Program:
        return self.programs["monolith"]

    def origin(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def arguments(self, name: str) -> list:
        if name == "monolith":
            return [text for each in MODULES for text in (f"--follow-{each}", self.origin(each))]
        return ["--monolith", self.origin("monolith"),
                *(text for each in SIBLINGS[name] for text in (f"--{each}", self.origin(each)))]

    def start(self, name: str) -> Program:
        self.programs[name] = Program(name, self.folder, *self.arguments(name),
                                      listen=f"127.0.0.1:{self.ports[name]}")
        return self.programs[name]

    def restart(self, name: str) -> Program:
        """At the address where it was."""
        return self.start(name).wait_ready()

    def database(self, name: str) -> str:
        return os.path.join(self.folder, name + ".db")

    def environment(self) -> dict:
        """For the commands that work on both sides."""
        return {"FORUM_LEGACY": self.origin("monolith"),
                **{f"FORUM_{name.upper()}": self.origin(name) for name in MODULES}}

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([command_path(name), *arguments], capture_output=True, text=True,
                              env={**os.environ, **self.environment()}, check=False,
                              timeout=COMMAND_SECONDS)

    def reconcile(self, *arguments: str) -> tuple:
        """(exit status, the report)"""
        done = self.command("reconcile", "--json", *arguments)
        if done.returncode > 1 or done.stderr:
            raise AssertionError(f"reconcile: {done.returncode}: {done.stderr}")
        return done.returncode, json.loads(done.stdout)

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
