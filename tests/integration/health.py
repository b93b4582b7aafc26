"""Probes: who fails them gets no requests until it passes again; and who could not be reached is
found again by itself."""

import threading

from certificates import Authority, server_context
from http1_backend import Http1Backend, answer_bytes
from http2_peer import Http2Backend, Http2Client, serving2
from strangler_test import ProxyCase, config_text, free_port, main, wait_until

# A probe has no more time than the interval: enough for the well ones on a busy machine.
HEALTH = 'health: { path = "/health"; interval = "1s"; fall = 2; rise = 2; };'


class Patient:
    """Answers requests with its name, and probes with what it is told."""

    def __init__(self, name: str):
        self.name = name
        self.status = "200"
        self.probes: list = []
        self.requests: list = []
        self.silent = threading.Event()

    def answer(self, request) -> tuple:
        """(status, body)"""
        if request.target == "/health":
            self.probes.append(request)
            return self.status, b"probed"
        self.requests.append(request)
        return "200", self.name.encode()

    def script(self, connection):
        while True:
            status, body = self.answer(connection.read_request())
            if self.silent.is_set():
                connection.wait_end()
            connection.send(answer_bytes(body, f"{status} So"))

    def script_h2(self, connection, request):
        status, body = self.answer(request)
        connection.answer(request.stream, body, status)


