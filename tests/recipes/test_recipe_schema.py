"""`lingopress schema`: every shipped recipe is valid, mistakes are not; the reference page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from json_schema import errors

from recipes.cli.app import main
from recipes.cli.key_tables import keys_of_stage
from recipes.cli.recipe_schema import DRAFT, recipe_schema
from recipes.cli.reference_page import anchor, reference_page
from recipes.parsing.library import recipe_paths
from recipes.parsing.located_yaml import parse
from recipes.parsing.problems import Problems
from recipes.stages._shared.registry import load_stage, stage_kinds

ROOT = Path(__file__).parents[2]
SCHEMA = recipe_schema()


@pytest.mark.parametrize("name", recipe_paths())
def test_shipped_recipes_are_valid(name: str) -> None:
    path = recipe_paths()[name]
    problems = Problems(name)
    tree = parse(path.read_text("utf-8"), name, problems)
    assert tree is not None and not problems
    assert errors(SCHEMA, tree.plain()) == []


def recipe(**stage: Any) -> dict[str, Any]:
    """A recipe with one stage."""
    return {"name": "r", "source": "embedded", "stages": [{"name": "a", "stage": "trim"} | stage]}


def test_what_is_valid() -> None:
    assert errors(SCHEMA, recipe(model="./base", languages=["en"], coverage=0.99)) == []
    assert errors(SCHEMA, recipe(model="./base", languages="${set}", coverage="${share}")) == []
    assert errors(SCHEMA, recipe(model="./base", languages=["${language}"], max_lines=None)) == []
    changed = {"extends": "quickstart", "stages": [{"name": "int8", "precision": "fp32"}]}
    assert errors(SCHEMA, changed) == []
    assert errors(SCHEMA, {"extends": "quickstart", "seed": 2}) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (recipe(model="./base", coverage=2), "stages[0].coverage: 2 fits none of the 2 forms"),
        (recipe(model="./base", coverage="x"), "stages[0].coverage: 'x' fits none of the 2 forms"),
        (recipe(model="./base", langauges=["en"]), "stages[0]: unknown key langauges"),
        (recipe(), "stages[0]: model is missing"),
        (recipe(stage="trin"), "stages[0].stage: 'trin' is not one of"),
        (recipe(model="./base", name="two words"), "stages[0].name: 'two words' does not match"),
        ({"name": "r", "stages": []}, "stages: has fewer than 1 entries"),
        ({"name": "r", "stages": []}, ": source is missing"),
        (recipe(model="./base") | {"source": "hubs"}, "source: 'hubs' is not one of"),
        (recipe(model="./base") | {"sed": 1}, ": unknown key sed"),
        (
            {"extends": "x", "stages": [{"name": "a", "stage": "trim", "rank": 1}]},
            "stages[0]: unknown key rank",
        ),
    ],
)
def test_what_is_not(wrong: dict[str, Any], message: str) -> None:
    assert any(line.startswith(message) for line in errors(SCHEMA, wrong)), errors(SCHEMA, wrong)


@pytest.mark.parametrize("kind", stage_kinds())
def test_each_stage_has_all_its_keys_described(kind: str) -> None:
    config = load_stage(kind).Config
    properties = SCHEMA["$defs"][f"stage {kind}"]["properties"]
    assert properties.keys() == config.model_fields.keys() | config.renamed.keys()
    assert all(value["description"] for value in properties.values())
    assert all(properties[old]["deprecated"] for old in config.renamed)
    assert SCHEMA["$defs"][f"stage {kind}"]["additionalProperties"] is False


def test_references_lead_somewhere() -> None:
    text = json.dumps(SCHEMA)
    for part in text.split('"$ref": "#/$defs/')[1:]:
        assert part.split('"')[0] in SCHEMA["$defs"]


def test_schema_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["schema"])
    assert not end.value.code
    printed = json.loads(capsys.readouterr().out)
    assert printed == SCHEMA and printed["$schema"] == DRAFT


def test_the_reference_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    command = "make it again: lingopress ls stages --markdown > docs/reference.md"
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == reference_page(), command
    with pytest.raises(SystemExit) as end:
        main(["ls", "stages", "--markdown"])
    assert not end.value.code
    assert capsys.readouterr().out == reference_page()
    with pytest.raises(SystemExit) as end:
        main(["ls", "methods", "--markdown"])
    assert end.value.code == 2
    assert "type lingopress ls stages --markdown" in capsys.readouterr().err


@pytest.mark.parametrize("kind", stage_kinds())
def test_a_reader_of_the_page_finds_every_key_of_a_stage(kind: str) -> None:
    """In the stage's own table, which comes first, or in a shared one it links to."""
    sections: dict[str, str] = {}
    for part in re.split(r"^#+ ", reference_page(), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        sections[anchor(title)] = text
    own = sections[anchor(f"Stage `{kind}`")]
    rows: dict[str, str] = {}
    for link in re.findall(r"\(#([^)]+)\)", own):
        rows |= _rows(sections[link])
    rows |= _rows(own)
    keys = [key for group in keys_of_stage(kind) for key in group.keys]
    assert len(keys) > 3
    for key in keys:
        cells = [key.type, key.default, key.range, key.about]
        assert rows[key.name] == " | ".join(cell.replace("|", "\\|") for cell in cells).replace(
            "<", "&lt;"
        )


def _rows(section: str) -> dict[str, str]:
    """Key -> its other cells."""
    found = re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, flags=re.MULTILINE)
    return dict(found)


def test_links_of_the_reference_page_lead_to_headings() -> None:
    page = reference_page()
    headings = {anchor(line.lstrip("# ")) for line in page.splitlines() if line.startswith("#")}
    links = {part.split(")")[0] for part in page.split("](#")[1:]}
    assert links and links <= headings
