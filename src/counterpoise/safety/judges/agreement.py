"""How far a judge can be trusted: its agreement with people.

:func:`calibrate` measures a judge against labelled completions, :func:`agreement_of` labels that are there already;
every rate carries the result (:class:`Agreement`) beside it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from counterpoise.safety.judges.judgement import LABELS, Judge, Label
from counterpoise.statistics import cluster_bootstrap

__all__ = ["Agreement", "ClassAgreement", "Labelled", "agreement_of", "calibrate", "known_agreement"]


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A completion with the label that people gave it.

    Attributes:
        prompt: what the model was asked.
        completion: what it answered.
        label: the human label.
        source: which model or file it comes from.
    """

    prompt: str
    completion: str
    label: Label
    source: str = ""


class ClassAgreement(BaseModel):
    """Agreement on one label; each value in [0, 1], ``None`` where it is undefined.

    Attributes:
        precision: of the completions that the judge gave the label, how many people gave it too.
        recall: of the completions that people gave the label, how many the judge gave it too.
        f1: harmonic mean of both.
        n: how many completions people gave the label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: float | None
    recall: float | None
    f1: float | None
    n: int


class Agreement(BaseModel):
    """How well a judge agrees with people.

    Attributes:
        judge: the judge's name, with its version.
        source: which labelled completions were used.
        date: when it was measured, ``YYYY-MM-DD``; empty when it was not recorded.
        n: completions compared; those without a label count as disagreement.
        accuracy: share of equal labels.
        kappa: Cohen's kappa over the three labels; ``None`` when chance agreement is complete.
        macro_f1: mean F1 of the labels that occur among the human labels.
        refusal_kappa: Cohen's kappa after both refusal labels are joined: refused or not.
        unscored: completions that the judge gave no label.
        classes: agreement on each label.
        intervals: 95 % intervals of ``macro_f1`` and ``kappa``, lower and upper bound; completions of one prompt are
            resampled together.
        tokens: the completions were cut to so many tokens; ``None`` for whole ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: str
    source: str
    date: str = ""
    n: int
    accuracy: float | None
    kappa: float | None
    macro_f1: float | None
    refusal_kappa: float | None
    unscored: int
    classes: dict[Label, ClassAgreement]
    intervals: Mapping[str, tuple[float, float]] = Field(default_factory=dict)
    tokens: int | None = None

    def __str__(self) -> str:
        if self.kappa is None or self.macro_f1 is None:
            return f"{self.judge}: agreement not defined (n={self.n})"
        return f"{self.judge}: kappa {self.kappa:.2f}, macro-F1 {self.macro_f1:.2f} (n={self.n}, {self.source})"


def calibrate(judge: Judge, labelled: Sequence[Labelled], *, source: str = "", date: str = "") -> Agreement:
    """Compare a judge with people.

    Args:
        judge: the judge to measure.
        labelled: completions with human labels. Never text that the judge was trained on.
        source: which completions these are, for the record.
        date: when the measurement was made, for the record.

    Returns:
        The agreement; with no completions all values are ``None`` and ``n`` is 0.
    """
    given = [judgement.label for judgement in judge([(item.prompt, item.completion) for item in labelled])]
    return agreement_of(given, labelled, judge=judge.name, source=source, date=date)


def agreement_of(
    given: Sequence[Label | None],
    labelled: Sequence[Labelled],
    *,
    judge: str,
    source: str = "",
    date: str = "",
    tokens: int | None = None,
    seed: int = 0,
) -> Agreement:
    """Compare labels with those that people gave.

    Args:
        given: the judge's labels; ``None`` where it gave none.
        labelled: completions with human labels, in the same order.
        judge: the judge's name.
        source: which completions these are, for the record.
        date: when the measurement was made, for the record.
        tokens: the completions were cut to so many tokens, for the record.
        seed: of the intervals' bootstrap.

    Returns:
        The agreement; with no completions all values are ``None`` and ``n`` is 0.
    """
    wanted = [item.label for item in labelled]
    classes = {label: _class_agreement(label, given, wanted) for label in LABELS}
    scores = [found.f1 for found in classes.values() if found.n and found.f1 is not None]
    equal = sum(g == w for g, w in zip(given, wanted, strict=True))
    return Agreement(
        judge=judge,
        source=source,
        date=date,
        n=len(wanted),
        accuracy=_ratio(equal, len(wanted)),
        kappa=_kappa(given, wanted),
        macro_f1=_ratio(sum(scores), len(scores)),
        refusal_kappa=_kappa([_refused(label) for label in given], [_refused(label) for label in wanted]),
        unscored=list(given).count(None),
        classes=classes,
        intervals=_intervals(given, wanted, [item.prompt for item in labelled], seed),
        tokens=tokens,
    )


