"""`lingopress shrink`: the recipe for a tuned checkpoint, by its head and the text there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_families import tiny_checkpoint

from evalsuite.errors import ModelError
from recipes.drafting.shrunk import Prepared, ShrinkWishes, prepare
from recipes.errors import RecipesError
from recipes.execution.run_note import RunNote
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan

LINES = "".join(f"It rains in town {n}.\n" for n in range(30))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for code in ("en", "de"):
        path = tmp_path / "text" / f"{code}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(LINES)
    return tmp_path


def prepared(here: Path, head: str | None, languages: str = "en de", **wishes: Any) -> Prepared:
    model = str(tiny_checkpoint("xlm-roberta", head))
    return prepare(model, languages.split(), ShrinkWishes(**wishes), here / "kept")


def stages(found: Prepared) -> dict[str, Any]:
    recipe = yaml.safe_load(found.path.read_text())
    plan = make_plan(load(str(found.path)), None, DigestMemo())  # as check does
    assert [stage.name for stage in plan.stages] == [own["name"] for own in recipe["stages"]]
    return {own["name"]: own for own in recipe["stages"]} | {"source": recipe["source"]}


@pytest.mark.parametrize(("head", "suffix"), [("pair", "txt"), ("tagging", "conll"), (None, "txt")])
def test_the_vocabulary_is_cut_to_the_persons_text(
    here: Path, head: str | None, suffix: str
) -> None:
    found = prepared(here, head, text=(Path("text"),))
    own = stages(found)
    assert own["source"] == "files" and not found.notes
    assert own["trimmed"]["text"] == ["text/en.txt", "text/de.txt"]
    assert own["bundle"]["model"] == "trimmed" and own["bundle"]["probe_task"] == "sentences"
    sample = found.path.with_name(f"{found.name}-text") / f"de.{suffix}"
    first = sample.read_text().split("\n")[0]
    assert first == ("It\tLABEL_0" if head == "tagging" else "It rains in town 0.")


@pytest.mark.parametrize(("head", "compared"), [("pair", "xnli"), ("tagging", "panx")])
def test_without_text_the_vocabulary_is_whole_and_a_note_says_so(
    here: Path, head: str, compared: str
) -> None:
    found = prepared(here, head, "en hi xx yo")
    own = stages(found)
    assert own["source"] == "embedded" and "trimmed" not in own
    assert own["bundle"]["probe_task"] == own["speed"]["task"] == compared
    said = "\n".join(found.notes)
    assert "the vocabulary is left whole" in said and "generated from templates" in said
    assert "none of them is in xx" in said


def test_labelled_rows_are_scored_before_and_after(here: Path) -> None:
    rows = "text,label\n" + "".join(
        f"It rains in the town {n} and it is cold,{n % 3}\n" for n in range(12)
    )
    (here / "test-en.csv").write_text(rows)
    (here / "test-fr.csv").write_text(rows)
    found = prepared(here, "pair", "en", text=(Path("text"),), task_data=(Path("test-en.csv"),))
    recipe = yaml.safe_load(found.path.read_text())
    assert recipe["tasks"]["rows"]["test"] == {"en": "test-en.csv"}
    assert [own["name"] for own in recipe["stages"]] == [
        *("trimmed", "bundle", "speed", "scores", "report")
    ]
    assert recipe["stages"][1]["max_lost"] == 2


def test_rows_of_other_languages_are_not_scored(here: Path) -> None:
    rows = "text,label\n" + "".join(f"It rains in town {n},{n % 3}\n" for n in range(12))
    for code in ("en", "de", "fr"):
        (here / f"test-{code}.csv").write_text(rows)
    files = tuple(Path(f"test-{code}.csv") for code in ("en", "de", "fr"))
    found = prepared(here, "pair", task_data=files)
    recipe = yaml.safe_load(found.path.read_text())
    assert recipe["tasks"]["rows"]["test"] == {"en": "test-en.csv", "de": "test-de.csv"}


def test_rows_of_a_region_are_of_its_language(here: Path) -> None:
    rows = "text,label\n" + "".join(f"It rains in town {n},{n % 3}\n" for n in range(12))
    for code in ("en", "de-AT"):
        (here / f"test-{code}.csv").write_text(rows)
    files = tuple(Path(f"test-{code}.csv") for code in ("en", "de-AT"))
    recipe = yaml.safe_load(prepared(here, "pair", task_data=files).path.read_text())
    assert set(recipe["tasks"]["rows"]["test"]) == {"en", "de-AT"}


def test_rows_of_a_file_with_several_languages_replace_no_file(here: Path) -> None:
    rows = [f"It rains in the town {n} of {c},{n % 3},{c}" for n in range(9) for c in ("en", "de")]
    lines = ["text,label,lang", *rows]
    (here / "all.csv").write_text("\n".join(lines) + "\n")
    (here / "data" / "de").mkdir(parents=True)
    (here / "data" / "de" / "test.csv").write_text("mine")
    found = prepared(here, "pair", task_data=(Path("all.csv"),))
    test = yaml.safe_load(found.path.read_text())["tasks"]["rows"]["test"]
    assert set(test) == {"en", "de"} and all("-rows/" in place for place in test.values())
    assert (here / "data" / "de" / "test.csv").read_text() == "mine"


def test_what_is_calibrated_needs_a_corpus(here: Path) -> None:
    text, rows = (Path("text"),), here / "test-en.csv"
    rows.write_text("text,label\n" + "".join(f"It rains in {n},{n % 3}\n" for n in range(12)))
    said = r"openvino: its int8 is calibrated on parallel text, and there is none\ngive --data-dir"
    with pytest.raises(RecipesError, match=f"{said} in place of --text, or --precision"):
        prepared(here, "pair", text=text, runtime="openvino")
    with pytest.raises(RecipesError, match=f"{said}, or --precision"):
        prepared(here, "pair", "en", task_data=(rows,), runtime="openvino")
    found = prepared(here, "pair", text=text, runtime="openvino", precision="int8-weights")
    assert "runtime: openvino, precision: int8-weights" in found.path.read_text()


def test_one_message(here: Path) -> None:
    with pytest.raises(RecipesError, match=r"no text in hi, and a vocabulary .*\n.*--text hi\.txt"):
        prepared(here, "pair", "en hi", text=(Path("text"),))
    (here / "corpus" / "parallel").mkdir(parents=True)
    (here / "empty").mkdir()
    with pytest.raises(RecipesError, match="no text in en, and a vocabulary is cut to text"):
        prepared(here, "pair", "en", data_dir=here / "empty")
    with pytest.raises(RecipesError, match="a head for span; shrink takes classifiers"):
        prepared(here, "span")
    with pytest.raises(RecipesError, match="--task-data: the model is an encoder"):
        prepared(here, None, task_data=(Path("text"),))
    (here / "mine.yaml").write_text("x")
    with pytest.raises(RecipesError, match=r"mine\.yaml exists"):
        prepared(here, "pair", recipe=Path("mine.yaml"))


def test_a_stage_of_a_run_is_shrunk(here: Path) -> None:
    space = Workspace(here / "space")
    path = tiny_checkpoint("xlm-roberta", "pair")
    space.write_run(RunNote(recipe="m", stages={"t[size=base]": str(path)}), {})
    wishes = ShrinkWishes(workspace=here / "space")
    found = prepare("m:t[size=base]", ("en",), wishes, here / "kept")
    assert found.name == "m-t-size-base-small"
    assert yaml.safe_load(found.path.read_text())["stages"][0]["model"] == str(path)
    with pytest.raises(RecipesError, match="has no finished run of other"):
        prepare("other:t", ("en",), wishes, here / "kept")
    with pytest.raises(ModelError, match=r"there is no directory \./m:t"):
        prepare("./m:t", ("en",), wishes, here / "kept")
