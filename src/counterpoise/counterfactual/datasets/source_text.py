"""Reading the files of a source: text, JSON, JSON lines and CSV, with errors that name file and line."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError

__all__ = ["as_object", "csv_rows", "json_lines", "json_value", "read_text", "text_field"]


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without a byte-order mark.

    Raises:
        DataError: it cannot be read or is in another encoding; names the line.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read file: {error.strerror}", where=str(path)) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError("file is not UTF-8 text", where=f"{path} line {line}", fix="re-encode it as UTF-8") from error


def json_value(text: str, path: Path, first_line: int = 1) -> Any:
    """The JSON value of a text that begins at a line of a file.

    Raises:
        DataError: it is no JSON; names the line.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path} line {first_line + error.lineno - 1}"
        raise DataError(
            f"not valid JSON: {error.msg}", where=where, fix="the file may be cut off; get it again"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError("not valid JSON", where=f"{path} line {first_line}") from error


def json_lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a file with one a line, each with where it stands; blank lines are skipped.

    Raises:
        DataError: the file cannot be read, or a line is no JSON object.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            where = f"{path} line {number}"
            yield where, as_object(json_value(line, path, number), where)


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a comma-separated file with a header, each with where it ends.

    Raises:
        DataError: the file cannot be read, lacks a column, or a row has more or fewer cells than the header.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        present = [name.strip() for name in reader.fieldnames or ()]
        if missing := [name for name in columns if name not in present]:
            raise DataError(
                f"no column {', '.join(missing)}", where=f"{path} line 1", expected="columns " + ", ".join(columns)
            )
        reader.fieldnames = present
        for row in reader:
            where = f"{path} line {reader.line_num}"
            if None in row or None in row.values():
                raise DataError("a row with more or fewer cells than columns", where=where, expected=f"{len(present)}")
            yield where, {name: row[name] for name in columns}
    except csv.Error as error:
        # line_num is that of the last whole row.
        raise DataError(f"not valid CSV: {error}", where=f"{path} line {reader.line_num + 1}") from error


def as_object(value: Any, where: str) -> Mapping[str, Any]:
    """The value, which must be a JSON object.

    Raises:
        DataError: it is something else.
    """
    if not isinstance(value, dict):
        raise DataError(f"a {type(value).__name__}", where=where, expected="a JSON object")
    return value


def text_field(record: Mapping[str, Any], name: str, where: str) -> str:
    """The text in a field.

    Raises:
        DataError: there is no such field, or it holds something else.
    """
    if name not in record:
        raise DataError(f"no field {name!r}", where=where)
    if not isinstance(record[name], str):
        raise DataError(f"field {name!r} is a {type(record[name]).__name__}", where=where, expected="a text")
    return record[name]  # type: ignore[no-any-return]
