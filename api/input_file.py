"""Files that somebody hands in: read in bounds, or digested whatever their size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from api.errors import ApiError
from ledger import canonical
from ledger.canonical import Json


def read(path: Path, most: int) -> bytes:
    """At most one byte more than `most`: whoever reads the content refuses it then. Raises FILE_UNREADABLE."""
    with _opened(path) as file:
        return file.read(most + 1)


def read_json(path: Path, most: int) -> Json:
    """Raises `ApiError` FILE_UNREADABLE, `CanonicalError`."""
    return canonical.loads(read(path, most), max_bytes=most)


def digest(path: Path) -> bytes:
    """SHA-256 of the whole file. Raises `ApiError` FILE_UNREADABLE."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").digest()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ApiError("FILE_UNREADABLE", str(error), path=path, reason=reason) from None
