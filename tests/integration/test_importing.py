"""Importing on a real home: every certificate once under its own identifier, with its file and its state."""

from __future__ import annotations

import csv
import json
import multiprocessing
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from homes import MARKET, POLICE, SAMPLES, WORDS, Home

from api.demo import existing
from api.importing import ImportReport, import_certificates, index_of
from api.issue import issue_file
from api.reading import bundle_of
from api.trusting import trust_of
from api.verify import policy, read_file
from api.wiring import CITY_KEY, City
from certs import identifier
from certs.bundle import encode
from certs.errors import IssuingError, RowFileError
from certs.verify.verifier import Verified, Verifier
from ledger import entries
from ledger.status import Status
from ledger.store import logs, outbox
from ledger.verdict import Result, Step

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_import_samples.py"
TYPE = "safety_officer_certificate"
COUNT = 1_000
HANG_SECONDS = 120
FRESH = multiprocessing.get_context("spawn")
"""Processes that share nothing with this one, so that their peak is their own."""


@dataclass
class Folder:
    """A folder of certificates as its system hands them over; the index may be changed."""

    path: Path
    rows: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.index.open(encoding="utf-8", newline="") as file:
            self.rows = list(csv.DictReader(file))

    @property
    def index(self) -> Path:
        return self.path / "index.csv"

    def write(self, rows: list[dict[str, str]] | None = None) -> Path:
        self.rows = self.rows if rows is None else rows
        with self.index.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return self.index

    def file(self, at: int) -> Path:
        return self.path / self.rows[at]["文件"].split(";")[0]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand synthetic OFD and PDF files and their index. Never changed itself."""
    folder = tmp_path_factory.mktemp("samples") / "existing"
    subprocess.run([sys.executable, SCRIPT, folder, str(COUNT)], check=True)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Folder:
    """The first forty of them, for a test that changes some."""
    few = Folder(made).rows[:40]
    copy = tmp_path / "few"
    copy.mkdir()
    for row in few:
        for name in row["文件"].split(";"):
            shutil.copy(made / name, copy)
    shutil.copy(made / "index.csv", copy)
    found = Folder(copy)
    found.write(few)
    return found


def run(home: Home, path: Path, **more: Any) -> ImportReport:
    chosen = {"type_id": TYPE, "agency": MARKET, "words": WORDS, "progress": lambda *_: None} | more
    return import_certificates(home.city, path, **chosen)


def numbered(serial: str) -> str:
    """A sound identifier of this agency and type."""
    check = identifier.check_character(f"11100000000013338W011{MARKET}{serial}001")
    return f"{identifier.ROOT}.11100000000013338W011.{MARKET}.{serial}.001.{check}"


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.registered, report.already, report.ended, report.rejected


def rejects(report: ImportReport) -> list[tuple[str, str, str]]:
    assert report.rejects is not None
    with report.rejects.open(encoding="utf-8-sig", newline="") as file:
        return [(row["line"], row["rule"], row["problem"]) for row in csv.DictReader(file)]


def statements(home: Home) -> Iterator[Any]:
    with home.city.database.reading() as connection:
        row = logs.find(connection, home.city.log.id)
        assert row is not None
        key = home.city.keystore.wrapper(CITY_KEY)
        for index, sealed in logs.entries(connection, row.no, 0, row.head.size):
            yield entries.open_entry(sealed, log_id=row.id, index=index, key=key)[0]


def shown(home: Home, named: str, file: Path) -> Verified:
    """The file beside its certificate's bundle, for a verifier that has nothing but the trust file."""
    bundle = encode(bundle_of(home.city, named))
    verifier = Verifier(trust_of(home.city, days=1))
    return verifier.verify(bundle, policy(), datetime.now(UTC), None, read_file(file))


# ---------------------------------------------------------------------- once


