"""The pictures of docs/report.md, from the report of a real run.

    python -m docs.make.report_pictures report.json      needs Chromium and Pillow

`report.json` lies next to every report.html; the page is made from it anew. A language is picked as
a reader would pick it. Writes report-light.png, report-dark.png and report-phone.png to docs/img.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from evalsuite.report.output.page import write
from evalsuite.results.run import RunRecord
from tests.support.headless import Browser, served

IMAGES = Path(__file__).resolve().parents[1] / "img"
COLOURS = 64  # enough for letters and lines, and a third of the bytes
LIMIT = 200_000  # bytes of a picture


@dataclass(frozen=True)
class View:
    """What a picture shows: the page from an element on, in one width and scheme."""

    width: int
    height: int
    dark: bool
    first: str


VIEWS: Mapping[str, View] = {
    "report-light.png": View(1100, 820, False, "html"),
    "report-dark.png": View(1100, 820, True, "#languages"),
    "report-phone.png": View(400, 820, False, "#languages"),
}


def take(browser: Browser, address: str, view: View, language: str = "") -> bytes:
    """A picture of one view, with a language picked if one is given, as PNG with few colours."""
    browser.picture(view.width, view.height, view.dark)  # sets size and colours for the page
    browser.open("about:blank")
    browser.open(address)
    browser.wait("location.protocol === 'http:' && document.readyState === 'complete'")
    if language:
        browser.run(f"document.querySelector('tr[data-language={language}] .pick').click()")
    browser.run(f"document.querySelector('{view.first}').scrollIntoView({{behavior: 'instant'}})")
    return reduced(browser.picture(view.width, view.height, view.dark))


def reduced(picture: bytes) -> bytes:
    """A screenshot as PNG with few colours."""
    small = io.BytesIO()
    shot = Image.open(io.BytesIO(picture)).convert("RGB")
    shot.quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()


def keep(name: str, picture: bytes) -> None:
    """Put a picture into docs/img."""
    assert len(picture) <= LIMIT, f"{name} has {len(picture):,} bytes"
    (IMAGES / name).write_bytes(picture)
    print(f"{IMAGES / name}: {len(picture):,} bytes")


def main() -> None:
    """Make the page, look at it three times."""
    parser = argparse.ArgumentParser(description="Take the pictures of docs/report.md.")
    parser.add_argument("record", type=Path, metavar="REPORT_JSON")
    parser.add_argument("--language", default="sw", help="the one that is picked")
    args = parser.parse_args()
    run = RunRecord.model_validate_json(args.record.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        page = write(run, Path(folder))
        with served(page.parent) as address, Browser("--hide-scrollbars") as browser:
            for name, view in VIEWS.items():
                keep(name, take(browser, address + page.name, view, args.language))


if __name__ == "__main__":
    main()
