"""Train a multilingual unigram vocabulary in XLM-R's layout.

>>> tokenizer = train_unigram(["a sentence", "ein Satz"], size=4000)
>>> tokenizer.token_to_id("<s>"), tokenizer.token_to_id("<pad>"), tokenizer.token_to_id("</s>")
(0, 1, 2)

SentencePiece's unigram model (Kudo 2018) as XLM-R uses it: `<s> <pad> </s> <unk>` are ids 0 to
3, `<mask>` is last, words start with the meta symbol. Text is NFKC-normalised; unlike XLM-R's,
every Han character is a word (as in multilingual BERT), so that running Chinese text and text
split in words meet the same pieces.
"""

from __future__ import annotations

import json
import math
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import Unigram

_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
_MASK = "<mask>"
_FREQUENT = 5  # occurrences that make a word worth a piece of its own


def train_unigram(lines: Iterable[str], size: int) -> Tokenizer:
    """Train on lines of text; the result has at most `size` pieces, specials included.

    Training runs in one thread: the trainer sums floating-point counts in the order its threads
    finish, and the same text would otherwise give another vocabulary each time.
    """
    lines = list(lines)
    tokenizer = Tokenizer(Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=size - 1,
        special_tokens=_SPECIALS,
        unk_token="<unk>",
        show_progress=False,
    )
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        tokenizer.train_from_iterator(lines, trainer)
    finally:
        if before is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = before
    _add_words(tokenizer, lines, size - 1)
    return _finish(tokenizer)


def _add_words(tokenizer: Tokenizer, lines: Iterable[str], size: int) -> None:
    """Fill the room the trainer left with the most frequent whole words.

    The trainer considers a substring only if two different words have it, so in a small text even
    "the" may be missing; over a large text it fills the vocabulary and nothing is added here.
    """
    model = json.loads(tokenizer.to_str())["model"]
    pieces = [(piece, score) for piece, score in model["vocab"]]
    known = {piece for piece, _ in pieces}
    counts: Counter[str] = Counter()
    for line in lines:
        normal = tokenizer.normalizer.normalize_str(line)
        words = (word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
        counts.update(_trimmed(word) for word in words)
    del counts[""]
    total = counts.total()
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for word, count in frequent:
        if len(pieces) >= size or count < _FREQUENT:
            break
        if word not in known:
            pieces.append((word, math.log(count / total)))
    tokenizer.model = Unigram(pieces, unk_id=model["unk_id"], byte_fallback=False)


def _trimmed(word: str) -> str:
    """The word without punctuation that clings to its end."""
    while word and unicodedata.category(word[-1])[0] == "P":
        word = word[:-1]
    return word


def _finish(tokenizer: Tokenizer) -> Tokenizer:
    """Add the mask as the last id, the template `<s> A </s></s> B </s>`, and a decoder."""
    tokenizer.add_special_tokens([_MASK])
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["<s>", "$A", "</s>"],
        pair=["<s>", "$A", "</s>", "</s>", "$B", "</s>"],
        special_tokens=[("<s>", start), ("</s>", end)],
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    return tokenizer


def save(tokenizer: Tokenizer, directory: Path, max_length: int) -> None:
    """Write `tokenizer.json` and a config that makes `AutoTokenizer` read exactly that file.

    Not as `XLMRobertaTokenizer`: that class rebuilds its pipeline from the pieces alone and would
    drop the normalizer.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": _MASK,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
