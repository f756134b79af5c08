"""Queries against a pool of all languages: LAReQA and Mewsli-X read, scored, trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import distillation, options

from compress.distill.distill import distill
from compress.export.export import export
from evalsuite.data.embedded import generate as embedded
from evalsuite.data.ranking import RankingTask
from evalsuite.errors import DataError, MalformedRowError, MissingDataError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.submission import files
from evalsuite.task import DataSource, MatchExample, QueryExample
from transfer.encoded_rows.load_rows import load_rows
from transfer.errors import MethodError
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Settings
from transfer.objectives.matching import matching_loss
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
EVERY_TASK = [pytest.param(TASKS.get(name), id=name) for name in ("lareqa", "mewslix")]


# LAReQA


def xquad_r(folder: Path, language: str, *asked: tuple[str, int], breaks: Any = None) -> None:
    rows = [
        {"id": id, "question": f"{language} {id}?", "answers": [{"text": "x", "answer_start": at}]}
        for id, at in asked
    ]
    paragraph = {
        "context": "One x. Two x. One x.",
        "sentence_breaks": breaks or [[0, 6], [7, 13], [14, 20]],
        "qas": rows,
    }
    path = folder / "lareqa" / "xquad-r" / f"{language}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}))


def test_lareqa_pools_the_sentences_of_all_languages(tmp_path: Path) -> None:
    task: Any = TASKS.get("lareqa")
    xquad_r(tmp_path, "en", ("q1", 4), ("q2", 11))
    xquad_r(tmp_path, "de", ("q1", 11), ("q2", 6))  # 6 is between two sentences
    source = DataSource("xtreme", tmp_path)
    assert task.available(source, "test") == ("en", "de") and task.available(source, "dev") == ()
    pool = list(task.candidates(source, "test"))
    assert [c.id for c in pool] == [f"{code}_1_{n}" for code in ("de", "en") for n in range(3)]
    assert pool[1].text == "Two x.One x. Two x. One x."
    # "One x." stands twice in the English context, and so is right twice.
    assert task.load(source, "test", "en") == [
        QueryExample("q1", "en q1?", ("de_1_1", "en_1_0", "en_1_2")),
        QueryExample("q2", "en q2?", ("en_1_1",)),
    ]
    assert [q.id for q in task.load(source, "test", "de")] == ["q1"]
    xquad_r(tmp_path, "de", ("q1", 0))  # a changed file is read again
    assert task.load(source, "test", "en")[0].relevant[:2] == ("de_1_0", "de_1_2")


def test_lareqa_files_that_are_none(tmp_path: Path) -> None:
    task, source = TASKS.get("lareqa"), DataSource("xtreme", tmp_path)
    with pytest.raises(MissingDataError, match=r"de\.json"):
        task.load(source, "test", "de")
    xquad_r(tmp_path, "de", ("q1", 4), breaks=[[0]])
    with pytest.raises(MalformedRowError, match=r"de\.json:1: not XQuAD-R's layout: ValueError"):
        task.load(source, "test", "de")
    xquad_r(tmp_path, "de")
    with pytest.raises(MalformedRowError, match="no questions"):
        task.load(source, "test", "de")


def test_lareqa_is_trained_on_squads_sentences(tmp_path: Path) -> None:
    context = "It rains. Rome is old."
    rows = [
        {"id": "1", "question": "What is old?", "answers": [{"text": "Rome", "answer_start": 10}]},
        {"id": "2", "question": "No?", "answers": []},
    ]
    path = tmp_path / "squad" / "train-v1.1.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": rows}]}]}))
    assert TASKS.get("lareqa").load(DataSource("xtreme", tmp_path), "train", "en") == [
        MatchExample("1", "What is old?", "Rome is old.It rains. Rome is old.")
    ]


# Mewsli-X


def mention(text: str, name: str, entity: str, id: str = "m1", **more: Any) -> dict[str, Any]:
    start = text.index(name)
    ends = [*[n + 1 for n, c in enumerate(text) if c == "."]]
    spans = [{"start": a, "end": b} for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    span = {"start": start, "end": start + len(name), "text": name}
    return {
        "context": {"text": text, "sentence_spans": spans, **more},
        "mentions": [{"example_id": id, "mention_span": span, "entity_id": entity}],
    }


def entity(id: str, text: str) -> dict[str, Any]:
    spans = [{"start": 0, "end": len(text)}]
    return {"entity_id": id, "title": id, "description": text, "sentence_spans": spans}


def lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_mewslix(tmp_path: Path) -> None:
    task: Any = TASKS.get("mewslix")
    news = tmp_path / "mewslix" / "wikinews_mentions"
    lines(news / "dev-de.jsonl", mention("Er ging. Nach {X} Prag kam er.", "Prag", "Q1085"))
    lines(news / "test-de.jsonl", mention("Nach Prag.", "Prag", ""))
    lines(news.parent / "candidate_set_entities.jsonl", entity("Q1085", "Prague is\na city."))
    pair = mention("To Prague.", "Prague", "Q1085")
    said = {"context": pair["context"], "mention": pair["mentions"][0]}
    lines(
        news.parent / "wikipedia_pairs-train.jsonl",
        {"contextual_mention": said, "entity": entity("Q1085", "A city.")},
    )
    source = DataSource("xtreme", tmp_path)
    assert task.available(source, "test") == ()  # labels are hidden
    assert task.eval_split(source) == "dev" and task.available(source, "dev") == ("de",)
    query = "Prag: Nach (X) { Prag } kam er."
    assert task.load(source, "dev", "de") == [QueryExample("m1", query, ("Q1085",))]
    (candidate,) = task.candidates(source, "dev")
    assert (candidate.id, candidate.text) == ("Q1085", "Prague is a city.")
    assert task.load(source, "train", "en") == [
        MatchExample("train-en-0", "Prague: To { Prague } .", "A city.")
    ]


@pytest.mark.parametrize("row", [{}, {"context": {}, "mentions": [{"entity_id": "Q"}]}])
def test_mewslix_rows_that_are_none(tmp_path: Path, row: Any) -> None:
    task: Any = TASKS.get("mewslix")
    lines(tmp_path / "mewslix" / "wikinews_mentions" / "dev-de.jsonl", row)
    lines(tmp_path / "mewslix" / "candidate_set_entities.jsonl", {"entity_id": "Q1"})
    source = DataSource("xtreme", tmp_path)
    with pytest.raises(MalformedRowError, match=r"dev-de\.jsonl:1: not Mewsli-X's layout: KeyErr"):
        task.load(source, "dev", "de")
    with pytest.raises(MalformedRowError, match=r"entities\.jsonl:1: not an entity of Mewsli-X"):
        list(task.candidates(source, "dev"))
    with pytest.raises(MissingDataError, match="mewslix, candidates"):
        list(task.candidates(DataSource("xtreme", tmp_path / "mewslix"), "dev"))


# The embedded suite


@pytest.mark.parametrize("task", EVERY_TASK)
def test_embedded_pools(task: RankingTask) -> None:
    pool = {candidate.id: candidate.text for candidate in task.candidates(EMBEDDED, "test")}
    for language in embedded.LANGUAGES:
        rows: Any = task.load(EMBEDDED, "test", language)
        assert len({row.id for row in rows}) == len(rows) >= 60
        assert all(set(row.relevant) <= set(pool) for row in rows)
        if task.name == "lareqa":  # the right sentence in each language
            assert all(len(row.relevant) >= len(embedded.LANGUAGES) for row in rows)
    trained = task.load(EMBEDDED, "train", "en")
    assert all(isinstance(row, MatchExample) for row in trained) and len(trained) == 3000
    assert not {row.query for row in trained} & {row.query for row in rows}  # type: ignore[union-attr]


# Scoring, training


def test_training_rows_and_their_loss(tiny_base: Path) -> None:
    rows = load_rows(TASKS.get("mewslix"), EMBEDDED, tiny_base, 40, max_examples=6)
    batch = rows.collate(Batch(0, (0, 4, 2), 1))
    assert batch["query_ids"].shape == batch["query_mask"].shape
    assert len(batch["passage_ids"]) == 3 and batch["passage_ids"].shape[1] <= 40

    class Same:
        """Every token's state is one vector, so every passage is as near as any other."""

        def __call__(self, input_ids: Any, attention_mask: Any) -> Any:
            class Output:
                last_hidden_state = torch.ones(*input_ids.shape, 4)

            return Output

    for pooling in ("mean", "cls"):
        loss = matching_loss(Same(), batch, SentenceVectors(pooling))  # type: ignore[arg-type]
        assert loss.item() == pytest.approx(np.log(3), abs=1e-4)
    batch["passage_ids"][1] = batch["passage_ids"][0]  # no negatives of each other
    loss = matching_loss(Same(), batch, SentenceVectors())
    assert loss.item() == pytest.approx((2 * np.log(2) + np.log(3)) / 3, abs=1e-4)


