"""Run folders read for a report: the manifest and the rows of each, checked, nothing computed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from counterpoise.errors import DataError
from counterpoise.records import Manifest, Row, read_jsonl, read_manifest

__all__ = ["KINDS", "Run", "read_runs"]

KINDS = ("diagnose", "curate", "lab", "verify")
"""The kinds of run that a report knows, in the order in which it shows them."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder.

    Attributes:
        folder: the folder's name, without its parents: a report is sent to others and names no machine's paths.
        manifest: what produced the rows.
        rows: the rows of ``rows.jsonl``, of the row class of the run's kind; empty when the run has none yet.
        baselines: rows of ``baselines.jsonl`` (diagnosis only).
        cells: trained steps of ``cells.jsonl`` (lab only).
        tools: what tools found by themselves, of ``tools.jsonl`` (diagnosis with tools only).
        reasoning: rows of the diagnoses below the folder, as mappings: of a lab run those of every diagnosed
            checkpoint, with the columns that say which; of a verification those of its slice.
        before: the earlier verification that lies in the folder (verification only).
    """

    folder: str
    manifest: Manifest
    rows: tuple[Any, ...]
    baselines: tuple[Any, ...] = ()
    cells: tuple[Any, ...] = ()
    tools: tuple[Any, ...] = ()
    reasoning: tuple[Mapping[str, Any], ...] = ()
    before: "Run | None" = None

    @property
    def id(self) -> str:
        """The run's id."""
        return self.manifest.run

    @property
    def kind(self) -> str:
        """The kind of run: one of :data:`KINDS`."""
        return self.manifest.kind


def read_runs(folders: Sequence[Path]) -> tuple[Run, ...]:
    """Read run folders, in the order of :data:`KINDS` and, within a kind, in the order given.

    Raises:
        DataError: no folder was given, a folder holds no run or one that cannot be reported, the same run is given
            twice, or a row is not one of its kind of run; names the file and line.
    """
    if not folders:
        raise DataError("no run folder given", expected="at least one folder with a manifest.json")
    runs = [_read_run(folder) for folder in folders]
    seen: dict[str, str] = {}
    for run in runs:
        if run.id in seen:
            raise DataError(
                f"folders {seen[run.id]!r} and {run.folder!r} hold the same run {run.id}",
                fix="pass one of them, since the same rows must not be counted twice",
            )
        seen[run.id] = run.folder
    return tuple(sorted(runs, key=lambda run: KINDS.index(run.kind)))


def _read_run(folder: Path, *, inner: bool = False) -> Run:
    manifest = read_manifest(folder)
    if manifest.kind not in KINDS:
        raise DataError(
            f"a run of kind {manifest.kind!r} cannot be reported",
            where=str(folder),
            expected="one of " + ", ".join(KINDS),
        )
    types = _row_types(manifest.kind)
    return Run(
        folder=folder.resolve().name,
        manifest=manifest,
        reasoning=_reasoning(folder, manifest.kind),
        before=None if inner else _before(folder, manifest.kind),
        **{name: _rows(folder / f"{name}.jsonl", row_type, manifest.kind) for name, row_type in types.items()},
    )


def _before(folder: Path, kind: str) -> Run | None:
    """The earlier verification in a verification's folder."""
    below = folder / "before"
    if kind != "verify" or not (below / "manifest.json").is_file():
        return None
    found = _read_run(below, inner=True)
    if found.kind != kind:
        raise DataError(f"a run of kind {found.kind!r}", where=str(below), expected="an earlier verification")
    return found


def _reasoning(folder: Path, kind: str) -> tuple[Mapping[str, Any], ...]:
    """The rows of the diagnoses that a lab run or a verification made."""
    if kind not in ("lab", "verify"):
        return ()
    from counterpoise.counterfactual.score import DiagnosisRow

    below = folder / "reasoning"
    if kind == "verify":
        return tuple(row.model_dump(mode="json") for row in _rows(below / "rows.jsonl", DiagnosisRow, "diagnose"))
    from counterpoise.customization.results.reasoning import INDEX, ReasoningRow

    found: list[Mapping[str, Any]] = []
    for number, place in enumerate(_rows(folder / INDEX, ReasoningRow, kind), start=1):
        columns = place.model_dump(mode="json")
        name = columns.pop("folder")
        if name in ("", ".", "..") or set(name) & set("/\\\0"):
            # What a file names is a folder in this one, or nothing that is read.
            raise DataError("folder: not a plain name", where=f"{folder / INDEX} row {number}", expected="a checkpoint")
        rows = _rows(below / name / "rows.jsonl", DiagnosisRow, "diagnose")
        found += [{**row.model_dump(mode="json"), **columns} for row in rows]
    return tuple(found)


def _rows(path: Path, row_type: type[BaseModel], kind: str) -> tuple[Any, ...]:
    # A run that was killed may end in half a line, which the next resume removes; a report must not need one.
    objects = read_jsonl(path, drop_torn=True) if path.exists() else []
    rows = []
    for number, value in enumerate(objects, start=1):
        where = f"{path} row {number}"
        try:
            row = row_type.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            column = ".".join(str(part) for part in first["loc"]) or "the row"
            raise DataError(
                f"{column}: {first['msg']}",
                where=where,
                expected=f"a row of a {kind} run of this version",
                # A column that every row has and this one lacks: it is older than the column.
                fix="run it again into a new folder" if first["type"] == "missing" else None,
            ) from error
        if endless := [name for name in ("ratio", "dose") if not math.isfinite(getattr(row, name, 0.0))]:
            raise DataError(f"{endless[0]}: not a finite number", where=where, expected=f"a row of a {kind} run")
        if isinstance(row, Row) and row.kind != kind:
            raise DataError(f"a row of kind {row.kind!r}", where=where, expected=f"{kind!r}, as the manifest says")
        rows.append(row)
    return tuple(rows)


def _row_types(kind: str) -> dict[str, type[BaseModel]]:
    """The row files of a kind of run with the classes of their rows, imported when such a run is read."""
    if kind == "diagnose":
        from counterpoise.counterfactual.results.tools import ToolRecord
        from counterpoise.counterfactual.score import DiagnosisRow

        return {"rows": DiagnosisRow, "baselines": DiagnosisRow, "tools": ToolRecord}
    if kind == "curate":
        from counterpoise.curation.curate import CurationRow

        return {"rows": CurationRow}
    if kind == "verify":
        from counterpoise.safety.measures.rows import MeasureRow

        return {"rows": MeasureRow}
    from counterpoise.customization.results.rows import CellRow, LabRow

    return {"rows": LabRow, "cells": CellRow}
