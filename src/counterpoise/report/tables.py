"""Every table of a report, from run folders; the same values as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.results.attribution import Attribution
from counterpoise.counterfactual.results.elicitation_costs import CostMatch, ElicitationCost
from counterpoise.counterfactual.results.propagation import Propagation
from counterpoise.counterfactual.results.tools import ToolGain, ToolRecall
from counterpoise.report.curation import curation_line
from counterpoise.report.diagnosis import diagnosis_of
from counterpoise.report.folders import Run, read_runs
from counterpoise.report.lines import CurationLine, StageLine
from counterpoise.report.safety.lab import lab_found
from counterpoise.report.safety.lines import SafetyRun
from counterpoise.report.safety.verify import verify_found

__all__ = ["Tables", "tables_from", "tables_of", "to_json"]


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything a report tabulates; any part may be empty."""

    stages: tuple[StageLine, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    propagations: tuple[Propagation, ...] = ()
    elicitations: tuple[ElicitationCost, ...] = ()
    matches: tuple[CostMatch, ...] = ()
    tool_gains: tuple[ToolGain, ...] = ()
    tool_recalls: tuple[ToolRecall, ...] = ()
    curation: tuple[CurationLine, ...] = ()
    customization: tuple[SafetyRun, ...] = ()
    verification: tuple[SafetyRun, ...] = ()


def tables_of(folders: Sequence[Path]) -> Tables:
    """Read run folders and tabulate them.

    Raises:
        DataError: a folder holds no run, or its rows are not those of its kind of run; see
            :func:`~counterpoise.report.folders.read_runs`.
    """
    return tables_from(read_runs(folders))


def tables_from(runs: Sequence[Run]) -> Tables:
    """Tabulate runs that have been read; a run without rows adds no line.

    Raises:
        DataError: a row lacks a column of its kind of run; names the run and the row.
    """
    diagnosed = [diagnosis_of(run) for run in runs if run.kind == "diagnose"]
    curated = [run for run in runs if run.kind == "curate" and run.rows]
    trained = [lab_found(run) for run in runs if run.kind == "lab"]
    verified = [verify_found(run, runs) for run in runs if run.kind == "verify"]
    return Tables(
        stages=tuple(line for found in diagnosed for line in found.stages),
        attributions=tuple(line for found in diagnosed for line in found.attributions),
        propagations=tuple(line for found in diagnosed for line in found.propagations),
        elicitations=tuple(line for found in diagnosed for line in found.elicitations),
        matches=tuple(line for found in diagnosed for line in found.matches),
        tool_gains=tuple(line for found in diagnosed for line in found.tool_gains),
        tool_recalls=tuple(line for found in diagnosed for line in found.tool_recalls),
        curation=tuple(curation_line(run) for run in curated),
        customization=tuple(found for found in trained if found is not None),
        verification=tuple(found for found in verified if found is not None),
    )


def to_json(value: Any) -> Any:
    """The same values as JSON types; numbers that JSON cannot hold become ``None``.

    A stage line also carries its computed ``standing`` and ``floor``.

    >>> from counterpoise.report.lines import Baseline
    >>> from counterpoise.statistics import Estimate
    >>> to_json(Baseline("random", Estimate(0.5, float("nan"), 1.0, 4, 4)))["estimate"]["low"] is None
    True
    """
    if is_dataclass(value) and not isinstance(value, type):
        plain = {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, StageLine):
            plain |= {"standing": value.standing, "floor": value.floor.name if value.floor else None}
        return plain
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
