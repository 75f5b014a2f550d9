"""The texts that a curation handed on, and the same texts as they were before."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from counterpoise.customization.examples.example import Example
from counterpoise.errors import DataError
from counterpoise.records import read_jsonl

__all__ = ["CURATED", "common_texts", "curated_file", "read_curated", "read_uncurated"]

_Name = TypeVar("_Name")

CURATED = "curated.jsonl"
"""The file of a curation's run folder or export that holds the curated set."""


def curated_file(path: Path) -> Path:
    """The file of a curated set, which may be named by the folder that a curation or an export wrote."""
    return path / CURATED if path.is_dir() else path


def read_curated(path: Path) -> list[Example]:
    """The texts of a ``curated.jsonl``, in order.

    Each line holds ``messages`` (a user turn, then an assistant turn; a leading system turn is not allowed, because
    every arm must be trained under the same one) or the fields ``prompt`` and ``completion`` (each a string, or a list
    of one such turn), and a ``lineage`` object.

    Args:
        path: the file, or a folder with a ``curated.jsonl``.

    Raises:
        DataError: the file is missing, empty, or a line is not such a conversation.
    """
    path = curated_file(path)
    return [_conversation(line, f"{path} line {number}") for number, line in enumerate(_curated(path), start=1)]


def read_uncurated(path: Path) -> list[Example]:
    """The original texts that a ``curated.jsonl`` was made from, each once, in order of first use.

    The original answer is taken from ``lineage.original``, else from ``rows.jsonl`` in the same folder, where curation
    writes every text with its ``text_id``, ``question`` and ``original``.

    Args:
        path: the file, or a folder with a ``curated.jsonl``.

    Raises:
        DataError: an original cannot be found.
    """
    path = curated_file(path)
    lines = _curated(path)
    rows: dict[str, dict[str, Any]] = {}
    if (path.parent / "rows.jsonl").is_file():
        rows = {str(row.get("text_id")): row for row in read_jsonl(path.parent / "rows.jsonl")}
    originals: dict[str, Example] = {}
    for number, line in enumerate(lines, start=1):
        example = _conversation(line, f"{path} line {number}")
        row = rows.get(example.source, {})
        lineage = line.get("lineage") or {}
        answer = lineage.get("original") or row.get("original")
        question = lineage.get("question") or row.get("question") or example.prompt
        if not isinstance(answer, str) or not answer.strip() or not isinstance(question, str):
            raise DataError(
                f"no original of text {example.source!r}",
                where=f"{path} line {number}",
                expected="lineage.original, or the rows.jsonl that was written beside the file",
                fix="leave the arm 'uncurated' out, or point to curated.jsonl inside its run folder",
            )
        originals.setdefault(example.source, Example(question, answer, example.source))
    return list(originals.values())


def common_texts(sets: Mapping[_Name, Sequence[Example]]) -> tuple[dict[_Name, Sequence[Example]], str | None]:
    """Sets that are to be compared, cut down to the texts that all of them have, in the order of the first.

    Sets whose texts are other ones, fewer than half of the smallest set in common, stay as they are.

    Returns:
        The sets, and what a reader must know about it, if anything.

    >>> one, other = Example("", "a", "1"), Example("", "b", "2")
    >>> sets, note = common_texts({"max": [one, other], "min": [other]})
    >>> sets["max"] == [other], note
    (True, "arms are compared on the 1 texts that all of them have; left out: 1 of 'max'")
    """
    filled = {name: examples for name, examples in sets.items() if examples}
    sources = [{example.source for example in examples} for examples in filled.values()]
    common = set.intersection(*sources) if sources else set()
    if all(found == common for found in sources):
        left_out = {}
    elif 2 * len(common) < min(map(len, sources)):
        return dict(
            sets
        ), "the curated sets have different texts, so their arms differ in more than how they were curated"
    else:
        left_out = {name: len(found - common) for name, found in zip(filled, sources, strict=True) if found - common}
    first = next(iter(filled.values()), ())
    order = {source: place for place, source in enumerate(dict.fromkeys(example.source for example in first))}
    cut: dict[_Name, Sequence[Example]] = {
        name: sorted((one for one in examples if one.source in common), key=lambda one: order[one.source])
        for name, examples in sets.items()
    }
    if not left_out:
        return cut, None
    named = ", ".join(f"{number} of {name!r}" for name, number in left_out.items())
    return cut, f"arms are compared on the {len(common):,} texts that all of them have; left out: {named}"


def _curated(path: Path) -> list[dict[str, Any]]:
    lines = read_jsonl(path)
    if not lines:
        raise DataError("the curated file is empty", where=str(path), expected="at least one conversation")
    return lines


def _conversation(line: dict[str, Any], where: str) -> Example:
    messages = line.get("messages", _turns(line))
    expected = "'messages' with one user and one assistant turn, both with text"
    if not isinstance(messages, list) or len(messages) != 2 or not all(isinstance(turn, dict) for turn in messages):
        raise DataError("not a single exchange", where=where, expected=expected)
    texts = [turn.get("content") for turn in messages]
    if [turn.get("role") for turn in messages] != ["user", "assistant"] or not _all_text(texts):
        raise DataError("not a single exchange", where=where, expected=expected)
    lineage = line.get("lineage")
    source = ""
    if isinstance(lineage, dict):
        source = str(next((lineage[key] for key in ("source", "source_id", "text_id") if key in lineage), ""))
    return Example(texts[0], texts[1], source or texts[0])


def _turns(line: dict[str, Any]) -> list[Any]:
    """The turns of the prompt and completion form."""
    turns: list[Any] = []
    for field, role in (("prompt", "user"), ("completion", "assistant")):
        value = line.get(field)
        turns += value if isinstance(value, list) else [{"role": role, "content": value}]
    return turns


def _all_text(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) and value.strip() for value in values)
