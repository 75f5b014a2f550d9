"""The diagnosis tables of one run: stages and baselines, costs of stages, propagated errors, elicitations, tools."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.counterfactual.results.attribution import Attribution, attributions
from counterpoise.counterfactual.results.elicitation_costs import (
    CostMatch,
    ElicitationCost,
    cost_matches,
    elicitation_costs,
)
from counterpoise.counterfactual.results.metrics import StageSummary, advantage, summarise
from counterpoise.counterfactual.results.propagation import Propagation, propagations
from counterpoise.counterfactual.results.tools import ToolGain, ToolRecall, tool_gains, tool_recalls
from counterpoise.report.folders import Run
from counterpoise.report.lines import MODES, Baseline, Failures, StageLine, by_elicitation, position

__all__ = ["Diagnosis", "diagnosis_of", "stage_lines"]

_BASELINE = "baseline/"
_GROUP = ("model", "dataset", "stage", "mode", "elicit")

RowLike = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that one diagnosis run gives; any part may be empty.

    Attributes:
        stages: isolated and chained mode, against the baselines.
        attributions: what each stage costs the end result.
        propagations: chained minus isolated.
        elicitations: score and cost; empty with a single elicitation, where there is nothing to compare.
        matches: elicitations compared at equal cost.
        tool_gains: with tools against without; empty where no elicitation was run both ways.
        tool_recalls: what the tools find by themselves.
    """

    stages: tuple[StageLine, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    propagations: tuple[Propagation, ...] = ()
    elicitations: tuple[ElicitationCost, ...] = ()
    matches: tuple[CostMatch, ...] = ()
    tool_gains: tuple[ToolGain, ...] = ()
    tool_recalls: tuple[ToolRecall, ...] = ()


def diagnosis_of(run: Run) -> Diagnosis:
    """Tabulate a diagnosis run; every part is empty without rows.

    Answers arrive in any order, and a bootstrap depends on the order of its clusters: rows are sorted first, so the
    same answers give the same intervals.
    """
    named = run.manifest.config.get("datasets")
    datasets = [str(name) for name in named] if isinstance(named, list) else []
    rows, beside = _sorted(run.rows, run.id, datasets), _sorted(run.baselines, run.id, datasets)
    several = len({row["elicit"] for row in rows}) > 1
    return Diagnosis(
        stages=tuple(_stage_lines(rows, beside)),
        attributions=tuple(attributions(rows)),
        propagations=tuple(propagations(rows)),
        elicitations=tuple(elicitation_costs(rows)) if several else (),
        matches=tuple(cost_matches(rows)) if several else (),
        tool_gains=tuple(tool_gains(_plain(rows))),
        # A run of which no row is written yet has nothing that its tools' recall could be read beside.
        tool_recalls=tuple(tool_recalls([one.model_dump() for one in run.tools], run=run.id)) if rows else (),
    )


def stage_lines(run: Run) -> list[StageLine]:
    """The stage table of a run; see :func:`diagnosis_of`."""
    return list(diagnosis_of(run).stages)


def _sorted(rows: Iterable[Any], run: str, datasets: Sequence[str]) -> list[RowLike]:
    return sorted(
        (row.model_dump() | {"run": run} for row in rows),
        key=lambda row: (
            position(row["mode"], MODES),
            by_elicitation(row["elicit"]),
            position(row["dataset"], datasets),
            row["case_id"],
        ),
    )


def _plain(rows: Sequence[RowLike]) -> list[RowLike]:
    """Without substitution rows, which have no line: they are the attribution's."""
    return [row for row in rows if row["mode"] != "substitution"]


def _stage_lines(rows: Sequence[RowLike], baselines: Sequence[RowLike]) -> list[StageLine]:
    """Each line's baselines rest on the line's cases."""
    plain = _plain(rows)
    groups: dict[tuple[str, ...], list[RowLike]] = {}
    for row in plain:
        groups.setdefault(tuple(str(row[name]) for name in _GROUP), []).append(row)
    floors = _Floors(baselines)
    found = []
    for summary in summarise(plain, baselines=baselines):
        mine = groups[tuple(str(getattr(summary, name)) for name in _GROUP)]
        found.append(_line(summary, mine, floors.beside(summary, mine)))
    return found


class _Floors:
    """The baselines beside the lines of a table; what several elicitations share is computed once."""

    def __init__(self, rows: Iterable[RowLike]) -> None:
        self._rows: dict[tuple[str, ...], dict[str, list[RowLike]]] = {}
        for row in rows:
            key = (row["dataset"], str(row["stage"]), row["mode"])
            self._rows.setdefault(key, {}).setdefault(row["model"], []).append(row)
        self._known: dict[tuple[Any, ...], StageSummary] = {}

    def beside(self, summary: StageSummary, mine: Sequence[RowLike]) -> tuple[Baseline, ...]:
        cases = frozenset(row["case_id"] for row in mine)
        key = (summary.dataset, str(summary.stage), summary.mode)
        found = []
        for model, rows in self._rows.get(key, {}).items():
            theirs = [row for row in rows if row["case_id"] in cases]
            if theirs:
                if (*key, model, cases) not in self._known:
                    self._known[(*key, model, cases)] = summarise(theirs)[0]
                floor = self._known[(*key, model, cases)]
                gain = advantage(summary.stage, mine, theirs)
                found.append(Baseline(model.removeprefix(_BASELINE), floor.estimate, gain))
        return tuple(found)


def _line(summary: StageSummary, rows: Sequence[RowLike], baselines: tuple[Baseline, ...]) -> StageLine:
    return StageLine(
        run=rows[0]["run"],
        model=summary.model,
        dataset=summary.dataset,
        stage=str(summary.stage),
        mode=summary.mode,
        elicit=summary.elicit,
        k=summary.k,
        matcher=", ".join(dict.fromkeys(row["matcher"] for row in rows)),
        metric=summary.metric,
        estimate=summary.estimate,
        failures=Failures(summary.parse_failed, summary.model_failed, summary.unscored),
        input_tokens=summary.tokens_in,
        output_tokens=summary.tokens_out,
        baselines=baselines,
        skill=summary.skill,
        details=tuple(summary.further.items()),
        confusion=tuple((gold, predicted, n) for (gold, predicted), n in sorted(summary.confusion.items())),
        errors=tuple(summary.errors.items()),
    )
