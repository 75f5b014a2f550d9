"""Pairs of a user's own file: any common format, any common names of fields, system turns kept."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from counterpoise.curation.inputs.detection import detect, shapes_with
from counterpoise.curation.inputs.fields import Misfit, value_of
from counterpoise.curation.inputs.formats import UNITS, Record, file_records, format_of
from counterpoise.curation.inputs.reading import require_file
from counterpoise.curation.inputs.shapes import Reading
from counterpoise.customization.examples.example import Example
from counterpoise.errors import DataError

__all__ = ["read_pairs"]

_PROMPTS = ("prompt", "question", "instruction", "goal", "request", "behavior", "forbidden_prompt")
_ANSWERS = ("completion", "answer", "output", "response", "target", "chosen")
_EXPECTED = "'prompt' and 'completion', 'goal' and 'target', 'instruction' and 'output', or 'messages'"


def read_pairs(path: Path) -> list[Example]:
    """The exchanges of a file, in order, as they stand there.

    A record is a conversation (a list of turns, or an object with ``messages`` or ``conversations``), of which the
    first user turn that is answered is taken, with its answer and the system turn before it; or an object with a
    request and an answer (:data:`_PROMPTS`, :data:`_ANSWERS`; capitals do not matter), with ``input`` or ``context``
    after the request and, where there is one, ``system`` as the system turn. The format is told by the file's name:
    JSON lines, JSON, CSV, TSV or Parquet, each gzipped or not.

    Returns:
        At least one example; the source of each is its place in the file.

    Raises:
        DataError: the file is missing, damaged or empty, or a record is no exchange or has an empty part; names it.
        MissingExtraError: a Parquet file, and pyarrow is not installed.
    """
    require_file(path)
    form = format_of(path)
    if form == "text":
        raise DataError("plain text holds no answers", where=str(path), expected="JSON lines, JSON, CSV or Parquet")
    unit = UNITS[form]
    # All at once: a file that is left half read would stay open.
    records = list(file_records(path, form))
    if not records:
        raise DataError("the file is empty", where=str(path), expected="at least one exchange")
    fields = _fields(records[0].value)
    reading, _ = detect(records, fields, shapes_with(fields, "pairs" if fields else None), f"{path} {unit}")
    if reading.shape not in ("messages", "pairs"):
        raise DataError("not a file of requests with answers", where=str(path), expected=_EXPECTED)
    return [_example(record, reading, path, unit) for record in records]


def _fields(record: Any) -> dict[str, str]:
    """The names of the fields of a request and its answer, where there are such; else none."""
    if not isinstance(record, Mapping):
        return {}
    names = {str(name).casefold(): str(name) for name in record}
    if "messages" in names or "conversations" in names:
        return {}
    found = {
        part: next((names[one] for one in known if one in names), "")
        for part, known in (("question", _PROMPTS), ("answer", _ANSWERS))
    }
    return found if all(found.values()) else {}


def _example(record: Record, reading: Reading, path: Path, unit: str) -> Example:
    where = f"{path} {unit} {record.number}"
    try:
        value = value_of(record)
        content = reading.content(value)
    except Misfit as reason:
        raise DataError(f"not an exchange: {reason}", where=where, expected=_EXPECTED) from None
    if not (content.question or "").strip() or not content.answer.strip():
        raise DataError("an empty request or answer", where=where, expected="text in both")
    return Example(content.question or "", content.answer, f"{path.name}:{record.number}", _system(value, reading))


def _system(value: Any, reading: Reading) -> str:
    """The system turn before the exchange; empty where there is none."""
    if reading.shape == "pairs":
        return next((text for name, text in value.items() if name.casefold() == "system" and isinstance(text, str)), "")
    turns = value[reading.messages] if reading.messages else value
    return next(_said(turns), "")


def _said(turns: Any) -> Iterator[str]:
    for turn in turns:
        role = str(turn.get("role", turn.get("from", ""))).casefold()
        if role != "system":
            return
        text = turn.get("content", turn.get("value"))
        if isinstance(text, str):
            yield text
