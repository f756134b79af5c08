"""Vectors in the form of OpenAI's interface, `POST /v1/embeddings`.

>>> answer("e5-small", [(vector, 7)], "float")["usage"]
{'prompt_tokens': 7, 'total_tokens': 7}
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.serving.refusals import NotValidError

if TYPE_CHECKING:
    import numpy as np

Form = Literal["float", "base64"]


def shortened(vector: np.ndarray, dimensions: int | None) -> np.ndarray:
    """The first numbers of a vector `[width]`, at length 1 again.

    Raises:
        NotValidError: it has fewer.
    """
    import numpy as np

    if dimensions is None or dimensions == len(vector):
        return vector
    if dimensions > len(vector):
        raise NotValidError(f"dimensions: {dimensions}; vectors of this model have {len(vector)}")
    kept = vector[:dimensions]
    return np.asarray(kept / max(float(np.linalg.norm(kept)), 1e-12), dtype=np.float32)


def answer(
    model: str,
    vectors: Sequence[tuple[np.ndarray, int]],
    form: Form,
    dimensions: int | None = None,
) -> dict[str, Any]:
    """What is sent for vectors `[width]` with their numbers of tokens.

    Raises:
        NotValidError: vectors have fewer dimensions.
    """
    tokens = sum(count for _, count in vectors)
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _encoded(shortened(vector, dimensions), form),
            }
            for index, (vector, _) in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _encoded(vector: np.ndarray, form: Form) -> np.ndarray | str:
    import numpy as np

    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
    return np.ascontiguousarray(vector)
