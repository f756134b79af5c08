"""Does a trimmed vocabulary split every sentence as before, and give the same text back?

python benchmarks/trim_text.py MODEL DATA_DIR WORK [--languages en,de,...] [--coverage SHARE]
    [--lines N]

Trims MODEL to the languages (default: all of the corpus beside DATA_DIR) by the first N segments of
each, then reads all rows of every task under DATA_DIR and all of the corpus, and prints for each
language: sentences; percent split into the very pieces as before; percent that come back as the
same text when the new ids are put through the record of the trim and read by the old tokenizer;
unknown pieces before and after, percent. Then the largest difference of outputs over the rows of
XNLI that are split alike. A sentence of a kept language the trim did not read may lose a piece.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import get_args

from tokenizers import Tokenizer

from compress.trim.trim import RECORD, trim
from evalsuite import tokenization
from evalsuite.agreement import across_vocabularies
from evalsuite.data import parallel
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import sample_rows, spread
from evalsuite.inference.session import Session
from evalsuite.registry import FORMATS, TASKS
from evalsuite.task import DataSource, Split
from transfer.text import parallel_text

BATCH = 2000


@dataclass(slots=True)
class Count:
    """Of one language."""

    sentences: int = 0
    alike: int = 0
    back: int = 0
    pieces: int = 0
    unknown_before: int = 0
    unknown_after: int = 0


def corpus(source: DataSource, languages: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Language and segments, batch by batch."""
    alone = parallel.monolingual_languages(source)
    for code in languages:
        own = parallel.monolingual(source, code) if code in alone else iter(())
        while lines := list(islice(own, BATCH)):
            yield code, lines
        if code != "en":
            pairs = iter(parallel.pairs(source, code))
            while rows := list(islice(pairs, BATCH)):
                yield code, [row.foreign for row in rows]
                yield "en", [row.english for row in rows]


def kept_text(source: DataSource, kept: Sequence[str], most: int | None) -> dict[str, list[str]]:
    """Language -> segments of the corpus, as the trim stage reads them."""
    read = parallel_text.read(source, [code for code in kept if code != "en"], most, most)
    lines: dict[str, list[str]] = {code: [] for code in kept}
    for index, there, _ in read.pairs:
        lines[read.languages[index]].append(there)
    for index, line in read.lines:
        lines.setdefault(read.languages[index], []).append(line)
    if "en" in kept:
        english = [here for _, _, here in read.pairs]
        lines["en"] += spread(english, most or len(english))
    return {code: lines[code] for code in kept}


def count(
    source: DataSource, before: Tokenizer, after: Tokenizer, old: Sequence[int]
) -> dict[tuple[str, str], Count]:
    """All there is, by language and by whether it is a task's or the corpus's."""
    counts: dict[tuple[str, str], Count] = {}
    unknown = before.token_to_id("<unk>"), after.token_to_id("<unk>")

    def add(code: str, kind: str, one: Sequence[int], other: Sequence[int]) -> None:
        own = counts.setdefault((code, kind), Count())
        mapped = [old[id] for id in other]
        alike = list(one) == mapped
        own.sentences += 1
        own.alike += alike
        own.back += alike or before.decode(list(one)) == before.decode(mapped)
        own.pieces += len(one)
        own.unknown_before += one.count(unknown[0])
        own.unknown_after += other.count(unknown[1])

    for name in TASKS.names():
        task = TASKS.get(name)
        module = FORMATS.get(task.format)
        for split in get_args(Split):
            for code in task.available(source, split):
                rows = task.load(source, split, code)
                pairs = (module.encode(tokenizer, rows, 512) for tokenizer in (before, after))
                for one, other in zip(*pairs, strict=False):
                    add(code, "tasks", one.ids, other.ids)
    for code, segments in corpus(source, (*parallel.languages(source), "en")):
        found = (t.encode_batch(segments, add_special_tokens=False) for t in (before, after))
        for one, other in zip(*found, strict=True):
            add(code, "corpus", one.ids, other.ids)
    return counts


def show(counts: dict[tuple[str, str], Count], kept: Sequence[str]) -> None:
    """The table, kept languages first, and their sums."""
    print("| language | kept | text | sentences | alike | same back | unknown before | after |")
    print("| --- | --- | --- | --: | --: | --: | --: | --: |")
    for (code, kind), own in sorted(
        counts.items(), key=lambda item: (item[0][0] not in kept, item[0])
    ):
        print(
            f"| {code} | {'yes' if code in kept else 'no'} | {kind} | {own.sentences:,} "
            f"| {100 * own.alike / own.sentences:.3f} | {100 * own.back / own.sentences:.3f} "
            f"| {100 * own.unknown_before / own.pieces:.3f} "
            f"| {100 * own.unknown_after / own.pieces:.3f} |"
        )
    for kind in ("tasks", "corpus"):
        those = [own for (code, what), own in counts.items() if what == kind and code in kept]
        total = sum(own.sentences for own in those)
        print(
            f"kept languages, {kind}: {total:,} sentences, "
            f"{100 * sum(own.alike for own in those) / total:.4f}% split alike, "
            f"{100 * sum(own.back for own in those) / total:.4f}% the same text back"
        )


def main(arguments: argparse.Namespace) -> None:
    """Trim, read everything, print."""
    source = DataSource("xtreme", arguments.data_dir)
    everything = (*parallel.languages(source), "en")
    kept = tuple(arguments.languages.split(",")) if arguments.languages else everything
    out: Path = arguments.work
    out.mkdir(parents=True, exist_ok=True)
    lines = kept_text(source, kept, arguments.lines)
    done = trim(arguments.model, out, lines, coverage=arguments.coverage)
    print(f"{done.before:,} pieces before, {done.after:,} after; kept: {' '.join(kept)}")
    old = json.loads((out / RECORD).read_text(encoding="utf-8"))["old_ids"]
    counts = count(source, tokenization.load(arguments.model), tokenization.load(out), old)
    show(counts, kept)
    rows = sample_rows(TASKS.get("xnli"), source, 50)
    first, second = (Session(open_model(path)) for path in (arguments.model, out))
    own = {code: rows[code] for code in rows if code in kept}
    parity = across_vocabularies.compare(first, second, "pair", own).parity
    print(f"outputs differ by at most {parity.maximum:.2g} where the largest is {parity.scale:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--languages", default="")
    parser.add_argument("--coverage", type=float, default=1.0)
    parser.add_argument("--lines", type=int, default=None)
    main(parser.parse_args())
