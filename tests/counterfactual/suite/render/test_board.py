"""States are read back from the pixels, so the picture shows what the case says."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from counterpoise.counterfactual.media import Item, Mark, Media
from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.suite.render.board import Slot, picture
from counterpoise.counterfactual.suite.render.glyphs import KINDS, PALETTE, cloth
from counterpoise.counterfactual.suite.render.scene import describe, draw, png

COLOURS = ("red", "blue", "yellow", "green", "orange", "purple", "amber")


@cache
def cases():
    return [generate(GenerateConfig(suite="scm-image"), 9, index) for index in range(120)]


class View:
    """The pixels of one field."""

    def __init__(self, pixels):
        self.pixels = pixels
        self.height, self.width = pixels.shape[:2]

    def mask(self, colour):
        return (self.pixels == PALETTE[colour]).all(axis=2)

    def area(self, colour):
        return int(self.mask(colour).sum())

    def middle(self, colour):
        """Centre of a colour, from the centre of the field: x to the right, y down."""
        y, x = ndimage.center_of_mass(self.mask(colour))
        return x - self.width / 2, y - self.height / 2

    def extent(self, colour):
        rows, columns = np.nonzero(self.mask(colour))
        return columns.min(), rows.min(), columns.max(), rows.max()

    def blobs(self, colour):
        _, count = ndimage.label(self.mask(colour))
        return count


def most(view, colours):
    return max(colours, key=view.area)


def read_lamp(view):
    return "lit" if view.area("yellow") > view.area("grey") else "dark"


def read_flag(view):
    return "raised" if view.middle("red")[1] < 0 else "lowered"


def read_door(view):
    # An open door shows the dark room behind it.
    return "open" if view.area("ink") > 3000 else "shut"


def read_arrow(view):
    left, _, right, _ = view.extent("blue")
    columns = view.mask("blue").sum(axis=0)
    return "pointing left" if columns[left : (left + right) // 2].max() == columns.max() else "pointing right"


def read_lever(view):
    return "up" if view.middle("red")[1] < 0 else "down"


def read_tile(view):
    return "striped" if view.blobs("blue") > 1 else "plain"


def read_face(view):
    # The mouth is the widest dark blob: its ends are above its middle in a smile.
    labels, count = ndimage.label(view.mask("ink"))
    mouth = max(range(1, count + 1), key=lambda index: np.ptp(np.nonzero(labels == index)[1]))
    rows, columns = np.nonzero(labels == mouth)
    ends, middle = rows[np.argmin(columns)], rows[np.argmin(abs(columns - columns.mean()))]
    return "smiling" if ends < middle else "frowning"


def read_moon(view):
    return "full" if view.area("moonlight") > 4000 else "crescent"


def read_goblet(view):
    widths = view.mask("purple").sum(axis=1)
    _, top, _, bottom = view.extent("purple")
    return "upright" if widths[top : top + 40].sum() > widths[bottom - 40 : bottom].sum() else "upside-down"


def read_padlock(view):
    left, _, right, _ = view.extent("grey")
    mask = view.mask("grey")
    return "locked" if np.nonzero(mask[:, left])[0].max() == np.nonzero(mask[:, right])[0].max() else "unlocked"


def read_boxes(view):
    return {1: "one", 2: "two", 3: "three"}[view.blobs("dark wood")]


def read_needle(view):
    x, y = view.middle("red")
    return "pointing up" if y < -abs(x) else "pointing left" if x < 0 else "pointing right"


def read_gauge(view):
    full = view.area("water") / max(1, view.area("water") + view.area("glass"))
    return "full" if full > 0.9 else "empty" if full < 0.1 else "half-full"


def read_dots(view):
    return {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}[view.blobs("ink")]


READERS = {
    "lamp": read_lamp,
    "flag": read_flag,
    "door": read_door,
    "arrow": read_arrow,
    "lever": read_lever,
    "tile": read_tile,
    "face": read_face,
    "moon": read_moon,
    "goblet": read_goblet,
    "padlock": read_padlock,
    "higher balloon": lambda view: min(("red", "blue"), key=lambda colour: view.middle(colour)[1]),
    "taller tower": lambda view: most(view, ("orange", "purple")),
    "larger disc": lambda view: most(view, ("green", "orange")),
    "left block of the pair": lambda view: "round" if view.middle("red")[0] < view.middle("green")[0] else "square",
    "gauge": read_gauge,
    "signal": lambda view: most(view, ("red", "amber", "green")),
    "ball": lambda view: most(view, ("red", "blue", "yellow", "green")),
    "star": lambda view: most(view, ("orange", "purple", "green")),
    "number of dots": read_dots,
    "needle": read_needle,
    "number of boxes": read_boxes,
}


def view_of(media, item):
    pixels = np.asarray(draw(media))
    (left, top), (right, bottom) = item.frame
    return View(pixels[top : bottom + 1, left : right + 1])


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind in KINDS for state in kind.states])
def test_every_state_of_every_thing_can_be_read_from_the_pixels(kind, state):
    media = picture([(Slot(0, 0, "left"), kind, kind.noun, state)])
    assert READERS[kind.noun](view_of(media, media.items[0])) == state


def test_states_of_a_thing_look_different_and_are_large():
    for kind in KINDS:
        images = [
            np.asarray(draw(picture([(Slot(0, 0, "left"), kind, kind.noun, state)]))).astype(int)
            for state in kind.states
        ]
        for index, image in enumerate(images):
            for other in images[index + 1 :]:
                assert (image != other).any(axis=2).sum() >= 250, kind.noun


def test_the_picture_of_a_case_shows_what_was_observed_and_hides_the_rest():
    covered = set()
    for case in cases():
        (media,) = case.media
        kinds = {item.name: next(kind for kind in KINDS if item.name.endswith(kind.noun)) for item in media.items}
        assert {item.name for item in media.items} == {variable.name for variable in case.variables}
        for item in media.items:
            view = view_of(media, item)
            if item.name in case.execution.observed:
                assert READERS[kinds[item.name].noun](view) == case.variable(item.name).factual == item.state
                assert view.area("cloth") == 0
            else:
                assert item.state is None
                # The cloth fills most of the field, and nothing of the thing peeps out.
                assert view.area("cloth") + view.area("fold") > 0.6 * view.width * view.height
                assert sum(view.area(colour) for colour in (*COLOURS, "ink")) == 0
                covered.add(item.name)
    assert len(covered) >= 10


def test_the_text_does_not_say_what_the_picture_shows():
    for case in cases():
        last = case.context.split("\n\n")[-1]
        for name in case.execution.observed:
            assert f"the {name} is" not in last
            assert f"hides the {name} " not in last + " "
        (media,) = case.media
        hidden = [item for item in media.items if item.state is None]
        assert last.count(" hides the ") == len(hidden)
        for item in hidden:
            assert item.look.removeprefix("a cloth ") in last


def test_names_are_clear_where_two_things_are_alike():
    twice = 0
    for case in cases():
        (media,) = case.media
        nouns = Counter(next(kind.noun for kind in KINDS if item.name.endswith(kind.noun)) for item in media.items)
        assert max(nouns.values()) <= 2
        for item in media.items:
            noun = next(kind.noun for kind in KINDS if item.name.endswith(kind.noun))
            twice += nouns[noun] == 2
            assert item.name == (f"{item.place} {noun}" if nouns[noun] == 2 else noun)
    assert twice >= 20


def test_places_are_where_the_words_say():
    for case in cases():
        (media,) = case.media
        for item in media.items:
            (left, top), (right, bottom) = item.frame
            x, y = (left + right) / 2 / media.width, (top + bottom) / 2 / media.height
            assert ("left" in item.place) == (x < 0.4)
            assert ("right" in item.place) == (x > 0.6)
            if media.height > 200:
                assert ("top" in item.place) == (y < 0.4)
                assert ("bottom" in item.place) == (y > 0.6)


def test_the_same_scene_gives_the_same_file_and_it_is_small():
    for case in cases()[:20]:
        (media,) = case.media
        data = png(media)
        assert data == png(Media.model_validate_json(media.model_dump_json()))
        assert data.startswith(b"\x89PNG")
        assert len(data) < 8000


def test_a_png_keeps_every_colour():
    import io

    from PIL import Image

    (media,) = cases()[0].media
    with Image.open(io.BytesIO(png(media))) as image:
        assert (np.asarray(image.convert("RGB")) == np.asarray(draw(media))).all()


def test_a_description_says_every_place():
    for case in cases()[:40]:
        (media,) = case.media
        text = describe(media)
        for item in media.items:
            assert f"{item.place.capitalize()}: {item.look}." in text
            if item.state is not None:
                assert f"the {item.name} is {item.state}" in text
    assert describe(Media(width=1, height=1, background=(0, 0, 0), items=())) == "The picture is empty."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"form": "polygon", "colour": (0, 0, 0), "points": ((0, 0), (1, 1))}, "a polygon of 2 corner"),
        ({"form": "rectangle", "colour": (0, 0, 0), "points": ((5, 0), (1, 1))}, "upper left and the lower right"),
        ({"form": "ellipse", "colour": (0, 0, 0), "points": ((0, 0),)}, "a ellipse needs|an ellipse needs"),
        ({"form": "ellipse", "colour": (0, 0, 256), "points": ((0, 0), (1, 1))}, "numbers from 0 to 255"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Mark.model_validate(fields)


def test_a_scene_that_does_not_fit_is_refused():
    mark = Mark(form="rectangle", colour=(1, 2, 3), points=((0, 0), (9, 9)))
    item = Item(name="box", place="left", state="red", look="the box is red", frame=((0, 0), (9, 9)), marks=(mark,))
    scene = {"width": 10, "height": 10, "background": (0, 0, 0)}
    assert Media(**scene, items=(item,)).items == (item,)
    with pytest.raises(ValueError, match="two things in the scene have the same name"):
        Media(**scene, items=(item, item))
    with pytest.raises(ValueError, match="field of 'box' is not inside the picture"):
        Media(**(scene | {"width": 9}), items=(item,))
    with pytest.raises(ValueError, match="a figure of 'box' leaves its field"):
        Media(**scene, items=(item.model_copy(update={"frame": ((0, 0), (8, 9))}),))


def test_a_state_that_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="a lamp cannot be 'green'; expected one of lit, dark"):
        KINDS[0].marks(0, 0, "green")


def test_there_are_enough_kinds():
    assert sum(len(kind.states) >= 3 for kind in KINDS) >= 3
    assert len(KINDS) >= 12
    assert len({kind.noun for kind in KINDS}) == len(KINDS)
    # No noun ends in another: a name can be read back to its kind.
    assert not [(a.noun, b.noun) for a in KINDS for b in KINDS if a is not b and a.noun.endswith(b.noun)]
    assert all("undetermined" not in kind.states for kind in KINDS)
    assert len(cloth(0, 0)) > 5
