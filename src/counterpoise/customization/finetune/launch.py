"""A training step in processes of its own, started with ``accelerate launch``."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune.job import STEP
from counterpoise.customization.finetune.recipe import Recipe
from counterpoise.customization.finetune.result import FinetuneResult, OnStep, finished
from counterpoise.errors import RunError, UsageError

__all__ = ["command", "train_launched"]


def command(job: Path, processes: int) -> list[str]:
    """The command that runs a job in so many processes on this machine.

    ``--multi_gpu`` is what makes accelerate start processes at all; where there is no GPU they train on the CPU and
    speak through gloo. (With ``--cpu``, accelerate starts more than one through MPI only.)
    """
    options = ["--num_processes", str(processes), "--num_machines", "1", "--main_process_port", "0"]
    options += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    if processes > 1:
        options.append("--multi_gpu")
    module = "counterpoise.customization.finetune.job"
    return [sys.executable, "-m", "accelerate.commands.launch", *options, "--module", module, str(job)]


def train_launched(
    out: Path,
    base: str,
    chain: Sequence[Path],
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    seed: int,
    processes: int,
    on_step: OnStep | None = None,
) -> FinetuneResult:
    """Train one step in several processes; the checkpoint appears at ``out`` when it is complete.

    Raises:
        UsageError, RunError: what a process said, or that they ended without a word; none of them goes on.
    """
    import torch

    with tempfile.TemporaryDirectory() as work:
        rows = [{"prompt": one.prompt, "completion": one.completion, "system": one.system} for one in examples]
        texts = Path(work) / "examples.jsonl"
        texts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        job = Path(work) / "job.json"
        value: dict[str, Any] = {"model": base, "examples": str(texts), "out": str(out.absolute()), "seed": seed}
        value |= {
            "chain": [str(folder.absolute()) for folder in chain],
            "recipe": recipe.model_dump(mode="json", exclude_unset=True),
        }
        job.write_text(json.dumps(value), encoding="utf-8")
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TOKENIZERS_PARALLELISM": "false"}
        environment.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // processes)))
        if not torch.cuda.is_available():
            environment["ACCELERATE_USE_CPU"] = "true"
        with (Path(work) / "stderr").open("w+b") as stderr:
            said = _follow(command(job, processes), environment, stderr, on_step)
            stderr.seek(0)
            last = stderr.read().decode(errors="replace").strip().splitlines()[-1:]
    if "error" in said:
        raise (UsageError if said["exit_code"] == UsageError.exit_code else RunError)(said["error"])
    result = finished(out)
    if result is not None:
        return result
    raise RunError(f"the training processes ended without a result: {' '.join(last)[:300]}", where=out.name)


def _follow(arguments: list[str], environment: dict[str, str], stderr: Any, on_step: OnStep | None) -> dict[str, Any]:
    """Run a command to its end, tell of its progress, and return the last JSON object it wrote."""
    said: dict[str, Any] = {}
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith(STEP):
                    done, total = line.removeprefix(STEP).split()
                    if on_step:
                        on_step(int(done), int(total))
                elif line.startswith("{"):
                    said = json.loads(line)
        except BaseException:
            # Whatever stopped us, the processes must not go on alone; they are a group of their own.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
    return said
