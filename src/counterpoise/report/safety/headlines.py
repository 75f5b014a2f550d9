"""What a reader should know first about a lab run or a verification: a few sentences."""

from collections.abc import Iterator, Sequence

from counterpoise.report.safety.lines import (
    ChangeLine,
    GateLine,
    Judged,
    Place,
    RateLine,
    ReasoningChange,
    SafetyRun,
)
from counterpoise.report.safety.saying import change_text, clear, gate_text, value_text
from counterpoise.report.safety.titles import (
    by_place,
    headline_columns,
    main_places,
    metric_title,
    of_attack,
    phase_title,
    place_title,
    whole_gates,
)
from counterpoise.report.wording import direction

__all__ = ["lab_sentences", "verify_sentences"]


def lab_sentences(run: SafetyRun) -> list[str]:
    """For each attack: what it did, what the best defence restored at what cost, whether the arms differ."""
    several = len(run.main_ratios) > 1
    return [
        f"{run.model}{f', attack {attack}' if several else ''}: {said}"
        for attack in dict(run.main_ratios) or ("",)
        if (said := " ".join(_of_attack(run, attack)))
    ]


def verify_sentences(run: SafetyRun) -> list[str]:
    """What the model does, and what changed."""
    mine = [line for line in run.rates if line.place.checkpoint == "verified"]
    columns = headline_columns(mine)
    rates = {line.what: line for line in mine}
    said = [f"{metric_title(what.metric)} {value_text(what, rates[what].estimate)}" for what in columns]
    found = [f"{run.model}: {'; '.join(said)}."] if said else []
    if run.before:
        changes = {change.what: change for change in run.changes}
        parts = [_changed(changes[what]) for what in columns if what in changes]
        gates = whole_gates(run, "before").values()
        judged = f" Gates: {', '.join(map(gate_text, gates))}." if gates else ""
        found.append(f"{run.model}, against {run.before[1]}: {'; '.join(parts) or 'nothing can be compared'}.{judged}")
        if run.reasoning_changes:
            found[-1] += f" {_reasoning(run.reasoning_changes)}"
    return found


def _of_attack(run: SafetyRun, attack: str) -> Iterator[str]:
    rates = of_attack(run.rates, attack)
    places = main_places(run, attack, (line.place for line in rates))
    columns = headline_columns([line for line in rates if line.place in places])
    safety = next((what for what in columns if what.metric == "safety_rate"), None)
    if safety is None:
        return
    at = {line.place: line for line in rates if line.what == safety and line.estimate.value is not None}
    parts = [
        f"{value_text(safety, at[place].estimate)} {'as it came' if place.checkpoint == 'base' else place.checkpoint}"
        for place in places
        if place in at and place.checkpoint != "defended"
    ]
    if parts:
        yield f"safety rate on {_prompts(safety)} {', '.join(parts)}."
    yield from _defences(run, rates, places, columns, safety)
    yield from _arms(run, places, safety)
    thought = [c for c in run.reasoning_changes if c.comparison == "whole" and c.after in places]
    if thought:
        yield _reasoning(thought)


def _defences(
    run: SafetyRun, rates: Sequence[RateLine], places: Sequence[Place], columns: Sequence[Judged], safety: Judged
) -> Iterator[str]:
    """The best defended cell by safety, among those that break no gate where there are such."""
    changes = {c.after: c for c in run.changes if c.comparison == "defence" and c.what == safety and c.after in places}
    if not changes:
        return
    raised = [place for place, change in changes.items() if clear(change) > 0]
    if not raised:
        most = max(changes.values(), key=lambda change: change.estimate.value or 0.0)
        yield (
            f"No defence clearly raised it ({len(changes)} compared; largest change: {place_title(most.after)} "
            f"{change_text(safety, most.estimate)})."
        )
        return
    gates = whole_gates(run, "whole")
    whole = [place for place in raised if not any(gate.verdict == "broken" for gate in _at(gates, place))]
    rate = {(line.place, line.what): line for line in rates}
    over = next((what for what in columns if what.metric == "over_refusal_rate"), None)

    def worth(place: Place) -> tuple[object, ...]:
        cost = rate.get((place, over)) if over else None
        value = rate[place, safety].estimate.value or 0.0
        return -value, (cost.estimate.value or 0.0) if cost else 0.0, by_place(place)

    best = min(whole or raised, key=worth)
    found = [f"{value_text(safety, rate[best, safety].estimate)} ({change_text(safety, changes[best].estimate)})"]
    if over and (best, over) in rate:
        found.append(f"{metric_title(over.metric)} {value_text(over, rate[best, over].estimate)}")
    mine = _at(gates, best)
    judged = ", ".join(map(gate_text, mine)) or "no gate was measured there"
    among = "highest of those that break no gate" if whole else "each of them breaks a gate; highest"
    yield (
        f"{len(raised)} of {len(changes)} defences clearly raised it; {among}: {place_title(best)}, "
        f"{', '.join(found)}. Gates since alignment: {judged}."
    )


def _arms(run: SafetyRun, places: Sequence[Place], safety: Judged) -> Iterator[str]:
    """Whether curated texts do more than the same texts uncurated."""
    pairs = [
        c for c in run.changes if c.comparison == "arms" and c.what == safety and c.after in places and _curated(c)
    ]
    parts = []
    for arm in dict.fromkeys(pair.after.arm for pair in pairs):
        mine = [pair for pair in pairs if pair.after.arm == arm]
        if len(mine) == 1:
            unclear = "" if clear(mine[0]) else ", no clear difference"
            parts.append(f"{arm} {phase_title(mine[0].after.phase)} {change_text(safety, mine[0].estimate)}{unclear}")
        else:
            signs = [clear(change) for change in mine]
            worse = f", clearly less safe in {signs.count(-1)}" if -1 in signs else ""
            parts.append(f"{arm} clearly safer in {signs.count(1)} of {len(mine)} phases{worse}")
    if parts:
        yield f"Against the same texts uncurated: {'; '.join(parts)}."


def _curated(change: ChangeLine) -> bool:
    return change.after.arm.startswith("curated")


def _reasoning(changes: Sequence[ReasoningChange]) -> str:
    known = [change for change in changes if change.estimate.value is not None]
    signs = [direction(change.estimate) for change in known]
    if not any(signs):
        return f"Reasoning by stage: no clear change ({len(known)} compared)."
    return (
        f"Reasoning by stage: clearly worse in {signs.count(-1)}, clearly better in {signs.count(1)} of {len(known)} "
        "comparisons."
    )


def _changed(change: ChangeLine) -> str:
    unclear = "" if clear(change) else " (no clear change)"
    return f"{metric_title(change.what.metric)} {change_text(change.what, change.estimate)}{unclear}"


def _prompts(what: Judged) -> str:
    return "all sets" if what.prompt_set == "all" else what.prompt_set


def _at(gates: dict[tuple[Place, str], GateLine], place: Place) -> list[GateLine]:
    return [gate for (at, _), gate in gates.items() if at == place]
