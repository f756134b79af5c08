"""One training by several processes of this machine, which share each optimizer step.

>>> trained = together(2, train, (directory, tasks, source, options), work=work, out=out)

Each process reads the rows and makes the plan by itself, which gives the same in all of them. Then
each takes its share of every step's micro-batches (`transfer.loop.optimizer_steps.Steps`),
and gradients are added up by torch.distributed (gloo, or nccl on GPUs). The first process keeps
checkpoints, scores dev rows and writes the result.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from evalsuite.errors import EvalsuiteError
from evalsuite.machine.child_process import leave_with, start_context
from transfer.errors import TransferError


def first() -> bool:
    """Whether this process is the only one of its training, or the first."""
    return int(os.environ.get("RANK", "0")) == 0


def agreed(value: bool) -> bool:
    """What the first process says, in all of them."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return value
    from accelerate.utils import broadcast_object_list

    return bool(broadcast_object_list([value])[0])


def together(
    count: int,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    progress: Callable[[float, str], None],
    **named: Any,
) -> Any:
    """What `function(*arguments, progress=..., **named)` returns in the first of `count` processes.

    Raises:
        TransferError: a process was killed.
        Exception: what it raises in any of them.
    """
    import torch

    context = start_context(["transfer.supervised.train_tasks"])
    held, leash = context.Pipe(duplex=False)  # they leave when it closes
    threads = max(1, torch.get_num_threads() // count)
    port = _free_port()
    members, pipes = [], []
    for rank in range(count):
        ours, theirs = context.Pipe(duplex=False)
        call = (rank, count, port, threads, held, theirs, function, arguments, named)
        members.append(context.Process(target=_member, args=call))
        pipes.append(ours)
        members[-1].start()
        theirs.close()
    try:
        return _listen(pipes, progress)
    finally:
        leash.close()
        for member in members:
            member.join()


def _listen(pipes: list[Connection], progress: Callable[[float, str], None]) -> Any:
    """Until the first process has a result, or any of them fails."""
    while True:
        for pipe in wait(pipes):
            assert isinstance(pipe, Connection)
            try:
                kind, value = pipe.recv()
            except EOFError:
                raise TransferError(
                    "a process of the training was killed, most often by the system for want of "
                    "memory; run the same command again with fewer processes or a smaller "
                    "batch_size, it goes on where it stopped"
                ) from None
            if kind == "progress":
                progress(*value)
            elif kind == "error":
                raise value
            elif pipe is pipes[0]:
                return value
            else:
                pipes = [other for other in pipes if other is not pipe]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _member(
    rank: int,
    world: int,
    port: int,
    threads: int,
    leash: Connection,
    pipe: Connection,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    named: dict[str, Any],
) -> None:
    """In a process of its own."""
    leave_with(leash)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": str(threads),
    }
    import torch

    torch.set_num_threads(threads)

    def progress(fraction: float, text: str) -> None:
        if rank == 0:
            pipe.send(("progress", (fraction, text)))

    try:
        result = function(*arguments, progress=progress, **named)
    except Exception as error:
        pipe.send(("error", _sendable(error)))
    else:
        pipe.send(("result", result if rank == 0 else None))
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _sendable(error: Exception) -> Exception:
    """The error; where it is made of more than its message, one that says the same."""
    if type(error).__init__ is Exception.__init__:
        return error
    if isinstance(error, TransferError | EvalsuiteError):
        return TransferError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
