"""The pictures of docs/curves.md, from a run of trainings with `track: tensorboard`.

    tensorboard --logdir .lingopress/tracked/tensorboard --port 16006
    python -m docs.make.curve_pictures report.json http://127.0.0.1:16006/

Needs Chromium and Pillow. The page is made anew from `report.json`, which lies next to every
report.html. Writes curves-report.png and curves-tensorboard.png to docs/img; without an address
only the first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from docs.make.report_pictures import View, keep, reduced, take
from evalsuite.report.output.page import write
from evalsuite.results.run import RunRecord
from tests.support.headless import Browser, served

REPORT = View(752, 500, False, "#training")
TENSORBOARD = View(1180, 600, False, "body")
TAGS = "?darkMode=false&tagFilter=%5Etrain%2Floss%24%7C%5Eeval%2F#timeseries"  # ^train/loss$|^eval/
CARDS = "document.querySelectorAll('scalar-card line-chart').length > 1"
SETTINGS = "document.querySelector('.settings-button')"  # closes them
_DRAWN = 4.0  # seconds that TensorBoard takes to draw its lines


def of_report(record: Path) -> bytes:
    """The training curves of a report."""
    run = RunRecord.model_validate_json(record.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        page = write(run, Path(folder))
        with served(page.parent) as address, Browser("--hide-scrollbars") as browser:
            return take(browser, address + page.name, REPORT)


def of_tensorboard(address: str) -> bytes:
    """TensorBoard's page of time series, with the loss and the dev scores, without its settings."""
    with Browser("--hide-scrollbars") as browser:
        size = TENSORBOARD.width, TENSORBOARD.height
        browser.picture(*size)  # sets the size for the page
        browser.open(address + TAGS)
        browser.wait(CARDS)
        browser.run(f"{SETTINGS}.click()")
        time.sleep(_DRAWN)
        return reduced(browser.picture(*size))


def main() -> None:
    """Make the page and look at both."""
    parser = argparse.ArgumentParser(description="Take the pictures of docs/curves.md.")
    parser.add_argument("record", type=Path, metavar="REPORT_JSON")
    parser.add_argument("tensorboard", nargs="?", metavar="ADDRESS")
    args = parser.parse_args()
    keep("curves-report.png", of_report(args.record))
    if args.tensorboard:
        keep("curves-tensorboard.png", of_tensorboard(args.tensorboard))


if __name__ == "__main__":
    main()
