"""Things that can be drawn, and how each of their states looks.

Every figure lies within :data:`HALF_WIDTH` and :data:`HALF_HEIGHT` of its middle. States differ in large areas, never
in a detail.
"""

from collections.abc import Callable
from dataclasses import dataclass

from counterpoise.counterfactual.media import Colour, Mark

__all__ = ["HALF_HEIGHT", "HALF_WIDTH", "KINDS", "PALETTE", "Kind", "cloth"]

HALF_WIDTH, HALF_HEIGHT = 66, 56

PALETTE: dict[str, Colour] = {
    "red": (206, 49, 49),
    "blue": (44, 96, 196),
    "yellow": (250, 202, 44),
    "green": (46, 145, 76),
    "orange": (238, 130, 30),
    "purple": (126, 68, 168),
    "amber": (252, 176, 30),
    "ink": (44, 48, 58),
    "grey": (122, 128, 138),
    "light": (216, 220, 224),
    "white": (255, 255, 255),
    "wood": (164, 106, 60),
    "dark wood": (108, 68, 40),
    "glass": (222, 236, 242),
    "water": (40, 142, 208),
    "night": (28, 36, 74),
    "moonlight": (246, 238, 196),
    "cloth": (150, 110, 138),
    "fold": (122, 84, 112),
}
"""The colours of the drawings, by name."""

Draw = Callable[["_Field", str], None]


class _Field:
    """Collects figures given relative to the middle of a field."""

    def __init__(self, x: int, y: int) -> None:
        self._x, self._y = x, y
        self.marks: list[Mark] = []

    def box(self, colour: str, left: int, top: int, right: int, bottom: int) -> None:
        self._frame("rectangle", colour, left, top, right, bottom)

    def oval(self, colour: str, left: int, top: int, right: int, bottom: int) -> None:
        self._frame("ellipse", colour, left, top, right, bottom)

    def disc(self, colour: str, x: int, y: int, radius: int) -> None:
        self.oval(colour, x - radius, y - radius, x + radius, y + radius)

    def shape(self, colour: str, *points: tuple[int, int]) -> None:
        moved = tuple((self._x + x, self._y + y) for x, y in points)
        self.marks.append(Mark(form="polygon", colour=PALETTE[colour], points=moved))

    def _frame(self, form: str, colour: str, left: int, top: int, right: int, bottom: int) -> None:
        corners = ((self._x + left, self._y + top), (self._x + right, self._y + bottom))
        self.marks.append(Mark.model_validate({"form": form, "colour": PALETTE[colour], "points": corners}))


@dataclass(frozen=True, slots=True)
class Kind:
    """A thing that can be drawn.

    Attributes:
        noun: "the <noun> is <state>" says what is drawn.
        states: the states that it can be drawn in, at least two.
        subject: what a cloth over it hides, where that is not the noun.
        draw: adds the figures of a state.
        repeatable: whether two of them can be told apart by their places alone.
    """

    noun: str
    states: tuple[str, ...]
    draw: Draw
    subject: str = ""
    repeatable: bool = True

    def marks(self, x: int, y: int, state: str) -> tuple[Mark, ...]:
        """The figures that show a state, around a middle.

        Raises:
            ValueError: no such state.
        """
        if state not in self.states:
            raise ValueError(f"a {self.noun} cannot be {state!r}; expected one of {', '.join(self.states)}")
        field = _Field(x, y)
        self.draw(field, state)
        return tuple(field.marks)


def cloth(x: int, y: int) -> tuple[Mark, ...]:
    """A cloth that hides a whole field."""
    field = _Field(x, y)
    field.box("cloth", -62, -52, 62, 40)
    # A hem of five scallops, and folds.
    for left in range(-62, 62, 25):
        field.oval("cloth", left, 26, left + 24, 54)
    for left in (-40, -15, 10, 35):
        field.shape("fold", (left, -52), (left + 5, -52), (left + 9, 40), (left - 2, 40))
    return tuple(field.marks)


def _lamp(field: _Field, state: str) -> None:
    if state == "lit":
        field.box("amber", -3, -54, 3, -40)
        for side in (-1, 1):
            ends = sorted((34 * side, 50 * side))
            field.box("amber", ends[0], -13, ends[1], -7)
            field.shape("amber", (22 * side, -36), (26 * side, -32), (38 * side, -44), (34 * side, -48))
    field.box("ink", -12, 12, 12, 46)
    field.box("ink", -26, 46, 26, 54)
    field.disc("yellow" if state == "lit" else "grey", 0, -10, 25)


