"""Drawn scenes: a board whose fields follow rules, seen in a picture.

The text states the rules and what the picture hides; the states of everything that is not hidden are in the picture
only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.case import UNDETERMINED, AnswerKind
from counterpoise.counterfactual.media import Colour, Item, Mark, Media
from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.draw.rules import RuleSystem
from counterpoise.counterfactual.suite.render.glyphs import HALF_HEIGHT, HALF_WIDTH, KINDS, Kind, cloth
from counterpoise.counterfactual.suite.render.rules import executable, speak
from counterpoise.counterfactual.suite.render.story import Told, listed
from counterpoise.counterfactual.suite.render.vocabulary import Domain, Thing

__all__ = ["BoardStory", "Slot", "board", "picture"]

_BACKGROUND: Colour = (176, 194, 206)
_CARD: Colour = (252, 249, 241)
_GAP = 12
_FIELD_WIDTH, _FIELD_HEIGHT = 2 * HALF_WIDTH + 13, 2 * HALF_HEIGHT + 13
_REPEATS = 0.5
"""How often a kind of thing may occur twice on a board."""

_WORDS = Domain(
    name="board",
    scenes=(
        "A machine sets the fields of a picture board by fixed rules.",
        "The fields of a picture board are linked by wires, so that they follow fixed rules.",
        "A picture board is worked by a mechanism that obeys fixed rules.",
    ),
    things=(),
    sticking=(
        "a pin behind the board holds it",
        "the wire behind it is cut",
        "the motor behind it has seized",
    ),
    inverting=("the two wires behind it are crossed", "a relay behind the board reverses it"),
    days=(),
)
_SHOWN = (
    "The picture shows the board at one moment.",
    "The picture of the board was taken at one moment.",
)
_ALL_SEEN = ("Every field can be seen.", "Nothing on the board is covered.")
_QUESTIONS = (
    "Had the {exposure} been {state} instead at that moment, put so by hand and against the rules if need be, with "
    "every hidden condition just as it was, in what state would the {outcome} have been?",
    "Imagine the very same moment, hidden conditions included, except that someone had stepped in and set the "
    '{exposure} to "{state}". In what state would the {outcome} have been then?',
    "Suppose that at that same moment the {exposure} had been forced to be {state}, whatever its own rule says, and "
    "nothing else had been interfered with. What would the state of the {outcome} have been?",
)
_ANSWERS = (
    'Answer with one of: {states}. "undetermined" is right if what is known leaves more than one state possible.',
    'Possible answers: {states}. Choose "undetermined" when what can be seen does not settle the state.',
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A field of the board: row and column from the upper left, how it is called, and how one says where it is."""

    row: int
    column: int
    place: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class BoardStory:
    """A rule system whose variables are things on a board.

    Attributes:
        system: the rules.
        things: identifier to the name and the states of the thing that plays it.
        kinds: identifier to what is drawn.
        slots: identifier to where it is drawn.
        scm: the executable model, with the things as display names and their states as labels.
    """

    system: RuleSystem
    things: Mapping[str, Thing]
    kinds: Mapping[str, Kind]
    slots: Mapping[str, Slot]
    scm: SCM

    @property
    def domain_name(self) -> str:
        """Value of the facet ``domain``."""
        return _WORDS.name

    @property
    def answer_kind(self) -> AnswerKind:
        """A state of the outcome."""
        return "label"

    def settings(self, factual: str, rng: Random) -> str:
        """Another state of the exposure than the factual one."""
        return rng.choice([state for state in self.things["x"].states if state != factual])

    def told(self, evidence: Mapping[str, str], rng: Random) -> Told:
        """The rules, what the picture hides, and the picture."""
        spoken = speak(self.system, self.things, _WORDS, rng)
        hidden = [
            f"a cloth {self.slots[name].where} hides the {self.kinds[name].subject or self.things[name].name}"
            for name in sorted(self.things, key=self._reading_order)
            if self.things[name].name not in evidence
        ]
        covered = listed(hidden) if hidden else ""
        seen = f"{covered[0].upper()}{covered[1:]}." if hidden else rng.choice(_ALL_SEEN)
        context = f"{spoken.text}\n\n{rng.choice(_SHOWN)} {seen}"
        return Told(context, spoken.mechanisms, spoken.unseen, (self._picture(evidence),))

    def question(self, action: Mapping[str, str], rng: Random) -> str:
        """The counterfactual question, with the allowed answers in random order."""
        exposure, outcome = self.things["x"].name, self.things["y"]
        possible = [*outcome.states, UNDETERMINED]
        rng.shuffle(possible)
        question = rng.choice(_QUESTIONS).format(exposure=exposure, state=action[exposure], outcome=outcome.name)
        return f"{question} {rng.choice(_ANSWERS).format(states=', '.join(possible))}"

    def _reading_order(self, identifier: str) -> tuple[int, int]:
        return self.slots[identifier].row, self.slots[identifier].column

    def _picture(self, evidence: Mapping[str, str]) -> Media:
        order = sorted(self.things, key=self._reading_order)
        return picture(
            [
                (self.slots[name], self.kinds[name], self.things[name].name, evidence.get(self.things[name].name))
                for name in order
            ]
        )


