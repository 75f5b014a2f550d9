"""One training step from what is on the disk to what is on the disk: checks, load, train, save."""

import json
import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune.chain import base_folder, load_chain, name_base
from counterpoise.customization.finetune.checks import check_disk, checkpoint_bytes, preflight, window_of
from counterpoise.customization.finetune.masks import check_examples
from counterpoise.customization.finetune.recipe import Recipe
from counterpoise.customization.finetune.result import RESULT_FILE, FinetuneResult, OnStep
from counterpoise.customization.finetune.training import train_step
from counterpoise.errors import CounterpoiseError, DataError, RunError, UnsupportedError
from counterpoise.records import scratch_folder, write_atomic

__all__ = ["place", "train_to"]


def place() -> tuple[int, int]:
    """This process's number and how many there are, as every launcher of torch says it."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def train_to(
    out: Path,
    base: str,
    chain: Sequence[Path],
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    seed: int,
    on_step: OnStep | None = None,
) -> FinetuneResult:
    """Check, load, train and save, in each of the processes that run this together; the first one saves.

    Arguments and errors are those of :meth:`~counterpoise.customization.finetune.Finetuner.train`, ``base`` is the base
    model's name.
    """
    rank, processes = place()
    folder = base_folder(base)
    if not examples:
        raise DataError("no examples to train on")
    if problems := preflight(base, recipe, processes=processes):
        raise UnsupportedError("; ".join(problems), where=f"training {out.name}")
    if rank == 0:
        check_disk(out, checkpoint_bytes(base, recipe))
    model, tokenizer = load_chain(folder, chain, device=_device() if processes > 1 else None)
    check_examples(examples, tokenizer, recipe.longest(window_of(model)))
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder(out)) if rank == 0 else None
        try:
            result = train_step(
                model, tokenizer, examples, recipe, seed=seed, out=scratch, processes=processes, on_step=on_step
            )
        except CounterpoiseError:
            raise
        # Wrong layer names, too little memory, a driver: whatever the libraries raise becomes one line.
        except Exception as error:
            raise RunError(f"training failed: {error or type(error).__name__}", where=out.name) from error
        if not all(map(math.isfinite, result.losses)):
            raise RunError("the training loss is not finite", where=out.name, fix="lower the learning rate")
        if scratch is not None:
            if recipe.method == "lora":
                name_base(scratch, base, chain, out)
            write_atomic(scratch / RESULT_FILE, json.dumps(asdict(result), indent=2) + "\n")
    return result


def _device() -> str:
    """The device of this process among those of its machine."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % count}" if count else "cpu"
