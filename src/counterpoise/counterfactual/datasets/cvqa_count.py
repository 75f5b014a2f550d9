"""C-VQA, counting: how many things there would be in the photograph if something were added, removed or multiplied.

Source and rows: see :mod:`~counterpoise.counterfactual.datasets.cvqa`; these are its ``direct`` and ``indirect`` rows.
The answer is the authors' key. The gold of the stages follows by rule from the words of the question, for questions
whose supposition is of a form that leaves no choice, such as "2 more cups were added", "the cup was removed", "3 cups
disappeared and another cup came", "the number of cups doubled" or "half of the cups were taken away":

==========  ======================================================================================================
exposure    the change to the scene, in one spelling: "2 cups added", "all cups removed", "cups doubled"
covariate   the cups before the change: the answer to the question about the photograph
mediator    the difference in the number of cups that the change makes, worked out from these two
outcome     the number of cups: what is in the photograph, and the difference
==========  ======================================================================================================

The mediator is the difference and not the updated count, because that is what the question asks for, and would be the
outcome a second time. Where something is added or removed by number, the difference is that number with its sign; where
all or half of the things go, or their number is multiplied, it depends on the covariate too, and the graph says so.

Gold is given only where the outcome worked out in this way is the authors' key. Where it is not: a direct question that
names the very thing that it counts contradicts its own key, and is rejected; any other question was not understood and
has the answer stage only, as have suppositions of other forms (a lion comes, the blue towel is gone, half of an odd
number). In a direct question the thing that changes must be the thing that is counted. In an indirect one it may be
another ("two more skiers" where people are counted), because there the key confirms that each adds one.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from counterpoise.counterfactual.case import Case, Role, Variable
from counterpoise.counterfactual.datasets.cvqa import (
    CHANGE,
    COPY,
    DOWNLOAD,
    LICENCE,
    OBTAIN,
    REAL_FILES,
    SOURCE,
    UNCHANGED,
    Gold,
    Item,
    case,
    exposure,
    read_items,
    same_thing,
    singular,
)
from counterpoise.counterfactual.datasets.cvqa_change import Change, supposed
from counterpoise.counterfactual.datasets.dataset import Dataset, Reject

__all__ = ["DATASET", "read"]


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first of the dataset's files that the data folder has.

    Returns:
        The cases in the order of the file, and the rows that cannot be used.

    Raises:
        DataError: there is no file, or it is malformed; names file and line.
    """
    items, rejects = read_items(data, DATASET.name, _FILES, ("direct", "indirect"), _number)
    cases: list[Case] = []
    for item in items:
        found = _case(item)
        if isinstance(found, Case):
            cases.append(found)
        else:
            rejects.append(Reject(item.id, f"{found} ({item.where})"))
    return cases, rejects


def _case(item: Item) -> Case | str:
    """The case of a row, or why there is none."""
    count, key = int(item.answer), int(item.target)
    gold = None
    if found := supposed(item.question, count):
        counted, changes = found
        result = _result(count, changes)
        own = all(not change.thing or same_thing(change.thing, counted) for change in changes)
        if own and item.kind == "direct" and result is not None and result.denominator == 1 and result != key:
            return f"the answer {key} contradicts the question, which makes {result} of {count}"
        if result == key and (
            all(_to_the_counted(change, counted, item.kind) for change in changes)
            or _to_another(item, counted, changes)
        ):
            gold = _gold(count, key, counted, changes)
    return case(item, DATASET.name, "number", str(key), (), gold)


def _result(count: int, changes: Sequence[Change]) -> Fraction | None:
    differences = [change.difference(count) for change in changes]
    known = [difference for difference in differences if difference is not None]
    return count + sum(known, Fraction(0)) if len(known) == len(differences) else None


def _to_the_counted(change: Change, counted: Sequence[str], kind: str) -> bool:
    """Whether the change is to what is counted, and to nothing less than that."""
    if not change.thing:
        return change.amount != "the"
    if not same_thing(change.thing, counted) or (kind == "indirect" and change.manner == "other"):
        return False
    # "All white cups" are all cups only if the photograph says so; so are "all cups with handles".
    narrowed = len(change.thing) > len(counted) or (kind == "indirect" and change.manner == "qualified")
    return not (change.relative and change.sign < 0 and narrowed)


