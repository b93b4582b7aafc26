"""A module with a legacy and an extracted side that follow scripts, and copies of all its requests."""

import json
import os

from http1_backend import Http1Backend, answer_bytes, serving
from strangler_test import ProxyCase, backend_text, config_text, curl, wait_until

JSON = [("content-type", "application/json")]


def saying(value, **options):
    """A script: answers with this value as JSON."""
    return serving(lambda request: answer_bytes(json.dumps(value).encode(), fields=JSON, **options))


class ShadowCase(ProxyCase):
    def backend(self, script) -> Http1Backend:
        return self.closing(Http1Backend(script))

    def start(self, legacy, extracted, **options):
        """With scripts of two servers over HTTP/1.1."""
        self.start_between(self.backend(legacy), self.backend(extracted), **options)

    def start_between(self, legacy, extracted, stage="shadow", module="", isolated=False,
                      shadow="", backend="", protocol="http/1.1", more="", **options):
        """With two servers; `protocol` and `more` are of the extracted one."""
        self.legacy, self.extracted = legacy, extracted
        flag = "isolated = true;" if isolated else ""
        text = config_text(
            backend_text("monolith", self.legacy.port, more=backend),
            backend_text("users", self.extracted.port, protocol, flag + backend + more),
            more=f"""identity = [ "assign", "address" ]; modules: {{ users: {{ legacy = "monolith"; extracted = "users";
              stage = "{stage}"; {module} shadow: {{ percent = 100; {shadow} }};
              routes: {{ api: {{ prefix = "/api"; }}; }}; }}; }};""")
        self.proxy = self.start_proxy(text, **options)
        self.origin = f"http://127.0.0.1:{self.proxy.plain}"

    def get(self, path="/api/users/1", *options):
        return curl(self.origin + path, *options)

    def total(self, name: str, **labels) -> int:
        return int(self.proxy.total(f"strangler_{name}", module="users", **labels))

    def wait_settled(self, sampled: int):
        """Nothing is under way, and the books are balanced: sampled = sent + dropped."""
        def settled():
            return (self.total("shadow_sampled_total") == sampled
                    and self.proxy.total("strangler_shadows_in_flight") == 0)
        wait_until(f"{sampled} sampled, none in flight", settled)
        self.assertEqual(self.total("shadow_sent_total") + self.total("shadow_dropped_total"),
                         sampled)
        # It is given back last of all.
        self.proxy.wait_total(0, "strangler_shadow_memory_bytes")

    def drops(self) -> dict:
        """How many copies were not sent, by reason; those without any are left out."""
        return {dict(sample.labels)["reason"]: int(sample.value)
                for sample in self.proxy.metrics()
                if sample.name == "strangler_shadow_dropped_total" and sample.value}

    def wait_verdict(self, verdict: str, count: int):
        wait_until(f"{count} x {verdict}", lambda: self.verdicts().get(verdict) == count)

    def verdicts(self) -> dict:
        return {dict(sample.labels)["verdict"]: int(sample.value)
                for sample in self.proxy.metrics() if sample.name == "strangler_compare_total"}

    def proxy_text(self) -> str:
        with open(os.path.join(self.proxy.routes, "10-test.cfg"), encoding="utf-8") as file:
            return file.read()

    def change(self, before: str, after: str):
        """Edits the configuration, and reloads it."""
        text = self.proxy_text()
        self.assertIn(before, text)
        self.proxy.reload("10-test.cfg", text.replace(before, after))
