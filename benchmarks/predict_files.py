"""`predict` on a long file: memory by number of rows, rate compared with `evaluate`'s, kills.

python -m benchmarks.predict_files WORK BUNDLE --rows 10000,100000,1000000 --kills 3

BUNDLE is a bundle (or checkpoint) with a label per row. Rows are generated: sentences of 6 to 30
words. Prints the peak resident memory and rows per second of each `predict`, which is a separate
process, the rate compared with that of `evaluate`, and whether a run that was killed at random
moments wrote the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

WORDS = [
    "the",
    "a",
    "rain",
    "train",
    "bread",
    "street",
    "music",
    "water",
    "house",
    "small",
    "green",
    "early",
    "late",
    "teacher",
    "river",
    "Regen",
    "Haus",
    "Straße",
    "Musik",
    "Wasser",
    "früh",
    "klein",
    "Lehrer",
    "Fluss",
    "und",
    "ein",
    "der",
    "pluie",
    "maison",
    "rue",
    "eau",
    "petit",
    "lluvia",
    "casa",
    "calle",
    "agua",
    "pequeño",
    "дождь",
    "дом",
    "улица",
    "вода",
    "雨",
    "家",
    "道",
    "水",
    "बारिश",
    "घर",
    "सड़क",
    "पानी",
    "mvua",
    "nyumba",
    "maji",
]


def write_rows(path: Path, count: int) -> None:
    """A CSV file of `count` rows."""
    if path.exists():
        return
    rng = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "source"])
        for number in range(count):
            words = rng.choices(WORDS, k=rng.randint(6, 30))
            writer.writerow([number, " ".join(words) + ("." if number % 3 else ', "quoted".'), "x"])


def command(bundle: Path, rows: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "recipes.cli", "predict", str(bundle), str(rows), "-o", str(out)]


def run(arguments: list[str]) -> tuple[float, float, str]:
    """Seconds, peak MB of the process, and its standard error."""
    script = (
        "import resource, subprocess, sys, time\n"
        "began = time.monotonic()\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True)\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024\n"
        "print(time.monotonic() - began, peak)\n"
        "print(done.stderr, file=sys.stderr)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    seconds, peak = map(float, found.stdout.split())
    return seconds, peak, found.stderr


def compared(work: Path, bundle: Path, rows: Path, count: int, rounds: int) -> None:
    """Rows per CPU second of `evaluate` and `predict` on the same rows, in turns, in this process.

    CPU seconds are little disturbed by other programs. `evaluate` includes its scores and their
    intervals, `predict` opening the model, reading the table and writing it.
    """
    from evalsuite.bulk.rows import BadRow
    from evalsuite.bulk.run_model import Job, predict_file
    from evalsuite.evaluate import evaluate
    from evalsuite.inference.open_model import open_model
    from evalsuite.own.declaration import Declaration
    from evalsuite.own.own_task import OwnTask
    from evalsuite.task import DataSource

    class Silent:
        def bad(self, name: str, row: BadRow) -> None: ...

        def update(
            self, rows: int, resumed: int, share: float | None, *, utf8: bool = False
        ) -> None: ...

    predictor = open_model(bundle)
    labels = predictor.labels
    part = work / "evaluated.csv"
    with rows.open(encoding="utf-8") as source, part.open("w", encoding="utf-8") as out:
        reader, writer = csv.DictReader(source), csv.writer(out)
        writer.writerow(["text", "label"])
        for number, row in zip(range(count), reader, strict=False):
            writer.writerow([row["text"], labels[number % len(labels)]])
    task = OwnTask(
        "rows", Declaration(format="classification", test={"en": str(part)}, labels=labels)
    )
    for _ in range(rounds):
        began = time.process_time()
        evaluate(predictor, task, DataSource("files"), label="bundle", out=work / "scores")
        between = time.process_time()
        again = work / "evaluated.out.csv"
        again.unlink(missing_ok=True)
        predict_file(bundle, Job(str(part), again), Silent())
        end = time.process_time()
        rates = count / (between - began), count / (end - between)
        print(f"{count:,} rows per CPU second: evaluate {rates[0]:,.0f}, predict {rates[1]:,.0f}, "
              f"{100 * (rates[1] / rates[0] - 1):+.1f}%", flush=True)  # fmt: skip


def killed(work: Path, bundle: Path, rows: Path, times: int, seconds: float) -> Path:
    """A run that is killed at random moments, and goes on each time."""
    out = work / "killed.csv"
    rng = random.Random(1)
    for _ in range(times):
        process = subprocess.Popen(command(bundle, rows, out), stderr=subprocess.DEVNULL)
        time.sleep(5 + rng.random() * seconds / (times + 1))
        process.kill()
        process.wait()
        assert not out.exists()
        print(
            "killed after",
            json.loads((work / "killed.csv.partial.json").read_text())["rows"]
            if (work / "killed.csv.partial.json").exists()
            else 0,
            "rows",
            flush=True,
        )
    subprocess.run(command(bundle, rows, out), check=True, stderr=subprocess.DEVNULL)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rows", default="10000,100000")
    parser.add_argument("--evaluated", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    counts = [int(count) for count in given.rows.split(",")]
    print("threads", os.environ.get("OMP_NUM_THREADS"), flush=True)
    out, seconds = given.work / "none", 0.0
    for count in counts:
        rows = given.work / f"{count}.csv"
        write_rows(rows, count)
        out = given.work / f"{count}.out.csv"
        out.unlink(missing_ok=True)
        seconds, peak, said = run(command(given.bundle, rows, out))
        print(f"{count:,} rows: {count / seconds:,.0f} rows/s, peak {peak:.0f} MB; {said.strip()}",
              flush=True)  # fmt: skip
    if given.evaluated:
        rows = given.work / f"{counts[-1]}.csv"
        compared(given.work, given.bundle, rows, given.evaluated, given.rounds)
    if given.kills:
        rows = given.work / f"{counts[-1]}.csv"
        same = killed(given.work, given.bundle, rows, given.kills, seconds)
        digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (same, out)}
        print(f"{given.kills} kills: {'the same bytes' if len(digests) == 1 else 'OTHER BYTES'}")
    print("peak of this script", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB")


if __name__ == "__main__":
    main()
