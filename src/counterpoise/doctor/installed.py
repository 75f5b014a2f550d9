"""What is installed here, and whether it is enough: the checks behind ``counterpoise doctor``."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from counterpoise import __version__
from counterpoise.counterfactual.datasets import DATASETS, available
from counterpoise.lm import embedded

__all__ = ["Check", "examine"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        verdict: ``ok``; ``missing`` for something optional that is not there; ``failed`` for something needed.
        detail: what was found, and what to do when it is not ``ok``; one line.
    """

    name: str
    verdict: Literal["ok", "missing", "failed"]
    detail: str


def examine(data: Path | None) -> list[Check]:
    """Look at everything that Counterpoise needs or can use; changes nothing and loads no model.

    Args:
        data: the folder of downloaded datasets, when the user has one.
    """
    return [
        Check("counterpoise", "ok", f"{__version__}, Python {platform.python_version()}"),
        *(_package(name) for name in ("torch", "transformers", "inspect_ai", "llguidance")),
        *(_package(name, extra="train") for name in ("trl", "peft")),
        _machine(),
        *(_embedded(model) for model in embedded.listing()),
        _cache(),
        *_datasets(data),
    ]


def _package(name: str, *, extra: str | None = None) -> Check:
    try:
        return Check(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        if extra:
            return Check(name, "missing", f"needed to fine-tune: pip install 'counterpoise[{extra}]'")
        return Check(name, "failed", "not installed: pip install counterpoise")


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Check("machine", "ok", f"{cores} cores, {memory:.0f} GiB memory, {platform.system()} {platform.machine()}")


def _embedded(model: dict[str, Any]) -> Check:
    if not model["installed"]:
        return Check(model["name"], "missing", "not installed: counterpoise models pull")
    if model["converted"] is False:
        return Check(model["name"], "ok", f"{model['package']}, to be converted on first use")
    return Check(model["name"], "ok", f"{model['package']}, {model['size'] / 1e6:.0f} MB")


def _cache() -> Check:
    folder = embedded.cache_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Check("cache", "failed", f"{folder} cannot be written: set COUNTERPOISE_CACHE to another folder")
    free = shutil.disk_usage(existing).free / 2**30
    if free < 1:
        return Check("cache", "failed", f"{folder} has {free:.1f} GiB free; the embedded model needs 1")
    return Check("cache", "ok", f"{folder}, {free:.0f} GiB free")


def _datasets(data: Path | None) -> list[Check]:
    needing = {name: dataset for name, dataset in DATASETS.items() if dataset.files}
    if data is None:
        names = ", ".join(needing)
        return [Check("data", "missing", f"no folder given for {names}: use --data or COUNTERPOISE_DATA")]
    if not data.is_dir():
        return [Check("data", "failed", f"{data} is not a folder")]
    return [
        Check(f"data: {name}", "ok", f"found in {data}")
        if available(dataset, data)
        else Check(f"data: {name}", "missing", f"not in {data}; get it from {dataset.source}")
        for name, dataset in needing.items()
    ]
