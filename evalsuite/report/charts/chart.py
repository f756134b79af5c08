"""What a chart of the report shows, before it is drawn: points, scores by language, or curves.

>>> Curves("Retrieval", "Layer", "Found (%)", (Curve("base", (1.0, 9.5)),)).description
'Found (%) against Layer. base: 1.00, 9.50.'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evalsuite.report.figures.formatting import between, listed, number, percent

MOST_LABELS = 40  # of a chart; more have no room, and finding them places takes seconds


@dataclass(frozen=True, slots=True)
class Point:
    """A system in a chart; `style` is its place in the run, so that it looks alike in all."""

    name: str
    label: str  # the name, made short
    x: float
    y: float
    style: int
    partial: bool = False  # over fewer tasks or on other rows: drawn hollow, never on the front
    interval: tuple[float, float] | None = None  # 95%, of y


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot: y in percent, x on a log axis."""

    title: str
    caption: str
    x_label: str
    y_label: str
    points: tuple[Point, ...]
    front: tuple[int, ...]  # indices of `points`, by rising x
    group: str = ""  # the heading it stands under with others like it, drawn small
    line: tuple[tuple[float, float], tuple[float, float]] | None = None  # fitted: its two ends

    @property
    def labelled(self) -> tuple[int, ...]:
        """Indices of the points with a label: the front, then the first others, 40 in all."""
        order = sorted(range(len(self.points)), key=lambda i: (i not in self.front, i))
        return tuple(order[: max(MOST_LABELS, len(self.front))])

    @property
    def not_labelled(self) -> str:
        """A sentence on the points without a label; empty where there are none."""
        if len(self.labelled) == len(self.points):
            return ""
        counts = f"{len(self.labelled)} of {len(self.points)} systems"
        return f"{counts} have a label; the mouse on a point shows its system."

    @property
    def description(self) -> str:
        """What the plot shows, in words."""
        systems = [f"{p.name} {number(p.x)}, {percent(p.y)}" for p in self.points]
        text = f"{self.y_label} against {self.x_label}. {'; '.join(systems)}. "
        if self.line is not None:
            (low, at_low), (high, at_high) = self.line
            ends = f"{percent(at_low)} at {number(low)} to {percent(at_high)} at {number(high)}"
            return f"{text}Fitted line: {ends}."
        best = listed([self.points[i].name for i in self.front])
        return f"{text}On the Pareto front: {best or 'none'}."

    def words(self, point: Point) -> str:
        """What a point shows, a line each: its system, its score with the interval, and x."""
        interval = f" ({between(point.interval)})" if point.interval else ""
        x_label = self.x_label.replace(", log scale", "")
        y = f"{self.y_label}: {percent(point.y)}{interval}"
        return f"{point.name}\n{y}\n{x_label}: {number(point.x)}"


@dataclass(frozen=True, slots=True)
class LanguageScores:
    """A system in a chart by language; `style` as in `Point`, all in percent."""

    name: str
    label: str
    style: int
    scores: Mapping[str, float]  # language -> score
    intervals: Mapping[str, tuple[float, float]]  # 95%, where known


@dataclass(frozen=True, slots=True)
class LanguageChart:
    """The scores of systems on one task, a row per language.

    Attributes:
        languages: codes, top row first.
        names: code -> what the row is called.
        chance: what guessing scores, by language.
        span: the ends of the x axis, which charts of one report share.
    """

    title: str
    x_label: str
    languages: tuple[str, ...]
    names: Mapping[str, str]
    systems: tuple[LanguageScores, ...]
    chance: Mapping[str, float]
    span: tuple[float, float]
    caption: str = ""

    @property
    def description(self) -> str:
        """What the plot shows, in words."""
        systems = listed([system.name for system in self.systems])
        ends = []
        for system in self.systems[:1]:
            present = [code for code in self.languages if code in system.scores]
            best, worst = (f(present, key=system.scores.__getitem__) for f in (max, min))
            ends = [f"{self.names[c]} {percent(system.scores[c])}" for c in (best, worst)]
        return (
            f"{self.title}, {self.x_label}, by language: {systems}. "
            f"{self.systems[0].name}: from {ends[0]} to {ends[1]}. The table below has all scores."
        )

    def words(self, system: LanguageScores, code: str) -> str:
        """What a point shows, a line each: its system, and the score with its interval."""
        interval = between(system.intervals.get(code))
        score = percent(system.scores[code]) + (f" ({interval})" if interval else "")
        return f"{system.name}\n{self.title}, {self.names[code]}: {score}"


@dataclass(frozen=True, slots=True)
class Curve:
    """One line; `values[k]` stands at k."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TrainingChart:
    """The loss of one training by step, its scores on dev rows, and what happened to it.

    Attributes:
        points: (step, loss).
        smooth: the losses, smoothed.
        scores: name -> (step, score).
        checkpoints: steps after which one was saved.
        resumed: steps from which the training went on after it was stopped.
    """

    title: str
    caption: str
    points: tuple[tuple[int, float], ...]
    smooth: tuple[float, ...]
    scores: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]
    checkpoints: tuple[int, ...]
    resumed: tuple[int, ...]

    @property
    def description(self) -> str:
        """What the plot shows, in words."""
        return "Loss and dev scores against steps." if self.scores else "Loss against steps."


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines over one axis."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    caption: str = ""

    @property
    def description(self) -> str:
        """What the plot shows, in words."""
        curves = [f"{c.name}: {', '.join(number(v) for v in c.values)}" for c in self.curves]
        return f"{self.y_label} against {self.x_label}. {'; '.join(curves)}."

    def words(self, curve: Curve, place: int) -> str:
        """What a point of a curve shows, a line each."""
        x = f"{self.x_label.partition(' (')[0]} {place}"
        return f"{curve.name}\n{x}\n{self.y_label}: {number(curve.values[place])}"


@dataclass(frozen=True, slots=True)
class SizeLine:
    """Models by rising size, with their scores; `style` is the line's place in the chart.

    Attributes:
        systems: names of the models.
        sizes: in MB.
        scores: of each model, language -> score.
        joined: a line joins them.
    """

    name: str
    systems: tuple[str, ...]
    sizes: tuple[float, ...]
    scores: tuple[Mapping[str, float], ...]
    joined: bool


@dataclass(frozen=True, slots=True)
class SizeChart:
    """A small plot per language, of scores against size on a log axis.

    Attributes:
        languages: codes, in the order of the plots.
        names: code -> what the plot is called.
        span: the ends of all y axes.
    """

    title: str
    y_label: str
    languages: tuple[str, ...]
    names: Mapping[str, str]
    lines: tuple[SizeLine, ...]
    span: tuple[float, float]
    caption: str = ""

    @property
    def description(self) -> str:
        """What the plots show, in words."""
        parts = []
        for line in self.lines:
            sizes = ", ".join(f"{number(size)} MB" for size in line.sizes)
            parts.append(f"{line.name}: {sizes}")
        return f"{self.title}, {self.y_label}. {'; '.join(parts)}. The table below has the scores."

    def words(self, line: SizeLine, place: int, code: str) -> str:
        """What a point shows, a line each: its model, its score, and its size."""
        score = percent(line.scores[place][code])
        return f"{line.systems[place]}\n{self.names[code]}: {score}\n{number(line.sizes[place])} MB"


AnyChart = Chart | LanguageChart | Curves | TrainingChart | SizeChart
