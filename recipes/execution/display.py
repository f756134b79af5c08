"""What a person sees while a recipe runs.

```
teacher[task=xnli]   train    started
teacher[task=xnli]   train     1m 00s  41% done, step 164 of 400, loss 1.3, about 1m 26s left
teacher[task=xnli]   train     2m 23s  steps 400, final loss 1.23
int8[task=xnli]      export    cached  bytes 35,000,000
```

On a terminal each running stage has a live line with its elapsed and remaining time. Elsewhere
lines are printed: one when a stage starts, one a minute while it runs, one when it is finished.
`rich` is imported only where there is a terminal.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from recipes.execution.time_left import TimeLeft
from recipes.naming import distinct_file_name

if TYPE_CHECKING:
    from evalsuite.results.run import StageRecord
    from recipes.execution.run_record import RunOutcome

PERIOD = 60.0  # seconds between two lines about a running stage, where there is no terminal


class Display:
    """Prints nothing; the base of the others."""

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        """A stage begins; `before` seconds were spent on it by killed attempts.

        Args:
            where: the node it runs on; empty where that is this machine.
        """

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
    """For scripts (`--quiet`): prints the path of the report and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def finish(self, outcome: RunOutcome) -> None:
        if outcome.report is not None:
            print(outcome.report, file=self.stream, flush=True)


class _Lines(Display):
    """One line per finished stage."""

    def __init__(self, stream: TextIO, widths: tuple[int, int] = (24, 10)) -> None:
        self.stream, self.widths = stream, widths
        self.running: dict[str, _Running] = {}

    def say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def update(self, label: str, fraction: float, text: str) -> None:
        if label in self.running:
            self.running[label].update(fraction, text)

    def done(self, record: StageRecord, cached: bool) -> None:
        self.stop(record.name)
        took = "cached" if cached else duration(record.seconds)
        self.row(record.name, record.kind, took, facts(record))

    def row(self, label: str, kind: str, time: str, text: str) -> None:
        """One line in columns."""
        name, kind = label.ljust(self.widths[0]), kind.ljust(self.widths[1])
        self.say(f"{name}  {kind}  {time:>8}  {text}".rstrip())

    def finish(self, outcome: RunOutcome) -> None:
        made = [stage for stage in outcome.stages if not stage.cached]
        work = duration(sum(stage.record.seconds for stage in made))
        cached = len(outcome.stages) - len(made)
        self.say(f"\n{len(made)} made in {work}, {cached} cached; outputs: {outcome.folder}")
        if outcome.recommended:
            names = [distinct_file_name(stage.label) for stage in outcome.recommended]
            links = [outcome.folder / name for name in names]
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
class _Running:
    """A running stage and how far it is.

    Attributes:
        stopped: set when the stage runs no more.
        task: its line in `rich`.
    """

    kind: str
    began: float = field(default_factory=time.monotonic)
    left: TimeLeft = field(default_factory=TimeLeft)
    fraction: float | None = None
    text: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)
    printer: threading.Thread | None = None
    task: Any = None

    def update(self, fraction: float, text: str) -> None:
        self.fraction, self.text = fraction, text
        self.left.report(fraction, time.monotonic())

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    def summary_line(self) -> str:
        """`41% done, step 164 of 400, loss 1.3, about 1m 26s left`."""
        parts = [f"{self.fraction:.0%} done" if self.fraction is not None else "running"]
        if self.text:
            parts.append(self.text)
        if (left := self.left.seconds()) is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)


class Plain(_Lines):
    """For logs: a line when a stage starts, every `PERIOD` seconds, and when it is finished."""

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        texts = [f"on {where}"] if where else []
        texts += [earlier] if (earlier := _earlier(before)) else []
        self.row(label, kind, "started", ", ".join(texts))
        running = self.running[label] = _Running(kind)
        running.printer = threading.Thread(target=self._repeat, args=(label, running), daemon=True)
        running.printer.start()

    def _repeat(self, label: str, running: _Running) -> None:
        """Show that a stage is alive, also where it reports nothing itself."""
        with suppress(OSError, ValueError):  # nobody reads the stream any more
            while not running.stopped.wait(PERIOD):
                self.row(label, running.kind, duration(running.elapsed()), running.summary_line())

    def stop(self, label: str | None = None) -> None:
        for name in [label] if label is not None else list(self.running):
            if running := self.running.pop(name, None):
                running.stopped.set()
                assert running.printer is not None
                running.printer.join()  # no line about it comes after this


class Live(_Lines):
    """For terminals: a moving line per running stage, and a line when it is finished."""

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

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        if earlier := _earlier(before):
            self.say(f"{label}: {earlier}")
        if not self.running:
            self.bar.start()
        name = f"{label} {kind}" + (f" on {where}" if where else "")
        task = self.bar.add_task(name, total=1.0, clock="", text="")
        self.running[label] = _Running(kind, task=task)

    def update(self, label: str, fraction: float, text: str) -> None:
        super().update(label, fraction, text)
        running = self.running.get(label)
        if running is None:
            return
        left = running.left.seconds()
        clock = duration(running.elapsed()) + (f", {duration(left)} left" if left else "")
        self.bar.update(running.task, completed=fraction, clock=clock, text=text)

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


def _earlier(seconds: float) -> str:
    """What to say about the work of attempts that were stopped."""
    return f"going on after {duration(seconds)} of earlier work" if seconds >= 1 else ""


def facts(record: StageRecord) -> str:
    """A stage's summary in a few words."""
    parts = []
    for name, value in list(record.summary.items())[:4]:
        if isinstance(value, float):
            value = f"{value:z.4g}"
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
