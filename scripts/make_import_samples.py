"""Write a folder of certificates that exist already: OFD and PDF files and index.csv, the same bytes on every run.

Nobody in them exists, and nothing in them is a certificate: they say 演示·非法定证照 and carry no seal. Some have what
real ones have: a region code for an issuer, the wrong check variant, states other than valid, an OFD beside a PDF.
Usage: python scripts/make_import_samples.py FOLDER [count] [USCC of the issuing agency]
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from make_samples import Dice, Record, safety_officer_certificate

from api.demo.existing import ofd, pdf
from certs import identifier
from certs.certificate_type import load_catalogue
from certs.rows import headings_of

TYPE = load_catalogue()["safety_officer_certificate"]
AGENCY = "11330100XXXX33013C"
COUNT = 1_000
REGION = "330106"
STATES = {17: "02", 23: "03", 29: "04", 31: "07"}
"""Every so many rows a state other than 有效; the numbers are the housing ministry's."""
EVERY_REGION, EVERY_VARIANT, EVERY_BOTH = 40, 50, 10


@dataclass(frozen=True, slots=True)
class Existing:
    """One certificate as its system would hand it over."""

    attributes: Record
    files: dict[str, bytes]
    """Content by name; one or two."""

    @property
    def row(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.attributes.items()} | {"file": ";".join(self.files)}


def certificates(count: int = COUNT, agency: str = AGENCY) -> Iterator[Existing]:
    dice = Dice("import")
    for at in range(1, count + 1):
        attributes = safety_officer_certificate(dice, at - 1)
        serial = f"{at:08d}{dice.below(36**4):07d}"
        state = next((state for every, state in STATES.items() if at % every == 0), "01")
        attributes |= {
            "certificate_identifier": identifier_of(at, serial, agency),
            "validity_end": "2031-12-31",
            "state_code": state,
            "changed_at": date(2026, at % 12 + 1, at % 28 + 1).isoformat() if state != "01" else "",
        }
        yield Existing(attributes, files_of(at, attributes))


def identifier_of(at: int, serial: str, agency: str) -> str:
    issuer = REGION if at % EVERY_REGION == 0 else agency
    text = f"{identifier.ROOT}.{TYPE.code}.{issuer}.{serial}.001."
    check = identifier.check_character(f"{TYPE.code}{issuer}{serial}001")
    if at % EVERY_VARIANT:
        return text + check
    others = (text + letter for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter != check)
    return next(filter(is_read, others), text + check)  # the variant sometimes agrees with the standard


def is_read(text: str) -> bool:
    try:
        identifier.parse(text)
    except identifier.IdentifierError:
        return False
    return True


def files_of(at: int, attributes: Record) -> dict[str, bytes]:
    name, number = str(attributes["certificate_identifier"]), str(attributes["certificate_number"])
    made = {}
    if at % 2 or at % EVERY_BOTH == 0:
        made[f"{name}.ofd"] = ofd(name, number, str(attributes["holder_name"]))
    if not made or at % EVERY_BOTH == 0:
        made[f"{name}.pdf"] = pdf(name)
    return made


def headings() -> dict[str, str]:
    """Column headings by name: the type's in Chinese, and the three of an import."""
    types = {name: field.zh for name, field in headings_of(TYPE).items()}
    return types | {"state_code": "证照状态", "file": "文件", "changed_at": "变更日期"}


def write(folder: Path, count: int = COUNT, agency: str = AGENCY) -> Path:
    """`folder` with its files and `index.csv`, whose path is the answer."""
    folder.mkdir(parents=True, exist_ok=True)
    words, index = headings(), folder / "index.csv"
    with index.open("w", encoding="utf-8", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for each in certificates(count, agency):
            if writer is None:
                writer = csv.DictWriter(file, list(each.row), lineterminator="\n")
                writer.writerow({name: words[name] for name in each.row})
            writer.writerow(each.row)
            for name, content in each.files.items():
                (folder / name).write_bytes(content)
    return index


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]), *(int(text) for text in sys.argv[2:3]), *sys.argv[3:4])
