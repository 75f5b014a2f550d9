"""Which words of two texts stand for each other: the same, exchanged, mistyped, opposed, or of one kind."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial

from counterpoise.counterfactual.match.reading import Reading, Relation, Word, lexicon, stem

__all__ = ["MAX_ALIGNED", "Alignment", "Match", "align", "is_typo", "one_edit"]

MAX_ALIGNED = 40
"""Content words of a side that are compared with each other; a name or value has a handful."""


@dataclass(frozen=True, slots=True)
class Match:
    """Two words that stand for each other.

    Attributes:
        first: a word of the first text.
        second: a word of the second.
        relation: how they are related.
        turned: whether one says by itself what the other says with a negation.
        typo: whether one is the other mistyped.
    """

    first: Word
    second: Word
    relation: Relation
    turned: bool = False
    typo: bool = False

    @property
    def agrees(self) -> bool:
        """Whether both are affirmed or both negated."""
        return (self.first.negated != self.second.negated) == self.turned


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which words of two texts stand for each other.

    Attributes:
        matches: pairs of words; each word at most once.
        first: words of the first text without a partner.
        second: words of the second text without a partner.
    """

    matches: tuple[Match, ...]
    first: tuple[Word, ...]
    second: tuple[Word, ...]

    def related(self, *relations: Relation) -> list[Match]:
        """The matches with one of these relations."""
        return [match for match in self.matches if match.relation in relations]

    @property
    def turns(self) -> int:
        """How many matches are turned."""
        return sum(match.turned for match in self.matches)


_ORDER: tuple[tuple[Relation, ...], ...] = (("same",), ("complement",), ("derived",), ("contrary", "kind", "broader"))


def align(first: Reading, second: Reading, known: Container[str] | None = None) -> Alignment:
    """Pair the content words of two texts, the closest relations first.

    Args:
        first: one text.
        second: the other.
        known: every correctly spelled word; a word outside it may be another word mistyped. ``None`` forgives no typo.
    """
    left, right = list(first.content[:MAX_ALIGNED]), list(second.content[:MAX_ALIGNED])
    matches: list[Match] = []

    def pair(relate: Callable[[Word, Word], Match | None]) -> None:
        for one in list(left):
            for other in right:
                match = relate(one, other)
                if match is not None:
                    matches.append(match)
                    left.remove(one)
                    right.remove(other)
                    break

    pair(
        lambda one, other: Match(one, other, "same") if one.key == other.key and one.against == other.against else None
    )
    _pair_initials(left, right, matches)
    for wanted in _ORDER[:3]:
        pair(partial(_matched, wanted))
    if known is not None:
        pair(lambda one, other: Match(one, other, "same", typo=True) if is_typo(one.text, other.text, known) else None)
    pair(partial(_matched, _ORDER[3]))
    return Alignment(tuple(matches), tuple(left), tuple(right))


def _pair_initials(left: list[Word], right: list[Word], matches: list[Match]) -> None:
    """Match "OVS" with the words "object verb subject"."""
    for short, long in ((left, right), (right, left)):
        for word in [one for one in short if 2 < len(one.text) < 7 and one.text.isalpha()]:
            letters = [other.text[0] for other in long]
            for start in range(len(long) - len(word.text) + 1):
                if "".join(letters[start : start + len(word.text)]) == word.text:
                    spelled = long[start : start + len(word.text)]
                    matches.append(
                        Match(word, spelled[0], "same") if short is left else Match(spelled[0], word, "same")
                    )
                    short.remove(word)
                    del long[start : start + len(word.text)]
                    break


def _matched(wanted: tuple[Relation, ...], first: Word, second: Word) -> Match | None:
    relation, turned = _relation(first, second)
    return Match(first, second, relation, turned) if relation in wanted else None


def _relation(first: Word, second: Word) -> tuple[Relation | None, bool]:
    words = lexicon()
    if (first.against and first.against == second.key) or (second.against and second.against == first.key):
        return "contrary", False
    found = words.relation(first.key, second.key)
    if found:
        return found, found == "complement"
    for one, other in ((first.whole, second.key), (first.key, second.whole)):
        if one and other:
            found = words.relation(one, other)
            if found:
                return found, found != "complement"
    if len(first.key) == len(second.key) == 1:
        for ending in ("er", "est"):
            base, base_2 = _compared(first.key[0], ending), _compared(second.key[0], ending)
            if base and base_2:
                found = words.relation((base,), (base_2,))
                # "Not safer" is not "more dangerous": of degrees there is always one in between.
                return ("contrary" if found == "complement" else found), False
    return None, False


def _compared(key: str, ending: str) -> str | None:
    """The stem of what a comparative or superlative compares."""
    rest = key.removesuffix(ending)
    if rest == key or len(rest) < 3:
        return None
    words = lexicon()
    for base in (rest, rest[:-1] if rest[-1] == rest[-2] else rest):
        if (base,) in words.contraries or (base,) in words.complements or (base,) in words.synonyms:
            return base
    return None


def is_typo(first: str, second: str, known: Container[str]) -> bool:
    """Whether one of two words is the other mistyped: one edit or exchange, not in the first letter, and no word.

    >>> is_typo("empyt", "empty", {"empty"}), is_typo("cap", "cup", {"cap", "cup"})
    (True, False)
    """
    if first in known and second in known:
        return False
    wrong, right = (first, second) if second in known else (second, first)
    if (
        right not in known
        or min(len(wrong), len(right)) < 4
        or wrong[0] != right[0]
        or abs(len(wrong) - len(right)) > 1
    ):
        return False
    if not wrong.isalpha() or stem(wrong) in known or any(_inflects(wrong, suffix, known) for suffix in _SUFFIXES):
        return False
    return one_edit(wrong, right)


_SUFFIXES = ("s", "es", "d", "ed", "ing", "ly", "er", "est", "r", "st", "ness")


def _inflects(word: str, suffix: str, known: Container[str]) -> bool:
    rest = word.removesuffix(suffix)
    return rest != word and len(rest) > 2 and (rest in known or rest + "e" in known)


def one_edit(first: str, second: str) -> bool:
    """Whether one letter added, left out, changed or exchanged with the next makes one word the other."""
    if len(first) > len(second):
        first, second = second, first
    same = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    one, other = first[same:], second[same:]
    if len(first) < len(second):
        return one == other[1:]
    return one[1:] == other[1:] or (one[1:2] == other[:1] and other[1:2] == one[:1] and one[2:] == other[2:])
