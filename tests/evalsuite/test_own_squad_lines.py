"""Lines that messages of SQuAD files name, and what finding them takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from evalsuite.own.formats import span
from tests.support.own_files import WHEN, read, squad

ANY = Declaration(format="span", train={"de": "a.json"})


class Counted(str):
    """A text that counts the characters that are searched for line ends or for an id."""

    searched = 0

    def count(self, *given: Any) -> int:
        Counted.searched += len(range(*slice(*given[1:]).indices(len(self))))
        return super().count(*given)

    def find(self, *given: Any) -> int:
        place = super().find(*given)
        Counted.searched += (place if place >= 0 else len(self)) - given[1]
        return place


@pytest.mark.parametrize("escape", [lambda text: text, lambda text: text.replace("/", "\\/")])
def test_a_file_is_gone_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, escape: Any
) -> None:
    count = 300
    rows = [{**WHEN, "id": f"q/{number}"} for number in range(count)]
    text = escape(squad(*rows))
    monkeypatch.setattr(span, "decoded", lambda *given, **keys: Counted(text))
    (tmp_path / "a.json").write_text(text)
    Counted.searched = 0
    assert len(list(span.examples(ANY, tmp_path / "a.json", "train-de", ()))) == count
    assert 0 < Counted.searched <= len(text)


def without_answer(id: Any) -> dict[str, Any]:
    return {"id": id, "question": "Why?", "answers": [{"text": "410", "answer_start": 1}]}


@pytest.mark.parametrize(
    "escape",
    [
        lambda text: text,
        lambda text: text.replace("é", "\\u00e9"),
        lambda text: text.replace("/", "\\/"),
        lambda text: text.replace('"id": ', '"id" :\t'),
    ],
)
def test_lines_of_ids_however_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, escape: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    rows: list[Any] = [{**WHEN, "id": "a/é"}, {**WHEN, "id": 7}, without_answer("b/é")]
    with pytest.raises(DataError, match=r"^a\.json:30: question 'b/é': the answer '410' is not"):
        read("span", "train", "a.json", escape(squad(*rows)))


def test_ids_of_other_parts_and_in_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    context = 'Its "id": "q2" and 476.'
    question = {**WHEN, "answers": [{"text": "476"}], "question": '"id": "q2"?'}
    paragraph = {"id": "p1", "context": context, "qas": [question, without_answer("q2")]}
    tree = {"data": [{"id": "t", "paragraphs": [paragraph]}]}
    text = json.dumps(tree, indent=0)
    line = text[: text.index('"id": "q2",\n')].count("\n") + 1
    with pytest.raises(DataError, match=rf"^a\.json:{line}: question 'q2': the answer '410'"):
        read("span", "train", "a.json", text)
