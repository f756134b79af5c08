"""Alignment: each measure against its definition, what is kept, the stage, its tables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.export.export import export
from compress.export.graph import ExportOptions
from evalsuite.alignment.measure import counterpart, measure
from evalsuite.alignment.measures import cosines, linear_cka, rank_consistency
from evalsuite.errors import DataError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.report.figures.alignment import as_deep
from evalsuite.report.output.page import write
from evalsuite.report.tables.alignment import alignment_sections
from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.run import RunRecord
from evalsuite.retrieval.embedding import Embedder, embed_layers
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, Input, StageContext
from recipes.stages.alignment import Config, check, run

EMBEDDED = DataSource("embedded")


def rows(count: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def test_cosines_are_means_over_pairs_and_over_all_others() -> None:
    a, b = rows(7, 5, 0), rows(7, 5, 1)
    table = np.array(
        [[x @ y / np.linalg.norm(x) / np.linalg.norm(y) for y in b] for x in a.astype(float)]
    )
    pairs, others = cosines(a, b)
    assert pairs == pytest.approx(table.diagonal().mean(), abs=1e-6)
    assert others == pytest.approx(table[~np.eye(7, dtype=bool)].mean(), abs=1e-6)
    with pytest.raises(ValueError, match="1 row"):
        cosines(a[:1], b[:1])


def test_cka_knows_rotations_and_scales_and_nothing_else() -> None:
    a = rows(60, 8, 0)
    turn, _ = np.linalg.qr(rows(8, 8, 1))
    assert linear_cka(a, a) == pytest.approx(1)
    assert linear_cka(a, 3 * a @ turn + 5) == pytest.approx(1)
    assert linear_cka(a, a[::-1]) < 0.2
    assert linear_cka(a, a + 100) == pytest.approx(1)  # a common part of all rows does not count
    assert linear_cka(a, np.zeros_like(a)) == 0
    with pytest.raises(ValueError, match="at least four"):
        linear_cka(a[:3], a[:3])


def test_cka_of_strangers_is_nought_even_with_fewer_sentences_than_dimensions() -> None:
    found = [linear_cka(rows(40, 200, 2 * k), rows(40, 200, 2 * k + 1)) for k in range(30)]
    assert abs(np.mean(found)) < 0.03  # the biased estimate gives 0.83 here


def by_definition(foreign: np.ndarray, english: np.ndarray, depth: int) -> float:
    def ranked(query: np.ndarray, own: int) -> list[int]:
        cosine = [float(query @ e / np.linalg.norm(query) / np.linalg.norm(e)) for e in english]
        return sorted((k for k in range(len(english)) if k != own), key=lambda k: -cosine[k])

    total = 0.0
    for i in range(len(english)):
        one, other = ranked(foreign[i], i), ranked(english[i], i)
        weights = [math.exp(-j) for j in range(1, depth + 1)]
        for j, weight in enumerate(weights, 1):
            total += weight / sum(weights) * len(set(one[:j]) & set(other[:j])) / j
    return 100 * total / len(english)


@pytest.mark.parametrize(("count", "depth"), [(12, 4), (12, 11), (3, 2)])
def test_rank_consistency_is_what_the_paper_defines(count: int, depth: int) -> None:
    a, b = rows(count, 6, 4), rows(count, 6, 5)
    near = a + 0.5 * b
    assert rank_consistency(near, a, depth) == pytest.approx(by_definition(near, a, depth))
    assert rank_consistency(a, a, depth) == pytest.approx(100)


def test_layers_in_one_pass_are_the_layers_one_by_one(tiny_base: Path) -> None:
    session = Session(open_model(tiny_base))
    sentences = ["Anna reads a book.", "Eine Frau schläft.", "x"] * 3
    found = embed_layers(session, sentences, "mean")
    assert len(found) == session.predictor.layers + 1
    for layer, pooled in enumerate(found):
        assert np.abs(pooled - Embedder(session, layer, "mean")(sentences)).max() < 1e-5


def test_layers_are_compared_with_those_as_deep() -> None:
    assert [counterpart(k, 3, 6) for k in range(4)] == [0, 2, 4, 6]
    assert [counterpart(k, 12, 6) for k in (0, 2, 12)] == [0, 1, 6]


def test_a_model_beside_itself_keeps_everything(tiny_nli: Path, tmp_path: Path) -> None:
    export(tiny_nli, tmp_path, precision="int8", options=ExportOptions(whole_last_layer=True))
    first, second = measure(
        [("base", open_model(tiny_nli)), ("int8", open_model(tmp_path))],
        TASKS.get("tatoeba"),
        EMBEDDED,
        languages=("de", "sw"),
        max_examples=40,
    )
    assert first.base == second.base == "base" and first.data_digest == second.data_digest
    for language in first.languages.values():
        assert language.cka == pytest.approx([1.0] * 3)
    assert all(language.cka[-1] < 1 - 1e-9 for language in second.languages.values())
    for code, language in second.languages.items():
        before = first.languages[code]
        assert all(0.9 < value < 1.001 for value in language.cka)  # int8 moves them a little
        assert language.pair_cosine == pytest.approx(before.pair_cosine, abs=0.1)
    assert first.examples == {"de": 40, "sw": 40}
    layer, value = first.best()
    assert layer > 0 and value == max(first.mean("retrieval")[1:])
    assert value == first.mean("retrieval")[layer]


def test_too_few_pairs_are_said_so(tiny_nli: Path) -> None:
    with pytest.raises(DataError, match="tatoeba de: 3 parallel sentence"):
        measure(
            [("m", open_model(tiny_nli))], TASKS.get("tatoeba"), EMBEDDED, languages=("de",),
            max_examples=3,
        )  # fmt: skip


@pytest.fixture(scope="module")
def results(
    tiny_base: Path, tiny_nli: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[AlignmentResult]:
    out = tmp_path_factory.mktemp("alignment")
    inputs = tuple(
        Input(label, path, Artifact("checkpoint"))
        for label, path in (("base", tiny_base), ("tuned", tiny_nli))
    )
    context = StageContext(
        out=out, work=out, inputs={"models": inputs}, data=EMBEDDED, seed=1, recipe="r"
    )
    config = Config(
        name="a", stage="alignment", models=("base", "tuned"), languages=("de", "sw"),
        max_examples=50,
    )  # fmt: skip
    summary = run(config, context)
    found = [
        AlignmentResult.model_validate_json((out / f"0{n}.json").read_text()) for n in range(2)
    ]
    assert summary["tuned retrieval, best layer"] == round(found[1].best()[1], 2)
    return found


def test_the_stage_checks_its_task() -> None:
    def checked(**fields: Any) -> Artifact:
        config = Config(name="a", stage="alignment", models=("base",), **fields)
        return check(config, {"models": [Artifact("checkpoint")]})

    assert checked().kind == "alignment"
    with pytest.raises(StageInputError, match="xnli has no parallel sentences; give tatoeba"):
        checked(task="xnli")
    with pytest.raises(StageInputError, match="tatoeba has no 'qq'"):
        checked(languages=("qq",))


def test_the_report_says_what_is_kept(results: list[AlignmentResult], tmp_path: Path) -> None:
    (section,) = alignment_sections(results)
    base, tuned = results
    best, before = base.best()
    layer = as_deep(tuned, best)
    after = tuned.mean("retrieval")[layer]
    mean = section.retention.rows[-1]
    assert [cell.text for cell in mean.cells[:2]] == [f"{before:.1f}", f"{after:.1f}"]
    assert [cell.sub for cell in mean.cells[:2]] == ["", f"{100 * after / before:.0f}% kept"]
    assert [row.head.sub for row in section.retention.rows] == ["de", "sw", ""]
    assert len(section.layers.rows) == len(base.base_layers) + len(tuned.base_layers)
    record = RunRecord(
        recipe="r", description="", source="embedded", seed=1, stages=(), scores=(), speeds=(),
        alignment=tuple(results),
    )  # fmt: skip
    page = write(record, tmp_path).read_text(encoding="utf-8")
    shown = page.split('<section id="alignment">')[1].split("</section>")[0]
    assert shown.count("<svg ") == 4 and "How much cross-lingual alignment is kept" in shown
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "% kept" in text and base.model.digest[:12] in text and "tuned, layer 2" in text


def test_the_layer_as_deep_is_the_nearest_and_never_the_embeddings(
    results: list[AlignmentResult],
) -> None:
    three = results[1].model_copy(update={"base_layers": (0, 4, 8, 12)})
    assert [as_deep(three, layer) for layer in (1, 3, 4, 6, 7, 12)] == [1, 1, 1, 2, 2, 3]
    deeper = results[1].model_copy(update={"base_layers": (0, 1, 1, 2, 2)})
    assert [as_deep(deeper, layer) for layer in (1, 2)] == [2, 4]


def test_models_of_other_text_stand_apart(results: list[AlignmentResult]) -> None:
    other = results[1].model_copy(update={"data_digest": "f" * 64})
    assert len(alignment_sections([results[0], other])) == 2
