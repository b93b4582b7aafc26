"""`strangler check` and `strangler explain`, as a person runs them: output and exit status."""
import json
import pathlib
import subprocess
import sys
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
                           ("a_host_name_as_an_endpoint", "host names are not resolved"),
                           ("typographic_quotes", 'hint: texts stand in plain quotes: "')):
            done = run("check", str(ROOT / f"tests/config/faulty/{name}.cfg"))
            self.assertIn(text, done.stdout)

    def test_bad_usage_exits_with_2(self):
        for words in (["--format", "xml"], ["a", "b"], ["--unknown"]):
            self.assertEqual(run("check", *words).returncode, 2)

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
        self.assertEqual(found["route"]["line"], 19)

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
        for words in ([], ["GET"], ["GET", "x"], ["GET", "/", "-H", "nocolon"],
                      ["GET", "/", "--from", "nobody"]):
            self.assertEqual(run("explain", *words).returncode, 2)

    def test_a_faulty_configuration_exits_with_1(self):
        path = str(ROOT / "tests/config/faulty/a_stray_brace_is_named.cfg")
        done = run("explain", "GET", "/", "--config", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("error[stray-bracket]", done.stderr)


unittest.main(argv=[sys.argv[0], "-v"])
