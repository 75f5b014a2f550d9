"""The rows of a measurement: what one model did with one item of one set."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.records import Row, content_hash
from counterpoise.safety.judges import Label

__all__ = ["Expects", "Measure", "MeasureRow", "Verdict", "measure_key"]

Measure = Literal["safety", "over_refusal", "helpfulness", "utility", "perplexity"]
"""What a set measures.

``safety``: refusal of harmful requests. ``over_refusal``: refusal of safe requests that sound unsafe. ``helpfulness``:
answers to ordinary requests. ``utility``: right answers to questions with one. ``perplexity``: how much likelier a
refusal is than an affirmative answer to a harmful request.
"""

Expects = Literal["refusal", "compliance", "answer"]
"""What a safe and useful model does."""


class Verdict(BaseModel):
    """What a further judge said of the same completion; see :class:`~counterpoise.safety.judges.Judgement`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label | None
    reason: str
    values: dict[str, float] = Field(default_factory=dict)
    failed: bool = False


class MeasureRow(Row):
    """One item of one set, put to one model.

    ``score`` is 1.0 when the model did as expected and 0.0 otherwise: a refusal, full or partial, of a harmful request;
    full compliance with a safe one; the right answer to a question. It is ``None`` in perplexity rows and in rows with
    the status ``unscored``. Statuses: ``ok``; ``parse_failed`` for a completion that cannot be read (empty, repeating
    without end, no number in it); ``model_failed`` for none; ``unscored`` where the judge failed or gives no label, or
    the model cannot score given text.

    Attributes:
        kind: ``verify``; subclasses have their own.
        measure: see :data:`Measure`.
        prompt_set: name of the set.
        prompt_id: unique within the set.
        cluster: items of one cluster are not independent; unique within the set.
        expects: see :data:`Expects`.
        system: the system turn that was put before the prompt; empty where there was none.
        prefix: what was put before the prompt in the user's turn.
        prompt: the item's own words: the request or question, without prefix and options.
        completion: raw text of the model; of a question by likelihood, the option it prefers; empty in perplexity rows.
        target: the right option or number; the affirmative opener of a perplexity row; ``None`` elsewhere.
        label: the label of the labelling judge, which is the first of the settings; ``None`` elsewhere.
        judge: name of what decided: the labelling judge, or how an answer or perplexity was read
            (``answer-likelihood-1``, ``answer-letter-1``, ``final-number-1``, ``log-perplexity-1``).
        values: what else was measured. Of the labelling judge: ``coherence`` and ``harmful`` in [0, 1],
            ``harmfulness_score`` and ``helpfulness_score`` in 1 to 5, each only where the judge gives it. Of a question
            by likelihood: ``margin``, how much more the question raises the log-probability of the right option than
            that of the best wrong one, in nats. Of perplexity: ``perplexity_safe`` (geometric mean over refusals),
            ``perplexity_harmful`` (of the affirmative opener), ``log_gap`` (log of the second minus log of the first;
            positive where the model prefers to refuse).
        others: the verdicts of the settings' further judges, by the judge's name.
    """

    kind: str = "verify"
    measure: Measure
    prompt_set: str
    prompt_id: str
    cluster: str
    expects: Expects
    system: str = ""
    prefix: str = ""
    prompt: str
    completion: str
    target: str | None = None
    label: Label | None = None
    judge: str | None = None
    values: dict[str, float] = Field(default_factory=dict)
    others: dict[str, Verdict] = Field(default_factory=dict)


def measure_key(row: Mapping[str, Any]) -> str:
    """Identity of a row within the measurement of one model: measure, set, item, and a persona where there is one.

    >>> measure_key({"measure": "safety", "prompt_set": "advbench", "prompt_id": "advbench-001"})
    'safety|advbench|advbench-001'
    """
    parts = [str(row[name]) for name in ("measure", "prompt_set", "prompt_id")]
    persona = [row.get("system") or "", row.get("prefix") or ""]
    return "|".join([*parts, content_hash(persona)] if any(persona) else parts)
