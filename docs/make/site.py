"""`make docs`: the site in build/site, from docs/ and a few pages of the repository's root.

python -m docs.make.site            needs the `docs` extra; asks no network

The pages are copied to build/site-pages, since the changelog, the notes for contributors and the
encoder's card lie outside docs/; links to them are changed to their copies. zensical's strict mode
stops at warnings and broken links. Afterwards the pages are read once more: nothing in them may
load from another host, and every link and anchor between them has to exist.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
PAGES, SITE = ROOT / "build" / "site-pages", ROOT / "build" / "site"
OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "recipes/models/e5-mini/README.md": "e5-mini.md",
}
LINK = re.compile(r"(\]\()([^)\s#]+)")
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "srcset"}


def copy_pages() -> None:
    """Copy what the site shows, with links changed to the copies."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("make", "__pycache__"))
    for source, name in OUTSIDE.items():
        (PAGES / name).write_text(_with_links((ROOT / source).read_text("utf-8"), source), "utf-8")
    for page in PAGES.rglob("*.md"):
        source = f"docs/{page.relative_to(PAGES).as_posix()}"
        if (ROOT / source).is_file():
            page.write_text(_with_links(page.read_text("utf-8"), source), "utf-8")


def _with_links(text: str, source: str) -> str:
    """Links between pages of the root and of docs/, as they are between the copies."""
    folder = (ROOT / source).parent
    here = OUTSIDE.get(source) or Path(source).relative_to("docs").as_posix()

    def moved(match: re.Match[str]) -> str:
        if "://" in match[2]:
            return match[0]
        target = (folder / match[2]).resolve()
        if not target.is_relative_to(ROOT):
            return match[0]
        name = target.relative_to(ROOT).as_posix()
        new = OUTSIDE.get(name) or (name.removeprefix("docs/") if name.startswith("docs/") else "")
        return f"{match[1]}{'../' * here.count('/')}{new}" if new else match[0]

    return LINK.sub(moved, text)


class _Page(HTMLParser):
    """Ids and links of a page, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what matters of a tag."""
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])
        if tag in LOADING and values.get(LOADING[tag]) and values.get("rel") != "canonical":
            self.loads.add(values[LOADING[tag]])


def problems(site: Path = SITE) -> list[str]:
    """What is wrong with a built site: loads from other hosts, links that lead nowhere."""
    pages: dict[Path, _Page] = {}
    for path in sorted(site.rglob("*.html")):
        page = pages[path.resolve()] = _Page()
        page.feed(path.read_text("utf-8"))
    wrong = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve()).as_posix()
        wrong += [f"{name} loads {load}" for load in page.loads if urlsplit(load).netloc]
        for link in sorted(page.links | page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                wrong.append(f"{name}: there is no {link}")
            elif parts.fragment and target in pages and parts.fragment not in pages[target].ids:
                wrong.append(f"{name}: {link} has no such heading")
    return wrong


def main() -> int:
    """Copy, build and check; the exit code is 1 where something is wrong."""
    copy_pages()
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        return 1
    wrong = problems()
    print("\n".join(wrong) or f"{SITE / 'index.html'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
