"""Tasks read from the embedded suite: which splits and languages each has."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from all_tasks import KIND, NOT_EMBEDDED, every, find

from evalsuite.errors import DataError
from evalsuite.task import (
    ChoiceExample,
    DataSource,
    MatchExample,
    MiningExample,
    PairExample,
    ParallelExample,
    SpanExample,
    Split,
    TagExample,
    Task,
)

EMBEDDED = DataSource("embedded")


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in for `evalsuite.data.embedded`, so that only the wiring is tested here."""
    module: Any = ModuleType("evalsuite.data.embedded.generate")
    module.LANGUAGES = ("de", "en", "sw")
    module.nli = lambda split, language: [PairExample(f"{split}-{language}", "a", "b", "neutral")]
    module.pos = lambda split, language: [TagExample(f"{split}-{language}", ("a",), ("X",))]
    module.ner = lambda split, language: [TagExample(f"{split}-{language}", ("a",), ("O",))]
    module.parallel = lambda split, language: [ParallelExample(f"{split}-{language}", "a", "b")]
    module.comparable = lambda split, language: (
        [MiningExample(f"{split}-{language}", "a", ())],
        [],
    )
    module.paraphrases = lambda split, language: [PairExample(f"{split}-{language}", "a", "b", "1")]
    module.qa = lambda split, language: [SpanExample(f"{split}-{language}", "a", "b", ())]
    module.causes = lambda split, language: [
        ChoiceExample(f"{split}-{language}", "a", "cause", ("b", "c"), 1)
    ]
    monkeypatch.setitem(sys.modules, "evalsuite.data.embedded.generate", module)
    monkeypatch.setattr("evalsuite.data.embedded.generate", module, raising=False)
    return module  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("task", "split", "available"),
    [
        ("xnli", "train", ("en",)),
        ("xnli", "test", ("en", "de", "sw")),
        ("xnli", "dev", ("en", "de", "sw")),
        ("udpos", "test", ("en", "de", "sw")),
        ("panx", "test", ("en", "de", "sw")),
        ("tatoeba", "test", ("de", "sw")),
        ("tatoeba", "train", ()),
        ("bucc2018", "dev", ("de", "sw")),
        ("bucc2018", "train", ()),
        ("mnli", "train", ("en",)),
        ("mnli", "dev", ()),
        ("snli", "train", ()),
        ("pawsx", "test", ("en", "de", "sw")),
        ("xcopa", "train", ("en",)),
        ("xcopa", "dev", ("en", "de", "sw")),
        ("xquad", "train", ("en",)),
        ("mlqa", "test", ("en", "de", "sw")),
        ("tydiqa", "dev", ("en", "de", "sw")),
    ],
)
def test_embedded(suite: ModuleType, task: str, split: Split, available: tuple[str]) -> None:
    found = find(task)
    assert found.available(EMBEDDED, split) == available
    assert found.files(EMBEDDED, split, "en") == ()
    for language in available:
        (row,) = found.load(EMBEDDED, split, language)
        assert isinstance(row, KIND[found.format])
        assert row.id == f"{'intermediate' if task == 'mnli' else split}-{language}"


@every
def test_the_real_embedded_suite(task: Task) -> None:
    from evalsuite.data.embedded import generate as embedded

    read = 0
    for split in ("train", "test"):
        for language in task.available(EMBEDDED, split)[:2]:
            rows = task.load(EMBEDDED, split, language)
            trained = split == "train" and task.format == "ranking"
            kind = MatchExample if trained else KIND[task.format]
            assert {type(row) for row in rows} == {kind}
            if task.format == "tagging":
                tags = {tag for row in rows for tag in row.tags}  # type: ignore[union-attr]
                assert tags <= set(task.labels)
            read += 1
    none = dict.fromkeys(NOT_EMBEDDED, 0)
    assert read == {**none, "mnli": 1, "tatoeba": 2, "bucc2018": 2}.get(task.name, 3)
    assert len(task.available(EMBEDDED, "test")) == {
        **none,
        "mnli": 0,
        "tatoeba": len(embedded.LANGUAGES) - 1,
        "bucc2018": len(embedded.LANGUAGES) - 1,
    }.get(task.name, len(embedded.LANGUAGES))


def test_embedded_has_not_everything(suite: ModuleType) -> None:
    with pytest.raises(DataError, match=r"no snli train rows in 'en'; it has: no language"):
        find("snli").load(EMBEDDED, "train", "en")
    with pytest.raises(DataError, match=r"no xnli test rows in 'fr'; it has: en, de, sw"):
        find("xnli").load(EMBEDDED, "test", "fr")
