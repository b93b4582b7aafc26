"""The whole demo on free ports: the forum's real programs, which follow each other, behind a proxy
with the files of routes/ as they are shipped but for addresses and places."""

import os
import re
import tempfile

from services_programs import BUILD, Program
from strangler_test import SOURCE, Proxy, free_port

SHIPPED = os.path.join(SOURCE, "routes")
SERVICES = ("users", "threads", "posts")
SHIPPED_PORTS = {"monolith": 3000, "users": 3001, "threads": 3002, "posts": 3003}
# What the harness writes itself, in the file 00-proxy.cfg.
OWN_KEYS = r"(?ms)^(?:admin|state_dir|access_log)\b[^\n]*;$|^listeners: \{.*?^\};$"
ON_FLIP = os.path.join(BUILD, "extracted", "flip", "flip")


def read_shipped(name: str) -> str:
    with open(os.path.join(SHIPPED, name), encoding="utf-8") as file:
        return file.read()


class Site:
    """`programs` by name; `proxy`. Everything ends with close()."""

    def __init__(self, folder: str, **proxy_options):
        self.folder = folder
        self.ports = {name: free_port() for name in SHIPPED_PORTS}
        self.programs: dict = {}
        for name in SHIPPED_PORTS:
            self.start(name)
        for program in self.programs.values():
            program.wait_ready()
        for name, port in self.ports.items():
            variable = "FORUM_LEGACY" if name == "monolith" else f"FORUM_{name.upper()}"
            os.environ[variable] = f"http://127.0.0.1:{port}"
        self.files = {name: self.adapt(read_shipped(name))
                      for name in sorted(os.listdir(SHIPPED)) if name.endswith(".cfg")}
        self.files["01-shipped.cfg"] = re.sub(OWN_KEYS, "", self.files.pop("00-proxy.cfg"))
        self.proxy = Proxy(tempfile.mkdtemp(dir=folder), self.files, proxy_options)

    def origin(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name: str, *more: str) -> Program:
        """A first or another life, at its address; not awaited."""
        if name == "monolith":
            arguments = [word for service in SERVICES
                         for word in (f"--follow-{service}", self.origin(service))]
        else:
            arguments = ["--monolith", self.origin("monolith")]
            arguments += [word for other in ("users", "threads")
                          if other != name and name != "users" and (other, name) != ("posts", "threads")
                          for word in (f"--{other}", self.origin(other))]
        self.programs[name] = Program(name, self.folder, *arguments, *more,
                                      listen=f"127.0.0.1:{self.ports[name]}")
        return self.programs[name]

    def adapt(self, text: str) -> str:
        for name, port in SHIPPED_PORTS.items():
            text = text.replace(f'"127.0.0.1:{port}"', f'"127.0.0.1:{self.ports[name]}"')
        return re.sub(r'(on_flip\s*=\s*)"[^"]*"', rf'\1"{ON_FLIP}"', text)

    def module_file(self, module: str) -> str:
        return next(name for name in self.files if name.endswith(f"-{module}.cfg"))

    def edit(self, module: str, **values: str):
        """Sets keys of a module in its file, as an operator would; reload() makes them act."""
        name = self.module_file(module)
        text = self.files[name]
        for key, value in values.items():
            line = f"    {key} = {value};\n"
            text, count = re.subn(rf"(?m)^ *{key} *= *[^;]*;\n", lambda _: line, text)
            if count == 0:
                text = re.sub(r"(?m)^( *stage *=.*\n)", lambda found: found.group(1) + line, text)
        self.files[name] = text
        self.proxy.write(name, text)

    def set_stage(self, module: str, stage: str, percent: float = 0):
        self.edit(module, stage=f'"{stage}"', percent=str(percent))

    def reload(self) -> int:
        return self.proxy.reload()

    def stop_programs(self):
        for program in self.programs.values():
            program.stop()
