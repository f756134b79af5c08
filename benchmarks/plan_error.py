"""How far `plan` is from what a run takes: time, peak memory and disk of stages of ten kinds.

python -m benchmarks.plan_error [--model DIR] [--data-dir DIR] [--work DIR] [--stages NAME ...]

Runs `benchmarks/plan_error.yaml` stage by stage, each in a new process that has its imports done,
and predicts each in another process just before. Seconds are processor seconds, of the stage and
of the probe alike, on one thread: on a machine that does other work wall time says more about that
work. Memory is the private pages of all processes of the stage, and the files that are mapped
beyond the libraries; `plan` does not know which of them the system could take back. Prints a table,
the median error and the worst ratio. What was measured is kept in the work directory, so that a
second call with the same `--work` only predicts.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from recipes.execution.display import Display

RECIPE = Path(__file__).with_suffix(".yaml")
PRELOAD = (
    "transfer.supervised.train_tasks",
    "transfer.pretrain",
    "compress.distill.distill",
    "compress.fuse.fuse",
    "compress.prune.prune",
    "compress.trim.trim",
    "compress.export.export",
    "evalsuite.bench.worker",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one stage, predicted or measured; None where it is not predicted."""

    seconds: float | None
    memory: float | None
    disk: float | None


class Watch(Display):
    """The processor seconds of a stage, and its most memory, children included.

    It is the display of a run, so that it knows when the stage begins and ends. What it takes
    itself is not counted.
    """

    def __init__(self, label: str) -> None:
        self.label, self.process, self.end = label, psutil.Process(), threading.Event()
        self.children: dict[psutil.Process, float] = {}
        self.before = self.seconds = self.own = 0.0
        self.memory = self.mapped = 0

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        """A stage begins."""
        if label == self.label:
            self.mapped = _pages(self.process.pid)[1]  # of libraries
            self.before = sum(self.process.cpu_times()[:2])
            self.thread = threading.Thread(target=self._look, daemon=True)
            self.thread.start()

    def done(self, record: Any, cached: bool) -> None:
        """A stage is finished."""
        if record.name == self.label and not cached:
            self.end.set()
            self.thread.join()
            self.seconds = sum(self.process.cpu_times()[:2]) - self.before - self.own
            self.seconds += sum(self.children.values())

    def _look(self) -> None:
        looked = 0.0
        while not self.end.wait(0.05):
            if time.monotonic() > looked + 1:
                looked = time.monotonic()
                for child in self.process.children(recursive=True):
                    self.children.setdefault(child, 0.0)
            memory = self._memory(self.process)
            for child in self.children:
                try:
                    self.children[child] = sum(child.cpu_times()[:2])
                    memory += self._memory(child)
                except (OSError, psutil.Error):  # it has ended
                    continue
            self.memory = max(self.memory, memory)
        self.own = time.thread_time()

    def _memory(self, process: psutil.Process) -> int:
        private, mapped = _pages(process.pid)
        return private + max(0, mapped - self.mapped)


