"""numpy: bundles of static models, run with numpy and tokenizers alone.

A bundle's `model.npz` holds the table in codes with a scale per row (fp32: the rows as they are),
and the head where there is one. Rows are brought back as they are looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.runtimes._bundle import BundlePredictor, Feeds, check_files, read_card
from evalsuite.runtimes._products import Multiply

if TYPE_CHECKING:
    import numpy as np

# Looking rows up is no matrix product; that of the head is computed in fp32.
PRODUCTS = dict.fromkeys(("int8", "int4", "fp32"), "fp32")
MULTIPLY: Multiply = {}
ROWS, CODES, PACKED, SCALES = "rows", "codes", "packed", "scales"  # arrays of `model.npz`
WEIGHT, BIAS, SEPARATOR = "weight", "bias", "separator"


def opens(directory: Path) -> bool:
    """Whether the directory is a bundle for this runtime."""
    return read_card(directory, "numpy") is not None


def modules(directory: Path) -> tuple[str, ...]:
    """What opening a bundle imports."""
    return ("numpy",)


class StaticPredictor(BundlePredictor):
    """A table of vectors as a `Predictor`; its one hidden state is the vectors."""

    def __init__(
        self, directory: Path, card: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> None:
        self.arrays = arrays
        outputs = {"hidden_states.0"} | ({"logits"} if WEIGHT in arrays else set())
        super().__init__(directory, card, outputs, str(card["precision"]), threads=1)

    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs, fp32."""
        states = self._vectors(feeds["input_ids"])
        return [self._logits(states, feeds) if name == "logits" else states for name in names]

    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """Compute them at once: it has one thread."""
        found = self.compute(names, feeds)
        return lambda: found

    def reopen(self, concurrent: bool) -> None:
        """Nothing: the arrays serve both."""

    def _vectors(self, ids: np.ndarray) -> np.ndarray:
        """Rows of the table, `[batch, tokens, width]`."""
        import numpy as np

        if ROWS in self.arrays:
            rows: np.ndarray = self.arrays[ROWS][ids]
            return rows
        if PACKED in self.arrays:
            packed = self.arrays[PACKED][ids]
            codes = np.concatenate([packed & 15, packed >> 4], -1).astype(np.float32) - 8
        else:
            codes = self.arrays[CODES][ids].astype(np.float32)
        codes *= self.arrays[SCALES][ids]
        return np.asarray(codes)

    def _logits(self, states: np.ndarray, feeds: Feeds) -> np.ndarray:
        """As `evalsuite.static.model` computes them, `[batch, labels]`."""
        import numpy as np

        ids, mask = feeds["input_ids"], feeds["attention_mask"]
        second = np.zeros_like(mask)
        if SEPARATOR in self.arrays:
            ends = ids == self.arrays[SEPARATOR]
            second = ((ends.cumsum(-1) - ends) > 0) * mask
        one, other = (_mean(states, part) for part in (mask - second, second))
        features = np.concatenate([one, other, np.abs(one - other), one * other], -1)
        logits: np.ndarray = features @ self.arrays[WEIGHT].T + self.arrays[BIAS]
        return logits


def _mean(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Over the tokens of a mask, `[batch, width]`; 0 where there are none."""
    weights = mask.astype("float32")
    total = (weights[:, None] @ states)[:, 0]
    mean: np.ndarray = total / weights.sum(1, keepdims=True).clip(1)
    return mean


def open_model(directory: Path, threads: int | None = None) -> StaticPredictor:
    """Open a bundle; it runs on one thread, whatever is asked for.

    Raises:
        ModelError: it is not a bundle for numpy, or its arrays do not open.
    """
    import numpy as np

    card = read_card(directory, "numpy")
    if card is None:
        raise ModelError(f"{directory} is not a bundle for numpy")
    check_files(directory, card)
    try:
        with np.load(directory / card["file"], allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:
        raise ModelError(f"{directory} does not open in numpy: {error}") from error
    if ROWS not in arrays and not ({CODES, PACKED} & arrays.keys() and SCALES in arrays):
        raise ModelError(f"{directory}: {card['file']} has no table; copy the bundle again")
    return StaticPredictor(directory, card, arrays)
