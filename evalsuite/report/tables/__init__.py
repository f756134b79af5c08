"""Tables of the report: each file defines `TABLE`, and the report shows what it finds here.

A file whose name begins with `_` is a helper of other tables.

Files:
    _agreement.py: how often two systems predict the same
    alignment.py: what compression kept of cross-lingual alignment
    answered.py: how often each model of a cascade answered, by language
    benchmark_means.py: scores by the rules of XTREME and XTREME-R
    costs.py: size, speed and memory
    elastic.py: scores of the sizes of elastic students, by language
    fertility.py: how vocabularies split words
    language_charts.py: charts of the scores by language, one per task
    languages.py: scores of one task, by language
    pareto_front.py: charts of scores against size and throughput
    runs.py: the runs of a comparison
    scaling.py: scores against the number of parameters
    scores.py: the main table, systems by tasks
    seeds.py: mean and deviation over seeds
    signatures.py: what every number was measured on
    speed.py: speed by batch size and length, and by language
    stages.py: what each stage did, and its cost
    task_fronts.py: mean, worst language, size and speed per task, and which models no other beats
    training.py: loss and dev scores of every training, by step
    trials.py: the trials of a search
"""
