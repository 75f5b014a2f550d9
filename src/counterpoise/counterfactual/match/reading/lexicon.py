"""What words have to do with each other: synonyms, opposites, members of one kind, relations told from either side.

The word lists below ``words/`` were written for this project and know everyday words only; what they do not know is
left to the embedding.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

from counterpoise.counterfactual.match.reading.stemming import phrase_key, root, word_lines

__all__ = ["Converse", "Key", "Lexicon", "Relation", "is_negated", "lexicon"]

Key = tuple[str, ...]
"""Stems of a word or phrase."""

Relation = Literal["same", "derived", "complement", "contrary", "kind", "broader"]
"""How two phrases are related.

``same``: a plain reader exchanges them. ``derived``: of one root, with different endings. ``complement``: what is not
one is the other. ``contrary``: opposites with something between or beside them. ``kind``: two different things of one
kind, such as two colours. ``broader``: a thing and its kind.
"""


@dataclass(frozen=True, slots=True)
class Converse:
    """A relation as one phrase of several tells it, for instance "sell .. to".

    Attributes:
        verb: stems of its first part.
        joint: stems of its second part, after what is handed over; empty for most.
        canonical: the phrase that stands for the relation.
        flipped: whether the two sides must change places under the canonical phrase.
    """

    verb: Key
    joint: Key
    canonical: Key
    flipped: bool


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All word lists, read once.

    Attributes:
        synonyms: phrase to the lines of the synonym list that it is in.
        complements: phrase to (line, side) of the exhaustive opposites.
        contraries: phrase to (line, side) of the other opposites.
        kinds: phrase to (line, item) of the kinds; words for the kind itself are item -1.
        families: word to the lines of words of one root.
        family_synonyms: word to the lines of synonyms that a word of its root is in.
        family_opposites: word to (line, side) of the opposites that a word of its root is in: "danger" and "safety".
        persons: whom something may belong to.
        listed: every phrase of the lists of synonyms, opposites and kinds.
        converses: by the first stem of their verb, longest first.
        phrases: by first stem, the keys of more than one stem, longest first.
        unlike: words with a negating prefix to the rest, where not being one is being the other.
        contrary_prefix: the same, where there is a middle.
        plain: words that only look negated.
    """

    synonyms: Mapping[Key, frozenset[int]]
    complements: Mapping[Key, frozenset[tuple[int, int]]]
    contraries: Mapping[Key, frozenset[tuple[int, int]]]
    kinds: Mapping[Key, frozenset[tuple[int, int]]]
    families: Mapping[Key, frozenset[int]]
    family_synonyms: Mapping[Key, frozenset[int]]
    family_opposites: Mapping[Key, frozenset[tuple[int, int]]]
    persons: frozenset[Key]
    listed: frozenset[Key]
    converses: Mapping[str, tuple[Converse, ...]]
    phrases: Mapping[str, tuple[Key, ...]]
    unlike: Mapping[str, str]
    contrary_prefix: Mapping[str, str]
    plain: frozenset[str]

    def relation(self, first: Key, second: Key) -> Relation | None:
        """How two phrases are related; ``None`` when the lists do not say."""
        if first == second or self.synonyms.get(first, _NONE) & self.synonyms.get(second, _NONE):
            return "same"
        complements = _compared(self.complements, first, second)
        if complements is not None:
            return "complement" if complements else "same"
        if _compared(self.contraries, first, second):
            return "contrary"
        if self._derived(first, second) or self._derived(second, first) or _one_root(first, second):
            return "derived"
        if _compared(self.family_opposites, first, second):
            return "contrary"
        if not _compared(self.kinds, first, second):
            return None
        return "broader" if _general(self.kinds, first) ^ _general(self.kinds, second) else "kind"

    def _derived(self, first: Key, second: Key) -> bool:
        """Whether a word of the first's family is the second or exchanged with it."""
        family = self.families.get(first)
        if not family:
            return False
        return bool(family & self.families.get(second, _NONE)) or bool(
            self.family_synonyms[first] & self.synonyms.get(second, _NONE)
        )


T = TypeVar("T")

_NONE: frozenset[int] = frozenset()
_PREFIXES = ("non", "un", "in", "im", "il", "ir", "dis", "a")


def _compared(lines: Mapping[Key, frozenset[tuple[int, int]]], first: Key, second: Key) -> bool | None:
    """Whether two phrases are on different sides of a line that has both; ``None`` when no line has both.

    Where they are on one side of one line and on different sides of another, they differ.
    """
    places = dict(lines.get(first, frozenset()))
    shared = [places[line] != side for line, side in lines.get(second, frozenset()) if line in places]
    return any(shared) if shared else None


def _general(kinds: Mapping[Key, frozenset[tuple[int, int]]], key: Key) -> bool:
    return all(item < 0 for _, item in kinds[key])


def _one_root(first: Key, second: Key) -> bool:
    return len(first) == len(second) == 1 and root(first[0]) == root(second[0])


