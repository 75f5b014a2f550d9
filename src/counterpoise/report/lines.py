"""The lines of a report's tables, as plain values: charts, pages and terminal tables depend on these shapes alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from counterpoise.statistics import Estimate

__all__ = [
    "ELICITATIONS",
    "MODES",
    "ORACLE",
    "STAGES",
    "TOOL_USES",
    "Baseline",
    "CurationLine",
    "Failures",
    "StageLine",
    "Standing",
    "by_elicitation",
    "main_lines",
    "position",
]

STAGES = ("variables", "graph", "intervention", "abduction", "outcome", "answer")
"""Order in which stages are shown."""

MODES = ("isolated", "chained", "substitution")
"""Order in which modes are shown."""

ELICITATIONS = ("direct", "few-shot", "cot", "cot-sc", "tot")
"""Order in which elicitations are shown."""

TOOL_USES = ("", "hints", "calls")
"""Order in which uses of tools are shown behind an elicitation; the first is none."""

ORACLE = "oracle"
"""The baseline that is given the gold: it checks the scorer and is never the level to beat."""

Standing = Literal["above", "level", "below", "unknown"]
"""Where a model's interval lies against the best baseline without a model; ``unknown`` where that cannot be said."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Rows without a usable answer; the first two score 0 and stay in the denominator, the last is outside it."""

    parse_failed: int = 0
    model_failed: int = 0
    unscored: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a procedure without a model scores on the same cases.

    Attributes:
        estimate: its score.
        advantage: the model's score minus this one, paired by case, with its 95 % interval.
    """

    name: str
    estimate: Estimate
    advantage: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLine:
    """One stage of one dataset by one model, in isolated or chained mode.

    Attributes:
        k: samples or branches of the elicitation.
        matcher: what decided which names and values are the same.
        metric: what ``estimate`` measures, for instance ``edge F1``.
        estimate: in [0, 1] with its 95 % interval; ``n`` counts cases.
        input_tokens: mean tokens read per case; ``None`` without cases.
        output_tokens: mean tokens written per case; ``None`` without cases.
        baselines: on the same cases, the oracle among them.
        skill: ``(score - template) / (1 - template)``: 0 is the constant template, 1 is perfect; graph stage only.
        details: further measures of the stage, by name; ``None`` where one is undefined.
        confusion: variables stage: gold role, predicted role, and how many variables have both; ``missing`` stands for
            the predicted role of those that were not found, ``none`` for the gold role of those that were invented.
        errors: graph stage: kind of wrong edge and how many.
    """

    run: str
    model: str
    dataset: str
    stage: str
    mode: str
    elicit: str
    metric: str
    estimate: Estimate
    failures: Failures
    input_tokens: float | None = None
    output_tokens: float | None = None
    baselines: tuple[Baseline, ...] = ()
    skill: float | None = None
    details: tuple[tuple[str, float | None], ...] = ()
    confusion: tuple[tuple[str, str, int], ...] = ()
    errors: tuple[tuple[str, int], ...] = ()
    k: int = 1
    matcher: str = ""

    @property
    def floor(self) -> Baseline | None:
        """The best baseline that has no access to the gold; ``None`` when there is none with a value."""
        found = [b for b in self.baselines if b.name != ORACLE and b.estimate.value is not None]
        return max(found, key=lambda b: b.estimate.value or 0.0, default=None)

    @property
    def standing(self) -> Standing:
        """Whether the model's advantage over the floor is clearly above 0, clearly below it, or neither.

        The advantage is paired by case, so what makes a case easy for both cancels. An interval without width away
        from 0 (one cluster, or the same difference everywhere) is no evidence: the answer is then ``unknown``.
        """
        advantage = self.floor.advantage if self.floor else None
        if advantage is None or advantage.value is None or advantage.low is None or advantage.high is None:
            return "unknown"
        if advantage.low == advantage.high and advantage.value != 0:
            return "unknown"
        if advantage.low > 0:
            return "above"
        return "below" if advantage.high < 0 else "level"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationLine:
    """One curation run.

    Attributes:
        model: the reviser.
        target: the model whose perplexity is measured; empty where the manifest does not say.
        texts: source texts that have a row.
        passed: share for which a revision passed every gate; texts that could not be curated at all (``unscored``) are
            outside the denominator.
        before: median perplexity of the original answers, over texts with both values; ``None`` without such texts.
        after: the same of the revised answers.
        change: ``after - before`` with a paired bootstrap interval, texts resampled.
        helpfulness: mean of the chosen revisions, in [0, 1].
        candidates: revisions written, over all rounds.
        judged: how many of them were judged for helpfulness.
        rejected: how many were refused, by gate.
        keyword_coverage: share of the keywords to be taken up that occur in the revision; ``n`` counts keywords.
        keywords: how many of these keywords are distinct.
        pairs: perplexity before and after of each text with both, in row order.
    """

    run: str
    model: str
    target: str
    objective: str
    texts: int
    passed: Estimate
    before: float | None
    after: float | None
    change: Estimate
    helpfulness: Estimate
    candidates: int
    judged: int
    rejected: tuple[tuple[str, int], ...]
    keyword_coverage: Estimate
    keywords: int
    failures: Failures
    pairs: tuple[tuple[float, float], ...] = ()


def position(name: str, order: Sequence[str]) -> tuple[int, str]:
    """Sort key: the names of ``order`` first and in its order, then the others by name."""
    return (order.index(name) if name in order else len(order), name)


def by_elicitation(elicit: str) -> tuple[tuple[int, str], tuple[int, str]]:
    """Sort key of an elicitation; with tools it stands right behind itself without.

    >>> sorted(["cot", "direct+calls", "tot", "cot+hints", "direct+hints", "direct"], key=by_elicitation)
    ['direct', 'direct+hints', 'direct+calls', 'cot', 'cot+hints', 'tot']
    """
    plain, _, use = elicit.partition("+")
    return position(plain, ELICITATIONS), position(use, TOOL_USES)


def main_lines(lines: Sequence[StageLine]) -> list[StageLine]:
    """Of each run and model, the lines of its plainest mode and elicitation: isolated and direct where it has them."""
    found = []
    for run, model in dict.fromkeys((line.run, line.model) for line in lines):
        mine = [line for line in lines if (line.run, line.model) == (run, model)]
        mode = min((line.mode for line in mine), key=lambda name: position(name, MODES))
        elicit = min((line.elicit for line in mine if line.mode == mode), key=by_elicitation)
        found += [line for line in mine if (line.mode, line.elicit) == (mode, elicit)]
    return found
