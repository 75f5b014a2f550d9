"""Pictures as data: a case holds what a picture is drawn from, or where it lies, not its pixels.

:mod:`counterpoise.counterfactual.suite.render.scene` turns a specification into pixels and into words;
:mod:`counterpoise.counterfactual.pictures` reads photographs.
"""

from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Item", "Mark", "Media", "Photo", "Point"]

Point = tuple[int, int]
"""Pixels from the left and from the top."""
Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


class Mark(BaseModel):
    """One filled figure in one colour.

    Attributes:
        form: ``rectangle`` and ``ellipse`` are given by the upper left and the lower right corner of their frame, both
            included; ``polygon`` by its corners, three or more.
        colour: red, green and blue, 0 to 255.
        points: see ``form``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["rectangle", "ellipse", "polygon"]
    colour: Colour
    points: tuple[Point, ...]

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if any(not 0 <= part <= 255 for part in self.colour):
            raise ValueError(f"colour {self.colour} is not made of numbers from 0 to 255")
        if self.form == "polygon":
            if len(self.points) < 3:
                raise ValueError(f"a polygon of {len(self.points)} corner(s)")
        elif len(self.points) != 2 or any(low > high for low, high in zip(*self.points, strict=True)):
            raise ValueError(f"a {self.form} needs the upper left and the lower right corner of its frame")
        return self


class Item(BaseModel):
    """A thing in a scene.

    Attributes:
        name: as the text of the case names it; unique within the scene.
        place: where it is, in words ("top left").
        state: what the picture shows of it, or ``None`` where it is covered.
        look: what is drawn, in words ("a lamp: lit", "a cloth").
        frame: upper left and lower right corner of its field.
        marks: the figures that it is drawn with, back to front.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    place: str
    state: str | None
    look: str
    frame: tuple[Point, Point]
    marks: tuple[Mark, ...]


class Media(BaseModel):
    """A picture that belongs to the context of a case.

    Attributes:
        kind: ``scene``: a drawing of things in fields of their own.
        width: in pixels.
        height: in pixels.
        background: its colour.
        items: the things, row by row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["scene"] = "scene"
    width: int = Field(ge=1, le=4096)
    height: int = Field(ge=1, le=4096)
    background: Colour
    items: tuple[Item, ...]

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if len({item.name for item in self.items}) != len(self.items):
            raise ValueError("two things in the scene have the same name")
        for item in self.items:
            (left, top), (right, bottom) = item.frame
            if not (0 <= left <= right < self.width and 0 <= top <= bottom < self.height):
                raise ValueError(f"the field of {item.name!r} is not inside the picture")
            points = [point for mark in item.marks for point in mark.points]
            if any(not (left <= x <= right and top <= y <= bottom) for x, y in points):
                raise ValueError(f"a figure of {item.name!r} leaves its field")
        return self


class Photo(BaseModel):
    """A photograph in a file of the data folder.

    Attributes:
        kind: always ``photo``.
        file: path below the data folder, with forward slashes; never one that leaves it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["photo"] = "photo"
    file: str

    @model_validator(mode="after")
    def _below(self) -> Self:
        path = PurePosixPath(self.file)
        if not path.name or path.is_absolute() or ".." in path.parts or "\\" in self.file or "\0" in self.file:
            raise ValueError(f"{self.file[:80]!r} is not a path below the data folder")
        return self
