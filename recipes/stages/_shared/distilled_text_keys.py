"""Keys of `distill` that say which multilingual text is read: the corpus, files, or a stream.

>>> DistilledTextKeys(name="a", stage="distill", stream={"sw": ["text/sw-*.txt"]}).stream
{'sw': ('text/sw-*.txt',)}
"""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from compress.distill.balance_rules import Balanced, balance_problems
from recipes.stages._shared.contract import Artifact, StageConfig
from recipes.stages._shared.heads import head_answers, head_format
from recipes.stages._shared.plain_text_keys import (
    BUFFER,
    EXPONENT,
    BalanceLabels,
    MostPairs,
    Prose,
    ShuffleBuffer,
    SkipLonger,
    StreamExponent,
    TextFiles,
    TextLanguages,
    TextStream,
)
from recipes.stages._shared.unused_keys import unused, written


class DistilledTextKeys(StageConfig):
    """The text that is read next to the rows of tasks."""

    languages: TextLanguages = ()
    text: TextFiles = ()
    max_pairs: MostPairs = None
    prose: Prose = False
    skip_longer: SkipLonger = False
    balance_labels: BalanceLabels = False
    stream: TextStream = None
    shuffle_buffer: ShuffleBuffer = BUFFER
    sampling_exponent: StreamExponent = EXPONENT

    @model_validator(mode="after")
    def _one_text(self) -> DistilledTextKeys:
        given = self.model_fields_set
        others = {"text", "max_pairs", "prose", "skip_longer", "languages", "balance_labels"}
        if self.stream is not None and (both := given & others):
            raise ValueError(
                f"stream: is the multilingual text, so remove {', '.join(sorted(both))}"
            )
        streams = given & {"shuffle_buffer", "sampling_exponent"}
        if self.stream is None and streams:
            raise ValueError(f"{', '.join(sorted(streams))}: only with stream")
        if self.languages and set(self.languages) <= {"en"}:
            raise ValueError(
                "languages: English is the other side of all; name another language, or leave "
                "languages out to read all there are"
            )
        if self.text and (unread := written(self, ("languages", "prose"))):
            raise ValueError(
                f"text: is the multilingual text, so remove {' and '.join(unread)}, which choose "
                "from the parallel text"
            )
        return self


def text_problems(config: Balanced, teacher: Artifact) -> list[str]:
    """What the teacher cannot do with the multilingual text of a `distill` stage."""
    return balance_problems(config, head_format(teacher), head_answers(teacher))


def unread_text(config: Any, *, plain: bool) -> list[str]:
    """Keys of the multilingual text that are written where none is read.

    Args:
        plain: whether text without labels is read.
    """
    own = DistilledTextKeys.model_fields.keys() - StageConfig.model_fields.keys()
    because = "with multilingual: 0 no multilingual text is read"
    return unused(config, sorted(own), because, "set multilingual above 0", off=not plain)