def test_a_thousand_files_twice_and_one_byte_changed(home: Home, made: Path, tmp_path: Path) -> None:
    copy = Folder(Path(shutil.copytree(made, tmp_path / "thousand")))
    first, again = run(home, copy.path), run(home, copy.path)
    assert (counts(first), counts(again)) == ((COUNT, 0, 0, 0), (0, COUNT, 0, 0))
    assert first.files == COUNT + COUNT // 10
    assert first.notes == {
        identifier.ISSUER_IS_REGION_CODE: 25,
        identifier.CHECK_VARIANT_LETTERS_FROM_11: first.notes[identifier.CHECK_VARIANT_LETTERS_FROM_11],
    }
    assert first.notes[identifier.CHECK_VARIANT_LETTERS_FROM_11] > 10
    found = {each.identifier: each for each in home.certificates()}
    assert set(found) == {row["电子证照标识"] for row in copy.rows}
    said = [each.type for each in statements(home)]
    ended = sum(row["证照状态"] != "01" for row in copy.rows)
    assert (said.count("certificate/issue"), len(said)) == (COUNT, COUNT + ended) == (COUNT, home.contiguous())

    home.publish()
    for at in (500, 501):  # an OFD and a PDF
        file, row = copy.file(at), copy.rows[at]
        pristine = file.read_bytes()
        assert shown(home, row["电子证照标识"], file).file_registered_by == MARKET
        middle = len(pristine) // 2
        file.write_bytes(pristine[:middle] + bytes([pristine[middle] ^ 1]) + pristine[middle + 1 :])
        verified = shown(home, row["电子证照标识"], file)
        assert verified.verdict.result is Result.INVALID
        assert verified.verdict.at(Step.BINDING).reason == "BINDING_FILE"
    third = run(home, copy.path)
    assert counts(third) == (0, COUNT - 2, 0, 2)
    for at, (line, rule, problem) in zip((500, 501), rejects(third), strict=True):
        assert (line, rule) == (str(at + 2), "REGISTERED_OTHERWISE")
        assert copy.rows[at]["电子证照标识"] in problem and problem.count("文件") == 1
    assert home.wrong() == []


def test_every_state_is_what_the_chain_says(home: Home, folder: Folder) -> None:
    run(home, folder.path)
    with home.city.database.reading() as connection:
        waiting = len(outbox.waiting(connection, outbox.STATUS, 100))
    assert waiting == sum(row["证照状态"] != "01" for row in folder.rows) > 3
    home.publish()
    wanted = {"01": Result.VALID}
    reasons = {"02": "STATUS_SUSPENDED", "03": "STATUS_REVOKED", "04": "STATUS_CANCELLED", "07": "STATUS_REVOKED"}
    for row in folder.rows:
        verdict = home.verify(row["电子证照标识"], online=True).verdict
        assert verdict.result is wanted.get(row["证照状态"], Result.INVALID)
        reason = reasons.get(row["证照状态"], "STATUS_OK")
        assert verdict.at(Step.STATUS).reason == reason


def test_it_never_holds_before_its_status_is_on_chain(home: Home, folder: Folder) -> None:
    """The head is anchored, the status waits: the moment between two transactions, held open."""
    folder.write([row | {"证照状态": "04"} for row in folder.rows[:2]])
    run(home, folder.path)
    home.edit("UPDATE outbox SET state = 'held' WHERE kind = 'status'")
    home.publish()
    verdict = home.verify(folder.rows[0]["电子证照标识"], online=True).verdict
    assert verdict.at(Step.STATUS).reason == "STATUS_ENDED_AT_IMPORT"
    assert verdict.result is Result.INVALID
    home.edit("UPDATE outbox SET state = 'waiting' WHERE state = 'held'")
    home.publish()
    verdict = home.verify(folder.rows[0]["电子证照标识"], online=True).verdict
    assert verdict.at(Step.STATUS).reason == "STATUS_CANCELLED"


