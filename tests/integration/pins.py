"""Read your own writes: the pin that a write leaves with its client, what it holds, and who makes it;
and overrides, by which some may choose a side."""

import os
import re
import shutil
import stat
import subprocess
import threading
import time

from cookie_jar import CookieJar
from http2_peer import Http2Client, ask_once
from scripted_site import Reply, echo, serve_http1, serve_http2
from strangler_test import PROXY, ProxyCase, backend_text, config_text, main, run_all, wait_until

LAG_S = 2.0
CLIENTS, ROUNDS = 8, 2
PIN = "strangler_pin_users"


def module_text(name: str, more: str = "", prefix: str = "") -> str:
    return (f'{name}: {{ legacy = "monolith"; extracted = "users"; {more} '
            f'routes: {{ api: {{ prefix = "{prefix or "/" + name}"; }}; }}; }};')


def sides_site(side: str):
    """Says its side and what arrived; answers with the status that the path ends with, if any."""
    def site(request):
        reply = echo(request)
        reply.fields.append(("x-side", side))
        code = re.search(r"/status/(\d+)$", request.target)
        reply.status = int(code[1]) if code else 200
        return reply
    return site


class SidesCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(serve_http1(sides_site("legacy")))
        self.extracted = self.closing(serve_http2(sides_site("extracted")))

    def config(self, *modules: str, more: str = "") -> str:
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("users", self.extracted.port, "h2"),
                           more=f'modules: {{ {" ".join(modules)} }};\n{more}')

    def connect(self, proxy) -> Http2Client:
        return self.closing(Http2Client(proxy.plain))


# --- the promise ---------------------------------------------------------------------------------

class LaggingStore:
    """What was written on one side is seen on the other LAG_S later."""

    def __init__(self):
        self.lock = threading.Lock()
        self.written: dict = {}  # key -> [(when, number)]

    def site(self, lag_s: float):
        def answer(request):
            key = request.target
            with self.lock:
                rows = self.written.setdefault(key, [])
                if request.method == "POST":
                    rows.append((time.monotonic(), int(request.body)))
                    return Reply(201)
                seen = [number for when, number in rows if when <= time.monotonic() - lag_s]
            return Reply(body=str(max(seen, default=0)).encode())
        return answer


class ReadYourWrites(ProxyCase):
    def start(self, pin: str):
        store = LaggingStore()
        legacy = self.closing(serve_http1(store.site(0)))
        extracted = self.closing(serve_http2(store.site(LAG_S)))
        self.backends = (backend_text("monolith", legacy.port),
                         backend_text("users", extracted.port, "h2"))
        self.pin = pin
        return self.start_proxy(self.config(50))

    def config(self, percent: int) -> str:
        module = module_text("users", f'stage = "ramp"; percent = {percent}; pin = "{self.pin}";')
        return config_text(*self.backends, more='identity = [ "header:x-user" ];\n'
                                                f'modules: {{ {module} }};')

    def write_and_read(self, proxy, number: int) -> int:
        """How many reads of one client were older than its last write. It reads until both sides
        have it."""
        client = Http2Client(proxy.plain)
        jar = CookieJar()
        fields = [("x-user", f"u{number}")]
        path = f"/users/{number}"
        older = 0
        for value in range(1, ROUNDS + 1):
            jar.take(client.ask(path, "POST", jar.fields(*fields), str(value).encode()))
            end = time.monotonic() + LAG_S + 0.2
            while time.monotonic() < end:
                answer = client.ask(path, fields=jar.fields(*fields))
                older += int(answer.body) < value
                time.sleep(0.02)
        client.close()
        return older

    def run_clients(self, proxy) -> list:
        older = [0] * CLIENTS

        def run(number: int):
            older[number] = self.write_and_read(proxy, number)
        run_all([lambda number=number: run(number) for number in range(CLIENTS)])
        return older

    def test_a_client_never_reads_older_data_than_its_own_last_write(self):
        proxy = self.start("3s")
        done = threading.Event()

        def change_percents():
            """Stage and percent may change while a pin holds."""
            while not done.is_set():
                for percent in (0, 100, 50):
                    proxy.reload("10-test.cfg", self.config(percent))
                    done.wait(0.3)
        changing = threading.Thread(target=change_percents)
        changing.start()
        try:
            self.assertEqual(self.run_clients(proxy), [0] * CLIENTS)
        finally:
            done.set()
            changing.join()
        self.assertGreater(proxy.total("strangler_decisions_total", reason="pin", side="legacy"), 0)

    def test_without_pins_it_does(self):
        """That the test above can fail."""
        self.assertGreater(sum(self.run_clients(self.start("0"))), 0)


# --- the cookie ----------------------------------------------------------------------------------

