"""Everything a lab asks of fine-tuning, for one base model."""

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune.chain import base_folder, chain_revision, load_chain
from counterpoise.customization.finetune.checks import checkpoint_bytes, preflight, require_extra
from counterpoise.customization.finetune.masks import count_loss_tokens
from counterpoise.customization.finetune.recipe import Recipe
from counterpoise.customization.finetune.result import FinetuneResult, OnStep
from counterpoise.customization.finetune.step import train_to
from counterpoise.errors import OutputError, UnsupportedError
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import content_hash, scratch_folder

__all__ = ["Finetuner"]


class Finetuner:
    """Trains and opens checkpoints of one base model.

    Args:
        name: ``embedded/smollm2`` or the path of a model folder; a folder with an adapter that names its base is one.
        processes: that train a step together, each on a device of its own where there are enough. More than one are
            started with ``accelerate launch`` on this machine.

    Raises:
        UnsupportedError: the model is hosted, so it cannot be trained here.
        DataError: the folder holds no model.
        MissingExtraError: trl, peft, datasets or accelerate is not installed.
    """

    packages: tuple[str, ...] = ("torch", "transformers", "trl", "peft")
    """Distributions whose versions belong beside the results."""

    def __init__(self, name: str, *, processes: int = 1) -> None:
        require_extra()
        self.name = name
        self.processes = processes
        self._folder = base_folder(name)
        self.revision = chain_revision(self._folder)
        self._tokenizer: Any = None
        self._counted: dict[Example, int] = {}

    def count_tokens(self, examples: Sequence[Example]) -> list[int]:
        """Loss-bearing tokens of each example: exactly those that training uses."""
        new = [example for example in dict.fromkeys(examples) if example not in self._counted]
        if new:
            if self._tokenizer is None:
                from counterpoise.lm.adapters import adapter_chain
                from counterpoise.lm.loading import load_tokenizer

                self._tokenizer = load_tokenizer(adapter_chain(self._folder)[0])
            self._counted.update(zip(new, count_loss_tokens(new, self._tokenizer), strict=True))
        return [self._counted[example] for example in examples]

    def problems(self, recipe: Recipe | Sequence[Recipe]) -> list[str]:
        """Everything that would stop a training, one line each.

        See :func:`~counterpoise.customization.finetune.preflight`.
        """
        return preflight(self.name, recipe, processes=self.processes)

    def checkpoint_bytes(self, recipe: Recipe) -> int:
        """Bytes on disk that one checkpoint takes.

        See :func:`~counterpoise.customization.finetune.checkpoint_bytes`.
        """
        return checkpoint_bytes(self.name, recipe)

    def train(
        self,
        chain: Sequence[Path],
        examples: Sequence[Example],
        recipe: Recipe,
        *,
        seed: int,
        out: Path,
        on_step: OnStep | None = None,
    ) -> FinetuneResult:
        """Train one step and save its weights; the folder appears only when it is complete.

        Before the first step, every example is looked at by the mask doctor, the disk is looked at, and the trainer's
        labels are counted against :meth:`count_tokens`.

        Args:
            chain: checkpoints that the step continues from, in order; empty for the base model.
            examples: what to train on.
            recipe: how.
            seed: of the LoRA initialisation and the order of the examples. Equal seeds give equal weights on the same
                machine with the same number of threads and processes.
            out: folder of the new checkpoint: a PEFT adapter or a whole model, and ``finetune.json``. An adapter names
                what it continues from, so the folder can be opened as a model while that is where it was.
            on_step: told of progress.

        Raises:
            DataError: there are no examples, one is longer than the recipe allows or would not be learned as it is
                meant, or a checkpoint is damaged.
            UnsupportedError: the recipe does not fit the model, or the processes.
            OutputError: the checkpoint would not fit on the disk.
            RunError: the training libraries failed, the loss became infinite, or the trainer's labels are not those
                that were counted; no checkpoint is left.
        """
        try:
            if self.processes > 1:
                from counterpoise.customization.finetune.launch import train_launched

                return train_launched(
                    out, self.name, chain, examples, recipe, seed=seed, processes=self.processes, on_step=on_step
                )
            if int(os.environ.get("WORLD_SIZE", "1")) > 1:
                raise UnsupportedError(
                    "this process is one of several that a launcher started, and each would train by itself",
                    fix="start one process and give the number of training processes as an option",
                )
            return train_to(out, self.name, chain, examples, recipe, seed=seed, on_step=on_step)
        finally:
            gc.collect()

    def open(self, chain: Sequence[Path], *, name: str | None = None) -> LanguageModel:
        """The model that a chain of checkpoints leads to, ready to generate.

        Raises:
            DataError: a checkpoint is missing or damaged.
        """
        from counterpoise.lm.loading import default_dtype, folder_revision
        from counterpoise.lm.local import LocalLM

        model, tokenizer = load_chain(self._folder, chain)
        revision = content_hash([self.revision, *(folder_revision(folder) for folder in chain)], length=16)
        return LocalLM(model.to(default_dtype(model.device.type)), tokenizer, name=name or self.name, revision=revision)

    def merge(self, chain: Sequence[Path], out: Path, *, dtype: Literal["float32", "bfloat16"] = "float32") -> None:
        """Write the model that a chain leads to as one whole model, which needs nothing else.

        Args:
            chain: checkpoints in order.
            out: folder that must not exist; it gets configuration, tokenizer and safetensors.
            dtype: of the saved weights. ``bfloat16`` takes half the disk and may round away what small updates added.

        Raises:
            OutputError: the folder exists or cannot be written.
            DataError: a checkpoint is missing or damaged.
        """
        import torch

        from counterpoise.lm.loading import quiet_libraries

        if out.exists():
            raise OutputError("the folder exists already", where=str(out), expected="a path where nothing is")
        model, tokenizer = load_chain(self._folder, chain)
        with scratch_folder(out) as scratch, quiet_libraries():
            model.to(getattr(torch, dtype)).save_pretrained(str(scratch))
            tokenizer.save_pretrained(str(scratch))
