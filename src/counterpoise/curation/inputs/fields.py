"""The fields of a record: their names, their values, and what is wrong with them, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterpoise.curation.inputs.formats import Record

__all__ = ["Misfit", "field_names", "has_field", "kind_of", "listed", "string", "value_at", "value_of"]

_SHOWN = 12


class Misfit(Exception):
    """Why a record cannot be read as asked; a reason in one line, which its text then has as its problem."""


def value_of(record: Record) -> Any:
    """What stands in a record.

    Raises:
        Misfit: it is not a record of its file.
    """
    if record.fault is not None:
        raise Misfit(record.fault)
    return record.value


def value_at(value: Any, name: str) -> Any:
    """The value of a field; a dotted name leads into objects and, by places from 0, into lists.

    >>> value_at({"answers": {"text": ["So."]}}, "answers.text.0")
    'So.'

    Raises:
        Misfit: there is no such field.
    """
    if not isinstance(value, Mapping):
        raise Misfit(f"{kind_of(value)}, not an object with fields")
    if name in value:
        return value[name]
    for part in name.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise Misfit(f"no field {name!r}")
    return value


def has_field(value: Any, name: str) -> bool:
    """Whether :func:`value_at` finds something, be it null."""
    try:
        value_at(value, name)
    except Misfit:
        return False
    return True


def string(value: Any, name: str) -> str:
    """The value, if it is a string.

    Raises:
        Misfit: it is not; says what the field ``name`` is instead.
    """
    if not isinstance(value, str):
        raise Misfit(f"field {name!r} is {kind_of(value)}, not a string")
    return value


def field_names(value: Any) -> list[str]:
    """Names of the fields and, dotted, of the fields of those that are objects; none for what is no object.

    >>> field_names({"id": 1, "question": {"stem": "Why?", "choices": []}})
    ['id', 'question', 'question.stem', 'question.choices']
    """
    names = []
    for name, inner in value.items() if isinstance(value, Mapping) else ():
        names.append(str(name))
        names += [f"{name}.{one}" for one in inner] if isinstance(inner, Mapping) else []
    return names


def listed(names: Sequence[str]) -> str:
    """Names from a file as a message shows them: in quotation marks, control characters escaped, not endless.

    >>> listed(["text", "id"])
    "'text', 'id'"
    """
    shown = ", ".join(repr(name[:40]) for name in names[:_SHOWN])
    return (shown or "none") + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def kind_of(value: Any) -> str:
    """The JSON type of a value, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case {}:
            return "an object"
    return f"a {type(value).__name__}"
