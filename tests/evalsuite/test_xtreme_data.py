"""The real files beside the checkout: every one reads, and holds what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite import languages
from evalsuite.data import parallel
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Split
from transfer.registry import INTERMEDIATE_TASKS

pytestmark = pytest.mark.data


@pytest.fixture
def source(xtreme_dir: Path) -> DataSource:
    return DataSource("xtreme", xtreme_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "split", "count"),
    [("xnli", "dev", 12), ("panx", "dev", 42), ("udpos", "test", 25), ("tatoeba", "test", 34)],
)
def test_every_language_reads(source: DataSource, name: str, split: Split, count: int) -> None:
    task = TASKS.get(name)
    available = task.available(source, split)
    assert len(available) == count
    assert set(available) <= set(task.languages)
    assert task.eval_split(source) == split
    for language in available:
        rows = task.load(source, split, language)
        if name == "xnli":
            assert len(rows) == 2490
        elif name == "tatoeba":
            assert 200 <= len(rows) <= 1000
        else:
            assert len(rows) >= 47
        assert len({row.id for row in rows}) == len(rows)


@pytest.mark.slow
def test_english_training_data(source: DataSource) -> None:
    panx, udpos = TASKS.get("panx"), TASKS.get("udpos")
    assert len(panx.load(source, "train", "en")) == 20000
    sizes = {split: len(udpos.load(source, split, "en")) for split in ("train", "dev", "test")}
    assert sizes == {"train": 12544, "dev": 2001, "test": 2077}
    assert len(INTERMEDIATE_TASKS.get("snli").load(source, "train", "en")) == 19666
    assert INTERMEDIATE_TASKS.get("mnli").available(source, "train") == ()


def test_nothing_is_lost_in_tagging_files(source: DataSource) -> None:
    task = TASKS.get("udpos")
    (path,) = task.files(source, "test", "en")
    words = sum(1 for line in path.read_text(encoding="utf-8").split("\n") if line)
    assert sum(len(row.words) for row in task.load(source, "test", "en")) == words  # type: ignore


@pytest.mark.usefixtures("corpus_dir")
def test_corpus(source: DataSource) -> None:
    found = parallel.languages(source)
    assert len(found) == 44
    assert set(found) <= set(languages.LANGUAGES)
    assert parallel.monolingual_languages(source)[0] == "en"
    assert len(parallel.files(source)) == 44 + 45
    assert len(list(parallel.pairs(source, "jv"))) == 217
    assert len(list(parallel.monolingual(source, "yo"))) == 211
    assert len(list(parallel.pairs(source, "yo"))) == 2750
