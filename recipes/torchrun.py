"""`accelerate launch` (or `torchrun`) of the command: the processes it starts become one command.

The launcher starts the command several times; all would make the same stages. So the first goes on
as if it were the only one, and starts as many processes as were launched to share its trainings.
The others end at once. Only one process holds locks and writes the workspace.

With `--cpu`, accelerate (1.15) starts several by `mpirun` alone, and without a host file for it
just one, whatever `--num_processes` says; a note tells it. `--multi_gpu` starts them on CPUs too.
"""

from __future__ import annotations

import os
import sys

from recipes.errors import RecipesError

VARIABLE = "LINGOPRESS_PROCESSES"
_ALONE = (
    "note: accelerate launch was asked for several processes and started one; on CPUs write "
    "--multi_gpu in place of --cpu, or use torchrun, or set processes: in the recipe"
)
_SIZE = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
_LOCAL_SIZE = (
    *("LOCAL_WORLD_SIZE", "MPI_LOCALNRANKS"),
    *("OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE"),
)
_RANK = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
_PREFIXES = (
    *("TORCHELASTIC_", "ACCELERATE_", "GROUP_", "ROLE_"),
    *("PMI_", "MPI_", "OMPI_COMM_", "MV2_COMM_"),
)
_OURS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def leaves() -> bool:
    """Whether this process is not the first of those launched; in the first, forget the launcher.

    Raises:
        RecipesError: the processes are on several machines.
    """
    world = _number(_SIZE, 1)
    if world == 1:
        if "MASTER_ADDR" in os.environ and os.environ.get("ACCELERATE_USE_CPU") == "True":
            print(_ALONE, file=sys.stderr)
        return False
    if _number(_LOCAL_SIZE, world) != world:
        raise RecipesError("processes on several machines are not shared; launch on one machine")
    rank = _number(_RANK, 0)
    for name in list(os.environ):
        if name in _OURS or name.startswith(_PREFIXES):
            del os.environ[name]
    os.environ[VARIABLE] = str(world)
    return rank > 0


def _number(names: tuple[str, ...], default: int) -> int:
    """The first of these variables there is: torch's, then those of the kinds of MPI that
    accelerate knows."""
    return next((int(os.environ[name]) for name in names if name in os.environ), default)


def processes() -> int:
    """How many processes a training may have."""
    return int(os.environ.get(VARIABLE, "1"))
