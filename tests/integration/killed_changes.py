"""kill -9 of the proxy at random moments of live changes: what was answered is there after the next
start, what was not is there as a whole or not at all, and the applications agree with the proxy."""

import os
import random
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import Optional

from http1_backend import Http1Backend, named
from http2_peer import ask_once
from strangler_test import ProxyCase, backend_text, config_text, main, wait_until

KILLS = int(os.environ.get("STRANGLER_KILLS", "20"))
CHANGES_BEFORE_A_KILL = 4
HOUR_MS = 3600 * 1000

# An application: it owns or does not, and believes the highest epoch that it was told.
FLIP = """#!/bin/sh
exec 9>{folder}/lock
flock 9
old=$(cat {folder}/application 2>/dev/null || echo "legacy 1")
[ "$3" -gt "${{old#* }}" ] || exit 1
echo "$2 $3" > {folder}/application.new
mv {folder}/application.new {folder}/application
"""


@dataclass
class Module:
    """As GET /modules shows it, and what its file says."""
    stage: str = "ramp"
    percent: float = 25
    write_owner: str = "legacy"
    aborted: bool = False
    frozen: bool = False
    pending: Optional[str] = None  # the key that waits to be confirmed
    file_stage: str = "ramp"
    file_percent: float = 25
    file_owner: str = "legacy"

    def copy(self) -> "Module":
        return Module(**vars(self))

    def overrides(self) -> list:
        return [key for key, value, file in (("stage", self.stage, self.file_stage),
                                             ("percent", self.percent, self.file_percent),
                                             ("write_owner", self.write_owner, self.file_owner))
                if value != file]


@dataclass
class State:
    users: Module = field(default_factory=Module)
    posts: Module = field(default_factory=Module)
    entries: int = 0

    def copy(self) -> "State":
        return State(self.users.copy(), self.posts.copy(), self.entries)

    def shown(self) -> tuple:
        return (*((module.stage, module.percent, module.write_owner, module.aborted, module.frozen,
                   module.pending, sorted(module.overrides()))
                  for module in (self.users, self.posts)), self.entries)


@dataclass
class Order:
    path: str
    body: dict
    after: State
    reloads: bool = False


class Orders:
    """Random orders that the state allows, each with the state that it leads to."""

    def __init__(self, dice: random.Random):
        self.dice = dice

    def next(self, state: State) -> Order:
        users = state.users
        makers = [self.percent, self.stage, self.latch, self.all_latches, self.freeze, self.writes,
                  self.reload, self.save]
        if users.pending:
            makers = [self.confirm, self.latch, self.freeze]
        after = state.copy()
        after.entries += 1
        return self.dice.choice(makers)(after)

    def percent(self, after: State) -> Order:
        name = self.dice.choice(["users", "posts"])
        module = getattr(after, name)
        module.percent = self.dice.choice([value for value in (10, 20, 30, 40)
                                           if value != module.percent])
        return Order(f"/modules/{name}/percent", {"percent": module.percent}, after)

    def stage(self, after: State) -> Order:
        after.users.stage = "ramp" if after.users.stage == "live" else "live"
        body = {"stage": after.users.stage}
        if self.dice.random() < 0.5:
            after.users.pending = "stage"
            body["confirm_within_ms"] = HOUR_MS
        return Order("/modules/users/stage", body, after)

    def confirm(self, after: State) -> Order:
        after.users.pending = None
        return Order("/modules/users/confirm", {}, after)

    def latch(self, after: State) -> Order:
        after.posts.aborted = not after.posts.aborted
        verb = "abort" if after.posts.aborted else "resume"
        return Order(f"/modules/posts/{verb}", {}, after)

    def all_latches(self, after: State) -> Order:
        aborted = not (after.users.aborted and after.posts.aborted)
        after.users.aborted = after.posts.aborted = aborted
        return Order("/abort" if aborted else "/resume", {}, after)

    def freeze(self, after: State) -> Order:
        after.users.frozen = not after.users.frozen
        if not after.users.frozen:
            return Order("/modules/users/unfreeze", {}, after)
        return Order("/modules/users/freeze", {"ttl_ms": HOUR_MS}, after)

    def writes(self, after: State) -> Order:
        users = after.users
        users.write_owner = "legacy" if users.write_owner == "extracted" else "extracted"
        return Order("/modules/users/writes", {"owner": users.write_owner}, after)

    def reload(self, after: State) -> Order:
        """The file's value has another override or none; either is dropped."""
        users = after.users
        overridden = users.percent != users.file_percent
        users.file_percent = self.dice.choice([value for value in (15, 25, 35)
                                               if value != users.file_percent])
        users.percent = users.file_percent
        after.entries -= not overridden
        return Order("/reload", {}, after, reloads=True)

    def save(self, after: State) -> Order:
        users = after.users
        after.entries -= not users.overrides()
        users.file_stage, users.file_percent = users.stage, users.percent
        users.file_owner = users.write_owner
        return Order("/modules/users/save", {}, after)


