"""Issuing on a real home: every good row exactly once, however often, from however many processes, killed or not."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import signal
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from homes import CARD, LICENCE, MARKET, POLICE, SAMPLES, WORDS, Home, licences, sample, write

from api.issue import issue_file
from api.wiring import City
from certs import identifier
from certs.certificate_type import load_catalogue
from certs.errors import IssuingError, LifecycleError, RowFileError
from certs.lifecycle import Change
from ledger.errors import ChainUnavailable
from ledger.status import Status
from ledger.store import outbox
from ledger.verdict import Result, State, Step

HANG_SECONDS = 120
FRESH = multiprocessing.get_context("forkserver")
"""Processes that share nothing with this one; what they import is imported once."""
FRESH.set_forkserver_preload(["api.issue", "api.wiring", "ledger.evm.client"])
NUMBER, NAME = 0, 1
"""Columns of the licence sample: 证照编号, 持证主体."""


def row_keys(home: Home) -> list[tuple[bytes, int]]:
    return [(each.row_key, each.version) for each in home.certificates()]


def issued_once(home: Path | Home, rows: int) -> None:
    """So many certificates, each with its own leaf, and no leaf without one."""
    assert isinstance(home, Home)
    found = home.certificates()
    assert len(found) == len({each.row_key for each in found}) == len({each.identifier for each in found}) == rows
    assert sorted(each.log_index for each in found) == list(range(rows)) == list(range(home.contiguous()))
    assert home.ask("SELECT count(DISTINCT status_place) FROM certificate") == [(rows,)]


# ---------------------------------------------------------------------- once


def test_the_same_file_twice(home: Home) -> None:
    path = licences(home.folder / "rows.csv", 20)
    first = home.issue(path)
    before = home.certificates()
    again = home.issue(path)
    assert (first.rows, first.issued, first.rejected, first.rejects) == (20, 20, 0, None)
    assert (again.rows, again.issued, again.already, again.rejected) == (20, 0, 20, 0)
    assert home.certificates() == before
    issued_once(home, 20)


def test_the_same_rows_in_another_file_order_and_encoding(home: Home) -> None:
    header, rows = sample()
    home.issue(write(home.folder / "a.csv", header, rows[:10]))
    order = list(reversed(range(len(header))))
    turned = [[row[i] for i in order] for row in reversed(rows[:12])]
    again = home.issue(write(home.folder / "b.csv", [header[i] for i in order], turned, "gb18030"))
    assert (again.issued, again.already, again.rejected) == (2, 10, 0)
    issued_once(home, 12)


def test_a_file_that_says_the_same_twice(home: Home) -> None:
    header, rows = sample()
    report = home.issue(write(home.folder / "rows.csv", header, [rows[0], rows[1], rows[0], rows[0]]))
    assert (report.rows, report.issued, report.already, report.rejected) == (4, 2, 2, 0)
    issued_once(home, 2)


def test_a_file_that_says_two_things_about_one_number(home: Home) -> None:
    header, rows = sample()
    other = [*rows[0]]
    other[NAME] = rows[1][NAME]
    report = home.issue(write(home.folder / "rows.csv", header, [rows[0], other, rows[1]]))
    assert (report.issued, report.already, report.rejected) == (2, 0, 1)
    assert report.rules == {"ALREADY_ISSUED_OTHERWISE": 1}
    (reject,) = rejects(report.rejects)
    assert reject["line"] == "3" and home.certificates()[-1].identifier in reject["problem"]
    issued_once(home, 2)


def rejects(path: Path | None) -> list[dict[str, str]]:
    assert path is not None
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_rejects_are_listed_with_line_column_rule_and_words(home: Home) -> None:
    header, rows = sample()
    bad = [[*row] for row in rows[:6]]
    bad[1][2] = "91330102XXXX10014A"
    bad[3][4] = "2025-02-30"
    bad[4][NUMBER] = ""
    report = home.issue(write(home.folder / "rows.csv", header, bad))
    assert (report.rows, report.issued, report.rejected) == (6, 3, 3)
    listed = rejects(report.rejects)
    assert [(r["line"], r["column"], r["rule"]) for r in listed] == [
        ("3", header[2], "USCC_CHECK"),
        ("5", header[4], "DATE_IMPOSSIBLE"),
        ("6", header[0], "VALUE_MISSING"),
    ]
    assert all(reject["problem"] for reject in listed)
    assert (report.rejects or Path()).stat().st_mode & 0o777 == 0o600
    clean = home.issue(licences(home.folder / "rows.csv", 6))
    assert (clean.issued, clean.already, clean.rejects) == (3, 3, None)
    assert not (home.folder / "rows.rejects.csv").exists()


@pytest.mark.parametrize(
    "spelled", [unicodedata.normalize("NFD", "Café Zürich（演示）"), "龘𠮷𠀋（演示）", "ﬁrm ①（演示）"]
)
def test_names_in_any_spelling_make_certificates_that_verify(home: Home, spelled: str) -> None:
    """What is signed must be what our own strict reader accepts: NFC, no lone surrogates."""
    header, rows = sample()
    rows[0][NAME] = spelled
    report = home.issue(write(home.folder / "rows.csv", header, rows[:1]))
    assert report.issued == 1
    home.publish()
    verified = home.verify(report.last)
    assert verified.verdict.result is Result.VALID
    assert verified.claims["holder_name"] == unicodedata.normalize("NFC", spelled)


def test_a_json_line_with_a_lone_surrogate_is_a_reject(home: Home) -> None:
    line = json.loads((SAMPLES / "real_estate_title.jsonl").read_text(encoding="utf-8").splitlines()[0])
    text = json.dumps(line).replace(json.dumps(line["holder_name"]), '"\\ud800"')
    path = home.folder / "rows.jsonl"
    path.write_text(text + "\n", encoding="utf-8")
    report = home.issue(path, "real_estate_title")
    assert (report.issued, report.rejected) == (0, 1)


def issue_in_a_process(folder: str, path: str, done: Any) -> None:
    with City(Path(folder)) as city:
        report = issue_file(
            city, Path(path), type_id="real_estate_title", agency=MARKET, words=WORDS, progress=lambda *_: None
        )
    done.put((report.issued, report.rules))


def test_a_json_line_nested_too_deeply_is_a_reject_and_not_the_end_of_the_process(home: Home) -> None:
    """The chain client's libraries raise the recursion limit: a recursive parser then runs out of stack."""
    good = (SAMPLES / "real_estate_title.jsonl").read_text(encoding="utf-8").splitlines()[0]
    path = home.folder / "rows.jsonl"
    path.write_text(good + '\n{"location": ' + "[" * 150_000 + "]" * 150_000 + "}\n", encoding="utf-8")
    done = FRESH.Queue()
    child = FRESH.Process(target=issue_in_a_process, args=(str(home.folder), str(path), done))
    child.start()
    child.join(HANG_SECONDS)
    assert child.exitcode == 0
    assert done.get(timeout=HANG_SECONDS) == (1, {"ROW_MALFORMED": 1})


