"""A language that a model was trained in for a task is not in that task's zero-shot mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_xtreme import tiny_xtreme

from evalsuite.results.task import TaskResult
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.stages._shared.contract import Artifact

Cli = Callable[..., tuple[str, str]]
TRAIN = "stage: train, model: ./base, tasks: [panx], max_steps: 2, batch_size: 8, max_examples: 16"
RECIPE = f"""
name: languages
source: xtreme
stages:
  - {{name: english, {TRAIN}, method: full}}
  - {{name: both, {TRAIN}, languages: [en, sw]}}
  - {{name: fused, stage: fuse, model: both}}
  - {{name: small, stage: distill, teacher: fused, tasks: [panx], layers: 1}}
  - {{name: bundle, stage: export, model: small, probe: 0}}
  - {{name: before, stage: evaluate, models: [english], tasks: [panx], max_examples: 12}}
  - {{name: scores, stage: evaluate, models: [english, fused], tasks: [panx], max_examples: 12}}
"""


@pytest.fixture
def here(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "base").symlink_to(tiny_base)
    monkeypatch.chdir(tmp_path)
    panx = tiny_xtreme(tmp_path / "data") / "panx"
    for name in ("train-sw", "dev-en", "dev-sw", "dev-de", "dev-ru"):
        (panx / f"{name}.tsv").write_text((panx / "train-en.tsv").read_text())
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def artifacts() -> dict[str, Artifact]:
    return make_plan(load("r.yaml"), None, DigestMemo(), keys=False).artifacts()


def test_what_is_made_of_a_model_has_seen_what_it_has(here: Path) -> None:
    found = artifacts()
    assert found["english"].trained_on == {("panx", "en")}
    for label in ("both", "fused", "small", "bundle"):
        assert found[label].trained_on == {("panx", "en"), ("panx", "sw")}, label
    assert found["./base"].trained_on == frozenset()


def test_all_models_of_a_stage_have_the_same_other_languages(here: Path, cli: Cli) -> None:
    cli(0, "run", "r.yaml", "--data-dir", "data", "--workspace", "space")
    results = [
        TaskResult.model_validate_json(path.read_text())
        for path in sorted(Path("space/stages").glob("evaluate-*/0*.json"))
    ]
    by_models = {(one.model.label, one.seen_languages): one for one in results}
    alone = by_models["english", ("en",)]
    first, second = by_models["english", ("en", "sw")], by_models["fused", ("en", "sw")]
    scores = first.metrics[first.main_metric]
    assert scores == alone.metrics[first.main_metric] and alone.is_zero_shot("sw")
    others = [score for code, score in scores.items() if code not in ("en", "sw")]
    assert first.zero_shot() == pytest.approx(sum(others) / len(others))
    assert not second.is_zero_shot("sw") and second.zero_shot_interval is not None
