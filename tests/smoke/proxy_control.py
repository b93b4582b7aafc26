"""The running proxy as its operator sees it: route files and HUP, metrics, the access log."""

import glob
import json
import os
import re
import signal
import time
import urllib.request

DEADLINE_S = 15
POLL_S = 0.02

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})?\s+(\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')
# A stage and the percent beside it; the percent inside of a shadow group is another one.
_OWNER = re.compile(r'\bwrite_owner\s*=\s*"\w+"')
_STAGE = re.compile(r'\bstage\s*=\s*"\w+"\s*;?(\s*percent\s*=\s*[\d.]+\s*;?)?')


class ProxyControl:
    def __init__(self, admin_port, pid, routes, access_log):
        self.metrics_url = f"http://127.0.0.1:{admin_port}/metrics"
        self.pid = pid
        self.routes = routes
        self.access_log = access_log

    def metrics(self):
        """[(name, {label: value}, number)]"""
        with urllib.request.urlopen(self.metrics_url, timeout=5) as answer:
            text = answer.read().decode()
        return [(name, dict(_LABEL.findall(labels or "")), float(number))
                for name, labels, number in _SAMPLE.findall(text)]

    def total(self, name, **labels):
        return sum(number for found, its_labels, number in self.metrics()
                   if found == name and labels.items() <= its_labels.items())

    def wait_for(self, what, condition):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not within {DEADLINE_S} s")
            time.sleep(POLL_S)

    def edit(self, pattern, replacement, names="*.cfg"):
        for path in glob.glob(os.path.join(self.routes, names)):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            changed = pattern.sub(replacement, text)
            if changed != text:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(changed)

    def set_owner(self, module, side, is_told):
        """The writes of a module to a side, by its file; returns once the applications know."""
        self.edit(_OWNER, f'write_owner = "{side}"', f"*-{module}.cfg")
        os.kill(self.pid, signal.SIGHUP)
        self.wait_for(f"writes of {module} belong to {side}", is_told)

    def set_percent(self, percent):
        """Every module to stage ramp and this percent, by the files; returns once it is in force."""
        self.edit(_STAGE, f'stage = "ramp"; percent = {percent};')
        generation = self.total("strangler_config_generation")
        os.kill(self.pid, signal.SIGHUP)
        self.wait_for("a new generation",
                      lambda: self.total("strangler_config_generation") > generation)

    def log_lines(self):
        if not os.path.exists(self.access_log):
            return []
        with open(self.access_log, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def log_lines_after(self, count, expected):
        """The lines past the first `count`, once there are as many as expected."""
        self.wait_for(f"{expected} lines in the access log",
                      lambda: len(self.log_lines()) >= count + expected)
        return self.log_lines()[count:]
