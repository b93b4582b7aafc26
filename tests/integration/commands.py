"""The commands as an operator types them: what they say, what they do, how they end."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

from http1_backend import Http1Backend, named
from http2_peer import ask_once
from strangler_test import (DEADLINE_S, PROXY, SOURCE, Proxy, ProxyCase, backend_text, config_text,
                            free_port, main, run_command, wait_until)

DONE, PROBLEM, USAGE, UNREACHABLE = 0, 1, 2, 3
DRAWN = b"\033[?7h"  # what a picture of `-w` ends with
MODULES = """identity = [ "address" ];
modules: {
  users: { legacy = "monolith"; extracted = "service"; stage = "ramp"; percent = 25; # a quarter
    routes: { api: { prefix = "/api/users"; }; }; };
  threads: { legacy = "monolith"; extracted = "service"; routes: { t: { prefix = "/t"; }; }; };
};"""


class CommandCase(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(Http1Backend(named("legacy")))
        self.extracted = self.closing(Http1Backend(named("extracted")))
        self.proxy = self.start_proxy(self.config())

    def config(self) -> str:
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("service", self.extracted.port), more=MODULES)

    def say(self, *words: str, status: int = DONE, **environment: str) -> str:
        """What the command writes to standard output; to standard error when it fails."""
        done = self.proxy.command(*words, **environment)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        if status == DONE:
            self.assertEqual(done.stderr, "", words)
            return done.stdout
        self.assertEqual(done.stdout, "", words)
        return done.stderr

    def ask(self, *words: str) -> dict:
        return json.loads(self.say(*words, "--json"))

    def module(self, name: str = "users") -> dict:
        return next(row for row in self.ask("status")["modules"] if row["name"] == name)


class Changing(CommandCase):
    def test_stage_and_percent_say_what_they_changed(self):
        self.assertEqual(self.say("percent", "users", "50%", "--why", "it goes well"),
                         "users: percent 25 → 50\ngeneration 2, entry 1 of the history\n")
        self.assertEqual(self.say("percent", "users", "12.3456").splitlines()[0],
                         "users: percent 50 → 12.3456")
        self.assertEqual(self.say("stage", "users", "live", "--force").splitlines()[0],
                         "users: stage ramp → live")
        self.assertEqual((self.module()["stage"], self.module()["percent"]), ("live", 12.3456))

    def test_a_change_that_changes_nothing_is_done_and_says_so(self):
        self.say("percent", "users", "50")
        text = self.say("percent", "users", "50")
        self.assertNotIn("→", text)
        self.assertIn("generation 2\n", text)

    def test_abort_and_resume(self):
        self.assertIn("users: aborted no → yes\n", self.say("abort", "users", "--why", "p99"))
        self.say("abort", "users")
        self.assertEqual(ask_once(self.proxy.plain, "/api/users/1").body, b"legacy")
        self.assertIn("users: aborted yes → no\n", self.say("resume", "users"))
        self.say("resume", "users")
        text = self.say("abort")
        self.assertIn("users: aborted no → yes\nthreads: aborted no → yes\n", text)

    def test_confirm_within_says_when_it_goes_back(self):
        text = self.say("percent", "users", "50", "--confirm-within", "10m")
        self.assertRegex(text, r"percent goes back to 25 at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, unless "
                               "`strangler confirm users` comes before")
        self.assertIn("users: percent goes back to 25 at", self.say("status"))
        self.say("confirm", "users")
        self.assertRegex(self.say("history"), r"\n +2 .* 2 +\S+ +confirm +users\n")
        self.assertNotIn("goes back", self.say("status"))
        self.assertIn("waits to be confirmed", self.say("confirm", "users", status=PROBLEM))

    def test_what_is_not_confirmed_goes_back(self):
        self.say("percent", "users", "50", "--confirm-within", "1s")
        wait_until("it went back", lambda: self.module()["percent"] == 25)
        self.assertIn("revert", self.say("history"))

    def test_writes_freeze_and_unfreeze(self):
        self.assertRegex(self.say("freeze", "users", "--ttl", "30s", "--max-wait", "1s"),
                         r"users: frozen none → \d{4}-")
        self.assertIn("users: writes wait until", self.say("status"))
        self.assertRegex(self.say("unfreeze", "users"), "users: frozen .* → none")
        self.assertIn("users: write_owner legacy → extracted\n",
                      self.say("writes", "users", "extracted", "--timeout", "10s"))
        self.assertEqual(ask_once(self.proxy.plain, "/api/users/1", "POST").body, b"extracted")
        self.assertIn("write_owner extracted → legacy", self.say("abort", "users", "--writes"))

    def test_undo_takes_back_the_newest_or_one_by_number(self):
        self.say("percent", "users", "50")
        self.say("stage", "threads", "ramp")
        self.assertIn("threads: stage ramp → legacy\n", self.say("undo"))
        self.assertIn("users: percent 50 → 25\n", self.say("undo", "1", "--why", "oops"))
        text = self.say("history")
        self.assertIn("(undone by 4)", text)
        self.assertIn("undo 1", text)
        self.say("undo", "1", status=PROBLEM)
        self.say("undo", "99", status=PROBLEM)

    def test_save_and_diff(self):
        self.assertEqual(self.say("diff"), "the proxy runs as the files say\n")
        self.say("percent", "users", "50", "--why", "well")
        self.assertRegex(self.say("diff"), r"users +percent +25 +50 +by \S+ at [-\d]+ [:\d]+: well\n")
        self.assertIn("users: written into ", self.say("save", "users"))
        with open(os.path.join(self.proxy.routes, "10-test.cfg"), encoding="utf-8") as file:
            self.assertEqual(file.read(), self.config().replace("percent = 25", "percent = 50"))
        self.assertEqual(self.say("diff"), "the proxy runs as the files say\n")
        self.assertIn("the files say already", self.say("save"))
        # A save puts nothing in force, and confirming neither.
        self.assertRegex(self.say("history"), r"\n +2 .* 2 +\S+ +save +users\n")
        self.proxy.write("10-test.cfg", self.config())
        self.assertRegex(self.say("diff"), "users +percent +25 +50 +edited, and not reloaded yet")
        self.say("reload")
        self.assertEqual(self.module()["percent"], 25)

    def test_reload_waits_and_a_fault_changes_nothing(self):
        self.proxy.write("10-test.cfg", self.config().replace("percent = 25", "percent = 60"))
        self.assertIn("generation 2\n", self.say("reload"))
        self.assertEqual(self.module()["percent"], 60)
        self.proxy.write("10-test.cfg", "modules: {")
        self.say("reload", status=PROBLEM)
        self.assertIn("the last reload was refused", self.say("status"))
        self.assertEqual(self.say("generation"), "2\n")
        # Who has to stop a migration does not wait for a brace.
        self.assertIn("aborted no → yes", self.say("abort", "users"))

    def test_two_editors_at_once(self):
        generation = self.say("generation").strip()
        self.say("percent", "users", "30", "--if-generation", generation)
        text = self.say("percent", "users", "40", "--if-generation", generation, status=PROBLEM)
        self.assertIn("generation 2 is in force", text)
        self.assertEqual(self.module()["percent"], 30)

    def test_drain(self):
        name = f"service/127.0.0.1:{self.extracted.port}"
        self.assertIn(f"{name}: draining\n", self.say("drain", name))
        self.assertIn("draining", self.say("backends"))
        self.assertIn(f"{name}: healthy\n", self.say("drain", name, "--off"))
        self.assertIn("no endpoint is called", self.say("drain", "service", status=PROBLEM))

    def test_who_changed_it_is_in_the_history(self):
        self.say("percent", "users", "30", SUDO_USER="alice")
        self.assertRegex(self.say("history"), r" alice@\S+ +percent +users: percent 25 → 30\n")


class Refusals(CommandCase):
    def test_each_refusal_is_clear_and_changes_nothing(self):
        for words, status, text in (
                (["stage", "threads", "live"], PROBLEM, "--force"),
                (["stage", "users", "retired"], PROBLEM, ""),
                (["stage", "usres", "live"], PROBLEM, "did you mean `users`?"),
                (["stage", "users", "lvie"], PROBLEM, "did you mean `live`?"),
                (["percent", "users", "100.00001"], USAGE, "0 … 100"),
                (["percent", "users", "101"], USAGE, "not `101`"),
                (["percent", "users", "-1"], USAGE, "no option `-1`"),
                (["percent", "users", "x"], USAGE, "not `x`"),
                (["percent", "users", "100.1"], USAGE, "not `100.1`"),
                (["percent", "users"], USAGE, "strangler percent MODULE PERCENT"),
                (["percent", "users", "1", "2"], USAGE, "`2` is one word too many"),
                (["percent", "users", "1", "--confirm-within", "10"], USAGE, "10m"),
                (["percent", "users", "1", "--confirm-within"], USAGE, "needs a value: DURATION"),
                (["percent", "users", "1", "--wyh", "x"], USAGE, "did you mean `--why`?"),
                (["percent", "users", "1", "--json=x"], USAGE, "takes no value"),
                (["percent", "users", "1", "--watch"], USAGE, "no option `--watch`"),
                (["percent", "users", "1", "--if-generation", "x"], PROBLEM, "generation"),
                (["writes", "users", "both"], PROBLEM, "no side `both`: legacy, extracted"),
                (["writes", "users", "extract"], PROBLEM, "did you mean `extracted`?"),
                (["undo", "0"], USAGE, "not `0`"),
                (["undo", "x"], USAGE, "not `x`"),
                (["history", "-n", "0"], USAGE, "not `0`"),
                (["history", "nobody"], PROBLEM, "no module is called `nobody`"),
                (["resume"], USAGE, "strangler resume MODULE"),
                (["freeze", "users", "--ttl", "1"], USAGE, "not `1`"),
                (["abort", "usrs"], PROBLEM, "did you mean `users`?")):
            said = self.say(*words, status=status)
            self.assertIn(text, said, words)
            self.assertTrue(said.startswith(f"strangler {words[0]}: "), said)
        self.assertEqual(self.say("generation"), "1\n")

    def test_a_command_that_is_not_there(self):
        for word, meant in (("stauts", "status"), ("stat", "status"), ("Abort", "abort"),
                            ("hist", "history")):
            done = run_command(word)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn(f"did you mean `{meant}`?", done.stderr)
        done = run_command("xyzzy")
        self.assertEqual((done.returncode, "did you mean" in done.stderr), (USAGE, False))
        self.assertEqual(run_command().returncode, USAGE)

    def test_the_token_is_needed_and_found(self):
        token = os.path.join(self.proxy.folder, "state", "admin.token")
        address = f"127.0.0.1:{self.proxy.admin}"
        done = run_command("status", "--admin", address)
        self.assertEqual(done.returncode, PROBLEM)
        self.assertIn("STRANGLER_ADMIN_TOKEN_FILE", done.stderr)
        for environment in ({"STRANGLER_ADMIN_TOKEN_FILE": token, "STRANGLER_ADMIN": address},
                            {"STRANGLER_ADMIN_TOKEN_FILE": token, "STRANGLER_ADMIN": f"http://{address}/"}):
            self.assertEqual(run_command("generation", **environment).stdout, "1\n")
        other = os.path.join(self.folder, "token")
        with open(other, "w", encoding="ascii") as file:
            file.write("0" * 64)
        self.assertIn("chmod 600", self.say("status", status=PROBLEM,
                                            STRANGLER_ADMIN_TOKEN_FILE=other))
        os.chmod(other, 0o600)
        text = self.say("status", status=PROBLEM, STRANGLER_ADMIN_TOKEN_FILE=other)
        self.assertIn("not the token", text)
        self.assertNotIn("0" * 64, text)
        with open(other, "w", encoding="ascii") as file:
            file.write("short")
        for name, what in ((other + ".none", "No such file"), (os.devnull, "no regular file"),
                           (other, "holds no token")):
            self.assertIn(what, self.say("status", status=PROBLEM, STRANGLER_ADMIN_TOKEN_FILE=name))

    def test_no_proxy_is_an_exit_status_of_its_own(self):
        self.proxy.stop()
        for words in (["status"], ["stage", "users", "live"], ["abort"], ["history", "--json"],
                      ["status", "-w"]):
            text = self.say(*words, status=UNREACHABLE)
            self.assertIn(f"no proxy answers at 127.0.0.1:{self.proxy.admin}", text)

    def test_nothing_that_names_a_proxy_is_bad_usage(self):
        done = subprocess.run([PROXY, "status"], capture_output=True, text=True, cwd=self.folder,
                              timeout=20, check=False)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("which proxy?", done.stderr)
        self.assertIn("like 127.0.0.1:9901", self.say("status", "--admin", "no port", status=USAGE))

    def test_what_is_no_strangler_is_found_out(self):
        self.assertIn("no strangler", self.say(
            "status", "--admin", f"127.0.0.1:{self.legacy.port}", status=PROBLEM))

    def test_an_answer_that_never_comes_is_told_from_no_proxy(self):
        silent = self.closing(Http1Backend(lambda connection: connection.read_request()))
        text = self.say("abort", "--admin", f"127.0.0.1:{silent.port}", status=UNREACHABLE)
        self.assertIn("was asked, and its answer did not come", text)


class Reading(CommandCase):
    def test_status_is_a_table_with_remarks(self):
        for _ in range(20):
            ask_once(self.proxy.plain, "/api/users/1")
        self.say("abort", "threads", "--why", "not\tyet", status=PROBLEM)
        self.say("abort", "threads", "--why", "not yet")
        lines = self.say("status").splitlines()
        self.assertIn("generation 2", lines[0])
        self.assertRegex(lines[1], "^module +stage +percent +writes +legacy/s +errors +p50 +p99 ")
        self.assertRegex(lines[2], r"^users +ramp +25 % +legacy +.* ready$")
        self.assertRegex(lines[3], r"^threads +legacy, aborted +0 % +legacy ")
        self.assertRegex(lines[4], r"^threads: aborted by \S+ at .*: not yet; stage and percent act "
                                   "again after `strangler resume threads`$")
        self.assertNotIn("\033", "\n".join(lines))

    def test_every_reading_command_has_json(self):
        self.say("percent", "users", "30")
        self.assertEqual(len(self.ask("status")["modules"]), 2)
        self.assertEqual(self.ask("history")["entries"][0]["verb"], "percent")
        self.assertEqual(self.ask("history", "threads")["entries"], [])
        self.assertEqual(self.ask("diff")["differences"][0]["running"], 30)
        self.assertEqual(self.ask("generation"), {"generation": 2})
        self.assertEqual(len(self.ask("routes")["routes"]), 2)
        self.assertEqual(len(self.ask("backends")["backends"]), 2)
        self.assertEqual(self.ask("percent", "users", "31")["changed"], True)
        self.assertEqual(self.ask("explain", "GET", "/t/1")["module"]["name"], "threads")

    def test_routes_backends_and_history_for_people(self):
        self.assertRegex(self.say("routes"), r"users +api +/api/users/… +monolith or service +.*:\d+\n")
        self.assertIn("everything else goes to monolith", self.say("routes"))
        self.assertRegex(self.say("backends"), rf"service +http/1.1 +127.0.0.1:{self.extracted.port} "
                                               "+healthy +1 +0 +0\n")
        self.assertEqual(self.say("history"), "nothing was changed yet\n")
        self.assertEqual(self.say("history", "users"), "nothing of users was changed yet\n")

    def test_explain_asks_the_proxy_and_else_the_files(self):
        self.say("abort", "users", "--why", "p99", "--admin", f"127.0.0.1:{self.proxy.admin}")
        environment = {"STRANGLER_ADMIN": f"127.0.0.1:{self.proxy.admin}",
                       "STRANGLER_ADMIN_TOKEN_FILE": os.path.join(self.proxy.folder, "state/admin.token")}
        live = run_command("explain", "GET", "/api/users/1", **environment)
        self.assertIn("\nreason    abort\n", live.stdout)
        self.assertRegex(live.stdout, r"\nrunning   generation 2\n +aborted by \S+, .*: p99\n")
        files = self.say("explain", "GET", "/api/users/1")  # --config
        self.assertRegex(files, r"\nreason    bucket \d+[<>]")
        self.assertIn("From the files alone", files)
        self.proxy.stop()
        os.symlink(self.proxy.routes, os.path.join(self.folder, "routes"))
        done = subprocess.run([PROXY, "explain", "GET", "/api/users/1"], cwd=self.folder, timeout=20,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, DONE)
        self.assertIn("From the files alone", done.stdout)
        self.assertIn("no proxy answers", done.stderr)
        done = run_command("explain", "GET", "/", "--admin", f"127.0.0.1:{self.proxy.admin}")
        self.assertEqual(done.returncode, UNREACHABLE)

    def test_bad_words_of_explain_are_bad_usage_wherever_it_is_asked(self):
        environment = {"STRANGLER_ADMIN": f"127.0.0.1:{self.proxy.admin}",
                       "STRANGLER_ADMIN_TOKEN_FILE": os.path.join(self.proxy.folder, "state/admin.token")}
        for words in (["GET", "x"], ["GET", "/", "--from", "nobody"], ["GET", "/", "-H", "a"]):
            self.say("explain", *words, status=USAGE)
            self.assertEqual(run_command("explain", *words, **environment).returncode, USAGE)

    def test_every_command_has_help(self):
        text = run_command("help").stdout
        commands = re.findall(r"^  (\w+) +\S", text, re.MULTILINE)
        self.assertGreater(len(commands), 20)
        for command in commands:
            for words in (["help", command], [command, "--help"], [command, "-h"]):
                done = run_command(*words)
                self.assertEqual((done.returncode, done.stderr), (DONE, ""))
                self.assertTrue(done.stdout.startswith(f"usage: strangler {command}"))
                self.assertIn("Exit status: 0", done.stdout)
                self.assertLess(max(map(len, done.stdout.splitlines())), 102, command)
        self.assertEqual(run_command("help", "stauts").returncode, USAGE)


class Terminals(CommandCase):
    def on_terminal(self, *words: str, is_enough=lambda _: False, **environment: str) -> str:
        """What a terminal is sent until the command ends, or is ended because it is enough."""
        parent, child = pty.openpty()
        process = subprocess.Popen([PROXY, *words, "--config", self.proxy.routes], stdout=child,
                                   env={**os.environ, "TERM": "xterm", **environment})
        os.close(child)
        text = b""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end and not is_enough(text):
            if select.select([parent], [], [], 0.05)[0]:
                try:
                    text += os.read(parent, 65536)
                except OSError:
                    break
        process.terminate()
        process.wait(20)
        os.close(parent)
        return text.decode()

    def test_colours_are_for_terminals_that_want_them(self):
        self.say("abort", "users")
        self.assertIn("\033[31m", self.on_terminal("status"))
        self.assertNotIn("\033", self.on_terminal("status", NO_COLOR="1"))
        self.assertNotIn("\033", self.on_terminal("status", TERM="dumb"))
        self.assertIn("\033", self.on_terminal("status", NO_COLOR=""))

    def test_watching_redraws_in_place(self):
        text = self.on_terminal("status", "-w", is_enough=lambda text: text.count(DRAWN) >= 2)
        self.assertEqual(text.count("\033[2J"), 1)
        self.assertGreaterEqual(text.count("\033[H"), 2)
        self.assertEqual(text.count("\033[?7l"), text.count(DRAWN.decode()))

    def test_watching_without_a_terminal_prints_one_after_the_other(self):
        process = subprocess.Popen([PROXY, "status", "-w", "--json", "--config", self.proxy.routes],
                                   stdout=subprocess.PIPE, text=True)
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
        process.wait(20)
        process.stdout.close()
        self.assertEqual([line["generation"] for line in lines], [1, 1])

    def test_texts_from_the_history_do_not_act_on_the_terminal(self):
        self.assertIn("control", self.say("abort", "users", "--why", "a\x1b[2Jb", status=PROBLEM))

    def complete(self, *words: str, index: int = -1) -> list:
        at = len(words) - 1 if index < 0 else index
        done = run_command("complete", str(at), *words,
                           STRANGLER_ADMIN=f"127.0.0.1:{self.proxy.admin}",
                           STRANGLER_ADMIN_TOKEN_FILE=f"{self.proxy.folder}/state/admin.token")
        return done.stdout.splitlines()

    def test_completion_knows_commands_options_modules_and_endpoints(self):
        self.assertEqual(self.complete("strangler", "st"), ["status", "stage"])
        self.assertEqual(self.complete("strangler", "stage", ""), ["users", "threads"])
        self.assertEqual(self.complete("strangler", "stage", "u"), ["users"])
        self.assertEqual(self.complete("strangler", "stage", "users", "l"), ["legacy", "live"])
        self.assertEqual(self.complete("strangler", "stage", "--why", "x", "users", "r"),
                         ["ramp", "retired"])
        self.assertEqual(self.complete("strangler", "stage", "users", "live", ""), [])
        self.assertEqual(self.complete("strangler", "writes", "users", ""), ["legacy", "extracted"])
        self.assertEqual(self.complete("strangler", "abort", "--w"), ["--why", "--writes"])
        self.assertEqual(self.complete("strangler", "check", "--format", ""), ["human", "json"])
        self.assertEqual(self.complete("strangler", "help", "gen"), ["generation"])
        self.assertEqual(self.complete("strangler", "nothing", ""), [])
        # bash splits at colons.
        port = str(self.extracted.port)
        self.assertEqual(self.complete("strangler", "drain", "service/"), [f"service/127.0.0.1:{port}"])
        self.assertEqual(self.complete("strangler", "drain", "service/127.0.0.1", ":", port[:1]), [port])
        self.assertEqual(self.complete("strangler", "drain", "service/127.0.0.1", ":"), [port])

    def test_bash_completes(self):
        script = f"""
            source {SOURCE}/proxy/cli/strangler.bash
            COMP_WORDS=({PROXY} stage us) COMP_CWORD=2
            _strangler
            echo "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20,
                              cwd=self.folder, check=False, env={
                                  **os.environ, "STRANGLER_ADMIN": f"127.0.0.1:{self.proxy.admin}",
                                  "STRANGLER_ADMIN_TOKEN_FILE":
                                  f"{self.proxy.folder}/state/admin.token"})
        self.assertEqual(done.stdout, "users\n", done.stderr)


