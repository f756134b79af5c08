"""Every kind of vocabulary, in a family that has it, is cut without changing kept text."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModel, AutoTokenizer

from compress.errors import TrimError
from compress.trim import pieces, tokenizer_parts
from compress.trim.registry import KINDS, kind_of
from compress.trim.restore import restore
from compress.trim.trim import RECORD, trim
from evalsuite import tokenization
from evalsuite.data.embedded import generate as embedded
from evalsuite.inference.open_model import open_model
from tests.support import tiny_tokenizers
from tests.support.harmed import change_json
from tests.support.made_once import made_once
from tests.support.tiny_families import tiny_config

PADDING_ROWS = 7  # that no id has


class Kind(NamedTuple):
    """A family, its tokenizer, and the names of its special tokens."""

    family: str
    make: Callable[[Sequence[str], int], Tokenizer]
    pad: str
    mask: str


CASES = {
    "bpe of bytes": Kind("roberta", tiny_tokenizers.byte_level, "<pad>", "<mask>"),
    "bpe with bytes": Kind("modernbert", tiny_tokenizers.byte_fallback, "<pad>", "<mask>"),
    "wordpiece": Kind("bert", tiny_tokenizers.wordpiece, "[PAD]", "[MASK]"),
    "unigram": Kind("deberta-v2", tiny_tokenizers.specials_last, "[PAD]", "[MASK]"),
}


def lines(code: str) -> list[str]:
    return [row.foreign for row in list(embedded.parallel("train", code))[:400]]


def write(case: Kind, out: Path) -> None:
    """An encoder with its tokenizer, as `save_pretrained` leaves it."""
    import torch

    tokenizer = case.make([*lines("de"), *lines("ru")], 700)
    size = tokenizer.get_vocab_size() + PADDING_ROWS
    ids = {"pad_token_id": tokenizer.token_to_id(case.pad)}
    if case.family == "modernbert":
        ids |= {"bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 1, "sep_token_id": 1}
    config = tiny_config(case.family, vocab_size=size, max_position_embeddings=80, **ids)
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    names = {"pad_token": case.pad, "mask_token": case.mask}
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": int(1e30), **names}
    (out / "tokenizer_config.json").write_text(json.dumps(told))


@pytest.fixture(scope="module", params=CASES)
def whole(request: pytest.FixtureRequest) -> Path:
    name = request.param.replace(" ", "-")
    return made_once(f"trim-{name}", lambda out: write(CASES[request.param], out))


@pytest.fixture(scope="module")
def trimmed(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trimmed")
    found = trim(whole, out, {"de": lines("de")}, others={"ru": lines("ru")})
    assert found.after < 0.8 * found.before and found.languages["de"].percent == 100
    assert found.languages["de"].split.alike_percent == 100
    assert found.languages["ru"].split.alike_percent < 50
    return out


def hidden(directory: Path, ids: list[int]) -> np.ndarray:
    """Hidden states of the last layer."""
    model = open_model(directory)
    name = f"hidden_states.{model.layers}"
    row = np.array([ids])
    return model(row, np.ones_like(row), (name,))[name]


def test_kept_text_gets_the_same_pieces_and_hidden_states(whole: Path, trimmed: Path) -> None:
    before, after = tokenization.load(whole), tokenization.load(trimmed)
    old = json.loads((trimmed / RECORD).read_text())["old_ids"]
    text = [*lines("de"), "Ein Wort [URL] <mask>[MASK] \n\n und 7 % mehr", "Übergrößenträger"]
    for line in text:
        one, other = before.encode(line), after.encode(line)
        assert one.tokens == other.tokens
        assert [old[id] for id in other.ids] == one.ids
        assert before.decode(one.ids) == after.decode(other.ids)
    one, other = (tokenizer.encode(*text[:2]) for tokenizer in (before, after))
    assert one.type_ids == other.type_ids
    found, expected = hidden(trimmed, other.ids), hidden(whole, one.ids)
    assert np.abs(found - expected).max() < 1e-5 and np.abs(expected).max() > 0.1


def test_plain_transformers_reads_what_is_left(whole: Path, trimmed: Path) -> None:
    model = AutoModel.from_pretrained(trimmed)
    tokenizer, before = (AutoTokenizer.from_pretrained(path) for path in (trimmed, whole))
    assert model.get_input_embeddings().num_embeddings == len(tokenizer) == model.config.vocab_size
    assert tokenizer.pad_token_id == model.config.pad_token_id
    assert tokenizer.special_tokens_map == before.special_tokens_map
    assert tokenizer.model_input_names == before.model_input_names
    text = lines("de")[0]
    assert tokenizer(text)["input_ids"] == tokenization.load(trimmed).encode(text).ids


def test_restoring_gives_the_original_back(whole: Path, trimmed: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    restore(trimmed, whole, tmp_path)
    one, other = (load_file(path / "model.safetensors") for path in (whole, tmp_path))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    before, after = (json.loads((path / "config.json").read_text()) for path in (whole, tmp_path))
    assert before == after


@pytest.fixture
def roberta(tmp_path: Path) -> Path:
    name = "bpe of bytes"
    made = made_once(f"trim-{name.replace(' ', '-')}", lambda out: write(CASES[name], out))
    shutil.copytree(made, tmp_path / "source")
    return tmp_path / "source"


def test_padding_keeps_its_id_where_positions_are_counted_from_it(
    roberta: Path, tmp_path: Path
) -> None:
    """Although its tokenizer marks neither the padding nor the token before it as special."""
    change_json(
        roberta / "tokenizer.json",
        lambda tree: tree.update(
            added_tokens=[token for token in tree["added_tokens"] if token["id"] > 2],
            post_processor=None,
        ),
    )
    change_json(roberta / "config.json", lambda config: config.update(bos_token_id=2))
    trim(roberta, tmp_path / "out", {"de": lines("de")[:50]})
    tokenizers = [tokenization.load(path) for path in (roberta, tmp_path / "out")]
    assert tokenizers[0].token_to_id("<pad>") == tokenizers[1].token_to_id("<pad>") == 1
    ids = [tokenizer.encode(lines("de")[0]).ids for tokenizer in tokenizers]
    difference = hidden(roberta, ids[0]) - hidden(tmp_path / "out", ids[1])
    assert np.abs(difference).max() < 1e-5


def test_a_row_without_a_piece_stays_where_the_config_names_it(
    roberta: Path, tmp_path: Path
) -> None:
    last = json.loads((roberta / "config.json").read_text())["vocab_size"] - 1
    change_json(roberta / "config.json", lambda config: config.update(decoder_token_id=last))
    after = trim(roberta, tmp_path / "out", {"de": lines("de")[:50]}).after
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["vocab_size"], config["decoder_token_id"]) == (after + 1, after)
    restore(tmp_path / "out", roberta, tmp_path / "back")
    config = json.loads((tmp_path / "back" / "config.json").read_text())
    assert (config["vocab_size"], config["decoder_token_id"]) == (last + 1, last)


LETTERS = "abcd"  # "d" has no piece


def random_bpe(seed: int) -> Tokenizer:
    """Merges of any pieces before them, so that most pieces can be reached in several ways."""
    rng = random.Random(seed)
    made = [*"abc", "▁"]
    merges = []
    for _ in range(14):
        left, right = rng.choice(made), rng.choice(made)
        if left + right not in made:
            made.append(left + right)
        merges.append((left, right))
    vocabulary = {piece: id for id, piece in enumerate(["<unk>", *made])}
    return Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=seed % 2 == 0))


def random_wordpiece(seed: int) -> Tokenizer:
    """Not every letter goes on with a word, so that some words fail halfway."""
    rng = random.Random(seed)
    made = {"a", "b", "##a"}
    while len(made) < 16:
        mark = rng.choice(["", "##"])
        made.add(mark + "".join(rng.choices(LETTERS, k=rng.randint(1, 3))))
    vocabulary = {piece: id for id, piece in enumerate(["[UNK]", *sorted(made)])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


@pytest.mark.parametrize("make", [random_bpe, random_wordpiece])
@given(seed=st.integers(0, 10_000), counted=st.lists(st.text("abcd ", min_size=1, max_size=12)))
def test_text_whose_pieces_are_kept_is_split_as_before(
    make: Callable[[int], Tokenizer], seed: int, counted: list[str]
) -> None:
    tokenizer = make(seed)
    kind, tree = kind_of(tokenizer), json.loads(tokenizer.to_str())
    keep: set[int] = set()
    own, _ = pieces.count(
        tokenizer, counted, lambda line: keep.update(kind.deciding(tokenizer, tree["model"], line))
    )
    keep |= set(own) | kind.fixed(tree["model"])  # no letter for being one
    keep |= kind.parts(tree["model"], keep)
    small, old = tokenizer_parts.cut(kind, tree, keep)
    after = Tokenizer.from_str(json.dumps(small))
    for line in counted:
        assert after.encode(line).tokens == tokenizer.encode(line).tokens
        assert [old[id] for id in after.encode(line).ids] == tokenizer.encode(line).ids


def test_an_unknown_word_stays_unknown() -> None:
    """Without "ab", which leads nowhere, it would be "a" and "##bc"."""
    vocabulary = {piece: id for id, piece in enumerate(["[UNK]", "a", "ab", "##bc", "d"])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    kind, model = KINDS.get("wordpiece"), json.loads(tokenizer.to_str())["model"]
    assert tokenizer.encode("abc dbc a").tokens == ["[UNK]", "d", "##bc", "a"]
    assert list(kind.deciding(tokenizer, model, "abc dbc a")) == [2]


def test_merges_of_pieces_that_are_gone_go_too() -> None:
    model = {
        "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4, "bc": 5},
        "merges": ["a b", "ab c", "b c"],
    }
    kind = KINDS.get("bpe")
    assert kind.parts(model, {4}) == {0, 1, 2, 3, 4}
    assert kind.cut(model, {0: 0, 1: 1, 3: 2}) == {
        "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"],
    }  # fmt: skip
    with pytest.raises(TrimError, match="end_of_word_suffix '</w>'"):
        kind.fixed({**model, "end_of_word_suffix": "</w>"})


def _of_bytes(part: str, inside: bool) -> dict[str, Any]:
    level = {"type": "ByteLevel"}
    of = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers"}[part]
    return {part: {"type": "Sequence", of: [{"type": "NFC"}, level]} if inside else level}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer"])
def test_bytes_are_found_wherever_they_are_made(part: str, inside: bool) -> None:
    assert tokenizer_parts.has_byte_level(_of_bytes(part, inside))
    assert not tokenizer_parts.has_byte_level({part: {"type": "NFC"}})
