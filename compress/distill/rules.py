"""Which options of a distillation fit together.

Both `lingopress check` and the distillation itself call these functions. They import nothing heavy,
and read nothing but the options. Each gives a list of problems, empty where all is well.

>>> logits_only(options)  # with hidden: 1, cache: always
['cache: always keeps logits only; set hidden: 0 and relations: 0, or leave cache out']
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from compress.errors import StudentError

_OTHER_ROWS = ("span", "choice")  # heads that answer neither once per text nor once per word


class Terms(Protocol):
    """What the rules read, of a stage's configuration or of `Options`."""

    @property
    def logits(self) -> float:
        """Weight of the loss on logits."""

    @property
    def hidden(self) -> float:
        """Weight of the loss on hidden states."""

    @property
    def labels(self) -> float:
        """Weight of the loss on gold labels."""

    @property
    def relations(self) -> float:
        """Weight of the loss on attention relations."""

    @property
    def sentences(self) -> float:
        """Weight of the loss on sentence embeddings."""

    @property
    def contrast(self) -> float:
        """Weight of the loss on finding sentences among others."""

    @property
    def others(self) -> Collection[object]:
        """Further teachers."""

    @property
    def cache(self) -> str:
        """When the teacher's logits are computed: auto, always or never."""

    @property
    def balance_labels(self) -> bool:
        """Whether text is drawn by the teacher's labels."""

    @property
    def student(self) -> object:
        """The checkpoint that the student starts from, or None."""

    @property
    def teacher_precision(self) -> str:
        """Precision of a teacher that is a checkpoint."""


def nothing_matched(
    terms: Terms,
    tasks: bool,
    plain: float,
    unlabelled: Sequence[str] = (),
    *,
    choices: bool = False,
) -> list[str]:
    """Kinds of text on which nothing would be learnt.

    Args:
        tasks: whether rows of tasks are read.
        plain: share of batches that are plain multilingual text.
        unlabelled: names of the tasks whose rows have no gold labels.
        choices: whether the head chooses; a line of text is one choice, which is always taken.
    """
    everywhere = terms.logits > 0 or terms.hidden > 0 or terms.relations > 0
    if not (everywhere or terms.labels > 0 or terms.sentences > 0):
        return ["logits, hidden, labels, relations and sentences are all 0; nothing is learnt"]
    if not tasks and plain == 0:
        return ["tasks is empty and multilingual is 0, so there is no text to learn from"]
    problems = []
    if terms.sentences > 0 and plain == 0:
        problems.append("sentences: needs multilingual text; set multilingual above 0")
    if tasks and not (everywhere or terms.labels > 0):
        problems.append(
            "tasks: nothing is matched on their rows; leave tasks out, or set logits (of a teacher "
            "with a head), hidden, labels or relations above 0"
        )
    elif unlabelled and not everywhere:
        has, its, it = ("has", "its", "it") if len(unlabelled) == 1 else ("have", "their", "them")
        problems.append(
            f"labels: {', '.join(unlabelled)} {has} no gold labels, and nothing else is matched on "
            f"{its} rows; leave {it} out of tasks, or set hidden or relations above 0"
        )
    apart = terms.hidden > 0 or terms.relations > 0 or terms.sentences > 0
    if plain > 0 and not (apart or (terms.logits > 0 and not choices)):
        logits = "" if choices else "logits (of a teacher with a head), "
        problems.append(
            "multilingual: nothing is matched on text without labels; set multilingual: 0, or set "
            f"{logits}hidden, relations or sentences above 0"
        )
    return problems


def vector_keys(prefix: str | None, head: bool) -> list[str]:
    """Keys of sentence vectors that do not fit the teacher.

    Args:
        prefix: put before sentences.
        head: whether the teacher is known to have a task head.
    """
    return ["prefix: is for encoders without a head; leave it out"] if prefix and head else []


