"""The contract of a stage.

A stage is one module, `recipes/stages/<kind>.py`, with

- `VERSION: int`, raised whenever the same config would give another output;
- `Config(StageConfig)`, frozen, unknown keys forbidden; a field whose annotation is `ModelRef`
  or `ModelRefs` names inputs by role;
- `check(config, inputs) -> Artifact`, what it gives, given what its inputs are; raises
  `StageInputError` when they do not fit;
- `data(config, gives) -> tuple[DataNeed, ...]`, which rows it reads, given what `check` said it
  gives, so that their digest enters the key;
- `run(config, ctx) -> Summary`, which does the work and writes only inside `ctx.out`.

It may also hold

- `LABELS_MATTER = True`, where the output contains the labels of its inputs;
- `LINEAGE_MATTERS = True`, where it contains `ctx.recipe`, `ctx.description` or `ctx.lineage`
  (the `report` kind is taken to);
- `PASS = True`, where it makes a model smaller or faster (`lingopress ls passes`);
- `ALONE = True`, where what else runs would change the result (a speed measurement);
- `memory(config, models) -> Memory`, what it holds at its peak, for `lingopress plan`; `models` is
  role -> tuple of `PlannedModel`; with it `less_memory(config)`, changes of keys that take less, as
  mappings, and `planned(config, models) -> PlannedModel`, where the model it gives has another
  shape than the first it is given;
- `work(config, gives, models, text) -> Work`, what it computes, reads and writes, from which
  `lingopress plan` predicts its time and disk; `text` is a `PlannedText`; it raises
  `NotKnownAheadError` with the reason where that is not known; and
  `planned_from_text(config, models, text) -> PlannedModel`, where a size follows from text;
- `cost(config) -> str`, what `lingopress plan` shows where `work` does not know: "minutes";
- in `Config`, `not_in_key: ClassVar[frozenset[str]]`, fields that cannot change the output, and
  `renamed: ClassVar[Mapping[str, str]]`, old names of keys, which recipes may use for one version.

`inputs` of `check` is role -> tuple of `Artifact`, one for a `ModelRef`, none where it is left out.

Importing a stage module loads no torch: heavy imports happen inside `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from evalsuite.inference.checkpoint_config import Answers
from evalsuite.results.run import StageRecord
from evalsuite.task import DataSource, Format, Split
from recipes.errors import StageInputError as StageInputError
from recipes.stages._shared.resources import Resources

LAST_SEED = 2**32 - 1  # all generators of random numbers take those up to here
Summary = dict[str, float | int | str]
OWN_TOKENIZER = "its own"  # of what a stage gives; a plan adds the stage's label

ArtifactKind = Literal[
    "checkpoint",
    "adapter",
    "prompt",
    "bundle",
    "cascade",
    "scores",
    "speed",
    "alignment",
    "fertility",
    "report",
]


class _Reference:
    """Marks a config field as naming other stages or model sources."""


@dataclass(frozen=True, slots=True)
class Noun:
    """Says in listings what a value is: `LanguageCode` is shown as `language code`."""

    one: str
    several: str


ModelRef = Annotated[
    str, _Reference(), Noun("name of a stage or a model", "names of stages or models")
]
"""A stage's name, or a model outside the recipe: a hub id (`org/name`), a path (`./dir`), or one
an installed package carries (`package:name/folder`)."""
ModelRefs = Annotated[
    tuple[str, ...], _Reference(), Noun("list of names of stages or models", "lists of names")
]
"""Several of them. `name` gathers every matrix variant of that stage, `name[task=xnli]` one."""


LanguageCode = Annotated[str, Noun("language code", "language codes")]
TaskName = Annotated[str, Noun("name of a task", "names of tasks")]


class StageConfig(BaseModel):
    """Keys of every stage."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        defer_build=True,
        allow_inf_nan=False,
    )
    renamed: ClassVar[Mapping[str, str]] = {}

    name: str = Field(
        description="Name of the stage, unique in the recipe; other stages refer to it by this "
        "name."
    )
    stage: str = Field(description="Kind of the stage, such as train, distill or export.")
    seed: int | None = Field(
        default=None,
        ge=0,
        le=LAST_SEED,
        description="Random seed of this stage; default: the seed of the recipe.",
    )
    resources: Resources | None = Field(
        default=None,
        description="What the stage takes of a node, where the recipe runs on a cluster; default: "
        "the resources of the recipe, else what lingopress plan estimates.",
    )

    def lacking(self) -> str:
        """What this machine lacks for these keys, and what to type; empty where it has all."""
        return ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a directory holds, as far as it is known before it exists.

    `task` is the task its head was trained for (None: no head, an encoder); `external` marks a
    model from outside the recipe, of which only the config is known; `family` is its model type
    and `head` what that config says of its head, where they are known; `adapter` says how an
    adapter of this recipe is trained; a bundle is `shortened` where its last layer computes the
    first token alone or some tokens are dropped; `whole_layer` is the highest layer with states of
    every token where some are dropped (None: none are); `tokenizer` is the directory that it is in,
    or a name, equal for models of the recipe with the same one (None: not known ahead); `cuts` are
    the sizes of an elastic student (None: not known ahead); `trained_on` are the task and the
    language of all training rows that stages of this recipe read on the way to it, which a plan
    adds.
    """

    kind: ArtifactKind
    task: TaskName | None = None
    external: bool = False
    runtime: str = "torch"
    shortened: bool = False
    whole_layer: int | None = None
    family: str | None = field(default=None, compare=False)
    head: HeadFacts | None = field(default=None, compare=False)
    adapter: AdapterFacts | None = field(default=None, compare=False)
    tokenizer: Path | str | None = field(default=None, compare=False)
    cuts: CutSizes | None = field(default=None, compare=False)
    trained_on: frozenset[tuple[TaskName, LanguageCode]] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class CutSizes:
    """Sizes that can be cut out of a model; both empty where there are none.

    Attributes:
        layers: numbers of layers; None: not known ahead.
        ffn: numbers of feed-forward units per layer; None: not known ahead.
        smaller_layers, smaller_ffn: those below the student's own, which are always known.
    """

    layers: tuple[int, ...] | None
    ffn: tuple[int, ...] | None
    smaller_layers: tuple[int, ...] = ()
    smaller_ffn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """The head of a model from outside, by its config.

    Attributes:
        format: of the tasks whose rows it reads; None for an encoder.
        labels: their names; none where the config names none.
        answers: what it gives per row, where that is known.
        size: how many labels, where it is known.
    """

    format: Format | None
    labels: tuple[str, ...] = ()
    answers: Answers | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """How an adapter is trained, by its stage's config; what it can be combined with follows.

    `base` is the very object the stage was given: two adapters have one base if it is the same.
    """

    base: Artifact
    method: str
    precision: str
    embeddings: str
    rank: int
    dora: bool = False


@dataclass(frozen=True, slots=True)
class DataNeed:
    """Rows a stage reads: a task's split in some languages (None: all the source has).

    `PARALLEL` is the training corpus, `PARALLEL_IF_ANY` the same where the source has one, and
    `HELD_OUT` all text that is kept out of it; a need with the split `file` is one file of text,
    and `task` its path. Where it is `labelled`, no languages are those whose rows have labels.
    """

    task: str
    split: Split | Literal["eval", "parallel", "held out", "file"]
    languages: tuple[LanguageCode, ...] | None = None
    labelled: bool = False


PARALLEL = DataNeed("parallel", "parallel")
PARALLEL_IF_ANY = DataNeed("parallel if any", "parallel")
HELD_OUT = DataNeed("held out", "held out")


def corpus_in(languages: Sequence[LanguageCode] | None) -> DataNeed:
    """The training corpus, which has text in these languages (None or empty: in any).

    >>> corpus_in(("de", "sw")).languages
    ('de', 'sw')
    """
    return replace(PARALLEL, languages=tuple(languages) if languages else None)


def reads_corpus(needs: Sequence[DataNeed]) -> bool:
    """Whether the training corpus is among the needs, in whichever languages."""
    return PARALLEL in [replace(need, languages=None) for need in needs]


@dataclass(frozen=True, slots=True)
class Input:
    """One resolved input of a stage."""

    label: str  # stage name with its matrix variant, or the external source as written
    path: Path
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a running stage may use.

    `out` is an empty directory; what is in it when `run` returns is published. `work` survives
    a kill: a rerun of the same stage finds in it what the last one left.
    """

    out: Path
    work: Path
    inputs: Mapping[str, tuple[Input, ...]]  # role -> inputs (one for a `ModelRef`)
    data: DataSource
    seed: int
    recipe: str
    description: str = ""
    lineage: tuple[StageRecord, ...] = ()  # records of all ancestors, in order of execution
    progress: Callable[[float, str], None] = field(default=lambda fraction, text: None)
    label: str = ""  # of the stage, with its matrix variant
    tokens: Path = Path("tokens")  # token ids of text, which stages and processes share
    tracked: Path = Path("tracked")  # where trackers such as TensorBoard write

    def input(self, role: str) -> Input:
        """The one input of a `ModelRef` role."""
        (only,) = self.inputs[role]
        return only
