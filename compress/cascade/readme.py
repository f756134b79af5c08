"""The README of a cascade: its members, their thresholds, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalsuite.cascade.rule import NEVER, Rule

_SCRIPT = """import lingopress

model = lingopress.open(".")
print(model.predict(["A text, or two of them in a tuple."]))
"""


def readme(
    rule: Rule,
    architectures: Sequence[str],
    facts: Mapping[str, float | int | str],
    licences: Sequence[str | None],
) -> str:
    """The text of `README.md`.

    Args:
        architectures: of the members.
        facts: what was measured on dev rows.
        licences: of the members, None where none is named.
    """
    rows = "".join(
        f"| {number} | {member.name} | {architecture} | {_shown(member.threshold)} | "
        f"{member.temperature:.3f} |\n"
        for number, (member, architecture) in enumerate(
            zip(rule.members, architectures, strict=True), 1
        )
    )
    known = sorted({licence for licence in licences if licence})
    front = [f"license: {known[0]}"] if len(known) == 1 and None not in licences else []
    lines = [
        f"- labels: {', '.join(rule.labels)}",
        *([f"- licences of the members: {', '.join(known)}"] if known else []),
        *(f"- {name}: {value}" for name, value in facts.items()),
        "- to check every file: `sha256sum -c SHA256SUMS`",
    ]
    return (
        "---\n"
        + "\n".join([*front, "tags: [multilingual, cascade, lingopress]"])
        + "\n---\n# Cascade\n\nThe first model answers the rows that it is sure of, the next one "
        "those that are left.\n\n"
        "| | model | architecture | answers from probability | temperature |\n"
        f"| --: | --- | --- | --: | --: |\n{rows}\n"
        + "\n".join(lines)
        + f"\n\nRuns with lingopress, from this directory:\n\n```python\n{_SCRIPT}```\n"
        + _languages(rule)
    )


def _shown(threshold: float) -> str:
    return "never" if threshold >= NEVER else f"{threshold:.4f}"


def _languages(rule: Rule) -> str:
    """Thresholds of languages, where there are any."""
    rows = "".join(
        f"| {member.name} | {code} | {_shown(threshold)} |\n"
        for member in rule.members
        for code, threshold in sorted(member.by_language.items())
    )
    if not rows:
        return ""
    return (
        "\n## Thresholds of languages\n\nFor rows whose language is known.\n\n"
        f"| model | language | answers from probability |\n| --- | --- | --: |\n{rows}"
    )
