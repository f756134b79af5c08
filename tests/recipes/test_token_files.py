"""Token files that no training reads are found and removed, others stay."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from evalsuite import tokenization
from evalsuite.bulk.text_shards import find
from evalsuite.data.heldout import HeldOut
from recipes.execution.token_files import remove, unused
from recipes.execution.workspace import Workspace
from transfer.text.token_shards import TokenCorpus, TokenStore

DAY = 86_400


@pytest.fixture
def made(tmp_path: Path, tiny_base: Path) -> tuple[Workspace, Path]:
    """A workspace with the token file of one shard."""
    (tmp_path / "sw.txt").write_text("one row\nanother row\n")
    space = Workspace(tmp_path / "w")
    space.stages.mkdir(parents=True)
    (shard,) = find(str(tmp_path / "sw.txt"))
    store = TokenStore(space.tokens, tokenization.load(tiny_base), 8, HeldOut([]))
    return space, store.file(shard)


def age(folder: Path, days: float) -> None:
    for path in folder.iterdir():
        then = time.time() - days * DAY
        os.utime(path, (then, then))


def test_what_was_read_long_ago_is_unused(made: tuple[Workspace, Path]) -> None:
    space, file = made
    month, none = timedelta(days=30), timedelta(0)
    assert unused(space, none) == []  # a training may have just made it
    age(space.tokens, 2)
    assert unused(space, month) == []
    found = unused(space, none)
    assert {f.path.suffix for f in found} == {".arrow", ".digest"}
    assert sum(f.bytes for f in found) == sum(p.stat().st_size for p in space.tokens.iterdir())
    TokenCorpus([file]).read([0])  # a training that goes on keeps its file
    assert [f.path.suffix for f in unused(space, none)] == [".digest"]
    age(space.tokens, 31)
    remove(unused(space, month))
    remove(found)  # what is gone already is no error
    assert list(space.tokens.iterdir()) == []
    assert unused(Workspace(space.root / "nowhere"), none) == []


def test_prune_removes_them_and_says_so(
    made: tuple[Workspace, Path], cli: Callable[..., tuple[str, str]]
) -> None:
    space, file = made
    age(space.tokens, 31)
    prune = ("cache", "prune", "--workspace", str(space.root))
    dry, _ = cli(0, *prune, "--dry-run")
    assert "2 files of tokenized text, " in dry
    assert dry.rstrip().endswith("would be removed")
    assert file.exists()
    done, _ = cli(0, *prune)
    assert done.rstrip().endswith(" removed")
    assert not file.exists()
    assert "tokenized" not in cli(0, *prune)[0]
