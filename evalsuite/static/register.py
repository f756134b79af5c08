"""Make the configuration of static models known to transformers where one is to be read.

>>> register_if_static({"model_type": "lingopress-static"})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalsuite.static.kind import is_static


def register_if_static(config: Mapping[str, Any]) -> None:
    """Nothing for other models: the import of transformers' configurations takes time."""
    if is_static(config):
        from evalsuite.static.config import register

        register()