def test_the_twin_says_that_it_is_one(home: Home, folder: Folder) -> None:
    run(home, folder.path)
    home.publish()
    row = folder.rows[0]
    claims = home.verify(row["电子证照标识"]).claims
    assert (claims["origin"], claims["certificate_identifier"]) == ("imported", row["电子证照标识"])
    assert claims["holder_name"] == row["持证主体"]
    (said, *_) = statements(home)
    assert said.body["origin"] == "imported"
    assert said.body.keys() == {"digest", "identifier", "certificate_type", "suite", "origin"}


def test_a_file_said_twice_and_json_lines(home: Home, folder: Folder) -> None:
    lines = folder.path / "rows.jsonl"
    words = [json.dumps(row, ensure_ascii=False) for row in folder.rows[:5]]
    lines.write_text("\n".join([*words, words[0], words[3]]), encoding="utf-8")
    assert counts(run(home, lines)) == (5, 2, 0, 0)
    assert counts(run(home, folder.path)) == (35, 5, 0, 0)


def test_one_identifier_for_two_certificates(home: Home, folder: Folder) -> None:
    """The first row is registered as it says; the other is rejected and the difference named."""
    other = {"证照编号": "另一编号", "岗位类别": "C1" if folder.rows[0]["岗位类别"] != "C1" else "C2", "文件": ""}
    row = folder.rows[0] | {"文件": ""}
    folder.write([row, row | other])
    report = run(home, folder.index)
    assert counts(report) == (1, 0, 0, 1)
    ((line, rule, problem),) = rejects(report)
    assert (line, rule) == ("3", "REGISTERED_OTHERWISE") and "证照编号" in problem and "岗位类别" in problem
    home.publish()
    claims = home.verify(row["电子证照标识"]).claims
    assert (claims["certificate_number"], claims["category"]) == (row["证照编号"], row["岗位类别"])
    assert counts(run(home, folder.index)) == (0, 1, 0, 1)


def test_the_demonstrations_folder(home: Home, tmp_path: Path) -> None:
    """So many good ones, and one row for each thing that is wrong; the same bytes every time."""
    path = tmp_path / "demo"
    index = existing.write(path, SAMPLES, MARKET, count=300)
    assert index.parent == path and len(list(path.iterdir())) == 301
    report = run(home, path)
    assert (counts(report), report.files) == ((300, 0, 0, 3), 300)
    assert [rule for _, rule, _ in rejects(report)] == ["IDENTIFIER_PARTS", "STATE_UNCLEAR", "FILE_MISSING"]
    existing.write(tmp_path / "again", SAMPLES, MARKET, count=300)
    for each in path.iterdir():
        assert each.name == "index.rejects.csv" or (tmp_path / "again" / each.name).read_bytes() == each.read_bytes()
    for each in path.glob("*.ofd"):
        with zipfile.ZipFile(each) as archive:
            assert all(existing.MARK in archive.read(name).decode() for name in archive.namelist() if "Page_0" in name)
    for each in path.glob("*.pdf"):
        assert existing.MARK.encode("utf-16-be").hex() in each.read_text("latin-1")


def test_rows_without_files(home: Home, folder: Folder, tmp_path: Path) -> None:
    alone = tmp_path / "alone.csv"
    folder.write([row | {"文件": ""} for row in folder.rows[:3]])
    shutil.copy(folder.index, alone)
    report = run(home, alone)
    assert (counts(report), report.files) == ((3, 0, 0, 0), 0)
    home.publish()
    assert home.verify(folder.rows[0]["电子证照标识"]).claims["source_files"] == []


def test_a_folder_whose_index_names_no_files(home: Home, folder: Folder) -> None:
    """Files are called after the identifiers; one is missing."""
    folder.write([{name: cell for name, cell in row.items() if name != "文件"} for row in folder.rows])
    gone = folder.rows[2]["电子证照标识"]
    for ending in (".ofd", ".pdf"):
        (folder.path / (gone + ending)).unlink(missing_ok=True)
    report = run(home, folder.path)
    assert counts(report) == (39, 0, 0, 1)
    assert report.files == 39 + 4  # every tenth has an OFD and a PDF
    assert [(line, rule) for line, rule, _ in rejects(report)] == [("4", "FILE_MISSING")]


