"""Starts the forum's programs, asks them with curl, and speaks raw bytes to them."""

import os
import select
import signal
import socket
import subprocess
import tempfile

BUILD = os.environ["STRANGLER_BUILD"]
READY_SECONDS = 40
STOP_SECONDS = 20


def program_path(name):
    if name == "monolith":
        return os.path.join(BUILD, "monolith_stub", "monolith_stub")
    return os.path.join(BUILD, "extracted", name, name)


class Program:
    """One running program. `folder` holds its database and its standard error."""

    def __init__(self, name, folder, *arguments, listen="127.0.0.1:0"):
        self.name = name
        self.errors_path = os.path.join(folder, name + ".stderr")
        self.errors = open(self.errors_path, "ab")
        database = os.path.join(folder, name + ".db")
        self.process = subprocess.Popen(
            [program_path(name), "--listen", listen, "--database", database, *arguments],
            stdout=subprocess.PIPE, stderr=self.errors)

    def wait_ready(self):
        """Reads the ready line; returns self."""
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], READY_SECONDS)
            piece = os.read(self.process.stdout.fileno(), 200) if readable else b""
            if not piece:
                self.kill()
                raise AssertionError(f"{self.name} did not get ready: {self.complaints()}")
            line += piece
        word, address = line.decode().split()
        assert word == "ready", line
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.origin = "http://" + address
        return self

    def complaints(self):
        with open(self.errors_path, encoding="utf-8", errors="replace") as errors:
            return errors.read()

    def is_running(self):
        return self.process.poll() is None

    def wait(self):
        """The exit status, and nothing more on standard output."""
        status = self.process.wait(STOP_SECONDS)
        self.errors.close()
        rest = self.process.stdout.read()
        self.process.stdout.close()
        assert rest == b"", rest
        return status

    def stop(self, number=signal.SIGTERM):
        if self.is_running():
            self.process.send_signal(number)
        return self.wait()

    def kill(self):
        return self.stop(signal.SIGKILL)

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=10)

    def send_raw(self, data):
        """Sends bytes, says it is done sending, returns what came back until the end."""
        answer = b""
        with self.connect() as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    answer += piece
            except OSError as fault:
                if isinstance(fault, TimeoutError):
                    raise
        return answer

    def throw(self, data):
        """Sends bytes and goes away, whatever happens."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
            except ConnectionError:
                pass


class Answer:
    """A message as curl saw it, without what is allowed to differ between two programs."""

    def __init__(self, text):
        head, _, self.body = text.partition(b"\r\n\r\n")
        while head.split()[1] == b"100":
            head, _, self.body = self.body.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        fields = [line.split(": ", 1) for line in lines[1:]]
        self.fields = [(name.lower(), value) for name, value in fields if name.lower() != "date"]

    def all(self, name):
        return [value for field, value in self.fields if field == name]

    def one(self, name):
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    def comparable(self):
        return (self.status, sorted(self.fields), self.body)


def urls_of(program, paths):
    """curl 7.88 cannot use a prior-knowledge connection twice: a service gets a name a request."""
    if program.name == "monolith":
        return [program.origin + path for path in paths]
    return [f"http://c{i}.test:{program.port}{path}" for i, path in enumerate(paths)]


def ask_all(program, paths, *options):
    """The answers to many paths, by one curl."""
    version = "--http1.1" if program.name == "monolith" else "--http2-prior-knowledge"
    with tempfile.TemporaryDirectory() as folder:
        outputs = [os.path.join(folder, str(i)) for i in range(len(paths))]
        config = "".join(f'url = "{url}"\noutput = "{output}"\n'
                         for url, output in zip(urls_of(program, paths), outputs))
        subprocess.run(
            ["curl", "-sS", "-i", "--path-as-is", "--globoff", "--noproxy", "*", version,
             "--resolve", f"*:{program.port}:{program.host}", "--max-time", "60", *options, "-K", "-"],
            input=config.encode(), check=True, timeout=90)
        answers = []
        for output in outputs:
            with open(output, "rb") as file:
                answers.append(Answer(file.read()))
        return answers


def ask(program, path, *options):
    return ask_all(program, [path], *options)[0]
