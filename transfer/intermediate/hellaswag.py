"""HellaSwag: which of four endings goes on with a description? 39,905 training rows.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].context
'A man is sitting on a roof. he'

The three wrong endings are a language model's, kept because another model took them for right. A
sequence is `<s> context </s></s> ending </s>`; there is no question.

Paper: Zellers et al. 2019, arXiv:1905.07830. As an intermediate task: Phang et al. 2020,
arXiv:2005.13013.
"""

from __future__ import annotations

from typing import ClassVar

from evalsuite.data.choices import ChoiceTask, number, text
from evalsuite.data.hub import Row
from evalsuite.task import ChoiceExample, HubSource, Split


class HellaSwag(ChoiceTask):
    """The HellaSwag task."""

    name = "hellaswag"
    title = "HellaSwag"
    row = "ctx, endings (four) and label (0 to 3)"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("hellaswag/train-en.jsonl", "hellaswag/hellaswag_train.jsonl"),
        "dev": ("hellaswag/dev-en.jsonl", "hellaswag/hellaswag_val.jsonl"),
    }
    hub: HubSource | None = HubSource("Rowan/hellaswag", "218ec52e09a7e7462a5400043bb9a69a41d06b76")
    layout = (
        "hellaswag/train-en.jsonl, hellaswag/dev-en.jsonl "
        "(or hellaswag_train.jsonl, hellaswag_val.jsonl, as published)"
    )
    licence = "MIT"
    citation = "Zellers et al. 2019, HellaSwag: Can a Machine Really Finish Your Sentence?"
    url = "https://rowanzellers.com/hellaswag"

    def example(self, row: Row, id: str) -> ChoiceExample:
        endings = row["endings"]
        if not isinstance(endings, list) or len(endings) != 4:
            raise ValueError("endings are no list of four")
        choices = tuple(text(endings, n, blank=True) for n in range(4))
        return ChoiceExample(id, text(row, "ctx"), "", choices, number(row.get("label"), 4))


TASK = HellaSwag()
