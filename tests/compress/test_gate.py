"""The gate on scores: what a step costs in points, and where it stops."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from report_fakes import a_model, a_score
from safetensors.torch import load_file, save_file

from compress import gate
from compress.errors import GateError
from evalsuite.agreement.outputs import Parity
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.registry import TASKS
from evalsuite.results.task import ModelComparison
from evalsuite.task import DataSource
from recipes.stages import export, trim
from recipes.stages._shared.contract import Artifact

EMBEDDED = DataSource("embedded")


@pytest.fixture
def broken(tiny_nli: Path, tmp_path: Path) -> Path:
    """The same model with its head turned over: the most likely label becomes the least."""
    out = tmp_path / "broken"
    shutil.copytree(tiny_nli, out)
    weights = load_file(out / "model.safetensors")
    for name in ("classifier.out_proj.weight", "classifier.out_proj.bias"):
        weights[name] = -weights[name]
    save_file(weights, out / "model.safetensors", {"format": "pt"})
    return out


def test_nothing_is_lost_between_a_model_and_itself(tiny_nli: Path) -> None:
    loss = gate.lost(tiny_nli, tiny_nli, TASKS.get("xnli"), EMBEDDED, 8)
    assert loss.points() == 0
    assert set(loss.by_language().values()) == {0.0}
    assert all(count == 8 for count in loss.before.examples.values())
    gate.hold_score(loss, 0.0, "step", "remedy")


def test_a_region_of_a_kept_language_is_scored(tiny_nli: Path, tmp_path: Path) -> None:
    labels = TASKS.get("xnli").labels
    rows = "".join(f"A man {n}.\tSomebody {n}.\t{labels[n % 3]}\n" for n in range(9))
    for code in ("en", "de-AT", "fr"):
        (tmp_path / f"{code}.tsv").write_text("first\tsecond\tlabel\n" + rows)
    test = {code: str(tmp_path / f"{code}.tsv") for code in ("en", "de-AT", "fr")}
    columns = {"first": "first", "second": "second", "label": "label"}
    made = Declaration(format="pair", columns=columns, test=test, labels=list(labels))
    task = task_of("pairs", made)
    loss = gate.lost(tiny_nli, tiny_nli, task, DataSource("files"), 8, ("en", "de"))
    assert set(loss.by_language()) == {"en", "de-AT"}


def test_points_are_the_difference_of_the_zero_shot_means(tiny_nli: Path, broken: Path) -> None:
    loss = gate.lost(tiny_nli, broken, TASKS.get("xnli"), EMBEDDED, 40)
    one, other = loss.before.metrics["accuracy"], loss.after.metrics["accuracy"]
    foreign = [code for code in one if code != "en"]
    expected = sum(one[code] - other[code] for code in foreign) / len(foreign)
    assert loss.points() == pytest.approx(expected)
    language, points = loss.worst()
    assert points == max(one[code] - other[code] for code in one)
    facts = loss.facts()
    assert facts["score lost"] == f"{expected:.2f} points of XNLI"
    assert facts["score lost, worst language"] == f"{language} {points:.2f}"
    low, high = map(float, str(facts["score lost, 95% interval"]).split(" to "))
    assert low <= round(expected, 2) <= high


def test_a_loss_that_rounds_to_zero_has_no_sign() -> None:
    before, after = (a_score(a_model("m"), en=80, de=german) for german in (50.0, 50.004))
    none = ModelComparison(
        label="m", agreement={}, intervals={}, p=None, zero_shot_interval=(0.0, 0.004)
    )
    facts = gate.Loss(before, after.model_copy(update={"comparison": none})).facts()
    assert facts["score lost"] == "0.00 points of XNLI"
    assert facts["score lost, 95% interval"] == "0.00 to 0.00"


def test_it_names_the_languages_that_lost_most(tiny_nli: Path, broken: Path) -> None:
    loss = gate.lost(tiny_nli, broken, TASKS.get("xnli"), EMBEDDED, 40)
    if loss.points() < 0:  # an untrained head may be worse than its opposite
        loss = gate.Loss(loss.after, loss.before)
    assert loss.points() > 0
    most = sorted(loss.by_language().items(), key=lambda item: -item[1])[0]
    with pytest.raises(GateError) as raised:
        gate.hold_score(loss, 0.0, "trim", "raise coverage")
    said = str(raised.value).splitlines()
    assert said[0] == f"trim: {loss.points():.2f} points of XNLI are lost, max_lost allows 0"
    assert said[1].startswith(f"most lost: {most[0]} {most[1]:.2f}, ")
    assert said[2:] == ["raise coverage"]
    gate.hold_score(loss, loss.points(), "trim", "raise coverage")


@pytest.mark.parametrize("stage", [export, trim], ids=["export", "trim"])
def test_a_bound_on_the_score_needs_the_rows_even_without_a_probe(stage: object) -> None:
    keys = {"name": "s", "stage": "s", "model": "m", "probe": 0}
    if stage is trim:
        keys["languages"] = ("en", "de")
    config, gives = stage.Config, Artifact("bundle", "xnli")  # type: ignore[attr-defined]
    find = stage.data  # type: ignore[attr-defined]
    assert "eval" not in [need.split for need in find(config(**keys), gives)]
    for key in ("max_lost", "max_lost_per_language"):
        assert "eval" in [need.split for need in find(config(**keys, **{key: 1.0}), gives)]


PARITY = Parity(0.5, 0.1, 2.0, 97.0, {"en": 99.5, "hi": 92.5, "mr": 93.0, "th": 90.0, "xx": 94.0})


def test_labels_are_held_in_every_language() -> None:
    gate.hold(PARITY, 95, "int8 export", "x", per_language=90)
    with pytest.raises(GateError) as raised:
        gate.hold(PARITY, 95, "int8 export", "use another precision", per_language=95)
    assert str(raised.value).splitlines() == [
        "int8 export: in 4 of 5 languages too few labels agree with the checkpoint it was made "
        "from, min_agreement_per_language asks for 95%",
        "below it, in percent: Thai: th 90.00; Devanagari: hi 92.50, mr 93.00; other scripts: "
        "xx 94.00; outputs differ by up to 0.5 where the largest is 2",
        "use another precision",
    ]


def test_limits_of_0_allow_vectors_that_point_apart() -> None:
    apart = Parity(0.5, 0.1, 2.0, -0.3, {"de": 5.0, "fr": -5.6})
    gate.hold(apart, 0, "distil", "x")
    with pytest.raises(GateError, match=r"distil: -0\.30% of labels agree"):
        gate.hold(apart, 1, "distil", "x")
    with pytest.raises(GateError, match="in 1 of 2 languages too few"):
        gate.hold(apart, 0, "distil", "x", per_language=5)


def test_equal_vectors_meet_a_limit_of_100() -> None:
    """The mean cosine of equal vectors in fp32 is 0.9999998, or so."""
    same = Parity(0.0, 0.0, 2.0, 99.99998, {"de": 99.99997})
    gate.hold(same, 100, "export", "x", per_language=100)
    for parity in (replace(same, agreement=99.999), replace(same, by_language={"de": 99.999})):
        with pytest.raises(GateError):
            gate.hold(parity, 100, "export", "x", per_language=100)


def _loss(lost: dict[str, float]) -> gate.Loss:
    class Points(gate.Loss):
        def by_language(self) -> dict[str, float]:
            return lost

        def points(self) -> float:
            return sum(lost.values()) / len(lost)

    result = type("Result", (), {"title": "XNLI"})()
    return Points(result, result)


def test_the_score_is_held_in_every_language() -> None:
    loss = _loss({"en": -1.0, "hi": 2.5, "mr": 2.25, "th": 0.0, "de": 2.0})
    gate.hold_score(loss, None, "trim", "x")
    gate.hold_score(loss, 2, "trim", "x", per_language=2.5)
    gate.hold_score(_loss({"de": 2.0 + 1e-13}), None, "trim", "x", per_language=2)
    with pytest.raises(GateError) as raised:
        gate.hold_score(loss, 2, "trim", "raise coverage", per_language=2)
    assert str(raised.value).splitlines() == [
        "trim: 2 of 5 languages lose more points of XNLI than max_lost_per_language allows, 2",
        "lost, by script: Devanagari: hi 2.50, mr 2.25",
        "raise coverage",
    ]
