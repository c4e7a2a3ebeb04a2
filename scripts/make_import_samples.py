"""Write a folder of certificates that exist already: OFD and PDF files and index.csv, the same bytes on every run.

Nobody in them exists, and nothing in them is a certificate: they say 演示·非法定证照 and carry no seal. Some have what
real ones have: a region code for an issuer, the wrong check variant, states other than valid, an OFD beside a PDF.
Usage: python scripts/make_import_samples.py FOLDER [count] [USCC of the issuing agency]
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from make_samples import Dice, Record, safety_officer_certificate

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
MARK = "演示·非法定证照"

_OFD = "http://www.ofdspec.org/2016"
_TIME = (2026, 1, 1, 0, 0, 0)


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


def ofd(name: str, number: str, holder: str) -> bytes:
    """A minimal OFD (GB/T 33190): OFD.xml with its CustomDatas, one document, one page."""
    custom = {"ZZBS": name, "ZZBH": number, "watermark": MARK}
    datas = "".join(f'<ofd:CustomData Name="{key}">{escape(value)}</ofd:CustomData>' for key, value in custom.items())
    parts = {
        "OFD.xml": f'<ofd:OFD xmlns:ofd="{_OFD}" Version="1.1" DocType="OFD"><ofd:DocBody><ofd:DocInfo>'
        f"<ofd:DocID>{uuid5(NAMESPACE_URL, name).hex}</ofd:DocID><ofd:Title>{MARK}</ofd:Title>"
        f"<ofd:CustomDatas>{datas}</ofd:CustomDatas></ofd:DocInfo>"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f'<ofd:Document xmlns:ofd="{_OFD}"><ofd:CommonData><ofd:MaxUnitID>4</ofd:MaxUnitID>'
        "<ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData>"
        '<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>',
        "Doc_0/Pages/Page_0/Content.xml": f'<ofd:Page xmlns:ofd="{_OFD}"><ofd:Content><ofd:Layer ID="2">'
        '<ofd:TextObject ID="3" Boundary="20 20 170 20" Font="4" Size="8"><ofd:TextCode X="0" Y="10">'
        f"{escape(holder)} {MARK}</ofd:TextCode></ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            declared = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
            archive.writestr(zipfile.ZipInfo(path, _TIME), declared, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def pdf(name: str) -> bytes:
    """A PDF of one page that says what it is, with a sound cross-reference table."""
    stream = f"BT /F1 14 Tf 60 760 Td (DEMONSTRATION - NO LEGAL EFFECT) Tj 0 -24 Td ({name}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return content + end % (count, table, count, len(content))


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
