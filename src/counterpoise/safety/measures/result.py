"""What came out of one item, before it is a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from counterpoise.lm.protocol import Completion, Message
from counterpoise.records import Status, Tokens
from counterpoise.safety.judges import Label
from counterpoise.safety.measures.rows import Verdict
from counterpoise.safety.measures.settings import MeasureSettings

__all__ = ["Result", "answered", "failed", "finite", "messages", "tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The columns of a :class:`~counterpoise.safety.measures.rows.MeasureRow` that the model and the judges decide."""

    status: Status
    judge: str
    reason: str | None = None
    score: float | None = None
    completion: str = ""
    label: Label | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, Verdict] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    seconds: float = 0.0


def messages(settings: MeasureSettings, text: str) -> list[Message]:
    """The chat that puts a text to a model, with the settings' system turn and prefix."""
    turns: list[Message] = [{"role": "system", "content": settings.system}] if settings.system else []
    return [*turns, {"role": "user", "content": settings.prefix + text}]


def tokens(completion: Completion) -> Tokens:
    """The tokens of a completion."""
    return Tokens(input=completion.input_tokens, output=completion.output_tokens)


def failed(completion: Completion, judge: str) -> Result:
    """The result where the model gave no completion: nothing as expected, in the denominator."""
    reason = completion.error or "the model gave no completion"
    return Result(status="model_failed", reason=reason, score=0.0, judge=judge, seconds=completion.seconds)


def answered(completion: Completion, judge: str, right: bool, fault: str | None) -> Result:
    """The result of an answer that was read out of a completion; with a fault, of one that could not be read."""
    return Result(
        status="parse_failed" if fault else "ok",
        reason=fault,
        score=float(right),
        judge=judge,
        completion=completion.text,
        tokens=tokens(completion),
        seconds=completion.seconds,
    )


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """The values that a file of JSON can hold."""
    return {name: float(value) for name, value in values.items() if isfinite(value)}