class Pins(SidesCase):
    LIVE = 'stage = "live";'

    def write(self, client, jar, path="/users", *fields):
        return jar.take(client.ask(path, "POST", jar.fields(*fields), b"x"))

    def side(self, client, jar, path="/users", *fields) -> str:
        return client.ask(path, fields=jar.fields(*fields)).value("x-side")

    def pinned(self, proxy) -> CookieJar:
        """Of a client whose write went to legacy, which reads from extracted otherwise."""
        jar = CookieJar()
        self.write(self.connect(proxy), jar)
        self.assertEqual(jar.names(), {PIN})
        return jar

    def test_reads_stay_where_the_write_went_until_the_pin_ends(self):
        proxy = self.start_proxy(self.config(module_text("users", self.LIVE + 'pin = "3s";')))
        client, jar = self.connect(proxy), CookieJar()
        self.assertEqual(self.side(client, jar), "extracted")
        began = time.monotonic()
        self.write(client, jar)
        jar.set(PIN, jar.cookies[PIN][0])  # kept for longer than it says
        self.assertEqual(self.side(client, jar), "legacy")
        wait_until("the pin ends", lambda: self.side(client, jar) == "extracted")
        self.assertGreaterEqual(time.monotonic() - began, 3)
        reasons = [line["reason"] for line in proxy.wait_log(3)[:3]]
        self.assertEqual(reasons, ["stage live", "write_owner legacy", "pin"])

    def test_the_cookie_is_safe_and_short_lived(self):
        proxy = self.start_proxy(self.config(module_text("users", self.LIVE + 'pin = "2500ms";')))
        for tls in (False, True):
            answer = ask_once(proxy.tls if tls else proxy.plain, "/users", "POST", body=b"x",
                              tls=tls, scheme="https" if tls else "http")
            cookie = answer.value("set-cookie")
            self.assertRegex(cookie, rf"^{PIN}=1l[0-9a-f]{{76}}; Path=/; Max-Age=3; HttpOnly; "
                                     rf"SameSite=Lax{'; Secure' if tls else ''}$")

    def test_only_a_write_that_succeeds_pins(self):
        proxy = self.start_proxy(self.config(module_text("users", self.LIVE)))
        client = self.connect(proxy)
        for status, names in ((200, {PIN}), (303, {PIN}), (400, set()), (409, set()), (503, set())):
            jar = CookieJar()
            self.write(client, jar, f"/users/status/{status}")
            self.assertEqual(jar.names(), names)
        jar = CookieJar()
        jar.take(client.ask("/users"))
        self.assertEqual(jar.names(), set())

    def test_no_backend_and_no_log_sees_a_pin(self):
        proxy = self.start_proxy(self.config(module_text("users", self.LIVE)))
        jar = self.pinned(proxy)
        jar.set("a", "b")
        value = jar.cookies[PIN][0]
        client = self.connect(proxy)
        for path in ("/users", "/elsewhere"):
            seen = client.ask(path, fields=jar.fields()).json()["fields"]
            self.assertEqual([text for name, text in seen if name == "cookie"], ["a=b"])
        proxy.wait_log(3)
        with open(proxy.log_path, encoding="utf-8") as file:
            self.assertNotIn(value, file.read())
        self.assertNotIn(value, proxy.errors())

    def test_a_group_shares_a_pin_and_other_modules_do_not(self):
        proxy = self.start_proxy(self.config(
            module_text("users", self.LIVE + 'pin_group = "forum";'),
            module_text("posts", self.LIVE + 'pin_group = "forum";'),
            module_text("shop", self.LIVE)))
        client, jar = self.connect(proxy), CookieJar()
        self.write(client, jar)
        self.assertEqual(jar.names(), {PIN, "strangler_pin_group.forum"})
        self.assertEqual(self.side(client, jar, "/posts"), "legacy")
        self.assertEqual(self.side(client, jar, "/shop"), "extracted")

    def test_pins_of_two_modules_do_not_disturb_each_other(self):
        owned = self.LIVE + 'write_owner = "extracted"; pin_group = "forum";'
        proxy = self.start_proxy(self.config(
            module_text("users", 'stage = "ramp"; percent = 0; ' + owned[len(self.LIVE):]),
            module_text("posts", self.LIVE + 'pin_group = "forum";')))
        client, jar = self.connect(proxy), CookieJar()
        self.write(client, jar, "/users")
        self.write(client, jar, "/posts")
        self.assertEqual(self.side(client, jar, "/users"), "extracted")
        self.assertEqual(self.side(client, jar, "/posts"), "legacy")

    def test_a_pin_leads_to_no_closed_side(self):
        module = 'write_owner = "extracted"; stage = "%s"; percent = 0;'
        proxy = self.start_proxy(self.config(module_text("users", module % "ramp")))
        client, jar = self.connect(proxy), CookieJar()
        self.write(client, jar)
        self.assertEqual(self.side(client, jar), "extracted")
        proxy.reload("10-test.cfg", self.config(module_text("users", module % "legacy")))
        self.assertEqual(self.side(client, jar), "legacy")

    def test_a_pin_that_is_not_ours_holds_nobody(self):
        proxy = self.start_proxy(self.config(module_text("users", self.LIVE + 'pin = "1m";')))
        client, jar = self.connect(proxy), self.pinned(proxy)
        good = jar.cookies[PIN][0]
        later = f"{good[:2]}{int(good[2:14], 16) + 1000:012x}{good[14:]}"
        for value in (good[:-1] + ("0" if good[-1] != "0" else "1"), good[:1] + "e" + good[2:], later,
                      good[:-1], good + "0", "", "x" * 5000):
            jar.set(PIN, value)
            self.assertEqual(self.side(client, jar), "extracted", value)
        jar.set(PIN, good)
        self.assertEqual(self.side(client, jar), "legacy")


