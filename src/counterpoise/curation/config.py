"""Settings of a curation."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from counterpoise.curation.beam import Objective
from counterpoise.curation.gates import Gates
from counterpoise.errors import ConfigError

__all__ = ["CurateConfig"]


class CurateConfig(BaseModel):
    """Everything about a curation but its texts, models and seed set.

    A text costs ``len(temperatures) * len(top_ps)`` completions in the first round and up to ``beam`` times as many in
    every further one.

    Attributes:
        objective: which candidates are preferred: ``max`` perplexity (arXiv 2410.02220), ``min`` (its predecessor
            arXiv 2405.19358) or ``random`` (the control).
        rounds: at most this many; a text is finished earlier when a round brings nothing new.
        beam: candidates kept per text and round.
        seed: of everything random.
        temperatures: one side of the sampling grid.
        top_ps: the other side.
        keywords: safety keywords per revision.
        revise: ``answers``, or ``both`` questions and answers.
        style: how the reviser is asked, see :data:`~counterpoise.curation.revise.Style`; ``auto`` is ``extend`` for an
            embedded model and ``rewrite`` for every other.
        max_tokens: upper bound of new tokens per completion.
        min_helpfulness: least helpfulness total of a candidate that is kept.
        diversity: of the revisions of a text that are kept, no two have this share of their added content words in
            common (Jaccard similarity), so that a beam does not fill up with variants of one text; ``None`` for no
            such guard.
        gates: limits of the sanity gates.
        chunk: texts that go to the models together; a killed run loses at most one call of one chunk.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    objective: Objective = "max"
    rounds: int = Field(default=2, ge=1, le=20)
    beam: int = Field(default=2, ge=1, le=100)
    seed: int = 0
    temperatures: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    top_ps: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    keywords: int = Field(default=1, ge=1, le=10)
    revise: Literal["answers", "both"] = "answers"
    style: Literal["auto", "rewrite", "extend"] = "auto"
    max_tokens: int = Field(default=128, ge=8, le=4096)
    min_helpfulness: float = Field(default=0.75, ge=0, le=1)
    diversity: float | None = Field(default=0.8, gt=0, le=1)
    gates: Gates = Gates()
    chunk: int = Field(default=32, ge=1, le=4096)

    @classmethod
    def checked(cls, values: Mapping[str, Any], where: str) -> Self:
        """Settings from plain values, with every fault in one message.

        Raises:
            ConfigError: an unknown name, or a value of the wrong type or out of its range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, entry['loc']))}: {entry['msg'].removeprefix('Value error, ')}".removeprefix(": ")
                for entry in error.errors(include_url=False, include_input=False)
            )
            raise ConfigError(f"the settings are not valid: {faults}", where=where) from error

    @model_validator(mode="after")
    def _grid(self) -> "CurateConfig":
        for name, values, low, high in (("temperatures", self.temperatures, 0, 2), ("top_ps", self.top_ps, 0, 1)):
            if not values:
                raise ValueError(f"{name} must not be empty")
            if len(set(values)) != len(values):
                raise ValueError(f"{name} must be different; got {values}")
            if not all(low < value <= high for value in values):
                raise ValueError(f"{name} must be in ({low}, {high}]; got {values}")
        return self

    @property
    def grid(self) -> tuple[tuple[float, float], ...]:
        """Pairs of temperature and top-p."""
        return tuple((temperature, top_p) for temperature in self.temperatures for top_p in self.top_ps)

    @property
    def hand(self) -> int:
        """Revisions of one text at most, all rounds together."""
        return self.hand_begin(self.rounds + 1)

    def hand_begin(self, round: int) -> int:
        """How many revisions of one text at most come before a round (from 1)."""
        return len(self.grid) * (0 if round == 1 else 1 + (round - 2) * self.beam)