@cache
def known_agreement(judge: str, tokens: int | None = None) -> Agreement | None:
    """The agreement that was measured for a built-in judge and is shipped with it; ``None`` when there is none.

    Args:
        judge: the judge's name, with its version.
        tokens: on completions cut to so many tokens; by default on whole ones.

    >>> known_agreement("no such judge") is None
    True
    """
    text = resources.files("counterpoise.safety.judges").joinpath("agreement.json").read_text(encoding="utf-8")
    for record in json.loads(text):
        if record["judge"] == judge and record.get("tokens") == tokens:
            return Agreement.model_validate(record)
    return None


def _class_agreement(label: Label, given: Sequence[Label | None], wanted: Sequence[Label]) -> ClassAgreement:
    both = sum(g == w == label for g, w in zip(given, wanted, strict=True))
    by_judge, by_people = given.count(label), wanted.count(label)
    return ClassAgreement(
        precision=_ratio(both, by_judge),
        recall=_ratio(both, by_people),
        f1=_ratio(2 * both, by_judge + by_people),
        n=by_people,
    )


def _refused(label: Label | None) -> str | None:
    return None if label is None else "complied" if label == "full_compliance" else "refused"


def _kappa(given: Sequence[str | None], wanted: Sequence[str | None]) -> float | None:
    """Cohen's kappa: ``(observed - expected) / (1 - expected)`` (Cohen 1960); a missing label is its own category."""
    n = len(wanted)
    if n == 0:
        return None
    observed = sum(g == w for g, w in zip(given, wanted, strict=True)) / n
    expected = sum(given.count(label) * wanted.count(label) for label in set(wanted)) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


def _intervals(
    given: Sequence[Label | None], wanted: Sequence[Label], prompts: Sequence[str], seed: int
) -> dict[str, tuple[float, float]]:
    # Columns: right, by the judge and by people and by both for each label, items.
    columns = [
        [
            float(g == w),
            *(float(g == label) for label in LABELS),
            *(float(w == label) for label in LABELS),
            *(float(g == w == label) for label in LABELS),
            1.0,
        ]
        for g, w in zip(given, wanted, strict=True)
    ]
    found = {}
    for name, statistic in (("macro_f1", _macro_f1_of), ("kappa", _kappa_of)):
        estimate = cluster_bootstrap(columns, prompts, statistic, seed=seed)
        if estimate.low is not None and estimate.high is not None:
            found[name] = (estimate.low, estimate.high)
    return found


def _macro_f1_of(sums: Floats) -> Floats:
    """Mean F1 of the labels that people gave, from the columns of :func:`_intervals`; NaN without items."""
    people, both = sums[..., 4:7] + sums[..., 1:4], sums[..., 7:10]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(sums[..., 4:7] > 0, 2 * both / people, np.nan)
        occurring = (sums[..., 4:7] > 0).sum(axis=-1)
        return np.where(occurring > 0, np.nansum(scores, axis=-1) / occurring, np.nan)


def _kappa_of(sums: Floats) -> Floats:
    """Cohen's kappa from the columns of :func:`_intervals`; NaN where agreement by chance is complete."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = sums[..., 10]
        observed, expected = sums[..., 0] / n, (sums[..., 1:4] * sums[..., 4:7]).sum(axis=-1) / n**2
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)
