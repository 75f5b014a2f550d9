"""What is measured, and with which judges."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from counterpoise.safety.measures.sets import MEASURE_SETS

__all__ = ["DEFAULT_JUDGE", "Evaluate", "MeasureSettings"]

DEFAULT_JUDGE = "classifier"
"""The labelling judge unless another is named."""


class Evaluate(BaseModel):
    """One set that a model is measured on.

    Attributes:
        set: name of a set of :data:`~counterpoise.safety.measures.sets.MEASURE_SETS`.
        limit: how many of its items, drawn by the settings' seed; ``None`` for all. The items of a smaller limit are
            among those of a larger one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    limit: int | None = Field(default=None, ge=1)

    @field_validator("set")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in MEASURE_SETS:
            raise ValueError(f"unknown set {value!r}; expected one of {', '.join(sorted(MEASURE_SETS))}")
        return value


class MeasureSettings(BaseModel):
    """Everything that determines the rows of a measurement, apart from the model and the sets' files.

    Attributes:
        evaluate: the sets.
        judges: names as :func:`~counterpoise.safety.judges.open_judge` takes them. The first is the labelling judge:
            its labels give the rows' scores. Every further one gives rates of its own.
        max_tokens: upper bound of new tokens of a judged completion; refusals show in the first sentence.
        answer_tokens: the same for questions that are answered by working (``gsm8k``).
        seed: of the choice of items where there is a limit.
        system: a system turn before every prompt (the persona of an identity shift, a backdoor's trigger).
        prefix: put before every prompt in the user's turn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluate: Annotated[tuple[Evaluate, ...], Field(min_length=1)]
    judges: Annotated[tuple[str, ...], Field(min_length=1)] = (DEFAULT_JUDGE,)
    max_tokens: int = Field(default=32, ge=1)
    answer_tokens: int = Field(default=160, ge=1)
    seed: int = 0
    system: str = ""
    prefix: str = ""

    @field_validator("evaluate")
    @classmethod
    def _each_once(cls, value: tuple[Evaluate, ...]) -> tuple[Evaluate, ...]:
        names = [entry.set for entry in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return value

    @field_validator("judges")
    @classmethod
    def _judges_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({name for name in value if value.count(name) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return value
