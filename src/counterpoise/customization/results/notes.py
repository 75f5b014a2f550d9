"""What the numbers of a lab run show and do not show, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["notes"]

Entry = Mapping[str, Any]
Entries = Sequence[Entry]


def notes(changes: Entries, gates: Entries, reasoning: Entries, main_ratios: Mapping[str, float]) -> list[str]:
    """One line for each thing that a reader of the results must know; sweeps are left to their curves.

    Args:
        changes: of a summary.
        gates: of a summary.
        reasoning: the reasoning changes of a summary.
        main_ratios: the ratio of each attack's grid.

    Returns:
        Null results first among them: an attack that did nothing, a defence that restored nothing, arms that do not
        differ. Then what refusals cost, gates that are broken or that too few items leave open, and stages of
        reasoning that changed.
    """
    several = len(main_ratios) > 1
    labels = _labelling(changes)
    found: list[str] = []
    for entry in changes:
        known = entry["low"] is not None and entry["judge"] in labels[entry["metric"], entry["prompt_set"]]
        if known and _of_grid(entry, main_ratios) and entry["prompt_set"] != "all":
            found += [line + _under(entry, several) for line in _of_change(entry)]
    found += [
        line + _under(entry, several)
        for entry in gates
        if entry["comparison"] == "whole" and _of_grid(entry, main_ratios) and entry["prompt_set"] != "all"
        for line in _of_gate(entry)
    ]
    found += [
        line + _under(entry, several)
        for entry in reasoning
        if entry["comparison"] in ("attack", "whole") and _of_grid(entry, main_ratios)
        for line in _of_reasoning(entry)
    ]
    return list(dict.fromkeys(found))


def _labelling(changes: Entries) -> dict[tuple[str, str], set[str]]:
    """The first judge of each metric and set, which is the labelling one; further judges have rates, not notes."""
    found: dict[tuple[str, str], set[str]] = {}
    for entry in changes:
        found.setdefault((entry["metric"], entry["prompt_set"]), {entry["judge"]})
    return found


def _of_grid(entry: Entry, main_ratios: Mapping[str, float]) -> bool:
    to = entry["to"]
    return to["dose"] in (0, 1) and to["ratio"] in (0, main_ratios.get(to["attack"]))


def _under(entry: Entry, several: bool) -> str:
    attack = entry["to"]["attack"]
    return f" (attack {attack})" if several and attack else ""


def _of_change(entry: Entry) -> Iterator[str]:
    second, prompts, value = entry["to"], entry["prompt_set"], entry["value"]
    unclear = _unclear(entry)
    arm = f"the arm {second['arm']} ({second['phase']})"
    match entry["metric"], entry["comparison"]:
        case "over_refusal_rate", "alignment" | "defence" if not unclear and value > 0:
            cause = "the alignment" if entry["comparison"] == "alignment" else arm
            yield (
                f"{cause} raised the over-refusal rate on {prompts} by {value:.2f}: read its safety rate together with "
                "this"
            )
        case "attack_success_rate", "arms" if not unclear:
            yield (
                f"the attack success rate on {prompts} is {'lower' if value < 0 else 'higher'} with the arm "
                f"{second['arm']} than with {entry['from']['arm']} ({second['phase']}), by {abs(value):.2f}"
            )
        case "safety_rate", "attack" if unclear or value > 0:
            yield (
                f"the attack did not clearly lower the safety rate on {prompts}: what a defence restores cannot be "
                "read from this run"
            )
        case "safety_rate", "defence" if unclear:
            yield f"no clear change of the safety rate on {prompts} by {arm}"
        case "safety_rate", "arms" if unclear:
            yield (
                f"no clear difference between the arms {second['arm']} and {entry['from']['arm']} ({second['phase']}) "
                f"in the safety rate on {prompts}"
            )
        case "coherent_rate", "defence" | "whole" if not unclear and value < 0:
            since = "alignment" if entry["comparison"] == "whole" else "the attack"
            yield f"completions on {prompts} are less coherent with {arm} than after {since}, by {-value:.2f}"


def _of_gate(entry: Entry) -> Iterator[str]:
    place = f"the arm {entry['to']['arm']} ({entry['to']['phase']})"
    what = {"utility": "accuracy", "over_refusal": "over-refusal rate"}[entry["gate"]]
    if entry["verdict"] == "broken":
        yield (
            f"gate broken: {place} changed the {what} on {entry['prompt_set']} by {100 * entry['value']:+.1f} points "
            f"since alignment; the limit is {100 * entry['limit']:+.0f}"
        )
    elif entry["verdict"] == "unclear" and entry["low"] is not None:
        yield (
            f"gate open: the change of the {what} on {entry['prompt_set']} by {place} since alignment is "
            f"{100 * entry['value']:+.1f} points [{100 * entry['low']:+.1f}, {100 * entry['high']:+.1f}], too wide for "
            f"the limit of {100 * entry['limit']:+.0f}"
        )


def _of_reasoning(entry: Entry) -> Iterator[str]:
    if entry["low"] is None or entry["low"] <= 0 <= entry["high"]:
        return
    second = entry["to"]
    cause = "the attack" if entry["comparison"] == "attack" else f"the arm {second['arm']} ({second['phase']})"
    yield (
        f"reasoning: the stage {entry['stage']} of {entry['dataset']} is {'worse' if entry['value'] < 0 else 'better'} "
        f"after {cause} than before the attack, by {abs(entry['value']):.2f}"
    )


def _unclear(entry: Entry) -> bool:
    # Where all pairs change alike the interval has no width; the exact test then still knows how few they are.
    return bool(entry["low"] <= 0 <= entry["high"] or entry["p_value"] > 0.05)
