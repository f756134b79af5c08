"""Colours of the report: both schemes give every variable, with contrast for texts and points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report_fakes import run_of_three_systems

import evalsuite.report.output
from evalsuite.report.charts.chart import Curve, Curves, TrainingChart
from evalsuite.report.charts.draw_curves import draw as draw_curves
from evalsuite.report.charts.draw_points import draw as draw_points
from evalsuite.report.charts.draw_training import draw as draw_training
from evalsuite.report.charts.palette import COLOURS, VARIABLES
from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group

STYLE = Path(evalsuite.report.output.__path__[0], "templates", "style.css").read_text("utf-8")
TEXTS = (
    ("ink", "paper"), ("soft", "paper"), ("soft", "pale"), ("link", "paper"),
    ("badge-ink", "badge"), ("embedded-ink", "embedded"), ("warning-ink", "warning"),
    ("chart-text", "paper"),
)  # fmt: skip
POINTS = ("c1", "c2", "c3", "c4", "c5", "e6", "e7")


def schemes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.S)
    values = [dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in (light, dark)]
    return {"light": values[0], "dark": values[1]}


def channels(colour: str) -> list[float]:
    digits = colour.removeprefix("#")
    digits = "".join(2 * c for c in digits) if len(digits) == 3 else digits
    return [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def luminance(colour: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: list[float], other: list[float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_schemes_have_the_same_variables_and_every_one_of_the_charts() -> None:
    found = schemes()
    assert set(found["light"]) == set(found["dark"])
    assert {name.removeprefix("--") for name in VARIABLES.values()} <= set(found["light"])
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) <= set(found["light"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_points_have_enough_contrast(scheme: str) -> None:
    """WCAG 2.2, level AA: 4.5 for texts, 3 for what is drawn."""
    colours = schemes()[scheme]
    hexes = {name: channels(value) for name, value in colours.items() if value[0] == "#"}
    for text, ground in TEXTS:
        assert contrast(hexes[text], hexes[ground]) >= 4.5, (text, ground)
    for point in POINTS:
        assert contrast(hexes[point], hexes["paper"]) >= 3, point
    bluest = max(float(part) for part in re.findall(r"var\(--shade\) / (\.\d+)\)", STYLE))
    blue = [int(part) / 255 for part in colours["shade"].split()]
    cell = [bluest * b + (1 - bluest) * p for b, p in zip(blue, hexes["paper"], strict=True)]
    assert contrast(hexes["soft"], cell) >= 4.5


def test_drawings_hold_no_fixed_colour() -> None:
    run = run_of_three_systems()
    curves = tuple(Curve(f"m{i}", (1.0, 2.0 + i)) for i in range(len(COLOURS)))
    trained = TrainingChart(
        "t", "", ((1, 2.0), (2, 1.0)), (2.0, 1.5), (("dev", ((2, 50.0),)),), (2,), (1,)
    )
    drawn = [
        draw_points(charts(group(run), columns(run.scores))[0], "a"),
        draw_curves(Curves("", "x", "y", curves), "b"),
        draw_training(trained, "c"),
    ]
    for svg in drawn:
        assert not re.findall(r"#[0-9a-fA-F]{6}|rgb\(", svg)
        assert svg.count("var(--") > 5
    assert all(f"--c{i}" in drawn[1] for i in range(1, 8))
    assert drawn[1].count("<title>") == 2 * len(COLOURS)
    assert "<title>dev, step 2: 50.0</title>" in drawn[2]
