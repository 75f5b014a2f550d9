"""Reading a number from tokens: digits, number words, fractions, "a dozen", "three and a half"."""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["PARTS", "SCALES", "TENS", "WORDS", "plain_number", "read_number", "spelled_number"]

_MAX_DIGITS = 30  # Longer digit strings are no quantities; bounds the arithmetic on hostile text.
_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
"""Words for the tens."""
WORDS = {word: number for number, word in enumerate(_SMALL)} | {w: 20 + 10 * i for i, w in enumerate(TENS)}
SCALES = {
    "pair": 2,
    "couple": 2,
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "dozen": 12,
    "score": 20,
}
_GLYPHS = {
    "½": Fraction(1, 2),
    "¼": Fraction(1, 4),
    "¾": Fraction(3, 4),
    "⅓": Fraction(1, 3),
    "⅔": Fraction(2, 3),
}
PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}


def plain_number(token: str) -> Fraction | None:
    """The value of a token of digits; ``None`` for any other."""
    if not token or not (token[-1].isdecimal() and token.isascii()) or len(token) > _MAX_DIGITS:
        return None
    try:
        return Fraction(token)
    except ValueError:
        return None


def read_number(tokens: Sequence[str], position: int) -> tuple[int, Fraction, bool] | None:
    """End, value, and whether the word may be no number."""
    if position >= len(tokens):
        return None
    token = tokens[position]
    value = plain_number(token)
    if value is not None:
        end = position + 1
        below = plain_number(tokens[end + 1]) if tokens[end : end + 1] == ["/"] and end + 1 < len(tokens) else None
        if below:
            return end + 2, value / below, False
        if end < len(tokens) and tokens[end] in _GLYPHS:
            return end + 1, value + _GLYPHS[tokens[end]], False
        if end + 2 < len(tokens) and tokens[end + 1] == "/":
            above, below = plain_number(tokens[end]), plain_number(tokens[end + 2])
            if above is not None and below and above < below:
                return end + 3, value + above / below, False
        while end < len(tokens) and tokens[end] in SCALES:
            value *= SCALES[tokens[end]]
            end += 1
        return *_and_a_part(tokens, end, value), False
    if token in _GLYPHS:
        return position + 1, _GLYPHS[token], False
    if token in ("minus", "negative"):
        rest = read_number(tokens, position + 1)
        return None if rest is None else (rest[0], -rest[1], False)
    spelled = spelled_number(tokens, position)
    if spelled is not None:
        end, value = spelled
        if end < len(tokens) and (part := _part(tokens[end])) and not (value == 1 and tokens[end] == "second"):
            return end + 1, value / part, False
        if tokens[end : end + 1] == ["-"] and end + 1 < len(tokens) and (part := _part(tokens[end + 1])):
            return end + 2, value / part, False
        return *_and_a_part(tokens, end, value), value == 1 and end == position + 1
    return None


def _and_a_part(tokens: Sequence[str], end: int, value: Fraction) -> tuple[int, Fraction]:
    if tokens[end : end + 2] == ["and", "a"] and end + 2 < len(tokens) and tokens[end + 2] in ("half", "quarter"):
        return end + 3, value + Fraction(1, PARTS[tokens[end + 2]])
    return end, value


def _part(word: str) -> int | None:
    return PARTS.get(word) or PARTS.get(word.removesuffix("s"))


def spelled_number(tokens: Sequence[str], position: int) -> tuple[int, Fraction] | None:
    """A number in words: "two hundred and five", "twenty-one", "a dozen"."""
    total, group, end = 0, -1, position
    article = tokens[position] in ("a", "an") and position + 1 < len(tokens) and tokens[position + 1] in SCALES
    if article:
        group, end = 1, position + 1
        if tokens[end] in ("score", "pair", "couple") and tokens[end + 1 : end + 2] != ["of"] and tokens[end + 1 :]:
            return None
        if tokens[end] == "score" and read_number(tokens, end + 2):
            return None
    while end < len(tokens) and end - position < 16:
        token = tokens[end]
        if token in WORDS:
            number = WORDS[token]
            if group > 0 and not (group % 100 == 0 or (group % 100 >= 20 and group % 10 == 0 and 0 < number < 10)):
                break
            group = max(group, 0) + number
        elif token in SCALES and group >= 0:
            if SCALES[token] == 100 or token in ("dozen", "score", "pair", "couple"):
                group *= SCALES[token]
            else:
                total, group = (total + group) * SCALES[token], 0
        elif token in ("and", "-") and group >= 0 and end + 1 < len(tokens) and tokens[end + 1] in WORDS:
            previous = tokens[end - 1]
            if (token == "and" and previous not in SCALES) or (token == "-" and previous not in TENS):
                break
        else:
            break
        end += 1
    return (end, Fraction(total + group)) if group >= 0 else None
