"""Generated rows in the files that the intermediate tasks were published as.

>>> write("hellaswag", Path("data"), {"train": 300, "dev": 60})
PosixPath('data/hellaswag/hellaswag_val.jsonl')

The sentences are the embedded suite's, so that there is something to learn.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from evalsuite.data import embedded
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


def _questions(split: Split, rows: int, *, unanswered: bool) -> dict[str, Any]:
    """SQuAD's JSON; where some are to be unanswered, contexts have two sentences and every other
    question gets one without its answer."""
    found = embedded.qa(split, "en")[:rows]
    if unanswered:
        found = [_two_sentences(row, n % 3 > 0) for n, row in enumerate(found)]
    paragraphs = []
    for n, row in enumerate(found):
        answers = [{"text": a.text, "answer_start": a.start} for a in row.answers]
        asked: dict[str, Any] = {"id": row.id, "question": row.question, "answers": answers}
        context = row.context
        if unanswered:
            asked["is_impossible"] = bool(n % 2)
        if unanswered and n % 2:
            context = next(
                other.context
                for other in (*found[n + 1 :], *found)
                if row.answers[0].text not in other.context
            )
            asked |= {
                "answers": [],
                "plausible_answers": [{"text": context[:4], "answer_start": 0}],
            }
        paragraphs.append({"context": context, "qas": [asked]})
    return {"version": "v2.0", "data": [{"title": "generated", "paragraphs": paragraphs}]}


def squad(folder: Path, split: Split, rows: int) -> Path:
    tree = _questions(split, rows, unanswered=False)
    return _lines(folder / f"squad/{split}-v1.1.json", [json.dumps(tree)])


def squad2(folder: Path, split: Split, rows: int) -> Path:
    tree = _questions(split, rows, unanswered=True)
    return _lines(folder / f"squad2/{split}-v2.0.json", [json.dumps(tree)])


def _two_sentences(row: SpanExample, second: bool) -> SpanExample:
    """With the sentence of the answer and one beside it, before it where `second` and there is."""
    (answer,) = row.answers
    starts = [0, *(end.end() for end in re.finditer(r"\. ", row.context)), len(row.context) + 1]
    own = max(n for n, start in enumerate(starts[:-1]) if start <= answer.start)
    first = max(0, min(own - second, len(starts) - 3))
    begin, end = starts[first], starts[first + 2] - 1
    moved = Answer(answer.text, answer.start - begin)
    return SpanExample(row.id, row.question, row.context[begin:end], (moved,))


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
