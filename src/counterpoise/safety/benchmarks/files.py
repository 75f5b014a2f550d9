"""Reading files of the data folder; whatever is wrong with one is said in one line."""

import csv
import io
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError
from counterpoise.records import read_numbered

__all__ = ["builtin_rows", "csv_rows", "data_path", "json_rows", "jsonl_rows", "text_lines", "text_of"]


@cache
def builtin_rows(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of a JSON-lines file that comes with the package."""
    text = (resources.files("counterpoise") / "customization" / "builtin" / name).read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.split("\n") if line.strip())


def data_path(data: Path | None, name: str) -> Path:
    """Where a file of the data folder lies.

    Raises:
        DataError: there is no data folder.
    """
    if data is None:
        raise DataError(
            f"{name} needs the data folder", fix="set COUNTERPOISE_DATA or 'data' in the plan to the downloaded data"
        )
    return data / name


def csv_rows(data: Path | None, name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file with at least these columns.

    Raises:
        DataError: the file is missing, has no rows or lacks a column, or a row is too short.
    """
    # `newline=""` semantics: line breaks inside quoted cells belong to the cell.
    try:
        rows = list(csv.DictReader(io.StringIO(text_of(data, name), newline="")))
    except csv.Error as error:
        raise DataError(f"not valid CSV: {error}", where=str(data_path(data, name))) from error
    missing = [column for column in columns if rows and column not in rows[0]]
    if missing or not rows:
        raise DataError(
            f"no column {missing[0]!r}" if missing else "no rows",
            where=str(data_path(data, name)),
            expected="the columns " + ", ".join(columns),
        )
    for number, row in enumerate(rows, start=2):
        if any(row[column] is None for column in columns):
            raise DataError(f"row {number} is too short", where=str(data_path(data, name)))
    return rows


def json_rows(data: Path | None, name: str, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """The objects of a JSON list; each has text in the fields that are named.

    Raises:
        DataError: the file is missing or not such a list.
    """
    where = str(data_path(data, name))
    try:
        rows = json.loads(text_of(data, name))
    except (ValueError, RecursionError) as error:
        raise DataError("not valid JSON", where=where) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("not a list of objects", where=where, expected="a list of instructions")
    for number, row in enumerate(rows, start=1):
        _check_texts(row, texts, f"item {number}", where)
    return rows


def jsonl_rows(data: Path | None, name: str, texts: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; each has text in the fields that are named.

    Raises:
        DataError: the file is missing, or a line is not such an object.
    """
    path = data_path(data, name)
    numbered = read_numbered(path)
    if not numbered:
        raise DataError("the file is empty", where=str(path))
    for number, row in numbered:
        _check_texts(row, texts, f"line {number}", str(path))
    return [row for _, row in numbered]


def text_lines(data: Path | None, name: str) -> list[str]:
    """The lines of a text file that are not blank, stripped.

    Raises:
        DataError: the file is missing or has no such line.
    """
    lines = [line.strip() for line in text_of(data, name).split("\n") if line.strip()]
    if not lines:
        raise DataError("no lines", where=str(data_path(data, name)), expected="one prompt a line")
    return lines


def text_of(data: Path | None, name: str) -> str:
    """The text of a file.

    Raises:
        DataError: the file is missing or not UTF-8.
    """
    path = data_path(data, name)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError("file is not UTF-8 text", where=str(path), fix="re-encode it as UTF-8") from error
    except OSError as error:
        raise DataError(
            f"cannot read {name}: {error.strerror}", where=str(data), expected="the folder with the downloaded data"
        ) from error


def _check_texts(row: dict[str, Any], texts: tuple[str, ...], which: str, where: str) -> None:
    for name in texts:
        if not isinstance(row.get(name), str):
            raise DataError(f"{which} has no text in {name!r}", where=where, expected=f"text in {', '.join(texts)}")
