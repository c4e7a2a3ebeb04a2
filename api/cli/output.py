"""What commands print: results on stdout, everything else on stderr; JSON where a program reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from api.messages import Words

PIPE_WIDTH = 400


class RateColumn(ProgressColumn):
    """How many a second, of late."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


class Output:
    """One command's mouth."""

    def __init__(self, lang: str, as_json: bool) -> None:
        self.words = Words(lang)
        self.as_json = as_json
        # In a pipe nothing is folded: an identifier stays on one line for whoever reads it there.
        width = None if sys.stdout.isatty() else PIPE_WIDTH
        self.out = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=width)
        self.err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def say(self, key: str, style: str = "", **params: object) -> None:
        """A sentence for the person at the terminal."""
        self.err.print(self.words.say(key, **params), style=style or None)

    def result(self, value: Mapping[str, object], lines: Sequence[tuple[str, object]]) -> None:
        """The result: JSON of `value`, or `lines` of (key of a word, value)."""
        if self.as_json:
            self.json(value)
            return
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for key, shown in lines:
            table.add_row(f"[dim]{self.words.say(key)}[/dim]", str(shown))
        self.out.print(table)

    def json(self, value: object) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table whose headings are keys of words."""
        table = Table(box=None, header_style="bold")
        for column in columns:
            table.add_column(self.words.say(column), overflow="fold")
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self.out.print(table)

    @contextmanager
    def progress(self, key: str) -> Iterator[Callable[[int, int], None]]:
        """A bar on stderr; silent where stderr is no terminal, so logs stay short."""
        words = TextColumn("{task.description}")
        columns = (words, BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.err, disable=not self.err.is_terminal) as bar:
            task = bar.add_task(self.words.say(key), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
