"""One training step with TRL's ``SFTTrainer``: a model in memory goes in, saved weights and a loss curve come out."""

import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune.checks import adapter_config
from counterpoise.customization.finetune.masks import check_labels, conversations
from counterpoise.customization.finetune.order import Order
from counterpoise.customization.finetune.packing import keeps_apart, saves
from counterpoise.customization.finetune.recipe import Recipe
from counterpoise.customization.finetune.result import FinetuneResult, OnStep
from counterpoise.errors import UnsupportedError

__all__ = ["quiet_training", "train_step"]


def train_step(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    seed: int,
    out: Path | None,
    processes: int = 1,
    on_step: OnStep | None = None,
) -> FinetuneResult:
    """Train a model on examples that were checked, and save what was trained.

    Args:
        model: in float32; it is changed.
        tokenizer: its tokenizer. One without a padding token gets its end-of-sequence token for that: padding carries
            no loss and is not attended to, whatever it is.
        examples: not empty, none longer than the recipe allows.
        recipe: how.
        seed: of the LoRA initialisation and of the order of the examples.
        out: an existing folder for the adapter or the whole model; ``None`` saves nothing.
        processes: that run this function at the same time, each with the same arguments.
        on_step: told of optimizer steps done and in all.

    Raises:
        RunError: the trainer's labels are not those that were counted.
        UnsupportedError: the recipe wants packing and the model does not keep packed examples apart.
        Exception: whatever the training libraries raise.
    """
    import torch

    notes = recipe.notes(sum(weight.numel() for weight in model.parameters()))
    if tokenizer.pad_token is None:
        notes.append("the tokenizer has no padding token; its end-of-sequence token is used")
    packed = _packs(model, tokenizer, examples, recipe, processes)
    losses: list[float] = []

    def logged(loss: float, done: int, total: int) -> None:
        losses.append(loss)
        if on_step:
            on_step(done, total)

    # The trainer seeds torch's global generator; forking keeps that from reaching anything else.
    with quiet_training(), torch.random.fork_rng(), tempfile.TemporaryDirectory() as work:
        trainer = _trainer(model, tokenizer, examples, recipe, seed, packed, processes, Path(work), logged)
        loss_tokens = check_labels(trainer.train_dataset["labels"], examples, tokenizer)
        tokens = sum(map(len, trainer.train_dataset["input_ids"]))
        _fill_up(trainer, recipe, processes)
        started = time.monotonic()
        trainer.train()
        seconds = time.monotonic() - started
        if out is not None:
            _save(trainer, tokenizer, recipe, out)
    return FinetuneResult(
        examples=len(examples),
        loss_tokens=loss_tokens,
        epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        losses=tuple(losses),
        seconds=round(seconds, 3),
        tokens=tokens,
        packed=packed,
        processes=processes,
        notes=tuple(notes),
    )


def _packs(model: Any, tokenizer: Any, examples: Sequence[Example], recipe: Recipe, processes: int) -> bool:
    """Whether the examples of a step go into one row."""
    if recipe.packing is False:
        return False
    if recipe.packing is None:
        apply = tokenizer.apply_chat_template
        rows = [[*row["prompt"], *row["completion"]] for row in conversations(examples)]
        lengths = [len(apply(turns, tokenize=True, return_dict=True)["input_ids"]) for turns in rows]
        return saves(lengths, max(1, recipe.batch_size // processes), model) and keeps_apart(model)
    if not keeps_apart(model):
        raise UnsupportedError("the model does not keep packed examples apart", fix="leave packing out of the recipe")
    return True


def _trainer(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    recipe: Recipe,
    seed: int,
    packed: bool,
    processes: int,
    work: Path,
    logged: Any,
) -> Any:
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from counterpoise.lm.loading import default_dtype

    class QuietTrainer(SFTTrainer):  # type: ignore[misc]
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            """Keep the loss curve instead of printing it."""
            if "loss" in logs:
                logged(float(logs["loss"]), self.state.global_step, self.state.max_steps)

        def _get_train_sampler(self, train_dataset: Any = None) -> Order:
            """The same order on every machine and in every process."""
            rows = self.train_dataset if train_dataset is None else train_dataset
            return Order(len(examples), len(rows) - len(examples), seed)

    device = model.device.type
    steps = recipe.epochs * -(-len(examples) // recipe.batch_size)
    settings = SFTConfig(
        output_dir=str(work),
        per_device_train_batch_size=recipe.batch_size // processes,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=max(1, steps // 10),
        completion_only_loss=True,
        max_length=None,
        # With the examples of one optimizer step in a row; the packing of TRL would put more of them into a step.
        padding_free=packed,
        gradient_checkpointing=False,
        bf16=default_dtype(device) == torch.bfloat16,
        use_cpu=device == "cpu",
        dataloader_pin_memory=device != "cpu",
        logging_steps=1,
        # A loss that is not finite must show.
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        push_to_hub=False,
        disable_tqdm=True,
        seed=seed % 2**31,
        data_seed=seed % 2**31,
        ddp_find_unused_parameters=False,
    )
    # One process trains on one device, whatever else is there; the trainer would refuse to share the work out.
    settings._n_gpu = min(settings.n_gpu, 1)
    return QuietTrainer(
        model=model,
        args=settings,
        train_dataset=Dataset.from_list(conversations(examples)),
        processing_class=tokenizer,
        peft_config=adapter_config(recipe) if recipe.method == "lora" else None,
    )


def _fill_up(trainer: Any, recipe: Recipe, processes: int) -> None:
    """Rows without loss that make the last step one that all processes can share.

    Otherwise the examples that come first in an epoch would be repeated at its end.
    """
    if processes == 1 or not (missing := -len(trainer.train_dataset) % recipe.batch_size):
        return
    from datasets import concatenate_datasets

    rows = trainer.train_dataset.select_columns(["input_ids", "labels"])
    empty = rows.select([0] * missing).map(lambda row: {"labels": [-100] * len(row["labels"])})
    trainer.train_dataset = concatenate_datasets([rows, empty])


def _save(trainer: Any, tokenizer: Any, recipe: Recipe, out: Path) -> None:
    model = trainer.accelerator.unwrap_model(trainer.model)
    if recipe.method == "lora":
        # "auto" would look at the hub for the base model's vocabulary.
        model.save_pretrained(str(out), save_embedding_layers=False)
    else:
        model.save_pretrained(str(out))
        tokenizer.save_pretrained(str(out))


@contextmanager
def quiet_training() -> Iterator[None]:
    """No progress bars, notices or deprecation warnings of the training libraries on the terminal."""
    from datasets.utils import logging as datasets_logging

    from counterpoise.lm.loading import quiet_libraries

    bars = datasets_logging.is_progress_bar_enabled()
    datasets_logging.disable_progress_bar()
    try:
        with quiet_libraries(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if bars:
            datasets_logging.enable_progress_bar()
