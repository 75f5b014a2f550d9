"""Reading the texts to be curated."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError
from counterpoise.records import content_hash, read_jsonl

__all__ = ["FORMATS", "Text", "read_texts"]

FORMATS = "question and answer, prompt and completion, instruction (with input) and output, or messages"
"""The field names that are understood, for messages to users."""

_PAIRS = (("question", "answer"), ("prompt", "completion"), ("instruction", "output"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A question with its answer.

    Attributes:
        id: unique within a run.
        question: what is asked.
        answer: what is to be revised.
        problem: why the text cannot be curated; ``None`` when it can.
    """

    id: str
    question: str
    answer: str
    problem: str | None = None


def read_texts(path: Path) -> list[Text]:
    """Read texts from JSON lines, every line in one of the shapes of :data:`FORMATS`; other fields are ignored.

    A text's id is its field ``id`` (a string or a whole number), else a hash of its content. What cannot be curated is
    kept with its problem: an empty question or answer, a repeated id or content (it gets an id of its own), messages
    that are more than one question and one answer.

    Raises:
        DataError: the file is missing, not UTF-8 or without texts, or a line is not JSON, lacks a field or has one of
            another type; names the line.
    """
    texts: list[Text] = []
    lines: dict[str, int] = {}
    for number, entry in _numbered(path):
        where = f"{path} line {number}"
        question, answer, problem = _content(entry, where)
        identity = _identity(entry, question, answer, where)
        if not problem and not question.strip():
            problem = "the question is empty"
        if not problem and not answer.strip():
            problem = "the answer is empty"
        if identity in lines:
            problem = f"repeats the text {identity!r} of line {lines[identity]}"
            identity = f"{identity}@line-{number}"
        lines[identity] = number
        texts.append(Text(id=identity, question=question.strip(), answer=answer.strip(), problem=problem))
    if not texts:
        raise DataError("no texts in file", where=str(path), expected=f"one object a line with {FORMATS}")
    return texts


def _numbered(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Objects with the numbers of their lines, which differ from their positions where lines are blank."""
    objects = read_jsonl(path)
    filled = [
        number for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1) if line.strip()
    ]
    return list(zip(filled, objects, strict=True))


def _content(entry: Mapping[str, Any], where: str) -> tuple[str, str, str | None]:
    if "messages" in entry:
        return _from_messages(entry["messages"], where)
    for first, second in _PAIRS:
        if first in entry and second in entry:
            question, answer = _string(entry, first, where), _string(entry, second, where)
            if first == "instruction" and entry.get("input") not in (None, ""):
                question = f"{question}\n\n{_string(entry, 'input', where)}"
            return question, answer, None
    raise DataError("no question with an answer", where=where, expected=FORMATS)


def _from_messages(messages: Any, where: str) -> tuple[str, str, str | None]:
    if not isinstance(messages, list) or not all(isinstance(turn, dict) for turn in messages):
        raise DataError("field 'messages' is not a list of turns", where=where, expected="turns with role and content")
    turns = [(_string(turn, "role", where), _string(turn, "content", where)) for turn in messages]
    users = [content for role, content in turns if role == "user"]
    assistants = [content for role, content in turns if role == "assistant"]
    if not users or not assistants:
        raise DataError(
            "messages without a question and an answer", where=where, expected="a user and an assistant turn"
        )
    problem = None
    if [role for role, _ in turns] != ["user", "assistant"]:
        problem = "messages are more than one question and one answer"
    return users[-1], assistants[-1], problem


def _string(entry: Mapping[str, Any], field: str, where: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str):
        raise DataError(f"field {field!r} is {type(value).__name__}", where=where, expected="a string")
    return _writable(value, field, where)


def _writable(value: str, field: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # A lone surrogate, from an escape such as "\\ud800": it could be read but never written.
        raise DataError(
            f"field {field!r} is not valid Unicode", where=where, fix="remove the lone surrogate"
        ) from error
    return value


def _identity(entry: Mapping[str, Any], question: str, answer: str, where: str) -> str:
    value = entry.get("id")
    if value is None:
        return content_hash([question.strip(), answer.strip()])
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise DataError("field 'id' is not usable", where=where, expected="a string or a whole number")
    return _writable(str(value).strip(), "id", where)
