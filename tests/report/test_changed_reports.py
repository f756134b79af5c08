"""Reports of others that were changed: what no run writes is refused, and never breaks a table."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_fakes import MACHINE, run_of_three_systems

from evalsuite.errors import DataError, EvalsuiteError
from evalsuite.report.output.read_report import read
from evalsuite.results.alignment import AlignmentResult, LanguageAlignment
from evalsuite.results.search import Search, Trial
from recipes.cli.compare_runs import compare_runs


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    """A report.json with every kind of result."""
    run = run_of_three_systems()
    layers = (1.0, 0.5)
    own = LanguageAlignment(
        retrieval=layers,
        pair_cosine=layers,
        other_cosine=layers,
        rank_consistency=layers,
        cka=layers,
    )
    aligned = AlignmentResult(
        model=run.scores[0].model, text="tatoeba", source="embedded", data_digest="d",
        pooling="mean", max_examples=None, examples={"de": 40, "sw": 40}, base="base",
        base_layers=(0, 1), languages={"de": own, "sw": own}, environment=MACHINE,
    )  # fmt: skip
    search = Search(
        candidate="int8", reference="", budget="MB", limit=20.0, knobs={"layers": ("3",)}, most=4,
        trials=(Trial(assignment={"layers": "3"}, average=61.2, bytes=9.4e6),), recommended=0,
    )  # fmt: skip
    full = run.model_copy(update={"alignment": (aligned,), "search": search})
    found: dict[str, Any] = json.loads(full.model_dump_json())
    return found


def put(folder: Path, tree: Any) -> Path:
    path = folder / "report.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("speeds", 0, "latency_seconds"), [], "speeds.0.latency_seconds: tuple should have at"),
        (("speeds", 0, "latency_seconds"), [0.0], "0.0 is not a time in seconds: it must be above"),
        (("speeds", 0, "latency_seconds"), [float("nan")], "report.json"),
        (("speeds", 0, "throughput", 0, "seconds"), 0.0, "must be above 0"),
        (("speeds", 0, "throughput", 0, "sentences"), 0, "must be above 0"),
        (("speeds", 0, "peak", "samples"), [], "peak.samples: tuple should have at least 1 item"),
        (("speeds", 0, "peak_memory"), 2**70, "is not a count: it must be between 0 and 9.2"),
        (("scores", 0, "metrics"), {"nosuch": {"de": 1.0}}, "metrics have no main metric"),
        (("scores", 0, "main_metric"), "nosuch", "metrics have no main metric"),
        (("alignment", 0, "languages"), {}, "alignment.0.languages"),
        (("alignment", 0, "examples"), {"de": 40}, "examples has no sw"),
        (("alignment", 0, "base_layers"), [0], "are of different numbers of layers"),
        (("alignment", 0, "languages", "de", "cka"), [1.0], "are of different numbers of layers"),
        (("search", "recommended"), 7, "recommended is none of the trials"),
    ],
)
def test_what_no_run_writes_is_refused(
    place: tuple[Any, ...], value: Any, problem: str, tree: dict[str, Any], tmp_path: Path
) -> None:
    changed = copy.deepcopy(tree)
    held: Any = changed
    for step in place[:-1]:
        held = held[step]
    held[place[-1]] = value
    with pytest.raises(DataError, match=problem):
        read(put(tmp_path, changed))


@pytest.mark.parametrize("depth", [100, 250, 20_000])
def test_nesting(depth: int, tree: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(tree).replace(
        '"config": {}', f'"config": {{"a": {"[" * depth}{"]" * depth}}}', 1
    )
    paths = [tmp_path / "report.json", tmp_path / "other.json"]
    for path, content in zip(paths, (text, json.dumps(tree)), strict=True):
        path.write_text(content, encoding="utf-8")
    try:
        compare_runs(list(map(str, paths)), tmp_path / "out")
    except EvalsuiteError as error:
        assert depth > 100 and "report.json" in str(error)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from places(tree[key])


def change(rng: random.Random, tree: dict[str, Any]) -> None:
    """Change one value into another of its type."""
    held, key = rng.choice(list(places(tree)))
    value = held[key]
    if isinstance(value, dict):
        kept = list(value.items())
        held[key] = dict(
            rng.choice([[], kept[:1], kept[1:], [*kept, ("xx", kept[0][1])]]) if kept else []
        )
    elif isinstance(value, list):
        held[key] = rng.choice([[], value[:1], value * 2, value[::-1]])
    elif isinstance(value, str):
        held[key] = rng.choice(["", "xx", "<b>", "a[b=c]", "a[", "../x", "y" * 3000, "\n"])
    elif isinstance(value, int | float) and not isinstance(value, bool):
        held[key] = rng.choice([0, 1, 1e-300, 1e300, 100, 10**18, -1, 2**70])


SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=SLOW) for seed in (1, 2))])
def test_changed_values(seed: int, tree: dict[str, Any], tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps(tree), encoding="utf-8")
    rng = random.Random(seed)
    for _ in range(5):
        changed = copy.deepcopy(tree)
        change(rng, changed)
        bad = put(tmp_path, changed)
        try:
            compare_runs([str(good), f"x={bad}"], tmp_path / "out")
        except EvalsuiteError as error:
            assert str(error)
