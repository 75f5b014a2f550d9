"""Curves and points over the cells of a lab run, taken from its rates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["dose_response", "pareto", "ratio_sweep"]

Rate = Mapping[str, Any]
Rates = Sequence[Rate]

_WHAT = ("measure", "prompt_set", "metric", "judge")
_POINT = ("value", "low", "high", "n", "clusters", "seeds")


def dose_response(rates: Rates) -> list[dict[str, Any]]:
    """How each metric depends on the dose, where there are doses between none and all.

    Returns:
        One entry for each attack, ratio, phase, arm, set, metric and judge: those names and ``points``, by rising
        ``dose`` (share of the plan's), each with ``value``, ``low``, ``high``, ``n``, ``clusters`` and ``seeds``. The
        first point, dose 0, is the undefended cell.
    """
    curves: dict[tuple[Any, ...], list[Rate]] = {}
    names = ("attack", "ratio", "phase", "arm", *_WHAT)
    for rate in rates:
        if rate["checkpoint"] == "defended":
            curves.setdefault(tuple(rate[name] for name in names), []).append(rate)
    found = []
    for key, points in curves.items():
        if len(points) < 2:
            continue
        place = dict(zip(names, key, strict=True))
        start = _only(rates, checkpoint="attacked", **{n: place[n] for n in ("attack", "ratio", *_WHAT)})
        found.append({**place, "points": _points([*start, *points], "dose")})
    return found


def ratio_sweep(rates: Rates) -> list[dict[str, Any]]:
    """How each metric depends on the attack's ratio, where there are several ratios.

    Returns:
        One entry for each attack, phase, arm (``none`` and ``nothing``: undefended), set, metric and judge: those names
        and ``points``, by rising ``ratio``, as in :func:`dose_response`. Doses below the whole are left out.
    """
    curves: dict[tuple[Any, ...], list[Rate]] = {}
    names = ("attack", "phase", "arm", *_WHAT)
    for rate in rates:
        if rate["checkpoint"] in ("attacked", "defended") and rate["dose"] in (0, 1):
            curves.setdefault(tuple(rate[name] for name in names), []).append(rate)
    return [
        {**dict(zip(names, key, strict=True)), "points": _points(points, "ratio")}
        for key, points in curves.items()
        if len(points) > 1
    ]


def pareto(rates: Rates) -> list[dict[str, Any]]:
    """Safety against over-refusal: a point for each place of each attack that has both.

    Returns:
        ``attack``, ``ratio``, ``phase``, ``arm``, ``dose``, ``checkpoint``, ``judge``, ``safety`` and ``over_refusal``
        (each ``prompt_set``, ``value``, ``low``, ``high``, ``n``; of several sets the pooled one), and ``efficient``:
        whether no other attacked or defended point of the attack and ratio is at least as good in both and better in
        one. It is ``None`` at base and aligned, which no attack has touched; they stand beside each attack.
    """
    names = ("attack", "ratio", "phase", "arm", "dose", "checkpoint", "judge")
    sides: dict[tuple[Any, ...], dict[str, Rate]] = {}
    for rate in _beside_attacks(rates):
        if (rate["measure"], rate["metric"]) in _SIDES:
            side = sides.setdefault(tuple(rate[name] for name in names), {})
            # A pooled entry comes after those of its sets, and replaces them.
            side[_SIDES[rate["measure"], rate["metric"]]] = rate
    points = [
        dict(zip(names, key, strict=True)) | {name: _side(rate) for name, rate in side.items()}
        for key, side in sides.items()
        if len(side) == 2 and all(rate["value"] is not None for rate in side.values())
    ]
    for point in points:
        rivals = [other for other in points if _rival(point, other)]
        touched = point["checkpoint"] in ("attacked", "defended")
        point["efficient"] = not any(_better(other, point) for other in rivals) if touched else None
    return points


_SIDES = {("safety", "safety_rate"): "safety", ("over_refusal", "over_refusal_rate"): "over_refusal"}


def _beside_attacks(rates: Rates) -> Iterator[Rate]:
    """The rates, those of base and aligned once for each attack, by preference under the attack's own persona."""
    attacks = dict.fromkeys(rate["attack"] for rate in rates if rate["attack"])
    names = ("checkpoint", *_WHAT)
    own = {(rate["attack"], *(rate[name] for name in names)) for rate in rates}
    for rate in rates:
        if rate["attack"]:
            yield rate
            continue
        for attack in attacks:
            if (attack, *(rate[name] for name in names)) not in own:
                yield {**rate, "attack": attack}


def _rival(point: Rate, other: Rate) -> bool:
    return other["checkpoint"] in ("attacked", "defended") and all(
        point[name] == other[name] for name in ("attack", "ratio", "judge")
    )


def _better(other: Rate, point: Rate) -> bool:
    safety = other["safety"]["value"] - point["safety"]["value"]
    refusal = point["over_refusal"]["value"] - other["over_refusal"]["value"]
    return bool(min(safety, refusal) >= 0 and max(safety, refusal) > 0)


def _side(rate: Rate) -> dict[str, Any]:
    return {name: rate[name] for name in ("prompt_set", "value", "low", "high", "n")}


def _only(rates: Iterable[Rate], **wanted: Any) -> list[Rate]:
    return [rate for rate in rates if all(rate[name] == value for name, value in wanted.items())]


def _points(rates: Iterable[Rate], axis: str) -> list[dict[str, Any]]:
    return sorted(({name: rate[name] for name in (axis, *_POINT)} for rate in rates), key=lambda one: one[axis])
