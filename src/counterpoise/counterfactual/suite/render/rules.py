"""Rules in words: what stories and pictured scenes have in common.

Every rule, every hidden cause and what cannot be seen is stated, so a case can be answered without further knowledge.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.draw.rules import Atom, Condition, Rule, RuleSystem
from counterpoise.counterfactual.suite.render.story import Unseen, listed
from counterpoise.counterfactual.suite.render.vocabulary import Domain, Thing

__all__ = ["Spoken", "cast", "executable", "speak"]

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


@dataclass(frozen=True, slots=True)
class Spoken:
    """Rules in words.

    Attributes:
        text: the scene, all rules in an order that says nothing about the graph, and what cannot be seen.
        mechanisms: the sentences of each rule that has a condition, in the order of the text.
        unseen: the words for every exogenous variable.
    """

    text: str
    mechanisms: tuple[str, ...]
    unseen: dict[str, Unseen]


def cast(sizes: Mapping[str, int], pool: tuple[Thing, ...], rng: Random) -> dict[str, Thing]:
    """Choose a thing of as many states for every variable, and shuffle its states.

    Raises:
        ValueError: the pool has too few things of a size.
    """
    things: dict[str, Thing] = {}
    for size in (2, 3):
        names = [name for name in sizes if sizes[name] == size]
        fitting = [thing for thing in pool if len(thing.states) == size]
        if len(names) > len(fitting):
            raise ValueError(f"{len(names)} variables of {size} states, {len(fitting)} things")
        for name, thing in zip(names, rng.sample(fitting, len(names)), strict=True):
            things[name] = Thing(thing.name, tuple(rng.sample(thing.states, size)))
    return things


def executable(system: RuleSystem, things: Mapping[str, Thing]) -> SCM:
    """The model of a rule system, with the things as display names and their states as labels."""
    return SCM(
        exogenous=system.exogenous,
        mechanisms=system.mechanisms,
        names={name: thing.name for name, thing in things.items()},
        labels={name: dict(enumerate(thing.states)) for name, thing in things.items()},
    )


def speak(system: RuleSystem, things: Mapping[str, Thing], domain: Domain, rng: Random) -> Spoken:
    """Put a rule system into words."""
    rules = list(system.rules)
    rng.shuffle(rules)
    sentences = [rng.choice(domain.scenes)]
    mechanisms: list[str] = []
    unseen: dict[str, Unseen] = {}
    for rule in rules:
        thing = things[rule.variable]
        text, clause = _rule(rule, things, domain, rng)
        sentences.append(text)
        if rule.branches:
            mechanisms.append(text)
        if clause:
            unseen[f"u_{rule.variable}"] = Unseen(_whether(clause, thing), {0: "no", 1: "yes"})
        elif not rule.branches:
            unseen[f"u_{rule.variable}"] = Unseen(thing.name, dict(enumerate(thing.states)))
    if any(rule.hidden for rule in rules):
        sentences.append(rng.choice(_UNSEEN))
    sentences.append(rng.choice(_COMPLETE))
    return Spoken(" ".join(sentences), tuple(mechanisms), unseen)


def _rule(rule: Rule, things: Mapping[str, Thing], domain: Domain, rng: Random) -> tuple[str, str | None]:
    """The sentences of a rule, and the clause about its hidden cause if it has one."""
    thing = things[rule.variable]
    if not rule.branches:
        return rng.choice(_ROOTS).format(name=thing.name, states=listed(list(thing.states), "or")), None
    default = thing.states[rule.default]
    if len(rule.branches) == 1:
        (branch,) = rule.branches
        text = rng.choice(_RULES).format(
            name=thing.name,
            state=thing.states[branch.value],
            condition=_condition(branch.condition, things),
            default=default,
        )
    else:
        first, second = rule.branches
        text = rng.choice(_LADDERS).format(
            name=thing.name,
            first=thing.states[first.value],
            condition=_condition(first.condition, things),
            second=thing.states[second.value],
            other=_condition(second.condition, things),
            default=default,
        )
    if rule.hidden is None:
        return text, None
    if rule.hidden.kind == "flip":
        clause = rng.choice(domain.inverting)
        first_state, second_state = thing.states
        added = rng.choice(_INVERTING).format(clause=clause, first=first_state, second=second_state)
    else:
        clause = rng.choice(domain.sticking)
        added = rng.choice(_STICKING).format(clause=clause, state=thing.states[rule.hidden.value])
    return f"{text} {added}", clause


def _whether(clause: str, thing: Thing) -> str:
    """A hidden condition as something that may or may not be: "whether the heater's relay has burnt out"."""
    said = re.sub(r"\bits\b", f"the {thing.name}'s", clause, count=1)
    if said == clause:
        said = re.sub(r"\bit\b", f"the {thing.name}", clause, count=1)
    return f"whether {said}"


def _condition(condition: Condition, things: Mapping[str, Thing]) -> str:
    atoms = [_atom(atom, things[atom.variable]) for atom in condition.atoms]
    match condition.kind:
        case "all":
            return listed(atoms, "and")
        case "any":
            return atoms[0] if len(atoms) == 1 else f"at least one of these holds ({', '.join(atoms)})"
        case "one":
            return f"exactly one of these holds ({', '.join(atoms)})"
        case "most":
            return f"at least two of these hold ({', '.join(atoms)})"


def _atom(atom: Atom, thing: Thing) -> str:
    return f"the {thing.name} is {'not ' if atom.negated else ''}{thing.states[atom.value]}"
