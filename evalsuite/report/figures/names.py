"""Names of languages and metrics, as people write them.

>>> language_name("sw"), language_and_code("sw"), metric_name("chunk_f1")
('Swahili', 'Swahili (sw)', 'chunk F1')
"""

from __future__ import annotations

from evalsuite.languages import LANGUAGES
from evalsuite.scoring import titles


def language_name(code: str) -> str:
    """The English name, or an empty text where none is known."""
    return LANGUAGES[code].name if code in LANGUAGES else ""


def language_and_code(code: str) -> str:
    name = language_name(code)
    return f"{name} ({code})" if name else code


def metric_name(metric: str) -> str:
    """As people write it: `chunk_f1` is `chunk F1`."""
    return titles().get(metric, metric.replace("_", " "))
