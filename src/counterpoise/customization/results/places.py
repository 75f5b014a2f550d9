"""Where rows of a lab run were measured, and which places are compared with which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from counterpoise.customization.results.rows import CHECKPOINTS

__all__ = ["Comparison", "Place", "Places", "at_seeds", "comparisons", "group", "identity", "place_of", "view"]

Row = Mapping[str, Any]
Rows = Sequence[Row]


class Place(NamedTuple):
    """A checkpoint of a cell, without its seed; the columns are those of the rows."""

    attack: str
    ratio: float
    phase: str
    arm: str
    dose: float
    checkpoint: str


Places = Mapping[Place, Rows]
"""Rows by place, all seeds of a place together."""


class Comparison(NamedTuple):
    """Two places that are compared.

    Attributes:
        name: ``alignment`` (base to aligned), ``attack`` (aligned to attacked), ``defence`` (attacked to defended),
            ``whole`` (aligned to defended) or ``arms`` (the arm ``uncurated`` to another one).
        before: the earlier or control place.
        after: the other.
    """

    name: str
    before: Place
    after: Place


def place_of(row: Row) -> Place:
    """Where a row was measured."""
    return Place(*(row[name] for name in Place._fields))


def group(rows: Iterable[Row]) -> dict[Place, list[Row]]:
    """Rows by place: base, aligned, attacked, defended, and in each in the order of the rows."""
    found: dict[Place, list[Row]] = {}
    for row in rows:
        found.setdefault(place_of(row), []).append(row)
    order: dict[str, int] = {checkpoint: number for number, checkpoint in enumerate(CHECKPOINTS)}
    return dict(sorted(found.items(), key=lambda entry: order[entry[0].checkpoint]))


def identity(row: Row) -> str:
    """Which rows of two places are one item: the same item of the same seed, under whatever persona it was asked."""
    return f"{row['seed']}|{row.get('measure')}|{row['prompt_set']}|{row['prompt_id']}"


def view(places: Places, place: Place) -> Rows:
    """The rows of a place before the attack, as those of an attack are held against them.

    The plain place has everything; where the harmful requests were also asked under the attack's persona, those rows
    stand in for the plain ones.
    """
    own = places.get(place, ())
    if not place.attack or place.checkpoint not in ("base", "aligned"):
        return own
    sets = {row.get("prompt_set") for row in own}
    plain = places.get(place._replace(attack=""), ())
    return [*own, *(row for row in plain if row.get("prompt_set") not in sets)]


def comparisons(places: Places) -> Iterator[Comparison]:
    """Every pair of places that is compared."""
    aligned = any(place.checkpoint == "aligned" for place in places)

    def start(attack: str, checkpoint: str) -> Place:
        return Place(attack, 0.0, "none", "nothing", 0.0, checkpoint)

    for place in places:
        first = start(place.attack, "aligned" if aligned else "base")
        attacked = Place(place.attack, place.ratio, "none", "nothing", 0.0, "attacked")
        if place.checkpoint == "aligned":
            pairs = [Comparison("alignment", start(place.attack, "base"), place)]
        elif place.checkpoint == "attacked":
            pairs = [Comparison("attack", first, place)]
        elif place.checkpoint == "defended":
            pairs = [Comparison("defence", attacked, place), Comparison("whole", first, place)]
            if place.arm != "uncurated":
                pairs.append(Comparison("arms", place._replace(arm="uncurated"), place))
        else:
            pairs = []
        yield from (pair for pair in pairs if view(places, pair.before))


def at_seeds(rows: Rows, seeds: Iterable[int]) -> list[Row]:
    """Rows of the base model, which is measured once, as if once for each seed; other rows as they are."""
    found: list[Row] = []
    for row in rows:
        found += [{**row, "seed": seed} for seed in seeds] if row["checkpoint"] == "base" else [row]
    return found
