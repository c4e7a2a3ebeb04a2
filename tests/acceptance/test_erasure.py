"""Erasure: nothing that is left brings the content back, no other proof changes, and no deletion passes for one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import prepared_city as homes
import pytest
from command_line import certledger, service
from evidence import Shown
from prepared_city import Home, Make

from api.wiring import CITY_KEYS, City
from certs.store import context
from ledger.errors import LedgerError
from ledger.keys.keystore import WRAPPING
from ledger.keys.wrapping import WrappingKey
from ledger.sealing.open import open_sealed
from ledger.store import day_keys

BASIS = ("--basis", "个人信息保护法第四十七条（演示）")
TWO = ("--operator", "op-11111111", "--operator", "op-22222222")
DATABASE, KEYS = "ledger.sqlite", "contents.sqlite"


@dataclass(frozen=True, slots=True)
class Content:
    """One certificate's content as it stood before, read beside the product."""

    identifier: str
    digest: bytes
    row_key: bytes
    content_key: bytes
    sealed: bytes
    wrapped: bytes
    """Its key, as contents.sqlite had it."""

    @property
    def kid(self) -> bytes:
        return self.sealed[2:18]


def contents(home: Home) -> list[Content]:
    with closing(sqlite3.connect(home.path / DATABASE)) as database, closing(sqlite3.connect(home.path / KEYS)) as keys:
        wrapped = dict(keys.execute("SELECT kid, wrapped FROM content_key"))
        rows = database.execute(
            "SELECT identifier, digest, row_key, content_key, sealed FROM certificate ORDER BY log_index"
        ).fetchall()
    return [Content(*row, wrapped[row[-1][2:18]]) for row in rows]


def files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def holding(folder: Path, needle: bytes) -> list[str]:
    """Names of the files whose raw bytes hold it."""
    return [path.name for path in files(folder) if needle in path.read_bytes()]


def scattered(folder: Path, content: bytes, piece: int = 24) -> int:
    """How many pieces of a long content stand in any file: SQLite spreads it over pages."""
    raw = b"\x00".join(path.read_bytes() for path in files(folder))
    return sum(content[at : at + piece] in raw for at in range(0, len(content) - piece, piece))


def keys_left(home: Home) -> list[WrappingKey]:
    """Every key that is left: of the keystore, of the days, of the other contents."""
    with City(home.path) as city:
        found = [city.keystore.wrapper(name) for name, kind in CITY_KEYS if kind == WRAPPING]
        with city.database.reading() as connection:
            found += [WrappingKey(city.day_keys.secret(row)) for row in day_keys.every(connection)]
        with closing(sqlite3.connect(home.path / KEYS)) as keys:
            kids = [kid for (kid,) in keys.execute("SELECT kid FROM content_key WHERE wrapped IS NOT NULL")]
        found += city.content_keys.find(kids).values()
    return found


def opens(content: Content, key: WrappingKey) -> bool:
    try:
        open_sealed(content.sealed, context=context(content.digest), key=key)
    except LedgerError:
        pass
    else:
        return True
    try:  # and the wrapped data key itself, whatever key id stands before it
        key.unwrap(content.sealed[18:78], context(content.digest))
    except LedgerError:
        return False
    return True


def checked(home: Home, code: int) -> list[dict[str, Any]]:
    report = home.run("check", "--all", "--json", expect=code).json["checks"]
    return [line for line in report if line["outcome"] == "wrong"]


def evidence_of(bundle: Path) -> tuple[Any, ...]:
    """What of a bundle does not depend on the moment it was written."""
    parts = json.loads(bundle.read_text())
    parts.pop("snapshot")
    return tuple(json.dumps(parts[name], sort_keys=True) for name in sorted(parts))


def attributes(bundle: Path) -> list[bytes]:
    """The values a bundle shows, as bytes, but for those too short to search for."""
    _, *disclosures, _ = json.loads(bundle.read_text())["presentation"].split("~")
    values = [json.loads(urlsafe_b64decode(each + "=" * (-len(each) % 4)))[2] for each in disclosures]
    return [value.encode() for value in values if isinstance(value, str) and len(value) >= 8]


