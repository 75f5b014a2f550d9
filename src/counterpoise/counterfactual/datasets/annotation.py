"""This project's own causal gold: one JSON line per item, kept beside the readers in ``annotations/``.

Every set was annotated twice, by passes that did not see each other, and reconciled; the passes are kept in
``annotations/passes/`` so that their agreement can be computed again, see
:mod:`~counterpoise.counterfactual.datasets.agreement`.
"""

import json
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, ValidationError

from counterpoise.counterfactual.case import Edge, Variable
from counterpoise.errors import DataError

__all__ = ["ANNOTATED", "Annotation", "annotations", "decisions", "parse_annotations", "passes"]

ANNOTATED = ("crass", "clomo", "malalgoqa")
"""The datasets with annotations."""
PASSES = (1, 2)


class Annotation(BaseModel):
    """Causal gold for one item, in this project's own words; fields as in :class:`Case`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    variables: tuple[Variable, ...]
    edges: tuple[Edge, ...]
    intervention: dict[str, str]


@cache
def annotations(dataset: str) -> dict[str, Annotation]:
    """The reconciled annotations of a dataset, by case id."""
    return _read(dataset, f"{dataset}.jsonl")


@cache
def passes(dataset: str) -> tuple[dict[str, Annotation], dict[str, Annotation]]:
    """The two independent passes behind them, by case id; a pass may lack an item that it refused."""
    first, second = (_read(dataset, f"passes/{dataset}-{number}.jsonl") for number in PASSES)
    return first, second


def decisions(dataset: str) -> dict[str, str]:
    """How each item was reconciled: ``agree``, ``first``, ``second``, ``merged`` or ``left out``, by case id."""
    lines = _text(f"passes/{dataset}-log.jsonl").splitlines()
    return {entry["id"]: entry["decision"] for entry in map(json.loads, lines)}


def parse_annotations(text: str, dataset: str) -> dict[str, Annotation]:
    """Annotations from JSON lines, by case id.

    Raises:
        DataError: a line is no annotation or an id occurs twice; names the line.
    """
    found: dict[str, Annotation] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"annotations of {dataset}, line {number}"
        try:
            annotation = Annotation.model_validate_json(line)
        except ValidationError as error:
            raise DataError(f"not an annotation: {error.errors()[0]['msg']}", where=where) from error
        if annotation.id in found:
            raise DataError(f"id {annotation.id!r} occurs twice", where=where)
        found[annotation.id] = annotation
    return found


def _read(dataset: str, file: str) -> dict[str, Annotation]:
    return parse_annotations(_text(file), dataset)


def _text(file: str) -> str:
    folder = resources.files("counterpoise") / "counterfactual" / "datasets" / "annotations"
    return (folder / file).read_text(encoding="utf-8")
