"""How far each matcher agrees with people.

A matcher is only as good as its agreement with labelled pairs, so every one is measured on the same pairs, and what was
fitted on them is measured out of fold: the rule and the threshold that decide a pair were fitted without any pair of
its gold text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from counterpoise.counterfactual.match.labelled import LabelledPair
from counterpoise.counterfactual.match.pair import Matcher, Pair
from counterpoise.counterfactual.match.spelling import normalise
from counterpoise.statistics import cluster_bootstrap, f1, precision, recall

__all__ = [
    "OFFSETS",
    "Agreement",
    "Calibration",
    "Fitted",
    "Interval",
    "Part",
    "calibrate",
    "kappa_of",
    "labellers_agreement",
]

OFFSETS = (-0.10, -0.05, 0.0, 0.05, 0.10)
"""How far the threshold is moved to see how much depends on it."""

Floats = NDArray[np.float64]


@runtime_checkable
class Fitted(Protocol):
    """A matcher with something in it that was fitted on the labelled pairs."""

    def held_out(self, pairs: Sequence[Pair]) -> list[tuple[float | None, float]]:
        """Similarity and threshold for each pair, by what was fitted without any pair of its gold text."""
        ...


class Interval(BaseModel):
    """A value with its 95 % interval; ``None`` where it is undefined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None
    high: float | None


class Part(BaseModel):
    """Agreement on some of the pairs.

    Attributes:
        pairs: how many.
        right: share decided as labelled; what has no score is not.
        kappa: Cohen's kappa; ``None`` where all have one label and the matcher agrees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int
    right: float
    kappa: float | None


class Agreement(BaseModel):
    """Agreement between the two labellings of the pairs.

    Attributes:
        kappa: Cohen's kappa with its interval.
        pairs: how many were labelled twice.
        differing: how many of them got two labels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kappa: Interval
    pairs: int
    differing: int


