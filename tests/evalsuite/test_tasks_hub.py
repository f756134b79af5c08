"""Tasks read from the Hugging Face hub, in the layouts of the pinned data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from all_tasks import ALL, NO_HUB, every, find

from evalsuite.data.hub import rows
from evalsuite.errors import DataError
from evalsuite.task import Answer, DataSource, Split, Task
from evalsuite.tasks import xcopa
from tests.support.hub_layouts import LAYOUTS, XLMR_BASE, layout_of, serve_data_set
from tests.support.loopback_hub import LoopbackHub

HUB = DataSource("hub")


@every
def test_hub_languages(task: Task) -> None:
    split = task.eval_splits[0]
    found = task.available(HUB, split)
    assert set(found) <= set(task.languages)
    if task.hub is None:
        assert found == () and task.name in NO_HUB
        return
    assert len(found) == {"udpos": 33, "panx": 40, "xcopa": 11, "xquad": 11}.get(
        task.name, len(task.languages)
    )
    assert task.files(HUB, split, found[0]) == ()
    translated = task.name in ("xnli", "pawsx", "tydiqa")  # TyDiQA's were asked in them
    wanted = task.languages if translated else ("en",)
    trained = task.available(HUB, "train")
    assert set(trained) == (set(wanted) if task.trains_on else set())
    assert trained[:1] == (("en",) if task.trains_on else ())


def test_hub_copy_without_a_language() -> None:
    with pytest.raises(DataError, match="the hub source has no udpos test rows in 'pl'"):
        find("udpos").load(HUB, "test", "pl")
    assert "th" not in find("udpos").available(HUB, "dev")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "split", "language", "config", "rows"),
    [
        ("xnli", "dev", "sw", ("sw", "validation"), ["contradiction", "entailment"]),
        ("xnli", "train", "de", ("de", "train"), ["contradiction", "entailment"]),
        ("mnli", "dev", "en", ("default", "validation_matched"), ["contradiction", "entailment"]),
        ("snli", "test", "en", ("plain_text", "test"), ["contradiction", "entailment"]),
        ("udpos", "test", "fa", ("udpos.Persian", "test"), [("X", "ADJ")]),
        ("panx", "train", "en", ("PAN-X.en", "train"), [("B-PER", "O")]),
        ("tatoeba", "test", "sw", ("swh-eng", "test"), ["moja"]),
        ("pawsx", "dev", "ko", ("PAWS-X.ko", "validation"), ["1"]),
        ("pawsx", "train", "zh", ("PAWS-X.zh", "train"), ["1"]),
        ("xcopa", "dev", "ht", ("ht", "validation"), [1]),
        ("xcopa", "train", "en", ("copa", "train"), [1]),
        ("xquad", "test", "de", ("XQuAD.de", "validation"), [(Answer("1867", 3),)] * 2),
        ("xquad", "train", "en", ("SQuAD", "train"), [(Answer("1867", 3),)] * 2),
        ("mlqa", "dev", "zh", ("MLQA.zh.zh", "validation"), [(Answer("1867", 3),)] * 2),
        ("tydiqa", "dev", "sw", ("tydiqa", "validation"), [(Answer("1867", 3),)]),
        ("tydiqa", "train", "sw", ("tydiqa", "train"), [(Answer("1867", 3),)]),
        ("qqp", "train", "en", ("qqp", "train"), ["1"]),
        ("rte", "dev", "en", ("rte", "validation"), ["not_entailment"]),
        ("hellaswag", "dev", "en", ("default", "validation"), [3, None]),
        ("commonsenseqa", "train", "en", ("default", "train"), [4]),
        ("cosmosqa", "dev", "en", ("default", "validation"), [2, None]),
        ("siqa", "train", "en", ("default", "train"), [2]),
        ("squad", "dev", "en", ("plain_text", "validation"), [(Answer("1867", 3),)] * 2),
        (
            *("squad2", "train", "en", ("squad_v2", "train")),
            [(Answer("1867", 3),), (Answer("", -1),)],
        ),
    ],
)
def test_hub_rows(
    hub: LoopbackHub,
    task: str,
    split: Split,
    language: str,
    config: tuple[str, str],
    rows: list[Any],
) -> None:
    found = find(task)
    assert found.hub
    source = xcopa._COPA if config[0] == "copa" else found.hub
    serve_data_set(hub, source, config[0])
    loaded: Any = found.load(HUB, split, language)
    fields = {"tagging": "tags", "span": "answers", "retrieval": "foreign"}
    assert [getattr(row, fields.get(found.format, "label")) for row in loaded] == rows
    file = layout_of(source.repo, config[0]).files.format(config=config[0], split=config[1])
    place = f"HEAD /datasets/{source.repo}/resolve/{source.revision}/{file}"
    assert place in hub.asked
    asked = len(hub.asked)
    assert list(found.load(HUB, split, language)) == list(loaded)
    assert len(hub.asked) == asked  # a commit does not change
    if found.format == "span":
        assert [row.id for row in loaded] == ["swahili-1", "finnish-2"][: len(rows)]
        return
    left_out = found.format == "pair" and len(rows) == 2  # the one between has no gold label
    numbers = (0, 2) if left_out else range(len(rows))
    assert [row.id for row in loaded] == [f"{split}-{language}-{n}" for n in numbers]


@pytest.mark.slow
def test_anli_comes_with_the_other_two(hub: LoopbackHub) -> None:
    task = find("anliplus")
    assert task.hub
    for source, config in zip(
        (task.hub, *task.hub_beside), ("plain_text", "default", "plain_text"), strict=True
    ):
        serve_data_set(hub, source, config)
    rows: Any = task.load(HUB, "dev", "en")
    assert [row.id for row in rows] == [
        f"{name}-dev-en-{n}" for name in ("r1", "r2", "r3", "mnli", "snli") for n in (0, 2)
    ]
    assert [row.label for row in rows] == ["contradiction", "entailment"] * 5


def test_every_pinned_data_set_has_its_layout_here_and_its_line_in_the_docs() -> None:
    pinned = {source for task in ALL for source in (task.hub, *task.hub_beside) if source}
    assert len(pinned) == 15
    assert {source.repo for source in pinned} == {layout.repo for layout in LAYOUTS}
    listed = (Path(__file__).resolve().parents[2] / "docs" / "hub.md").read_text(encoding="utf-8")
    for source in pinned:
        assert f"| `{source.repo}` | `{source.revision[:12]}` |" in listed
    assert f"| `FacebookAI/xlm-roberta-base` | `{XLMR_BASE[:12]}` |" in listed


@pytest.mark.parametrize(("config", "split"), [("qq", "test"), ("sw", "dev")])
def test_no_such_configuration_or_split(hub: LoopbackHub, config: str, split: str) -> None:
    xnli = find("xnli").hub
    assert xnli
    serve_data_set(hub, xnli, "sw")
    with pytest.raises(DataError, match=r"the data set facebook/xnli@b8dd5d7af511 has no rows in"):
        next(rows(xnli, config, split))
