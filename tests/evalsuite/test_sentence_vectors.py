"""Vectors of an encoder: as it declares them, cut, and two sentences scored by their cosine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import small
from made_once import made_once
from own_files import PAIR, declared
from report_fakes import a_model, a_score
from scipy.stats import spearmanr

from evalsuite.agreement.predictions import Reference
from evalsuite.errors import ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import System
from evalsuite.report.tables._agreement import comparison_table
from evalsuite.results.task import ModelComparison, TaskResult
from evalsuite.retrieval.declared_vectors import SentenceModel, declared_by
from evalsuite.retrieval.sentence_embedder import SentenceEmbedder
from evalsuite.submission.files import write
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import evaluate as stage
from recipes.stages._shared.contract import Artifact, HeadFacts

ROWS = [
    ("A dog.", "A cat.", 1.0),
    ("It rains.", "Rain!", 4.5),
    ("No", "No.", 3.0),
    ("We", "He", 2),
]
DEFAULTS = EvaluationOptions()
NO_HEAD = HeadFacts(None)
PROMPTS = {
    "prompts": {"query": "query: ", "document": "passage: "},
    "default_prompt_name": "query",
    "matryoshka_dimensions": [16, 8],
}


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that declares its vectors."""
    monkeypatch.chdir(tmp_path)
    made = made_once("small-encoder", lambda out: small(out, "encoder"))
    path = tmp_path / "encoder"
    path.mkdir()
    for file in made.iterdir():
        (path / file.name).symlink_to(file)
    (path / "config_sentence_transformers.json").write_text(json.dumps(PROMPTS))
    return path


def scored(encoder: Path, task: Any, **options: Any) -> TaskResult:
    return evaluate(
        open_model(encoder), task, DataSource("embedded"), label="e", out=encoder.parent / "out",
        options=replace(DEFAULTS, **options),
    )  # fmt: skip


def similarity(rows: Sequence[tuple[str, str, float]] = ROWS, **keys: Any) -> Any:
    lines = "".join(f'"{first}","{second}",{score}\n' for first, second, score in rows)
    return declared("regression", "test", "s.csv", lines, **({"columns": PAIR} | keys))


def test_cosines_and_scores_of_a_head_have_no_share_that_is_the_same(encoder: Path) -> None:
    task, model = similarity(ROWS * 3), open_model(encoder)
    write(encoder.parent / "head", "mine", "de", [1.2, 4.4, 3.1, 2.0] * 3, form="regression")
    for heads, share in (({"mine": False}, {}), ({"mine": True}, {"de": 0.0}), ({}, {"de": 0.0})):
        found = evaluate(
            model, task, DataSource("embedded"), label="e", out=encoder.parent / "out",
            against=Reference("tuned", encoder.parent / "head", by_vectors=heads),
        ).comparison  # fmt: skip
        assert found is not None and found.agreement == share and set(found.intervals) == {"de"}
    assert comparison_notes(found) == 1
    assert comparison_notes(found.model_copy(update={"agreement": {}})) == 2


def comparison_notes(found: ModelComparison) -> int:
    result = a_score(a_model("e"), de=50.0).model_copy(update={"comparison": found})
    (column,) = columns([result])
    table = comparison_table([System("e", (result.model,), (result,), ())], column)
    assert table is not None
    return len(table.notes)


@pytest.mark.slow
def test_two_sentences_are_scored_by_the_cosine_of_their_declared_vectors(encoder: Path) -> None:
    def right(prefix: str, dimensions: int | None = None) -> float:
        embed = SentenceEmbedder(encoder, prefix, dimensions=dimensions)
        first, second = (embed([row[side] for row in ROWS]) for side in (0, 1))  # type: ignore[misc]
        return float(spearmanr((first * second).sum(1), [row[2] for row in ROWS]).statistic) * 100

    found = scored(encoder, similarity())
    assert found.metrics["spearman"]["de"] == pytest.approx(right("query: "))
    assert set(found.metrics) == {"spearman", "pearson"}  # an error has no unit here
    assert (found.layer, found.prefix, found.scoring) == (2, "query: ", "cosine")
    cut = scored(encoder, similarity(), prefix="", dimensions=4)
    assert cut.metrics["spearman"]["de"] == pytest.approx(right("", 4))
    assert (cut.prefix, cut.dimensions) == (None, 4)
    with pytest.raises(ModelError, match=r"dimensions: 33 of each vector, but those of .* have 32"):
        scored(encoder, similarity(), dimensions=33)


