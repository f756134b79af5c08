"""Fixtures: small models that are trained once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def traces() -> Iterator[None]:
    """Exports of models of one shape share a traced graph."""
    from trace_once import trace_once

    with pytest.MonkeyPatch.context() as patch:
        trace_once(patch)
        yield


@pytest.fixture(scope="session")
def tiny_base(traces: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked-LM checkpoint of 2 layers x 64, a few steps old, on the embedded text."""
    from made_once import made_once

    from evalsuite.task import DataSource
    from transfer.encoder_shape import Shape
    from transfer.loop.fit import Settings
    from transfer.pretrain import Options, pretrain

    source, work = DataSource("embedded"), tmp_path_factory.mktemp("tiny")
    options = Options(
        shape=Shape(layers=2, hidden=64, heads=2, ffn=128, vocabulary=3000, max_length=64),
        steps=4,
        batch_size=8,
        max_length=48,
        max_pairs=300,
        tlm=0.45,
        mask_rate=0.15,
        lexical=True,
        freeze_embeddings=False,
        alpha=0.3,
        languages=("de", "ru", "sw"),
        settings=Settings(1e-3, seed=1, compute="fp32"),
    )
    return made_once("base", lambda out: pretrain(None, source, options, work=work, out=out))


@pytest.fixture(scope="session")
def tagger(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that tags words."""
    from heads import headed

    return headed(tiny_base, "tagging", tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="session")
def tiny_adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter for XNLI, trained a little on the NF4 base."""
    from made_once import made_once
    from quick import options

    from evalsuite.registry import TASKS
    from evalsuite.task import DataSource
    from transfer.loop.fit import Settings
    from transfer.supervised.train_tasks import train_tasks

    work = tmp_path_factory.mktemp("adapter")
    quick = options(
        precision="nf4",
        max_steps=15,
        max_length=48,
        max_examples=200,
        settings=Settings(2e-2, seed=1, compute="fp32"),
        method_options={"rank": 8},
    )
    tasks, source = [TASKS.get("xnli")], DataSource("embedded")
    return made_once(
        "adapter", lambda out: train_tasks(tiny_base, tasks, source, quick, work=work, out=out)
    )


@pytest.fixture(scope="session")
def tiny_nli(tiny_adapter: Path) -> Path:
    """The same, fused: a whole XNLI checkpoint."""
    from made_once import made_once

    from compress.fuse.fuse import fuse
    from evalsuite.registry import TASKS

    return made_once("nli", lambda out: fuse(tiny_adapter, TASKS.get("xnli"), out))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_nli: Path) -> Path:
    """The same, exported to int8."""
    from made_once import made_once

    from compress.export.export import export

    return made_once("bundle", lambda out: export(tiny_nli, out, precision="int8"))


@pytest.fixture(scope="session")
def tiny_english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers x 32 with random weights, its vocabulary from the embedded English."""
    import torch
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer
    from transformers import BertConfig, BertModel

    from evalsuite.data import parallel
    from evalsuite.task import DataSource

    folder = tmp_path_factory.mktemp("english")
    lines = [pair.english for pair in parallel.pairs(DataSource("embedded"), "de")]
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
        max_position_embeddings=96,
        initializer_range=0.05,  # words show through to the last layer
        **shape,
    )
    BertModel(config).save_pretrained(folder)
    return folder
