"""A new table of the report is one new file; folders of the report import each other one way."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from report_fakes import run_of_three_systems, tables_of

import evalsuite.report
from evalsuite.errors import UnknownNameError
from evalsuite.report import section, tables
from evalsuite.report.output.page import TABLES, page, write
from evalsuite.report.section import Content, Part, ReportTable, make_sections
from evalsuite.report.table import Cell, Column, Row, Table

ORDER = ("table", "figures", "charts", "section", "tables", "output")


def the_example() -> str:
    """The file that the docstring of `section` shows."""
    assert section.__doc__ is not None
    lines = section.__doc__.split("`tables/`:\n", 1)[1].splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A further folder of tables."""
    folder = tmp_path / "more_tables"
    folder.mkdir()
    monkeypatch.setattr(tables, "__path__", [*tables.__path__, str(folder)])
    return folder


def add(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.delitem(sys.modules, f"{tables.__name__}.{name}", raising=False)


def test_a_new_file_is_a_new_section_of_every_form(
    added: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of_three_systems()
    before = page(run)
    add(added, "models_per_system", the_example(), monkeypatch)
    after = page(run)
    names = [section.name for section in after.sections]
    assert names[:2] == ["scores", "models"]  # 35 is between 30 and 40
    assert [s for s in after.sections if s.name != "models"] == list(before.sections)
    (table,) = tables_of(after, "models")
    html = write(run, tmp_path / "report").read_text(encoding="utf-8")
    assert '<a href="#models">Models</a>' in html and '<section id="models">' in html
    assert 'aria-label="Models per system"' in html
    markdown = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert f"## Models\n\n{table.markdown()}\n" in markdown
    assert [row.cells[0].text for row in table.rows] == ["2", "2", "1"]


def test_a_new_file_can_add_to_a_section(added: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = the_example().replace('"models", order=35, title="Models"', '"cost", order=62')
    add(added, "more_costs", text, monkeypatch)
    cost = next(s for s in page(run_of_three_systems()).sections if s.name == "cost")
    assert cost.title == "Cost"
    assert cost.parts[-1].label == "Models per system"


def test_every_file_is_a_table_and_the_first_of_a_section_has_its_title() -> None:
    found = [TABLES.get(name) for name in TABLES.names()]
    assert len(found) == 19
    assert all(isinstance(table, ReportTable) for table in found)
    assert len({table.order for table in found}) == len(found)
    for name in {table.section for table in found}:
        first = min((t for t in found if t.section == name), key=lambda table: table.order)
        assert first.title, name
    with pytest.raises(UnknownNameError, match=r"unknown report table 'seedz'; did you mean"):
        TABLES.get("seedz")


def test_sections_without_content_are_left_out_or_say_why() -> None:
    content = Content.of(run_of_three_systems())
    row = Row(Cell("a"), (Cell("1"),))
    full, empty = (Part(Table("", (Column("n"),), rows)) for rows in ((row,), ()))
    spoken = ReportTable("spoken", 1, lambda _: [empty], title="Spoken", if_empty="Nothing here.")
    silent = ReportTable("silent", 2, lambda _: [empty], title="Silent")
    later = ReportTable("silent", 3, lambda _: [empty, full])
    (only,) = make_sections([silent, spoken], content)
    assert (only.name, only.if_empty, only.parts) == ("spoken", "Nothing here.", ())
    both = list(make_sections([later, spoken, silent], content))
    assert [(s.name, s.short_title, s.parts) for s in both] == [
        ("spoken", "Spoken", ()),
        ("silent", "Silent", (full,)),
    ]


def test_folders_of_the_report_import_each_other_one_way() -> None:
    root = Path(next(iter(evalsuite.report.__path__)))
    checked = 0
    for path in root.rglob("*.py"):
        place = path.relative_to(root).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            if node.module.startswith("evalsuite.report."):
                checked += 1
                imported = node.module.split(".")[2]
                assert ORDER.index(imported) <= ORDER.index(place), f"{path} imports {node.module}"
    assert checked > 80