# -------------------------------------------------------------- two processes


def run_in_a_process(folder: str, path: str, go: Any, done: Any) -> None:
    """What an operator's second terminal does."""
    with City(Path(folder)) as city:
        go.wait(HANG_SECONDS)
        report = issue_file(city, Path(path), type_id=LICENCE, agency=MARKET, words=WORDS, progress=lambda *_: None)
    done.put((report.issued, report.already, report.rejected))


def test_two_processes_issuing_the_same_file_at_once(home: Home) -> None:
    rows = 1200
    path = licences(home.folder / "rows.csv", rows)
    go, done = FRESH.Barrier(2), FRESH.Queue()
    both = [FRESH.Process(target=run_in_a_process, args=(str(home.folder), str(path), go, done)) for _ in range(2)]
    for each in both:
        each.start()
    reports = [done.get(timeout=HANG_SECONDS) for _ in both]
    for each in both:
        each.join(HANG_SECONDS)
    assert [each.exitcode for each in both] == [0, 0]
    assert sum(issued for issued, _, _ in reports) == rows
    assert [issued + already for issued, already, _ in reports] == [rows, rows]
    assert [rejected for _, _, rejected in reports] == [0, 0]
    issued_once(home, rows)
    home.publish()
    assert not home.wrong()
    print(f"two processes, {rows} rows: (issued, already, rejected) {reports}")


