"""Keys of `distill` that say what the student is: its layers, its widths, its smaller sizes.

>>> StudentKeys(name="a", stage="distill", layers=6, elastic={"layers": [4, 3]}).elastic.layers
(4, 3)
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from compress.distill import rules
from recipes.stages._shared.contract import StageConfig
from recipes.stages._shared.distilled_text_keys import unread_text
from recipes.stages._shared.elastic_keys import ElasticConfig
from recipes.stages._shared.unused_keys import unused


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


def student_problems(config: Any) -> list[str]:
    """What is wrong with the student's sizes, and with keys of what is not matched or read.

    Args:
        config: of `distill`.
    """
    problems = []
    if config.layers is not None and (problem := rules.layers_problem(config.layers)):
        problems.append(f"layers: {problem}")
    if config.layer_choice == "greedy" and not isinstance(config.layers, int):
        problems.append("layer_choice: greedy chooses a number of layers; set layers to a number")
    problems += rules.matched_layers(config.teacher_layers, config.hidden)
    if config.student is not None and (config.width or config.heads or config.ffn):
        problems.append("student: its widths are fixed; leave width, heads and ffn out")
    if config.width is not None and config.hidden > 0:
        problems.append(
            "width: hidden states of another width cannot be matched; set hidden: 0, relations: 1"
        )
    return problems


def unused_keys(config: Any) -> list[str]:
    """Keys that are written, of losses that are off and of text that is not read."""
    relations, rows = ("relation_heads", "relation_layer"), ("uncased", "code_switch")
    why = "with relations: 0 no attention relations are matched"
    problems = unused(config, relations, why, "set relations above 0", off=config.relations == 0)
    why = "with sentences: 0 no vectors of sentences are matched"
    vectors = ("sentence_targets", "contrast", "matryoshka")
    problems += unused(config, vectors, why, "set sentences above 0", off=config.sentences == 0)
    why = "with logits: 0 none are divided by it"
    problems += unused(config, ("temperature",), why, "set logits above 0", off=config.logits == 0)
    why = "without tasks all batches are plain text"
    problems += unused(config, ("multilingual",), why, "name tasks", off=not config.tasks)
    why = "without tasks no training rows are read"
    problems += unused(config, (*rows, "max_examples"), why, "name tasks", off=not config.tasks)
    return problems + unread_text(config, plain=config.multilingual > 0 or not config.tasks)
