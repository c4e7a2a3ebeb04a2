"""Two processes append to one log in a real PostgreSQL: one progresses at a time, and one that dies gives way.

Run by `make test-postgres`, which says what is missing where Debian's postgresql is not installed.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from ledger_acts import HANG, KEY, LOG, Say
from sqlalchemy import text

from ledger import entries, merkle, tile
from ledger.sequencer import Sequencer, Turn
from ledger.store import logs, outbox, schema
from ledger.store.database import Database
from ledger.store.guard import Guard

EACH = 100
SPAWNING = multiprocessing.get_context("spawn")


def binaries() -> Path:
    """Where initdb and postgres are: on PATH, or where Debian puts them."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return (debian[-1] if debian else Path(found or "initdb")).parent


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a database of its own, on a socket in a folder of its own; no port is opened."""
    # It refuses to run as root: then as whoever the package has made for it.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="certledger-postgres-"))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        command = [binaries() / program, "-D", folder / "data", *arguments]
        subprocess.run(command, check=True, user=user, cwd=folder, capture_output=True, timeout=HANG)

    try:
        run("initdb", "--username=city", "--auth=trust", "--encoding=UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        run("pg_ctl", "--wait", "--options", options, "--log", str(folder / "log"), "start")
        try:
            yield f"postgresql+psycopg://city@/postgres?host={folder}"
        finally:
            run("pg_ctl", "--wait", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)


class Place:
    """A city's database on the server, emptied, and its guard in a file."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database, self.guard = Database(url), Guard(folder / "guard.db")
        self.sequencer = Sequencer(self.database, self.guard, KEY, lambda: datetime.now(UTC))

    def founded(self) -> None:
        with self.database.writing() as connection:
            schema.metadata.drop_all(connection)
            schema.metadata.create_all(connection)
            connection.execute(text("DROP TABLE IF EXISTS own"))
            connection.execute(text("CREATE TABLE own (n INTEGER)"))
        self.sequencer.append(LOG, Say(-1))

    def close(self) -> None:
        self.database.close()
        self.guard.close()

    def numbers(self) -> list[int]:
        """What the log says, read anew: contiguous, opened, hashed, and the root that head and guard have."""
        with self.database.reading() as connection:
            row = logs.find(connection, LOG.id)
            assert row is not None
            rows = list(logs.entries(connection, row.no, 0, 2**62))
            hashes = [entries.rehash(sealed, log_id=LOG.id, index=i, key=KEY) for i, sealed in rows]
            assert tile.leaves(logs.tile_reader(connection, row.no), 0, row.head.size) == hashes
            own = sorted(connection.execute(text("SELECT n FROM own")).scalars())
            assert outbox.counts(connection) == {("head", "waiting"): 1}
        assert [i for i, _ in rows] == list(range(row.head.size))
        assert row.head.root == merkle.tree_root(hashes) and self.guard.read(LOG.id) == row.head
        opened = [entries.open_entry(sealed, log_id=LOG.id, index=i, key=KEY)[0] for i, sealed in rows]
        said = [int(str(each.body["n"])) for each in opened]
        assert sorted(said) == own
        return said[1:]


@pytest.fixture
def place(server: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(server, tmp_path)
    place.founded()
    yield place
    place.close()


def append(url: str, folder: Path, start: multiprocessing.synchronize.Barrier, numbers: list[int]) -> None:
    place = Place(url, folder)
    start.wait(HANG)
    for number in numbers:
        place.sequencer.append(LOG, Say(number))
    place.close()


def append_and_never_end(url: str, folder: Path, deciding: multiprocessing.synchronize.Event) -> None:
    def hang(_: Turn) -> None:
        deciding.set()
        threading.Event().wait(HANG)

    Place(url, folder).sequencer.append(LOG, Say(500, after=hang))


def test_two_processes_give_one_contiguous_log(server: str, place: Place, tmp_path: Path) -> None:
    start = SPAWNING.Barrier(2)
    numbers = [list(range(EACH)), list(range(EACH, 2 * EACH))]
    processes = [SPAWNING.Process(target=append, args=(server, tmp_path, start, own)) for own in numbers]
    for process in processes:
        process.start()
    for process in processes:
        process.join(2 * HANG)
    assert [process.exitcode for process in processes] == [0, 0]
    said = place.numbers()
    assert sorted(said) == list(range(2 * EACH))
    for own in numbers:
        assert [n for n in said if n in own] == own
    print(f"two processes: {sum((a < EACH) != (b < EACH) for a, b in pairwise(said))} changes of hand")


def test_one_that_is_killed_with_the_log_locked_gives_way(server: str, place: Place, tmp_path: Path) -> None:
    deciding = SPAWNING.Event()
    process = SPAWNING.Process(target=append_and_never_end, args=(server, tmp_path, deciding))
    process.start()
    assert deciding.wait(HANG)
    waiting = threading.Thread(target=place.sequencer.append, args=(LOG, Say(1)))
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive(), "two progress at once"
    process.kill()
    process.join(HANG)
    assert process.exitcode == -signal.SIGKILL
    waiting.join(HANG)
    assert not waiting.is_alive() and place.numbers() == [1]
