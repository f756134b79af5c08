"""`lingopress init`: the right guess from files as people have them, or one helpful message."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from evalsuite.errors import DataError
from recipes.drafting.budget import Shape, read_budget, student_for
from recipes.drafting.new_recipe import Drafted, Wishes, draft
from recipes.errors import RecipesError

MODEL = "package:recipes/models/xlmr-mini"
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


Write = Callable[[dict[str, str | bytes]], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def make(files: dict[str, str | bytes]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)

    return make


def drafted(*paths: str, **wishes: Any) -> Drafted:
    return draft([Path(path) for path in paths], Wishes(model=MODEL, **wishes))


def declared(*paths: str, **wishes: Any) -> dict[str, Any]:
    recipe = yaml.safe_load(drafted(*paths, **wishes).path.read_text(encoding="utf-8"))
    (task,) = recipe["tasks"].values()
    task.pop("metric", None)
    return dict(task)


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


@pytest.mark.parametrize("name", LAYOUTS)
def test_texts_with_a_label(write: Write, name: str) -> None:
    files, expected = LAYOUTS[name]
    write(files)
    assert declared("d") == {"format": "classification"} | expected


def test_pairs(write: Write) -> None:
    text = "premise,hypothesis,label\n" + "".join(
        f"{a},{b},{label}\n" for (a, label), (b, _) in zip(TRAIN, OTHER * 3, strict=False)
    )
    write({"d/train.csv": text, "d/test.csv": text})
    assert declared("d") == {
        "format": "pair",
        "train": {"en": "d/train.csv"},
        "test": {"en": "d/test.csv"},
        "columns": {"first": "premise", "second": "hypothesis", "label": "label"},
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


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats(write: Write, name: str) -> None:
    suffix, text, (format, columns) = FORMATS[name]
    write({f"d/train.en.{suffix}": text, f"d/test.en.{suffix}": text})
    found = declared("d")
    assert (found["format"], found.get("columns")) == (format, columns)


@pytest.mark.parametrize("separator", ["\t", " "])
def test_words_with_tags(write: Write, separator: str) -> None:
    write({"d/en/train.txt": conll(20, separator), "d/de/test.txt": conll(5, separator)})
    assert declared("d") == {
        "format": "tagging",
        "train": {"en": "d/en/train.txt"},
        "test": {"de": "d/de/test.txt"},
    }


def test_parquet(write: Write) -> None:
    write({"d/readme.md": ""})
    for split, found in (("train", TRAIN), ("test", TEST)):
        texts, labels = (list(values) for values in zip(*found, strict=True))
        columns = {"text": texts, "label": [LABELS.index(label) for label in labels]}
        pyarrow.parquet.write_table(pyarrow.table(columns), f"d/{split}-en.parquet")
    found = drafted("d")
    assert found.found.declaration["train"] == {"en": "d/train-en.parquet"}
    assert set(found.seen.labels) == {"0", "1", "2"}


def test_one_file_is_divided_the_same_way_each_time(write: Write) -> None:
    write({"all.csv": table(rows(100) + rows(10))})  # ten texts twice
    first = drafted("all.csv")
    assert first.found.declaration["train"] == {"en": "all-data/en/train.csv"}
    assert [len(first.seen.rows[split]) for split in ("train", "dev", "test")] == [1, 1, 1]
    assert sum(first.seen.rows[split]["en"] for split in ("train", "dev", "test")) == 110
    assert not [line for line in first.seen.warnings if "too (" in line]  # no text in two parts
    before = {path.name: path.read_text() for path in Path("all-data/en").iterdir()}
    write({"all.csv": table([*reversed(rows(100) + rows(10))])})
    drafted("all.csv", force=True)
    after = {path.name: path.read_text() for path in Path("all-data/en").iterdir()}
    assert {k: sorted(v.split("\n")) for k, v in before.items()} == {
        k: sorted(v.split("\n")) for k, v in after.items()
    }
    assert any("seed 1" in note for note in first.notes)


def test_columns_name_language_and_split(write: Write) -> None:
    lines = [f"{text},{label},en,train" for text, label in TRAIN]
    lines += [f"{text},{label},en,test" for text, label in TEST]
    lines += [f"{text},{label},de,test" for text, label in OTHER]
    write({"all.csv": "text,label,language,split\n" + "\n".join(lines) + "\n"})
    found = drafted("all.csv")
    assert found.found.declaration == {
        "format": "classification",
        "train": {"en": "all-data/en/train.csv"},
        "test": "all-data/{language}/test.csv",
    }
    assert found.seen.rows == {"train": {"en": 30}, "test": {"en": 12, "de": 12}}


@pytest.mark.parametrize(
    ("files", "wishes", "message"),
    [
        ({"d/a.md": "x"}, {}, "there is no data file in it"),
        ({"d/train.csv": table(OTHER), "d/test.csv": table(OTHER)}, {}, "--language de"),
        ({"d/test-en.csv": CSV}, {}, "there is no file to train on, only d/test-en.csv"),
        ({"d/de.csv": table(OTHER), "d/fr.csv": table(OTHER)}, {}, "--train-on de"),
        ({"d/train.csv": CSV.replace(",", ";")}, {}, "separated by semicolons"),
        ({"d/train.csv": "a,b\n1,2\n3,4\n5,6\n"}, {}, "--columns text=NAME,label=NAME"),
        ({"d/all.csv": table(rows(20))}, {}, "20 rows, too few"),
        ({"d/en.txt": "".join(f"{t}\n" for t, _ in TRAIN)}, {}, "no labels"),
        ({"d/train.csv": CSV}, {"columns": {"text": "body"}}, "has no such column; it has: text"),
        ({"d/train.csv": CSV}, {"columns": {"words": "text"}}, "no format has words"),
        ({"d/train.csv": CSV + ",sports\n", "d/test.csv": CSV}, {}, "train.csv:32: an empty text"),
        ({"d/train.csv": CSV}, {"budget": "12"}, "write megabytes or milliseconds"),
        ({"d/train.csv": CSV, "d/test.csv": CSV}, {"budget": "1MB"}, "--data-dir DIR or --text"),
        ({"d/train.csv": CSV}, {"name": "xnli"}, "is a task of lingopress"),
    ],
)
def test_one_message(
    write: Write, files: dict[str, str | bytes], wishes: dict[str, Any], message: str
) -> None:
    write(files)
    with pytest.raises((DataError, RecipesError)) as caught:
        drafted("d", **wishes)
    assert message in str(caught.value), str(caught.value)
    assert not Path("d.yaml").exists()


@pytest.mark.parametrize("budget", ["200MB", "80MB", "32MB", "12MB", "5ms", "2ms"])
def test_the_student_is_expected_to_fit_the_budget(budget: str) -> None:
    shape, wanted = Shape(12, 384, 1536, 250_002), read_budget(budget)
    student = student_for(shape, wanted, can_trim=True)
    assert 2 <= student.layers <= 6
    if wanted.megabytes is not None:
        assert shape.megabytes(student) <= wanted.megabytes
        assert (student.pieces is None) == (wanted.megabytes > 60)
    else:
        assert shape.milliseconds(student.layers) <= (wanted.milliseconds or 0)


def test_options_decide(write: Write) -> None:
    write({"d/train.csv": table(OTHER), "d/test.csv": table(OTHER)})
    assert declared("d", language="de")["train"] == {"de": "d/train.csv"}
    write({"e/train.csv": "a,b\n1,2\n3,4\n", "e/test.csv": "a,b\n1,2\n3,4\n"})
    found = declared("e", language="en", columns={"text": "a", "label": "b"})
    assert found["columns"] == {"text": "a", "label": "b"}


def test_a_recipe_is_not_replaced(write: Write) -> None:
    write({"d/train.csv": CSV, "d/test.csv": table(TEST), "d.yaml": "mine"})
    with pytest.raises(RecipesError, match=r"d\.yaml exists; .* --force"):
        drafted("d")
    assert Path("d.yaml").read_text() == "mine"
    assert drafted("d", force=True).path == Path("d.yaml")


def test_the_recipe_checks_and_the_command_says_what_it_saw(
    write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    from recipes.cli.app import main

    files, _ = LAYOUTS["folder per language"]
    write({**files, "d/de/test.csv": table([*OTHER, *TRAIN[:2]])})
    for command in (["init", "d", "--model", MODEL], ["check", "d.yaml"]):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert not left.value.code, capfd.readouterr().err
    out = capfd.readouterr().out
    assert "test   2: en de   12 to 14 each, 26 in all\n" in out
    assert "labels: politics 33%, sports 33%, weather 33%\n" in out
    assert "note: 2 texts of test rows are in the train rows too (de); scores on them say" in out
    assert "wrote d.yaml; read it, then type:\n  lingopress check d.yaml\n" in out
    assert "d.yaml: ok, 6 stages, source files\n" in out


def test_rare_labels_count_alike(write: Write) -> None:
    uneven = [(text, "weather" if n % 10 else "sports") for n, (text, _) in enumerate(TRAIN)]
    write({"d/train.csv": table(uneven), "d/test.csv": table(uneven)})
    assert "metric: macro_f1" in drafted("d").path.read_text()
