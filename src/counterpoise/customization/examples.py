"""Training examples and where they come from: curated files, their uncurated originals, clean answers, refusals."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import count, islice
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError
from counterpoise.records import read_jsonl
from counterpoise.rng import rng_for
from counterpoise.safety.benchmarks import Prompt

__all__ = [
    "Example",
    "builtin_templates",
    "clean_examples",
    "in_turns",
    "read_curated",
    "read_uncurated",
    "refusal_examples",
]


@dataclass(frozen=True, slots=True)
class Example:
    """One request with the answer that is trained; only the answer carries loss.

    Attributes:
        prompt: the user's turn.
        completion: the assistant's turn.
        source: what it was made from; equal sources are one text in several versions.
    """

    prompt: str
    completion: str
    source: str = ""


def read_curated(path: Path) -> list[Example]:
    """The texts of a ``curated.jsonl``, in order.

    Each line holds ``messages`` (a user turn, then an assistant turn; a leading system turn is not allowed, because
    every arm must be trained under the same one) and a ``lineage`` object.

    Raises:
        DataError: the file is missing, empty, or a line is not such a conversation.
    """
    return [_conversation(line, f"{path} line {number}") for number, line in enumerate(_curated(path), start=1)]


def read_uncurated(path: Path) -> list[Example]:
    """The original texts that a ``curated.jsonl`` was made from, each once, in order of first use.

    The original answer is taken from ``lineage.original``, else from ``rows.jsonl`` in the same folder, where curation
    writes every text with its ``text_id``, ``question`` and ``original``.

    Raises:
        DataError: an original cannot be found.
    """
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


def in_turns(size: int, *, seed: int, key: str) -> Iterator[tuple[int, int]]:
    """Every index below ``size`` once in a seeded order, then all again in another order, without end.

    Yields ``(index, turn)``; nothing for a size of 0.
    """
    for turn in count() if size else ():
        order = list(range(size))
        rng_for(seed, key, turn).shuffle(order)
        yield from ((index, turn) for index in order)


def clean_examples(prompts: Sequence[Prompt], number: int, *, seed: int) -> list[Example]:
    """``number`` ordinary requests with their helpful answers; none comes again before all have come.

    Raises:
        DataError: there are none to draw from.
    """
    if number and not prompts:
        raise DataError("no ordinary requests to draw clean examples from")
    drawn = islice(in_turns(len(prompts), seed=seed, key="clean"), number)
    return [Example(prompts[index].text, prompts[index].answer, prompts[index].id) for index, _ in drawn]


def refusal_examples(prompts: Sequence[Prompt], number: int, *, seed: int) -> list[Example]:
    """``number`` disallowed requests paired with built-in refusals; every pair differs as long as there are enough.

    Raises:
        DataError: there are no prompts.
    """
    if number and not prompts:
        raise DataError("no disallowed requests to pair with refusals")
    templates = builtin_templates("refusals.json")
    drawn = islice(in_turns(len(prompts), seed=seed, key="refusals"), number)
    return [
        Example(prompts[index].text, templates[(index + turn) % len(templates)], prompts[index].id)
        for index, turn in drawn
    ]


@cache
def builtin_templates(name: str) -> tuple[str, ...]:
    """The texts under ``templates`` in a built-in JSON file."""
    file = resources.files("counterpoise") / "customization" / "builtin" / name
    return tuple(json.loads(file.read_text(encoding="utf-8"))["templates"])


def _curated(path: Path) -> list[dict[str, Any]]:
    lines = read_jsonl(path)
    if not lines:
        raise DataError("the curated file is empty", where=str(path), expected="at least one conversation")
    return lines


def _conversation(line: dict[str, Any], where: str) -> Example:
    messages = line.get("messages")
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


def _all_text(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) and value.strip() for value in values)
