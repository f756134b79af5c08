"""How far two models with different vocabularies differ on the same text.

>>> compare(Session(student), Session(trimmed), "pair", rows).agreement
99.8

`evalsuite.agreement.outputs` runs two models over the same token ids; here each splits the
text itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalsuite.agreement import predictions
from evalsuite.agreement.equal_answers import counted, label_places, same_answer, tolerance
from evalsuite.agreement.outputs import Parity
from evalsuite.errors import ModelError
from evalsuite.inference.encoded import Encoded
from evalsuite.registry import FORMATS
from evalsuite.task import Example, Format

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor
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
    """Run both over rows of a task, by language.

    Raises:
        ModelError: the models answer with other labels, or one of them with none.
    """
    import numpy as np

    model, module = first.predictor, FORMATS.get(format)
    order = label_places(model, second.predictor)
    runs: Iterator[tuple[str, tuple[list[Encoded], list[np.ndarray]]]] = (
        (code, _run(first, format, examples)) for code, examples in rows.items()
    )
    near: np.ndarray | float = 0.0
    if model.answers == "score":  # the tolerance is of all rows
        kept = list(runs)
        runs, near = iter(kept), tolerance([row for _, (_, found) in kept for row in found])
    agreement, alike, counts = {}, {}, {}
    maximum = scale = total = 0.0
    size = 0
    for language, one in runs:
        examples = rows[language]
        encoded, outputs = _run(second, format, examples)
        other = encoded, [values[..., order] if order else values for values in outputs]
        pairs = list(zip(_by_example(first, *one), _by_example(second, *other), strict=True))
        same = [(a, b) for (mine, a), (its, b) in pairs if mine == its]
        for a, b in same:
            difference = np.abs(a - b)
            maximum = max(maximum, float(difference.max()))
            scale = max(scale, float(np.abs(a).max()))
            total, size = total + float(difference.sum()), size + difference.size
        alike[language] = 100.0 * len(same) / len(pairs)
        counts[language] = len(examples)
        if not model.labels:
            shares = [_cosine(a.mean(0), b.mean(0)) for (_, a), (_, b) in pairs]
        elif hasattr(module, "decode") and model.answers == "label":
            said = [module.decode(model.labels, examples, *ran) for ran in (one, other)]
            shares = [predictions.same(format, *said) / 100.0]
        else:
            shares = [_same_row(model, a, b, near) for (_, a), (_, b) in pairs]
        agreement[language] = 100.0 * float(np.mean(shares))
    weighted = sum(agreement[code] * counts[code] for code in agreement)
    mean = total / max(size, 1)
    overall = weighted / max(sum(counts.values()), 1)
    return TextParity(Parity(maximum, mean, scale, overall, agreement, counted(model)), alike)


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


def _same_row(model: Predictor, a: np.ndarray, b: np.ndarray, near: np.ndarray | float) -> bool:
    """Whether two outputs of a row give the same answer, where the format reads none off them.

    Raises:
        ModelError: the model answers per token, and each splits the row its own way.
    """
    if a.ndim > 1:
        raise ModelError(
            f"{model.directory.name} answers per token, and the probe's rows are not split in "
            "words; set probe_task: panx or udpos for a tagger, xquad for a model of spans"
        )
    return same_answer(model.answers, a, b, near)


def _cosine(a: Any, b: Any) -> float:
    return float(a @ b) / max(float((a @ a) ** 0.5 * (b @ b) ** 0.5), 1e-12)
