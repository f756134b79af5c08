"""Know tasks, data, metrics, runtimes and measurement.

`evalsuite` reads XTREME-R data from three sources, scores any checkpoint or exported bundle
with one piece of code, measures what it costs to run, and reports both. It imports none of
the other packages of this project, and importing it loads no torch.
"""
