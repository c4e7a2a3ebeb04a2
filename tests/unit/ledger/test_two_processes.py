"""Several processes append to one log: one at a time progresses, and the log is one."""

from __future__ import annotations

import multiprocessing
from itertools import pairwise
from pathlib import Path

from ledger_acts import HANG, Place, append_from_a_process


def test_two_processes_give_one_contiguous_log(tmp_path: Path) -> None:
    place = Place(tmp_path)
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(2)
    numbers = [list(range(0, 100)), list(range(100, 200))]
    processes = [spawning.Process(target=append_from_a_process, args=(str(tmp_path), start, own)) for own in numbers]
    for process in processes:
        process.start()
    for process in processes:
        process.join(2 * HANG)
    assert [process.exitcode for process in processes] == [0, 0]
    recorded = place.numbers()
    assert sorted(recorded) == list(range(200)) and place.own() == recorded
    for own in numbers:
        assert [n for n in recorded if n in own] == own
    print(f"two processes: {sum((a < 100) != (b < 100) for a, b in pairwise(recorded))} changes of hand in 200 entries")
    place.close()


def test_processes_that_open_a_new_city_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(2)
    processes = [spawning.Process(target=append_from_a_process, args=(str(tmp_path), start, [n])) for n in (1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(2 * HANG)
    assert [process.exitcode for process in processes] == [0, 0]
    place = Place(tmp_path)
    assert sorted(place.numbers()) == [1, 2]
    place.close()
