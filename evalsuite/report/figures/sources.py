"""Where the data of a run came from.

>>> badge(run)
'embedded (template-generated; says nothing about XTREME-R)'
"""

from __future__ import annotations

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
    sources = dict.fromkeys([run.source, *(own.source for own in run.runs)])
    return " and ".join(BADGES[source] for source in sources)


def mix_warning(run: RunRecord) -> str:
    """A warning that names the figures from another source than the run's; empty if none."""
    by_source: dict[str, dict[str, None]] = {}
    for score in run.scores:
        by_source.setdefault(score.source, {})[f"{score.task} of {score.model.label}"] = None
    for speed in run.speeds:
        by_source.setdefault(speed.source, {})[f"speed of {speed.model.label}"] = None
    for aligned in run.alignment:
        by_source.setdefault(aligned.source, {})[f"alignment of {aligned.model.label}"] = None
    for counted in run.fertility:
        by_source.setdefault(counted.source, {})[f"words of {counted.label}"] = None
    if len({own.source for own in run.runs}) > 1:
        sources = "; ".join(f"{compared.name} is from {compared.source}" for compared in run.runs)
        return (
            f"The runs compared are of different sources: {sources}. Their scores are in "
            "separate columns. Do not compare figures of different sources."
        )
    strangers = {source: what for source, what in by_source.items() if source != run.source}
    if not strangers:
        return ""
    listed = "; ".join(f"from {source}: {', '.join(what)}" for source, what in strangers.items())
    return (
        f"The recipe's source is {run.source}, and some figures are from another: {listed}. "
        "Do not compare figures of different sources."
    )
