"""Examples in docstrings that need nothing but their module give what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

EXAMPLES = [
    "compress.distill.student.choose_layers",
    "evalsuite.batching.by_tokens",
    "evalsuite.bench.grid",
    "evalsuite.benchmarks",
    "evalsuite.catalog",
    "evalsuite.data.embedded",
    "evalsuite.data.embedded.generate",
    "evalsuite.data.embedded.phrases",
    "evalsuite.data.embedded.realise",
    "evalsuite.data.embedded.scenes",
    "evalsuite.flops",
    "evalsuite.languages",
    "evalsuite.margin",
    "evalsuite.metrics",
    "evalsuite.metrics.accuracy",
    "evalsuite.metrics.answers",
    "evalsuite.metrics.chance",
    "evalsuite.metrics.chunks",
    "evalsuite.metrics.retrieval",
    "evalsuite.metrics.mining",
    "evalsuite.metrics.score",
    "evalsuite.metrics.token_accuracy",
    "evalsuite.report.charts.short_names",
    "evalsuite.report.formatting",
    "evalsuite.report.labels",
    "evalsuite.report.pareto",
    "evalsuite.report.placing",
    "evalsuite.report.scaling.different",
    "evalsuite.report.seed_tables",
    "evalsuite.tasks",
    "recipes.catalog",
    "recipes.graph",
    "recipes.problems",
    "transfer.batches.cut",
    "transfer.batches.plan",
    "transfer.lexical.phi_squared",
    "transfer.mixing.shares",
    "transfer.text.is_prose",
    "transfer.text.ranks",
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_give_what_they_say(name: str) -> None:
    try:
        found = importlib.import_module(name)
        names = vars(found)
    except ModuleNotFoundError:
        package, _, attribute = name.rpartition(".")
        module = importlib.import_module(package)
        found, names = getattr(module, attribute), vars(module)
    examples = doctest.DocTestFinder(recurse=False).find(found, name, globs=dict(names))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    results = [runner.run(example) for example in examples]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