@pytest.mark.parametrize("task", EVERY_TASK)
def test_training_finds_more(task: RankingTask, tiny_base: Path, tmp_path: Path) -> None:
    quick = options(
        method="full",
        max_steps=60,
        epochs=4,
        max_length=64,
        max_examples=None,
        batch_size=16,
        settings=Settings(1e-3, seed=1, compute="fp32"),
    )
    out = tmp_path / "out"
    trained = train_tasks(tiny_base, [task], EMBEDDED, quick, work=tmp_path / "work", out=out)
    assert "head" in trained.summary
    scores = []
    for number, directory in enumerate((tiny_base, out)):
        found = evaluate(
            open_model(directory),
            task,
            EMBEDDED,
            label="it",
            out=tmp_path / str(number),
            options=EvaluationOptions(languages=("en", "de"), layer=-1, max_examples=30),
        )
        scores.append(found.metrics["map_at_20"]["en"])
        assert found.chance["en"] < scores[-1]
        said = files.read(tmp_path / str(number), task.name, "de", "test")
        assert len(said) == 30 and all(len(ids) == 20 for ids in said.values())
    assert scores[1] > 1.2 * scores[0]
    if task.name == "mewslix":
        return
    probe = Probe(task, EMBEDDED, 4)
    result, _ = export(out, tmp_path / "bundle", precision="fp32", probe=probe)
    assert result is not None and result.agreement > 99.9
    terms = distillation(hidden=1.0, temperature=1.0, max_steps=4, max_examples=40, max_pairs=None)
    work, student = tmp_path / "w", tmp_path / "student"
    _, facts = distill(out, [task], EMBEDDED, terms, work=work, out=student)
    assert facts["layers"] == "1 of 2" and open_model(student).labels == ()


