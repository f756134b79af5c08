"""Model cards: the hub reads them back, and no other data is taken for the hub's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from report_fakes import a_model, a_run, a_score, run_of_three_systems

from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import declare, task_of
from evalsuite.registry import TASKS
from evalsuite.report.figures.systems import group
from evalsuite.report.output.cards import TASK_TYPES, base_model, cards, model_cards, pipeline_tag
from evalsuite.results.run import RunRecord, StageRecord
from evalsuite.results.task import TaskResult
from evalsuite.scoring import hub_names
from evalsuite.task import DataSource, SourceKind
from recipes.cli.push_command import _card
from recipes.naming import distinct_file_name
from recipes.stages import report
from recipes.stages._shared.contract import Artifact, Input, StageContext


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return run_of_three_systems()


def read(text: str) -> ModelCard:
    return ModelCard(text, ignore_metadata_errors=False)


def index(text: str) -> list[dict[str, Any]]:
    (found,) = read(text).data.to_dict()["model-index"]
    results: list[dict[str, Any]] = found["results"]
    return results


def test_a_card_a_system_with_scores(run: RunRecord) -> None:
    found = cards(run)
    assert list(found) == ["teacher", "int8", "base"]
    teacher, int8 = (read(found[name]).data for name in ("teacher", "int8"))
    assert teacher.language == ["de", "en", "sw"]
    assert (teacher.library_name, int8.library_name) == ("transformers", "onnx")
    assert teacher.model_name == "small:teacher"
    assert teacher.license is None and teacher.base_model is None
    unscored = run.model_copy(update={"scores": ()})
    assert cards(unscored) == {}


def test_a_card_of_one_model_of_a_system(run: RunRecord) -> None:
    """What `push` takes: no score of another variant."""
    found = model_cards(run)
    tasks = ("xnli", "udpos")
    assert set(found) == {f"{name}[task={task}]" for name in ("teacher", "int8") for task in tasks}
    text = found["teacher[task=xnli]"]
    assert read(text).data.model_name == "small:teacher[task=xnli]"
    own = [score for score in run.scores if score.model.label == "teacher[task=xnli]"]
    assert {r["task"]["name"] for r in index(text)} == {score.title for score in own}
    assert 0 < len(own) < len(run.scores)
    assert read(text).data.pipeline_tag == "text-classification"


def test_the_model_index_equals_the_results(run: RunRecord) -> None:
    for system in group(run):
        told = {
            (
                r["task"]["name"],
                r["dataset"]["config"],
                m["name"],
                m["args"].get("model"),
                m["value"],
            )
            for r in index(cards(run)[system.name])
            for m in r["metrics"]
        }
        several = len(system.models) > 1
        names = {"accuracy": "accuracy (%)", "chunk_f1": "chunk F1 (%)",
                 "token_accuracy": "token accuracy (%)",
                 "retrieval_accuracy": "retrieval accuracy (%)"}  # fmt: skip
        assert told == {
            (s.title, code, names[metric], s.model.label if several else None, value)
            for s in system.scores
            for metric, by_language in s.metrics.items()
            for code, value in by_language.items()
        }


@pytest.mark.parametrize("source", ["embedded", "xtreme"])
def test_rows_from_elsewhere_are_never_the_hubs(source: SourceKind) -> None:
    run = a_run(a_score(a_model("a"), source=source, en=9, de=50))
    text = cards(run)["a"]
    data = index(text)[0]["dataset"]
    assert data["type"] == f"{source}-xnli" and data["config"] == "en"
    assert data["revision"] == run.scores[0].data_digest
    assert data["args"] == {"language": "en", "source": source, "rows": 1500}
    assert "facebook/xnli" not in text
    if source == "embedded":
        said = "embedded (template-generated; says nothing about XTREME-R)"
        assert said in data["name"] and f"Source of the test data: {said}" in text


@pytest.mark.parametrize(
    ("task", "language", "repo", "config"),
    [
        ("xnli", "sw", "facebook/xnli", "sw"),
        ("udpos", "de", "google/xtreme", "udpos.German"),
        ("tatoeba", "de", None, "deu-eng"),
    ],
)
def test_the_hubs_rows_are_named_by_id_and_commit(
    task: str, language: str, repo: str | None, config: str
) -> None:
    score = a_score(a_model("a"), task, source="hub", **{language: 50})
    data = index(cards(a_run(score))["a"])[0]["dataset"]
    hub = TASKS.get(task).hub
    assert hub is not None
    assert (data["type"], data["revision"]) == (hub.repo, hub.revision)
    assert data["type"] == (repo or hub.repo) and data["config"] == config
    assert data["args"]["digest"] == score.data_digest


def test_the_english_of_xcopa_is_another_data_set() -> None:
    score = a_score(a_model("a"), "xcopa", source="hub", en=50, it=50)
    found = {
        r["dataset"]["args"]["language"]: r["dataset"] for r in index(cards(a_run(score))["a"])
    }
    assert found["it"]["type"] == "cambridgeltl/xcopa"
    assert found["en"]["type"] != found["it"]["type"]


def test_the_pipeline_follows_from_the_heads(run: RunRecord) -> None:
    teacher, _, base = group(run)
    assert pipeline_tag(teacher) is None  # a classifier and a tagger
    assert pipeline_tag(base) == "feature-extraction"
    (one,) = group(a_run(a_score(a_model("a"), en=1), a_score(a_model("a"), "tatoeba", de=1)))
    assert pipeline_tag(one) == "text-classification"
    assert {TASK_TYPES[TASKS.get(name).format] for name in TASKS.names()} == set(
        TASK_TYPES.values()
    )
    assert {TASKS.get(name).metric for name in TASKS.names()} - set(hub_names()) == {"map_at_20"}


def test_the_base_model_is_followed_through_the_stages() -> None:
    def stage(name: str, *inputs: str) -> StageRecord:
        shared = run_of_three_systems().stages[0]
        return shared.model_copy(update={"name": name, "inputs": inputs})

    def found(*stages: StageRecord) -> str | None:
        run = a_run(a_score(a_model("int8"), en=1)).model_copy(update={"stages": stages})
        (system,) = group(run)
        assert read(cards(run)["int8"]).data.base_model == base_model(run, system)
        return base_model(run, system)

    assert found(stage("int8", "t"), stage("t", "org/model")) == "org/model"
    assert found(stage("int8", "t"), stage("t", "org/model@e73636d")) == "org/model"
    assert found(stage("int8", "t", "u"), stage("t", "org/a"), stage("u", "org/b")) is None
    for path in ("./models/a", "package:recipes/models/a", "/models/a", "models/org/a", "a"):
        assert found(stage("int8", "t"), stage("t", path)) is None
    assert found() is None


def test_the_body_has_scores_costs_and_signatures(run: RunRecord) -> None:
    text = cards(run)["teacher"]
    for said in ("### XNLI (accuracy, %)", "| German", "## Size and speed", "## Signatures",
                 "avx2 avx512\\_vnni", run.scores[0].data_digest[7:19]):  # fmt: skip
        assert said in text
    assert "int8" not in text


def reported(folder: Path, *results: TaskResult) -> Path:
    """The folder that the report stage writes of some scores."""
    scores, out = folder / "scores", folder / "out"
    scores.mkdir()
    out.mkdir()
    for i, result in enumerate(results):
        (scores / f"{i}.json").write_text(result.model_dump_json())
    inputs = {"results": (Input("scores", scores, Artifact("scores")),)}
    context = StageContext(out, folder, inputs, DataSource("embedded"), 1, "mine")
    report.run(report.Config(name="report", stage="report", results=("scores",)), context)
    return out


def test_the_stage_writes_the_cards_next_to_the_report(tmp_path: Path) -> None:
    labels = ("teacher[seed=1]", "org/a", "org_a")
    out = reported(
        tmp_path, *(a_score(a_model(label), en=90, de=50 + i) for i, label in enumerate(labels))
    )
    assert (out / "report.html").is_file()
    found = {path.name: path.read_text() for path in (out / "cards").iterdir()}
    assert {name: read(text).data.model_name for name, text in found.items()} == {
        f"{distinct_file_name(label)}.md": f"mine:{label}" for label in labels
    }


@pytest.fixture
def likeness(tmp_path: Path) -> Iterator[None]:
    """A declared task of two texts and a score."""
    (tmp_path / "test.tsv").write_text("first\tsecond\tscore\nA.\tB.\t1\n")
    columns = {"first": "first", "second": "second", "score": "score"}
    test = {"en": str(tmp_path / "test.tsv")}
    task = task_of("likeness", Declaration(format="regression", columns=columns, test=test))
    declare({"likeness": task})
    yield
    declare({})


@pytest.mark.usefixtures("likeness")
@pytest.mark.parametrize("label", ["nli[task=likeness]", "nli[task=xnli]", "int8"])
def test_a_model_is_pushed_with_the_card_that_the_run_wrote(
    label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own tasks are declared in the run alone, and the record may be of another version."""
    models = [a_model("nli[task=likeness]"), a_model("nli[task=xnli]"), a_model("int8")]
    tasks = ("likeness", "xnli", "likeness")
    out = reported(tmp_path, *(a_score(*own, en=9) for own in zip(models, tasks, strict=True)))
    (out / "report.json").write_text("{}")
    page = out / "report.html"
    monkeypatch.setattr("recipes.execution.find_outputs.last_report", lambda *_: page)
    declare({})
    text = _card(None, f"mine:{label}", None) or ""
    assert read(text).data.model_name == f"mine:{label}"
    assert read(text).data.pipeline_tag == "text-classification"
    assert [result["task"]["type"] for result in index(text)] == ["text-classification"]


def test_a_report_without_a_card_of_the_model_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = reported(tmp_path, a_score(a_model("int8"), en=9))
    page = out / "report.html"
    monkeypatch.setattr("recipes.execution.find_outputs.last_report", lambda *_: page)
    assert _card(None, "mine:int8", None) and not capsys.readouterr().err
    assert _card(None, "mine:nli[task=xnli]", None) is None
    said = capsys.readouterr().err
    assert said.startswith("the report of mine has no card of nli[task=xnli], so no scores go up; ")
    assert said.count("\n") == 1 and "run the recipe again" in said and "--card FILE" in said


@pytest.mark.usefixtures("likeness")
def test_two_texts_that_are_scored_by_their_vectors_are_no_classification() -> None:
    by_head = a_score(a_model("a"), "likeness", en=50)
    (system,) = group(a_run(by_head))
    assert pipeline_tag(system) == "text-classification"
    vectors = by_head.model_copy(update={"layer": 9, "pooling": "mean", "scoring": "cosine"})
    (system,) = group(a_run(vectors))
    assert pipeline_tag(system) == "feature-extraction"
    (result,) = index(cards(a_run(vectors))["a"])
    assert result["task"]["type"] == "sentence-similarity"
