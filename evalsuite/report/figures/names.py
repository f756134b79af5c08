"""Names of languages and metrics, as people write them.

>>> language_name("sw"), language_and_code("sw"), metric_name("chunk_f1")
('Swahili', 'Swahili (sw)', 'chunk F1')
>>> language_name("pt-BR"), language_and_code("pt-BR"), language_name("ceb")
('Portuguese (BR)', 'Portuguese (pt-BR)', '')
"""

from __future__ import annotations

import re

from evalsuite.guess.language_names import NAMES
from evalsuite.languages import LANGUAGES, without_region
from evalsuite.scoring import titles


def language_name(code: str) -> str:
    """The English name, or an empty text where none is known."""
    name, (_, *rest) = _name(code), re.split("[-_]", code)
    return f"{name} ({'-'.join(rest)})" if name and rest else name


def language_and_code(code: str) -> str:
    name = _name(code)
    return f"{name} ({code})" if name else code


def _name(code: str) -> str:
    """Without the region."""
    language = without_region(code).partition("-")[0]
    return LANGUAGES[language].name if language in LANGUAGES else NAMES.get(language, "")


def metric_name(metric: str) -> str:
    """As people write it: `chunk_f1` is `chunk F1`."""
    return titles().get(metric, metric.replace("_", " "))
