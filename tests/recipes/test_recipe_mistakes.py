"""Everyday mistakes in a recipe, and odd values: `check` names each, and never breaks or hangs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.naming import file_name
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.stage_graph import order

MODEL = "package:recipes/models/e5-mini"
STAGES = {  # kind -> the key that names its input, and its other keys
    "train": ("model", "tasks: [xnli]"),
    "distill": ("teacher", "tasks: [xnli], layers: 2"),
    "fuse": ("model", ""),
    "export": ("model", "precision: int8"),
    "trim": ("model", "languages: [en]"),
    "prune": ("model", "layers: 2, tasks: [xnli]"),
}


def check(folder: Path, text: str) -> str:
    """What is wrong with a recipe; the empty text where nothing is."""
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        make_plan(load(str(path)), None, DigestMemo(folder / "memo"), keys=False)
    except RecipeError as error:
        return str(error)
    return ""


def recipe(
    top: str = "", *, name: str = "demo", seed: str = "1", model: str = MODEL, second: str = ""
) -> str:
    stages = f"  - {{name: nli, stage: train, model: {model}, tasks: [xnli]}}\n{second}"
    return f"name: {name}\nsource: embedded\nseed: {seed}\n{top}\nstages:\n{stages}"


@pytest.mark.parametrize("written", ["nosuch", '""', '" "', "nl", '"nosuch[size=base]"'])
@pytest.mark.parametrize("kind", STAGES)
def test_a_stage_that_does_not_exist_is_named(kind: str, written: str, tmp_path: Path) -> None:
    role, keys = STAGES[kind]
    second = f"  - {{name: small, stage: {kind}, {role}: {written}, {keys}}}\n"
    text = check(tmp_path, recipe(second=second))
    name = written.strip('"').partition("[")[0]
    near = "; did you mean 'nli'?" if name == "nl" else ""
    assert f"r.yaml:7: stage 'small': {role}: no stage {name!r}{near}\n" in text
    assert "stages: nli, small" in text and text.count("r.yaml:7:") == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (recipe(seed="0x" + "f" * 5000), ":3: 0xfff"),
        (recipe(seed="0b" + "1" * 20_000), ":3: 0b111"),
        (recipe(seed="0" + "7" * 6000), "is a number of more than 64 bits"),
        (recipe(seed="1" * 5000), "cannot be read as int"),
        (recipe(seed="-1"), ":3: seed: wrong value -1: input should be greater than or equal to 0"),
        (recipe(seed=str(2**32)), "input should be less than or equal to 4294967295"),
        (recipe("matrix: {a: [0x" + "f" * 5000 + "]}", model='"a/b${a}"'), "more than 64 bits"),
        (recipe(model="./" + "a" * 5000), ":6: stage 'nli': model: ./aaa"),
        (recipe(model='"./a\\0b"'), ":6: stage 'nli': model: there is no directory ./a"),
        (recipe(model='"~nosuch/x"'), "there is no directory ~nosuch/x"),
        (recipe('extends: "~nosuch/x.yaml"'), ":4: extends: there is no recipe file ~nosuch"),
        (recipe('extends: "' + "a" * 5000 + '.yaml"'), ":4: extends: there is no recipe file aaa"),
        (recipe('extends: "a\\0b.yaml"'), ":4: extends: there is no recipe file a"),
        (recipe("extends: [a]"), ":4: extends: give a path relative to this file"),
        (recipe(model='"package:__main__/x"'), "there is no installed package '__main__'"),
        (recipe(model='"package:__main__"'), "no stage 'package:__main__'"),
        (recipe("matrix: " + "[" * 20_000), ":4: its values are nested deeper than 40 levels"),
        (recipe("matrix: " + "{a: " * 20_000), ":4: its values are nested deeper than 40 levels"),
        ("- [1]\n" * 30_000, "it has more than 20,000 values"),
        ("# " + "x" * 1_000_000, ":1: it has 1,000,002 characters"),
        (recipe(name="''"), ":1: name: a name is one line of text that can be printed"),
        (recipe(name='"a\\0b"'), ":1: name: a name is one line of text that can be printed"),
    ],
)
def test_an_odd_value_is_one_line_with_its_place(text: str, problem: str, tmp_path: Path) -> None:
    said = check(tmp_path, text)
    assert problem in said, said[:2000]
    assert max(map(len, said.splitlines())) < 1100


def test_too_many_combinations_are_counted_and_not_made(tmp_path: Path) -> None:
    values = f"[{', '.join(map(str, range(20)))}]"
    matrix = f"matrix: {{{', '.join(f'v{n}: {values}' for n in range(6))}}}"
    model = '"a/b' + "".join(f"${{v{n}}}" for n in range(6)) + '"'
    started = time.perf_counter()
    text = check(tmp_path, recipe(matrix, model=model))
    assert time.perf_counter() - started < 3
    assert text.splitlines()[1].endswith(
        "r.yaml:4: matrix: v0, v1, v2, v3, v4, v5 have 64,000,000 combinations of values, and a "
        "stage can have 1,000 variants; take fewer values, or search: with trials"
    )


def test_a_long_chain_of_stages_is_ordered_at_once() -> None:
    needs = {str(n): [str(n + 1)] for n in range(5000)} | {"5000": []}
    started = time.perf_counter()
    assert order(needs) == [str(n) for n in reversed(range(5001))]
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("name", ["..", ".", "", "/", "a/../../b", "../x", "/etc/passwd"])
def test_a_name_is_never_a_path(name: str, tmp_path: Path) -> None:
    place = tmp_path / "runs" / file_name(name)
    assert place.resolve().parent == tmp_path / "runs"


def test_a_task_that_is_declared_wrong_is_not_unknown_too(tmp_path: Path) -> None:
    tasks = "tasks: {own: {format: classification, train: {english: rows.csv}}, 'a b': {}}"
    text = check(tmp_path, recipe(tasks).replace("xnli", "own, a b"))
    assert "english" in text and "2 problems" in text
    assert "unknown task" not in text


def test_stages_of_a_cycle_are_checked_too(tmp_path: Path) -> None:
    second = (
        "  - {name: e, stage: export, model: later, precison: int8}\n"
        "  - {name: later, stage: trim, model: e, languages: [en], coverage: 2}\n"
        "  - {name: own, stage: fuse, model: own, nosuch: 1}\n"
        "  - {name: after, stage: fuse, model: later}\n"
    )
    text = check(tmp_path, recipe(second=second))
    assert ":7: stages need each other: e -> later -> e" in text
    assert ":7: stage 'e' (export): unknown key 'precison'; did you mean 'precision'?" in text
    assert ":8: stage 'later' (trim): coverage: wrong value 2" in text
    assert ":9: stages need each other: own -> own" in text
    assert ":9: stage 'own' (fuse): unknown key 'nosuch'" in text
    assert "5 problems" in text


def test_many_cycles_are_not_followed_for_ever(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(80)]
    second = "".join(
        f"  - {{name: {name}, stage: report, results: [{', '.join(names)}]}}\n" for name in names
    )
    assert check(tmp_path, recipe(second=second)).count("stages need each other") == 20


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ("stage: distill, teacher: nli, layers: 2, epochs: .inf", "epochs"),
        ("stage: train, model: nli, tasks: [xnli], learning_rate: .nan", "learning_rate"),
        (
            "stage: distill, teacher: nli, tasks: [xnli], layers: 2, temperature: .inf",
            "temperature",
        ),
    ],
)
def test_no_number_of_a_key_is_infinite(keys: str, named: str, tmp_path: Path) -> None:
    text = check(tmp_path, recipe(second=f"  - {{name: small, {keys}}}\n"))
    assert f"{named}: wrong value " in text and "input should be a finite number" in text
