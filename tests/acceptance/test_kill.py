"""kill -9 at random moments: of the command while it issues, of the chain while it publishes, of both at the beginning.

What counts as acknowledged is every certificate that the command was told is recorded: `tests/faults/dying` writes its
identifier down at that instant, unbuffered. The labelled steps one by one: tests/faults/test_labelled_steps.py.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path

import prepared_city as homes
import referee
from command_line import COMMAND, FULL, GUARD, ROOT, certledger, environment, height, service, side_by_side
from evidence import Shown
from labels import DYING, lines_of
from prepared_city import LICENCE, MARKET, Home, Make

ROWS, KILLS = (100_000, 200) if FULL else (10_000, 20)
FILE_ROWS = 2_500
CHAIN_KILLS, INIT_KILLS = (20, 8) if FULL else (4, 1)
SAMPLE = 10 if FULL else 3
CATCH_UP = 3
"""Transactions that may be needed after an outage."""
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(2**32))
HEADER, *GOOD = homes.licences()


def files(folder: Path, dice: str) -> Iterator[Path]:
    """File after file of licences under numbers of their own."""
    at = HEADER.index("证照编号")
    rows = ([*row[:at], f"{dice}{round_}-{row[at]}", *row[at + 1 :]] for round_ in count() for row in GOOD)
    for number in count():
        path = folder / f"{dice}{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *islice(rows, FILE_ROWS)])
        yield path


@dataclass(slots=True)
class Attempts:
    """The same command, begun again after each death until it comes to its end."""

    home: Home
    told: Path
    dice: random.Random
    startup: float
    """Seconds of a run that finds everything issued."""
    whole: float
    """Seconds of a run that nobody disturbs."""

    def the_machine_has(self, startup: float) -> None:
        """It is faster or slower now than it was: moments are drawn by what it does at present."""
        self.startup, self.whole = startup, self.whole * startup / self.startup

    def asked(self, file: Path) -> list[str]:
        of = ("--agency", MARKET, "--type", LICENCE, "--home", self.home.path, "--json")
        return [str(COMMAND), "cert", "issue", str(file), *map(str, of)]

    def killed(self, file: Path, begin: int, *, last: bool) -> bool:
        """One attempt; False if it answered before its moment. `begin`: entries before this file; `last`: not before
        all of the file is recorded, so that it dies while it publishes, or is about to."""
        process = subprocess.Popen(
            self.asked(file),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(PYTHONPATH=str(DYING), TOLD=str(self.told)),
            cwd=ROOT,
        )
        deadline = time.monotonic() + GUARD
        while last and self.home.size() - begin < FILE_ROWS and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.moment(begin, last=last))
        process.kill()
        answer, _ = process.communicate(timeout=GUARD)
        assert process.returncode in (0, -signal.SIGKILL), process.returncode
        return process.returncode != 0 and answer == b""  # one that had answered was done

    def moment(self, begin: int, *, last: bool) -> float:
        if last:
            return self.dice.uniform(0, 0.5)
        if self.dice.random() < 1 / 4:
            return self.dice.uniform(self.startup / 3, self.startup)
        left = 1 - (self.home.size() - begin) / FILE_ROWS
        return self.dice.uniform(self.startup * 2 / 3, self.startup + (self.whole - self.startup) * left)


def test_issuing_is_killed_at_random_moments(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    url = home.up()
    source, dice = files(tmp_path, "杀"), random.Random(SEED)
    first = next(source)
    spans = [home.issue(first, "--json").seconds for _ in range(2)]
    attempts = Attempts(home, tmp_path / "told", dice, startup=spans[1], whole=spans[0])
    issued, kills, needed = FILE_ROWS, 0, []
    landed: Counter[str] = Counter()
    while issued < ROWS or kills < KILLS:
        file, begin = next(source), home.size()
        quota = -(-(KILLS - kills) // max((ROWS - issued) // FILE_ROWS, 1))
        sent = publishing(home)
        while quota and attempts.killed(file, begin, last=quota == 1):
            quota, kills = quota - 1, kills + 1
            recorded = home.size() - begin
            unfinished = recorded < FILE_ROWS or home.anchored_size() < home.size() or waiting(home)
            landed["reading, minting" if not recorded else "recording" if recorded < FILE_ROWS else "publishing"] += 1
            landed["with work unfinished"] += bool(unfinished)
            referee.kept(home.path, lines_of(attempts.told))
        begun_complete = home.size() - begin == FILE_ROWS
        finished = home.issue(file, "--json")
        assert finished.json["state"] == "anchored"
        if begun_complete:
            attempts.the_machine_has(finished.seconds)
        needed.append(publishing(home) - sent)
        issued += FILE_ROWS
    told = sorted({*lines_of(attempts.told)})
    referee.kept(home.path, told)
    found = referee.judge(home.path, url)
    assert found.certificates == homes.FIRST_ROWS + issued and not found.waiting
    assert max(needed) <= CATCH_UP
    certledger("check", "--all", "--home", home.path)
    valid = verified(home, dice.sample(told, SAMPLE))
    moments = ", ".join(f"{landed[each]} {each}" for each in ("reading, minting", "recording", "publishing"))
    shown(
        "kill -9 while issuing",
        f"seed {SEED}: {kills} of {kills} died of signal 9 with {issued:,} rows to issue: {moments}; "
        f"{landed['with work unfinished']} with work unfinished, the others unanswered",
    )
    shown(
        "afterwards",
        f"{len(told):,} told, 0 missing; {found.certificates:,} certificates of {homes.FIRST_ROWS + issued:,} rows, "
        f"none twice; {found.entries:,} entries contiguous; {len(found.heads)} heads, each a prefix of the next by two "
        "trees",
    )
    shown(
        "and",
        f"check --all exit 0; {valid} of {valid} bundles VALID online and offline; "
        f"transactions from the first kill in a file to its end: at most {max(needed)}",
    )


def publishing(home: Home) -> int:
    """Transactions of the publisher so far, read beside the product."""
    with closing(sqlite3.connect(home.path / "ledger.sqlite", timeout=60)) as database:
        query = "SELECT count(*) FROM chain_transaction WHERE label IN ('publish', 'status')"
        return int(database.execute(query).fetchone()[0])


def waiting(home: Home) -> int:
    with closing(sqlite3.connect(home.path / "ledger.sqlite", timeout=60)) as database:
        return int(database.execute("SELECT count(*) FROM outbox WHERE state != 'done'").fetchone()[0])


def verified(home: Home, identifiers: list[str]) -> int:
    """How many bundles were found VALID, online and offline; any other verdict fails."""
    bundles = home.export(*identifiers)
    asked = [("verify", each, "--trust", home.trust, *more) for each in bundles for more in ((), ("--offline",))]
    side_by_side(partial(certledger, *arguments) for arguments in asked)
    return len(bundles)


def test_the_chain_is_killed_while_it_publishes(apart: Make, tmp_path: Path, shown: Shown) -> None:
    """Its engine, which the supervisor replaces, and its supervisor, which takes the engine along."""
    home, dice = apart(), random.Random(SEED)
    home.up()
    (bundle,) = home.export(*home.identifiers(1))
    source, size = iter(GOOD[200:]), home.size()
    dead: Counter[str] = Counter()
    lags = []
    with service("up", "--home", home.path, ready="http://"):
        for number in range(CHAIN_KILLS):
            home.issue(homes.write(tmp_path / "rows.csv", [HEADER, *islice(source, 5)]), "--no-anchor")
            time.sleep(dice.uniform(0, 1.2))
            supervisor = pid_of_supervisor(home)
            if number % 2 == 0:
                dead["engine"] += kill_and_wait(engine_of(supervisor))
                continue
            dead["supervisor"] += kill_and_wait(supervisor)
            certledger("verify", bundle, "--trust", home.trust, "--offline")
            rows = homes.write(tmp_path / "more.csv", [HEADER, *islice(source, 5)])
            assert home.issue(rows, "--json").json["state"] == "recorded"
            status = home.run("anchor", "status", "--json").json["logs"][0]
            lags.append(status["size"] - status["anchored"])
            sent = publishing(home)
            home.up()
            until(lambda: not waiting(home))
            assert publishing(home) - sent <= CATCH_UP
        until(lambda: not waiting(home))
    found = referee.judge(home.path, home.url)
    home.run("check", "--all")
    assert found.entries == size + 5 * (CHAIN_KILLS + len(lags)) and all(lag >= 5 for lag in lags)
    valid = verified(home, home.identifiers(found.entries)[-SAMPLE:])
    shown(
        "kill -9 of the chain while publishing",
        f"seed {SEED}: {dead['engine']} engines, {dead['supervisor']} supervisors; issuing and offline verifying went "
        f"on; anchor status showed {lags} behind; {found.entries} entries, {len(found.heads)} heads, "
        f"{found.transactions} transactions, none twice; {valid} bundles VALID",
    )


def pid_of_supervisor(home: Home) -> int:
    return int(json.loads((home.path / "chain" / "devnet.json").read_text())["pid"])


def engine_of(supervisor: int) -> int:
    """Its child; a new one may just be coming."""
    deadline = time.monotonic() + GUARD
    while time.monotonic() < deadline:
        tasks = Path(f"/proc/{supervisor}/task").iterdir()
        children = [pid for task in tasks for pid in (task / "children").read_text().split()]
        if children:
            return int(children[0])
        time.sleep(0.02)
    raise AssertionError("no engine")


def kill_and_wait(pid: int) -> bool:
    """kill -9; True once the process is gone."""
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        deadline = time.monotonic() + GUARD
        while (found := Path(f"/proc/{pid}/stat")).exists() and found.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.close(handle)
    return True


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GUARD
    while not question():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_the_chain_is_killed_while_a_city_is_made(tmp_path: Path, shown: Shown) -> None:
    """At random moments of `init`; the same command again makes one city of it, with the contracts deployed once."""
    dice, died = random.Random(SEED), 0
    for number in range(INIT_KILLS):
        folder = tmp_path / f"city{number}"
        arguments = ["init", "--home", str(folder)]
        try:
            with subprocess.Popen(
                [COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), cwd=ROOT
            ) as process:
                until((folder / "chain" / "devnet.json").exists)
                time.sleep(dice.uniform(0, 0.8))
                died += kill_and_wait(pid_of_supervisor(Home(folder, folder)))
                process.communicate(timeout=GUARD)
                assert process.returncode in (0, 2, 3), process.returncode
            consortium = next(
                line for line in (folder / "certledger.toml").read_text().splitlines() if "consortium" in line
            )
            made = certledger(*arguments, "--json").json
            assert made["consortium"] in consortium
            with closing(sqlite3.connect(folder / "ledger.sqlite")) as database:
                labels = [row[0] for row in database.execute("SELECT label FROM chain_transaction")]
            assert len(labels) == 4 == len({*labels}) and height(made["chain"]) > 0
            certledger("check", "--home", folder)
        finally:
            certledger("devnet", "down", "--home", folder, expect=None)
            shutil.rmtree(folder, ignore_errors=True)
    shown(
        "kill -9 of the chain while a city is made",
        f"seed {SEED}: {died} times; init again: one ledger, 4 transactions",
    )
