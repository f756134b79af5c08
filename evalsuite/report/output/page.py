"""Put the report's sections together and write its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.catalog import Catalogue
from evalsuite.report.charts.chart import AnyChart, Curves, LanguageChart, SizeChart, TrainingChart
from evalsuite.report.figures.headline import headline
from evalsuite.report.figures.seeds import seed_sentence
from evalsuite.report.figures.sources import badge, mix_warning
from evalsuite.report.figures.verdict import headline_systems, verdict
from evalsuite.report.output.summary import summary
from evalsuite.report.output.templating import template
from evalsuite.report.section import Content, ReportTable, Section, make_sections
from evalsuite.report.tables.costs import cost_tables
from evalsuite.report.tables.languages import absent_sentences
from evalsuite.report.tables.scores import main_table
from evalsuite.results.run import RunRecord

if TYPE_CHECKING:
    from markupsafe import Markup

TABLES: Catalogue[ReportTable] = Catalogue(
    "evalsuite.report.tables", "report table", attribute="TABLE"
)


@dataclass(frozen=True, slots=True)
class Page:
    """All that a template prints."""

    run: RunRecord
    badge: str
    warning: str
    headline: str
    seed: str
    sections: tuple[Section, ...]


def page(run: RunRecord) -> Page:
    """Compute every section of the report: those of the files in `tables/`."""
    content = Content.of(run)
    tables = [TABLES.get(name) for name in TABLES.names()]
    return Page(
        run=run,
        badge=badge(run),
        warning=mix_warning(run),
        headline=headline(headline_systems(content.systems, run.search), content.tasks),
        seed=seed_sentence(run),
        sections=tuple(make_sections(tables, content)),
    )


def html(page: Page) -> str:
    """The report as one HTML file that needs nothing else."""
    return template("report.html.j2").render(page=page, draw=_drawer())


def _drawer() -> Callable[[AnyChart], Markup]:
    """Draws each chart of a page with ids that no other chart has."""
    from markupsafe import Markup

    from evalsuite.report.charts import (
        draw_curves,
        draw_languages,
        draw_points,
        draw_sizes,
        draw_training,
    )

    numbers = count(1)

    def draw(chart: AnyChart) -> Markup:
        prefix = f"chart{next(numbers)}"
        # Our own SVG: what it quotes of the run is escaped where it is drawn.
        if isinstance(chart, Curves):
            return Markup(draw_curves.draw(chart, prefix))
        if isinstance(chart, LanguageChart):
            return Markup(draw_languages.draw(chart, prefix))
        if isinstance(chart, TrainingChart):
            return Markup(draw_training.draw(chart, prefix))
        if isinstance(chart, SizeChart):
            return Markup(draw_sizes.draw(chart, prefix))
        return Markup(draw_points.draw(chart, prefix))

    return draw


def markdown(page: Page) -> str:
    """The same tables as Markdown."""
    return template("report.md.j2").render(page=page).rstrip() + "\n"


def short_text(page: Page) -> str:
    """The report in a few lines of plain text: `summary.txt`."""
    content = Content.of(page.run)
    search = page.run.search
    sentences = [page.headline, verdict(search)] if search else [page.headline]
    scores = main_table(content.systems, content.tasks)
    text = summary(page.badge, sentences, scores, cost_tables(content.systems))
    absent = absent_sentences(content.systems, content.tasks)
    return "\n".join([text, *absent, ""]) if absent else text


def write(run: RunRecord, directory: Path) -> Path:
    """Write `report.html`, `report.md`, `report.json` (the run, to read back) and `summary.txt`.

    Returns:
        the path of `report.html`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = page(run)
    texts = {
        "report.json": run.model_dump_json(indent=2) + "\n",
        "report.md": markdown(content),
        "summary.txt": short_text(content),
        "report.html": html(content),
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory / "report.html"
