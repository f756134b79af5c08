"""Which tasks and languages a benchmark's overall score is the mean of.

>>> XTREME.groups["qa"]
('xquad', 'mlqa', 'tydiqa')
>>> XTREME.mean({"pawsx": 80.0, "xnli": 70.0}, "classification")
75.0
>>> XTREME.mean({"pawsx": 80.0, "xnli": 70.0}) is None    # no overall score of some tasks
True

A task's score is the mean of its metrics' means over all its languages, English included; a
group's and the overall score are the plain means over tasks. Where one language is
absent, its task has no score; where one task is absent, its group and the whole have none.

Tasks and languages of XTREME (Hu et al. 2020): `TASK2LANGS` and `GROUP2TASK` in `evaluate.py` of
google-research/xtreme at 0918248. Those of XTREME-R (Ruder et al. 2021): the same file at 838c13b,
which lists LAReQA without languages and has no scorer for it; its eleven are the data set's, and
its group is retrieval, as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["labels", "tags", "rows", "answers", "pairs", "choices", "rankings"]
SUFFIXES: dict[Kind, str] = {"answers": "json", "rankings": "json", "choices": "jsonl"}


@dataclass(frozen=True, slots=True)
class Member:
    """One task of a benchmark.

    Attributes:
        kind: what its prediction files hold, one per line: labels, tags (a blank line between
            sentences), row numbers, pairs of sentence ids, choices (JSON objects); or answers, as
            JSON by question id, or lists of candidates by query id.
        languages: all that its score needs.
        metrics: its score is their mean.
    """

    kind: Kind
    languages: tuple[str, ...]
    metrics: tuple[str, ...]

    def score(self, metrics: Mapping[str, Mapping[str, float]]) -> float | None:
        """Mean over languages and metrics, in percent; None where one is missing."""
        means = []
        for metric in self.metrics:
            values = metrics.get(metric, {})
            if not set(self.languages) <= set(values):
                return None
            means.append(sum(values[code] for code in self.languages) / len(self.languages))
        return sum(means) / len(means)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Tasks by name, and groups of them."""

    title: str
    tasks: Mapping[str, Member]
    groups: Mapping[str, tuple[str, ...]]

    def mean(self, scores: Mapping[str, float], group: str | None = None) -> float | None:
        """A group's score from those of tasks, or the overall score; None where one is missing."""
        names = self.groups[group] if group else tuple(self.tasks)
        if not set(names) <= set(scores):
            return None
        return sum(scores[name] for name in names) / len(names)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


XTREME = Benchmark(
    "XTREME",
    {
        "pawsx": Member("labels", _codes("de en es fr ja ko zh"), ("accuracy",)),
        "xnli": Member(
            "labels", _codes("ar bg de el en es fr hi ru sw th tr ur vi zh"), ("accuracy",)
        ),
        "udpos": Member(
            "tags",
            _codes(
                "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th "
                "tl tr ur vi yo zh"
            ),
            ("chunk_f1",),
        ),
        "panx": Member(
            "tags",
            _codes(
                "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my "
                "nl pt ru sw ta te th tl tr ur vi yo zh"
            ),
            ("chunk_f1",),
        ),
        "xquad": Member(
            "answers", _codes("ar de el en es hi ru th tr vi zh"), ("exact_match", "answer_f1")
        ),
        "mlqa": Member("answers", _codes("ar de en es hi vi zh"), ("exact_match", "answer_f1")),
        "tydiqa": Member(
            "answers", _codes("ar bn en fi id ko ru sw te"), ("exact_match", "answer_f1")
        ),
        "bucc2018": Member("pairs", _codes("de fr ru zh"), ("mining_f1",)),
        "tatoeba": Member(
            "rows",
            _codes(
                "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru "
                "sw ta te th tl tr ur vi zh"
            ),
            ("retrieval_accuracy",),
        ),
    },
    {
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
)

_LATER = {  # languages XTREME-R adds
    "udpos": "lt pl uk wo ro",
    "panx": "qu pl uk az lt pa gu ro",
    "xquad": "ro",
    "tatoeba": "az lt pl uk ro",
}


def _with_later(name: str) -> Member:
    member = XTREME.tasks[name]
    return replace(member, languages=(*member.languages, *_codes(_LATER.get(name, ""))))


XTREME_R = Benchmark(
    "XTREME-R",
    {
        **{name: _with_later(name) for name in ("xnli", "udpos", "panx", "xquad", "mlqa")},
        **{name: _with_later(name) for name in ("tydiqa", "tatoeba")},
        "xcopa": Member("choices", _codes("et ht id it qu sw ta th tr vi zh"), ("accuracy",)),
        "mewslix": Member("rankings", _codes("ar de en es fa ja pl ro ta tr uk"), ("map_at_20",)),
        "lareqa": Member("rankings", _codes("ar de el en es hi ru th tr vi zh"), ("map_at_20",)),
    },
    {
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("tatoeba", "mewslix", "lareqa"),
    },
)

BENCHMARKS = {"xtreme": XTREME, "xtreme-r": XTREME_R}