# ------------------------------------------------------------------- kill -9


def issue_until_killed(folder: str, path: str, target: int, reached: Any) -> None:
    """Says when `target` rows are decided; soon afterwards it is killed."""

    def told(done: int, _: int) -> None:
        if done >= target:
            reached.set()

    with City(Path(folder)) as city:
        issue_file(city, Path(path), type_id=LICENCE, agency=MARKET, words=WORDS, progress=told)


def test_killed_in_the_middle_and_run_again(home: Home) -> None:
    """After every kill the log is whole; at the end every good row stands there exactly once."""
    rows, seed = 2400, 9
    rng = random.Random(seed)
    path = licences(home.folder / "rows.csv", rows)
    unfinished, sizes = 0, []
    for target in (1, 501, 1001):
        reached = FRESH.Event()
        child = FRESH.Process(target=issue_until_killed, args=(str(home.folder), str(path), target, reached))
        child.start()
        assert reached.wait(HANG_SECONDS)
        time.sleep(rng.uniform(0, 0.3))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join(HANG_SECONDS)
        home.reopen()
        sizes.append(len(home.certificates()))
        unfinished += child.exitcode == -signal.SIGKILL and sizes[-1] < rows
        if sizes[-1]:
            issued_once(home, sizes[-1])
    assert sizes == sorted(sizes) and unfinished > 1 and sizes[-1] > 0
    report = home.issue(path)
    assert report.issued + report.already == rows and report.already == sizes[-1]
    issued_once(home, rows)
    home.publish()
    assert not home.wrong()
    print(f"seed {seed}: {len(sizes)} kills, {unfinished} of them unfinished; issued after each: {sizes} of {rows}")


# ------------------------------------------------------------------- refusals


def nothing_written(home: Home) -> None:
    assert home.certificates() == [] and home.size() == 0 and home.outbox() == {}


def test_an_agency_that_may_not_issue_this_type(home: Home) -> None:
    path = licences(home.folder / "rows.csv", 3)
    with pytest.raises(IssuingError) as refused:
        home.issue(path, agency=POLICE)
    assert refused.value.code == "AGENCY_NOT_ACCREDITED"
    nothing_written(home)
    assert not (home.folder / "rows.rejects.csv").exists()


def test_an_agency_nobody_knows(home: Home) -> None:
    with pytest.raises(IssuingError) as refused:
        home.issue(licences(home.folder / "rows.csv", 3), agency="11330100XXXX33064L")
    assert refused.value.code == "AGENCY_UNKNOWN"
    nothing_written(home)


def test_a_type_nobody_knows_and_a_file_of_another_type(home: Home) -> None:
    path = licences(home.folder / "rows.csv", 3)
    with pytest.raises(Exception) as unknown:
        home.issue(path, "driving_licence")
    assert getattr(unknown.value, "code", "") == "TYPE_UNKNOWN"
    with pytest.raises(RowFileError) as other:
        home.issue(path, CARD)
    assert other.value.code == "HEADER_REFUSED"
    nothing_written(home)


def test_an_agency_whose_key_is_not_here(home: Home) -> None:
    """The database knows it, as after a restore without the keystore that belongs to it."""
    home.edit("INSERT INTO agency SELECT '11330100XXXX33064L', name, facts FROM agency WHERE code = ?", MARKET)
    with pytest.raises(IssuingError) as refused:
        home.issue(licences(home.folder / "rows.csv", 3), agency="11330100XXXX33064L")
    assert refused.value.code == "AGENCY_KEY_MISSING"
    nothing_written(home)


