"""A question answered by a span of its context: XQuAD, MLQA, TyDiQA-GoldP.

A context longer than the model takes is run in windows that overlap; the best span over all
windows is the answer, as the very characters of the context. The model scores each token as the
start and as the end of the answer (Devlin et al. 2019, section 4.2). A sequence, a question and an
answer are as long as in the benchmark's `third_party/run_squad.py`; its windows are 128 tokens
apart, these share 128.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from evalsuite import tokenization
from evalsuite.errors import DataError
from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.formats import _agreement
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.inference.encoded import Encoded
from evalsuite.submission import layouts
from evalsuite.task import NO_ANSWER, SPAN_ENDS, Answer, OptionalSpanExample, SpanExample

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer
SUFFIX = "json"  # of prediction files
HEAD = "span"  # the format whose head its models have
ANSWERS = "label"  # what the head gives per row
ARCHITECTURE = "ForQuestionAnswering"  # how the name of the model class ends
FIXED_LABELS = SPAN_ENDS  # of every model of this format
to_text, read_file = layouts.answers_to_text, layouts.read_answers
READS = "answers"  # the kind of answer its rows hold
ALSO = ()  # nothing is scored next to each task's main metric
TWO_TEXTS = True  # whether a row is read as two texts at once
align = _agreement.align_by_id
agreement = _agreement.equal
LONGEST = 384  # tokens of a sequence
QUESTION = 64  # tokens of a question, the rest is cut
OVERLAP = 128  # tokens two windows share, at most half a window
ANSWER = 30  # tokens of an answer

_NONE = (-1, -1)


def encode(tokenizer: Tokenizer, examples: Sequence[SpanExample], max_length: int) -> list[Encoded]:
    """`<s> question </s></s> window </s>`; `spans[t]` the characters of the context, else -1.

    Special tokens are the tokenizer's.

    Raises:
        DataError: the question and the special tokens alone are as long as a sequence may be.
    """
    around = tokenization.template(tokenizer)
    longest = min(max_length, LONGEST)
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    contexts = tokenizer.encode_batch([e.context for e in examples], add_special_tokens=False)
    encoded: list[Encoded] = []
    for index, (question, context) in enumerate(zip(questions, contexts, strict=True)):
        asked = question.ids[: min(QUESTION, longest // 2)]
        before = [*around.opening, *asked, *around.between]
        size = longest - len(before) - len(around.closing)
        if size < 1:
            raise DataError(
                f"max_length: {longest} tokens leave no room for the context of a question; set 64 "
                "or more"
            )
        offsets = whole_letters(examples[index].context, context.offsets)
        for start in _starts(len(context.ids), size):
            end = start + size
            spans = [_NONE] * len(before) + offsets[start:end]
            spans += [_NONE] * len(around.closing)
            ids = [*before, *context.ids[start:end], *around.closing]
            cut = len(asked) < len(question.ids)
            encoded.append(Encoded(index, ids, spans=spans, cut=cut))
    return encoded


def whole_letters(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Offsets that end after a letter's combining marks.

    A tokenizer that composes letters gives the first character of a decomposed one: of `e` and an
    accent, the `e`. What no token stands for and continues a letter is added to the token before.

    >>> whole_letters("Zoe\u0301 vit", [(0, 2), (2, 3), (5, 8)])
    [(0, 2), (2, 4), (5, 8)]
    """
    if text.isascii():
        return offsets
    covered = bytearray(len(text))
    for start, end in offsets:
        covered[start:end] = b"\1" * (end - start)

    def after(end: int) -> int:
        while end < len(text) and not covered[end] and _continues(text[end]):
            end += 1
        return end

    return [(start, after(end)) if end > start else (start, end) for start, end in offsets]


def _continues(character: str) -> bool:
    """Whether it belongs to the letter before it: a mark, or a vowel or final of Hangul."""
    return unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"


