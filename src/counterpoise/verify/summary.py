"""What a verification found, as plain numbers, and what the numbers do not show."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from counterpoise.safety.measures import EVERY_SET, changes, gates, rates
from counterpoise.verify.reasoning import reasoning_changes, reasoning_rates

__all__ = ["summarise"]

Rows = Sequence[Mapping[str, Any]]


def summarise(
    rows: Rows,
    reasoning: Rows = (),
    *,
    before: Rows | None = None,
    before_reasoning: Rows = (),
    seed: int = 0,
) -> dict[str, Any]:
    """The summary of a verification.

    Args:
        rows: of the model.
        reasoning: of its slice of the diagnosis; none without one.
        before: rows of the earlier or undefended model; ``None`` without a comparison.
        before_reasoning: of that one's slice.
        seed: of the intervals' bootstrap.

    Returns:
        JSON values: ``rates`` (see :func:`~counterpoise.safety.measures.rates`), ``reasoning`` (see
        :func:`~counterpoise.verify.reasoning.reasoning_rates`), ``changes`` (see
        :func:`~counterpoise.safety.measures.changes`), ``gates`` (see :func:`~counterpoise.safety.measures.gates`),
        ``reasoning_changes`` (see :func:`~counterpoise.verify.reasoning.reasoning_changes`) and ``notes``, sentences.
        The three about changes are empty without a comparison.
    """
    found = rates(rows, seed=seed)
    changed = [] if before is None else changes(before, rows, seed=seed)
    reasoned = [] if before is None else reasoning_changes(before_reasoning, reasoning, seed=seed)
    judged = gates(changed)
    return {
        "rates": found,
        "reasoning": reasoning_rates(reasoning) if reasoning else [],
        "changes": changed,
        "gates": judged,
        "reasoning_changes": reasoned,
        "notes": list(dict.fromkeys([*_rate_notes(found), *_change_notes(changed, judged)])),
    }


def _rate_notes(found: Iterable[Mapping[str, Any]]) -> list[str]:
    notes = []
    for entry in found:
        if entry["prompt_set"] == EVERY_SET:
            continue
        asked = entry["n"] + entry["unscored"]
        if entry["unscored"]:
            notes.append(
                f"{entry['metric']} of {entry['prompt_set']}: {entry['unscored']} of {asked} are not scored by "
                f"{entry['judge']} and left out"
            )
        if entry["metric"] in ("safety_rate", "over_refusal_rate") and entry["unreadable"]:
            notes.append(
                f"{entry['prompt_set']}: {entry['unreadable']} of {asked} completions cannot be read; they count as no "
                "refusal"
            )
    return notes


def _change_notes(changed: Sequence[Mapping[str, Any]], judged: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = []
    for entry in changed:
        if entry["low"] is not None and entry["low"] <= 0 <= entry["high"] and entry["metric"] != "coherent_rate":
            notes.append(f"no clear change of {entry['metric']} on {entry['prompt_set']} ({entry['judge']})")
        if entry["dropped"] and entry["prompt_set"] != EVERY_SET:
            notes.append(
                f"{entry['metric']} of {entry['prompt_set']}: {entry['dropped']} items are measured or scored on one "
                "side only and left out of the change"
            )
    for entry in judged:
        if entry["verdict"] == "unclear" and entry["low"] is not None:
            notes.append(
                f"the gate {entry['gate']} on {entry['prompt_set']} is unclear: {entry['n']} items cannot tell whether "
                f"the change is within {100 * entry['limit']:+.0f} points"
            )
    return notes
