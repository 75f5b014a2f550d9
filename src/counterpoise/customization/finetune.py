"""Fine-tuning with TRL and PEFT; the only module that imports them.

A checkpoint is a chain: the base model's folder and, for each training step so far, an adapter (or a whole model
after full fine-tuning). A chain is loaded by merging its adapters one after the other in float32, so what a step adds
is never rounded away; only arithmetic in training and generation is bfloat16, where the processor has it.

Only the assistant's turn and its end-of-turn token carry loss (with a template that ends turns with a line break,
that too).
"""

import gc
import json
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.customization.examples import Example
from counterpoise.errors import CounterpoiseError, DataError, MissingExtraError, RunError, UnsupportedError
from counterpoise.lm.embedded import EMBEDDED, smollm2_folder
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import content_hash, scratch_folder, write_atomic

__all__ = ["FinetuneResult", "Finetuner", "OnStep", "Recipe", "finished"]

RESULT_FILE = "finetune.json"
"""Written into a checkpoint's folder beside its weights."""

OnStep = Callable[[int, int], None]
"""Called with optimizer steps done and steps in all."""


class Recipe(BaseModel):
    """How a step is trained.

    The defaults are a light touch: LoRA for few epochs. Full fine-tuning for tens of epochs, as in some published
    recipes, ruins small models whatever the data.

    Attributes:
        method: ``lora`` or ``full``.
        learning_rate: peak of a linear schedule that warms up over the first tenth of the steps.
        epochs: passes over the examples.
        batch_size: examples per optimizer step.
        rank: of the LoRA matrices.
        alpha: LoRA scaling; the update is scaled by ``alpha / rank``.
        targets: names of the linear layers that get LoRA matrices, or ``all-linear``.
        max_length: longest example in tokens, prompt included; a longer one is an error, never cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["lora", "full"] = "lora"
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    epochs: int = Field(default=2, ge=1, le=100)
    batch_size: int = Field(default=8, ge=1)
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    max_length: int = Field(default=1024, ge=8)


@dataclass(frozen=True, slots=True)
class FinetuneResult:
    """What one training step did.

    Attributes:
        examples: number of examples.
        loss_tokens: tokens that carried loss, per epoch.
        epochs: passes over the examples.
        learning_rate: peak learning rate.
        losses: mean loss per token of each optimizer step, in order.
        seconds: wall time of training, loading and saving left out.
    """

    examples: int
    loss_tokens: int
    epochs: int
    learning_rate: float
    losses: tuple[float, ...]
    seconds: float

    @property
    def loss_first(self) -> float:
        """Mean loss over the first tenth of the steps, at least one."""
        return self._mean(self.losses[: self._tenth])

    @property
    def loss_last(self) -> float:
        """Mean loss over the last tenth of the steps, at least one."""
        return self._mean(self.losses[-self._tenth :])

    @property
    def _tenth(self) -> int:
        return max(1, len(self.losses) // 10)

    @staticmethod
    def _mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else float("nan")


class Finetuner:
    """Trains and opens checkpoints of one base model.

    Args:
        name: ``embedded/smollm2`` or the path of a model folder.

    Raises:
        UnsupportedError: the model is hosted, so it cannot be trained here.
        DataError: the folder holds no model.
        MissingExtraError: trl, peft or datasets is not installed.
    """

    packages: tuple[str, ...] = ("torch", "transformers", "trl", "peft")
    """Distributions whose versions belong beside the results."""

    def __init__(self, name: str) -> None:
        _require_extra()
        self.name = name
        self._folder = _base_folder(name)
        from counterpoise.lm.loading import folder_revision

        self.revision = folder_revision(self._folder)
        self._tokenizer: Any = None

    def count_tokens(self, examples: Sequence[Example]) -> list[int]:
        """Loss-bearing tokens of each example: exactly those that training uses."""
        return [loss for _, loss in self._lengths(examples)]

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

        Args:
            chain: checkpoints that the step continues from, in order; empty for the base model.
            examples: what to train on.
            recipe: how.
            seed: of the LoRA initialisation, the order of the examples and dropout. Equal seeds give equal weights on
                the same machine with the same number of threads.
            out: folder of the new checkpoint: a PEFT adapter or a whole model, and ``finetune.json``.
            on_step: told of progress.

        Raises:
            DataError: there are no examples, one is longer than the recipe allows, or a checkpoint is damaged.
            RunError: the training libraries failed, or the loss became infinite; no checkpoint is left.
        """
        if not examples:
            raise DataError("no examples to train on")
        self._check_lengths(examples, recipe.max_length)
        model, tokenizer = self._load(chain)
        with scratch_folder(out) as scratch:
            try:
                result = _train(model, tokenizer, examples, recipe, seed, scratch, on_step)
            except CounterpoiseError:
                raise
            # Wrong layer names, too little memory, a driver: whatever the libraries raise becomes one line.
            except Exception as error:
                raise RunError(f"training failed: {error or type(error).__name__}", where=out.name) from error
            if not all(map(math.isfinite, result.losses)):
                raise RunError("the training loss is not finite", where=out.name, fix="lower the learning rate")
            write_atomic(scratch / RESULT_FILE, json.dumps(asdict(result), indent=2) + "\n")
        del model
        gc.collect()
        return result

    def open(self, chain: Sequence[Path], *, name: str | None = None) -> LanguageModel:
        """The model that a chain of checkpoints leads to, ready to generate.

        Raises:
            DataError: a checkpoint is missing or damaged.
        """
        from counterpoise.lm.loading import default_dtype, folder_revision
        from counterpoise.lm.local import LocalLM

        model, tokenizer = self._load(chain)
        revision = content_hash([self.revision, *(folder_revision(folder) for folder in chain)], length=16)
        return LocalLM(model.to(default_dtype(model.device.type)), tokenizer, name=name or self.name, revision=revision)

    def _load(self, chain: Sequence[Path]) -> tuple[Any, Any]:
        """Base model with every adapter of the chain merged, in float32."""
        import torch
        from peft import PeftModel

        from counterpoise.lm.loading import load_folder, quiet_libraries

        whole = [number for number, folder in enumerate(chain) if (folder / "config.json").is_file()]
        start = whole[-1] if whole else None
        loaded = load_folder(self._folder if start is None else chain[start], dtype=torch.float32)
        model = loaded.model
        for folder in chain if start is None else chain[start + 1 :]:
            with quiet_libraries():
                try:
                    model = PeftModel.from_pretrained(model, str(folder), local_files_only=True).merge_and_unload()
                except Exception as error:
                    raise DataError(f"cannot load the adapter in {folder}: {error}") from error
        return model, loaded.tokenizer

    def _lengths(self, examples: Sequence[Example]) -> list[tuple[int, int]]:
        """Tokens in all, and those that carry loss, of each example, cut as the trainer cuts them."""
        if self._tokenizer is None:
            from counterpoise.lm.loading import load_folder

            self._tokenizer = load_folder(self._folder, device="cpu").tokenizer
        lengths = []
        for example in examples:
            prompt, answer = _turns(example)
            head = _ids(self._tokenizer, [prompt], add_generation_prompt=True)
            whole = _ids(self._tokenizer, [prompt, answer], add_generation_prompt=False)
            shared = next((i for i, (a, b) in enumerate(zip(head, whole, strict=False)) if a != b), len(head))
            lengths.append((len(whole), len(whole) - shared))
        return lengths

    def _check_lengths(self, examples: Sequence[Example], limit: int) -> None:
        for (total, _), example in zip(self._lengths(examples), examples, strict=True):
            if total > limit:
                raise DataError(
                    f"a training example has {total} tokens ({example.prompt[:40]!r}...)",
                    expected=f"at most {limit} (max_length of the recipe)",
                )


