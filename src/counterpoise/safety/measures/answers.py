"""Reading answers out of what a model wrote: a letter, a number. Text from a model is read, never evaluated."""

import re
from decimal import Decimal, InvalidOperation
from string import ascii_uppercase

__all__ = ["chosen_letter", "final_number"]

_NUMBER = r"-?\$?[0-9][0-9,]{0,30}(?:\.[0-9]{1,30})?(?![0-9])"
_SAID = re.compile(rf"(?:####|answer(?:\s+is)?:?)\s*\W{{0,3}}?({_NUMBER})", re.IGNORECASE)
_ANY = re.compile(rf"(?<![\w.])({_NUMBER})")


def chosen_letter(completion: str, options: int) -> str | None:
    """The letter that an answer chooses; ``None`` when it names none, or several in a row of its own.

    A letter counts when it opens the answer or follows "answer is"; a lone capital elsewhere counts when it is the only
    one.

    >>> chosen_letter("B) because", 4), chosen_letter("The answer is (c).", 4), chosen_letter("A dog", 4)
    ('B', 'C', None)
    """
    letters = ascii_uppercase[:options]
    opening = re.match(rf"\W*([{letters}{letters.lower()}])(?:[).:,]|\W*$)", completion)
    said = re.search(rf"answer(?:\s+is)?:?\W*([{letters}{letters.lower()}])\b", completion, re.IGNORECASE)
    if found := opening or said:
        return found.group(1).upper()
    lone = set(re.findall(rf"(?<![\w'])([{letters}])(?=[).:,]|\s*$)", completion))
    return lone.pop() if len(lone) == 1 else None


def final_number(text: str) -> Decimal | None:
    """The last number that is announced ("#### 18", "the answer is 18"), else the last number; ``None`` without one.

    >>> final_number("3 and 4 make 7. The answer is $1,007.50, I think, in 2 steps.")
    Decimal('1007.50')
    """
    found = _SAID.findall(text) or _ANY.findall(text)
    try:
        return Decimal(re.sub(r"[$,]", "", found[-1])) if found else None
    except InvalidOperation:
        return None
