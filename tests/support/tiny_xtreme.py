"""A directory as the XTREME scripts fill it, and parallel text beside it: a few rows per file.

>>> tiny_xtreme(Path("path/to/xtreme"))  # --data-dir path/to/xtreme

The tasks and the languages are those that the shipped recipes name. Rows say nothing a model could
learn from; they are for commands that are to run, not for scores.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

LANGUAGES = {
    "en": "eng", "de": "deu", "es": "spa", "fr": "fra",
    "hi": "hin", "ru": "rus", "sw": "swh", "tr": "tur",
}  # fmt: skip
_ROWS = 20
_LABELS = ("entailment", "neutral", "contradiction")


def tiny_xtreme(folder: Path) -> Path:
    """Write every file, and give the folder."""
    for name, text in _files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _files() -> dict[str, str]:
    files = {
        "snli/train-en.tsv": _pairs(),
        "cosmosqa/train-en.csv": _cosmos(),
        "tydiqa/tydiqa.goldp.en.train.json": _questions(),
        "tydiqa/tydiqa.goldp.sw.train.json": _questions(),
        "panx/train-en.tsv": _tags(("B-PER", "O", "O", "B-LOC", "O")),
        "udpos/train-en.tsv": _tags(("PROPN", "VERB", "ADP", "PROPN", "PUNCT")),
        "xcopa/train-en.jsonl": _choices(),
    }
    for code, longer in LANGUAGES.items():
        files[f"xnli/dev-{code}.tsv"] = _pairs()
        files[f"udpos/test-{code}.tsv"] = files["udpos/train-en.tsv"]
        files[f"xquad/xquad.{code}.json"] = _questions()
        files[f"xcopa/test-{code}.jsonl"] = _choices()
        if code != "en":
            here = [_line(n).replace("Anna", f"Anna {code}") for n in range(_ROWS)]
            files[f"tatoeba/tatoeba.{longer}-eng.{longer}"] = _text(here)
            files[f"tatoeba/tatoeba.{longer}-eng.eng"] = _text(map(_line, range(_ROWS)))
            files[f"../corpus/parallel/{code}.tsv"] = _text(_translated(code))
    return files


def _line(n: int) -> str:
    return f"Anna lives in Town{n} ."


def _translated(code: str) -> list[str]:
    """Two verbs in turn, so that code switching finds words that go together."""
    verbs = ("sleeps", "eats")
    rows = [(verbs[n % 2], f"Town{n}") for n in range(_ROWS)]
    return [f"Tom {verb} in {town} .\tTom {verb}{code} {town} .\ttiny" for verb, town in rows]


def _text(lines: Sequence[str] | map[str]) -> str:
    return "\n".join(lines) + "\n"


def _pairs() -> str:
    return _text([f"{_line(n)}\tAnna sleeps .\t{_LABELS[n % 3]}" for n in range(_ROWS)])


def _tags(tags: Sequence[str]) -> str:
    sentences = (zip(_line(n).split(), tags, strict=True) for n in range(_ROWS))
    return "\n".join(_text(map("\t".join, sentence)) for sentence in sentences)


def _questions() -> str:
    paragraphs = [
        {
            "context": _line(n),
            "qas": [
                {
                    "id": str(n),
                    "question": "Where does Anna live?",
                    "answers": [{"text": f"Town{n}", "answer_start": 14}],
                }
            ],
        }
        for n in range(_ROWS)
    ]
    return json.dumps({"data": [{"title": "Anna", "paragraphs": paragraphs}]})


def _choices() -> str:
    rows = [
        {
            "premise": _line(n),
            "choice1": "She sleeps.",
            "choice2": "She has a house.",
            "question": "cause",
            "label": n % 2,
        }
        for n in range(_ROWS)
    ]
    return _text(map(json.dumps, rows))


def _cosmos() -> str:
    out = io.StringIO()
    answers = [f"answer{n}" for n in range(4)]
    table = csv.writer(out)
    table.writerow(["id", "context", "question", *answers, "label"])
    for n in range(_ROWS):
        table.writerow([n, _line(n), "Where?", "Here", "There", "Nowhere", "At home", n % 4])
    return out.getvalue()
