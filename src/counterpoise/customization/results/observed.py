"""The numbers behind the rates: for each metric, every scored row with its value."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterpoise.safety.measures import EVERY_SET
from counterpoise.safety.measures.metrics import metrics_of

__all__ = ["Seen", "What", "observed"]

Seen = list[tuple[Mapping[str, Any], float]]
"""Scored rows with their values."""

What = tuple[str, str, str, str]
"""Measure, set, metric and judge of an entry of rates or changes."""


def observed(rows: Sequence[Mapping[str, Any]]) -> dict[What, Seen]:
    """The scored rows of each metric with their values, of which the rate is the mean; of each set and of all.

    Every entry of :func:`~counterpoise.safety.measures.rates` and of ``changes`` is among them.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        for name in (row["prompt_set"], EVERY_SET):
            groups.setdefault((row["measure"], name), []).append(row)
    found: dict[What, Seen] = {}
    for (measure, name), group in groups.items():
        for metric in metrics_of(group):
            values = [(row, metric.value(row)) for row in group]
            found[measure, name, metric.name, metric.judge] = [
                (row, value) for row, value in values if value is not None
            ]
    return found
