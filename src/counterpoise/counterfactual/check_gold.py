"""Does the gold hold: every loaded case answered by the baselines, scored like a model.

The oracle must reach exactly 1.0 at every stage; the others show what a score is worth.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from counterpoise.counterfactual.baselines import BASELINES, ask_baseline
from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.datasets import Loaded
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.results.metrics import headline
from counterpoise.counterfactual.score import score

__all__ = ["check_gold"]


def check_gold(loaded: Mapping[str, Loaded], *, seed: int = 0) -> list[dict[str, Any]]:
    """Score the baselines over whole datasets.

    Args:
        loaded: dataset name to what was loaded.
        seed: of the random baseline.

    Returns:
        One mapping per dataset, in the order given: ``dataset``, ``cases`` (their number), ``rejects`` (``id`` and
        ``reason``), ``oracle`` (stage to headline metric, see :mod:`~counterpoise.counterfactual.results.metrics`) and
        ``baselines`` (name to the same, the oracle not among them). A stage without gold is absent.
    """
    return [
        {
            "dataset": name,
            "cases": len(found.cases),
            "rejects": [{"id": reject.id, "reason": reject.reason} for reject in found.rejects],
            "oracle": _scores(found.cases, "oracle", seed),
            "baselines": {other: _scores(found.cases, other, seed) for other in BASELINES if other != "oracle"},
        }
        for name, found in loaded.items()
    ]


def _scores(cases: Sequence[Case], baseline: str, seed: int) -> dict[str, float]:
    scored: dict[Stage, list[dict[str, Any]]] = {}
    habits = Habits(cases)
    for case in cases:
        for stage in case.stages:
            result = score(case, stage, parse(case, stage, ask_baseline(baseline, case, stage, habits, seed=seed)))
            scored.setdefault(stage, []).append({"score": result.score, "counts": result.counts})
    values = {str(stage): headline(stage, scored[stage]) for stage in Stage if stage in scored}
    return {stage: value for stage, value in values.items() if value is not None}
