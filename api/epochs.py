"""The epochs of a stream: how each stands, closing the present one, and going on in the next.

Closing is the governor's, and cannot be taken back: it is shown first, and carried out only for exactly the number
that was shown. Going on is one act in the database; both may be interrupted anywhere and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from api import governance
from api.errors import ApiError
from api.wiring import CITY_KEY, City
from audit import moving
from audit.store import corrections, evidence_types, rulebook
from certs import erasure_store, statuslist, store
from certs.certificate import ISSUE
from ledger import continuing, entries, epochs
from ledger.continuing import ContinueLog, Move
from ledger.epochs import Why
from ledger.errors import AppendRefused, ChainUnavailable
from ledger.evm.contracts import log_anchor
from ledger.facts import EpochClosing, PublishedHead, Question
from ledger.logid import CERTIFICATE
from ledger.ports import Call
from ledger.sealing.envelope import Wrapper
from ledger.status import Status, status_at
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import LogName


@dataclass(frozen=True, slots=True)
class Again:
    """A disowned entry that issued a certificate and stands again in the next epoch."""

    identifier: str
    old_index: int
    index: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of a stream, by what database, guard and chain hold."""

    log: LogName
    size: int
    """Entries in the database."""
    acknowledged: int
    """By the guard; 0: it knows nothing of this log."""
    anchored: int
    """By the chain, void heads included."""
    closing: EpochClosing | None
    good: int
    """How many of its entries stand, or would, if it were closed now."""
    continued_in: int | None = None
    """The epoch that goes on from it, in the database."""
    again: tuple[Again, ...] = ()

    @property
    def known(self) -> int:
        """The most entries that anybody knows it to have had."""
        return max(self.size, self.acknowledged, self.anchored)

    @property
    def missing(self) -> int:
        """Entries that were acknowledged or anchored and are not in the database."""
        return self.known - self.size


def survey(city: City, stream: str) -> list[Epoch]:
    """Every epoch, oldest first, as the chain counts them."""
    here = city.settings.city
    names = [LogName(here, stream, number) for number in range(city.chain.current_epoch(here, stream) + 1)]
    ids = [name.id for name in names]
    heads, closings = city.chain.heads(ids), city.chain.closings(ids)
    found = [_epoch(city, *each) for each in zip(names, heads, closings, strict=True)]
    return _followed(city, found)


def close(city: City, stream: str, size: int | None) -> tuple[Epoch, bool]:
    """The present epoch, closed on chain so that `size` entries stand, final; None only shows and rehearses it.

    (epoch, whether it is closed). Raises `ApiError` CLOSE_SIZE, NOTHING_TO_CLOSE; `LedgerError` DECISION_REFUSED.
    """
    *earlier, epoch = survey(city, stream)
    if not epoch.anchored:
        if earlier and size == earlier[-1].good and earlier[-1].continued_in is None:
            return earlier[-1], True  # run twice, or again after it was interrupted
        raise ApiError("NOTHING_TO_CLOSE", "nothing of this epoch is anchored", stream=stream, epoch=epoch.log.epoch)
    if size not in (None, epoch.good):
        raise ApiError("CLOSE_SIZE", "another number of entries can be proven", size=size, good=epoch.good)
    call = Call(city.deployment.log_anchor.address, log_anchor.close_epoch(stream, epoch.good))
    governance.carry_out(city, f"close-epoch/{epoch.log.id.hex()}", call, dry_run=size is None)
    return epoch, size is not None


def go_on(city: City, stream: str, why: Why) -> Epoch:
    """Begin the next epoch with what stood in the closed one and has no anchor any more. Safe to run again.

    The epoch that was continued. Raises `ApiError` LOG_NOT_CLOSED, `AppendRefused` CLOSING_NOT_REPRODUCED,
    `ChainUnavailable` CLOSING_NOT_FINAL.
    """
    here, chain = city.settings.city, city.chain
    with city.database.reading() as connection:
        old = logs.current(connection, here, stream)
    newest = chain.current_epoch(here, stream)
    if newest > old.epoch:
        _begin(city, old, LogName(here, stream, newest), why)
    elif not old.epoch:
        raise ApiError("LOG_NOT_CLOSED", "the log's epoch is open on the chain", stream=stream)
    # Crash here: the epoch is begun as a whole; run again, what follows is done.
    _take_statuses(city)
    return next(epoch for epoch in reversed(survey(city, stream)) if epoch.continued_in is not None)


