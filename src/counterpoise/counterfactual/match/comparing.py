"""What can be told of a pair without a model: spelling first, then the guards, then word by word.

Every matcher that knows more than spelling starts here. A pair is compared with each text that the gold accepts; for
most pairs that is one.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from counterpoise.counterfactual.case import UNDETERMINED
from counterpoise.counterfactual.match.alignment import Alignment, align
from counterpoise.counterfactual.match.framing import candidates, code_differs
from counterpoise.counterfactual.match.guards import GUARDS, in_order
from counterpoise.counterfactual.match.pair import Pair
from counterpoise.counterfactual.match.reading import MAX_CHARS, Key, Reading, Word, lexicon, read
from counterpoise.counterfactual.match.spelling import NORMALISED, normalise, number

__all__ = ["Compared", "Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two texts, read and aligned.

    Attributes:
        texts: both, without what claims nothing; in alphabetical order, so that a pair and its mirror image are one.
        about: the main name of the variable whose values they are; empty for names.
        kind: ``name`` or ``value``.
        readings: what each claims.
        aligned: which of their words stand for each other.
        left: the words of each that stand for nothing on the other side and need an explanation.
        clashes: names of the guards that tell the two apart.
    """

    texts: tuple[str, str]
    about: str
    kind: str
    readings: tuple[Reading, Reading]
    aligned: Alignment
    left: tuple[tuple[Word, ...], tuple[Word, ...]]
    clashes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether every word stands for one on the other side, and all that sets a claim apart is equal."""
        first, second = self.readings
        said = self.aligned.related("same", "complement", "derived") or first.quantities or first.quantifiers
        return (
            bool(said)
            and not any(self.left)
            and (first.quantifiers, first.hedges, first.degrees) == (second.quantifiers, second.hedges, second.degrees)
            and bool(first.quantities) == bool(second.quantities)
            and (first.negations + second.negations + self.aligned.turns) % 2 == 0
            and (first.reordered == second.reordered or in_order(first, second))
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of a pair without a model.

    Attributes:
        decided: 1.0 or 0.0 where that is enough to decide; else ``None``.
        why: what decided: ``spelling``, ``words``, ``length``, ``code``, or names of guards joined by "+"; else empty.
        open: the comparisons that no guard told apart, where nothing decided.
    """

    decided: float | None
    why: str = ""
    open: tuple[Compared, ...] = ()


def compare(pair: Pair, known: Container[str] | None = None) -> Comparison:
    """Compare a pair by spelling, guards and word lists; never raises, whatever the texts.

    Args:
        pair: what to compare.
        known: every correctly spelled word, to tell words mistyped from other words; ``None`` forgives no typo.

    >>> compare(Pair("value", "not open", "It would be closed.")).why
    'words'
    >>> compare(Pair("value", "three apples", "4 apples"))
    Comparison(decided=0.0, why='numbers', open=())
    """
    decided = _by_spelling(pair)
    if decided is not None:
        return decided
    every = [_compared(gold, text, pair, known) for gold, text in candidates(pair)]
    kept = tuple(one for one in every if not one.clashes)
    if not kept:
        return Comparison(0.0, "+".join(every[0].clashes))
    return Comparison(1.0, "words") if any(one.agrees for one in kept) else Comparison(None, "", kept)


def _by_spelling(pair: Pair) -> Comparison | None:
    if pair.text == pair.gold or pair.text in pair.aliases:
        return Comparison(1.0, "spelling")
    if not normalise(pair.text) or not any(normalise(gold) for gold in (pair.gold, *pair.aliases)):
        return Comparison(0.0, "spelling")
    if len(pair.text) > MAX_CHARS or len(pair.gold) > MAX_CHARS:
        return Comparison(0.0, "length")
    if code_differs(pair):
        return Comparison(0.0, "code")
    if NORMALISED.match([pair]) == [1.0]:
        return Comparison(1.0, "spelling")
    if pair.kind == "value":
        digits = pair.answer_kind == "numeral" and any(character.isdigit() for character in pair.gold)
        bare = pair.answer_kind == "number" and number(pair.text) is not None
        if pair.gold == UNDETERMINED or digits or bare:
            return Comparison(0.0, "spelling")
    return None


_ORDERED: frozenset[Key] = frozenset({("order",), ("sequenc",), ("rank",)})


def _compared(gold: str, text: str, pair: Pair, known: Container[str] | None) -> Compared:
    texts = (gold, text) if gold <= text else (text, gold)
    first, second = read(texts[0]), read(texts[1])
    aligned = align(first, second, known)
    clashes = [name for name, guard in GUARDS.items() if guard(first, second, aligned)]
    about = [word for name in pair.about for word in read(name).content]
    if first.listed and second.listed and any(word.key in _ORDERED for word in about):
        clashes += ["order"] * ([word.key for word in first.words] != [word.key for word in second.words])
    return Compared(
        texts=texts,
        about=pair.about[0] if pair.about else "",
        kind=pair.kind,
        readings=(first, second),
        aligned=aligned,
        left=_left(aligned, about, pair.kind),
        clashes=tuple(clashes),
    )


def _left(aligned: Alignment, about: Sequence[Word], kind: str) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    relation = lexicon().relation
    first, second = (
        tuple(word for word in side if not any(relation(word.key, other.key) in ("same", "derived") for other in about))
        for side in (aligned.first, aligned.second)
    )
    if kind == "name":
        first, second = (tuple(word for word in side if word.optional != "frame") for side in (first, second))
        if not (any(word.optional for word in first) and any(word.optional for word in second)):
            # A name may leave out whose it is, but not exchange it.
            first, second = (tuple(word for word in side if not word.optional) for side in (first, second))
    return first, second
