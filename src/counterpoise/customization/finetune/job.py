"""One training step described by a file, for ``accelerate launch`` and any number of processes.

::

    accelerate launch --num_processes 4 --multi_gpu --module counterpoise.customization.finetune.job JOB.json

All processes read the file and load the model; the first one writes the checkpoint. With one process, ``python -m
counterpoise.customization.finetune.job JOB.json`` does the same. See ``docs/finetuning.md`` for the file.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counterpoise.customization.examples import read_pairs
from counterpoise.customization.finetune.checks import require_extra
from counterpoise.customization.finetune.recipe import Recipe
from counterpoise.customization.finetune.result import FinetuneResult, OnStep
from counterpoise.customization.finetune.step import place, train_to
from counterpoise.errors import ConfigError, CounterpoiseError, OutputError

__all__ = ["STEP", "Job", "main", "run_job"]

STEP = "step "
"""Begins each line of progress on standard output: ``step DONE TOTAL``."""


class Job(BaseModel):
    """One training step; paths are relative to the job's file.

    Attributes:
        model: the base model: ``embedded/smollm2`` or the path of a model folder.
        examples: a file of requests with answers, as :func:`~counterpoise.customization.examples.read_pairs` reads it.
        out: folder of the new checkpoint.
        chain: checkpoints that the step continues from, in order.
        recipe: a mapping, or the name of a recipe.
        seed: of the LoRA initialisation and the order of the examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    examples: Path
    out: Path
    chain: tuple[Path, ...] = ()
    recipe: Recipe = Recipe()
    seed: int = Field(default=0, ge=0)


def run_job(path: Path, on_step: OnStep | None = None) -> FinetuneResult:
    """Do what a job's file says.

    Raises:
        ConfigError: the file cannot be read or is not a job; names every fault.
        CounterpoiseError: as of :meth:`~counterpoise.customization.finetune.Finetuner.train`.
    """
    job = _read(path)
    home = path.resolve().parent
    out = home / job.out
    if out.exists():
        raise OutputError("the checkpoint is there already", where=str(out), fix="delete it to train it again")
    base = str(home / job.model) if (home / job.model).is_dir() else job.model
    chain = [home / folder for folder in job.chain]
    examples = read_pairs(home / job.examples)
    return train_to(out, base, chain, examples, job.recipe, seed=job.seed, on_step=on_step)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job and write its result as JSON to standard output; the exit code is that of the command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    rank, _ = place()
    try:
        require_extra()
        if len(given) != 1:
            raise ConfigError(f"{len(given)} arguments", expected="one, the job's file")
        result = run_job(Path(given[0]), _print_step if rank == 0 else None)
    except CounterpoiseError as error:
        if rank == 0:
            print(json.dumps({"error": str(error), "exit_code": error.exit_code}), flush=True)
            print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        _leave()
    if rank == 0:
        print(json.dumps({**asdict(result), "losses": [round(loss, 6) for loss in result.losses]}), flush=True)
    return 0


def _leave() -> None:
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _print_step(done: int, total: int) -> None:
    print(f"{STEP}{done} {total}", flush=True)


def _read(path: Path) -> Job:
    try:
        return Job.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read the job: {error.strerror}", where=str(path)) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'job'}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"the job is not valid: {faults}", where=str(path)) from error


if __name__ == "__main__":
    sys.exit(main())
