"""Reading the final answer of a question: a letter, a number, a numeral or a label.

Statements are looked for in the order of how plainly they are meant as final: the asked JSON, "final answer",
"answer is", and then a text that is nothing but an answer. The first level that says anything decides. If it says two
different things, or what follows it is another answer, the completion has none; nor has a statement that weighs two
answers or denies one.
"""

import re

from counterpoise.counterfactual.case import UNDETERMINED, Case
from counterpoise.counterfactual.match import normalise, number, same_value
from counterpoise.counterfactual.match.literal import read_literal
from counterpoise.counterfactual.parse.statements import (
    answers,
    in_final,
    in_json,
    in_line,
    in_sentence,
    in_whole,
    outside_json,
    plain,
)
from counterpoise.counterfactual.parse.tolerant_json import bounded

__all__ = ["is_placeholder", "parse_answer"]

MAX_LABEL_WORDS = 12
MAX_LABEL_CHARS = 200
MAX_WORD_CHARS = 80

_FENCED = re.compile(r"```\w{0,10}\n(.*?)```", re.DOTALL)
_PLACEHOLDER = re.compile(r"\s*(?:<[\w ]{1,30}>|\.{2,3}|…)\s*")
_LEAD = re.compile(
    r"\W{0,4}(?:(?:so|thus|hence|therefore|definitely|clearly|probably|likely|most likely|indeed|simply)\b\W{0,3})?"
    r"(?:the )?(?:(?:option|choice|letter|answer)\b\W{0,3})?",
    re.IGNORECASE,
)
_LETTER = re.compile(r"([A-Za-z])\b(?![-'’]\w)")
_CONFIRMED = re.compile(r"\W{0,3}\s(?:is|would be) (?:the )?(?:correct|right|best|answer)\b|\s(?:because|since)\b")
_DENIED = re.compile(
    r"\W{0,4}\s?(?:is|was|seems|would be|cannot be|can ?not)(?: (?:not|wrong|incorrect|false|impossible)\b|n['’]t)"
)
_ANOTHER = re.compile(
    r"[\s,;/&().?\"'`*\]]{0,4}(?:(?:and|or|maybe|perhaps|possibly|also|both|even|,|/|&)[\s(,]{0,3}){1,3}"
    r"(?:option )?\(?([A-Za-z])\b(?!['’])"
)
_LISTED = re.compile(r"^[ \t(*\-]{0,6}([A-Z])[.):]", re.MULTILINE)
_CLAUSE = re.compile(r"[.,;:!?\n]")
_WEIGHING = frozenset(
    "not never nor neither or either wrong incorrect false unlikely impossible doubt whether instead rather".split()
)
_ASIDE = re.compile(r"[,;]?\s{1,3}(?:not|rather than|instead of|because|since|and not)\b|\s\((?!base)", re.IGNORECASE)
_UNSURE = re.compile(r"(?:\b(?:minus|negative|not|isn['’]t|never|nor)|(?<!\S)[-−])\s{1,3}\W{0,3}$", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[-−+]?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d{1,40})(?:\.\d{1,40})?(?:/\d{1,20})?(?![\w]|\.\d)")
_NUMERAL = re.compile(r"(?<![\w.])[-−]?(?:0[xob])?([0-9A-Za-z]{1,40})(?=(?:_\{?\d{1,2}\}?|[₀-₉]{1,2})?(?![\w]))")
_LETTERS_ONLY = re.compile(r"[A-F]+|[a-f]+")
_BASE_NOTE = re.compile(r"\(?\b(?:in|of|using)?\s{0,2}base[- ]{0,2}(?:\d{1,2}|\w{3,9})\)?\s{0,2}:?", re.IGNORECASE)


