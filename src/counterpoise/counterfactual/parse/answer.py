"""Reading the final answer of a question: a letter, a number, a numeral or a label.

Statements are looked for in the order of how plainly they are meant as final: the asked JSON, "final answer",
"answer is", and then a text that is nothing but an answer. The first level that says anything decides; if it says two
different things, the completion has no answer.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from counterpoise.counterfactual.case import UNDETERMINED, Case
from counterpoise.counterfactual.match import VALUE_MATCHERS, normalise, number
from counterpoise.counterfactual.parse.tolerant_json import bounded, read_values

__all__ = ["is_placeholder", "parse_answer"]

MAX_LABEL_WORDS = 12
MAX_LABEL_CHARS = 200

_KEYS = ("answer", "finalanswer", "final", "choice", "option", "result", "solution", "output")
_FINAL = re.compile(r"\bfinal answer\b\W{0,6}(?:is|would be)?\W{0,6}|####\s*|\\boxed\s*\{", re.IGNORECASE)
_ANSWER = re.compile(
    r"\b(?:answer|correct option|correct choice|right option)\b"
    r"(?:\s{1,3}(?:is|would be|will be)\b\s{0,3}:?|\s{0,3}[:=])\s{0,3}",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\s*(?:<[\w ]{1,30}>|\.{2,3}|…)\s*")
_LETTER = re.compile(r"\W{0,4}(?:option|choice)?\W{0,3}\b([A-Za-z])\b(?![-'’]\w)", re.IGNORECASE)
_LISTED = re.compile(r"^[ \t(*\-]{0,6}([A-Z])[.):]", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])[-−+]?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d{1,40})(?:\.\d{1,40})?(?:/\d{1,20})?(?![\w]|\.\d)")
_NUMERAL = re.compile(r"(?<![\w.])[-−]?(?:0[xob])?([0-9A-Za-z]{1,40})(?=(?:_\{?\d{1,2}\}?|[₀-₉]{1,2})?(?![\w]))")
_BASE_NOTE = re.compile(r"\(?\b(?:in|of|using)?\s{0,2}base[- ]{0,2}(?:\d{1,2}|\w{3,9})\)?\s{0,2}:?", re.IGNORECASE)


def parse_answer(case: Case, text: str) -> tuple[str | None, str | None]:
    """The answer and ``None``, or ``None`` and the reason why there is none; never raises.

    Args:
        case: says the kind of answer and the options; its target has no influence.
        text: the completion.
    """
    text = bounded(text)
    unreadable = False
    for level in (_from_json, _from_final, _from_statement, _from_whole):
        found: list[str] = []
        for statement in level(text):
            answer = _read(case, statement, whole=level is _from_whole)
            if answer is None:
                unreadable = True
            elif not any(_same(case, answer, other) for other in found):
                found.append(answer)
        if len(found) == 1:
            return found[0], None
        if found:
            return None, f"two different answers are given as final: {found[0][:40]!r} and {found[1][:40]!r}"
    return None, f"no {case.answer_kind} could be read" + (" from the stated answer" if unreadable else "")


def is_placeholder(text: str) -> bool:
    """Whether a text is a gap of the form that the prompt shows, copied instead of filled in.

    >>> is_placeholder("<value>"), is_placeholder("..."), is_placeholder("value < 3")
    (True, True, False)
    """
    return _PLACEHOLDER.fullmatch(text) is not None


def _same(case: Case, first: str, second: str) -> bool:
    return VALUE_MATCHERS["normalised"](first, second, case.answer_kind)


def _from_json(text: str) -> Iterator[str]:
    for value, whole in read_values(text):
        if whole or isinstance(value, dict):
            yield from _members(value, 0)


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
        if isinstance(item, list) and len(item) == 1:
            item = item[0]
        if isinstance(item, dict):
            yield from _members(item, depth + 1)
            return
        if isinstance(item, str) and item.strip():
            yield item
            return


def _from_final(text: str) -> Iterator[str]:
    yield from _after(_FINAL, text)


def _from_statement(text: str) -> Iterator[str]:
    yield from _after(_ANSWER, text)


def _from_whole(text: str) -> Iterator[str]:
    stripped = re.sub(r"```\w{0,10}", "", text).strip().strip("`\"'*{}[] \n")
    if stripped:
        yield stripped


def _after(marker: re.Pattern[str], text: str) -> Iterator[str]:
    """The rest of the line after each marker, up to the next one and at most 200 characters."""
    found = list(islice(marker.finditer(text), 200))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=False):
        lines = text[match.end() : min(match.end() + MAX_LABEL_CHARS, end)].strip().splitlines()
        if lines and (rest := lines[0].strip(" *`\"'")):
            yield rest


def _read(case: Case, statement: str, *, whole: bool) -> str | None:
    statement = statement.strip()
    if is_placeholder(statement):
        return None
    if case.answer_kind == "choice":
        return _choice(case, statement, whole=whole)
    if _is_undetermined(statement):
        return UNDETERMINED
    if case.answer_kind == "number":
        return _quantity(statement)
    if case.answer_kind == "numeral":
        return _numeral(case, statement, whole=whole)
    return _label(statement)


def _is_undetermined(statement: str) -> bool:
    first = re.split(r"[.;\n]", statement, maxsplit=1)[0]
    return VALUE_MATCHERS["normalised"](UNDETERMINED, first, "label")


def _choice(case: Case, statement: str, *, whole: bool) -> str | None:
    letters = [chr(ord("A") + index) for index in range(len(case.options))]
    if len({letter for letter in _LISTED.findall(statement) if letter in letters}) > 1:
        return None  # The options said over again, not one of them.
    spelling = normalise(statement)
    texts = [normalise(option) for option in case.options]
    if spelling in texts:
        return letters[texts.index(spelling)]
    match = _LETTER.match(statement)
    if match and match[1].upper() in letters and _stands_alone(statement, match, whole=whole):
        return match[1].upper()
    # An option's text inside a sentence; where one option contains another, the longest counts.
    inside = [index for index, text in enumerate(texts) if text and f" {text} " in f" {spelling} "]
    longest = [i for i in inside if not any(i != j and texts[i] in texts[j] for j in inside)]
    return letters[longest[0]] if len(longest) == 1 else None


def _stands_alone(statement: str, match: re.Match[str], *, whole: bool) -> bool:
    """Whether a letter is meant as one: not the article of "A man would ..." or the pronoun of "I think"."""
    rest = statement[match.end() :]
    if not rest.strip(" .):*`\"'}]"):
        return True
    marked = rest[:1] in ".):,;" or statement[: match.start(1)].strip(" *`\"'").endswith(
        ("(", "option", "Option", "choice")
    )
    return marked or (not whole and match[1].isupper() and match[1] not in "AI")


def _quantity(statement: str) -> str | None:
    if number(statement) is not None:
        return statement.rstrip(".")
    # Of an equation the right-hand side is the answer.
    statement = statement.rpartition("=")[2]
    found = [match.group() for match in _NUMBER.finditer(statement)][:50]
    values = {number(text) for text in found}
    return found[0] if len(values) == 1 and None not in values else None


def _numeral(case: Case, statement: str, *, whole: bool) -> str | None:
    statement = _BASE_NOTE.sub(" ", statement.rpartition("=")[2]).strip(" .*`\"'()[]{}$")
    single = _NUMERAL.match(statement)
    if single and not re.sub(r"^[_{}\d₀-₉.)]+$", "", statement[single.end() :]):
        return _digits(single)
    found = {_digits(match) for match in _NUMERAL.finditer(statement) if any(c.isdigit() for c in match[1])}
    return found.pop() if len(found) == 1 else None


def _digits(match: re.Match[str]) -> str:
    sign = "-" if match.group()[0] in "-−" else ""
    return sign + match[1].upper()


def _label(statement: str) -> str | None:
    first = re.split(r"\.(?:\s|$)|\n|;", statement, maxsplit=1)[0].strip(" *`\"'")
    return first if first and len(first) <= MAX_LABEL_CHARS and len(first.split()) <= MAX_LABEL_WORDS else None
