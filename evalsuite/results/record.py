"""What all result files share: the base of their records, the machine and the model.

A number travels with its signature: what was measured, on what, with what. All scores are in
percent (0 to 100), all times in seconds, all sizes in bytes.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from evalsuite.results.numbers import Count


class Record(BaseModel):
    """Base of all result records: frozen, no unknown keys, every number finite."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        allow_inf_nan=False,
        defer_build=True,  # `lingopress plan` imports this file and builds nothing
    )


class Environment(Record):
    """The machine and libraries a figure was measured with."""

    cpu: str
    instruction_set: tuple[str, ...]  # of avx2 avx512f avx512_vnni avx512_bf16 amx_int8 ...
    cores: Count
    threads: Count
    device: str  # "cpu" or the GPU's name
    system: str
    versions: dict[str, str]  # package -> version


class ModelInfo(Record):
    """What a model is, apart from what it scores."""

    label: str  # "teacher[task=xnli]"
    digest: str  # of the weights
    architecture: str  # "xlm-roberta 4x192"
    runtime: str  # torch | onnxruntime | openvino | executorch | numpy
    precision: str  # fp32 | bf16 | int8 ...
    parameters: Count
    embedding_parameters: Count
    bytes: Count  # weights and graph on disk, tokenizer apart
    tokenizer_bytes: Count