def test_nothing_that_is_left_brings_it_back_and_no_other_proof_changes(apart: Make, shown: Shown) -> None:
    home = apart()
    home.up()
    before = contents(home)
    gone, others = before[3], [*before[:3], *before[4:]]
    bundles = {path.stem: path for path in home.export(*(each.identifier for each in before))}
    kept = {each.identifier: evidence_of(bundles[each.identifier]) for each in others}
    values = attributes(bundles[gone.identifier])
    assert values
    backup = home.path.parent / "backup"
    shutil.copytree(home.path, backup, ignore=shutil.ignore_patterns("contents.sqlite*", "*.lock", "chain"))

    preview = home.run("erase", gone.identifier, *BASIS, *TWO, "--dry-run", "--json").json
    assert preview["state"] == "shown" and contents(home) == before
    done = home.run("erase", gone.identifier, *BASIS, *TWO, "--json").json
    assert (done["state"], done["certificates"]) == ("erased", [gone.identifier])

    left = {
        name: holding(home.path, needle)
        for name, needle in {
            "the wrapped key": gone.wrapped,
            "the hash of its number": gone.row_key,
            "the hash of its content": gone.content_key,
        }.items()
    }
    assert left == {"the wrapped key": [], "the hash of its number": [], "the hash of its content": []}
    assert holding(backup, gone.wrapped) == []
    assert scattered(home.path, gone.sealed) == 0
    assert scattered(backup, gone.sealed) > 0  # the ciphertext is in the backup, and no key opens it:
    assert not [value for value in values for folder in (home.path, backup) if holding(folder, value)]
    keys = keys_left(home)
    tried = {each.identifier: sum(opens(each, key) for key in keys) for each in before}
    assert tried == {each.identifier: int(each is not gone) for each in before}

    again = {path.stem: evidence_of(path) for path in home.export(*kept)}
    assert again == kept
    for identifier in (gone.identifier, *list(kept)[:3]):  # the holder's own copy too: what was true stays true
        certledger("verify", bundles[identifier], "--trust", home.trust)
    assert home.run("cert", "show", gone.identifier, "--json").json["erased"] is True
    refused = home.run("bundle", "export", gone.identifier, "--json", expect=1).json["error"]["code"]
    assert refused == "CERTIFICATE_ERASED"
    assert checked(home, 0) == []
    shown(
        "erased content: database file, WAL, backup, keys left",
        f"{len(keys)} keys on {len(before)} envelopes: {sum(tried.values())} open, of the erased one"
        f" {tried[gone.identifier]}; its wrapped key in 0 files, its ciphertext only in the backup",
    )
    shown("all other proofs", f"{len(again)} bundles made anew: presentation, statement, salt, proof, head the same")


TAKEN = {
    "the row": (DATABASE, "DELETE FROM certificate WHERE digest = :digest", "CERTIFICATE_MISSING"),
    "the content": (DATABASE, "UPDATE certificate SET sealed = :kid WHERE digest = :digest", "CONTENT_MISSING"),
    "the key": (KEYS, "DELETE FROM content_key WHERE kid = :kid", "CONTENT_KEY_MISSING"),
    "the key, as an erasure leaves it": (
        KEYS,
        "UPDATE content_key SET wrapped = NULL, destroyed_at = '2026-11-24T00:00:00.000Z' WHERE kid = :kid",
        "CONTENT_KEY_MISSING",
    ),
    "a bit of the content": (
        DATABASE,
        "UPDATE certificate SET sealed = :flipped WHERE digest = :digest",
        "CONTENT_ALTERED",
    ),
    "all of it, and a line in the register": (
        DATABASE,
        "UPDATE certificate SET sealed = :kid, row_key = digest, content_key = digest, subject_ref = NULL"
        " WHERE digest = :digest; INSERT INTO erasure SELECT digest, sealed, log_no, log_index, 1 FROM certificate"
        " WHERE digest = :digest",
        "CONTENT_MISSING",
    ),
}