def _to_another(item: Item, counted: Sequence[str], changes: Sequence[Change]) -> bool:
    """Whether other things come or go by number, of which each is plainly counted as one."""
    if item.kind == "direct" or len(changes) != 1 or {word.casefold() for word in counted} & _NO_PIECES:
        return False
    change = changes[0]
    if not isinstance(change.amount, int) or change.manner != "plain" or not 1 <= len(change.thing) <= 3:
        return False
    # A noun phrase that was read too far ends in a word that does not agree with the number.
    last = change.thing[-1].casefold()
    plural = last != singular(last) or last in _SAME_PLURAL
    return plural if change.amount > 1 else not plural


def _form(changes: Sequence[Change]) -> str:
    forms = {"multiplied" if not change.sign else "added" if change.sign > 0 else "removed" for change in changes}
    return " and ".join(sorted(forms))


def _gold(count: int, key: int, counted: Sequence[str], changes: Sequence[Change]) -> Gold:
    things = " ".join(counted)
    before, number = f"{things} before the change", f"number of {things}"
    difference = f"difference in the {number}"
    variables = (
        exposure(" and ".join(change.text(counted) for change in changes), f"change to the {things}"),
        Variable(
            name=before,
            role=Role.COVARIATE,
            factual=str(count),
            counterfactual=str(count),
            aliases=(
                f"{number} before the change",
                f"{things} in the photograph",
                f"{things} in the picture",
                f"{number} in the photograph",
                f"{number} in the picture",
                f"original {number}",
            ),
            gloss="how many there are in the way that was asked",
        ),
        Variable(
            name=difference,
            role=Role.MEDIATOR,
            factual="0",
            counterfactual=f"{key - count:+d}" if key != count else "0",
            aliases=(f"difference in {things}", f"change in the {number}", "difference"),
            gloss="how many more or less the change makes",
        ),
        Variable(
            name=number,
            role=Role.OUTCOME,
            factual=str(count),
            counterfactual=str(key),
            aliases=(f"{number} after the change", f"{things} after the change", f"total {number}", f"new {number}"),
            gloss="what the question asks for",
        ),
    )
    edges = [(CHANGE, difference), (difference, number), (before, number)]
    if any(change.relative for change in changes):
        edges.append((before, difference))
    hint = (
        f'A {CHANGE} is written like "{UNCHANGED}", "3 lamps added", "1 lamp removed", "all lamps removed" or '
        f'"lamps doubled"; beside the {before}, the {difference} that it makes is written like -1, 0 or +3.'
    )
    return Gold(variables, tuple(edges), hint, _form(changes))


def _number(cell: str) -> str | None:
    """A count as the file writes it."""
    return str(int(cell)) if re.fullmatch(r"\d{1,6}", cell, re.ASCII) else None


_SAME_PLURAL = frozenset("sheep fish deer people cattle scissors".split())
# A count of kinds, colours or pages does not go up by one with every thing that comes.
_NO_PIECES = frozenset(
    "type types kind kinds species color colors colour colours mode modes name names more pages trains".split()
)
_FILES = {
    **REAL_FILES,
    "published_annotations/CVQA-Count/counting.csv": COPY,
    "cvqa/counting.csv": COPY,
    "counting.csv": COPY,
}

DATASET = Dataset(
    name="cvqa-count",
    title="how many there would be in the photograph after a change (C-VQA)",
    modality="image",
    gold_kind="derived",
    source=SOURCE,
    revision=DOWNLOAD.revision,
    licence=LICENCE,
    roles={
        Role.EXPOSURE: "the change that the question supposes, with its quantity",
        Role.COVARIATE: "how many things the photograph shows",
        Role.MEDIATOR: "the difference that the change makes to their number",
        Role.OUTCOME: "the number of things",
    },
    gold="By rule from the form of the question's supposition, where the result is the authors' key; else none.",
    files=tuple(_FILES),
    downloads=(DOWNLOAD,),
    obtain=OBTAIN,
    read=read,
)
