"""docs/reference.md: every key of recipes, stages and methods, and the precisions of runtimes.

Made from the config classes by `lingopress ls stages --markdown > docs/reference.md`; a test
compares the file with what this module makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compress.export.registry import EXPORTERS
from recipes.cli.component_cards import card
from recipes.cli.key_tables import HEADER, Key, KeyGroup, keys_of_recipe, keys_of_stage
from recipes.stages._shared.registry import stage_kinds
from transfer.registry import METHODS

INTRODUCTION = """\
# Keys

Every key of a recipe, with its type, default and range. `lingopress ls stages NAME` prints the same
for one stage, `lingopress ls methods NAME` for one training method, `lingopress ls runtimes NAME`
for the precisions of one runtime.
This page is made from the code: `lingopress ls stages --markdown > docs/reference.md`.

**In an editor.** `lingopress schema > recipe.schema.json` writes a JSON Schema of recipes. Editors
with a YAML language server (VS Code with the YAML extension, Neovim, Helix, Zed) complete keys and
show these sentences if the first line of a recipe is

```yaml
# yaml-language-server: $schema=./recipe.schema.json
```

In place of any value a recipe may have a matrix variable or a knob, such as `"${task.steps}"`.
`lingopress check` finds more than an editor can, such as stages that do not fit together.

A stage has the keys in its table, and those in the shared tables it links to. Where a key is in
both, the stage's table applies.
"""


def reference_page() -> str:
    """The page, in Markdown."""
    parts = [INTRODUCTION, *_groups(keys_of_recipe(), "##")]
    shared = shared_groups()
    for kind in stage_kinds():
        own, *others = keys_of_stage(kind)
        linked = [key for group in others for key in shared[group.title].keys]
        different = [
            key
            for group in others
            for key in group.keys
            if any(key.name == other.name and key != other for other in linked)
        ]
        parts.append(f"## Stage `{kind}`\n\n{card('stages', kind).about}\n")
        parts.append(_table(HEADER, (*own.keys, *different)))
        links = "; ".join(f"[{group.title}](#{anchor(group.title)})" for group in others)
        parts.append(f"Shared: {links}.\n")
    parts.append("## Shared keys\n")
    parts += _groups(shared.values(), "###")
    parts.append("## Training methods\n\nOptions of `train`, by `method`.\n")
    parts.append(
        _table(("method", "options", "about"), [_method(name) for name in METHODS.names()])
    )
    parts.append("## Runtimes\n\nPrecisions of `export`, by `runtime`.\n")
    for name in EXPORTERS.names():
        shown = card("runtimes", name)
        facts = "; ".join(shown.facts)
        (table,) = shown.tables
        parts.append(f"### Runtime `{name}`\n\n{shown.about} {facts[0].upper()}{facts[1:]}.\n")
        parts.append(_table(table.header, table.rows))
    return "\n".join(parts)


def shared_groups() -> dict[str, KeyGroup]:
    """The keys that stages share, by title; of a key that differs between stages, the first."""
    shared: dict[str, dict[str, Key]] = {}
    for kind in stage_kinds():
        for group in keys_of_stage(kind)[1:]:
            keys = shared.setdefault(group.title, {})
            keys |= {key.name: key for key in group.keys if key.name not in keys}
    return {title: KeyGroup(title, tuple(keys.values())) for title, keys in shared.items()}


def _method(name: str) -> tuple[str, str, str]:
    shown = card("methods", name)
    options = [row[0] for table in shown.tables for row in table.rows]
    return name, ", ".join(f"`{option}`" for option in options) or "none", shown.about


def _groups(groups: Iterable[KeyGroup], level: str) -> list[str]:
    return [f"{level} {group.title}\n\n{_table(HEADER, group.keys)}" for group in groups]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header)]
    lines += [[f"`{first}`", *map(_cell, rest)] for first, *rest in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
