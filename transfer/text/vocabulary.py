"""Train a multilingual unigram vocabulary in XLM-R's layout.

>>> tokenizer = train_unigram(["a sentence", "ein Satz"], size=4000)
>>> tokenizer.token_to_id("<s>"), tokenizer.token_to_id("<pad>"), tokenizer.token_to_id("</s>")
(0, 1, 2)

SentencePiece's unigram model (Kudo 2018) as XLM-R uses it: `<s> <pad> </s> <unk>` are ids 0 to
3, `<mask>` is last, words start with the meta symbol. Text is NFKC-normalised; unlike XLM-R's,
every Han character is a word (as in multilingual BERT) unless set otherwise, so that running
Chinese text and text split in words meet the same pieces.
"""

from __future__ import annotations

import io
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from evalsuite.errors import DataError

_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
_MASK = "<mask>"
_LINE = 4000  # bytes of a line of training text
_TOO_SMALL = re.compile(r"smaller than required_chars\. \d+ vs (\d+)")  # SentencePiece 0.2
_FREQUENT = 5  # occurrences that make a word worth a separate piece

Case = Literal["keep", "lower", "mark"]
CASE_MARK = "⇧"
_OPENING = " (\"'“„«‘’`[-–—/"  # what a word with a capital letter can follow


def train_unigram(
    lines: Iterable[str], size: int, case: Case = "keep", *, join_han: bool = False
) -> Tokenizer:
    """Train on lines of text; the result has at most `size` pieces, specials included.

    Args:
        case: "lower" reads capital letters as small ones, as an uncased BERT does; "mark" too, but
            puts the word `⇧` before each word that begins with one, so that names still show in
            every language while `Paris` and `paris` share their pieces ("inline casing",
            Etchegoyhen & Gete 2020).
        join_han: let pieces have several Han characters, as XLM-R's do; Chinese and Japanese rows
            are shorter then.

    SentencePiece itself trains, on one thread, since its result repeats itself; the trainer of
    `tokenizers` gives other pieces each time.

    Raises:
        DataError: the text has more characters than the vocabulary has pieces.
    """
    import sentencepiece

    tokenizer = Tokenizer(Unigram())
    tokenizer.normalizer = normalizers.Sequence([*_spaces(), *_case(case)])
    apart = CASE_MARK if join_han else rf"\p{{Han}}|{CASE_MARK}"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(apart), "isolated"),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    words: Counter[str] = Counter()
    for line in lines:
        normal = tokenizer.normalizer.normalize_str(line)
        words.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    processor = sentencepiece.SentencePieceProcessor(model_proto=_model(words, size))
    pieces = [(token, 0.0) for token in _SPECIALS]
    for number in range(processor.get_piece_size()):
        if not processor.is_control(number) and not processor.is_unknown(number):
            pieces.append((processor.id_to_piece(number), processor.get_score(number)))
    _add_words(pieces, words, size - 1)
    tokenizer.model = Unigram(pieces, unk_id=_SPECIALS.index("<unk>"), byte_fallback=False)
    return _finish(tokenizer)


def _model(words: Counter[str], size: int) -> bytes:
    """SentencePiece's model of text with these word counts; raises as `train_unigram`."""
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(_repeated(words)),
            model_writer=model,
            vocab_size=size - len(_SPECIALS),
            model_type="unigram",
            character_coverage=0.9999,
            normalization_rule_name="identity",
            hard_vocab_limit=False,
            num_threads=1,
            minloglevel=2,
            max_sentence_length=2 * _LINE,
        )
    except RuntimeError as error:
        if needed := _TOO_SMALL.search(str(error)):
            least = int(needed[1]) + len(_SPECIALS)
            raise DataError(
                f"vocabulary: {size} pieces are too few for the characters of the text; set "
                f"vocabulary: {least} or more"
            ) from None
        raise
    return model.getvalue()


def _spaces() -> list[Any]:
    return [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]


def _case(case: Case) -> list[Any]:
    """Normalizers that do what `case` says; a mark needs something to replace, hence the space."""
    if case == "keep":
        return []
    if case == "lower":
        return [normalizers.Lowercase()]
    marks = [
        normalizers.Replace(Regex(rf"{re.escape(opening)}(?=\p{{Lu}})"), opening + CASE_MARK)
        for opening in _OPENING
    ]
    return [normalizers.Prepend(" "), *marks, normalizers.Lowercase(), normalizers.Strip()]


def _repeated(words: Counter[str]) -> Iterator[str]:
    """Text with these word counts, in a fixed order, lines of at most 200 words.

    No line is longer than the trainer reads: it skips such lines without a word.
    """
    for word, count in sorted(words.items()):
        plain = word.removeprefix("▁")
        most = max(1, min(200, _LINE // (len(plain.encode()) + 1)))
        while count > 0:
            yield " ".join([plain] * min(count, most))
            count -= most


def _add_words(pieces: list[tuple[str, float]], words: Counter[str], size: int) -> None:
    """Fill the room the trainer left with the most frequent whole words.

    The trainer considers a substring only if two different words have it, so in a small text even
    "the" may be missing; over a large text it fills the vocabulary and nothing is added here.
    """
    known = {piece for piece, _ in pieces}
    counts: Counter[str] = Counter()
    for word, count in words.items():
        counts[_trimmed(word)] += count
    del counts["▁"]
    total = words.total()
    for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(pieces) >= size or count < _FREQUENT:
            break
        if word not in known:
            pieces.append((word, math.log(count / total)))


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
