"""What the module `lingopress` offers to Python programs and notebooks.

Files:
    comparison.py: runs in one report
    model.py: an open model: labels, tags, answers, vectors
    notebook.py: a report in a notebook
    recipe_run.py: run a recipe: its stages, scores and report
    tasks.py: tasks by name, and the scores of a model on one
"""
