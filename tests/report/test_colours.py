"""Colours of the report: both schemes give every variable, with contrast for texts and points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from math import dist
from pathlib import Path

import pytest
from report_fakes import run_of_three_systems

import evalsuite.report.output
from evalsuite.report.charts.chart import Curve, Curves, TrainingChart
from evalsuite.report.charts.draw_curves import draw as draw_curves
from evalsuite.report.charts.draw_points import draw as draw_points
from evalsuite.report.charts.draw_training import FAINT
from evalsuite.report.charts.draw_training import draw as draw_training
from evalsuite.report.charts.palette import COLOURS, VARIABLES
from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group

Matrix = Sequence[Sequence[float]]
STYLE = Path(evalsuite.report.output.__path__[0], "templates", "style.css").read_text("utf-8")
TEXTS = (
    ("ink", "paper"), ("soft", "paper"), ("soft", "pale"), ("link", "paper"),
    ("badge-ink", "badge"), ("embedded-ink", "embedded"), ("warning-ink", "warning"),
    ("chart-text", "paper"),
)  # fmt: skip
# What people without one kind of cone see, in linear RGB; severity 1.0 of table 1 of Machado,
# Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113.
VISION = {
    "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
APART = 6.0  # hundredths of the distance of two colours in Oklab
POINTS = ("c1", "c2", "c3", "c4", "c5", "e6", "e7")


def schemes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.S)
    values = [dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in (light, dark)]
    return {"light": values[0], "dark": values[1]}


def channels(colour: str) -> list[float]:
    digits = colour.removeprefix("#")
    digits = "".join(2 * c for c in digits) if len(digits) == 3 else digits
    return [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def linear(colour: list[float]) -> list[float]:
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]


def times(matrix: Matrix, values: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, values, strict=True)) for row in matrix]


def luminance(colour: list[float]) -> float:
    return times(((0.2126, 0.7152, 0.0722),), linear(colour))[0]


def seen(colour: list[float], vision: str) -> list[float]:
    """Oklab (https://bottosson.github.io/posts/oklab) of a colour as someone sees it."""
    shown = [min(1.0, max(0.0, c)) for c in times(VISION[vision], linear(colour))]
    cones = times(
        (
            (0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        ),
        shown,
    )  # fmt: skip
    return times(
        (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        ),
        [cone ** (1 / 3) for cone in cones],
    )


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


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_systems_differ_for_every_eye(scheme: str, vision: str) -> None:
    colours = schemes()[scheme]
    points = [seen(channels(colours[f"c{i}"]), vision) for i in range(1, len(COLOURS) + 1)]
    assert 100 * min(dist(one, other) for one, other in combinations(points, 2)) >= APART


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_loss_as_it_was_logged_can_be_seen(scheme: str) -> None:
    line, paper = (channels(schemes()[scheme][name]) for name in ("c1", "paper"))
    faint = [FAINT * a + (1 - FAINT) * b for a, b in zip(line, paper, strict=True)]
    assert 1.8 < contrast(faint, paper) < contrast(line, paper) - 1


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
    assert re.search(r'<path id="[^"]*" d="M 0 0 +L 0 -\d', drawn[2])  # a tick above the axis