def board(system: RuleSystem, rng: Random) -> BoardStory:
    """Cast a rule system with things on a board, their places and states drawn at random."""
    names = list(system.sizes)
    slots = dict(zip(names, _places(len(names), rng), strict=True))
    kinds: dict[str, Kind] = {}
    # Few kinds have three states, so they are given out first.
    for name in sorted(names, key=lambda name: -system.sizes[name]):
        once = {kind.noun for kind in kinds.values()}
        twice = rng.random() < _REPEATS and len(once) == len(kinds)
        free = [
            kind
            for kind in KINDS
            if len(kind.states) >= system.sizes[name] and (kind.noun not in once or (twice and kind.repeatable))
        ]
        kinds[name] = rng.choice(free)
    nouns = [kind.noun for kind in kinds.values()]
    things = {}
    for name in names:
        kind = kinds[name]
        shown = f"{slots[name].place} {kind.noun}" if nouns.count(kind.noun) > 1 else kind.noun
        things[name] = Thing(shown, tuple(rng.sample(kind.states, system.sizes[name])))
    return BoardStory(system, things, kinds, slots, executable(system, things))


def picture(fields: list[tuple[Slot, Kind, str, str | None]]) -> Media:
    """The picture of a board.

    Args:
        fields: for each thing its place, its kind, its name in the text and its state, ``None`` under a cloth.
    """
    rows = 1 + max(slot.row for slot, *_ in fields)
    columns = 1 + max(slot.column for slot, *_ in fields)
    return Media(
        width=columns * (_FIELD_WIDTH + _GAP) + _GAP,
        height=rows * (_FIELD_HEIGHT + _GAP) + _GAP,
        background=_BACKGROUND,
        items=tuple(_item(*field) for field in fields),
    )


def _item(slot: Slot, kind: Kind, name: str, state: str | None) -> Item:
    left = _GAP + slot.column * (_FIELD_WIDTH + _GAP)
    top = _GAP + slot.row * (_FIELD_HEIGHT + _GAP)
    frame = ((left, top), (left + _FIELD_WIDTH - 1, top + _FIELD_HEIGHT - 1))
    x, y = left + _FIELD_WIDTH // 2, top + _FIELD_HEIGHT // 2
    figures = cloth(x, y) if state is None else kind.marks(x, y, state)
    return Item(
        name=name,
        place=slot.place,
        state=state,
        look=f"a cloth hides the {kind.subject or name}" if state is None else f"the {name} is {state}",
        frame=frame,
        marks=(Mark(form="rectangle", colour=_CARD, points=frame), *figures),
    )


def _places(count: int, rng: Random) -> list[Slot]:
    """Different fields of the smallest board that has as many, in random order."""
    rows, columns = next(
        (rows, columns) for rows, columns in ((1, 2), (1, 3), (2, 2), (2, 3), (3, 3)) if rows * columns >= count
    )
    heights = {1: ("",), 2: ("top", "bottom"), 3: ("top", "middle", "bottom")}[rows]
    sides = {2: ("left", "right"), 3: ("left", "centre", "right")}[columns]
    slots = []
    for row in range(rows):
        for column in range(columns):
            place = f"{heights[row]} {sides[column]}".strip().replace("middle centre", "centre")
            where = {"centre": "in the centre", "left": "on the left", "right": "on the right"}
            slots.append(Slot(row, column, place, where.get(place, f"at the {place}")))
    return rng.sample(slots, count)
