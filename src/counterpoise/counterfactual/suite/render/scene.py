"""Pictures from their specification: pixels, a PNG file, words.

Figures have whole coordinates and one colour each, there are no fonts, and edges are not smoothed, so a specification
gives the same pixels on every machine.
"""

import io
from typing import TYPE_CHECKING

from counterpoise.counterfactual.media import Media

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["describe", "draw", "png"]


def draw(media: Media) -> "Image":
    """The picture in red, green and blue; figures cover those before them."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (media.width, media.height), media.background)
    pen = ImageDraw.Draw(image)
    for item in media.items:
        for mark in item.marks:
            match mark.form:
                case "rectangle":
                    pen.rectangle(list(mark.points), fill=mark.colour)
                case "ellipse":
                    pen.ellipse(list(mark.points), fill=mark.colour)
                case "polygon":
                    pen.polygon(list(mark.points), fill=mark.colour)
    return image


def png(media: Media) -> bytes:
    """The picture as a PNG file with a palette; a few kilobytes."""
    from PIL import Image

    file = io.BytesIO()
    # Scenes have far fewer than 256 colours, so nothing is lost.
    draw(media).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(file, format="PNG", optimize=True)
    return file.getvalue()


def describe(media: Media) -> str:
    """What the picture shows, in words, place by place: what a reader gets who cannot see it.

    An empty scene is said to be empty.
    """
    if not media.items:
        return "The picture is empty."
    return " ".join(f"{item.place.capitalize()}: {item.look}." for item in media.items)
