"""Intermediate tasks read from published files, and refused where malformed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import published
import pytest

from evalsuite import scoring
from evalsuite.errors import DataError, MalformedRowError, MissingDataError
from evalsuite.formats import tagging
from evalsuite.registry import TASKS
from evalsuite.task import (
    Answer,
    ChoiceExample,
    DataSource,
    OptionalSpanExample,
    SpanExample,
    TagExample,
)
from recipes.planning.data_digests import digest_need
from recipes.stages._shared.contract import DataNeed
from transfer.intermediate import ccg
from transfer.registry import INTERMEDIATE_TASKS

every = pytest.mark.parametrize("name", published.NAMES)


def test_every_task_has_generated_rows() -> None:
    shared = {"mnli", "snli"}  # their three columns are written for ANLI+
    assert set(INTERMEDIATE_TASKS.names()) == {*published.NAMES, *shared}


@pytest.mark.slow
@every
def test_published_files_are_read(name: str, generated: DataSource) -> None:
    task = INTERMEDIATE_TASKS.get(name)
    for split, count in published.SIZES.items():
        assert task.available(generated, split) == ("en",)
        rows: Any = task.load(generated, split, "en")
        assert len({row.id for row in rows}) == len(rows) == count
        if task.format in ("pair", "choice"):
            labels = task.labels if task.format == "pair" else range(len(rows[0].choices))
            assert {row.label for row in rows} == set(labels)
    assert task.eval_split(generated) == "dev"


def test_fields_are_where_they_belong(generated: DataSource) -> None:
    def first(name: str) -> Any:
        return INTERMEDIATE_TASKS.get(name).load(generated, "dev", "en")[0]

    hellaswag, cosmos, commonsense, siqa = map(
        first, ("hellaswag", "cosmosqa", "commonsenseqa", "siqa")
    )
    assert hellaswag.context and not hellaswag.question and len(hellaswag.choices) == 4
    assert cosmos.question == 'What follows, "so to say"?' and cosmos.context == hellaswag.context
    assert not commonsense.context and commonsense.question == hellaswag.context
    assert [len(row.choices) for row in (commonsense, siqa)] == [5, 3]
    assert {row.label for row in (hellaswag, cosmos, commonsense, siqa)} == {0}
    ids = [row.id for row in INTERMEDIATE_TASKS.get("anliplus").load(generated, "dev", "en")]
    assert ids[::4] == [f"{part}-dev-en-0" for part in ("r1", "r2", "r3", "mnli", "snli")]
    answered, not_answered = INTERMEDIATE_TASKS.get("squad2").load(generated, "dev", "en")[:2]
    assert isinstance(answered, OptionalSpanExample) and isinstance(not_answered, SpanExample)
    assert answered.answers[0].start >= 0 and not_answered.answers == (Answer("", -1),)
    assert type(INTERMEDIATE_TASKS.get("squad").load(generated, "dev", "en")[0]) is SpanExample
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


def test_derivations_are_read_by_section(generated: DataSource) -> None:
    task = INTERMEDIATE_TASKS.get("ccg")
    assert [path.parent.name for path in task.files(generated, "train", "en")] == ["02", "21"]
    assert [path.parent.name for path in task.files(generated, "dev", "en")] == ["00"]
    assert task.available(generated, "test") == ()
    rows: Any = task.load(generated, "dev", "en")
    assert all(len(row.words) == len(row.tags) for row in rows)
    assert "(S[dcl]\\NP)/NP" in {tag for row in rows for tag in row.tags}
    without = DataSource("xtreme", Path(__file__).parent)
    assert task.labelled(without) is task and INTERMEDIATE_TASKS.get("rte").labelled(
        generated
    ) is INTERMEDIATE_TASKS.get("rte")


def test_digests_cover_files_of_one_name(generated_folder: Path) -> None:
    seen = set()
    for changed in (None, "anli/anli_v1.0/R1/dev.jsonl", "anli/anli_v1.0/R3/dev.jsonl"):

        def digest(path: Path) -> str:
            return "other" if changed and path == generated_folder / changed else path.name  # noqa: B023

        need = DataNeed("anliplus", "dev")
        seen.add(digest_need(need, DataSource("xtreme", generated_folder), digest))
    assert len(seen) == 3
    found = digest_need(DataNeed("anliplus", "train"), DataSource("hub"))
    assert [part.split("@")[0] for part in found.split("+")] == [
        *("hub:facebook/anli", "nyu-mll/multi_nli", "stanfordnlp/snli"),
    ]


@pytest.mark.data
def test_real_files(xtreme_dir: Path) -> None:
    source = DataSource("xtreme", xtreme_dir)
    rte: Any = INTERMEDIATE_TASKS.get("rte").load(source, "train", "en")
    assert len(rte) == 2490 and sum(row.label == "entailment" for row in rte) == 1249
    cosmos: Any = INTERMEDIATE_TASKS.get("cosmosqa").load(source, "dev", "en")
    assert len(cosmos) == 2985 and {len(row.choices) for row in cosmos} == {4}
    assert {row.label for row in cosmos} == {0, 1, 2, 3}
    assert json.dumps(cosmos[0].question) == '"Why is this person asking about divorce ?"'
