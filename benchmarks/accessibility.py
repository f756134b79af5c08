"""Look for what keeps people out of a report or of the site, with axe-core in headless Chromium.

    python -m benchmarks.accessibility report/report.html build/site

Run it from the root of the repository. Each page is opened in light, in dark, and at the width of a
phone. Every finding is printed with its impact, the worst first, and the pages that have it; the
exit code is 1 where one is serious or critical. axe-core comes from npm, or from a file:
`--axe node_modules/axe-core/axe.min.js`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.headless import Browser, chromium, served

PACKAGE = "axe-core@4.14.1"
SCRIPT = "axe.min.js"
IMPACTS = ("critical", "serious", "moderate", "minor")
REFUSED = IMPACTS[:2]
LOOKS = (("light", 1200, False), ("dark", 1200, True), ("phone", 390, False))
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(v => ({
  rule: v.id, impact: v.impact, help: v.help,
  nodes: v.nodes.map(n => n.html.slice(0, 160) + "  " + (n.any[0] || n.all[0] || n.none[0]).message)
})))"""


@dataclass(frozen=True)
class Finding:
    """One rule that a page breaks in one look, and the elements that break it."""

    impact: str
    rule: str
    help: str
    page: str
    look: str
    nodes: tuple[str, ...]


def axe_from_npm() -> str:
    """The script, from the archive that `npm pack` fetches; no script of the package runs."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(f"there is no npm; install {PACKAGE} elsewhere and name its {SCRIPT}: --axe FILE")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--ignore-scripts", PACKAGE]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(
                f"npm pack {PACKAGE} fetched nothing; name the script: --axe FILE\n{done.stderr}"
            )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            member = package.extractfile(f"package/{SCRIPT}")
            assert member is not None
            return member.read().decode()


def pages(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Folder to serve, and page in it."""
    for path in paths:
        if path.is_dir():
            yield from ((path, page.relative_to(path)) for page in sorted(path.rglob("*.html")))
        else:
            yield path.parent, Path(path.name)


def findings(browser: Browser, axe: str, folder: Path, page: Path) -> Iterator[Finding]:
    """Of one page, in every look."""
    for look, width, dark in LOOKS:
        browser.picture(width, 900, dark)  # sets size and colours for the page to come
        with served(folder) as address:
            browser.open("about:blank")
            browser.open(address + page.as_posix())
            browser.wait("location.protocol === 'http:' && document.readyState === 'complete'")
            browser.run("new Promise(done => setTimeout(done, 300))")  # scripts of the page
            browser.run(axe)
            for found in browser.run(RUN):
                nodes = tuple(found["nodes"])
                yield Finding(
                    found["impact"], found["rule"], found["help"], page.as_posix(), look, nodes
                )


def summary(found: Sequence[Finding]) -> Iterator[str]:
    """Lines for people: a rule, its pages and its first elements; the worst impact first."""
    rules = dict.fromkeys((f.impact, f.rule, f.help) for f in found)
    for impact, rule, text in sorted(rules, key=lambda r: (IMPACTS.index(r[0]), r[1])):
        having = [f for f in found if f.rule == rule and f.impact == impact]
        where = Counter(f.page for f in having)
        looks = ", ".join(dict.fromkeys(f.look for f in having))
        yield f"{impact}: {rule}: {text} ({len(where)} pages, {looks})"
        for page in list(where)[:5]:
            yield f"    {page}"
        yield from (f"        {node}" for node in having[0].nodes[:3])


def main() -> int:
    """Print the findings; 1 where one is serious or critical."""
    parser = argparse.ArgumentParser(description="Check pages with axe-core in headless Chromium.")
    parser.add_argument("paths", type=Path, nargs="+", metavar="PAGE_OR_FOLDER")
    parser.add_argument("--axe", type=Path, help=f"the file {SCRIPT}; default: npm fetches it")
    args = parser.parse_args()
    if chromium() is None:
        sys.exit("there is no Chromium")
    if missing := [str(path) for path in args.paths if not path.exists()]:
        sys.exit(f"not found: {', '.join(missing)}")
    axe = args.axe.read_text("utf-8") if args.axe else axe_from_npm()
    found: list[Finding] = []
    checked = list(pages(args.paths))
    with Browser("--hide-scrollbars") as browser:
        for folder, page in checked:
            found += findings(browser, axe, folder, page)
    print("\n".join(summary(found)) or "no finding")
    refused = sum(f.impact in REFUSED for f in found)
    print(f"{len(checked)} pages in {len(LOOKS)} looks; serious or critical: {refused}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
