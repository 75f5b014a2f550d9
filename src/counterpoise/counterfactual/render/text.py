"""Stories: a system of rules told in words, with what was seen and what is asked.

The text states every rule, every hidden cause and every observed state, so it can be answered without further
knowledge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.draw.rules import Atom, Condition, Rule, RuleSystem
from counterpoise.counterfactual.render.vocabulary import DOMAINS, Domain, Thing, nonce_domain
from counterpoise.counterfactual.scm import SCM

__all__ = ["TextStory", "tell"]

_RULES = (
    "The {name} is {state} exactly when {condition}; otherwise it is {default}.",
    "Whenever {condition}, the {name} is {state}; in every other case it is {default}.",
    "The {name} is {default} unless {condition}, in which case it is {state}.",
    "As for the {name}: it is {state} if {condition}, and {default} if not.",
)
_LADDERS = (
    "The {name} is {first} if {condition}; failing that, it is {second} if {other}; in all other cases {default}.",
    "If {condition}, the {name} is {first}. If that is not so but {other}, it is {second}. Otherwise it is {default}.",
)
_STICKING = (
    "If {clause}, however, it stays {state} whatever the rule says.",
    "That holds unless {clause}: then it is {state} in any case.",
)
_INVERTING = (
    "If {clause}, however, it comes out the other way round: {first} where the rule says {second}, and {second} where "
    "the rule says {first}.",
    "But if {clause}, its two states trade places: {second} instead of {first}, and {first} instead of {second}.",
)
_ROOTS = (
    "No rule governs the {name}; it is either {states}.",
    "The {name} is set from outside and is either {states}.",
)
_UNSEEN = (
    "Whether any such hidden condition holds cannot be seen; it may or may not, each independently of the others, "
    "and it does not depend on the states named here.",
    "Nobody can look up whether a hidden condition of this kind holds. Each may hold or not, whatever the others do, "
    "and none is affected by anything said here.",
)
_COMPLETE = ("Nothing else has any influence.", "These rules are complete.")
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

    def settings(self, factual: str, rng: Random) -> str:
        """Another state of the exposure than the factual one."""
        return rng.choice([state for state in self.things["x"].states if state != factual])

    def context(self, evidence: Mapping[str, str], rng: Random) -> str:
        """The scene, every rule in an order that says nothing about the graph, and what was seen."""
        rules = list(self.system.rules)
        rng.shuffle(rules)
        sentences = [rng.choice(self.domain.scenes), *(self._rule(rule, rng) for rule in rules)]
        if any(rule.hidden for rule in rules):
            sentences.append(rng.choice(_UNSEEN))
        sentences.append(rng.choice(_COMPLETE))
        return " ".join(sentences) + "\n\n" + self._observation(evidence, rng)

    def question(self, action: Mapping[str, str], rng: Random) -> str:
        """The counterfactual question, with the allowed answers in random order."""
        outcome = self.things["y"]
        answers = [*outcome.states, "undetermined"]
        rng.shuffle(answers)
        question = rng.choice(_QUESTIONS).format(
            exposure=self.things["x"].name, state=action[self.things["x"].name], outcome=outcome.name
        )
        return question + " " + rng.choice(_ANSWERS).format(states=", ".join(answers))

    def _rule(self, rule: Rule, rng: Random) -> str:
        thing = self.things[rule.variable]
        if not rule.branches:
            return rng.choice(_ROOTS).format(name=thing.name, states=_joined(list(thing.states), "or"))
        default = thing.states[rule.default]
        if len(rule.branches) == 1:
            (branch,) = rule.branches
            text = rng.choice(_RULES).format(
                name=thing.name,
                state=thing.states[branch.value],
                condition=self._condition(branch.condition),
                default=default,
            )
        else:
            first, second = rule.branches
            text = rng.choice(_LADDERS).format(
                name=thing.name,
                first=thing.states[first.value],
                condition=self._condition(first.condition),
                second=thing.states[second.value],
                other=self._condition(second.condition),
                default=default,
            )
        if rule.hidden is None:
            return text
        if rule.hidden.kind == "flip":
            clause = rng.choice(self.domain.inverting)
            return f"{text} " + rng.choice(_INVERTING).format(
                clause=clause, first=thing.states[0], second=thing.states[1]
            )
        clause = rng.choice(self.domain.sticking)
        return f"{text} " + rng.choice(_STICKING).format(clause=clause, state=thing.states[rule.hidden.value])

    def _condition(self, condition: Condition) -> str:
        atoms = [self._atom(atom) for atom in condition.atoms]
        match condition.kind:
            case "all":
                return _joined(atoms, "and")
            case "any":
                return atoms[0] if len(atoms) == 1 else f"at least one of these holds ({', '.join(atoms)})"
            case "one":
                return f"exactly one of these holds ({', '.join(atoms)})"
            case "most":
                return f"at least two of these hold ({', '.join(atoms)})"

    def _atom(self, atom: Atom) -> str:
        thing = self.things[atom.variable]
        return f"the {thing.name} is {'not ' if atom.negated else ''}{thing.states[atom.value]}"

    def _observation(self, evidence: Mapping[str, str], rng: Random) -> str:
        seen = [f"the {name} was {state}" for name, state in evidence.items()]
        rng.shuffle(seen)
        size = rng.choice((2, 3, 4))
        sentences = [_joined(seen[start : start + size], "and") for start in range(0, len(seen), size)]
        text = f"{rng.choice(self.domain.days)}, " + ". ".join(_capitalised(sentences, skip=1)) + "."
        unseen = sorted(
            f"the state of the {thing.name}" for thing in self.things.values() if thing.name not in evidence
        )
        rng.shuffle(unseen)
        return text + (" " + rng.choice(_UNNOTED).format(names=_joined(unseen, "or")) if unseen else "")


def tell(system: RuleSystem, rng: Random, *, nonce: bool) -> TextStory:
    """Cast a rule system with the things of a domain, drawn at random.

    Args:
        system: the rules.
        rng: draws the domain, the things and the order of their states.
        nonce: use invented words, so that knowledge of the world is no help.
    """
    domain = nonce_domain(rng) if nonce else rng.choice(DOMAINS)
    things: dict[str, Thing] = {}
    for size in (2, 3):
        names = [name for name in system.sizes if system.sizes[name] == size]
        pool = [thing for thing in domain.things if len(thing.states) == size]
        if len(names) > len(pool):
            raise ValueError(f"{len(names)} variables of {size} states, {len(pool)} things in {domain.name}")
        for name, thing in zip(names, rng.sample(pool, len(names)), strict=True):
            things[name] = Thing(thing.name, tuple(rng.sample(thing.states, size)))
    scm = SCM(
        exogenous=system.exogenous,
        mechanisms=system.mechanisms,
        names={name: thing.name for name, thing in things.items()},
        labels={name: dict(enumerate(thing.states)) for name, thing in things.items()},
    )
    return TextStory(system, domain, things, scm)


def _joined(parts: list[str], word: str) -> str:
    """Parts as a list in words.

    >>> _joined(["a", "b", "c"], "and"), _joined(["a", "b"], "or"), _joined(["a"], "and")
    ('a, b and c', 'a or b', 'a')
    """
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _capitalised(sentences: list[str], *, skip: int) -> list[str]:
    return [*sentences[:skip], *(sentence[0].upper() + sentence[1:] for sentence in sentences[skip:])]
