"""The proxies that are measured: how each is configured and started, all alike."""

import os
import subprocess

import processes

HERE = os.path.dirname(os.path.abspath(__file__))


class Proxy:
    """One running proxy with a TLS port and a cleartext port, both HTTP/2."""

    def __init__(self, label, folder, command, ports):
        self.label = label
        self.tls_port, self.plain_port = ports
        log_path = os.path.join(folder, "log")
        self.process = processes.start(command, processes.PROXY_CORE, log_path)
        try:
            for port in ports:
                processes.wait_for_port(self.process, port, log_path)
        except processes.BenchError:
            self.stop()
            raise

    def url(self, is_tls, path):
        return f"https://127.0.0.1:{self.tls_port}{path}" if is_tls else \
            f"http://127.0.0.1:{self.plain_port}{path}"

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
            f"--backend=127.0.0.1,{values['backend_port']}",
            values["key"], values["certificate"]]


def h2o_command(_, folder, values):
    return ["h2o", "-m", "worker", "-c", write_config("h2o.conf", folder, values)]


def strangler_command(program, folder, values):
    return [program, "run", write_config("strangler.conf", folder, values)]


COMMANDS = {"nginx": nginx_command, "nghttpx": nghttpx_command, "haproxy": haproxy_command,
            "h2o": h2o_command}


def start(name, label, strangler, folder, shared):
    """name: one of COMMANDS, "strangler", or the path of another build of it."""
    os.makedirs(folder)
    tls_port, plain_port, admin_port = processes.free_ports(3)
    values = dict(shared, folder=folder, tls_port=tls_port, plain_port=plain_port,
                  admin_port=admin_port, user="user root;" if os.geteuid() == 0 else "")
    program = strangler if name == "strangler" else name
    command = COMMANDS.get(name, strangler_command)(program, folder, values)
    return Proxy(label, folder, command, (tls_port, plain_port))