def test_only_a_model_without_a_head_and_two_sentences_are_compared_so(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = declared("regression", "test", "o.csv", "text,score\nA,1\n")
    with pytest.raises(ModelError, match="it has no head"):
        scored(encoder, one)
    monkeypatch.setitem(TASKS.added, "one", one)
    monkeypatch.setitem(TASKS.added, "two", similarity())
    config = {"name": "s", "stage": "evaluate", "models": ("m",)}
    for artifact in (Artifact("checkpoint"), Artifact("checkpoint", external=True, head=NO_HEAD)):
        encoder_alone = {"models": [artifact]}
        found = stage.check(stage.Config(**config, tasks=("two",)), encoder_alone)
        assert found == Artifact("scores")
        with pytest.raises(StageInputError, match="an encoder without a head cannot do mine"):
            stage.check(stage.Config(**config, tasks=("one",)), encoder_alone)


@pytest.mark.slow
def test_retrieval_is_scored_as_declared_and_passages_have_their_prefix(encoder: Path) -> None:
    Path("pool.csv").write_text("id,text\na,A dog.\nb,It rains.\n")
    files = {"candidates": {"de": "pool.csv"}, "metric": "recall_at_10"}
    task = declared("retrieval", "test", "q.csv", "query,relevant\nRain?,b\n", **files)
    found = scored(encoder, task)
    assert (found.layer, found.prefix, found.passage_prefix) == (2, "query: ", "passage: ")
    assert scored(encoder, task, prefix="x ").passage_prefix is None  # the same before both
    pairs = scored(encoder, TASKS.get("tatoeba"), languages=("de",), max_examples=4, layer=1)
    assert (pairs.layer, pairs.prefix, pairs.pooling) == (1, "query: ", "mean")
    (encoder / "config_sentence_transformers.json").unlink()
    pairs = scored(encoder, TASKS.get("tatoeba"), languages=("de",), max_examples=4)
    assert (pairs.layer, pairs.prefix) == (1, None)  # two thirds up, where nothing is declared


@pytest.mark.slow
def test_vectors_are_cut_and_have_length_one_again(encoder: Path) -> None:
    whole, cut = SentenceEmbedder(encoder), SentenceEmbedder(encoder, dimensions=8)
    vectors = whole(["A.", "It rains."])[:, :8]
    right = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert cut(["A.", "It rains."]) == pytest.approx(right, abs=1e-6) and cut.width == 8
    passage = SentenceEmbedder(encoder, prompt="passage")
    assert np.allclose(passage(["A."]), SentenceEmbedder(encoder, "passage: ")(["A."]))
    with pytest.raises(ModelError, match=r"no prompt 'title' \(.*: 'query', 'document'\)"):
        SentenceEmbedder(encoder, prompt="title")


def test_some_rows_of_a_file_that_is_sorted_are_drawn_from_all_of_it(encoder: Path) -> None:
    task = similarity()
    some = task.some_of(range(1000), 10)
    assert len(set(some)) == 10 and some == sorted(some) and max(some) > 500
    assert list(task.some_of(range(9), 9)) == list(range(9))
    found = scored(encoder, task, max_examples=3)
    assert "|rows:3|rows_seed:0|" in found.signature and found.examples == {"de": 3}


def test_a_declaration_is_read_or_refused(encoder: Path) -> None:
    assert declared_by(encoder) == SentenceModel(
        "mean", "query: ", None, PROMPTS["prompts"], (16, 8), declared=True  # type: ignore[arg-type]
    )  # fmt: skip
    (encoder / "modules.json").write_text("{}")
    with pytest.raises(ModelError, match="not a list of JSON; copy the checkpoint again"):
        declared_by(encoder)
    with pytest.raises(ModelError, match="set layer to score hidden states without it"):
        scored(encoder, similarity())
    assert scored(encoder, similarity(), layer=-1).layer == 2
