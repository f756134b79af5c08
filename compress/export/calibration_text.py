"""Text that quantization is calibrated on; never text that is scored.

>>> text = Calibration(task, source, 16).sequences(tokenizer, 512)
>>> {language: len(sequences) for language, sequences in text.items()}
{'de': 16, 'en': 16, 'sw': 16}

Sentences of the source's parallel text without its evaluation text, in those languages of the probe
task that it has; or the task's English training rows, for a source without parallel text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.inference.encoded import Encoded
from evalsuite.inference.probe_text import spread
from evalsuite.inference.task_head import reads_two_texts
from evalsuite.registry import FORMATS
from evalsuite.task import DataSource, Task

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Text = Literal["parallel", "train"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Which text, and how many rows per language."""

    task: Task
    source: DataSource
    per_language: int
    text: Text = "parallel"

    def sequences(self, tokenizer: Tokenizer, max_length: int) -> dict[str, list[Encoded]]:
        """Sequences per language, of two sentences each where the task's rows have two texts.

        Raises:
            DataError: the source has no such text.
        """
        if self.text == "train":
            language = self.task.source_language
            rows = self.task.load(self.source, "train", language)
            some = spread(rows, self.per_language)
            return {language: FORMATS.get(self.task.format).encode(tokenizer, some, max_length)}
        two = reads_two_texts(self.task)
        tokenizer.enable_truncation(max_length)
        try:
            return {
                language: _encoded(tokenizer, lines, two)
                for language, lines in self._lines().items()
            }
        finally:
            tokenizer.no_truncation()

    def _lines(self) -> dict[str, list[str]]:
        from evalsuite.data import parallel
        from transfer.text import parallel_text

        available = parallel.languages(self.source)
        chosen = [code for code in available if code in self.task.languages] or list(available)
        corpus = parallel_text.read(self.source, chosen, self.per_language)
        lines: dict[str, list[str]] = {}
        for index, foreign, english in corpus.pairs:
            lines.setdefault(corpus.languages[index], []).append(foreign)
            lines.setdefault("en", []).append(english)
        lines["en"] = list(dict.fromkeys(lines["en"]))[: self.per_language]
        return lines


def _encoded(tokenizer: Tokenizer, lines: Sequence[str], two: bool) -> list[Encoded]:
    inputs = list(zip(lines, [*lines[1:], lines[0]], strict=True)) if two else list(lines)
    encodings = tokenizer.encode_batch(inputs)
    return [Encoded(index, encoding.ids) for index, encoding in enumerate(encodings)]


def samples(text: Mapping[str, Sequence[Encoded]], choices: bool) -> list[dict[str, Any]]:
    """One unpadded input per sequence; `[1, 1, tokens]` where a graph takes choices."""
    import torch

    inputs = []
    for encoded in text.values():
        for item in encoded:
            ids = torch.tensor([item.ids] if not choices else [[item.ids]])
            inputs.append({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    return inputs
