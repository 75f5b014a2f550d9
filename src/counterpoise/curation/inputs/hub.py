"""The records of a dataset on the Hugging Face hub, or of a local folder of that form, streamed."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from counterpoise.curation.inputs.formats import Record, chosen
from counterpoise.errors import DataError, MissingExtraError, UsageError

__all__ = ["PREFIX", "hub_records", "is_pinned"]

PREFIX = "hf:"
_NAME = re.compile(rf"{PREFIX}(?P<path>[^:@]+)(?::(?P<config>[^:@]+))?(?:@(?P<revision>[^:@]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def hub_records(name: str, split: str | None = None) -> Iterator[Record]:
    """The rows of a dataset, in order, streamed; nothing of the dataset is run as code.

    Args:
        name: ``hf:owner/name[:config][@revision]``, or ``hf:`` and a local folder.
        split: which split; may be left out where there is but one.

    Raises:
        UsageError: the name is not of that form.
        MissingExtraError: ``datasets`` is not installed.
        DataError: the dataset cannot be reached or read, or the split is unknown or not named.
    """
    parts = _parts(name)
    try:
        library = import_module("datasets")
    except ImportError:
        raise MissingExtraError("datasets", extra="curate", purpose="reading a dataset of the hub") from None
    number = 0
    try:
        splits = library.load_dataset(parts["path"], parts["config"], revision=parts["revision"], streaming=True)
        for number, value in enumerate(splits[chosen(list(splits), split, name)], start=1):
            yield Record(number, value)
    except DataError:
        raise
    except Exception as error:
        # The library passes on whatever its backends raise: network, hub, Arrow, JSON, CSV and file system errors.
        where = f"{name} after row {number}" if number else name
        reason = (str(error).strip().splitlines() or [""])[0]
        raise DataError(f"cannot read the dataset: {type(error).__name__}: {reason[:200]}", where=where) from error


def is_pinned(name: str) -> bool:
    """Whether the name is one of a commit, whose content stays the same, or of a local folder."""
    parts = _parts(name)
    return bool(_COMMIT.fullmatch(parts["revision"] or "")) or Path(parts["path"]).is_dir()


def _parts(name: str) -> dict[str, Any]:
    if (found := _NAME.fullmatch(name)) is None:
        raise UsageError(f"{name!r} names no dataset", expected=f"{PREFIX}owner/name[:config][@revision]")
    return found.groupdict()
