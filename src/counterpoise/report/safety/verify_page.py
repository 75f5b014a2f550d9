"""What the section on a verification shows, prepared for its template."""

from collections.abc import Iterator
from dataclasses import dataclass

from counterpoise.report import charts
from counterpoise.report.safety.grid import JudgeTable, VerifyRow, judge_tables, verify_rows
from counterpoise.report.safety.lines import (
    MODEL,
    MODEL_BEFORE,
    GateLine,
    ReasoningChange,
    ReasoningLine,
    SafetyRun,
)
from counterpoise.report.safety.page import Panel, panel
from counterpoise.report.safety.titles import SHARES, headline_columns

__all__ = ["VerifyView", "verify_view"]

_FIRST_NOTES = 10


@dataclass(frozen=True, slots=True)
class VerifyView:
    """One verification.

    Attributes:
        before: run and model that it is compared with; empty without a comparison.
        has_before: whether that one's rates are at hand.
        main: the metrics that come first; ``rows`` are all of them.
        reasoning: each stage with its change, where there is one.
    """

    run: str
    model: str
    before: tuple[str, ...]
    has_before: bool
    notes: tuple[str, ...]
    more_notes: tuple[str, ...]
    main: tuple[VerifyRow, ...]
    rows: tuple[VerifyRow, ...]
    gates: tuple[GateLine, ...]
    reasoning: tuple[ReasoningLine, ...]
    reasoning_before: tuple[ReasoningLine, ...]
    reasoning_changes: tuple[ReasoningChange, ...]
    panels: tuple[Panel, ...]
    judges: tuple[JudgeTable, ...]


def verify_view(run: SafetyRun) -> VerifyView:
    """What is shown of a verification."""
    rates = [line for line in run.rates if line.place == MODEL]
    rows = verify_rows(run)
    columns = headline_columns(rates)
    order = {what: number for number, what in enumerate(columns)}
    main = sorted((row for row in rows if row.rate.what in order), key=lambda row: order[row.rate.what])
    return VerifyView(
        run=run.run,
        model=run.model,
        before=run.before,
        has_before=any(line.place == MODEL_BEFORE for line in run.rates),
        notes=run.notes[:_FIRST_NOTES],
        more_notes=run.notes[_FIRST_NOTES:],
        main=tuple(main),
        rows=tuple(rows),
        gates=run.gates,
        reasoning=tuple(line for line in run.reasoning if line.place == MODEL),
        reasoning_before=tuple(line for line in run.reasoning if line.place == MODEL_BEFORE),
        reasoning_changes=run.reasoning_changes,
        panels=tuple(_panels(run)),
        judges=tuple(judge_tables(run.rates, (MODEL_BEFORE, MODEL))),
    )


def _panels(run: SafetyRun) -> Iterator[Panel]:
    places = [place for place in (MODEL_BEFORE, MODEL) if any(line.place == place for line in run.rates)]
    rates = [line for line in run.rates if line.place == MODEL]
    shares = [what for what in headline_columns(rates) if what.metric in SHARES]
    beside = len(places) > 1
    if beside:
        yield from panel(
            charts.rate_panels(run.rates, places, shares), "The model before and after, by 95 % intervals."
        )
    for prompts in dict.fromkeys(line.prompt_set for line in run.gaps):
        gaps = [line for line in run.gaps if line.prompt_set == prompts]
        yield from panel(
            charts.gap_panels(gaps, places),
            "Perplexity of answers that are given, not of what the model writes: no judge is involved.",
        )
    yield from panel(
        charts.reasoning_panels(run.reasoning, (MODEL_BEFORE, MODEL)),
        "A slice of the counterfactual diagnosis, each stage given the gold of those before it.",
    )
