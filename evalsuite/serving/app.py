"""The application: its routes, its limits, what it does at the start and at the end.

>>> app = create_app([ServedModel("xnli", Path("int8"))], Limits())
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from evalsuite.serving.api_key import ApiKey
from evalsuite.serving.batch_queue import BatchQueue
from evalsuite.serving.body_limit import BodyLimit
from evalsuite.serving.json_answer import json_answer
from evalsuite.serving.limits import Limits
from evalsuite.serving.metrics import Counted, Metrics
from evalsuite.serving.openapi import describe_bodies, describe_key
from evalsuite.serving.refusals import RefusalError, error_body
from evalsuite.serving.routes import Served, router
from evalsuite.serving.served_model import ServedModel

ABOUT = """Answers of multilingual models: labels, scores, tags, spans, choices and vectors.

Rows of requests that come at the same time are run together. Every refusal has the form
`{"error": {"message": ..., "type": ..., "code": ...}}`; after 429 and 503 the header `Retry-After`
says when to send the request again."""
# FastAPI would pass on what it sees where an OpenTelemetry exporter is installed.
_NO_TELEMETRY = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    models: Sequence[ServedModel], limits: Limits, api_key: str | None = None
) -> FastAPI:
    """The application that serves open models.

    Args:
        api_key: that requests must have; None: anybody may ask.
    """
    metrics = Metrics()

    def ran(model: ServedModel, rows: int, seconds: float) -> None:
        metrics.ran(model.name, rows, seconds, model.answered_by())

    queues = {
        model.name: BatchQueue(model.answer, limits, model.name, partial(ran, model))
        for model in models
    }
    for name, queue in queues.items():
        metrics.watch(name, partial(getattr, queue, "waiting"))
    served = Served({model.name: model for model in models}, queues, limits, metrics)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        for queue in queues.values():
            queue.start()
        yield
        for queue in queues.values():
            await queue.stop(limits.stop)

    app = FastAPI(
        title="lingopress",
        description=ABOUT,
        version=_version(),
        lifespan=running,
        docs_url=None,  # its pages load scripts from another host
        redoc_url=None,
        telemetry=_NO_TELEMETRY,  # type: ignore[arg-type]
    )
    routes = router(served)
    paths = frozenset(getattr(route, "path", "") for route in routes.routes) | {"/openapi.json"}
    app.include_router(routes)
    describe_bodies(app)
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(HTTPException, partial(_not_routed, paths))
    app.add_middleware(BodyLimit, limits=limits)
    if api_key is not None:
        describe_key(app)
        app.add_middleware(ApiKey, key=api_key)
    app.add_middleware(Counted, metrics=metrics, routes=paths)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    return json_answer(error.body(), error.status, error.headers())


async def _not_routed(paths: frozenset[str], request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path, method = request.url.path, request.method
    message = {
        404: f"there is nothing at {path}; there are {', '.join(sorted(paths))}",
        405: f"{path} does not answer {method}",
    }.get(error.status_code, str(error.detail))
    return json_answer(error_body(error.status_code, "not_found", message), error.status_code)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lingopress")
    except PackageNotFoundError:  # run from its sources
        return "0"
