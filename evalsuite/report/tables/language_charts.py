"""Charts of the scores by language: one per task, all on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from evalsuite.languages import same_language
from evalsuite.report.charts.chart import LanguageChart, LanguageScores
from evalsuite.report.charts.pareto_charts import short_names
from evalsuite.report.figures.names import language_name, metric_name
from evalsuite.report.figures.scores import TaskColumn, intervals, language_means, mean, results_of
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable

MOST = 8  # systems in a chart, as many as there are markers


def language_charts(
    systems: Sequence[System], tasks: Sequence[TaskColumn]
) -> tuple[LanguageChart, ...]:
    """A chart per task with scores in two languages or more.

    Languages stand in the order of their mean over the systems, the source language first.
    """
    labels = short_names([system.name for system in systems])
    drawn = []
    for task in tasks:
        having = [
            (LanguageScores(system.name, label, i, scores, intervals(results_of(system, task))))
            for i, (system, label) in enumerate(zip(systems, labels, strict=True))
            if (scores := _scores(system, task))
        ][:MOST]
        if len({code for system in having for code in system.scores}) > 1:
            drawn.append((task, having))
    ends = [
        end
        for _, having in drawn
        for system in having
        for end in (*system.scores.values(), *(e for i in system.intervals.values() for e in i))
    ]
    if not ends:
        return ()
    span = 10.0 * floor(min(ends) / 10), 10.0 * max(ceil(max(ends) / 10), floor(min(ends) / 10) + 1)
    return tuple(_chart(systems, task, having, span) for task, having in drawn)


def _chart(
    systems: Sequence[System],
    task: TaskColumn,
    having: Sequence[LanguageScores],
    span: tuple[float, float],
) -> LanguageChart:
    results = [result for system in systems for result in results_of(system, task)]
    source = results[0].source_language
    codes = sorted({code for system in having for code in system.scores})
    first = same_language(source, codes)
    means = {code: mean(system.scores.get(code) for system in having) or 0.0 for code in codes}
    chance = {code: mean(result.chance.get(code) for result in results) for code in codes}
    return LanguageChart(
        title=task.name,
        x_label=f"{metric_name(task.metric)} (%)",
        languages=tuple(sorted(codes, key=lambda code: (code not in first, -means[code]))),
        names={code: language_name(code) or code for code in codes},
        systems=tuple(having),
        chance={code: guess for code, guess in chance.items() if guess is not None},
        span=span,
    )


def _scores(system: System, task: TaskColumn) -> dict[str, float]:
    """Means over the system's models, as in the table."""
    return dict(sorted(language_means(results_of(system, task), task.metric).items()))


def _parts(content: Content) -> list[Part]:
    charts = language_charts(content.systems, content.tasks)
    scored = [system for system in content.systems if system.scores]
    return [
        Part(
            charts=charts,
            small=True,
            in_markdown=False,
            remark=f"The charts show at most {MOST} systems each; the tables have all."
            if len(scored) > MOST
            else "",
        )
    ]


TABLE = ReportTable(
    "languages",
    order=79,
    title="Language by language",
    short_title="Languages",
    introduction="Charts of one scale, a row per language, the source language first. Thin lines: "
    "95% intervals. Upright lines: what guessing scores.",
    parts=_parts,
)
