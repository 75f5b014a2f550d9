"""The summary of a report: a sentence or two for each half, computed from the tables."""

from collections.abc import Sequence

from counterpoise.report.lines import NO_DEFENCE, ChangeLine, CurationLine, StageLine, arm_title
from counterpoise.report.tables import Tables
from counterpoise.statistics import Estimate

__all__ = ["Headline", "difference", "headlines", "interval", "percent", "points", "score"]

Headline = tuple[str, str]
"""The half that is spoken of, and what is said of it."""


def headlines(tables: Tables) -> tuple[Headline, ...]:
    """One headline for each diagnosed model, curation run and defended arm; empty without tables."""
    found: list[Headline] = []
    for model in dict.fromkeys(line.model for line in tables.stages):
        if said := _diagnosis([line for line in tables.stages if line.model == model]):
            found.append(("Diagnosis", said))
    found += [("Curation", _curation(line)) for line in tables.curation]
    found += [("Customization", said) for said in _defence(tables.changes)]
    return tuple(found)


def score(value: float | None) -> str:
    """A value in [0, 1] with two decimals, or a dash.

    >>> score(0.314), score(None)
    ('0.31', '–')
    """
    return "–" if value is None else f"{value:.2f}"


def interval(estimate: Estimate) -> str:
    """The bounds of a score; empty when it has none.

    Bounds that coincide come from resampling items that all score the same, or of a single cluster. Printed as an
    interval they would claim a certainty that is not there.

    >>> interval(Estimate(0.5, 0.25, 0.75, 8, 8)), interval(Estimate(0.0, 0.0, 0.0, 2, 2))
    ('[0.25, 0.75]', '(no spread)')
    """
    if estimate.low is None or estimate.high is None:
        return ""
    return "(no spread)" if estimate.low == estimate.high else f"[{estimate.low:.2f}, {estimate.high:.2f}]"


def percent(estimate: Estimate) -> str:
    """A rate as a percentage with its bounds, which are left out as in :func:`interval`.

    >>> percent(Estimate(0.5, 0.25, 0.755, 8, 8)), percent(Estimate(None, None, None, 0, 0))
    ('50 % [25, 76]', '–')
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    if estimate.low == estimate.high:
        return f"{100 * estimate.value:.0f} % (no spread)"
    return f"{100 * estimate.value:.0f} % [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def points(estimate: Estimate) -> str:
    """A difference of rates in percentage points with its bounds, signs shown.

    >>> points(Estimate(0.25, -0.02, 0.5, 8, 8))
    '+25 points [−2, +50]'
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    value, low, high = (_signed(100 * bound, 0) for bound in (estimate.value, estimate.low, estimate.high))
    return f"{value} points [{low}, {high}]"


def difference(estimate: Estimate) -> str:
    """A difference with one decimal and its bounds, signs shown.

    >>> difference(Estimate(1.25, -0.5, 3.0, 8, 8))
    '+1.2 [−0.5, +3.0]'
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{_signed(estimate.value, 1)} [{_signed(estimate.low, 1)}, {_signed(estimate.high, 1)}]"


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


def _defence(changes: Sequence[ChangeLine]) -> list[str]:
    """What alignment and the attack did, then each defended arm against the attacked model and its control."""
    said = []
    told = [c for c in changes if not c.against_arm or c.arm == "curated"]
    for run, phase, arm, first in dict.fromkeys((c.run, c.phase, c.arm, c.first) for c in told):
        mine = [c for c in told if (c.run, c.phase, c.arm, c.first) == (run, phase, arm, first)]
        several = len(mine) > len({c.metric for c in mine})
        parts = [
            f"{c.metric}{f' on {c.prompt_set}' if several else ''} {points(c.estimate)}{_clearly(c.estimate)}"
            for c in mine
        ]
        if (phase, arm) == NO_DEFENCE:
            subject = "Alignment" if mine[0].last == "aligned" else "The attack"
        else:
            subject = _sentence(arm_title(phase, arm))
        pairs = " and ".join(str(n) for n in dict.fromkeys(c.estimate.n for c in mine))
        beside = first if mine[0].against_arm else f"the {first} model"
        said.append(f"{subject}, against {beside}: {'; '.join(parts)} (n={pairs} pairs).")
    return said


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _clearly(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return "" if estimate.low > 0 or estimate.high < 0 else " (no clear change)"


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    # A rounded zero has no sign; a real minus sign lines up with the plus.
    return text[1:] if float(text) == 0 else text.replace("-", "−")
