"""Damaged recipes and data files: whatever is in one, the answer is rows or a message in words.

python benchmarks/mutated_inputs.py recipes [COUNT] [SEED]
python benchmarks/mutated_inputs.py data [COUNT] [SEED] [DATA_DIR]

Takes the shipped recipes, or small data files (the first rows of those in DATA_DIR, and of the
embedded suite for what is not there), changes each in one to three seeded ways, and counts how
`check`, or reading the rows and scoring them, ends: `ok` (exit code 0), `refused` (2, a message),
`absent` (the file hides its labels, and its language is listed as one without rows), `traceback`,
`vanished` (a language left out without a word), `hang` (over ten seconds of work) or `crash`.
The last four are faults, and each is printed.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from small_data import small_data

from evalsuite import scoring
from evalsuite.errors import EvalsuiteError
from evalsuite.registry import FORMATS
from evalsuite.task import DataSource, Split, Task
from transfer.find_task import CATALOGUES

LIBRARY = Path(__file__).parents[1] / "recipes/library"
LIMIT = 10.0  # seconds of work
FAULTS = ("traceback", "vanished", "hang", "crash")
ODD: tuple[Any, ...] = (
    *("", " ", "..", "/", "a/b", "./nowhere", "~nobody/x", "package:__main__/x", "nosuch", "${x}"),
    *("${", "a" * 5000, "./" + "a" * 5000, "a\0b", "\u202e", "e\u0301", "no", "1e999", "0x1f"),
    *(None, True, False, 0, -1, 1, 2**31, 2**64, 10**400, 1e-9, -1.5, 1e300, float("nan")),
    *(float("inf"), [], {}, [[]], [None], ["a", "a"], {"a": 1}, {"name": "x"}, [1, "a", None]),
    *(list(range(300)), {"": ""}),
)
BYTES = (
    *(
        b"",
        b"\n",
        b"\t",
        b"\0",
        b"\r",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x1f\x8b\x08",
        b'"',
        b"[",
        b"}",
    ),
    *(b"1e999", b"NaN", b"-1", b"\\ud83d", "\u2028".encode(), b"\xe9", b"null", b"9" * 5000, b"{}"),
)
WHOLE = (
    *(b"", b"\n\n", b"\xef\xbb\xbf", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
    *(
        b"<!DOCTYPE html><html></html>",
        b"\x1f\x8b\x08\0",
        b"PK\x03\x04",
        b"{}",
        b"[]",
        b"null",
        b"1",
    ),
    *(b"[" * 100_000, b'{"data": []}', b'{"data": null}', b'{"data": [{"paragraphs": 1}]}', b"a\n"),
)


class Hang(BaseException):
    """More time than a case may take; no handler of errors takes it for one."""


def recipe(rng: random.Random, texts: Sequence[str]) -> str:
    """A recipe with one to three things changed."""
    text = rng.choice(texts)
    if rng.random() < 0.25:
        return changed_text(rng, text.encode()).decode(errors="replace")
    tree = yaml.safe_load(text)
    for _ in range(rng.randint(1, 3)):
        change(rng, tree)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)


def change(rng: random.Random, tree: Any) -> None:
    """Change one value or key somewhere in a tree."""
    places = list(_places(tree))
    if not places:
        return
    held, key = rng.choice(places)
    how = rng.randrange(6)
    if how == 0:
        del held[key]
    elif how == 1 and isinstance(held, dict):
        held[rng.choice([f"{key}s", str(key)[:-1], "x", key.upper()])] = held.pop(key)
    elif how == 2:
        held[key] = [held[key]]
    elif how == 3:
        other, there = rng.choice(places)
        held[key] = yaml.safe_load(yaml.safe_dump(other[there])) if there in _keys(other) else None
    else:
        held[key] = rng.choice(ODD)


def _keys(held: Any) -> Sequence[Any]:
    return list(held) if isinstance(held, dict) else range(len(held))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for key in _keys(tree):
            yield tree, key
            yield from _places(tree[key])


def changed_text(rng: random.Random, raw: bytes) -> bytes:
    """Bytes with one thing changed: a place cut, doubled or replaced, or all of it replaced."""
    how, size = rng.randrange(9), len(raw)
    start = rng.randrange(size + 1)
    end = min(size, start + rng.choice((1, 3, 40, 400)))
    lines = raw.split(b"\n")
    at = rng.randrange(len(lines))
    if how == 0:
        return raw[:start]
    if how == 1:
        return raw[:start] + raw[end:]
    if how in (2, 3):
        return raw[:start] + rng.choice(BYTES) + raw[end if how == 2 else start :]
    if how == 4:
        return b"\n".join([*lines[:at], *lines[at : at + 2] * 2, *lines[at + 2 :]])
    if how == 5:
        return raw.replace(
            *rng.choice(((b"\n", b"\r"), (b"\n", b"\r\n"), (b"\t", b" "), (b'"', b"'")))
        )
    if how == 6:
        columns = [line.rsplit(b"\t", 1)[0] for line in lines]
        return b"\n".join(columns if rng.random() < 0.5 else [line + b"\tx" for line in lines])
    if how == 7:
        return rng.choice(WHOLE)
    return raw.decode("utf-8", "replace").encode(
        rng.choice(("utf-16", "latin-1", "utf-8-sig")), "replace"
    )


def check(path: Path, data: Path, workspace: Path) -> tuple[str, str]:
    """How `lingopress check` ends, and what it says."""
    from recipes.cli.app import main

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            main(["check", str(path), "--data-dir", str(data), "--workspace", str(workspace)])
        except SystemExit as left:
            code = left.code
    outcome = "ok" if code in (0, None) else "refused" if code == 2 else "traceback"
    return outcome, said.getvalue()


def read(task: Task, source: DataSource, split: Split, language: str) -> tuple[str, str]:
    """How reading and scoring the rows of a language ends, and what it says."""
    try:
        if language not in task.available(source, split):
            hidden = split == "test" and task.files(source, split, language)[0].read_bytes().strip()
            return ("absent" if hidden else "vanished"), f"{task.name} {split} {language}"
        rows = task.load(source, split, language)
        form = FORMATS.get(task.format)
        if split != "train" and not task.by_embedding:
            gold: list[Any] = form.gold(rows)
            if task.format == "span":
                gold = [answers[0] if answers else "" for answers in gold]
            scoring.score(scoring.answers(task, language, rows, gold))
        elif task.by_embedding and hasattr(task, "candidates"):
            languages = () if task.format == "ranking" else (language,)
            list(task.candidates(source, split, *languages))
    except EvalsuiteError as error:
        return "refused", str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    return "ok", ""


def data_case(rng: random.Random, data: Path) -> tuple[str, str]:
    """Change one file of a data directory, read it, and put it back."""
    source = DataSource("xtreme", data)
    tasks = [task for catalogue in CATALOGUES for task in map(catalogue.get, catalogue.names())]
    splits: tuple[Split, ...] = ("train", "dev", "test")
    places = [
        (task, split, language)
        for task in tasks
        for split in splits
        for language in task.available(source, split)
    ]
    task, split, language = rng.choice(places)
    path = rng.choice(task.files(source, split, language))
    raw = changed = path.read_bytes()
    for _ in range(rng.choice((1, 1, 2))):
        changed = changed_text(rng, changed)
    path.write_bytes(changed)
    try:
        outcome, said = read(task, source, split, language)
    finally:
        path.write_bytes(raw)
    return outcome, f"{path.relative_to(data)}: {said}"


def limited(case: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """A case that is stopped after `LIMIT` seconds."""

    def stop(number: int, frame: Any) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        return case()
    except Hang:
        return "hang", ""
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def in_children(
    count: int, case: Callable[[int], tuple[str, str]]
) -> Iterator[tuple[int, str, str]]:
    """Number, outcome and text of all cases; a case that ends its process is a `crash`."""
    done = 0
    while done < count:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w", encoding="utf-8", errors="replace") as pipe:
                for number in range(done, count):
                    outcome, said = limited(lambda number=number: case(number))  # type: ignore[misc]
                    pipe.write(f"{outcome}\t{said[:3000]!r}\n")
                    pipe.flush()
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            for line in pipe:
                outcome, _, said = line.rstrip("\n").partition("\t")
                yield done, outcome, said
                done += 1
        _, status = os.waitpid(child, 0)
        if status:
            yield done, "crash", f"status {status}"
            done += 1


def main(what: str, count: str = "", seed: str = "1", data_dir: str = "") -> None:
    """Run the cases and print the counts."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        small_data(place / "data", Path(data_dir) if data_dir else None)
        texts = [path.read_text("utf-8") for path in sorted(LIBRARY.rglob("*.yaml"))]

        def case(number: int) -> tuple[str, str]:
            rng = random.Random(f"{seed} {number}")
            if what == "data":
                return data_case(rng, place / "data")
            path = place / "r.yaml"
            path.write_text(recipe(rng, texts), encoding="utf-8", errors="replace")
            return check(path, place / "data", place / "workspace")

        started = time.perf_counter()
        seen: Counter[str] = Counter()
        for number, outcome, said in in_children(int(count or 3000), case):
            seen[outcome] += 1
            if outcome in FAULTS:
                print(f"{outcome} {number}: {said[:400]}", flush=True)
        seconds = time.perf_counter() - started
    listed = ", ".join(f"{name} {count:,}" for name, count in sorted(seen.items()))
    print(f"{what}, seed {seed}: {seen.total():,} cases in {seconds:.0f} s: {listed}")


if __name__ == "__main__":
    main(*sys.argv[1:5])
