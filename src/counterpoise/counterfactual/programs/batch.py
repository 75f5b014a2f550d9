"""Running many programs, and keeping what came out of each.

Programs run side by side, each several times with other hash seeds: what comes out otherwise is no gold. Results are
kept in the user's cache folder under a name made of everything that they depend on, the Python version and the code of
the sandbox among it; a file that cannot be read or written is as good as none.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from counterpoise.counterfactual.programs import indexing, positions, runner
from counterpoise.counterfactual.programs.outcome import Run, World
from counterpoise.counterfactual.programs.sandbox import WALL, Limits, Program, run_program
from counterpoise.errors import OutputError
from counterpoise.lm.embedded import cache_folder
from counterpoise.records import content_hash, write_atomic

__all__ = ["SEEDS", "run_programs"]

SEEDS = (0, 1, 2)
"""Hash seeds that every program is run with."""

_RUNS = TypeAdapter(tuple[Run, ...])


def run_programs(programs: Sequence[Program], limits: Limits | None = None) -> list[tuple[Run, ...]]:
    """Run every call of every program, or take what is known of it.

    Args:
        programs: what to run; nothing about them is checked here.
        limits: of each process.

    Returns:
        For each program one run per call. A call that did not come out the same with every seed has status ``varies``;
        calls without a value or without a position are not repeated.

    Raises:
        RunError: no process can be started.
    """
    chosen = limits or Limits()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        try:
            return list(pool.map(lambda program: _known_or_run(program, chosen), programs))
        except BaseException:
            # An interrupt, or no process can be started: what has not begun never does.
            pool.shutdown(cancel_futures=True)
            raise


def _known_or_run(program: Program, limits: Limits) -> tuple[Run, ...]:
    file = cache_folder() / "programs" / f"{_key(program, limits)}.json"
    with contextlib.suppress(OSError, ValidationError, ValueError):
        runs = _RUNS.validate_json(file.read_bytes())
        if len(runs) == len(program.calls):
            return runs
    runs = _run(program, limits)
    if not any(run.original.text == WALL for run in runs):
        with contextlib.suppress(OSError, OutputError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, _RUNS.dump_json(runs))
    return runs


def _run(program: Program, limits: Limits) -> tuple[Run, ...]:
    first, *others = SEEDS
    runs = list(run_program(program, seed=first, limits=limits))
    # Without a value or a position there is nothing to learn, and processes are what takes the time.
    again = [place for place, run in enumerate(runs) if run.returned and run.positions]
    if again:
        repeated = Program(program.text, program.rewritten, tuple(program.calls[place] for place in again))
        for seed in others:
            for place, run in zip(again, run_program(repeated, seed=seed, limits=limits), strict=True):
                if run != runs[place]:
                    runs[place] = Run(original=run.original if run.original.text == WALL else World(status="varies"))
    return tuple(runs)


def _key(program: Program, limits: Limits) -> str:
    return content_hash([_code(), list(sys.version_info[:3]), asdict(program), asdict(limits), list(SEEDS)], length=32)


@cache
def _code() -> str:
    """Identity of the code that decides what comes out."""
    return content_hash([Path(str(module.__file__)).read_text("utf-8") for module in (indexing, positions, runner)])
