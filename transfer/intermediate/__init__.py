"""Intermediate tasks, trained on before the target task: one file each, with a `TASK`.

`transfer.registry.INTERMEDIATE_TASKS` finds them by their file names. STILTs: Phang et al. 2018
(arXiv:1811.01088); across languages, Phang et al. 2020 (arXiv:2005.13013).
"""
