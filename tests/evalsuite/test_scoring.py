"""Prediction folders are scored as the benchmark's own scorer does, and what is absent is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.data.answer_forms import mlqa, squad
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.metrics.answer_f1 import answer_scores
from evalsuite.metrics.mining_f1 import mining_scores
from evalsuite.submission.benchmark_means import BENCHMARKS, SUFFIXES, XTREME, XTREME_R, Benchmark
from evalsuite.submission.score_folders import score_folders


def squad_file(answers: dict[str, list[str]]) -> str:
    questions = [
        {"id": id, "question": "", "answers": [{"text": t} for t in found]}
        for id, found in answers.items()
    ]
    return json.dumps({"data": [{"paragraphs": [{"context": "", "qas": questions}]}]})


GOLD = {
    "labels": "neutral\nentailment\n",
    "tags": "O\nB-PER\n\nO\nO\nB-LOC\n",
    "rows": "3\n0\n",
    "pairs": "de-1\ten-7\nde-2\ten-3\n",
    "answers": squad_file({"a": ["the Rhine", "Rhine"], "b": ["1867"]}),
    "choices": '{"label": 1}\n{"label": 0}\n',
    "rankings": json.dumps({"a": ["Q1"], "b": ["Q2"]}),
}
RIGHT = {**GOLD, "answers": json.dumps({"a": "Rhine", "b": "1867"})}
WRONG = {
    "labels": "entailment\nneutral\n",
    "tags": "O\nO\n\nB-PER\nO\nO\n",
    "rows": "1\n1\n",
    "pairs": "de-3\ten-7\n",
    "answers": json.dumps({"a": "Bonn", "b": ""}),
    "choices": '{"label": 0}\n{"label": 1}\n',
    "rankings": json.dumps({"a": ["Q2", "Q3"], "b": []}),
}


def folder(
    root: Path,
    content: dict[str, str],
    leave_out: tuple[str, ...] = (),
    benchmark: Benchmark = XTREME,
) -> Path:
    """Every task and language, less those left out (`task` or `task/language`)."""
    for task, member in benchmark.tasks.items():
        for language in member.languages:
            if task in leave_out or f"{task}/{language}" in leave_out:
                continue
            path = root / task / f"test-{language}.{SUFFIXES.get(member.kind, 'tsv')}"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content[member.kind]
            if task == "udpos":
                text = (
                    text.replace("O\n", "NOUN\n").replace("B-PER", "VERB").replace("B-LOC", "ADJ")
                )
            if task == "pawsx":
                text = text.replace("neutral", "0").replace("entailment", "1")
            path.write_text(text)
    return root


@pytest.mark.data
def test_the_mock_submission(mock_dir: Path) -> None:
    """Every metric, language and mean of the official scorer, to 1e-6."""
    official = json.loads((mock_dir / "official_scores.json").read_text())
    found = score_folders(mock_dir / "predictions", mock_dir / "labels")
    names = {"exact_match": "exact_match", "xquad f1": "answer_f1"}
    names |= {"xnli accuracy": "accuracy", "tatoeba accuracy": "retrieval_accuracy"}
    compared = 0
    for task, scores in official.items():
        assert not found.tasks[task].absent and not any(found.tasks[task].unanswered.values())
        assert found.tasks[task].score == pytest.approx(scores["avg_metric"], abs=1e-6)
        for metric, values in scores.items():
            if not metric.startswith("avg"):
                name = names.get(f"{task} {metric}", names.get(metric, f"chunk_{metric}"))
                ours = found.tasks[task].metrics[name]
                assert {code: ours[code] for code in values} == pytest.approx(values, abs=1e-6)
                compared += len(values)
    assert compared == 15 + 99 + 120 + 36 + 22
    assert found.overall is None and found.absent == ("pawsx", "mlqa", "tydiqa", "bucc2018")
    assert found.groups["tagging"] == pytest.approx(
        (official["panx"]["avg_metric"] + official["udpos"]["avg_metric"]) / 2
    )
    assert found.groups["classification"] is None


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=BENCHMARKS)
@pytest.mark.parametrize(("said", "score"), [(RIGHT, 100.0), (WRONG, 0.0)])
def test_perfect_and_wrong_predictions(
    tmp_path: Path, said: dict[str, str], score: float, benchmark: Benchmark
) -> None:
    predictions = folder(tmp_path / "p", said, (), benchmark)
    found = score_folders(predictions, folder(tmp_path / "l", GOLD, (), benchmark), benchmark)
    assert {name: task.score for name, task in found.tasks.items()} == {
        name: pytest.approx(score) for name in benchmark.tasks
    }
    assert found.overall == pytest.approx(score) and not found.absent
    assert set(found.groups.values()) == {score}


def test_a_language_or_task_that_is_absent_leaves_no_mean(tmp_path: Path) -> None:
    out = ("mlqa", "xnli/sw")
    found = score_folders(folder(tmp_path / "p", RIGHT, out), folder(tmp_path / "l", GOLD))
    assert found.overall is None and found.absent == ("mlqa",)
    assert found.tasks["xnli"].score is None and found.tasks["xnli"].absent == ("sw",)
    assert found.tasks["xnli"].metrics["accuracy"]["de"] == 100
    assert [g for g, score in found.groups.items() if score is None] == ["classification", "qa"]


def test_questions_without_an_answer_are_wrong_and_counted(tmp_path: Path) -> None:
    said = {**RIGHT, "answers": json.dumps({"a": "Rhine"})}
    found = score_folders(folder(tmp_path / "p", said), folder(tmp_path / "l", GOLD))
    assert found.tasks["xquad"].score == 50
    assert found.tasks["xquad"].unanswered["de"] == 1


@pytest.mark.parametrize(
    ("file", "content", "error", "message"),
    [
        ("xnli/test-de.tsv", "neutral\n", DataError, "does not fit .*: 1 predictions for 2 rows"),
        ("xnli/test-de.tsv", "<head>\nneutral\n", MalformedRowError, "like a web page"),
        ("xnli/test-de.tsv", "neutral\n\nneutral", MalformedRowError, r"test-de\.tsv:2: a blank"),
        ("panx/test-de.tsv", "O\nO\n\nO\n", DataError, "does not fit"),
        ("tatoeba/test-de.tsv", "1\nx\n", MalformedRowError, "'x' is no row number"),
        ("xquad/test-de.json", "{", MalformedRowError, r"test-de\.json:1: not JSON"),
        ("xquad/test-de.json", "[]", MalformedRowError, "no JSON object of question ids"),
        ("xquad/test-de.json", '{"a": 1}', MalformedRowError, "no JSON object of question ids"),
    ],
)
def test_predictions_that_cannot_be_scored(
    tmp_path: Path, file: str, content: str, error: type[Exception], message: str
) -> None:
    predictions = folder(tmp_path / "p", RIGHT)
    (predictions / file).write_text(content)
    with pytest.raises(error, match=message):
        score_folders(predictions, folder(tmp_path / "l", GOLD))


def test_labels_are_read_in_the_spellings_of_their_task(tmp_path: Path) -> None:
    labels, predictions = folder(tmp_path / "l", GOLD), folder(tmp_path / "p", RIGHT)
    (labels / "xnli/test-de.tsv").write_text("contradictory\ncontradiction\nneutral\n")
    (predictions / "xnli/test-de.tsv").write_text("contradiction\ncontradictory\nneutral\n")
    assert score_folders(predictions, labels).tasks["xnli"].metrics["accuracy"]["de"] == 100


@pytest.mark.parametrize("where", ["l", "p"])
@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "xnli/test-de.tsv",
            "neutral\nyes\n",
            r"test-de\.tsv:2: unknown label 'yes'; allowed: ent",
        ),
        ("pawsx/test-de.tsv", "2\n1\n", r"test-de\.tsv:1: unknown label '2'; allowed: 0, 1$"),
        (
            "xnli/test-de.tsv",
            "neutral\nEs regnet.\tNass.\n",
            r":2: unknown .*\n.*as those of a data",
        ),
        (
            "panx/test-de.tsv",
            "O\nB-PER\n\nO\nO\nB-MISC\n",
            r":6: unknown tag 'B-MISC'; allowed: O,",
        ),
        ("udpos/test-de.tsv", "Es\tPRON\n", r":1: unknown tag .*\n.*write the tag alone"),
    ],
)
def test_labels_that_the_task_does_not_have(
    tmp_path: Path, where: str, file: str, content: str, message: str
) -> None:
    folders = {"p": folder(tmp_path / "p", RIGHT), "l": folder(tmp_path / "l", GOLD)}
    (folders[where] / file).write_text(content)
    with pytest.raises(MalformedRowError, match=message) as error:
        score_folders(folders["p"], folders["l"])
    assert str(error.value).startswith(str(folders[where] / file))


def test_the_tasks_of_xtreme_r() -> None:
    """Ten tasks in four groups; with UD-POS, PAN-X, XQuAD and Tatoeba in more languages."""
    assert len(XTREME_R.tasks) == 10
    grouped = [name for group in XTREME_R.groups.values() for name in group]
    assert sorted(grouped) == sorted(XTREME_R.tasks)
    counts = {name: len(set(member.languages)) for name, member in XTREME_R.tasks.items()}
    assert counts == {
        "xnli": 15,
        "xcopa": 11,
        "udpos": 38,
        "panx": 48,
        "xquad": 12,
        "mlqa": 7,
        "tydiqa": 9,
        "tatoeba": 41,
        "mewslix": 11,
        "lareqa": 11,
    }


def test_rankings_and_choices_that_are_none_and_queries_left_out(tmp_path: Path) -> None:
    labels = folder(tmp_path / "l", GOLD, (), XTREME_R)
    said = {**RIGHT, "rankings": json.dumps({"a": ["Q9", "Q1"]})}
    predictions = folder(tmp_path / "p", said, (), XTREME_R)
    found = score_folders(predictions, labels, XTREME_R)
    assert found.tasks["mewslix"].score == 25 and found.tasks["lareqa"].unanswered["de"] == 1
    (predictions / "xcopa/test-et.jsonl").write_text('{"label": "x"}\n')
    with pytest.raises(MalformedRowError, match="'x' is no number of a choice"):
        score_folders(predictions, labels, XTREME_R)
    (predictions / "xcopa/test-et.jsonl").write_text('{"label": 1}\n')
    with pytest.raises(DataError, match="does not fit"):
        score_folders(predictions, labels, XTREME_R)
    (labels / "mewslix/test-de.json").write_text('{"a": []}')
    shutil.rmtree(predictions / "xcopa")
    with pytest.raises(MalformedRowError, match="query a has no candidate"):
        score_folders(predictions, labels, XTREME_R)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [{}]}', "not SQuAD's layout: KeyError 'paragraphs' in question 0"),
        ("[1]", "not SQuAD's layout"),
        ('{"data": []}', "no questions"),
        (squad_file({"a": []}), "question a has no answer"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, content: str, message: str) -> None:
    labels = folder(tmp_path / "l", GOLD)
    (labels / "mlqa" / "test-vi.json").write_text(content)
    with pytest.raises(MalformedRowError, match=message):
        score_folders(folder(tmp_path / "p", RIGHT), labels)


def test_folders_that_are_none(tmp_path: Path) -> None:
    labels = folder(tmp_path / "l", GOLD)
    with pytest.raises(DataError, match="there is no such directory"):
        score_folders(tmp_path / "no", labels)
    with pytest.raises(DataError, match="no task has a folder in both"):
        score_folders(tmp_path, labels)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from recipes.cli.app import main

    predictions = folder(tmp_path / "p", RIGHT, ("pawsx", "xquad/de"))
    labels, written = folder(tmp_path / "l", GOLD), tmp_path / "scores.json"
    with pytest.raises(SystemExit) as end:
        main(["score", str(predictions), str(labels), "--json", str(written)])
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert not end.value.code
    assert ["xnli", "100.00", "15", "accuracy"] in said
    assert ["xquad", "-", "10,", "absent:", "de", "exact", "match", "and", "answer", "F1"] in said
    assert ["tagging", "100.00", "its", "tasks"] in said and [
        "overall",
        "-",
        "all",
        "tasks",
    ] in said
    tree: dict[str, Any] = json.loads(written.read_text())
    assert tree["overall"] is None and tree["tasks"]["xnli"]["metrics"]["accuracy"]["sw"] == 100
    shutil.rmtree(labels)
    with pytest.raises(SystemExit) as end:
        main(["score", str(predictions), str(labels)])
    assert end.value.code == 2 and "there is no such directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "answer", "normal"),
    [
        ("en", "The  Rhine, a river!", "rhine river"),
        ("de", "Der Rhein – «ein Fluß»", "rhein fluß"),
        ("es", "¿Los ríos?", "ríos"),
        ("vi", "những con sông", "con sông"),
        ("ar", "النهر", "نهر"),
        ("hi", "नदी।", "नदी"),
        ("zh", "莱茵河 Rhine，1867年", "莱 茵 河 rhine1867 年"),
        ("sw", "the mto", "the mto"),
        ("de-AT", "Der Rhein", "rhein"),
        ("zh-CN", "莱茵河 Rhine，1867年", "莱 茵 河 rhine1867 年"),
        ("zh_TW", "莱茵河", "莱 茵 河"),
        ("zho_Hans", "莱茵河", "莱 茵 河"),
        ("cmn", "莱茵河", "莱 茵 河"),
        ("deu_Latn", "Der Rhein", "rhein"),
    ],
)
def test_answers_in_mlqas_form(language: str, answer: str, normal: str) -> None:
    assert mlqa(language)(answer) == normal


def test_answers_in_squads_form() -> None:
    assert squad("The Rhine, (a) river") == "rhine river"
    assert squad("«Der Rhein»") == "«der rhein»"  # ASCII punctuation and English articles alone


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_a_perfect_answer_is_exact(answers: list[str]) -> None:
    scores = answer_scores([[answer, "x"] for answer in answers], answers, squad)
    assert scores["exact_match"] == 100
    worded = sum(bool(squad(answer)) or not answer for answer in answers)  # "": no answer there
    assert scores["answer_f1"] == pytest.approx(100 * worded / len(answers))
    none = answer_scores([[answer] for answer in answers], [None] * len(answers), squad)
    assert none == {"exact_match": 0, "answer_f1": 0}


def test_scores_of_nothing() -> None:
    with pytest.raises(ValueError, match="1 predicted answers for 2 questions"):
        answer_scores([["a"], ["b"]], ["a"], squad)
    with pytest.raises(ValueError, match="no questions"):
        answer_scores([], [], squad)
    with pytest.raises(ValueError, match="a question without answers"):
        answer_scores([[]], ["a"], squad)
    with pytest.raises(ValueError, match="no pairs"):
        mining_scores(set(), {("a", "b")})
