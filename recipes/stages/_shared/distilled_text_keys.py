"""Keys of `distill` that say which multilingual text is read: the corpus, files, or a stream.

>>> DistilledTextKeys(name="a", stage="distill", stream={"sw": ["text/sw-*.txt"]}).stream
{'sw': ('text/sw-*.txt',)}
"""

from __future__ import annotations

from pydantic import model_validator

from recipes.stages._shared.contract import StageConfig
from recipes.stages._shared.plain_text_keys import (
    BUFFER,
    EXPONENT,
    MostPairs,
    Prose,
    ShuffleBuffer,
    SkipLonger,
    StreamExponent,
    TextFiles,
    TextLanguages,
    TextStream,
)


class DistilledTextKeys(StageConfig):
    """The text that is read next to the rows of tasks."""

    languages: TextLanguages = ()
    text: TextFiles = ()
    max_pairs: MostPairs = None
    prose: Prose = False
    skip_longer: SkipLonger = False
    stream: TextStream = None
    shuffle_buffer: ShuffleBuffer = BUFFER
    sampling_exponent: StreamExponent = EXPONENT

    @model_validator(mode="after")
    def _one_text(self) -> DistilledTextKeys:
        given = self.model_fields_set
        if self.stream is not None and (
            written := given & {"text", "max_pairs", "prose", "skip_longer", "languages"}
        ):
            raise ValueError(
                f"stream: is the multilingual text, so remove {', '.join(sorted(written))}"
            )
        streams = given & {"shuffle_buffer", "sampling_exponent"}
        if self.stream is None and streams:
            raise ValueError(f"{', '.join(sorted(streams))}: only with stream")
        return self