# ----------------------------------------------------------------- chain down


def test_with_the_chain_down_issuing_goes_on_and_is_anchored_later_in_one_transaction(home: Home) -> None:
    home.issued(3)
    home.publish()
    assert len(home.transactions("publish")) == 1
    home.chain.stop()
    city = home.reopen()
    for start in (4, 7, 10):
        assert home.issue(licences(home.folder / f"{start}.csv", 3, start=start)).issued == 3
    with pytest.raises(ChainUnavailable):
        home.publish()
    assert len(home.certificates()) == 12 and home.outbox()["head", "waiting"] == 1
    assert [line.check for line in home.wrong()] == ["chain"]
    home.chain.start()
    city.forget_chain()
    home.publish()
    assert len([each for each in home.transactions("publish") if each.state == outbox.FINAL]) == 2
    assert {home.verify(each.identifier).verdict.result for each in home.certificates()} == {Result.VALID}
    assert not home.wrong()


def test_with_the_chain_down_an_unaccredited_agency_is_still_refused(home: Home) -> None:
    home.chain.stop()
    home.reopen()
    with pytest.raises(IssuingError):
        home.issue(licences(home.folder / "rows.csv", 3), agency=POLICE)
    nothing_written(home)


# -------------------------------------------------------------------- changes


def moved(home: Home, count: int, word: str) -> Path:
    """The first rows of the sample with another name for the holder."""
    header, rows = sample()
    changed = [[*row] for row in rows[:count]]
    for row in changed:
        row[NAME] = row[NAME].replace("公司", f"{word}公司")
    return write(home.folder / f"moved-{word}.csv", header, changed)


def test_renewal_makes_the_next_version_and_closes_the_old_one(home: Home) -> None:
    (old,) = home.issued(1)
    home.publish()
    report = home.issue(moved(home, 1, "新"), renew=True)
    assert (report.renewed, report.issued) == (1, 0)
    home.publish()
    new, before = identifier.parse(report.last), identifier.parse(old.identifier)
    assert (new.version, new.serial, new.issuer, new.type_code) == (2, before.serial, before.issuer, before.type_code)
    assert new.variant == "standard" and new.check == identifier.check_character("".join(report.last.split(".")[5:9]))
    assert home.verify(report.last, online=True).verdict.result is Result.VALID
    superseded = home.verify(old.identifier, online=True).verdict
    assert superseded.result is Result.INVALID and superseded.at(Step.STATUS).reason == "STATUS_SUPERSEDED"
    third = home.issue(moved(home, 1, "再"), renew=True)
    home.publish()
    assert identifier.parse(third.last).version == 3
    assert home.verify(third.last).verdict.result is Result.VALID
    assert home.verify(report.last).verdict.result is Result.INVALID
    assert not home.wrong()


def test_renewal_before_the_old_one_was_anchored(home: Home) -> None:
    home.issued(1)
    report = home.issue(moved(home, 1, "新"), renew=True)
    home.publish()
    assert home.verify(report.last).verdict.result is Result.VALID
    assert home.size() == 3


def test_renewal_of_what_is_unchanged_does_nothing_and_of_what_is_new_issues(home: Home) -> None:
    path = licences(home.folder / "rows.csv", 2)
    home.issued(1)
    report = home.issue(path, renew=True)
    assert (report.already, report.issued, report.renewed) == (1, 1, 0)


@pytest.mark.parametrize("change", [Change.REVOKE, Change.CANCEL])
def test_renewal_of_what_has_ended_is_refused(home: Home, change: Change) -> None:
    (old,) = home.issued(1)
    home.change(old.identifier, change)
    report = home.issue(moved(home, 1, "新"), renew=True)
    assert (report.renewed, report.rejected, report.rules) == (0, 1, {"RENEWAL_OF_ENDED": 1})
    assert len(home.certificates()) == 1


