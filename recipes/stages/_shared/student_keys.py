"""Keys of `distill` that say what the student is: its layers, its widths, its smaller sizes.

>>> StudentKeys(name="a", stage="distill", layers=6, elastic={"layers": [4, 3]}).elastic.layers
(4, 3)
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recipes.stages._shared.contract import StageConfig
from recipes.stages._shared.elastic_keys import ElasticConfig


class StudentKeys(StageConfig):
    """The student, and how it learns."""

    layers: int | tuple[int, ...] | None = Field(
        default=None,
        description="Number of layers of the student, or a list of layers of the teacher (of "
        "student, where it is given), counted from 0, the lowest; default: all.",
    )
    layer_choice: Literal["spaced", "greedy"] = Field(
        default="spaced",
        description="How a number of layers is chosen: evenly spaced, or by removing one after "
        "the other the layer whose absence changes the model's last states least (greedy).",
    )
    teacher_layers: tuple[int, ...] | None = Field(
        default=None,
        description="The teacher's layer whose hidden states each layer of the student learns, "
        "counted from 0; default: the layer that it was, of another checkpoint evenly spaced.",
    )
    width: int | None = Field(
        default=None, ge=8, description="Hidden size of the student; default: the teacher's."
    )
    heads: int | None = Field(
        default=None,
        ge=1,
        description="Attention heads per layer of the student; default: heads as wide as the "
        "teacher's, or as many where width is no multiple of that.",
    )
    ffn: int | None = Field(
        default=None,
        ge=8,
        description="Feed-forward units per layer of the student; default: the teacher's.",
    )
    dropout: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Dropout rate of the student while it learns from the teacher; default: as in "
        "its configuration, which stays as it is.",
    )
    elastic: ElasticConfig | None = Field(
        default=None,
        description="Smaller sizes at which the student is trained as well, so that cut and export "
        "can cut them out of it; default: none.",
    )

    def whole(self) -> tuple[int | None, int | None]:
        """Layers and units of the student, where the keys say them."""
        count = len(self.layers) if isinstance(self.layers, tuple) else self.layers
        return count, self.ffn
