"""Plain multilingual text that is read as a stream, as rows to distil on.

>>> rows = StreamedTexts(text.plan(alpha=0.3, batch_size=32, steps=1000, seed=1), tokenizer, pad_id)
>>> rows.collate(plan[0])["input_ids"].shape
torch.Size([32, 31])

The text is not in memory: shards are tokenized once and mapped (`transfer.text.stream`).
"""

from __future__ import annotations

from typing import Any

from evalsuite import tokenization
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.stream_plan import StreamPlan
from transfer.loop.types import Tensors


class StreamedTexts:
    """Rows of a stream; for a model of choices each row has one choice.

    Args:
        plan: of the batches of the stream.
        tokenizer: that split the text.
        paired: each row is two texts, a line and the next one in the shuffled text.
        choices: rows are of a model of choices.
    """

    def __init__(
        self,
        plan: StreamPlan,
        tokenizer: Any,
        pad_id: int,
        *,
        paired: bool = False,
        choices: bool = False,
    ) -> None:
        self.plan, self.pad_id, self.paired, self.choices = plan, pad_id, paired, choices
        self.template = tokenization.template(tokenizer)

    def __len__(self) -> int:
        return sum(language.count for language in self.plan.languages)

    def collate(self, batch: Batch) -> Tensors:
        """Ids and mask; no labels."""
        tensors = padded([self._row(index) for index in batch.indices], self.pad_id)
        return {name: t[:, None] for name, t in tensors.items()} if self.choices else tensors

    def _row(self, index: int) -> list[int]:
        ids = self.plan.ids(index)
        if not self.paired:
            return ids
        around = self.template
        first, second = self._text(ids), self._text(self.plan.ids(index ^ 1))
        return [*around.opening, *first, *around.between, *second, *around.closing]

    def _text(self, ids: list[int]) -> list[int]:
        """The ids without those around one text."""
        return ids[len(self.template.before) : len(ids) - len(self.template.after)]
