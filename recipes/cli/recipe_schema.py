"""A JSON Schema (draft 2020-12) of recipe files, with which an editor completes and checks keys.

>>> schema = recipe_schema()
>>> schema["$defs"]["stage trim"]["properties"]["coverage"]["description"]
"Share of each language's pieces, by frequency, that the kept vocabulary must cover."

It is made from the config classes. What only `lingopress check` can tell (whether stages fit
together, whether a model exists) is not in it. Three things differ from the classes: a string with
`${...}` is allowed wherever a value is, since a matrix or a search fills it in; old names of keys
are marked as deprecated; and a recipe with `extends:` may leave out what the other recipe says.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from recipes.parsing.recipe_file import STAGE_NAME, Recipe
from recipes.stages._shared.registry import load_stage, stage_kinds

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE: Schema = {"type": "string", "pattern": r"\$\{[^{}]+\}"}
_CHANGES = "stage of a recipe that extends another"


def recipe_schema() -> Schema:
    """The whole schema, as JSON values."""
    shared: Schema = {}
    recipe = _of_class(Recipe, shared)
    required = recipe.pop("required")
    kinds = stage_kinds()
    stages = {f"stage {kind}": _of_stage(kind, shared) for kind in kinds}
    base: Schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": f"^{STAGE_NAME.pattern}$"},
            "stage": {"enum": list(kinds), "description": "Kind of the stage."},
        },
    }
    recipe["properties"]["stages"] |= {"minItems": 1, "items": True}
    return {
        "$schema": DRAFT,
        "title": "lingopress recipe",
        **recipe,
        "if": {"required": ["extends"]},
        "then": {"properties": {"stages": {"items": {"$ref": f"#/$defs/{_CHANGES}"}}}},
        "else": {
            "required": required,
            "properties": {"stages": {"items": {"$ref": "#/$defs/stage"}}},
        },
        "$defs": {
            "stage": base
            | {"required": ["name", "stage"], "allOf": [_when(k, _required(k)) for k in kinds]},
            _CHANGES: base | {"required": ["name"], "allOf": [_when(k, ["name"]) for k in kinds]},
            **stages,
            **shared,
        },
    }


def _when(kind: str, required: list[str]) -> Schema:
    """What holds of a stage of this kind."""
    return {
        "if": {"properties": {"stage": {"const": kind}}, "required": ["stage"]},
        "then": {"$ref": f"#/$defs/stage {kind}", "required": required},
    }


def _required(kind: str) -> list[str]:
    fields = load_stage(kind).Config.model_fields
    return [name for name, field in fields.items() if field.is_required()]


def _of_stage(kind: str, shared: Schema) -> Schema:
    """Properties of a stage; a key may hold a variable, except its name and its kind."""
    config = load_stage(kind).Config
    schema = _of_class(config, shared)
    keys = schema["properties"]
    for name in keys.keys() - {"name", "stage"}:
        keys[name] = _or_variable(keys[name])
    keys["stage"] = {"const": kind, "description": keys["stage"]["description"]}
    for old, new in config.renamed.items():
        about = f"Old name of {new}, which will be removed in the next version."
        keys[old] = keys[new] | {"deprecated": True, "description": about}
    del schema["required"]
    return schema


def _of_class(config: type[BaseModel], shared: Schema) -> Schema:
    """A class's own schema without titles; definitions it uses are put into `shared`."""
    schema = config.model_json_schema()
    for name, definition in schema.pop("$defs", {}).items():
        shared[name] = _or_variables_inside(_untitled(definition))
    return _untitled(schema) | {"description": (config.__doc__ or "").split("\n", 1)[0]}


def _untitled(schema: Schema) -> Schema:
    """Without the titles, which only repeat the keys."""
    clean = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in clean:
        clean["properties"] = {k: _untitled(v) for k, v in clean["properties"].items()}
    return clean


def _or_variables_inside(schema: Schema) -> Schema:
    if "properties" not in schema:
        return schema
    inside = {name: _or_variable(value) for name, value in schema["properties"].items()}
    return schema | {"properties": inside}


def _or_variable(schema: Schema) -> Schema:
    """A value, or a string with `${...}` in its place, at every depth."""
    notes = {key: schema[key] for key in ("description", "default") if key in schema}
    value = {key: inner for key, inner in schema.items() if key not in notes}
    if "items" in value:
        value["items"] = _or_variable(value["items"])
    options = [_or_variable(option) for option in value.pop("anyOf", [])]
    flat = [inner for option in options for inner in option.get("anyOf", [option])]
    if value:
        flat.insert(0, value)
    if any(option.get("type") == "string" and option.keys() == {"type"} for option in flat):
        return notes | (flat[0] if len(flat) == 1 else {"anyOf": flat})
    return notes | {"anyOf": [*(option for option in flat if option != VARIABLE), VARIABLE]}
