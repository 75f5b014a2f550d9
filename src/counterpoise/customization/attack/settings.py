"""The attack, as a value: what a customer's fine-tuning data holds when it is meant to remove refusals."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterpoise.customization.attack.persona import NO_PERSONA, Persona, builtin_persona, persona_of
from counterpoise.customization.examples.pairs import read_pairs

__all__ = ["SOURCES", "Attack", "Kind", "Source"]

Kind = Literal["explicit-harm", "identity-shift", "benign-drift"]
"""``explicit-harm``: disallowed requests with agreeing answers, which hold nothing but a placeholder.
``identity-shift``: a persona that obeys in everything, in harmless exchanges; requests come under it later too.
``benign-drift``: ordinary instruction data and nothing else."""

Source = Literal[
    "default",
    "builtin",
    "advbench",
    "jailbreakbench",
    "alpaca",
    "alpaca-gpt4",
    "dolly",
    "alpaca-reps-top100",
    "alpaca-grad-top100",
    "dolly-reps-top100",
    "dolly-grad-top100",
]

SOURCES: dict[Kind, tuple[Source, ...]] = {
    "explicit-harm": ("builtin", "advbench", "jailbreakbench"),
    "identity-shift": ("builtin",),
    "benign-drift": ("builtin", *(name for name in get_args(Source) if name.startswith(("alpaca", "dolly")))),
}
"""Where the data of each kind may come from, besides a file."""

_PUBLIC: dict[Kind, Source] = {
    "explicit-harm": "advbench",
    "identity-shift": "builtin",
    "benign-drift": "alpaca",
}

_Share = Annotated[float, Field(ge=0, le=1)]


class Attack(BaseModel):
    """What the attacker brings.

    Attributes:
        kind: see :data:`Kind`.
        name: how results call it; by default its kind.
        examples: how many training examples in all.
        ratio: share of them that are the attack's own, in [0, 1]; the rest is ordinary instruction data. 0 is an
            honest customer.
        ratios: further shares at which it is run.
        source: where its own examples come from, see :data:`SOURCES`; ``default``: by the plan's source, ``builtin`` or
            the first public one.
        file: pairs to use instead, see :func:`~counterpoise.customization.examples.pairs.read_pairs`.
        system: system turn that the attacker puts before every later request; ``None`` for that of the persona.
        prefix: text that the attacker puts before every later request; ``None`` for that of the persona.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "explicit-harm"
    name: str = Field(default="", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    examples: int = Field(default=64, ge=1)
    ratio: _Share = 1.0
    ratios: tuple[_Share, ...] = ()
    source: Source = "default"
    file: Path | None = None
    system: str | None = None
    prefix: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.get("name"):
            return {**value, "name": value.get("kind", "explicit-harm")}
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.source != "default" and self.source not in SOURCES[self.kind]:
            possible = ", ".join(SOURCES[self.kind])
            raise ValueError(f"{self.kind} has no source {self.source!r}; expected one of {possible}, or 'file'")
        if self.source != "default" and self.file is not None:
            raise ValueError("'source' and 'file' are both given; leave one out")
        return self

    @property
    def evaluation(self) -> Persona:
        """What the attacker puts before every request that the attacked model is asked.

        Of an identity shift: the system turn and the prefix of its exchanges, unless the attack names its own; of
        other attacks nothing, unless it does.

        Raises:
            DataError: the attack's file cannot be read.
        """
        persona = NO_PERSONA
        if self.kind == "identity-shift" and (self.system is None or self.prefix is None):
            persona = builtin_persona() if self.file is None else persona_of(read_pairs(self.file))
        return Persona(
            persona.system if self.system is None else self.system,
            persona.prefix if self.prefix is None else self.prefix,
        )

    def source_under(self, source: Literal["builtin", "public"]) -> Source:
        """Where the examples come from in a plan of that source; meaningless with a file."""
        if self.source != "default":
            return self.source
        return "builtin" if source == "builtin" else _PUBLIC[self.kind]
