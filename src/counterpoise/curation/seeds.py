"""The seed set: the safety keywords that revisions take up."""

import random
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counterpoise.errors import DataError
from counterpoise.records import read_jsonl

__all__ = ["Seed", "builtin_seeds", "load_seeds", "sample"]


class Seed(BaseModel):
    """One safety keyword.

    Attributes:
        keyword: a word or short phrase, as it may stand in a sentence.
        category: where it belongs in the taxonomy.
        gloss: one line that says what is meant; may be empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    keyword: str = Field(min_length=2, max_length=80)
    category: str = Field(min_length=1)
    gloss: str = ""


def builtin_seeds() -> tuple[Seed, ...]:
    """The seed set that comes with Counterpoise."""
    with resources.as_file(resources.files("counterpoise.curation") / "seeds.jsonl") as path:
        return load_seeds(path)


def load_seeds(path: Path) -> tuple[Seed, ...]:
    """Read a seed set: JSON lines with ``keyword``, ``category`` and optionally ``gloss``.

    Raises:
        DataError: the file is missing, malformed or empty, a line has other fields, or a keyword occurs twice
            (compared without case and spacing); every fault of the file is named, the first five in full.
    """
    seeds: list[Seed] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, entry in enumerate(read_jsonl(path), start=1):
        try:
            seed = Seed.model_validate(entry)
        except ValidationError as error:
            faults += [
                f"entry {number}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False)
            ]
            continue
        identity = " ".join(seed.keyword.casefold().split())
        if identity in seen:
            faults.append(f"entry {number}: keyword {seed.keyword!r} is already entry {seen[identity]}")
            continue
        seen[identity] = number
        seeds.append(seed)
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise DataError(f"seed set has {len(faults)} fault(s): " + "; ".join(faults[:5]) + more, where=str(path))
    if not seeds:
        raise DataError("seed set is empty", where=str(path), expected="lines with keyword, category and gloss")
    return tuple(seeds)


def sample(keywords: Sequence[Seed], count: int, rng: random.Random) -> tuple[Seed, ...]:
    """Draw ``count`` different seeds, each equally likely; the order drawn is kept.

    Raises:
        ValueError: ``count`` is below 1 or above the number of seeds.
    """
    if not 1 <= count <= len(keywords):
        raise ValueError(f"count must be in [1, {len(keywords)}]; got {count}")
    return tuple(rng.sample(list(keywords), count))
