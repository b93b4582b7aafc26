"""What operators see: the access log, the metrics, readiness, and what check and explain say of the
same configuration and the same requests."""

import json
import os
import re
import subprocess

from http1_backend import Http1Backend, named
from http2_peer import Http2Client
from scripted_site import SERVE, echo
from strangler_test import (PROXY, SOURCE, ProxyCase, backend_text, config_text, main,
                            make_certificate, wait_until)

FIELDS = {"ts", "request_id", "trace_id", "client", "protocol", "method", "authority", "path",
          "status", "bytes_received", "bytes_sent", "duration_s", "ttfb_s", "route", "module",
          "stage", "side", "reason", "endpoint", "attempts", "shadow", "generation"}
MODULE = """identity = [ "assign", "address" ];
modules: { users: { legacy = "monolith"; extracted = "users"; stage = "ramp"; percent = 25;
    routes: { api: { prefix = "/api/users"; };
              out: { exact = "/logout"; treat_as_write = true; }; }; }; };
routes: { internal: { prefix = "/internal"; deny = 403; };
          own: { prefix = "/own"; backend = "monolith"; }; };"""


class TelemetryCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.backend = self.closing(SERVE["http/1.1"](echo))
        self.users = self.closing(SERVE["h2"](echo))
        self.proxy = self.start_proxy(config_text(
            backend_text("monolith", self.backend.port),
            backend_text("users", self.users.port, "h2"), more=MODULE))
        self.client = self.closing(Http2Client(self.proxy.plain))

    def log_line(self, *request, **more) -> dict:
        """The line of one request."""
        before = len(self.proxy.log_lines())
        self.client.ask(*request, **more)
        return self.proxy.wait_log(before + 1)[before]