# ------------------------------------------------------------------ different


@pytest.mark.parametrize(
    ("column", "cell", "named"),
    [
        ("持证主体", "另一人", "持证主体"),
        ("有效期截止", "2032-01-01", "有效期截止"),
        ("颁发机构", "旧名（演示）", "颁发机构"),
    ],
)
def test_other_attributes_are_rejected_by_name(home: Home, folder: Folder, column: str, cell: str, named: str) -> None:
    run(home, folder.path)
    before = home.certificates()
    changed = [row | {column: row.get(column, "")} for row in folder.rows]
    changed[6] |= {column: cell}
    folder.write(changed)
    report = run(home, folder.path)
    assert counts(report) == (0, 39, 0, 1)
    ((line, rule, problem),) = rejects(report)
    assert (line, rule) == ("8", "REGISTERED_OTHERWISE")
    assert named in problem and folder.rows[6]["电子证照标识"] in problem
    assert cell not in problem
    assert home.certificates() == before


def test_another_file_is_rejected_by_name(home: Home, folder: Folder) -> None:
    run(home, folder.path)
    pdf = next(at for at in range(40) if folder.file(at).suffix == ".pdf")
    with folder.file(pdf).open("ab") as file:
        file.write(b"%")
    report = run(home, folder.path)
    assert counts(report) == (0, 39, 0, 1)
    assert "文件" in rejects(report)[0][2]
    folder.rows[pdf] |= {"文件": ""}
    assert rejects(run(home, folder.write()))[0][1] == "REGISTERED_OTHERWISE"


def test_a_file_of_another_certificate(home: Home, folder: Folder) -> None:
    first, second = 0, 2
    assert folder.file(first).suffix == folder.file(second).suffix == ".ofd"
    folder.rows[first]["文件"], folder.rows[second]["文件"] = folder.rows[second]["文件"], folder.rows[first]["文件"]
    folder.write()
    report = run(home, folder.path)
    assert counts(report) == (38, 0, 0, 2)
    assert {rule for _, rule, _ in rejects(report)} == {"FILE_IDENTIFIER_DIFFERS"}


def test_rejects_of_every_step_stand_in_the_order_of_lines(home: Home, folder: Folder) -> None:
    template = folder.rows[0]
    run(home, folder.write([template]))
    bad: Mapping[int, dict[str, str]] = {
        1: {"证照状态": "99"},
        2: {"文件": "../index.csv"},
        3: {"证照状态": "06"},
        5: {"电子证照标识": "1.2"},
        6: {"文件": "none.ofd"},
    }
    again = [template | {"持证主体": "另一人"}]
    for at in range(1, 8):
        again.append(
            template | {"电子证照标识": numbered(f"N{at}"), "证照编号": f"N{at}", "文件": ""} | bad.get(at, {})
        )
    folder.write(again)
    report = run(home, folder.index)
    assert [(line, rule) for line, rule, _ in rejects(report)] == [
        ("2", "REGISTERED_OTHERWISE"),
        ("3", "STATE_UNCLEAR"),
        ("4", "FILE_KIND"),
        ("5", "STATE_TRANSFERRING"),
        ("7", "IDENTIFIER_ROOT"),
        ("8", "FILE_MISSING"),
    ]
    assert counts(report) == (2, 0, 0, 6)


# --------------------------------------------------------------------- states


def test_an_end_that_came_later_is_recorded_and_only_once(home: Home, folder: Folder) -> None:
    run(home, folder.path)
    at = next(at for at, row in enumerate(folder.rows) if row["证照状态"] == "01")
    folder.rows[at] |= {"证照状态": "07"}
    folder.write()
    size = home.size()
    assert counts(run(home, folder.path)) == (0, 39, 1, 0)
    assert counts(run(home, folder.path)) == (0, 40, 0, 0)
    assert home.size() == size + 1
    home.publish()
    verdict = home.verify(folder.rows[at]["电子证照标识"], online=True).verdict
    assert verdict.at(Step.STATUS).reason == "STATUS_REVOKED"


