"""One training by several processes of this machine, which share each optimizer step.

>>> call = Call(train_tasks, (directory, tasks, source, options), {"work": work, "out": out})
>>> trained = run_in_processes(2, call, progress)

Each process reads the rows and makes the plan by itself; the result is the same in all of them.
Then each computes its share of every step's micro-batches (`transfer.loop.optimizer_steps.Steps`),
and torch.distributed adds up the gradients (gloo, or nccl on GPUs). The main process, the one of
rank 0, keeps checkpoints, scores dev rows and writes the result.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from evalsuite.errors import EvalsuiteError, KilledError
from evalsuite.machine.child_process import leave_with, start, start_context
from evalsuite.own.declared import declare, declared
from transfer.errors import TransferError

if TYPE_CHECKING:
    from evalsuite.own.own_task import OwnTask

_MEMBER = ("a process of the training", " with fewer processes or a smaller batch_size")
_GRACE = 1.0  # seconds until the end of a killed process is known


def is_main() -> bool:
    """Whether this process is the only one of its training, or the one of rank 0."""
    return int(os.environ.get("RANK", "0")) == 0


def broadcast_from_main(value: bool) -> bool:
    """The main process's `value`, in all processes of a training."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return value
    from accelerate.utils import broadcast_object_list

    return bool(broadcast_object_list([value])[0])


@dataclass(frozen=True, slots=True)
class Call:
    """A function, and what each process calls it with: `function(*arguments, **named)`.

    A keyword argument `progress` is added. All of it is sent to the processes by pickle.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    named: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    """One of the processes of a training."""

    rank: int  # from 0
    world: int  # number of processes
    port: int  # of the main process, for torch.distributed
    threads: int  # that this process computes with

    def environment(self) -> dict[str, str]:
        """The variables that torch.distributed reads."""
        return {
            "RANK": str(self.rank),
            "LOCAL_RANK": str(self.rank),
            "WORLD_SIZE": str(self.world),
            "LOCAL_WORLD_SIZE": str(self.world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self.port),
            "OMP_NUM_THREADS": str(self.threads),
        }


def run_in_processes(count: int, call: Call, progress: Callable[[float, str], None]) -> Any:
    """What the call returns in the main one of `count` processes.

    Raises:
        KilledError: a process was killed.
        Exception: what the function raises in any of them.
    """
    import torch

    context = start_context([call.function.__module__])
    held, leash = context.Pipe(duplex=False)  # the processes end when it closes
    threads = max(1, torch.get_num_threads() // count)
    port = free_port()
    children, pipes = [], []
    for rank in range(count):
        receiver, sender = context.Pipe(duplex=False)
        arguments = (_Member(rank, count, port, threads), call, declared(), held, sender)
        pipes.append(receiver)
        children.append(start(context, _run_member, *arguments))
        sender.close()
    try:
        return _listen(pipes, progress)
    except Exception as error:
        if _any_killed(children):  # the others only say that they lost it
            raise KilledError(*_MEMBER) from error
        raise
    finally:
        leash.close()
        for child in children:
            child.join()


def _listen(pipes: list[Connection], progress: Callable[[float, str], None]) -> Any:
    """Wait until the main process sends its result, or any process fails."""
    while True:
        for pipe in wait(pipes):
            assert isinstance(pipe, Connection)
            try:
                kind, value = pipe.recv()
            except (EOFError, OSError):
                raise KilledError(*_MEMBER) from None
            if kind == "progress":
                progress(*value)
            elif kind == "error":
                raise value
            elif pipe is pipes[0]:
                return value
            else:
                pipes = [other for other in pipes if other is not pipe]


def _any_killed(children: list[Any]) -> bool:
    """Whether a process ended by a signal, or its exit code cannot be known.

    A process that raises sends its error and waits for the leash; it ends with 0 or 1.
    """
    for child in children:
        child.join(_GRACE)
    return any(child.exitcode not in (None, 0, 1) for child in children)


def free_port() -> int:
    """A TCP port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _run_member(
    member: _Member,
    call: Call,
    tasks: Mapping[str, OwnTask],
    leash: Connection,
    pipe: Connection,
) -> None:
    """What one of the processes does."""
    leave_with(leash)
    declare(tasks)
    os.environ |= member.environment()
    import torch

    torch.set_num_threads(member.threads)

    def progress(fraction: float, text: str) -> None:
        if member.rank == 0:
            pipe.send(("progress", (fraction, text)))

    try:
        result = call.function(*call.arguments, progress=progress, **(call.named or {}))
    except Exception as error:
        pipe.send(("error", _sendable(error)))
    else:
        pipe.send(("result", result if member.rank == 0 else None))
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _sendable(error: Exception) -> Exception:
    """The error, or one with the same message where it cannot be rebuilt from its message."""
    if type(error).__init__ is Exception.__init__:
        return error
    if isinstance(error, TransferError | EvalsuiteError):
        return TransferError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
