"""The committed samples: current, fictitious, all good but for the three rows that are bad on purpose."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path

import pytest
import yaml

from certs.certificate_type import load_catalogue
from certs.row_file import open_rows
from certs.rows import Issuer, Reject, Row, RowReader

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "samples"
CATALOGUE = load_catalogue()
ISSUER = Issuer("11330100XXXX33013C", "杭州市市场监督管理局（演示）", "330100")


@cache
def judged(name: str) -> tuple[Row | Reject, ...]:
    path = SAMPLES / name
    certificate_type = CATALOGUE[path.stem]
    with open_rows(path, certificate_type) as file:
        reader = RowReader(certificate_type, file.columns, ISSUER, date(2026, 1, 1))
        rows = tuple(reader.read(raw) for raw in file)
    assert file.rows == len(rows)
    return rows


WRITTEN = sorted(path.name for path in SAMPLES.iterdir() if path.is_file())
FILES = [name for name in WRITTEN if not name.endswith(".md")]


def test_the_committed_files_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "make_samples.py", tmp_path], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == WRITTEN
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (SAMPLES / path.name).read_bytes(), f"run `make samples`: {path.name} is old"


def test_there_is_one_file_for_each_type() -> None:
    assert sorted(Path(name).stem for name in FILES) == sorted(CATALOGUE)


@pytest.mark.parametrize("name", [name for name in FILES if name != "business_licence.csv"])
def test_two_hundred_good_rows(name: str) -> None:
    rows = judged(name)
    assert [row for row in rows if isinstance(row, Reject)] == []
    assert len(rows) == len({row.certificate_number for row in rows if isinstance(row, Row)}) == 200


def test_ten_thousand_good_licences_and_three_bad_ones() -> None:
    rows = judged("business_licence.csv")
    bad = {row.line: row.rule for row in rows if isinstance(row, Reject)}
    assert bad == {2502: "USCC_CHECK", 5003: "DATE_IMPOSSIBLE", 7504: "VALUE_MISSING"}
    good = [row for row in rows if isinstance(row, Row)]
    assert (
        len(good) == len({row.certificate_number for row in good}) == len({row.holder_code for row in good}) == 10_000
    )
    assert all("（演示）" in str(row.attributes["enterprise_name"]) for row in good)


def test_nobody_in_the_samples_exists_or_is_in_the_demonstration() -> None:
    demo = yaml.safe_load((ROOT / "api" / "demo" / "demo.yaml").read_text(encoding="utf-8"))
    known = {holder["code"] for holder in demo["holders"].values()}
    for row in (row for name in FILES for row in judged(name) if isinstance(row, Row)):
        assert row.holder_code not in known
        if row.holder_type == "111":
            assert row.holder_code[14:17] in {"996", "997", "998", "999"}
        else:
            assert row.holder_code[8:12] == "XXXX"


def test_headings_and_encodings_vary() -> None:
    def first(name: str) -> bytes:
        return (SAMPLES / name).read_bytes().split(b"\n")[0]

    assert first("business_licence.csv").decode().startswith("证照编号,持证主体,")
    assert first("constructor_certificate.csv").startswith(b"ZZBH,CZZT,")
    assert first("real_estate_title.jsonl").startswith(b'{"certificate_number"')
    assert first("food_business_licence.csv").decode("gbk").startswith("证照编号,")
    assert first("remote_care_record.csv").decode().startswith("证照编号;")
