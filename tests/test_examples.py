"""Examples in docstrings that need nothing but their module give what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

EXAMPLES = [
    "compress.distill.rules.choose_layers",
    "compress.distill.elastic_cuts",
    "compress.distill.elastic_cuts.sizes_problem",
    "compress.distill.elastic_cuts.untrained",
    "recipes.stages._shared.lineage.kept",
    "evalsuite.inference.batching.by_tokens",
    "evalsuite.bench.grid",
    "evalsuite.submission.benchmark_means",
    "evalsuite.catalog",
    "evalsuite.data.embedded",
    "evalsuite.data.embedded.generate",
    "evalsuite.data.embedded.phrases",
    "evalsuite.data.embedded.realise",
    "evalsuite.data.embedded.scenes",
    "evalsuite.bench.flops",
    "evalsuite.languages",
    "evalsuite.retrieval.ratio_margin",
    "evalsuite.data.answer_forms",
    "evalsuite.metric",
    "evalsuite.metric.is_hidden",
    "evalsuite.metrics._chunks",
    "evalsuite.metrics.accuracy",
    "evalsuite.metrics.answer_f1",
    "evalsuite.metrics.calibration_error",
    "evalsuite.metrics.chunk_f1",
    "evalsuite.metrics.chunk_f1.best_constant",
    "evalsuite.metrics.f1",
    "evalsuite.metrics.map_at_20",
    "evalsuite.metrics.mining_f1",
    "evalsuite.metrics.token_accuracy",
    "evalsuite.retrieval.cosine",
    "evalsuite.retrieval.threshold",
    "evalsuite.scoring.kinds",
    "evalsuite.report.charts.pareto_charts.short_names",
    "evalsuite.report.figures.formatting",
    "evalsuite.report.figures.labels",
    "evalsuite.report.figures.pareto_front",
    "evalsuite.report.charts.label_places",
    "evalsuite.report.figures.scaling.different",
    "evalsuite.report.figures.seeds",
    "evalsuite.registry",
    "recipes.cli.components",
    "recipes.naming.file_name",
    "recipes.parsing.library",
    "recipes.stages._shared.registry",
    "transfer.find_task",
    "transfer.registry",
    "recipes.planning.stage_graph",
    "recipes.parsing.node",
    "recipes.parsing.overrides",
    "recipes.parsing.problems",
    "recipes.parsing.renamed_keys",
    "transfer.loop.batch_plan.cut",
    "transfer.loop.batch_plan.plan",
    "transfer.text.lexical_init.phi_squared",
    "transfer.loop.mixing.shares",
    "transfer.text.parallel_text.is_prose",
    "transfer.text.parallel_text.ranks",
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
