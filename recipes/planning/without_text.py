"""What to change in a stage that reads multilingual text where the source has none.

>>> require(stage, inputs, DataSource("files"))  # of a stage trim
Traceback (most recent call last):
evalsuite.errors.DataError: the stage reads multilingual text, and source: files has none
set text: [FILE] and no languages; or set source: xtreme, with a corpus next to --data-dir
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from evalsuite.errors import DataError
from evalsuite.task import DataSource
from recipes.errors import is_persons
from recipes.planning.data_digests import WITHOUT_TEXT
from recipes.planning.planned import Planned
from recipes.planning.stage_config import unused_keys
from recipes.stages._shared.contract import Artifact, DataNeed, StageConfig, reads_corpus

_CHANGES: dict[str, tuple[str, object]] = {  # as written -> the key and its value; None: removed
    "multilingual: 0": ("multilingual", 0),
    "code_switch: 0": ("code_switch", 0),
    "mlm: 0": ("mlm", 0),
    "no mlm_lines": ("mlm_lines", None),
    "no mlm_languages": ("mlm_languages", None),
    "text: [FILE]": ("text", ("FILE",)),
    "stream: {CODE: [FILE]}": ("stream", {"en": ("hub:org/name@" + "0" * 40,)}),  # is not read here
    "calibration_text: train": ("calibration_text", "train"),
    "no embeddings: rank-N": ("embeddings", None),
    "no contrastive": ("contrastive", None),
    "no languages": ("languages", None),
}
_MOST = 2  # changes at once
Inputs = Mapping[str, tuple[Artifact, ...]]  # by role


def require(stage: Planned, inputs: Inputs, source: DataSource) -> None:
    """Refuse a source without multilingual text where the stage reads some.

    Args:
        inputs: what the stage is given, by role.

    Raises:
        DataError: with the fewest changes of keys after which the stage reads none.
    """
    if source.kind not in WITHOUT_TEXT or not reads_corpus(_data(stage, stage.config)):
        return
    found: list[str] = []
    for count in range(1, _MOST + 1):
        found = found or [
            " and ".join(names)
            for names in combinations(_CHANGES, count)
            if not _reads(stage, inputs, names)
        ]
    keys = f"set {', or '.join(found)}; or " if found else ""
    raise DataError(
        f"the stage reads multilingual text, and source: {source.kind} has none\n"
        f"{keys}set source: xtreme, with a corpus next to --data-dir"
    )


def _data(stage: Planned, config: StageConfig) -> Sequence[DataNeed]:
    return stage.module.data(config, stage.artifact)


def _reads(stage: Planned, inputs: Inputs, names: tuple[str, ...]) -> bool:
    """Whether the stage reads multilingual text after some changes, or does not take them."""
    values = stage.config.model_dump(exclude_unset=True)
    for key, value in (_CHANGES[name] for name in names):
        if value is None and key not in values:
            return True
        values[key] = value
    kept = {key: value for key, value in values.items() if value is not None}
    try:
        config = type(stage.config).model_validate(kept)
        if reads_corpus(_data(stage, config)):
            return True
        stage.module.check(config, inputs)
    except Exception as error:
        if not (isinstance(error, ValueError) or is_persons(error)):
            raise
        return True
    unused = unused_keys(stage.module, config)
    return len(unused) > len(unused_keys(stage.module, stage.config))
