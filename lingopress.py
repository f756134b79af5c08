"""lingopress in Python: recipes, models, tasks and comparisons.

>>> import lingopress
>>> run = lingopress.run("recipe.yaml", data_dir="data")     # in a notebook, `run` shows the report
>>> lingopress.open("recipe:int8").predict(["It rains."])
[{'label': 'weather', 'scores': {...}}]

What the command line shows as a message is raised here, with the same message, as one of `ERRORS`.
docs/python.md has examples.
"""

from compress.errors import CompressError as CompressError
from evalsuite.errors import EvalsuiteError as EvalsuiteError
from recipes.api.comparison import Comparison as Comparison
from recipes.api.comparison import compare as compare
from recipes.api.model import Model as Model
from recipes.api.model import open_model as open
from recipes.api.recipe_run import Run as Run
from recipes.api.recipe_run import run as run
from recipes.api.tasks import evaluate as evaluate
from recipes.api.tasks import tasks as tasks
from recipes.errors import RecipesError as RecipesError
from transfer.errors import TransferError as TransferError

__all__ = ["ERRORS", "Comparison", "Model", "Run", "compare", "evaluate", "open", "run", "tasks"]

ERRORS = (RecipesError, EvalsuiteError, TransferError, CompressError)
"""What a person can put right; the message says how."""
