"""Weights of combined adapters, searched on English dev rows.

The first adapter's task is scored in English alone: labels of a target language would make the
transfer no longer zero-shot. Optuna's TPE proposes (as LoraHub does it by another gradient-free
optimizer, Huang et al. 2023, arXiv:2307.13269), after each adapter alone, equal shares and the
plain sum: what is chosen scores no lower on these rows than any adapter alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compress.errors import FuseError
from compress.fuse.adapters import Onto, attached, predictor
from compress.fuse.combine import Mixer
from evalsuite.errors import MissingExtraError
from evalsuite.inference.probe_text import spread
from evalsuite.inference.session import Session
from evalsuite.task import DataSource, Task
from transfer.loop.types import Summary
from transfer.models.adapters import Adapter

Weights = tuple[float, ...]
Progress = Callable[[float, str], None]
STEPS = 10  # a weight is a multiple of 1/10, from 0 to 1
_PROPOSALS = 5  # a trial, of which some may be known already


@dataclass(frozen=True, slots=True)
class Search:
    """What the weights are chosen by.

    Attributes:
        scored: the task whose English dev rows are scored; its labels are the head's.
        trials: weights that are tried, each of them another.
        rows: at most, spread over the file.
    """

    scored: Task
    source: DataSource
    trials: int
    rows: int
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """The weights, and the score (percent, the task's main metric) of all that were tried."""

    weights: Weights
    tried: dict[Weights, float]
    rows: int

    def facts(self) -> Summary:
        """For a stage's summary."""
        if not self.tried:
            return {"weights": described(self.weights)}
        return {
            "weights": described(self.weights),
            "weights chosen by": f"English dev alone, {self.rows} rows",
            "English dev score": round(self.tried[self.weights], 3),
            **{
                f"tried {described(weights)}": round(score, 3)
                for weights, score in self.tried.items()
            },
        }


def best(
    score: Callable[[Weights], float], adapters: int, trials: int, seed: int
) -> tuple[Weights, dict[Weights, float]]:
    """The weights of the highest score, and all scores in the order they were asked for.

    Of equal scores the first asked for is the best. The same seed and scores give the same weights.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("optuna", "search") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=max(adapters + 2, trials // 3), multivariate=True
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for places in starts(adapters):
        study.enqueue_trial({str(index): place for index, place in enumerate(places)})
    tried: dict[Weights, float] = {}
    trials = min(trials, (STEPS + 1) ** adapters - 1)
    for _ in range(trials * _PROPOSALS):
        trial = study.ask()
        weights = tuple(trial.suggest_int(str(i), 0, STEPS) / STEPS for i in range(adapters))
        if not any(weights):  # no adapter is left
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        if weights not in tried:
            tried[weights] = score(weights)
        study.tell(trial, tried[weights])
        if len(tried) == trials:
            break
    return max(tried, key=lambda weights: tried[weights]), tried


def starts(adapters: int) -> list[tuple[int, ...]]:
    """What is tried first, in steps: each alone, equal shares, all in full."""
    alone = [tuple(STEPS * (i == j) for j in range(adapters)) for i in range(adapters)]
    return [*alone, (round(STEPS / adapters),) * adapters, (STEPS,) * adapters]


def search(
    mixer: Mixer, start: Adapter, task: Task, onto: Onto, how: Search, progress: Progress
) -> Found:
    """Try weights on the model that is fused in the end, before it is merged or requantized.

    Args:
        start: what the mixer wrote for any weights.

    Raises:
        FuseError: the source has no English dev rows of the task.
        MissingExtraError: optuna is not installed.
    """
    from peft import set_peft_model_state_dict

    language = how.scored.source_language
    if language not in how.scored.available(how.source, "dev"):
        raise FuseError(
            f"weights: search needs English dev rows of {how.scored.name}, and the source "
            f"{how.source.kind} has none; give weights: as numbers"
        )
    rows = spread(how.scored.load(how.source, "dev", language), how.rows)
    model = attached(start, task, onto).eval()
    session = Session(predictor(model, start, task))
    done = 0

    def score(weights: Weights) -> float:
        nonlocal done
        progress(done / how.trials, f"weights {described(weights)}")
        done += 1
        set_peft_model_state_dict(model, mixer.mixed(weights))
        return session.score(how.scored, language, rows)

    weights, tried = best(score, len(mixer.names), how.trials, how.seed)
    return Found(weights, tried, len(rows))


def described(weights: Weights) -> str:
    """`0.5, 0.2`."""
    return ", ".join(f"{weight:g}" for weight in weights)
