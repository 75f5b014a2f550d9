"""What an elicitation buys for its tokens: score beside cost, and comparisons at equal cost.

A score here is the mean of the rows' scores: of stages with an F1, the mean over cases of each case's F1 (fewer samples
have a score per case and no counts). The cost that is matched is the mean number of tokens written per case; tokens
read are given beside it. Drawing more samples is what an elicitation has to beat, so the reference is ``cot-sc``, whose
rows say what each smaller number of samples would have reached, and at what cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.counterfactual.case import Stage
from counterpoise.statistics import Estimate, cluster_bootstrap, mean, paired_bootstrap

__all__ = ["REFERENCE", "CostMatch", "CurvePoint", "ElicitationCost", "cost_matches", "elicitation_costs"]

RowLike = Mapping[str, Any]

REFERENCE = "cot-sc"
"""The elicitation that others are compared with at equal cost: independent samples and a vote."""

_DIRECT = "direct"
_PLACE = ("run", "model", "dataset", "mode", "stage")
_ROUNDING = 1e-9
_NO_VALUE = Estimate(None, None, None, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """What the first ``k`` samples of an elicitation reach.

    Attributes:
        k: number of samples.
        score: mean score, on the cases whose rows have this point.
        input_tokens: mean tokens read per case.
        output_tokens: mean tokens written per case.
        gain: score at ``k`` minus the score at the smallest ``k``, paired; 0 without width at the smallest itself.
    """

    k: int
    score: Estimate
    input_tokens: float
    output_tokens: float
    gain: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ElicitationCost:
    """Score and cost of one elicitation on one stage.

    Attributes:
        run: the run of the rows; likewise ``model``, ``dataset``, ``mode``, ``stage``, ``elicit``.
        k: samples or branches.
        score: mean score of the scored rows.
        input_tokens: mean tokens read per row, over all rows and all calls of a row.
        output_tokens: mean tokens written per row.
        curve: for elicitations with several samples, what fewer would have reached; empty without such rows.
    """

    run: str
    model: str
    dataset: str
    mode: str
    stage: str
    elicit: str
    k: int
    score: Estimate
    input_tokens: float
    output_tokens: float
    curve: tuple[CurvePoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMatch:
    """One elicitation against :data:`REFERENCE` at no higher cost, on the cases scored for both.

    Attributes:
        run: the run of the rows; likewise ``model``, ``dataset``, ``mode``, ``stage``.
        elicit: the elicitation that is compared.
        score: its mean score on the common cases.
        output_tokens: its mean tokens written per common case; ``None`` without one.
        k: the largest number of samples of the reference that writes no more; ``None`` where one sample writes more.
        matched_tokens: what the reference writes at that ``k``.
        difference: score of ``elicit`` minus that of the reference at ``k``, paired; no value without ``k``.
        reached_by: the smallest number of samples whose score is at least that of ``elicit``; ``None`` where none is.
        reached_tokens: what the reference writes at that number.
        direct_answers: how many direct answers, on the same cases, the same tokens would pay; ``None`` without direct
            rows.
        left_out: cases with a row of either that are not in the comparison.
    """

    run: str
    model: str
    dataset: str
    mode: str
    stage: str
    elicit: str
    score: Estimate
    output_tokens: float | None
    k: int | None
    matched_tokens: float | None
    difference: Estimate
    reached_by: int | None
    reached_tokens: float | None
    direct_answers: float | None
    left_out: int


@dataclass(frozen=True, slots=True)
class _Point:
    score: float
    input_tokens: float
    output_tokens: float


def elicitation_costs(rows: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[ElicitationCost]:
    """Score and cost for each model, dataset, mode, stage and elicitation; substitution rows are left out.

    Args:
        rows: rows of a run as JSON objects, see :class:`~counterpoise.counterfactual.score.DiagnosisRow`.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        In order of first appearance, stages in their own order.
    """
    return [
        ElicitationCost(
            **dict(zip(_PLACE, place, strict=True)),
            elicit=elicit,
            k=max(row["k"] for row in mine.values()),
            score=_score([row for row in mine.values() if row["score"] is not None], seed, resamples),
            input_tokens=_average([row["tokens"]["input"] for row in mine.values()]),
            output_tokens=_average([row["tokens"]["output"] for row in mine.values()]),
            curve=_curve(mine, seed, resamples),
        )
        for place, ways in _by_place(rows)
        for elicit, mine in ways.items()
    ]


def cost_matches(rows: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[CostMatch]:
    """Every elicitation against :data:`REFERENCE` at equal cost, wherever both have rows of the same stage.

    Arguments and order as for :func:`elicitation_costs`.
    """
    return [
        _match(place, elicit, ways, seed, resamples)
        for place, ways in _by_place(rows)
        if REFERENCE in ways
        for elicit in ways
        if elicit != REFERENCE
    ]


def _by_place(rows: Sequence[RowLike]) -> list[tuple[tuple[str, ...], dict[str, dict[str, RowLike]]]]:
    """The rows of each place and elicitation by case, in the order of case ids."""
    groups: dict[tuple[str, ...], dict[str, dict[str, RowLike]]] = {}
    for row in rows:
        if row["mode"] != "substitution":
            place = tuple(str(row[name]) for name in _PLACE)
            groups.setdefault(place, {}).setdefault(row["elicit"], {})[row["case_id"]] = row
    outer = dict.fromkeys(place[:-1] for place in groups)
    ordered = [(*key, str(stage)) for key in outer for stage in Stage if (*key, str(stage)) in groups]
    return [
        (place, {elicit: dict(sorted(mine.items())) for elicit, mine in groups[place].items()}) for place in ordered
    ]


def _score(rows: Sequence[RowLike], seed: int, resamples: int) -> Estimate:
    return _mean_score([row["score"] for row in rows], [row["cluster"] for row in rows], seed, resamples)


def _mean_score(values: Sequence[float], clusters: Sequence[str], seed: int, resamples: int) -> Estimate:
    return cluster_bootstrap([(value, 1.0) for value in values], clusters, mean, seed=seed, resamples=resamples)


def _point(row: RowLike, k: int) -> _Point:
    """The row at ``k`` samples. What a row without any usable sample scored and cost stands for every ``k``."""
    for point in row["curve"]:
        if point["k"] == k:
            return _Point(point["score"], point["input_tokens"], point["output_tokens"])
    return _Point(row["score"], row["tokens"]["input"], row["tokens"]["output"])


def _on_curve(mine: Mapping[str, RowLike]) -> tuple[list[str], list[int]]:
    """The scored cases that can be read at fewer samples, and the numbers of samples that all their curves have."""
    scored = {case: row for case, row in mine.items() if row["score"] is not None}
    curves = [{int(point["k"]) for point in row["curve"]} for row in scored.values() if row["curve"]]
    shared = set.intersection(*curves) if curves else set()
    cases = [case for case, row in scored.items() if row["curve"] or row["status"] != "ok"]
    return (cases, sorted(shared)) if shared else ([], [])


def _curve(mine: Mapping[str, RowLike], seed: int, resamples: int) -> tuple[CurvePoint, ...]:
    cases, numbers = _on_curve(mine)
    points = {k: [_point(mine[case], k) for case in cases] for k in numbers}
    clusters = [mine[case]["cluster"] for case in cases]
    return tuple(
        CurvePoint(
            k=k,
            score=_mean_score([point.score for point in points[k]], clusters, seed, resamples),
            input_tokens=_average([point.input_tokens for point in points[k]]),
            output_tokens=_average([point.output_tokens for point in points[k]]),
            gain=_difference(
                [point.score for point in points[k]],
                [point.score for point in points[numbers[0]]],
                clusters,
                seed,
                resamples,
            ),
        )
        for k in numbers
    )


def _match(
    place: tuple[str, ...], elicit: str, ways: Mapping[str, Mapping[str, RowLike]], seed: int, resamples: int
) -> CostMatch:
    mine, reference = ways[elicit], ways[REFERENCE]
    curved, numbers = _on_curve(reference)
    cases = [case for case in curved if case in mine and mine[case]["score"] is not None]
    own = [mine[case]["score"] for case in cases]
    clusters = [mine[case]["cluster"] for case in cases]
    cost = _average([mine[case]["tokens"]["output"] for case in cases]) if cases else None
    points = {k: [_point(reference[case], k) for case in cases] for k in numbers if cases}
    costs = {k: _average([point.output_tokens for point in points[k]]) for k in points}
    scores = {k: _average([point.score for point in points[k]]) for k in points}
    k = max((k for k in points if cost is not None and costs[k] <= cost + _ROUNDING), default=None)
    enough = min((k for k in points if scores[k] >= _average(own) - _ROUNDING), default=None)
    return CostMatch(
        **dict(zip(_PLACE, place, strict=True)),
        elicit=elicit,
        score=_mean_score(own, clusters, seed, resamples),
        output_tokens=cost,
        k=k,
        matched_tokens=None if k is None else costs[k],
        difference=_NO_VALUE
        if k is None
        else _difference(own, [point.score for point in points[k]], clusters, seed, resamples),
        reached_by=enough,
        reached_tokens=None if enough is None else costs[enough],
        direct_answers=_direct_answers(cost, cases, ways.get(_DIRECT, {})),
        left_out=len({*mine, *reference}) - len(cases),
    )


def _difference(
    values: Sequence[float], others: Sequence[float], clusters: Sequence[str], seed: int, resamples: int
) -> Estimate:
    """Mean of ``values`` minus mean of ``others``."""
    return paired_bootstrap(
        [(value, 1.0) for value in others],
        [(value, 1.0) for value in values],
        clusters,
        mean,
        seed=seed,
        resamples=resamples,
    )


def _direct_answers(cost: float | None, cases: Sequence[str], direct: Mapping[str, RowLike]) -> float | None:
    if cost is None or not all(case in direct for case in cases):
        return None
    each = _average([direct[case]["tokens"]["output"] for case in cases])
    return cost / each if each else None


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)
