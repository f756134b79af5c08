"""Take the picture of the page of `lingopress demo` in docs/.

    .venv/bin/python benchmarks/demo_picture.py BUNDLE docs/demo.png --library APP

Run it from the root of the repository, with PYTHONPATH=. in front. The page runs in a headless
Chromium, in light and in dark, at the width of a desk and of a phone; the pictures are put next to
each other.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image

from compress.export.demo.build import build
from tests.support.headless import Browser, served

WIDTHS = ((760, False), (400, True))
HEIGHT = 900
COLOURS = 64  # enough for letters and lines, and a third of the bytes
GAP = 16


def main() -> None:
    """Build the page, look at it twice."""
    parser = argparse.ArgumentParser(description="Take the picture of the page of the demo.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--title", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page"
        build(args.bundle, page, library=args.library, title=args.title)
        with served(page) as address, Browser("--hide-scrollbars") as browser:
            browser.open(address)
            browser.wait("document.querySelector('#time')?.textContent", 600)
            shots = [browser.picture(width, HEIGHT, dark) for width, dark in WIDTHS]
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    whole = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    joined = Image.new("RGB", (whole, HEIGHT), "#888")
    place = 0
    for picture in pictures:
        joined.paste(picture, (place, 0))
        place += picture.width + GAP
    joined.quantize(COLOURS).save(args.out, optimize=True)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
