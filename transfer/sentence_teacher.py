"""What a multilingual sentence encoder provides, to be learnt from.

>>> TEACHERS.get("use").open()(["Guten Morgen", "good morning"]).shape
(2, 512)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from evalsuite.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Teacher:
    """What each file of `transfer/teachers/` calls `TEACHER`.

    Its program is `module`, from the package `distribution` of the extra `mini`.
    """

    module: str
    distribution: str
    languages: tuple[str, ...]
    width: int
    program: Callable[[], Callable[[Sequence[str]], np.ndarray]]  # lines -> unit vectors, fp32

    def require(self) -> None:
        """Raise MissingExtraError where it is not installed; imports nothing."""
        if find_spec(self.module) is None:
            raise MissingExtraError(self.distribution, "mini")

    def open(self) -> Callable[[Sequence[str]], np.ndarray]:
        """A function of lines to unit vectors, fp32 `[lines, width]`.

        Raises:
            MissingExtraError: its package is not installed.
        """
        self.require()
        return self.program()
