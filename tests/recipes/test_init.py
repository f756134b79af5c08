"""`lingopress init`: the right guess from files as people have them, or one helpful message."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import yaml
from drafts import (
    CSV,
    FORMATS,
    LABELS,
    LAYOUTS,
    NAMED,
    OTHER,
    TEST,
    TRAIN,
    conll,
    rows,
    table,
)

from evalsuite.errors import DataError
from recipes.drafting.new_recipe import Drafted, Wishes, _corpus, draft
from recipes.errors import RecipesError

MODEL = "package:recipes/models/e5-mini"
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


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats(write: Write, name: str) -> None:
    suffix, text, (format, columns) = FORMATS[name]
    write({f"d/train.en.{suffix}": text, f"d/test.en.{suffix}": text})
    found = declared("d")
    assert (found["format"], found.get("columns")) == (format, columns)
    stages = yaml.safe_load(Path("d.yaml").read_text(encoding="utf-8"))["stages"]
    (gate,) = (stage.get("min_agreement") for stage in stages if stage["name"] == "int8_all_layers")
    assert gate == (0 if format == "regression" else None)  # its scores decide


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


def test_files_of_the_person_are_not_replaced(write: Write) -> None:
    write({"topics-data/en/train.csv": table(rows(200))})
    for force in (False, True):
        with pytest.raises(DataError, match=r"topics-data/en/train.csv is there and has other"):
            drafted("topics-data", output=Path("topics.yaml"), force=force)
    assert Path("topics-data/en/train.csv").read_text() == table(rows(200))


LONG = [f"what is question {n} about my account" for n in range(120)]


@pytest.mark.parametrize(
    ("head", "values", "format", "columns"),
    [
        ("text,label", [f"{n % 40}" for n in range(120)], "classification", NAMED),
        ("text,intent", [f"card_kind_{n % 70}" for n in range(120)], "classification",
         {"text": "text", "label": "intent"}),
        ("text,score", [f"{n % 40 / 10}" for n in range(120)], "regression", None),
        ("text,label", [f"{n % 40 / 10}" for n in range(120)], "regression",
         {"text": "text", "score": "label"}),
    ],
)  # fmt: skip
def test_a_column_called_a_label_holds_labels(
    write: Write, head: str, values: list[str], format: str, columns: Any
) -> None:
    text = table(list(zip(LONG, values, strict=True)), head=head)
    write({"d/train.csv": text, "d/test.csv": text})
    found = declared("d", language="en")
    assert found["format"] == format
    assert found.get("columns", columns) == columns


TOPICS = [f"something about place {n % 100}" for n in range(120)]


@pytest.mark.parametrize(
    ("head", "values", "format", "columns"),
    [
        ("sentence1,sentence2,label", [[text.upper() for text in LONG],
         [str(n % 40) for n in range(120)]], "regression",
         {"first": "sentence1", "second": "sentence2", "score": "label"}),
        ("text,topic,target", [TOPICS, ["yes", "no"] * 60], "classification",
         {"text": "text", "label": "target"}),
        ("sentence1,sentence2,label", [[text.upper() for text in LONG],
         [f"kind {n % 50}" for n in range(120)]], "pair",
         {"first": "sentence1", "second": "sentence2", "label": "label"}),
    ],
)  # fmt: skip
def test_many_values_are_labels_where_nothing_else_is(
    write: Write, head: str, values: list[list[str]], format: str, columns: Any
) -> None:
    text = table(list(zip(LONG, *values, strict=True)), head=head)  # type: ignore[arg-type]
    write({"d/train.csv": text, "d/test.csv": text})
    found = declared("d", language="en")
    assert (found["format"], found.get("columns", columns)) == (format, columns)


@pytest.mark.parametrize("head", ["sentence1,sentence2,score,genre", "review,rating,channel"])
def test_a_score_next_to_other_labels_is_asked_about(write: Write, head: str) -> None:
    texts = [LONG, [text.upper() for text in LONG]][: 2 if "sentence1" in head else 1]
    values = [[f"{n % 37 / 10 + 0.05:.2f}" for n in range(120)], ["news", "phone", "shop"] * 40]
    lines = [head, *(",".join(row) for row in zip(*texts, *values, strict=True))]
    write({"d/train.csv": "\n".join(lines) + "\n", "d/test.csv": "\n".join(lines) + "\n"})
    with pytest.raises(DataError, match=r"may hold rows of .*\n.*\nsay which: --format"):
        drafted("d", language="en")
    assert declared("d", language="en", format="regression")["format"] == "regression"


@pytest.mark.parametrize("one_file", [True, False])
def test_columns_by_number_are_names_where_the_file_has_names(write: Write, one_file: bool) -> None:
    files = {"d/all.csv": table(rows(100))} if one_file else {
        "d/train.csv": table(rows(100)), "d/test.csv": table(TEST)
    }  # fmt: skip
    write(files)  # type: ignore[arg-type]
    found = drafted("d", columns={"text": 1, "label": 2}, language="en")
    assert set(found.seen.labels) == set(LABELS)
    assert found.found.declaration.get("columns", NAMED) == NAMED
    for number in (0, 3, -1):
        with pytest.raises(DataError, match=f"--columns label={number}: .* has no such column"):
            drafted("d", columns={"text": 1, "label": number}, language="en", force=True)


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
        ({"d/train.csv": CSV.replace(",", "|")}, {}, "separated by bars"),
        ({"d/train.csv": "a,b\n1,2\n3,4\n5,6\n"}, {}, "--columns text=NAME,label=NAME"),
        ({"d/all.csv": table(rows(20))}, {}, "20 rows, too few"),
        ({"d/en.txt": "".join(f"{t}\n" for t, _ in TRAIN)}, {}, "no labels"),
        ({"d/train.csv": CSV}, {"columns": {"text": "body"}}, "has no such column; it has: text"),
        ({"d/train.csv": CSV}, {"columns": {"words": "text"}}, "no format has words"),
        ({"d/train.csv": CSV + ",sports\n", "d/test.csv": CSV}, {}, "train.csv:32: an empty text"),
        (
            {"d/messages.csv": table(rows(90)) + ",sports\n"},
            {},
            "d/messages.csv:92: an empty",
        ),
        ({"d/train.csv": CSV}, {"budget": "12"}, "write megabytes or milliseconds"),
        ({"d/train.csv": CSV, "d/test.csv": CSV}, {"budget": "1MB"}, "--data-dir DIR or --text"),
        ({"d/train.csv": CSV}, {"language": "xx"}, "--language: 'xx' is no language code"),
        ({"d/train.csv": CSV}, {"language": "German"}, "such as de or pt-BR; write de"),
        ({"d/train.csv": CSV}, {"language": "be-x-old"}, "which recipes do not take; write be"),
        (
            {"d/train.csv": CSV},
            {"text": ("d/train.csv", "no.txt")},
            "there is no file no.txt (from",
        ),
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
    assert not Path("d.yaml").exists() and not Path("d-data").exists()


def test_the_corpus_has_a_language_whose_region_is_written(tmp_path: Path) -> None:
    (tmp_path / "corpus" / "parallel").mkdir(parents=True)
    for code in ("pt", "de"):
        (tmp_path / "corpus" / "parallel" / f"{code}.tsv").write_text("A sentence\tx\ty\n")
    (tmp_path / "xtreme").mkdir()
    found, notes = _corpus({"en-GB", "pt-BR", "sw"}, tmp_path / "xtreme")
    assert found == ("en", "pt")
    assert notes == ["no text under --data-dir in sw; the student may lose more there"]


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
    assert "d.yaml: ok, 7 stages, source files\n" in out


@pytest.mark.parametrize("name", ["2024", "no", "null", "1e5", "my data"])
def test_any_name_of_a_folder_gives_a_recipe_that_checks(
    write: Write, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from recipes.cli.app import main

    write({f"{name}/train.csv": CSV, f"{name}/test.csv": table(TEST)})
    made = drafted(name)
    assert made.commands[0] == f"lingopress check {shlex.quote(str(made.path))}"
    with pytest.raises(SystemExit) as left:
        main(["check", str(made.path)])
    assert not left.value.code, capfd.readouterr().err


def test_rare_labels_count_alike(write: Write) -> None:
    uneven = [(text, "weather" if n % 10 else "sports") for n, (text, _) in enumerate(TRAIN)]
    write({"d/train.csv": table(uneven), "d/test.csv": table(uneven)})
    assert "metric: macro_f1" in drafted("d").path.read_text()
