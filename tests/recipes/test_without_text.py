"""A source without multilingual text: what to change is what the stage asked for takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan

MODEL = "package:recipes/models/e5-mini"
RECIPE = """
name: demo
source: files
tasks:
  own: {format: classification, train: {en: rows.csv}, test: {de: rows.csv}}
stages:
  - {name: t, stage: train, model: MODEL, tasks: [own], method: full}
  - {name: b, stage: export, model: t}
  - {name: small, STAGE}
"""
HUB = "set source: xtreme, with a corpus next to --data-dir"


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("stage: trim, model: t, languages: [de]", "text: [FILE] and no languages"),
        ("stage: trim, model: t, languages: [de], text: [rows.csv]", "no languages"),
        ("stage: static, model: t", "text: [FILE]"),
        ("stage: factor, model: org/name, languages: [de]", "text: [FILE] and no languages"),
        (
            "stage: distill, teacher: t, tasks: [own], layers: 1",
            "multilingual: 0, or text: [FILE], or stream: {CODE: [FILE]}",
        ),
        (
            "stage: distill, teacher: t, layers: 1",
            "text: [FILE], or stream: {CODE: [FILE]}",
        ),
        (
            "stage: distill, teacher: t, tasks: [own], layers: 1, multilingual: 0, "
            "code_switch: 0.5",
            "code_switch: 0",
        ),
        ("stage: distill, teacher: t, tasks: [own], layers: 1, max_pairs: 100", "text: [FILE]"),
        (
            "stage: distill, teacher: t, tasks: [own], layers: 1, balance_labels: true",
            "text: [FILE]",
        ),
        (
            "stage: distill, teacher: b, student: t, tasks: [own], hidden: 0",
            "multilingual: 0, or text: [FILE]",
        ),
        ("stage: prune, model: t, tasks: [own], layers: [0]", "multilingual: 0"),
        ("stage: export, model: t, embeddings: rank-8", "no embeddings: rank-N"),
        (
            "stage: export, model: t, runtime: onnxruntime, precision: int8, exclude: auto",
            "calibration_text: train",
        ),
        (
            "stage: export, model: t, runtime: onnxruntime, precision: int8, exclude: auto, "
            "embeddings: rank-8",
            "calibration_text: train and no embeddings: rank-N",
        ),
        ("stage: train, model: t, tasks: [own], mlm: 0.5", "mlm: 0"),
        (
            "stage: train, model: t, tasks: [own], mlm: 0.5, mlm_lines: 100",
            "mlm: 0 and no mlm_lines",
        ),
        ("stage: train, model: t, contrastive: sentences", ""),
        (f"stage: pretrain, model: {MODEL}, steps: 5", "stream: {CODE: [FILE]}"),
        ("stage: extend, model: org/name, languages: [de], steps: 5", ""),
    ],
)
def test_the_remedies_are_those_of_the_stage(
    stage: str, changes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("text,label\nEs regnet.,weather\nGewonnen!,sports\n")
    path = tmp_path / "r.yaml"
    path.write_text(RECIPE.replace("STAGE", stage).replace("MODEL", MODEL))
    with pytest.raises(RecipeError) as caught:
        make_plan(load(str(path)), None, DigestMemo())
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[1].endswith("the stage reads multilingual text, and source: files has none")
    assert lines[2:] == [f"set {changes}; or {HUB}" if changes else HUB]
