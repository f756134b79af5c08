"""How much memory and time does a tokenizer take, whole and trimmed, and in which form of its file?

python -m benchmarks.tokenizer_cost CHECKPOINT CORPUS [--languages ar,bg,...] [--lines N]
    [--coverage SHARE]

Counts the pieces of N lines per language of CORPUS (`parallel/CODE.tsv.zst`, `mono/CODE.txt.zst`),
cuts the tokenizer to them as `trim` does, and opens each form in a separate process, three times.
Time is processor time, since other programs on the machine do not change it; memory is what the
process grows by when the tokenizer is opened for the first time. Last, the share of further lines
that the cut tokenizer splits as before. The defaults are XNLI's 15 languages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import zstandard

from compress.trim import pieces, tokenizer_parts
from compress.trim.registry import kind_of
from evalsuite import tokenization
from evalsuite.opening.tokenizer import tokenizer_json

XNLI = "ar,bg,de,el,en,es,fr,hi,ru,sw,th,tr,ur,vi,zh"
MEASURE = """
import gc, json, sys, time, psutil, tokenizers
from pathlib import Path
from evalsuite import tokenization
tokenization.load(Path(sys.argv[2]))  # what is loaded with the first tokenizer of all
gc.collect()
before, seconds, grown = psutil.Process().memory_info().rss, [], None
for _ in range(3):
    started = time.process_time()
    tokenizer = tokenization.load(Path(sys.argv[1]))
    seconds.append(time.process_time() - started)
    grown = grown or psutil.Process().memory_info().rss - before
    del tokenizer
print(json.dumps([seconds, grown]))
"""


def lines(corpus: Path, code: str) -> Iterator[str]:
    """The text of a language: its side of the parallel text, then its monolingual text."""
    name = "de" if code == "en" else code  # English is one side of each
    pairs, mono = corpus / "parallel" / f"{name}.tsv.zst", corpus / "mono" / f"{code}.txt.zst"
    for path in (pairs, mono):
        if path.is_file():
            with zstandard.open(path, "rt", encoding="utf-8") as file:
                for line in file:
                    sides = line.rstrip("\n").split("\t")
                    yield sides[0] if path == mono or code == "en" else sides[1]


def cut(directory: Path, text: dict[str, list[str]], coverage: float) -> dict[str, Any]:
    """The file of the tokenizer, with the pieces of the text alone."""
    tokenizer = tokenization.load(directory)
    kind = kind_of(tokenizer)
    tree = tokenizer_parts.read(tokenizer_json(directory), tokenizer)
    counts, written = {}, set()
    for code, own in text.items():
        counts[code], characters = pieces.count(tokenizer, own)
        written |= pieces.scripts(characters)
    keep = pieces.choose(counts, coverage=coverage) | pieces.always(kind, tree, written)
    small, _ = tokenizer_parts.cut(kind, tree, keep | kind.parts(tree["model"], keep))
    return small


def compact(tree: Any) -> str:
    """JSON without a space."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def cost(folder: Path, warm: Path) -> tuple[float, float]:
    """Seconds to open the tokenizer in a folder, and the megabytes it takes."""
    command = [sys.executable, "-c", MEASURE, str(folder), str(warm)]
    seconds, grown = json.loads(subprocess.check_output(command, text=True))
    return median(seconds), grown / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--languages", default=XNLI)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--coverage", type=float, default=1.0)
    given = parser.parse_args()
    codes = given.languages.split(",")
    text = {code: list(islice(lines(given.corpus, code), given.lines)) for code in codes}
    more = {
        code: list(islice(lines(given.corpus, code), given.lines, given.lines + 200))
        for code in codes
    }
    whole = json.loads(tokenizer_json(given.checkpoint))
    small = cut(given.checkpoint, text, given.coverage)
    forms = {
        "whole, as it is": tokenizer_json(given.checkpoint),
        "whole, compact": compact(whole),
        "cut, indented": json.dumps(small, ensure_ascii=False, indent=2),
        "cut, compact": compact(small),
    }
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        warm = work / "warm"
        warm.mkdir()
        tiny = {"version": "1.0", "model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", -1]]}}
        (warm / "tokenizer.json").write_text(json.dumps(tiny))
        print(f"{'form':<18}{'pieces':>9}{'file MB':>9}{'seconds':>9}{'memory MB':>11}")
        for form, content in forms.items():
            folder = work / form.replace(" ", "-")
            folder.mkdir()
            (folder / "tokenizer.json").write_text(content, encoding="utf-8")
            count = tokenization.load(folder).get_vocab_size()
            seconds, grown = cost(folder, warm)
            size = (folder / "tokenizer.json").stat().st_size / 1e6
            print(f"{form:<18}{count:>9,}{size:>9.1f}{seconds:>9.3f}{grown:>11.0f}", flush=True)
        before, after = (tokenization.load(work / n) for n in ("whole,-as-it-is", "cut,-compact"))
        alike = {
            code: sum(
                a.tokens == b.tokens
                for a, b in zip(before.encode_batch(own), after.encode_batch(own), strict=True)
            )
            / max(1, len(own))
            for code, own in more.items()
        }
        print("further lines split as before:", {c: f"{100 * s:.0f}%" for c, s in alike.items()})


if __name__ == "__main__":
    main()
