"""`strangler check` and `strangler explain`, as a person runs them: output and exit status."""
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
EXAMPLES = ROOT / "routes/examples"


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60)


def explain(example, *words):
    done = run("explain", *words, "--json", "--config", str(EXAMPLES / example))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Check(unittest.TestCase):
    def test_a_good_configuration_exits_with_0(self):
        done = run("check", str(EXAMPLES / "03-ramp.cfg"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("good", done.stdout)

    def test_a_fault_exits_with_1_and_shows_its_place(self):
        path = str(ROOT / "tests/config/faulty/an_unknown_stage_has_a_suggestion.cfg")
        done = run("check", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:13:13: error[unknown-word]: ", done.stdout)
        self.assertIn('\nhint: did you mean "ramp"?\n', done.stdout)

    def test_json_is_one_object(self):
        done = run("check", "--format", "json", str(ROOT / "tests/config/faulty/a_name_set_twice.cfg"))
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["errors"], found["warnings"]), (1, 1, 0))
        self.assertEqual(found["faults"][0]["code"], "duplicate-name")
        self.assertEqual((found["faults"][0]["line"], found["faults"][0]["column"]), (9, 1))

    def test_a_hint_fits_the_mistake(self):
        for name, text in (("a_port_with_a_letter", "no port number behind the last colon"),
                           ("a_port_that_is_too_large", "a number from 1 to 65535"),
                           ("an_address_without_a_port", "a port is missing"),
                           ("a_host_name_as_a_listener", "a host name works for endpoints"),
                           ("typographic_quotes", 'hint: texts stand in plain quotes: "')):
            done = run("check", str(ROOT / f"tests/config/faulty/{name}.cfg"))
            self.assertIn(text, done.stdout)

    def test_bad_usage_exits_with_2_and_names_the_word(self):
        for words, text in ((["--format", "xml"], "`xml`"), (["a", "b"], "`b` is one word too many"), ([""], "is empty"),
                            (["--unknown"], "no option `--unknown`"), (["-x"], "no option `-x`"),
                            (["--format"], "`--format` needs a value"),
                            (["--help=me"], "`--help` takes no value")):
            done = run("check", *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(text, done.stderr)

    def test_help_exits_with_0(self):
        for command in ("check", "explain"):
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"usage: strangler {command}", done.stdout)


class Explain(unittest.TestCase):
    def test_a_read_in_a_ramp_shows_bucket_and_threshold(self):
        found = explain("03-ramp.cfg", "GET", "/api/Users/1", "--from", "192.0.2.7")
        side = "extracted" if found["bucket"] < 50000 else "legacy"
        sign = "<" if side == "extracted" else ">="
        self.assertEqual(found["side"], side)
        self.assertEqual(found["reason"], f"bucket {found['bucket']}{sign}50000")
        self.assertEqual(found["identity"]["source"], "address")
        self.assertEqual(found["route"]["line"], 20)

    def test_the_first_source_that_applies_gives_the_identity(self):
        found = explain("03-ramp.cfg", "GET", "/api/users", "-H", "X-Api-Key: k1")
        self.assertEqual((found["identity"]["source"], found["identity"]["value"]), ("header", "k1"))
        cookie = "a" * 32
        found = explain("03-ramp.cfg", "GET", "/api/users", "-H", f"cookie: strangler_id={cookie}")
        self.assertEqual((found["identity"]["source"], found["identity"]["value"]), ("assign", cookie))

    def test_writes_follow_the_write_owner(self):
        found = explain("04-writes.cfg", "GET", "/posts/7/vote")
        self.assertEqual((found["kind"], found["reason"]), ("write", "write_owner extracted"))
        found = explain("04-writes.cfg", "POST", "/api/posts/search")
        self.assertEqual((found["kind"], found["reason"]), ("read", "stage live"))

    def test_a_guard_refuses_other_spellings_too(self):
        found = explain("06-guards.cfg", "GET", "//INTERNAL;x", "--from", "10.0.0.1")
        self.assertEqual((found["status"], found["reason"], found["route"]["name"]),
                         (404, "deny", "internal"))

    def test_the_client_is_seen_through_a_trusted_proxy(self):
        words = ["GET", "/admin", "-H", "x-forwarded-for: 10.1.2.3"]
        found = explain("06-guards.cfg", *words, "--from", "192.0.2.1")
        self.assertEqual((found["request"]["client"], found["backend"]), ("10.1.2.3", "monolith"))
        found = explain("06-guards.cfg", *words, "--from", "198.51.100.1")
        self.assertEqual((found["request"]["client"], found["status"]), ("198.51.100.1", 403))

    def test_a_rewrite_acts_on_the_extracted_side_only(self):
        sent = {}
        for last in range(1, 255):
            found = explain("07-rewrite.cfg", "GET", "/showthread.php/17", "--from", f"10.0.0.{last}")
            sent[found["side"]] = found["sent_path"]
            if len(sent) == 2:
                break
        self.assertEqual(sent, {"legacy": "/showthread.php/17", "extracted": "/threads/17"})

    def test_what_is_refused_before_routing_says_why(self):
        for method, url, status in (("BREW", "/", 501), ("GET", "/%zz", 400), ("GET", "/a%2fb", 400)):
            found = explain("01-in-front.cfg", method, url)
            self.assertEqual((found["status"], found["reason"]), (status, "rejected"))
            self.assertTrue(found["why"])

    def test_people_get_the_same_in_words(self):
        done = run("explain", "GET", "/", "--config", str(EXAMPLES / "01-in-front.cfg"))
        self.assertIn("\nreason    default\n", done.stdout)
        self.assertIn("\nbackend   monolith ", done.stdout)

    def test_bad_usage_exits_with_2(self):
        for words, text in (([], "strangler explain METHOD URL"), (["GET"], "METHOD URL"),
                            (["GET", "x"], "not `x`"), (["GET", "/", "/"], "`/` is one word too many"),
                            (["GET", "/", "-H", "nocolon"], "not `nocolon`"),
                            (["GET", "/", "-H"], "`-H` needs a value"),
                            (["GET", "/", "--from"], "`--from` needs a value"),
                            (["GET", "/", "--form", "::1"], "no option `--form`"),
                            (["GET", "/", "--from", "nobody"], "not `nobody`")):
            done = run("explain", "--config", str(EXAMPLES / "01-in-front.cfg"), *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(text, done.stderr)
            self.assertIn("Try `strangler explain --help`", done.stderr)

    def test_everything_that_http2_sends_as_a_field_counts(self):
        sizes = {":method": len("GET"), ":scheme": len("https"), ":authority": len("localhost")}
        spent = sum(len(name) + size + 32 for name, size in sizes.items())
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.cfg"
            text = (EXAMPLES / "01-in-front.cfg").read_text()
            path.write_text(text + 'limits: { header_bytes = "2KiB"; };\n')
            longest = 2048 - spent - len(":path") - 32
            for length, status in ((longest, None), (longest + 1, 431)):
                found = explain(path, "GET", "/" + "a" * (length - 1))
                self.assertEqual(found["status"], status)

    def test_what_no_codec_can_read_is_refused_as_the_proxy_does(self):
        for words, status in ((["-H", "content-length: x"], 400),
                              (["-H", "host: a", "-H", "host: a"], 400), (["-H", "host: a"], None)):
            self.assertEqual(explain("01-in-front.cfg", "GET", "/", *words)["status"], status)
        found = explain("01-in-front.cfg", "GET", "http://a/", "-H", "host: b")
        self.assertEqual((found["status"], found["why"]), (400, "The request names two hosts."))

    def test_a_length_over_the_limit_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.cfg"
            text = (EXAMPLES / "01-in-front.cfg").read_text()
            path.write_text(text + 'limits: { body_bytes = "1KiB"; };\n')
            found = explain(path, "POST", "/", "-H", "content-length: 1025")
            self.assertEqual(found["status"], 413)

    def test_a_route_may_have_many_conditions_of_every_kind(self):
        words = ["a=1", "b=2", "c=3", "d=4"]
        tests = ", ".join(f'"{word}"' for word in words)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.cfg"
            path.write_text((EXAMPLES / "01-in-front.cfg").read_text() +
                            'routes: { r: { prefix = "/p"; regex = "x$"; methods = [ "GET" ]; '
                            f'headers = [ {tests} ]; query = [ {tests} ]; cookies = [ {tests} ]; '
                            'deny = 418; }; };\n')
            fields = [f"-Hcookie: {'; '.join(words)}"]
            fields += [f"-H{word.replace('=', ': ')}" for word in words]
            url = f"/p/x?{'&'.join(words)}"
            self.assertEqual(explain(path, "GET", url, *fields)["status"], 418)
            self.assertEqual(explain(path, "GET", url, *fields[:-1])["status"], None)

    def test_a_scheme_is_read_in_any_case_and_a_method_is_not(self):
        found = explain("01-in-front.cfg", "GET", "HTTP://Example.org/a")
        self.assertEqual((found["request"]["scheme"], found["request"]["authority"]),
                         ("http", "example.org"))
        found = explain("01-in-front.cfg", "get", "/")
        self.assertEqual(found["status"], 501)
        self.assertIn("case matters", found["why"])

    def test_a_faulty_configuration_exits_with_1(self):
        path = str(ROOT / "tests/config/faulty/a_stray_brace_is_named.cfg")
        done = run("explain", "GET", "/", "--config", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("error[stray-bracket]", done.stderr)


WISHES = """
listeners: { plain: { address = "127.0.0.1:8080"; }; };
backends: { monolith: { endpoints = [ "127.0.0.1:3000" ]; }; users: { endpoints = [ "127.0.0.1:3001" ]; }; };
default = "monolith";
trusted_clients = [ "192.0.2.0/24" ];
override_cookie = "side";
modules: {
  users: { legacy = "monolith"; extracted = "users"; stage = "live";
           routes: { a: { prefix = "/users"; }; }; };
  posts: { legacy = "monolith"; extracted = "users"; pin = "0";
           routes: { b: { prefix = "/posts"; }; }; };
};
"""


class Wishes(unittest.TestCase):
    """Overrides and pins in a request that is only asked about."""

    KEY = bytes(range(32))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.config = pathlib.Path(folder.name) / "a.cfg"
        self.config.write_text(WISHES)
        self.keys = pathlib.Path(folder.name) / "state/pin.keys"

    def write_keys(self, text):
        self.keys.parent.mkdir(exist_ok=True)
        self.keys.write_text(text)
        self.keys.chmod(0o600)

    def pin(self, side="l", ahead_ms=60_000, key=KEY):
        claim = f"strangler_pin_users=1{side}{int(time.time() * 1000) + ahead_ms:012x}"
        return "cookie: " + claim + hmac.new(key, claim.encode(), hashlib.sha256).hexdigest()

    def ask(self, *words):
        done = run("explain", *words, "--json", "--config", str(self.config))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_pin_that_decides_says_how_long(self):
        self.write_keys(self.KEY.hex())
        found = self.ask("GET", "/users", "-H", self.pin())
        self.assertEqual((found["side"], found["reason"], found["pin"]["decides"]),
                         ("legacy", "pin", True))
        self.assertGreater(found["pin"]["left_ms"], 30_000)

    def test_a_pin_that_does_not_count_says_why(self):
        self.write_keys(self.KEY.hex())
        for cookie, words in ((self.pin(ahead_ms=-1), "over"), (self.pin(key=b"x" * 32), "signed"),
                              ("cookie: strangler_pin_users=1", "none of ours")):
            found = self.ask("GET", "/users", "-H", cookie)
            self.assertEqual((found["reason"], found["pin"]["side"]), ("stage live", None))
            self.assertIn(words, found["pin"]["note"])

    def test_without_the_keys_it_cannot_be_verified_and_none_are_made(self):
        found = self.ask("GET", "/users", "-H", self.pin())
        self.assertIn("cannot be verified here", found["pin"]["note"])
        self.assertFalse(self.keys.exists())

    def test_an_override_decides_or_says_why_it_does_not(self):
        office, cookie = ("--from", "192.0.2.1"), ("-H", "cookie: side=legacy")
        for words, decides, note in (
                (("GET", "/users", *cookie, *office), True, "decides"),
                (("GET", "/users", *cookie), False, "none of `trusted_clients`"),
                (("POST", "/users", *cookie, *office), False, "shared_store"),
                (("GET", "/posts", "-H", "x-strangler-side: extracted", *office), False, "closed"),
                (("GET", "/users", "-H", "x-strangler-side: new", *office), False, "the words are")):
            found = self.ask(*words)
            self.assertEqual(found["reason"] == "override", decides)
            self.assertEqual(found["override"]["decides"], decides)
            self.assertIn(note, found["override"]["note"])

    def test_a_read_that_may_fall_back_says_so(self):
        self.config.write_text(WISHES.replace('stage = "live";', 'stage = "live"; on_error = "fallback";'))
        self.assertEqual(self.ask("GET", "/users")["fallback_after_ms"], 2000)
        self.assertNotIn("fallback_after_ms", self.ask("POST", "/users"))
        done = run("explain", "GET", "/users", "--config", str(self.config))
        self.assertIn("\nfallback  legacy, if this fails or says nothing for 2000 ms\n", done.stdout)

    def test_the_example_lets_the_office_choose(self):
        words = ("GET", "/api/posts/1", "-H", "cookie: side=legacy", "--from")
        found = explain("12-pins-and-overrides.cfg", *words, "192.0.2.9")
        self.assertEqual((found["side"], found["reason"]), ("legacy", "override"))
        found = explain("12-pins-and-overrides.cfg", *words, "198.51.100.9")
        self.assertEqual((found["side"], found["reason"]), ("extracted", "stage live"))

    def test_people_are_told_too(self):
        self.write_keys(self.KEY.hex())
        done = run("explain", "GET", "/users", "-H", self.pin(), "-H", "x-strangler-side: extracted",
                   "--from", "192.0.2.1", "--config", str(self.config))
        self.assertIn("\noverride  extracted: decides\n", done.stdout)
        self.assertIn("\npin       legacy: does not count: the override goes before it\n", done.stdout)


unittest.main(argv=[sys.argv[0], "-v"])
