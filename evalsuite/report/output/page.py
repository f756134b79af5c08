"""Put the report's parts together and write its three files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from evalsuite.report.charts.pareto_charts import Chart, charts
from evalsuite.report.figures.headline import headline
from evalsuite.report.figures.scaling import scaling_chart, scaling_table, scalings
from evalsuite.report.figures.scores import TaskColumn, columns
from evalsuite.report.figures.sources import badge, mix_warning
from evalsuite.report.figures.systems import group
from evalsuite.report.output.summary import summary
from evalsuite.report.output.templating import template
from evalsuite.report.tables.alignment import AlignmentSection, alignment_sections
from evalsuite.report.tables.benchmark_means import benchmark_tables
from evalsuite.report.tables.costs import cost_tables
from evalsuite.report.tables.fertility import fertility_table
from evalsuite.report.tables.languages import LanguageSection, language_section
from evalsuite.report.tables.runs import run_table
from evalsuite.report.tables.scores import main_table
from evalsuite.report.tables.seeds import seed_table
from evalsuite.report.tables.signatures import Signatures, signatures
from evalsuite.report.tables.speed import grid_table, language_speed_table
from evalsuite.report.tables.stages import stage_table
from evalsuite.report.tables.table import Table
from evalsuite.report.tables.trials import headline_systems, search_table, verdict
from evalsuite.results.run import RunRecord


@dataclass(frozen=True, slots=True)
class Page:
    """All a template prints; tables of a run without scores or stages have no rows."""

    run: RunRecord
    badge: str
    warning: str
    headline: str
    runs: Table
    search: Table
    verdict: str  # of the search; empty without one
    main: Table
    benchmarks: tuple[Table, ...]
    seeds: Table
    scaling: tuple[tuple[str, Table, Chart], ...]  # by runtime and precision
    costs: tuple[tuple[str, Table], ...]  # name of the machine, where there are several
    grid: Table
    language_speeds: Table
    charts: tuple[Chart, ...]
    languages: tuple[LanguageSection, ...]
    alignment: tuple[AlignmentSection, ...]
    fertility: Table
    stages: Table
    signatures: Signatures

    @property
    def cost(self) -> Table:
        """Of the first machine."""
        return self.costs[0][1]


def page(run: RunRecord) -> Page:
    """Compute every part of the report."""
    systems = group(run)
    tasks: Sequence[TaskColumn] = columns(run.scores)
    return Page(
        run=run,
        badge=badge(run),
        warning=mix_warning(run),
        headline=headline(headline_systems(systems, run.search), tasks),
        runs=run_table(run.runs),
        search=search_table(run.search),
        verdict=verdict(run.search) if run.search else "",
        main=main_table(systems, tasks),
        benchmarks=benchmark_tables(systems),
        seeds=seed_table(systems, tasks),
        scaling=tuple(
            (own.opened_in, scaling_table(own), scaling_chart(own, systems))
            for own in scalings(systems, tasks)
        ),
        costs=cost_tables(systems),
        grid=grid_table(systems),
        language_speeds=language_speed_table(systems),
        charts=charts(systems, tasks),
        languages=tuple(language_section(systems, task) for task in tasks),
        alignment=alignment_sections(run.alignment),
        fertility=fertility_table(run.fertility),
        stages=stage_table(run.stages),
        signatures=signatures(run),
    )


def html(content: Page) -> str:
    """The report as one HTML file that needs nothing else."""
    from markupsafe import Markup

    from evalsuite.report.charts import draw_curves, draw_points

    # Our own SVG: what it quotes of the run is escaped where it is drawn.
    drawn = [
        (chart, Markup(draw_points.draw(chart, f"plot{i}")))
        for i, chart in enumerate(content.charts, 1)
    ]
    groups = [(name, list(own)) for name, own in groupby(drawn, key=lambda pair: pair[0].group)]
    aligned = [
        (
            part,
            [(c, Markup(draw_curves.draw(c, f"curve{i}-{k}"))) for k, c in enumerate(part.curves)],
        )
        for i, part in enumerate(content.alignment, 1)
    ]
    lines = [
        Markup(draw_points.draw(own[2], f"line{i}")) for i, own in enumerate(content.scaling, 1)
    ]
    return template("report.html.j2").render(
        page=content, plots=groups, lines=lines, aligned=aligned
    )


def markdown(content: Page) -> str:
    """The same tables as Markdown."""
    return template("report.md.j2").render(page=content)


def write(run: RunRecord, directory: Path) -> Path:
    """Write `report.html`, `report.md`, `report.json` (the run, to read back) and `summary.txt`.

    Returns:
        the path of `report.html`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = page(run)
    (directory / "report.json").write_text(run.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (directory / "report.md").write_text(markdown(content), encoding="utf-8")
    told = [content.headline, content.verdict] if content.verdict else [content.headline]
    short = summary(content.badge, told, content.main, content.costs)
    (directory / "summary.txt").write_text(short, encoding="utf-8")
    path = directory / "report.html"
    path.write_text(html(content), encoding="utf-8")
    return path
