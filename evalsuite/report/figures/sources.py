"""Where the data of a run came from.

>>> badge(run)
'embedded (template-generated; says nothing about XTREME-R)'
"""

from __future__ import annotations

from collections.abc import Iterable

from evalsuite.results.run import RunRecord
from evalsuite.task import SourceKind

BADGES: dict[SourceKind, str] = {
    "files": "OWN",
    "embedded": "embedded (template-generated; says nothing about XTREME-R)",
    "xtreme": "XTREME directory",
    "hub": "hub",
}


def badge(run: RunRecord) -> str:
    """The source of the data, or the sources of all runs compared."""
    sources = dict.fromkeys(own.source for own in run.runs) or [source_of(run)]
    return " and ".join(BADGES[source] for source in sources)


def source_of(run: RunRecord) -> SourceKind:
    """The source of all figures where they have one, and a real one; else that of the recipe.

    A task that a recipe declares has its files, whatever source the recipe names.
    """
    return _only_real(run, _figures(run)) or run.source


def mix_warning(run: RunRecord) -> str:
    """A warning that names the figures from another source than the run's; empty if none.

    Where all figures are from one real source, that is the source, and nothing is mixed.
    """
    if len({own.source for own in run.runs}) > 1:
        sources = "; ".join(f"{compared.name} is from {compared.source}" for compared in run.runs)
        return (
            f"The runs compared are of different sources: {sources}. Their scores are in "
            "separate columns. Do not compare figures of different sources."
        )
    figures = _figures(run)
    strangers = {source: what for source, what in figures.items() if source != run.source}
    if not strangers or _only_real(run, figures):
        return ""
    listed = "; ".join(f"from {source}: {', '.join(what)}" for source, what in strangers.items())
    return (
        f"The recipe's source is {run.source}, and some figures are from another: {listed}. "
        "Do not compare figures of different sources."
    )


def _only_real(run: RunRecord, sources: Iterable[SourceKind]) -> SourceKind | None:
    """The one source of all figures; None of several, or where something is embedded."""
    found = tuple(sources)
    return found[0] if len(found) == 1 and "embedded" not in (run.source, *found) else None


def _figures(run: RunRecord) -> dict[SourceKind, dict[str, None]]:
    """Source -> what is from it."""
    found: dict[SourceKind, dict[str, None]] = {}
    for score in run.scores:
        found.setdefault(score.source, {})[f"{score.task} of {score.model.label}"] = None
    for speed in run.speeds:
        found.setdefault(speed.source, {})[f"speed of {speed.model.label}"] = None
    for aligned in run.alignment:
        found.setdefault(aligned.source, {})[f"alignment of {aligned.model.label}"] = None
    for counted in run.fertility:
        found.setdefault(counted.source, {})[f"words of {counted.label}"] = None
    return found
