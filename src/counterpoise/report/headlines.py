"""The summary of a report: a sentence or two for each half, computed from the tables."""

from collections.abc import Sequence

from counterpoise.counterfactual.results.attribution import StageCost
from counterpoise.counterfactual.results.elicitation_costs import REFERENCE, CostMatch
from counterpoise.counterfactual.results.tools import ToolGain
from counterpoise.report.lines import (
    MODES,
    TOOL_USES,
    CurationLine,
    StageLine,
    by_elicitation,
    main_lines,
    position,
)
from counterpoise.report.safety.headlines import lab_sentences, verify_sentences
from counterpoise.report.tables import Tables
from counterpoise.report.wording import (
    attribution_titles,
    cost,
    difference,
    direction,
    interval,
    score,
    shift,
    step_title,
)

__all__ = ["Headline", "headlines"]

Headline = tuple[str, str]
"""The half that is spoken of, and what is said of it."""


def headlines(tables: Tables) -> tuple[Headline, ...]:
    """A few sentences on each diagnosed model, curation run, lab run and verification; empty without tables."""
    found: list[Headline] = []
    for model in dict.fromkeys(line.model for line in tables.stages):
        if said := _diagnosis(main_lines([line for line in tables.stages if line.model == model])):
            found.append(("Diagnosis", said))
    for run, model in dict.fromkeys((one.run, one.model) for one in tables.attributions):
        if said := _attribution(tables, run, model):
            found.append(("Diagnosis", said))
    for run, model in dict.fromkeys((match.run, match.model) for match in tables.matches):
        if said := _equal_cost([m for m in tables.matches if (m.run, m.model, m.mode) == (run, model, MODES[0])]):
            found.append(("Diagnosis", f"{model}: {said}"))
    for run, model in dict.fromkeys((gain.run, gain.model) for gain in tables.tool_gains):
        if said := _tools([gain for gain in tables.tool_gains if (gain.run, gain.model) == (run, model)]):
            found.append(("Diagnosis", f"{model}: {said}"))
    found += [("Curation", _curation(line)) for line in tables.curation]
    found += [("Customization", said) for run in tables.customization for said in lab_sentences(run)]
    found += [("Verification", said) for run in tables.verification for said in verify_sentences(run)]
    return tuple(found)


def _diagnosis(lines: Sequence[StageLine]) -> str:
    measured = [line for line in lines if line.estimate.value is not None]
    if not measured:
        return ""
    # The answer is the whole question end to end, and no stage of it.
    stages = [line for line in measured if line.stage != "answer"] or measured
    weakest = min(stages, key=lambda line: (line.estimate.value, line.estimate.high))
    floor = weakest.floor
    beside = f"; best baseline, {floor.name}, {score(floor.estimate.value)}" if floor else ""
    compared = [line for line in measured if line.floor is not None]
    above = sum(line.standing == "above" for line in compared)
    return (
        f"{weakest.model}: weakest stage against gold is {weakest.stage} on {weakest.dataset} ({weakest.metric} "
        f"{score(weakest.estimate.value)} {interval(weakest.estimate)}, n={weakest.estimate.n}{beside}). "
        f"{above} of {len(compared)} stage scores lie above the best baseline that uses no model."
    )


def _attribution(tables: Tables, run: str, model: str) -> str:
    """What the stages cost, with the plainest elicitation that has it: pooled where several datasets do."""
    whole = [one for one in tables.attributions if (one.run, one.model) == (run, model) and one.costs]
    if not whole:
        return ""
    elicit = min((one.elicit for one in whole), key=by_elicitation)
    mine = [one for one in whole if one.elicit == elicit]
    one = next((one for one in mine if not one.dataset), mine[0])
    # Where only some of the pooled cases have unseen causes, abduction is no step of its own.
    merged = not one.dataset and not one.abduction and any(other.abduction for other in mine)
    names = {"outcome": "outcome (abduction included)"} if merged else {}

    def said(step: StageCost) -> str:
        return f"{names.get(step.stage, step_title(step.stage))} {cost(step.estimate)}"

    ranked = sorted(one.costs, key=lambda step: -(step.estimate.value or 0.0))
    clear = [said(step) for step in ranked if step.clear and (step.estimate.value or 0.0) > 0]
    found = (
        f"Clear costs, largest first: {', '.join(clear)}"
        if clear
        else f"No stage's cost is distinguishable from 0 (largest: {said(ranked[0])})"
    )
    titles = dict(zip(mine, attribution_titles(mine), strict=True))
    return (
        f"{model}, {elicit} elicitation: the chained result is {score(one.chained.value)} {interval(one.chained)} on "
        f"{titles[one]} (n={one.n}). {found}.{_at_once(tables, run, model, elicit)}"
    )


