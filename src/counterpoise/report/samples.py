"""Which rows a report shows in full, and the texts of each."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from counterpoise.report.folders import Run
from counterpoise.report.lines import MODES, STAGES, position
from counterpoise.report.passages import Sample, SampleGroup, outcome_of, passage
from counterpoise.report.safety.samples import lab_groups, verify_groups
from counterpoise.report.safety.verify import earlier_run
from counterpoise.rng import rng_for

__all__ = ["sample_groups"]

_CASES_PER_STAGE = 4
_TEXTS = 4


def sample_groups(run: Run, others: Sequence[Run] = ()) -> tuple[SampleGroup, ...]:
    """Rows of a run to be shown, the same ones each time.

    A diagnosis shows up to four rows a stage and mode, of different outcomes and elicitations where there are such; a
    curation run four texts; a lab run and a verification two prompts of each set, at every checkpoint and arm. None is
    a random sample.

    Args:
        run: the run.
        others: runs among which the one may be that a verification is compared with.
    """
    if run.kind == "verify":
        return verify_groups(run, earlier_run(run, others))
    return {"diagnose": _diagnosis, "curate": _curation, "lab": lab_groups}[run.kind](run)


def _diagnosis(run: Run) -> tuple[SampleGroup, ...]:
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in sorted(run.rows, key=lambda row: (row.dataset, row.case_id)):
        groups.setdefault((row.mode, str(row.stage)), []).append(row)
    order = sorted(groups, key=lambda key: (position(key[0], MODES), position(key[1], STAGES)))
    several = len({mode for mode, _ in groups}) > 1
    return tuple(
        SampleGroup(
            f"Stage: {stage}{f', {mode} mode' if several else ''}",
            tuple(_diagnosis_sample(row) for row in _varied(groups[mode, stage], _CASES_PER_STAGE, _result, _way)),
            len(groups[mode, stage]),
        )
        for mode, stage in order
    )


def _result(row: Any) -> tuple[object, ...]:
    return (row.status, _band(row.score))


def _way(row: Any) -> tuple[object, ...]:
    return (row.upto, row.elicit)


def _diagnosis_sample(row: Any) -> Sample:
    upto = f", gold up to {row.upto}" if row.upto else ""
    merged = tuple(
        passage(f"sample {number} of {len(row.samples)}", text, folded=True)
        for number, text in enumerate(row.samples, start=1)
    )
    return Sample(
        title=f"{row.dataset} · {row.case_id}",
        setting=f"{row.mode}{upto} · {row.elicit}{f', k = {row.k}' if row.k > 1 else ''}",
        outcome=outcome_of(row.status, f"score {row.score:.2f}" if row.score is not None else "no score"),
        good=None if row.score is None else row.score >= 0.995,
        reason=row.reason or "",
        passages=(
            passage("merged answer" if merged else "completion", row.completion),
            passage("parsed answer", "(nothing could be read)" if row.answer is None else _json(row.answer)),
            passage("gold", _json(row.target)),
            *merged,
        ),
    )


def _curation(run: Run) -> tuple[SampleGroup, ...]:
    rows = _varied(run.rows, _TEXTS, lambda row: row.status)
    samples = tuple(
        Sample(
            title=row.text_id,
            outcome=outcome_of(
                row.status, f"perplexity {_number(row.perplexity_before)} → {_number(row.perplexity_after)}"
            ),
            good=None,
            reason=row.reason or "",
            passages=(
                passage("question", row.question, prose=True),
                passage("original", row.original, prose=True),
                passage("revised", "(no revision passed)" if row.revised is None else row.revised, prose=True),
                passage("keywords", ", ".join(row.keywords), prose=True),
            ),
        )
        for row in rows
    )
    return (SampleGroup("Texts before and after", samples, len(run.rows)),) if samples else ()


def _varied(rows: Sequence[Any], most: int, *kinds: Callable[[Any], object]) -> list[Any]:
    """Up to ``most`` rows in a seeded order, one of each kind before a second of any; the first kind matters most."""
    order = list(rows)
    rng_for(0, "report samples", len(rows)).shuffle(order)
    for kind in reversed(kinds):
        turns: dict[object, int] = {}
        ranked: list[tuple[int, int, Any]] = []
        for row in order:
            turns[kind(row)] = turns.get(kind(row), 0) + 1
            ranked.append((turns[kind(row)], len(ranked), row))
        ranked.sort(key=lambda entry: entry[:2])
        order = [row for _, _, row in ranked]
    return order[:most]


def _band(value: float | None) -> str:
    if value is None:
        return "none"
    return "full" if value >= 0.995 else "some" if value > 0 else "zero"


def _json(value: Any) -> str:
    """A structured value, one item a line, so that an answer can be compared with its gold."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(json.dumps(item, ensure_ascii=False) for item in value)
    if isinstance(value, dict):
        return "\n".join(f"{key}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items())
    return json.dumps(value, ensure_ascii=False)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
