"""A small directory in the layout of the XTREME scripts, with files of every task.

>>> small_data(Path("small"), Path("data/xtreme"))

The first rows of the files in a data directory, and rows of the embedded suite for the rest.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evalsuite.data.embedded import generate as embedded
from evalsuite.task import Split

ROWS = 30
EVALUATED: tuple[Split, ...] = ("dev", "test")
TUNED: tuple[Split, ...] = ("train", "dev")
LANGUAGES = {"de": "deu", "sw": "swh"}  # with the codes of Tatoeba's files
_CHOICES: dict[str, dict[str, Any]] = {  # a row of each data set of choices, as published
    "hellaswag/hellaswag_val.jsonl": {"ctx": "a", "endings": ["b", "c", "d", "e"], "label": 1},
    "siqa/dev-en.jsonl": {
        "context": "a",
        "question": "b?",
        "answerA": "c",
        "answerB": "d",
        "answerC": "e",
        "label": "1",
    },
    "commonsenseqa/dev_rand_split.jsonl": {
        "question": {
            "stem": "a?",
            "choices": [{"label": name, "text": name.lower()} for name in "ABCDE"],
        },
        "answerKey": "B",
    },
}


def small_data(folder: Path, data_dir: Path | None = None) -> None:
    """Write the files; those of `data_dir` go before the embedded suite's."""
    texts = dict(_embedded())
    if data_dir is not None:
        for path in sorted(data_dir.rglob("*")):
            if path.is_file() and path.suffix != ".md":
                texts[path.relative_to(data_dir).as_posix()] = first_rows(path)
    for name, text in texts.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def first_rows(path: Path) -> str:
    """The first rows of a file, whole."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        tree = json.loads(text)
        article = tree["data"][0]
        cut = {**article, "paragraphs": article["paragraphs"][:3]}
        return json.dumps({**tree, "data": [cut]}, ensure_ascii=False)
    if path.suffix == ".csv":
        out = io.StringIO()
        csv.writer(out).writerows(list(csv.reader(io.StringIO(text)))[:ROWS])
        return out.getvalue()
    if path.parent.name in {"panx", "udpos"}:
        return "\n\n".join(text.split("\n\n")[:ROWS]) + "\n"
    return "\n".join(text.split("\n")[:ROWS]) + "\n"


def _embedded() -> Iterable[tuple[str, str]]:
    yield from _pairs()
    splits: tuple[Split, ...] = ("train", "dev", "test")
    for split in splits:
        for language in ("en", *LANGUAGES) if split != "train" else ("en",):
            for folder, rows in (("udpos", embedded.pos), ("panx", embedded.ner)):
                prefix = f"{language}:" if folder == "panx" else ""
                sentences = [
                    "\n".join(f"{prefix}{w}\t{t}" for w, t in zip(row.words, row.tags, strict=True))
                    for row in rows(split, language)[:ROWS]
                ]
                yield f"{folder}/{split}-{language}.tsv", "\n\n".join(sentences) + "\n"
            causes = [
                {
                    "premise": row.context,
                    "question": row.question,
                    "label": row.label,
                    "choice1": row.choices[0],
                    "choice2": row.choices[1],
                }
                for row in embedded.causes(split, language)[:ROWS]
            ]
            name = f"xcopa/{split}-{language}.jsonl".replace("/dev-", "/val-")
            yield name, _json_lines(causes)
    for language in ("en", *LANGUAGES):
        yield from _questions(language)
    for language, code in LANGUAGES.items():
        found = embedded.parallel("test", language)[:ROWS]
        yield f"tatoeba/tatoeba.{code}-eng.{code}", _lines(row.foreign for row in found)
        yield f"tatoeba/tatoeba.{code}-eng.eng", _lines(row.english for row in found)
    yield from _comparable()
    yield from _mentions()
    for name, row in _CHOICES.items():
        yield name, _json_lines([row] * ROWS)


def _comparable() -> Iterable[tuple[str, str]]:
    for split in EVALUATED:
        foreign, candidates = embedded.comparable(split, "de")
        gold = [f"{row.id}\t{id}" for row in foreign for id in row.partners]
        yield f"bucc2018/de-en.{split}.de", _lines(f"{row.id}\t{row.foreign}" for row in foreign)
        yield f"bucc2018/de-en.{split}.en", _lines(f"{c.id}\t{c.text}" for c in candidates)
        yield f"bucc2018/de-en.{split}.gold", _lines(gold)


def _pairs() -> Iterable[tuple[str, str]]:
    for language in ("en", *LANGUAGES):
        for folder, rows in (("xnli", embedded.nli), ("pawsx", embedded.paraphrases)):
            for split in TUNED:
                text = _lines(
                    f"{row.first}\t{row.second}\t{row.label}"
                    for row in rows(split, language)[:ROWS]
                )
                if folder == "pawsx" or split == "dev" or language == "en":
                    yield f"{folder}/{split}-{language}.tsv", text
                if folder == "xnli" and language == "en":
                    yield f"snli/{split}-en.tsv", text
                    yield f"mnli/{split}-en.tsv", text
    head = "question1\tquestion2\tis_duplicate\n"
    yield "qqp/dev.tsv", head + "a b\tc d\t1\ne\tf\t0\n" * ROWS


def _questions(language: str) -> Iterable[tuple[str, str]]:
    paragraphs = []
    for row in embedded.qa("test", language)[:ROWS]:
        answers = [{"text": a.text, "answer_start": a.start} for a in row.answers]
        asked = {"id": row.id, "question": row.question, "answers": answers}
        breaks = [[0, len(row.context)]]
        paragraphs.append({"context": row.context, "qas": [asked], "sentence_breaks": breaks})
    text = json.dumps({"data": [{"title": "a", "paragraphs": paragraphs}]}, ensure_ascii=False)
    yield f"xquad/xquad.{language}.json", text
    yield f"lareqa/{language}.json", text
    yield f"mlqa/test-context-{language}-question-{language}.json", text
    yield f"tydiqa/tydiqa.goldp.{language}.dev.json", text
    if language == "en":
        yield "squad/train-v1.1.json", text


def _mentions() -> Iterable[tuple[str, str]]:
    for split in EVALUATED:
        found = embedded.mentions(split, "de")[:ROWS]
        documents = [
            {
                "context": {"text": text, "sentence_spans": [{"start": 0, "end": len(text)}]},
                "mentions": [
                    {
                        "example_id": id,
                        "entity_id": entity,
                        "mention_span": {"start": first, "end": last},
                    }
                ],
            }
            for id, (text, first, last), entity in found
        ]
        yield f"mewslix/wikinews_mentions/{split}-de.jsonl", _json_lines(documents)
    entities = [
        {
            "entity_id": id,
            "description": text,
            "sentence_spans": [{"start": 0, "end": len(text)}],
        }
        for id, text in embedded.entities("test")
    ]
    yield "mewslix/candidate_set_entities.jsonl", _json_lines(entities)


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return _lines(json.dumps(row, ensure_ascii=False) for row in rows)


def _lines(rows: Iterable[str]) -> str:
    return "".join(f"{row}\n" for row in rows)