def logits_only(terms: Terms) -> list[str]:
    """Teachers and caches that give logits only, where more is matched than logits."""
    problems = []
    if terms.logits == 0:
        if terms.others or terms.cache == "always":
            key = "others" if terms.others else "cache: always"
            problems.append(
                f"{key}: is for logits, and none are matched: logits is 0, or the teacher has no "
                "task head; leave it out"
            )
        return problems
    if terms.hidden == 0 and terms.relations == 0:
        return []
    if terms.others:
        problems.append(
            "others: further teachers give logits only; set hidden: 0 and relations: 0, or leave "
            "others out"
        )
    if terms.cache == "always":
        problems.append(
            "cache: always keeps logits only; set hidden: 0 and relations: 0, or leave cache out"
        )
    return problems


def bundle_teacher(terms: Terms, name: str) -> list[str]:
    """What a teacher that is a bundle cannot give.

    Args:
        name: of the bundle, for the messages.
    """
    problems = []
    if terms.hidden > 0 or terms.relations > 0 or terms.sentences > 0:
        problems.append(
            f"{name}: a bundle gives logits only; set hidden: 0, relations: 0 and sentences: 0, "
            "or distil from the checkpoint it was exported from"
        )
    if terms.student is None:
        problems.append(
            f"{name}: a bundle has no layers for the student to start from; give student: a "
            "checkpoint"
        )
    if terms.cache == "never":
        problems.append("cache: never: the teacher is a bundle, which runs once per row; leave "
                        "cache out")  # fmt: skip
    if terms.teacher_precision != "fp32":
        problems.append("teacher_precision: the precision of a bundle is fixed; leave it out")
    return problems


def streamed(
    terms: Terms, bundle: bool = False, apart: bool = False, prefix: str | None = None
) -> list[str]:
    """What does not go with text that is read as a stream.

    Args:
        bundle: whether the teacher is a bundle.
        apart: whether the student is known to have another tokenizer than the teacher.
        prefix: put before sentences.
    """
    problems = []
    if terms.sentences > 0:
        problems.append("sentences: the embeddings of a stream are not kept; set sentences: 0")
    if bundle or terms.others or terms.cache == "always":
        problems.append(
            "stream: logits that are computed before training are kept for each row, which needs "
            "all rows; leave others and cache: always out, and give a teacher that is a checkpoint"
        )
    if apart:
        problems.append(
            "stream: its rows are in the pieces of one tokenizer, and the student has another than "
            "the teacher; give a student with the teacher's, or use text"
        )
    if prefix:
        problems.append(f"stream: its rows have no prefix, and the teacher has {prefix!r}")
    return problems


def other_tokenizer(
    terms: Terms,
    head: str | None,
    encoder: bool = False,
    *,
    tasks: bool,
    unlabelled: Sequence[str] = (),
) -> list[str]:
    """What cannot be matched where student and teacher split text into other pieces.

    Args:
        head: format of the teacher's head, None where it is not known.
        encoder: whether the teacher is known to have no head, or one of masked words alone.
        tasks: whether rows of tasks are read.
        unlabelled: names of the tasks whose rows have no gold labels.
    """
    because = (
        "student and teacher have different tokenizers, and the same text becomes another number "
        "of tokens in each"
    )
    problems = []
    if terms.relations > 0:
        problems.append(
            f"relations: attention relations are matched token by token, but {because}; set "
            "relations: 0, or give a student with the teacher's tokenizer"
        )
    if terms.hidden > 0 and head in _OTHER_ROWS:
        problems.append(
            f"hidden: {because}; hidden states are then matched for encoders and for heads with "
            f"one answer per text or per word, and the teacher has a {head} head; set hidden: 0"
        )
    gold = terms.labels > 0 and not unlabelled
    if terms.hidden > 0 and tasks and not (terms.logits > 0 or gold):
        names = ", ".join(unlabelled) if terms.labels > 0 else ""  # the others have gold labels
        problems.append(
            f"tasks: {because}; hidden states are then matched on text without labels only, so "
            f"nothing is matched on rows of {names or 'tasks'}; leave "
            f"{f'{names} out of tasks' if names else 'tasks out'}, or set "
            f"logits{'' if unlabelled else ' or labels'} above 0"
        )
    if head == "span" and terms.logits > 0:
        problems.append(
            f"logits: an answer's start and end are numbers of tokens, but {because}; set logits: "
            "0 and labels: 1, or give a student with the teacher's tokenizer"
        )
    if encoder and terms.logits > 0:
        problems.append(
            "logits: the teacher has no task head; what it says of masked words is about its own "
            "vocabulary, and the student has another; set logits: 0 and sentences: 1"
        )
    if terms.cache == "never" and terms.logits > 0:
        problems.append(
            "cache: never: student and teacher have different tokenizers, so the teacher runs once "
            "per row, before training; leave cache out"
        )
    return problems


