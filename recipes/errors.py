"""The exceptions of `recipes`.

```
RecipesError             a person can put it right: exit 2, one message, no traceback
├── RecipeError          the recipe is wrong; lists every problem with file:line
│   └── StageInputError  a stage is fed something it cannot use
├── StageRefusedError    what a config asks for cannot be made, or loses more than it allows
├── NotKnownAheadError   the time of a stage cannot be predicted
├── WorkspaceError       the workspace cannot be used (permissions, space)
└── StageFailedError     a stage broke while it ran: exit 1; what came before is kept
```
"""

from __future__ import annotations


class RecipesError(Exception):
    """Base of every error of this package that a person can put right."""


class RecipeError(RecipesError):
    """The recipe is wrong."""


class StageInputError(RecipeError):
    """A stage is fed something it cannot use."""


class StageRefusedError(RecipesError):
    """What a config asks for cannot be made, or loses more than it allows."""


class NotKnownAheadError(RecipesError):
    """The time of a stage cannot be predicted; says why."""


class WorkspaceError(RecipesError):
    """The workspace cannot be used."""


class StageFailedError(RecipesError):
    """A stage broke while it ran."""


_PERSONS = {
    ("evalsuite.errors", "EvalsuiteError"),
    ("transfer.errors", "TransferError"),
    ("compress.errors", "CompressError"),
    ("recipes.errors", "RecipesError"),
}


# Of those, the ones that another config may not meet: a gate, a shape, a method that does not fit.
_REFUSALS = {
    ("evalsuite.errors", "FamilyError"),
    ("transfer.errors", "TransferError"),
    ("compress.errors", "CompressError"),
    ("recipes.errors", "StageInputError"),
}


def is_persons(error: BaseException) -> bool:
    """Whether a person can put it right: an error of any of our packages; imports none of them."""
    return _is_one_of(error, _PERSONS)


def is_refusal(error: BaseException) -> bool:
    """Whether a stage cannot do what its config asks for, where another config might do."""
    return _is_one_of(error, _REFUSALS)


def _is_one_of(error: BaseException, kinds: set[tuple[str, str]]) -> bool:
    return any((base.__module__, base.__name__) in kinds for base in type(error).__mro__)