class Keys(SidesCase):
    LIVE = 'stage = "live"; pin = "10m";'

    def setUp(self):
        super().setUp()
        self.proxy = self.start_proxy(self.config(module_text("users", self.LIVE)))

    def path(self, proxy) -> str:
        return os.path.join(proxy.folder, "state", "pin.keys")

    def keys(self, proxy) -> list:
        with open(self.path(proxy), encoding="ascii") as file:
            return file.read().split()

    def set_keys(self, proxy, *keys: str, mode: int = 0o600):
        with open(self.path(proxy), "w", encoding="ascii") as file:
            file.write("".join(key + "\n" for key in keys))
        os.chmod(self.path(proxy), mode)

    def new_pin(self, proxy) -> str:
        jar = CookieJar()
        jar.take(ask_once(proxy.plain, "/users", "POST", body=b"x"))
        return jar.cookies[PIN][0]

    def is_held(self, proxy, value: str) -> bool:
        answer = ask_once(proxy.plain, "/users", fields=[("cookie", f"{PIN}={value}")])
        return answer.value("x-side") == "legacy"

    def test_the_first_start_makes_a_key_for_the_owner_alone(self):
        status = os.stat(self.path(self.proxy))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        key, = self.keys(self.proxy)
        self.assertRegex(key, "^[0-9a-f]{64}$")
        names = os.listdir(os.path.dirname(self.path(self.proxy)))
        self.assertEqual([name for name in names if name.startswith("pin")], ["pin.keys"])

    def test_replicas_with_the_same_file_honour_each_others_pins(self):
        other = self.start_proxy(self.config(module_text("users", self.LIVE)))
        pin = self.new_pin(self.proxy)
        self.assertFalse(self.is_held(other, pin))
        shutil.copy(self.path(self.proxy), self.path(other))
        other.reload()
        self.assertTrue(self.is_held(other, pin))

    def test_keys_are_changed_by_a_reload_without_losing_a_pin(self):
        old, = self.keys(self.proxy)
        new = "ab" * 32
        before = self.new_pin(self.proxy)
        self.set_keys(self.proxy, new, old)
        self.proxy.reload()
        after = self.new_pin(self.proxy)
        self.assertTrue(self.is_held(self.proxy, before))
        self.assertTrue(self.is_held(self.proxy, after))
        self.set_keys(self.proxy, new)
        self.proxy.reload()
        self.assertFalse(self.is_held(self.proxy, before))
        self.assertTrue(self.is_held(self.proxy, after))

    def test_a_bad_file_fails_the_reload_and_changes_nothing(self):
        pin = self.new_pin(self.proxy)
        key, = self.keys(self.proxy)
        for keys, mode, fault in ((["oops"], 0o600, "line 1"), ([key], 0o644, "chmod 600")):
            self.set_keys(self.proxy, *keys, mode=mode)
            self.proxy.hang_up()
            wait_until(fault, lambda fault=fault: fault in self.proxy.errors())
            self.proxy.wait_total(0, "strangler_config_last_reload_successful")
            self.assertTrue(self.is_held(self.proxy, pin))
        self.set_keys(self.proxy, key)
        self.proxy.reload()
        self.assertNotIn(key, self.proxy.errors())


# --- overrides -----------------------------------------------------------------------------------

