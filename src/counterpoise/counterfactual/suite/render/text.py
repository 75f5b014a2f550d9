"""Stories: a system of rules told in words, with what was seen and what is asked.

The text states every rule, every hidden cause and every observed state, so it can be answered without further
knowledge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.case import UNDETERMINED, AnswerKind
from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.draw.rules import RuleSystem
from counterpoise.counterfactual.suite.render.rules import cast, executable, speak
from counterpoise.counterfactual.suite.render.story import Told, listed
from counterpoise.counterfactual.suite.render.vocabulary import DOMAINS, Domain, Thing, nonce_domain

__all__ = ["TextStory", "tell"]

_UNNOTED = ("Nobody noted {names}.", "There is no record of {names}.")
_QUESTIONS = (
    "Had the {exposure} been {state} instead that day, put so by hand and against the rules if need be, with "
    "every hidden condition just as it was, in what state would the {outcome} have been?",
    "Imagine the very same day, hidden conditions included, except that someone had stepped in and made the "
    "{exposure} {state}. In what state would the {outcome} have been then?",
    "Suppose that on that same day the {exposure} had been forced to be {state}, whatever its own rule says, and "
    "nothing else had been interfered with. What would the state of the {outcome} have been?",
)
_ANSWERS = (
    'Answer with one of: {states}. "undetermined" is right if what is known leaves more than one state possible.',
    'Possible answers: {states}. Choose "undetermined" when the observations do not settle the state.',
)


@dataclass(frozen=True, slots=True)
class TextStory:
    """A rule system in the words of a domain.

    Attributes:
        system: the rules.
        domain: where the words come from.
        things: identifier to the thing that plays it; its states are in the order of the values.
        scm: the executable model, with the things as display names and their states as labels.
    """

    system: RuleSystem
    domain: Domain
    things: Mapping[str, Thing]
    scm: SCM

    @property
    def domain_name(self) -> str:
        """Value of the facet ``domain``."""
        return self.domain.name

    @property
    def answer_kind(self) -> AnswerKind:
        """A state of the outcome."""
        return "label"

    def settings(self, factual: str, rng: Random) -> str:
        """Another state of the exposure than the factual one."""
        return rng.choice([state for state in self.things["x"].states if state != factual])

    def told(self, evidence: Mapping[str, str], rng: Random) -> Told:
        """The scene, every rule in an order that says nothing about the graph, and what was seen."""
        spoken = speak(self.system, self.things, self.domain, rng)
        return Told(f"{spoken.text}\n\n{self._observation(evidence, rng)}", spoken.mechanisms, spoken.unseen)

    def question(self, action: Mapping[str, str], rng: Random) -> str:
        """The counterfactual question, with the allowed answers in random order."""
        possible = [*self.things["y"].states, UNDETERMINED]
        rng.shuffle(possible)
        question = rng.choice(_QUESTIONS).format(
            exposure=self.things["x"].name, state=action[self.things["x"].name], outcome=self.things["y"].name
        )
        return f"{question} {rng.choice(_ANSWERS).format(states=', '.join(possible))}"

    def _observation(self, evidence: Mapping[str, str], rng: Random) -> str:
        seen = [f"the {name} was {state}" for name, state in evidence.items()]
        rng.shuffle(seen)
        size = rng.choice((2, 3, 4))
        sentences = [listed(seen[start : start + size]) for start in range(0, len(seen), size)]
        text = f"{rng.choice(self.domain.days)}, " + ". ".join(_capitalised(sentences, skip=1)) + "."
        unseen = sorted(
            f"the state of the {thing.name}" for thing in self.things.values() if thing.name not in evidence
        )
        rng.shuffle(unseen)
        return text + (" " + rng.choice(_UNNOTED).format(names=listed(unseen, "or")) if unseen else "")


def tell(system: RuleSystem, rng: Random, *, nonce: bool) -> TextStory:
    """Cast a rule system with the things of a domain, drawn at random.

    Args:
        system: the rules.
        rng: draws the domain, the things and the order of their states.
        nonce: use invented words, so that knowledge of the world is no help.
    """
    domain = nonce_domain(rng) if nonce else rng.choice(DOMAINS)
    things = cast(system.sizes, domain.things, rng)
    return TextStory(system, domain, things, executable(system, things))


def _capitalised(sentences: list[str], *, skip: int) -> list[str]:
    return [*sentences[:skip], *(sentence[0].upper() + sentence[1:] for sentence in sentences[skip:])]
