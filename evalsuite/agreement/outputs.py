"""How far two models' outputs lie apart on real multilingual text.

>>> compare(Session(teacher), student, probe).agreement
99.4

Used by every lossy step: the drift of a fuse, the gate of an export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.agreement.equal_answers import counted, label_places, same_answer, tolerance
from evalsuite.formats import choice
from evalsuite.inference.batch_runner import run
from evalsuite.inference.encoded import Encoded
from evalsuite.task import CHOICE

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.checkpoint_config import Answers
    from evalsuite.inference.predictor import Predictor
    from evalsuite.inference.session import Session


@dataclass(frozen=True, slots=True)
class Parity:
    """Differences between two models, over all probe sequences.

    Attributes:
        maximum, mean: absolute difference of the outputs.
        scale: largest absolute output of the first model, to read the differences by.
        agreement: percent of labels (of sentences, of words for a tagger, the best first and last
            token for a model of spans, of choices for one of these), of scores or of sets of labels
            that are equal; for an encoder, 100 times the mean cosine of mean-pooled embeddings.
        by_language: the same, a language.
        counted: what the agreement is a percentage of (`evalsuite.agreement.equal_answers`).
    """

    maximum: float
    mean: float
    scale: float
    agreement: float
    by_language: dict[str, float]
    counted: str = "labels"

    def worst(self) -> tuple[str, float]:
        """The language with the lowest agreement."""
        return min(self.by_language.items(), key=lambda item: item[1])

    def facts(self, prefix: str = "") -> dict[str, float | int | str]:
        """For a stage's summary."""
        language, value = self.worst()
        unusual = self.counted != "labels"
        return {
            **({f"{prefix}agreement of": self.counted} if unusual else {}),
            f"{prefix}agreement %": round(self.agreement, 3),
            f"{prefix}worst language": f"{language} {value:.2f}%",
            f"{prefix}max difference": round(self.maximum, 5),
            f"{prefix}mean difference": round(self.mean, 6),
            f"{prefix}largest output": round(self.scale, 3),
        }


def compare(session: Session, second: Predictor, probe: Mapping[str, Sequence[Encoded]]) -> Parity:
    """Run the session's model, the first, and another of the same vocabulary over a probe.

    The probe is what `evalsuite.inference.probe_text.sample` gives. Labels are matched by name.

    Raises:
        ModelError: the models answer with other labels, or one of them with none.
    """
    import numpy as np

    first = session.predictor
    output = "logits" if first.labels else f"hidden_states.{first.layers}"
    answers = first.answers if first.labels else None
    order = label_places(first, second)
    maximum = scale = total = 0.0
    count = 0
    by_language: dict[str, float] = {}
    equal_all = items_all = 0.0
    firsts: Iterator[tuple[str, list[np.ndarray]]] = (
        (language, session.run(encoded, output)) for language, encoded in probe.items()
    )
    near: np.ndarray | float = 0.0
    if first.answers == "score":  # the tolerance is of all rows
        kept = list(firsts)
        firsts = iter(kept)
        near = tolerance([row for _, rows in kept for row in rows])
    for language, one in firsts:
        items_of = probe[language]
        other = run(second, items_of, output, session.pad_id)
        if order != sorted(order):
            other = [values[..., order] for values in other]
        if first.labels == CHOICE:
            items_of, one, other = _by_row(items_of, one, other)
        equal = items = 0.0
        for item, a, b in zip(items_of, one, other, strict=True):
            difference = np.abs(a - b)
            maximum, scale = (
                max(maximum, float(difference.max())),
                max(scale, float(np.abs(a).max())),
            )
            total, count = total + float(difference.sum()), count + difference.size
            hits, of = _agreement(item, a, b, answers, near)
            equal, items = equal + hits, items + of
        by_language[language] = 100.0 * equal / max(items, 1)
        equal_all, items_all = equal_all + equal, items_all + items
    agreement = 100.0 * equal_all / max(items_all, 1)
    mean = total / max(count, 1)
    return Parity(maximum, mean, scale, agreement, by_language, counted(first))


def drift(
    session: Session, second: Predictor, probe: Mapping[str, Sequence[Encoded]], count: int
) -> list[float]:
    """How far the first `count` hidden states lie apart, in percent of their length, mean over
    tokens; the embeddings' first."""
    import numpy as np

    encoded = [item for items in probe.values() for item in items]
    found = []
    for layer in range(count):
        name = f"hidden_states.{layer}"
        pairs = zip(
            session.run(encoded, name), run(second, encoded, name, session.pad_id), strict=True
        )
        shares = [
            np.linalg.norm(a - b, axis=-1) / np.maximum(np.linalg.norm(a, axis=-1), 1e-12)
            for a, b in pairs
        ]
        found.append(100.0 * float(np.concatenate(shares).mean()))
    return found


def _by_row(
    encoded: Sequence[Encoded], one: list[np.ndarray], other: list[np.ndarray]
) -> tuple[Sequence[Encoded], list[np.ndarray], list[np.ndarray]]:
    """One item a row of choices, with all their scores."""
    rows = max(item.example for item in encoded) + 1
    firsts = {item.example: item for item in reversed(encoded)}
    return (
        [firsts[row] for row in range(rows)],
        choice.by_row(rows, encoded, one),
        choice.by_row(rows, encoded, other),
    )


def _agreement(
    item: Encoded,
    a: np.ndarray,
    b: np.ndarray,
    answers: Answers | None,
    near: np.ndarray | float = 0.0,
) -> tuple[float, float]:
    """(equal answers, answers) of one sequence; for an encoder, its cosine and 1."""
    if answers is None:
        left, right = a.mean(0), b.mean(0)
        norm = float((left @ left) ** 0.5 * (right @ right) ** 0.5)
        return float(left @ right) / max(norm, 1e-12), 1.0
    if a.ndim == 1:
        return float(same_answer(answers, a, b, near)), 1.0
    if item.spans:
        inside = [t for t, (first, last) in enumerate(item.spans) if last > first]
        if not inside:
            return 0.0, 0.0
        same = a[inside].argmax(0) == b[inside].argmax(0)
        return float(same.sum()), float(len(same))
    # Tokens that start a word; all of them where the text was not encoded as words.
    starts = list(range(len(item.ids)))
    if item.words:
        starts = [position for position, word in enumerate(item.words) if word >= 0]
    if not starts:  # a window inside one long word
        return 0.0, 0.0
    same = a[starts].argmax(-1) == b[starts].argmax(-1)
    return float(same.sum()), float(len(starts))
