"""What would stop a training, found before it begins: all problems at once, and the disk."""

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from counterpoise.customization.finetune.chain import base_folder
from counterpoise.customization.finetune.recipe import Recipe
from counterpoise.errors import CounterpoiseError, MissingExtraError, OutputError, UnsupportedError
from counterpoise.lm.adapters import adapter_chain

__all__ = ["PACKAGES", "adapter_config", "check_disk", "checkpoint_bytes", "preflight", "require_extra", "window_of"]

PACKAGES = ("trl", "peft", "datasets", "accelerate")
_BYTES = 4  # weights are saved in float32
_SPARE = 16 * 2**20  # configuration, tokenizer, loss curve


def require_extra() -> None:
    """Stop where a training library is not installed.

    Raises:
        MissingExtraError: names the first that is missing.
    """
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, extra="train", purpose="fine-tuning in the lab")


def preflight(name: str, recipe: Recipe | Sequence[Recipe] = (), *, processes: int = 1) -> list[str]:
    """Everything that would stop a training of this model, as one line each; empty where nothing would.

    Only configuration and tokenizer are read, so this takes a second or two whatever the size of the model.

    Args:
        name: of the base model, as :class:`~counterpoise.customization.finetune.Finetuner` takes it.
        recipe: one, or all that will be used.
        processes: that will train together.
    """
    try:
        require_extra()
        folder = base_folder(name)
        start, _ = adapter_chain(folder)
    except CounterpoiseError as error:
        return [str(error)]
    found = _tokenizer_problems(start)
    try:
        model = _skeleton(start)
    except CounterpoiseError as error:
        return [*found, str(error)]
    for one in [recipe] if isinstance(recipe, Recipe) else recipe:
        found += _misfits(model, one, processes)
    return list(dict.fromkeys(found))


def window_of(model: Any) -> int | None:
    """Tokens of a model's context window; ``None`` where it states none."""
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return int(window) if window else None


def checkpoint_bytes(name: str, recipe: Recipe) -> int:
    """Bytes on disk that one checkpoint of this recipe takes, rounded up by a little for what is not weights.

    Raises:
        UnsupportedError: the model is hosted, or its layers are not those that the recipe names.
        DataError: the folder holds no model.
        MissingExtraError: a training library is not installed.
    """
    require_extra()
    model = _skeleton(adapter_chain(base_folder(name))[0])
    if recipe.method == "lora":
        import torch
        from peft import get_peft_model

        from counterpoise.lm.loading import quiet_libraries

        with quiet_libraries(), torch.random.fork_rng():
            try:
                model = get_peft_model(model, adapter_config(recipe))
            except ValueError as error:
                raise UnsupportedError(f"the recipe does not fit the model: {error}") from error
    numbers: int = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    return _SPARE + _BYTES * numbers


def check_disk(out: Path, needed: int) -> None:
    """Stop before a training whose checkpoint would not fit on the disk.

    Raises:
        OutputError: there is too little room where ``out`` will be.
    """
    place = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            f"not enough disk for a checkpoint: {free / 1e9:.2f} GB free",
            where=str(out),
            expected=f"{needed / 1e9:.2f} GB",
        )


def adapter_config(recipe: Recipe) -> Any:
    """PEFT's configuration of a recipe's adapter."""
    from peft import LoraConfig

    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=0.0,
        target_modules=recipe.targets if isinstance(recipe.targets, str) else list(recipe.targets),
        task_type="CAUSAL_LM",
    )


def _skeleton(folder: Path) -> Any:
    from counterpoise.lm.adapters import skeleton

    return skeleton(folder)


def _tokenizer_problems(folder: Path) -> list[str]:
    from counterpoise.doctor.masking import Masker
    from counterpoise.lm.loading import load_tokenizer

    try:
        Masker(load_tokenizer(folder), "turns")
    except CounterpoiseError as error:
        return [f"{error} ({folder})"]
    return []


def _misfits(model: Any, recipe: Recipe, processes: int) -> list[str]:
    """Where a recipe does not fit a model or the number of processes."""
    found = []
    window = window_of(model)
    # The default is no wish.
    if window and recipe.max_length > window and "max_length" in recipe.model_fields_set:
        found.append(f"max_length is {recipe.max_length}, but the model's context window is {window} tokens")
    if recipe.batch_size % processes:
        found.append(f"batch_size is {recipe.batch_size}, which {processes} processes cannot share equally")
    if recipe.method == "full" or recipe.targets == "all-linear":
        return found
    names = [name for name, _ in model.named_modules()]
    for target in recipe.targets:
        if target.split(".")[-1] == "lm_head":
            found.append("targets name lm_head, which the trainer cannot adapt")
        elif not any(name == target or name.endswith("." + target) for name in names):
            linear = sorted({name.split(".")[-1] for name in names if name and _is_linear(model, name)})
            found.append(
                f"targets name {target!r}, but no layer of the model is called so; there are {', '.join(linear)}"
            )
    return found


def _is_linear(model: Any, name: str) -> bool:
    return type(model.get_submodule(name)).__name__ in ("Linear", "Conv1D") and not name.endswith("lm_head")
