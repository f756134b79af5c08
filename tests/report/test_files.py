"""The report's files: HTML, Markdown and JSON, and what they must never leave unsaid."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_fakes import run_of_three_systems, tables_of

from evalsuite.report.output.page import markdown, page, write
from evalsuite.report.output.templating import breakable
from evalsuite.results.run import RunRecord
from evalsuite.task import SourceKind

VOID = {"meta", "wbr", "br", "link", "img", "input", "hr"}


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return run_of_three_systems()


@pytest.fixture(scope="module")
def written(run: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(run, tmp_path_factory.mktemp("report") / "new")


class Balance(HTMLParser):
    """Checks that every element is closed in its turn, and collects ids and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "data"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_labels_break_before_their_variables_and_are_escaped() -> None:
    assert breakable("r:<t>[a=1,b=2]") == "r:<wbr>&lt;t&gt;<wbr>[a=1,<wbr>b=2]"


def test_html_is_well_formed_and_fetches_nothing(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(text)
    assert not parser.open
    assert len(set(parser.ids)) == len(parser.ids)
    assert all(
        address.startswith("#") and address[1:] in parser.ids for address in parser.addresses
    )
    assert "http" not in text and "@import" not in text and "<script src" not in text
    assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", text))


def test_html_is_escaped_and_says_where_its_data_is_from(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert "A &lt;b&gt;small&lt;/b&gt; run" in text
    badge = text.index("embedded (template-generated; says nothing about XTREME-R)")
    assert badge < text.index("<h1>")
    assert "Mixed sources" not in text
    assert "chance" in text


@pytest.mark.parametrize("other", ["hub", "xtreme"])
def test_mixed_sources_are_warned_of(run: RunRecord, tmp_path: Path, other: SourceKind) -> None:
    stranger = run.scores[1].model_copy(update={"source": other})
    mixed = run.model_copy(update={"scores": (run.scores[0], stranger), "speeds": ()})
    for file in (write(mixed, tmp_path), tmp_path / "report.md"):
        text = file.read_text(encoding="utf-8")
        assert "ixed sources" in text
        assert f"from {other}: udpos of teacher" in text
    elsewhere = run.model_copy(update={"source": other})
    assert "some figures are from another: from embedded" in page(elsewhere).warning


def test_json_reads_back_and_markdown_has_the_same_tables(run: RunRecord, written: Path) -> None:
    assert {file.name for file in written.parent.iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
        "summary.txt",
    }
    text = (written.parent / "report.json").read_text(encoding="utf-8")
    assert RunRecord.model_validate_json(text) == run
    text = (written.parent / "report.md").read_text(encoding="utf-8")
    content = page(run)
    tables = [table for section in content.sections for table in tables_of(content, section.name)]
    assert len(tables) == 15
    for table in tables:
        assert table.markdown() in text
    assert "A &lt;b>small&lt;/b> run \\| of two." in text


def test_markdown_tables_are_rectangular(run: RunRecord) -> None:
    for block in re.findall(r"(?:^\|.*\n?)+", markdown(page(run)), flags=re.M):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1


def test_an_empty_run_is_a_report_too(tmp_path: Path) -> None:
    run = RunRecord(
        recipe="none", description="", source="hub", seed=1, stages=(), scores=(), speeds=()
    )
    text = write(run, tmp_path).read_text(encoding="utf-8")
    for said in ("No scores in this run", "No stages are recorded", "no signatures"):
        assert said in text
        assert said in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_summary_has_a_row_a_system_and_says_its_source(run: RunRecord, written: Path) -> None:
    lines = written.with_name("summary.txt").read_text(encoding="utf-8").splitlines()
    content = page(run)
    assert lines[0] == f"source: {content.badge}" and lines[1] == content.headline
    heads = re.split(r"  +", lines[3])
    assert heads[0] == "System" and heads[-1] == "p50 ms, batch 1"
    rows = {re.split(r"  +", line)[0]: line for line in lines[4:]}
    (main,), (cost, _, _) = tables_of(content, "scores"), tables_of(content, "cost")
    for row in main.rows:
        shown = re.split(r"  +", rows[row.head.text])
        assert shown[1 : 1 + len(row.cells)] == [cell.text for cell in row.cells]
    for row in cost.rows:
        assert rows[row.head.text].rstrip().endswith(row.cells[5].text)
