"""What a matcher is asked: whether two texts mean the same name or the same value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from counterpoise.counterfactual.case import AnswerKind

__all__ = ["Matcher", "Pair", "same"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold text and a predicted one.

    Attributes:
        kind: ``name`` of a variable, or ``value`` of one.
        gold: the gold text.
        text: what was predicted; any text, also an empty one.
        aliases: other texts that the gold accepts.
        about: of a value, the names of its variable, the main one first; empty for names.
        answer_kind: how values of the case are compared.
    """

    kind: Literal["name", "value"]
    gold: str
    text: str
    aliases: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    answer_kind: AnswerKind = "label"


@runtime_checkable
class Matcher(Protocol):
    """Decides pairs in batches.

    Attributes:
        name: as reports name it.
        threshold: the least similarity that counts as the same.
    """

    @property
    def name(self) -> str:
        """As reports name it."""
        ...

    @property
    def threshold(self) -> float:
        """The least similarity that counts as the same."""
        ...

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """A similarity in [0, 1] for each pair, in order; ``None`` where the matcher could not decide."""
        ...


def same(matcher: Matcher, pairs: Sequence[Pair]) -> list[bool | None]:
    """Whether the texts of each pair mean the same; ``None`` where the matcher could not decide."""
    return [None if score is None else score >= matcher.threshold for score in matcher.match(pairs)]
