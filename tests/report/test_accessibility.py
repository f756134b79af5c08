"""The summary of the accessibility check: the worst first, and which findings are refused."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accessibility import LOOKS, REFUSED, Finding, pages, summary


def test_the_worst_finding_comes_first_with_its_pages_and_elements() -> None:
    found = [
        Finding("minor", "empty-head", "Heads have text", "a.html", "light", ("<th></th>",)),
        Finding("serious", "no-name", "Links have text", "a.html", "light", ("<a>", "<b>")),
        Finding("serious", "no-name", "Links have text", "b.html", "phone", ("<i>",)),
    ]
    assert list(summary(found)) == [
        "serious: no-name: Links have text (2 pages, light, phone)",
        "    a.html",
        "    b.html",
        "        <a>",
        "        <b>",
        "minor: empty-head: Heads have text (1 pages, light)",
        "    a.html",
        "        <th></th>",
    ]
    assert REFUSED == ("critical", "serious")
    assert {look for look, _, _ in LOOKS} == {"light", "dark", "phone"}


def test_a_folder_is_all_its_pages(tmp_path: Path) -> None:
    for name in ("b.html", "in/a.html", "c.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    single = tmp_path / "b.html"
    assert list(pages([tmp_path, single])) == [
        (tmp_path, Path("b.html")), (tmp_path, Path("in/a.html")), (tmp_path, Path("b.html")),
    ]  # fmt: skip
