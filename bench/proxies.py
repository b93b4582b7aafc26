"""The proxies that are measured: how each is configured and started, all alike."""

import os
import subprocess

import processes

HERE = os.path.dirname(os.path.abspath(__file__))


class Proxy:
    """One running proxy with a port for TLS, one for HTTP/2 in clear and one for HTTP/1.1."""

    def __init__(self, name, label, folder, command, ports):
        self.name = name
        self.label = label
        self.tls_port, self.plain_port, self.http1_port = ports
        log_path = os.path.join(folder, "log")
        self.process = processes.start(command, processes.PROXY_CORE, log_path)
        try:
            for port in ports:
                processes.wait_for_port(self.process, port, log_path)
        except processes.BenchError:
            self.stop()
            raise

    def url(self, workload):
        if workload.is_tls:
            return f"https://127.0.0.1:{self.tls_port}{workload.path}"
        port = self.plain_port if workload.streams else self.http1_port
        return f"http://127.0.0.1:{port}{workload.path}"

    def cpu_seconds(self):
        return processes.cpu_seconds(self.process.pid)

    def stop(self):
        processes.stop(self.process)


def make_certificate(folder):
    """A certificate and its key for 127.0.0.1, apart and in one file."""
    certificate, key, both = (os.path.join(folder, name) for name in ("cert", "key", "both"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)
    with open(both, "w", encoding="ascii") as joined:
        for part in (certificate, key):
            with open(part, encoding="ascii") as file:
                joined.write(file.read())
    return {"certificate": certificate, "key": key, "both": both}


def write_config(template, folder, values):
    with open(os.path.join(HERE, template), encoding="utf-8") as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    path = os.path.join(folder, template)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def nginx_command(_, folder, values):
    return ["nginx", "-p", folder, "-c", write_config("nginx.conf", folder, values)]


def haproxy_command(_, folder, values):
    return ["haproxy", "-db", "-f", write_config("haproxy.conf", folder, values)]


def nghttpx_command(_, __, values):
    return ["nghttpx", "--conf=/dev/null", "--workers=1", "--no-via", "--no-server-rewrite",
            "--add-x-forwarded-for", "--no-ocsp", "--accesslog-file=/dev/null",
            "--accesslog-format=", "--errorlog-file=/dev/stderr",
            f"--frontend=127.0.0.1,{values['tls_port']}",
            f"--frontend=127.0.0.1,{values['plain_port']};no-tls",
            f"--frontend=127.0.0.1,{values['http1_port']};no-tls",
            f"--backend=127.0.0.1,{values['backend_port']}",
            f"--backend=127.0.0.1,{values['h2_backend_port']};/h2/;proto=h2",
            values["key"], values["certificate"]]


def h2o_command(_, folder, values):
    return ["h2o", "-m", "worker", "-c", write_config("h2o.conf", folder, values)]


def prefix_routes(count):
    return "".join(f'  p{i}: {{ prefix = "/{i}"; backend = "bench"; }};\n' for i in range(count))


def regex_routes(count):
    """The requested path is the last one's."""
    return "".join(f'  r{i}: {{ prefix = "/{i}"; regex = "^/{i}(/[a-z]+)?$"; backend = "bench"; }};\n'
                   for i in range(101 - count, 101))


RAMP = """  split: {
    legacy = "bench";
    extracted = "second";
    stage = "ramp";
    percent = 50;
    routes: { all: { prefix = "/100"; }; };
  };
"""

PLAIN = {"workers": 1, "log": "off", "identity": "none", "routes": "", "modules": "",
         "copied_stage": "shadow", "copied_percent": 100, "pipeline": 1}

# strangler:NAME, beside strangler itself: what a thing costs.
VARIANTS = {
    "log": lambda folder: {"log": os.path.join(folder, "access.log")},
    "workers": lambda _: {"workers": 2},
    "prefix": lambda _: {"routes": '  p: { prefix = "/100"; backend = "bench"; };'},
    "prefixes": lambda _: {"routes": prefix_routes(10000)},
    "regexes": lambda _: {"routes": regex_routes(100)},
    "legacy": lambda _: {"identity": "address", "modules": RAMP.replace('"ramp"', '"legacy"')},
    "ramp": lambda _: {"identity": "address", "modules": RAMP},
    "uncopied": lambda _: {"copied_stage": "legacy"},
    "pipelined": lambda _: {"pipeline": 64},
    "unsampled": lambda _: {"copied_percent": 99},  # nobody without an identity
}


def strangler_command(program, folder, values):
    variant = VARIANTS.get(values["variant"], lambda _: {})(folder)
    values = dict(values, **dict(PLAIN, **variant))
    return [program, "run", write_config("strangler.conf", folder, values)]


COMMANDS = {"nginx": nginx_command, "nghttpx": nghttpx_command, "haproxy": haproxy_command,
            "h2o": h2o_command}


def start(name, label, strangler, folder, shared):
    """name: one of COMMANDS, "strangler" or one of its variants, or the path of another build."""
    os.makedirs(folder)
    *ports, admin_port = processes.free_ports(4)
    tls_port, plain_port, http1_port = ports
    values = dict(shared, folder=folder, tls_port=tls_port, plain_port=plain_port,
                  http1_port=http1_port, admin_port=admin_port, user="user root;" if os.geteuid() == 0 else "")
    plain_name, _, variant = name.partition(":")
    values["variant"] = variant
    program = strangler if plain_name == "strangler" else name
    command = COMMANDS.get(name, strangler_command)(program, folder, values)
    return Proxy(name, label, folder, command, ports)
