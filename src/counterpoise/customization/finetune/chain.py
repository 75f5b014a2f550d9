"""Checkpoints in memory: a base model with the adapters of a chain merged, and the same as a folder of its own."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError, UnsupportedError
from counterpoise.lm.adapters import ADAPTER_CONFIG, BASE_KEY, adapter_chain
from counterpoise.lm.embedded import EMBEDDED, smollm2_folder
from counterpoise.records import content_hash, write_atomic

__all__ = ["base_folder", "chain_revision", "load_chain", "name_base"]


def base_folder(name: str) -> Path:
    """The folder of a base model.

    Raises:
        UnsupportedError: it is not one whose weights are here.
    """
    if name in EMBEDDED and EMBEDDED[name].kind == "language model":
        return smollm2_folder()
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    raise UnsupportedError(
        f"the model {name!r} cannot be fine-tuned here", expected="embedded/smollm2 or a folder with model weights"
    )


def chain_revision(base: Path, chain: Sequence[Path] = ()) -> str:
    """Identity of the weights that a chain leads to.

    Raises:
        DataError: the base is an adapter whose own base cannot be found, or a folder cannot be read.
    """
    from counterpoise.lm.loading import folder_revision

    start, adapters = adapter_chain(base)
    parts = [folder_revision(folder) for folder in (start, *adapters, *chain)]
    return parts[0] if len(parts) == 1 else content_hash(parts, length=16)


def load_chain(base: Path, chain: Sequence[Path], *, device: str | None = None) -> tuple[Any, Any]:
    """The model that a chain leads to, every adapter merged in float32, and its tokenizer.

    Args:
        base: folder of a whole model, or of an adapter that names its base.
        chain: checkpoints in order; what comes before a whole model among them is not needed.
        device: as torch names it; by default the first one there is.

    Raises:
        DataError: a folder is missing or damaged.
    """
    import torch
    from peft import PeftModel

    from counterpoise.lm.loading import load_folder, quiet_libraries

    whole = [number for number, folder in enumerate(chain) if (folder / "config.json").is_file()]
    start = whole[-1] if whole else None
    loaded = load_folder(base if start is None else chain[start], device=device, dtype=torch.float32)
    model = loaded.model
    for folder in chain if start is None else chain[start + 1 :]:
        with quiet_libraries():
            try:
                model = PeftModel.from_pretrained(model, str(folder), local_files_only=True).merge_and_unload()
            except Exception as error:
                raise DataError(f"cannot load the adapter in {folder}: {error}") from error
    return model, loaded.tokenizer


def name_base(adapter: Path, name: str, chain: Sequence[Path], home: Path) -> None:
    """Write into a new adapter what it continues from, so that its folder alone can be opened.

    Args:
        adapter: folder of the adapter, just written.
        name: of the base model.
        chain: what was trained before; the last of it is named by its path from ``home``.
        home: where the adapter's folder will be.
    """
    file = adapter / ADAPTER_CONFIG
    settings = json.loads(file.read_text(encoding="utf-8"))
    if chain:
        settings[BASE_KEY] = os.path.relpath(chain[-1].resolve(), home.resolve())
    else:
        settings[BASE_KEY] = name if name in EMBEDDED else str(base_folder(name))
    write_atomic(file, json.dumps(settings, indent=2, sort_keys=True) + "\n")
    # PEFT's model card names the base by its path on this machine.
    (adapter / "README.md").unlink(missing_ok=True)
