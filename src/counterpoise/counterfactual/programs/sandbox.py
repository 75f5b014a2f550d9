"""Running one program in a process of its own, with the time, memory and output that it may have.

The process starts in an empty folder, with nothing in its environment but a hash seed, in a session of its own that is
killed as a whole; :mod:`~counterpoise.counterfactual.programs.runner` does the rest inside. The seed fixes the order of
sets, so that a run can be repeated; it is also why Python's ``-I`` is not used, which would ignore it. What else ``-I``
does is done: no user site and no script folder on the path, no variables of the environment; and no site packages.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import ValidationError

from counterpoise.counterfactual.programs import runner
from counterpoise.counterfactual.programs.outcome import Run, World
from counterpoise.errors import RunError

__all__ = ["WALL", "Limits", "Program", "run_program"]

WALL = "by the clock"
"""Text of a world of status ``time`` that was ended by the clock: it says more about the machine than the program."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use.

    Attributes:
        run_seconds: processor time of one call in one world.
        process_seconds: processor time of a process, in whole seconds; for what cannot be interrupted.
        wall_seconds: time of a process by the clock.
        memory_bytes: address space of a process.
        output_bytes: what a process may write.
        text_characters: of a value's text.
        value_characters: of the text of an expression's first value; longer ones are not kept.
    """

    run_seconds: float = 1.0
    process_seconds: int = 10
    wall_seconds: float = 120.0
    memory_bytes: int = 512 * 2**20
    output_bytes: int = 2**20
    text_characters: int = 1000
    value_characters: int = 60


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what is asked of it.

    Attributes:
        text: its source.
        rewritten: its source with every position through the helper.
        calls: expressions that call its functions with constants.
    """

    text: str
    rewritten: str
    calls: tuple[str, ...]


def run_program(program: Program, *, seed: int = 0, limits: Limits | None = None) -> tuple[Run, ...]:
    """Run every call of a program in every world.

    One process serves all calls; where a call ends it, the calls after it get another.

    Args:
        program: what to run; nothing about it is checked here.
        seed: of the hashes of strings.
        limits: of each process.

    Returns:
        One run per call, in their order.

    Raises:
        RunError: no process can be started.
    """
    limits = limits or Limits()
    runs: list[Run] = []
    while len(runs) < len(program.calls):
        lines, ending = _process(program, program.calls[len(runs) :], seed, limits)
        for line in lines[: len(program.calls) - len(runs)]:
            try:
                runs.append(Run.model_validate_json(line))
            except ValidationError:
                ending = World(status="crashed", text="it wrote into the results")
                break
        if len(runs) < len(program.calls):
            runs.append(Run(original=ending))
    return tuple(runs)


def _process(program: Program, calls: Sequence[str], seed: int, limits: Limits) -> tuple[list[bytes], World]:
    """The whole lines that a process wrote, and how the call ended that it wrote none for."""
    job = {"program": program.text, "rewritten": program.rewritten, "calls": calls, **asdict(limits)}
    command = [sys.executable, "-s", "-S", "-P", "-B", "-W", "ignore", str(Path(runner.__file__))]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as stdin:
        # A file, not a pipe: nothing to feed while the results are read.
        stdin.write(json.dumps(job).encode())
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={"PYTHONHASHSEED": str(seed)},
                start_new_session=True,
            )
        except OSError as error:
            raise RunError(f"cannot start a process for a program: {error.strerror or error}") from error
        try:
            output, ending = _output(process, limits)
        finally:
            # Before it is waited for: until then its number, and that of its group, belong to no one else.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
    return output.split(b"\n")[:-1], ending or _ending(code)


def _output(process: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, World | None]:
    """What the process writes until it ends or goes beyond a limit."""
    assert process.stdout is not None
    deadline = time.monotonic() + limits.wall_seconds
    output = b""
    with process.stdout as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return output, World(status="time", text=WALL)
            part = os.read(pipe.fileno(), 65536)
            if not part:
                # Closed, so it ends by itself; it gets a moment, or its exit code would be ours.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
                return output, None
            output += part
            if len(output) > limits.output_bytes:
                return output, World(status="length", text="it writes without end")


def _ending(code: int) -> World:
    if code == -signal.SIGXCPU or code == -signal.SIGKILL:
        return World(status="time")
    return World(status="crashed", text=signal.Signals(-code).name if code < 0 else f"exit code {code}")
