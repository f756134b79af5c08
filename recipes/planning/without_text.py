"""What to change in a stage that reads multilingual text where the source has none.

>>> require(stage.module, stage.config, stage.artifact, DataSource("files"))  # of a stage trim
Traceback (most recent call last):
evalsuite.errors.DataError: the stage reads multilingual text, and source: files has none
set text: [FILE] and no languages; or set source: xtreme, with a corpus next to --data-dir
"""

from __future__ import annotations

from itertools import combinations

from pydantic import ValidationError

from evalsuite.errors import DataError
from evalsuite.task import DataSource
from recipes.planning.data_digests import WITHOUT_TEXT
from recipes.stages._shared.contract import PARALLEL, Artifact, StageConfig
from recipes.stages._shared.registry import StageModule

_CHANGES: dict[str, tuple[str, object]] = {  # as written -> the key and its value; None: removed
    "multilingual: 0": ("multilingual", 0),
    "code_switch: 0": ("code_switch", 0),
    "mlm: 0": ("mlm", 0),
    "text: [FILE]": ("text", ("FILE",)),
    "stream: {CODE: [FILE]}": ("stream", {"en": ("hub:org/name@" + "0" * 40,)}),  # is not read here
    "calibration_text: train": ("calibration_text", "train"),
    "no embeddings: rank-N": ("embeddings", None),
    "no contrastive": ("contrastive", None),
    "no languages": ("languages", None),
}
_MOST = 2  # changes at once


def require(module: StageModule, config: StageConfig, gives: Artifact, source: DataSource) -> None:
    """Refuse a source without multilingual text where the stage reads some.

    Raises:
        DataError: with the fewest changes of keys after which the stage reads none.
    """
    if source.kind not in WITHOUT_TEXT or PARALLEL not in module.data(config, gives):
        return
    found: list[str] = []
    for count in range(1, _MOST + 1):
        found = found or [
            " and ".join(names)
            for names in combinations(_CHANGES, count)
            if not _reads(module, config, gives, names)
        ]
    keys = f"set {', or '.join(found)}; or " if found else ""
    raise DataError(
        f"the stage reads multilingual text, and source: {source.kind} has none\n"
        f"{keys}set source: xtreme, with a corpus next to --data-dir"
    )


def _reads(
    module: StageModule, config: StageConfig, gives: Artifact, names: tuple[str, ...]
) -> bool:
    """Whether the stage reads multilingual text after some changes, or does not take them."""
    values = config.model_dump(exclude_unset=True)
    for key, value in (_CHANGES[name] for name in names):
        if value is None and key not in values:
            return True
        values[key] = value
    kept = {key: value for key, value in values.items() if value is not None}
    try:
        return PARALLEL in module.data(type(config).model_validate(kept), gives)
    except ValidationError:
        return True
