"""Encoders as sentence-transformers opens them: after any stage, with equal vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import transformers
from checkpoints import small

from compress.export.export import export
from compress.trim.trim import trim
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.retrieval.sentence_embedder import SentenceEmbedder
from transfer.models.sentence_files import complete_sentence_files, copy_sentence_files

TEXTS = ["It rains.", "Der Hund schläft, die Katze auch.", "雨が降っています。"]
FILES = ("modules.json", "1_Pooling/config.json", "sentence_bert_config.json")


def encoder(out: Path) -> Path:
    """A tiny XLM-R without a head, that declares nothing."""
    small(out, labels=None)
    config = transformers.XLMRobertaConfig.from_pretrained(out)
    transformers.XLMRobertaModel(config).save_pretrained(out)
    return out


def test_an_encoder_that_declares_nothing_gets_the_files(tmp_path: Path) -> None:
    base = encoder(tmp_path / "base")
    complete_sentence_files(base)
    modules = json.loads((base / "modules.json").read_text())
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    assert kinds == ["Transformer", "Pooling", "Normalize"]
    pooling = json.loads((base / "1_Pooling" / "config.json").read_text())
    assert pooling["word_embedding_dimension"] == 32
    assert json.loads((base / "sentence_bert_config.json").read_text()) == {"max_seq_length": 128}
    assert declared_by(base).pooling == "mean"


@pytest.mark.slow
def test_what_is_declared_stays(tmp_path: Path) -> None:
    base = encoder(tmp_path / "base")
    (base / "1_Pooling").mkdir()
    (base / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (base / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    prompts = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    (base / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    trim(base, tmp_path / "trimmed", {"en": TEXTS})
    declared = declared_by(tmp_path / "trimmed")
    assert (declared.pooling, declared.prefix, declared.longest) == ("cls", "query: ", 64)
    assert (tmp_path / "trimmed" / "modules.json").is_file()
    before = (tmp_path / "trimmed" / "modules.json").read_bytes()
    complete_sentence_files(tmp_path / "trimmed")
    assert (tmp_path / "trimmed" / "modules.json").read_bytes() == before


def test_copied_files_declare_the_width_of_the_model_they_are_copied_to(tmp_path: Path) -> None:
    base, student = encoder(tmp_path / "base"), encoder(tmp_path / "student")
    complete_sentence_files(base)
    file = student / "1_Pooling" / "config.json"
    copy_sentence_files(base, student)
    declared = json.loads(file.read_text()) | {"include_prompt": True}
    file.write_text(json.dumps(declared | {"word_embedding_dimension": 384}))
    complete_sentence_files(student)
    assert json.loads(file.read_text()) == declared
    assert declared["word_embedding_dimension"] == 32


def test_a_model_with_a_head_gets_none(tmp_path: Path) -> None:
    complete_sentence_files(small(tmp_path / "nli"))
    assert not [name for name in FILES if (tmp_path / "nli" / name).exists()]


@pytest.mark.slow
def test_sentence_transformers_gives_the_same_vectors(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers", reason="the extra `sentences`")
    base = encoder(tmp_path / "base")
    export(base, tmp_path / "bf16", runtime="torch", precision="bf16")
    trim(base, tmp_path / "trimmed", {"en": TEXTS})
    for name, close in (("trimmed", 1e-6), ("bf16", 2e-2)):
        model = library.SentenceTransformer(str(tmp_path / name), device="cpu")
        found = model.encode(TEXTS)
        assert found == pytest.approx(SentenceEmbedder(tmp_path / name)(TEXTS), abs=close)
        assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-2)
