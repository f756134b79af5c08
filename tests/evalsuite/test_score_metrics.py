"""Metrics of scores and of sets of labels are scipy's and scikit-learn's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_fakes import a_model, a_run, a_score
from scipy import stats
from sklearn import metrics as theirs

from evalsuite import bootstrap, scoring
from evalsuite.evaluation import Predicted
from evalsuite.language_scores import LanguageScores
from evalsuite.languages import is_zero_shot
from evalsuite.metric import Answers
from evalsuite.metrics._scheme import scheme_of
from evalsuite.registry import METRICS, TASKS
from evalsuite.report.output.page import markdown, page
from evalsuite.task import SCORE, PairExample, Task

LABELS = ("a", "b", "c")


def task(format: str, metric: str, labels: Sequence[str]) -> Task:
    keys = {"name": "mine", "format": format, "metric": metric, "labels": tuple(labels)}
    found: Task = type("Mine", (type(TASKS.get("xnli")),), keys)()
    return found


def answers(of: Task, gold: Sequence[Any], predicted: Sequence[Any]) -> Answers:
    return Answers(gold=gold, predicted=predicted, task=of, language="de")


SCORES = st.integers(-4, 4).map(lambda n: n / 2)  # many are equal, so that ranks are shared
PAIRS = st.lists(st.tuples(SCORES, SCORES), min_size=2, max_size=30)
THEIRS = {"spearman": stats.spearmanr, "pearson": stats.pearsonr}


@pytest.mark.parametrize("name", THEIRS)
@settings(max_examples=60)
@given(PAIRS)
def test_correlations_are_those_of_scipy(name: str, rows: list[tuple[float, float]]) -> None:
    gold, said = map(list, zip(*rows, strict=True))
    found = METRICS.get(name).score(answers(task("regression", name, SCORE), gold, said))[name]
    if len(set(gold)) == 1 or len(set(said)) == 1:
        assert found == 0  # scipy has no value
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of nearly constant input
        assert found == pytest.approx(100 * THEIRS[name](gold, said).statistic, abs=1e-9)


@settings(max_examples=30)
@given(PAIRS)
def test_mean_absolute_errors_are_those_of_scikit_learn(rows: list[tuple[float, float]]) -> None:
    gold, said = map(list, zip(*rows, strict=True))
    found = METRICS.get("mae").score(answers(task("regression", "spearman", SCORE), gold, said))
    assert found["mae"] == pytest.approx(theirs.mean_absolute_error(gold, said), abs=1e-12)


SETS = st.lists(st.tuples(*[st.booleans()] * 6), min_size=1, max_size=20)


@pytest.mark.parametrize("average", ["macro", "micro"])
@settings(max_examples=60)
@given(SETS)
def test_f1_of_sets_of_labels_is_that_of_scikit_learn(
    average: str, rows: list[tuple[bool, ...]]
) -> None:
    table = np.array(rows)
    gold = [dict(zip(LABELS, row, strict=True)) for row in table[:, :3].tolist()]
    said = [tuple(np.array(LABELS)[row]) for row in table[:, 3:]]
    name = f"{average}_f1"
    found = scoring.score(answers(task("multilabel", name, LABELS), gold, said))[name]
    wanted = theirs.f1_score(table[:, :3], table[:, 3:], average=average, zero_division=0)
    assert found == pytest.approx(100 * wanted, abs=1e-9)


@pytest.mark.parametrize("average", ["macro", "micro"])
@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1))
def test_f1_of_labels_is_that_of_scikit_learn(average: str, rows: list[tuple[str, str]]) -> None:
    gold, said = map(list, zip(*rows, strict=True))
    name = f"{average}_f1"
    found = METRICS.get(name).score(answers(task("pair", name, LABELS), gold, said))[name]
    wanted = theirs.f1_score(gold, said, average=average, zero_division=0)
    assert found == pytest.approx(100 * wanted, abs=1e-9)


ROWS: dict[str, tuple[str, list[Any], list[Any]]] = {
    "spearman": ("regression", [1.0, 2.5, None, 0.0, 2.5], [0.9, 1.1, 4.0, 1.1, 3.0]),
    "pearson": ("regression", [1.0, 2.5, None, 0.0, 2.5], [0.9, 1.1, 4.0, 1.1, 3.0]),
    "macro_f1": (
        "multilabel",
        [{"a": True, "b": False}, {"a": True, "b": True}, None, {"a": False, "b": True, "c": True}],
        [("a", "c"), (), ("a",), ("a", "b")],
    ),
    "micro_f1": ("pair", ["a", "b", None, "c", "a"], ["a", "a", "b", "c", "c"]),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_sample_is_scored_as_its_rows_are(name: str) -> None:
    """The fast way over all samples at once gives what scoring each sample anew gives."""
    format, gold, said = ROWS[name]
    labels = SCORE if format == "regression" else LABELS
    rows = answers(task(format, name, labels), gold, said)
    fast = scoring.draws(rows, seed=3)
    shown = rows if METRICS.get(name).parts else rows.shown()

    def again(drawn: np.ndarray) -> float:
        some = shown.take(drawn.tolist())
        return METRICS.get(name).score(some)[name] if some.shown().gold else 0.0

    assert fast == pytest.approx(bootstrap.draws_anew(again, len(shown.gold), 3), abs=1e-9)


def test_a_label_that_nobody_looked_for_is_not_scored() -> None:
    of = task("multilabel", "macro_f1", LABELS)
    rows = answers(of, [{"a": True, "b": True}] * 2, [("a", "c"), ("b", "c")])
    assert scoring.score(rows)["macro_f1"] == pytest.approx(100 * 2 / 3)


def test_guessing() -> None:
    gold = [{"a": True, "b": False, "c": False}, {"a": True, "b": True, "c": False}]
    assert scoring.chance(
        answers(task("multilabel", "micro_f1", LABELS), gold, ())
    ) == pytest.approx(600 / 7)
    # All of them: a 100, b 66.7, c 0.
    found = scoring.chance(answers(task("multilabel", "macro_f1", LABELS), gold, ()))
    assert found == pytest.approx(100 * (1 + 2 / 3) / 3)
    assert scoring.chance(answers(task("regression", "spearman", SCORE), [1.0, 2.0], ())) == 0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1))
def test_matthews_correlation_is_that_of_scikit_learn(rows: list[tuple[str, str]]) -> None:
    gold, said = map(list, zip(*rows, strict=True))
    found = METRICS.get("matthews").score(answers(task("pair", "matthews", LABELS), gold, said))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single label
        wanted = theirs.matthews_corrcoef(gold, said)
    assert found["matthews"] == pytest.approx(100 * wanted, abs=1e-9)


@settings(max_examples=30)
@given(st.data())
def test_recall_and_precision_of_rankings_are_those_of_their_definition(
    data: st.DataObject,
) -> None:
    """Recall of relevant candidates, and the mean precision at each of their ranks."""
    pool = [f"c{n}" for n in range(30)]
    ranked = data.draw(st.permutations(pool))[:20]
    relevant = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5, unique=True))
    of = task("ranking", "recall_at_10", ())
    rows = Answers(gold=[relevant], predicted=[ranked], task=of, language="de", candidates=30)
    found = METRICS.get("recall_at_10").score(rows) | METRICS.get("map_at_20").score(rows)
    for k in (1, 10, 20):
        share = len(set(ranked[:k]).intersection(relevant)) / len(relevant)
        assert found[f"recall_at_{k}"] == pytest.approx(100 * share)
    hits = [rank for rank, id in enumerate(ranked, 1) if id in relevant]
    precision = sum(n / rank for n, rank in enumerate(hits, 1)) / len(relevant)
    assert found["map_at_20"] == pytest.approx(100 * precision)


def tag_scores(labels: Sequence[str], gold: Sequence[str], said: Sequence[str]) -> float:
    of = task("tagging", "chunk_f1", labels)
    of.scheme = scheme_of(labels)
    return METRICS.get("chunk_f1").score(answers(of, [gold], [said]))["chunk_f1"]


CHUNKS = [  # length and type; None: no chunk
    ([(2, "X"), (1, None), (1, "Y")], [(2, "X"), (1, None), (1, "X")]),
    ([(1, "X"), (1, "X"), (3, "Y")], [(2, "X"), (3, "Y")]),
]


def tagged(chunks: Any, scheme: str) -> list[str]:
    tags: list[str] = []
    before: str | None = None
    for length, kind in chunks:
        if kind is None:
            tags += ["O"] * length
        elif scheme == "plain":
            tags += [kind] * length
        else:
            inside = [f"I-{kind}"] * length
            if scheme != "iob1" or before == kind:
                inside[0] = f"B-{kind}"
            if scheme in ("bioes", "bilou"):
                last, alone = ("E", "S") if scheme == "bioes" else ("L", "U")
                inside[-1] = f"{last}-{kind}" if length > 1 else f"{alone}-{kind}"
            tags += inside
        before = kind
    return tags


@pytest.mark.parametrize("chunks", CHUNKS)
def test_chunks_count_the_same_in_every_scheme(chunks: Any) -> None:
    gold, said = chunks
    there, given_ = ({(at, *chunk) for at, chunk in places(row)} for row in chunks)
    wanted = 100 * 2 * len(there & given_) / (len(there) + len(given_))
    for scheme in ("iob1", "iob2", "bioes", "bilou"):
        rows = tagged(gold, scheme), tagged(said, scheme)
        found = tag_scores(sorted({"O", *rows[0], *rows[1]}), *rows)
        assert found == pytest.approx(wanted), scheme
    plain = tagged([(1, "X"), (1, None), (2, "Y")], "plain")
    assert tag_scores(("O", "X", "Y"), plain, ["X", "O", "Y", "O"]) == pytest.approx(50)


def places(chunks: Any) -> list[tuple[int, tuple[int, str]]]:
    found, at = [], 0
    for length, kind in chunks:
        if kind is not None:
            found.append((at, (length, kind)))
        at += length
    return found


def test_signatures() -> None:
    assert scoring.signature(TASKS.get("xnli"), 3) == "accuracy|bootstrap:1000|seed:3|version:1"
    of = task("tagging", "chunk_f1", ("O", "PER"))
    of.scheme = "plain"
    found = scoring.signature(of, 0)
    start = "chunk_f1|average:micro|scheme:plain|bootstrap:1000|seed:0|seqeval:"
    assert found.startswith(start) and found.endswith("|version:1")


def test_languages_with_training_rows_are_not_in_the_zero_shot_mean() -> None:
    of = task("pair", "accuracy", LABELS)
    of.training_languages = ("en", "de")
    scores = LanguageScores(of, seed=0)
    rows = [PairExample(str(n), "t", None, label) for n, label in enumerate("abcabcabab")]
    for language, said in {"en": "abcabcabab", "de": "abcabcaaaa", "fr": "aaaaaaaaab"}.items():
        scores.add(Predicted(language, rows, list(said)))
    assert scores.zero_shot_interval() == scores.intervals()["fr"]
    scores.add(Predicted("de-AT", rows, list("bbbbbbbbbb")))
    assert scores.zero_shot_interval() == scores.intervals()["fr"]
    found = a_score(a_model("m"), en=90.0, de=80.0, fr=60.0, sw=40.0)
    assert found.zero_shot() == 60
    regions = a_score(a_model("m"), **{"en": 90.0, "en-GB": 88.0, "pt-BR": 60.0, "sr-Latn": 40.0})
    assert regions.zero_shot() == 50
    assert not is_zero_shot("de-1996", ["de"]) and is_zero_shot("sr-Latn", ["sr-Cyrl"])
    for code in ("eng_Latn", "eng", "en_Latn", "en-Latn-US", "ENG"):
        assert not is_zero_shot(code, ["en"]) and not is_zero_shot("en", [code]), code
    assert not is_zero_shot("kor_Hang", ["ko"]) and not is_zero_shot("rus_Cyrl", ["ru"])
    assert is_zero_shot("zho_Hant", ["zh-Hans"]) and is_zero_shot("az-Cyrl", ["az"])
    several = found.model_copy(update={"seen_languages": ("en", "de")})
    assert several.zero_shot() == 50 and several.transfer_gap() == 40
    shown = markdown(page(a_run(several)))
    why = "because the task has training rows in them or a model was trained in them."
    assert f"XNLI: en, de are not in the mean, {why}" in shown
    dev = found.model_copy(update={"split": "dev"})
    shown = markdown(page(a_run(several, dev)))
    assert f"XNLI (test): en, de are not in the mean, {why}" in shown
