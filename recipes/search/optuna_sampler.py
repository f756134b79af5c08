"""Which assignment to try next: optuna proposes, none comes twice.

>>> sampler = Sampler({"layers": ["2", "3"]}, numeric={"layers": True}, trials=8, seed=1)
>>> sampler.ask()
{'layers': '2'}
>>> sampler.tell(average=61.2, cost=17.3, over=-2.7)

Two aims at once, a high score at a low cost, by the tree-structured Parzen estimator, with the
budget as its constraint. Everything is kept in memory: a search that goes on asks and tells again
what it did before, and the same seed with the same answers gives the same questions.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evalsuite.errors import MissingExtraError
from recipes.parsing.knobs import Assignment, count

if TYPE_CHECKING:
    from optuna.trial import Trial

_PROPOSALS = 20  # that may be known already, before one is drawn at random
_DRAWN = 10_000  # assignments in the random order
_FAR = 1e9  # over any budget


class Sampler:
    """Asks for assignments and receives their results in the order of the questions."""

    def __init__(
        self,
        knobs: Mapping[str, Sequence[str]],
        *,
        numeric: Mapping[str, bool],
        trials: int,
        seed: int,
        parallel: int = 1,
    ) -> None:
        """Nothing is asked yet.

        Args:
            knobs: names of their values.
            numeric: whether those are numbers, of which some lie nearer than others.
            trials: how many will be asked for; a third of them, three at least, at random.
            parallel: how many may be asked for before the first has a result; proposals then keep
                away from those without one.

        Raises:
            MissingExtraError: optuna is not installed.
        """
        try:
            import optuna
        except ImportError:
            raise MissingExtraError("optuna", "search") from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna = optuna
        self.values = {
            knob: tuple(sorted(own, key=float)) if numeric[knob] else tuple(own)
            for knob, own in knobs.items()
        }
        self.numeric = numeric
        self.study = optuna.create_study(
            directions=["maximize", "minimize"],
            sampler=optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=max(3, trials // 3),
                multivariate=True,
                constant_liar=parallel > 1,
            ),
        )
        self.known: set[int] = set()
        self.total = count(self.values)
        drawn = random.Random(seed).sample(range(self.total), min(self.total, _DRAWN))
        self.drawn = iter(drawn)
        self.asked: deque[Trial] = deque()
        self.dearest = 1.0

    def ask(self) -> Assignment | None:
        """An assignment that was not asked for yet; None where there is none left."""
        failed = self.optuna.trial.TrialState.FAIL
        for _ in range(_PROPOSALS if len(self.known) < self.total else 0):
            trial = self.study.ask()
            places = self._suggest(trial)
            if self._number(places) not in self.known:
                return self._take(trial, places)
            self.study.tell(trial, state=failed)
        for number in self.drawn:
            if number not in self.known:
                self.study.enqueue_trial(self._places(number))
                trial = self.study.ask()
                return self._take(trial, self._suggest(trial))
        return None

    def tell(self, *, average: float, cost: float, over: float) -> None:
        """What the first without a result scores and costs, and how far it is over the budget."""
        self.dearest = max(self.dearest, cost)
        self._tell(average, cost, over)

    def refuse(self) -> None:
        """The first without a result cannot be made."""
        self._tell(0.0, self.dearest, _FAR)

    def _tell(self, average: float, cost: float, over: float) -> None:
        trial = self.asked.popleft()
        trial.set_constraint("budget", over)
        self.study.tell(trial, (average, cost))

    def _take(self, trial: Trial, places: dict[str, int]) -> Assignment:
        self.known.add(self._number(places))
        self.asked.append(trial)
        return {knob: self.values[knob][place] for knob, place in places.items()}

    def _suggest(self, trial: Trial) -> dict[str, int]:
        """The place of each knob's value in its list, which for numbers is their rank."""
        return {
            knob: trial.suggest_int(knob, 0, len(own) - 1)
            if self.numeric[knob]
            else int(trial.suggest_categorical(knob, range(len(own))))
            for knob, own in self.values.items()
        }

    def _number(self, places: Mapping[str, int]) -> int:
        number = 0
        for knob, own in self.values.items():
            number = number * len(own) + places[knob]
        return number

    def _places(self, number: int) -> dict[str, int]:
        """The inverse of `_number`."""
        places = {}
        for knob, own in reversed(self.values.items()):
            number, places[knob] = divmod(number, len(own))
        return places
