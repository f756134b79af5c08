"""`lingopress init` on files with mistakes: messages name the file and the line of the person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from drafts import Rows, conll, json_lines, rows, table

from evalsuite.errors import DataError, MalformedRowError
from evalsuite.guess.origins import Origins
from evalsuite.guess.rows import read_rows, write_rows
from evalsuite.guess.sheet import read_sheet
from recipes.drafting.new_recipe import Wishes, draft

NINETY = rows(90)
TWO_LINES = ('"It rains,\nand the sun is on its way"', "weather")


def said(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], **more: Any) -> str:
    monkeypatch.chdir(folder)
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    wishes = Wishes(model="package:recipes/models/e5-mini", output=Path("r.yaml"), **more)
    with pytest.raises(DataError) as caught:
        draft([*map(Path, files)], wishes)
    return str(caught.value)


def with_row(row: tuple[str, str], at: int = 11) -> Rows:
    return [*NINETY[:at], row, *NINETY[at:]]


def in_lines(found: Rows, part: int) -> str:
    return "".join(f"{row[part]}\n" for row in found)


def in_splits(found: Rows) -> str:
    places = ("train", "test")
    lines = (f"{text},{label},{places[n % 2]}\n" for n, (text, label) in enumerate(found))
    return "text,label,split\n" + "".join(lines)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.csv": table(with_row(("it rains here", "")), ";")}, "a.csv:13: no label"),
        ({"a.csv": table([TWO_LINES, *with_row(("it rains", ""))])}, "a.csv:15: no label"),
        ({"a.csv": table(with_row(("", "sports")))}, "\na.csv:13: an empty text (text)"),
        ({"a.jsonl": json_lines(with_row(("", "sports")))}, "\na.jsonl:12: an empty text (text)"),
        ({"a.csv": in_splits(with_row(("", "sports")))}, "\na.csv:13: an empty text (text)"),
        (
            {
                "a_text.txt": in_lines(with_row((" ", "sports")), 0),
                "a_labels.txt": in_lines(with_row((" ", "sports")), 1),
            },
            "\na_text.txt:12: an empty text (text)",
        ),
        (
            {"all_text.txt": in_lines(rows(80), 0), "all_labels.txt": in_lines(rows(79), 1)},
            "_labels.txt:80: 79 lines, and all_text.txt has 80; line by line they belong",
        ),
        (
            {"all_text.txt": in_lines(rows(80), 0), "all_labels.txt": in_lines(rows(80), 1) + "\n"},
            "_labels.txt:81: 81 lines, and all_text.txt has 80; line by line they belong",
        ),
    ],
)
def test_a_row_that_was_set_apart_is_named_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], message: str
) -> None:
    assert message in f"\n{said(tmp_path, monkeypatch, files)}"
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def test_mistakes_are_listed_in_the_order_of_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [*NINETY[:9], ("", "sports"), ("", "sports"), *NINETY[11:]]
    listed = said(tmp_path, monkeypatch, {"a.csv": in_splits(found)}).splitlines()[1:]
    assert [line.split(": ")[0] for line in listed] == ["a.csv:11", "a.csv:12"]


def test_a_word_of_a_sentence_is_named_where_it_stood(tmp_path: Path) -> None:
    source = tmp_path / "tags.conll"
    source.write_text(f"# sentences\n\n\n{conll(3)}\n\n{conll(2)}", encoding="utf-8")
    found = read_rows(source, read_sheet(source))
    assert found.lines == [4, 8, 12, 18, 22]
    some = found.some([1, 3])
    written = write_rows(some, tmp_path / "en", "train", lambda path: False)
    origins = Origins()
    origins.add(written, source, some)
    for line, before in ((1, 8), (3, 10), (5, 18), (6, 19)):
        assert (
            str(origins.of(MalformedRowError(str(written), line, "x"))) == f"{source}:{before}: x"
        )
    other = MalformedRowError("b.csv", 1, "x")
    assert origins.of(other) is other


def test_what_the_recipe_would_refuse_is_said_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"text": "text", "labels": ("label", "label")}
    found = said(tmp_path, monkeypatch, {"a.csv": table(NINETY)}, columns=columns)
    assert found == "a.csv: columns: labels: give at least two, each of them once"
