"""Put the report's parts together and write its three files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.report.charts import Chart, charts
from evalsuite.report.cost_tables import cost_table
from evalsuite.report.fertility_tables import fertility_table
from evalsuite.report.headline import headline
from evalsuite.report.language_tables import LanguageSection, language_section
from evalsuite.report.score_tables import main_table
from evalsuite.report.scores import TaskColumn, columns
from evalsuite.report.signature_tables import Signatures, signatures
from evalsuite.report.sources import badge, mix_warning
from evalsuite.report.speed_tables import grid_table, language_speed_table
from evalsuite.report.stage_tables import stage_table
from evalsuite.report.summary import summary
from evalsuite.report.systems import group
from evalsuite.report.table import Table, escaped
from evalsuite.results import RunRecord

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Page:
    """All a template prints; tables of a run without scores or stages have no rows."""

    run: RunRecord
    badge: str
    warning: str
    headline: str
    main: Table
    cost: Table
    grid: Table
    language_speeds: Table
    charts: tuple[Chart, ...]
    languages: tuple[LanguageSection, ...]
    fertility: Table
    stages: Table
    signatures: Signatures


def page(run: RunRecord) -> Page:
    """Compute every part of the report."""
    systems = group(run)
    tasks: Sequence[TaskColumn] = columns(run.scores)
    return Page(
        run=run,
        badge=badge(run.source),
        warning=mix_warning(run),
        headline=headline(systems, tasks),
        main=main_table(systems, tasks),
        cost=cost_table(systems),
        grid=grid_table(systems),
        language_speeds=language_speed_table(systems),
        charts=charts(systems, tasks),
        languages=tuple(language_section(systems, task) for task in tasks),
        fertility=fertility_table(run.fertility),
        stages=stage_table(run.stages),
        signatures=signatures(run),
    )


def html(content: Page) -> str:
    """The report as one HTML file that needs nothing else."""
    from markupsafe import Markup

    from evalsuite.report.plots import draw

    # Our own SVG: what it quotes of the run is escaped where it is drawn.
    drawn = [(chart, Markup(draw(chart, f"plot{i}"))) for i, chart in enumerate(content.charts, 1)]
    groups = [(name, list(own)) for name, own in groupby(drawn, key=lambda pair: pair[0].group)]
    return _template("report.html.j2").render(page=content, plots=groups)


def markdown(content: Page) -> str:
    """The same tables as Markdown."""
    return _template("report.md.j2").render(page=content)


def breakable(label: str) -> Markup:
    """A label as HTML that may be broken before its variables and between them."""
    from markupsafe import Markup, escape

    text = str(escape(label))
    return Markup(text.replace("[", "<wbr>[").replace(",", ",<wbr>"))


def write(run: RunRecord, directory: Path) -> Path:
    """Write `report.html`, `report.md`, `report.json` (the run, to read back) and `summary.txt`.

    Returns:
        the path of `report.html`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = page(run)
    (directory / "report.json").write_text(run.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (directory / "report.md").write_text(markdown(content), encoding="utf-8")
    short = summary(content.badge, content.headline, content.main, content.cost)
    (directory / "summary.txt").write_text(short, encoding="utf-8")
    path = directory / "report.html"
    path.write_text(html(content), encoding="utf-8")
    return path


def _template(name: str) -> Template:
    """A template; HTML is escaped by Jinja, Markdown by its own filter."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evalsuite.report", "templates"),
        autoescape=lambda template: template is not None and ".html" in template,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escaped
    environment.filters["breakable"] = breakable
    return environment.get_template(name)