def _begin(city: City, old: LogName, new: LogName, why: Why) -> None:
    (closing,), final = city.chain.closings([old.id]), city.chain.final_height()
    if closing is None or closing.block > final:
        raise ChainUnavailable("CLOSING_NOT_FINAL", "the closing is not final yet", log=old.id.hex())
    heads = city.chain.history(old.id)
    skipped = [LogName(old.city, old.stream, number).id for number in range(old.epoch + 1, new.epoch)]
    if any(end is None or end.last_good_size for end in city.chain.closings(skipped)):
        # Epochs that this database knows nothing of, and of which something stands.
        raise AppendRefused(
            "CLOSING_NOT_REPRODUCED", "entries stand that are not here", log=old.id.hex(), size=0, good=1
        )
    act = ContinueLog(old, closing, heads, why, city.keystore.wrapper(CITY_KEY), _moved(city, old, new, heads))
    city.sequencer.append(new, act)


def _moved(
    city: City, old: LogName, new: LogName, heads: Sequence[PublishedHead]
) -> Callable[[Connection, Move], None]:
    """What points at entries follows them, and the places of certificates that are lost are not given again."""
    guarded = city.guard.read(old.id)
    known = max([guarded.size if guarded else 0, *(head.size for head in heads)])

    def moved(connection: Connection, move: Move) -> None:
        store.move(connection, move.old_no, move.first, move.new_no)
        erasure_store.move(connection, move.old_no, move.first, move.new_no)
        rulebook.move(connection, move.old_no, move.first, move.new_no)
        corrections.move(connection, move.old_no, move.first, move.new_no)
        evidence_types.move(connection, move.old_no, move.first, move.new_no)
        moving.follow(connection, city.keyring, move, old, new)
        size = logs.lock(connection, old).head.size
        if old.stream == CERTIFICATE and known > size:
            store.skip_places(connection, known - size, statuslist.LIST_SIZE)

    return moved


def _take_statuses(city: City) -> None:
    """Changes of status that were recorded after the copy was made are on chain and not here: the chain decides.

    One that still waits to be sent is newer than what the chain says, and stays.
    """
    with city.database.reading() as connection:
        waiting = {item.key for item in outbox.unsettled(connection, outbox.STATUS)}
        parts = list(store.statuses(connection))
    for part in parts:
        facts = city.chain.facts(Question(statuses=tuple((issuer, digest) for issuer, digest, _ in part)))
        with city.database.writing() as connection:
            for (_, digest, ours), history in zip(part, facts.statuses, strict=True):
                record = status_at(history, facts.time, facts.block)
                if record is not None and record.status != ours and digest not in waiting:
                    store.set_status(connection, digest, Status(record.status))


def _epoch(city: City, name: LogName, head: PublishedHead | None, closing: EpochClosing | None) -> Epoch:
    known = city.guard.read(name.id)
    with city.database.reading() as connection:
        row = logs.find(connection, name.id)
        good = closing.last_good_size if closing else _good(city, connection, name, row)
    return Epoch(
        log=name,
        size=row.head.size if row else 0,
        acknowledged=known.size if known else 0,
        anchored=head.size if head else 0,
        closing=closing,
        good=good,
    )


def _good(city: City, connection: Connection, name: LogName, row: LogRow | None) -> int:
    """Size of the largest final head on chain that this database can prove."""
    if row is None:
        return 0
    final = city.chain.final_height()
    heads = [head for head in city.chain.history(name.id) if head.block <= final]
    return epochs.newest_good(logs.tile_reader(connection, row.no), row.head.size, heads)


def _followed(city: City, found: Sequence[Epoch]) -> list[Epoch]:
    """With what the later epochs say about the earlier ones."""
    key, by_id = city.keystore.wrapper(CITY_KEY), {epoch.log.id: epoch for epoch in found}
    with city.database.reading() as connection:
        rows = {row.id: row for row in logs.every(connection)}
        for later in [epoch for epoch in found if epoch.log.id in rows]:
            said = continuing.continued(connection, rows[later.log.id], key)
            if said is not None:
                again = tuple(_again(connection, rows[said.log], said.again, key))
                by_id[said.log] = replace(by_id[said.log], continued_in=later.log.epoch, again=again)
    return list(by_id.values())


def _again(connection: Connection, old: LogRow, span: tuple[int, int], key: Wrapper) -> Iterator[Again]:
    for index, sealed in logs.entries(connection, old.no, *span):
        statement, _ = entries.open_entry(sealed, log_id=old.id, index=index, key=key)
        if statement.type == ISSUE:
            yield Again(str(statement.body.get("identifier")), index, index - span[0] + 1)
