"""Reading JSON as language models write it.

Finds the objects and arrays in a text and forgives prose around them, code fences, single or typographic quotes,
bare words, trailing commas and a cut-off end. Nothing is evaluated, no text makes it raise, and the time is
linear in the text's length.
"""

import json
import re
from typing import Any

__all__ = ["MAX_CHARS", "bounded", "clean", "read_values"]

MAX_CHARS = 65_536
"""Longer texts are read at both ends only."""
_MAX_DEPTH = 24
_MAX_VALUES = 500
_OPEN = re.compile(r"[{\[]")
_SPACE = re.compile(r"\s*")
_BARE = re.compile(r"[^\s,:{}\[\]\"'“”‘][^,:{}\[\]\"“”\n]{0,400}")
_CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_ENDS = {quote: re.compile(rf"[\\{end}]") for quote, end in _CLOSING.items()}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_NULLS = frozenset({"null", "None", "none", "undefined", "NaN", "nan"})


class _BrokenError(Exception):
    """The text at ``position`` is not part of a value."""

    def __init__(self, position: int) -> None:
        self.position = position


class _CutOffError(Exception):
    """The text ends inside a value."""


def bounded(text: str) -> str:
    """The text itself, or the two ends of one that is longer than :data:`MAX_CHARS`."""
    if len(text) <= MAX_CHARS:
        return text
    return text[: MAX_CHARS // 2] + "\n" + text[-MAX_CHARS // 2 :]


def clean(text: str) -> str:
    """The text with lone surrogates replaced, so that it can be stored as UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_values(text: str) -> list[tuple[Any, bool]]:
    r"""The outermost objects and arrays of a text, in order, each with whether it was closed.

    Scalars come as strings, numbers in their original spelling, so no digit is lost; ``null`` and ``NaN`` come as
    ``None``. Of a value that is cut off by the end of the text, the members that were complete are kept. At most 500
    values.

    >>> read_values("Sure! ```json\n{'a': 1.50, b: [x, null,],}\n```")
    [({'a': '1.50', 'b': ['x', None]}, True)]
    >>> read_values('{"a": [{"b": 1}, {"b": ')
    [({'a': [{'b': '1'}]}, False)]
    """
    text = bounded(text)
    whole = _strict(text)
    if whole is not None:
        return [(whole, True)]
    found: list[tuple[Any, bool]] = []
    position = 0
    while len(found) < _MAX_VALUES:
        start = _OPEN.search(text, position)
        if start is None:
            break
        reader = _Reader(text)
        try:
            value, position = reader.value(start.start(), 0)
        except _BrokenError as broken:
            # Continuing where reading broke off, never before it, keeps the time linear.
            position = max(broken.position, start.start() + 1)
            continue
        found.append((value, not reader.cut_off))
    return found


def _strict(text: str) -> Any:
    """The value of a text that is exactly one valid JSON object or array, else ``None``."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=_constant)
    except (ValueError, RecursionError):
        return None
    return _scalars(value, 0)


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


def _scalars(value: Any, depth: int) -> Any:
    """Booleans to strings; ``None`` in place of what is nested too deeply."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {key: _scalars(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_scalars(item, depth + 1) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


class _Reader:
    """One recursive-descent pass; every method returns a value and the position after it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.cut_off = False

    def value(self, position: int, depth: int) -> tuple[Any, int]:
        position = self._skip(position)
        character = self.text[position : position + 1]
        if depth > _MAX_DEPTH:
            raise _BrokenError(position)
        if character == "{":
            return self._object(position + 1, depth)
        if character == "[":
            return self._array(position + 1, depth)
        return self._scalar(position)

    def _object(self, position: int, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        try:
            while True:
                position = self._separators(position)
                if self._at(position) == "}":
                    return members, position + 1
                key, position = self._scalar(position)
                position = self._skip(position)
                if self._at(position) != ":":
                    raise _BrokenError(position)
                value, position = self.value(position + 1, depth + 1)
                members[key or ""] = value
                if self.cut_off:
                    return members, position
        except _CutOffError:
            self.cut_off = True
            return members, len(self.text)

    def _array(self, position: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        try:
            while True:
                position = self._separators(position)
                if self._at(position) == "]":
                    return items, position + 1
                value, position = self.value(position, depth + 1)
                # Of a cut-off item only what can still be used is kept: an empty rest is not an item.
                if not self.cut_off or value:
                    items.append(value)
                if self.cut_off:
                    return items, position
        except _CutOffError:
            self.cut_off = True
            return items, len(self.text)

    def _scalar(self, position: int) -> tuple[str | None, int]:
        position = self._skip(position)
        quote = self._at(position)
        if quote in _CLOSING:
            return self._string(position + 1, quote)
        bare = _BARE.match(self.text, position)
        if bare is None:
            raise _BrokenError(position)
        if bare.end() == len(self.text):
            raise _CutOffError
        word = bare.group().strip().rstrip("'’")
        return (None if word in _NULLS else word), bare.end()

    def _string(self, position: int, quote: str) -> tuple[str, int]:
        parts = []
        while True:
            end = _ENDS[quote].search(self.text, position)
            if end is None:
                raise _CutOffError
            parts.append(self.text[position : end.start()])
            position = end.end()
            if end.group() != "\\":
                if not self._apostrophe(end.group(), position):
                    return "".join(parts), position
                parts.append(end.group())
                continue
            escaped = self._at(position)
            if escaped == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", self.text[position + 1 : position + 5]):
                parts.append(chr(int(self.text[position + 1 : position + 5], 16)))
                position += 5
            else:
                parts.append(_ESCAPES.get(escaped, escaped))
                position += 1

    def _apostrophe(self, end: str, position: int) -> bool:
        """Whether a closing single quote is one inside a word, as in 'the dog's bowl'."""
        return end in "'’" and self.text[position : position + 1].isalpha()

    def _separators(self, position: int) -> int:
        position = self._skip(position)
        while self._at(position) == ",":
            position = self._skip(position + 1)
        return position

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def _at(self, position: int) -> str:
        """The character at a position; raises at the end of the text."""
        if position >= len(self.text):
            raise _CutOffError
        return self.text[position]
