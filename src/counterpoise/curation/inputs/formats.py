"""The records of a file, one at a time: JSON lines, JSON, CSV, Parquet, or the paragraphs of a plain text."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import ijson

from counterpoise.curation.inputs.reading import Feed, lines, opened, require_file
from counterpoise.errors import DataError, MissingExtraError, UsageError

__all__ = ["FORMATS", "UNITS", "Record", "chosen", "file_records", "format_of"]

UNITS = {"jsonl": "line", "json": "item", "csv": "line", "tsv": "line", "parquet": "row", "text": "line", "hub": "row"}
"""What the records of a format are counted in."""
FORMATS = tuple(name for name in UNITS if name != "hub")
"""Of files."""
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "text",
    ".md": "text",
}
_LONGEST_CELL = 1 << 24
_ROWS = 256
_OPENS = frozenset(["start_map", "start_array"])
_CLOSES = frozenset(["end_map", "end_array"])
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source.

    Attributes:
        number: of its line, item or row, from 1; of the first line where it has several.
        value: what stands there, as JSON types (Parquet and hub datasets may have others inside).
        fault: why it is not a record of its file; ``None`` when it is.
    """

    number: int
    value: Any
    fault: str | None = None


def format_of(path: Path) -> str:
    """The format that a file's name tells, ``.gz`` left aside.

    Raises:
        DataError: it tells none.
    """
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    if (suffix := name.suffix.lower()) not in _SUFFIXES:
        raise DataError(
            "cannot tell the format of the file by its name",
            where=str(path),
            expected="one of " + ", ".join(_SUFFIXES),
            fix="name it with --format",
        )
    return _SUFFIXES[suffix]


def file_records(path: Path, format: str, split: str | None = None) -> Iterator[Record]:
    """The records of a file, in order, read as they are asked for.

    A JSON file is a list of records, an object with a list of records, an object of columns (lists of equal length), or
    one record after the other as in JSON lines. A CSV file's first line names its columns, which semicolons may part
    where there is no comma. A plain text's records are its paragraphs, which blank lines part.

    Args:
        path: the file; gzip is unpacked.
        format: one of :data:`FORMATS`.
        split: which list, where a JSON object has several.

    Raises:
        DataError: the file is missing, damaged or not of the format; names the line where there are lines.
        MissingExtraError: a Parquet file, and pyarrow is not installed.
        UsageError: ``split`` is given and the file has none.
    """
    if format == "json":
        return _json(path, split)
    if split is not None:
        raise UsageError(f"a file of format {format!r} has no splits", where=str(path), fix="leave out --split")
    match format:
        case "jsonl":
            return _jsonl(path)
        case "csv" | "tsv":
            return _csv(path, "\t" if format == "tsv" else None)
        case "parquet":
            return _parquet(path)
        case _:
            return _paragraphs(path)


def chosen(names: Sequence[str], split: str | None, where: str) -> str:
    """The one of a source's splits that is meant; ``split`` may be left out where there is but one.

    Raises:
        DataError: there is no such split, or there are several and none is named.
    """
    meant = [name for name in names if split in (name, None)]
    if len(meant) == 1:
        return meant[0]
    raise DataError(
        f"no split {split!r}" if split is not None else "several splits",
        where=where,
        expected="one of " + ", ".join(repr(name) for name in names),
        fix="name it with --split",
    )


