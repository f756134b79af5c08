"""Two tokenizers are compared by what they do, and parsed only where their files differ."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from checkpoints import bert, small

from compress.distill.own_pieces import own_tokenizer
from evalsuite.opening import tokenizer as tokenizer_files
from evalsuite.opening.tokenizer import same_ids, tokenizer_json
from recipes.errors import StageInputError
from recipes.planning.external_models import External
from recipes.stages.distill import Config, check


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An XLM-R with SentencePiece, and a BERT with WordPiece, both with heads for XNLI."""
    here = tmp_path_factory.mktemp("pair")
    return small(here / "teacher"), bert(here / "student")


def test_ids_of_text_do_not_depend_on_special_tokens_in_it(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    for source in pair:
        known = shutil.copytree(source, tmp_path / f"{source.name} known")
        read = json.loads(tokenizer_json(source))
        size = len(read["model"]["vocab"])
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        mask = {"id": size, "content": "<m>", **flags, "special": True}
        unused = mask | {"id": size + 1, "content": "<unused>"}
        read["added_tokens"].append(mask)
        (known / "tokenizer.json").write_text(json.dumps(read))
        other = shutil.copytree(known, tmp_path / f"{source.name} other")
        mask["lstrip"] = True
        read["added_tokens"].append(unused)
        (other / "tokenizer.json").write_text(json.dumps(read))
        assert own_tokenizer(other, known) and same_ids(other, known)
        unused["special"] = False  # a word, such as one of a domain
        (other / "tokenizer.json").write_text(json.dumps(read))
        os.utime(other / "tokenizer.json", (1, 1))
        assert not same_ids(other, known)
    assert not same_ids(*pair)


def test_a_tokenizer_is_parsed_only_where_files_differ(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = zip(("teacher", "copied", "other"), (pair[0], *pair), strict=True)
    paths = [shutil.copytree(source, tmp_path / name) for name, source in folders]
    read: list[str] = []
    real = tokenizer_files.parsed
    monkeypatch.setattr(tokenizer_files, "parsed", lambda text: read.append(text) or real(text))
    given = [External.find(str(path)).artifact for path in paths]
    asked = Config(name="s", stage="distill", teacher="t", others=("o",), tasks=("xnli",), hidden=0)
    assert check(asked, {"teacher": given[:1], "others": given[1:2]}) and not read
    with pytest.raises(StageInputError, match="others: o splits text into other pieces"):
        check(asked, {"teacher": given[:1], "others": given[2:]})
    assert len(read) == 2