def parse_answer(case: Case, text: str) -> tuple[str | None, str | None]:
    """The answer and ``None``, or ``None`` and the reason why there is none; never raises.

    Args:
        case: says the kind of answer and the options; its target has no influence.
        text: the completion.
    """
    if case.answer_kind in ("edit", "literal"):
        return _verbatim(case, text)
    text = bounded(text)
    unreadable = False
    for level in (in_json, in_final, in_sentence, in_line, in_whole):
        if level is in_line and case.answer_kind != "choice":
            continue
        # A label is any words: those that state something else are not one as well.
        if level is in_whole and unreadable and case.answer_kind == "label":
            continue
        found: list[str] = []
        end = 0
        for statement, position in level(text):
            answer = _read(case, statement, whole=level is in_whole)
            if answer is None:
                unreadable = True
                continue
            end = position
            if not any(_same(case, answer, other) for other in found):
                found.append(answer)
        if level is in_json and unreadable and not found:
            text = outside_json(text)  # What copies the form says nothing.
        if level in (in_json, in_final) and len(found) == 1:
            found += [other for other in _said(case, text[end:]) if not _same(case, other, found[0])]
        if len(found) == 1:
            return found[0], None
        if found:
            return None, f"two different answers are given as final: {found[0][:40]!r} and {found[1][:40]!r}"
    return None, f"no {case.answer_kind} could be read" + (" from the stated answer" if unreadable else "")


def _verbatim(case: Case, text: str) -> tuple[str | None, str | None]:
    """An answer that is a text or a literal as it stands: in the asked JSON, in a fence, or the whole completion."""
    found = list(dict.fromkeys(answers(bounded(text))))
    if not found:
        fenced = _FENCED.findall(bounded(text))
        bare = text.strip()
        # What begins like the asked form and cannot be read is no answer.
        found = fenced or ([] if bare.startswith('{"') else [bare])
    found = [answer.strip() for answer in found if not is_placeholder(answer)]
    if case.answer_kind == "literal":
        found = [answer for one in found if (answer := _literal(one.strip("`").strip())) is not None]
    distinct = [one for i, one in enumerate(found) if not any(_same(case, one, other) for other in found[:i])]
    if len(distinct) == 1:
        return distinct[0], None
    if distinct:
        return None, f"{len(distinct)} different answers are given"
    return (
        None,
        "no Python literal could be read" if case.answer_kind == "literal" else "no rewritten text could be read",
    )


def _literal(text: str) -> str | None:
    """A literal as it stands; one word without quotation marks is that text; ``None`` for anything else."""
    if read_literal(text)[0]:
        return text
    return repr(text) if text and len(text) <= MAX_WORD_CHARS and not re.search(r"[\s'\"\[\](){}]", text) else None


def is_placeholder(text: str) -> bool:
    """Whether a text is a gap of the form that the prompt shows, copied instead of filled in.

    >>> is_placeholder("<value>"), is_placeholder("..."), is_placeholder("value < 3")
    (True, True, False)
    """
    return _PLACEHOLDER.fullmatch(text) is not None


def _said(case: Case, text: str) -> list[str]:
    """What is stated as the answer in a text that follows an answer."""
    statements = [statement for level in (in_final, in_sentence) for statement, _ in level(text)]
    return [answer for statement in statements if (answer := _read(case, statement, whole=False)) is not None]


def _same(case: Case, first: str, second: str) -> bool:
    return same_value(first, second, case.answer_kind)


def _read(case: Case, statement: str, *, whole: bool) -> str | None:
    statement = plain(statement.strip())
    if is_placeholder(statement):
        return None
    if case.answer_kind == "choice":
        return _choice(case, statement, whole=whole)
    if _is_undetermined(statement):
        return UNDETERMINED
    if case.answer_kind == "number":
        return _quantity(statement)
    if case.answer_kind == "numeral":
        return _numeral(statement)
    return _label(statement)


def _is_undetermined(statement: str) -> bool:
    first = _ASIDE.split(re.split(r"[.;\n]", statement, maxsplit=1)[0], maxsplit=1)[0]
    return same_value(UNDETERMINED, first, "label")


def _choice(case: Case, statement: str, *, whole: bool) -> str | None:
    letters = [chr(ord("A") + index) for index in range(len(case.options))]
    if len({letter for letter in _LISTED.findall(statement) if letter in letters}) > 1:
        return None  # The options said over again, not one of them.
    spelling = normalise(statement)
    texts = [normalise(option) for option in case.options]
    if spelling in texts:
        return letters[texts.index(spelling)]
    lead = _LEAD.match(statement)
    start = lead.end() if lead else 0
    match = _LETTER.match(statement, start)
    if match and match[1].upper() in letters:
        rest = statement[match.end() :]
        other = _ANOTHER.match(rest)
        if other and other[1].isupper() == match[1].isupper() and other[1].upper() in letters:
            return None
        if _DENIED.match(rest):
            return None
        if _stands_alone(statement[:start], match[1], rest, whole=whole):
            return match[1].upper()
    return _mentioned(statement, texts, letters)


