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
