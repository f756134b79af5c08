"""README and docs/: links lead somewhere, commands and recipes parse, made pages are up to date."""

from __future__ import annotations

import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from json_schema import errors

from docs.make import charts, drawings, recording, reference_pages, site
from docs.make.svg import picture
from recipes.cli.app import app
from recipes.cli.recipe_schema import recipe_schema
from recipes.cli.reference_page import anchor
from recipes.parsing.located_yaml import parse
from recipes.parsing.problems import Problems

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FIRST_SCREEN = 24  # lines that are not empty
HISTORY = ("LOG.md",)  # what was tried: a log has no first screen to show


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text("utf-8"))
    return {anchor(re.sub(r"[`*]", "", title)) for title in re.findall(r"^#+ (.*)$", text, re.M)}


def test_links_lead_somewhere() -> None:
    wrong = []
    for page in DOCUMENTS:
        for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
            path, _, heading = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            target = (page.parent / path).resolve() if path else page
            if not target.exists():
                wrong.append(f"{name_of(page)}: there is no {link}")
            elif heading and target.suffix == ".md" and heading not in anchors(target):
                wrong.append(f"{name_of(page)}: {link} has no such heading")
    assert not wrong, "\n".join(wrong)


def navigation(entries: list[Any]) -> list[str]:
    pages = []
    for entry in entries:
        for value in entry.values():
            pages += navigation(value) if isinstance(value, list) else [value]
    return pages