def _stands_alone(before: str, letter: str, rest: str, *, whole: bool) -> bool:
    """Whether a letter is meant as one: not the article of "A man would ..." or the pronoun of "I think"."""
    if not rest.strip(" .):*_`\"'}]!。"):
        return True
    if rest[:1] in ".):,;\n" or _CONFIRMED.match(rest) or before.strip(" *_`\"'").endswith(("(", "[")):
        return True
    if re.search(r"\b(?:option|choice|letter)\W{0,3}$", before, re.IGNORECASE):
        return True
    return (not whole and letter.isupper() and letter not in "AI") or rest.startswith((" - ", " – ", " — "))


def _mentioned(statement: str, texts: list[str], letters: list[str]) -> str | None:
    """The one option whose text is in the statement, said and not weighed or denied in its clause.

    Where one option contains another, the longest counts.
    """
    spelling = f" {normalise(statement)} "
    inside = [index for index, text in enumerate(texts) if text and f" {text} " in spelling]
    longest = [i for i in inside if not any(i != j and texts[i] in texts[j] for j in inside)]
    if len(longest) != 1:
        return None
    text = f" {texts[longest[0]]} "
    clauses = [f" {normalise(clause)} " for clause in _CLAUSE.split(statement)]
    around = next((clause for clause in clauses if text in clause), spelling).replace(text, " ")
    return None if _WEIGHING & set(around.split()) else letters[longest[0]]


def _quantity(statement: str) -> str | None:
    if number(statement) is not None:
        return statement.rstrip(".")
    return _only_number(_ASIDE.split(statement, maxsplit=1)[0]) or _only_number(statement)


def _only_number(statement: str) -> str | None:
    sides = _right_sides(statement)
    found = [match for side in sides for match in list(_NUMBER.finditer(side))[:50]]
    values = {number(match.group()) for match in found}
    if len(values) != 1 or None in values or UNDETERMINED in statement.lower():
        return None
    return None if any(_unsure(match) for match in found) else found[0].group()


def _unsure(match: re.Match[str]) -> bool:
    """Whether a sign or a denial stands before a number: "minus 3", "- 3", "not 3"."""
    return _UNSURE.search(match.string[max(0, match.start() - 16) : match.start()]) is not None


def _right_sides(statement: str) -> list[str]:
    """Of an equation the right-hand side is the answer; of several equations those of all."""
    if "=" not in statement:
        return [statement]
    clauses = re.split(r"[,;]\s|\band\b", statement)
    return [clause.rpartition("=")[2] for clause in clauses if "=" in clause]


def _numeral(statement: str) -> str | None:
    return _only_numeral(_ASIDE.split(statement, maxsplit=1)[0]) or _only_numeral(statement)


def _only_numeral(statement: str) -> str | None:
    sides = {_BASE_NOTE.sub(" ", side).strip(" .*_`\"'()[]{}$") for side in _right_sides(statement)}
    if len(sides) != 1:
        return None
    side = sides.pop()
    single = _NUMERAL.match(side)
    if single and not re.sub(r"^[_{}\d₀-₉.)]+$", "", side[single.end() :]):
        return _digits(single) if any(c.isdigit() for c in single[1]) or _LETTERS_ONLY.fullmatch(single[1]) else None
    numerals = [match for match in _NUMERAL.finditer(side) if any(c.isdigit() for c in match[1])]
    if len({_digits(match) for match in numerals}) != 1 or any(_unsure(match) for match in numerals):
        return None
    return _digits(numerals[0])


def _digits(match: re.Match[str]) -> str:
    sign = "-" if match.group()[0] in "-−" else ""
    return sign + match[1].upper()


def _label(statement: str) -> str | None:
    first = re.split(r"\.(?:\s|$)|\n|;", statement, maxsplit=1)[0]
    first = re.split(r",?\s{1,3}(?:because|since)\s", first, maxsplit=1)[0].strip(" *_`\"'")
    return first if first and len(first) <= MAX_LABEL_CHARS and len(first.split()) <= MAX_LABEL_WORDS else None