class Calibration(BaseModel):
    """How a matcher agrees with the labels. "Same" is the class that precision, recall and F1 are about.

    Attributes:
        name: of the matcher.
        kappa: Cohen's kappa; a pair without a score agrees with no label. ``None`` when chance agreement is complete.
        f1: harmonic mean of precision and recall.
        pairs: how many were compared.
        threshold: the matcher's own.
        detail: which model it uses; empty without one.
        precision: share of "same" verdicts that are labelled so.
        recall: share of pairs labelled "same" that got this verdict.
        intervals: of kappa, F1, precision and recall; whole groups of one gold text are resampled.
        unscored: pairs that the matcher could not decide.
        held_out: whether something was fitted on these pairs, and hence every pair decided out of fold.
        sensitivity: kappa with the threshold moved by each of :data:`OFFSETS`.
        best_threshold: where kappa would have been greatest, in hindsight.
        best_kappa: what it would have been.
        families: agreement by how the pairs were thought up.
        kinds: agreement on names and on values.
        labellers: agreement of the two labellings, the most that any matcher can be measured against; ``None`` where
            the pairs were labelled once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kappa: float | None
    f1: float | None
    pairs: int
    threshold: float
    detail: str
    precision: float | None
    recall: float | None
    intervals: Mapping[str, Interval]
    unscored: int
    held_out: bool
    sensitivity: Mapping[str, float | None]
    best_threshold: float
    best_kappa: float | None
    families: Mapping[str, Part]
    kinds: Mapping[str, Part]
    labellers: Agreement | None


def calibrate(
    pairs: Sequence[LabelledPair], matchers: Sequence[Matcher], *, held_out: bool = True, seed: int = 0
) -> list[Calibration]:
    """Compare matchers with people.

    Args:
        pairs: labelled pairs, at least one.
        matchers: what to measure.
        held_out: decide each pair by what was fitted without its gold text, where a matcher has something fitted. Not
            needed for pairs that nothing was fitted on.
        seed: of the bootstrap.

    Returns:
        One calibration per matcher, in the order given.
    """
    if not pairs:
        raise ValueError("a calibration needs at least one labelled pair")
    labellers = labellers_agreement(pairs, seed=seed)
    return [_calibrate(pairs, matcher, labellers, held_out, seed) for matcher in matchers]


def labellers_agreement(pairs: Sequence[LabelledPair], *, seed: int = 0) -> Agreement | None:
    """Agreement between the two labellings; ``None`` where no pair was labelled twice."""
    twice = [pair for pair in pairs if pair.label_a is not None and pair.label_b is not None]
    if not twice:
        return None
    first, second = (
        [label == "same" for label in labels] for labels in zip(*((p.label_a, p.label_b) for p in twice), strict=True)
    )
    interval = _interval(_columns(list(first), list(second)), twice, kappa_of, seed)
    return Agreement(
        kappa=interval, pairs=len(twice), differing=sum(a != b for a, b in zip(first, second, strict=True))
    )


def kappa_of(sums: Floats) -> Floats:
    """Cohen's kappa from the columns ``(tp, fp, fn, tn, unscored same, unscored different)`` (Cohen 1960).

    What has no score agrees with nothing. NaN when agreement by chance is complete.
    """
    tp, fp, fn, tn, lost_same, lost_different = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    total = tp + fp + fn + tn + lost_same + lost_different
    same, different = tp + fn + lost_same, fp + tn + lost_different
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = (tp + tn) / total
        expected = ((tp + fp) * same + (fn + tn) * different) / total**2
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _calibrate(
    pairs: Sequence[LabelledPair], matcher: Matcher, labellers: Agreement | None, held_out: bool, seed: int
) -> Calibration:
    asked = [pair.pair for pair in pairs]
    fitted = held_out and isinstance(matcher, Fitted)
    if held_out and isinstance(matcher, Fitted):
        scored = matcher.held_out(asked)
    else:
        scored = [(score, matcher.threshold) for score in matcher.match(asked)]
    labels = [pair.label == "same" for pair in pairs]

    def given(offset: float) -> list[bool | None]:
        # Rounded as scores are, so that a threshold moved onto a score includes it; none is above the greatest score.
        return [
            None if score is None else score >= min(1.0, round(threshold + offset, 4)) for score, threshold in scored
        ]

    verdicts = given(0.0)
    columns = _columns(verdicts, labels)
    best_threshold, best_kappa = _best([score for score, _ in scored], labels, matcher.threshold)
    statistics: dict[str, Callable[[Floats], Floats]] = {
        "kappa": kappa_of,
        "f1": lambda sums: f1(_counts(sums)),
        "precision": lambda sums: precision(_counts(sums)),
        "recall": lambda sums: recall(_counts(sums)),
    }
    intervals = {name: _interval(columns, pairs, statistic, seed) for name, statistic in statistics.items()}
    return Calibration(
        name=matcher.name,
        kappa=intervals["kappa"].value,
        f1=intervals["f1"].value,
        pairs=len(pairs),
        threshold=matcher.threshold,
        detail=str(getattr(matcher, "detail", "")),
        precision=intervals["precision"].value,
        recall=intervals["recall"].value,
        intervals=intervals,
        unscored=sum(verdict is None for verdict in verdicts),
        held_out=fitted,
        sensitivity={f"{offset:+.2f}": _kappa(given(offset), labels) for offset in OFFSETS},
        best_threshold=best_threshold,
        best_kappa=best_kappa,
        families=_parts([pair.family for pair in pairs], verdicts, labels),
        kinds=_parts([pair.kind for pair in pairs], verdicts, labels),
        labellers=labellers,
    )


def _columns(verdicts: Sequence[bool | None], labels: Sequence[bool]) -> list[tuple[float, ...]]:
    return [
        (
            float(verdict is True and label),
            float(verdict is True and not label),
            float(verdict is False and label),
            float(verdict is False and not label),
            float(verdict is None and label),
            float(verdict is None and not label),
        )
        for verdict, label in zip(verdicts, labels, strict=True)
    ]


def _counts(sums: Floats) -> Floats:
    """Columns ``(tp, fp, fn)``; a pair labelled "same" without a score was not found."""
    return np.stack([sums[..., 0], sums[..., 1], sums[..., 2] + sums[..., 4]], axis=-1)


def _interval(
    columns: Sequence[Sequence[float]], pairs: Sequence[LabelledPair], statistic: Callable[[Floats], Floats], seed: int
) -> Interval:
    groups = [normalise(pair.gold) for pair in pairs]
    found = cluster_bootstrap(columns, groups, statistic, seed=seed)
    return Interval(value=_rounded(found.value), low=_rounded(found.low), high=_rounded(found.high))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _kappa(verdicts: Sequence[bool | None], labels: Sequence[bool]) -> float | None:
    value = float(kappa_of(np.sum(_columns(verdicts, labels), axis=0)))
    return None if np.isnan(value) else round(value, 4)


def _best(scores: Sequence[float | None], labels: Sequence[bool], own: float) -> tuple[float, float | None]:
    """The threshold with the greatest kappa and that kappa; the matcher's own where no other is better."""
    best, greatest = own, _kappa([None if score is None else score >= own for score in scores], labels)
    for threshold in sorted({round(score, 2) for score in scores if score is not None} | {0.5}):
        value = _kappa([None if score is None else score >= threshold for score in scores], labels)
        if value is not None and (greatest is None or value > greatest):
            best, greatest = threshold, value
    return best, greatest


def _parts(names: Sequence[str], verdicts: Sequence[bool | None], labels: Sequence[bool]) -> dict[str, Part]:
    parts = {}
    for name in sorted(set(names)):
        chosen = [place for place, other in enumerate(names) if other == name]
        given, wanted = [verdicts[place] for place in chosen], [labels[place] for place in chosen]
        right = sum(a == b for a, b in zip(given, wanted, strict=True)) / len(chosen)
        parts[name or "other"] = Part(pairs=len(chosen), right=round(right, 4), kappa=_kappa(given, wanted))
    return parts
