"""A log as static files: what other people's log clients read (C2SP tlog-tiles).

    checkpoint                      the signed head, written last
    tile/<level>/<number>[.p/<w>]   hashes; full tiles never change, partial ones are beside them
    tile/entries/<number>[.p/<w>]   leaf data: our commitments, 32 bytes each, with their length before

A web server or a copy on a disk is enough to serve them; nothing in them is personal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ledger.merkle import HASH_BYTES
from ledger.tile import HEIGHT, WIDTH, ReadTile

ReadCommitments = Callable[[int, int], Sequence[bytes]]
"""Commitments of entries [start, end)."""


def tile_path(level: str, number: int, width: int) -> str:
    """`tile/0/x001/x234/067`, with `.p/<w>` for a partial tile: three digits a folder."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def widths(size: int, level: int) -> Iterator[tuple[int, int]]:
    """(number, width) of every tile of a level in a tree of `size` leaves."""
    hashes = size >> HEIGHT * level
    yield from ((number, WIDTH) for number in range(hashes // WIDTH))
    if hashes % WIDTH:
        yield hashes // WIDTH, hashes % WIDTH


def export(folder: Path, *, size: int, read: ReadTile, commitments: ReadCommitments, checkpoint: str) -> int:
    """Write what is not there yet; the number of files written. Full tiles that are there are left alone.

    The checkpoint comes last: a crash before it leaves an older checkpoint over tiles that contain it.
    """
    written = 1
    level = 0
    while size >> HEIGHT * level:
        for number, width in widths(size, level):
            path = folder / tile_path(str(level), number, width)
            # A tile of a width is the same for ever: one that is there need not be made again.
            if not path.exists():
                _replace(path, read(level, number)[: width * HASH_BYTES])
                written += 1
        level += 1
    for number, width in widths(size, 0):
        path = folder / tile_path("entries", number, width)
        if not path.exists():
            _replace(path, _bundle(commitments(number * WIDTH, number * WIDTH + width)))
            written += 1
    _replace(folder / "checkpoint", checkpoint.encode())
    return written


def reader(folder: Path) -> ReadTile:
    """Reads exported tiles, whoever exported them: what they say is worth what their root is worth."""

    def read(level: int, index: int) -> bytes:
        full = folder / tile_path(str(level), index, WIDTH)
        partial = sorted(full.with_name(f"{full.name}.p").glob("*"), key=lambda path: int(path.name))
        path = full if full.exists() else partial[-1] if partial else None
        return path.read_bytes() if path else b""

    return read


def _bundle(commitments: Sequence[bytes]) -> bytes:
    return b"".join(len(data).to_bytes(2, "big") + data for data in commitments)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