def test_renewal_of_a_suspended_one_is_possible(home: Home) -> None:
    (old,) = home.issued(1)
    home.change(old.identifier, Change.SUSPEND)
    report = home.issue(moved(home, 1, "新"), renew=True)
    home.publish()
    assert report.renewed == 1 and home.verify(report.last).verdict.result is Result.VALID


def test_the_same_renewal_twice(home: Home) -> None:
    home.issued(2)
    path = moved(home, 2, "新")
    assert home.issue(path, renew=True).renewed == 2
    again = home.issue(path, renew=True)
    assert (again.renewed, again.already) == (0, 2) and len(home.certificates()) == 4


def refusal(home: Home, identifier_: str, change: Change, **more: Any) -> str:
    size, before = home.size(), home.outbox()
    with pytest.raises(LifecycleError) as refused:
        home.change(identifier_, change, **more)
    assert (home.size(), home.outbox()) == (size, before)
    return refused.value.code


def test_suspended_twice_and_reinstated_twice(home: Home) -> None:
    (one,) = home.issued(1)
    home.change(one.identifier, Change.SUSPEND)
    assert refusal(home, one.identifier, Change.SUSPEND) == "STATUS_NOT_POSSIBLE"
    home.change(one.identifier, Change.REINSTATE)
    assert refusal(home, one.identifier, Change.REINSTATE) == "STATUS_NOT_POSSIBLE"
    home.publish()
    # Before it is verified: what is handed out for that is recorded, and waits in logs of its own.
    assert home.outbox() == {("head", "done"): 1, ("status", "done"): 2}
    assert home.verify(one.identifier, online=True).verdict.result is Result.VALID


def test_a_final_status_is_final(home: Home) -> None:
    (one,) = home.issued(1)
    home.change(one.identifier, Change.REVOKE)
    for change in Change:
        assert refusal(home, one.identifier, change) == "STATUS_NOT_POSSIBLE"


def test_revocation_by_another_agency(home: Home) -> None:
    from certs.changing import ChangeStatus
    from ledger.status import Reason

    (one,) = home.issued(1)
    with pytest.raises(LifecycleError) as refused:
        home.city.sequencer.append(home.city.log, ChangeStatus(one.identifier, POLICE, Change.REVOKE, Reason.PENALTY))
    assert refused.value.code == "NOT_THE_ISSUER"
    assert home.certificates()[0].status is Status.ACTIVE and home.size() == 1


def test_a_certificate_nobody_knows(home: Home) -> None:
    assert refusal(home, "1.2.156.3005.2.X", Change.REVOKE) == "CERTIFICATE_UNKNOWN"


# ------------------------------------------------------------------- all types


def test_every_sample_is_issued_whatever_its_headings_encoding_and_form(home: Home) -> None:
    """CSV and JSON Lines, Chinese, pinyin and English headings, UTF-8 with and without mark, GBK, ; between cells."""
    files = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".csv", ".jsonl"))
    assert {path.stem for path in files} == set(load_catalogue()) and len(files) == 11
    rows = 0
    for path in files:
        lines = path.read_bytes().splitlines(keepends=True)[:201]
        short = home.folder / path.name
        short.write_bytes(b"".join(lines))
        report = home.issue(short, path.stem)
        assert (report.issued, report.rejected) == (200, 0), path.name
        rows += report.issued
    issued_once(home, rows)
    home.publish()
    newest = {each.type_code: each.identifier for each in home.certificates()}
    assert len(newest) == 11
    for each in newest.values():
        findings = home.verify(each).verdict.findings
        # Some samples ran out: that is their own date, and nothing else may be wrong with them.
        assert {f.state for f in findings if f.step is not Step.VALIDITY} == {State.PASS, State.NOT_ASKED}
    assert len(home.transactions("publish")) == 1
    assert not home.wrong()
