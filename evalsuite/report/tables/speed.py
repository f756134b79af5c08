"""Speed by batch size and length, and by language."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from evalsuite.report.figures.costs import in_pieces, percentile, sentences_in, timed
from evalsuite.report.figures.formatting import NONE, listed, number
from evalsuite.report.figures.names import language_name
from evalsuite.report.figures.scores import mean
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.speed import SpeedResult


def grid_table(systems: Sequence[System]) -> Table:
    """One row per system and batch size, one column per length; no rows without a grid."""
    groups = timed(systems)
    cells = [cell for _, speeds in groups for speed in speeds for cell in speed.grid]
    lengths = sorted({cell.length for cell in cells})
    sizes = sorted({cell.batch for cell in cells})
    rows = []
    for name, speeds in groups:
        shapes = {(c.batch, c.length) for speed in speeds for c in speed.grid}
        for size in sizes:
            if any((size, length) in shapes for length in lengths):
                grid_cells = tuple(_grid_cell(speeds, size, length) for length in lengths)
                rows.append(Row(Cell(name, sub=f"batch {size}"), grid_cells))
    repeats = sorted({len(cell.seconds) for cell in cells})
    notes = (
        "Sequences per second, and milliseconds per batch below: medians of "
        f"{_between(repeats)} repeats after one warm-up. There is no padding: sentences are "
        "joined and cut to the length.",
    )
    heads = tuple(Column(f"{length} tokens") for length in lengths)
    return Table("System", heads, tuple(rows), notes if rows else ())


def _grid_cell(speeds: Sequence[SpeedResult], size: int, length: int) -> Cell:
    """Means over a system's models."""
    shape = (size, length)
    times = [
        median(cell.seconds)
        for speed in speeds
        for cell in speed.grid
        if (cell.batch, cell.length) == shape
    ]
    if not times:
        return Cell(NONE)
    return Cell(number(mean(size / time for time in times)), sub=f"{_ms(mean(times))} ms")


def language_speed_table(systems: Sequence[System]) -> Table:
    """One row per language: sentences per second and milliseconds per sentence of each system."""
    groups = [(name, [s for s in speeds if s.languages]) for name, speeds in timed(systems)]
    groups = [(name, speeds) for name, speeds in groups if speeds]
    codes = sorted({code for _, speeds in groups for speed in speeds for code in speed.languages})
    tokens: dict[tuple[float | None, ...], list[str]] = {}
    for name, speeds in groups:
        tokens.setdefault(tuple(_tokens(speeds, code) for code in codes), []).append(name)
    columns = [
        Column("tokens per sentence", ", ".join(names) if len(tokens) > 1 else "")
        for names in tokens.values()
    ]
    for name, _ in groups:
        columns += [Column("sentences/s", name), Column("ms, p50", "batch\u00a01")]
    rows = []
    for index, code in enumerate(codes):
        cells = [Cell(number(profile[index])) for profile in tokens]
        for _, speeds in groups:
            cells += _language_cells([s for s in speeds if code in s.languages], code)
        name = language_name(code)
        rows.append(Row(Cell(name or code, sub=code if name else ""), tuple(cells), language=code))
    texts = listed(sorted({speed.text for _, speeds in groups for speed in speeds}))
    notes: tuple[str, ...] = (
        f"Sentences of each language from {texts}. Sentences/s: median over passes of "
        "length-sorted batches. p50: one sentence at a time. Where a vocabulary splits words into "
        "more pieces, a sentence takes longer.",
    )
    every = [speed for _, speeds in groups for speed in speeds]
    if in_pieces(every):
        several = "A sentence is a row of the task, which may be several sequences"
        notes += (f"{several}; p50 is of one sequence.",)
    if any(sentences_in(speed, code) is None for speed in every for code in speed.languages):
        notes += (
            "No sentences/s and no tokens per sentence are given of speeds from an older version "
            "that counted sequences.",
        )
    return Table("Language", tuple(columns), tuple(rows), notes if rows else ())


def _tokens(speeds: Sequence[SpeedResult], code: str) -> float | None:
    measured = [(s.languages[code], sentences_in(s, code)) for s in speeds if code in s.languages]
    return mean(m.tokens / count if count else None for m, count in measured)


def _language_cells(speeds: Sequence[SpeedResult], code: str) -> list[Cell]:
    measured = [(speed.languages[code], sentences_in(speed, code)) for speed in speeds]
    rates = mean(count / median(m.seconds) if count else None for m, count in measured)
    timed_alone = [m.latency_seconds for m, _ in measured if m.latency_seconds]
    middle = mean(percentile(samples, 50) for samples in timed_alone)
    return [Cell(number(rates)), Cell(_ms(middle))]


def _ms(seconds: float | None) -> str:
    return number(None if seconds is None else 1000 * seconds)


def _between(counts: Sequence[int]) -> str:
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(*counts)


def _parts(content: Content) -> list[Part]:
    by_shape, by_language = "Speed by batch size and length", "Speed by language"
    return [
        Part(grid_table(content.systems), label=by_shape, heading=by_shape, fold="open"),
        Part(
            language_speed_table(content.systems),
            label=by_language,
            heading=by_language,
            fold="open",
            look="languages",
        ),
    ]


TABLE = ReportTable("cost", order=61, parts=_parts)
