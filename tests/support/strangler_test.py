"""What every integration test stands on: a proxy with a configuration of its own on free ports in a
folder of its own, which at the end must have let go of everything and stop without a complaint."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Callable, Optional

BUILD = os.environ["STRANGLER_BUILD"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROXY = os.path.join(BUILD, "proxy", "strangler")
IDENTITY_CLIENT = os.path.join(BUILD, "tests", "support", "identity_client")

DEADLINE_S = 30
POLL_S = 0.01
# Freed memory is not held back for long, so that the resident set says what the proxy holds.
SMALL_QUARANTINE = "detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
KNOWN_RACES = os.path.join(SOURCE, "tests", "support", "thread_sanitizer.txt")
SANITIZER_WORDS = ("Sanitizer", "runtime error:", "CHECK failed")


# --- waiting and ports ---------------------------------------------------------------------------

def wait_until(what: str, condition: Callable, deadline_s: float = DEADLINE_S):
    """The condition's first true value. Polls: some things cannot be waited for in another way."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(POLL_S)


def wait_stopped(pid: int):
    """After SIGSTOP: until every thread stands still."""
    folder = f"/proc/{pid}/task"

    def states():
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/stat", encoding="ascii") as file:
                yield file.read().rsplit(") ", 1)[1][0]
    wait_until("all threads stand still", lambda: set(states()) == {"T"})


_claims: list = []


def free_port() -> int:
    """Outside of the range from which the kernel takes ports for connections to others, and, until
    this process ends, of no other test: between the look and the use of a port there is a moment in
    which another one would find it free, too."""
    while True:
        port = random.randrange(12000, 32000)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0strangler-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


# --- certificate ---------------------------------------------------------------------------------

