"""Attribution: what each stage of the reasoning costs the end result.

The end result ``E_k`` is the accuracy of the answer stage when the gold of all stages up to ``k`` was given and the
model's own answers stand after it; ``E_none`` is the chained result. The rungs are ``none``, ``variables``, ``graph``,
``intervention``, ``abduction`` (cases with unseen causes) and ``outcome``. With ``k'`` the rung before ``k``,

    ``cost(k) = E_k - E_k'``                  what the end result gains when this stage is right as well,
    ``cost(reading) = 1 - E_outcome``         what is lost although every stage was given.

The costs telescope: ``1 - cost(reading) - cost(outcome) - ... - cost(variables) = E_none``. A cost can be negative:
then the gold of the stage makes the end result worse. All numbers of an attribution rest on the same cases, those with
a scored answer on every rung; how many cases lack one is said beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from counterpoise.counterfactual.case import Stage
from counterpoise.statistics import Estimate, cluster_bootstrap, mcnemar, mean, paired_bootstrap, proportion

__all__ = ["CHAINED", "READING", "Attribution", "Rung", "StageCost", "attributions"]

RowLike = Mapping[str, Any]

CHAINED = "none"
"""Name of the rung on which no gold is given: the chained result."""

READING = "reading off"
"""Name of the last step: from the outcomes, all given, to the answer."""

_RUNGS = (CHAINED, *(str(stage) for stage in Stage if stage is not Stage.ANSWER))
_NO_VALUE = Estimate(None, None, None, 0, 0)


@dataclass(frozen=True, slots=True)
class Rung:
    """The end result with the gold of all stages up to ``upto`` given.

    Attributes:
        upto: a stage, or :data:`CHAINED`.
        estimate: accuracy of the answer stage; of rewritten texts, their mean score.
    """

    upto: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCost:
    """What one stage costs the end result.

    Attributes:
        stage: a stage, or :data:`READING`.
        estimate: the cost in [-1, 1] with its 95 % interval, cases paired and clusters resampled.
        p: exact two-sided McNemar p-value, which takes cases as independent; ``None`` for :data:`READING`, which is
            compared with perfection and not with another measurement, and where answers are not right or wrong.
        p_holm: the same after Holm's correction for the stages of this attribution.
        gained: cases that become right, or better, when the stage is given as well.
        lost: cases that become wrong, or worse.
    """

    stage: str
    estimate: Estimate
    p: float | None
    p_holm: float | None
    gained: int
    lost: int

    @property
    def clear(self) -> bool:
        """Whether the interval has width and excludes 0."""
        low, high = self.estimate.low, self.estimate.high
        return low is not None and high is not None and low < high and (low > 0 or high < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The costs of all stages for one model, elicitation and dataset.

    Attributes:
        run: the run of the rows; likewise ``model`` and ``elicit``.
        dataset: of the cases; empty for the cases of all ``datasets`` pooled, each case with the same weight.
        datasets: the datasets of the cases.
        abduction: whether abduction is a rung of its own. Without it, what it costs is part of the outcome's cost.
        rungs: from :data:`CHAINED` to the outcome; empty where no case has all of them.
        costs: in the order of the rungs, :data:`READING` last; empty where no case has every rung.
        n: cases with a scored answer on every rung.
        left_out: cases with a row on some rung that lack a scored answer on another.
        lacking: for each rung, how many cases have no scored answer there; rungs that none lacks are absent.
        missing: the rungs for which no case at all has a scored answer.
    """

    run: str
    model: str
    elicit: str
    dataset: str
    datasets: tuple[str, ...]
    abduction: bool
    rungs: tuple[Rung, ...]
    costs: tuple[StageCost, ...]
    n: int
    left_out: int
    lacking: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def chained(self) -> Estimate:
        """The chained result; without a value where there are no costs."""
        return self.rungs[0].estimate if self.rungs else _NO_VALUE


@dataclass(slots=True)
class _Ladder:
    """The rungs of the cases of one dataset with, or without, unseen causes."""

    dataset: str
    abduction: bool
    cases: dict[str, dict[str, RowLike]]


