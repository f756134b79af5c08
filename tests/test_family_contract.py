"""The contract of docs/families.md: its tables are those of the families and of the cells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from family_cells import CELLS, ROOT, STAGES, declared, families, needed, run_cell

from evalsuite.find_family import named
from evalsuite.task import DataSource

PAGE = (ROOT / "docs" / "families.md").read_text(encoding="utf-8")


def between(name: str) -> str:
    """What the page has between two marks."""
    _, _, rest = PAGE.partition(f"<!-- {name} -->\n\n")
    return rest.partition(f"\n<!-- end of {name} -->")[0]


def test_the_page_has_what_the_families_declare() -> None:
    assert between("declared") == declared(), "run benchmarks/family_contract.py"
    for family in families():
        for reason in (family.fixed_first, family.fixed_dimensions, family.not_first_token):
            assert reason is None or reason in PAGE


def test_every_family_is_measured_in_every_cell() -> None:
    """A cell works, or is refused with a reason below the table; bounds and equal labels hold."""
    lines = between("measured").split("\n\n")[0].strip().splitlines()
    assert lines[0] == "| stage | " + " | ".join(family.name for family in families()) + " |"
    rows = [[value.strip() for value in line.strip("|").split("|")] for line in lines[2:]]
    assert [title for title, *_ in rows] == [cell.title for cell in CELLS]
    for cell, (_, *values) in zip(CELLS, rows, strict=True):
        assert len(values) == len(families())
        for value in values:
            if refused := re.fullmatch(r"refused \((\d+)\)", value):
                assert re.search(rf"^{refused[1]}\. \S", between("measured"), re.MULTILINE)
            elif cell.stage.endswith(("-fp32", "-tags", "-spans")) and "export" in cell.title:
                agreement, difference = value.split("%, ")
                assert agreement == "100", (cell.title, value)
                assert float(difference.removeprefix("below ")) <= 1e-4, (cell.title, value)
            elif cell.bound is not None:
                assert float(value.removeprefix("below ")) <= cell.bound, (cell.title, value)
            else:
                shown = r"works|([\d.]+%, )?(below )?[\d.e-]+"
                assert re.fullmatch(shown, value), (cell.title, value)


def test_every_stage_is_in_a_cell_or_needed_by_one() -> None:
    assert {name for cell in CELLS for name in needed(cell.stage)} == STAGES.keys()


# Of the cells without an export, each with another family.
QUICK = {
    "bert": "fused-nf4", "deberta-v2": "cut-heads", "modernbert": "narrower",
    "xlm-roberta-xl": "trimmed",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_family_goes_through_a_stage(name: str, tmp_path: Path) -> None:
    (cell,) = (cell for cell in CELLS if cell.stage == QUICK[name])
    value = run_cell(cell, named(name), tmp_path, DataSource("embedded"))
    assert not value.startswith(("failed", "refused")), value
