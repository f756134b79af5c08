"""docs/img/terminal-quickstart.svg: what a terminal shows of a real run.

python -m docs.make.recording       in an empty folder: runs the quickstart there, then draws it

The lines are those of the run. Left out are lines that only say that a stage has started, and the
middle of the list of finished stages; `...` stands for them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGE = Path(__file__).resolve().parents[1] / "img" / "terminal-quickstart.svg"
COMMANDS = ("lingopress run quickstart --jobs 2", "lingopress report quickstart")
COLUMNS, FIRST, LAST = 104, 9, 4
_FINISHED = re.compile(r"^(\S+ +)(\w+ +)(\d[\dms. ]*s)(  .*)?$")
# Rich's own template asks another host for a font.
_SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" \
xmlns="http://www.w3.org/2000/svg" role="img" aria-label="TITLE">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture_of(runs: Sequence[tuple[str, str]], title: str) -> str:
    """An SVG of commands and what they printed.

    >>> picture_of([("lingopress --version", "lingopress 0.1.0")], "Version")[:4]
    '<svg'
    """
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor")
    for command, printed in runs:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        for line in shortened(printed.splitlines()):
            console.print(_styled(line), no_wrap=True, overflow="ellipsis", crop=True)
    form = _SVG.replace("TITLE", title)
    return console.export_svg(title=title, code_format=form, unique_id="terminal")


def shortened(lines: Sequence[str]) -> list[str]:
    """Without starts of stages, and with the first and last of the finished ones.

    >>> shortened(["a  train  started", "a  train   1.1s  steps 2", "", "report:"])
    ['a  train   1.1s  steps 2', '', 'report:']
    """
    kept = [line.rstrip() for line in lines if not line.rstrip().endswith(" started")]
    places = [number for number, line in enumerate(kept) if _FINISHED.match(line)]
    hidden = places[FIRST:-LAST]
    dots = {hidden[0]: f"... {len(hidden)} more stages"} if hidden else {}
    return [dots.get(n, line) for n, line in enumerate(kept) if n not in hidden or n in dots]


def _styled(line: str) -> Text:
    if match := _FINISHED.match(line):
        name, kind, seconds, rest = (part or "" for part in match.groups())
        return Text.assemble((name, "cyan"), kind, (seconds, "green"), (rest, "bright_black"))
    return Text(line, "bright_black" if line.startswith("...") else "")


def main() -> None:
    """Run the commands in the current folder, and draw them."""
    runs = []
    for command in COMMANDS:
        program = str(Path(sys.executable).with_name("lingopress"))
        done = subprocess.run(
            [program, *command.split()[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        runs.append((command, done.stdout.replace(f"{Path.cwd()}/", "")))
    IMAGE.write_text(picture_of(runs, "The quickstart, in a terminal"), encoding="utf-8")


if __name__ == "__main__":
    main()
