"""What a question of C-VQA supposes to be added to the things that it counts, removed from them, or multiplied.

The suppositions were written by people, but most have one of a few forms, which are read here: a quantity, perhaps a
noun phrase, and what is done ("two more red cups were added", "the cup was removed", "half of the cups were taken
away", "there were no cups", "3 cups disappeared and another cup came"), or a number that is multiplied ("the number of
cups doubled", "there were twice as many cups"). Anything else is not read at all, rather than half.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from counterpoise.counterfactual.datasets.cvqa import same_thing, singular, supposition

__all__ = ["Change", "supposed"]

Manner = Literal["plain", "qualified", "other"]
"""``plain``: things come, go or are there, and no more is said than perhaps where; ``qualified``: more is said of the
things ("cups with handles"); ``other``: they do something else ("two more cups were painted")."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a question supposes to be done.

    Attributes:
        amount: how many are added or removed; "all", "both", "half" or "the" (the only one); or the factor by which
            the number is multiplied.
        sign: 1 where things are added, -1 where they are removed, 0 where their number is multiplied.
        thing: the words for what is added, removed or multiplied; empty where the question leaves them out.
        manner: how it is said; see :data:`Manner`.
    """

    amount: int | str | Fraction
    sign: int
    thing: tuple[str, ...]
    manner: Manner = "plain"

    @property
    def relative(self) -> bool:
        """Whether the difference depends on how many there are."""
        return isinstance(self.amount, Fraction) or self.amount in ("all", "half")

    def difference(self, count: int) -> Fraction | None:
        """By how much it changes a number of things; ``None`` where it cannot be said of so many."""
        match self.amount:
            case Fraction():
                return count * (self.amount - 1)
            case "all":
                return Fraction(-count)
            case "half":
                return Fraction(-count, 2)
            case "both" | "the":
                only = 2 if self.amount == "both" else 1
                return Fraction(-only) if count == only else None
            case _:
                return Fraction(self.sign * int(self.amount))

    def text(self, counted: Sequence[str]) -> str:
        """The change in one spelling."""
        # "No cup" and "every cup": all cups.
        thing = list(counted if self.amount == "all" and same_thing(self.thing, counted) else self.thing or counted)
        if isinstance(self.amount, Fraction):
            return " ".join([*thing, _FACTOR_WORDS.get(self.amount, f"multiplied by {self.amount}")])
        if self.amount == 1:
            at = thing.index("of") if "of" in thing else len(thing)
            thing[at - 1] = _as_written(singular(thing[at - 1]), thing[at - 1])
        amount = {"half": "half of the", "both": "both"}.get(str(self.amount), str(self.amount))
        return " ".join([amount, *thing, "added" if self.sign > 0 else "removed"])


def supposed(question: str, count: int) -> tuple[tuple[str, ...], tuple[Change, ...]] | None:
    """What a question counts and what it supposes; ``None`` where its form leaves that open.

    Args:
        question: the counterfactual question.
        count: how many things the photograph shows.

    >>> supposed("How many red cups would there be if two more red cups were added?", 3)
    (('red', 'cups'), (Change(amount=2, sign=1, thing=('red', 'cups'), manner='plain'),))
    """
    parts = supposition(question)
    asked = _ASKED.match(parts[0]) if parts else None
    if parts is None or asked is None:
        return None
    counted = tuple(asked["things"].split())
    if not 1 <= len(counted) <= 6 or counted[0].casefold() in _NO_THING or "how" in counted:
        return None
    changes = _changes(parts[1], count)
    return (counted, changes) if changes else None


def _changes(clause: str, count: int) -> tuple[Change, ...] | None:
    """The changes that a supposition states, or ``None`` where it is of another form."""
    multiplied = next((match for form in _MULTIPLIED if (match := form.fullmatch(clause))), None)
    if multiplied is not None:
        thing = _core(multiplied["thing"] or "")
        if increase := multiplied.groupdict().get("more"):
            return (Change(int(increase), 1, thing),)
        word = multiplied["factor"].casefold()
        return (Change(Fraction(int(word)) if word.isdigit() else _FACTORS[word], 0, thing),)
    if _DOUBTFUL & {word.casefold().strip(",.'\"") for word in clause.split()}:
        return None
    parts = re.split(rf" and (?=(?:{_NUMBER_WORDS})\b)", clause)
    found = [_added_or_removed(part.split(), count) for part in parts]
    return tuple(change for change in found if change is not None) if None not in found else None


def _added_or_removed(words: list[str], count: int) -> Change | None:
    """The change of one clause: a quantity, perhaps a noun phrase, and what is done."""
    if "and" in words or "or" in words:
        return None
    start = next((len(opening) for opening in _OPENINGS if _lower(words[: len(opening)]) == opening), 0)
    there = start > 0 and words[0].casefold() == "there"
    if start == 0 and len(words) > 2 and words[0].casefold() in ("we", "you") and words[1].casefold() in _ADD | _REMOVE:
        # "We added a cup" does what "a cup was added" does.
        words, start = [*words[2:], "was", words[1]], 0
    quantity = _quantity(_lower(words[start:]))
    if quantity is None:
        return None
    amount, compared, used = quantity
    noun = words[start + used :]
    end = next((index for index, word in enumerate(_lower(noun)) if word in _NOUN_ENDS), len(noun))
    thing, done = _core(" ".join(noun[:end])), _lower(noun[end:])
    qualified = len(thing) < len([word for word in _lower(noun[:end]) if word not in _POINTING])
    # "Cups with handles were removed": what is done stands after the words that say more about the cups.
    if done and done[0] not in _AUXILIARIES and (later := [done.index(word) for word in _AUXILIARIES if word in done]):
        done, qualified = done[min(later) :], qualified or done[0] not in _SHOWN
    passive, negated = False, False
    while done and (done[0] in _AUXILIARIES or done[0] in _NEGATIONS or done[0] == "also"):
        passive = passive or done[0] in _BEING
        negated = negated or done[0] in _NEGATIONS
        done = done[1:]
    sign = _sign(amount, compared, done, passive=passive, negated=negated, there=there, nothing_yet=count == 0)
    if sign is None or (sign > 0 and isinstance(amount, str)):
        return None
    manner: Manner = "qualified" if qualified else "plain" if _PLAINLY.fullmatch(" ".join(done)) else "other"
    return Change("all" if amount == "no" else amount, sign, thing, manner)


def _sign(
    amount: int | str, compared: str, done: list[str], *, passive: bool, negated: bool, there: bool, nothing_yet: bool
) -> int | None:
    """1 where the clause adds things, -1 where it removes them, ``None`` where it does not say."""
    verb, particle = (*done, "", "")[:2]
    if verb in _TRANSITIVE and not passive:
        # "A boy put a cup here" adds no boy.
        return None
    removing = verb in _REMOVE or (verb in _LEAVE and particle in ("away", "off", "down", "up", "out"))
    if compared == "less":
        return None if negated or removing else -1
    if compared == "more":
        return None if negated or removing or verb in _LEAVE else 1
    if amount == "no":
        return -1 if not negated and (there or verb in _SHOWN) else None
    if negated:
        return -1 if verb in _SHOWN else None
    if there:
        # With none in the photograph, that there are three is that three are added.
        return 1 if verb == "added" or (nothing_yet and isinstance(amount, int)) else None
    return 1 if verb in _ADD else -1 if removing else None


def _quantity(words: list[str]) -> tuple[int | str, str, int] | None:
    """An amount, whether it is ``more`` or ``less`` than there is or neither, and how many words say so."""
    if not words:
        return None
    first, used = words[0], 1
    compared = "more" if first == "another" else ""
    if first == "another" and len(words) > 1 and words[1] in _NUMBERS:
        first, used = words[1], 2
    amount: int | str
    if first.isdigit():
        amount = int(first)
    elif first in _NUMBERS:
        amount = _NUMBERS[first]
    elif first in ("all", "both", "half", "the", "no"):
        amount = first
    else:
        return None
    while used < len(words) and words[used] in _COMPARISONS:
        compared = _COMPARISONS[words[used]]
        used += 1
    for follow in (["of", "them"], ["of", "the"], ["of", "these"], ["the"]):
        if first not in ("the", "no") and words[used : used + len(follow)] == follow:
            used += len(follow)
            break
    if amount == "all" and used < len(words) and words[used].isdigit():
        used += 1
    return amount, compared, used


def _core(phrase: str) -> tuple[str, ...]:
    """A noun phrase without what follows the noun, and without words that only point at it."""
    words = phrase.split()
    for index, word in enumerate(words):
        if index and (word.casefold() in _AFTER_NOUN or word.casefold().endswith("ing")):
            words = words[:index]
            break
    return tuple(word for word in words if word.casefold() not in _POINTING)


def _lower(words: Sequence[str]) -> list[str]:
    return [word.casefold().strip(",.") for word in words]


def _as_written(word: str, model: str) -> str:
    """The word with the capitals of the one it was made from."""
    return model[: len(word)] if model.casefold().startswith(word) else word


_NUMBERS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), start=1)} | {
    "a": 1,
    "an": 1,
    "another": 1,
}
_NUMBER_WORDS = "|".join([r"\d+", *_NUMBERS])
_COMPARISONS = dict.fromkeys(("more", "additional", "extra", "other"), "more") | {"fewer": "less", "less": "less"}

_OPENINGS = tuple(f"there {verb}{also}".split() for verb in ("was", "were", "is", "are") for also in (" also", ""))
_AUXILIARIES = frozenset("was were is are be been being had have has could would did do".split())
_NEGATIONS = frozenset("not wasn't weren't didn't".split())
_ADD = frozenset(
    "added came come joined arrived appeared appear entered placed put installed planted brought included inserted "
    "built landed".split()
)
_REMOVE = frozenset("removed disappeared left leave subtracted taken gone missing lost deleted".split())
_LEAVE = frozenset("flew ran walked drove swam rode got jumped moved driven led cut picked".split())
_TRANSITIVE = frozenset(
    "added placed put installed planted brought included inserted built removed subtracted taken deleted moved driven "
    "led cut picked".split()
)
_BEING = frozenset("was were is are be been being".split())
_SHOWN = frozenset("there here shown present seen visible".split())
_AFTER_NOUN = frozenset(
    "in on at to from into onto under near beside next behind above below inside outside with by over across around "
    "through during for that which who whose their his her its took pictured could started stopped existed".split()
)
_NOUN_ENDS = _AUXILIARIES | _NEGATIONS | _ADD | _REMOVE | _LEAVE | _SHOWN | _AFTER_NOUN
# Words that tie the change to something else, or replace one thing by another.
_DOUBTFUL = frozenset(
    "each every per instead replaced only same but so because until while except together number".split()
)
_POINTING = frozenset("the same identical".split())
_NO_THING = frozenset("of are is were people's have do does would".split())

_FACTORS = {
    "doubled": Fraction(2),
    "twice": Fraction(2),
    "double": Fraction(2),
    "tripled": Fraction(3),
    "triple": Fraction(3),
    "three times": Fraction(3),
    "quadrupled": Fraction(4),
    "halved": Fraction(1, 2),
    "reduced by half": Fraction(1, 2),
    "half of the original number": Fraction(1, 2),
}
_FACTOR_WORDS = {Fraction(2): "doubled", Fraction(3): "tripled", Fraction(4): "quadrupled", Fraction(1, 2): "halved"}
_VERBS = "|".join(sorted(_ADD | _REMOVE | _LEAVE | {"shown"}))
_PLAINLY = re.compile(
    rf"(?:{_VERBS})?(?: ?\b(?:away|off|out|down|up|in|too|here|there)\b)*"
    r"(?: ?\b(?:in|on|at|to|from|into|onto|beside|behind) (?:the|a|an|this|that|these|it)\b(?: [\w-]+){0,4})?"
)
_TAIL = r"(?: in number)?(?: (?:in|on|to|at) (?:the|this) [\w ]{1,30})?"
_MULTIPLIED = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"the (?:number|amount)(?: of (?P<thing>[\w' -]+?))? (?:was |were |is )?"
        rf"(?P<factor>doubled|tripled|quadrupled|halved|reduced by half|half of the original number){_TAIL}",
        r"the number(?: of (?P<thing>[\w' -]+?))? (?:was |were |is )?multiplied by (?P<factor>[2-9])",
        r"the number(?: of (?P<thing>[\w' -]+?))? (?:was |were |is )?increased by (?P<more>\d{1,4})",
        r"there (?:was|were) (?P<factor>twice|double|three times|triple) (?:as many|the amount of|the number of)"
        r"(?: (?!in\b|on\b)(?P<thing>[\w' -]+?))?(?: (?:in|on) the \w+)?",
        r"we (?P<factor>doubled|tripled|halved) the number of (?P<thing>[\w' -]+)",
    )
)
_ASKED = re.compile(
    r"how many (?P<things>.+?) (?:would|will|could|can|are|is|do|does|have|we|you)\b", re.IGNORECASE | re.ASCII
)
