"""Recipes written for a person: from data files, or for a checkpoint that is tuned already.

Files:
    budget.py: a budget in megabytes or milliseconds, and the student that is expected to meet it
    defaults.py: how long and how fast to train, by the number of rows and the width of the model
    new_recipe.py: look at files, and write the recipe for them: what `lingopress init` does
    own_recipe.py: the text of the recipe for a person's data
    recipe_model.py: how a recipe names the model that a person gives
    sample_text.py: text in the languages of a model, and some of it as rows to compare
    shrink_recipe.py: the text of the recipe for a checkpoint that is tuned already
    shrunk.py: look at a tuned checkpoint, and write its recipe: what `lingopress shrink` does
"""
