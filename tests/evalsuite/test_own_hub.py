"""Declared tasks whose rows come from a data set of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from evalsuite.errors import DataError, MalformedRowError, UnknownNameError
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.task import Answer, DataSource
from recipes.cli.app import main
from recipes.planning.data_digests import digest_need
from recipes.stages._shared.contract import DataNeed
from tests.support.harmed import write_small
from tests.support.hub_layouts import SHARDS, Layout, serve_layout
from tests.support.loopback_hub import LoopbackHub

REPO, COMMIT = "org/topics", "a" * 40
ANY = DataSource("files")
TOPICS: dict[str, Any] = {
    "format": "classification",
    "hub": f"{REPO}@{COMMIT}",
    "train": {"en": "eng_Latn"},
    "dev": {"en": "eng_Latn"},
    "test": {"en": "eng_Latn", "sw": "swh_Latn"},
    "labels": ["sports", "weather"],
    "columns": {"label": "category"},
}
CLASSES = ("weather", "sports", "other")
NLI = ("entailment", "neutral", "contradiction")


def serve(hub: LoopbackHub, features: dict[str, Any], *rows: dict[str, Any], **more: Any) -> None:
    splits = more.get("splits", ("train", "validation", "test"))
    layout = Layout(REPO, "", SHARDS, splits, features, list(rows))
    serve_layout(hub, layout, COMMIT, "eng_Latn", "swh_Latn")


def test_rows_by_configuration_and_split(hub: LoopbackHub) -> None:
    task = task_of("topics", Declaration(**TOPICS))
    assert task.languages == ("en", "sw") and task.training_languages == ("en",)
    assert task.available(ANY, "test") == ("en", "sw") and task.available(ANY, "dev") == ("en",)
    assert task.labels == ("sports", "weather") and not hub.asked  # nothing before the run
    rows = ({"text": "Mvua.", "category": 0}, {"text": "Bao!", "category": 1})
    serve(hub, {"text": "string", "category": CLASSES}, *rows)
    found: Any = task.load(ANY, "test", "sw")
    assert [(row.id, row.first, row.label) for row in found] == [
        ("test-sw-1", "Mvua.", "weather"),
        ("test-sw-2", "Bao!", "sports"),
    ]
    assert any("swh_Latn/test-" in line for line in hub.asked)
    assert len(task.load(ANY, "dev", "en")) == 2
    with pytest.raises(DataError, match="topics has dev rows in en, none in sw"):
        task.load(ANY, "dev", "sw")
    with pytest.raises(UnknownNameError):
        task.load(ANY, "test", "de")


def test_names_of_splits_and_spellings_of_labels(hub: LoopbackHub) -> None:
    more = {"splits": {"test": "devtest"}, "labels": {0: "weather", 1: "sports"}}
    task = task_of("topics", Declaration(**TOPICS | more))
    serve(
        hub, {"text": "string", "category": "int32"}, {"text": "a", "category": 1},
        splits=("devtest",),
    )  # fmt: skip
    (row,) = task.load(ANY, "test", "sw")
    assert getattr(row, "label", None) == "sports"


@pytest.mark.parametrize(
    ("declared", "features", "row", "expected"),
    [
        (
            {"format": "tagging", "labels": ["O", "B-PER"]}
            | {"columns": {"word": "tokens", "tag": "ner_tags"}},
            {"tokens": ["string"], "ner_tags": [("O", "B-PER")]},
            {"tokens": ["a", "b"], "ner_tags": [1, 0]},
            {"words": ("a", "b"), "tags": ("B-PER", "O")},
        ),
        (
            {"format": "span", "labels": None, "columns": {}},
            {"question": "string", "context": "string"}
            | {"answers": {"text": ["string"], "answer_start": ["int32"]}},
            {"question": "When?", "context": "in 1867.", "answers": {}}
            | {"answers": {"text": ["1867"], "answer_start": [3]}},
            {"answers": (Answer("1867", 3),)},
        ),
        (
            {"format": "choice", "labels": None, "columns": {"choices": ["x", "y"]}},
            {"context": "string", "x": "string", "y": "string", "label": "int32"},
            {"context": "a", "x": "b", "y": "c", "label": 1},
            {"choices": ("b", "c"), "label": 1},
        ),
        (
            {"format": "regression", "labels": None, "columns": {"score": "value"}},
            {"text": "string", "value": "float32"},
            {"text": "a", "value": 2.5},
            {"score": 2.5},
        ),
    ],
    ids=["tagging", "span", "choice", "regression"],
)
def test_other_formats(
    hub: LoopbackHub,
    declared: dict[str, Any],
    features: dict[str, Any],
    row: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    task = task_of("mine", Declaration(**TOPICS | declared))
    serve(hub, features, row, splits=("test",))
    (found,) = task.load(ANY, "test", "sw")
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a", "category": 2}, "unknown label 'other'; allowed: sports, weather"),
        ({"text": "a", "category": -1}, "no label"),
        ({"text": " ", "category": 0}, r"an empty text \(text\)"),
    ],
)
def test_a_row_that_does_not_fit(hub: LoopbackHub, row: dict[str, Any], said: str) -> None:
    serve(hub, {"text": "string", "category": CLASSES}, row, splits=("test",))
    place = r"org/topics@aaaaaaaaaaaa/swh_Latn/test:1: "
    with pytest.raises(MalformedRowError, match=place + said):
        task_of("topics", Declaration(**TOPICS)).load(ANY, "test", "sw")


def test_a_column_that_is_not_there(hub: LoopbackHub) -> None:
    serve(hub, {"text": "string", "topic": CLASSES}, {"text": "a", "topic": 0}, splits=("test",))
    with pytest.raises(MalformedRowError, match=r"no column 'category'; there are: text, topic"):
        task_of("topics", Declaration(**TOPICS)).load(ANY, "test", "sw")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hub": REPO}, "name the commit too"),
        ({"hub": f"{REPO}@main"}, "name the commit too"),
        ({"labels": None}, "labels: list them"),
        ({"test": "{language}"}, "test: with hub, give the configuration of each language"),
        ({"columns": {"text": 1}}, "give that of text"),
        ({"hub": None, "splits": {"dev": "val"}}, "this key goes with hub"),
        ({"format": "retrieval", "labels": None, "columns": {}}, "is read from files alone"),
    ],
)
def test_a_declaration_that_does_not_fit(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Declaration(**TOPICS | changed)


def test_configurations_and_commit_are_part_of_the_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def digest(**changed: Any) -> str:
        task = task_of("topics", Declaration(**TOPICS | changed))
        monkeypatch.setattr("recipes.planning.data_digests.find_task", lambda name: task)
        return digest_need(DataNeed("topics", "eval", ("sw",)), ANY)

    kept = digest()
    assert kept == digest(licence="mine") and kept.startswith(f"hub:{REPO}@{COMMIT}:")
    others = [
        digest(test={"sw": "swc_Latn"}),
        digest(hub=f"{REPO}@{'b' * 40}"),
        digest(splits={"test": "dev"}),
        digest(labels=["sports", "weather", "other"]),
    ]
    assert len({kept, *others}) == 5


@pytest.mark.slow
def test_a_recipe(
    hub: LoopbackHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve(
        hub,
        {"premise": "string", "hypothesis": "string", "label": NLI},
        *({"premise": "a", "hypothesis": "b", "label": label} for label in (0, 1, 2)),
    )
    write_small(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(
        f"""
name: own
source: files
tasks:
  mine:
    format: pair
    hub: {REPO}@{COMMIT}
    test: {{en: eng_Latn, sw: swh_Latn}}
    labels: [{", ".join(NLI)}]
    columns: {{first: premise, second: hypothesis}}
stages:
  - {{name: scores, stage: evaluate, models: [./model], tasks: [mine]}}
"""
    )
    with pytest.raises(SystemExit) as left:
        main(["run", "r.yaml"])
    assert not left.value.code, capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["report", "own"])
    page = Path(capsys.readouterr().out.strip().splitlines()[-1])
    (card,) = (page.parent / "cards").iterdir()
    text = card.read_text(encoding="utf-8")
    assert f"type: {REPO}" in text and "config: swh_Latn" in text and f"revision: {COMMIT}" in text
