"""`evaluate` refuses keys of embeddings where its models embed nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.own.declared import declare
from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan

HEAD = """
name: keys
source: embedded
stages:
  - {name: t, stage: train, model: "package:recipes/models/e5-mini", tasks: [xnli], method: full,
     max_steps: 1}
"""
EMBEDDER = '"package:recipes/models/e5-mini"'


def plan(folder: Path, models: str, tasks: str, keys: str) -> Plan:
    path = folder / "r.yaml"
    stage = f"name: scores, stage: evaluate, models: [{models}], tasks: [{tasks}], {keys}"
    path.write_text(f"{HEAD}  - {{{stage}}}\n", encoding="utf-8")
    return make_plan(load(str(path)), None, DigestMemo(), keys=False, weights=False)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ('dimensions: 64, layer: 99, prefix: "query: "', "layer, prefix, dimensions"),
        ("pooling: cls", "pooling"),
        ('prefix: ""', "prefix"),
        ('passage_prefix: "passage: "', "passage_prefix"),
    ],
)
def test_keys_that_would_change_nothing_are_refused(keys: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        plan(tmp_path, "t", "xnli", keys)
    assert (
        f"stage 'scores' (evaluate): {named}: these models embed nothing for xnli; leave it out, "
        "or add a task that is scored by embeddings, such as tatoeba"
    ) in str(caught.value)


@pytest.mark.parametrize(
    ("models", "tasks", "keys"),
    [
        ("t", "xnli, tatoeba", "layer: 7, pooling: mean"),
        (EMBEDDER, "tatoeba", 'dimensions: 64, prefix: "query: "'),
        ("t", "xnli", "max_examples: 8"),
    ],
)
def test_they_are_taken_where_a_task_is_scored_by_embeddings(
    models: str, tasks: str, keys: str, tmp_path: Path
) -> None:
    assert plan(tmp_path, models, tasks, keys).stages


def test_an_encoder_scores_pairs_by_its_vectors(tmp_path: Path) -> None:
    (tmp_path / "de.tsv").write_text("first\tsecond\tscore\nA.\tB.\t0.5\n")
    path = tmp_path / "r.yaml"
    path.write_text(
        f"""
name: pairs
source: files
tasks:
  likeness: {{format: regression, test: {{de: {tmp_path / "de.tsv"}}}, columns: {{first: first}}}}
stages:
  - {{name: scores, stage: evaluate, models: [{EMBEDDER}], tasks: [likeness], dimensions: 64}}
""",
        encoding="utf-8",
    )
    try:
        assert make_plan(load(str(path)), None, DigestMemo(), keys=False, weights=False).stages
    finally:
        declare({})
