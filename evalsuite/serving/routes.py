"""The requests that are answered.

```
POST /v1/predict      labels or scores of sentences or pairs
POST /v1/tags         a tag per word
POST /v1/answers      spans of contexts
POST /v1/choices      the likeliest choice
POST /v1/embed        vectors
POST /v1/embeddings   vectors in OpenAI's form
GET  /v1/models       what is served
GET  /health, /ready, /metrics, /openapi.json
```
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from evalsuite.inference.predictor import Staged, wrong_language
from evalsuite.serving import openai_embeddings, openapi
from evalsuite.serving import request_bodies as bodies
from evalsuite.serving import response_bodies as answers
from evalsuite.serving.batch_queue import BatchQueue
from evalsuite.serving.json_answer import json_answer
from evalsuite.serving.limits import Limits
from evalsuite.serving.metrics import CONTENT_TYPE, Metrics
from evalsuite.serving.refusals import (
    ClientLeftError,
    NotValidError,
    TooLargeError,
    UnknownModelError,
)
from evalsuite.serving.served_model import Kind, ServedModel

_CHOICES = 8  # of a row, where a request has as many rows as it may
_BodyT = TypeVar("_BodyT", bound=BaseModel)
_PATHS: dict[Kind, str] = {
    "predict": "/v1/predict",
    "tags": "/v1/tags",
    "answers": "/v1/answers",
    "choices": "/v1/choices",
    "embeddings": "/v1/embed or /v1/embeddings",
}


@dataclass(frozen=True, slots=True)
class Served:
    """The open models and their queues, by name."""

    models: Mapping[str, ServedModel]
    queues: Mapping[str, BatchQueue]
    limits: Limits
    metrics: Metrics
    since: int = field(default_factory=lambda: int(time.time()))

    def model(self, name: str | None, kind: Kind) -> ServedModel:
        """The model that a request names; without a name the only one of this kind.

        Raises:
            UnknownModelError: there is none of that name.
            NotValidError: it answers requests of another kind, or several would.
        """
        if name is None:
            able = [model for model in self.models.values() if model.kind == kind]
            if len(able) == 1:
                return able[0]
            if not able:
                raise NotValidError(
                    f"no model here answers such requests; there are {self._listed()}"
                )
            names = ", ".join(model.name for model in able)
            raise NotValidError(f"model: name one of {names}")
        if name not in self.models:
            near = get_close_matches(name, self.models, 1)
            hint = f" did you mean {near[0]!r}?" if near else ""
            raise UnknownModelError(f"there is no model {name!r};{hint} there are {self._listed()}")
        model = self.models[name]
        if model.kind != kind:
            raise NotValidError(
                f"the model {name!r} answers other requests: POST {_PATHS[model.kind]}"
            )
        return model

    def _listed(self) -> str:
        return ", ".join(f"{model.name} ({model.kind})" for model in self.models.values())


def router(served: Served) -> APIRouter:
    """All routes."""
    routes = APIRouter()
    _add_heads(routes, served)
    _add_vectors(routes, served)
    _add_state(routes, served)
    return routes


def _add_heads(routes: APIRouter, served: Served) -> None:
    def add(
        path: str,
        kind: Kind,
        body: type[_BodyT],
        answer: type[BaseModel],
        texts: Callable[[_BodyT], Sequence[list[str]]],
        about: str,
    ) -> None:
        async def answered(request: Request) -> Response:
            read = bodies.read(body, await request.body())
            return await _answered(request, served, kind, read, texts(read))

        routes.post(
            path,
            summary=about,
            response_model=answer,
            responses=openapi.refused(),
            openapi_extra=openapi.body(body),
            name=kind,
        )(answered)

    add(
        "/v1/predict", "predict", bodies.PredictBody, answers.PredictAnswer, _listed,
        "Labels or scores of sentences, or of pairs of them.",
    )  # fmt: skip
    add(
        "/v1/tags", "tags", bodies.TagsBody, answers.TagsAnswer, _listed,
        "A tag per word.",
    )  # fmt: skip
    add(
        "/v1/answers", "answers", bodies.AnswersBody, answers.AnswersAnswer,
        lambda body: [[row.question, row.context] for row in body.inputs],
        "Answers that are spans of the contexts.",
    )  # fmt: skip
    add(
        "/v1/choices", "choices", bodies.ChoicesBody, answers.ChoicesAnswer,
        lambda body: [
            ["\t".join(filter(None, (row.context, row.question))), *row.choices]
            for row in body.inputs
        ],
        "The likeliest of some choices.",
    )  # fmt: skip


def _listed(body: bodies.PredictBody | bodies.TagsBody) -> list[list[str]]:
    return [[row] if isinstance(row, str) else row for row in body.inputs]


def _refuse_large(texts: Sequence[list[str]], kind: Kind, body: Any, limits: Limits) -> None:
    """Refuse a request by what its rows make a model read.

    Raises:
        TooLargeError: more rows, or choices of all rows, than the server takes.
        NotValidError: a text, or the words of a sentence, are too long.
    """
    if kind == "choices":  # a context is read once with each choice
        counts = [len(row.choices) for row in body.inputs]
        most = _CHOICES * limits.rows
        if max(counts) > limits.rows:
            raise NotValidError(
                f"inputs[{counts.index(max(counts))}]: {max(counts):,} choices; this server takes "
                f"{limits.rows:,} per row"
            )
        if sum(counts) > most:
            raise TooLargeError(
                f"inputs: {sum(counts):,} choices; this server takes {most:,} per request, so send "
                "them in several requests"
            )
    if kind == "tags":
        lengths = [[sum(map(len, row)) + len(row) - 1] for row in texts]
    else:
        lengths = [list(map(len, row)) for row in texts]
    bodies.refuse_large(lengths, len(texts), "inputs", limits)


def _refuse_language(model: ServedModel, language: str) -> None:
    """Raise NotValidError where a model has no thresholds of languages, or this is none."""
    if not isinstance(model.predictor, Staged):
        raise NotValidError(
            f"language: the model {model.name!r} answers alike in all languages; only a "
            "cascade has thresholds of languages: leave it out"
        )
    if wrong := wrong_language(model.predictor, language):
        raise NotValidError(f"language: {wrong}")


async def _answered(
    request: Request, served: Served, kind: Kind, body: Any, texts: Sequence[list[str]]
) -> Response:
    model = served.model(body.model, kind)
    _refuse_large(texts, kind, body, served.limits)
    if kind == "tags":
        rows = [
            model.row(row) if isinstance(given, str) else model.row_of_words(row)
            for given, row in zip(body.inputs, texts, strict=True)
        ]
    else:
        language = getattr(body, "language", None)
        if language is not None:
            _refuse_language(model, language)
        rows = [model.row(row, language) for row in texts]
    results = await _unless_left(request, served.queues[model.name].answers(rows))
    return json_answer({"model": model.name, "results": results})


def _add_vectors(routes: APIRouter, served: Served) -> None:
    async def vectors(
        request: Request, name: str | None, texts: list[str], key: str, prefix: str | None = None
    ) -> tuple[ServedModel, list[Any]]:
        model = served.model(name, "embeddings")
        before = model.prefix if prefix is None else prefix
        lengths = ([len(text) + (len(before) if prefix else 0)] for text in texts)
        bodies.refuse_large(lengths, len(texts), key, served.limits)
        queue = served.queues[model.name]
        return model, await _unless_left(request, queue.answers([before + t for t in texts]))

    @routes.post(
        "/v1/embed",
        summary="Vectors of length 1.",
        response_model=answers.EmbedAnswer,
        responses=openapi.refused(),
        openapi_extra=openapi.body(bodies.EmbedBody),
    )
    async def embed(request: Request) -> Response:
        body = bodies.read(bodies.EmbedBody, await request.body())
        model, found = await vectors(request, body.model, body.inputs, "inputs", body.prefix)
        return json_answer({"model": model.name, "results": [vector for vector, _ in found]})

    @routes.post(
        "/v1/embeddings",
        summary="Vectors in the form of OpenAI's interface.",
        response_model=answers.OpenAiAnswer,
        responses=openapi.refused(),
        openapi_extra=openapi.body(bodies.OpenAiBody),
    )
    async def embeddings(request: Request) -> Response:
        body = bodies.read(bodies.OpenAiBody, await request.body())
        texts = [body.input] if isinstance(body.input, str) else body.input
        model, found = await vectors(request, body.model, texts, "input")
        form = body.encoding_format
        return json_answer(openai_embeddings.answer(model.name, found, form, body.dimensions))


def _add_state(routes: APIRouter, served: Served) -> None:
    @routes.get("/v1/models", summary="What is served.")
    async def models() -> Response:
        shared = {"object": "model", "created": served.since, "owned_by": "lingopress"}
        cards = [{"id": name, **shared, **model.card} for name, model in served.models.items()]
        return json_answer({"object": "list", "data": cards})

    @routes.get("/health", summary="Whether the server runs.")
    async def health() -> Response:
        return json_answer({"status": "ok"})

    @routes.get("/ready", summary="Whether every model answers.")
    async def ready() -> Response:
        ended = [name for name, queue in served.queues.items() if not queue.alive]
        if ended:
            return json_answer({"status": "not ready", "models": ended}, 503)
        return json_answer({"status": "ready"})

    @routes.get("/metrics", summary="Counts and times, for Prometheus.")
    async def metrics() -> Response:
        return Response(served.metrics.text(), media_type=CONTENT_TYPE)


_ResultT = TypeVar("_ResultT")


async def _unless_left(request: Request, work: Any) -> Any:
    """The result; where the client closes the connection first, the work is given up.

    Raises:
        ClientLeftError: it did.
    """
    answer = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientLeftError
        return answer.result()
    finally:
        answer.cancel()
        gone.cancel()
