"""Reading a model folder from disk: weights, tokenizer, precision and identity.

No hub is asked, and no code that comes with a model is run.
"""

import contextlib
import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from counterpoise.errors import DataError, MissingExtraError, UnsupportedError, UsageError
from counterpoise.lm.adapters import ADAPTER_CONFIG, adapter_chain
from counterpoise.records import content_hash

__all__ = [
    "Loaded",
    "LoadedVision",
    "default_device",
    "default_dtype",
    "end_tokens",
    "folder_revision",
    "load_folder",
    "load_tokenizer",
    "load_vision_folder",
    "quiet_libraries",
    "reads_images",
]

_ADAPTER_WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, ready for inference.

    Attributes:
        model: a transformers causal language model in evaluation mode.
        tokenizer: its tokenizer, with a chat template.
        revision: identity of weights, configuration, tokenizer, adapter and precision.
    """

    model: Any
    tokenizer: Any
    revision: str


@dataclass(frozen=True, slots=True)
class LoadedVision:
    """A model that reads images in memory, ready for inference.

    Attributes:
        model: a transformers image-text-to-text model in evaluation mode.
        processor: its processor, which holds the tokenizer; with a chat template.
        revision: identity of weights, configuration, processor, adapter and precision.
    """

    model: Any
    processor: Any
    revision: str


def reads_images(folder: Path) -> bool:
    """Whether the model in a folder reads images, by its configuration alone; nothing is loaded.

    False where there is no configuration that can be read: loading the folder says what is wrong with it.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(config, dict):
        return False
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    known: dict[str, str] = dict(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
    kind, saved = config.get("model_type"), config.get("architectures")
    if not isinstance(kind, str) or kind not in known:
        return False
    # Some types have a text-only sibling with the same configuration.
    return not isinstance(saved, list) or not saved or any(name in known.values() for name in saved)


def load_folder(
    folder: Path,
    *,
    adapter: Path | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    chat_template: str | None = None,
) -> Loaded:
    """Load a causal language model from a folder with configuration, tokenizer and safetensors.

    Args:
        folder: as written by ``save_pretrained``: a whole model, or a PEFT adapter that names its base; see
            :func:`~counterpoise.lm.adapters.adapter_chain`.
        adapter: a PEFT adapter folder to merge into the weights.
        device: as torch names it; default :func:`default_device`.
        dtype: precision; default :func:`default_dtype`. Adapters are merged in float32 before.
        chat_template: used instead of the tokenizer's own, which then need not have one; part of the revision.

    Raises:
        DataError: the folder, or the adapter's, is missing, incomplete or damaged.
        UnsupportedError: the model is of a kind that cannot be used (no chat template, own code, no safetensors).
        MissingExtraError: an adapter is given and peft is not installed.
    """
    from transformers import AutoModelForCausalLM

    base, adapters = adapter_chain(folder)
    adapters = (*adapters, adapter) if adapter else adapters
    model, tokenizer, revision = _load(base, AutoModelForCausalLM, lambda: _tokenizer(base), adapters, device, dtype)
    if chat_template is not None:
        tokenizer.chat_template = chat_template
        revision = content_hash([revision, chat_template], length=16)
    if tokenizer.chat_template is None:
        raise UnsupportedError(
            f"the tokenizer in {folder} has no chat template",
            expected="an instruction-tuned model, or a chat_template.jinja beside its tokenizer",
        )
    return Loaded(model, tokenizer, revision)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, with or without a model beside it; weights are not read.

    Raises:
        DataError: there is none, or it is damaged.
    """
    with quiet_libraries():
        try:
            return _tokenizer(adapter_chain(folder)[0])
        except DataError:
            raise
        # Damaged files fail in many ways inside the libraries.
        except Exception as error:
            raise DataError(f"cannot load the tokenizer in {folder}: {_first_line(error)}") from error


def load_vision_folder(
    folder: Path,
    *,
    adapter: Path | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
) -> LoadedVision:
    """Load a model that reads images; arguments as of :func:`load_folder`.

    Images are resized by Pillow whatever else is installed, so that outputs do not depend on it.

    Raises:
        DataError: the folder, or the adapter's, is missing, incomplete or damaged.
        UnsupportedError: the model is of a kind that cannot be used (no processor for images and text, no chat
            template, own code, no safetensors).
        MissingExtraError: an adapter is given and peft is not installed.
    """
    from transformers import AutoModelForImageTextToText

    model, processor, revision = _load(
        folder,
        AutoModelForImageTextToText,
        lambda: _processor(folder),
        (adapter,) if adapter else (),
        device,
        dtype,
    )
    tokenizer = getattr(processor, "tokenizer", None)
    # Without a class of its own, a folder gives a bare tokenizer or image processor.
    if tokenizer is None or getattr(processor, "image_processor", None) is None:
        raise UnsupportedError(
            f"the model in {folder} has no processor for images and text",
            expected="processor_config.json or preprocessor_config.json beside its tokenizer",
        )
    if getattr(processor, "chat_template", None) is None and tokenizer.chat_template is None:
        raise UnsupportedError(
            f"the processor in {folder} has no chat template",
            expected="an instruction-tuned model, or a chat_template.jinja beside its tokenizer",
        )
    return LoadedVision(model, processor, revision)


def _load(
    folder: Path,
    kind: Any,
    read_text_side: Callable[[], Any],
    adapters: Sequence[Path],
    device: str | None,
    dtype: torch.dtype | None,
) -> tuple[Any, Any, str]:
    """The model of an automatic class, what reads its prompts, and the revision of both."""
    _check_folder(folder)
    for adapter in adapters:
        if not (adapter / ADAPTER_CONFIG).is_file():
            raise DataError(f"no adapter in folder {adapter}", expected=f"{ADAPTER_CONFIG} and {_ADAPTER_WEIGHTS}")
    device = device or default_device()
    precision = dtype or default_dtype(device)
    with quiet_libraries():
        try:
            text_side = read_text_side()
            model: Any = kind.from_pretrained(
                str(folder),
                # What an adapter adds may be too small for a coarser precision.
                dtype=torch.float32 if adapters else precision,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        # Damaged files fail in many ways inside the libraries (and safetensors raises its own kind).
        except Exception as error:
            raise DataError(f"cannot load the model in {folder}: {_first_line(error)}") from error
        for adapter in adapters:
            model = _merged(model, adapter)
    added = [folder_revision(adapter) for adapter in adapters]
    revision = content_hash(
        [folder_revision(folder), added[0] if len(added) == 1 else added or None, str(precision)], length=16
    )
    return model.to(device, precision).eval(), text_side, revision


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)


def _processor(folder: Path) -> Any:
    """The processor of a folder; without its part for videos where that needs a package that is not installed."""
    from transformers import AutoConfig, AutoProcessor
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        return AutoProcessor.from_pretrained(str(folder), backend="pil", **local)
    except (ImportError, OSError) as reason:
        config = AutoConfig.from_pretrained(str(folder), **local)
        whole: Any = PROCESSOR_MAPPING[type(config)] if type(config) in PROCESSOR_MAPPING else None
        if whole is None or "video_processor" not in whole.get_attributes():
            raise
        parts = [part for part in whole.get_attributes() if part != "video_processor"]
        # The library asks the class which parts to read.
        of_images: Any = type(whole.__name__, (whole,), {"get_attributes": classmethod(lambda _: list(parts))})
        try:
            return of_images.from_pretrained(str(folder), backend="pil", **local)
        # Where it cannot do without, what was missing at first is what to say.
        except TypeError:
            raise reason from None


def default_device() -> str:
    """``cuda`` where there is one, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def default_dtype(device: str) -> torch.dtype:
    """bfloat16 where the processor multiplies it natively, float32 elsewhere.

    A CPU without those instructions emulates bfloat16, which is slower than float32 and no more exact.
    """
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.startswith("cpu"):
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
    return torch.float32


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a turn: the tokenizer's and those of the model's generation settings."""
    settings = getattr(model, "generation_config", None)
    found: set[int] = set()
    for value in (tokenizer.eos_token_id, getattr(settings, "eos_token_id", None)):
        if isinstance(value, int):
            found.add(value)
        elif value is not None:
            found |= set(value)
    return frozenset(found)


_HASHES: dict[tuple[str, int, int], str] = {}


def folder_revision(folder: Path) -> str:
    """Sixteen hexadecimal digits that change when any JSON, template, tokenizer or safetensors file of a folder does.

    Contents are hashed, not dates: a copied folder keeps its revision. A file whose size and date have not changed
    is hashed once per process.
    """
    parts: list[list[str]] = []
    for file in sorted(folder.iterdir()):
        if file.suffix in {".json", ".jinja", ".model", ".txt", ".safetensors"} and file.is_file():
            status = file.stat()
            key = (str(file.resolve()), status.st_size, status.st_mtime_ns)
            if key not in _HASHES:
                with file.open("rb") as content:
                    _HASHES[key] = hashlib.file_digest(content, "sha256").hexdigest()
            parts.append([file.name, _HASHES[key]])
    return content_hash(parts, length=16)


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep progress bars and notices of transformers off the terminal while it loads."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _check_folder(folder: Path) -> None:
    expected = "a folder with config.json, tokenizer and safetensors"
    if not folder.is_dir():
        raise DataError(f"no model folder at {folder}", expected=expected)
    if not (folder / "config.json").is_file():
        raise DataError(f"no model in folder {folder}", expected=expected)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the model's configuration cannot be read", where=str(folder / "config.json")) from error
    if isinstance(config, dict) and config.get("auto_map"):
        raise UnsupportedError(
            f"the model in {folder} brings its own Python code, which is never run",
            expected="an architecture that transformers itself implements",
        )
    if not any(folder.glob("*.safetensors")):
        raise DataError(f"no weights in folder {folder}", expected="*.safetensors files")


def _merged(model: Any, adapter: Path) -> Any:
    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("peft", extra="train", purpose="loading an adapter") from None
    if not (adapter / _ADAPTER_WEIGHTS).is_file():
        raise DataError(f"no adapter weights in folder {adapter}", expected=_ADAPTER_WEIGHTS)
    try:
        return PeftModel.from_pretrained(model, str(adapter), local_files_only=True).merge_and_unload()
    except UsageError:
        raise
    except Exception as error:
        raise DataError(f"cannot load the adapter in {adapter}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
