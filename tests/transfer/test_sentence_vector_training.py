"""Sentence vectors trained by contrast: which rows are pairs, the loss, what is declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from own_files import PAIR, SOURCE, declared
from quick import options

from compress.fuse.fuse import fuse
from evalsuite.errors import DataError
from evalsuite.registry import TASKS
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.task import MatchExample
from recipes.errors import StageInputError
from recipes.stages import train as stage
from recipes.stages._shared.contract import Artifact
from transfer.contrastive import align
from transfer.errors import MethodError
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.objectives.sentences import contrast, in_batch
from transfer.supervised.train_tasks import train_tasks
from transfer.text.sentence_pairs import Belonging, SentencePairs

SCORES = "A.,B.,5\nC.,D.,1\nE.,F.,4\n"
BASE = {"model": (Artifact("checkpoint"),)}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scores() -> Any:
    return declared("regression", "train", "s.csv", SCORES, columns=PAIR)


def lines() -> Any:
    rows, columns = "first,second\nEins.,One.\nZwei.,Two.\n", {"first": "first"}
    return declared("retrieval", "train", "l.csv", rows, columns=columns)


def queries() -> Any:
    Path("pool.csv").write_text("id,text\na,Rain.\nb,Sun.\n")
    rows = "query,relevant\nWet?,a\nDry?,b\n"
    return declared("retrieval", "train", "q.csv", rows, candidates={"de": "pool.csv"})


def labels() -> Any:
    rows = "first,second,label\nA.,A!,yes\nB.,C.,no\n"
    return declared("pair", "train", "p.csv", rows)


def sides(task: SentencePairs) -> list[tuple[str, str]]:
    rows = task.load(SOURCE, "train", "de")
    return [(row.query, row.passage) for row in rows if isinstance(row, MatchExample)]


def test_rows_that_belong_together_are_pairs_with_their_prefixes() -> None:
    asked = Belonging(4.0, "yes")
    both = SentencePairs([scores(), labels(), lines()], asked, "q: ")
    assert sides(both) == [
        ("q: A.", "q: B."), ("q: E.", "q: F."), ("q: A.", "q: A!"),
        ("q: Eins.", "q: One."), ("q: Zwei.", "q: Two."),
    ]  # fmt: skip
    assert both.both_ways and not both.headless
    passages = SentencePairs([queries()], None, "q: ", "p: ")
    assert sides(passages) == [("q: Wet?", "p: Rain."), ("q: Dry?", "p: Sun.")]
    assert not passages.both_ways and passages.query_tokens == 128
    with pytest.raises(DataError, match="mine de: none of its 3 training rows has a score of 6"):
        sides(SentencePairs([scores()], Belonging(6.0)))


def test_of_each_task_as_many_pairs_are_taken_and_as_it_draws_them() -> None:
    numbers = range(40)
    scored = "".join(f"A{n}.,B{n}.,5\n" for n in numbers)
    rows = "".join(f"Eins {n}.,One {n}.\n" for n in numbers)
    tasks = [
        declared("regression", "train", "s.csv", scored, columns=PAIR),
        declared(
            "retrieval", "train", "l.csv", "first,second\n" + rows, columns={"first": "first"}
        ),
    ]
    both = SentencePairs(tasks, Belonging(4.0))
    pairs = both.load(SOURCE, "train", "de")
    drawn = both.some_of(pairs, 5)
    wanted = [*tasks[0].some_of(pairs[:40], 5), *tasks[1].some_of(pairs[40:], 5)]
    assert drawn == wanted and len(drawn) == 10
    assert drawn[:5] != pairs[:5] and set(drawn) < set(pairs)
    assert both.some_of(pairs, None) == pairs


def test_the_loss_is_the_mean_over_whole_and_cut_vectors_both_ways() -> None:
    one, other = torch.nn.functional.normalize(torch.randn(2, 4, 6), dim=-1)
    same = torch.eye(4, dtype=torch.bool)
    found = contrast((one, other), same, 0.1, (2,), both_ways=True)
    cut = [torch.nn.functional.normalize(side[:, :2], dim=-1) for side in (one, other)]
    right = [
        in_batch(first, second, same, 0.1)
        for first, second in ((one, other), (other, one), tuple(cut), tuple(cut[::-1]))
    ]
    assert float(found) == pytest.approx(float(sum(right)) / 4)
    alone = contrast((one, other), same, 0.1, both_ways=False)
    assert float(alone) == pytest.approx(float(right[0]))


def test_what_was_trained_is_declared_and_kept_by_a_fused_adapter(
    tiny_base: Path, tmp_path: Path
) -> None:
    vectors = SentenceVectors("cls", "query: ", "passage: ", 0.1, (16, 8))
    quick = options(vectors=vectors, belonging=Belonging(4.0))
    trained = train_tasks(
        tiny_base, [scores(), queries()], SOURCE, quick, work=tmp_path / "w", out=tmp_path / "o"
    )
    assert trained.summary["steps"] == 1
    fuse(tmp_path / "o", None, tmp_path / "fused")
    found = declared_by(tmp_path / "fused")
    assert (found.pooling, found.prefix, found.passage_prefix) == ("cls", "query: ", "passage: ")
    assert found.dimensions == (16, 8)
    assert vectors.resolved(tmp_path / "fused") == vectors
    assert SentenceVectors(prefix="").resolved(tmp_path / "fused").passage_prefix == ""
    wide = options(vectors=SentenceVectors(dimensions=(64,)), belonging=Belonging(4.0))
    with pytest.raises(MethodError, match="matryoshka: 64: the model's vectors have 64 numbers"):
        train_tasks(tiny_base, [scores()], SOURCE, wide, work=tmp_path / "v", out=tmp_path / "p")


def test_without_passages_one_prefix_is_declared_for_both_texts(
    tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(vectors=SentenceVectors("mean", "query: ", "passage: "), max_steps=1)
    where = {"work": tmp_path / "w", "out": tmp_path / "o"}
    train_tasks(tiny_base, [lines()], SOURCE, quick, **where)
    found = declared_by(tmp_path / "o")
    assert (found.prefix, found.passage_prefix) == ("query: ", "query: ")


def test_parallel_text_is_trained_on_with_a_prefix(tiny_base: Path, tmp_path: Path) -> None:
    from evalsuite.task import DataSource

    quick = options(vectors=SentenceVectors(prefix="query: ", dimensions=(8,)), max_steps=1)
    where = {"work": tmp_path / "w", "out": tmp_path / "o"}
    align(tiny_base, DataSource("embedded"), "sentences", quick, max_pairs=20, **where)
    found = declared_by(tmp_path / "o")
    assert (found.prefix, found.passage_prefix, found.dimensions) == ("query: ", "query: ", (8,))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"contrastive": "rows", "tasks": ["scores"]}, "min_score: say from which score on"),
        ({"contrastive": "rows", "tasks": ["labels"]}, "say which label of labels .*: no, yes"),
        ({"contrastive": "rows", "tasks": ["panx"]}, "a row of panx is not one; leave it out"),
        ({"tasks": ["scores"], "prefix": "q"}, "prefix: no vectors of sentences are trained here"),
        ({"tasks": ["queries"], "min_score": 1}, "min_score: .* set contrastive: rows"),
        ({"tasks": ["queries"], "matryoshka": [8, 8]}, "whole numbers from 1, each of them once"),
        ({"tasks": ["queries", "scores"]}, "train them in two stages"),
        ({"tasks": ["lines"], "evaluate_every": 5}, "leave evaluate_every out, and score them"),
        ({"tasks": ["lines"], "passage_prefix": "p: "}, "no task here has passages"),
        ({"tasks": ["lines"], "passage_prefix": ""}, "no task here has passages"),
        ({"tasks": ["lines"], "cap": 5}, "cap: rows of several tasks are one set .* leave it out"),
        ({"tasks": ["lines"], "mixing": "uniform"}, "mixing: rows of several tasks are one set"),
        ({"contrastive": "words", "prefix": "q"}, "prefix: no vectors of sentences are trained"),
    ],
)  # fmt: skip
def test_keys_that_do_not_go_together_are_refused(
    keys: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for make in (scores, labels, queries, lines):
        monkeypatch.setitem(TASKS.added, make.__name__, make())
        TASKS.added[make.__name__].name = make.__name__
    config = stage.Config.model_validate({"name": "t", "stage": "train", "model": "m", **keys})
    with pytest.raises(StageInputError, match=message):
        for problem in stage.unused_keys(config):  # as `check` of a recipe does
            raise StageInputError(problem)
        stage.check(config, BASE)


def test_rows_that_are_pairs_give_an_encoder_without_a_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"name": "t", "stage": "train", "model": "m", "method": "full"}
    for make in (scores, queries):
        monkeypatch.setitem(TASKS.added, make.__name__, make())
    rows = {"contrastive": "rows", "min_score": 4, "tasks": ["scores", "queries"]}
    found = stage.check(stage.Config.model_validate(given | rows), BASE)
    assert found == Artifact("checkpoint", task=None)
    found = stage.check(stage.Config.model_validate(given | {"tasks": ["queries"]}), BASE)
    assert found == Artifact("checkpoint", task="mine")
    asked = stage.Config.model_validate(given | {"tasks": ["queries"], "passage_prefix": "p: "})
    assert not stage.unused_keys(asked)
    with pytest.raises(ValueError, match="rows are those of tasks; name them in tasks"):
        stage.Config.model_validate(given | {"contrastive": "rows"})