def test_an_insiders_deletion_without_an_anchored_erasure_is_found(apart: Make, shown: Shown) -> None:
    home = apart()
    home.up()
    victim = contents(home)[7]
    flipped = victim.sealed[:-1] + bytes([victim.sealed[-1] ^ 1])
    values = {"digest": victim.digest, "kid": victim.kid, "flipped": flipped}
    found: list[str] = []
    for what, (file, statement, code) in TAKEN.items():
        whole = {name: (home.path / name).read_bytes() for name in (DATABASE, KEYS)}
        with closing(sqlite3.connect(home.path / file)) as database, database:
            for each in statement.split(";"):
                assert database.execute(each, values).rowcount == 1, what
        with closing(sqlite3.connect(home.path / file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (line,) = checked(home, 1)
        assert (line["check"], line["code"]) == ("contents", code), (what, line)
        assert " #7 " in line["detail"], line
        found.append(f"{what}: {code}")
        for name, content in whole.items():
            (home.path / name).write_bytes(content)
    assert checked(home, 0) == []
    shown(
        "an insider's deletion without an anchored erase",
        f"{len(found)} of {len(TAKEN)} found at entry 7: {'; '.join(found)}",
    )


def test_a_restored_key_store_is_emptied_again_at_the_start(apart: Make, shown: Shown) -> None:
    home = apart()
    home.up()
    gone = contents(home)[0]
    old = (home.path / KEYS).read_bytes()
    home.run("erase", gone.identifier, *BASIS, *TWO)
    (home.path / KEYS).write_bytes(old)
    assert [line["code"] for line in checked(home, 1)] == ["ERASED_KEY_PRESENT"]
    home.down()
    with service("up", "--home", home.path, "--lang", "en", ready="had come back") as (_, said):
        assert "1 erased contents" in said[-1]
    assert holding(home.path, gone.wrapped) == []
    home.up()
    assert checked(home, 0) == []
    shown("an older contents.sqlite put back", "check: ERASED_KEY_PRESENT; the next start destroyed it again")


def test_everything_of_one_holder_named_on_standard_input(apart: Make, shown: Shown) -> None:
    home = apart()
    home.up()
    header, first, *_ = homes.licences()
    holder = f"001 {first[header.index('持证主体代码')]}\n".encode()
    asked = ("erase", "--holder", *BASIS, *TWO, "--json")
    preview = home.run(*asked, given=holder).json
    assert (preview["state"], preview["number"]) == ("shown", 1)
    assert home.run(*asked, "--count", 2, given=holder, expect=3).json["error"]["code"] == "ERASURE_COUNT"
    assert home.run(*asked, "--count", 1, given=holder).json["state"] == "erased"
    assert home.run(*asked, given=holder).json["number"] == 0
    assert checked(home, 0) == []
    shown("all of one holder", "1 certificate found by reference, shown, then erased; the code never in argv")


@pytest.mark.parametrize(
    ("arguments", "given", "code"),
    [
        ((*BASIS, "--operator", "op-11111111"), b"", "ERASURE_OPERATORS"),
        ((*BASIS, "--operator", "op-11111111", "--operator", "op-11111111"), b"", "ERASURE_OPERATORS"),
        ((*BASIS, "--operator", "张三", "--operator", "李四"), b"", "ERASURE_FORM"),
        (("--basis", " ", *TWO), b"", "ERASURE_BASIS"),
        (("--holder", *BASIS, *TWO), b"", "USAGE"),
    ],
)
def test_an_order_that_is_none(city: Home, arguments: tuple[str, ...], given: bytes, code: str) -> None:
    before = city.size()
    ran = city.run("erase", city.identifiers(1)[0], *arguments, "--json", given=given, expect=None)
    assert ran.code in (1, 3) and ran.plain and ran.json["error"]["code"] == code
    assert city.size() == before


@pytest.mark.parametrize(
    "given", [b"", b"001", b"001 22222 33333", b"\xff\xfe", b"001 91330100NOTACODE00", b"888 XXXXX"]
)
def test_a_holder_that_is_none(city: Home, given: bytes) -> None:
    ran = city.run("erase", "--holder", *BASIS, *TWO, "--json", given=given, expect=None)
    assert ran.code == 3 and ran.plain
    assert not [word for word in given.decode("latin1").split()[1:] if word in ran.said]


def test_while_the_chain_is_away_it_is_recorded_and_waits(apart: Make, shown: Shown) -> None:
    home = apart()
    (gone, *_) = contents(home)
    ran = home.run("erase", gone.identifier, *BASIS, *TWO, "--json", expect=2).json
    assert ran["state"] == "recorded" and contents(home)[0] == gone
    home.up()
    assert home.run("erase", gone.identifier, *BASIS, *TWO, "--json").json["state"] == "erased"
    assert checked(home, 0) == []
    shown("erasing while the chain is away", "exit 2, recorded, content still there; the same again finishes it")
