"""What a reader of the review page decided about the revisions of a run: which to export and which to leave out."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from counterpoise.errors import DataError

__all__ = ["FORMAT", "Decision", "read_decisions"]

Decision = Literal["accept", "reject"]

FORMAT = "counterpoise-decisions/1"
"""What a decisions file says of itself."""


class _Decisions(BaseModel):
    """The file: ``{"format": ..., "run": ..., "decisions": {text id: "accept" or "reject"}}``."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["counterpoise-decisions/1"]
    run: str
    decisions: dict[str, Decision]


def read_decisions(path: Path, *, run: str) -> dict[str, Decision]:
    """Read the decisions that a review page saved, by text id, in the file's order.

    A text that the file does not name is undecided; whether every id is one of the run's is the caller's to check.

    Args:
        path: the file.
        run: id of the run that the decisions must be about.

    Raises:
        DataError: the file is missing, not UTF-8, not JSON, decides one text twice, is of another format or about
            another run, or has a decision other than ``accept`` and ``reject``.
    """
    try:
        value = json.loads(path.read_bytes().decode(), object_pairs_hook=_each_once)
        read = _Decisions.model_validate(value)
    except OSError as error:
        raise DataError(f"cannot read file: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise DataError("file is not UTF-8 text", where=str(path), fix="save it from the review page again") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # A text's id is a stranger's: written as a literal, it cannot act on a terminal.
        place = " of ".join(repr(part) for part in reversed(first["loc"])) or "the file"
        raise DataError(
            f"{place}: {first['msg']}", where=str(path), expected=f"a decisions file of the format {FORMAT!r}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"not valid JSON: {error}", where=str(path), fix="save it from the review page again"
        ) from error
    if read.run != run:
        raise DataError(f"decisions about the run {read.run!r}", where=str(path), expected=f"the run {run}")
    return read.decisions


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different; JSON would let the last of equal ones win in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs more than once")
    return found
