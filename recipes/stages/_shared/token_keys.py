"""The key of `export` for graphs that go on with some tokens, and what it needs."""

from __future__ import annotations

from pydantic import Field

from compress.export.exporter import GraphExporter
from compress.export.kept_tokens import NO_FIRST_TOKEN, needs_all_places, places_problem
from compress.export.registry import EXPORTERS
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, StageConfig
from recipes.stages._shared.families import shortens
from recipes.stages._shared.heads import head_format


class TokenKeys(StageConfig):
    """How many tokens go on."""

    keep_tokens: dict[int, int] = Field(
        default={},
        description="Layer, counted from 1, to the percent of each text's tokens that are left "
        "after it, the most attended ones, for pair and choice tasks; default: all.",
    )


def check_tokens(
    config: TokenKeys, runtime: str, model: Artifact, layers: int | None = None
) -> None:
    """Refuse models whose graph cannot leave tokens out, as far as that is known.

    Args:
        layers: of the cut that is exported; None where there is none.

    Raises:
        StageInputError: it cannot.
    """
    kept = config.keep_tokens
    if not kept:
        return
    if not isinstance(EXPORTERS.get(runtime), GraphExporter):
        raise StageInputError(
            f"keep_tokens: needs a graph that takes any number of tokens; {runtime} has none, so "
            "set runtime: onnxruntime or openvino"
        )
    if why := places_problem(kept, layers):
        raise StageInputError(why)
    unknown = model.external and model.head is None
    if not unknown and head_format(model) not in ("pair", "choice"):
        raise StageInputError(NO_FIRST_TOKEN)
    if model.family is not None and not shortens(model):
        raise StageInputError(needs_all_places(model.family))
