"""Reading large files of rows on a hub: JSON lines, a JSON list or Parquet, and a fixed sample of what they hold.

The sample depends on what the rows say and not on their order or the format of the file: rows are taken by the digest
of their fields.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case
from counterpoise.counterfactual.datasets.dataset import Reject
from counterpoise.counterfactual.datasets.source_text import as_object, json_value, read_text, text_field
from counterpoise.errors import DataError, MissingExtraError

__all__ = ["MOST_CASES", "SUFFIXES", "CodeRow", "sampled_cases", "sampled_rows"]

SUFFIXES = (".jsonl", ".json", ".parquet")
"""Of the files that can be read."""
MOST_CASES = 500
"""Cases of a sample."""
_ROWS_A_CASE = 4


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A row.

    Attributes:
        digest: of its fields; the same for the same texts.
        where: which row of the file it is.
        fields: the texts that were asked for, without white space around them.
    """

    digest: str
    where: str
    fields: Mapping[str, str]


def sampled_cases(
    path: Path,
    dataset: str,
    fields: Sequence[str],
    optional: Sequence[str],
    build: Callable[[CodeRow, str], Case | str],
) -> tuple[list[Case], list[Reject]]:
    """Up to :data:`MOST_CASES` cases of a file, sorted by id, and the rows that were looked at and cannot be used.

    Args:
        path: the file.
        dataset: name of the dataset, with which ids begin.
        fields: as :func:`sampled_rows`.
        optional: as :func:`sampled_rows`.
        build: from a row and an id to the case, or why there is none.

    Raises:
        DataError: as :func:`sampled_rows`.
        MissingExtraError: as :func:`sampled_rows`.
    """
    cases: list[Case] = []
    rejects: list[Reject] = []
    before: CodeRow | None = None
    for row in sampled_rows(path, fields, optional, MOST_CASES * _ROWS_A_CASE):
        if len(cases) == MOST_CASES:
            break
        identity = f"{dataset}-{row.digest}"
        if before is not None and before.digest == row.digest:
            rejects.append(Reject(identity, f"the same item occurs twice ({row.where}, first {before.where})"))
            continue
        before, found = row, build(row, identity)
        if isinstance(found, Case):
            cases.append(found)
        else:
            rejects.append(Reject(identity, f"{found} ({row.where})"))
    return cases, rejects


def sampled_rows(path: Path, fields: Sequence[str], optional: Sequence[str], most: int) -> list[CodeRow]:
    """The rows with the smallest digests, sorted by them; equal rows stand side by side, in the file's order.

    Args:
        path: a file with one of :data:`SUFFIXES`.
        fields: names of the fields that a row must have.
        optional: names of fields that it may have; empty where it has not.
        most: how many rows are wanted.

    Raises:
        DataError: the file cannot be read, or any row of it is malformed; names file and row.
        MissingExtraError: a Parquet file, and pyarrow is not installed.
    """
    return heapq.nsmallest(most, _rows(path, fields, optional), key=lambda row: row.digest)


def _rows(path: Path, fields: Sequence[str], optional: Sequence[str]) -> Iterator[CodeRow]:
    for where, record in _records(path):
        texts = {name: text_field(record, name, where).strip() for name in fields}
        texts |= {name: text.strip() if isinstance(text := record.get(name), str) else "" for name in optional}
        digest = hashlib.blake2b("\0".join(texts.values()).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        yield CodeRow(digest, where.removeprefix(f"{path} "), texts)


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    match path.suffix:
        case ".jsonl":
            yield from _lines(path)
        case ".json":
            value = json_value(read_text(path), path)
            if not isinstance(value, list):
                raise DataError(f"a {type(value).__name__}", where=str(path), expected="a JSON list of rows")
            for number, item in enumerate(value, start=1):
                where = f"{path} item {number}"
                yield where, as_object(item, where)
        case _:
            yield from _parquet(path)


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Line by line, because the files are too large to be held as a whole."""
    try:
        with path.open("rb") as handle:
            for number, raw in enumerate(handle, start=1):
                where = f"{path} line {number}"
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise DataError("file is not UTF-8 text", where=where, fix="re-encode it as UTF-8") from error
                if line.strip():
                    yield where, as_object(json_value(line, path, number), where)
    except OSError as error:
        raise DataError(f"cannot read file: {error.strerror}", where=str(path)) from error


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtraError("pyarrow", extra="train", purpose="reading Parquet files") from None
    try:
        with parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1000):
                for record in batch.to_pylist():
                    number += 1
                    yield f"{path} row {number}", record
    except (OSError, ValueError) as error:
        # pyarrow's own errors are of these kinds.
        raise DataError("not a Parquet file", where=str(path), fix="the file may be cut off; get it again") from error
