"""What an OFD file (GB/T 33190) says about itself, read as if it were hostile.

An OFD is a zip with OFD.xml in it. Nothing is unpacked: the directory of the zip is bounded before Python's reader
sees it, one entry is inflated up to a limit, and its XML is read by expat without any DTD. So no bomb, nested archive,
overlong directory or entity is ever expanded, and no name in the file ever becomes a path.

Codes of `SourceFileError` (parameters):
    OFD_ZIP                     no zip, cut short, encrypted, split, or packed by another method than deflate
    OFD_ENTRIES (limit)         more entries than allowed
    OFD_EXPANDED (limit)        more bytes when unpacked than allowed
    OFD_ENTRY_NAME              a name that is absolute, leads upwards, is not printable or there twice; a link
    OFD_XML                     OFD.xml is missing, over its limit, or not well-formed XML of an OFD
    OFD_DTD                     OFD.xml has a DTD or entities, which an OFD never needs
"""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NoReturn
from xml.parsers import expat

from certs.errors import SourceFileError

MAX_ENTRIES: Final = 2_000
MAX_DIRECTORY: Final = 1024 * 1024
"""Bytes of the zip's central directory."""
MAX_EXPANDED: Final = 512 * 1024 * 1024
"""Bytes of all entries together, as the directory states them. None but OFD.xml is inflated here."""
MAX_XML: Final = 1024 * 1024
MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 10_000
MAX_TEXT: Final = 2_000
"""Characters of one value."""

_ROOT: Final = "OFD.xml"
_END: Final = 22
"""Bytes of the end record of a zip without a comment (APPNOTE 4.3.16)."""
_LOCATOR: Final = 20
"""Bytes of what stands in front of it in a zip64 archive (APPNOTE 4.3.15)."""
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED: Final = 0x1
_IDENTIFIER_NAMES: Final = {"电子证照标识", "证照标识", "ZZBS", "certificate_identifier", "certificateIdentifier"}
_NUMBER_NAMES: Final = {"证照编号", "ZZBH", "certificate_number", "certificateNumber"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What OFD.xml says of the document (GB/T 33190 §7.4, CT_DocInfo); nothing of it is proven."""

    document_ids: tuple[str, ...]
    """DocID of each document in the file."""
    custom: tuple[tuple[str, str], ...]
    """CustomDatas: (Name, text), in order."""

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Values given as the certificate's identifier."""
        return tuple(value for name, value in self.custom if name in _IDENTIFIER_NAMES and value)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Values given as the certificate's number."""
        return tuple(value for name, value in self.custom if name in _NUMBER_NAMES and value)


def read(source: BinaryIO) -> Metadata:
    """The metadata of an OFD. `source` can seek. Raises `SourceFileError`, and nothing else whatever is in it."""
    _check_end(source)
    source.seek(0)
    try:
        with zipfile.ZipFile(source) as archive:
            _check_entries(archive.infolist())
            text = _inflate(archive)
    # Python's reader meets damaged archives with all of these.
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError):
        _refuse("OFD_ZIP", "the zip cannot be read")
    return _Reader().read(text)


