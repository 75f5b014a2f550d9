"""The rows of the baselines: the same items as a run's, answered without a model."""

from collections.abc import Iterator, Sequence
from typing import Any

from counterpoise.counterfactual.baselines import BASELINES, ask_baseline
from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.match import NORMALISED, Matcher
from counterpoise.counterfactual.modes import Mode, as_given, given_to, own_variables
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.score import DiagnosisRow, row
from counterpoise.lm.protocol import Completion

__all__ = ["PREFIX", "baseline_rows"]

PREFIX = "baseline/"
"""What the ``model`` of a baseline's row begins with."""


def baseline_rows(
    case: Case,
    stages: Sequence[Stage],
    habits: Habits,
    *,
    run: str,
    mode: Mode = "isolated",
    kept: Sequence[Stage] | None = None,
    matcher: Matcher = NORMALISED,
    seed: int = 0,
) -> Iterator[DiagnosisRow]:
    """A row per baseline and stage, through the same parser and scorer as a model's completions.

    Args:
        case: the case.
        stages: in the order asked; in chained mode a baseline is given what it wrote itself.
        habits: of the cases that the run measures.
        run: id of the run.
        mode: isolated or chained.
        kept: the stages whose rows are wanted; default all.
        matcher: as for the model's rows.
        seed: of the random baseline.
    """
    for name in BASELINES:
        own: dict[Stage, Any] = {}
        for stage in stages:
            given = given_to(case, stage, mode, None, own)
            text = ask_baseline(name, case, stage, habits, given=given, seed=seed)
            variables = own_variables(mode, None, given)
            names = None if variables is None else [item["name"] for item in variables]
            own[stage] = as_given(stage, parse(case, stage, text, names=names).answer)
            if kept is None or stage in kept:
                yield row(
                    case,
                    stage,
                    Completion(text=text),
                    run=run,
                    model=PREFIX + name,
                    mode=mode,
                    own=variables,
                    matcher=matcher,
                )
