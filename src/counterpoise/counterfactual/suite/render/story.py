"""What the renderers have in common: a drawn system in the words of a domain."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from counterpoise.counterfactual.case import AnswerKind
from counterpoise.counterfactual.media import Media
from counterpoise.counterfactual.scm import SCM

__all__ = ["Story", "Told", "Unseen", "listed"]


@dataclass(frozen=True, slots=True)
class Unseen:
    """How an exogenous variable is spoken of.

    Attributes:
        name: as prompts name it.
        values: the text of each of its values.
    """

    name: str
    values: dict[int, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader is told before the question.

    Attributes:
        context: the words.
        mechanisms: the part of the context that says how a variable follows from others, for each variable with
            parents, in the order of the context.
        unseen: exogenous identifier to its words, for all of them.
        media: the pictures.
    """

    context: str
    mechanisms: tuple[str, ...]
    unseen: dict[str, Unseen]
    media: tuple[Media, ...] = ()


class Story(Protocol):
    """A system with names: what a case is made of."""

    @property
    def domain_name(self) -> str:
        """Value of the facet ``domain``."""

    @property
    def scm(self) -> SCM:
        """The executable model; the exposure is ``x``, the outcome ``y``."""

    @property
    def answer_kind(self) -> AnswerKind:
        """How an answer is compared with the target."""

    def settings(self, factual: str, rng: Random) -> str:
        """A value that the exposure can be set to, other than the factual one."""

    def told(self, evidence: Mapping[str, str], rng: Random) -> Told:
        """What is known before the question: everything but the intervention."""

    def question(self, action: Mapping[str, str], rng: Random) -> str:
        """The counterfactual question, with the form of the answer."""


def listed(parts: list[str], word: str = "and") -> str:
    """Parts as a list in words; at least one part.

    >>> listed(["a", "b", "c"]), listed(["a", "b"], "or"), listed(["a"])
    ('a, b and c', 'a or b', 'a')
    """
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
