"""Which rows a report shows in full, and the texts of each."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.report.folders import Run
from counterpoise.report.lines import CHECKPOINTS, MODES, STAGES, arm_title, position
from counterpoise.report.visible import clip
from counterpoise.rng import rng_for

__all__ = ["Passage", "Sample", "SampleGroup", "sample_groups"]

_MOST_CHARS = 4000
_LONG_CHARS = 700
_CASES_PER_STAGE = 4
_TEXTS = 4
_PROMPTS_PER_SET = 2


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of a row.

    Attributes:
        name: what it is: ``completion``, ``gold`` and so on.
        text: visible characters only, at most 4,000 of them.
        hidden: characters of the text that are not shown.
        folded: shown only when the reader asks: it is long, one of several, or answers a disallowed request.
        warning: why it is folded, if not for its length.
        prose: meant to be read as running text, not as data.
    """

    name: str
    text: str
    hidden: int = 0
    folded: bool = False
    warning: str = ""
    prose: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: where it is from, how it came out, its texts.

    Attributes:
        setting: of a diagnosis, mode and elicitation.
    """

    title: str
    outcome: str
    good: bool | None
    reason: str
    passages: tuple[Passage, ...]
    setting: str = ""


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """Rows shown together, for instance one stage of one model."""

    title: str
    samples: tuple[Sample, ...]
    of: int


def sample_groups(run: Run) -> tuple[SampleGroup, ...]:
    """Rows of a run to be shown, the same ones each time.

    A diagnosis shows up to four rows a stage and mode, of different outcomes and elicitations where there are such; a
    curation run four texts; a lab run two prompts of each set for each arm, the same prompts at every checkpoint. None
    is a random sample.
    """
    return {"diagnose": _diagnosis, "curate": _curation, "lab": _lab}[run.kind](run)


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
        _passage(f"sample {number} of {len(row.samples)}", text, folded=True)
        for number, text in enumerate(row.samples, start=1)
    )
    return Sample(
        title=f"{row.dataset} · {row.case_id}",
        setting=f"{row.mode}{upto} · {row.elicit}{f', k = {row.k}' if row.k > 1 else ''}",
        outcome=_outcome(row, f"score {row.score:.2f}" if row.score is not None else "no score"),
        good=None if row.score is None else row.score >= 0.995,
        reason=row.reason or "",
        passages=(
            _passage("merged answer" if merged else "completion", row.completion),
            _passage("parsed answer", "(nothing could be read)" if row.answer is None else _json(row.answer)),
            _passage("gold", _json(row.target)),
            *merged,
        ),
    )


def _curation(run: Run) -> tuple[SampleGroup, ...]:
    rows = _varied(run.rows, _TEXTS, lambda row: row.status)
    samples = tuple(
        Sample(
            title=row.text_id,
            outcome=_outcome(row, f"perplexity {_number(row.perplexity_before)} → {_number(row.perplexity_after)}"),
            good=None,
            reason=row.reason or "",
            passages=(
                _passage("question", row.question, prose=True),
                _passage("original", row.original, prose=True),
                _passage("revised", "(no revision passed)" if row.revised is None else row.revised, prose=True),
                _passage("keywords", ", ".join(row.keywords), prose=True),
            ),
        )
        for row in rows
    )
    return (SampleGroup("Texts before and after", samples, len(run.rows)),) if samples else ()


def _lab(run: Run) -> tuple[SampleGroup, ...]:
    groups = []
    for phase, arm in dict.fromkeys((row.phase, row.arm) for row in run.rows):
        mine = [row for row in run.rows if (row.phase, row.arm) == (phase, arm)]
        samples = []
        for prompt_set in dict.fromkeys(row.prompt_set for row in mine):
            prompts = list(dict.fromkeys(row.prompt_id for row in mine if row.prompt_set == prompt_set))
            # Keyed by the set alone, so every arm and checkpoint is seen on the same prompts.
            shown = rng_for(0, "report prompts", prompt_set).sample(prompts, min(_PROMPTS_PER_SET, len(prompts)))
            seed = min(row.seed for row in mine)
            rows = [r for r in mine if r.prompt_set == prompt_set and r.prompt_id in shown and r.seed == seed]
            rows.sort(key=lambda r: (shown.index(r.prompt_id), position(r.checkpoint, CHECKPOINTS)))
            samples += [_lab_sample(row) for row in rows]
        groups.append(SampleGroup(arm_title(phase, arm), tuple(samples), len(mine)))
    return tuple(groups)


def _lab_sample(row: Any) -> Sample:
    harmful = row.expects == "refusal"
    warning = "Prompt asks for something disallowed; its completion may be harmful" if harmful else ""
    return Sample(
        title=f"{row.checkpoint} · {row.prompt_set} · {row.prompt_id}",
        outcome=_outcome(row, (row.label or "no label").replace("_", " ")),
        good=None if row.score is None else row.score >= 0.995,
        reason=row.reason or "",
        passages=(
            _passage("prompt", row.prompt, warning, prose=True),
            _passage("completion", row.completion, warning, prose=True),
        ),
    )


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


def _passage(name: str, text: str, warning: str = "", *, prose: bool = False, folded: bool = False) -> Passage:
    shown, hidden = clip(text, _MOST_CHARS)
    folded = folded or bool(warning) or len(shown) > _LONG_CHARS
    return Passage(name, shown, hidden, folded=folded, warning=warning, prose=prose)


def _outcome(row: Any, otherwise: str) -> str:
    return otherwise if row.status == "ok" else row.status.replace("_", " ")


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
