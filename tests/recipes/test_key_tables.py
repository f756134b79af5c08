"""`ls stages NAME` and its kind: keys in words, the options of methods, the list of passes."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from recipes.cli import component_cards, components, key_tables
from recipes.cli.app import main
from recipes.stages._shared.contract import LanguageCode, ModelRef, ModelRefs, StageConfig, TaskName
from recipes.stages._shared.method_keys import MethodKeys
from recipes.stages._shared.registry import stage_kinds
from transfer.registry import METHODS


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "true or false"),
        (int | None, "integer"),
        (float, "number"),
        (Literal["fp32", "bf16"] | None, "one of fp32, bf16"),
        (tuple[LanguageCode, ...], "list of language codes"),
        (tuple[TaskName, ...] | None, "list of names of tasks"),
        (ModelRef | None, "name of a stage or a model"),
        (ModelRefs, "list of names of stages or models"),
        (int | tuple[int, ...] | None, "integer or list of integers"),
        (tuple[str, ...] | Literal["all"], "list of texts or all"),
        (tuple[Annotated[int, Field(ge=1)], ...], "list of integers"),
        (dict[str, list[Any]], "mapping from text to list of values"),
        (list[dict[str, Any]], "list of mappings"),
    ],
)
def test_types_in_words(annotation: Any, words: str) -> None:
    assert key_tables.in_words(annotation) == words


class Inner(BaseModel):
    """A mapping."""

    depth: int = Field(ge=1, description="Depth in metres.")


class Shared(StageConfig):
    """Keys that two stages share."""

    share: float = Field(default=0.5, ge=0, le=1, description="A share.")


class Config(Shared):
    """One stage."""

    sizes: tuple[Annotated[int, Field(gt=1)], ...] = Field(
        default=(2, 3), min_length=1, description="Sizes in pixels."
    )
    lines: int | None = Field(default=5, description="Lines; null: all lines.")
    inner: Inner | None = Field(default=None, description="A mapping.")


def test_groups_defaults_and_ranges() -> None:
    own, shared, every = key_tables.groups(Config, "Keys of this stage")
    assert own == key_tables.KeyGroup(
        "Keys of this stage",
        (
            key_tables.Key(
                "sizes", "list of integers", "[2, 3]", "at least 1, above 1", "Sizes in pixels."
            ),
            key_tables.Key("lines", "integer, or null", "5", "", "Lines; null: all lines."),
            key_tables.Key("inner", "mapping", "none", "", "A mapping."),
            key_tables.Key("inner.depth", "integer", "required", "from 1", "Depth in metres."),
        ),
    )
    assert shared.title == "Keys that two stages share"
    assert shared.keys == (key_tables.Key("share", "number", "0.5", "0 to 1", "A share."),)
    assert every.title == "Keys of every stage"
    assert [key.name for key in every.keys if "." not in key.name] == [
        "name",
        "stage",
        "seed",
        "resources",
    ]


@pytest.mark.parametrize("kind", stage_kinds())
def test_every_key_of_a_stage_is_in_its_table_once(kind: str) -> None:
    from recipes.stages._shared.registry import load_stage

    names = [key.name for group in key_tables.keys_of_stage(kind) for key in group.keys]
    assert sorted(name for name in names if "." not in name) == sorted(
        load_stage(kind).Config.model_fields
    )


# One meaning each, but one stage takes more than another: `heads` as a share in prune, null for
# `max_examples`, no list of `layers` in cut.
WIDER = {"heads", "ffn", "layers", "embeddings", "precision", "init", "max_examples", "max_lines"}


def test_a_key_has_one_type_in_all_stages() -> None:
    types: dict[str, set[str]] = {}
    for kind in stage_kinds():
        for group in key_tables.keys_of_stage(kind):
            for key in group.keys:
                types.setdefault(key.name, set()).add(key.type)
    assert {name for name, words in types.items() if len(words) > 1} == WIDER


def test_options_of_methods_are_read_from_their_files() -> None:
    options = {
        name: [key.name for group in key_tables.keys_of_method(name) for key in group.keys]
        for name in METHODS.names()
    }
    assert options["bitfit"] == []
    assert options["full"] == ["freeze_embeddings"]
    assert options["last_k"] == ["last"]
    assert options["deep_prompt"] == ["gradient_checkpointing", "max_length", "length"]
    assert options["lora"][:3] == ["rank", "alpha", "dropout"]
    known = {option for names in options.values() for option in names}
    assert set(MethodKeys.model_fields) - {"method"} <= known


def test_passes_are_stages_that_say_so() -> None:
    assert components.passes() == (
        "cascade",
        "cut",
        "distill",
        "export",
        "factor",
        "fuse",
        "prune",
        "static",
        "trim",
    )
    assert [entry.name for entry in components.entries("passes")] == list(components.passes())


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert isinstance(end.value.code, int)
    return end.value.code


def test_ls_stages_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ls", "stages", "trim") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("trim: ")
    assert lines[2:5] == [
        "Keys of trim",
        "key            type                        default   range             meaning",
        "model          name of a stage or a model  required                    "
        "Checkpoint whose vocabulary is trimmed.",
    ]
    (line,) = (line for line in lines if line.startswith("max_lost "))
    assert line.split()[:7] == ["max_lost", "number", "none", "from", "0", "Largest", "loss"]
    assert run("ls", "passes", "trim") == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_ls_methods_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ls", "methods", "last_k") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1:3] == ["writes a checkpoint", ""]
    assert out.splitlines()[3] == "Keys of train with method: last_k"
    assert run("ls", "methods", "bitfit") == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["writes a checkpoint", "has no options"]


def test_ls_runtimes_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ls", "runtimes", "openvino") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "model file: openvino_model.xml" in lines
    assert "to install it: pip install -c constraints.txt -e '.[openvino]'" in lines
    rows = {line.split()[0]: line for line in lines if line}
    assert "lingopress[openvino], calibration text" in rows["int8"]
    assert rows["bf16"].endswith("Computes in bf16; weights are stored in fp16.")
    assert run("ls", "runtimes", "onnxruntime") == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert rows["int8"].split()[1:4] == ["-", "fp32,", "int8,"]
    assert "lingopress[openvino], calibration text" in rows["int8-static"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stages", "distil"), "error: unknown stage 'distil'; did you mean 'distill'?\nknown: "),
        (("methods", "lra"), "error: unknown method 'lra'; did you mean 'lora'?\nknown: "),
        (("passes", "prun"), "error: unknown pass 'prun'; did you mean 'prune'?\nknown: "),
        (("passes", "train"), "error: unknown pass 'train'"),
        (("runtimes", "torhc"), "error: unknown runtime 'torhc'; did you mean 'torch'?\nknown: "),
        (("tasks", "xnlo"), "error: unknown task 'xnlo'; did you mean 'xnli'?\nknown: "),
        (("recipes", "quickstart"), "error: to print a recipe, type: lingopress show quickstart\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_unknown_names(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ls", *arguments) == 2
    assert capsys.readouterr().err.startswith(message)


def test_a_terminal_gets_tables_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    component_cards.show(component_cards.card("stages", "trim"))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 90
    assert any("probe_task" in line for line in lines)