class Replicas(CommandCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.mkdtemp(dir=self.folder)
        os.mkdir(os.path.join(folder, "state"))  # replicas share a token
        shutil.copy(os.path.join(self.proxy.folder, "state", "admin.token"),
                    os.path.join(folder, "state"))
        self.second = Proxy(folder, {"10-test.cfg": self.config()})
        self.addCleanup(self.second.finish)
        self.admins = [f"127.0.0.1:{proxy.admin}" for proxy in (self.proxy, self.second)]
        self.both = [word for admin in self.admins for word in ("--admin", admin)]

    def percents(self) -> list:
        return [proxy.operate("/modules/users")[1]["percent"] for proxy in (self.proxy, self.second)]

    def test_a_change_reaches_all(self):
        text = self.say("percent", "users", "50", *self.both)
        self.assertIn("2 of 2 proxies took it", text)
        self.assertEqual(self.percents(), [50, 50])
        self.assertEqual(self.say("generation", *self.both),
                         f"{self.admins[0]}\n2\n\n{self.admins[1]}\n2\n")
        rows = self.ask("status", *self.both)
        self.assertEqual([(row["admin"], row["done"]) for row in rows],
                         [(admin, True) for admin in self.admins])
        done = run_command("generation", STRANGLER_ADMIN=",".join(self.admins),
                           STRANGLER_ADMIN_TOKEN_FILE=f"{self.proxy.folder}/state/admin.token")
        self.assertEqual(done.stdout.count("\n2\n"), 2)

    def test_without_one_of_them_nothing_is_changed_anywhere(self):
        dead = f"127.0.0.1:{free_port()}"
        text = self.say("percent", "users", "50", *self.both, "--admin", dead, status=UNREACHABLE)
        self.assertIn(f"no proxy answers at {dead}", text)
        self.assertIn("Nothing was changed anywhere", text)
        self.assertEqual(self.percents(), [25, 25])

    def test_an_abort_goes_on_without_those_that_are_gone(self):
        dead = f"127.0.0.1:{free_port()}"
        done = self.proxy.command("abort", "users", "--admin", dead, *self.both)
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertIn(f"no proxy answers at {dead}", done.stderr)
        self.assertIn("2 of 3 proxies took it", done.stderr)
        for proxy in (self.proxy, self.second):
            self.assertTrue(proxy.operate("/modules/users")[1]["aborted"])

    def test_a_refusal_names_who_refused(self):
        self.second.operate("/modules/users/stage", {"stage": "live"})
        done = self.proxy.command("stage", "users", "legacy", *self.both)
        self.assertEqual(done.returncode, PROBLEM)
        self.assertIn(f"strangler stage: {self.admins[1]}: ", done.stderr)
        self.assertIn("1 of 2 proxies took it", done.stderr)


if __name__ == "__main__":
    main()
