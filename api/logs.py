"""Handing out a log as static files, with the newest final head signed by the city."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.errors import ApiError
from api.wiring import CITY_KEY, HEAD_KEY, INDEX_KEY, RECEIPT_KEY, City
from certs import statuslist, store
from ledger import checkpoint, entries, tile, tiles_export
from ledger.facts import Question
from ledger.status import Status, status_at
from ledger.store import logs, outbox
from ledger.types import Head

STATUS_LIST_SECONDS = 3600
"""How long a status list may be used before it is fetched anew."""


@dataclass(frozen=True, slots=True)
class Exported:
    origin: str
    size: int
    files: int
    """How many were written; the others were there already."""
    verifier_key: str
    """For clients of signed notes; it stands on the chain too, as the city's `head` key."""


def export(city: City, folder: Path) -> Exported:
    """Write the anchored part of the city's certificate log. Raises `ApiError` NOTHING_ANCHORED, FILE_UNWRITABLE."""
    key, wrapper = city.keystore.note_signer(HEAD_KEY), city.keystore.wrapper(CITY_KEY)
    public = key.public_key().public_bytes_raw()
    log = city.log
    name = checkpoint.origin(city.deployment.consortium, log)
    _refuse_other_log(folder, name)
    with city.database.reading() as connection:
        row = logs.find(connection, log.id)
        anchor = outbox.newest_anchor(connection, row.no) if row else None
        if row is None or anchor is None:
            raise ApiError("NOTHING_ANCHORED", "no head of this log is final yet")
        no, log_id = row.no, row.id
        read = logs.tile_reader(connection, no)
        head = Head(anchor.size, tile.root(read, anchor.size))

        def commitments(start: int, end: int) -> list[bytes]:
            stored = logs.entries(connection, no, start, end)
            return [entries.commitment(sealed, log_id=log_id, index=index, key=wrapper) for index, sealed in stored]

        note = checkpoint.sign(name, head, public=public, signature=key.sign)
        try:
            files = tiles_export.export(folder, size=head.size, read=read, commitments=commitments, checkpoint=note)
        except OSError as error:
            raise ApiError("FILE_UNWRITABLE", str(error), path=folder, reason=error.strerror) from None
    return Exported(name, head.size, files, checkpoint.verifier_key(name, public))


def _refuse_other_log(folder: Path, name: str) -> None:
    """Tiles that are there are left alone, so those of another log would stay among this one's."""
    try:
        found = (folder / "checkpoint").read_bytes().partition(b"\n")[0]
    except OSError:
        return
    if found != name.encode():
        raise ApiError("FOLDER_OF_ANOTHER_LOG", "another log was exported there", path=folder, log=name)


@dataclass(frozen=True, slots=True)
class StatusLists:
    files: list[Path]
    not_valid: int
    """Places that say anything but valid."""


def export_status_lists(city: City, folder: Path) -> StatusLists:
    """One token a list, `<folder>/<number>.jwt`. What stands in them is what the chain says, not what we intend.

    Raises `ChainUnavailable`, `ApiError` FILE_UNWRITABLE.
    """
    with city.database.reading() as connection:
        drawn, ended = store.places(connection)
    facts = city.chain.facts(Question(statuses=tuple((row.issuer, row.digest) for row in ended)))
    index_key, signer = city.keystore.mac_key(INDEX_KEY), city.keystore.signer(RECEIPT_KEY)
    lists: dict[int, dict[int, int]] = {number: {} for number in range(-(-drawn // statuslist.LIST_SIZE))}
    for row, history in zip(ended, facts.statuses, strict=True):
        record = status_at(history, facts.time, facts.block)
        number, index = statuslist.place(row.status_place, index_key)
        lists[number][index] = statuslist.value_of(Status(record.status if record else Status.ACTIVE))
    files = []
    for number, values in lists.items():
        uri = f"{city.settings.status_uri}{number}"
        text = statuslist.token(
            values, uri=uri, issued_at=int(city.clock().timestamp()), lifetime=STATUS_LIST_SECONDS, signer=signer
        )
        files.append(_written(folder / f"{number}.jwt", text))
    return StatusLists(files, sum(value != statuslist.VALID for values in lists.values() for value in values.values()))


def _written(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.write_text(text)
        beside.replace(path)
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", str(error), path=path, reason=error.strerror) from None
    return path
