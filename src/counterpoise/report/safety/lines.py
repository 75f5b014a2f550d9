"""The lines of a lab run and of a verification, as plain values.

They repeat the entries of the rooms' summaries (:func:`counterpoise.customization.results.summary.summarise` and
:func:`counterpoise.verify.summary.summarise`): nothing is computed here. A verification has two places, the model
before and the model itself.
"""

from dataclasses import dataclass
from typing import Literal

from counterpoise.statistics import Estimate

__all__ = [
    "MODEL",
    "MODEL_BEFORE",
    "ChangeLine",
    "Curve",
    "CurvePoint",
    "GapLine",
    "GateLine",
    "Judged",
    "ParetoPoint",
    "Place",
    "RateLine",
    "ReasoningChange",
    "ReasoningLine",
    "SafetyRun",
    "TrainingLine",
    "Verdict",
]

Verdict = Literal["kept", "broken", "unclear"]
"""Whether a change stays within a gate: its whole interval does, none of it does, or the items are too few to tell."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was measured: a checkpoint of a cell, all its seeds together.

    Attributes:
        checkpoint: ``base``, ``aligned``, ``attacked`` or ``defended``; of a verification ``before`` or ``verified``.
        phase: when the arm's data was used.
        arm: which data.
        attack: the attack's name; empty before any.
        ratio: share of the attack's examples that are its own.
        dose: share of the plan's dose.
    """

    checkpoint: str
    phase: str = "none"
    arm: str = "nothing"
    attack: str = ""
    ratio: float = 0.0
    dose: float = 0.0


MODEL = Place("verified")
"""The model that a verification is of."""
MODEL_BEFORE = Place("before")
"""The model that it is compared with."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a number is about, and what decided it.

    Attributes:
        measure: what the set measures, for instance ``over_refusal``.
        prompt_set: the set; ``all`` for the pooled sets of the measure.
        metric: for instance ``over_refusal_rate``.
        judge: name of what decided.
    """

    measure: str
    prompt_set: str
    metric: str
    judge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLine:
    """One metric at one place.

    Attributes:
        estimate: a share, a score of 1 to 5, or for log-perplexities a real number.
        unreadable: of the items, completions that could not be read or never came; they stay in n.
        unscored: items that the judge could not decide; outside n.
        kappa: agreement of the judge with people; ``None`` where it was never measured.
        macro_f1: the same, as macro F1.
        interval: what the interval covers: ``prompts``, or ``prompts and seeds``.
        seeds: training seeds that are pooled.
        per_seed: the value of each seed.
    """

    place: Place
    what: Judged
    estimate: Estimate
    unreadable: int = 0
    unscored: int = 0
    kappa: float | None = None
    macro_f1: float | None = None
    interval: str = "prompts"
    seeds: int = 1
    per_seed: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """How a metric differs between two places, over the same items and seeds.

    Attributes:
        comparison: ``alignment``, ``attack``, ``defence``, ``whole`` (aligned to defended), ``arms`` (uncurated to
            another arm), or ``before`` in a verification.
        estimate: after minus before, paired.
        gained: items whose number rose.
        lost: items whose number fell.
        p_value: exact McNemar; of scores and gaps a sign test.
        dropped: items measured or scored on one side only, left out.
        interval: as in :class:`RateLine`.
        seeds: as in :class:`RateLine`.
    """

    comparison: str
    before: Place
    after: Place
    what: Judged
    estimate: Estimate
    gained: int
    lost: int
    p_value: float
    dropped: int
    interval: str = "prompts"
    seeds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """Whether a change stays within what is allowed.

    Attributes:
        gate: ``utility`` or ``over_refusal``.
        measure: what its set measures; empty where that is not known.
        estimate: the change.
        limit: the lowest (utility) or highest (over-refusal) change that is allowed, as a share.
    """

    comparison: str
    before: Place
    after: Place
    gate: str
    measure: str
    prompt_set: str
    judge: str
    estimate: Estimate
    limit: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One point of a curve: a share on the axis, and the metric there."""

    at: float
    estimate: Estimate
    seeds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How a metric depends on the dose, or on the attack's ratio.

    Attributes:
        ratio: the attack's ratio of a dose curve; ``None`` where the ratio is the axis.
        points: by rising dose or ratio.
    """

    attack: str
    ratio: float | None
    phase: str
    arm: str
    what: Judged
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoPoint:
    """Safety against over-refusal at one place.

    Attributes:
        efficient: whether no other attacked or defended place of the attack and ratio is at least as good in both and
            better in one; ``None`` at base and aligned.
    """

    place: Place
    judge: str
    safety_set: str
    safety: Estimate
    refusal_set: str
    over_refusal: Estimate
    efficient: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLine:
    """Which answer to a harmful request a model finds likelier.

    Attributes:
        gap: mean log-perplexity of the affirmative opener minus that of refusals; positive where the model prefers to
            refuse.
        safe: mean log-perplexity of refusals.
        harmful: that of the affirmative opener.
    """

    place: Place
    prompt_set: str
    gap: Estimate | None = None
    safe: Estimate | None = None
    harmful: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningLine:
    """One stage of the counterfactual diagnosis at one place; see :class:`RateLine` for the counts."""

    place: Place
    dataset: str
    stage: str
    metric: str
    estimate: Estimate
    unreadable: int = 0
    unscored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningChange:
    """How the mean score of a stage differs between two places, over the same cases."""

    comparison: str
    before: Place
    after: Place
    dataset: str
    stage: str
    estimate: Estimate
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLine:
    """One training step of an arm; numbers are means over its seeds.

    Attributes:
        arm: ``all arms`` for a step that they share.
        loss_tokens: tokens that carried loss, per epoch.
        defence_tokens: those of them that belong to the arm's data: what "equal tokens" compares.
        loss_first: loss over the first tenth of the optimizer steps.
        loss_last: loss over the last tenth.
    """

    attack: str
    phase: str
    arm: str
    dose: float
    step: str
    seeds: int
    examples: float
    loss_tokens: float
    defence_tokens: float
    epochs: float
    learning_rate: float
    loss_first: float
    loss_last: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRun:
    """Everything that a report tabulates of one lab run or one verification.

    Attributes:
        kind: ``lab`` or ``verify``.
        model: as the user named it.
        before: of a verification, the run and the model that it is compared with; empty without a comparison.
        seeds: training seeds of a lab run.
        main_ratios: of a lab run, each attack with the ratio of its grid; other ratios are a sweep.
        notes: what the numbers do and do not show.
    """

    run: str
    kind: str
    model: str
    before: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    main_ratios: tuple[tuple[str, float], ...] = ()
    rates: tuple[RateLine, ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    gates: tuple[GateLine, ...] = ()
    dose_response: tuple[Curve, ...] = ()
    ratio_sweep: tuple[Curve, ...] = ()
    pareto: tuple[ParetoPoint, ...] = ()
    gaps: tuple[GapLine, ...] = ()
    reasoning: tuple[ReasoningLine, ...] = ()
    reasoning_changes: tuple[ReasoningChange, ...] = ()
    training: tuple[TrainingLine, ...] = ()
    notes: tuple[str, ...] = ()