def attributions(rows: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[Attribution]:
    """The costs for each model, elicitation and dataset that has chained or substitution rows of the answer stage.

    Cases of one dataset with and without unseen causes get an attribution each, since their rungs differ. Where more
    than one attribution of a model and elicitation is complete, a pooled one follows them; abduction is a rung of it
    if it is one of all.

    Args:
        rows: rows of one run as JSON objects, see :class:`~counterpoise.counterfactual.score.DiagnosisRow`; where one
            rung of a case occurs twice, the later row counts.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        In order of first appearance; an attribution that lacks a rung says which and has no numbers.
    """
    found = []
    for run, model, elicit in dict.fromkeys((row["run"], row["model"], row["elicit"]) for row in rows):
        mine = [row for row in rows if (row["run"], row["model"], row["elicit"]) == (run, model, elicit)]
        place = {"run": run, "model": model, "elicit": elicit, "seed": seed, "resamples": resamples}
        ladders = _ladders(mine)
        single = [_attribution([ladder], ladder.abduction, dataset=ladder.dataset, **place) for ladder in ladders]
        complete = [ladder for ladder, one in zip(ladders, single, strict=True) if one.costs]
        found += single
        if len(complete) > 1:
            found.append(_attribution(complete, all(ladder.abduction for ladder in complete), dataset="", **place))
    return found


def _ladders(rows: Iterable[RowLike]) -> list[_Ladder]:
    answers: dict[str, dict[str, dict[str, RowLike]]] = {}
    unseen: set[tuple[str, str]] = set()
    for row in rows:
        if Stage.ABDUCTION in (row["stage"], row["upto"]):
            unseen.add((row["dataset"], row["case_id"]))
        if row["stage"] == Stage.ANSWER and row["mode"] in ("chained", "substitution"):
            rung = CHAINED if row["mode"] == "chained" else str(row["upto"])
            answers.setdefault(row["dataset"], {}).setdefault(row["case_id"], {})[rung] = row
    ladders = []
    for dataset, cases in answers.items():
        for abduction in (True, False):
            # The order of the cases is that of their ids, whatever order the answers came in.
            some = {case: cases[case] for case in sorted(cases) if ((dataset, case) in unseen) is abduction}
            if some:
                ladders.append(_Ladder(dataset, abduction, some))
    return ladders


def _attribution(
    ladders: Sequence[_Ladder],
    abduction: bool,
    *,
    run: str,
    model: str,
    elicit: str,
    dataset: str,
    seed: int,
    resamples: int,
) -> Attribution:
    names = [rung for rung in _RUNGS if abduction or rung != Stage.ABDUCTION]
    cases = [(ladder.dataset, rungs) for ladder in ladders for rungs in ladder.cases.values()]
    lacking = {rung: sum(not _scored(rungs, rung) for _, rungs in cases) for rung in names}
    whole = [(name, rungs) for name, rungs in cases if all(_scored(rungs, rung) for rung in names)]
    scores = {rung: [float(rungs[rung]["score"]) for _, rungs in whole] for rung in names}
    clusters = [(name, rungs[CHAINED]["cluster"]) for name, rungs in whole]
    ends = [Rung(rung, _share(scores[rung], clusters, seed, resamples)) for rung in names]
    return Attribution(
        run=run,
        model=model,
        elicit=elicit,
        dataset=dataset,
        datasets=tuple(dict.fromkeys(ladder.dataset for ladder in ladders)),
        abduction=abduction,
        rungs=tuple(ends) if whole else (),
        costs=_costs(names, scores, clusters, ends[-1].estimate, seed, resamples) if whole else (),
        n=len(whole),
        left_out=len(cases) - len(whole),
        lacking=tuple((rung, count) for rung, count in lacking.items() if count),
        missing=tuple(rung for rung, count in lacking.items() if count == len(cases)),
    )


def _scored(rungs: Mapping[str, RowLike], rung: str) -> bool:
    return rung in rungs and rungs[rung]["score"] is not None


def _binary(*scores: Sequence[float]) -> bool:
    """Whether answers are right or wrong; the score of a rewritten text lies between."""
    return all(score in (0, 1) for some in scores for score in some)


def _share(scores: Sequence[float], clusters: Sequence[tuple[str, str]], seed: int, resamples: int) -> Estimate:
    if _binary(scores):
        return proportion([score == 1 for score in scores], clusters, seed=seed, resamples=resamples)
    return cluster_bootstrap([(score, 1.0) for score in scores], clusters, mean, seed=seed, resamples=resamples)


def _costs(
    names: Sequence[str],
    scores: Mapping[str, Sequence[float]],
    clusters: Sequence[tuple[str, str]],
    last: Estimate,
    seed: int,
    resamples: int,
) -> tuple[StageCost, ...]:
    steps = list(pairwise(names))
    pairs = [(scores[before], scores[after]) for before, after in steps]
    p_values: list[float] | None = None
    if _binary(*scores.values()):
        p_values = [mcnemar([b == 1 for b in before], [a == 1 for a in after]) for before, after in pairs]
    adjusted = [(None, None)] * len(steps) if p_values is None else list(zip(p_values, _holm(p_values), strict=True))
    costs = [
        StageCost(
            stage=stage,
            estimate=paired_bootstrap(
                [(score, 1.0) for score in before],
                [(score, 1.0) for score in after],
                clusters,
                mean,
                seed=seed,
                resamples=resamples,
            ),
            p=p,
            p_holm=p_holm,
            gained=sum(b > a for a, b in zip(before, after, strict=True)),
            lost=sum(a > b for a, b in zip(before, after, strict=True)),
        )
        for (_, stage), (before, after), (p, p_holm) in zip(steps, pairs, adjusted, strict=True)
    ]
    wrong = sum(score < 1 for score in scores[names[-1]])
    return (
        *costs,
        StageCost(stage=READING, estimate=_complement(last), p=None, p_holm=None, gained=wrong, lost=0),
    )


def _complement(estimate: Estimate) -> Estimate:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(1 - estimate.value, 1 - estimate.high, 1 - estimate.low, estimate.n, estimate.clusters)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values (Holm, 1979), in the order given.

    >>> _holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
