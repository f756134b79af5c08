"""How much cross-lingual alignment is kept: by language, and every measure by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.report.charts.chart import Curve, Curves
from evalsuite.report.figures.alignment import as_deep, by_layer
from evalsuite.report.figures.formatting import digest, percent
from evalsuite.report.figures.names import language_name
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.alignment import AlignmentResult

MEASURES = (
    ("retrieval", "Retrieval", "Translation is the nearest sentence (%)"),
    ("above", "Cosine", "Cosine of translations minus that of other pairs"),
    ("rank_consistency", "Ranking consistency", "RankC, first ten (%)"),
    ("cka", "Similarity to the base", "Linear CKA with the base's layer at the same depth"),
)


@dataclass(frozen=True, slots=True)
class AlignmentSection:
    """The models measured by one stage, on the same sentences."""

    retention: Table
    layers: Table
    curves: tuple[Curves, ...]


def alignment_sections(results: Sequence[AlignmentResult]) -> tuple[AlignmentSection, ...]:
    """One section per base and text."""
    groups: dict[tuple[str, str, str], list[AlignmentResult]] = {}
    for result in results:
        groups.setdefault((result.base, result.data_digest, result.pooling), []).append(result)
    return tuple(_section(group) for group in groups.values())


def _section(group: list[AlignmentResult]) -> AlignmentSection:
    return AlignmentSection(
        retention_table(group),
        layer_table(group),
        tuple(
            Curves(
                title,
                "Layer (0: embeddings)",
                label,
                tuple(Curve(r.model.label, by_layer(r, name)) for r in group),
            )
            for name, title, label in MEASURES
        ),
    )


def retention_table(group: Sequence[AlignmentResult]) -> Table:
    """Retrieval at the depth of the base's best layer, and the share of the base's value.

    One row per language, then the mean.
    """
    base = next((r for r in group if r.model.label == r.base), group[0])
    best, _ = base.best()
    layers = [as_deep(result, best) for result in group]
    rows = []
    for code in sorted(base.languages):
        before = base.languages[code].retrieval[best]
        cells = [
            _kept(result.languages[code].retrieval[layer], before, result is base)
            for result, layer in zip(group, layers, strict=True)
        ]
        name = language_name(code)
        pairs = Cell(f"{base.examples[code]:,}")
        rows.append(
            Row(Cell(name or code, sub=code if name else ""), (*cells, pairs), language=code)
        )
    before = base.mean("retrieval")[best]
    cells = [
        _kept(result.mean("retrieval")[layer], before, result is base)
        for result, layer in zip(group, layers, strict=True)
    ]
    rows.append(Row(Cell("mean"), (*cells, Cell("")), "mean"))
    heads = [
        Column(result.model.label, f"layer {layer} of {len(result.base_layers) - 1}")
        for result, layer in zip(group, layers, strict=True)
    ]
    return Table(
        "Language", (*heads, Column("pairs")), tuple(rows), tuple(_notes(group, base, best))
    )


def _kept(after: float, before: float, is_base: bool) -> Cell:
    kept = "" if is_base or before <= 0 else f"{100 * after / before:.0f}% kept"
    return Cell(percent(after), sub=kept)


def _notes(group: Sequence[AlignmentResult], base: AlignmentResult, best: int) -> list[str]:
    notes = [
        "Share of sentences whose nearest English sentence is their translation (cosine, "
        f"{base.pooling} pooling), on {base.text} "
        f"({base.source}, data {digest(base.data_digest)}). Measured at "
        f"the layer where {base.base} is best, other than its embeddings, and at the layer "
        "nearest in depth in the other models. Kept: the share of the base's value."
    ]
    before = base.mean("retrieval")[best]
    for result in group:
        layer, value = result.best()
        if result is not base and layer != as_deep(result, best) and before > 0:
            notes.append(
                f"{result.model.label} is best at layer {layer}: {percent(value)}, "
                f"{100 * value / before:.0f}% of the base's."
            )
    return notes


def layer_table(group: Sequence[AlignmentResult]) -> Table:
    """One row per model and layer: means over languages."""
    heads = (
        Column("retrieval", "%"),
        Column("translations", "cosine"),
        Column("other pairs", "cosine"),
        Column("RankC", "%"),
        Column("CKA", f"to {group[0].base}"),
    )
    rows = []
    for result in group:
        near, far, cka = (result.mean(name) for name in ("pair_cosine", "other_cosine", "cka"))
        retrieval, ranks = result.mean("retrieval"), result.mean("rank_consistency")
        for k in range(len(result.base_layers)):
            cells = (
                Cell(percent(retrieval[k])),
                Cell(f"{near[k]:z.2f}"),
                Cell(f"{far[k]:z.2f}"),
                Cell(percent(ranks[k])),
                Cell(f"{cka[k]:z.2f}"),
            )
            rows.append(Row(Cell(f"{result.model.label}, layer {k}"), cells))
    return Table("Model", heads, tuple(rows))


def _parts(content: Content) -> list[Part]:
    parts = []
    for section in alignment_sections(content.run.alignment):
        parts += [
            Part(charts=section.curves, in_markdown=False),
            Part(
                section.retention,
                label="Retrieval by language, and the share that is kept",
                look="languages",
            ),
            Part(
                section.layers,
                label="Measures of alignment by layer",
                heading="Layer by layer",
                aside="means over languages",
                markdown_line="Layer by layer, means over languages:",
                fold="closed",
            ),
        ]
    return parts


TABLE = ReportTable(
    "alignment",
    order=90,
    title="How much cross-lingual alignment is kept",
    short_title="Alignment",
    parts=_parts,
)
