"""What a recipe will really run: checked, ordered, each stage with its cache key.

>>> plan = make_plan(load("xnli-base"), data_dir=None, memo=DigestMemo())
>>> [(stage.label, stage.key[:8]) for stage in plan.stages][:1]
[('mnli[size=base]', '5feceb66')]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from compress.export.registry import EXPORTERS
from evalsuite.errors import EvalsuiteError
from evalsuite.registry import RUNTIMES
from evalsuite.task import DataSource
from recipes.errors import is_persons
from recipes.hashing import DigestMemo, sha256_file, sha256_json
from recipes.parsing.knobs import Assignment, Fixed, grid, names
from recipes.parsing.node import entries_of
from recipes.parsing.problems import Problems
from recipes.parsing.recipe_file import Loaded, RawStage
from recipes.parsing.references import roles
from recipes.planning import without_text
from recipes.planning.data_digests import digest_need, need_text
from recipes.planning.external_models import External
from recipes.planning.faulty_rows import FaultyRows
from recipes.planning.matrix import Instance, Roles, expand
from recipes.planning.model_shapes import refused_sizes
from recipes.planning.planned import Plan, Planned
from recipes.planning.stage_config import CheckedStage, check_stage, note_unused
from recipes.stages._shared import registry
from recipes.stages._shared.contract import DataNeed
from transfer.registry import METHODS

_Checked = tuple[Instance, CheckedStage | None]
KEY_VERSION = 1  # raise it when the same key would mean another output


def make_plan(
    loaded: Loaded,
    data_dir: Path | None,
    memo: DigestMemo,
    *,
    keys: bool = True,
    weights: bool = True,
    assignments: Sequence[Assignment] = (),
) -> Plan:
    """Check everything there is to check before work, and compute the keys.

    Args:
        keys: without, neither data nor models are read and keys stay empty.
        weights: models from outside must have theirs; without, a `config.json` is enough, and what
            has no weights is noted.
        assignments: of the knobs of a search; default the first there is.

    Raises:
        RecipeError: with every problem of the recipe, `loaded.problems` included.
    """
    data = DataSource(loaded.recipe.source, data_dir)
    problems = loaded.problems
    fixed = Fixed(loaded.knobs, assignments or list(islice(grid(names(loaded.knobs)), 1)))
    instances = expand(loaded.stages, loaded.matrix, _roles_of, problems, fixed)
    externals = _externals(instances, problems, weights)
    planned = _check(instances, externals, loaded)
    sound = not problems
    if sound:
        _check_sizes(Plan(loaded, data, tuple(planned), externals), problems)
    if keys and sound:
        if data.kind == "xtreme" and data_dir is None:
            problems.add(
                loaded.tree["source"].where,
                "source: xtreme reads files: add --data-dir DIR, a directory in the layout of the "
                "XTREME download scripts",
            )
        else:
            plan = Plan(loaded, data, tuple(planned), externals)
            planned = with_keys(plan, memo, problems)
    problems.raise_if_any()
    return Plan(loaded, data, tuple(planned), externals)


def _roles_of(stage: RawStage) -> Roles:
    if stage.kind not in registry.stage_kinds():
        return {}
    return roles(registry.load_stage(stage.kind).Config)


def _externals(instances: list[Instance], problems: Problems, weights: bool) -> dict[str, External]:
    labels = {instance.label for instance in instances}
    found: dict[str, External] = {}
    failed: set[str] = set()
    for instance in instances:
        for role, texts in instance.inputs.items():
            for text in texts:
                if text in labels or text in found or text in failed:
                    continue
                where, _ = instance.node.locate([role])
                try:
                    found[text] = External.find(text, weights=weights)
                    if not found[text].has_weights():
                        problems.note(where, f"{text} has no weights yet; run will need them")
                except EvalsuiteError as error:
                    failed.add(text)
                    problems.add(where, f"stage {instance.stage.name!r}: {role}: {error}")
    return found


def _check(
    instances: list[Instance], externals: Mapping[str, External], loaded: Loaded
) -> list[Planned]:
    """Check every stage and pass artifacts on; stages with mistakes are left out."""
    planned: list[Planned] = []
    seed, problems = loaded.recipe.seed, loaded.problems
    variants = defaultdict[str, list[_Checked]](list)
    given = {text: external.artifact for text, external in externals.items()}
    for instance in instances:
        kind = instance.stage.kind
        if kind not in registry.stage_kinds():
            continue
        checked = check_stage(instance, registry.load_stage(kind), given, problems)
        variants[instance.stage.name].append((instance, checked))
        if checked is None:
            continue
        given[instance.label] = checked.artifact
        if checked.sound:
            planned.append(
                Planned(
                    label=instance.label,
                    name=instance.stage.name,
                    kind=kind,
                    where=instance.node.where,
                    config=checked.config,
                    inputs=instance.inputs,
                    seed=seed if checked.config.seed is None else checked.config.seed,
                    artifact=checked.artifact,
                )
            )
    for found in variants.values():
        note_unused(found, loaded.knobs, problems)
    return planned


def _check_sizes(plan: Plan, problems: Problems) -> None:
    """Note the stages that ask for sizes that their models do not have."""
    for stage, error in refused_sizes(plan):
        problems.add(stage.where, f"stage {stage.name!r} ({stage.kind}): {error}")


def with_keys(
    plan: Plan, memo: DigestMemo, problems: Problems, *, rows: bool = True
) -> list[Planned]:
    """The stages with their keys; what cannot be read is noted and its stages are left out.

    Args:
        rows: whether rows of declared tasks are looked at.
    """
    keys = _model_keys(plan, memo, problems)
    result: list[Planned] = []
    given, faulty = plan.artifacts(), FaultyRows(plan.data, memo)
    digests: dict[DataNeed, str] = {}
    for stage in plan.stages:
        try:
            needs = stage.module.data(stage.config, stage.artifact)
            inputs = {role: tuple(given[name] for name in ls) for role, ls in stage.inputs.items()}
            without_text.require(stage, inputs, plan.data)
            for need in needs:
                if need not in digests:
                    digests[need] = digest_need(need, plan.data, memo.file)
                    for problem in faulty.of(need) if rows else ():
                        problems.add(_declared(plan, need.task), f"tasks.{need.task}: {problem}")
        except Exception as error:
            if not is_persons(error) and not isinstance(error, OSError):
                raise
            problems.add(stage.where, f"stage {stage.name!r} ({stage.kind}): {error}")
            keys[stage.label] = ""
            continue
        data = [digests[need] for need in needs]
        key = sha256_json(_key_parts(stage, plan, keys, data))
        models = [keys[label] for label in stage.needs() if label in plan.externals]
        keys[stage.label] = key
        result.append(replace(stage, key=key, reads=(*models, *data)))
    memo.save()
    return result


def _declared(plan: Plan, task: str) -> str:
    """The line where a task is declared."""
    return entries_of(plan.loaded.tree["tasks"])[task].where


def changed(plan: Plan, stage: Planned, memo: DigestMemo) -> str:
    """What a stage reads that is not what its key was made of any more; empty where all is."""
    now: list[tuple[str, Callable[[], str]]] = [
        (label, partial(plan.externals[label].digest, memo))
        for label in stage.needs()
        if label in plan.externals
    ]
    for need in stage.module.data(stage.config, stage.artifact):
        now.append((need_text(need), partial(digest_need, need, plan.data, memo.file)))
    for (what, digest), before in zip(now, stage.reads, strict=True):
        try:
            same = digest() == before
        except (EvalsuiteError, OSError):  # it is gone, or half written
            same = False
        if not same:
            return what
    memo.save()
    return ""


def _model_keys(plan: Plan, memo: DigestMemo, problems: Problems) -> dict[str, str]:
    """Keys of the models from outside; one that cannot be read is noted at its first stage."""
    keys: dict[str, str] = {}
    for stage in plan.stages:
        for label in stage.needs():
            if label not in plan.externals or label in keys:
                continue
            keys[label] = ""
            try:
                plan.externals[label].check_tokenizer()
                keys[label] = plan.externals[label].digest(memo)
            except (EvalsuiteError, OSError) as error:
                problems.add(stage.where, f"stage {stage.name!r} ({stage.kind}): {error}")
    return keys


def _key_parts(stage: Planned, plan: Plan, keys: dict[str, str], data: list[str]) -> object:
    """All that can change a stage's output; its name does not, unless its module declares it."""
    left_out = {
        "name",
        "stage",
        "seed",
        "resources",
        *stage.inputs,
        *getattr(stage.config, "not_in_key", ()),
    }
    parts: dict[str, object] = {
        "engine": KEY_VERSION,
        "kind": stage.kind,
        "version": stage.module.VERSION,
        "config": stage.config.model_dump(mode="json", exclude=left_out),
        "seed": stage.seed,
        "source": plan.data.kind,
        "inputs": {role: [keys[label] for label in ls] for role, ls in stage.inputs.items()},
        "data": data,
    }
    if (plugin := registry.STAGES.plugin_file(stage.kind)) is not None:
        parts["plugin"] = sha256_file(plugin)
    if named := _named_plugins(stage):
        parts["plugins"] = [sha256_file(file) for file in named]
    if getattr(stage.module, "LABELS_MATTER", False):
        parts["labels"] = {role: list(labels) for role, labels in stage.inputs.items()}
    if getattr(stage.module, "LINEAGE_MATTERS", stage.kind == "report"):
        recipe = plan.loaded.recipe
        parts["recipe"] = [recipe.name, recipe.description]
        parts["lineage"] = [[label, keys[label]] for label in lineage(plan, stage.label)]
    return parts


def _named_plugins(stage: Planned) -> list[Path]:
    """Files of plugins that the stage's keys name: its training method, its runtime."""
    method, runtime = (getattr(stage.config, key, None) for key in ("method", "runtime"))
    found: list[Path | None] = []
    if isinstance(method, str):
        found.append(METHODS.plugin_file(method))
    if isinstance(runtime, str):
        found += [EXPORTERS.plugin_file(runtime), RUNTIMES.plugin_file(runtime)]
    return [file for file in found if file is not None]


def lineage(plan: Plan, label: str) -> list[str]:
    """Labels of all ancestor stages, in order of execution."""
    from recipes.planning.stage_graph import ancestors

    graph = plan.graph()
    found = ancestors(graph, [label])
    return [name for name in graph if name in found and name != label]
