"""Merge an adapter, or several combined, into the weights of their base.

Files:

- `fuse.py`: merges, writes the checkpoint and measures the drift from the live adapter.
- `adapters.py`: reads an adapter and attaches it to floating-point weights.
- `combine.py`: makes one adapter of several.
- `combinations.py`: the ways to combine adapters, by name.
- `weight_search.py`: searches the adapters' weights on English dev rows.
- `rules.py`: which adapters can be combined, for check and for the fuse alike.
- `requantize.py`: rounds the merged weights again, and measures what is left of the update.
"""
