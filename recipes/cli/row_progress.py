"""How far a run over rows is: a bar on a terminal, elsewhere a line per minute.

```
120,832 rows, 812 rows/s, 12% read, about 18m 10s left
```

All of it goes to standard error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from recipes.execution.display import duration

if TYPE_CHECKING:
    from evalsuite.bulk.journal import Done
    from evalsuite.bulk.rows import BadRow

PERIOD = 60.0  # seconds between two lines, where there is no terminal
MOST = 20  # bad rows that are shown, where a file lists them all


class RowProgress:
    """Shows a run over rows.

    Args:
        output: the file that is written; None is standard output.
    """

    def __init__(self, output: Path | None) -> None:
        self.output = output
        self.begun = self.shown = self.last = time.monotonic()
        self._working = self._resumed = False
        self._rate, self._share, self._began_at = 0.0, 0.0, 0.0
        self._bad = 0
        self._coded = ""  # the input, where it has rows in another encoding than UTF-8
        self._coded_rows, self._utf8 = 0, False
        self._bar: Any = None
        if sys.stderr.isatty() and not (output is None and sys.stdout.isatty()):
            self._bar = _bar()
        self._task = self._bar.add_task("", total=None) if self._bar else None

    def __enter__(self) -> RowProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()
        if self._coded:
            self._say(self._encoding())

    def bad(self, name: str, row: BadRow) -> None:
        """Show a row that was left out."""
        self._bad += 1
        self._coded = name if row.coded else self._coded
        self._coded_rows += row.coded
        if self.output is None or self._bad <= MOST:
            self._say(f"{name}:{row.line}: {row.problem}")
        elif self._bad == MOST + 1:
            self._say(f"further bad rows are listed in {self.output}.bad.jsonl when it is done")

    def update(self, rows: int, resumed: int, share: float | None, *, utf8: bool = False) -> None:
        """See `evalsuite.bulk.answer_rows.Watch`."""
        self._utf8 = utf8
        now = time.monotonic()
        if rows > resumed and not self._working:  # rows that are read again cost next to nothing
            self._working, self.begun, self._began_at = True, self.last, self._share
            if resumed:
                self._resumed = True
                self._say(f"going on after {resumed:,} rows of an earlier run")
        self.last, self._share = now, share or 0.0
        if not self._working:
            return
        text = self._line(rows, resumed, now - self.begun)
        if self._bar:
            known = None if share is None else 1.0
            self._bar.update(self._task, total=known, completed=share or 0, description=text)
        elif now - self.shown >= PERIOD:
            self.shown = now
            self._say(text)

    def _encoding(self) -> str:
        """What to do about rows that are not UTF-8: to convert a mixed file would spoil it."""
        from evalsuite.bulk.rows import converted

        name, count = self._coded, self._coded_rows
        if not self._utf8:
            return f"{name} is not UTF-8; {converted(name)}"
        rows = "1 row is" if count == 1 else f"{count:,} rows are"
        if self._resumed:  # an earlier run may have named more
            rows = "some rows are"
        return (
            f"{name}: {rows} not UTF-8, the others are; correct such rows, do not convert the file"
        )

    def _line(self, rows: int, resumed: int, seconds: float) -> str:
        self._rate = (rows - resumed) / max(seconds, 1e-9)
        parts = [f"{rows:,} rows", _per_second(self._rate)]
        read = self._share - self._began_at
        if read > 0:
            left = (1 - self._share) / read * seconds
            parts += [f"{self._share:.0%} read", f"about {duration(left)} left"]
        return ", ".join(parts)

    def finish(self, done: Done) -> None:
        """Say what was done, unless it is all on standard output."""
        if self._bar:
            self._bar.stop()
        if self.output is None and not (done.bad or done.cut):
            return
        parts = [f"{done.rows - done.bad:,} rows answered"]
        if done.bad:
            where = f" (see {self.output}.bad.jsonl)" if self.output else ""
            parts.append(f"{done.bad:,} bad row(s) left out{where}")
        if done.cut:
            model = "the model and read without their end"
            if done.answered:  # rows are cut for every member, whichever answers them
                model = "a model of the cascade, which reads them without their end"
            parts.append(f"{done.cut:,} too long for {model}")
        if done.answered:
            run = "in this run " if self._resumed else ""  # an earlier run did not count
            parts.append(f"{run}answered by {by_member(done.answered)}")
        if self._working:
            parts.append(_per_second(self._rate))
        self._say(", ".join(parts))

    def _say(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            typer.echo(text, err=True)


def by_member(answered: Mapping[str, int]) -> str:
    """How many rows each member of a cascade answered.

    >>> by_member({"fast": 812, "good": 188})
    'fast 812 (81.2%), good 188 (18.8%)'
    """
    rows = max(1, sum(answered.values()))
    return ", ".join(f"{name} {n:,} ({100 * n / rows:.1f}%)" for name, n in answered.items())


def _per_second(rate: float) -> str:
    return f"{rate:,.0f} rows/s" if rate >= 10 else f"{rate:.1f} rows/s"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        BarColumn(bar_width=20),
        TextColumn("{task.description}", markup=False),
        console=Console(file=sys.stderr),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        refresh_per_second=4,
    )