def _flag(field: _Field, state: str) -> None:
    top = -50 if state == "raised" else 6
    field.box("ink", -36, -54, -30, 46)
    field.box("dark wood", -52, 46, -14, 54)
    field.shape("red", (-29, top), (46, top + 18), (-29, top + 36))


def _door(field: _Field, state: str) -> None:
    field.box("dark wood", -34, -54, 34, 54)
    if state == "shut":
        field.box("wood", -27, -47, 27, 54)
        field.disc("yellow", 17, 6, 6)
        return
    field.box("ink", -27, -47, 27, 54)
    field.shape("wood", (-27, -47), (-58, -54), (-58, 54), (-27, 54))
    field.disc("yellow", -50, 6, 5)


def _arrow(field: _Field, state: str) -> None:
    side = -1 if state == "pointing left" else 1
    ends = sorted((-52 * side, 8 * side))
    field.box("blue", ends[0], -13, ends[1], 13)
    field.shape("blue", (8 * side, -38), (58 * side, 0), (8 * side, 38))


def _lever(field: _Field, state: str) -> None:
    height = -32 if state == "up" else 32
    field.box("light", -28, -54, 28, 54)
    field.box("ink", -5, -46, 5, 46)
    field.box("grey", 0, height - 7, 36, height + 7)
    field.disc("red", 38, height, 16)


def _tile(field: _Field, state: str) -> None:
    field.box("ink", -52, -52, 52, 52)
    field.box("blue", -48, -48, 48, 48)
    if state == "striped":
        for top in (-34, -6, 22):
            field.box("white", -48, top, 48, top + 12)


def _face(field: _Field, state: str) -> None:
    field.disc("yellow", 0, 0, 50)
    # A mouth is an oval with most of it painted over.
    shift, middle = (-12, 14) if state == "smiling" else (12, 22)
    field.oval("ink", -28, middle - 14, 28, middle + 14)
    field.oval("yellow", -34, middle - 14 + shift, 34, middle + 14 + shift)
    for side in (-1, 1):
        field.disc("ink", 18 * side, -14, 7)


def _moon(field: _Field, state: str) -> None:
    field.box("night", -56, -52, 56, 52)
    field.disc("moonlight", 0, 0, 40)
    if state == "crescent":
        field.disc("night", 20, -6, 35)


def _goblet(field: _Field, state: str) -> None:
    way = 1 if state == "upright" else -1
    field.shape("purple", (-36, -50 * way), (36, -50 * way), (22, 4 * way), (-22, 4 * way))
    ends = sorted((4 * way, 42 * way))
    field.box("purple", -6, ends[0], 6, ends[1])
    ends = sorted((42 * way, 52 * way))
    field.box("purple", -30, ends[0], 30, ends[1])


def _padlock(field: _Field, state: str) -> None:
    lift = 0 if state == "locked" else -16
    field.box("grey", -27, -38 + lift, -16, 4)
    field.box("grey", 16, -38 + lift, 27, 4 if state == "locked" else -22)
    field.box("grey", -27, -40 + lift, 27, -29 + lift)
    field.box("amber", -40, 2, 40, 54)
    field.disc("ink", 0, 22, 8)
    field.box("ink", -3, 22, 3, 42)


def _balloons(field: _Field, state: str) -> None:
    for x, colour in ((-32, "red"), (32, "blue")):
        top = -54 if state == colour else -14
        field.box("grey", x - 1, top + 44, x + 1, 54)
        field.oval(colour, x - 22, top, x + 22, top + 50)


def _towers(field: _Field, state: str) -> None:
    for x, colour in ((-32, "orange"), (32, "purple")):
        top = -40 if state == colour else 4
        field.box(colour, x - 20, top, x + 20, 50)
        for left in (-20, -4, 12):
            field.box(colour, x + left, top - 10, x + left + 8, top)
        field.box("ink", x - 6, 26, x + 6, 50)
    field.box("grey", -62, 50, 62, 55)


