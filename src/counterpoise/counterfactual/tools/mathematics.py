"""Numbers of a text with what they count: units by pint, money, times of day, numerals of a base, equations.

Everything is read off the surface: no expression is evaluated, and nothing is added up.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from counterpoise.counterfactual.case import Case, Modality
from counterpoise.counterfactual.match.reading.numerals import WORDS, read_number
from counterpoise.counterfactual.tools.equations import Equation, equations
from counterpoise.counterfactual.tools.finding import Finding, collect
from counterpoise.counterfactual.tools.tool import Picture, visible
from counterpoise.counterfactual.tools.units import Units

__all__ = ["QuantityTool"]

_RULES = 1
"""Version of the rules below; part of the tool's version."""
_MAX_CHARS = 20_000

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
# A sign belongs to a number unless it stands after something that it can be added to.
_SIGN = r"(?:(?<![\w)\]])(?<![\w)\]] )[-−+]|(?<!\w))"
_NAMED = {"binary": 2, "octal": 8, "hexadecimal": 16}
_PIECE = re.compile(
    rf"""(?P<base>\bbase[ -](?P<radix>\d{{1,2}}|{"|".join(WORDS)})\b|\b(?:{"|".join(_NAMED)})\b)
    |(?P<clock>\b(?:\d{{1,2}}:\d{{2}}(?::\d{{2}})?|\d{{1,2}}(?=\s?[ap]\.?\s?m\b))(?:\s?(?P<half>[ap])\.?\s?m\b\.?)?)
    |(?P<money>[-−]?[$€£¥]\s?(?:{_DIGITS})(?:\s(?:thousand|million|billion)\b)?)
    |(?P<percent>{_SIGN}(?:{_DIGITS})\s?(?:%|(?:percent|per\ cent)\b))
    |(?P<fraction>{_SIGN}(?<![\d/])\d{{1,9}}(?:\ \d{{1,4}})?/\d{{1,9}}(?![\d/]))
    |(?P<ordinal>\b\d{{1,9}}(?:st|nd|rd|th)\b)
    |(?P<number>{_SIGN}(?:{_DIGITS}))(?![\d])
    |(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
    |(?P<other>\S)""",
    re.VERBOSE | re.IGNORECASE,
)
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
_COINS = frozenset("dollar dollars cent cents euro euros penny pence buck bucks yen".split())
# Words that end what a number counts: "5 of the apples" counts no "of".
_CLOSING = frozenset(
    """a about after all am an and are as at be been before below but by can did do does each equal equals every
    for from had has have he her his how i if in into is it its less many may minus more much must no not of off
    on or out over per plus she should so some than that the their them then there these they this those through
    times to under until up was we were what when where which while who will with would you your""".split()
)
_PLURALS = frozenset("people men women children feet mice geese teeth sheep fish deer dice oxen cattle".split())
_PRONOUN_BEFORE = frozenset("the this that which no any some every each another only last first next".split())
"""After these, "one" is a pronoun."""
_NAME_WORDS = 3
"""How far after a number the noun that it counts may stand."""


