"""The form of the database: which one is needed is a constant, so that looking at it costs no alembic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from api.errors import ApiError
from api.migrations import runner
from ledger.store.database import Database


def test_the_revision_that_is_needed_is_the_newest_there_is() -> None:
    assert ScriptDirectory(str(Path(runner.__file__).parent)).get_heads() == [runner.NEWEST]


def test_a_database_passes_once_it_is_migrated_and_not_before(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'city.sqlite'}")
    with pytest.raises(ApiError) as refused:
        runner.check(database)
    assert (refused.value.code, refused.value.params["found"]) == ("DATABASE_NOT_MIGRATED", "-")
    runner.upgrade(database)
    runner.check(database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(ApiError) as refused:
        runner.check(database)
    assert refused.value.params["found"] == "0000"
    database.close()


def test_what_some_commands_need_is_not_loaded_by_all() -> None:
    look = "import api.wiring, sys; print(*{'web3', 'eth_account', 'alembic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
