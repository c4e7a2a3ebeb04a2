"""The file that a certificate came in before it was imported: OFD or PDF, known by two digests of its bytes.

SHA-256 for everybody, SM3 (GB/T 32905) for systems that know nothing else. Who signed or stamped the file
(电子签章) is not looked at: the digests say *the same file*, and nothing about what is in it.

Codes of `SourceFileError` (parameters):
    FILE_NAME                   absolute, through .. or a link out of the folder
    FILE_MISSING                not there, no regular file, or not readable
    FILE_EMPTY_ORIGINAL, FILE_TOO_LARGE (limit)
    FILE_KIND                   its name ends neither in .ofd nor in .pdf, or its first bytes are another format's
    FILES_TOO_MANY (limit)      a row names more files than a certificate lists
    FILE_IDENTIFIER_DIFFERS, FILE_NUMBER_DIFFERS    the OFD names another certificate than the row
    and those of `certs.ofd`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.hashes import SM3, Hash

from certs import ofd
from certs.errors import SourceFileError
from certs.holder import fold
from certs.ofd import Metadata
from ledger.canonical import Json

MAX_BYTES: Final = 32 * 1024 * 1024
"""Of one file: more than any certificate needs, and little enough to be held in memory once."""
MAX_FILES: Final = 8
"""Files of one certificate, e.g. its OFD and its PDF."""
OFD: Final = "application/ofd"
PDF: Final = "application/pdf"
_KINDS: Final = {".ofd": OFD, ".pdf": PDF}
_MAGIC: Final = {OFD: b"PK\x03\x04", PDF: b"%PDF-"}
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file by its bytes."""

    media_type: str
    sha256: bytes
    sm3: bytes

    def to_json(self) -> dict[str, Json]:
        return {"media_type": self.media_type, "sha256": self.sha256.hex(), "sm3": self.sm3.hex()}

    def same_bytes(self, other: SourceFile) -> bool:
        """Both digests agree; what either file is called or claims to be does not matter."""
        return (self.sha256, self.sm3) == (other.sha256, other.sm3)


def digest(source: BinaryIO, media_type: str) -> SourceFile:
    """Both digests of everything that is left in `source`, a chunk at a time."""
    first, second = sha256(), Hash(SM3())
    while chunk := source.read(_CHUNK):
        first.update(chunk)
        second.update(chunk)
    return SourceFile(media_type, first.digest(), second.finalize())


def media_type(name: str) -> str | None:
    """By the ending of a file's name; None: neither OFD nor PDF."""
    return _KINDS.get(Path(name).suffix.lower())


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """Where the files of an import lie. Names come from rows, and no name leads out of the folder."""

    path: Path
    by_identifier: bool
    """A row that names no file has `<identifier>.ofd` or `.pdf`, and must have one of them."""

    def files(self, names: Sequence[str], identifier: str, number: str) -> tuple[SourceFile, ...]:
        """The files of one certificate, each read once and compared with the row as far as it speaks.

        Sorted, so that the order of names in a row makes no difference. Raises `SourceFileError`.
        """
        if len(names) > MAX_FILES:
            raise SourceFileError("FILES_TOO_MANY", f"over {MAX_FILES} files", limit=MAX_FILES)
        named = names or (self._of(identifier) if self.by_identifier else ())
        found = {self._file(name, identifier, number) for name in named}
        return tuple(sorted(found, key=lambda each: (each.media_type, each.sha256)))

    def _of(self, identifier: str) -> list[str]:
        endings = [spelling for ending in _KINDS for spelling in (ending, ending.upper())]
        names = [identifier + ending for ending in endings if (self.path / (identifier + ending)).is_file()]
        if not names:
            raise _missing()
        return names

    def _file(self, name: str, identifier: str, number: str) -> SourceFile:
        kind = media_type(name)
        if kind is None:
            raise SourceFileError("FILE_KIND", "neither .ofd nor .pdf")
        with self._open(name) as source:
            size = os.fstat(source.fileno()).st_size
            if not size:
                raise SourceFileError("FILE_EMPTY_ORIGINAL", "the file is empty")
            if size > MAX_BYTES:
                raise SourceFileError("FILE_TOO_LARGE", f"over {MAX_BYTES} bytes", limit=MAX_BYTES)
            if source.read(5)[: len(_MAGIC[kind])] != _MAGIC[kind]:
                raise SourceFileError("FILE_KIND", "the first bytes are another format's")
            source.seek(0)
            if kind == OFD:
                compare(ofd.read(source), identifier, number)
                source.seek(0)
            return digest(source, kind)

    def _open(self, name: str) -> BinaryIO:
        """Nothing outside the folder, nothing but a regular file: a pipe would hold the import up for ever."""
        try:
            inside = self._path(name).resolve()
            if not inside.is_relative_to(self.path.resolve()):
                raise SourceFileError("FILE_NAME", "the name leads out of the folder")
            descriptor = os.open(inside, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except (OSError, ValueError, RuntimeError):  # a zero byte; a loop of links before Python 3.13
            raise _missing() from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _missing()
        return os.fdopen(descriptor, "rb")

    def _path(self, name: str) -> Path:
        """A folder that was packed on Windows and unpacked here may have names in GBK: the same name in other bytes."""
        path = self.path / name
        if name.isascii() or path.exists():
            return path
        return self.path / os.fsdecode(name.encode("gb18030"))


def compare(metadata: Metadata, identifier: str, number: str) -> None:
    """An OFD that says which certificate it is must say what the row says; one that is silent passes."""
    if any(fold(named) != identifier for named in metadata.identifiers):
        raise SourceFileError("FILE_IDENTIFIER_DIFFERS", "the OFD carries another identifier")
    if any(fold(named) != fold(number) for named in metadata.numbers):
        raise SourceFileError("FILE_NUMBER_DIFFERS", "the OFD carries another certificate number")


def _missing() -> SourceFileError:
    return SourceFileError("FILE_MISSING", "no such file in the folder")
