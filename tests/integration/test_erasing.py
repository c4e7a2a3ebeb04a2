"""Erasing on a real home: recorded, anchored, then gone; interrupted anywhere; what vanishes without it is found."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from homes import Home

from api import wiring
from api.errors import ApiError
from api.reading import bundle_of, read_own
from audit.subject import Holder, subject_ref
from certs import erasure_store, store
from certs.crossregion.disclosure import disclose
from certs.erasing import RecordErasure
from certs.erasure import Order, read
from certs.errors import CertsError, ErasureError
from certs.store import Certificate
from ledger import entries
from ledger.errors import LedgerError, StoreUnavailable, VerificationError
from ledger.sealing.open import open_sealed
from ledger.store import logs
from ledger.verdict import Result

ORDER = Order("个人信息保护法第四十七条（演示）", ("op-11111111", "op-22222222"))


def ordered(home: Home, certificate: Certificate) -> None:
    home.city.sequencer.append(home.city.log, RecordErasure([certificate.identifier], ORDER))


def erased(home: Home, certificate: Certificate) -> None:
    ordered(home, certificate)
    home.publish()
    assert home.city.erasing.finish() == 1


def of(home: Home, certificate: Certificate) -> Certificate:
    with home.city.database.reading() as connection:
        found = store.by_identifier(connection, certificate.identifier)
    assert found is not None
    return found


def faults(home: Home) -> set[tuple[str, str, str]]:
    """Code, table and column of the first difference of each check."""
    lines = home.wrong()
    assert all(line.difference for line in lines), lines
    return {(d.code, d.table, d.column) for line in lines if (d := line.difference)}


def edit_keys(home: Home, statement: str, *values: Any) -> int:
    with closing(sqlite3.connect(home.folder / wiring.CONTENTS, timeout=30)) as raw, raw:
        return raw.execute(statement, values).rowcount


def test_what_is_erased_is_gone_and_everything_else_stays(home: Home) -> None:
    gone, stays, _ = home.issued(3)
    home.publish()
    before = bundle_of(home.city, stays.identifier)
    erased(home, gone)
    row = of(home, gone)
    assert row.erased and row.sealed == gone.content_kid
    assert (row.row_key, row.content_key, row.subject_ref) == (gone.digest, gone.digest, None)
    assert not home.city.content_keys.find([gone.content_kid])
    with pytest.raises(CertsError) as error:
        bundle_of(home.city, gone.identifier)
    assert error.value.code == "CERTIFICATE_ERASED"
    after = bundle_of(home.city, stays.identifier)
    assert (after.proof, after.presentation, after.statement) == (before.proof, before.presentation, before.statement)
    assert home.verify(stays.identifier).verdict.result is Result.VALID
    assert not home.wrong()


def test_the_statement_says_what_by_which_right_and_who_answers(home: Home) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    erased(home, gone)
    with home.city.database.reading() as connection:
        row = logs.find(connection, home.city.log.id)
        assert row is not None
        index = row.head.size - 1
        sealed = logs.entry(connection, row.no, index)
    statement, _ = entries.open_entry(
        sealed or b"", log_id=row.id, index=index, key=home.city.keystore.wrapper(wiring.CITY_KEY)
    )
    said = read(statement)
    assert (said.digest, said.index, said.kid, said.order) == (gone.digest, gone.log_index, gone.content_kid, ORDER)
    assert statement.agency == gone.issuer


@pytest.mark.parametrize(
    "operators", [("op-11111111", "op-11111111"), ("op-11111111", "张三"), ("op-1", "op-22222222")]
)
def test_two_persons_by_pseudonym(operators: tuple[str, str]) -> None:
    with pytest.raises((ErasureError, VerificationError)) as error:
        Order("basis", operators)
    assert error.value.code in ("ERASURE_OPERATORS", "ERASURE_FORM")


@pytest.mark.parametrize("basis", ["", "  ", "two\nlines", "x" * 201])
def test_a_basis_of_one_line(basis: str) -> None:
    with pytest.raises(ErasureError) as error:
        Order(basis, ORDER.operators)
    assert error.value.code == "ERASURE_BASIS"


def test_nothing_is_erased_before_it_is_anchored(home: Home) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    ordered(home, gone)
    assert home.city.erasing.finish() == 0
    assert home.city.erasing.apply() == 0
    assert not of(home, gone).erased and not home.wrong()
    bundle_of(home.city, gone.identifier)
    home.publish()
    assert home.city.erasing.finish() == 1
    assert home.city.erasing.finish() == home.city.erasing.apply() == 0


def test_ordered_twice_it_is_recorded_once(home: Home) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    erased(home, gone)
    size = home.size()
    ordered(home, gone)
    assert home.size() == size


class _Crash(Exception):
    pass


def _crash(*_: object, **__: object) -> None:
    raise _Crash


@pytest.mark.parametrize("where", ["destroy", "clear", "cut_log", "set_done"])
def test_a_crash_anywhere_is_finished_by_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    ordered(home, gone)
    home.publish()
    places = {"destroy": home.city.content_keys, "cut_log": home.city.database, "set_done": erasure_store}
    target = places.get(where, store)
    with monkeypatch.context() as patch:
        patch.setattr(target, where, _crash)
        with pytest.raises(_Crash):
            home.city.erasing.finish()
    home.reopen()
    home.city.erasing.apply()
    assert of(home, gone).erased and not home.city.content_keys.find([gone.content_kid])
    with home.city.database.reading() as connection:
        assert not erasure_store.every(connection, due=True)
    assert not home.wrong()


def test_a_reader_that_stays_keeps_it_unfinished_and_it_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    ordered(home, gone)
    home.publish()
    with closing(sqlite3.connect(home.folder / wiring.DATABASE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM certificate").fetchone()
        home.reopen()
        monkeypatch.setattr("ledger.store.database.BUSY_TIMEOUT_MS", 100)
        with pytest.raises(StoreUnavailable) as error:
            home.city.erasing.finish()
        assert error.value.code == "WAL_IN_USE"
    assert home.city.erasing.finish() == 1


Insider = Callable[[Home, Certificate], object]
INSIDERS: dict[str, tuple[Insider, tuple[str, str, str]]] = {
    "the row": (
        lambda home, c: home.edit("DELETE FROM certificate WHERE digest = ?", c.digest),
        ("CERTIFICATE_MISSING", "certificate", "digest"),
    ),
    "the content": (
        lambda home, c: home.edit("UPDATE certificate SET sealed = ? WHERE digest = ?", c.content_kid, c.digest),
        ("CONTENT_MISSING", "certificate", "sealed"),
    ),
    "all of it, without a sound": (
        lambda home, c: home.edit("UPDATE certificate SET sealed = x'' WHERE digest = ?", c.digest),
        ("CONTENT_ALTERED", "certificate", "sealed"),
    ),
    "one byte": (
        lambda home, c: home.edit(
            "UPDATE certificate SET sealed = ? WHERE digest = ?", c.sealed[:-1] + bytes([c.sealed[-1] ^ 1]), c.digest
        ),
        ("CONTENT_ALTERED", "certificate", "sealed"),
    ),
    "the key": (
        lambda home, c: edit_keys(home, "DELETE FROM content_key WHERE kid = ?", c.content_kid),
        ("CONTENT_KEY_MISSING", "content_key", "wrapped"),
    ),
    "the key, as if erased": (
        lambda home, c: home.city.content_keys.destroy([c.content_kid]),
        ("CONTENT_KEY_MISSING", "content_key", "wrapped"),
    ),
    "another key": (
        lambda home, c: edit_keys(home, "UPDATE content_key SET wrapped = ? WHERE kid = ?", b"x" * 60, c.content_kid),
        ("CONTENT_ALTERED", "content_key", "wrapped"),
    ),
    "a place": (
        lambda home, c: home.edit("UPDATE certificate SET log_index = 10000 WHERE digest = ?", c.digest),
        ("CERTIFICATE_MISSING", "certificate", "log_index"),
    ),
}


@pytest.mark.parametrize("what", INSIDERS)
def test_what_an_insider_takes_without_a_statement_is_found(home: Home, what: str) -> None:
    _, victim, _ = home.issued(3)
    home.publish()
    assert not home.wrong()
    take, expected = INSIDERS[what]
    take(home, victim)
    assert expected in faults(home)
    (line,) = (line for line in home.wrong() if line.difference)
    assert line.difference is not None and line.difference.index == victim.log_index


def test_a_forged_line_of_the_register_excuses_nothing(home: Home) -> None:
    _, victim, _ = home.issued(3)
    home.publish()
    home.city.content_keys.destroy([victim.content_kid])
    with home.city.database.writing() as connection:
        place = (victim.log_no, victim.log_index)
        erasure_store.put(connection, [erasure_store.Erasure(victim.digest, victim.content_kid, *place, done=True)])
        store.clear(connection, {victim.digest: victim.content_kid})
    contents = next(line for line in home.wrong() if line.check == "contents")
    assert contents.difference is not None and contents.difference.code == "CONTENT_MISSING"
    assert "(+1)" in contents.detail  # ERASURE_UNFOUNDED


def test_a_key_store_from_before_brings_nothing_back(home: Home, tmp_path: Path) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    home.city.close()
    old = Path(shutil.copy(home.folder / wiring.CONTENTS, tmp_path))
    home.reopen()
    erased(home, gone)
    home.city.close()
    shutil.copy(old, home.folder / wiring.CONTENTS)
    home.reopen()
    assert faults(home) == {("ERASED_KEY_PRESENT", "content_key", "wrapped")}
    assert home.city.erasing.apply() == 1
    assert not home.wrong() and not home.city.content_keys.find([gone.content_kid])


def test_a_database_from_before_brings_nothing_back(home: Home, tmp_path: Path) -> None:
    gone, *_ = home.issued(3)
    home.publish()
    home.city.close()
    old = Path(shutil.copy(home.folder / wiring.DATABASE, tmp_path))
    home.reopen()
    erased(home, gone)
    home.city.close()
    shutil.copy(old, home.folder / wiring.DATABASE)
    home.reopen()
    assert of(home, gone).row_key == gone.row_key != gone.digest
    assert home.city.erasing.apply() == 1
    assert of(home, gone).erased and of(home, gone).row_key == gone.digest
    assert "DATABASE_BEHIND_GUARD" in {code for code, *_ in faults(home)}


def test_everything_of_a_person_is_found_by_reference(home: Home) -> None:
    first, *_ = home.issued(3)
    with home.city.database.reading() as connection:
        assert first.subject_ref is not None
        assert [each.digest for each in store.of_subject(connection, first.subject_ref)] == [first.digest]
    key = home.city.keystore.mac_key(wiring.SUBJECT_KEY)
    assert bytes.fromhex(subject_ref(Holder("001", "9" * 18), key)) != first.subject_ref


# ---------------------------------------------------------------------- disclosure


def test_only_what_was_recorded_is_shown_and_only_of_this_certificate(home: Home) -> None:
    one, other, _ = home.issued(3)
    home.publish()
    recorded = read_own(home.city, one.identifier, ["business_scope"])
    shown = disclose(one, recorded, home.city.content_keys)
    assert len(shown.split("~")) == 3  # the JWT, one disclosure, no key binding
    with pytest.raises(CertsError) as error:
        disclose(other, recorded, home.city.content_keys)
    assert error.value.code == "DISCLOSURE_OF_ANOTHER"


def test_a_field_that_does_not_exist_is_refused_and_recorded(home: Home) -> None:
    one, *_ = home.issued(3)
    home.publish()
    size = home.ask("SELECT size FROM log WHERE stream = 'access'")
    with pytest.raises(ApiError) as error:
        read_own(home.city, one.identifier, ["favourite_colour"])
    assert (error.value.code, error.value.params["decision"]) == ("READING_REFUSED", "FIELD_UNKNOWN")
    assert home.ask("SELECT size FROM log WHERE stream = 'access'") == [((size[0][0] if size else 0) + 1,)]


def test_the_citys_own_key_opens_no_certificate(home: Home) -> None:
    one, *_ = home.issued(3)
    for name in (wiring.CITY_KEY, wiring.CONTENTS_KEY):
        with pytest.raises(LedgerError):
            open_sealed(one.sealed, context=store.context(one.digest), key=home.city.keystore.wrapper(name))
