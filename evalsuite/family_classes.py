"""Which class of transformers serves a format in a family.

>>> class_name(named("distilbert"), "tagging")
'DistilBertForTokenClassification'
>>> class_name(named("modernbert"), "retrieval")    # embeddings are made from the encoder's states
'ModernBertModel'
"""

from __future__ import annotations

from evalsuite.errors import FamilyError
from evalsuite.family import Family
from evalsuite.registry import FORMATS

MASKED_LM = "masked-lm"  # the training objective; the others are formats of tasks
_ENCODER = "Model"


def class_name(family: Family, format: str | None) -> str:
    """Name of the class; of a format that has no head, or of None, the encoder's.

    Raises:
        FamilyError: transformers has none.
    """
    if format in family.lacking:
        raise FamilyError(
            f"transformers has no {family.name} for {format} tasks; use a model of another family"
        )
    if format == MASKED_LM:
        return f"{family.classes}ForMaskedLM"
    ending = FORMATS.get(format).ARCHITECTURE if format else None
    return f"{family.classes}{ending or _ENCODER}"
