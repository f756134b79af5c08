"""Every model family through every stage, on real text: makes the tables of docs/families.md.

python -m benchmarks.family_contract WORK_DIR --data-dir DATA_DIR [--family NAME ...]

Run it from the root of the repository: the cells are those of `tests/support/family_cells.py`.
`WORK_DIR/results.json` keeps what was measured; a cell in it that did not fail is not run again.
The page is written after each cell. Exit code 1 where one neither worked nor was refused.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path

import pytest

from evalsuite.data import parallel
from evalsuite.family import Family
from evalsuite.task import DataSource
from tests.support.family_cells import (
    CELLS,
    ROOT,
    STAGES,
    Cell,
    declared,
    families,
    needed,
    run_cell,
    table,
)
from tests.support.trace_once import trace_once

PAGE = ROOT / "docs" / "families.md"


# Files of the data directory that are read, and how many of their lines.
_FILES = {
    "snli/train-en.tsv": 2_000,
    **{f"xnli/dev-{language}.tsv": 200 for language in ("en", "de", "sw")},
    "udpos/train-en.tsv": 4_000,
    **{f"udpos/test-{language}.tsv": 4_000 for language in ("en", "de", "es")},
    "tydiqa/tydiqa.goldp.en.train.json": None,
    "xquad/xquad.en.json": None,
    "xquad/xquad.de.json": None,
    **{f"tatoeba/tatoeba.{code}-eng.{code}": None for code in ("deu", "swh")},
    **{f"tatoeba/tatoeba.{code}-eng.eng": None for code in ("deu", "swh")},
}
_PAIRS = 3_000  # of the parallel corpus, in German and in Swahili


def some_of(whole: Path, folder: Path) -> DataSource:
    """The first rows of the files that cells read, so that none reads what no cell needs."""
    out = folder / "data" / "xtreme"
    for name, count in _FILES.items():
        lines = (whole / name).read_text(encoding="utf-8").splitlines(keepends=True)[:count]
        if name.startswith("udpos/") and count is not None:
            lines = lines[: len(lines) - lines[::-1].index("\n")]  # whole sentences
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("".join(lines), encoding="utf-8")
    corpus = out.parent / "corpus" / "parallel"
    corpus.mkdir(parents=True, exist_ok=True)
    for language in ("de", "sw"):
        pairs = islice(parallel.pairs(DataSource("xtreme", whole), language), _PAIRS)
        text = "".join(f"{pair.english}\t{pair.foreign}\tcorpus\n" for pair in pairs)
        (corpus / f"{language}.tsv").write_text(text, encoding="utf-8")
    return DataSource("xtreme", out)


def between(page: str, name: str, text: str) -> str:
    """The page with `text` between the two marks of this name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"


def in_order(chosen: Sequence[str]) -> Iterator[tuple[Family, Cell]]:
    """What is quick first, family by family; then exports and what needs them, cell by cell."""
    asked = [family for family in families() if family.name in chosen]
    slow = [
        cell
        for cell in CELLS
        if any(STAGES[name].startswith("stage: export") for name in needed(cell.stage))
    ]
    yield from product(asked, [cell for cell in CELLS if cell not in slow])
    yield from ((family, cell) for cell, family in product(slow, asked))


def main(folder: Path, source: DataSource, chosen: Sequence[str]) -> int:
    """Run the cells of some families that did not run yet, and write the page."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    results: dict[str, dict[str, str]] = json.loads(file.read_text()) if file.is_file() else {}
    for family, cell in in_order(chosen):
        found = results.setdefault(family.name, {})
        if not found.get(cell.title, "failed").startswith("failed"):
            continue
        begun = time.perf_counter()
        found[cell.title] = run_cell(cell, family, folder, source)
        seconds = time.perf_counter() - begun
        print(f"{family.name}: {cell.title}: {found[cell.title]} ({seconds:.0f} s)", flush=True)
        file.write_text(json.dumps(results, indent=1), encoding="utf-8")
        page = between(PAGE.read_text(encoding="utf-8"), "declared", declared())
        PAGE.write_text(between(page, "measured", table(results)), encoding="utf-8")
    failed = [
        f"{name}: {title}"
        for name, cells in results.items()
        for title, value in cells.items()
        if value.startswith("failed")
    ]
    print("\n".join(failed))
    return int(bool(failed))


if __name__ == "__main__":
    known = [family.name for family in families()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where models and workspaces are written")
    parser.add_argument("--data-dir", type=Path, help="real text; default: the embedded text")
    parser.add_argument("--family", choices=known, action="append", help="default: all")
    asked = parser.parse_args()
    place = asked.folder.resolve()
    text = some_of(asked.data_dir, place) if asked.data_dir else DataSource("embedded")
    with pytest.MonkeyPatch.context() as patch:
        trace_once(patch)  # tracing is most of what an export takes
        sys.exit(main(place, text, asked.family or known))
