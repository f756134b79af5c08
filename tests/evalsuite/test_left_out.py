"""Known defects of published data are left out and counted; others are errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from all_tasks import find

from evalsuite.data.left_out import LeftOut, Rows, collected, record, sentence
from evalsuite.errors import MalformedRowError
from evalsuite.evaluate import evaluate
from evalsuite.inference.open_model import open_model
from evalsuite.task import DataSource, Split

GOOD = "a b\tc d\t{}\n"


def put(folder: Path, name: str, content: str) -> DataSource:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return DataSource("xtreme", folder)


@pytest.mark.parametrize(
    ("name", "split", "file", "content", "left"),
    [
        ("pawsx", "train", "pawsx/train-de.tsv", GOOD.format(1) + "\t\t0\n \t\t1\n", 2),
        ("xnli", "dev", "xnli/dev-de.tsv", GOOD.format("neutral") * 2 + GOOD.format("-"), 1),
        ("snli", "train", "snli/train-en.tsv", GOOD.format("-") + GOOD.format("neutral"), 1),
    ],
)
def test_known_defects_are_counted(
    name: str, split: Split, file: str, content: str, left: int, tmp_path: Path
) -> None:
    source, language = put(tmp_path, file, content), file[-6:-4]
    with collected() as outer, collected() as inner:
        rows = find(name).load(source, split, language)
        rows = find(name).load(source, split, language)  # the same rows count once
    (key,), (found,) = inner, inner.values()
    assert key == Rows(name, split, language) and outer == inner
    assert (found.read, sum(found.reasons.values())) == (content.count("\n"), left)
    assert len(rows) == found.read - left


@pytest.mark.parametrize(
    ("name", "file", "content", "problem"),
    [
        ("pawsx", "pawsx/train-de.tsv", GOOD.format(1) + "\tc d\t0\n", "2: an empty sentence"),
        ("pawsx", "pawsx/train-de.tsv", GOOD.format("-"), "1: unknown label '-'"),
        ("xnli", "xnli/dev-de.tsv", "\t\tneutral\n", "1: an empty sentence"),
        ("rte", "rte/dev-en.tsv", "sentence1\tsentence2\tlabel\na\tb\t-\n", "2: unknown label"),
    ],
)
def test_other_defects_are_errors(
    name: str, file: str, content: str, problem: str, tmp_path: Path
) -> None:
    source = put(tmp_path, file, content)
    split: Split = "train" if "train" in file else "dev"
    with pytest.raises(MalformedRowError, match=problem):
        find(name).load(source, split, file[-6:-4])


def test_rows_of_glue_that_lack_columns(tmp_path: Path) -> None:
    rows = "question1\tquestion2\tis_duplicate\n" + GOOD.format(1) * 1200 + "cut\n"
    with collected() as found:
        find("qqp").load(put(tmp_path, "qqp/dev-en.tsv", rows), "dev", "en")
    assert found == {Rows("qqp", "dev", "en"): LeftOut(1201, {"columns are missing": 1})}


def test_nothing_is_recorded_where_nothing_is_left_out() -> None:
    with collected() as found:
        record(Rows("xnli", "dev", "de"), 10, {"no gold label": 0})
    assert found == {} and sentence(found) == ""


def test_one_line_says_all() -> None:
    found = {
        Rows("xnli", "dev", "sw"): LeftOut(2490, {"no gold label": 3}),
        Rows("pawsx", "train", "de"): LeftOut(49_401, {"a": 1_000, "b": 2}),
    }
    assert sentence(found) == (
        "pawsx train de: 1,002 of 49,401 rows (a 1,000, b 2); "
        "xnli dev sw: 3 of 2,490 rows (no gold label)"
    )


def test_scores_say_what_was_left_out(tiny_nli: Path, tmp_path: Path) -> None:
    source = put(tmp_path, "xnli/dev-sw.tsv", GOOD.format("neutral") * 4 + GOOD.format("-"))
    found = evaluate(open_model(tiny_nli), find("xnli"), source, label="m", out=tmp_path / "out")
    assert found.left_out == {"sw": {"no gold label": 1}} and found.examples == {"sw": 4}
