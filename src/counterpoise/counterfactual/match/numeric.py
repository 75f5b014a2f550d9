"""A matcher for quantities: the same numbers, in whatever words, digits and units, of the same things."""

from collections.abc import Sequence
from dataclasses import dataclass

from counterpoise.counterfactual.match.framing import candidates, code_differs
from counterpoise.counterfactual.match.pair import Pair
from counterpoise.counterfactual.match.reading import MAX_CHARS, lexicon, read, same_quantity

__all__ = ["Numeric"]


@dataclass(frozen=True, slots=True)
class Numeric:
    """Compares numbers by value: number words, fractions, percentages, bounds, times of day, units convertible exactly.

    Texts without a number are never the same to it. Beside the numbers, the words must be the same but for their
    endings, or be explained by the name of the value's variable.

    >>> Numeric().match([Pair("value", "three apples", "3 apples"), Pair("value", "2 km", "2,000 metres")])
    [1.0, 1.0]
    >>> Numeric().match([Pair("value", "three apples", "3 pears"), Pair("value", "open", "open")])
    [0.0, 0.0]
    """

    name: str = "numeric"
    threshold: float = 1.0

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """1.0 or 0.0 for each pair."""
        return [float(self._same(pair)) for pair in pairs]

    def _same(self, pair: Pair) -> bool:
        if max(len(pair.gold), len(pair.text)) > MAX_CHARS or code_differs(pair):
            return False
        if pair.answer_kind == "numeral":
            # Digits are compared as digits there, which is a matter of spelling.
            return False
        return any(_same_numbers(gold, text, pair) for gold, text in candidates(pair))


def _same_numbers(gold: str, text: str, pair: Pair) -> bool:
    first, second = read(gold), read(text)
    if not first.quantities or len(first.quantities) != len(second.quantities):
        return False
    if not all(same_quantity(*both) for both in zip(first.quantities, second.quantities, strict=True)):
        return False
    if (first.negations, first.hedges, first.quantifiers) != (second.negations, second.hedges, second.quantifiers):
        return False
    about = {word.key for name in pair.about for word in read(name).content}
    relation = lexicon().relation
    words_1, words_2 = ({word.key for word in one.content} - about for one in (first, second))
    return all(
        any(relation(key, other) == "same" for other in others)
        for these, others in ((words_1 - words_2, words_2 - words_1), (words_2 - words_1, words_1 - words_2))
        for key in these
    )