def _discs(field: _Field, state: str) -> None:
    for x, colour in ((-30, "green"), (32, "orange")):
        field.disc(colour, x, 0, 34 if state == colour else 16)


def _blocks(field: _Field, state: str) -> None:
    side = -1 if state == "round" else 1
    field.disc("red", 32 * side, 0, 27)
    field.box("green", -32 * side - 25, -25, -32 * side + 25, 25)


def _gauge(field: _Field, state: str) -> None:
    field.box("ink", -26, -54, 26, 54)
    field.box("glass", -20, -48, 20, 48)
    level = {"full": -48, "half-full": 0}.get(state)
    if level is not None:
        field.box("water", -20, level, 20, 48)


def _signal(field: _Field, state: str) -> None:
    field.box("ink", -24, -55, 24, 55)
    for y, colour in ((-36, "red"), (0, "amber"), (36, "green")):
        field.disc(colour if state == colour else "grey", 0, y, 16)


def _ball(field: _Field, state: str) -> None:
    field.disc(state, 0, 0, 46)


def _star(field: _Field, state: str) -> None:
    points = ((0, -54), (14, -18), (54, -17), (22, 8), (33, 48), (0, 24), (-33, 48), (-22, 8), (-54, -17), (-14, -18))
    field.shape(state, *points)


_DOTS = {
    "one": ((0, 0),),
    "two": ((-26, -26), (26, 26)),
    "three": ((-28, -28), (0, 0), (28, 28)),
    "four": ((-26, -26), (26, -26), (-26, 26), (26, 26)),
    "five": ((-28, -28), (28, -28), (0, 0), (-28, 28), (28, 28)),
}


def _dots(field: _Field, state: str) -> None:
    field.box("light", -50, -50, 50, 50)
    for x, y in _DOTS[state]:
        field.disc("ink", x, y, 12)


def _needle(field: _Field, state: str) -> None:
    field.disc("light", 0, 0, 52)
    match state:
        case "pointing up":
            field.shape("red", (-14, 0), (0, -48), (14, 0))
        case "pointing left":
            field.shape("red", (0, -14), (-48, 0), (0, 14))
        case _:
            field.shape("red", (0, -14), (48, 0), (0, 14))
    field.disc("ink", 0, 0, 12)


def _boxes(field: _Field, state: str) -> None:
    for level in range({"one": 1, "two": 2, "three": 3}[state]):
        bottom = 50 - 34 * level
        field.box("wood", -28, bottom - 30, 28, bottom)
        field.box("dark wood", -28, bottom - 18, 28, bottom - 13)
    field.box("grey", -58, 51, 58, 55)


_COLOURS = ("red", "blue", "yellow", "green")

KINDS: tuple[Kind, ...] = (
    Kind("lamp", ("lit", "dark"), _lamp),
    Kind("flag", ("raised", "lowered"), _flag),
    Kind("door", ("open", "shut"), _door),
    Kind("arrow", ("pointing left", "pointing right"), _arrow),
    Kind("lever", ("up", "down"), _lever),
    Kind("tile", ("striped", "plain"), _tile),
    Kind("face", ("smiling", "frowning"), _face),
    Kind("moon", ("full", "crescent"), _moon),
    Kind("goblet", ("upright", "upside-down"), _goblet),
    Kind("padlock", ("locked", "unlocked"), _padlock),
    Kind("higher balloon", ("red", "blue"), _balloons, "pair of balloons", repeatable=False),
    Kind("taller tower", ("orange", "purple"), _towers, "pair of towers", repeatable=False),
    Kind("larger disc", ("green", "orange"), _discs, "pair of discs", repeatable=False),
    Kind("left block of the pair", ("round", "square"), _blocks, "pair of blocks", repeatable=False),
    Kind("gauge", ("full", "half-full", "empty"), _gauge),
    Kind("signal", ("red", "amber", "green"), _signal),
    Kind("ball", _COLOURS, _ball),
    Kind("star", ("orange", "purple", "green"), _star),
    Kind("number of dots", ("one", "two", "three", "four", "five"), _dots, "card of dots", repeatable=False),
    Kind("needle", ("pointing left", "pointing up", "pointing right"), _needle),
    Kind("number of boxes", ("one", "two", "three"), _boxes, "pile of boxes", repeatable=False),
)
"""Every kind of thing: at least nine of two states, at least three of three."""
