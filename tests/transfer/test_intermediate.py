"""Intermediate tasks: read from published files, refused where malformed, trained, scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import published
import pytest
from quick import options
from safetensors.torch import load_file

from compress.fuse.fuse import fuse
from evalsuite import scoring, tokenization
from evalsuite.agreement.predictions import Reference
from evalsuite.data.answer_forms import squad
from evalsuite.errors import DataError, MalformedRowError, MissingDataError, ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import span, tagging
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.metric import Answers
from evalsuite.metrics.answer_f1 import answer_f1, answer_scores
from evalsuite.registry import METRICS, TASKS
from evalsuite.submission import files as submission
from evalsuite.task import (
    Answer,
    ChoiceExample,
    DataSource,
    OptionalSpanExample,
    SpanExample,
    TagExample,
)
from recipes.planning.data_digests import digest_need
from recipes.stages._shared.contract import Artifact, DataNeed
from recipes.stages._shared.training_keys import probed
from transfer.encoded_rows.load_rows import load_rows
from transfer.intermediate import ccg
from transfer.loop.fit import Settings
from transfer.registry import INTERMEDIATE_TASKS
from transfer.supervised.train_tasks import train_tasks

every = pytest.mark.parametrize("name", published.NAMES)
SIZES: dict[Any, int] = {"train": 60, "dev": 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated rows of every task."""
    here = tmp_path_factory.mktemp("published")
    for name in published.NAMES:
        published.write(name, here, SIZES)
    return here


@pytest.fixture
def source(folder: Path) -> DataSource:
    return DataSource("xtreme", folder)


def test_every_task_has_generated_rows() -> None:
    shared = {"mnli", "snli"}  # their three columns are written for ANLI+
    assert set(INTERMEDIATE_TASKS.names()) == {*published.NAMES, *shared}


@every
def test_published_files_are_read(name: str, source: DataSource) -> None:
    task = INTERMEDIATE_TASKS.get(name)
    for split, count in SIZES.items():
        assert task.available(source, split) == ("en",)
        rows: Any = task.load(source, split, "en")
        assert len({row.id for row in rows}) == len(rows) == count
        if task.format in ("pair", "choice"):
            labels = task.labels if task.format == "pair" else range(len(rows[0].choices))
            assert {row.label for row in rows} == set(labels)
    assert task.eval_split(source) == "dev"


def test_fields_are_where_they_belong(source: DataSource) -> None:
    def first(name: str) -> Any:
        return INTERMEDIATE_TASKS.get(name).load(source, "dev", "en")[0]

    hellaswag, cosmos, commonsense, siqa = map(
        first, ("hellaswag", "cosmosqa", "commonsenseqa", "siqa")
    )
    assert hellaswag.context and not hellaswag.question and len(hellaswag.choices) == 4
    assert cosmos.question == 'What follows, "so to say"?' and cosmos.context == hellaswag.context
    assert not commonsense.context and commonsense.question == hellaswag.context
    assert [len(row.choices) for row in (commonsense, siqa)] == [5, 3]
    assert {row.label for row in (hellaswag, cosmos, commonsense, siqa)} == {0}
    ids = [row.id for row in INTERMEDIATE_TASKS.get("anliplus").load(source, "dev", "en")]
    assert ids[::4] == [f"{part}-dev-en-0" for part in ("r1", "r2", "r3", "mnli", "snli")]
    answered, not_answered = INTERMEDIATE_TASKS.get("squad2").load(source, "dev", "en")[:2]
    assert isinstance(answered, OptionalSpanExample) and isinstance(not_answered, SpanExample)
    assert answered.answers[0].start >= 0 and not_answered.answers == (Answer("", -1),)
    assert type(INTERMEDIATE_TASKS.get("squad").load(source, "dev", "en")[0]) is SpanExample
    assert (
        INTERMEDIATE_TASKS.get("qqp").labels == TASKS.get("pawsx").labels
    )  # so that a head carries over


@every
def test_absent_files_are_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=f"{name} en, dev split: there is no"):
        INTERMEDIATE_TASKS.get(name).load(DataSource("xtreme", tmp_path), "dev", "en")


ROW = '{"context": "a", "question": "b", "answerA": "c", "answerB": "d", "answerC": "e"}'


