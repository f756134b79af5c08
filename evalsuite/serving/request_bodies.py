"""What requests hold.

>>> read(PredictBody, b'{"inputs": ["It rains."]}').inputs
['It rains.']

Bodies are read by pydantic from their bytes. It stops at the first mistake: a list of millions of
mistakes would need more memory than the body.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from evalsuite.serving.limits import Limits
from evalsuite.serving.refusals import NotValidError, TooLargeError

_LONGEST_NAME = 255  # as that of a directory, which a model is often named after
_SHOWN = 60  # characters of a key in a message
_FILLED = r"[^\s\x1c-\x1f]"  # a text of what `str.strip` strips is empty; this `\s` has less
_EMPTY = "an empty text"
_PLAIN = {  # pydantic's name of a mistake -> what is said of it
    "string_type": "not a text",
    "string_pattern_mismatch": _EMPTY,
    "string_too_short": "shorter than {min_length} characters",
    "string_too_long": "longer than {max_length} characters",
    "list_type": "not a list",
    "neither": "neither a text nor a list of texts",
    "token_ids": "not a text; token ids are not taken, so send texts",
    "greater_than_equal": "less than {ge}",
    "literal_error": "{expected} is expected",
    "too_short": "{actual_length} given, and {min_length} or more are needed",
    "too_long": "more than {max_length} given",
    "missing": "this key is missing",
    "model_type": "not an object with keys",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "not a whole number"),
}


def _one_filled(words: list[str]) -> list[str]:
    """Refuse a sentence whose words are all spaces."""
    if not any(word.strip() for word in words):
        raise ValueError(_EMPTY)
    return words


Text = Annotated[str, Field(pattern=_FILLED)]
Some = Annotated[str, Field(min_length=1)]  # spaces alone, too
Two = Annotated[list[Text], Field(min_length=1, max_length=2, fail_fast=True)]
Words = Annotated[list[Some], Field(min_length=1, fail_fast=True), AfterValidator(_one_filled)]
ModelName = Annotated[
    str | None,
    Field(
        max_length=_LONGEST_NAME,
        description="Name of the model; may be left out where one model answers such requests.",
    ),
]


class Body(BaseModel):
    """A body; unknown keys are refused, so that a misspelt one is seen.

    Not by `extra="forbid"`, which lists every one of them.
    """

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _refuse_unknown_keys(self) -> Self:
        if self.model_extra:
            known, first = ", ".join(type(self).model_fields), next(iter(self.model_extra))
            shown = first if len(first) <= _SHOWN else f"{first[:_SHOWN]}…"
            raise ValueError(f"there is no key {shown!r}; keys: {known}")
        return self


class PredictBody(Body):
    """Sentences, or pairs of them, to be labelled or scored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": ["It rains.", "Es regnet."]},
                {"model": "xnli", "inputs": [["A man sleeps.", "Nobody is awake."]]},
            ]
        }
    )
    model: ModelName = None
    inputs: Annotated[list[Text | Two], Field(min_length=1, fail_fast=True)]
    language: Annotated[
        str | None,
        Field(
            min_length=2, max_length=20, description="Of all inputs, such as `de`; for cascades."
        ),
    ] = None


class TagsBody(Body):
    """Sentences to be tagged word by word: words separated by spaces, or a list of words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"inputs": ["Maria lives in Berlin .", ["玛丽", "住", "在", "柏林"]]}]
        }
    )
    model: ModelName = None
    inputs: Annotated[list[Text | Words], Field(min_length=1, fail_fast=True)]


class Question(Body):
    """A question about a text."""

    question: Text
    context: Text


class AnswersBody(Body):
    """Questions that a span of their context answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "inputs": [
                        {"question": "Wo wohnt Maria?", "context": "Maria lebt in Berlin."},
                    ]
                }
            ]
        }
    )
    model: ModelName = None
    inputs: Annotated[list[Question], Field(min_length=1, fail_fast=True)]


class Choices(Body):
    """A context, a question about it if there is one, and what may follow."""

    context: Text
    question: Text | None = None
    choices: Annotated[list[Text], Field(min_length=2, fail_fast=True)]


