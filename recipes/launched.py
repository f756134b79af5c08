"""`accelerate launch` (or `torchrun`) of the command: the processes it starts become one command.

The launcher starts the command several times, side by side; all would make the same stages. So the
first goes on as if it were the only one, and has its trainings shared by as many processes of their
own as were launched; the others leave at once. Only one process holds locks and writes the
workspace.
"""

from __future__ import annotations

import os

from recipes.errors import RecipesError

VARIABLE = "LINGOPRESS_PROCESSES"
_OURS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def leaves() -> bool:
    """Whether this process is not the first of those launched; in the first, forget the launcher.

    Raises:
        RecipesError: the processes are on several machines.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return False
    if int(os.environ.get("LOCAL_WORLD_SIZE", world)) != world:
        raise RecipesError("processes on several machines are not shared; launch on one machine")
    rank = int(os.environ.get("RANK", "0"))
    for name in list(os.environ):
        if name in _OURS or name.startswith(("TORCHELASTIC_", "ACCELERATE_", "GROUP_", "ROLE_")):
            del os.environ[name]
    os.environ[VARIABLE] = str(world)
    return rank > 0


def processes() -> int:
    """How many processes a training may have."""
    return int(os.environ.get(VARIABLE, "1"))
