"""What a person sees while a recipe runs.

```
teacher[task=xnli]   train      1m 23s  steps 400, final loss 1.23
int8[task=xnli]      export     cached  bytes 35,000,000
```

On a terminal each running stage has a live line with its elapsed and remaining time; elsewhere
one line a finished stage is printed. `rich` is imported only where there is a terminal.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from recipes.naming import file_name

if TYPE_CHECKING:
    from evalsuite.results.run import StageRecord
    from recipes.execution.run_record import RunOutcome


class Display:
    """Says nothing: the base of the others, and `--quiet`."""

    def start(self, label: str, kind: str, before: float = 0.0) -> None:
        """A stage begins; `before` seconds were spent on it by killed attempts."""

    def update(self, label: str, fraction: float, text: str) -> None:
        """A running stage is `fraction` (0 to 1) done."""

    def done(self, record: StageRecord, cached: bool) -> None:
        """A stage is finished or was found."""

    def say(self, text: str) -> None:
        """One line of news."""

    def stop(self, label: str | None = None) -> None:
        """A stage runs no more (None: none does), for whatever reason."""

    def finish(self, outcome: RunOutcome) -> None:
        """All is done."""


class Quiet(Display):
    """Prints the report's path, for scripts."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def finish(self, outcome: RunOutcome) -> None:
        if outcome.report is not None:
            print(outcome.report, file=self.stream, flush=True)


class Plain(Display):
    """One line a finished stage."""

    def __init__(self, stream: TextIO, widths: tuple[int, int] = (24, 10)) -> None:
        self.stream, self.widths = stream, widths

    def say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def start(self, label: str, kind: str, before: float = 0.0) -> None:
        if before >= 1:
            self.say(f"{label}: going on after {duration(before)} of earlier work")

    def done(self, record: StageRecord, cached: bool) -> None:
        took = "cached" if cached else duration(record.seconds)
        name, kind = record.name.ljust(self.widths[0]), record.kind.ljust(self.widths[1])
        self.say(f"{name}  {kind}  {took:>8}  {facts(record)}".rstrip())

    def finish(self, outcome: RunOutcome) -> None:
        made = [stage for stage in outcome.stages if not stage.cached]
        work = duration(sum(stage.record.seconds for stage in made))
        cached = len(outcome.stages) - len(made)
        self.say(f"\n{len(made)} made in {work}, {cached} cached; outputs: {outcome.folder}")
        if outcome.recommended:
            links = [outcome.folder / file_name(stage.label) for stage in outcome.recommended]
            there = [
                link if link.exists() else stage.path  # not every system has links
                for link, stage in zip(links, outcome.recommended, strict=True)
            ]
            self.say("\n".join(["recommended:", *map(str, there)]))
        if outcome.report is not None:
            short = outcome.report.with_name("summary.txt")
            if short.is_file():
                self.say("\n" + short.read_text("utf-8"))
            self.say(f"report:\n{outcome.report}")


@dataclass(slots=True)
class _Line:
    """A running stage's line; `first` is the fraction it was at when it was first heard of."""

    task: Any
    began: float
    first: float | None = None


class Live(Plain):
    """`Plain`, and a moving line for each running stage."""

    def __init__(self, stream: TextIO, widths: tuple[int, int]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        super().__init__(stream, widths)
        self.console = Console(file=stream, highlight=False)
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[clock]}  {task.fields[text]}", markup=False),
            console=self.console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=4,
        )
        self.running: dict[str, _Line] = {}

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def start(self, label: str, kind: str, before: float = 0.0) -> None:
        super().start(label, kind, before)
        if not self.running:
            self.bar.start()
        task = self.bar.add_task(f"{label} {kind}", total=1.0, clock="", text="")
        self.running[label] = _Line(task, time.monotonic())

    def update(self, label: str, fraction: float, text: str) -> None:
        line = self.running.get(label)
        if line is None:
            return
        if line.first is None:  # a resumed stage begins well above zero
            line.first = fraction
        elapsed, progress = time.monotonic() - line.began, fraction - line.first
        left = elapsed * (1 - fraction) / progress if progress > 0.01 else None
        clock = duration(elapsed) + (f", {duration(left)} left" if left is not None else "")
        self.bar.update(line.task, completed=fraction, clock=clock, text=text)

    def done(self, record: StageRecord, cached: bool) -> None:
        self.stop(record.name)
        super().done(record, cached)

    def stop(self, label: str | None = None) -> None:
        for name in [label] if label is not None else list(self.running):
            if name in self.running:
                self.bar.remove_task(self.running.pop(name).task)
                if not self.running:
                    self.bar.stop()


def make_display(stream: TextIO, labels: list[str], kinds: list[str], *, quiet: bool) -> Display:
    """The display that fits the stream."""
    if quiet:
        return Quiet(stream)
    widths = (max(map(len, labels), default=0), max(map(len, kinds), default=0))
    return Live(stream, widths) if stream.isatty() else Plain(stream, widths)


def facts(record: StageRecord) -> str:
    """A stage's summary in a few words."""
    parts = []
    for name, value in list(record.summary.items())[:4]:
        if isinstance(value, float):
            value = f"{value:.4g}"
        elif isinstance(value, int):
            value = f"{value:,}"
        parts.append(f"{name} {value}")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """`0.4s`, `12s`, `1m 23s`, `2h 05m`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