class ChoicesBody(Body):
    """Contexts, of whose choices the likeliest is wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": [{"context": "It rained.", "choices": ["I got wet.", "I slept."]}]}
            ]
        }
    )
    model: ModelName = None
    inputs: Annotated[list[Choices], Field(min_length=1, fail_fast=True)]


class EmbedBody(Body):
    """Sentences whose vectors are wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"inputs": ["Das Haus ist rot."], "prefix": "query: "}],
        }
    )
    model: ModelName = None
    inputs: Annotated[list[Text], Field(min_length=1, fail_fast=True)]
    prefix: Annotated[
        str | None, Field(description="Put before each text; default what the model declares.")
    ] = None


class OpenAiBody(BaseModel):
    """A request for vectors in OpenAI's form. Keys that are not listed are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {"model": "e5-small", "input": ["Das Haus ist rot."]},
                {"input": "Das Haus ist rot.", "encoding_format": "base64", "dimensions": 128},
            ]
        },
    )
    model: ModelName = None
    input: Some | Annotated[list[Some], Field(min_length=1, fail_fast=True)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[
        int | None,
        Field(ge=1, description="Numbers that are kept of a vector, which gets length 1 again."),
    ] = None
    user: Annotated[str | None, Field(description="Ignored.")] = None


BODIES = (PredictBody, TagsBody, AnswersBody, ChoicesBody, EmbedBody, OpenAiBody)
Read = TypeVar("Read", bound=BaseModel)


def read(kind: type[Read], body: bytes) -> Read:
    """The body of a request.

    Raises:
        NotValidError: it is no JSON, or not of this kind; says what and where.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        first = max(mistakes, key=_tells_more)
        raise NotValidError(_described({**first, "type": _kind(first, mistakes)})) from None


def _tells_more(mistake: Any) -> tuple[bool, int]:
    """Where a value may be of two types, the mistake of the type that it nearly is."""
    return mistake["type"] not in ("string_type", "list_type"), len(mistake["loc"])


def _kind(mistake: Any, mistakes: Iterable[Any]) -> str:
    """The type of one of several mistakes, or a plainer one: a key of `_PLAIN`."""
    kind: str = mistake["type"]
    if {other["type"] for other in mistakes} == {"string_type", "list_type"}:
        return "neither"
    if kind == "string_too_short" and mistake["ctx"]["min_length"] == 1:
        return "string_pattern_mismatch"
    of_openai = mistake["loc"][:1] == ("input",)
    return "token_ids" if of_openai and kind == "string_type" else kind


def _described(mistake: Any) -> str:
    """One mistake in words.

    >>> _described({"type": "string_type", "loc": ("inputs", 3, "str"), "msg": ""})
    'inputs[3]: not a text'
    """
    if mistake["type"] == "json_invalid":
        return f"the body is no JSON: {mistake['msg'].removeprefix('Invalid JSON: ')}"
    named = [part for part in mistake["loc"] if isinstance(part, int) or part.isidentifier()]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in named)
    place = place.removeprefix(".").removesuffix(".str")
    said = _PLAIN.get(mistake["type"], "").format(**mistake.get("ctx", {}))
    return f"{place or 'the body'}: {said or mistake['msg'].removeprefix('Value error, ')}"


def refuse_large(rows: Iterable[Iterable[int]], count: int, key: str, limits: Limits) -> None:
    """Compare the rows of a request with the limits.

    Args:
        rows: of each the characters of its texts.
        count: of the rows.
        key: of the body, for messages.

    Raises:
        TooLargeError: there are too many.
        NotValidError: a text is too long.
    """
    if count > limits.rows:
        raise TooLargeError(
            f"{key}: {count:,} rows; this server takes {limits.rows:,} per request, so send them "
            "in several requests"
        )
    for number, lengths in enumerate(rows):
        longest = max(lengths)
        if longest > limits.text:
            raise NotValidError(
                f"{key}[{number}]: a text of {longest:,} characters; this server takes "
                f"{limits.text:,}"
            )
