"""Reading the published annotations: one file a dataset, in three spellings of the same record."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Edge, Role
from counterpoise.counterfactual.datasets.source_text import as_object, json_value, read_text
from counterpoise.errors import DataError
from counterpoise.records import content_hash

__all__ = ["Record", "World", "read_records"]


@dataclass(frozen=True, slots=True)
class World:
    """One half of a record.

    Attributes:
        roles: the texts of each role, as they stand; a text is variable and value in one.
        edges: pairs of texts, as they stand; ``None`` where the file has no graph.
    """

    roles: Mapping[Role, tuple[str, ...]]
    edges: tuple[Edge, ...] | None

    @property
    def exposure(self) -> str:
        """The first text of the exposure; empty where there is none."""
        return (self.roles[Role.EXPOSURE] or ("",))[0]

    @property
    def covariates(self) -> tuple[str, ...]:
        """The texts of the covariates."""
        return self.roles[Role.COVARIATE]

    @property
    def mediators(self) -> tuple[str, ...]:
        """The texts of the mediators."""
        return self.roles[Role.MEDIATOR]

    @property
    def outcome(self) -> str:
        """The first text of the outcome; empty where there is none."""
        return (self.roles[Role.OUTCOME] or ("",))[0]

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of all roles."""
        return tuple(text for role in Role for text in self.roles[role])


@dataclass(frozen=True, slots=True)
class Record:
    """A published annotation.

    Attributes:
        id: from the content, so that a repeated record has the same.
        text: of the item, where the record has one.
        factual: roles and edges before the change.
        counterfactual: roles and edges after it.
    """

    id: str
    text: str | None
    factual: World
    counterfactual: World


def read_records(path: Path) -> list[Record]:
    """The records of an annotation file.

    Raises:
        DataError: the file is no list of records; names file and record.
    """
    value = json_value(read_text(path), path)
    if not isinstance(value, list):
        raise DataError(f"a {type(value).__name__}", where=str(path), expected="a JSON list of records")
    return [_record(record, f"{path} record {number}") for number, record in enumerate(value, start=1)]


def _record(value: Any, where: str) -> Record:
    record = as_object(value, where)
    text = record.get("text")
    if text is not None and not isinstance(text, str):
        raise DataError(f"field 'text' is a {type(text).__name__}", where=where, expected="a text")
    return Record(
        id=content_hash(dict(record), length=10),
        text=text,
        factual=_world(record, "factual", where),
        counterfactual=_world(record, "counterfactual", where),
    )


def _world(record: Mapping[str, Any], name: str, where: str) -> World:
    key = f"{name}_roles"
    if key not in record:
        raise DataError(f"no field {key!r}", where=where)
    roles = as_object(record[key], f"{where}, {key}")
    if unknown := sorted(roles.keys() - _ROLES.keys()):
        raise DataError(f"role {unknown[0]!r}", where=f"{where}, {key}", expected=", ".join(_ROLES))
    # MalAlgoQA has a name of its own for the edges; Arithmetic has none.
    spelling = next((key for key in (f"{name}_graph_edges", f"{name}_edges") if key in record), None)
    return World(
        roles={role: _texts(roles.get(label, []), f"{where}, {key}, {label}") for label, role in _ROLES.items()},
        edges=None if spelling is None else _edges(record[spelling], f"{where}, {spelling}"),
    )


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise DataError(f"{str(value)[:60]!r}", where=where, expected="a list of texts")
    return tuple(value)


def _edges(value: Any, where: str) -> tuple[Edge, ...]:
    if not isinstance(value, list):
        raise DataError(f"{str(value)[:60]!r}", where=where, expected="a list of pairs of texts")
    edges: list[Edge] = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(end, str) for end in pair):
            raise DataError(f"{str(pair)[:60]!r}", where=where, expected="a pair of texts")
        edges.append((pair[0], pair[1]))
    return tuple(edges)


_ROLES = {
    "Exposure": Role.EXPOSURE,
    "Covariate": Role.COVARIATE,
    "Mediator": Role.MEDIATOR,
    "Outcome": Role.OUTCOME,
}
