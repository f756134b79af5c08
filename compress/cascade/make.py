"""Make a cascade: run its members over dev rows, fit it, and write the bundle.

>>> facts = make([Source("fast", fast), Source("good", good)], dev, out, Wanted(max_lost=0.5))
>>> facts["answered by fast"], facts["score lost on dev rows"]
('81.2%', 0.41)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from compress.cascade import fit
from compress.cascade.members import Outputs, Source, ask, copy
from compress.cascade.readme import readme
from compress.errors import CascadeError, GateError
from compress.export import bundle
from compress.export.bundle import BundleCard
from evalsuite import bootstrap, scoring
from evalsuite.bench import flops
from evalsuite.cascade.confidence import confidence, log_probabilities
from evalsuite.cascade.packed_rows import longest_packed
from evalsuite.cascade.rule import CASCADE_FILE, Member, Rule
from evalsuite.inference.open_model import open_model
from evalsuite.machine import model_size
from evalsuite.task import PairExample, Task
from transfer.loop.types import Summary

if TYPE_CHECKING:
    import numpy as np

    from transfer.supervised.dev_scores import DevSet

_LENGTH = 32  # tokens of the row by which members' costs are compared
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What thresholds are fitted to.

    Attributes:
        max_lost: points of the dev score that may be lost against the last member.
        budget: percent of the rows that a member reads that may go on; in place of `max_lost`.
        text: language -> rows without labels, for thresholds of languages.
    """

    max_lost: float = 0.5
    budget: float | None = None
    text: Mapping[str, Sequence[PairExample]] = field(default_factory=dict)


def make(
    sources: Sequence[Source],
    dev: DevSet,
    out: Path,
    wanted: Wanted,
    *,
    made_from: Sequence[str] = (),
    progress: Progress = lambda fraction, text: None,
) -> Summary:
    """Write a cascade to `out`.

    Args:
        sources: two or three models, the fastest first.
        dev: labelled rows in the source language.
        made_from: what the members were made from, for the card.

    Raises:
        CascadeError: a model has other labels; the metric of the task is not made of sums.
        GateError: a member would answer no row.
        ModelError: a model does not open.
    """
    import numpy as np

    if wanted.budget is None:
        _require_sums(dev.task)
    labels = dev.task.labels
    labelled = [row for row in dev.examples if isinstance(row, PairExample) and row.label]
    rows = [labelled, *wanted.text.values()]
    outputs = []
    for number, source in enumerate(sources):
        progress(number / len(sources), f"{source.name}: {len(labelled):,} dev rows")
        outputs.append(ask(source, labels, rows))
    temperatures = [_temperature(member, labelled, labels) for member in outputs]
    sure = [
        _sure(member.logits[0], heat)
        for member, heat in zip(outputs[:-1], temperatures[:-1], strict=True)
    ]
    score = _Scores(dev.task, labelled, outputs)
    best = score(np.full(len(labelled), len(sources) - 1))
    if wanted.budget is None:
        costs = _costs([source.path for source in sources[1:]])
        fitted = fit.fit_loss(sure, score.sums, score.of_sums, best - wanted.max_lost, costs)
    else:
        fitted = fit.fit_budget(sure, wanted.budget)
    _hold_used(sources, fitted, wanted)
    languages = _languages(outputs, temperatures, fitted, wanted)
    rule = _rule(sources, outputs, labels, temperatures, fitted, languages)
    facts = _facts(sources, score(_who(sure, fitted, len(labelled))), len(labelled), fitted, best)
    _write(sources, outputs, rule, out, facts, made_from)
    open_model(out)  # or an error
    sizes = sum(model_size.sizes(out / member.folder)[0] for member in rule.members)
    return {"MB": round(sizes / 1e6, 2)} | facts


