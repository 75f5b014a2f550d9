"""Putting items to a model, slice by slice, so that a killed run loses little."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from counterpoise.lm.protocol import LanguageModel
from counterpoise.safety.judges import Judge, open_judge
from counterpoise.safety.measures.choices import ask_choices
from counterpoise.safety.measures.gaps import score_gaps
from counterpoise.safety.measures.item import Item, Items, Way
from counterpoise.safety.measures.judged import ask_judged
from counterpoise.safety.measures.numbers import ask_numbers
from counterpoise.safety.measures.result import Result
from counterpoise.safety.measures.rows import MeasureRow, measure_key
from counterpoise.safety.measures.settings import MeasureSettings

__all__ = ["Progress", "measure", "open_judges", "row_columns"]

Progress = Callable[[int, int, str], None]
"""Called with items done, items in all and what they are."""


class Known(Protocol):
    """Knows which keys are there already: a set, or a row file."""

    def __contains__(self, key: str, /) -> bool:
        """Whether the key is there."""
        ...


SLICE: dict[Way, int] = {"judged": 64, "choice": 32, "number": 64, "gap": 16}
"""Items that go to the model together and are written before the next are asked."""


def open_judges(settings: MeasureSettings) -> list[Judge]:
    """The judges of the settings, the labelling judge first.

    Raises:
        UnknownNameError: there is no such judge.
        UsageError: a judge's model cannot be had.
    """
    return [open_judge(name) for name in settings.judges]


def measure(
    model: LanguageModel,
    items: Items,
    settings: MeasureSettings,
    *,
    done: Known,
    keep: Callable[[MeasureRow], None],
    columns: Mapping[str, Any],
    row_class: type[MeasureRow] = MeasureRow,
    key: Callable[[Mapping[str, Any]], str] = measure_key,
    judges: Sequence[Judge] | None = None,
    progress: Progress | None = None,
) -> None:
    """Measure a model on items, and hand over a row for each as soon as its slice is finished.

    Args:
        model: the model, already open.
        items: what is asked; see :func:`~counterpoise.safety.measures.read_items`.
        settings: how it is asked and judged.
        done: keys of the rows that are there already; their items are left out.
        keep: called with each row.
        columns: put into every row: ``run`` and ``model``, and what the row class adds.
        row_class: the class of the rows.
        key: identity of a row, from ``measure``, ``prompt_set``, ``prompt_id``, ``system``, ``prefix`` and the columns.
        judges: opened by :func:`open_judges`; by default they are opened here, if anything is left to be judged.
        progress: told of the items.
    """
    pending = [item for item in items if key({**columns, **_identity(item, settings)}) not in done]
    if judges is None:
        judges = open_judges(settings) if any(item.way == "judged" for item in pending) else []
    tell = progress or (lambda *_: None)
    finished = len(items) - len(pending)
    tell(finished, len(items), "measure")
    for part in _slices(pending):
        for item, result in zip(part, _results(model, part, settings, judges), strict=True):
            keep(row_class(**{**columns, **_identity(item, settings), **row_columns(item, result)}))
        finished += len(part)
        tell(finished, len(items), "measure")


def _results(
    model: LanguageModel, part: Sequence[Item], settings: MeasureSettings, judges: Sequence[Judge]
) -> list[Result]:
    way = part[0].way
    if way == "judged":
        return ask_judged(model, part, settings, judges)
    if way == "choice":
        return ask_choices(model, part, settings)
    return ask_numbers(model, part, settings) if way == "number" else score_gaps(model, part, settings)


def _slices(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Items of one way together, whatever their sets: a batch that is full is a fast one."""
    for way, size in SLICE.items():
        alike = [item for item in items if item.way == way]
        yield from (alike[begin : begin + size] for begin in range(0, len(alike), size))


def _identity(item: Item, settings: MeasureSettings) -> dict[str, Any]:
    return {
        "measure": item.measure,
        "prompt_set": item.set,
        "prompt_id": item.id,
        "system": settings.system,
        "prefix": settings.prefix,
    }


def row_columns(item: Item, result: Result) -> dict[str, Any]:
    """The columns of a row that the item and its result decide."""
    return {
        "measure": item.measure,
        "prompt_set": item.set,
        "prompt_id": item.id,
        "cluster": item.cluster,
        "expects": item.expects,
        "prompt": item.prompt,
        "target": item.target,
        "status": result.status,
        "reason": result.reason,
        "score": result.score,
        "tokens": result.tokens,
        "seconds": result.seconds,
        "completion": result.completion,
        "label": result.label,
        "judge": result.judge,
        "values": dict(result.values),
        "others": dict(result.others),
    }