@pytest.mark.parametrize(
    ("name", "file", "text", "message"),
    [
        ("rte", "rte/dev.tsv", "index\tsentence1\tlabel\n", ":1: the first line .* sentence2"),
        ("rte", "rte/dev.tsv", "sentence1\tsentence2\tlabel\na\tb\n", ":2: 2 columns where 3"),
        ("rte", "rte/dev.tsv", "sentence1\tsentence2\tlabel\na\tb\tno\n", ":2: unknown label 'no'"),
        ("rte", "rte/dev.tsv", "sentence1\tsentence2\tlabel\na\t \tno\n", ":2: an empty sentence"),
        ("qqp", "qqp/dev.tsv", "question1\tquestion2\tis_duplicate\na\n", ":2: 1 columns where 3"),
        ("hellaswag", "hellaswag/dev-en.jsonl", "{}\n", ":1: a row is ctx, .*KeyError: 'endings'"),
        (
            *("hellaswag", "hellaswag/dev-en.jsonl"),
            '{"ctx": "a", "endings": ["a", "b", "c"], "label": 1}\n',
            ":1: a row is .*endings are no list of four",
        ),
        (
            *("hellaswag", "hellaswag/dev-en.jsonl"),
            '{"ctx": "a", "endings": ["a", "b", "c", "d"], "label": 4}\n',
            ":1: a row is .*label 4 is none of 0 to 3",
        ),
        ("cosmosqa", "cosmosqa/valid.csv", "id,context\n", ":1: the first line names .* question"),
        (
            *("cosmosqa", "cosmosqa/valid.csv"),
            'context,question,answer0,answer1,answer2,answer3,label\n"a\nb",c,d,e,f,g,0\n"a,b\n',
            ":4: no row of CSV: unexpected end of data",
        ),
        (
            *("commonsenseqa", "commonsenseqa/dev_rand_split.jsonl"),
            '{"question": {"stem": "a", "choices": [{"label": "B", "text": "b"}]}}\n',
            ":1: a row is question .*not those of A to E",
        ),
        (
            "siqa",
            "siqa/dev.jsonl",
            ROW + "\n",
            "dev-labels.lst:2: 2 labels for 1 rows of dev.jsonl",
        ),
        ("siqa", "siqa/dev.jsonl", f"{ROW}\n{ROW}\n", ":2: a row is .*label '4' is none of 1 to 3"),
        ("squad2", "squad2/dev-v2.0.json", '{"data": 1}', ":1: not SQuAD's layout"),
        ("anliplus", "anli/R1/dev.jsonl", '{"context": "a"}\n', ":1: .*KeyError: 'hypothesis'"),
        (
            *("anliplus", "anli/R1/dev.jsonl"),
            '{"context": "a", "hypothesis": "b", "label": "x"}\n',
            ":1: unknown label 'x'; allowed: entailment, ",
        ),
        ("ccg", "ccg/dev-en.stagged", "a|DT|NP[nb]/N\nb|N\n", ":2: 'b|N' is not word"),
        ("ccg", "ccg/dev-en.auto", "ID=1\n(<T S 0 2> (<L N NN NN b>) )\n", ":2: no tree of leaves"),
    ],
)
def test_malformed_files_are_refused_by_line(
    name: str, file: str, text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.with_name("dev-labels.lst").write_text("3\n4\n")
    task = INTERMEDIATE_TASKS.get(name)
    paths: Any = [path]
    if name == "anliplus":
        with pytest.raises(MalformedRowError, match=f"{path.name}{message}"):
            list(task._round(path, "dev", "en", 1))  # type: ignore[attr-defined]
        return
    if name == "siqa":
        paths.append(path.with_name("dev-labels.lst"))
    where = "" if message[0] != ":" else path.name.replace(".", r"\.")
    with pytest.raises(MalformedRowError, match=where + message.replace("|", r"\|")):
        task.load(DataSource("xtreme", tmp_path), "dev", "en")


def test_a_few_short_rows_of_qqp_are_left_out(tmp_path: Path) -> None:
    rows = ["question1\tquestion2\tis_duplicate", *["a\tb\t1"] * 1999, "a"]
    (tmp_path / "qqp").mkdir()
    (tmp_path / "qqp/dev.tsv").write_text("\n".join(rows))
    source = DataSource("xtreme", tmp_path)
    assert len(INTERMEDIATE_TASKS.get("qqp").load(source, "dev", "en")) == 1999
    (tmp_path / "qqp/dev.tsv").write_text("\n".join([*rows, "b\tc", "d"]))
    with pytest.raises(MalformedRowError, match=r"dev\.tsv:2003: 1 columns where 3"):
        INTERMEDIATE_TASKS.get("qqp").load(source, "dev", "en")


def test_quotation_marks_of_glue_and_of_csv(tmp_path: Path) -> None:
    (tmp_path / "rte").mkdir()
    (tmp_path / "rte/dev.tsv").write_text('sentence1\tsentence2\tlabel\n"a\tb" c\tentailment\n')
    source = DataSource("xtreme", tmp_path)
    row: Any = INTERMEDIATE_TASKS.get("rte").load(source, "dev", "en")[0]
    assert (row.first, row.second, row.id) == ('"a', 'b" c', "dev-en-0")
    (tmp_path / "cosmosqa").mkdir()
    (tmp_path / "cosmosqa/valid-en.csv").write_text(
        'context,question,answer0,answer1,answer2,answer3,label\n"a ""b""\nc",q,1,2,,4,3\n'
    )
    assert INTERMEDIATE_TASKS.get("cosmosqa").load(source, "dev", "en") == [
        ChoiceExample("dev-en-0", 'a "b"\nc', "q", ("1", "2", "", "4"), 3)
    ]


# --- supertags


def test_supertags_are_those_of_the_training_rows(tmp_path: Path) -> None:
    (tmp_path / "ccg").mkdir()
    rare = "a|DT|NP[nb]/N dog|NN|N barked|VBD|S[dcl]\\NP"
    lines = [rare, *["a|DT|NP[nb]/N |||SYM|N"] * 9]
    (tmp_path / "ccg/train-en.stagged").write_text("\n".join(lines) + "\n")
    (tmp_path / "ccg/dev-en.stagged").write_text(rare + "\n")
    source = DataSource("xtreme", tmp_path)
    task = INTERMEDIATE_TASKS.get("ccg").labelled(source)
    assert task.labels == (ccg.UNKNOWN, "N", "NP[nb]/N") and task.name == "ccg"
    assert INTERMEDIATE_TASKS.get("ccg").labels == (ccg.UNKNOWN,)
    trained: Any = task.load(source, "train", "en")
    assert trained[0].tags == ("NP[nb]/N", "N", ccg.UNKNOWN)
    assert trained[1].words == ("a", "||")
    (dev,) = task.load(source, "dev", "en")
    assert isinstance(dev, TagExample) and dev.tags[-1] == "S[dcl]\\NP"
    said = [["NP[nb]/N", "N", ccg.UNKNOWN]]  # what it was trained on is not what is right
    answers, metric = scoring.answers(task, "en", [dev], said), scoring.metric_of(task)
    assert scoring.score(answers) == {"token_accuracy": pytest.approx(200 / 3)}
    assert metric.parts is not None and metric.parts(answers).tolist() == [[2, 3]]
    assert scoring.chance(answers) == pytest.approx(100 / 3)
    assert tagging.fallback(task.labels) == ccg.UNKNOWN
    with pytest.raises(DataError, match="predicted tags S are none of"):
        scoring.score(scoring.answers(task, "en", [dev], [["N", "N", "S"]]))


def test_derivations_are_read_by_section(source: DataSource) -> None:
    task = INTERMEDIATE_TASKS.get("ccg")
    assert [path.parent.name for path in task.files(source, "train", "en")] == ["02", "21"]
    assert [path.parent.name for path in task.files(source, "dev", "en")] == ["00"]
    assert task.available(source, "test") == ()
    rows: Any = task.load(source, "dev", "en")
    assert all(len(row.words) == len(row.tags) for row in rows)
    assert "(S[dcl]\\NP)/NP" in {tag for row in rows for tag in row.tags}
    without = DataSource("xtreme", Path(__file__).parent)
    assert task.labelled(without) is task and INTERMEDIATE_TASKS.get("rte").labelled(
        source
    ) is INTERMEDIATE_TASKS.get("rte")


# --- questions without an answer


def test_the_official_scores_of_questions_without_an_answer() -> None:
    gold = [[""], [""], ["the Rhine", "Rhine"], ["Rhine"]]
    said = ["", "Rhine", "Rhine", ""]
    assert answer_scores(gold, said, squad) == {"exact_match": 50, "answer_f1": 50}
    assert answer_f1([""], "the", squad) == 1  # nothing is left of it
    assert answer_f1(["the"], "a", squad) == 0  # SQuAD 1.1: no token is shared
    no_answer = [OptionalSpanExample(str(n), "q", "c", (Answer("", -1),)) for n in range(3)]
    task = INTERMEDIATE_TASKS.get("squad2")
    assert scoring.chance(scoring.answers(task, "en", no_answer)) == 100


@pytest.mark.parametrize(("null", "answer"), [(5.0, "Rhine"), (7.0, ""), (6.0, "Rhine")])
def test_no_answer_is_said_where_it_scores_higher(null: float, answer: str) -> None:
    spans = [(-1, -1), (-1, -1), (0, 3), (4, 9), (-1, -1)]
    windows = [Encoded(0, [0] * 5, spans=spans), Encoded(0, [0] * 5, spans=spans)]
    logits = np.zeros((5, 2), dtype=np.float32)
    logits[3] = 3  # the second word, as start and end: 6
    logits[0] = null / 2
    other = np.zeros((5, 2), dtype=np.float32)
    other[0] = 50  # the window where no answer scores lowest counts
    rows = [
        make("1", "Which?", "the Rhine", (Answer("Rhine", 4),))
        for make in (OptionalSpanExample, SpanExample)
    ]
    assert span.decode((), rows[:1], windows, [logits, other]) == [answer]
    assert span.decode((), rows[1:], windows, [logits, other]) == ["Rhine"]


def test_no_answer_is_trained_on_as_the_first_token(source: DataSource, tiny_base: Path) -> None:
    task = INTERMEDIATE_TASKS.get("squad2")
    rows: Any = load_rows(task, source, tiny_base, 400)
    examples: Any = task.load(source, "train", "en")
    windows = span.encode(tokenization.load(tiny_base), examples, 400)
    for window, ends in zip(windows, rows.targets, strict=True):
        assert (ends == (0, 0)) == (examples[window.example].answers[0].start < 0)


# --- pairs


def test_f1_of_the_positive_label() -> None:
    gold, said = ["1", "0", "1", None, "0"], ["1", "1", "0", "1", "0"]
    task = INTERMEDIATE_TASKS.get("qqp")
    answers = Answers(gold=gold, predicted=said, task=task, language="en")
    assert scoring.score(answers) == {"accuracy": 50, "f1": 50}
    none = Answers(gold=["0"], predicted=["0"], task=task, language="en")
    assert scoring.score(none) == {"accuracy": 100, "f1": 0}
    metric = METRICS.get("f1")
    assert metric.chance and metric.chance(answers) == pytest.approx(100 * 2 / 3)
    assert metric.parts and metric.parts(answers).tolist() == [
        [2, 2],
        [0, 1],
        [0, 1],
        [0, 0],
        [0, 0],
    ]


# --- recipes


def test_digests_cover_files_of_one_name(folder: Path) -> None:
    seen = set()
    for changed in (None, "anli/anli_v1.0/R1/dev.jsonl", "anli/anli_v1.0/R3/dev.jsonl"):

        def digest(path: Path) -> str:
            return "other" if changed and path == folder / changed else path.name  # noqa: B023

        need = DataNeed("anliplus", "dev")
        seen.add(digest_need(need, DataSource("xtreme", folder), digest))
    assert len(seen) == 3
    found = digest_need(DataNeed("anliplus", "train"), DataSource("hub"))
    assert [part.split("@")[0] for part in found.split("+")] == [
        *("hub:facebook/anli", "nyu-mll/multi_nli", "stanfordnlp/snli"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("rte", "xnli"), ("squad2", "xquad"), ("siqa", "xcopa"), ("ccg", "udpos"), ("mnli", "xnli")],
)
def test_a_head_of_english_alone_is_probed_on_many_languages(name: str, text: str) -> None:
    assert probed(None, Artifact("checkpoint", task=name)).name == text


# --- training


@every
def test_each_task_is_trained_and_its_dev_split_scored(
    name: str, source: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(max_length=64, max_examples=16)
    found = train_tasks(
        tiny_base,
        [INTERMEDIATE_TASKS.get(name)],
        source,
        quick,
        work=tmp_path / "w",
        out=tmp_path / "adapter",
    )
    assert found.summary["head"] == "new"
    task = INTERMEDIATE_TASKS.get(name).labelled(source)
    fuse(tmp_path / "adapter", task, tmp_path / "fused")
    assert open_model(tmp_path / "fused").labels == task.labels
    said = tmp_path / "said"
    scored = evaluate(
        open_model(tmp_path / "fused"),
        INTERMEDIATE_TASKS.get(name),
        source,
        label="it",
        out=said,
        options=EvaluationOptions(max_examples=6),
        against=Reference("it", said),
    )
    assert scored.split == "dev" and set(scored.metrics[task.metric]) == {"en"}
    assert scored.comparison and scored.comparison.agreement == {"en": 100.0}
    assert ("f1" in scored.metrics) == (name == "qqp")
    assert "chunk_f1" not in scored.metrics
    assert len(submission.read(said, name, "en", "dev", task.format)) == 6


def test_several_with_supertags_among_them(
    source: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    three = [INTERMEDIATE_TASKS.get(name) for name in ("ccg", "squad2", "hellaswag")]
    quick = options(method="full", max_steps=6, max_length=64)
    train_tasks(tiny_base, three, source, quick, work=tmp_path / "w", out=tmp_path / "o")
    heads = load_file(tmp_path / "o" / "heads.safetensors")
    labels = INTERMEDIATE_TASKS.get("ccg").labelled(source).labels
    assert len(heads["ccg.whole.classifier.bias"]) == len(labels) > 5


def test_a_head_of_other_supertags_is_refused(
    source: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(method="full", max_examples=16)
    train_tasks(
        tiny_base,
        [INTERMEDIATE_TASKS.get("ccg")],
        source,
        quick,
        work=tmp_path / "w",
        out=tmp_path / "o",
    )
    other = tmp_path / "other"
    published.write("ccg", other, {"dev": 6})
    with pytest.raises(ModelError, match=r"it predicts unknown, .*; ccg needs unknown$"):
        evaluate(
            open_model(tmp_path / "o"),
            INTERMEDIATE_TASKS.get("ccg"),
            DataSource("xtreme", other),
            label="it",
            out=tmp_path,
        )


def test_learnt_rows_score_above_the_majority(
    source: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    """Of one format; benchmarks/intermediates.py does all of them."""
    published.write("ccg", tmp_path, {"train": 400, "dev": 40})
    here = DataSource("xtreme", tmp_path)
    quick = options(
        method="full",
        max_steps=60,
        epochs=9,
        max_examples=None,
        batch_size=16,
        settings=Settings(2e-3, seed=1, compute="fp32"),
    )
    train_tasks(
        tiny_base,
        [INTERMEDIATE_TASKS.get("ccg")],
        here,
        quick,
        work=tmp_path / "w",
        out=tmp_path / "o",
    )
    scored = evaluate(
        open_model(tmp_path / "o"), INTERMEDIATE_TASKS.get("ccg"), here, label="it", out=tmp_path
    )
    assert scored.metrics["token_accuracy"]["en"] > scored.chance["en"] + 20


@pytest.mark.data
def test_real_files(xtreme_dir: Path) -> None:
    source = DataSource("xtreme", xtreme_dir)
    rte: Any = INTERMEDIATE_TASKS.get("rte").load(source, "train", "en")
    assert len(rte) == 2490 and sum(row.label == "entailment" for row in rte) == 1249
    cosmos: Any = INTERMEDIATE_TASKS.get("cosmosqa").load(source, "dev", "en")
    assert len(cosmos) == 2985 and {len(row.choices) for row in cosmos} == {4}
    assert {row.label for row in cosmos} == {0, 1, 2, 3}
    assert json.dumps(cosmos[0].question) == '"Why is this person asking about divorce ?"'
