"""From a model's name to the model. Importing this module loads neither torch nor inspect_ai."""

from pathlib import Path
from typing import Any

from counterpoise.errors import DataError, UnknownNameError, UnsupportedError, UsageError
from counterpoise.lm.embedded import EMBEDDED, smollm2_folder
from counterpoise.lm.protocol import LanguageModel

__all__ = ["calls_tools", "inspect_name", "open_model", "open_tokenizer", "reads_images", "runs_here"]

_LANGUAGE_MODELS = [name for name, model in EMBEDDED.items() if model.kind == "language model"]


def open_model(name: str) -> LanguageModel:
    """The language model of that name, ready to use.

    Args:
        name: ``embedded/smollm2``, the path of a folder with a transformers model, or a name as Inspect AI writes
            it (``openai/...``, ``hf/...``, ``mockllm/model``). A folder that exists is taken as a folder.

    Raises:
        UnknownNameError: no such embedded model.
        UsageError: the name is none of the three kinds, or that model cannot be set up (missing package or key).
        DataError: the folder does not exist or holds no model.
    """
    kind, value = _resolve(name)
    if kind == "embedded":
        from counterpoise.lm.local import LocalLM

        return LocalLM.from_folder(smollm2_folder(), name=name)
    if kind == "folder":
        if reads_images(name):
            from counterpoise.lm.vision import VisionLM

            return VisionLM.from_folder(Path(value), name=name)
        from counterpoise.lm.local import LocalLM

        return LocalLM.from_folder(Path(value), name=name)
    from counterpoise.lm.hosted import InspectLM

    return InspectLM(value)


def open_tokenizer(name: str) -> Any:
    """The tokenizer of a model, of transformers; the model's weights are neither fetched nor read.

    Args:
        name: ``embedded/smollm2``, the path of a folder with a tokenizer, or ``owner/name`` or ``owner/name@revision``
            on the Hugging Face hub; what was downloaded before is found without a network.

    Raises:
        UnknownNameError, UsageError: no such name, or the hub does not hand it out.
        DataError: the folder does not exist, or the tokenizer is missing or damaged.
    """
    from counterpoise.lm.loading import load_tokenizer

    kind, value = _resolve(name)
    if kind == "embedded":
        return load_tokenizer(smollm2_folder())
    return load_tokenizer(Path(value) if kind == "folder" else _from_hub(value))


def inspect_name(name: str) -> str:
    """The name under which Inspect AI finds the model; the embedded and local ones through our provider.

    Raises:
        UsageError, UnknownNameError, DataError: as :func:`open_model`, but no model is loaded.

    >>> inspect_name("embedded/smollm2")
    'counterpoise/smollm2'
    >>> inspect_name("openai/gpt-5")
    'openai/gpt-5'
    """
    kind, value = _resolve(name)
    if kind == "embedded":
        return "counterpoise/" + name.removeprefix("embedded/")
    if kind == "folder":
        return f"counterpoise/{value}"
    return value


def calls_tools(name: str) -> bool:
    """Whether a model can be offered tools: those of Inspect AI's own providers, not the local ones.

    >>> calls_tools("openai/gpt-5"), calls_tools("embedded/smollm2")
    (True, False)
    """
    return not name.startswith(("embedded/", "counterpoise/")) and not Path(name).expanduser().is_dir()


def runs_here(name: str) -> bool:
    """Whether a model is run by the local engine, on this machine.

    Raises:
        UsageError, UnknownNameError, DataError: as :func:`open_model`, but no model is loaded.
    """
    return _resolve(name)[0] != "inspect"


def reads_images(name: str) -> bool:
    """Whether a model can be shown pictures, as far as its name or its folder says; hosted models are taken to.

    Raises:
        UsageError, UnknownNameError, DataError: as :func:`open_model`, but no model is loaded.
    """
    kind, value = _resolve(name)
    if kind == "folder":
        from counterpoise.lm.loading import reads_images as folder_reads_images

        return folder_reads_images(Path(value))
    return kind == "inspect"


def _from_hub(name: str) -> Path:
    """The folder with the tokenizer's files of a model on the hub."""
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    files = ["*.json", "*.jinja", "*.model", "*.txt"]
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=files))
    # The hub's client raises many kinds of errors, for networks, for permissions and for its own cache.
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(
            f"cannot get the tokenizer {name!r}: {reason}", fix="download it elsewhere and name its folder"
        ) from error


def _resolve(name: str) -> tuple[str, str]:
    """Which kind of name it is, and the embedded name, absolute folder or Inspect name it stands for."""
    if name.startswith("embedded/"):
        model = EMBEDDED.get(name)
        if model is None:
            raise UnknownNameError("embedded model", name, _LANGUAGE_MODELS)
        if model.kind != "language model":
            raise UnsupportedError(
                f"{name!r} is an {model.kind}, not a language model", expected="for instance embedded/smollm2"
            )
        return "embedded", name
    path = Path(name).expanduser() if name.startswith("~") else Path(name)
    try:
        if name and path.is_dir():
            return "folder", str(path.resolve())
        exists = bool(name) and path.exists()
    except OSError as error:
        raise DataError(f"cannot look at model folder: {error.strerror}", where=name[:80]) from error
    if exists or name.startswith(("/", "./", "../", "~")):
        raise DataError(f"no model folder at {name!r}", expected="a folder with config.json, tokenizer and safetensors")
    if "/" not in name.strip("/"):
        raise UsageError(
            f"unknown model {name!r}",
            expected="embedded/smollm2, a model folder, or provider/model as Inspect AI names it (openai/...)",
        )
    return "inspect", name