class Health(ProxyCase):
    def start(self, backend_keys: str = HEALTH, count: int = 2):
        self.patients = [Patient(name) for name in "abc"[:count]]
        self.backends = [self.closing(Http1Backend(patient.script)) for patient in self.patients]
        self.ports = [backend.port for backend in self.backends]
        self.proxy = self.start_proxy(self.text(backend_keys))
        self.client = self.closing(Http2Client(self.proxy.plain))

    def text(self, backend_keys: str) -> str:
        endpoints = ", ".join(f'"127.0.0.1:{port}"' for port in self.ports)
        return config_text(f"monolith: {{ endpoints = [ {endpoints} ]; {backend_keys} }};")

    def healthy(self, index: int) -> float:
        return self.proxy.total("strangler_endpoint_healthy",
                                endpoint=f"127.0.0.1:{self.ports[index]}")

    def wait_healthy(self, index: int, value: float):
        wait_until(f"healthy is {value}", lambda: self.healthy(index) == value)

    def names(self, count: int = 30) -> set:
        answers = [self.client.ask("/") for _ in range(count)]
        self.assertEqual({answer.status for answer in answers}, {200})
        return {answer.body.decode() for answer in answers}

    def test_who_fails_gets_no_requests_until_it_passes_again(self):
        self.start()
        self.assertEqual(self.names(), {"a", "b"})
        self.patients[0].status = "500"
        self.wait_healthy(0, 0)
        self.assertEqual(self.names(), {"b"})
        self.assertIn("unhealthy, probes failed: status 500", self.proxy.errors())
        self.patients[0].status = "204"
        self.wait_healthy(0, 1)
        self.assertEqual(self.names(), {"a", "b"})
        self.assertIn("healthy again", self.proxy.errors())

    def test_a_probe_asks_for_the_path_on_a_connection_of_its_own(self):
        self.start()
        wait_until("three probes", lambda: len(self.patients[0].probes) >= 3)
        probes = self.patients[0].probes[:3]
        self.assertEqual(len({probe.connection for probe in probes}), 3)
        for probe in probes:
            self.assertEqual((probe.method, probe.value("host"), probe.value("user-agent")),
                             ("GET", f"127.0.0.1:{self.ports[0]}", "strangler-probe"))
        self.assertEqual(self.proxy.total("strangler_http_requests_total"), 0)

    def test_it_takes_fall_failures_in_a_row(self):
        self.start('health: { path = "/health"; interval = "100ms"; fall = 1000; };')
        self.patients[0].status = "500"
        before = len(self.patients[0].probes)
        wait_until("probes", lambda: len(self.patients[0].probes) > before + 5)
        self.assertEqual(self.healthy(0), 1)

    def test_when_all_fail_clients_get_503_and_nobody_is_asked(self):
        self.start()
        for index, patient in enumerate(self.patients):
            patient.status = "503"
            self.wait_healthy(index, 0)
            patient.requests.clear()
        answer = self.client.ask("/")
        self.assertEqual((answer.status, answer.value("retry-after")), (503, "1"))
        self.assertEqual([patient.requests for patient in self.patients], [[], []])
        self.patients[1].status = "200"
        self.wait_healthy(1, 1)
        self.assertEqual(self.names(), {"b"})

    def test_the_only_endpoint_can_fail_too(self):
        self.start(count=1)
        self.patients[0].status = "404"
        self.wait_healthy(0, 0)
        self.assertEqual(self.client.ask("/").status, 503)
        self.patients[0].status = "200"
        self.wait_healthy(0, 1)
        self.assertEqual(self.names(), {"a"})

    def test_silence_fails(self):
        self.start()
        self.patients[1].silent.set()
        self.wait_healthy(1, 0)
        self.assertEqual(self.names(), {"a"})

    def test_what_was_learned_survives_a_reload(self):
        self.start(HEALTH.replace("rise = 2", "rise = 1000"))
        self.patients[0].status = "500"
        self.wait_healthy(0, 0)
        self.patients[0].status = "200"
        for _ in range(3):
            self.proxy.reload()
            self.assertEqual(self.healthy(0), 0)
            self.assertEqual(self.names(5), {"b"})
        # Without probes nobody says that it is unwell.
        self.proxy.reload("10-test.cfg", self.text(""))
        self.wait_healthy(0, 1)
        self.assertEqual(self.names(), {"a", "b"})

    def test_probes_take_no_room_of_clients_and_clients_none_of_theirs(self):
        self.start(HEALTH + "limits: { in_flight = 1; connections = 1; pending = 0; };", count=1)
        gate = threading.Event()
        self.addCleanup(gate.set)
        answer = self.patients[0].answer

        def held(request):
            if request.target == "/held":
                gate.wait(20)
            return answer(request)
        self.patients[0].answer = held
        stream = self.client.start("/held")
        wait_until("it is there", lambda: self.proxy.total("strangler_backend_streams") == 1)
        before = len(self.patients[0].probes)
        wait_until("probes", lambda: len(self.patients[0].probes) > before + 3)
        self.assertEqual(self.healthy(0), 1)
        gate.set()
        self.assertEqual(self.client.wait(stream).status, 200)
        for _ in range(20):
            self.assertEqual(self.client.ask("/").status, 200)

    def test_probes_speak_h2_and_tls_as_the_backend_does(self):
        authority = Authority(self.folder)
        context = server_context(*authority.issue("users", "DNS:users.test"), protocols=["h2"])
        self.patients = [Patient(name) for name in "ab"]
        self.backends = [self.closing(Http2Backend(serving2(patient.script_h2), tls=context))
                         for patient in self.patients]
        self.ports = [backend.port for backend in self.backends]
        keys = HEALTH + f'protocol = "h2"; tls: {{ ca = "{authority.path}"; ' \
            'server_name = "users.test"; };'
        self.proxy = self.start_proxy(self.text(keys))
        self.client = self.closing(Http2Client(self.proxy.plain))
        self.assertEqual(self.names(), {"a", "b"})
        self.patients[0].status = "500"
        self.wait_healthy(0, 0)
        self.assertEqual(self.names(), {"b"})
        self.patients[0].status = "200"
        self.wait_healthy(0, 1)
        # Another name: no probe passes any more.
        self.proxy.reload("10-test.cfg", self.text(keys.replace("users.test", "other.test")))
        for index in range(2):
            self.wait_healthy(index, 0)
        self.assertEqual(self.client.ask("/").status, 503)
        self.assertIn("probes failed: tls", self.proxy.errors())

    def test_who_could_not_be_reached_is_found_again_without_probes(self):
        port = free_port()
        self.patients = [Patient("a"), Patient("b")]
        self.backends = [self.closing(Http1Backend(self.patients[0].script))]
        self.ports = [self.backends[0].port, port]
        self.proxy = self.start_proxy(self.text(""))
        self.client = self.closing(Http2Client(self.proxy.plain))
        wait_until("it is missed", lambda: self.names(10) == {"a"} and self.healthy(1) == 0)
        for _ in range(100):
            self.assertEqual(self.names(10), {"a"})
        self.closing(Http1Backend(self.patients[1].script, port))
        self.wait_healthy(1, 1)  # no request had to try
        self.assertEqual(self.names(), {"a", "b"})


if __name__ == "__main__":
    main(at_once=4)
