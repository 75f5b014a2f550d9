"""Reasoning by stage at the checkpoints of a lab run, from the diagnoses that it left.

A diagnosis is read as rows of numbers: what its stages are and how they are scored is said where it is made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from counterpoise.customization.plan.arm import Arm
from counterpoise.customization.plan.phases import Phase
from counterpoise.customization.results.rows import Checkpoint
from counterpoise.errors import DataError
from counterpoise.records import read_jsonl, read_manifest
from counterpoise.statistics import Estimate, cluster_bootstrap, mean, paired_bootstrap

__all__ = [
    "FOLDER",
    "INDEX",
    "ReasoningRow",
    "diagnosed",
    "index_key",
    "reasoning_changes",
    "reasoning_rates",
    "reasoning_rows",
]

FOLDER = "reasoning"
"""Below the run folder: a diagnosis of each checkpoint that was put through one, in a folder of its name."""

INDEX = "reasoning.jsonl"
"""In the run folder: which checkpoint each of these folders is of."""

Rows = Sequence[Mapping[str, Any]]


class ReasoningRow(BaseModel):
    """One diagnosed checkpoint.

    Attributes:
        folder: name of its folder below ``reasoning/``.
        cell, phase, arm, seed, checkpoint, attack, ratio, dose: as in
            :class:`~counterpoise.customization.results.rows.LabRow`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    cell: str
    phase: Phase
    arm: Arm
    seed: int
    checkpoint: Checkpoint
    attack: str
    ratio: float
    dose: float


def index_key(row: Mapping[str, Any]) -> str:
    """Identity of a diagnosed checkpoint."""
    return str(row["folder"])


def diagnosed(folder: Path) -> bool:
    """Whether a diagnosis is there and complete."""
    try:
        return read_manifest(folder).state == "complete"
    except DataError:
        return False


def reasoning_rows(out: Path) -> Iterator[dict[str, Any]]:
    """Every row of every diagnosis of a run, with the columns that say which checkpoint it is of.

    Args:
        out: the run folder.

    Raises:
        DataError: a file is damaged.
    """
    index = out / INDEX
    for entry in read_jsonl(index, drop_torn=True) if index.is_file() else ():
        place = {name: value for name, value in entry.items() if name != "folder"}
        for row in read_jsonl(out / FOLDER / str(entry["folder"]) / "rows.jsonl", drop_torn=True):
            yield {**row, **place}


def reasoning_rates(rows: Rows) -> list[dict[str, Any]]:
    """Mean score of each stage of each dataset, at one checkpoint.

    Args:
        rows: of a diagnosis, or of several seeds.

    Returns:
        ``dataset``, ``stage``, ``value`` (mean score in [0, 1]), ``low``, ``high``, ``n``, ``clusters``, ``unreadable``
        (in the mean with score 0) and ``unscored`` (left out of it).
    """
    return [
        {
            "dataset": dataset,
            "stage": stage,
            **asdict(_mean(group)),
            "unreadable": sum(row["status"] in ("parse_failed", "model_failed") for row in group),
            "unscored": sum(row["score"] is None for row in group),
        }
        for (dataset, stage), group in _by_stage(rows).items()
    ]


def reasoning_changes(before: Rows, after: Rows) -> list[dict[str, Any]]:
    """How the mean score of each stage differs between two checkpoints, over the cases that both were asked.

    Returns:
        ``dataset``, ``stage``, ``value`` (after minus before), ``low``, ``high`` (paired), ``n``, ``clusters`` and
        ``dropped`` (asked or scored on one side only).
    """
    found = []
    earlier = _by_stage(before)
    for place, group in _by_stage(after).items():
        first = {_case(row): row for row in earlier.get(place, []) if row["score"] is not None}
        second = {_case(row): row for row in group if row["score"] is not None}
        shared = [case for case in first if case in second]
        everything = {_case(row) for row in (*earlier.get(place, []), *group)}
        difference = paired_bootstrap(
            [(first[case]["score"], 1.0) for case in shared],
            [(second[case]["score"], 1.0) for case in shared],
            [first[case]["cluster"] for case in shared],
            mean,
        )
        found.append(
            {
                "dataset": place[0],
                "stage": place[1],
                **asdict(difference),
                "dropped": len(everything) - len(shared),
            }
        )
    return found


def _by_stage(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["dataset"], row["stage"]), []).append(row)
    return found


def _case(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("seed", "case_id", "mode", "upto", "elicit"))


def _mean(rows: Rows) -> Estimate:
    scored = [row for row in rows if row["score"] is not None]
    return cluster_bootstrap([(row["score"], 1.0) for row in scored], [row["cluster"] for row in scored], mean)
