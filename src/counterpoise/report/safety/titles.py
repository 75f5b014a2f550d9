"""How places, metrics and judges are called, in which order they stand, and which of them a page shows first."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from counterpoise.report.lines import position
from counterpoise.report.safety.lines import ChangeLine, GateLine, Judged, Place, RateLine, SafetyRun

__all__ = [
    "ARMS",
    "CHECKPOINTS",
    "COMPARISONS",
    "EVERY_SET",
    "METRICS",
    "PHASES",
    "SHARES",
    "by_place",
    "comparison_title",
    "early",
    "gate_title",
    "headline_columns",
    "judge_agreement",
    "main_judge",
    "main_places",
    "metric_title",
    "of_attack",
    "pair_title",
    "phase_title",
    "place_title",
    "whole_gates",
]

CHECKPOINTS = ("base", "before", "aligned", "attacked", "defended", "verified")
"""Order in which checkpoints are shown; a verification's two models are ``before`` and ``verified``."""

PHASES = ("none", "before", "during", "after", "every")
"""Order in which phases are shown."""

ARMS = (
    "curated",
    "curated-min",
    "curated-random",
    "contrast",
    "uncurated",
    "refusals",
    "refusals-backdoor",
    "nothing",
)
"""Order in which arms are shown."""

COMPARISONS = ("before", "alignment", "attack", "defence", "whole", "arms")
"""Order in which comparisons are shown."""

METRICS = (
    "safety_rate",
    "attack_success_rate",
    "over_refusal_rate",
    "helpful_rate",
    "coherent_rate",
    "accuracy",
    "harmfulness_score",
    "helpfulness_score",
    "log_perplexity_gap",
    "log_perplexity_safe",
    "log_perplexity_harmful",
)
"""Order in which metrics are shown."""

SHARES = METRICS[:6]
"""The metrics that are shares, in [0, 1]."""

EVERY_SET = "all"
"""The set of an entry that pools the sets of its measure."""

_BESIDE = ("log_perplexity_safe", "log_perplexity_harmful")
_MEASURES = ("safety", "over_refusal", "helpfulness", "utility", "perplexity")
_ABOUT = {
    "over_refusal_rate": ("over_refusal", "helpfulness"),
    "helpful_rate": ("helpfulness", "over_refusal"),
    "coherent_rate": ("helpfulness", "over_refusal", "safety"),
}

_METRIC_TITLES = {
    "safety_rate": "safety rate",
    "attack_success_rate": "attack success rate",
    "over_refusal_rate": "over-refusal rate",
    "helpful_rate": "helpful rate",
    "coherent_rate": "coherent rate",
    "accuracy": "accuracy",
    "harmfulness_score": "harmfulness score (1 to 5)",
    "helpfulness_score": "helpfulness score (1 to 5)",
    "log_perplexity_gap": "log-perplexity gap (nats)",
    "log_perplexity_safe": "log-perplexity of refusals",
    "log_perplexity_harmful": "log-perplexity of the affirmative opener",
}
_COMPARISON_TITLES = {
    "before": "Against the model before",
    "alignment": "Alignment: base to aligned",
    "attack": "Attack: aligned to attacked",
    "defence": "Defence: attacked to defended",
    "whole": "Whole: aligned to defended",
    "arms": "Arms: uncurated to another arm, same phase",
}
_CHECKPOINT_TITLES = {
    "base": "base model",
    "aligned": "aligned",
    "attacked": "attacked",
    "before": "model before",
    "verified": "this model",
}

Line = TypeVar("Line", RateLine, ChangeLine)


class _Key(NamedTuple):
    """Where a metric stands among others."""

    metric: tuple[int, str]
    measure: tuple[int, str]
    pooled: bool


def metric_title(metric: str) -> str:
    """A metric in words.

    >>> metric_title("over_refusal_rate"), metric_title("other_rate")
    ('over-refusal rate', 'other rate')
    """
    return _METRIC_TITLES.get(metric, metric.replace("_", " "))


def comparison_title(comparison: str) -> str:
    """A comparison in words."""
    return _COMPARISON_TITLES.get(comparison, comparison)


def gate_title(gate: str) -> str:
    """A gate in words."""
    return {"utility": "utility", "over_refusal": "over-refusal"}.get(gate, gate)


def phase_title(phase: str) -> str:
    """When the arm's data was used.

    >>> phase_title("after"), phase_title("every")
    ('after the attack', 'in every phase')
    """
    return {"none": "no defence", "every": "in every phase"}.get(phase, f"{phase} the attack")


def place_title(place: Place, *, sweep: bool = True) -> str:
    """A place as it is named to a reader, without its attack.

    Args:
        place: the place.
        sweep: name a dose below the whole too.

    >>> place_title(Place("defended", "every", "curated", "harm", 1.0, 0.5)), place_title(Place("base"))
    ('curated in every phase, dose 50 %', 'base model')
    """
    if place.checkpoint != "defended":
        return _CHECKPOINT_TITLES.get(place.checkpoint, place.checkpoint)
    dose = f", dose {100 * place.dose:.3g} %" if sweep and place.dose != 1 else ""
    return f"{place.arm} {phase_title(place.phase)}{dose}"


