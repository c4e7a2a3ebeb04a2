"""`certledger audit check` by the real command: a thousand edits named, a million records in flat memory, traces."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import access_records
from command_line import COMMAND, FULL, ROOT, Ran, certledger, environment
from database_edits import Editor, Place, misnamed
from evidence import Shown
from prepared_city import Home, Make

from api.wiring import City
from audit.store import rights
from ledger.merkle import verify_inclusion

EDITS = 1000 if FULL else 100
IN_ONE_COPY = 20
RECORDS = 1_000_000 if FULL else 100_000
SMALL = 600
GUARD = 3600.0


@contextmanager
def opened(home: Home) -> Iterator[City]:
    """With its chain running, closed again afterwards."""
    home.up()
    try:
        with City(home.path) as city:
            yield city
    finally:
        home.down()


def prepared(home: Home, records: int, granted: int = 40) -> None:
    """Authorizations, mandates, persons' keys and readings, anchored."""
    with opened(home) as city:
        ids = [access_records.grant(city, number) for number in range(granted)]
        for number in range(granted // 2):
            access_records.mandate(city, number)
            access_records.holder_key(city, number)
        access_records.corrections(city, 20)
        access_records.read(city, ids, records)
        city.publisher.catch_up(60.0)


def checked(home: Home, *, expect: int = 1) -> Ran:
    return home.run("audit", "check", "--json", expect=expect, guard=GUARD)


def places(ran: Ran) -> set[Place]:
    found = ran.json["differences"]
    return {(each["log"], each["index"], each["table"], each["column"]) for each in found}


def test_random_edits_are_found_at_their_place(apart: Make, shown: Shown) -> None:
    home, rng, found = apart(), random.Random(2411), 0
    prepared(home, SMALL)
    home.up()
    try:
        assert places(checked(home, expect=0)) == set()
        database, kept = home.path / "ledger.sqlite", home.path.parent / "kept.sqlite"
        with closing(sqlite3.connect(database)) as whole:
            whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(database, kept)
        for _ in range(EDITS // IN_ONE_COPY):
            with closing(sqlite3.connect(database)) as copy, copy:
                editor = Editor(copy, rng)
                for _ in range(IN_ONE_COPY):
                    editor.edit()
            assert list(misnamed(editor.expected, places(checked(home)))) == []
            found += len(editor.expected)
            for stale in home.path.glob("ledger.sqlite-*"):
                stale.unlink()
            shutil.copy(kept, database)
        assert places(checked(home, expect=0)) == set()
    finally:
        home.down()
    assert found == EDITS
    shown("1,000 random edits of committed columns", f"{EDITS} edited, {found} named, and nothing else")


def test_whole_histories_are_found(apart: Make, shown: Shown) -> None:
    """Yesterday's copy, a log cut back with all its tiles, and heads edited."""
    home = apart()
    prepared(home, SMALL)
    database, yesterday = home.path / "ledger.sqlite", home.path.parent / "yesterday.sqlite"
    with closing(sqlite3.connect(database)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(database, yesterday)
    with opened(home) as city:
        access_records.read(city, [access_records.grant(city, 99)], 20, start=SMALL)
        city.publisher.catch_up(60.0)
    with closing(sqlite3.connect(database)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    today = home.path.parent / "today.sqlite"
    shutil.copy(database, today)
    home.up()
    try:
        shutil.copy(yesterday, database)
        assert ("access", None, "log", "size") in places(checked(home))
        for column, value in (("size", 7), ("root", bytes(32)), ("last_at", "2020-01-01T00:00:00.000Z"), ("epoch", 3)):
            shutil.copy(today, database)
            with closing(sqlite3.connect(database)) as edited, edited:
                edited.execute(f"UPDATE log SET {column} = ? WHERE stream = 'access'", (value,))
            assert {(table, named) for _, _, table, named in places(checked(home))} >= {("log", column)}
        for column in ("kid", "wrapped"):
            shutil.copy(today, database)
            with closing(sqlite3.connect(database)) as edited, edited:
                edited.execute(f"UPDATE day_key SET {column} = zeroblob(length({column}))")
            assert ("", None, "day_key", column) in places(checked(home))
    finally:
        home.down()
    shown("yesterday's copy, edited heads, keys of days", "all named: log, day_key")


def test_many_records_in_flat_memory(apart: Make, shown: Shown) -> None:
    home = apart()
    prepared(home, RECORDS // 10, granted=100)
    small, _ = measured(home)
    with opened(home) as city:
        with city.database.reading() as connection:
            ids = [row.id for row in rights.newest(connection, 100)]
        access_records.read(city, ids, RECORDS - RECORDS // 10, start=RECORDS // 10)
        city.publisher.catch_up(60.0)
    large, ran = measured(home)
    assert large <= small * 1.2, (small, large)
    assert ran.json["differences"] == [] and ran.json["entries"] >= RECORDS
    rate = int(ran.json["entries"] / ran.json["seconds"])
    memory = f"{large // 1024} MiB against {small // 1024} MiB at a tenth"
    shown(f"audit check of {RECORDS:,} access records", f"{rate:,} entries/s, {memory}")
    shown("trace by person", traced(home))


def measured(home: Home) -> tuple[int, Ran]:
    """(peak resident KiB of the command, what it said)."""
    home.up()
    try:
        begun = time.monotonic()
        command = [COMMAND, "audit", "check", "--json", "--home", str(home.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), cwd=ROOT) as process:
            assert process.stdout is not None
            text = process.stdout.read().decode()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = status >> 8
    finally:
        home.down()
    return used.ru_maxrss, Ran(process.returncode, text, "", time.monotonic() - begun)


def traced(home: Home) -> str:
    """Every line of one person with a proof that is verified here, by plain RFC 9162."""
    person = access_records.person(7)
    with subprocess.Popen(
        [COMMAND, "audit", "trace", "--holder", "--json", "--limit", "10000", "--home", str(home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    ) as process:
        begun = time.monotonic()
        text, _ = process.communicate(f"{person.type} {person.code}\n".encode(), timeout=GUARD)
        seconds = time.monotonic() - begun
    said = json.loads(text)
    assert process.returncode == 0 and len(said["lines"]) == said["total"] == -(-(RECORDS - 7) // 1000)
    for line in said["lines"]:
        proof = [bytes.fromhex(node) for node in line["inclusion"]["proof"]]
        head = line["inclusion"]["head"]
        root, size = bytes.fromhex(head["root"]), head["size"]
        leaf = bytes.fromhex(line["leaf"])
        verify_inclusion(leaf_hash=leaf, index=line["index"], size=size, proof=proof, root=root)
    return f"{said['total']} lines, each with a proof that holds, {seconds:.2f} s with the command's start"


def test_one_record_convinces_a_third_party(apart: Make, shown: Shown) -> None:
    home = apart()
    prepared(home, 30)
    file = home.path.parent / "evidence.json"
    home.up()
    try:
        found = home.run("audit", "trace", "--operator", "op-clerk-0007", "--json").json
        (line,) = found["lines"]
        home.run("audit", "evidence", line["index"], "--show", "case", "--out", file)
        assert home.run("audit", "evidence", 10**6, expect=None).plain
    finally:
        home.down()
    told = certledger("audit", "verify-evidence", file, "--trust", home.trust, "--json").json
    assert told["result"] == "VALID" and told["opened"] == {"case": line["case"]}
    assert "op-clerk-0007" not in file.read_text()
    forged = file.with_name("forged.json")
    forged.write_text(file.read_text().replace(line["asker"], "11340100XXXX340161"))
    bad = certledger("audit", "verify-evidence", forged, "--trust", home.trust, expect=1)
    assert bad.plain
    shown(
        "evidence of one record, chain stopped", f"{told['result']} {told['code']}; with another agency in it: exit 1"
    )
