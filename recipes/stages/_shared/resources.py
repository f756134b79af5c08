"""What a stage takes of a node of a cluster.

>>> Resources(cpus=4, memory="16 GB").bytes
16000000000
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(GB|MB)")


class Resources(BaseModel):
    """Processors, GPUs and memory; what is left out is chosen for the stage."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    cpus: int | None = Field(
        default=None, ge=1, description="Processors; the stage computes with as many threads."
    )
    gpus: int | None = Field(default=None, ge=0, description="GPUs.")
    memory: str | None = Field(default=None, description='RAM, such as "16 GB" or "500 MB".')

    @field_validator("memory")
    @classmethod
    def _size(cls, memory: str | None) -> str | None:
        if memory is not None and not _SIZE.fullmatch(memory):
            raise ValueError('give a size such as "16 GB" or "500 MB"')
        return memory

    @property
    def bytes(self) -> int | None:
        """The memory in bytes."""
        match = _SIZE.fullmatch(self.memory or "")
        return round(float(match[1]) * {"GB": 1e9, "MB": 1e6}[match[2]]) if match else None
