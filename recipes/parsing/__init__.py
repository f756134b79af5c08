"""Read a recipe file: YAML with line numbers, overrides, references, all problems at once.

Files:
    declared_tasks.py: the tasks that a recipe declares, made known by their names; what is wrong
        is noted, not raised
    knobs.py: what `search:` in a recipe says, and the assignments its knobs span
    library.py: shipped recipes, and recipes by path
    located_yaml.py: YAML read safely, every value with the place it came from
    node.py: a value of a recipe, and the place where it was written
    problems.py: all that is wrong with a recipe, collected and then said at once
    recipe_file.py: what a recipe file may say, and reading one
    references.py: how one stage names another, or a model from outside
    renamed_keys.py: old names of stage keys, understood for one version with a note that gives
        the new name
    write_yaml.py: YAML that is read as the same values
    overrides.py: `--set key=value`, in place of a value of the file
"""
