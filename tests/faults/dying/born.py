"""The command with its labels alive, loaded once; a process is forked off for each death, because loading takes longer.

Reads a line of JSON for each, {arguments, variables, given, out, err}, and answers with its exit code, -9 for SIGKILL.
What is forked is the command as its console script calls it, in a process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

import steps

LOADED = ("api.cli.main", "api.wiring", "api.issue", "api.importing", "api.members", "certs.changing", "web3")


def run(arguments: list[str], variables: dict[str, str], given: str, out: str, err: str) -> int:
    """`given`, `out`, `err`: files for its standard streams."""
    os.dup2(os.open(given, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.update(variables)
    steps.tell(variables["TOLD"])
    return int(importlib.import_module("api.cli.main").main(arguments))


steps.live()
for name in LOADED:
    importlib.import_module(name)
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        code = 99  # of this server, not of the command
        try:
            code = run(**asked)
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