def _at_once(tables: Tables, run: str, model: str, elicit: str) -> str:
    """Whether the stages help, and whether the chained answer is better than no model at all."""
    key = (run, model, elicit, "answer")
    pairs = [p for p in tables.propagations if (p.run, p.model, p.elicit, p.stage) == key]
    pairs = [pair for pair in pairs if pair.difference.value is not None]
    parts = []
    if len(pairs) == 1:
        change = pairs[0].difference
        unclear = "" if direction(change) else ", no clear change"
        parts.append(f"Going through the stages instead of asking at once: {shift(change)}{unclear}.")
    elif pairs:
        better, worse = (sum(direction(pair.difference) == sign for pair in pairs) for sign in (1, -1))
        parts.append(
            f"Going through the stages is clearly better than asking at once on {better} of {len(pairs)} datasets, "
            f"clearly worse on {worse}."
        )
    lines = [line for line in tables.stages if (line.run, line.model, line.elicit, line.stage) == key]
    low = [
        f"{line.dataset} ({line.floor.name} {score(line.floor.estimate.value)})"
        for line in lines
        if line.mode == "chained" and line.standing in ("level", "below") and line.floor is not None
    ]
    if low:
        more = f" and {len(low) - 3} more" if len(low) > 3 else ""
        parts.append(f"The chained answer is not clearly better than the best baseline on {', '.join(low[:3])}{more}.")
    return "".join(f" {part}" for part in parts)


def _equal_cost(matches: Sequence[CostMatch]) -> str:
    """How elicitations compare with independent samples that write no more tokens; empty where none can be compared."""
    parts = []
    for elicit in sorted({match.elicit for match in matches}, key=by_elicitation):
        signs = [direction(match.difference) for match in matches if match.elicit == elicit and match.k is not None]
        if signs:
            parts.append(
                f"{elicit} is clearly better on {signs.count(1)} and clearly worse on {signs.count(-1)} of "
                f"{len(signs)} stage scores"
            )
    if not parts:
        return ""
    return f"against as many samples of {REFERENCE} as write no more tokens, {'; '.join(parts)}."


def _tools(gains: Sequence[ToolGain]) -> str:
    """How many stage scores clearly change by each use of tools; empty where none can be compared."""
    measured = [gain for gain in gains if gain.gain.value is not None]
    if not measured:
        return ""
    # The first stage is asked alike in every mode, so counting over modes would count it twice.
    mode = min((gain.mode for gain in measured), key=lambda name: position(name, MODES))
    mine = [gain for gain in measured if gain.mode == mode]
    parts = []
    for use in sorted({gain.use for gain in mine}, key=lambda name: position(name, TOOL_USES)):
        those = [gain for gain in mine if gain.use == use]
        signs = [direction(gain.gain) for gain in those]
        if any(signs):
            parts.append(
                f"{use} are clearly better on {signs.count(1)} and clearly worse on {signs.count(-1)} of "
                f"{len(those)} stage scores"
            )
        else:
            most = max(those, key=lambda gain: abs(gain.gain.value or 0.0))
            parts.append(
                f"no gain by {use} is distinguishable from 0 ({len(those)} compared; largest change: {most.stage} on "
                f"{most.dataset} {shift(most.gain)})"
            )
    return f"tools against the same elicitation without them, {mode} mode: {'; '.join(parts)}."


def _curation(line: CurationLine) -> str:
    said = (
        f"{100 * (line.passed.value or 0):.0f} % of {line.passed.n} texts were revised (objective: {line.objective})."
    )
    change = line.change
    if line.before is None or line.after is None or change.low is None or change.high is None or change.value is None:
        return said + " No text has a perplexity before and after."
    if change.low > 0:
        moved = "rose"
    elif change.high < 0:
        moved = "fell"
    else:
        moved = "did not clearly change"
    return (
        f"{said} Median perplexity {moved}: {line.before:.1f} before, {line.after:.1f} after "
        f"(difference {difference(change)}, n={change.n})."
    )
