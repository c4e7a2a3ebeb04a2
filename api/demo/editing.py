"""Somebody with the database changes one byte of one row: the audit names the row. Put back, everything is in order."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from api import auditing
from api.auditing import Looked
from api.demo.scene import Scene
from api.wiring import DATABASE
from ledger.integrity import Difference
from ledger.logid import ACCESS

AT = 200
"""Which byte of the row's sealed content."""
ROW = "log_no = (SELECT no FROM log WHERE stream = ?) AND idx = ?"


def edit(scene: Scene) -> None:
    path, index = scene.city.home / DATABASE, _last(scene.city.home / DATABASE)
    genuine = _swap(path, index, None)
    changed = bytearray(genuine)
    changed[AT] ^= 1
    _swap(path, index, bytes(changed))
    found = _check(scene)
    _swap(path, index, genuine)
    after = _check(scene)
    named = [(each.stream, each.index, each.table, each.column) for each in found]
    scene.stage.line(
        "demo.edited",
        ok=named == [(ACCESS, index, "entry", "sealed")] and not after,
        ids={"sqlite3": f"entry.sealed, byte {AT}, {ROW} ({ACCESS}, {index})"},
        place=", ".join(f"{stream} #{at} {table}.{column}" for stream, at, table, column in named) or "–",
        code=", ".join(each.code for each in found) or "–",
        left=len(after),
    )


def _check(scene: Scene) -> list[Difference]:
    with scene.output.progress("audit.progress") as progress:
        return list(auditing.differences(scene.city, Looked(), stream=None, told=progress))


def _last(path: Path) -> int:
    """The newest record of an access."""
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT size - 1 FROM log WHERE stream = ?", (ACCESS,)).fetchone()[0])


def _swap(path: Path, index: int, content: bytes | None) -> bytes:
    """What stands in the row; with `content` it is replaced, past the product, with plain sqlite3."""
    with closing(sqlite3.connect(path)) as database, database:
        if content is not None:
            database.execute(f"UPDATE entry SET sealed = ? WHERE {ROW}", (content, ACCESS, index))  # noqa: S608  # ours
        row = database.execute(f"SELECT sealed FROM entry WHERE {ROW}", (ACCESS, index)).fetchone()  # noqa: S608  # ours
    return bytes(row[0])