class Overrides(SidesCase):
    TOKEN = "a-token-of-16-or-more"

    def start(self, clients: str = '"127.0.0.1"', stage: str = "live", more: str = "", **options):
        path = os.path.join(self.folder, "override.token")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.TOKEN + "\n")
        os.chmod(path, 0o600)
        return self.start_proxy(self.config(
            module_text("users", f'stage = "{stage}"; pin = "0"; {more}'),
            more=f'trusted_clients = [ {clients} ];\ntrusted_proxies = [ "127.0.0.1" ];\n'
                 f'override_token_file = "{path}";\noverride_cookie = "side";\n'), **options)

    def side(self, proxy, *fields, method: str = "GET") -> str:
        body = b"x" if method == "POST" else b""
        return ask_once(proxy.plain, "/users", method, list(fields), body=body).value("x-side")

    def test_a_trusted_client_chooses_by_field_or_cookie(self):
        proxy = self.start()
        self.assertEqual(self.side(proxy), "extracted")
        self.assertEqual(self.side(proxy, ("x-strangler-side", "legacy")), "legacy")
        self.assertEqual(self.side(proxy, ("cookie", "a=b; side=legacy")), "legacy")
        self.assertEqual(self.side(proxy, ("x-strangler-side", "whatever")), "extracted")
        self.assertEqual(sorted(line["reason"] for line in proxy.wait_log(4)),
                         ["override", "override", "stage live", "stage live"])

    def test_others_need_the_token(self):
        proxy = self.start('"192.0.2.0/24"')
        field = ("x-strangler-side", "legacy")
        self.assertEqual(self.side(proxy, field), "extracted")
        self.assertEqual(self.side(proxy, field, ("x-strangler-token", "wrong")), "extracted")
        self.assertEqual(self.side(proxy, field, ("x-strangler-token", self.TOKEN)), "legacy")
        self.assertNotIn(self.TOKEN, proxy.errors())

    def test_a_trusted_client_is_seen_through_trusted_proxies(self):
        proxy = self.start('"192.0.2.0/24"')
        field = ("x-strangler-side", "legacy")
        self.assertEqual(self.side(proxy, field, ("x-forwarded-for", "192.0.2.7")), "legacy")
        self.assertEqual(self.side(proxy, field, ("x-forwarded-for", "192.0.2.7, 198.51.100.1")),
                         "extracted")

    def test_no_backend_sees_the_choice_or_the_token(self):
        proxy = self.start()
        answer = ask_once(proxy.plain, "/users", fields=[
            ("x-strangler-side", "legacy"), ("x-strangler-token", self.TOKEN),
            ("cookie", "side=legacy; a=b"), ("x-strangler-other", "1")])
        fields = dict(answer.json()["fields"])
        self.assertEqual(answer.value("x-side"), "legacy")
        self.assertEqual(fields["cookie"], "a=b")
        self.assertEqual([name for name in fields if name.startswith("x-strangler")],
                         ["x-strangler-other"])
        proxy.wait_log(1)
        with open(proxy.log_path, encoding="utf-8") as file:
            self.assertNotIn(self.TOKEN, file.read())

    def test_a_write_is_overridden_only_into_a_shared_store(self):
        field = ("x-strangler-side", "extracted")
        self.assertEqual(self.side(self.start(), field, method="POST"), "legacy")
        shared = self.start(more="shared_store = true;")
        self.assertEqual(self.side(shared, field, method="POST"), "extracted")

    def test_no_override_leads_to_a_closed_side(self):
        for stage, wish, side in (("legacy", "extracted", "legacy"), ("retired", "legacy", "extracted")):
            more = 'write_owner = "extracted";' if stage == "retired" else ""
            proxy = self.start(stage=stage, more=more)
            self.assertEqual(self.side(proxy, ("x-strangler-side", wish)), side)

    def test_an_override_goes_before_a_pin(self):
        proxy = self.start(more="")
        proxy.reload("20-more.cfg", 'modules: { ' + module_text(
            "posts", 'stage = "live"; pin = "1m";') + " };")
        jar = CookieJar()
        jar.take(ask_once(proxy.plain, "/posts", "POST", body=b"x"))
        asked = ask_once(proxy.plain, "/posts", fields=jar.fields(("x-strangler-side", "extracted")))
        self.assertEqual(asked.value("x-side"), "extracted")


# --- checking ------------------------------------------------------------------------------------

class Start(SidesCase):
    def run_and_fail(self, routes: str) -> str:
        done = subprocess.run([PROXY, "run", routes], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def test_a_file_of_keys_that_others_may_read_stops_the_start(self):
        proxy = self.start_proxy(self.config(module_text("users")))
        proxy.stop()
        path = os.path.join(proxy.folder, "state", "pin.keys")
        os.chmod(path, 0o640)
        self.assertIn("pin.keys` cannot be used: others than its owner may use it",
                      self.run_and_fail(proxy.routes))

    def test_without_a_module_that_pins_there_is_no_file(self):
        proxy = self.start_proxy(self.config(module_text("users", 'pin = "0";')))
        self.assertFalse(os.path.exists(os.path.join(proxy.folder, "state", "pin.keys")))


if __name__ == "__main__":
    main()
