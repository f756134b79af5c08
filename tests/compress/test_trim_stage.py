"""The stage `trim`: it trims and measures, and its gate holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compress.errors import GateError
from compress.gate import Loss, hold
from evalsuite.agreement.outputs import Parity
from evalsuite.data.embedded import generate as embedded
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.stages._shared.contract import Artifact, Input, StageContext
from recipes.stages.trim import Config, check, data, run

EMBEDDED = DataSource("embedded")


def lines(code: str) -> list[str]:
    rows = list(embedded.parallel("train", "de" if code == "en" else code))
    return [row.english if code == "en" else row.foreign for row in rows]


def test_the_gate_names_the_worst_language() -> None:
    parity = Parity(0.5, 0.1, 2.0, 97.2, {"de": 99.0, "sw": 95.4})
    hold(parity, 97.2, "trim", "remedy")
    with pytest.raises(GateError, match=r"trim: 97\.20% .*\nworst language: sw with 95\.40%.*\nx"):
        hold(parity, 99, "trim", "x")


def context(model: Path, out: Path) -> StageContext:
    return StageContext(
        out=out, work=out, inputs={"model": (Input("m", model, Artifact("checkpoint", "xnli")),)},
        data=EMBEDDED, seed=1, recipe="r",
    )  # fmt: skip


def config(**fields: Any) -> Config:
    return Config(name="t", stage="trim", model="m", **fields)


def test_the_stage_trims_and_measures(tiny_nli: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    summary = run(config(languages=("en", "de"), probe=20), context(tiny_nli, tmp_path / "out"))
    assert summary["pieces"] < summary["pieces before"]
    assert float(summary["max difference"]) < 1e-5
    assert str(summary["languages not kept, worst"]).split()[0] not in ("en", "de")
    others = len(embedded.LANGUAGES) - 2
    assert summary["languages not kept"] == others
    told = str(summary["of these split anew most"]).split("; ")
    assert len(told) == 3 and {text.split()[0] for text in told}.isdisjoint({"en", "de"})
    card = (tmp_path / "out" / "README.md").read_text()
    assert card.count(" | no | ") == others and told[0].split()[1].rstrip("%") in card
    assert float(summary["agreement %"]) > 97
    for directory in (tiny_nli, tmp_path / "out"):
        evaluate(
            open_model(directory), TASKS.get("xnli"), EMBEDDED, label="m", out=tmp_path / "scores",
            options=EvaluationOptions(languages=("de",), max_examples=20),
        )  # fmt: skip


def test_the_stage_reads_files_and_is_held_by_its_gate(tiny_nli: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join(lines("en")[:1]), encoding="utf-8")
    (tmp_path / "out").mkdir()
    asked = config(text=(str(words),), probe=40, min_agreement=100)
    with pytest.raises(GateError, match=r"trim: .*\n.*\nraise coverage"):
        run(asked, context(tiny_nli, tmp_path / "out"))
    needs = data(asked, Artifact("checkpoint", "xnli"))
    assert [need.split for need in needs] == ["file", "eval"]
    gives = check(asked, {"model": [Artifact("checkpoint", "xnli")]})
    assert (gives.kind, gives.task) == ("checkpoint", "xnli")
    with pytest.raises(ValueError, match="give languages to keep, or text files"):
        config()


def test_the_score_is_held_in_the_languages_that_are_kept(
    tiny_nli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[Loss] = []

    def note(loss: Loss, *limits: Any, **named: Any) -> None:
        scored.append(loss)

    monkeypatch.setattr("compress.gate.hold_score", note)
    words = tmp_path / "words.txt"
    words.write_text("\n".join(lines("en")[:9]), encoding="utf-8")
    for name, chosen in (("kept", {"languages": ("de", "sw")}), ("all", {"text": (str(words),)})):
        (tmp_path / name).mkdir()
        asked = config(probe=0, max_lost=1, score_rows=4, **chosen)
        run(asked, context(tiny_nli, tmp_path / name))
    kept, every = (set(loss.by_language()) for loss in scored)
    assert kept == {"de", "sw"}
    assert every == set(TASKS.get("xnli").available(EMBEDDED, "test"))


def test_variants_of_a_trim_split_text_each_in_its_own_way(tmp_path: Path) -> None:
    """So `check` knows that attention relations cannot be matched between them."""
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: two\nsource: embedded\nmatrix: {other: [de, hi]}\nstages:\n"
        "  - {name: small, stage: trim, model: package:recipes/models/e5-mini, "
        'languages: [en, "${other}"]}\n'
        '  - {name: s, stage: distill, teacher: "small[other=de]", '
        'student: "small[other=hi]", logits: 0, hidden: 0, relations: 1}\n'
    )
    with pytest.raises(RecipeError, match="relations: attention relations are matched token by"):
        make_plan(load(str(recipe)), None, DigestMemo(), keys=False)
