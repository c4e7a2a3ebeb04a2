"""Folders of certificates that exist already, and OFD files made to do harm."""

from __future__ import annotations

import csv
import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from command_line import ROOT
from prepared_city import CONSTRUCTION

from certs import identifier

TYPE = "safety_officer_certificate"
CODE = "11100000000013338W011"
NAMED, NUMBER, STATE, FILE, CHANGED = "电子证照标识", "证照编号", "证照状态", "文件", "变更日期"
GENERATOR = ROOT / "scripts" / "make_import_samples.py"
OFD_XML = '<?xml version="1.0"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016">{}</ofd:OFD>'
PLAIN = OFD_XML.format("<ofd:DocBody/>")

Row = dict[str, str]


def made(folder: Path, count: int) -> Path:
    """`count` certificates, OFD and PDF in turn, some with both, as the project's generator writes them."""
    subprocess.run([sys.executable, GENERATOR, folder, str(count), CONSTRUCTION], check=True, cwd=ROOT)
    return folder


def read(index: Path) -> list[Row]:
    with index.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(index: Path, rows: list[Row], encoding: str = "utf-8") -> Path:
    with index.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return index


def files(row: Row) -> list[str]:
    return row[FILE].split(";")


def numbered(serial: str, issuer: str = CONSTRUCTION) -> str:
    """A sound identifier of this type."""
    check = identifier.check_character(f"{CODE}{issuer}{serial}001")
    return f"{identifier.ROOT}.{CODE}.{issuer}.{serial}.001.{check}"


def flipped(file: Path, at: int) -> None:
    """One byte changed, and its length not."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def archive(*entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in entries:
            made.writestr(name, text)
    return content.getvalue()


def hostile() -> dict[str, tuple[bytes, str]]:
    """(content, the rule that refuses it) by what it tries."""
    plain: tuple[Any, ...] = ("OFD.xml", PLAIN)
    billion = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "a bomb in OFD.xml": (archive(("OFD.xml", b" " * 200_000_000)), "OFD_XML"),
        "a bomb beside OFD.xml": (archive(plain, *_many_zeros(6, 100_000_000)), "OFD_EXPANDED"),
        "zip64": (_zip64(archive(plain)), "OFD_ZIP"),
        "a path upwards": (archive(plain, ("../../etc/passwd", b"x")), "OFD_ENTRY_NAME"),
        "an absolute path": (archive(plain, ("/etc/passwd", b"x")), "OFD_ENTRY_NAME"),
        "entities": (
            archive(("OFD.xml", f'<!DOCTYPE o [<!ENTITY l0 "lol">{billion}]>' + OFD_XML.format("&l9;")[21:])),
            "OFD_DTD",
        ),
        "a DTD from outside": (
            archive(("OFD.xml", '<!DOCTYPE o SYSTEM "http://127.0.0.1:1/x.dtd">' + PLAIN[21:])),
            "OFD_DTD",
        ),
        "deep nesting": (archive(("OFD.xml", OFD_XML.format("<a>" * 100_000 + "</a>" * 100_000))), "OFD_XML"),
        "10,000 members": (archive(plain, *((f"f{n}", b"") for n in range(10_000))), "OFD_ENTRIES"),
        "a member that is a link": (archive(plain, (_link(), "/etc/passwd")), "OFD_ENTRY_NAME"),
        "encrypted members": (_encrypted(archive(plain)), "OFD_ZIP"),
        "OFD.xml twice": (archive(plain, ("ofd.XML", PLAIN)), "OFD_ENTRY_NAME"),
        "a file cut short": (archive(plain)[:-30], "OFD_ZIP"),
        "no zip": (b"PK\x03\x04" + bytes(1_000), "OFD_ZIP"),
        "a PDF called OFD": (b"%PDF-1.7\n", "FILE_KIND"),
    }


def _many_zeros(number: int, size: int) -> list[tuple[str, bytes]]:
    return [(f"zeros{n}", bytes(size)) for n in range(number)]


def _link() -> zipfile.ZipInfo:
    """A symbolic link, as Unix zips mark one (APPNOTE 4.4.15, the upper half)."""
    entry = zipfile.ZipInfo("Doc_0/link.xml")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry


def _encrypted(content: bytes) -> bytes:
    """The flag of encryption set in local header and directory (APPNOTE 4.4.4, bit 0)."""
    changed = bytearray(content)
    changed[6] |= 1
    changed[changed.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def _zip64(content: bytes) -> bytes:
    """With a zip64 end record and its locator (APPNOTE 4.3.14, 4.3.15) before the end record."""
    at = content.rfind(b"PK\x05\x06")
    entries, size, offset = struct.unpack("<HII", content[at + 10 : at + 20])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, offset)
    return content[:at] + record + struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1) + content[at:]
