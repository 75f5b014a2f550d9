"""Numbers in a text, with their units and bounds: "three apples", "1.5 km", "2/3", "at least 20", "half past five".

Everything is exact: values are fractions, and units are converted only where the conversion is exact by definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from counterpoise.counterfactual.match.reading.numerals import (
    PARTS,
    SCALES,
    TENS,
    WORDS,
    plain_number,
    read_number,
    spelled_number,
)
from counterpoise.counterfactual.match.reading.units import CURRENCIES, read_unit

__all__ = ["Bound", "Found", "Quantity", "find_quantities", "same_quantity"]

Bound = Literal["equal", "at least", "above", "at most", "below", "about"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it counts in.

    Attributes:
        value: as written, before any conversion.
        dimension: what its unit measures ("length"); "ordinal", "clock", "times" or, without a unit, empty.
        base: the value in the dimension's base unit.
        bound: whether the text says the number itself or a limit.
        weak: whether the word may be no number at all ("one" as a pronoun, "an hour").
    """

    value: Fraction
    dimension: str = ""
    base: Fraction = Fraction(0)
    bound: Bound = "equal"
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A quantity and the tokens that say it: ``tokens[start:end]``."""

    start: int
    end: int
    quantity: Quantity


def same_quantity(first: Quantity, second: Quantity) -> bool:
    """Whether two quantities are equal; where one has no unit, the bare numbers are compared.

    Of whole numbers without a unit, "fewer than 9" is "at most 8".
    """
    (bound_1, base_1), (bound_2, base_2) = _limit(first), _limit(second)
    if bound_1 != bound_2:
        return False
    if first.dimension == second.dimension:
        return base_1 == base_2
    if {first.dimension, second.dimension} == {"clock", "half clock"}:
        return (base_1 - base_2) % 720 == 0
    if "" in (first.dimension, second.dimension) and "ordinal" not in (first.dimension, second.dimension):
        return first.value == second.value and first.bound == second.bound
    return False


def _limit(quantity: Quantity) -> tuple[Bound, Fraction]:
    if not quantity.dimension and quantity.base.denominator == 1:
        if quantity.bound == "above":
            return "at least", quantity.base + 1
        if quantity.bound == "below":
            return "at most", quantity.base - 1
    return quantity.bound, quantity.base


_ORDINALS = """zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth""".split()
_ORDINAL_WORDS = {word: number for number, word in enumerate(_ORDINALS)} | {
    "twentieth": 20,
    "thirtieth": 30,
    "fortieth": 40,
    "fiftieth": 50,
    "hundredth": 100,
}
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_PRONOUN_BEFORE = frozenset(
    "the this that which no any other some each every another only last first next someone".split()
)
_BEFORE: Mapping[tuple[str, ...], Bound] = {
    ("at", "least"): "at least",
    ("no", "fewer", "than"): "at least",
    ("not", "fewer", "than"): "at least",
    ("no", "less", "than"): "at least",
    ("not", "less", "than"): "at least",
    ("not", "under"): "at least",
    ("not", "below"): "at least",
    ("minimum", "of"): "at least",
    ("≥",): "at least",
    (">=",): "at least",
    ("more", "than"): "above",
    ("greater", "than"): "above",
    ("larger", "than"): "above",
    ("higher", "than"): "above",
    ("over",): "above",
    ("above",): "above",
    ("exceeding",): "above",
    ("exceeds",): "above",
    ("exceed",): "above",
    ("equal", "to"): "equal",
    ("equals",): "equal",
    (">",): "above",
    ("at", "most"): "at most",
    ("no", "more", "than"): "at most",
    ("not", "more", "than"): "at most",
    ("not", "over"): "at most",
    ("not", "above"): "at most",
    ("up", "to"): "at most",
    ("maximum", "of"): "at most",
    ("≤",): "at most",
    ("<=",): "at most",
    ("fewer", "than"): "below",
    ("less", "than"): "below",
    ("smaller", "than"): "below",
    ("lower", "than"): "below",
    ("under",): "below",
    ("below",): "below",
    ("<",): "below",
    ("about",): "about",
    ("around",): "about",
    ("roughly",): "about",
    ("approximately",): "about",
    ("approx",): "about",
    ("almost",): "about",
    ("nearly",): "about",
    ("circa",): "about",
    ("~",): "about",
    ("close", "to"): "about",
    ("exactly",): "equal",
    ("precisely",): "equal",
    ("just",): "equal",
    ("only",): "equal",
    ("merely",): "equal",
    ("=",): "equal",
}
_AFTER: Mapping[tuple[str, ...], Bound] = {
    ("or", "more"): "at least",
    ("or", "above"): "at least",
    ("or", "over"): "at least",
    ("and", "more"): "at least",
    ("and", "over"): "at least",
    ("or", "higher"): "at least",
    ("or", "greater"): "at least",
    ("at", "least"): "at least",
    ("+",): "at least",
    ("or", "fewer"): "at most",
    ("or", "less"): "at most",
    ("or", "below"): "at most",
    ("or", "under"): "at most",
    ("or", "lower"): "at most",
    ("at", "most"): "at most",
    ("or", "so"): "about",
    ("exactly",): "equal",
}


def find_quantities(tokens: Sequence[str]) -> list[Found]:
    """Every quantity in a tokenised text, in order, without overlap.

    >>> from counterpoise.counterfactual.match.reading.tokenise import tokenise
    >>> [str(found.quantity.value) for found in find_quantities(tokenise("two thirds of 1,200 and a dozen"))]
    ['2/3', '1200', '12']
    """
    found: list[Found] = []
    position = 0
    while position < len(tokens):
        read = _clock(tokens, position) or _quantity(tokens, position)
        if read is None:
            position += 1
            continue
        end, quantity = read
        start, bound = _bound_before(tokens, position, found[-1].end if found else 0)
        if bound is None:
            for words, meaning in _AFTER.items():
                if tuple(tokens[end : end + len(words)]) == words:
                    end, bound = end + len(words), meaning
                    break
        dimension = "ordinal" if _is_label(tokens, start, end, quantity) else quantity.dimension
        quantity = Quantity(quantity.value, dimension, quantity.base, bound or "equal", quantity.weak)
        found.append(Found(start, end, quantity))
        position = end
    return _compound(tokens, found)


_LABELLED = frozenset(
    """round number no base index chapter page step stage level line column row day week year part item question
    argument case room version position place player group team floor gate platform bus train flight channel lane track
    volume act scene section figure table model type class grade exercise task option answer rule""".split()
)


def _is_label(tokens: Sequence[str], start: int, end: int, quantity: Quantity) -> bool:
    """Whether a number names one of a row, as in "round 3", and does not count, as in "3 rounds"."""
    named = start > 0 and tokens[start - 1] in _LABELLED and not quantity.dimension
    return named and quantity.value.denominator == 1 and (end == len(tokens) or tokens[end] != "%")


_ADDED = frozenset({"length", "mass", "volume", "time", "months", "dollar", "euro", "pound"})


def _compound(tokens: Sequence[str], found: list[Found]) -> list[Found]:
    """Join what is said in two units or with a part: "an hour and a half", "2 m 30 cm"."""
    joined: list[Found] = []
    for one in found:
        before = joined[-1] if joined else None
        if before is not None and before.quantity.dimension in _ADDED and before.quantity.bound == one.quantity.bound:
            between = list(tokens[before.end : one.start])
            old, new = before.quantity, one.quantity
            part = not new.dimension and new.value in (Fraction(1, 2), Fraction(1, 4)) and between == ["and"]
            if part or (between in ([], ["and"]) and new.dimension == old.dimension):
                base = old.base + (new.value * old.base / old.value if part else new.base)
                value = old.value + new.value if part else base
                joined[-1] = Found(before.start, one.end, Quantity(value, old.dimension, base, old.bound))
                continue
        joined.append(one)
    return joined


def _bound_before(tokens: Sequence[str], position: int, limit: int) -> tuple[int, Bound | None]:
    start = position
    while start > limit and tokens[start - 1] in ("a", "an", "the"):
        start -= 1
    for size in (3, 2, 1):
        words = tuple(tokens[max(start - size, limit) : start])
        if len(words) == size and words in _BEFORE:
            return start - size, _BEFORE[words]
    return (start if tokens[position] in SCALES else position), None


def _quantity(tokens: Sequence[str], position: int) -> tuple[int, Quantity] | None:
    start = position
    if tokens[position] in TENS and (special := _special(tokens, position)) is not None:
        return special
    currency = CURRENCIES.get(tokens[position])
    if currency:
        position += 1
    read = read_number(tokens, position)
    if read is None:
        if tokens[position : position + 1] and not currency:
            return _special(tokens, position)
        return None
    end, value, weak = read
    if currency:
        return end, Quantity(value, currency, value)
    if end < len(tokens):
        following = tokens[end]
        if following in ("st", "nd", "rd", "th") and value.denominator == 1:
            return end + 1, Quantity(value, "ordinal", value)
        if following in ("%", "percent", "percents") or tokens[end : end + 2] == ["per", "cent"]:
            return end + 1 + (following == "per"), Quantity(value / 100, "", value / 100)
        if following in ("am", "pm") and 1 <= value <= 12:
            minutes = (value % 12) * 60 + (720 if following == "pm" else 0)
            return end + 1, Quantity(minutes, "clock", minutes)
        if following == "o" and tokens[end + 1 : end + 2] == ["clock"]:
            return end + 2, Quantity(value * 60 % 720, "half clock", value * 60 % 720)
        unit = read_unit(tokens, end)
        if unit is not None:
            end, dimension, factor = unit
            return end, Quantity(value, dimension, value * factor, weak=weak)
    if weak and start and tokens[start - 1] in _PRONOUN_BEFORE:
        return None
    share = _share(tokens, end, value)
    if share is not None:
        return share
    return end, Quantity(value, "", value, weak=weak)


def _share(tokens: Sequence[str], end: int, value: Fraction) -> tuple[int, Quantity] | None:
    """A share such as "one in four" or "1 out of 4", where no word follows."""
    joint = 1 if tokens[end : end + 1] == ["in"] else 2 if tokens[end : end + 2] == ["out", "of"] else 0
    read = read_number(tokens, end + joint) if joint else None
    if read is None or not 0 < value < read[1] or (read[0] < len(tokens) and tokens[read[0]].isalpha()):
        return None
    return read[0], Quantity(value / read[1], "", value / read[1])


def _special(tokens: Sequence[str], position: int) -> tuple[int, Quantity] | None:
    """Numbers that are no count: "half", "a third", "third", "twice", "an hour"."""
    token = tokens[position]
    following = tokens[position + 1] if position + 1 < len(tokens) else ""
    if token in ("a", "an") and following:
        if following in ("half", "third", "quarter", "fifth", "tenth"):
            value = Fraction(1, PARTS[following])
            # "A third attempt" is an ordinal; "a third of them" and "a third" are not.
            if following in ("half", "quarter") or tokens[position + 2 : position + 3] in ([], ["of"]):
                return position + 2, Quantity(value, "", value)
            return None
        unit = (
            read_unit(tokens, position + 1)
            if following not in ("second", "foot", "time", "degree", "l", "m", "g")
            else None
        )
        if unit is not None and unit[1] in ("length", "mass", "volume", "time", "months"):
            return unit[0], Quantity(Fraction(1), unit[1], unit[2], weak=True)
        return None
    if token == "half":
        return position + 1, Quantity(Fraction(1, 2), "", Fraction(1, 2))
    if token in _TIMES:
        value = Fraction(_TIMES[token])
        return position + 1, Quantity(value, "times", value, weak=token == "once")
    if token in _ORDINAL_WORDS:
        value = Fraction(_ORDINAL_WORDS[token])
        return position + 1, Quantity(value, "ordinal", value, weak=token == "second")
    if token in TENS and following == "-" and position + 2 < len(tokens) and tokens[position + 2] in _ORDINAL_WORDS:
        value = Fraction(WORDS[token] + _ORDINAL_WORDS[tokens[position + 2]])
        return position + 3, Quantity(value, "ordinal", value)
    return None


def _clock(tokens: Sequence[str], position: int) -> tuple[int, Quantity] | None:
    """A time of day: "17:30", "5:30 pm", "half past five", "quarter to six"."""
    token = tokens[position]
    hour = plain_number(token)
    if hour is not None and tokens[position + 1 : position + 2] == [":"] and position + 2 < len(tokens):
        minute = plain_number(tokens[position + 2])
        if minute is None or not (0 <= hour < 24 and 0 <= minute < 60) or len(tokens[position + 2]) != 2:
            return None
        end = position + 3
        half = tokens[end] if end < len(tokens) and tokens[end] in ("am", "pm") else ""
        if half:
            value = hour % 12 * 60 + minute + (720 if half == "pm" else 0)
            return end + 1, Quantity(value, "clock", value)
        value = hour * 60 + minute
        if hour > 12 or len(token) == 2:
            return end, Quantity(value, "clock", value)
        return end, Quantity(value % 720, "half clock", value % 720)
    if token in ("half", "quarter") and position + 2 < len(tokens) and tokens[position + 1] in ("past", "to"):
        read = spelled_number(tokens, position + 2)
        hour = plain_number(tokens[position + 2]) if read is None else read[1]
        if hour is None or not 1 <= hour <= 12:
            return None
        minutes = Fraction(30 if token == "half" else 15)
        value = (hour * 60 + (minutes if tokens[position + 1] == "past" else -minutes)) % 720
        return (position + 3 if read is None else read[0]), Quantity(value, "half clock", value)
    return None