class Killed(ProxyCase):
    def setUp(self):
        super().setUp()
        self.legacy = self.closing(Http1Backend(named("legacy")))
        self.extracted = self.closing(Http1Backend(named("extracted")))
        self.program = os.path.join(self.folder, "flip.sh")
        with open(self.program, "w", encoding="ascii") as file:
            file.write(FLIP.format(folder=self.folder))
        os.chmod(self.program, 0o755)
        self.state = State()
        self.took_s: dict = {}  # by verb, the last time
        self.proxy = self.start_proxy(self.config())

    def config(self) -> str:
        modules = "".join(
            f'{name}: {{ legacy = "monolith"; extracted = "service"; '
            f'stage = "{module.file_stage}"; percent = {module.file_percent}; '
            f'write_owner = "{module.file_owner}"; on_flip = "{self.program}"; '
            f'routes: {{ r: {{ prefix = "/{name}"; }}; }}; }};\n'
            for name, module in (("users", self.state.users), ("posts", self.state.posts)))
        return config_text(backend_text("monolith", self.legacy.port),
                           backend_text("service", self.extracted.port),
                           more=f'identity = [ "address" ];\nmodules: {{ {modules} }};')

    # --- what the proxy says

    def module_shown(self, name: str) -> tuple:
        shown = self.proxy.operate(f"/modules/{name}")[1]
        pending = shown["pending"]
        return (shown["stage"], shown["percent"], shown["write_owner"], bool(shown["aborted"]),
                bool(shown["frozen"]), pending and pending["key"],
                sorted(row["key"] for row in shown["overrides"]))

    def shown(self) -> tuple:
        history = self.proxy.operate("/history?limit=1")[1]["entries"]
        return (self.module_shown("users"), self.module_shown("posts"),
                history[0]["entry"] if history else 0)

    def is_flipping(self) -> bool:
        return self.proxy.operate("/modules/users")[1]["flipping"]

    def application_owner(self) -> str:
        path = os.path.join(self.folder, "application")
        if not os.path.exists(path):
            return "legacy"
        with open(path, encoding="ascii") as file:
            return file.read().split()[0]

    def check_journal(self):
        database = sqlite3.connect(os.path.join(self.proxy.folder, "state", "strangler.db"))
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        lost = database.execute("SELECT count(*) FROM entry_item WHERE entry NOT IN"
                                " (SELECT id FROM entry)").fetchone()
        self.assertEqual(lost, (0,))
        database.close()

    # --- orders

    def send(self, order: Order, answers: list):
        try:
            answers.append(self.proxy.operate(order.path, order.body))
        except OSError:
            pass  # killed in the middle

    def begin(self, order: Order):
        """A reload's file is there before the order is."""
        if order.reloads:
            self.state.users.file_percent = order.after.users.file_percent
            self.proxy.write("10-test.cfg", self.config())

    def carry_out(self, order: Order):
        answers: list = []
        self.begin(order)
        began = time.monotonic()
        self.send(order, answers)
        self.took_s[os.path.basename(order.path)] = time.monotonic() - began
        self.assertEqual(answers[0][0], 200, (order, answers))
        self.state = order.after
        self.assertEqual(self.shown(), self.state.shown(), order)

    def kill_during(self, order: Order, dice: random.Random):
        answers: list = []
        self.begin(order)
        thread = threading.Thread(target=self.send, args=(order, answers))
        thread.start()
        took_s = self.took_s.get(os.path.basename(order.path), 0.01)
        time.sleep(dice.random() * took_s * 1.1)  # the random moment
        self.proxy.process.kill()
        self.proxy.process.wait()
        thread.join()
        self.proxy.start()
        allowed = [order.after] if answers or order.reloads else [self.state, order.after]
        wait_until("writes are settled", lambda: not self.is_flipping())
        shown = self.shown()
        if order.reloads:  # a start that finds a new file drops the override as a reload does
            self.assertEqual(shown[:2], order.after.shown()[:2], order)
        else:
            self.assertIn(shown, [state.shown() for state in allowed], order)
        self.state = next((state for state in allowed if state.shown() == shown), order.after)
        self.state.entries = shown[2]
        self.assertEqual(self.application_owner(), self.state.users.write_owner, order)
        self.check_journal()

    def test_what_was_answered_stays_and_nothing_is_half_done(self):
        dice = random.Random(KILLS)
        orders = Orders(dice)
        for _ in range(KILLS):
            for _ in range(dice.randrange(CHANGES_BEFORE_A_KILL)):
                self.carry_out(orders.next(self.state))
            self.kill_during(orders.next(self.state), dice)
        if self.state.users.frozen:
            self.proxy.operate("/modules/users/unfreeze", {})
        answer = ask_once(self.proxy.plain, "/users", "POST", body=b"x")
        self.assertEqual(answer.body, self.state.users.write_owner.encode())


if __name__ == "__main__":
    main(3600)
