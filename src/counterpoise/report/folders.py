"""Run folders read for a report: the manifest and the rows of each, checked, nothing computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from counterpoise.errors import DataError
from counterpoise.records import Manifest, Row, read_jsonl, read_manifest

__all__ = ["KINDS", "Run", "read_runs"]

KINDS = ("diagnose", "curate", "lab")
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
    """

    folder: str
    manifest: Manifest
    rows: tuple[Any, ...]
    baselines: tuple[Any, ...] = ()
    cells: tuple[Any, ...] = ()
    tools: tuple[Any, ...] = ()

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


def _read_run(folder: Path) -> Run:
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
        **{name: _rows(folder / f"{name}.jsonl", row_type, manifest.kind) for name, row_type in types.items()},
    )


def _rows(path: Path, row_type: type[BaseModel], kind: str) -> tuple[BaseModel, ...]:
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
                f"{column}: {first['msg']}", where=where, expected=f"a row of a {kind} run of this version"
            ) from error
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
    from counterpoise.customization.rows import CellRow, LabRow

    return {"rows": LabRow, "cells": CellRow}
