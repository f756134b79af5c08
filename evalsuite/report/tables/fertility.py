"""How the vocabularies split words, by language."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import digest, listed, percent
from evalsuite.report.figures.names import language_name
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.fertility import Fertility, FertilityResult


def fertility_table(results: Sequence[FertilityResult]) -> Table:
    """One row per language, then the mean; columns for each vocabulary."""
    vocabularies: dict[str, list[FertilityResult]] = {}
    for result in results:
        key = result.tokenizer_digest + result.data_digest
        vocabularies.setdefault(key, []).append(result)
    groups = list(vocabularies.values())
    codes = sorted({code for group in groups for code in group[0].languages})
    columns = []
    for group in groups:
        names = ", ".join(result.label for result in group)
        columns += [
            Column("subwords per word", names),
            Column("words split, %"),
            Column("unknown, %"),
        ]
    rows = []
    for code in codes:
        counts = [group[0].languages.get(code) for group in groups]
        name = language_name(code)
        cells = [cell for count in counts for cell in _cells(count)]
        rows.append(Row(Cell(name or code, sub=code if name else ""), tuple(cells), language=code))
    if rows:
        means = [cell for group in groups for cell in _means(list(group[0].languages.values()))]
        rows.append(Row(Cell("mean"), tuple(means), "mean"))
    texts = " and ".join(sorted({result.text for result in results}))
    notes = [
        f"Words of {texts}. Subwords per word show how many tokens a language needs. A word is "
        "unknown if one of its pieces is unknown."
    ]
    for group in groups:
        names = listed([result.label for result in group])
        tokenizer, words = (digest(d) for d in (group[0].tokenizer_digest, group[0].data_digest))
        notes.append(f"{names}: tokenizer {tokenizer}, words {words}.")
    return Table("Language", tuple(columns), tuple(rows), tuple(notes) if rows else ())


def _cells(count: Fertility | None) -> list[Cell]:
    if count is None or not count.words:
        return [Cell("–")] * 3
    return [
        Cell(f"{count.subwords_a_word:.2f}"),
        Cell(percent(100 * count.split / count.words)),
        Cell(percent(100 * count.unknown / count.words)),
    ]


def _means(counts: list[Fertility]) -> list[Cell]:
    """Unweighted, over languages."""
    counts = [count for count in counts if count.words]
    if not counts:
        return [Cell("–")] * 3
    size = len(counts)
    return [
        Cell(f"{sum(count.subwords_a_word for count in counts) / size:.2f}"),
        Cell(percent(sum(100 * count.split / count.words for count in counts) / size)),
        Cell(percent(sum(100 * count.unknown / count.words for count in counts) / size)),
    ]


def _parts(content: Content) -> list[Part]:
    table = fertility_table(content.run.fertility)
    return [Part(table, label="Subwords by language", look="languages")]


TABLE = ReportTable(
    "vocabulary",
    order=100,
    title="How the vocabulary splits words",
    short_title="Vocabulary",
    parts=_parts,
)
