"""The stage of the demonstration: one line an event, as it happens, with the time since the start.

Every line says what should have come out; the demonstration succeeds only if every line did.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.markup import escape

from api.cli.output import Output
from ledger.verdict import Result


class Stage:
    def __init__(self, output: Output, *, explain: bool) -> None:
        self._output = output
        self._explain = explain
        self._start = time.monotonic()
        self.failures = 0

    def line(self, key: str, *, ok: bool = True, ids: Mapping[str, object] | None = None, **params: object) -> None:
        """One event. `ids` are for the technically curious: the first of them dim below, all with --explain."""
        seconds = int(time.monotonic() - self._start)
        text = escape(self._output.words.say(key, **{name: str(value) for name, value in params.items()}))
        mark = "" if ok else " [bold red]✘[/bold red]"
        self._output.out.print(f"[cyan]{seconds // 60:02d}:{seconds % 60:02d}[/cyan]  {text}{mark}")
        self.failures += not ok
        shown = list((ids or {}).items())
        if shown and not self._explain:
            shown = shown[:1]
        for name, value in shown:
            self._output.out.print(f"       [dim]{name} {escape(str(value))}[/dim]")

    def verdict(
        self, key: str, expected: Result, found: Result, *, ids: Mapping[str, object] | None = None, **params: object
    ) -> None:
        """An event that ends in a verdict."""
        self.line(key, ok=found is expected, ids=ids, result=found.value, **params)

    def blank(self) -> None:
        self._output.out.print()

    def hint(self, key: str, **params: object) -> None:
        """Where to look next."""
        self._output.out.print(self._output.words.say(key, **{n: str(v) for n, v in params.items()}), markup=False)
