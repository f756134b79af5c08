"""Compute the numbers and sentences of the report.

Files:
    alignment.py: measures of cross-lingual alignment by layer
    costs.py: size, speed and memory of a system
    formatting.py: numbers, sizes and times as text
    headline.py: the report in one sentence
    labels.py: read the label of a model
    machines.py: which machine a speed was measured on
    merge_runs.py: put several runs into one record, to compare them
    names.py: names of languages and metrics
    pareto_front.py: the systems that no other system beats
    scaling.py: how scores grow with the number of parameters
    scores.py: mean scores, differences and averages
    seeds.py: systems that differ only in the seed, and how their scores vary
    size_curves.py: which models are sizes of one elastic student
    sources.py: where the data came from, and a warning where sources are mixed
    systems.py: merge models that differ only in the task they were trained for
    task_front.py: which models no other beats on a task
    training.py: curves of trainings, smoothed and in words
    trials.py: scores and costs of the trials of a search
    verdict.py: what a search recommends, in one sentence
    worked_once.py: the stages of a comparison, those that runs share once
"""
