"""Loss and dev scores of every training of the run, by step: one small chart per training."""

from __future__ import annotations

from evalsuite.report.charts.chart import TrainingChart
from evalsuite.report.figures.training import in_words, smoothed
from evalsuite.report.figures.worked_once import worked_once
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.results.training import TrainingCurve

MOST = 48  # charts; a page with hundreds of them opens slowly
_OPEN = 12  # charts that are shown without being unfolded, at most


def training_chart(title: str, curve: TrainingCurve) -> TrainingChart:
    """The chart of one training, which has at least one point."""
    names = dict.fromkeys(score.name for score in curve.scores)
    return TrainingChart(
        title,
        in_words(curve),
        tuple(zip(curve.steps, curve.losses, strict=True)),
        smoothed(curve.losses),
        tuple(
            (name, tuple((s.step, s.value) for s in curve.scores if s.name == name))
            for name in names
        ),
        curve.checkpoints,
        curve.resumed,
    )


def _parts(content: Content) -> list[Part]:
    curves = [
        (f"{stage.name} {curve.name}".strip(), curve)
        for stage in worked_once(content.run)
        for curve in stage.curves
        if curve.steps
    ]
    charts = tuple(training_chart(title, curve) for title, curve in curves[:MOST])
    rest = len(curves) - len(charts)
    return [
        Part(
            heading="Loss and dev scores",
            aside=f"{len(charts)} trainings" if len(charts) > 1 else "",
            fold="open" if len(charts) <= _OPEN else "closed",
            charts=charts,
            small=True,
            remark=f"Curves of {rest} more trainings are in report.json." if rest > 0 else "",
        )
    ]


TABLE = ReportTable(
    "training",
    order=105,
    title="Training curves",
    short_title="Training",
    introduction="Faint: the loss as it was logged. Strong: the same, smoothed. Squares: scores on "
    "dev rows, on the right. Ticks at the bottom: checkpoints. Dashed: the training had stopped "
    "and was resumed there.",
    parts=_parts,
)