def test_train_rows_are_not_ranked(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mewslix: the train rows have no pool of candidates"):
        evaluate(
            open_model(tiny_base),
            TASKS.get("mewslix"),
            EMBEDDED,
            label="it",
            out=tmp_path,
            options=EvaluationOptions(split="train"),
        )


def test_the_pool_is_part_of_the_digest(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task: Any = TASKS.get("mewslix")

    def digest() -> str:
        return evaluate(
            open_model(tiny_base),
            task,
            EMBEDDED,
            label="it",
            out=tmp_path,
            options=EvaluationOptions(languages=("en",), max_examples=2),
        ).data_digest

    before, pool = digest(), list(task.candidates(EMBEDDED, "test"))
    assert digest() == before
    monkeypatch.setattr(type(task), "candidates", lambda *_: iter(pool[::-1]))
    assert digest() != before


def test_ranking_is_trained_alone(tiny_base: Path, tmp_path: Path) -> None:
    both = [TASKS.get("lareqa"), TASKS.get("xnli")]
    with pytest.raises(MethodError, match="lareqa has no head, and others have one; train"):
        train_tasks(tiny_base, both, EMBEDDED, options(), work=tmp_path / "w", out=tmp_path / "o")


def test_rankings_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "lareqa" / "test-de.json"
    path.parent.mkdir()
    path.write_text('{"q": "a"}')
    with pytest.raises(MalformedRowError, match="no JSON object of query ids and lists"):
        files.read(tmp_path, "lareqa", "de")
    with pytest.raises(DataError):
        files.read(tmp_path, "lareqa", "fr")


@pytest.mark.data
def test_real_lareqa(xtreme_dir: Path) -> None:
    """Counts of sentences as the data set's own page gives them."""
    task: Any = TASKS.get("lareqa")
    source = DataSource("xtreme", xtreme_dir)
    languages = [candidate.id[:2] for candidate in task.candidates(source, "test")]
    published = {"ar": 1222, "de": 1276, "en": 1180, "es": 1215, "hi": 1244, "zh": 1196}
    assert {code: languages.count(code) for code in published} == published
    rows = task.load(source, "test", "zh")
    assert len(rows) == 1190 and {len(row.relevant) for row in rows} == {9}