def pair_title(before: Place, after: Place) -> str:
    """Two places that are compared, the second first."""
    if before.checkpoint == after.checkpoint == "defended":
        return f"{place_title(after)}, against {before.arm}"
    return f"{place_title(after)}, against {place_title(before)}"


def by_place(place: Place) -> tuple[object, ...]:
    """Sort key of places: by attack and ratio, then in the order in which things happen, then phase, arm and dose."""
    return (
        place.attack,
        -place.ratio,
        position(place.checkpoint, CHECKPOINTS),
        position(place.phase, PHASES),
        position(place.arm, ARMS),
        -place.dose,
    )


def early(place: Place) -> bool:
    """Whether no attack has touched a place."""
    return place.checkpoint not in ("attacked", "defended")


def of_attack(rates: Iterable[RateLine], attack: str) -> list[RateLine]:
    """The rates of an attack and those before any attack, which have no attack's name here.

    Where the harmful requests were asked under the attack's own persona before it too, those rates stand in for the
    plain ones.
    """
    lines = list(rates)
    own = {(line.place.checkpoint, line.what) for line in lines if line.place.attack == attack and early(line.place)}
    found = []
    for line in lines:
        if line.place.attack == attack:
            found.append(replace(line, place=replace(line.place, attack="")) if early(line.place) else line)
        elif not line.place.attack and (line.place.checkpoint, line.what) not in own:
            found.append(line)
    return found


def main_places(run: SafetyRun, attack: str, places: Iterable[Place]) -> list[Place]:
    """The places of an attack's grid, in order: its main ratio and the whole dose, and what comes before the attack."""
    ratio = dict(run.main_ratios).get(attack)
    found = dict.fromkeys(
        place
        for place in places
        if (early(place) and not place.attack)
        or (place.attack == attack and place.ratio == ratio and place.dose in (0, 1))
    )
    return sorted(found, key=lambda place: by_place(place)[2:])


def main_judge(lines: Sequence[Line]) -> list[Line]:
    """The lines of the judge that labels: of each measure, set and metric the first."""
    first: dict[tuple[str, str, str], str] = {}
    for line in lines:
        first.setdefault((line.what.measure, line.what.prompt_set, line.what.metric), line.what.judge)
    return [
        line for line in lines if first[line.what.measure, line.what.prompt_set, line.what.metric] == line.what.judge
    ]


def headline_columns(lines: Sequence[RateLine]) -> list[Judged]:
    """The metrics that a page shows first, in order: one judge each, pooled sets where there are several.

    A metric that several measures have is shown for the one that it is about: refusals of safe requests that sound
    unsafe, help with ordinary ones. The whole table has the others. Of perplexities the gap is shown.
    """
    found = dict.fromkeys(line.what for line in main_judge(lines) if line.what.metric not in _BESIDE)
    pooled = {(what.measure, what.metric) for what in found if what.prompt_set == EVERY_SET}
    columns = [what for what in found if what.prompt_set == EVERY_SET or (what.measure, what.metric) not in pooled]
    for metric, best in _ABOUT.items():
        there = {what.measure for what in columns if what.metric == metric}
        shown = next((measure for measure in best if measure in there), None)
        columns = [what for what in columns if what.metric != metric or what.measure == shown]
    return sorted(columns, key=_by_metric)


def whole_gates(run: SafetyRun, comparison: str) -> dict[tuple[Place, str], GateLine]:
    """Of each place that a comparison leads to and each kind of gate the one to show first.

    It is that of utility, or of safe requests that sound unsafe; by the judge that labels; of several sets the pooled
    one.
    """
    found: dict[tuple[Place, str], GateLine] = {}
    for gate in run.gates:
        if gate.comparison == comparison and gate.measure in ("utility", "over_refusal"):
            shown = found.setdefault((gate.after, gate.gate), gate)
            # A pooled entry comes after those of its sets, and the labelling judge's before those of others.
            if gate.prompt_set == EVERY_SET != shown.prompt_set:
                found[gate.after, gate.gate] = gate
    return found


def judge_agreement(line: RateLine) -> str:
    """How well a judge agrees with people, in words; empty where nothing is judged.

    >>> from counterpoise.statistics import Estimate
    >>> line = RateLine(place=Place("base"), what=Judged("safety", "s", "safety_rate", "j"),
    ...                 estimate=Estimate(0.5, 0.4, 0.6, 9, 9), kappa=0.7, macro_f1=0.712)
    >>> judge_agreement(line)
    'kappa 0.70, macro F1 0.71'
    """
    if line.what.measure in ("utility", "perplexity"):
        return ""
    if line.kappa is None or line.macro_f1 is None:
        return "agreement not measured"
    return f"kappa {line.kappa:.2f}, macro F1 {line.macro_f1:.2f}"


def _by_metric(what: Judged) -> _Key:
    return _Key(position(what.metric, METRICS), position(what.measure, _MEASURES), what.prompt_set == EVERY_SET)