@pytest.mark.parametrize(("first", "then"), [("01", "02"), ("02", "01"), ("04", "01"), ("04", "07")])
def test_a_state_that_order_decides_is_left_to_people(home: Home, folder: Folder, first: str, then: str) -> None:
    folder.write([folder.rows[0] | {"证照状态": first}])
    run(home, folder.path)
    folder.write([folder.rows[0] | {"证照状态": then}])
    size = home.size()
    report = run(home, folder.path)
    assert rejects(report)[0][1] == "STATE_DIFFERS"
    assert home.size() == size


def test_since_a_day_leaves_out_what_did_not_change(home: Home, folder: Folder) -> None:
    day = date(2026, 3, 1)
    expected = sum((row["变更日期"] or row["颁发日期"]) >= day.isoformat() for row in folder.rows)
    report = run(home, folder.path, since=day)
    assert 0 < expected < 40
    assert (report.rows, report.registered, report.older) == (40, expected, 40 - expected)
    assert counts(run(home, folder.path)) == (40 - expected, expected, 0, 0)


# ------------------------------------------------- beside what is issued here


def test_an_imported_number_is_not_issued_again_but_renewed(home: Home, folder: Folder, tmp_path: Path) -> None:
    region = next(row for row in folder.rows if ".330106." in row["电子证照标识"])
    assert region["证照状态"] == "01"
    run(home, folder.write([region]))
    to_issue = {n: c for n, c in region.items() if n not in {"电子证照标识", "证照状态", "文件", "变更日期"}}
    rows = tmp_path / "renew.csv"
    with rows.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(to_issue))
        writer.writeheader()
        writer.writerow(to_issue | {"有效期截止": "2033-12-31"})
    chosen: dict[str, Any] = {"type_id": TYPE, "agency": MARKET, "words": WORDS, "progress": lambda *_: None}
    assert issue_file(home.city, rows, **chosen).rules == {"ALREADY_ISSUED_OTHERWISE": 1}
    renewed = issue_file(home.city, rows, **chosen, renew=True)
    parts = identifier.parse(renewed.last)
    assert (renewed.renewed, parts.issuer, parts.version, parts.notes) == (1, MARKET, 2, ())
    home.publish()
    assert home.verify(renewed.last).verdict.result is Result.VALID
    assert home.verify(region["电子证照标识"]).verdict.at(Step.STATUS).reason == "STATUS_SUPERSEDED"


def test_what_was_issued_here_is_not_imported_over(home: Home, folder: Folder, tmp_path: Path) -> None:
    row = {n: c for n, c in folder.rows[0].items() if n not in {"电子证照标识", "证照状态", "文件", "变更日期"}}
    issued = tmp_path / "issue.csv"
    with issued.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    home.issue(issued, TYPE)
    (certificate,) = home.certificates()
    folder.write([folder.rows[0] | {"电子证照标识": certificate.identifier, "文件": ""}])
    report = run(home, folder.index)
    assert rejects(report)[0][1:] == (
        "REGISTERED_OTHERWISE",
        WORDS.rule("REGISTERED_OTHERWISE", {"identifier": certificate.identifier, "differs": "origin"}),
    )


def test_one_number_of_several_certificates(home: Home, folder: Folder) -> None:
    number = folder.rows[0]["证照编号"]
    shared = [row | {"证照编号": number, "文件": ""} for row in folder.rows[:3]]
    folder.write(shared)
    report = run(home, folder.index)
    assert counts(report) == (3, 0, 0, 0)
    assert report.notes["NUMBER_SHARED"] == 2
    assert counts(run(home, folder.index)) == (0, 3, 0, 0)


