"""What makes two texts differ however alike they look.

A bi-encoder's similarity hardly sees negations, numbers and the order of words, so each guard looks for one thing that
changes a claim: polarity, opposites, members of one kind, numbers, roles, quantifiers, hedges. A guard fires only on
what it can point at; what the word lists do not know is left to the embedding.
"""

from collections.abc import Callable, Container, Sequence

from counterpoise.counterfactual.match.alignment import MAX_ALIGNED, Alignment, Match, align, one_edit
from counterpoise.counterfactual.match.reading import Quantity, Reading, lexicon, read, same_quantity, stem

__all__ = ["GUARDS", "clashes", "in_order"]

_PLACES = {
    word: group
    for group, words in enumerate(
        """over above;under below beneath underneath;into;in inside within;out outside;onto;on;past;through;behind;
        before;after;to toward towards;from;up;down;off;across;along;around;beside near;between;against;without;
        about;until""".split(";")
    )
    for word in words.split()
}
_SYMMETRIC = frozenset(
    stem(word)
    for word in """next beside near equal same cousin sibling twin married marry meet friend neighbour
    neighbor partner parallel adjacent distance different similar""".split()
)


def polarity(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether a shared word is affirmed in one text and negated in the other; complements count as negated.

    How far a negation reaches is guessed, so where both texts have equally many and they stand before the same words,
    they agree.
    """
    agreeing = aligned.related("same", "derived", "complement")
    odd = (first.negations + second.negations + aligned.turns) % 2 == 1
    if odd and first.quantities and second.quantities and first.number_negated != second.number_negated:
        return True
    if all(match.agrees for match in agreeing):
        # "Always" and "never": nothing but the negation tells them apart.
        told_apart = not aligned.first and not aligned.second and (agreeing or first.quantifiers & second.quantifiers)
        return odd and bool(told_apart)
    if odd:
        return True
    if aligned.turns:
        return False
    partner = {match.first: match.second for match in agreeing}
    stressed = {partner.get(word) for word in first.content if word.direct}
    return stressed != {word for word in second.content if word.direct}


def opposites(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether one text has a word and the other its opposite with something between: neither follows from "not"."""
    return bool(_claimed(aligned.related("contrary"))) or _light_opposites(first, second)


def _claimed(matches: Sequence[Match]) -> list[Match]:
    """Without the poles of a question: "whether the tap is on or off" claims neither."""
    return [match for match in matches if "frame" not in (match.first.optional, match.second.optional)]


def _light_opposites(first: Reading, second: Reading) -> bool:
    """Whether a preposition of one text is the opposite of one of the other: "before the noun", "after the noun"."""
    one, other = ({word.key for word in reading.words if word.light} for reading in (first, second))
    relation = lexicon().relation
    return any(relation(a, b) in ("contrary", "complement") for a in one - other for b in other - one)


def places(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether texts that agree in every other word relate them in different ways: "over the car", "into the car"."""
    if aligned.first or aligned.second or not in_order(first, second):
        return False
    one, other = (
        {word.text for word in reading.words if word.light and word.text in _PLACES} for reading in (first, second)
    )
    return any(_PLACES[a] != _PLACES[b] for a in one - other for b in other - one) and not (
        first.reordered or second.reordered
    )


def kinds(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether the texts name different things of one kind (two colours, two days), or a thing and its kind."""
    # "The man's mood" is "the person's mood": a holder may be named more generally.
    broader = [match for match in aligned.related("broader") if not (match.first.optional and match.second.optional)]
    return bool(_claimed([*aligned.related("kind"), *broader]))


def numbers(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether both texts have numbers and not the same ones, in any order.

    "One" and "an hour" count only against other numbers: alone they may be no number at all.
    """
    one, other = list(first.quantities), list(second.quantities)
    if not one or not other:
        # A bare number against words.
        bare = first if one else second
        return any(not quantity.weak for quantity in bare.quantities) and not bare.content
    if not first.content and not second.content and len(one) == len(other):
        return not all(same_quantity(*each) for each in zip(one, other, strict=True))
    rest = _without_partner(one, other)
    return any(not quantity.weak for quantity in rest) or (bool(rest) and len(one) == len(other))


def _without_partner(first: Sequence[Quantity], second: Sequence[Quantity]) -> list[Quantity]:
    left, right = list(first), list(second)
    for quantity in first:
        partner = next((other for other in right if same_quantity(quantity, other)), None)
        if partner is not None:
            left.remove(quantity)
            right.remove(partner)
    return [*left, *right]


def roles(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether the same words stand on exchanged sides of a word between them: "x beats y" and "y beats x".

    The readings are in canonical order, so passives and converse relations have been turned round already.
    """
    order = _shared_order(first, second)
    if (first.listed and second.listed) or any(word in _SYMMETRIC for word, _ in order):
        return False
    for middle, place in order:
        if middle in ("and", "or", "with"):
            continue
        to_right = any(there[0] < place[0] and there[1] > place[1] for _, there in order)
        to_left = any(there[0] > place[0] and there[1] < place[1] for _, there in order)
        if to_right and to_left:
            return True
    return False


def in_order(first: Reading, second: Reading) -> bool:
    """Whether the words of both texts come in one order."""
    there = [place for _, (_, place) in _shared_order(first, second)]
    return there == sorted(there)


def _shared_order(first: Reading, second: Reading) -> list[tuple[str, tuple[int, int]]]:
    """Words that occur once in both texts, each with its place in either."""
    keys_1, keys_2 = [[word.key for word in one.words[:MAX_ALIGNED]] for one in (first, second)]
    return [
        (" ".join(key), (place, keys_2.index(key)))
        for place, key in enumerate(keys_1)
        if keys_1.count(key) == 1 and keys_2.count(key) == 1
    ]


def quantifiers(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether both texts say how many, and not the same: all, some, most, few."""
    return bool(first.quantifiers and second.quantifiers) and first.quantifiers != second.quantifiers


def modality(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether one text hedges what the other does not: might, probably, seems, almost."""
    return (first.hedges ^ second.hedges) & {"possible", "probable", "apparent", "almost"} != set()


def lookalikes(first: Reading, second: Reading, aligned: Alignment) -> bool:
    """Whether the texts differ in words that are one letter apart and have nothing else in common: "price", "prize".

    What is a word mistyped has been matched before, so both are words.
    """
    return any(
        one.text.isalpha() and other.text.isalpha() and len(one.text) > 3 and one_edit(one.text, other.text)
        for one in aligned.first
        for other in aligned.second
    )


Guard = Callable[[Reading, Reading, Alignment], bool]
GUARDS: dict[str, Guard] = {
    "polarity": polarity,
    "opposites": opposites,
    "kinds": kinds,
    "places": places,
    "numbers": numbers,
    "roles": roles,
    "quantifiers": quantifiers,
    "modality": modality,
    "lookalikes": lookalikes,
}
"""Every guard by name; each says whether it found a difference, and is symmetric in the two texts."""


def clashes(first: str, second: str, known: Container[str] | None = None) -> tuple[str, ...]:
    """Names of the guards that tell two texts apart; empty when none does.

    >>> clashes("not open", "closed"), clashes("not hot", "cold"), clashes("three apples", "2 apples")
    ((), ('opposites',), ('numbers',))
    >>> clashes("the dog chased the cat", "the cat chased the dog")
    ('roles',)
    >>> clashes("the dog chased the cat", "the cat was chased by the dog")
    ()
    """
    one, other = read(first), read(second)
    aligned = align(one, other, known)
    return tuple(name for name, guard in GUARDS.items() if guard(one, other, aligned))
