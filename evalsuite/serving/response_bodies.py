"""What answers hold. Only the description of the interface uses these: answers are not checked."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Labels(BaseModel):
    """What a classifier gives per row; a reranker or regressor `score` alone."""

    label: str | None = None
    labels: list[str] | None = None
    scores: dict[str, float] | None = None
    score: float | None = None


class Tags(BaseModel):
    """The words of a row, and a tag for each."""

    words: list[str]
    tags: list[str]


class Answer(BaseModel):
    """The characters of the context that answer the question; empty where nothing does."""

    answer: str


class Choice(BaseModel):
    """The number of the likeliest choice, from 0, and the probability of each."""

    choice: int
    scores: list[float]


class PredictAnswer(BaseModel):
    """Labels or scores, one entry per input."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "topics",
                    "results": [
                        {"label": "weather", "scores": {"weather": 0.98, "sport": 0.02}},
                    ],
                }
            ]
        }
    )
    model: str
    results: list[Labels]


class TagsAnswer(BaseModel):
    """Tags, one entry per input."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "names", "results": [{"words": ["Maria", "ran"], "tags": ["B-PER", "O"]}]}
            ]
        }
    )
    model: str
    results: list[Tags]


class AnswersAnswer(BaseModel):
    """Answers, one entry per input."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "qa", "results": [{"answer": "Berlin"}]}]}
    )
    model: str
    results: list[Answer]


class ChoicesAnswer(BaseModel):
    """Choices, one entry per input."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "copa", "results": [{"choice": 0, "scores": [0.9, 0.1]}]}]
        }
    )
    model: str
    results: list[Choice]


class EmbedAnswer(BaseModel):
    """Vectors of length 1, one per input."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "e5-small", "results": [[0.6, -0.8]]}]}
    )
    model: str
    results: list[list[float]]


class OpenAiVector(BaseModel):
    """A vector: numbers, or base64 of their 32-bit floats, lowest byte first."""

    object: str
    index: int
    embedding: list[float] | str


class Usage(BaseModel):
    """Numbers of tokens."""

    prompt_tokens: int
    total_tokens: int


class OpenAiAnswer(BaseModel):
    """Vectors in OpenAI's form."""

    object: str
    data: list[OpenAiVector]
    model: str
    usage: Usage


class Problem(BaseModel):
    """Why there is no answer."""

    message: str
    type: str
    param: str | None
    code: int


class Refusal(BaseModel):
    """What is sent in place of an answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "message": "inputs: 5,000 rows; this server takes 1,024 per request, so "
                        "send them in several requests",
                        "type": "too_large",
                        "param": None,
                        "code": 413,
                    }
                }
            ]
        }
    )
    error: Problem
