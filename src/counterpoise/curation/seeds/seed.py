"""A seed set: safety keywords, each with its category and what is meant."""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counterpoise.errors import DataError, OutputError
from counterpoise.records import canonical_json, read_jsonl, write_atomic

__all__ = [
    "BUILTIN",
    "Provenance",
    "Seed",
    "builtin_seeds",
    "check_out",
    "identity",
    "load_seeds",
    "open_seeds",
    "write_seeds",
]

BUILTIN = "builtin"
"""The name of the set that comes with Counterpoise."""


class Provenance(BaseModel):
    """Where a keyword that was extracted comes from.

    Attributes:
        documents: names of the documents whose keyphrase it is, in alphabetical order.
        count: how often it stands in them, whatever its case and spacing.
        relevance: its safety relevance; see :mod:`counterpoise.curation.seeds.relevance`.
        variants: phrases of the same meaning that it stands for.
        gloss_source: the document that the gloss is quoted from, or the model that wrote it; empty without a gloss.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: tuple[str, ...] = Field(min_length=1)
    count: int = Field(ge=1)
    relevance: float = Field(ge=-2, le=2)
    variants: tuple[str, ...] = ()
    gloss_source: str = ""


class Seed(BaseModel):
    """One safety keyword.

    Attributes:
        keyword: a word or short phrase, as it may stand in a sentence.
        category: where it belongs in the taxonomy.
        gloss: one line that says what is meant; may be empty.
        provenance: of a keyword that was extracted from documents; ``None`` for one that a person wrote.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    keyword: str = Field(min_length=2, max_length=80)
    category: str = Field(min_length=1)
    gloss: str = ""
    provenance: Provenance | None = None


@cache
def builtin_seeds() -> tuple[Seed, ...]:
    """The seed set that comes with Counterpoise."""
    with resources.as_file(resources.files("counterpoise.curation.seeds") / "seeds.jsonl") as path:
        return load_seeds(path)


def open_seeds(name: str) -> tuple[Seed, ...]:
    """A seed set as a user names it: ``builtin``, or a file.

    Raises:
        DataError: see :func:`load_seeds`.
    """
    return builtin_seeds() if name == BUILTIN else load_seeds(Path(name))


def identity(keyword: str) -> str:
    """What two spellings of one keyword have in common: the letters, without case and spacing."""
    return " ".join(keyword.casefold().split())


def load_seeds(path: Path) -> tuple[Seed, ...]:
    """Read a seed set: JSON lines with ``keyword``, ``category`` and optionally ``gloss`` and ``provenance``.

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
        key = identity(seed.keyword)
        if key in seen:
            faults.append(f"entry {number}: keyword {seed.keyword!r} is already entry {seen[key]}")
            continue
        seen[key] = number
        seeds.append(seed)
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise DataError(f"seed set has {len(faults)} fault(s): " + "; ".join(faults[:5]) + more, where=str(path))
    if not seeds:
        raise DataError("seed set is empty", where=str(path), expected="lines with keyword, category and gloss")
    return tuple(seeds)


def check_out(out: Path) -> None:
    """Refuse a file that a set cannot be written to, before the work that makes the set.

    Raises:
        OutputError: ``out`` is a folder, or the folder it would be in is not there.
    """
    if out.is_dir():
        raise OutputError(f"{out} is a folder", expected="a file to write", fix=f"for instance {out / 'seeds.jsonl'}")
    if not out.parent.is_dir():
        raise OutputError(f"no folder {out.parent}", fix="create it first")


def write_seeds(seeds: Iterable[Seed], out: Path) -> bool:
    """Write a set that :func:`load_seeds` reads, in one step; says whether the file had to be written.

    A file that holds exactly this set already is left alone; any other file is not overwritten.

    Raises:
        OutputError: see :func:`check_out`; the file exists with other content, or cannot be written.
    """
    check_out(out)
    text = "".join(canonical_json(seed.model_dump(mode="json", exclude_none=True)) + "\n" for seed in seeds)
    try:
        same = out.exists() and out.read_bytes() == text.encode()
    except OSError as error:
        raise OutputError(f"cannot read {out}: {error.strerror or error}") from error
    if out.exists() and not same:
        raise OutputError(f"{out} exists and holds something else", fix="choose another file or remove it")
    if not same:
        write_atomic(out, text)
    return not same
