"""Keys that change nothing are refused, but for variants, of which another one may use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan

MODEL = "package:recipes/models/e5-mini"
TRAIN = f"{{name: t, stage: train, model: {MODEL}, tasks: [xnli], mlm: MLM, mlm_lines: 9}}"
EXPORT = (
    f"{{name: t, stage: export, model: {MODEL}, runtime: onnxruntime, precision: PRECISION, "
    "calibration_rows: 64}"
)


def plan(folder: Path, stage: str, matrix: str = "{}") -> None:
    recipe = folder / "r.yaml"
    text = f"name: one\nsource: embedded\nmatrix: {matrix}\nstages:\n  - {stage}\n"
    recipe.write_text(text)
    make_plan(load(str(recipe)), None, DigestMemo(), keys=False)


@pytest.mark.parametrize(
    ("stage", "key", "off", "used", "said"),
    [
        (TRAIN, "MLM", "0", "0.5", "mlm_lines: with mlm: 0 no masked text is read; remove it"),
        (EXPORT, "PRECISION", "int8", "int8-static", "calibration_rows: onnxruntime int8 is not"),
    ],
)
def test_they_are_refused_where_no_variant_uses_them(
    stage: str, key: str, off: str, used: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=said):
        plan(tmp_path, stage.replace(key, off))
    plan(tmp_path, stage.replace(key, used))
    plan(tmp_path, stage.replace(key, "'${v}'"), f"{{v: [{off}, {used}]}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("min_score: 0.5, passage_prefix: 'x: ', max_steps: '${v}'", "min_score: says which"),
        ("mlm: '${v}', mlm_lines: 9, average_share: 0.5", "average_share: without average no"),
        ("mlm: '${v}', mlm_lines: 9", ""),
    ],
)
def test_they_are_refused_where_all_variants_are_without(
    text: str, said: str, tmp_path: Path
) -> None:
    values = "[2, 3]" if "max_steps" in text else "[0, 0.5]"
    stage = f"{{name: t, stage: train, model: {MODEL}, tasks: [xnli], method: full, {text}}}"
    if not said:
        plan(tmp_path, stage, f"{{v: {values}}}")
        return
    with pytest.raises(RecipeError) as caught:
        plan(tmp_path, stage, f"{{v: {values}}}")
    assert f"r.yaml:5: stage 't' (train): {said}" in str(caught.value)
    assert f"{1 + text.count('passage')} problem" in str(caught.value)


def test_a_knob_of_a_search_may_use_them(tmp_path: Path) -> None:
    recipe = tmp_path / "s.yaml"
    search = "{trials: 1, budget: {MB: 20}, candidate: t, knobs: {mlm: [0, 0.5]}}"
    stage = TRAIN.replace("MLM", "'${mlm}'")
    recipe.write_text(f"name: one\nsource: embedded\nsearch: {search}\nstages:\n  - {stage}\n")
    make_plan(load(str(recipe)), None, DigestMemo(), keys=False)


TWO_WAYS = (
    "{how: [{name: a, contrastive: sentences, tasks: []}, {name: b, contrastive: null, tasks: "
    "[xnli]}]}"
)


@pytest.mark.parametrize(
    "key",
    ["contrastive_temperature: 0.1", "pooling: cls", "prefix: 'query: '", "matryoshka: [64]",
     "restarts: 1"],
)  # fmt: skip
def test_keys_of_one_way_to_train_may_be_written_for_several(key: str, tmp_path: Path) -> None:
    stage = "{name: t, stage: train, model: MODEL, method: full, contrastive: HOW, tasks: HAVE, K}"
    stage = stage.replace("MODEL", MODEL).replace("K}", f"{key}}}")
    both = stage.replace("HOW", "'${how.contrastive}'").replace("HAVE", "'${how.tasks}'")
    plan(tmp_path, both, TWO_WAYS)
    used = ("null", "[xnli]") if "restarts" in key else ("sentences", "[]")
    off = ("sentences", "[]") if "restarts" in key else ("null", "[xnli]")
    plan(tmp_path, stage.replace("HOW", used[0]).replace("HAVE", used[1]))
    with pytest.raises(RecipeError, match=key.partition(":")[0]):
        plan(tmp_path, stage.replace("HOW", off[0]).replace("HAVE", off[1]))
