"""Looks at some rows of the source, so that `plan` knows how many there are and how long.

>>> text = SourceText(DataSource("embedded"))
>>> text.task(model, "xnli", "dev", ["sw"]).counts
{'sw': 240}

Of each language up to 64 rows are tokenized; parallel text is counted by the size of its files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from math import log2
from pathlib import Path
from typing import Any, cast

from evalsuite import tokenization
from evalsuite.data import heldout, parallel
from evalsuite.data.ranking import Searched
from evalsuite.errors import EvalsuiteError
from evalsuite.find_family import longest_of
from evalsuite.inference.probe_text import spread
from evalsuite.registry import FORMATS
from evalsuite.task import DataSource, ParallelExample, Split
from recipes.errors import NotKnownAheadError
from recipes.planning.searched_text import searched_text
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.planned_text import Rows
from transfer.find_task import find_task

_ROWS, _ONE_LANGUAGE = 64, 1024  # per language that are tokenized, at most; of one alone
_LANGUAGES = 6  # whose parallel text is looked at
_PAIRS = 1000  # pairs of each
_POOL = 200_000  # candidates that are counted


class SourceText:
    """What stages read of one source; see `recipes.stages._shared.planned_text.PlannedText`.

    Args:
        clock: seconds; see `evalsuite.machine.probe.Probe`.
    """

    def __init__(self, source: DataSource, clock: Callable[[], float] = time.perf_counter) -> None:
        self.source, self.clock = source, clock
        self._found: dict[object, Any] = {}

    def opening(self, model: PlannedModel) -> float:
        """Seconds of opening the model's tokenizer."""
        return float(self._tokenizer(model)[1])

    def task(
        self,
        model: PlannedModel,
        name: str,
        split: str,
        languages: Sequence[str] | None = None,
        most: int | None = None,
        longest: int | None = None,
        *,
        scored: bool = False,
    ) -> Rows:
        """Rows of a task by language."""
        key = (model.tokenizer, name, split, languages and tuple(languages), most, longest, scored)
        asked = (model, name, split, languages, most, longest, scored)
        return cast(Rows, self._once(key, lambda: self._task(*asked)))

    def _task(
        self,
        model: PlannedModel,
        name: str,
        split: str,
        languages: Sequence[str] | None,
        most: int | None,
        longest: int | None,
        scored: bool,
    ) -> Rows:
        tokenizer, _ = self._tokenizer(model)
        task = find_task(name)
        lengths: dict[str, list[int]] = {}
        counts: dict[str, int] = {}
        reading, tokenizing, per_row = 0.0, 0.0, 1.0
        whole = scored and split != "train" and task.format in ("ranking", "mining")
        cut = min(longest or longest_of(model.config), longest_of(model.config))
        own = min(cut, task.query_tokens) if whole and isinstance(task, Searched) else cut
        try:
            chosen = cast(Split, task.eval_split(self.source) if split == "eval" else split)
            codes = languages or task.available(self.source, chosen)
            module = FORMATS.get(task.format)
            for code in codes:
                begun = self.clock()
                rows = task.some_of(task.load(self.source, chosen, code), most)
                reading += self.clock() - begun
                some = spread(rows, _ONE_LANGUAGE if len(codes) == 1 else _ROWS)
                begun = self.clock()
                encoded = module.encode(tokenizer, some, own)
                taken = self.clock() - begun
                if not encoded:
                    continue
                per_row = len(encoded) / len(some)
                lengths[code] = [len(item.ids) for item in encoded]
                counts[code] = round(len(rows) * per_row)
                tokenizing += taken * len(rows) / len(some)
            begun, measured = self.clock(), 0.0
            searched = searched_text(task, self.source, chosen, codes, most) if whole else ()
            for part, texts, limit in searched:
                end = min(cut, limit or cut)
                lengths[part], counts[part], taken = self._searched(tokenizer, texts, end)
                measured += taken
                tokenizing += taken * counts[part] / max(1, len(lengths[part]))
            reading += self.clock() - begun - measured
        except EvalsuiteError as error:
            raise NotKnownAheadError(str(error)) from error
        if not lengths:
            raise NotKnownAheadError(f"{name} has no rows here")
        both = scored or split == "train"  # sides of each pair are embedded; else the first alone
        if both and task.by_embedding and not whole:
            lengths = {code: [*some, *some] for code, some in lengths.items()}
            counts, per_row = {code: 2 * count for code, count in counts.items()}, 2.0
        return Rows(lengths, counts, reading, tokenizing, per_row)

    def _searched(
        self, tokenizer: Any, texts: Iterator[str], longest: int
    ) -> tuple[list[int], int, float]:
        """Tokens of some texts, how many texts there are, and seconds of tokenizing those some."""
        some = list(islice(texts, _PAIRS))
        count = len(some) + sum(1 for _ in islice(texts, _POOL))
        if count >= _POOL:
            raise NotKnownAheadError(f"{_POOL:,} texts or more are searched")
        begun = self.clock()
        lengths = [min(longest, len(one.ids)) for one in tokenizer.encode_batch(some)]
        return lengths, count, self.clock() - begun

    def parallel(
        self,
        model: PlannedModel,
        languages: Sequence[str] | None = None,
        most: int | None = None,
        paired: float = 0.0,
        longest: int | None = None,
        *,
        single: bool = False,
    ) -> Rows:
        """Sentences of the parallel text by language."""
        key = ("parallel", model.tokenizer, languages and tuple(languages), most, paired, longest)
        asked = (model, languages, most, paired, longest)
        found = cast(Rows, self._once(key, lambda: self._parallel(*asked)))
        alone = parallel.monolingual_languages(self.source) if single else ()
        share = 1 + sum(code in alone for code in found.counts) / len(found.counts)
        return replace(found, reading=found.reading * share, tokenizing=found.tokenizing * share)

    def _parallel(
        self,
        model: PlannedModel,
        languages: Sequence[str] | None,
        most: int | None,
        paired: float,
        longest: int | None,
    ) -> Rows:
        tokenizer, _ = self._tokenizer(model)
        cut = min(longest or longest_of(model.config), longest_of(model.config))
        lengths: dict[str, list[int]] = {}
        counts: dict[str, int] = {}
        reading = tokenizing = 0.0
        try:
            codes = self._foreign(languages)
            looked = codes[:: max(1, len(codes) // _LANGUAGES)][:_LANGUAGES]
            for code in looked:
                begun = self.clock()
                pairs = list(islice(parallel.pairs(self.source, code), min(most or _PAIRS, _PAIRS)))
                begun, read = self.clock(), self.clock() - begun
                some = spread(pairs, _ROWS)
                lengths[code] = _lengths(tokenizer, some, paired, cut)
                taken = self.clock() - begun
                counts[code] = self._count(code, most, len(pairs))
                times = counts[code] * len(codes) / len(looked)
                reading += read / len(pairs) * times
                tokenizing += taken / len(some) * times
        except EvalsuiteError as error:
            raise NotKnownAheadError(str(error)) from error
        if not lengths:
            raise NotKnownAheadError("the source has no parallel text")
        factor = len(codes) / len(looked)
        counts = {code: round(count * factor) for code, count in counts.items()}
        return Rows(lengths, counts, reading, tokenizing)

    def _foreign(self, languages: Sequence[str] | None) -> list[str]:
        """Languages whose pairs are read: these without English, or, for English alone, all."""
        asked = [code for code in languages or () if code != "en"]
        return asked or [code for code in parallel.languages(self.source) if code != "en"]

    def _count(self, code: str, most: int | None, read: int) -> int:
        """Pairs of a language, at most `most`; `read` of them were read."""
        if read < _PAIRS:
            return read
        return sum(1 for _ in islice(parallel.pairs(self.source, code), most))

    def pieces(self, model: PlannedModel, languages: Sequence[str] | None, most: int | None) -> int:
        """Pieces that occur in the text, extrapolated from some of it by Heaps' law."""
        tokenizer, _ = self._tokenizer(model)
        rows = self.parallel(model, languages, most)
        codes = self._foreign(languages)
        english = "en" in (languages or ("en",))
        foreign = set(languages or codes) != {"en"}
        found: list[set[int]] = [set(), set()]
        seen = 0
        for code in codes:
            pairs = list(islice(parallel.pairs(self.source, code), min(most or _PAIRS, _PAIRS)))
            seen += len(pairs)
            texts = [pair.foreign for pair in pairs] if foreign else []
            texts += [pair.english for pair in pairs] if english else []
            for number, one in enumerate(tokenizer.encode_batch(texts)):
                found[1].update(one.ids)
                if number % 2:
                    found[0].update(one.ids)
        half, whole = map(len, found)
        if not half:  # a text per language has no half, and there are no more
            return whole
        return round(float(whole * max(1.0, rows.total / seen) ** log2(whole / half)))

    def held_out(self) -> float:
        """Seconds of reading the text that is kept out of training, by the size of its files."""
        return cast(float, self._once("held out", self._read_held_out))

    def _read_held_out(self) -> float:
        sizes = {path: path.stat().st_size for path in heldout.paths(self.source)}
        if not sizes:
            return 0.0
        order = sorted(sizes, key=lambda path: sizes[path])
        some = order[:: max(1, len(order) // 24)]
        some = [path for path in some if sizes[path] < 2_000_000]
        begun = self.clock()
        heldout.HeldOut.of(some)
        return (self.clock() - begun) * sum(sizes.values()) / max(1, sum(sizes[p] for p in some))

    def _tokenizer(self, model: PlannedModel) -> tuple[Any, float]:
        """The tokenizer, and the seconds of opening it."""
        place = model.tokenizer
        if place is None:
            raise NotKnownAheadError("its vocabulary does not exist yet")
        return cast("tuple[Any, float]", self._once(place, lambda: self._open(place)))

    def _open(self, place: Path) -> tuple[Any, float]:
        begun = self.clock()
        try:
            tokenizer = tokenization.load(place)
        except (EvalsuiteError, OSError) as error:
            raise NotKnownAheadError(f"its tokenizer is not there: {error}") from error
        return tokenizer, self.clock() - begun

    def _once(self, key: object, find: Callable[[], object]) -> object:
        if key not in self._found:
            self._found[key] = find()
        return self._found[key]


def _lengths(
    tokenizer: Any, pairs: Sequence[ParallelExample], paired: float, longest: int
) -> list[int]:
    """Tokens of sentences; of a share of them with their translation."""
    both = round(paired * len(pairs))
    texts: list[Any] = [(pair.foreign, pair.english) for pair in pairs[:both]]
    texts += [pair.foreign for pair in pairs[both:]]
    return [min(longest, len(one.ids)) for one in tokenizer.encode_batch(texts)]
