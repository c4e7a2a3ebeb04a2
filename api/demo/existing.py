"""A folder as an existing certificate database 电子证照库 would hand it over: OFD and PDF files and their index.

Written from the committed samples, the same bytes on every run. Nothing in it is a certificate: every file says
演示·非法定证照, and none carries a seal or imitates one.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from certs import identifier
from certs.certificate_type import load_catalogue

TYPE = "safety_officer_certificate"
COUNT = 1_000
MARK = "演示·非法定证照"
IDENTIFIER, NUMBER, HOLDER, STATE, FILE = "电子证照标识", "证照编号", "持证主体", "证照状态", "文件"
BAD = (
    {IDENTIFIER: "1.2.156.3005.2.11100000000013338W011.SLIP.001.0"},
    {STATE: "99"},
    {FILE: "missing.ofd"},
)
"""What is wrong with the rows after the good ones: an identifier copied wrongly, a state that nobody can read, a file
that is not there."""

_OFD = "http://www.ofdspec.org/2016"
_TIME = (2026, 1, 1, 0, 0, 0)


def write(folder: Path, samples: Path, agency: str, *, count: int = COUNT) -> Path:
    """`count` good certificates of `agency` and one row for each of `BAD`; the index is the answer.

    `samples` is the folder of sample rows. Every second file is an OFD, the others are PDF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.csv"
    rows = list(_rows(samples / f"{TYPE}.csv", agency, count))
    for row in rows:
        (folder / row[FILE]).write_bytes(_file(row))
    # A number of its own, so that each is rejected for what is wrong with it and for nothing else.
    bad = [row | {NUMBER: f"{row[NUMBER]}B"} | wrong for row, wrong in zip(rows, BAD, strict=False)]
    with index.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, *bad])
    return index


def _rows(sample: Path, agency: str, count: int) -> Iterator[dict[str, str]]:
    """The sample's rows again and again, each time under other numbers."""
    with sample.open(encoding="utf-8-sig", newline="") as file:
        holders = list(csv.DictReader(file))
    for at in range(count):
        row = holders[at % len(holders)]
        named = _identifier(agency, f"DEMO{at + 1:08d}")
        ending = "pdf" if at % 2 else "ofd"
        more = {IDENTIFIER: named, STATE: "01", FILE: f"{named}.{ending}", "有效期截止": "2031-12-31"}
        yield row | {NUMBER: f"{row[NUMBER]}{at // len(holders)}"} | more


def _identifier(agency: str, serial: str) -> str:
    code = load_catalogue()[TYPE].code
    check = identifier.check_character(f"{code}{agency}{serial}001")
    return f"{identifier.ROOT}.{code}.{agency}.{serial}.001.{check}"


def _file(row: dict[str, str]) -> bytes:
    if row[FILE].endswith(".ofd"):
        return ofd(row[IDENTIFIER], row[NUMBER], row[HOLDER])
    return pdf(row[IDENTIFIER])


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
    """A PDF of one page that says what it is, in both languages, with a sound cross-reference table."""
    mark = MARK.encode("utf-16-be").hex()
    stream = (
        f"BT /F1 14 Tf 60 760 Td (DEMONSTRATION - NO LEGAL EFFECT) Tj 0 -24 Td ({name}) Tj"
        f" /F2 14 Tf 0 -24 Td <{mark}> Tj ET"
    ).encode()
    return _pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            # A font that every viewer has for Chinese, named and not embedded (ISO 32000-1 §9.7.5.2).
            b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
            b"/DescendantFonts [7 0 R] >>",
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light "
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>",
        ]
    )


def _pdf_of(objects: Sequence[bytes]) -> bytes:
    content, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return content + end % (count, table, count, len(content))
