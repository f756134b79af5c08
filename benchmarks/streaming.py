"""Text larger than memory: peak memory, rate over the corpus, and the same batches after a kill.

    python benchmarks/streaming.py FOLDER [--small 1] [--large 50]

A corpus of 50 GB is simulated: 16 MB of text are written once, and the list of shards names the
same files again and again. Each distinct file is tokenized once. Then batches are made as
`pretrain` makes them, in a process for each size: at ten places spread evenly over the corpus, with
the rate per CPU second at each. The peak is the resident memory of the whole process (`VmHWM`),
torch and tokenizer included. Last, a process that makes batches is killed after five numbers of
batches that are drawn over all of them; each time another goes on from the batch after the last one
that was noted, and all batches are compared with those of a process that was not killed.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from evalsuite import tokenization
from evalsuite.task import DataSource
from transfer.loop.batch_plan import padded
from transfer.loop.stream_plan import StreamPlan
from transfer.text.stream import Stream, tokenize

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "recipes" / "models" / "e5-mini"
LANGUAGES = {"de": 3, "sw": 1}  # language -> its share of the shards
SHARD = 4_000_000  # bytes of text
PLACES, BATCHES, SIZE = 10, 320, 32  # places of the corpus, batches at each, rows of a batch
WORDS = 20_000


def write_shards(folder: Path) -> None:
    """Four files of 4 MB: lines of made-up words, the more frequent the shorter their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, language in enumerate(["de", "de", "de", "sw"]):
        path = folder / f"{language}-{number}.txt"
        if path.is_file():
            continue
        rng = random.Random(number)
        words = [
            "".join(rng.choices("abdeghiklmnoprstuw", k=rng.randint(2, 9))) for _ in range(WORDS)
        ]
        written, partial = 0, path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            while written < SHARD:
                chosen = (words[int(WORDS * rng.random() ** 3)] for _ in range(rng.randint(4, 40)))
                line = " ".join(chosen)
                written += file.write(line + "\n")
        partial.replace(path)


def plan_over(folder: Path, gigabytes: float) -> tuple[StreamPlan, int]:
    """A plan that reads the corpus of that size about once, and its number of rows."""
    write_shards(folder / "text")
    repeats = max(1, round(gigabytes * 1e9 / (SHARD * 4)))
    places = {
        language: tuple(str(path) for path in sorted((folder / "text").glob(f"{language}-*.txt")))
        * repeats
        for language in LANGUAGES
    }
    stream = Stream(places, buffer=16_384, tokens=folder / "tokens")
    text = tokenize(stream, tokenization.load(MODEL), 128, DataSource("embedded"))
    plan = text.plan(alpha=1.0, batch_size=SIZE, steps=text.rows // SIZE, seed=1)
    return plan, text.rows


def tensors(plan: StreamPlan, number: int) -> bytes:
    """The bytes of one batch's ids, as `pretrain` pads them."""
    rows = [plan.ids(index) for index in plan[number].indices]
    return padded(rows, 1)["input_ids"].numpy().tobytes()


def measure(folder: Path, gigabytes: float) -> None:
    """Print rows, rates and peak memory as JSON; this is the process that is measured."""
    begun = time.monotonic()
    plan, rows = plan_over(folder, gigabytes)
    opened, rates = time.monotonic() - begun, []
    for place in range(PLACES):
        first = place * (len(plan) - BATCHES) // (PLACES - 1)
        begun = time.process_time()  # so that other programs do not count
        for number in range(first, first + BATCHES):
            tensors(plan, number)
        rates.append(round(BATCHES * SIZE / (time.process_time() - begun)))
    print(json.dumps({"rows": rows, "opened": opened, "rates": rates, "peak": peak()}))


def peak() -> int:
    """The highest resident memory of this process so far, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def note(folder: Path, gigabytes: float, first: int, last: int, file: Path) -> None:
    """Append a digest of each batch to a file, as a training would take them one by one."""
    plan, _ = plan_over(folder, gigabytes)
    with file.open("a") as out:
        for number in range(first, last):
            print(number, sha256(tensors(plan, number)).hexdigest(), file=out, flush=True)


def killed(folder: Path, gigabytes: float) -> str:
    """Compare the batches of a process that is killed with those of one that is not."""
    rng, middle, count, places = random.Random(1), 0, 2000, list[int]()
    whole, cut = folder / "whole.txt", folder / "cut.txt"
    for file in (whole, cut):
        file.unlink(missing_ok=True)
    note(folder, gigabytes, middle, middle + count, whole)
    ends = sorted(rng.sample(range(1, count), 5))
    while True:
        lines = cut.read_text().splitlines() if cut.is_file() else []
        if lines and len(lines[-1].partition(" ")[2]) < 64:  # the kill cut it short
            lines.pop()
            cut.write_text("".join(f"{line}\n" for line in lines))
        if len(lines) == count:
            break
        child = start(folder, "note", gigabytes, middle + len(lines), middle + count, str(cut))
        if ends:
            end = ends.pop(0)
            while child.poll() is None and _lines(cut) < end:
                time.sleep(0.002)
            child.kill()
            places.append(_lines(cut))
        child.wait()
    same = whole.read_text() == cut.read_text()
    after = ", ".join(map(str, places))
    return f"{count} batches, killed after {after}: {'equal' if same else 'NOT equal'}"


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.is_file() else 0


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, str(folder), "--inner", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", type=float, default=1.0)
    parser.add_argument("--large", type=float, default=50.0)
    parser.add_argument("--inner", nargs="+")
    given = parser.parse_args()
    if given.inner:
        what, gigabytes, *rest = given.inner
        if what == "measure":
            measure(given.folder, float(gigabytes))
        else:
            note(given.folder, float(gigabytes), int(rest[0]), int(rest[1]), Path(rest[2]))
        return
    plan_over(given.folder, 0.001)  # writes and tokenizes
    peaks = []
    for gigabytes in (given.small, given.large):
        out, _ = start(given.folder, "measure", gigabytes).communicate()
        found = json.loads(out)
        peaks.append(found["peak"])
        rates = ", ".join(f"{rate:,}" for rate in found["rates"])
        print(
            f"{gigabytes:g} GB, {found['rows']:,} rows: peak {found['peak'] / 1e6:.1f} MB, opened "
            f"in {found['opened']:.1f} s, rows per CPU second at ten places: {rates}"
        )
    print(f"peak of the larger one: {100 * peaks[1] / peaks[0] - 100:+.1f}%")
    print(killed(given.folder, given.large))


if __name__ == "__main__":
    main()
