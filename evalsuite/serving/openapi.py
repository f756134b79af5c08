"""The description of the interface, with examples; `GET /openapi.json`.

Bodies are read from their bytes (`request_bodies.read`), so FastAPI does not see what they hold; it
is added here.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from evalsuite.serving.request_bodies import BODIES
from evalsuite.serving.response_bodies import Refusal

_REFERENCE = "#/components/schemas/"
_REFUSED = {
    401: "The key of the server is missing or wrong.",
    404: "There is no model of that name.",
    408: "The request did not arrive in time.",
    413: "The request is too large, or has too many rows.",
    422: "The body is no JSON, or does not hold what it should.",
    429: "Too many rows wait. Send the request again later.",
    500: "The model gave no answer.",
    503: "There was no answer in time, or the server ends.",
}


def body(kind: type[BaseModel]) -> dict[str, Any]:
    """What a route says of the body it takes."""
    content = {"schema": {"$ref": f"{_REFERENCE}{kind.__name__}"}}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def refused() -> dict[int | str, dict[str, Any]]:
    """What a route says of the requests that it does not answer."""
    return {status: {"model": Refusal, "description": why} for status, why in _REFUSED.items()}


def describe_bodies(app: FastAPI) -> None:
    """Add the bodies of requests to the application's description."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            _, more = models_json_schema(
                [(kind, "validation") for kind in BODIES], ref_template=_REFERENCE + "{model}"
            )
            schema["components"]["schemas"].update(more["$defs"])
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def describe_key(app: FastAPI) -> None:
    """Say in the application's description that requests have a key."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        schema = made()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer"}
        schema["security"] = [{"key": []}]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
