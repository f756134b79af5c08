"""One tag a word: UD-POS, PAN-X.

A word's tag is read off its first subword. A sentence longer than the model takes is run in
windows that split between words, so no word goes without a prediction; XTREME's own scripts do
the same by splitting long sentences beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite import tokenization
from evalsuite.formats import _agreement
from evalsuite.formats._by_head import predict as predict
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.softmax import softmax
from evalsuite.submission import layouts
from evalsuite.task import TagExample

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

SUFFIX = "tsv"  # of prediction files
HEAD = "tagging"  # the format whose head its models have
ANSWERS = "label"  # what the head gives per row
ARCHITECTURE = "ForTokenClassification"  # how the name of the model class ends
FIXED_LABELS = ()  # the labels are those of the task
to_text, read_file = layouts.tags_to_text, layouts.read_tags
READS = "tags"  # the kind of answer its rows hold
ALSO = ("token_accuracy", "calibration_error")  # scored next to each task's main metric
TWO_TEXTS = False  # whether a row is read as two texts at once
align = _agreement.align_in_order


def encode(tokenizer: Tokenizer, examples: Sequence[TagExample], max_length: int) -> list[Encoded]:
    """`<s> subwords </s>`, with the special tokens of the tokenizer; `words[t]` the index of the
    word that token t starts, else -1."""
    around = tokenization.template(tokenizer)
    before, after = around.before, around.after
    size = max_length - len(before) - len(after)
    encodings = tokenizer.encode_batch(
        [list(example.words) for example in examples],
        is_pretokenized=True,
        add_special_tokens=False,
    )
    encoded: list[Encoded] = []
    for index, encoding in enumerate(encodings):
        for ids, words in _windows(encoding.ids, encoding.word_ids, size):
            words = [*[-1] * len(before), *words, *[-1] * len(after)]
            encoded.append(Encoded(index, [*before, *ids, *after], words))
    return encoded


def _windows(
    ids: Sequence[int], word_ids: Sequence[int | None], size: int
) -> list[tuple[list[int], list[int]]]:
    """Cut between words into windows of at most `size` tokens; a longer word is cut at `size`."""
    windows: list[tuple[list[int], list[int]]] = []
    start = 0
    while start < len(ids):
        end = min(start + size, len(ids))
        if end < len(ids):
            cut = end
            while cut > start and word_ids[cut] == word_ids[cut - 1]:
                cut -= 1
            end = cut if cut > start else end
        words = []
        for position in range(start, end):
            word = word_ids[position]
            starts = word is not None and (position == 0 or word_ids[position - 1] != word)
            words.append(word if starts and word is not None else -1)
        windows.append((list(ids[start:end]), words))
        start = end
    return windows or [([], [])]


def fallback(labels: Sequence[str]) -> str:
    """The tag of a word the tokenizer leaves nothing of (a lone zero-width space, say)."""
    for tag in ("O", "X"):
        if tag in labels:
            return tag
    return labels[0]


def decode(
    labels: Sequence[str],
    examples: Sequence[TagExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[list[str]]:
    """Tags by word from `[tokens, labels]` logits of each window."""
    missing = fallback(labels)
    tags = [[missing] * len(example.words) for example in examples]
    for window, logits in zip(encoded, outputs, strict=True):
        best = logits.argmax(-1)
        for position, word in enumerate(window.words):
            if word >= 0:
                tags[window.example][word] = labels[int(best[position])]
    return tags


def gold(examples: Sequence[TagExample]) -> list[tuple[str, ...]]:
    """The tags of each sentence."""
    return [example.tags for example in examples]


def probabilities(
    examples: Sequence[TagExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
    predictions: Sequence[Sequence[str]],
    labels: Sequence[str] = (),
) -> tuple[list[str], list[tuple[str, float]]]:
    """Gold tags of words, and the predicted ones with their probabilities; without the words the
    tokenizer leaves nothing of."""
    tags: list[str] = []
    said: list[tuple[str, float]] = []
    for window, logits in zip(encoded, outputs, strict=True):
        starts = [position for position, word in enumerate(window.words) if word >= 0]
        words = [window.words[position] for position in starts]
        shares = softmax(logits[starts]).max(-1).tolist()
        tags += [examples[window.example].tags[word] for word in words]
        predicted = [predictions[window.example][word] for word in words]
        said += zip(predicted, shares, strict=True)
    return tags, said


def agreement(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> float:
    """Percent of words with the same tag."""
    return _agreement.equal(*([tag for row in rows for tag in row] for rows in (first, second)))