class AccessLog(TelemetryCase):
    def test_a_line_has_every_field_and_they_are_right(self):
        line = self.log_line("/api/users/1", "POST", [
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], b"12345",
            authority="forum.example.org")
        self.assertLessEqual(FIELDS, set(line))
        self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        for name, value in {
                "client": "127.0.0.1", "protocol": "h2", "method": "POST", "status": 200,
                "authority": "forum.example.org", "path": "/api/users/1", "bytes_received": 5,
                "route": "api", "module": "users", "stage": "ramp", "side": "legacy",
                "reason": "write_owner legacy", "attempts": 1, "shadow": False, "generation": 1,
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "endpoint": f"127.0.0.1:{self.backend.port}"}.items():
            self.assertEqual(line[name], value, name)
        self.assertEqual(line["bytes_sent"], len(self.client.answers[1].body))
        self.assertGreaterEqual(line["duration_s"], line["ttfb_s"])
        self.assertGreater(line["ttfb_s"], 0)
        self.assertEqual(line["request_id"], dict(self.client.answers[1].json()["fields"])[
            "x-request-id"])

    def test_reasons_are_of_a_closed_list(self):
        cookie = [("cookie", "strangler_id=" + "0" * 32)]
        for request, pattern in (
                (("/api/users", "GET", cookie), r"bucket \d+(<|>=)250000"),
                (("/api/users", "DELETE", cookie), "write_owner legacy"),
                (("/logout", "GET", cookie), "write_owner legacy"),
                (("/own",), "route"), (("/else",), "default"), (("/internal",), "deny"),
                (("/%zz",), "rejected"), (("/", "BREW"), "rejected")):
            self.assertRegex(self.log_line(*request)["reason"], f"^{pattern}$", request)

    def test_secrets_do_not_reach_the_log(self):
        self.client.ask("/api/users?token=hunter2&page=hunter3&flag#".rstrip("#"), fields=[
            ("cookie", "sid=hunter4; strangler_id=" + "a" * 32),
            ("authorization", "Bearer hunter5")])
        self.proxy.wait_log(1)
        with open(self.proxy.log_path, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("hunter", text)
        self.assertNotIn("a" * 32, text)
        self.assertIn("token=", text)

    def test_every_line_is_json_whatever_clients_send(self):
        odd = ['/"quoted"', "/back\\slash", "/%22%5c", "/" + "x" * 3000, "/?" + '"' * 2000,
               "/\x7f", "/ä".encode().decode("latin-1"), "/{}[],:", "/?a=" + "é" * 3, "/'", "/<>"]
        answers = [self.client.ask(path, fields=[("x-a", '"\\')], authority="h" * 200)
                   for path in odd]
        answers.append(self.client.ask("/", authority='"\\'))
        answers.append(self.client.ask("/", '"MET\\HOD"'))
        # What is reset before it is a request has no line.
        answered = sum(answer.status > 0 for answer in answers)
        self.assertGreater(answered, 8)
        for line in self.proxy.wait_log(answered):  # parsed already
            self.assertLessEqual(FIELDS, set(line))

    def test_trusted_proxies_say_who_the_client_is(self):
        self.proxy.reload("10-test.cfg", config_text(
            backend_text("monolith", self.backend.port),
            more='trusted_proxies = [ "127.0.0.1", "10.0.0.0/8" ];'))
        line = self.log_line("/", "GET", [("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.1.1.1"),
                                          ("x-request-id", "from-outside")])
        self.assertEqual((line["client"], line["request_id"]), ("192.0.2.7", "from-outside"))

    def other_lines(self) -> list:
        with open(self.proxy.log_path + ".other", encoding="utf-8") as file:
            return file.read().splitlines()

    def test_the_log_may_be_combined_or_none(self):
        for setting, lines in (('path = "{}"; format = "combined";', 1), ('path = "off";', 0)):
            text = self.proxy.own_config()
            own = re.sub(r"access_log: \{.*\};", "access_log: { %s };" % setting.format(
                self.proxy.log_path + ".other"), text)
            self.proxy.write("00-proxy.cfg", own)
            self.proxy.reload()
            self.client.ask("/combined?a=b")
        self.proxy.write_own()
        self.proxy.reload()
        line, = wait_until("a line in the other log", self.other_lines)
        self.assertRegex(line, r'^127\.0\.0\.1 - - \[.+\] "GET /combined\?a=\.\.\. .+" 200 \d+ ')


class Metrics(TelemetryCase):
    def test_they_parse_and_no_series_is_there_twice(self):
        for path in ("/api/users/1", "/", "/internal", "/%zz", "/own"):
            for method in ("GET", "POST", "BREW"):
                self.client.ask(path, method)
        samples = self.proxy.metrics()
        series = [(sample.name, sample.labels) for sample in samples]
        self.assertEqual(len(series), len(set(series)))
        families = re.findall(r"^# TYPE (\S+)", self.proxy.ask_admin("/metrics")[1], re.MULTILINE)
        self.assertEqual(len(families), len(set(families)))
        for name in ("strangler_http_requests_total", "strangler_decisions_total",
                     "strangler_http_request_duration_seconds_bucket",
                     "strangler_backend_duration_seconds_count", "strangler_endpoint_healthy",
                     "strangler_module_stage", "strangler_module_percent",
                     "strangler_connections", "strangler_live_exchanges",
                     "strangler_config_generation", "process_resident_memory_bytes",
                     "process_open_fds", "process_cpu_seconds_total"):
            self.assertIn(name, {sample.name for sample in samples})

    def test_requests_are_counted_by_what_was_answered(self):
        for _ in range(3):
            self.client.ask("/own")
        self.client.ask("/own", "POST")
        self.client.ask("/internal")
        self.client.ask("/api/users", "BREW")
        total = self.proxy.total
        name = "strangler_http_requests_total"
        self.assertEqual(total(name, route="own", method="GET", code="200"), 3)
        self.assertEqual(total(name, route="own", method="POST", code="200"), 1)
        self.assertEqual(total(name, route="internal", code="403"), 1)
        self.assertEqual(total(name, method="_OTHER", code="501"), 1)
        self.assertEqual(total(name), 6)
        self.assertEqual(total("strangler_module_percent", module="users"), 25)
        self.assertEqual(total("strangler_module_stage", module="users", stage="ramp"), 1)
        self.assertEqual(total("strangler_backend_duration_seconds_count", backend="monolith",
                               phase="total"), 4)

    def test_histograms_are_cumulative(self):
        self.client.ask("/own")
        self.client.ask("/own")
        name = "strangler_http_request_duration_seconds"
        buckets = [sample for sample in self.proxy.metrics() if sample.name == name + "_bucket" and
                   ("route", "own") in sample.labels]
        values = [sample.value for sample in buckets]
        self.assertEqual(values, sorted(values))
        self.assertEqual(dict(buckets[-1].labels)["le"], "+Inf")
        self.assertEqual(values[-1], self.proxy.total(name + "_count", route="own"))

    def test_counters_survive_a_reload(self):
        self.client.ask("/own")
        self.proxy.reload()
        self.client.ask("/own")
        self.assertEqual(self.proxy.total("strangler_http_requests_total", route="own"), 2)

    def test_an_endpoint_that_is_down_is_not_healthy(self):
        port = self.backend.port
        self.assertEqual(self.proxy.total("strangler_endpoint_healthy", backend="monolith"), 1)
        self.backend.close()
        self.proxy.wait_total(0, "strangler_backend_connections")
        self.assertEqual(self.client.ask("/own").status, 502)
        self.assertEqual(self.proxy.total("strangler_endpoint_healthy", backend="monolith"), 0)
        self.closing(Http1Backend(named("back"), port))
        self.assertEqual(self.client.ask("/own").status, 200)
        self.assertEqual(self.proxy.total("strangler_endpoint_healthy", backend="monolith"), 1)


class Admin(TelemetryCase):
    def test_it_is_ready_and_says_its_generation(self):
        status, body, fields = self.proxy.ask_admin("/ready")
        self.assertEqual((status, json.loads(body)), (200, {"ready": True, "generation": 1}))
        self.assertEqual(fields["content-type"], "application/json")

    def test_other_paths_and_methods_are_refused(self):
        for path in ("/ready/", "/metricsX", "/%2e%2e", "/READY", "//ready"):
            self.assertEqual(self.proxy.operate(path)[0], 404, path)
            self.assertEqual(self.proxy.ask_admin(path)[0], 401, path)
        for path in ("/ready", "/metrics"):
            for method in ("POST", "PUT", "DELETE"):
                status, _, fields = self.proxy.ask_admin(path, method)
                self.assertEqual((status, fields["allow"]), (405, "GET, HEAD"))
            self.assertEqual(self.proxy.ask_admin(path, "HEAD")[:2], (200, ""))

    def test_the_type_of_metrics_is_what_prometheus_wants(self):
        self.assertIn("version=0.0.4", self.proxy.ask_admin("/metrics")[2]["content-type"])


class CheckAndExplain(TelemetryCase):
    def run_command(self, *words):
        done = subprocess.run([PROXY, *words], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertNotIn("Sanitizer", done.stderr)
        return done

    def explain(self, method, path, fields) -> dict:
        headers = [word for name, value in fields for word in ("-H", f"{name}: {value}")]
        done = self.run_command("explain", method, "http://localhost" + path, *headers, "--from",
                                "127.0.0.1", "--config", self.proxy.routes, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_explain_says_what_the_log_says(self):
        requests = [(method, path, [("cookie", f"strangler_id={i:032x}")])
                    for i, method, path in (
                        (1, "GET", "/api/users/1"), (2, "GET", "/api/users/1"),
                        (3, "GET", "/api/users/1"), (7, "GET", "/api/users?a=b"),
                        (4, "POST", "/api/users"), (5, "GET", "/logout"), (6, "GET", "/own/x"),
                        (1, "GET", "//internal"), (1, "GET", "/a%2fb"), (1, "GET", "/else"),
                        (1, "BREW", "/"))]
        requests.append(("GET", "/api/users", []))  # by its address
        sides = set()
        for method, path, fields in requests:
            with self.subTest(method=method, path=path):
                line = self.log_line(path, method, fields)
                said = self.explain(method, path, fields)
                self.assertEqual(said["reason"], line["reason"])
                if said["status"]:
                    self.assertEqual(said["status"], line["status"])
                    continue
                self.assertEqual(said["side"] or "", line["side"])
                self.assertEqual(said["module"]["name"] if said["module"] else "", line["module"])
                if said["route"]:
                    self.assertEqual(said["route"]["name"], line["route"])
                port = {"monolith": self.backend, "users": self.users}[said["backend"]].port
                self.assertEqual(line["endpoint"], f"127.0.0.1:{port}")
                sides.add(line["side"])
        self.assertLessEqual({"legacy", "extracted"}, sides)

    def test_check_finds_the_running_and_the_example_configuration_good(self):
        self.assertEqual(self.run_command("check", self.proxy.routes).returncode, 0)
        routes = os.path.join(self.folder, "routes")
        os.makedirs(os.path.join(routes, "certs"))
        for name in os.listdir(os.path.join(SOURCE, "routes")):
            if name.endswith(".cfg"):
                with open(os.path.join(SOURCE, "routes", name), encoding="utf-8") as file:
                    text = file.read()
                with open(os.path.join(routes, name), "w", encoding="utf-8") as file:
                    file.write(text)
        make_certificate(os.path.join(routes, "certs"))
        done = self.run_command("check", routes)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_check_refuses_what_a_reload_refuses_in_the_same_words(self):
        self.proxy.write("20-faulty.cfg", 'modules: { x: { legacy = "nobody"; tyop = 1; }; };')
        done = self.run_command("check", self.proxy.routes)
        self.assertEqual(done.returncode, 1)
        self.proxy.hang_up()
        wait_until("a complaint", lambda: "reload of" in self.proxy.errors())
        faults = [line for line in (done.stdout + done.stderr).splitlines() if "error[" in line]
        self.assertGreaterEqual(len(faults), 2)
        for line in faults:
            self.assertIn(line.split("20-faulty.cfg")[1], self.proxy.errors())


if __name__ == "__main__":
    main()
