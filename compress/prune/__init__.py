"""Take away the layers, attention heads and feed-forward units a model needs least.

`importance` measures, `shrink` cuts, `calibration` reads the text that is measured on, `prune` does
it in rounds with recovery between them.
"""
