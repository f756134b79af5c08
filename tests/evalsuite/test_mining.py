"""Pairs mined from comparable corpora: BUCC 2018 read and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from margins_by_hand import by_hand

from evalsuite import scoring
from evalsuite.data.embedded import generate as embedded
from evalsuite.data.mining import MiningTask
from evalsuite.errors import DataError, MalformedRowError, MissingDataError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.metrics.mining_f1 import mining_scores
from evalsuite.registry import TASKS
from evalsuite.report.figures.scores import columns
from evalsuite.report.tables.signatures import _embedding
from evalsuite.retrieval import bitext_mining
from evalsuite.retrieval import ratio_margin as margins
from evalsuite.retrieval.bitext_mining import Corpora
from evalsuite.submission import files as submission
from evalsuite.submission.score_folders import score_folders
from evalsuite.task import Candidate, DataSource, MiningExample
from recipes.errors import StageInputError
from recipes.stages import evaluate as stage

EMBEDDED = DataSource("embedded")
TASK: Any = TASKS.get("bucc2018")


# A whole mining


class Words:
    """An embedder for which a sentence is what its table says."""

    def __init__(self, table: dict[str, np.ndarray]) -> None:
        self.table = table

    def __call__(self, sentences: list[str]) -> np.ndarray:
        return np.stack([self.table[sentence] for sentence in sentences])


def perfect(*splits: str, language: str = "de") -> Any:
    """Each pair of partners has a direction of its own, and so has every other sentence."""
    rng, table = np.random.default_rng(1), dict[str, np.ndarray]()
    for split in splits:
        rows, english = embedded.comparable(split, language)  # type: ignore[arg-type]
        by_id = {candidate.id: rng.normal(size=64) + 0.4 for candidate in english}
        table |= {candidate.text: by_id[candidate.id] for candidate in english}
        for row in rows:
            own = by_id[row.partners[0]] if row.partners else rng.normal(size=64) + 0.4
            table[row.foreign] = own
    return Words(table)


def corpora(split: str, language: str = "de") -> Corpora:
    return Corpora(*embedded.comparable(split, language))  # type: ignore[arg-type]


def test_a_perfect_embedder_scores_100() -> None:
    embed, test, dev = perfect("dev", "test"), corpora("test"), corpora("dev")
    for fitted_on in (test, dev):
        found, threshold = bitext_mining.mine(embed, test, fitted_on)
        assert found == [next(iter(row.partners), None) for row in test.foreign]
        assert scoring.main_score(scoring.answers(TASK, "de", test.foreign, found)) == 100
        assert 1 < threshold < 3


def test_sentences_that_stand_twice_are_in_no_pair() -> None:
    axes = np.eye(4) + 0.1
    table = {"a": axes[0], "b": axes[1], "c": axes[2], "A": axes[0], "B": axes[1], "C": axes[2]}
    foreign = [MiningExample(f"de-{n}", text, ()) for n, text in enumerate("aabc")]
    english = [Candidate(f"en-{n}", text) for n, text in enumerate("ABCC")]
    embed: Any = Words(table)
    found = bitext_mining.propose(embed, Corpora(foreign, english))
    assert [(pair.row, pair.english) for pair in found] == [(2, "en-1")]  # b and B alone


def test_chance_is_what_random_candidates_score() -> None:
    test, rng = corpora("test"), np.random.default_rng(1)
    ids = [candidate.id for candidate in test.english]
    drawn = [
        scoring.main_score(
            scoring.answers(TASK, "de", test.foreign, [ids[i] for i in rng.integers(0, 200, 200)])
        )
        for _ in range(300)
    ]
    expected = scoring.chance(scoring.answers(TASK, "de", test.foreign, (), len(ids)))
    assert expected == pytest.approx(100 * 2 * 100 / 200 / 300)
    assert np.mean(drawn) == pytest.approx(expected, rel=0.15)
    with pytest.raises(ValueError, match="no pairs to guess"):
        scoring.chance(scoring.answers(TASK, "de", [MiningExample("a", "b", ())], (), 5))


# Files


def xtreme(folder: Path, split: str, gold: str | None = "de-2\ten-1\n") -> DataSource:
    place = folder / "bucc2018"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"de-en.{split}.de").write_text("de-1\tEins.\nde-2\tZwei. \nde-3\tDrei.\tx\n")
    (place / f"de-en.{split}.en").write_text("en-1\tTwo.\nen-2\tFour.\n")
    if gold is not None:
        (place / f"de-en.{split}.gold").write_text(gold)
    return DataSource("xtreme", folder)


def test_files(tmp_path: Path) -> None:
    source = xtreme(tmp_path, "dev")
    xtreme(tmp_path, "test", None)
    assert isinstance(TASK, MiningTask) and TASK.eval_split(source) == "dev"
    assert TASK.load(source, "dev", "de") == [
        MiningExample("de-1", "Eins.", ()),
        MiningExample("de-2", "Zwei.", ("en-1",)),
        MiningExample("de-3", "Drei.", ()),
    ]
    assert list(TASK.candidates(source, "dev", "de")) == [
        Candidate("en-1", "Two."),
        Candidate("en-2", "Four."),
    ]
    with pytest.raises(MissingDataError, match=r"test\.gold\n.*which is BUCC's training\.gold"):
        TASK.load(source, "test", "de")
    xtreme(tmp_path, "test", "de-2\ten-1\nde-2\ten-2\n")
    assert TASK.eval_split(source) == "test"
    assert TASK.load(source, "test", "de")[1].partners == ("en-1", "en-2")
    names = [path.name for path in TASK.files(source, "test", "de")]
    assert names == [f"de-en.{s}.{e}" for s in ("test", "dev") for e in ("de", "en", "gold")]
    assert len(TASK.files(source, "dev", "de")) == 3


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ("de-9\ten-1\n", r"gold:1: 'de-9' is no sentence of de-en\.dev\.de"),
        ("de-1\ten-1\nde-2\ten-9\n", r"gold:2: 'en-9' is no sentence of de-en\.dev\.en"),
        ("de-1 en-1\n", "gold:1: an id, a tab and a sentence or id are due"),
    ],
)
def test_files_that_are_none(tmp_path: Path, gold: str, message: str) -> None:
    with pytest.raises(MalformedRowError, match=message):
        TASK.load(xtreme(tmp_path, "dev", gold), "dev", "de")


# Evaluation


def scored(base: Path, out: Path, **options: Any) -> Any:
    options.setdefault("languages", ("de",))
    task, source = TASKS.get(options.pop("task", "bucc2018")), options.pop("source", EMBEDDED)
    return evaluate(
        open_model(base),
        task,
        source,
        label="it",
        out=out,
        options=EvaluationOptions(**options),
    )


def test_a_result_says_what_its_threshold_was_fitted_on(tiny_base: Path, tmp_path: Path) -> None:
    test = scored(tiny_base, tmp_path, languages=("de", "ru"))
    dev = scored(tiny_base, tmp_path, split="dev")
    assert (test.split, dev.split) == ("test", "dev") and test.fitted_on == dev.fitted_on == "dev"
    assert set(test.thresholds) == {"de", "ru"} and test.scoring == "margin"
    assert test.thresholds["de"] == dev.thresholds["de"] > 0
    assert _embedding(test) == "1, mean, margin, threshold of dev"
    assert _embedding(dev) == "1, mean, margin, threshold fitted on these rows"
    assert [column.name for column in columns([test, dev])] == [
        "BUCC 2018 (test)",
        "BUCC 2018 (threshold fitted on these rows) (dev)",
    ]
    assert test.examples == {"de": 200, "ru": 200}
    assert 0 < test.chance["de"] < test.metrics["mining_f1"]["de"] <= 100
    low, high = test.intervals["de"]
    assert low <= test.metrics["mining_f1"]["de"] <= high
    said = submission.read(tmp_path, "bucc2018", "de")
    rows = corpora("test").foreign
    gold = {(row.id, partner) for row in rows for partner in row.partners}
    again = mining_scores(gold, set(said))
    assert again == {name: values["de"] for name, values in test.metrics.items()}


def test_both_corpora_and_those_of_the_threshold_are_in_the_digest(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scored(tiny_base, tmp_path).data_digest
    assert scored(tiny_base, tmp_path).data_digest == before
    original, seen = TASK.candidates, {before}
    for changed in ("dev", "test"):

        def candidates(task: Any, source: Any, split: str, language: str) -> Any:
            found = list(original(source, split, language))
            return found[::-1] if split == changed else found  # noqa: B023

        monkeypatch.setattr(type(TASK), "candidates", candidates)
        seen.add(scored(tiny_base, tmp_path).data_digest)
    assert len(seen) == 3


def test_rows_without_any_partner_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    source = xtreme(tmp_path, "dev")
    message = "bucc2018 de: none of 1 dev rows has a translation; take more rows"
    with pytest.raises(DataError, match=message):
        scored(tiny_base, tmp_path, source=source, max_examples=1)
    assert scored(tiny_base, tmp_path, source=source, max_examples=2).split == "dev"


def test_tatoeba_by_margin(tiny_base: Path, tmp_path: Path) -> None:
    plain = scored(tiny_base, tmp_path / "a", task="tatoeba", layer=2)
    by_margin = scored(tiny_base, tmp_path / "b", task="tatoeba", layer=2, margin=True)
    assert (plain.scoring, by_margin.scoring) == ("cosine", "margin")
    names = [column.name for column in columns([plain, by_margin])]
    assert names == ["Tatoeba (cosine)", "Tatoeba (margin)"]
    assert [column.name for column in columns([plain])] == ["Tatoeba"]
    from evalsuite.inference.session import Session
    from evalsuite.retrieval.embedding import Embedder

    rows: Any = TASKS.get("tatoeba").load(EMBEDDED, "test", "de")
    embed = Embedder(Session(open_model(tiny_base)), 2, "mean")
    foreign, english = embed([r.foreign for r in rows]), embed([r.english for r in rows])
    table, cosines = by_hand(foreign.astype(float), english.astype(float), margins.NEIGHBOURS)
    near = np.argsort(-cosines, 1)[:, : margins.NEIGHBOURS]
    best = np.take_along_axis(near, np.take_along_axis(table, near, 1).argmax(1)[:, None], 1)[:, 0]
    found = submission.read(tmp_path / "b", "tatoeba", "de")
    assert np.mean(np.array(found) == best) > 0.99  # float32 against float64
    assert found != submission.read(tmp_path / "a", "tatoeba", "de")


def test_margin_is_for_retrieval() -> None:
    config = stage.Config(name="s", stage="evaluate", models=("m",), tasks=("xnli",), margin=True)
    with pytest.raises(StageInputError, match="margin: none of the tasks is one of retrieval"):
        stage.check(config, {"models": []})


# Prediction files


def test_pairs_are_written_and_read(tmp_path: Path) -> None:
    path = submission.write(tmp_path, "bucc2018", "de", ["en-7", None], ids=["de-1", "de-2"])
    assert path.read_text() == "de-1\ten-7\n"
    assert submission.read(tmp_path, "bucc2018", "de") == [("de-1", "en-7")]
    submission.write(tmp_path, "bucc2018", "de", [None, None], ids=["de-1", "de-2"])
    assert submission.read(tmp_path, "bucc2018", "de") == []
    path.write_text("de-1\ten-7\nde-2\n")
    with pytest.raises(MalformedRowError, match=r"test-de\.tsv:2: no pair of sentence ids"):
        submission.read(tmp_path, "bucc2018", "de")
    path.unlink()
    with pytest.raises(MissingDataError, match="predictions for bucc2018 de"):
        submission.read(tmp_path, "bucc2018", "de")


def test_folders_of_pairs_are_scored(tmp_path: Path) -> None:
    for code in TASK.languages:
        ids = ["x-1", "x-2"]
        submission.write(tmp_path / "l", "bucc2018", code, ["en-7", "en-3"], ids=ids)
        submission.write(tmp_path / "p", "bucc2018", code, ["en-7", None], ids=ids)
    submission.write(tmp_path / "p", "bucc2018", "de", [None], ids=["x-1"])
    found = score_folders(tmp_path / "p", tmp_path / "l").tasks["bucc2018"]
    third = pytest.approx(200 / 3)
    assert found.metrics["mining_f1"] == {"de": 0, "fr": third, "ru": third, "zh": third}
    (tmp_path / "l" / "bucc2018" / "test-de.tsv").write_text("")
    with pytest.raises(MalformedRowError, match=r"test-de\.tsv:1: no pairs"):
        score_folders(tmp_path / "p", tmp_path / "l")
