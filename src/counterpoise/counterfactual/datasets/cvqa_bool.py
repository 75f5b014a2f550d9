"""C-VQA, yes or no: would it still hold of the photograph if something were added, removed or made otherwise.

Source and rows: see :mod:`~counterpoise.counterfactual.datasets.cvqa`; these are its ``boolean`` rows. The answer is
the authors' key. The gold of the stages follows by rule from the words of the question, for two forms of question.

*Presence.* The question asks for a thing ("Would there be a lamp ...", "Would she be wearing a hat ...", "Would the
door have a handle ...") and supposes that this very thing is removed or added:

==========  ======================================================================================================
exposure    the change to the scene, in one spelling: "lamp removed", "lamps added"
covariate   the lamp before the change: present or absent, by the answer to the question about the photograph
mediator    the lamp after the change: present or absent
outcome     the answer to the question
==========  ======================================================================================================

*State.* The question asks for a colour or a state ("Would the wall be green ...", "Would the radio be on ...") and
supposes that the thing is given one ("if it was painted white", "if it was turned off"). The mediator is the colour or
the state, which the change sets whatever it was before; so there is no covariate. Its factual value is not known where
the answer to the first question is that it is not the one that was asked for, unless there are only two.

The outcome that follows must be the authors' key. Where it is not, and where a question is of another form (a rope
around the neck, bad news, a brand new one), there is the answer stage only: what follows from what is for the reader's
knowledge of the world, and no words of the item say it.
"""

import re
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
    supposition,
)
from counterpoise.counterfactual.datasets.dataset import Dataset, Reject

