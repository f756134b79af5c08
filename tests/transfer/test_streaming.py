"""Text in shards: read as it comes, tokenized once, every batch known by its number alone."""

from __future__ import annotations

import gzip
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
import zstandard
from pydantic import ValidationError
from torch import nn

from evalsuite import tokenization
from evalsuite.bulk.text_shards import find, texts
from evalsuite.data.heldout import HeldOut
from evalsuite.errors import DataError
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import pretrain
from recipes.stages._shared.contract import Artifact
from transfer.loop.batch_plan import padded
from transfer.loop.fit import Settings, fit
from transfer.loop.mixed_plan import MixedPlan, in_memory
from transfer.loop.stream_plan import ShuffledRows, StreamPlan
from transfer.loop.types import TrainingData
from transfer.text import token_shards
from transfer.text.stream import Stream, Streamed, first_lines, tokenize
from transfer.text.token_shards import TokenCorpus, TokenStore

ROWS = ["one row", "", "two rows", "Zürich"]
KEPT = ["one row", "two rows", "Zürich"]


class Numbers:
    """Blocks of rows `[number, 7, 7, ...]`, some of them shorter than others."""

    def __init__(self, *block_rows: int) -> None:
        self.block_rows = np.array(block_rows, dtype=np.int64)
        self.read_blocks: list[int] = []

    def read(self, blocks: Any) -> tuple[np.ndarray, np.ndarray]:
        self.read_blocks += blocks
        first = np.concatenate([[0], np.cumsum(self.block_rows)])
        rows = [n for block in blocks for n in range(first[block], first[block + 1])]
        ids = [[n] + [7] * (n % 5) for n in rows]
        return np.concatenate([np.array(row) for row in ids]), np.cumsum([0, *map(len, ids)])


def written(folder: Path) -> list[Path]:
    text = "\n".join(ROWS).encode()
    table = pyarrow.table({"id": range(4), "text": ROWS})
    contents = {
        "a.txt": text,
        "b.txt.gz": gzip.compress(text),
        "c.txt.zst": zstandard.compress(text),
        "d.jsonl": "\n".join(f'{{"text": "{row}"}}' for row in ROWS).encode(),
        "e.tsv": b"text\tid\n" + "".join(f"{row}\t1\n" for row in KEPT).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    pyarrow.parquet.write_table(table, folder / "f.parquet")
    return [folder / name for name in (*contents, "f.parquet")]


def test_every_kind_of_shard_has_its_texts(tmp_path: Path) -> None:
    paths = written(tmp_path)
    shards = find(str(tmp_path / "*"))
    assert [shard.name for shard in shards] == [str(path) for path in paths]
    assert [list(texts(shard)) for shard in shards] == [KEPT] * len(paths)
    with pytest.raises(DataError, match=r"there is no file .*nothing-\*"):
        find(str(tmp_path / "nothing-*"))
    with pytest.raises(DataError, match="40 digits of its commit"):
        find("hub:org/name")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"x" * 9999)[:20])
    with pytest.raises(DataError, match="cannot be read to its end"):
        list(texts(shards[1]))
    pyarrow.parquet.write_table(pyarrow.table({"a": [1], "b": [2]}), tmp_path / "f.parquet")
    with pytest.raises(DataError, match="no column 'text'; rename one of: a, b"):
        list(texts(shards[-1]))


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (['{"content": "a b"}', '{"content": "c"}'], ["a b", "c"]),
        (['{"text": "a", "id": 1}', '{"text": null}', '{"id": 2, "text": "b"}'], ["a", "b"]),
        ([], []),
        (['{"a": "1", "b": "2"}'], "d.jsonl:1: no column 'text'; rename one of: a, b"),
        (["{}"], "d.jsonl:1: no column 'text'; there are no columns"),
        (['{"text": "a"}', '{"id": "7", "n": 1}'], "d.jsonl:2: no column 'text'; rename one of"),
        (
            ['{"id": "7"}', '{"id": "8", "text": "a"}'],
            "d.jsonl:2: its text is in 'text', and in the rows before it in 'id'; give both",
        ),
    ],
)
def test_json_lines_have_one_column_of_text(
    lines: list[str], found: list[str] | str, tmp_path: Path
) -> None:
    (tmp_path / "d.jsonl").write_text("\n".join(lines), "utf-8")
    (shard,) = find(str(tmp_path / "d.jsonl"))
    if isinstance(found, list):
        assert list(texts(shard)) == found
    else:
        with pytest.raises(DataError, match=re.escape(found)):
            list(texts(shard))