def _check_end(source: BinaryIO) -> None:
    """Bound the directory before it is read: each of its entries costs ten times its bytes in memory.

    Looks for the end record where `zipfile` does, so both see the same one. Zip64 and split archives are refused.
    """
    size = source.seek(0, os.SEEK_END)
    start = max(size - _LOCATOR - _END - (1 << 16), 0)
    source.seek(start)
    tail = source.read()
    at = len(tail) - _END
    if at < 0 or tail[at : at + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        at = tail.rfind(b"PK\x05\x06")
    record = tail[at : at + _END]
    if at < 0 or len(record) < _END or record[4:8] != bytes(4):
        _refuse("OFD_ZIP", "not a zip, cut short, or split")
    if tail[max(at - _LOCATOR, 0) : at].startswith(b"PK\x06\x07"):
        _refuse("OFD_ZIP", "a zip64 archive")
    if int.from_bytes(record[10:12], "little") > MAX_ENTRIES or (
        int.from_bytes(record[12:16], "little") > MAX_DIRECTORY
    ):
        _refuse("OFD_ENTRIES", f"over {MAX_ENTRIES} entries", limit=MAX_ENTRIES)


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:  # the end record may count fewer than there are
        _refuse("OFD_ENTRIES", f"over {MAX_ENTRIES} entries", limit=MAX_ENTRIES)
    if sum(entry.file_size for entry in entries) > MAX_EXPANDED:
        _refuse("OFD_EXPANDED", f"over {MAX_EXPANDED} bytes unpacked", limit=MAX_EXPANDED)
    if any(entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS for entry in entries):
        _refuse("OFD_ZIP", "encrypted, or packed by another method")
    # Two entries of one name: the one we read need not be the one a viewer shows. Some file systems fold case.
    names = [unicodedata.normalize("NFC", entry.orig_filename).casefold() for entry in entries]
    # A symbolic link is a name too: its content is where it leads, and whoever unpacks it may follow.
    links = any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries)
    if links or len(set(names)) != len(names) or not all(_is_plain(entry.orig_filename) for entry in entries):
        _refuse("OFD_ENTRY_NAME", "an entry's name is unsafe, stands there twice, or is a link")


def _is_plain(name: str) -> bool:
    """A relative path downwards, as every unpacker on every system would take it."""
    parts = name.removesuffix("/").split("/")
    return name.isprintable() and not any(c in name for c in "\\:") and not {"", ".", ".."} & set(parts)


def _inflate(archive: zipfile.ZipFile) -> bytes:
    """OFD.xml; the limit holds for what comes out, not for what the directory says of it."""
    if _ROOT not in archive.namelist():
        _refuse("OFD_XML", "there is no OFD.xml")
    with archive.open(_ROOT) as entry:
        text = entry.read(MAX_XML + 1)
    if len(text) > MAX_XML:
        _refuse("OFD_XML", f"OFD.xml is over {MAX_XML} bytes")
    return text


@dataclass(slots=True)
class _Reader:
    """OFD.xml by expat's events; keeps a few values and bounds everything else."""

    path: list[str] = field(default_factory=list)
    elements: int = 0
    name: str = ""
    text: list[str] = field(default_factory=list)
    length: int = 0
    ids: list[str] = field(default_factory=list)
    custom: list[tuple[str, str]] = field(default_factory=list)

    def read(self, text: bytes) -> Metadata:
        parser = expat.ParserCreate(namespace_separator=" ")
        # Without a DTD there are no entities but the five of XML itself, and nothing outside to fetch.
        parser.StartDoctypeDeclHandler = _refuse_dtd
        parser.EntityDeclHandler = _refuse_dtd
        parser.UnparsedEntityDeclHandler = _refuse_dtd
        parser.ExternalEntityRefHandler = _refuse_dtd
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text, True)
        except (expat.ExpatError, ValueError, LookupError):  # the last two: an encoding that Python does not know
            _refuse("OFD_XML", "OFD.xml is not well-formed")
        return Metadata(tuple(self.ids), tuple(self.custom))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.path.append(name.rpartition(" ")[2])
        if self.path[0] != "OFD" or len(self.path) > MAX_DEPTH or self.elements > MAX_ELEMENTS:
            _refuse("OFD_XML", "not an OFD, or too deep, or too many elements")
        self.name = attributes.get("Name", "")
        self.text.clear()
        self.length = 0

    def _characters(self, text: str) -> None:
        self.length += len(text)
        if self.length > MAX_TEXT:
            _refuse("OFD_XML", "a value is too long")
        self.text.append(text)

    def _end(self, _: str) -> None:
        value = "".join(self.text).strip()
        if self.path[1:] == ["DocBody", "DocInfo", "DocID"]:
            self.ids.append(value)
        elif self.path[-2:] == ["CustomDatas", "CustomData"]:
            self.custom.append((self.name.strip(), value))
        self.path.pop()
        self.text.clear()


def _refuse_dtd(*_: object) -> NoReturn:
    _refuse("OFD_DTD", "OFD.xml has a document type or entities")


def _refuse(code: str, message: str, **params: object) -> NoReturn:
    raise SourceFileError(code, message, **params)