__all__ = ["DATASET", "read"]


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first of the dataset's files that the data folder has.

    Returns:
        The cases in the order of the file, and the rows that cannot be used.

    Raises:
        DataError: there is no file, or it is malformed; names file and line.
    """
    items, rejects = read_items(data, DATASET.name, _FILES, ("boolean",), _yes_or_no)
    return [
        case(item, DATASET.name, "choice", _LETTERS[item.target], _OPTIONS, _presence(item) or _state(item))
        for item in items
    ], rejects


def _presence(item: Item) -> Gold | None:
    """Gold of a question that asks for a thing and supposes that it is added or removed."""
    parts = supposition(item.question)
    asked = _ASKED_FOR.match(parts[0]) if parts else None
    if parts is None or asked is None or _SEVERAL.search(asked["who"] or ""):
        return None
    thing = _thing(asked["thing"])
    if not thing or thing[0].casefold() in _NO_THING:
        return None
    said = next(((form, match) for form, rule in _DONE if (match := rule.fullmatch(parts[1]))), None)
    if said is None:
        return None
    form, match = said
    named = match["thing"]
    if named.casefold() not in _PRONOUNS and not (
        same_thing(words := _thing(named), thing) and len(words) <= len(thing) and words == named.split()
    ):
        return None
    after = "absent" if form == "removed" else "present"
    if ("yes" if after == "present" else "no") != item.target:
        return None
    noun = " ".join(thing)
    before, then = f"{noun} before the change", f"{noun} after the change"
    shown = "present" if item.answer == "yes" else "absent"
    variables = (
        exposure(f"{noun} {form}", f"change to the {noun}"),
        Variable(
            name=before,
            role=Role.COVARIATE,
            factual=shown,
            counterfactual=shown,
            aliases=(f"{noun} in the photograph", f"{noun} in the picture", f"presence of {noun} in the photograph"),
            gloss="whether it is there in the way that was asked",
        ),
        Variable(
            name=then,
            role=Role.MEDIATOR,
            factual=shown,
            counterfactual=after,
            aliases=(f"presence of {noun} after the change", f"presence of {noun}", f"presence of the {noun}"),
            gloss="whether it would be there in that way",
        ),
        _outcome(item),
    )
    hint = (
        f'A {CHANGE} is written like "{UNCHANGED}", "lamp removed" or "lamps added"; the {before} and the {then} are '
        "each present or absent in the way that was asked."
    )
    return Gold(variables, ((CHANGE, then), (before, then), (then, _OUTCOME)), hint, form)


def _state(item: Item) -> Gold | None:
    """Gold of a question that asks for a colour or a state, and supposes that the thing is given one."""
    parts = supposition(item.question)
    asked = _ASKED_STATE.fullmatch(parts[0]) if parts else None
    given = _GIVEN_STATE.fullmatch(parts[1]) if parts else None
    if asked is None or given is None:
        return None
    noun, wanted = asked["thing"], asked["state"].casefold()
    named, how, now = given["thing"].casefold(), (given["how"] or "").casefold(), given["state"].casefold()
    painted = how == "painted"
    known = _COLOURS if painted else next((pair for pair in _OPPOSITES if now in pair), frozenset[str]())
    if named not in _PRONOUNS and named.removeprefix("the ") != noun.casefold():
        return None
    if not {wanted, now} <= known or ("yes" if wanted == now else "no") != item.target:
        return None
    name = f"{'colour' if painted else 'state'} of the {noun}"
    before: str | None = wanted
    if item.answer == "no":
        before = None if painted else next(iter(known - {wanted}))
    variables = (
        exposure(f"{noun} {how} {now}" if how else f"{noun} {now}", f"change to the {noun}"),
        Variable(
            name=name,
            role=Role.MEDIATOR,
            factual=before,
            counterfactual=now,
            aliases=(
                f"{name} after the change",
                f"{noun}'s {'colour' if painted else 'state'}",
                *((f"color of the {noun}", f"{noun}'s color") if painted else ()),
            ),
            gloss="how it is in the scene",
        ),
        _outcome(item),
    )
    hint = (
        f'A {CHANGE} is written like "{UNCHANGED}", "lamp painted black" or "lamp turned on"; with the {name} goes the '
        "answer to the question."
    )
    return Gold(variables, ((CHANGE, name), (name, _OUTCOME)), hint, "state")


def _outcome(item: Item) -> Variable:
    return Variable(
        name=_OUTCOME,
        role=Role.OUTCOME,
        factual=item.answer,
        counterfactual=item.target,
        aliases=("answer", "answer to the question about the scene", "yes or no"),
        gloss="yes or no",
    )


def _thing(phrase: str) -> list[str]:
    """The words for a thing, up to those that say where it is."""
    words = phrase.split()
    end = next((index for index, word in enumerate(words) if word.casefold() in _WHERE), len(words))
    return words[:end]


def _yes_or_no(cell: str) -> str | None:
    return cell.casefold() if cell.casefold() in _OPTIONS else None


_OPTIONS = ("yes", "no")
_LETTERS = {"yes": "A", "no": "B"}
_OUTCOME = "answer to the question"

_PRONOUNS = frozenset("it they them one some".split())
_WHERE = frozenset(
    "in on at to from into onto under near beside next behind above below inside outside with by over across around "
    "through during for between among nearby here there visible present hanging happening while".split()
)
_NO_THING = frozenset(
    "something anything someone anyone somebody anybody one two three four five several multiple many more enough both "
    "another been be painted seen".split()
)
_SEVERAL = re.compile(r"\b(?:all|both|each|every|everyone|everybody|any|anyone|anybody|someone)\b", re.IGNORECASE)
_ARTICLES = r"(?:(?:a|an|any|some|the|his|her|its|their|this|that|these|those) )?"
_ASKED_FOR = re.compile(
    r"(?:would|could|can|will) (?:there (?:still )?be|you (?:still )?(?:be able to )?see"
    r"|(?P<who>[\w' -]+?) (?:still )?(?:be (?:wearing|holding|carrying|riding)|have|wear)) "
    rf"{_ARTICLES}(?P<thing>.+)",
    re.IGNORECASE,
)
_WAS = r"(?:was|were|is|are|has been|have been|had been)"
_REMOVED = (
    r"(?:removed|taken (?:away|off|out|down)|erased|edited out|melted|torn down|cut down|moved away|scraped off|stolen)"
)
_ADDED = (
    r"(?:added|placed|put|brought|planted|built|installed|inserted|introduced|drawn|incorporated|created|attached"
    r"|photoshopped)"
)
_PLACE = r"(?: (?:in|on|to|into|from|off|out|onto|of|here|there|near|next|him|them)\b[\w' ]*)?"
_DONE = tuple(
    (form, re.compile(rule, re.IGNORECASE))
    for form, rule in (
        ("removed", rf"(?:all (?:of )?)?{_ARTICLES}(?P<thing>[\w' -]+?) {_WAS} {_REMOVED}{_PLACE}"),
        ("removed", rf"(?:he|she|they|we|you) (?:took off|removed) (?:all )?{_ARTICLES}(?P<thing>[\w' -]+)"),
        ("removed", r"(?:he|she|they) took (?P<thing>it|them) off"),
        ("added", rf"[\w' -]+? {_WAS} given {_ARTICLES}(?P<thing>[\w' -]+?) to (?:wear|hold)"),
        ("removed", r"there (?:was|were) no (?P<thing>[\w' -]+?)(?: (?:in|on|at|here|there|around)\b[\w' ]*)?"),
        ("added", rf"{_ARTICLES}(?P<thing>[\w' -]+?) {_WAS} {_ADDED}{_PLACE}"),
        ("added", rf"(?:we|you|someone) (?:added|put|placed) {_ARTICLES}(?P<thing>[\w' -]+?){_PLACE}"),
    )
)

_COLOURS = frozenset("black white gray grey red green blue yellow orange brown pink purple".split())
_OPPOSITES = (frozenset(("on", "off")), frozenset(("open", "closed")), frozenset(("inside", "outside")))
_ASKED_STATE = re.compile(
    r"would (?:the|this|that|these|those) (?P<thing>[\w' -]+?) be (?:turned )?(?P<state>\w+)", re.IGNORECASE
)
_GIVEN_STATE = re.compile(
    r"(?P<thing>[\w' -]+?) (?:was|were|had been)(?: (?P<how>painted|turned|switched|brought|moved))? (?P<state>\w+)",
    re.IGNORECASE,
)


_FILES = {
    **REAL_FILES,
    "published_annotations/CVQA-Bool/boolean.csv": COPY,
    "cvqa/boolean.csv": COPY,
    "boolean.csv": COPY,
}

DATASET = Dataset(
    name="cvqa-bool",
    title="whether it would hold of the photograph after a change (C-VQA)",
    modality="image",
    gold_kind="derived",
    source=SOURCE,
    revision=DOWNLOAD.revision,
    licence=LICENCE,
    roles={
        Role.EXPOSURE: "the change that the question supposes, with what is changed",
        Role.COVARIATE: "whether the photograph shows the thing",
        Role.MEDIATOR: "whether it is there after the change, or its colour or state",
        Role.OUTCOME: "yes or no to the question",
    },
    gold="By rule from the form of the question and its supposition, where the result is the authors' key; else none.",
    files=tuple(_FILES),
    downloads=(DOWNLOAD,),
    obtain=OBTAIN,
    read=read,
)