def test_every_page_is_in_the_sites_navigation() -> None:
    listed = navigation(tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"])
    there = {page.relative_to(ROOT / "docs").as_posix() for page in PAGES}
    there |= set(site.OUTSIDE.values())
    missing, gone = there - set(listed), set(listed) - there
    assert not missing, f"add to `nav` in zensical.toml: {', '.join(sorted(missing))}"
    assert not gone, f"in `nav` of zensical.toml, but there is no such page: {', '.join(gone)}"
    assert len(listed) == len(set(listed))


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert "make quickstart" in text and "make test" in text


@pytest.mark.parametrize("page", [p for p in DOCUMENTS if p.name not in HISTORY], ids=name_of)
def test_a_page_shows_something_in_its_first_screen(page: Path) -> None:
    lines = [line for line in page.read_text("utf-8").splitlines() if line.strip()]
    first = "\n".join(lines[:FIRST_SCREEN])
    assert "![" in first or "```" in first, "put a picture or an example near the top of this page"


def commands() -> list[tuple[str, str]]:
    """Each `lingopress` command line of the documents, with its page."""
    found = []
    for page in DOCUMENTS:
        if page.name in (*HISTORY, "cli.md"):  # the latter is made from the commands
            continue
        text = page.read_text("utf-8")
        lines = [line for fence in FENCE.finditer(text) for line in fence[3].splitlines()]
        lines += re.findall(r"`(lingopress [^`]+)`", FENCE.sub("", text).replace("\n", " "))
        for line in lines:
            match = re.search(r"(?:^|\| ?|\$ )lingopress (.*)", line.strip())
            if match and "..." not in line:
                found.append((name_of(page), match[1]))
    return found


def words(line: str) -> list[str]:
    """Words of a command, without a comment, a pipe or a redirection."""
    kept = []
    for word in shlex.split(line, comments=True):
        if word in ("|", "<", ">", "2>", "&&", "&"):
            break
        kept.append(word)
    return kept


def test_every_command_takes_the_options_it_is_shown_with() -> None:
    group: Any = typer.main.get_command(app)
    wrong, lines = [], commands()
    for page, line in lines:
        command, rest = group, words(line)
        while rest and rest[0] in getattr(command, "commands", {}):
            command, rest = command.commands[rest[0]], rest[1:]
        if hasattr(command, "commands") and rest != ["--version"]:
            wrong.append(f"{page}: there is no command: lingopress {line}")
            continue
        try:
            context = command.context_class(command)
            _, unknown, _ = command.make_parser(context).parse_args(args=list(rest))
        except Exception as error:
            wrong.append(f"{page}: lingopress {line}: {error}")
        else:
            wrong += [f"{page}: lingopress {line}: too many arguments"] if unknown else []
    assert len(lines) > 80
    assert not wrong, "\n".join(wrong)


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    for page in DOCUMENTS:
        fences = "".join(fence[3] for fence in FENCE.finditer(page.read_text("utf-8")))
        used = set(re.findall(r"^make (\w+)", fences, re.M)) if page.name not in HISTORY else set()
        assert used <= targets, f"{name_of(page)}: make {used - targets}"


def recipes_shown() -> list[tuple[str, dict[str, Any]]]:
    """Each recipe in the documents; stages or tasks that are shown alone are put into one."""
    found = []
    for page in DOCUMENTS:
        for number, fence in enumerate(FENCE.finditer(page.read_text("utf-8"))):
            if fence[2] != "yaml":
                continue
            where, problems = f"{name_of(page)} ({number})", Problems("r")
            body = "\n".join(line.removeprefix(fence[1]) for line in fence[3].splitlines())
            if re.match(r"\s*#", body) and len(body.splitlines()) == 1:
                continue
            if body.lstrip().startswith("- "):
                body = "stages:\n" + "\n".join(f"  {line}" for line in body.splitlines())
            elif re.match(r"  \w+:\n", body):
                body = "tasks:\n" + body
            tree = parse(body, where, problems)
            assert tree is not None and not problems, where
            shown = tree.plain()
            assert isinstance(shown, dict), where
            if {"name", "stages"} <= set(shown) or set(shown) <= {"stages", "tasks"}:
                found.append((where, shown))
    return found


def test_every_recipe_has_keys_that_exist() -> None:
    """Files are not looked for; keys, types, ranges and kinds of stages are those of `check`."""
    schema, shown = recipe_schema(), recipes_shown()
    wrong = []
    for where, recipe in shown:
        whole = {"name": "r", "source": "files", "stages": []} | recipe
        if not whole["stages"]:
            whole["stages"] = [{"name": "a", "stage": "trim", "model": "./base"}]
        wrong += [f"{where}: {error}" for error in errors(schema, whole)]
    assert len(shown) > 15
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", reference_pages.PAGES)
def test_made_pages_are_what_the_code_makes(name: str) -> None:
    command = "make it again: python -m docs.make.reference_pages"
    assert (ROOT / "docs" / name).read_text("utf-8") == reference_pages.PAGES[name](), command


@pytest.mark.parametrize("name", charts.CHARTS)
def test_charts_show_their_tables(name: str) -> None:
    command = "draw it again: python -m docs.make.charts"
    drawn = (ROOT / "docs" / "img" / f"chart-{name}.svg").read_text("utf-8")
    assert drawn == charts.CHARTS[name](), command


@pytest.mark.parametrize("name", drawings.DRAWINGS)
def test_drawings_are_those_of_the_script(name: str) -> None:
    command = "draw it again: python -m docs.make.drawings"
    drawn = (ROOT / "docs" / "img" / f"drawing-{name}.svg").read_text("utf-8")
    assert drawn == drawings.DRAWINGS[name](), command


def test_pictures_are_named_small_and_used() -> None:
    shown = "".join(page.read_text("utf-8") for page in DOCUMENTS)
    images = sorted((ROOT / "docs" / "img").iterdir())
    assert images and not [image.name for image in images if image.name not in shown]
    assert not [image.name for image in images if image.stat().st_size > 150_000]
    assert sum(image.stat().st_size for image in images) < 1_500_000
    assert not re.findall(r"!\[\]\(", shown), "a picture needs words for those who do not see it"
    assert "<title" in picture("a", "b", 1, 1, [])


def test_a_recording_shows_first_and_last_stages_and_no_starts() -> None:
    stages = [f"s{n}  train  started\ns{n}  train   {n}.5s  steps 2" for n in range(20)]
    lines = recording.shortened([*"\n".join(stages).splitlines(), "", "report:"])
    assert lines[0].startswith("s0 ") and lines[9] == "... 7 more stages"
    assert lines[10].startswith("s16 ") and lines[-1] == "report:" and len(lines) == 16
    drawn = recording.picture_of([("lingopress --version", "lingopress 0.1.0")], "Version")
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")  # no font from elsewhere
    assert "lingopress&#160;0.1.0" in drawn and 'aria-label="Version"' in drawn


def test_a_built_site_that_is_broken_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="x">a</h1><a href="b.html#y">b</a><a href="c.html">c</a>'
    )
    (tmp_path / "b.html").write_text('<a href="a.html#x">a</a><script src="https://else.org/a.js">')
    assert site.problems(tmp_path) == [
        "a.html: b.html#y has no such heading",
        "a.html: there is no c.html",
        "b.html loads https://else.org/a.js",
    ]


def test_links_to_pages_of_the_root_lead_to_their_copies() -> None:
    moved = site._with_links("[c](../../CHANGELOG.md) [s](../start.md#a)", "docs/tutorials/x.md")
    assert moved == "[c](../changelog.md) [s](../start.md#a)"
    assert site._with_links("[r](docs/recipes.md)", "CONTRIBUTING.md") == "[r](recipes.md)"