@pytest.fixture
def store(tiny_base: Path, tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens", tokenization.load(tiny_base), 8, HeldOut(["two rows!"]))


def test_a_shard_is_tokenized_once(
    store: TokenStore, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("\n".join(ROWS), "utf-8")
    (shard,) = find(str(tmp_path / "a.txt"))
    monkeypatch.setattr(token_shards, "BLOCK", 1)
    path = store.file(shard)
    tokenizer = tokenization.load(tiny_base)
    wanted = [encoding.ids for encoding in tokenizer.encode_batch(["one row", "Zürich"])]
    corpus = TokenCorpus([path, path])
    assert len(corpus) == 4 and corpus.block_rows.tolist() == [1] * 4
    ids, starts = corpus.read([3, 0])
    assert [ids[a:b].tolist() for a, b in itertools.pairwise(starts)] == wanted[::-1]
    assert not list(store.place.glob("*.partial")) and not list(store.place.glob("*.lock"))

    def fail(*arguments: object) -> None:
        raise AssertionError("it is there already")

    monkeypatch.setattr(TokenStore, "_write", fail)
    copy = tmp_path / "copy.txt"
    copy.write_bytes((tmp_path / "a.txt").read_bytes())
    again = TokenStore(store.place, tokenization.load(tiny_base), 8, HeldOut(["Two rows"]))
    assert again.file(find(str(copy))[0]) == path
    shorter = TokenStore(store.place, tokenization.load(tiny_base), 7, HeldOut(["two rows"]))
    with pytest.raises(AssertionError):
        shorter.file(shard)


def test_a_shard_that_breaks_off_leaves_no_token_file(store: TokenStore, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\n\xff\n")
    (shard,) = find(str(tmp_path / "a.txt"))
    with pytest.raises(DataError):
        store.file(shard)
    assert not list(store.place.glob("*.arrow"))
    (tmp_path / "a.txt").write_text("two rows\n")
    with pytest.raises(DataError, match="no text in it that is not evaluation text"):
        store.file(shard)


def test_each_row_comes_once_an_epoch_and_each_buffer_is_read_once() -> None:
    blocks = Numbers(4, 4, 2, 4, 4, 1, 4)
    rows = ShuffledRows(blocks, buffer=8, seed=(1, 0))
    first = [row[0] for row in rows.rows(0, 23)]
    assert sorted(first) == list(range(23)) and first != sorted(first)
    assert sorted(blocks.read_blocks) == list(range(7))
    second = [row[0] for row in rows.rows(23, 23)]
    assert sorted(second) == list(range(23)) and second != first
    fresh = ShuffledRows(Numbers(4, 4, 2, 4, 4, 1, 4), buffer=8, seed=(1, 0))
    assert [row[0] for row in fresh.rows(20, 9)] == [*first[20:], *second[:6]]


def a_plan(steps: int = 100, seed: int = 3) -> StreamPlan:
    large, small = Numbers(*[64] * 40), Numbers(*[64] * 2, 9)
    languages = [ShuffledRows(each, 128, (seed, n)) for n, each in enumerate((large, small))]
    return StreamPlan(languages, [each.count**0.3 for each in languages], 4, steps, seed)


def test_any_batch_is_known_by_its_number_alone() -> None:
    plan, other = a_plan(), a_plan()
    whole = [[plan.ids(i) for i in batch.indices] for batch in plan]
    assert len(plan) == len(whole) == 100
    for number in (99, 31, 32, 0, 64):
        assert [other.ids(i) for i in other[number].indices] == whole[number]
        assert other[number] == plan[number]
    assert a_plan(seed=4)[0] != plan[0]
    assert plan[98:] == [plan[98], plan[99]]
    with pytest.raises(IndexError):
        plan[100]
    spread = [max(map(len, rows)) - min(map(len, rows)) for rows in whole]
    assert sum(spread) / len(spread) < 1  # rows of similar length lie together


def test_rows_of_a_mixed_plan_are_counted_without_its_stream() -> None:
    def stream(count: int, part: int) -> StreamPlan:
        return StreamPlan([ShuffledRows(Numbers(64), 64, (1, 0))], [1.0], 4, count, 1, part)

    plan = MixedPlan([in_memory([3] * 5, 2, seed=1), stream], [0.5, 0.5], steps=40, seed=1)
    assert {batch.part for batch in plan} == {0, 1}
    batches = list(plan)
    for count in (0, 7, 40):
        assert plan.rows(count) == sum(len(batch.indices) for batch in batches[:count])
    empty = MixedPlan([in_memory([], 2, seed=1), stream], [0.0, 1.0], steps=3, seed=1)
    assert [batch.part for batch in empty] == [1, 1, 1]


def test_languages_are_drawn_with_the_exponent() -> None:
    plan = a_plan(steps=320)
    counts = Counter[int]()
    for _ in plan:
        pass
    counts.update(dict(enumerate(plan._until[-1].tolist())))
    share = counts[1] / counts.total()
    wanted = 137**0.3 / (137**0.3 + 2560**0.3)
    assert abs(share - wanted) < 0.05


class Killed(Exception):
    """Stands in for a kill."""


def test_a_killed_training_goes_on_with_the_same_batches(tmp_path: Path) -> None:
    def train(work: Path, killed: int | None = None) -> tuple[list[list[int]], Any]:
        plan, seen = a_plan(steps=40), list[list[int]]()

        def collate(batch: Any) -> Any:
            rows = [plan.ids(i) for i in batch.indices]
            seen.append([row[0] for row in rows])
            return {"x": padded(rows, 0)["input_ids"].float().mean(1, keepdim=True) / 1000}

        def after(step: int) -> None:
            if step == killed:
                raise Killed

        torch.manual_seed(0)
        model = nn.Linear(1, 1)
        data = TrainingData(plan, collate, rows=plan.rows)
        settings = Settings(1e-2, seed=1, compute="fp32", save_every=0.0)
        done = fit(model, data, lambda m, b: m(b["x"]).pow(2).mean(), settings, work, after=after)
        assert done.examples == 160
        return seen, model.weight.item()

    whole, weight = train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "cut", killed=36)
    rest, same = train(tmp_path / "cut")
    assert rest == whole[35:] and same == weight


def test_text_by_language(tiny_base: Path, tmp_path: Path) -> None:
    written(tmp_path)
    places = {"en": (str(tmp_path / "*.txt*"),), "de": (str(tmp_path / "d.jsonl"),)}
    stream = Stream(places, buffer=64, tokens=tmp_path / "tokens")
    source = DataSource("embedded")
    text: Streamed = tokenize(stream, tokenization.load(tiny_base), 8, source)
    assert {code: len(corpus) for code, corpus in text.corpora.items()} == {"de": 3, "en": 9}
    plan = text.plan(alpha=0.0, batch_size=2, steps=3, seed=1)
    assert all(len(batch.indices) == 2 for batch in plan)
    found = first_lines(stream, 4, source, longest=5)
    assert found == {"de": ["one r", "two r"], "en": ["one r"] * 3}


def config(**keys: Any) -> pretrain.Config:
    return pretrain.Config(name="a", stage="pretrain", model="b", steps=1, **keys)


def test_keys_of_a_stage(tmp_path: Path) -> None:
    artifact = Artifact("checkpoint")
    assert not {"stream", "shuffle_buffer"} & config().model_dump().keys()  # finished ones stay so
    written(tmp_path)
    place = str(tmp_path / "[ab].txt*")
    needs = pretrain.data(config(stream={"en": [place]}), artifact)
    assert [Path(need.task).name for need in needs[:2]] == ["a.txt", "b.txt.gz"]
    with pytest.raises(ValidationError, match="remove max_pairs, tlm, which goes with parallel"):
        config(stream={"en": [place]}, tlm=0.5, max_pairs=3)
    with pytest.raises(StageInputError, match=r"stream, en: hub:a/b: a data set of the hub is"):
        pretrain.check(config(stream={"en": ["hub:a/b"]}), {"model": (artifact,)})
