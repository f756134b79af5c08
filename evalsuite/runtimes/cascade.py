"""cascade: bundles of two or three models, each in its own runtime; the first answers what it can.

All rows of the given batches go to the first member. Those that it is not sure of are grouped into
batches of similar length for the next one. The logits of a row are the calibrated log-probabilities
of the member that answered it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite import tokenization
from evalsuite.cascade.confidence import confidence, log_probabilities
from evalsuite.cascade.packed_rows import longest_packed, part
from evalsuite.cascade.rule import CASCADE_FILE, Rule, read_rule
from evalsuite.errors import ModelError
from evalsuite.inference import open_model as opening
from evalsuite.inference.batch_runner import pad
from evalsuite.inference.batching import Batching, by_tokens
from evalsuite.inference.checkpoint_config import Answers
from evalsuite.inference.finite_outputs import refuse_not_finite
from evalsuite.inference.label_order import places, same_names
from evalsuite.results.record import ModelInfo
from evalsuite.runtimes._bundle import check_files, read_card
from evalsuite.runtimes._products import Multiply

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor

PRODUCTS: dict[str, str] = {}  # its members' products are of several types
MULTIPLY: Multiply = {}
Batch = tuple["np.ndarray", "np.ndarray"]  # ids and mask, `[batch, tokens]`
Outputs = Iterator[dict[str, "np.ndarray"]]


def opens(directory: Path) -> bool:
    """Whether the directory is a cascade."""
    return read_card(directory, "cascade") is not None


def modules(directory: Path) -> tuple[str, ...]:
    """What opening the members imports."""
    names = (opening.modules(directory / m.folder) for m in read_rule(directory).members)
    return tuple(dict.fromkeys(name for some in names for name in some))


class CascadePredictor:
    """Several models as one `Predictor`, and as a `Staged` one.

    Attributes:
        language: of the rows that come next, where it is known: thresholds may depend on it.
        names: of the members.
        languages: that a member has a threshold of.
    """

    answers: Answers = "label"
    layers = 0

    def __init__(self, directory: Path, rule: Rule, members: Sequence[Predictor]) -> None:
        self.directory, self.rule, self.members = directory, rule, members
        self.labels = tuple(rule.labels)
        self.names = tuple(member.name for member in rule.members)
        known = (code for member in rule.members for code in member.by_language)
        self.languages = tuple(dict.fromkeys(known))
        self.language: str | None = None
        longest = [member.max_length for member in rule.members]
        self.max_length = longest[0] if rule.one_tokenizer else longest_packed(longest)
        self.precision = " + ".join(dict.fromkeys(member.precision for member in members))
        self._orders = [places(self.labels, member.labels) for member in members]
        self._pads = [tokenization.pad_id(member.directory) for member in members]
        self._read: list[Counter[int]] = [Counter() for _ in members]

    @property
    def threads(self) -> int:
        """Of the last member."""
        return self.members[-1].threads

    @property
    def device(self) -> str:
        """Of the last member."""
        return self.members[-1].device

    @property
    def batching(self) -> Batching:
        """What suits the first member, which reads all rows."""
        found = self.members[0].batching
        if self.rule.one_tokenizer:
            return found
        return replace(found, tokens=found.tokens * len(self.members))

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """One batch; what goes on of it is one batch for the next member, or a few."""
        (found,) = self._run([(input_ids, attention_mask)], wanted, _one_by_one)
        return found

    def run_batches(self, batches: Iterable[Batch], wanted: tuple[str, ...]) -> Outputs:
        """All batches are read first; then each member runs once over what reaches it."""
        yield from self._run(list(batches), wanted, _together)

    def rows_read(self) -> list[Counter[int]]:
        """See `evalsuite.inference.predictor.Staged`."""
        found, self._read = self._read, [Counter() for _ in self.members]
        return found

    def _run(
        self,
        batches: Sequence[Batch],
        wanted: tuple[str, ...],
        run: Callable[[Predictor, Iterable[Batch]], Outputs],
    ) -> list[dict[str, np.ndarray]]:
        import numpy as np

        if set(wanted) != {"logits"}:
            others = ", ".join(sorted(set(wanted) - {"logits"}))
            raise ModelError(
                f"{self.directory} is a cascade, which gives logits and no {others}; use one of "
                f"its members, such as {self.directory / self.rule.members[-1].folder}"
            )
        rows = _Rows(batches, one_tokenizer=self.rule.one_tokenizer)
        ends = np.cumsum([0, *(len(ids) for ids, _ in batches)]).tolist()
        scores = np.empty((ends[-1], len(self.labels)), dtype=np.float32)
        groups = [list(range(*ends[place : place + 2])) for place in range(len(batches))]
        alone = all(len(group) == 1 for group in groups)  # as was asked for: keep rows apart
        inputs = batches if self.rule.one_tokenizer else self._padded(0, groups, rows)
        left = self._answer(0, groups, inputs, run, scores)
        for place in range(1, len(self.members)):
            groups = self._grouped(place, left, rows, alone)
            left = self._answer(place, groups, self._padded(place, groups, rows), run, scores)
        return [{"logits": scores[start:end]} for start, end in pairwise(ends)]

    def _grouped(
        self, place: int, left: Sequence[int], rows: _Rows, alone: bool
    ) -> list[list[int]]:
        """Rows that are still to be answered, in batches that suit a member."""
        member = self.members[place]
        lengths = [len(rows.ids(row, place)) for row in left]
        widths = member.batching.widths(lengths, member.max_length)
        chosen = by_tokens(widths, 1 if alone else member.batching.tokens)
        return [[left[index] for index in group] for group in chosen]

    def _padded(self, place: int, groups: Sequence[Sequence[int]], rows: _Rows) -> list[Batch]:
        member, found = self.members[place], []
        for group in groups:
            ids = [rows.ids(row, place).tolist() for row in group]
            longest = max(map(len, ids))
            width = member.batching.widths([longest], member.max_length)[0]
            found.append(pad(ids, self._pads[place], width))
        return found

    def _answer(
        self,
        place: int,
        groups: Sequence[Sequence[int]],
        inputs: Sequence[Batch],
        run: Callable[[Predictor, Iterable[Batch]], Outputs],
        scores: np.ndarray,
    ) -> list[int]:
        """Write what one member says of the rows that it is sure of; gives the others, in order."""
        import numpy as np

        member, rule = self.members[place], self.rule.members[place]
        least = rule.threshold_in(self.language)
        last = place == len(self.members) - 1
        left: list[int] = []
        for group, (ids, mask), found in zip(groups, inputs, run(member, inputs), strict=True):
            refuse_not_finite(member, ids, mask, found)
            said = log_probabilities(found["logits"][:, self._orders[place]], rule.temperature)
            sure = (confidence(said) >= least) | last
            numbers = np.asarray(group)
            scores[numbers[sure]] = said[sure]
            left += numbers[~sure].tolist()
            self._read[place].update(mask.sum(1).tolist())
        return sorted(left)

    def describe(self, label: str) -> ModelInfo:
        """All members together; the digest is of their weights and of the rule."""
        infos = [
            member.describe(name) for name, member in zip(self.names, self.members, strict=True)
        ]
        digests = "".join(info.digest for info in infos).encode()
        return ModelInfo(
            label=label,
            digest=hashlib.sha256(
                digests + (self.directory / CASCADE_FILE).read_bytes()
            ).hexdigest(),
            architecture=" + ".join(info.architecture for info in infos),
            runtime="cascade",
            precision=self.precision,
            parameters=sum(info.parameters for info in infos),
            embedding_parameters=sum(info.embedding_parameters for info in infos),
            bytes=sum(info.bytes for info in infos),
            tokenizer_bytes=sum(info.tokenizer_bytes for info in infos),
        )


class _Rows:
    """The rows of batches, numbered through, without padding."""

    def __init__(self, batches: Sequence[Batch], *, one_tokenizer: bool) -> None:
        self._rows = [row for batch in batches for row in zip(*batch, strict=True)]
        self._one_tokenizer = one_tokenizer

    def ids(self, row: int, place: int) -> np.ndarray:
        """Of a row, for one member."""
        ids, mask = self._rows[row]
        whole: np.ndarray = ids[mask.astype(bool)]
        return whole if self._one_tokenizer else part(whole, place)


def _one_by_one(member: Predictor, batches: Iterable[Batch]) -> Outputs:
    for ids, mask in batches:
        yield member(ids, mask, ("logits",))


def _together(member: Predictor, batches: Iterable[Batch]) -> Outputs:
    return member.run_batches(batches, ("logits",))


def open_model(directory: Path, threads: int | None = None) -> CascadePredictor:
    """Open all members, each in its runtime.

    Raises:
        ModelError: it is not a cascade, a member does not open, or has other labels.
    """
    card = read_card(directory, "cascade")
    if card is None:
        raise ModelError(f"{directory} is not a cascade")
    check_files(directory, card)
    rule = read_rule(directory)
    members = [opening.open_model(directory / member.folder, threads) for member in rule.members]
    for member in members:
        if not same_names(member.labels, rule.labels):
            raise ModelError(
                f"{member.directory} has other labels than the cascade: {', '.join(member.labels)}"
            )
    return CascadePredictor(directory, rule, members)
