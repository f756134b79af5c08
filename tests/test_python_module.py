"""The module `lingopress`: the notebook of the documents runs, and a user's script is typed."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "docs" / "python.ipynb"


def code_cells() -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def execute(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; its value is that of its last expression, as in a notebook."""
    tree = ast.parse(source)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    value = ast.Assign([ast.Name("_value", ast.Store())], last.value, lineno=1)
    module = ast.fix_missing_locations(ast.Module([value], []))
    exec(compile(module, str(NOTEBOOK), "exec"), names)
    return names["_value"]


@pytest.mark.slow
def test_the_notebook_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from checkpoints import small
    from made_once import made_once

    encoder = made_once("small-encoder", lambda out: small(out, "encoder"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)
    names: dict[str, Any] = {}
    values: dict[str, Any] = {}
    quicker = {  # a tiny encoder, few steps, and a bundle that needs no tracing
        "package:recipes/models/e5-mini": str(encoder),
        "STEPS = 60": "STEPS = 3",
        "precision: int8": "runtime: torch, precision: bf16",
    }
    text = "\f".join(code_cells())
    for old, new in quicker.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    for source in text.split("\f"):
        values[source.splitlines()[0].split(" = ")[0]] = execute(source, names)
    run, model = names["run"], names["model"]
    assert [stage.label for stage in run.stages] == ["teacher", "int8", "scores", "report"]
    assert {(score.model.label, score.task) for score in run.scores} == {
        ("teacher", "topics"), ("int8", "topics")
    }  # fmt: skip
    assert values["run"] is run
    page = run._repr_html_()
    assert page.startswith('<iframe srcdoc="&lt;!doctype html') or "&lt;html" in page[:200]
    assert model.labels == ("food", "weather")
    assert [set(answer) for answer in values["model"]] == [{"label", "scores"}] * 2
    shape, cosine = values["vectors"]
    assert shape == (2, 32) and -1 <= cosine <= 1.0001
    examples, scores = values["result"]
    assert examples == {"de": 48} and set(scores) == {"de"}
    comparison = next(value for value in values.values() if hasattr(value, "summary"))
    assert set(comparison.runs) == {"topics", "some"} and "iframe" in comparison._repr_html_()
    said = capsys.readouterr().out
    assert "max_step" in said and "did you mean 'max_steps'?" in said


def test_errors_are_those_of_the_command_line(tmp_path: Path) -> None:
    import lingopress

    with pytest.raises(lingopress.ERRORS, match="there is no directory nowhere\nname a model"):
        lingopress.open("nowhere", workspace=tmp_path)
    with pytest.raises(lingopress.ERRORS, match="unknown task 'xnly'; did you mean 'xnli'"):
        lingopress.evaluate(lingopress.Model(tmp_path), "xnly")
    assert lingopress.tasks()["xnli"].labels == ("entailment", "neutral", "contradiction")


def test_rows_with_another_number_of_texts_are_refused(tmp_path: Path) -> None:
    from checkpoints import small
    from made_once import made_once

    import lingopress

    model = lingopress.open(made_once("small-pair", lambda out: small(out, "pair")))
    one, two = model.predict(["It rains.", ("It rains.", "It is wet.")])
    assert one["label"] in model.labels and abs(sum(two["scores"].values()) - 1) < 1e-5
    with pytest.raises(lingopress.ERRORS, match=r"input:2: 3 text\(s\); this model needs 1 to 2"):
        model.predict(["a", ("a", "b", "c")])
    assert model.predict([]) == []


def test_a_text_is_no_list_of_texts(tmp_path: Path) -> None:
    import lingopress

    model = lingopress.Model(tmp_path)  # whose files are not read
    with pytest.raises(lingopress.ERRORS, match="input:1: a text, where a list of rows is due"):
        model.predict("It rains.")
    with pytest.raises(lingopress.ERRORS, match="a text, where a list of texts is due; put it in"):
        model.embed("abc")


@pytest.mark.slow
def test_a_users_script_is_typed(tmp_path: Path) -> None:
    """The script of docs/python.md under `mypy --strict`; and one with mistakes is refused."""
    from mypy import api

    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found
    script = tmp_path / "script.py"
    wrong = (
        'import lingopress\n\nlingopress.run(3).scores.zero\nreveal_type(lingopress.open("a"))\n'
    )
    script.write_text(found[1] + wrong)
    out, err, code = api.run(
        ["--strict", "--config-file", str(ROOT / "pyproject.toml"), str(script)]
    )
    assert code == 1, err
    lines = len(found[1].splitlines())
    notes = [line for line in out.splitlines() if "script.py" in line]
    assert all(int(line.split(":")[1]) > lines for line in notes), out
    assert 'argument 1 to "run" has incompatible type "int"' in out.lower() or "arg-type" in out
    assert '"tuple[TaskResult, ...]" has no attribute "zero"' in out
    assert 'Revealed type is "recipes.api.model.Model"' in out


def test_the_tokenizer_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from checkpoints import small
    from made_once import made_once

    import lingopress
    from evalsuite import tokenization

    opened: list[Path] = []
    load = tokenization.load

    def counted(directory: Path) -> Any:
        opened.append(directory)
        return load(directory)

    monkeypatch.setattr(tokenization, "load", counted)
    model = lingopress.open(made_once("small-pair", lambda out: small(out, "pair")))
    first = model.predict([("It rains.", "It is dry.")])
    again = model.predict([("It rains.", "It is dry.")], alone=True)
    assert first[0]["label"] == again[0]["label"]
    assert len(opened) == 1


def test_two_runs_of_one_recipe_are_compared(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by its own report, though the recipe's folder is that of the last run."""
    import lingopress

    monkeypatch.chdir(tmp_path)
    scores = f"stage: evaluate, models: ['{tiny_base}'], tasks: [tatoeba], languages: [de]"
    Path("r.yaml").write_text(
        f"name: small\nsource: embedded\nstages:\n  - {{name: scores, {scores}, max_examples: 4}}\n"
    )
    first, second = (
        lingopress.run("r.yaml", overrides={"seed": seed}, workspace="w", quiet=True)
        for seed in (1, 2)
    )
    assert first.folder == second.folder and first.report != second.report
    found = lingopress.compare(first, second, out="both")
    seeds = {name: record.seed for name, record in found.runs.items()}
    assert seeds == {"small[seed=1]": 1, "small[seed=2]": 2}
