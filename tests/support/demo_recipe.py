"""A recipe of three fake stages, for tests of runs and caches."""

from __future__ import annotations

RECIPE = """
name: demo
source: embedded
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [xnli]}
  - {name: fused, stage: fuse, model: teacher}
  - {name: scores, stage: evaluate, models: [teacher, fused], tasks: [xnli]}
"""
