"""Held-out retrieval at some points of training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.extend.plan import BOS, EOS, PAD, Plan
from transfer.targets import embed

_POINTS = 8

Watch = Callable[[Any, Any, int], dict[str, float]]


class Curve:
    """Called after every step; what it measured is in `path`, and outlives a kill."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        corpus: Corpus,
        plan: Plan,
        options: Options,
        path: Path,
        compute: str,
        watch: Watch | None,
    ) -> None:
        self.model, self.tokenizer, self.corpus, self.plan = model, tokenizer, corpus, plan
        self.path, self.compute, self.watch = path, compute, watch
        self.micro = options.settings.accumulate
        self.at = {max(1, round(options.steps * n / _POINTS)) for n in range(1, _POINTS + 1)}

    def __call__(self, step: int) -> None:
        if step not in self.at or not self.corpus.held:
            return
        seen = self.plan.tokens(step * self.micro)
        self.model.eval()
        point = {"step": step, "tokens": seen, "held-out retrieval": round(self.retrieval(), 2)}
        if self.watch is not None:
            point |= self.watch(self.model, self.tokenizer, seen)
        self.model.train()
        kept = [other for other in self.points() if other["step"] < step]
        partial = self.path.with_suffix(".part")
        partial.write_text(json.dumps([*kept, point]), encoding="utf-8")
        partial.replace(self.path)

    def points(self) -> list[dict[str, float]]:
        """Those measured so far."""
        if not self.path.is_file():
            return []
        found: list[dict[str, float]] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    def retrieval(self) -> float:
        """Percent of held-out sentences, mean over languages, whose nearest English sentence, of
        all languages' held-out ones, is their own translation."""
        corpus = self.corpus
        sides = [
            embed(
                self.model.roberta,
                [[BOS, *ids[i], EOS] for i in corpus.held],
                PAD,
                self.compute,
            )
            for ids in (corpus.foreign, corpus.english)
        ]
        english = [corpus.text.pairs[i][2] for i in corpus.held]
        nearest = (sides[0] @ sides[1].T).argmax(1)
        right: dict[int, list[bool]] = {}
        for row, index in enumerate(corpus.held):
            found = english[int(nearest[row])] == english[row]
            right.setdefault(corpus.text.pairs[index][0], []).append(found)
        return 100 * float(np.mean([np.mean(values) for values in right.values()]))
