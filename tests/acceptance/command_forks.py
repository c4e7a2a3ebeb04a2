"""The real command in many processes: one process that has loaded it forks a child for each command.

A child is what the console script runs, `api.cli.main.main(arguments)`, in a process of its own that can be killed;
only the loading of the libraries, two thirds of a second, is done once. Each line on stdin is the JSON list of
arguments of one command; each line on stdout the pid of a child that began, or pid and status of one that ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from command_line import ROOT, environment

SERVER = Path(__file__).with_name("fork_server.py")


class Forks:
    """Speaks to the process that forks."""

    def __init__(self, orders: IO[str], told: IO[str]) -> None:
        self._orders = orders
        self._told = told
        self._ended: dict[int, int] = {}

    def start(self, *arguments: object) -> int:
        """The pid of a child that runs the command."""
        self._orders.write(json.dumps([str(each) for each in arguments]) + "\n")
        self._orders.flush()
        while (line := self._told.readline().split())[0] != "began":
            self._ended[int(line[1])] = int(line[2])
        return int(line[1])

    def wait(self, pid: int) -> int:
        """Its status as `os.waitpid` has it."""
        while pid not in self._ended:
            _, ended, status = self._told.readline().split()
            self._ended[int(ended)] = int(status)
        return self._ended.pop(pid)

    def run_all(self, commands: Sequence[Sequence[object]]) -> list[int]:
        """Exit codes of commands that all run at once."""
        pids = [self.start(*command) for command in commands]
        return [os.waitstatus_to_exitcode(self.wait(pid)) for pid in pids]


@contextmanager
def forks() -> Iterator[Forks]:
    with subprocess.Popen(
        [sys.executable, SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield Forks(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(60)
