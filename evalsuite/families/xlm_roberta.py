"""XLM-R base and large (Conneau et al. 2020): RoBERTa in a hundred languages."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.families import roberta

FAMILY = replace(roberta.FAMILY, name="xlm-roberta", classes="XLMRoberta")
