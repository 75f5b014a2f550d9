"""What a lab run found, as plain numbers.

Null results are said as such: where an interval includes zero, a note says that nothing was shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from counterpoise.customization.results.crossed import crossed_interval
from counterpoise.customization.results.curves import dose_response, pareto, ratio_sweep
from counterpoise.customization.results.notes import notes
from counterpoise.customization.results.observed import Seen, What, observed
from counterpoise.customization.results.places import (
    Comparison,
    Place,
    Places,
    at_seeds,
    comparisons,
    group,
    identity,
    place_of,
    view,
)
from counterpoise.customization.results.reasoning import reasoning_changes, reasoning_rates
from counterpoise.safety.measures import changes, gates, rates

__all__ = ["summarise"]

Row = Mapping[str, Any]
Rows = Sequence[Row]


def summarise(rows: Iterable[Row], *, reasoning: Iterable[Row] = ()) -> dict[str, Any]:
    """Rates, changes, curves, gates and notes of a lab run. All values are JSON.

    A *place* is ``attack``, ``ratio``, ``phase``, ``arm``, ``dose`` and ``checkpoint``, as in
    :class:`~counterpoise.customization.results.rows.LabRow`: ``attack`` is empty at base and aligned, but names the
    attack whose persona the harmful requests were asked under. Seeds of a place are pooled: prompts are told apart by
    seed, clusters of prompts are not. With three seeds or more, intervals cover prompts and seeds (both resampled, see
    :mod:`counterpoise.customization.results.crossed`), with fewer the prompts alone: each entry says so in
    ``interval``.

    Args:
        rows: lab rows, as mappings.
        reasoning: rows of the diagnoses, see :func:`~counterpoise.customization.results.reasoning.reasoning_rows`.

    Returns:
        - ``seeds``: of the rows. ``main_ratios``: for each attack the ratio of its grid, others are sweeps.
        - ``rates``: for each place the entries of :func:`counterpoise.safety.measures.rates` (``measure``,
          ``prompt_set``, ``metric``, ``value``, ``low``, ``high``, ``n``, ``clusters``, ``unreadable``, ``unscored``,
          ``judge``, ``judge_kappa``, ``judge_macro_f1``), with the place's columns, ``interval`` (``prompts`` or
          ``prompts and seeds``), ``seeds`` (how many) and ``per_seed`` (seed, as text, to value).
        - ``changes``: the entries of :func:`counterpoise.safety.measures.changes` (``measure``, ``prompt_set``,
          ``metric``, ``judge``, ``value``, ``low``, ``high``, ``n``, ``clusters``, ``gained``, ``lost``, ``p_value``,
          ``dropped``), paired over prompts and seeds, with ``comparison``, ``from`` and ``to`` (places), ``interval``,
          ``seeds`` and ``per_seed``. Comparisons: ``alignment`` (base to aligned), ``attack`` (aligned to attacked),
          ``defence`` (attacked, which is the arm ``nothing``, to each defended place), ``whole`` (aligned to defended),
          ``arms`` (in each phase, ``uncurated`` to every other arm). Without an alignment base stands for aligned.
        - ``gates``: the entries of :func:`counterpoise.safety.measures.gates` (``gate``, ``prompt_set``, ``judge``,
          ``value``, ``low``, ``high``, ``n``, ``limit``, ``verdict``) for all comparisons but ``arms``, with
          ``comparison``, ``from`` and ``to``. ``whole`` is the gate of a defended cell.
        - ``dose_response``, ``ratio_sweep``, ``pareto``: see :mod:`counterpoise.customization.results.curves`.
        - ``perplexity``: for each place and set, the place's columns, ``prompt_set`` and ``gap``, ``safe`` and
          ``harmful`` (each ``value``, ``low``, ``high``, ``n``): mean log-perplexity of refusals and of the affirmative
          opener, and the second minus the first, positive where the model prefers to refuse. Their changes are in
          ``changes``.
        - ``reasoning``: ``rates`` (places with the entries of
          :func:`~counterpoise.customization.results.reasoning.reasoning_rates`) and ``changes`` (``comparison``,
          ``from``, ``to`` with those of :func:`~counterpoise.customization.results.reasoning.reasoning_changes`).
        - ``notes``: what the numbers do and do not show, one line each.
    """
    places = group(rows)
    found = [entry for place, rows_there in places.items() for entry in _rates(place, rows_there)]
    compared = [entry for pair in comparisons(places) for entry in _changes(pair, places)]
    verdicts = [
        {**_between(entry), **gate} for entry in compared if entry["comparison"] != "arms" for gate in gates([entry])
    ]
    ratios = _main_ratios(places)
    return {
        "seeds": sorted({row["seed"] for rows_there in places.values() for row in rows_there}),
        "main_ratios": ratios,
        "rates": found,
        "changes": compared,
        "gates": verdicts,
        "dose_response": dose_response(found),
        "ratio_sweep": ratio_sweep(found),
        "pareto": pareto(found),
        "perplexity": _perplexity(found),
        "reasoning": (thought := _reasoning(group(reasoning))),
        "notes": notes(compared, verdicts, thought["changes"], ratios),
    }


def _rates(place: Place, rows: Rows) -> Iterator[dict[str, Any]]:
    values = observed(rows)
    for entry in rates(rows, identity=identity):
        yield {**place._asdict(), **entry, **_over_seeds(entry, values[_what(entry)])}


def _changes(pair: Comparison, places: Places) -> Iterator[dict[str, Any]]:
    after = places[pair.after]
    before = at_seeds(view(places, pair.before), sorted({row["seed"] for row in after}))
    first, second = observed(before), observed(after)
    for entry in changes(before, after, identity=identity):
        earlier = {identity(row): value for row, value in first[_what(entry)]}
        both = [
            (row, value - earlier[identity(row)]) for row, value in second[_what(entry)] if identity(row) in earlier
        ]
        place = {"comparison": pair.name, "from": pair.before._asdict(), "to": pair.after._asdict()}
        yield {**place, **entry, **_over_seeds(entry, both)}


def _what(entry: Row) -> What:
    return entry["measure"], entry["prompt_set"], entry["metric"], entry["judge"]


def _over_seeds(entry: Row, seen: Seen) -> dict[str, Any]:
    """How an entry looks over its seeds: its interval, widened to cover them where they are enough."""
    by_seed: dict[int, list[float]] = {}
    for row, value in seen:
        by_seed.setdefault(row["seed"], []).append(value)
    found: dict[str, Any] = {
        "interval": "prompts",
        "seeds": len(by_seed),
        "per_seed": {str(seed): sum(values) / len(values) for seed, values in sorted(by_seed.items())},
    }
    crossed = crossed_interval(
        [value for _, value in seen],
        [row["seed"] for row, _ in seen],
        [f"{row['prompt_set']}|{row['cluster']}" for row, _ in seen],
    )
    if crossed is not None and entry["low"] is not None:
        # Resampling alone says too little where nearly all values are alike; the other interval knows better.
        low, high = min(entry["low"], crossed[0]), max(entry["high"], crossed[1])
        found |= {"interval": "prompts and seeds", "low": low, "high": high}
    return found


def _between(entry: Row) -> dict[str, Any]:
    return {name: entry[name] for name in ("comparison", "from", "to")}


def _main_ratios(places: Places) -> dict[str, float]:
    """The ratio of each attack's grid: of its ratios the one with most places, which sweeps never have."""
    counts: dict[str, dict[float, int]] = {}
    for place in places:
        if place.checkpoint in ("attacked", "defended"):
            of_attack = counts.setdefault(place.attack, {})
            of_attack[place.ratio] = of_attack.get(place.ratio, 0) + 1
    return {attack: max(found, key=lambda ratio: (found[ratio], ratio)) for attack, found in counts.items()}


def _perplexity(found: Rows) -> list[dict[str, Any]]:
    names = {"log_perplexity_gap": "gap", "log_perplexity_safe": "safe", "log_perplexity_harmful": "harmful"}
    entries: dict[tuple[Place, str], dict[str, Any]] = {}
    for rate in found:
        if name := names.get(rate["metric"]):
            key = (place_of(rate), rate["prompt_set"])
            entry = entries.setdefault(key, {**key[0]._asdict(), "prompt_set": key[1]})
            entry[name] = {part: rate[part] for part in ("value", "low", "high", "n")}
    return list(entries.values())


def _reasoning(places: Places) -> dict[str, Any]:
    return {
        "rates": [{**place._asdict(), **entry} for place, rows in places.items() for entry in reasoning_rates(rows)],
        "changes": [
            {"comparison": pair.name, "from": pair.before._asdict(), "to": pair.after._asdict(), **entry}
            for pair in comparisons(places)
            for entry in _reasoning_changes(pair, places)
        ],
    }


def _reasoning_changes(pair: Comparison, places: Places) -> list[dict[str, Any]]:
    after = places[pair.after]
    before = at_seeds(view(places, pair.before), sorted({row["seed"] for row in after}))
    return reasoning_changes(before, after)
