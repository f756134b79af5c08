"""Files as people have them, by layout, and what `lingopress init` is expected to see in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

LABELS = ("weather", "sports", "politics")
ENGLISH = ("the rain in {} is on its way to the coast", "they won the game in {} and it was good")
GERMAN = ("der Regen in {} kommt an die Küste", "sie gewannen das Spiel in {} und waren froh")
Rows = list[tuple[str, str]]


def rows(count: int = 30, texts: tuple[str, ...] = ENGLISH, start: int = 0) -> Rows:
    return [(texts[n % 2].format(f"town {start + n}"), LABELS[n % 3]) for n in range(count)]


def table(found: Rows, separator: str = ",", head: str = "text,label") -> str:
    lines = [separator.join(head.split(","))] if head else []
    return "".join(f"{line}\n" for line in [*lines, *(separator.join(row) for row in found)])


def json_lines(found: Rows) -> str:
    return "".join(json.dumps({"message": text, "intent": label}) + "\n" for text, label in found)


def conll(count: int = 20, separator: str = "\t", scheme: str = "B-LOC") -> str:
    line = separator.join
    return "".join(
        f"{line(('Anna', 'O'))}\n{line(('visits', 'O'))}\n{line((f'Rome{n}', scheme))}\n\n"
        for n in range(count)
    )


TRAIN, TEST, OTHER = rows(), rows(12, start=50), rows(12, GERMAN, 70)
CSV = table(TRAIN)
NAMED = {"text": "text", "label": "label"}
# Name of the layout: files, what is declared of it (without format and usual columns).
LAYOUTS: dict[str, tuple[dict[str, str | bytes], dict[str, Any]]] = {
    "folder per language": (
        {"d/en/train.csv": CSV, "d/en/test.csv": table(TEST), "d/de/test.csv": table(OTHER)},
        {"train": {"en": "d/en/train.csv"}, "test": "d/{language}/test.csv"},
    ),
    "language before the split": (
        {"d/en_train.csv": CSV, "d/en_test.csv": table(TEST), "d/de_test.csv": table(OTHER)},
        {"train": {"en": "d/en_train.csv"}, "test": "d/{language}_test.csv"},
    ),
    "language after a dot": (
        {"d/train.en.csv": CSV, "d/test.en.csv": table(TEST), "d/test.pt-BR.csv": table(OTHER)},
        {"train": {"en": "d/train.en.csv"}, "test": "d/test.{language}.csv"},
    ),
    "two languages to train on": (
        {"d/train-en.csv": CSV, "d/train-de.csv": table(OTHER), "d/test-de.csv": table(OTHER)},
        {"train": "d/train-{language}.csv", "test": {"de": "d/test-de.csv"}},
    ),
    "development rows": (
        {"d/en/train.tsv": table(TRAIN, "\t"), "d/en/valid.tsv": table(TEST, "\t")},
        {"train": {"en": "d/en/train.tsv"}, "dev": {"en": "d/en/valid.tsv"}},
    ),
    "no line of names": (
        {"d/train.csv": table(TRAIN, head=""), "d/test.csv": table(TEST, head="")},
        {
            "train": {"en": "d/train.csv"},
            "test": {"en": "d/test.csv"},
            "columns": {"text": 1, "label": 2},
        },
    ),
    "other names and an id": (
        {
            "d/train.csv": "id,message,intent\n"
            + "".join(f"x-{n:03},{text},{label}\n" for n, (text, label) in enumerate(TRAIN)),
            "d/test.csv": "id,message,intent\n"
            + "".join(f"x-{n:03},{text},{label}\n" for n, (text, label) in enumerate(TEST)),
        },
        {
            "train": {"en": "d/train.csv"},
            "test": {"en": "d/test.csv"},
            "columns": {"text": "message", "label": "intent"},
        },
    ),
    "JSON lines, compressed": (
        {
            "d/train.en.jsonl.gz": gzip.compress(json_lines(TRAIN).encode()),
            "d/test.en.jsonl.gz": gzip.compress(json_lines(TEST).encode()),
        },
        {
            "train": {"en": "d/train.en.jsonl.gz"},
            "test": {"en": "d/test.en.jsonl.gz"},
            "columns": {"text": "message", "label": "intent"},
        },
    ),
    "line by line": (
        {
            "d/en/train_text.txt": "".join(f"{text}\n" for text, _ in TRAIN),
            "d/en/train_labels.txt": "".join(f"{label}\n" for _, label in TRAIN),
            "d/en/test_text.txt": "".join(f"{text}\n" for text, _ in TEST),
            "d/en/test_labels.txt": "".join(f"{label}\n" for _, label in TEST),
            "d/de/test_text.txt": "".join(f"{text}\n" for text, _ in OTHER),
            "d/de/test_labels.txt": "".join(f"{label}\n" for _, label in OTHER),
        },
        {
            "train": {"en": {"text": "d/en/train_text.txt", "label": "d/en/train_labels.txt"}},
            "test": {
                "text": "d/{language}/test_text.txt",
                "label": "d/{language}/test_labels.txt",
            },
        },
    ),
    "names of languages": (
        {"d/english.csv": CSV, "d/german.csv": table(OTHER), "d/test_english.csv": table(TEST)},
        {
            "train": {"en": "d/english.csv"},
            "test": {"en": "d/test_english.csv", "de": "d/german.csv"},
        },
    ),
    "a word that is a code": (
        {"d/id_train.csv": CSV, "d/id_test.csv": table(TEST)},
        {"train": {"en": "d/id_train.csv"}, "test": {"en": "d/id_test.csv"}},
    ),
    "next to a README": (
        {"d/README.md": "x", "d/LICENSE.txt": "x", "d/train.csv": CSV, "d/test.csv": table(TEST)},
        {"train": {"en": "d/train.csv"}, "test": {"en": "d/test.csv"}},
    ),
}


def lines(head: str, make: Callable[[int, str], str], texts: tuple[str, ...] = ENGLISH) -> str:
    found = [make(n, text) for n, (text, _) in enumerate(rows(24, texts))]
    return "".join(f"{line}\n" for line in [*([head] if head else []), *found])


SQUAD = json.dumps(
    {
        "data": [
            {
                "paragraphs": [
                    {
                        "context": "The treaty of the city was signed in 1867.",
                        "qas": [
                            {
                                "id": str(n),
                                "question": f"When was the treaty {n} of the city signed?",
                                "answers": [{"text": "1867", "answer_start": 37}],
                            }
                            for n in range(5)
                        ],
                    }
                ]
            }
        ]
    }
)
FORMATS: dict[str, tuple[str, str, Any]] = {
    "pairs with a score": (
        "csv",
        lines("", lambda n, text: f"{text},{text} again,{n / 7:.2f}"),
        ("regression", {"first": 1, "second": 2, "score": 3}),
    ),
    "a text with a score": (
        "csv",
        lines("review,rating", lambda n, text: f"{text},{n / 7:.2f}"),
        ("regression", {"text": "review", "score": "rating"}),
    ),
    "a column per label": (
        "csv",
        lines("id,text,joy,fear", lambda n, text: f"x{n:03},{text},{n % 2},{n % 3 % 2}"),
        ("multilabel", {"text": "text", "labels": ["joy", "fear"]}),
    ),
    "choices": (
        "csv",
        lines(
            "premise,choice1,choice2,label", lambda n, text: f"{text},it {text},so {text},{n % 2}"
        ),
        ("choice", {"context": "premise", "choices": ["choice1", "choice2"], "label": "label"}),
    ),
    "translations": (
        "tsv",
        lines("", lambda n, text: f"{text}\tder Satz {n} und noch mehr"),
        ("retrieval", {"first": 1, "second": 2}),
    ),
    "SQuAD": ("json", SQUAD, ("span", None)),
}