def finished(folder: Path) -> FinetuneResult | None:
    """The result of a finished training step; ``None`` when the folder holds none.

    Raises:
        DataError: the folder is damaged.
    """
    file = folder / RESULT_FILE
    if not file.is_file():
        return None
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        return FinetuneResult(**{**value, "losses": tuple(value["losses"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError("checkpoint is damaged", where=str(file), fix="delete its folder to train it again") from error


def _train(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    recipe: Recipe,
    seed: int,
    out: Path,
    on_step: OnStep | None,
) -> FinetuneResult:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from counterpoise.lm.loading import default_dtype

    losses: list[float] = []

    class QuietTrainer(SFTTrainer):  # type: ignore[misc]
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            """Keep the loss curve instead of printing it."""
            if "loss" in logs:
                losses.append(float(logs["loss"]))
                if on_step:
                    on_step(self.state.global_step, self.state.max_steps)

    device = model.device.type
    rows = [{"prompt": [turns[0]], "completion": [turns[1]]} for turns in map(_turns, examples)]
    # The trainer seeds torch's global generator; forking keeps that from reaching anything else.
    with _quiet(), torch.random.fork_rng(), tempfile.TemporaryDirectory() as work:
        settings = SFTConfig(
            output_dir=work,
            per_device_train_batch_size=recipe.batch_size,
            num_train_epochs=recipe.epochs,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=max(1, recipe.epochs * -(-len(examples) // recipe.batch_size) // 10),
            completion_only_loss=True,
            max_length=None,
            train_sampling_strategy="group_by_length",
            gradient_checkpointing=False,
            bf16=default_dtype(device) == torch.bfloat16,
            use_cpu=device == "cpu",
            dataloader_pin_memory=device != "cpu",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            push_to_hub=False,
            disable_tqdm=True,
            seed=seed % 2**31,
            data_seed=seed % 2**31,
        )
        adapter = None
        if recipe.method == "lora":
            targets = recipe.targets if isinstance(recipe.targets, str) else list(recipe.targets)
            adapter = LoraConfig(
                r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"
            )
        trainer = QuietTrainer(
            model=model,
            args=settings,
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            peft_config=adapter,
        )
        loss_tokens = sum(label != -100 for row in trainer.train_dataset for label in row["labels"])
        started = time.monotonic()
        trainer.train()
        seconds = time.monotonic() - started
        if recipe.method == "lora":
            # "auto" would look at the hub for the base model's vocabulary.
            trainer.model.save_pretrained(str(out), save_embedding_layers=False)
        else:
            trainer.model.save_pretrained(str(out))
            tokenizer.save_pretrained(str(out))
    return FinetuneResult(
        len(examples), loss_tokens, recipe.epochs, recipe.learning_rate, tuple(losses), round(seconds, 3)
    )


def _turns(example: Example) -> tuple[dict[str, str], dict[str, str]]:
    return {"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.completion}


def _ids(tokenizer: Any, messages: list[dict[str, str]], *, add_generation_prompt: bool) -> list[int]:
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add_generation_prompt)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _base_folder(name: str) -> Path:
    if name in EMBEDDED and EMBEDDED[name].kind == "language model":
        return smollm2_folder()
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    raise UnsupportedError(
        f"the model {name!r} cannot be fine-tuned here", expected="embedded/smollm2 or a folder with model weights"
    )


def _require_extra() -> None:
    from importlib.util import find_spec

    for package in ("trl", "peft", "datasets", "accelerate"):
        if find_spec(package) is None:
            raise MissingExtraError(package, extra="train", purpose="fine-tuning in the lab")


@contextmanager
def _quiet() -> Iterator[None]:
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
