"""A SentencePiece model without a tokenizer.json splits text as SentencePiece does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sentencepiece
from tokenizers import Tokenizer

from compress.trim.trim import trim
from evalsuite import tokenization
from evalsuite.data.embedded import generate as embedded
from evalsuite.errors import ModelError
from evalsuite.opening.tokenizer import tokenizer_json, tokenizer_of
from tests.support.tiny_families import tiny_config
from transfer.models.checkpoints import copy_tokenizer

WIDE = "Ｆｕｌｌ ｗｉｄｔｈ ﬁne ① ½ … ｶﾀ"  # NFKC writes it in other characters


class Case(NamedTuple):
    """A family, the name of its file, how it is trained, and what ids are added around pieces."""

    family: str
    file: str
    options: dict[str, Any]
    fixed: dict[str, int]


XLMR = Case(
    "xlm-roberta",
    "sentencepiece.bpe.model",
    {"model_type": "unigram"},
    {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3},
)
MDEBERTA = Case(
    "deberta-v2",
    "spm.model",
    {
        "model_type": "unigram", "bos_id": -1, "eos_id": -1, "pad_id": -1, "unk_id": 3,
        "unk_piece": "[UNK]", "control_symbols": ["[PAD]", "[CLS]", "[SEP]"],
    },
    {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3},
)  # fmt: skip


def lines() -> list[str]:
    return [row.foreign for row in list(embedded.parallel("train", "de"))[:300]] + [WIDE]


def write(case: Case, out: Path) -> sentencepiece.SentencePieceProcessor:
    """A checkpoint of random weights with the trained model alone."""
    from transformers import AutoModel

    config = tiny_config(case.family, vocab_size=140, pad_token_id=case.fixed.get("<pad>", 0))
    AutoModel.from_config(config).save_pretrained(out)
    with (out / case.file).open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines()), model_writer=file, vocab_size=120, num_threads=1,
            minloglevel=2, hard_vocab_limit=False, **case.options,
        )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_file=str(out / case.file))


@pytest.mark.parametrize("case", [XLMR, MDEBERTA], ids=lambda case: case.family)
def test_text_is_split_as_by_the_library_that_trained_it(case: Case, tmp_path: Path) -> None:
    trained = write(case, tmp_path / "whole")
    tokenizer = tokenization.load(tmp_path / "whole")
    assert {token: tokenizer.token_to_id(token) for token in case.fixed} == case.fixed
    for line in lines():
        expected = trained.encode(line, out_type=str)
        assert tokenizer.encode(line, add_special_tokens=False).tokens == expected
    ids = tokenizer.encode("Ein Haus.").ids
    copy_tokenizer(tmp_path / "whole", tmp_path / "copy")
    assert Tokenizer.from_file(str(tmp_path / "copy" / "tokenizer.json")).to_str() == (
        tokenizer.to_str()
    )
    assert tokenizer_of(tmp_path / "copy")("Ein Haus.")["input_ids"] == ids
    trim(tmp_path / "whole", tmp_path / "out", {"de": lines()[:20]})
    after, old = tokenization.load(tmp_path / "out"), _old_ids(tmp_path / "out")
    assert [old[id] for id in after.encode(lines()[3], WIDE[:6]).ids] == (
        tokenizer.encode(lines()[3], WIDE[:6]).ids
    )


def _old_ids(trimmed: Path) -> list[int]:
    found: list[int] = json.loads((trimmed / "trim.json").read_text())["old_ids"]
    return found


def test_another_kind_than_the_model_type_has_is_refused(tmp_path: Path) -> None:
    write(XLMR._replace(options={"model_type": "bpe"}), tmp_path)
    with pytest.raises(ModelError, match="holds a BPE model, and transformers reads it as Unigram"):
        tokenization.load(tmp_path)


def test_files_of_other_tokenizers_are_read(tmp_path: Path) -> None:
    """BERT's list of pieces; a directory without any file says which it looked for."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 8}))
    with pytest.raises(ModelError, match=r"has no tokenizer.json; .*spm\.model.*vocab\.txt"):
        tokenization.load(tmp_path)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ein", "##e", "haus"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    tokens = tokenization.load(tmp_path).encode("eine haus x").tokens
    assert tokens == ["[CLS]", "ein", "##e", "haus", "[UNK]", "[SEP]"]
    before = tokenizer_json(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join([*words[:-1], "hauses"]))
    assert tokenizer_json(tmp_path) != before
