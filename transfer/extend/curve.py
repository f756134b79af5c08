"""Held-out retrieval at some points of training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evalsuite.retrieval.cosine import nearest
from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.extend.plan import BOS, EOS, PAD
from transfer.loop.compute import resolve_compute
from transfer.text.teacher_vectors import embed

_POINTS = 8


class Curve:
    """Called after every step; what it measured is in `path`, and outlives a kill."""

    def __init__(
        self, model: Any, corpus: Corpus, seen: Sequence[int] | None, options: Options, path: Path
    ) -> None:
        self.model, self.corpus, self.path = model, corpus, path
        self.compute = resolve_compute(options.settings.compute)
        self.steps = {max(1, round(options.steps * n / _POINTS)) for n in range(1, _POINTS + 1)}
        self.scores: dict[str, float] = {}  # of the last call; empty where it measured nothing
        self.tokens: dict[int, int] = {}  # of text up to a step; not known of a stream
        if seen is not None:
            size = options.settings.accumulate
            self.tokens = {step: seen[step * size - 1] for step in self.steps}

    def __call__(self, step: int) -> None:
        self.scores = {}
        if step not in self.steps or not self.corpus.held:
            return
        self.model.eval()
        found = round(self.retrieval(), 2)
        self.model.train()
        self.scores = {"held-out retrieval": found}
        tokens = {"tokens": self.tokens[step]} if self.tokens else {}
        point = {"step": step, **tokens, **self.scores}
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
        corpus, encoder = self.corpus, self.model.base_model
        foreign, english = (
            embed(encoder, [[BOS, *ids[i], EOS] for i in corpus.held], PAD, self.compute)
            for ids in (corpus.foreign, corpus.english)
        )
        translations = [corpus.text.pairs[i][2] for i in corpus.held]
        right: dict[int, list[bool]] = {}
        for i, translation, row in zip(
            corpus.held, translations, nearest(foreign, english), strict=True
        ):
            right.setdefault(corpus.text.pairs[i][0], []).append(translations[row] == translation)
        return 100 * float(np.mean([np.mean(values) for values in right.values()]))
