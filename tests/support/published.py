"""Generated rows in the files that the intermediate tasks were published as.

>>> write("hellaswag", Path("data"), {"train": 300, "dev": 60})
PosixPath('data/hellaswag/hellaswag_val.jsonl')

The sentences are the embedded suite's, so that there is something to learn.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

from evalsuite.data.embedded import generate as embedded
from evalsuite.task import Answer, PairExample, SpanExample, Split, TagExample

CATEGORIES = {
    "NOUN": "N",
    "PROPN": "N",
    "DET": "NP[nb]/N",
    "ADP": "((S\\NP)\\(S\\NP))/NP",
    "VERB": "(S[dcl]\\NP)/NP",
    "PUNCT": ".",
}


def write(name: str, folder: Path, sizes: Mapping[Split, int]) -> Path:
    """Write splits of a task under `folder`; gives the last file written."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder
    for split, rows in sizes.items():
        path = _WRITERS[name](folder, split, rows)
    return path


def _nli(split: Split, rows: int, *labels: str) -> list[PairExample]:
    found = [row for row in embedded.nli(split, "en") if not labels or row.label in labels]
    return found[:rows]


def _lines(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    return _lines(path, (json.dumps(row) for row in rows))


def _tsv(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    return _lines(path, ("\t".join(map(str, row)) for row in rows))


def _three_columns(path: Path, rows: Iterable[PairExample]) -> Path:
    return _tsv(path, ((row.first, row.second, row.label) for row in rows))


def anliplus(folder: Path, split: Split, rows: int) -> Path:
    found = _nli(split, rows)
    parts = [found[n::5] for n in range(5)]
    for n, part in enumerate(parts[:3], 1):
        _json_lines(
            folder / f"anli/anli_v1.0/R{n}/{split}.jsonl",
            (
                {"uid": row.id, "context": row.first, "hypothesis": row.second}
                | {"label": str(row.label)[0], "model_label": "e", "emturk": False}
                for row in part
            ),
        )
    _three_columns(folder / f"mnli/{split}-en.tsv", parts[3])
    return _three_columns(folder / f"snli/{split}-en.tsv", parts[4])


def qqp(folder: Path, split: Split, rows: int) -> Path:
    found = embedded.paraphrases(split, "en")[:rows]
    header = ("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
    body = ((n, n, n, row.first, row.second, row.label) for n, row in enumerate(found))
    return _tsv(folder / f"qqp/{split}.tsv", [header, *body])


def rte(folder: Path, split: Split, rows: int) -> Path:
    found = _nli(split, rows, "entailment", "contradiction")
    names = {"entailment": "entailment", "contradiction": "not_entailment"}
    body = ((n, row.first, row.second, names[row.label or ""]) for n, row in enumerate(found))
    header = ("index", "sentence1", "sentence2", "label")
    return _tsv(folder / f"rte/{split}.tsv", [header, *body])


def squad(folder: Path, split: Split, rows: int) -> Path:
    found = embedded.qa(split, "en")[:rows]
    return _lines(folder / f"squad/{split}-v1.1.json", [_squad_json((row, None) for row in found)])


def squad2(folder: Path, split: Split, rows: int) -> Path:
    return _lines(
        folder / f"squad2/{split}-v2.0.json", [_squad_json(_answered_or_not(split, rows))]
    )


def _squad_json(rows: Iterable[tuple[SpanExample, bool | None]]) -> str:
    """A paragraph a question, which it answers or not; None leaves out whether."""
    paragraphs = []
    for row, answered in rows:
        answers = [{"text": a.text, "answer_start": a.start} for a in row.answers]
        asked: dict[str, Any] = {"id": row.id, "question": row.question, "answers": answers}
        if answered is not None:
            asked["is_impossible"] = not answered
        if answered is False:
            plausible = [{"text": row.context[:4], "answer_start": 0}]
            asked |= {"answers": [], "plausible_answers": plausible}
        paragraphs.append({"context": row.context, "qas": [asked]})
    return json.dumps(
        {"version": "v2.0", "data": [{"title": "generated", "paragraphs": paragraphs}]}
    )


def _answered_or_not(split: Split, rows: int) -> Iterator[tuple[SpanExample, bool]]:
    """Questions on two sentences, of which one answers every other question.

    Where more rows are asked for than there are questions, each is asked again, of sentences that
    answer it where those before did not.
    """
    found = embedded.qa(split, "en")
    pool = [sentence for row in found for sentence in _sentences(row.context)]
    for n in range(rows):
        again, number = divmod(n, len(found))
        row, draw, answered = found[number], random.Random(n), (n + again) % 2 == 0
        asked = _words(row.question)
        pair = [draw.choice(pool) for _ in range(2)]
        while any(asked <= _words(sentence) for sentence in pair):
            pair = [draw.choice(pool) for _ in range(2)]
        (answer,) = row.answers
        if answered:
            place = draw.randrange(2)
            pair[place] = next(s for s in _sentences(row.context) if asked <= _words(s))
            before = len(pair[0]) + 1 if place else 0
            answer = Answer(answer.text, before + pair[place].index(answer.text))
        row = replace(row, id=f"{row.id}-{again}", context=" ".join(pair), answers=(answer,))
        yield row, answered


def _sentences(context: str) -> list[str]:
    return re.split(r"(?<=\.) ", context)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower().replace("_", " ")))


def _choices(split: Split, rows: int, count: int) -> Iterator[tuple[str, list[str], int]]:
    """Context, choices and the right one, which follows from the context; the wrong ones negate
    something else."""
    right = _nli(split, rows, "entailment")
    wrong = cycle(row.second for row in _nli(split, 3000, "contradiction"))
    for n, row in enumerate(right):
        choices = [next(wrong) for _ in range(count)]
        choices[n % count] = row.second
        yield row.first, choices, n % count


def hellaswag(folder: Path, split: Split, rows: int) -> Path:
    file = {"train": "train", "dev": "val"}[split]
    return _json_lines(
        folder / f"hellaswag/hellaswag_{file}.jsonl",
        (
            {"ind": n, "activity_label": "generated", "ctx_a": context, "ctx_b": "", "ctx": context}
            | {"split": file, "split_type": "indomain", "label": label, "endings": choices}
            for n, (context, choices, label) in enumerate(_choices(split, rows, 4))
        ),
    )


def cosmosqa(folder: Path, split: Split, rows: int) -> Path:
    path = folder / f"cosmosqa/{ {'train': 'train', 'dev': 'valid'}[split] }.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "context", "question", *(f"answer{n}" for n in range(4)), "label"])
        for n, (context, choices, label) in enumerate(_choices(split, rows, 4)):
            out.writerow([n, context, 'What follows, "so to say"?', *choices, label])
    return path


def commonsenseqa(folder: Path, split: Split, rows: int) -> Path:
    return _json_lines(
        folder / f"commonsenseqa/{split}_rand_split.jsonl",
        (
            {
                "answerKey": "ABCDE"[label],
                "id": str(n),
                "question": {
                    "question_concept": "generated",
                    "choices": [
                        {"label": letter, "text": said}
                        for letter, said in zip("ABCDE", choices, strict=True)
                    ],
                    "stem": context,
                },
            }
            for n, (context, choices, label) in enumerate(_choices(split, rows, 5))
        ),
    )


def siqa(folder: Path, split: Split, rows: int) -> Path:
    found = list(_choices(split, rows, 3))
    path = folder / f"siqa/socialiqa-train-dev/{split}.jsonl"
    _json_lines(
        path,
        (
            {"context": context, "question": "What follows?"}
            | {f"answer{letter}": said for letter, said in zip("ABC", choices, strict=True)}
            for context, choices, _ in found
        ),
    )
    return _lines(path.with_name(f"{split}-labels.lst"), (str(label + 1) for *_, label in found))


def ccg(folder: Path, split: Split, rows: int) -> Path:
    """A file of derivations a section, flat ones."""
    found: list[TagExample] = embedded.pos(split, "en")[:rows]
    path = folder
    for n, section in enumerate({"train": ("02", "21"), "dev": ("00",)}[split]):
        lines = []
        for number, row in enumerate(found[n :: 2 if split == "train" else 1], 1):
            leaves = " ".join(
                f"(<L {category(tag)} {tag} {tag} {word} {category(tag)}>)"
                for word, tag in zip(row.words, row.tags, strict=True)
            )
            lines.append(f"ID=wsj_{section}01.{number} PARSER=GOLD NUMPARSE=1")
            lines.append(f"(<T S[dcl] 0 {len(row.words)}> {leaves} )")
        path = _lines(folder / f"ccg/data/AUTO/{section}/wsj_{section}01.auto", lines)
    return path


def category(tag: str) -> str:
    """A supertag for a part of speech."""
    return CATEGORIES.get(tag, f"S[{tag.lower()}]/NP")


_WRITERS = {
    made.__name__: made
    for made in (
        *(anliplus, ccg, commonsenseqa, cosmosqa, hellaswag, qqp, rte, siqa, squad, squad2),
    )
}
NAMES = tuple(sorted(_WRITERS))
SIZES: dict[Any, int] = {"train": 60, "dev": 20}  # rows of a split that tests read
