"""How far two models with different vocabularies differ on the same text.

>>> compare(Session(student), Session(trimmed), "pair", rows).agreement
99.8

`evalsuite.agreement.outputs` runs two models over the same token ids; here each splits the
text itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalsuite.agreement import predictions
from evalsuite.agreement.outputs import Parity
from evalsuite.inference.encoded import Encoded
from evalsuite.registry import FORMATS
from evalsuite.task import Example, Format

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.session import Session


@dataclass(frozen=True, slots=True)
class TextParity:
    """Differences between two models over the same rows.

    Attributes:
        parity: agreement of predictions (for encoders, 100 times the cosine of mean-pooled last
            layers); differences of outputs over the rows that both split alike.
        alike: percent of rows that both split into the same pieces, by language.
    """

    parity: Parity
    alike: dict[str, float]


def compare(
    first: Session, second: Session, format: Format, rows: Mapping[str, Sequence[Example]]
) -> TextParity:
    """Run both over rows of a task, by language."""
    import numpy as np

    labels = first.predictor.labels
    agreement, alike, counts = {}, {}, {}
    maximum = scale = total = 0.0
    size = 0
    for language, examples in rows.items():
        one, other = (_run(session, format, examples) for session in (first, second))
        pairs = list(zip(_by_example(first, *one), _by_example(second, *other), strict=True))
        same = [(a, b) for (mine, a), (its, b) in pairs if mine == its]
        for a, b in same:
            difference = np.abs(a - b)
            maximum = max(maximum, float(difference.max()))
            scale = max(scale, float(np.abs(a).max()))
            total, size = total + float(difference.sum()), size + difference.size
        alike[language] = 100.0 * len(same) / len(pairs)
        counts[language] = len(examples)
        if labels:
            module = FORMATS.get(format)
            said = [module.decode(labels, examples, *found) for found in (one, other)]
            agreement[language] = predictions.same(format, *said)
        else:
            cosines = [_cosine(a.mean(0), b.mean(0)) for (_, a), (_, b) in pairs]
            agreement[language] = 100.0 * float(np.mean(cosines))
    weighted = sum(agreement[code] * counts[code] for code in agreement)
    mean = total / max(size, 1)
    overall = weighted / max(sum(counts.values()), 1)
    return TextParity(Parity(maximum, mean, scale, overall, agreement), alike)


def _run(
    session: Session, format: Format, examples: Sequence[Example]
) -> tuple[list[Encoded], list[np.ndarray]]:
    predictor = session.predictor
    encoded = session.encode(format, examples)
    output = "logits" if predictor.labels else f"hidden_states.{predictor.layers}"
    return encoded, session.run(encoded, output)


def _by_example(
    session: Session, encoded: Sequence[Encoded], outputs: Sequence[np.ndarray]
) -> list[tuple[list[str | None], np.ndarray]]:
    """Pieces and outputs of each example, those of its windows or choices after one another."""
    import numpy as np

    found: dict[int, tuple[list[str | None], list[np.ndarray]]] = {}
    for item, output in zip(encoded, outputs, strict=True):
        pieces, own = found.setdefault(item.example, ([], []))
        pieces += [session.tokenizer.id_to_token(id) for id in item.ids]
        own.append(output)
    return [(pieces, np.concatenate(own)) for _, (pieces, own) in sorted(found.items())]


def _cosine(a: Any, b: Any) -> float:
    return float(a @ b) / max(float((a @ a) ** 0.5 * (b @ b) ** 0.5), 1e-12)
