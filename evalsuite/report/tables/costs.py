"""The cost table: size, speed and memory of each system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evalsuite.report.figures.costs import (
    PERCENTILES,
    Cost,
    Setting,
    compared,
    costs,
    in_pieces,
    threads,
)
from evalsuite.report.figures.formatting import listed, megabytes, millions, number, percent
from evalsuite.report.figures.machines import by_machine
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.speed import SpeedResult


def cost_tables(systems: Sequence[System]) -> tuple[tuple[str, Table], ...]:
    """One table per machine that measured speeds, with its name; a single machine has no name."""
    return tuple((name, cost_table(measured)) for name, measured in by_machine(systems))


def cost_table(systems: Sequence[System]) -> Table:
    """One row per system (and setting, where speeds were measured in several)."""
    all_costs = costs(systems)
    several = len({c.setting for c in all_costs if c.setting}) > 1
    measured = any(c.setting for c in all_costs)
    heads = [
        Column("Size", "MB"),
        Column("Tokenizer", "MB"),
        Column("Parameters", "M, without embeddings"),
        Column("Embeddings", "M"),
    ]
    if measured:
        heads += [
            Column("Throughput", "sentences/s"),
            *(Column(f"p{q}", "ms, batch\u00a01") for q in PERCENTILES),
            Column("Load", "s"),
            Column("Memory", "MB above baseline"),
            Column("Tokenizer load", "s"),
            Column("Tokenizer memory", "MB"),
            Column("Share of peak", "%, largest batch"),
        ]
    if any(cost.joules is not None for cost in all_costs):
        heads.append(Column("Energy", "mJ per sentence"))
    rows = []
    for cost in all_costs:
        name = f"{cost.system}, {cost.setting}" if several and cost.setting else cost.system
        first = _reference(cost, all_costs)
        cells = _size_cells(cost, first) + (_speed_cells(cost, first) if measured else [])
        if len(cells) < len(heads):
            cells.append(Cell(number(None if cost.joules is None else 1000 * cost.joules)))
        rows.append(Row(Cell(name), tuple(cells)))
    notes = _notes(all_costs, measured, several)
    speeds = [speed for system in systems for speed in system.speeds]
    if in_pieces(speeds):
        notes.append(
            "A sentence is a row of the task. Some rows are several sequences: windows of a long "
            "text, or one for each choice. Throughput and energy count rows; latency is of one "
            "sequence."
        )
    return Table("System", tuple(heads), tuple(rows), (*notes, *_peak_notes(speeds)))


def _reference(cost: Cost, all_costs: Sequence[Cost]) -> Cost | None:
    """The first system in the same setting; None for itself."""
    first = next((c for c in all_costs if c.setting == cost.setting or not cost.setting), None)
    if first is None or first.system != all_costs[0].system or first is cost:
        return None
    return first


def _size_cells(cost: Cost, first: Cost | None) -> list[Cell]:
    smaller = compared(first.bytes, cost.bytes, "smaller", "larger") if first else ""
    return [
        Cell(megabytes(cost.bytes), sub=smaller),
        Cell(megabytes(cost.tokenizer_bytes)),
        Cell(millions(cost.parameters - cost.embedding_parameters)),
        Cell(millions(cost.embedding_parameters)),
    ]


def _speed_cells(cost: Cost, first: Cost | None) -> list[Cell]:
    rate = cost.sentences_per_second
    faster = ""
    if first is not None and first.texts == cost.texts and rate and first.sentences_per_second:
        faster = compared(first.sentences_per_second, rate, "slower", "faster")
    return [
        Cell(number(rate), sub=faster),
        *(Cell(number(cost.latency_ms.get(q))) for q in PERCENTILES),
        Cell(number(cost.load_seconds)),
        Cell(megabytes(cost.memory), sub=cost.limit),
        Cell(number(cost.tokenizer_load_seconds)),
        Cell(megabytes(cost.tokenizer_memory)),
        Cell(
            percent(cost.peak_share),
            sub="" if cost.text_peak_share is None else f"{percent(cost.text_peak_share)} on text",
        ),
    ]


def _peak_notes(speeds: Sequence[SpeedResult]) -> list[str]:
    """How the shares and the energy were measured, or why there are none."""
    if not speeds:
        return []
    notes = []
    peaks = {speed.peak.model_dump_json(): speed.peak for speed in speeds if speed.peak}
    measured = [
        f"{peak.precision} {number(peak.operations_a_second() / 1e9)} GFLOP/s on "
        f"{threads(peak.threads)} ({peak.best().program}, size {peak.best().size})"
        for peak in peaks.values()
    ]
    if measured:
        notes.append(
            f"Peak: the fastest matrix product measured on this machine, {listed(measured)}. "
            "Share: the operations of a model's matrix products over the time it takes, on the "
            "largest batch of the grid, and on real text without the padding."
        )
    others = {
        f"{speed.model.label} ({speed.model.precision}) against {speed.peak.precision}"
        for speed in speeds
        if speed.peak and speed.peak.precision != speed.model.precision
    }
    if others:
        notes.append(
            "Weights stored in one precision and multiplied in another are compared with the peak "
            f"of the latter: {listed(sorted(others))}."
        )
    without = {speed.model.label for speed in speeds if speed.peak is None}
    if without:
        notes.append(
            f"No peak is measured for the precision or device of {listed(sorted(without))}."
        )
    if any(p.joules is not None for speed in speeds for p in speed.throughput):
        notes.append(
            "Energy: median over the same passes, of the whole processor, other programs included."
        )
    else:
        notes.append(
            "Energy was not measured: no counter (RAPL) can be read here. Virtual machines have "
            "none, and most systems let only root read it."
        )
    return notes


def _notes(all_costs: Sequence[Cost], measured: bool, several: bool) -> list[str]:
    if not all_costs:
        return []
    notes = ["1 MB is 10⁶ bytes. Size is weights and graph on disk."]
    counts = {c.models for c in all_costs}
    if counts != {1}:
        each = f"the {max(counts)} models" if len(counts) == 1 else "the models"
        counted = dict.fromkeys(f"{c.system} ({c.models})" for c in all_costs if c.models > 1)
        names = "" if len(counts) == 1 else f": {listed(list(counted))}"
        notes.append(f"Each figure is the mean over {each} of a system{names}.")
    if not measured:
        return [*notes, "No speeds were measured in this run."]
    where = listed(list(dict.fromkeys(str(c.setting) for c in all_costs if c.setting)))
    notes.append(
        f"Measured with {where}. Throughput: median over passes of length-sorted batches. "
        "Latency: one sentence at a time, after a warm-up. Load: median. "
        "Memory: peak of the measuring process minus its memory before the model was opened; it "
        "reads token ids. The tokenizer is opened in another process, and its memory comes on top."
    )
    if any(c.limit for c in all_costs):
        notes.append(
            "A limit of memory is compared with the peak after the whole text was run; the figures "
            "of a model that does not fit were measured without the limit."
        )
    if fewer := _partly_timed(all_costs):
        notes.append(f"Speed and memory are over fewer models: {listed(fewer)}.")
    texts = {(c.setting.text, c.texts) for c in all_costs if c.setting}
    if len(texts) > len({text for text, _ in texts}):  # not only texts with rows for themselves
        notes.append(
            "Not all systems were timed on the same text: "
            + "; ".join(f"{c.system}: {', '.join(sorted(c.texts))}" for c in all_costs if c.texts)
            + ". Factors are given only between systems timed on the same text."
        )
    return notes


def _partly_timed(all_costs: Sequence[Cost]) -> list[str]:
    """`teacher (1 of 2)`: systems of which some model was timed on no text of a setting."""
    timed: dict[tuple[str, int, Setting], set[str]] = {}
    for c in all_costs:
        if c.setting:
            key = c.system, c.models, replace(c.setting, text="")
            timed.setdefault(key, set()).update(c.timed)
    return list(
        dict.fromkeys(
            f"{system} ({len(labels)} of {models})"
            for (system, models, _), labels in timed.items()
            if len(labels) < models
        )
    )


def _parts(content: Content) -> list[Part]:
    return [
        Part(
            table,
            label="Cost of each system" + (f" on {machine}" if machine else ""),
            heading=f"On {machine}" if machine else "",
            look="costs",
        )
        for machine, table in cost_tables(content.systems)
    ]


TABLE = ReportTable(
    "cost", order=60, title="Cost", if_empty="Nothing was measured in this run.", parts=_parts
)
