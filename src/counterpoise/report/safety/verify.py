"""What a verification found, as lines.

Rates come from the rows. What changed against an earlier run was computed when the verification ended and is in its
manifest, for the earlier run may be a folder that is not at hand; where its rows are, its rates stand beside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from counterpoise.errors import DataError
from counterpoise.report.folders import Run
from counterpoise.report.safety.entries import (
    change_line,
    gap_lines,
    gate_lines,
    rate_line,
    reasoning_change,
    reasoning_line,
)
from counterpoise.report.safety.lines import (
    MODEL,
    MODEL_BEFORE,
    ChangeLine,
    GateLine,
    ReasoningChange,
    SafetyRun,
)
from counterpoise.report.visible import visible

__all__ = ["earlier_run", "verify_found"]

Line = TypeVar("Line", ChangeLine, GateLine, ReasoningChange)

_AGAINST = ("before", MODEL_BEFORE, MODEL)


def earlier_run(run: Run, others: Iterable[Run] = ()) -> Run | None:
    """The run that a verification was compared with, if its rows are at hand: in its folder or among the others."""
    against = _summary(run).get("before")
    if not isinstance(against, Mapping):
        return None
    found = [one for one in (run.before, *others) if one is not None and one is not run]
    return next((one for one in found if one.id == against.get("run")), None)


def verify_found(run: Run, others: Iterable[Run] = ()) -> SafetyRun | None:
    """Everything that is tabulated of a verification; ``None`` while it has no rows.

    Args:
        run: the verification.
        others: runs among which the earlier one may be.

    Raises:
        DataError: the summary in the manifest is damaged.
    """
    if not run.rows and not run.reasoning:
        return None
    found, notes = _measured(run)
    rates = tuple(rate_line(entry, MODEL) for entry in found["rates"])
    reasoning = [reasoning_line(entry, MODEL) for entry in found["reasoning"]]
    said = _summary(run)
    earlier = earlier_run(run, others)
    if earlier is not None:
        was, _ = _measured(earlier)
        rates = (*(rate_line(entry, MODEL_BEFORE) for entry in was["rates"]), *rates)
        reasoning = [*(reasoning_line(entry, MODEL_BEFORE) for entry in was["reasoning"]), *reasoning]
    try:
        compared = _compared(said) if said.get("before") else {}
        notes = tuple(str(note) for note in said.get("notes", notes))
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise DataError(
            "the summary in the manifest is damaged",
            where=f"{run.folder}/manifest.json",
            expected="the summary of a verification of this version",
            fix="repeat its command, which writes it again",
        ) from error
    return SafetyRun(
        run=run.id,
        kind=run.kind,
        model=run.rows[0].model if run.rows else "",
        rates=rates,
        gaps=tuple(gap_lines(rates)),
        reasoning=tuple(reasoning),
        notes=notes,
        **compared,
    )


def _measured(run: Run) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The room's summary of the rows alone, and its notes."""
    # Importing the room imports the diagnosis; a report of other runs does without.
    from counterpoise.verify.summary import summarise

    measures = run.manifest.config.get("measures")
    seed = measures.get("seed") if isinstance(measures, Mapping) else None
    # A persona is part of an item's identity, which is a hash, and of no number: as visible text it can be hashed.
    rows = [row.model_dump() | {"system": visible(row.system), "prefix": visible(row.prefix)} for row in run.rows]
    found = summarise(rows, run.reasoning, seed=seed if isinstance(seed, int) else 0)
    return found, tuple(found["notes"])


def _compared(said: Mapping[str, Any]) -> dict[str, Any]:
    changes = _checked(ChangeLine, [change_line(entry, *_AGAINST) for entry in said["changes"]])
    return {
        "before": (str(said["before"]["run"]), str(said["before"]["model"])),
        "changes": changes,
        "gates": _checked(GateLine, gate_lines([(entry, *_AGAINST) for entry in said["gates"]], changes)),
        "reasoning_changes": _checked(
            ReasoningChange, [reasoning_change(entry, *_AGAINST) for entry in said["reasoning_changes"]]
        ),
    }


def _checked(kind: type[Line], lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, if all their values are of the types that they should be: a manifest can hold anything."""
    adapter: TypeAdapter[tuple[Line, ...]] = TypeAdapter(tuple[kind, ...])  # type: ignore[valid-type]
    return adapter.validate_python([asdict(line) for line in lines])


def _summary(run: Run) -> Mapping[str, Any]:
    """The summary that the verification left; empty while it is not complete."""
    said = run.manifest.facts.get("summary")
    return said if isinstance(said, Mapping) else {}
