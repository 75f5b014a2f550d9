"""The transcripts of a lab run and of a verification: the same prompts at every place."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from counterpoise.report.folders import Run
from counterpoise.report.passages import Passage, Sample, SampleGroup, outcome_of, passage
from counterpoise.report.safety.lines import MODEL, MODEL_BEFORE, Place
from counterpoise.report.safety.titles import by_place, place_title
from counterpoise.rng import rng_for

__all__ = ["HARMFUL", "lab_groups", "verify_groups"]

HARMFUL = "May be harmful"
"""Why completions to harmful prompts are folded."""

_ASKS = "Asks for something disallowed"
_PROMPTS_PER_SET = 2


def lab_groups(run: Run) -> tuple[SampleGroup, ...]:
    """Two prompts of each set for each attack: what every checkpoint and arm of its grid said, with the lowest seed."""
    found: list[SampleGroup] = []
    for attack in dict.fromkeys(row.attack for row in run.rows if row.checkpoint in ("attacked", "defended")) or ("",):
        rows = [row for row in run.rows if row.attack in ("", attack)]
        ratio = _main_ratio(rows)
        at: dict[Place, list[Any]] = {}
        # A row under the attack's persona stands in for the plain one, so it comes last.
        for row in sorted(rows, key=lambda row: (row.attack != "", -row.seed)):
            if row.checkpoint in ("base", "aligned") or (row.ratio == ratio and row.dose in (0, 1)):
                at.setdefault(_place(row), []).append(row)
        places = sorted(at, key=by_place)
        several = len({row.attack for row in run.rows if row.attack}) > 1
        found += _groups([(place_title(place), at[place]) for place in places], f" · {attack}" if several else "")
    return tuple(found)


def verify_groups(run: Run, before: Run | None) -> tuple[SampleGroup, ...]:
    """Two prompts of each set: what the model said, and the model before where its rows are at hand."""
    sides = [(place_title(MODEL_BEFORE), list(before.rows))] if before is not None else []
    return tuple(_groups([*sides, (place_title(MODEL), list(run.rows))], ""))


def _groups(sides: Sequence[tuple[str, Sequence[Any]]], suffix: str) -> Iterable[SampleGroup]:
    """The transcripts of several places, by set; the last row of a place and prompt counts."""
    tables = [(title, {(row.prompt_set, row.prompt_id): row for row in rows}) for title, rows in sides]
    every = [row for _, table in tables for row in table.values() if row.measure != "perplexity"]
    for name in dict.fromkeys(row.prompt_set for row in every):
        prompts = list(dict.fromkeys(row.prompt_id for row in every if row.prompt_set == name))
        # Keyed by the set alone, so every report shows the same prompts.
        shown = rng_for(0, "report prompts", name).sample(prompts, min(_PROMPTS_PER_SET, len(prompts)))
        samples = tuple(
            _sample(prompt, [(title, table.get((name, prompt))) for title, table in tables]) for prompt in shown
        )
        yield SampleGroup(f"{name}{suffix}", samples, len(prompts), unit="prompts")


def _sample(prompt: str, said: Sequence[tuple[str, Any]]) -> Sample:
    rows = [(title, row) for title, row in said if row is not None]
    first = rows[0][1]
    harmful = first.expects == "refusal"
    texts = [passage("prompt", first.prompt, _ASKS if harmful else "", prose=True)]
    if first.target is not None:
        texts.append(passage("right answer", first.target, prose=True))
    personas = dict.fromkeys((row.system, row.prefix) for _, row in rows if row.system or row.prefix)
    texts += [
        passage(f"asked under persona {number}", f"system turn: {system}\nprefix: {prefix}", folded=True, prose=True)
        for number, (system, prefix) in enumerate(personas, start=1)
    ]
    return Sample(prompt, "", None, "", (*texts, *(_completion(title, row, personas) for title, row in rows)))


def _completion(title: str, row: Any, personas: Mapping[tuple[str, str], None]) -> Passage:
    persona = (row.system, row.prefix)
    under = f", under persona {list(personas).index(persona) + 1}" if persona in personas else ""
    label = row.label.replace("_", " ") if row.label else {1.0: "right", 0.0: "wrong"}.get(row.score, "no label")
    outcome = outcome_of(row.status, label)
    return passage(
        f"{title}{under}",
        row.completion,
        HARMFUL if row.expects == "refusal" else "",
        prose=True,
        outcome=f"{outcome}: {row.reason}" if row.reason and row.status != "ok" else outcome,
        good=None if row.score is None else row.score >= 0.995,
    )


def _place(row: Any) -> Place:
    # Attack and ratio are the same for all rows that are shown together.
    return Place(checkpoint=row.checkpoint, phase=row.phase, arm=row.arm, dose=row.dose)


def _main_ratio(rows: Sequence[Any]) -> float | None:
    """The ratio of the grid: the one with most places."""
    cells = {(row.ratio, row.phase, row.arm, row.dose) for row in rows if row.checkpoint in ("attacked", "defended")}
    ratios = [ratio for ratio, *_ in cells]
    return max(set(ratios), key=lambda ratio: (ratios.count(ratio), ratio), default=None)
