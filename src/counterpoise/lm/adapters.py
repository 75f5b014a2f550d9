"""Adapter folders that name what they adapt, and models as configuration alone."""

import json
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError

__all__ = ["ADAPTER_CONFIG", "BASE_KEY", "adapter_chain", "skeleton"]

ADAPTER_CONFIG = "adapter_config.json"
BASE_KEY = "base_model_name_or_path"
_LONGEST = 64  # adapters on one another


def adapter_chain(folder: Path) -> tuple[Path, tuple[Path, ...]]:
    """The whole model that a folder stands for, and the adapters on it, the first to be merged first.

    A folder with a whole model stands for itself. A PEFT adapter names its base in its configuration: an embedded model
    or a folder, its path taken from the adapter's folder, which may hold another adapter.

    Raises:
        DataError: a configuration cannot be read, a base is not on this machine, or the adapters go in a circle.
    """
    adapters: list[Path] = []
    while (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file():
        if folder.resolve() in [one.resolve() for one in adapters] or len(adapters) == _LONGEST:
            raise DataError("the adapters name one another as their base", where=str(folder))
        adapters.append(folder)
        folder = _base(folder)
    return folder, tuple(reversed(adapters))


def _base(adapter: Path) -> Path:
    from counterpoise.lm.embedded import EMBEDDED, smollm2_folder

    file = adapter / ADAPTER_CONFIG
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the adapter's configuration cannot be read", where=str(file)) from error
    name = settings.get(BASE_KEY) if isinstance(settings, dict) else None
    if isinstance(name, str) and name:
        if name in EMBEDDED and EMBEDDED[name].kind == "language model":
            return smollm2_folder()
        place = adapter / Path(name).expanduser()
        try:
            if place.is_dir():
                return place
        except OSError as error:
            raise DataError(f"cannot look at the adapter's base: {error.strerror}", where=str(file)) from error
    what = f"the adapter's base model {str(name)[:200]!r} is not here" if name else "the adapter names no base"
    raise DataError(what, where=str(file), fix=f"put the path of its base model's folder into {BASE_KEY}")


def skeleton(folder: Path) -> Any:
    """A causal language model with all its layers and no weights, on torch's device ``meta``.

    Raises:
        DataError: the folder has no configuration of such a model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from counterpoise.lm.loading import quiet_libraries

    with quiet_libraries():
        try:
            config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
            # Nothing is drawn for weights that are not there, but the generator moves on.
            with torch.random.fork_rng(), torch.device("meta"):
                return AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        # Damaged files and unknown kinds of models fail in many ways inside the library.
        except Exception as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise DataError(f"no model in folder {folder}: {reason}", expected="a causal language model") from error