def _jsonl(path: Path) -> Iterator[Record]:
    for number, line in lines(path):
        if line.strip():
            try:
                yield Record(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                where = f"{path} line {number}"
                raise DataError("not valid JSON", where=where, expected="one record a line") from error


def _json(path: Path, split: str | None) -> Iterator[Record]:
    kinds = _kinds(path)
    lists = [name for name, kind in kinds.items() if kind == "records"] if kinds else []
    if split is not None and not lists:
        raise UsageError("a JSON file without named lists of records has no splits", where=str(path))
    if kinds is None:
        values = _values(path, 1)
    elif lists:
        values = _values(path, 2, chosen(lists, split, str(path)))
    elif set(kinds.values()) == {"values"}:
        values = _rows_of_columns(path, list(kinds))
    else:
        values = _values(path, 0)
    for number, value in enumerate(values, start=1):
        yield Record(number, value)


def _kinds(path: Path) -> dict[str, str] | None:
    """What the fields of a JSON object are: ``records`` (a list of objects or of lists), ``values`` or something else.

    ``None`` for a list; empty for a file of several values, or of none.
    """
    kinds: dict[str, str] = {}
    key = ""
    for depth, event, value in _events(path):
        if depth == 0 and event in _OPENS and (kinds or event == "start_array"):
            return {} if kinds else None
        if event == "map_key" and depth == 1:
            key = value
        elif depth == 1 and event not in _CLOSES:
            kinds[key] = "list" if event == "start_array" else event
        elif depth == 2 and event not in _CLOSES and kinds[key] == "list":
            kinds[key] = "records" if event in _OPENS else "values"
    return kinds


def _rows_of_columns(path: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The columns are read side by side, each with a parser of its own."""
    columns = [_values(path, 2, name) for name in names]
    ended = object()
    while ended not in (cells := [next(column, ended) for column in columns]):
        yield dict(zip(names, cells, strict=True))
    if any(cell is not ended for cell in cells):
        raise DataError("the columns are not equally long", where=str(path), expected="as many values in each list")


def _values(path: Path, level: int, field: str | None = None) -> Iterator[Any]:
    """The values of a JSON file that stand so deep, those of one field of the outermost object or all of them."""
    key: str | None = None
    builder = None
    for depth, event, value in _events(path):
        if depth == 1 and event == "map_key" and builder is None:
            key = value
        elif builder is not None or (depth == level and key == field and event not in _CLOSES):
            builder = builder or ijson.ObjectBuilder()
            builder.event(event, value)
            if depth == level and event not in _OPENS:
                yield builder.value
                builder = None


def _events(path: Path) -> Iterator[tuple[int, str, Any]]:
    """What a JSON file consists of, each with the depth at which the value that it belongs to stands."""
    depth = 0
    with opened(path) as file:
        feed = Feed(file, path)
        try:
            # Numbers of the parser's own kinds: its way to others fails badly where they are too large for Python.
            for event, value in ijson.basic_parse(feed, multiple_values=True, use_float=True):
                depth -= event in _CLOSES
                yield depth, event, value
                depth += event in _OPENS
                if depth > _DEEPEST:
                    raise DataError(f"nested more than {_DEEPEST} levels deep", where=f"{path} line {feed.line}")
        except ijson.JSONError as error:
            if not feed.blank:
                large = ", a number is too large" if "overflow" in str(error) else ""
                where = f"{path} line {feed.line}"
                expected = "a list of records, or an object with one"
                raise DataError(f"not valid JSON{large}", where=where, expected=expected) from error


def _csv(path: Path, delimiter: str | None) -> Iterator[Record]:
    # The limit is the process's own; texts that are too long for a revision are still to be read and reported.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    rows = (line for _, line in lines(path))
    first = next(rows, "")
    if delimiter is None:
        delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(chain([first], rows), delimiter=delimiter, strict=True)
    names: list[str] = []
    begin = 1
    try:
        for cells in reader:
            number, begin = begin, reader.line_num + 1
            if len(cells) < 2 and not "".join(cells).strip():
                continue
            if not names:
                names = _header(cells, f"{path} line {number}")
            elif len(cells) != len(names):
                yield Record(number, None, f"{len(cells)} cell(s) under {len(names)} column name(s)")
            else:
                yield Record(number, dict(zip(names, cells, strict=True)))
    except csv.Error as error:
        raise DataError(
            f"not valid CSV: {error}", where=f"{path} line {begin}", expected="every quotation mark closed"
        ) from error


def _header(cells: Sequence[str], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    for name in names:
        # A column without a name, as of row numbers, is nobody's field.
        if name and names.count(name) > 1:
            raise DataError(f"two columns are called {name!r}", where=where, expected="a different name for each")
    return names


def _parquet(path: Path) -> Iterator[Record]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtraError("pyarrow", extra="curate", purpose="reading Parquet files") from None
    require_file(path)
    number = 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                for value in batch.to_pylist():
                    number += 1
                    yield Record(number, value)
    except (OSError, ValueError, NotImplementedError) as error:
        # pyarrow's own errors are of these kinds.
        where = f"{path} after row {number}" if number else str(path)
        raise DataError("not a Parquet file, or a damaged one", where=where, fix="get it again") from error


def _paragraphs(path: Path) -> Iterator[Record]:
    begin, paragraph = 0, ""
    for number, line in chain(lines(path), [(0, "")]):
        if line.strip():
            begin = begin if paragraph else number
            paragraph += line
        elif paragraph:
            yield Record(begin, {"text": paragraph.strip()})
            paragraph = ""
