"""Scores by language, one table per task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.report.figures.formatting import NONE, between, percent, points, small_number
from evalsuite.report.figures.names import language_and_code, language_name, metric_name
from evalsuite.report.figures.scores import (
    TaskColumn,
    by_model,
    intervals,
    language_means,
    mean,
    results_of,
    source_score,
    transfer_gap,
    zero_shot,
)
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.report.tables._agreement import comparison_table
from evalsuite.results.numbers import is_percent
from evalsuite.results.task import TaskResult

SHADES = 9


@dataclass(frozen=True, slots=True)
class LanguageSection:
    """The tables of one task: the main metric by language, other metrics, and a comparison."""

    title: str
    metric: str
    table: Table
    others: Table | None
    comparison: Table | None
    absent: str
    left_out: str
    unlabelled: str


def language_section(systems: Sequence[System], task: TaskColumn) -> LanguageSection:
    """The tables of one task, over the systems that have it."""
    having = [system for system in systems if results_of(system, task)]
    absent = absent_languages(having, task)
    return LanguageSection(
        title=task.name,
        metric=metric_name(task.metric),
        table=language_table(having, task),
        others=other_metrics(having, task),
        comparison=comparison_table(having, task),
        absent=", ".join(language_and_code(code) for code in absent),
        left_out=", ".join(rows_left_out(having, task)),
        unlabelled=", ".join(labels_without_gold(having, task)),
    )


def absent_languages(systems: Sequence[System], task: TaskColumn) -> list[str]:
    """Languages that the benchmark lists and the source has no rows of."""
    results = [result for system in systems for result in results_of(system, task)]
    return sorted({code for result in results for code in result.absent_languages})


def rows_left_out(systems: Sequence[System], task: TaskColumn) -> list[str]:
    """`German (de) 3 (no gold label)`, one per language and reason."""
    results = [result for system in systems for result in results_of(system, task)]
    found = {
        (code, reason): count
        for result in results
        for code, reasons in result.left_out.items()
        for reason, count in reasons.items()
    }
    return [
        f"{language_and_code(code)} {count:,} ({reason})"
        for (code, reason), count in sorted(found.items())
    ]


def labels_without_gold(systems: Sequence[System], task: TaskColumn) -> list[str]:
    """`Afrikaans (af) surprise`, one per language whose rows do not tell of some labels."""
    results = [result for system in systems for result in results_of(system, task)]
    found = {code: labels for result in results for code, labels in result.unlabelled.items()}
    return [f"{language_and_code(code)} {' '.join(found[code])}" for code in sorted(found)]


def absent_sentences(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> list[str]:
    """`XNLI: the data has no rows for el, th.`, one per task that lacks any."""
    absent = {task.name: absent_languages(systems, task) for task in tasks}
    return [
        f"{name}: the data has no rows for {', '.join(codes)}."
        for name, codes in absent.items()
        if codes
    ]


def language_table(systems: Sequence[System], task: TaskColumn) -> Table:
    """Rows: the source language, the others, their mean, the transfer gap. Columns: systems."""
    by_system = [results_of(system, task) for system in systems]
    everything = [result for results in by_system for result in results]
    source, first = everything[0].source_language, everything[0]
    scored = [language_means(of_system, task.metric) for of_system in by_system]
    certain = [intervals(of_system) for of_system in by_system]
    codes = sorted(set().union(*scored))
    guesses = {code: mean(r.chance.get(code) for r in everything) for code in codes}
    top = max((value for means in scored for value in means.values()), default=0.0)
    rows = []
    for code in sorted(codes, key=lambda c: (c != source, first.is_zero_shot(c), c)):
        guess = guesses[code]
        cells = [
            Cell(
                percent(means.get(code)),
                sub=between(within.get(code)),
                shade=shade(means.get(code), guess or 0.0, top),
            )
            for means, within in zip(scored, certain, strict=True)
        ]
        rows.append(
            Row(
                Cell(language_name(code) or code, sub=code if language_name(code) else ""),
                (*cells, Cell(percent(guess)), Cell(_examples(everything, code))),
                "" if first.is_zero_shot(code) else "source",
                code,
            )
        )
    others = [guess for code, guess in guesses.items() if first.is_zero_shot(code)]
    models = [by_model(of_system) for of_system in by_system]
    zero_shots = [mean(zero_shot(own, task.metric) for own in each) for each in models]
    gaps = [mean(transfer_gap(own, task.metric) for own in each) for each in models]
    rows.append(
        Row(
            Cell("zero-shot mean"),
            (
                *(Cell(percent(value)) for value in zero_shots),
                Cell(percent(mean(others))),
                Cell(""),
            ),
            "mean",
        )
    )
    rows.append(
        Row(
            Cell("transfer gap"),
            (*(Cell(points(g) or NONE) for g in gaps), Cell(""), Cell("")),
            "aside",
        )
    )
    heads = [
        Column(system.name, f"mean of {len(each)} models" if len(each) > 1 else "")
        for system, each in zip(systems, models, strict=True)
    ]
    return Table("Language", (*heads, Column("chance"), Column("rows")), tuple(rows))


def other_metrics(systems: Sequence[System], task: TaskColumn) -> Table | None:
    """Metrics other than the main one: zero-shot mean and source score; None without any."""
    by_system = [results_of(system, task) for system in systems]
    everything = [result for results in by_system for result in results]
    names = dict.fromkeys(n for r in everything for n in r.metrics if n != r.main_metric)
    if not names:
        return None
    source = everything[0].source_language
    heads: list[Column] = []
    for name in names:
        heads += [Column(metric_name(name), "zero-shot mean"), Column(metric_name(name), source)]
    rows = [
        Row(
            Cell(system.name),
            tuple(
                Cell(percent(value) if is_percent(name) else small_number(value))
                for name in names
                for value in (
                    mean(zero_shot(own, name) for own in by_model(of_system)),
                    mean(source_score(own, name) for own in by_model(of_system)),
                )
            ),
        )
        for system, of_system in zip(systems, by_system, strict=True)
    ]
    return Table("System", tuple(heads), tuple(rows))


def shade(value: float | None, low: float, high: float) -> int:
    """0 (at chance or below) to 9 (the table's best)."""
    if value is None or value <= low or high <= low:
        return 0
    return min(SHADES, round(SHADES * (value - low) / (high - low)))


def _examples(results: Sequence[TaskResult], code: str) -> str:
    counts = sorted({result.examples[code] for result in results if code in result.examples})
    return " to ".join(f"{n:,}" for n in {counts[0]: 0, counts[-1]: 0}) if counts else NONE


def _parts(content: Content) -> list[Part]:
    return [_part(language_section(content.systems, task)) for task in content.tasks]


def _part(section: LanguageSection) -> Part:
    title, below = section.title, []
    if section.others:
        label = f"Other metrics of {title}"
        below.append(Part(section.others, label, label, markdown_line="Other metrics:"))
    if section.comparison:
        below.append(
            Part(
                section.comparison,
                label=f"Models compared with the first of the stage on {title}",
                heading=f"{title}: compared with the first model of the stage",
                markdown_line="Compared with the first model of the stage:",
            )
        )
    return Part(
        section.table,
        label=f"{title} by language",
        heading=title,
        aside=f"{section.metric}, %",
        markdown_line=f"### {title} ({section.metric})",
        remark=" ".join(
            f"{said}: {names}."
            for said, names in (
                ("No rows for", section.absent),
                ("Rows left out", section.left_out),
                ("Labels without gold, which are not scored", section.unlabelled),
            )
            if names
        ),
        fold="open",
        look="languages",
        below=tuple(below),
    )


TABLE = ReportTable("languages", order=80, parts=_parts)