def _starts(tokens: int, size: int) -> list[int]:
    """Where windows of `size` begin, so that they cover all tokens."""
    step = size - min(OVERLAP, size // 2)
    starts = [0]
    while starts[-1] + size < tokens:
        starts.append(starts[-1] + step)
    return starts


def decode(
    labels: Sequence[str],
    examples: Sequence[SpanExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[str]:
    """The characters of the best span over all windows, from `[tokens, 2]` logits of each.

    A question that may have no answer (`OptionalSpanExample`) gets none, the empty text, where
    start and end at `<s>` score higher than the best span, in the window where they score lowest
    (Devlin et al. 2019, section 4.3, with a threshold of 0).
    """
    nothing = [float("inf")] * len(examples)
    best = [(float("-inf"), "")] * len(examples)
    for window, logits in zip(encoded, outputs, strict=True):
        nothing[window.example] = min(nothing[window.example], float(logits[0].sum()))
        found = _best(logits, window)
        if found is not None and found[0] > best[window.example][0]:
            score, start, end = found
            best[window.example] = (score, examples[window.example].context[start:end].strip())
    return [
        NO_ANSWER if isinstance(example, OptionalSpanExample) and none > score else text
        for example, none, (score, text) in zip(examples, nothing, best, strict=True)
    ]


def _best(logits: np.ndarray, window: Encoded) -> tuple[float, int, int] | None:
    """(score, first character, last + 1) of the window's best span; None without a context."""
    import numpy as np

    tokens = [t for t, (start, end) in enumerate(window.spans) if end > start >= 0]
    if not tokens:
        return None
    starts, ends = logits[tokens, 0], logits[tokens, 1]
    # Row i: spans of 1 to ANSWER tokens that begin with token i.
    padded = np.concatenate([ends, np.full(ANSWER - 1, -np.inf, dtype=ends.dtype)])
    scores = starts[:, None] + np.lib.stride_tricks.sliding_window_view(padded, ANSWER)
    begin, length = divmod(int(scores.argmax()), ANSWER)
    first, last = window.spans[tokens[begin]], window.spans[tokens[begin + length]]
    return float(scores[begin, length]), first[0], last[1]


def target(example: SpanExample, window: Encoded) -> tuple[int, int] | None:
    """First and last token of the first answer; None where the window does not hold all of it."""
    return _tokens_of(example.answers[0], window) if example.answers else None


def _tokens_of(answer: Answer, window: Encoded) -> tuple[int, int] | None:
    """First and last token of an answer; None where the window does not hold all of it."""
    if answer.start < 0:
        return None
    start, end = answer.start, answer.start + len(answer.text)
    inside = [t for t, (a, b) in enumerate(window.spans) if b > a >= 0 and a < end and b > start]
    if not inside or window.spans[inside[0]][0] > start or window.spans[inside[-1]][1] < end:
        return None
    return inside[0], inside[-1]


def unreached(
    examples: Sequence[SpanExample], encoded: Sequence[Encoded], *, first_alone: bool
) -> int:
    """Rows of which no window's tokens hold an answer, so that no model could give it.

    Args:
        first_alone: count the first answer of a row alone, the one that is trained on.
    """
    most = 1 if first_alone else None
    left = {
        number
        for number, example in enumerate(examples)
        if any(answer.start >= 0 for answer in example.answers[:most])
    }
    for window in encoded:
        answers = examples[window.example].answers[:most]
        if window.example in left and any(_tokens_of(answer, window) for answer in answers):
            left.remove(window.example)
    return len(left)


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """One answer per question, and how many gold answers the tokens do not hold."""
    session = evaluation.session
    for language, examples in evaluation.by_language():
        asked = [example for example in examples if isinstance(example, SpanExample)]
        encoded = session.encode("span", asked)
        outputs = session.run(encoded, "logits")
        said = decode(session.predictor.labels, asked, encoded, outputs)
        lost = unreached(asked, encoded, first_alone=False)
        yield Predicted(language, examples, list(said), unreached=lost)


def gold(examples: Sequence[SpanExample]) -> list[tuple[str, ...]]:
    """The right answers to each question, none where they are hidden."""
    return [tuple(answer.text for answer in example.answers) for example in examples]