def _require_sums(task: Task) -> None:
    """Refuse to fit a loss of a metric that is not made of sums over rows."""
    metric = scoring.metric_of(task)
    if metric.parts is None:
        raise CascadeError(
            f"{task.name}: its metric {metric.name} is not made of sums over rows, so thresholds "
            "cannot be fitted to it; set budget in place of max_lost, or another metric"
        )


class _Scores:
    """The score on labelled rows, of which each is answered by one of the members.

    Members are scored one under the other: what a metric counts follows from all labels it sees.

    Attributes:
        sums: what each row adds to the sums of the metric, for each member; none where the metric
            is not made of sums.
        of_sums: the score of sums.
    """

    def __init__(self, task: Task, rows: Sequence[PairExample], outputs: Sequence[Outputs]) -> None:
        import numpy as np

        metric = scoring.metric_of(task)
        self._task, self._rows = task, rows
        self._said = [
            [task.labels[number] for number in one.logits[0].argmax(-1)] for one in outputs
        ]
        self.sums: list[np.ndarray] = []
        self.of_sums: fit.OfSums = metric.of_sums or bootstrap.ratio
        if metric.parts is not None:
            said = [label for one in self._said for label in one]
            answers = scoring.answers(task, task.source_language, [*rows] * len(outputs), said)
            self.sums = np.split(metric.parts(answers), len(outputs))

    def __call__(self, who: np.ndarray) -> float:
        """Of the member `who[row]` for each row."""
        if self.sums:
            each = (own[who == member].sum(0) for member, own in enumerate(self.sums))
            return float(self.of_sums(sum(each)))
        said = [self._said[member][row] for row, member in enumerate(who)]
        task = self._task
        return scoring.main_score(scoring.answers(task, task.source_language, self._rows, said))


def _who(sure: Sequence[np.ndarray], fitted: fit.Fitted, rows: int) -> np.ndarray:
    """The number of the member that answers each row."""
    import numpy as np

    who = np.full(rows, len(sure))
    for member in reversed(range(len(sure))):
        who[sure[member] >= fitted.thresholds[member]] = member
    return who


def _temperature(member: Outputs, rows: Sequence[PairExample], labels: Sequence[str]) -> float:
    import numpy as np

    gold = np.array([labels.index(str(row.label)) for row in rows])
    return round(fit.temperature(member.logits[0], gold), 6)


def _sure(logits: np.ndarray, heat: float) -> np.ndarray:
    return confidence(log_probabilities(logits, heat))


def _costs(directories: Sequence[Path]) -> list[float]:
    """Operations of one short row; where one is of an unknown family, the parameters of all."""
    from evalsuite.errors import UnknownNameError

    try:
        return [float(flops.operations(flops.of_directory(d), 1, _LENGTH)) for d in directories]
    except UnknownNameError:
        return [float(open_model(d).describe("").parameters) for d in directories]


def _hold_used(sources: Sequence[Source], fitted: fit.Fitted, wanted: Wanted) -> None:
    """Refuse a member that would answer nothing, and be run for nothing."""
    by_loss = wanted.budget is None
    for number, source in enumerate(sources[:-1]):
        if fitted.answered[number]:
            continue
        if not sum(fitted.answered[number:]):  # those before it answer all
            names = " and ".join(one.name for one in sources[:number])
            verb = "answers" if number == 1 else "answer"
            remedy = "lower max_lost" if by_loss else "give a larger budget"
            raise GateError(
                f"cascade: {names} {verb} every dev row\n{remedy}, or leave {source.name} out"
            )
        allowed, remedy = f"max_lost: {wanted.max_lost:g} allows", "allow more to be lost"
        if wanted.budget is not None:
            allowed, remedy = f"budget: {wanted.budget:g} asks for", "lower the budget"
        raise GateError(
            f"cascade: {source.name} would answer no dev row with what {allowed}\n"
            f"{remedy}, train it longer, or leave it out"
        )


