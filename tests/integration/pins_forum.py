"""Read your own writes in the real forum: profiles are written at the monolith and read from the users
service, which follows a second behind."""

import tempfile
import time

from cookie_jar import CookieJar
from http2_peer import Http2Client
from lagging_feeds import LaggingFeeds
from services_programs import Program
from strangler_test import ProxyCase, backend_text, config_text, main, run_all, wait_until

LAG_S, PIN_S, PEOPLE = 1.0, 4, 4  # between them: time for the service to read what has come
JSON = ("content-type", "application/json")


class Person:
    def __init__(self, port: int, name: str):
        self.client = Http2Client(port)
        self.jar = CookieJar()
        answer = self.ask("POST", "/api/2.0/users", {"username": name, "password": "long enough",
                                                     "name": name})
        if answer.status != 201:
            raise AssertionError(f"{answer.status}: {answer.body}")
        self.path = f"/api/2.0/users/{answer.json()['id']}"

    def ask(self, method: str, path: str, body=None):
        data = str(body).replace("'", '"').encode() if body else b""
        return self.jar.take(self.client.ask(path, method, self.jar.fields(JSON), data))

    def bio(self) -> str:
        answer = self.ask("GET", self.path)
        return answer.json()["bio"] if answer.status == 200 else ""

    def write(self, bio: str):
        answer = self.ask("PATCH", self.path, {"bio": bio})
        if answer.status != 200:
            raise AssertionError(f"{answer.status}: {answer.body}")

    def count_older_reads(self, rounds: int, seconds: float) -> int:
        """Of those in the seconds behind each of so many writes."""
        older = 0
        for number in range(1, rounds + 1):
            self.write(str(number))
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                older += int(self.bio() or 0) < number
                time.sleep(0.05)
        return older

    def close(self):
        self.client.close()


class ReadYourWrites(ProxyCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.mkdtemp(dir=self.folder)
        self.monolith = Program("monolith", folder).wait_ready()
        self.addCleanup(self.monolith.stop)
        relay = self.closing(LaggingFeeds(self.monolith.origin, LAG_S))
        self.users = Program("users", folder, "--monolith", relay.origin).wait_ready()
        self.addCleanup(self.users.stop)

    def start(self, pin: str):
        return self.start_proxy(config_text(
            backend_text("monolith", self.monolith.port),
            backend_text("users", self.users.port, "h2"),
            more='modules: { users: { legacy = "monolith"; extracted = "users"; stage = "live"; '
                 f'pin = "{pin}"; routes: {{ people: {{ prefix = "/api/2.0/users"; }}; }}; }}; }};'))

    def older_reads(self, proxy, rounds: int, seconds: float) -> int:
        people = [self.closing(Person(proxy.plain, f"person-{i}")) for i in range(PEOPLE)]
        older = [0] * PEOPLE

        def run(i: int):
            older[i] = people[i].count_older_reads(rounds, seconds)
        run_all([lambda i=i: run(i) for i in range(PEOPLE)])
        wait_until("the service has everything", lambda: people[0].bio() == str(rounds))
        return sum(older)

    def test_nobody_reads_an_older_profile_than_written(self):
        proxy = self.start(f"{PIN_S}s")
        self.assertEqual(self.older_reads(proxy, 2, PIN_S + 1), 0)
        for reason in ("pin", "stage"):  # both sides have served reads
            self.assertGreater(proxy.total("strangler_decisions_total", module="users",
                                           reason=reason), 0)

    def test_without_pins_they_do(self):
        """That the test above can fail, and that the replica lags."""
        self.assertGreater(self.older_reads(self.start("0"), 1, LAG_S / 2), 0)


if __name__ == "__main__":
    main()
