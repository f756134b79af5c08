"""The model type of static models, without an import of transformers.

>>> is_static({"model_type": "lingopress-static"})
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODEL_TYPE = "lingopress-static"
FEATURES = 4  # that a head reads of two means u and v: u, v, |u - v| and u * v


def is_static(config: Mapping[str, Any]) -> bool:
    """Whether a `config.json` is of a static model."""
    return config.get("model_type") == MODEL_TYPE
