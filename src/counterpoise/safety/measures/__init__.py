"""Measuring a model: sets of items, rows, and what follows from rows.

::

    settings, data -> read_items -> Items
    model, Items, settings -> measure -> rows (each as it is finished)
    rows -> rates;  rows before and after -> changes -> gates
"""

from counterpoise.safety.measures.item import Item, Items
from counterpoise.safety.measures.reading import read_items
from counterpoise.safety.measures.results import EVERY_SET, changes, gates, rates
from counterpoise.safety.measures.rows import Expects, Measure, MeasureRow, Verdict, measure_key
from counterpoise.safety.measures.run import measure, open_judges
from counterpoise.safety.measures.sets import MEASURE_SETS, MeasureSet
from counterpoise.safety.measures.settings import DEFAULT_JUDGE, Evaluate, MeasureSettings

__all__ = [
    "DEFAULT_JUDGE",
    "EVERY_SET",
    "MEASURE_SETS",
    "Evaluate",
    "Expects",
    "Item",
    "Items",
    "Measure",
    "MeasureRow",
    "MeasureSet",
    "MeasureSettings",
    "Verdict",
    "changes",
    "gates",
    "measure",
    "measure_key",
    "open_judges",
    "rates",
    "read_items",
]