@cache
def lexicon() -> Lexicon:
    """The word lists of the package."""
    synonyms: defaultdict[Key, set[int]] = defaultdict(set)
    for number, line in enumerate(word_lines("synonyms")):
        for phrase in line.split(","):
            synonyms[phrase_key(phrase)].add(number)
    offset = len(word_lines("synonyms"))
    for number, line in enumerate(word_lines("dimensions"), offset):
        names, adjectives = line.split(":")
        for phrase in (*names.split(), *(f"how {adjective}" for adjective in adjectives.split())):
            synonyms[phrase_key(phrase)].add(number)
    families: defaultdict[Key, set[int]] = defaultdict(set)
    for number, line in enumerate(word_lines("families")):
        for word in line.split():
            families[phrase_key(word)].add(number)
    opposites: dict[str, defaultdict[Key, set[tuple[int, int]]]] = {
        "exhaustive": defaultdict(set),
        "contrary": defaultdict(set),
    }
    section = "contrary"
    for number, line in enumerate(word_lines("opposites")):
        if line.startswith("["):
            section = line.strip("[]")
            continue
        for side, phrases in enumerate(line.split("|")):
            for phrase in phrases.split(","):
                opposites[section][phrase_key(phrase)].add((number, side))
    kinds: defaultdict[Key, set[tuple[int, int]]] = defaultdict(set)
    for number, line in enumerate(word_lines("classes")):
        general, members = line.split(":", 1)
        for phrase in general.split(","):
            kinds[phrase_key(phrase)].add((number, -1))
        for item, phrases in enumerate(members.split(",")):
            for phrase in phrases.split("/"):
                kinds[phrase_key(phrase)].add((number, item))
    unlike, contrary, plain = _prefixed()
    every = {*synonyms, *opposites["exhaustive"], *opposites["contrary"], *kinds}
    persons = frozenset(phrase_key(word) for line in word_lines("persons") for word in line.split())
    starting: defaultdict[str, list[Key]] = defaultdict(list)
    for key in sorted(every, key=lambda key: (-len(key), key)):
        if len(key) > 1:
            starting[key[0]].append(key)
    return Lexicon(
        synonyms=_frozen(synonyms),
        complements=_frozen(opposites["exhaustive"]),
        contraries=_frozen(opposites["contrary"]),
        kinds=_frozen(kinds),
        families=_frozen(families),
        family_synonyms=_of_family(families, synonyms),
        family_opposites=_of_family(families, _joined(opposites["contrary"], opposites["exhaustive"])),
        persons=persons,
        listed=frozenset(every),
        converses=_converses(),
        phrases={first: tuple(keys) for first, keys in starting.items()},
        unlike=unlike,
        contrary_prefix=contrary,
        plain=plain,
    )


def _frozen(mapping: Mapping[Key, set[T]]) -> dict[Key, frozenset[T]]:
    return {key: frozenset(values) for key, values in mapping.items()}


def _joined(first: Mapping[Key, set[T]], second: Mapping[Key, set[T]]) -> dict[Key, set[T]]:
    return {key: first.get(key, set()) | second.get(key, set()) for key in {*first, *second}}


def _of_family(families: Mapping[Key, set[int]], lists: Mapping[Key, set[T]]) -> dict[Key, frozenset[T]]:
    """From a word to what the lists hold for any word of its root, itself included."""
    by_line: defaultdict[int, set[T]] = defaultdict(set)
    for word, lines in families.items():
        for line in lines:
            by_line[line] |= lists.get(word, set())
    return {word: frozenset(one for line in lines for one in by_line[line]) for word, lines in families.items()}


def _prefixed() -> tuple[dict[str, str], dict[str, str], frozenset[str]]:
    found: dict[str, list[str]] = {"exhaustive": [], "contrary": [], "plain": []}
    section = "plain"
    for line in word_lines("prefixed"):
        if line.startswith("["):
            section = line.strip("[]")
        else:
            found[section] += line.split()
    return (
        {word: _rest(word) for word in found["exhaustive"]},
        {word: _rest(word) for word in found["contrary"]},
        frozenset(found["plain"]),
    )


def _rest(word: str) -> str:
    """The word without its prefix: of "impossible", "possible"."""
    prefix = next(prefix for prefix in _PREFIXES if word.startswith(prefix))
    return word.removeprefix(prefix)


def _converses() -> dict[str, tuple[Converse, ...]]:
    found: defaultdict[str, list[Converse]] = defaultdict(list)
    for line in word_lines("converses"):
        sides = [[phrase_key(phrase) for phrase in side.split(",")] for side in line.split("|")]
        canonical = tuple(part for part in sides[0][0] if part != "..")
        for side, keys in enumerate(sides):
            for key in keys:
                gap = key.index("..") if ".." in key else len(key)
                found[key[0]].append(Converse(key[:gap], key[gap + 1 :], canonical, bool(side)))
    for sign, flipped in ((">", False), ("<", True)):
        found[sign].append(Converse((sign,), (), phrase_key("more than"), flipped))
    return {
        first: tuple(sorted(converses, key=lambda one: -len(one.verb) - len(one.joint)))
        for first, converses in found.items()
    }


def is_negated(word: str) -> tuple[str, bool] | None:
    """What a prefix negates, and whether not being one is being the other; ``None`` for a word without such a prefix.

    >>> is_negated("unlocked"), is_negated("unkind"), is_negated("uncle"), is_negated("nonsmoker")
    (('locked', True), ('kind', False), None, ('smoker', True))
    """
    words = lexicon()
    if word in words.unlike:
        return words.unlike[word], True
    if word in words.contrary_prefix:
        return words.contrary_prefix[word], False
    if word in words.plain or not word.isalpha():
        return None
    if word.startswith("un") and len(word) > 5 and not word.startswith(("under", "univers")):
        return word[2:], True
    if word.startswith("non") and len(word) > 6:
        return word[3:], True
    return None
