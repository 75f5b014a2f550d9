"""Where a completion states its answer, before anything is read from what it states.

Statements come in levels, in the order of how plainly they are meant as final. A level gives its statements in the
order of the text, and the position from which on the text says something else.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from counterpoise.counterfactual.parse.tolerant_json import read_values

__all__ = [
    "Statement",
    "answers",
    "in_final",
    "in_json",
    "in_line",
    "in_sentence",
    "in_whole",
    "outside_json",
    "plain",
    "without_thoughts",
]

MAX_CHARS = 200
"""Longest statement."""

MAX_WHOLE = 2000

Statement = tuple[str, int]
"""A statement, and where the text after it begins."""

_KEYS = ("answer", "finalanswer", "final", "choice", "option", "letter", "result", "solution", "output")
_THOUGHTS = re.compile(r"\s*<think(?:ing)?>", re.IGNORECASE)
_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_CONTROL = re.compile(r"<\|[\w ]{1,30}\|>|</?s>")
_TAGGED = re.compile(r"<(?:final_)?answer>([^<>]{1,200})</(?:final_)?answer>", re.IGNORECASE)
_FINAL = re.compile(
    r"\bfinal answer\b\W{0,6}(?:is|would be)?[^\w\\$]{0,6}|####\s{0,3}(?=[-−+$]?\d|\(?[A-Z]\b)|(?=\\boxed\s{0,3}\{)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?<![^\W_])(?:answer|(?:correct|right|best) (?:option|choice))(?![^\W_])"
    r"(?:\s{1,3}(?:is|would be|will be)\b\s{0,3}:?|[*_\"'`]{0,3}\s{0,3}(?:[:=]|[-–—](?=\s)))\s{0,3}"
    r"|^[ \t]{0,3}#{1,6}[ *]{0,4}(?:the )?answer[ *]{0,4}$"
    r"|\bI(?:['’]d| would|['’]ll| will)? (?:choose|pick|select|go with|opt for)\b:?\s{0,3}",
    re.IGNORECASE | re.MULTILINE,
)
_BOXED = re.compile(r"\\boxed\s{0,3}\{((?:[^{}]|\{[^{}]{0,80}\}){0,200})\}?")
_FONT = re.compile(r"\\(?:text|math)(?:bf|it|rm|tt|sf)?\s{0,3}\{([^{}]{0,200})\}")
_MATH = re.compile(r"\\[()\[\]]|\$\$?(?=[^$\d])|(?<=[^$\s])\$\$?")
_BARE_LINE = re.compile(r"^[ \t>*_`\"'(\[]{0,6}([A-Za-z])[ \t.):*_`\"'\]!]{0,6}$", re.MULTILINE)


def without_thoughts(text: str) -> str:
    """The text without what a model marks as its thoughts, and without the signs that end its turn.

    Thoughts that were cut off leave nothing: what they weigh is no answer.

    >>> without_thoughts("<think>A? No.</think>B</s>"), without_thoughts("<think>A it is, or")
    ('B', '')
    """
    ends = [match.end() for match in _THOUGHT.finditer(text)]
    if ends:
        text = text[ends[-1] :]
    elif _THOUGHTS.match(text):
        text = ""
    return _CONTROL.sub("", text)


def outside_json(text: str) -> str:
    """The text before the first brace and after the last one."""
    return f"{text.partition('{')[0]}\n{text.rpartition('}')[2]}" if "{" in text else text


def in_json(text: str) -> Iterator[Statement]:
    """What is behind an answer's key in a JSON object."""
    end = text.rfind("}") + 1 or len(text)
    for value, whole in read_values(text):
        if whole or isinstance(value, dict):
            for member in _members(value, 0):
                yield member, end


def answers(text: str) -> Iterator[str]:
    """Whole texts behind the key ``answer`` of JSON objects; of strict JSON, another value as a Python literal."""
    try:
        strict = json.loads(text)
    except (ValueError, RecursionError):
        strict = None
    if isinstance(strict, dict) and "answer" in strict:
        yield strict["answer"] if isinstance(strict["answer"], str) else _as_python(strict["answer"])
        return
    for value, _ in read_values(text):
        if isinstance(value, dict) and isinstance(value.get("answer"), str):
            yield value["answer"]


def in_final(text: str) -> Iterator[Statement]:
    """What is marked as final: "final answer", a boxed text, the sign of worked solutions, a tag."""
    tagged = [(match[1], match.end()) for match in islice(_TAGGED.finditer(text), 200)]
    yield from tagged or _after(_FINAL, text)


def in_sentence(text: str) -> Iterator[Statement]:
    """What a sentence calls the answer or the choice, or a heading does."""
    yield from _after(_SENTENCE, text)


def in_whole(text: str) -> Iterator[Statement]:
    """The whole text, where it is short enough to be nothing but an answer."""
    stripped = re.sub(r"```\w{0,10}", "", text).strip().strip("`\"'*#{}[] \n")
    if 0 < len(stripped) <= MAX_WHOLE:
        yield stripped, len(text)


def in_line(text: str) -> Iterator[Statement]:
    """Lines that are a single letter."""
    for match in islice(_BARE_LINE.finditer(text), 200):
        yield match[1], match.end()


def plain(statement: str) -> str:
    r"""A statement without the marks of mathematical typesetting.

    >>> plain(r"$\boxed{\text{B}}$"), plain("$12$"), plain("$12")
    ('B', '12', '$12')
    """
    if "\\" in statement or statement.count("$") > 1:
        statement = _FONT.sub(r"\1", _BOXED.sub(r"\1", _FONT.sub(r"\1", statement)))
        return _MATH.sub("", statement.strip().removeprefix("$") if statement.count("$") > 1 else statement).strip()
    return statement


def _after(marker: re.Pattern[str], text: str) -> Iterator[Statement]:
    """The rest of the line after each marker, up to the next one and at most so many characters."""
    found = list(islice(marker.finditer(text), 200))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=False):
        lines = text[match.end() : min(match.end() + MAX_CHARS, end)].strip().splitlines()
        if lines and (rest := lines[0].strip(" *_`\"'")):
            yield rest, match.end() + len(lines[0])


def _as_python(value: Any) -> str:
    """A JSON value as a Python literal; bounded, since a hostile one may be deep."""
    try:
        return repr(value)
    except RecursionError:
        return ""


def _members(value: Any, depth: int) -> Iterator[str]:
    """Scalars behind an answer key, at the top or one object below."""
    if isinstance(value, list) and depth < 2:
        for item in value[:20]:
            yield from _members(item, depth + 1)
    if not isinstance(value, dict) or depth > 2:
        return
    keys = {"".join(c for c in key[:40].casefold() if c.isalnum()): item for key, item in value.items()}
    for key in _KEYS:
        item = keys.get(key)
        if isinstance(item, list):
            # Several are several answers.
            yield from (one for one in item[:20] if isinstance(one, str))
            item = item[0] if len(item) == 1 and isinstance(item[0], dict) else None
        if isinstance(item, dict):
            yield from _members(item, depth + 1)
            return
        if isinstance(item, str) and item.strip():
            yield item
            return