def _languages(
    outputs: Sequence[Outputs], temperatures: Sequence[float], fitted: fit.Fitted, wanted: Wanted
) -> list[dict[str, float]]:
    """Thresholds of languages, for each member but the last; none lower than the general one."""
    found = []
    for member, heat, threshold in zip(outputs, temperatures, fitted.thresholds, strict=False):
        sets = [
            (_sure(own, heat), own.argmax(-1) == last.argmax(-1))
            for own, last in zip(member.logits, outputs[-1].logits, strict=True)
        ]
        sure, equal = sets[0]  # of the dev rows
        share = float(equal[sure >= threshold].mean())  # of those that the member answers
        found.append(
            {
                code: max(threshold, fit.fit_agreement(*texts, share))
                for code, texts in zip(wanted.text, sets[1:], strict=True)
            }
        )
    return found


def _rule(
    sources: Sequence[Source],
    outputs: Sequence[Outputs],
    labels: Sequence[str],
    temperatures: Sequence[float],
    fitted: fit.Fitted,
    languages: Sequence[Mapping[str, float]],
) -> Rule:
    thresholds, by_language = [*fitted.thresholds, 0.0], [*languages, {}]
    members = [
        Member(
            name=source.name,
            folder=f"member-{number + 1}",
            temperature=temperatures[number],
            threshold=thresholds[number],
            by_language=dict(by_language[number]),
            max_length=outputs[number].max_length,
        )
        for number, source in enumerate(sources)
    ]
    shared = {(one.tokenizer, one.max_length) for one in outputs}
    return Rule(labels=list(labels), one_tokenizer=len(shared) == 1, members=members)


def _facts(
    sources: Sequence[Source], score: float, rows: int, fitted: fit.Fitted, best: float
) -> Summary:
    """What the cascade does on dev rows.

    Args:
        best: the score of the last member.
    """
    shares = {
        f"answered by {source.name}": f"{100 * count / rows:.1f}%"
        for source, count in zip(sources, fitted.answered, strict=True)
    }
    scores: Summary = {"dev rows": rows, "dev score": round(score, 2)}
    return scores | {"score lost on dev rows": round(best - score, 2)} | shares


def _write(
    sources: Sequence[Source],
    outputs: Sequence[Outputs],
    rule: Rule,
    out: Path,
    facts: Summary,
    made_from: Sequence[str],
) -> None:
    """The members, the rule, the config and the card."""
    for source, member in zip(sources, rule.members, strict=True):
        copy(source.path, out / member.folder)
    longest = [member.max_length for member in rule.members]
    most = longest[0] if rule.one_tokenizer else longest_packed(longest)
    text = rule.model_dump_json(indent=2)
    (out / CASCADE_FILE).write_text(text + "\n", encoding="utf-8")
    config = {
        "model_type": "lingopress-cascade",
        "architectures": ["CascadeForSequenceClassification"],
        "id2label": {str(number): label for number, label in enumerate(rule.labels)},
        "label2id": {label: number for number, label in enumerate(rule.labels)},
        "pad_token_id": outputs[0].pad_id,
        "max_position_embeddings": most + 2,  # as `longest_of` counts
    }
    bundle.write_config(config, out)
    weights = [
        f"{s.name}: weights sha256:{one.digest}" for s, one in zip(sources, outputs, strict=True)
    ]
    card = BundleCard(
        runtime="cascade",
        file=CASCADE_FILE,
        precision=" + ".join(dict.fromkeys(one.precision for one in outputs)),
        head="pair",
        labels=tuple(rule.labels),
        layers=0,
        max_length=most,
        architecture=" + ".join(one.architecture for one in outputs),
        parameters=sum(one.parameters for one in outputs),
        embedding_parameters=sum(one.embedding_parameters for one in outputs),
        made_from=(*made_from, *weights),
    )
    licences = [bundle.licence_of(source.path) for source in sources]
    bundle.seal(out, card, readme(rule, [one.architecture for one in outputs], facts, licences))
