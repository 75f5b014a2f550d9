"""Generated suites: which there are, and what can be asked of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from counterpoise.counterfactual.case import Modality
from counterpoise.counterfactual.suite.draw.shapes import ShapeName
from counterpoise.errors import ConfigError, UnknownNameError

__all__ = ["MODALITIES", "GenerateConfig", "Query", "Suite", "Wording", "checked_config", "read_config"]

Suite = Literal["scm-text", "scm-math", "scm-code", "scm-image"]
Wording = Literal["plain", "nonce", "mixed"]
Query = Literal["abduction", "intervention", "no-op", "undetermined"]
"""What a question needs.

``abduction``: the outcome is settled only by what was observed of the exposure or its consequences. ``intervention``:
it is settled by the intervention and the other observations alone, and is not known to stay as it was. ``no-op``:
likewise, and it stays as it was. ``undetermined``: everything observed together leaves it open.
"""

MODALITIES: dict[Suite, Modality] = {
    "scm-text": "text",
    "scm-math": "mathematics",
    "scm-code": "code",
    "scm-image": "image",
}
"""What the contexts of a suite are."""

_NONCE_SUITES: tuple[Suite, ...] = ("scm-text", "scm-code")
_NO_PATH_QUERIES: tuple[Query, ...] = ("no-op", "undetermined")


class GenerateConfig(BaseModel):
    """What kind of cases to generate.

    Attributes:
        suite: ``scm-text`` (stories), ``scm-math`` (equations), ``scm-code`` (Python functions) or ``scm-image`` (drawn
            scenes).
        shapes: causal shapes to draw from.
        queries: kinds of question to draw from.
        difficulty: smallest and largest difficulty, 1 to 5; a single number means both.
        wording: ``plain`` words, invented ``nonce`` words, or ``mixed``, about a third invented. Equations and scenes
            have plain words only, and refuse ``nonce``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: Suite
    shapes: tuple[ShapeName, ...] = Field(default=get_args(ShapeName), min_length=1)
    queries: tuple[Query, ...] = Field(default=get_args(Query), min_length=1)
    difficulty: tuple[int, int] = (1, 5)
    wording: Wording = "mixed"

    @field_validator("difficulty", mode="before")
    @classmethod
    def _as_range(cls, value: Any) -> Any:
        return (value, value) if isinstance(value, int) else value

    @field_validator("difficulty")
    @classmethod
    def _in_range(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1] <= 5:
            raise ValueError("difficulty must be a number from 1 to 5, or two in ascending order")
        return value

    @model_validator(mode="after")
    def _possible(self) -> "GenerateConfig":
        if not self.plans:
            raise ValueError("shape no-path only has the queries no-op and undetermined")
        if self.wording == "nonce" and self.suite not in _NONCE_SUITES:
            raise ValueError(f"suite {self.suite} has no nonce wording; {' and '.join(_NONCE_SUITES)} have")
        return self

    @property
    def plans(self) -> tuple[tuple[ShapeName, Query], ...]:
        """Every combination of shape and query that can be asked for."""
        return tuple(
            (shape, query)
            for shape in dict.fromkeys(self.shapes)
            for query in dict.fromkeys(self.queries)
            if shape != "no-path" or query in _NO_PATH_QUERIES
        )


def read_config(values: Mapping[str, Any]) -> GenerateConfig:
    """Validate a configuration.

    Raises:
        ConfigError: names every problem at once.
    """
    try:
        return GenerateConfig.model_validate(values)
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in e['loc']) or 'config'}: {_said(e['msg'])}" for e in error.errors()]
        raise ConfigError("generator configuration is not valid", where="; ".join(faults)) from None


def checked_config(
    *,
    suite: str,
    shapes: Iterable[str] | None = None,
    queries: Iterable[str] | None = None,
    difficulty: str = "1-5",
    wording: str = "mixed",
) -> GenerateConfig:
    """A configuration from what a user wrote.

    Args:
        suite: name of the suite.
        shapes: names of shapes; ``None`` for all.
        queries: names of queries; ``None`` for all.
        difficulty: "2", or "1-3" for a range.
        wording: name of the wording.

    Raises:
        UnknownNameError: a name that does not exist.
        ConfigError: the difficulty is no such text, or the parts do not go together.
    """
    for kind, names, known in (
        ("suite", [suite], get_args(Suite)),
        ("shape", shapes or (), get_args(ShapeName)),
        ("query", queries or (), get_args(Query)),
        ("wording", [wording], get_args(Wording)),
    ):
        for name in names:
            if name not in known:
                raise UnknownNameError(kind, name, known)
    low, _, high = difficulty.partition("-")
    if not (low.strip().isdecimal() and (high or low).strip().isdecimal()):
        raise ConfigError(f"difficulty {difficulty!r}", expected="a number from 1 to 5, or two as in 1-3")
    values: dict[str, Any] = {"suite": suite, "difficulty": (int(low), int(high or low)), "wording": wording}
    values |= {"shapes": tuple(shapes)} if shapes is not None else {}
    values |= {"queries": tuple(queries)} if queries is not None else {}
    return read_config(values)


def _said(message: str) -> str:
    """A message without what Pydantic puts before those of this module."""
    return message.removeprefix("Value error, ")
