"""Training examples as TRL's trainer takes them, read one at a time and checked for their fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from counterpoise.errors import DataError

__all__ = ["Example", "Shape", "Turn", "read_examples"]

Shape = Literal["messages", "turns", "strings", "text"]
"""``messages``; ``prompt`` and ``completion`` as lists of turns, or as strings; ``text``."""

Turn = Mapping[str, Any]
"""One turn of a conversation: ``role``, ``content``, and whatever else the chat template reads."""

_EXPECTED = "messages, prompt and completion (two strings or two lists of turns), or text"


@dataclass(frozen=True, slots=True)
class Example:
    """One training example; its parts are lists of turns for the shapes ``messages`` and ``turns``, else strings.

    Attributes:
        number: of its line, item or row, from 1.
        shape: which fields it has.
        prompt: empty for the shapes ``messages`` and ``text``.
        completion: the completion; all of the messages; the text.
        template: the example's own arguments for the chat template; TRL's columns ``tools``, which may be JSON in a
            string, and ``chat_template_kwargs``.
    """

    number: int
    shape: Shape
    prompt: Any
    completion: Any
    template: Mapping[str, Any]


def read_examples(source: Path | Iterable[Mapping[str, Any]]) -> Iterator[Example]:
    """The examples of a file or of rows in memory, in order, as they are asked for.

    All have the shape of the first one, as the trainer requires. A file is read by what its name ends in (see
    :mod:`counterpoise.curation.inputs.formats`), as JSON lines where that says nothing.

    Raises:
        DataError: the file cannot be read, there are no examples, or one lacks a field, has one of another type or
            another shape than the first; names the line.
    """
    shape: Shape | None = None
    for number, where, row in _rows(source):
        if not isinstance(row, Mapping):
            raise DataError("not an object", where=where, expected=f"an object with {_EXPECTED}")
        example = _example(number, where, row)
        if shape not in (None, example.shape):
            raise DataError("fields of another kind than in the first example", where=where, expected="one kind a file")
        shape = example.shape
        yield example
    if shape is None:
        place = str(source) if isinstance(source, Path) else None
        raise DataError("no examples", where=place, expected=f"objects with {_EXPECTED}")


def _rows(source: Path | Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str, Any]]:
    """Number, place in words and content of each row."""
    if not isinstance(source, Path):
        yield from ((number, f"example {number}", row) for number, row in enumerate(source, start=1))
        return
    from counterpoise.curation.inputs.formats import UNITS, file_records, format_of

    try:
        form = format_of(source)
    except DataError:
        form = "jsonl"
    for record in file_records(source, form):
        where = f"{source} {UNITS[form]} {record.number}"
        if record.fault:
            raise DataError(record.fault, where=where)
        yield record.number, where, record.value


def _example(number: int, where: str, row: Mapping[str, Any]) -> Example:
    template = {name: row[name] for name in ("tools", "chat_template_kwargs") if row.get(name) is not None}
    if "prompt" in row and "completion" in row:
        prompt, completion = row["prompt"], row["completion"]
        if isinstance(prompt, str) and isinstance(completion, str):
            return Example(number, "strings", prompt, completion, template)
        parts = (_turns(prompt, "prompt", where), _turns(completion, "completion", where))
        return Example(number, "turns", *parts, template)
    if "messages" in row:
        return Example(number, "messages", [], _turns(row["messages"], "messages", where), template)
    if isinstance(row.get("text"), str):
        return Example(number, "text", "", row["text"], template)
    raise DataError("nothing to train on", where=where, expected=_EXPECTED)


def _turns(value: Any, name: str, where: str) -> list[Turn]:
    if not isinstance(value, list) or not value or not all(_is_turn(turn) for turn in value):
        raise DataError(
            f"field {name!r} is not a list of turns", where=where, expected="turns with role and content, at least one"
        )
    return value


def _is_turn(value: Any) -> bool:
    """Whether it has a role and a content of text, of parts, or none (as beside calls of tools)."""
    if not isinstance(value, Mapping) or not isinstance(value.get("role"), str):
        return False
    content = value.get("content")
    return content is None or isinstance(content, str) or _are_parts(content)


def _are_parts(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(part, Mapping) for part in content)
