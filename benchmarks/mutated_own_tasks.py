"""Damaged recipes and files of own tasks: the answer is rows or a message in words.

python benchmarks/mutated_own_tasks.py [COUNT] [SEED]

Odd cases change a recipe that declares tasks; even ones change one of their files. Then `check`
runs, and all rows of the declared tasks are read. Outcomes are those of mutated_inputs.py.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import mutated_inputs

from evalsuite.data import left_out
from evalsuite.errors import EvalsuiteError
from evalsuite.own.declared import declared
from evalsuite.task import DataSource, Split

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
FILES = {
    "topics/train.csv": 'text,label\n"It rains, again.",weather\nWe won!,sports\nSnow.,weather\n',
    "topics/test-de.csv": "\ufefftext,label\r\nEs regnet.,weather\r\nGewonnen!,sports\r\n",
    "topics/test-fr.csv": 'text,label\nIl pleut.,weather\n"On a ""gagné"".",sports\n',
    "pairs/train.jsonl": '{"a": "A man eats.", "b": "He eats.", "y": "yes"}\n'
    '{"a": "A man eats.", "b": "He sleeps.", "y": "no"}\n',
    "pairs/test.de.jsonl": '{"a": "Er isst.", "b": "Er schläft.", "y": "no"}\n',
    "names/train.conll": "Anna B-PER\nsleeps O\n\nin O\nParis B-LOC\n\n",
    "names/test-fr.conll": "Anne B-PER\ndort O\n\nà O\nParis B-LOC\n",
    "scores/train.csv": "A plane flies.,The plane takes off.,4.5\nA cat.,A dog.,1\n",
    "scores/test-de.csv": "Ein Flugzeug fliegt.,Es hebt ab.,4.5\nEine Katze.,Ein Hund.,0.5\n",
    "moods/train.csv": "text,joy,fear\nHurrah!,1,0\nOh no.,0,1\nBoth.,1,1\nNone.,0,0\n",
    "moods/test-de.csv": "text,joy\nHurra!,1\nOje.,0\n",
    "spans/train.json": '{"data": [{"paragraphs": [{"context": "Zoe lives in Rome.", "qas": '
    '[{"id": "1", "question": "Where?", "answers": [{"text": "Rome", "answer_start": 13}]}]}]}]}',
    "spans/test-de.json": '{"data": [{"paragraphs": [{"context": "Zoe lebt in Rom.", "qas": '
    '[{"id": "1", "question": "Wo?", "answers": [{"text": "Rom", "answer_start": 12}]}]}]}]}',
    "choices/train.jsonl": '{"context": "It rained.", "choices": ["wet", "dry"], "label": 0}\n'
    '{"context": "Sun.", "choices": ["wet", "dry"], "label": 1}\n',
    "choices/test-de.jsonl": '{"context": "Regen.", "choices": ["nass", "trocken"], "label": 0}\n',
    "lines/test-de.tsv": "Good day\tGuten Tag\nThanks\tDanke\n",
}
RECIPE = """
name: own
source: files
tasks:
  topics:
    format: classification
    train: {en: topics/train.csv}
    dev: {en: topics/train.csv}
    test: "topics/test-{language}.csv"
    metric: macro_f1
  pairs:
    format: pair
    train: {en: pairs/train.jsonl}
    dev: {en: pairs/train.jsonl}
    test: {de: pairs/test.de.jsonl}
    columns: {first: a, second: b, label: y}
  names:
    format: tagging
    train: {en: names/train.conll}
    dev: {en: names/train.conll}
    test: {fr: names/test-fr.conll}
  scores:
    format: regression
    train: {en: scores/train.csv}
    dev: {en: scores/train.csv}
    test: "scores/test-{language}.csv"
    columns: {first: 1, second: 2, score: 3}
  moods:
    format: multilabel
    train: {en: moods/train.csv}
    dev: {en: moods/train.csv}
    test: "moods/test-{language}.csv"
    columns: {text: text, labels: [joy, fear]}
  spans:
    format: span
    train: {en: spans/train.json}
    dev: {en: spans/train.json}
    test: "spans/test-{language}.json"
  choices:
    format: choice
    train: {en: choices/train.jsonl}
    dev: {en: choices/train.jsonl}
    test: "choices/test-{language}.jsonl"
  lines:
    format: retrieval
    test: "lines/test-{language}.tsv"
    columns: {first: 1, second: 2}
stages:
  - {name: teacher, stage: train, model: "package:recipes/models/e5-mini", tasks: [topics]}
  - {name: scores, stage: evaluate, models: [teacher], tasks: [topics]}
"""


def case(number: int, seed: str, place: Path) -> tuple[str, str]:
    """How one case ends."""
    rng = random.Random(f"{seed} {number}")
    text, changed = RECIPE, "recipe"
    for name, content in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content.encode())
    if number % 2:
        text = mutated_inputs.recipe(rng, [RECIPE])
    else:
        changed = rng.choice(list(FILES))
        raw = (place / changed).read_bytes()
        (place / changed).write_bytes(mutated_inputs.changed_text(rng, raw))
    recipe = place / "r.yaml"
    recipe.write_text(text, encoding="utf-8", errors="replace")
    outcome, said = mutated_inputs.check(recipe, place, place / "workspace")
    if outcome == "ok":
        outcome, said = read_all()
    return outcome, f"{changed}: {said}"


def read_all() -> tuple[str, str]:
    """Read every row of the declared tasks."""
    source, languages = DataSource("files"), Counter[str]()
    try:
        with left_out.collected():
            for task in declared().values():
                for split in SPLITS:
                    for language in task.available(source, split):
                        languages[task.name] += bool(task.load(source, split, language))
    except EvalsuiteError as error:
        return "refused", str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    return "ok", str(dict(languages))


def main(count: str = "2000", seed: str = "1") -> None:
    """Run the cases and print the counts."""
    seen: Counter[str] = Counter()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        os.chdir(place)  # paths in a recipe start there

        def one(number: int) -> tuple[str, str]:
            return case(number, seed, place)

        for number, outcome, said in mutated_inputs.in_children(int(count), one):
            seen[outcome] += 1
            if outcome in mutated_inputs.FAULTS:
                print(f"{outcome} {number}: {said[:400]}", flush=True)
    listed = ", ".join(f"{name} {count:,}" for name, count in sorted(seen.items()))
    print(f"own tasks, seed {seed}: {seen.total():,} cases", end=" ")
    print(f"in {time.perf_counter() - started:.0f} s: {listed}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