class QuantityTool:
    """Quantities, counts and numerals of a text.

    Kinds: ``equation`` (its sides in the detail), ``symbol`` (a name in an equation), ``quantity`` (a number with a
    unit; the detail has the dimension and the value in base units), ``count`` (a number with the noun that it counts),
    ``money``, ``time``, ``percentage``, ``fraction``, ``ordinal``, ``base`` (of numerals), ``numeral`` (digits said to
    be in a base) and ``number``. Numbers may be spelled out.

    Raises:
        MissingExtraError: pint is not installed.
    """

    modality: Final[Modality] = "mathematics"
    description: Final = "lists the numbers of a text with their units or what they count, and its equations"

    def __init__(self) -> None:
        self._units = Units()
        self.name = f"pint {self._units.version}"
        self.version = f"{self._units.version}; rules {_RULES}"

    def find(self, case: Case, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; pictures are not looked at."""
        return self.run(visible(case))

    def run(self, text: str, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; only the first 20,000 characters count."""
        cut = text[:_MAX_CHARS]
        placed = [(one.start, finding) for one in equations(cut) for finding in _of_equation(one)]
        placed += [(start, finding) for start, finding in self._numbers(cut)]
        # Stable: an equation comes before the number that it begins with.
        return collect(finding for _, finding in sorted(placed, key=lambda one: one[0]))

    def _numbers(self, text: str) -> Iterator[tuple[int, Finding]]:
        pieces = [_Piece(one.start(), one.end(), one.lastgroup or "", one) for one in _PIECE.finditer(text)]
        lower = [text[piece.start : piece.end].lower() for piece in pieces]
        widest = max((base for piece in pieces if (base := _base(piece))), default=10)
        place = 0
        while place < len(pieces):
            piece = pieces[place]
            if (numeral := _numeral(text, pieces, place, widest)) is not None:
                yield piece.start, numeral[1]
                while place < len(pieces) and pieces[place].start < numeral[0]:
                    place += 1
            elif piece.kind in ("word", "number"):
                end, finding = self._number(text, pieces, lower, place)
                if finding is not None:
                    yield piece.start, finding
                place = max(end, place + 1)
            else:
                if (simple := _simple(text, piece)) is not None:
                    yield piece.start, simple
                place += 1

    def _number(
        self, text: str, pieces: Sequence["_Piece"], lower: Sequence[str], place: int
    ) -> tuple[int, Finding | None]:
        """Where a number and what it counts end, and the finding; the place itself where there is no number."""
        first = pieces[place]
        value = ""
        end = place + 1
        if first.kind == "word":
            if place and lower[place] == "one" and lower[place - 1] in _PRONOUN_BEFORE:
                return place, None
            spelled = _spelled(lower, place)
            if spelled is None:
                return place, None
            end, value = spelled
        elif end < len(pieces) and lower[end] in ("hundred", "thousand", "million", "billion", "dozen"):
            end += 1
        unit = self._unit(text, pieces, end)
        if unit is not None:
            end, name = unit
            said = text[first.start : pieces[end - 1].end]
            return end, Finding("quantity", said, self._units.described(value or text[first.start : first.end], name))
        if end < len(pieces) and lower[end] in _COINS:
            return end + 1, Finding("money", text[first.start : pieces[end].end], value)
        single = (value or lower[place]) == "1"
        counted = _counted(text, pieces, lower, end, single)
        if counted > end:
            noun = text[pieces[end].start : pieces[counted - 1].end]
            said = text[first.start : pieces[counted - 1].end]
            return counted, Finding("count", said, f"{value} {noun}" if value else noun)
        if first.kind == "word" and lower[place] in ("one", "a") and end == place + 1:
            # A pronoun more often than a number.
            return place, None
        return end, Finding("number", text[first.start : pieces[end - 1].end], value)

    def _unit(self, text: str, pieces: Sequence["_Piece"], place: int) -> tuple[int, str] | None:
        """Where the unit at a place ends, and its name as pint knows it."""
        if place >= len(pieces):
            return None
        word = text[pieces[place].start : pieces[place].end]
        following = [text[one.start : one.end] for one in pieces[place + 1 : place + 3]]
        if word == "°" or word.lower() in ("degree", "degrees"):
            scale = following[0].lower() if following else ""
            if scale in ("c", "celsius", "centigrade"):
                return place + 2, "degree_Celsius"
            if scale in ("f", "fahrenheit"):
                return place + 2, "degree_Fahrenheit"
            return place + 1, "degree"
        # "A 3-minute walk": the hyphen binds the unit to the number.
        if word == "-" and following and (joined := self._units.name(following[0])) is not None:
            return place + 2, joined
        above = self._units.name(word)
        if above is None:
            return None
        if len(following) == 2 and following[0].lower() in ("/", "per", "an", "a"):
            below = self._units.name(following[1])
            if below is not None:
                return place + 3, f"{above} / {below}"
        return place + 1, above


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text: one word, number or sign."""

    start: int
    end: int
    kind: str
    match: re.Match[str]


def _of_equation(equation: Equation) -> Iterator[Finding]:
    left, right = equation.left, equation.right
    yield Finding("equation", f"{left} = {right}", f"left: {left}; right: {right}")
    for symbol in equation.symbols:
        yield Finding("symbol", symbol)


def _simple(text: str, piece: _Piece) -> Finding | None:
    """A finding that one piece makes alone."""
    said = text[piece.start : piece.end]
    match piece.kind:
        case "base":
            return Finding("base", said, str(_base(piece)))
        case "money":
            return Finding("money", said, next(name for sign, name in _CURRENCIES.items() if sign in said))
        case "clock":
            return _time(said, piece.match["half"])
        case "percent":
            return Finding("percentage", said)
        case "fraction" | "ordinal":
            return Finding(piece.kind, said)
    return None


def _time(said: str, half: str | None) -> Finding | None:
    hour, _, rest = "".join(character for character in said if character.isdigit() or character == ":").partition(":")
    value = int(hour)
    if value > 24 or any(int(part) > 59 for part in rest.split(":") if part):
        return None
    if half is None or not 1 <= value <= 12:
        return Finding("time", said)
    value = value % 12 + (12 if half.lower() == "p" else 0)
    return Finding("time", said, f"{value:02}:{rest or '00'}")


def _base(piece: _Piece) -> int:
    """The base that a piece states; 0 where it states none."""
    if piece.kind != "base":
        return 0
    radix = piece.match["radix"]
    if radix is None:
        return _NAMED[piece.match["base"].lower()]
    return int(radix) if radix.isdigit() else WORDS[radix.lower()]


def _numeral(text: str, pieces: Sequence[_Piece], place: int, widest: int) -> tuple[int, Finding] | None:
    """Where a numeral ends, and the finding; ``None`` where there is none.

    It is one where it is said to be, as in "17 in base 8", or where only a stated base above ten has its digits.
    """
    piece = pieces[place]
    if piece.kind not in ("word", "number", "other"):
        return None
    said = text[piece.start : piece.end]
    after = place + 1
    while after < min(place + 4, len(pieces)) and text[pieces[after].start : pieces[after].end].lower() in _BASE_LINKS:
        after += 1
    if piece.kind == "number" and after > place + 1 and after < len(pieces) and (base := _base(pieces[after])):
        return piece.end, Finding("numeral", said, f"base {base}")
    # Digits and letters of one numeral are pieces of their own.
    start, end = piece.start, piece.end
    if widest <= 10 or (start and text[start - 1].isalnum()):
        return None
    while end < len(text) and end - start <= 32 and text[end].isalnum():
        end += 1
    whole = text[start:end]
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: min(widest, 36)]
    if any(character not in digits for character in whole) or whole.isdigit() or len(whole) > 32:
        return None
    if len(whole) == 1 and not _beside_sign(text, start, end):
        return None
    return end, Finding("numeral", whole, f"a base above {max(digits.index(character) for character in whole)}")


_BASE_LINKS = frozenset("in is written as a".split())


def _beside_sign(text: str, start: int, end: int) -> bool:
    """Whether a lone letter is an operand, and not the article or a name."""
    return text[:start].rstrip(" ")[-1:] in tuple("+-*/=") or text[end : end + 3].lstrip(" ")[:1] in tuple("+-*/=")


def _spelled(lower: Sequence[str], place: int) -> tuple[int, str] | None:
    """Where a number in words ends, and its value in digits."""
    if lower[place].partition("-")[0] not in WORDS and lower[place] not in ("a", "an", "half"):
        return None
    if lower[place] == "half":
        return place + 1, "0.5"
    # Hyphenated words are one piece here and several tokens there.
    tokens: list[str] = []
    pieces: list[int] = []
    for offset, word in enumerate(lower[place : place + 16]):
        parts = re.findall(r"-|[^-]+", word)
        tokens += parts
        pieces += [place + offset + 1] * len(parts)
    read = read_number(tokens, 0) if tokens else None
    if read is None:
        return None
    end = pieces[read[0] - 1]
    # A number that ends within a word is none: "two-door".
    if read[0] < len(tokens) and pieces[read[0]] == end:
        return None
    return end, str(read[1])


def _counted(text: str, pieces: Sequence[_Piece], lower: Sequence[str], place: int, single: bool) -> int:
    """Where the noun phrase that a number counts ends; the place itself where there is none.

    The phrase ends with the first plural among the next words; that of a single thing is the next word.
    """
    words = []
    for index in range(place, min(place + _NAME_WORDS, len(pieces))):
        between = text[pieces[index - 1].end : pieces[index].start] if index else ""
        if pieces[index].kind != "word" or lower[index] in _CLOSING or not between.isspace() or "\n" in between:
            break
        words.append(lower[index])
    for offset, word in enumerate(words):
        if word in _PLURALS or (len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))):
            return place + offset + 1
    return place + 1 if single and words else place
