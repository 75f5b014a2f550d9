"""What a judge of helpfulness is, and what it says of a revision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

__all__ = ["Judge", "Rating"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One revision's helpfulness, or why it has none.

    Attributes:
        criteria: value of each criterion, in [0, 1]; which there are is the judge's affair. Empty when it failed.
        total: their weighted mean; 0 when the judge failed, which says nothing about the revision.
        failed: why there is no rating, in one line; ``None`` when there is one.
        input_tokens: read by the judge, repeated attempts included; 0 without a language model.
        output_tokens: written by the judge.
    """

    criteria: Mapping[str, float] = field(default_factory=dict)
    total: float = 0.0
    failed: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def of(
        cls,
        criteria: Mapping[str, float],
        weights: Mapping[str, float],
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
    ) -> Self:
        """A rating with the weighted mean of its criteria.

        Rounded to six digits, so that it reads back from a file as it was and noise of the last digits decides nothing.
        """
        rounded = {name: round(value, 6) for name, value in criteria.items()}
        total = sum(weight * rounded[name] for name, weight in weights.items()) / sum(weights.values())
        return cls(criteria=rounded, total=round(total, 6), input_tokens=input_tokens, output_tokens=output_tokens)

    def as_dict(self) -> dict[str, float]:
        """The criteria and ``total``, as files have them."""
        return {**self.criteria, "total": self.total}


class Judge(Protocol):
    """Anything that rates revisions: the offline formula, a language model, or one of your own."""

    @property
    def name(self) -> str:
        """As reports name it."""
        ...

    @property
    def revision(self) -> str:
        """Changes whenever ratings may change."""
        ...

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> Sequence[Rating]:
        """Ratings of triples of question, original answer and revision, in order.

        What cannot be rated gets a rating that says why; no text makes a judge raise.
        """
        ...
