"""Reading the folder of a model that is no language model: its configuration, weights and preprocessing.

Weights are read from safetensors only, no hub is asked, and no code that comes with a model is run.
"""

import json
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError, UnsupportedError

__all__ = ["load_pretrained", "read_config"]


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of a model whose folder holds what is needed.

    Raises:
        DataError: the folder is missing or has no configuration or weights.
        UnsupportedError: the model brings its own code.
    """
    if not (folder / "config.json").is_file():
        raise DataError(f"no model in folder {folder}", expected="config.json, preprocessing files and safetensors")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the model's configuration cannot be read", where=str(folder / "config.json")) from error
    if not isinstance(config, dict):
        raise DataError("the model's configuration is no object", where=str(folder / "config.json"))
    if config.get("auto_map"):
        raise UnsupportedError(
            f"the model in {folder} brings its own Python code, which is never run",
            expected="an architecture that transformers itself implements",
        )
    if not any(folder.glob("*.safetensors")):
        raise DataError(f"no weights in folder {folder}", expected="*.safetensors files")
    return config


def load_pretrained(folder: Path, model_kind: str, preprocessing_kind: str) -> tuple[Any, Any]:
    """A model in evaluation mode and its preprocessing.

    Args:
        folder: as written by ``save_pretrained``; :func:`read_config` has looked at it.
        model_kind: name of a class of transformers that loads the model, such as ``AutoModelForTokenClassification``.
        preprocessing_kind: likewise, such as ``AutoTokenizer``.

    Raises:
        DataError: the folder is incomplete or damaged, or weights that the model needs are not in it.
    """
    import transformers

    from counterpoise.lm.loading import quiet_libraries

    with quiet_libraries():
        try:
            preprocessing: Any = getattr(transformers, preprocessing_kind).from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
            model, report = getattr(transformers, model_kind).from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        # Damaged files fail in many ways inside the libraries (and safetensors raises its own kind).
        except Exception as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise DataError(f"cannot load the model in {folder}: {reason}") from error
    missing = sorted(report["missing_keys"])
    if missing:
        # They would be random.
        raise DataError(f"the model in {folder} lacks weights", where=missing[0], expected="a model that was trained")
    return model.eval(), preprocessing
