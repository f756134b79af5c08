"""Whether teacher, student, tasks and options fit together, before any work.

>>> require_consistent(open_teacher(bundle), [], options)
StudentError: bundle: a bundle gives logits only; set hidden: 0, relations: 0 and sentences: 0, ...
"""

from __future__ import annotations

from collections.abc import Sequence

from compress.distill import model_rules, rules
from compress.distill.balance_rules import balance_problems
from compress.distill.options import Options
from compress.distill.own_pieces import own_tokenizer
from compress.distill.teachers import model_of
from compress.distill.training_text import plain_share
from compress.errors import StudentError
from evalsuite.inference.checkpoint_config import head_of, model_config, read_config
from evalsuite.inference.predictor import Predictor
from evalsuite.opening.tokenizer import same_ids
from evalsuite.task import Task


def require_consistent(teacher: Predictor, tasks: Sequence[Task], options: Options) -> None:
    """Raise StudentError with all options that do not fit together."""
    problems = []
    bundle, head = model_of(teacher) is None, head_of(model_config(teacher.directory))
    apart = own_tokenizer(options.student, teacher.directory)
    unlabelled = [task.name for task in tasks if task.by_embedding]
    plain = plain_share(options, tasks)
    if bundle:
        problems += rules.bundle_teacher(options, teacher.directory.name)
    if apart:
        problems += rules.other_tokenizer(options, head, tasks=bool(tasks), unlabelled=unlabelled)
    choices = head == "choice"
    problems += rules.nothing_matched(options, bool(tasks), plain, unlabelled, choices=choices)
    problems += rules.logits_only(options)
    if options.stream is not None:
        prefix = None if teacher.labels else options.vectors.prefix
        problems += rules.streamed(options, bundle, apart, prefix)
    others = [path for path in options.others if not same_ids(path, teacher.directory)]
    problems += [model_rules.other_pieces(path.name) for path in others]
    problems += balance_problems(options, head, teacher.answers, plain)
    if options.student is not None:
        family = read_config(options.student).get("model_type")
        again = options.settings.gradient_checkpointing
        problems += model_rules.static_student(options, family, options.layers, checkpointing=again)
    if problems:
        raise StudentError("\n".join(problems))
