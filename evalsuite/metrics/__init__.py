"""Metrics, from gold and predicted answers to percent: one file each, with a module-level `METRIC`.

`evalsuite.registry.METRICS` finds them by their file names, `lingopress ls metrics` lists them, and
`evalsuite.metric` says what a metric is. `_chunks.py` and `_tags.py` are shared by several.
"""