def test_a_serial_that_names_its_holder_is_noted(home: Home, folder: Folder) -> None:
    row = folder.rows[0]
    folder.write([row | {"电子证照标识": numbered(row["持证主体代码"]), "文件": ""}])
    assert run(home, folder.index).notes == {"SERIAL_NAMES_HOLDER": 1}


def test_another_agency_of_the_city_has_the_identifier(home: Home, folder: Folder) -> None:
    """Under a region code two agencies may claim one identifier: the first stays."""
    region = next(row for row in folder.rows if ".330106." in row["电子证照标识"])
    run(home, folder.write([region]))
    home.edit("UPDATE certificate SET issuer = ?", POLICE)
    report = run(home, folder.path)
    assert rejects(report)[0][1] == "REGISTERED_BY_ANOTHER"


# ------------------------------------------------------------------ refusals


def test_a_type_without_a_table_and_an_agency_that_may_not(home: Home, folder: Folder) -> None:
    with pytest.raises(IssuingError) as refused:
        run(home, folder.path, type_id="business_licence")
    assert refused.value.code == "STATE_TABLE_MISSING"
    with pytest.raises(IssuingError) as refused:
        run(home, folder.path, agency=POLICE)
    assert refused.value.code == "AGENCY_NOT_ACCREDITED"
    assert home.size() == 0


def test_which_index_a_folder_has(folder: Folder, tmp_path: Path) -> None:
    beside = tmp_path / "few.jsonl"
    assert index_of(folder.path)[0] == folder.index
    beside.write_text("{}")
    with pytest.raises(RowFileError) as refused:
        index_of(folder.path)
    assert refused.value.code == "INDEX_AMBIGUOUS"
    folder.index.unlink()
    assert index_of(folder.path)[0] == beside
    beside.unlink()
    with pytest.raises(RowFileError) as refused:
        index_of(folder.path)
    assert refused.value.code == "INDEX_MISSING"


def test_no_personal_value_in_statements_or_outbox(home: Home, folder: Folder) -> None:
    run(home, folder.path)
    said = json.dumps([each.body for each in statements(home)], ensure_ascii=False)
    kept = b"".join(body for (body,) in home.ask("SELECT body FROM outbox")).decode()
    for row in folder.rows:
        for column in ("持证主体", "持证主体代码", "证照编号", "姓名"):
            assert row[column] not in said + kept


def test_statuses_are_those_of_the_rows(home: Home, folder: Folder) -> None:
    run(home, folder.path)
    status = {"01": Status.ACTIVE, "02": Status.SUSPENDED, "03": Status.REVOKED, "04": Status.CANCELLED}
    wanted = {row["电子证照标识"]: status.get(row["证照状态"], Status.REVOKED) for row in folder.rows}
    assert {each.identifier: each.status for each in home.certificates()} == wanted


def peak_of_an_import(folder: str, path: str, done: Any) -> None:
    """KiB this process ever held, after importing `path`."""
    with City(Path(folder)) as city:
        report = import_certificates(
            city, Path(path), type_id=TYPE, agency=MARKET, words=WORDS, progress=lambda *_: None
        )
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    done.put((report.registered, int(line.split()[1])))


def test_memory_is_flat(home: Home, folder: Folder) -> None:
    """Ten times the rows, the same peak but for a fifth."""
    template, peaks = folder.rows[0] | {"文件": ""}, []
    for number in (700, 7_000):
        names = [f"M{number}X{at}" for at in range(number)]
        path = folder.write([template | {"电子证照标识": numbered(name), "证照编号": name} for name in names])
        done = FRESH.Queue()
        child = FRESH.Process(target=peak_of_an_import, args=(str(home.folder), str(path), done))
        child.start()
        registered, peak = done.get(timeout=HANG_SECONDS)
        child.join(HANG_SECONDS)
        assert registered == number
        peaks.append(peak)
    assert peaks[1] <= peaks[0] * 1.2
