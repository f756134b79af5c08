"""The scores of all languages of one task, collected language by language.

>>> scores = LanguageScores(task, seed=0)
>>> scores.add(Predicted("de", examples, predictions))
>>> scores.metrics["accuracy"]["de"]
70.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalsuite import bootstrap, languages, scoring
from evalsuite.agreement import predictions as agreement
from evalsuite.evaluation import Predicted
from evalsuite.metric import Answers, is_hidden
from evalsuite.registry import FORMATS
from evalsuite.results.task import ModelComparison
from evalsuite.task import Task

if TYPE_CHECKING:
    import numpy as np


class LanguageScores:
    """Scores by language, and how far chance could move them.

    Args:
        seen: languages that are not in the zero-shot mean; default: those of the task.

    Attributes:
        metrics: metric -> language -> percent.
        chance: language -> score of guessing on the main metric, in percent.
        examples: language -> rows.
        thresholds: language -> lowest margin of a pair, where pairs are mined.
        unreached: language -> rows whose answer no token reaches, where there are any.
        unlabelled: language -> labels that its rows do not tell of, where there are any.
        answered: language -> member of a cascade -> rows that it answered.

    Raises:
        MetricError: a metric of the task does not fit it.
    """

    def __init__(self, task: Task, seed: int, seen: Sequence[str] | None = None) -> None:
        scoring.metric_of(task)
        self.task, self.seed = task, seed
        self.seen = task.seen_languages if seen is None else seen
        self.metrics: dict[str, dict[str, float]] = {}
        self.chance: dict[str, float] = {}
        self.examples: dict[str, int] = {}
        self.thresholds: dict[str, float] = {}
        self.unreached: dict[str, int] = {}
        self.unlabelled: dict[str, tuple[str, ...]] = {}
        self.answered: dict[str, dict[str, int]] = {}
        self._draws: dict[str, np.ndarray] = {}
        self._too_few: set[str] = set()  # languages that have no interval

    def add(self, predicted: Predicted) -> None:
        """Score the predictions of one language."""
        language, answers = predicted.language, self._answers(predicted, predicted.predictions)
        scores = scoring.score(answers)
        for name, value in (scores | predicted.metrics).items():
            if name in predicted.unscored:
                continue
            self.metrics.setdefault(name, {})[language] = value
        self._draws[language] = scoring.draws(answers, self.seed)
        if _known(answers) < bootstrap.LEAST_ROWS:
            self._too_few.add(language)
        self.chance[language] = scoring.chance(answers)
        self.examples[language] = len(predicted.examples)
        if predicted.answered:
            self.answered[language] = predicted.answered
        if predicted.unreached:
            self.unreached[language] = predicted.unreached
        told = getattr(FORMATS.get(self.task.format), "unlabelled", None)
        if told is not None and (absent := told(self.task.labels, predicted.examples)):
            self.unlabelled[language] = absent
        if predicted.threshold is not None:
            self.thresholds[language] = predicted.threshold

    def draws(self, predicted: Predicted, predictions: Sequence[Any]) -> np.ndarray:
        """The main metric of each bootstrap sample, `[resamples]`, of predictions for the rows."""
        return scoring.draws(self._answers(predicted, predictions), self.seed)

    def _answers(self, predicted: Predicted, predictions: Sequence[Any]) -> Answers:
        return scoring.answers(
            self.task, predicted.language, predicted.examples, predictions, predicted.candidates
        )

    def draws_of(self, language: str) -> np.ndarray:
        """Those of a language added before."""
        return self._draws[language]

    def intervals(self) -> dict[str, tuple[float, float]]:
        """95% interval of the main metric, by language; none of one with too few rows."""
        return self.intervals_of(self._draws)

    def intervals_of(self, draws: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
        """The same of other draws over the same rows."""
        return {
            language: bootstrap.interval(values)
            for language, values in draws.items()
            if language not in self._too_few
        }

    def zero_shot_interval(self) -> tuple[float, float] | None:
        """95% interval of the zero-shot mean; None where `zero_shot_draws` are none."""
        mean = self.zero_shot_draws(self._draws)
        return None if mean is None else bootstrap.interval(mean)

    def zero_shot_draws(self, draws: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Mean over the languages without training rows, for each draw.

        None where all have training rows, or one of the others has too few rows.
        """
        import numpy as np

        others = [code for code in draws if languages.is_zero_shot(code, self.seen)]
        if not others or self._too_few & {*others}:
            return None
        return np.asarray(np.mean([draws[code] for code in others], axis=0))


def _known(answers: Answers) -> int:
    """Rows whose answer is known. That of a sentence without a translation is known to be none."""
    empty_is_known = scoring.kinds(answers.task.format)[0] == "pairs"
    return sum(empty_is_known or not is_hidden(gold) for gold in answers.gold)


class Comparison:
    """The same rows as another model predicted them, collected language by language.

    Args:
        by_vectors: whether vectors are compared. A cosine is no score of a head, so where only one
            of the two models has one, no share of equal predictions is given.
    """

    def __init__(
        self, reference: agreement.Reference, scores: LanguageScores, by_vectors: bool = False
    ) -> None:
        self.reference, self.scores = reference, scores
        self._alike = reference.by_vectors.get(scores.task.name, by_vectors) == by_vectors
        self._agreement: dict[str, float] = {}
        self._differences: dict[str, np.ndarray] = {}

    def add(self, predicted: Predicted, split: Any) -> None:
        """Compare one language that the scores have already.

        Raises:
            DataError: the other model was not scored on these rows.
        """
        task, language = self.scores.task, predicted.language
        ids = [example.id for example in predicted.examples]
        others = agreement.read(self.reference, task.name, language, split, ids, task.format)
        if self._alike:
            self._agreement[language] = agreement.same(task.format, others, predicted.predictions)
        drawn = self.scores.draws(predicted, others)
        self._differences[language] = self.scores.draws_of(language) - drawn

    def result(self) -> ModelComparison:
        """Agreement and differences of all languages."""
        mean = self.scores.zero_shot_draws(self._differences)
        return ModelComparison(
            label=self.reference.label,
            agreement=self._agreement,
            intervals=self.scores.intervals_of(self._differences),
            zero_shot_interval=None if mean is None else bootstrap.interval(mean),
            p=None if mean is None else bootstrap.p_value(mean),
        )