def layers_problem(
    wanted: int | Sequence[int], layers: int | None = None, whose: str = "model"
) -> str | None:
    """What is wrong with a number of layers, or with a list of layers; None where nothing is.

    >>> layers_problem([1, 0])
    '(1, 0): give a number from 1, or rising layer numbers from 0, each of them once'

    Args:
        layers: how many the model has; None where that is not known yet.
        whose: what the model is here, such as `teacher`.
    """
    if isinstance(wanted, int):
        if layers is not None and not 1 <= wanted <= layers:
            return f"{wanted}: the {whose} has {layers}; ask for 1 to {layers}"
        right = wanted >= 1
    else:
        wanted = tuple(wanted)
        right = bool(wanted) and wanted == tuple(sorted({abs(layer) for layer in wanted}))
        if right and layers is not None and wanted[-1] >= layers:
            return f"{wanted}: the {whose} has the layers 0 to {layers - 1}"
    if right:
        return None
    return f"{wanted}: give a number from 1, or rising layer numbers from 0, each of them once"


def matched_layers(
    wanted: Sequence[int] | None,
    hidden: float,
    student: int | None = None,
    teacher: int | None = None,
) -> list[str]:
    """What is wrong with the teacher's layers that a student's layers are matched to.

    Args:
        hidden: weight of the loss on hidden states.
        student, teacher: how many layers they have; None where that is not known yet.
    """
    if wanted is None:
        return []
    problem = layers_problem(wanted, teacher, "teacher")
    problems = [f"teacher_layers: {problem}"] if problem else []
    if hidden == 0:
        problems.append("teacher_layers: is for hidden states; set hidden above 0, or leave it out")
    if student is not None and len(wanted) != student:
        problems.append(f"teacher_layers: {len(wanted)} layers, and the student has {student}")
    return problems


def relation_problem(wanted: int | None, layers: int) -> list[str]:
    """What is wrong with the teacher's layer whose attention relations are matched.

    Args:
        layers: how many the teacher has.
    """
    if wanted is None or 0 <= wanted < layers:
        return []
    return [f"relation_layer: {wanted}: the teacher has 0 to {layers - 1}"]


def choose_layers(
    wanted: int | Sequence[int], layers: int, keep_first: bool = False, whose: str = "model"
) -> list[int]:
    """Which of a model's layers are kept, counted from 0, the lowest.

    >>> choose_layers(3, 12)
    [3, 7, 11]
    >>> choose_layers([0, 5], 6)
    [0, 5]
    >>> choose_layers(3, 12, keep_first=True)
    [0, 6, 11]

    A number spreads the layers evenly and ends with the last one, so that the student's top
    layer starts where the task head expects it.

    Args:
        layers: how many the model has.
        keep_first: spread a number of layers from the first one on; a list stays as it is.
        whose: what the model is here, such as `teacher`.

    Raises:
        StudentError: there are fewer layers, or the list is not one of rising numbers.
    """
    if problem := layers_problem(wanted, layers, whose):
        raise StudentError(f"layers: {problem}")
    if isinstance(wanted, int):
        if keep_first:
            steps = max(wanted - 1, 1)
            return [round(index * (layers - 1) / steps) for index in range(wanted)]
        return [round((index + 1) * layers / wanted) - 1 for index in range(wanted)]
    return list(wanted)
