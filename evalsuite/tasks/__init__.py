"""The benchmark's tasks: one file each, with a module-level `TASK`.

`evalsuite.registry.TASKS` finds them by their file names.
"""