def _pages(pid: int) -> tuple[int, int]:
    """Bytes of private pages, and of mapped files."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    size = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line[:3] == "Rss"}
    return 1024 * size.get("RssAnon", 0), 1024 * size.get("RssFile", 0)


def predicted(asked: argparse.Namespace) -> Figures:
    """What `plan` says of one stage."""
    from evalsuite.machine.memory import Place
    from evalsuite.machine.probe import Probe
    from recipes.planning.memory import estimate
    from recipes.planning.source_text import SourceText
    from recipes.planning.time import predict

    plan = _plan(asked)
    text = SourceText(plan.data, time.process_time)
    probe = Probe(asked.work, time.process_time)
    found = predict(plan, text, probe, [asked.one])[asked.one]
    memory = estimate(plan, Place("RAM", 0), text).get(asked.one)
    known = not found.unknown
    return Figures(
        found.seconds if known else None,
        None if memory is None else memory.need.total,
        found.output if known else None,
    )


def measured(asked: argparse.Namespace) -> Figures:
    """What the stage takes; those before it are made already."""
    from recipes.execution.run_options import RunOptions
    from recipes.run import run_recipe

    for name in PRELOAD:
        importlib.import_module(name)
    watch = Watch(asked.one)
    run = run_recipe(
        str(asked.recipe),
        overrides=_overrides(asked),
        workspace=asked.work / "workspace",
        data_dir=asked.data_dir,
        options=RunOptions(until_stage=asked.one),
        progress=watch,
    )
    made = next(stage for stage in run.stages if stage.label == asked.one)
    if made.cached:
        raise SystemExit(f"{asked.one} is made already; give another --work")
    return Figures(watch.seconds, watch.memory, made.record.output_bytes)


def _overrides(asked: argparse.Namespace) -> list[str]:
    source = "xtreme" if asked.data_dir else "embedded"
    return [f"source={source}", f"adapter.model={asked.model}", f"more.model={asked.model}"]


def _plan(asked: argparse.Namespace) -> Any:
    from recipes.hashing import DigestMemo
    from recipes.parsing.recipe_file import load
    from recipes.planning.plan import make_plan

    loaded = load(str(asked.recipe), _overrides(asked))
    return make_plan(loaded, asked.data_dir, DigestMemo(), keys=False)


def main() -> None:
    """Predict and run each stage, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--model", default="package:recipes/models/e5-mini")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--stages", nargs="+")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--how", choices=("predicted", "measured"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        found = predicted(asked) if asked.how == "predicted" else measured(asked)
        print(json.dumps(asdict(found)))
        return
    asked.work = asked.work or Path(tempfile.mkdtemp())
    rows = []
    for label in asked.stages or [stage.label for stage in _plan(asked).stages]:
        guess = _child(asked, label, "predicted")
        rows.append((label, guess, _kept(asked, label)))
        print(_row(*rows[-1]), flush=True)
    print(table(rows))


def _kept(asked: argparse.Namespace, label: str) -> Figures:
    """Time, memory and disk of one stage, measured once per work directory."""
    path = asked.work / f"{label}.json"
    if not path.is_file():
        found = _child(asked, label, "measured")
        path.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return Figures(**json.loads(path.read_text(encoding="utf-8")))


def _child(asked: argparse.Namespace, label: str, how: str) -> Figures:
    command = [sys.executable, "-m", "benchmarks.plan_error", "--one", label, "--how", how]
    command += ["--model", asked.model, "--work", asked.work, "--recipe", asked.recipe]
    command += ["--data-dir", asked.data_dir] if asked.data_dir else []
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    if done.returncode:
        raise SystemExit(f"{label}, {how}:\n{done.stderr[-3000:]}")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def table(rows: list[tuple[str, Figures, Figures]]) -> str:
    """The rows, and the error of each figure over all of them."""
    lines = [
        "",
        "| stage | seconds predicted | measured | ratio | MB of memory predicted | measured "
        "| ratio | MB of disk predicted | measured | ratio |",
        "| --- |" + " --: |" * 9,
        *(_row(*row) for row in rows),
        "",
    ]
    for name in ("seconds", "memory", "disk"):
        pairs = [(getattr(one, name), getattr(two, name)) for _, one, two in rows]
        ratios = [one / two for one, two in pairs if one and two]
        if ratios:
            off = statistics.median(abs(ratio - 1) for ratio in ratios)
            worst = max(max(ratio, 1 / ratio) for ratio in ratios)
            lines.append(
                f"{name}: {len(ratios)} stages, median error {100 * off:.0f}%, "
                f"worst ratio {worst:.2f}"
            )
    return "\n".join(lines)


def _row(label: str, one: Figures, two: Figures) -> str:
    cells = [label]
    for name, unit in (("seconds", 1.0), ("memory", 1e6), ("disk", 1e6)):
        guess, real = getattr(one, name), getattr(two, name)
        ratio = f"{guess / real:.2f}" if guess and real else "-"
        cells += ["-" if guess is None else f"{guess / unit:,.1f}", f"{real / unit:,.1f}", ratio]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