def make_certificate(folder: str) -> tuple:
    certificate = os.path.join(folder, "dev.pem")
    key = os.path.join(folder, "dev.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=60)
    return certificate, key


# --- metrics -------------------------------------------------------------------------------------

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:\\.|[^"\\\n])*)"(?:,|$)')


@dataclass(frozen=True)
class Sample:
    name: str
    labels: tuple  # of (name, value), sorted
    value: float


def parse_metrics(text: str) -> list:
    """Strictly what Prometheus reads (text format 0.0.4); raises ValueError otherwise."""
    samples = []
    for line in text.split("\n")[:-1]:
        if line.startswith("#"):
            if not re.fullmatch(r"# (HELP \w+ .+|TYPE \w+ (counter|gauge|histogram))", line):
                raise ValueError(f"bad comment: {line!r}")
            continue
        found = _SAMPLE.fullmatch(line)
        if not found:
            raise ValueError(f"bad sample: {line!r}")
        name, labels, value = found.groups()
        pairs = _LABEL.findall(labels or "")
        if labels and _LABEL.sub("", labels):
            raise ValueError(f"bad labels: {line!r}")
        samples.append(Sample(name, tuple(sorted(pairs)), float(value)))
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    return samples


# --- the proxy -----------------------------------------------------------------------------------

class Proxy:
    """One `strangler run` on a folder of files. `files` maps names to texts; what tells where to
    listen and to log is written by us."""

    def __init__(self, folder: str, files: dict, options: Optional[dict] = None):
        options = options or {}
        self.folder = folder
        self.routes = os.path.join(folder, "routes")
        self.log_path = os.path.join(folder, "access.log")
        self.errors_path = os.path.join(folder, "proxy.stderr")
        self.plain, self.tls, self.admin = free_port(), free_port(), free_port()
        self.workers = options.get("workers", 2)
        self.descriptors = options.get("descriptors")  # at most so many; None: as many as we
        self.extra_listeners: dict = {}
        os.mkdir(self.routes)
        make_certificate(self.routes)
        self.write("00-proxy.cfg", self.own_config())
        for name, text in files.items():
            self.write(name, text)
        self.program = options.get("program", PROXY)
        self.process_options = options.get("process", {})  # of subprocess.Popen
        self.environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1",
                                TSAN_OPTIONS=f"suppressions={KNOWN_RACES}:print_suppressions=0",
                                ASAN_OPTIONS=options.get("asan", "detect_leaks=1"),
                                **options.get("environment", {}))
        self.start()

    def start(self):
        """Also again, after it has ended: on the same files, in the same folder."""
        with open(self.errors_path, "ab") as errors:
            self.process = subprocess.Popen([*self.limited(), self.program, "run", self.routes],
                                            stderr=errors, stdin=subprocess.DEVNULL,
                                            env=self.environment, **self.process_options)
        wait_until("ready", self.is_ready)

    def limited(self) -> list:
        return ["prlimit", f"--nofile={self.descriptors}", "--"] if self.descriptors else []

    # --- configuration

    def own_config(self) -> str:
        more = "".join(f'  {name}: {{ address = "127.0.0.1:{port}"; }};\n'
                       for name, port in self.extra_listeners.items())
        return f"""
listeners: {{
  plain: {{ address = "127.0.0.1:{self.plain}"; }};
  public: {{
    address = "127.0.0.1:{self.tls}";
    certificates = ( {{ certificate = "dev.pem"; key = "dev.key"; }} );
  }};
{more}}};
admin: {{ address = "127.0.0.1:{self.admin}"; }};
state_dir = "{self.folder}/state";
access_log: {{ path = "{self.log_path}"; format = "json"; }};
workers = {self.workers};
"""

    def write(self, name: str, text: str):
        """Like an editor: the file is there as a whole or not at all."""
        path = os.path.join(self.routes, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def write_own(self):
        self.write("00-proxy.cfg", self.own_config())

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def reload(self, name: Optional[str] = None, text: str = "") -> int:
        """Writes the file, if one is named, and waits for the generation that has it, and for the
        changes of write owners that follow."""
        if name:
            self.write(name, text)
        before = self.total("strangler_config_generation")
        self.hang_up()
        wait_until("a new generation",
                   lambda: self.total("strangler_config_generation") > before)
        wait_until("every write owner", lambda: not any(
            module["flipping"] for module in self.operate("/modules")[1]["modules"]))
        return int(before) + 1

    # --- what it says

    def is_running(self) -> bool:
        return self.process.poll() is None

    def token(self) -> str:
        with open(os.path.join(self.folder, "state", "admin.token"), encoding="ascii") as file:
            return file.read().strip()

    def ask_admin(self, path: str, method: str = "GET", body: Optional[bytes] = None,
                  fields: Optional[dict] = None) -> tuple:
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", method=method,
                                         data=body, headers=fields or {})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers

    def operate(self, path: str, body: Optional[dict] = None, **fields: str) -> tuple:
        """As somebody who has the token: GET, or POST of a JSON body. (status, JSON)"""
        fields = {"Authorization": f"Bearer {self.token()}",
                  **{name.replace("_", "-"): value for name, value in fields.items()}}
        data = None
        if body is not None:
            fields["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        status, text, _ = self.ask_admin(path, "GET" if body is None else "POST", data, fields)
        return status, json.loads(text)

    def command(self, name: str, *words: str, **environment: str) -> subprocess.CompletedProcess:
        """One of strangler's commands, about this proxy."""
        return run_command(name, "--config", self.routes, *words, **environment)

    def is_ready(self) -> bool:
        if not self.is_running():
            raise AssertionError(f"the proxy did not start: {self.errors()}")
        try:
            return self.ask_admin("/ready")[0] == 200
        except OSError:
            return False

    def metrics(self) -> list:
        return parse_metrics(self.ask_admin("/metrics")[1])

    def total(self, name: str, **labels: str) -> float:
        """The sum over all series of this name that have these labels."""
        return sum(sample.value for sample in self.metrics()
                   if sample.name == name and set(labels.items()) <= set(sample.labels))

    def wait_total(self, number: float, name: str, **labels: str):
        wait_until(f"{name}{labels} is {number}", lambda: self.total(name, **labels) == number)

    def fault_count(self, backend: str, fault: str) -> float:
        return self.total("strangler_backend_errors_total", backend=backend, fault=fault)

    def errors(self) -> str:
        with open(self.errors_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_lines(self) -> list:
        """All complete lines so far; each has to be JSON."""
        if not os.path.exists(self.log_path):
            return []
        with open(self.log_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def wait_log(self, count: int) -> list:
        wait_until(f"{count} lines in the access log", lambda: len(self.log_lines()) >= count)
        return self.log_lines()

    def resident_bytes(self) -> int:
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            found = re.search(r"VmRSS:\s+(\d+) kB", file.read())
        return int(found.group(1)) * 1024

    @contextlib.contextmanager
    def frozen(self):
        """It stands still meanwhile: what it is sent, it meets all at once."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            self.wait_stopped()
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def wait_stopped(self):
        wait_stopped(self.process.pid)

    def cpu_seconds(self) -> float:
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    # --- the end

    def check_nothing_is_left(self):
        for name in ("strangler_live_exchanges", "strangler_connections",
                     "strangler_backend_streams"):
            self.wait_total(0, name)

    def wait_exit(self) -> int:
        return self.process.wait(DEADLINE_S)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.is_running():
            self.process.send_signal(number)
        try:
            return self.wait_exit()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def finish(self):
        """The end of every test: nothing is left, it stops, it has nothing to complain about."""
        try:
            if self.is_running():
                self.check_nothing_is_left()
        finally:
            status = self.stop()
            errors = self.errors()
        faults = [line for line in errors.splitlines()
                  if any(word in line for word in SANITIZER_WORDS)]
        if faults or status != 0:
            raise AssertionError(f"the proxy ended with status {status}:\n{errors[-6000:]}")


def run_command(*words: str, **environment: str) -> subprocess.CompletedProcess:
    """strangler with these words; a sanitizer's complaint is a failure whatever the status."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith("STRANGLER_ADMIN")}
    done = subprocess.run([PROXY, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=DEADLINE_S + 60, env={**variables, "TZ": "UTC", **environment},
                          check=False)
    if any(word in done.stderr for word in SANITIZER_WORDS):
        raise AssertionError(done.stderr[-6000:])
    return done


class ProxyCase(unittest.TestCase):
    """Cleanups run last in, first out: clients go, then the proxy is checked, then backends go."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="strangler-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def start_proxy(self, text: str, **options) -> Proxy:
        proxy = Proxy(tempfile.mkdtemp(dir=self.folder), {"10-test.cfg": text}, options)
        self.addCleanup(proxy.finish)
        return proxy

    def start_proxy_on(self, files: dict, **options) -> Proxy:
        proxy = Proxy(tempfile.mkdtemp(dir=self.folder), files, options)
        self.addCleanup(proxy.finish)
        return proxy

    def closing(self, thing):
        """The thing, closed at the end of the test."""
        self.addCleanup(thing.close)
        return thing


# --- configuration texts -------------------------------------------------------------------------

def backend_text(name: str, port: int, protocol: str = "http/1.1", more: str = "") -> str:
    return (f'{name}: {{ endpoints = [ "127.0.0.1:{port}" ]; protocol = "{protocol}"; '
            f'{more} }};')


def config_text(*backends: str, more: str = "", default: str = "monolith") -> str:
    return f'backends: {{ {" ".join(backends)} }};\ndefault = "{default}";\n{more}\n'


def is_sanitized() -> bool:
    """Is the proxy under test built with a sanitizer, which takes memory and time of its own?"""
    with open(PROXY, "rb") as file:
        program = file.read()
    return any(name in program for name in (b"__asan_init", b"__tsan_init"))


# --- curl ----------------------------------------------------------------------------------------

@dataclass
class Answer:
    status: int
    fields: list
    body: bytes
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)  # (status, fields) of each
    reset: Optional[int] = None

    def values(self, name: str) -> list:
        return [value for its_name, value in self.fields if its_name == name]

    def value(self, name: str) -> Optional[str]:
        values = self.values(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)


def curl(url: str, *options: str, data: Optional[bytes] = None,
         timeout_s: int = DEADLINE_S) -> Answer:
    """One request over HTTP/2. An answer that cannot be had raises OSError with curl's words."""
    folder = tempfile.mkdtemp()
    head_path, body_path = os.path.join(folder, "head"), os.path.join(folder, "body")
    version = "--http2" if url.startswith("https:") else "--http2-prior-knowledge"
    try:
        done = subprocess.run(
            ["curl", "--disable", "-sS", "-k", version, "--path-as-is", "--max-time",
             str(timeout_s), "-D", head_path, "-o", body_path, *options, url],
            input=data or b"", capture_output=True, timeout=timeout_s + 10, check=False)
        if done.returncode != 0:
            raise OSError(f"curl: {done.returncode} {done.stderr.decode().strip()}")
        return _read_answer(head_path, body_path)
    finally:
        shutil.rmtree(folder)


def _read_answer(head_path: str, body_path: str) -> Answer:
    with open(head_path, encoding="latin-1", newline="") as file:
        *heads, rest = file.read().split("\r\n\r\n")
    parsed = []
    for head in heads:
        line, *lines = head.split("\r\n")
        fields = [tuple(part.strip() for part in text.split(":", 1)) for text in lines]
        parsed.append((int(line.split()[1]), [(name.lower(), value) for name, value in fields]))
    trailers = [tuple(part.strip() for part in text.split(":", 1)) for text in rest.splitlines()]
    body = b""
    if os.path.exists(body_path):
        with open(body_path, "rb") as file:
            body = file.read()
    status, fields = parsed[-1]
    return Answer(status, fields, body, trailers, parsed[:-1])


# --- threads -------------------------------------------------------------------------------------

def run_all(functions: list):
    """Runs them at the same time; the first exception of them, if there is one, is raised."""
    faults = []

    def run(function):
        try:
            function()
        except Exception as error:  # handed on below
            faults.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def _run_at_once(count: int) -> bool:
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    names = [test.id().removeprefix("__main__.") for case in suite for test in case]

    def run(name: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-B", sys.argv[0], name], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    good = True
    with ThreadPoolExecutor(count) as pool:
        for done in pool.map(run, names):
            print(done.stdout, flush=True)
            good = good and done.returncode == 0
    return good


def main(deadline_s: int = 240, at_once: int = 1):
    """`at_once`: so many tests, each in a process of its own, where all they do is wait."""
    signal.alarm(deadline_s)  # a test that hangs ends with a trace of nothing, but it ends
    if at_once > 1 and len(sys.argv) == 1:
        sys.exit(0 if _run_at_once(at_once) else 1)
    unittest.main(verbosity=2)
