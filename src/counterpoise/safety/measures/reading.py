"""From settings to items: every file is read and checked before a model is loaded."""

from pathlib import Path

from counterpoise.errors import DataError
from counterpoise.rng import seed_for
from counterpoise.safety.measures.item import Item, Items
from counterpoise.safety.measures.sets import MEASURE_SETS
from counterpoise.safety.measures.settings import Evaluate, MeasureSettings

__all__ = ["read_items"]


def read_items(settings: MeasureSettings, data: Path | None = None) -> Items:
    """The items of every set of the settings.

    Args:
        settings: what is measured.
        data: folder with downloaded data; built-in sets need none.

    Raises:
        DataError: a file is missing or malformed, or two items of a set have one id.
    """
    items = [item for entry in settings.evaluate for item in _of_set(entry, settings.seed, data)]
    return Items(tuple(items))


def _of_set(entry: Evaluate, seed: int, data: Path | None) -> list[Item]:
    items = MEASURE_SETS[entry.set].read(data)
    ids = [item.id for item in items]
    if len(set(ids)) < len(ids):
        raise DataError(f"two items of the set {entry.set!r} have one id", expected="ids that are unique in a set")
    if entry.limit is None or entry.limit >= len(items):
        return items
    # Ranked by a hash of the id: a smaller limit draws a part of what a larger one draws.
    drawn = sorted(ids, key=lambda name: seed_for(seed, "evaluate", entry.set, name))[: entry.limit]
    chosen = set(drawn)
    return [item for item in items if item.id in chosen]
