"""`cascade.json`: the members of a cascade, their temperatures and their thresholds.

>>> rule = read_rule(Path("both"))
>>> [(member.name, member.threshold_in("de")) for member in rule.members]
[('fast', 0.93), ('good', 0.0)]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from evalsuite.errors import ModelError
from evalsuite.languages import without_region
from evalsuite.opening.validated import JsonFile, Size, read_json

CASCADE_FILE = "cascade.json"
MOST = 3  # members
NEVER = 2.0  # a threshold that no probability reaches


class Member(JsonFile):
    """One model of a cascade.

    Attributes:
        name: in reports; the stage it came from.
        folder: where it is in the bundle.
        temperature: its logits are divided by it.
        threshold: the least probability with which it answers; 0 for the last one, which answers
            all that it reads.
        by_language: the same for rows whose language is known, where that was fitted.
        max_length: longest sequence it takes, in tokens.
    """

    name: Annotated[str, Field(min_length=1)]
    folder: Annotated[str, Field(pattern=r"^member-\d$")]
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    threshold: Annotated[float, Field(ge=0, le=NEVER)] = 0.0
    by_language: dict[str, Annotated[float, Field(ge=0, le=NEVER)]] = Field({})
    max_length: Size

    def threshold_in(self, language: str | None) -> float:
        """For rows of a language, or None; one without a threshold takes a wider one's.

        `pt_BR` takes that of `pt`, `zh-Hant-TW` that of `zh-Hant`, else of `zh`.
        """
        known = {_spelt(code): least for code, least in self.by_language.items()}
        whole = {without_region(code): least for code, least in known.items() if not _region(code)}
        code = _spelt(language or "")
        alone = without_region(code)
        found = (known.get(code), whole.get(alone), whole.get(alone.split("-")[0]))
        return next((least for least in found if least is not None), self.threshold)


def _region(code: str) -> bool:
    """Whether a code names a region, and is so not of the language as a whole.

    >>> _region("pt-br"), _region("zh-hant"), _region("eng-latn")
    (True, False, False)
    """
    return any(len(part) in (2, 3) for part in code.split("-")[1:])


def _spelt(code: str) -> str:
    return code.lower().replace("_", "-")


class Rule(JsonFile):
    """How a cascade answers.

    Attributes:
        one_tokenizer: whether all members split text in the same way, and take the same lengths.
    """

    labels: Annotated[list[str], Field(min_length=2)]
    one_tokenizer: bool
    members: Annotated[list[Member], Field(min_length=2, max_length=MOST)]


def read_rule(directory: Path) -> Rule:
    """The rule of a cascade.

    Raises:
        ModelError: there is none, or it is not what it should be.
    """
    try:
        found = Rule.model_validate(
            read_json(directory / CASCADE_FILE, Rule, "copy the cascade again")
        )
    except FileNotFoundError:
        raise ModelError(f"{directory} has no {CASCADE_FILE}; copy the cascade again") from None
    for member in found.members:
        if not (directory / member.folder).is_dir():
            raise ModelError(
                f"{directory} is incomplete: the member {member.folder} is missing; copy it again"
            )
    return found


def is_cascade(directory: Path) -> bool:
    """Whether a directory is a cascade."""
    return (directory / CASCADE_FILE).is_file()
