"""Generated cases with executed gold: ``generate(config, seed, index)`` is pure.

A plan (shape, query, difficulty) is drawn first; then models, worlds, observations and interventions are drawn
until one fits the plan. Every draw has a stream of its own, addressed by seed, suite, index and attempt, so cases
do not depend on each other and are the same bytes on every machine.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.case import UNDETERMINED, Case, Execution, Exogenous, Role, Variable
from counterpoise.counterfactual.dag import has_path, roles_from_graph
from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.config import MODALITIES, GenerateConfig, Query, Suite
from counterpoise.counterfactual.suite.draw.equations import draw_equations
from counterpoise.counterfactual.suite.draw.programs import draw_program
from counterpoise.counterfactual.suite.draw.rules import draw_rules
from counterpoise.counterfactual.suite.draw.shapes import SHAPES, Shape, widen
from counterpoise.counterfactual.suite.render.board import board
from counterpoise.counterfactual.suite.render.code import write
from counterpoise.counterfactual.suite.render.mathematics import pose
from counterpoise.counterfactual.suite.render.story import Story, Told
from counterpoise.counterfactual.suite.render.text import tell
from counterpoise.errors import RunError
from counterpoise.rng import rng_for

__all__ = ["GENERATOR", "generate", "query_of"]

GENERATOR = "counterpoise-generator-2"
"""Version of the generator: changes whenever the same seed gives another case."""

_MAX_ATTEMPTS = 2000
_DRAWS_PER_STORY = 4
_PATIENCE = 200
_MAX_UNKNOWN = 200
"""Most exogenous assignments that the unobserved variables of a case may leave."""


@dataclass(frozen=True, slots=True)
class _Draw:
    """A story with what was seen and what is asked, and what follows from them."""

    story: Story
    evidence: dict[str, str]
    action: dict[str, str]
    factual: dict[str, frozenset[str]]
    counterfactual: dict[str, frozenset[str]]

    @property
    def exposure(self) -> str:
        return self.story.scm.names["x"]

    @property
    def outcome(self) -> str:
        return self.story.scm.names["y"]

    @property
    def effect(self) -> str:
        """``open``, ``changed`` or ``same``; ``unknown`` when the factual outcome is not known."""
        before, after = self.factual[self.outcome], self.counterfactual[self.outcome]
        if len(after) > 1:
            return "open"
        return "unknown" if len(before) > 1 else "same" if before == after else "changed"


def generate(config: GenerateConfig, seed: int, index: int) -> Case:
    """The case at ``index`` of the suite with that seed.

    Pure: equal arguments give equal cases on every machine. The outcome of two in five ``abduction`` cases stays the
    same, so neither repeating nor negating the factual outcome answers the suite.

    Args:
        config: what to draw from.
        seed: of the suite.
        index: 0 or more.

    Raises:
        RunError: no draw fitted the plan.
        ValueError: the index is negative.
    """
    if index < 0:
        raise ValueError(f"index must be at least 0; got {index}")
    # Each block of consecutive indices holds every combination of shape and query once, in an order of its own.
    block, place = divmod(index, len(config.plans))
    plans = list(config.plans)
    rng_for(seed, config.suite, "block", block).shuffle(plans)
    shape_name, query = plans[place]
    plan = rng_for(seed, config.suite, index, "plan")
    difficulty = plan.randint(*config.difficulty)
    stays = query == "no-op" or (query == "abduction" and plan.random() < 0.4)
    nonce = plan.random() < {"plain": 0.0, "mixed": 0.35, "nonce": 1.0}[config.wording]
    shape = widen(SHAPES[shape_name], difficulty, plan)
    for attempt in range(_MAX_ATTEMPTS):
        rng = rng_for(seed, config.suite, index, "attempt", attempt)
        story = _story(config.suite, shape, difficulty, rng, nonce=nonce)
        # Some small shapes have no abduction question whose outcome stays the same: do not insist for ever.
        insist = query in ("no-op", "intervention") or (query == "abduction" and attempt < _PATIENCE)
        draws = (_draw(story, shape, query, stays if insist else None, rng) for _ in range(_DRAWS_PER_STORY))
        draw = next((draw for draw in draws if draw), None)
        if draw is None:
            continue
        facets = {"shape": shape_name, "query": query, "difficulty": str(difficulty)}
        # The word stream is apart from the draws, so wording can change without changing models.
        return _case(draw, config.suite, seed, index, facets, rng_for(seed, config.suite, index, "words"))
    raise RunError(
        f"no {query} case of shape {shape_name} and difficulty {difficulty} in {_MAX_ATTEMPTS} draws",
        where=f"{config.suite} seed {seed} index {index}",
    )


def query_of(scm: SCM, evidence: Mapping[str, str], do: Mapping[str, str], outcome: str) -> Query:
    """What the question "what would ``outcome`` have been under ``do``" needs; see :data:`Query`.

    Args:
        scm: the model.
        evidence: every observed variable with its value.
        do: the intervention.
        outcome: the variable asked about.

    Raises:
        ScmError: no world agrees with the evidence, or a name or value is unknown.
    """
    after = scm.settled(evidence, do, outcome)
    if after is None:
        return "undetermined"
    affected = {name for name in evidence if name in do or any(has_path(scm.edges, cause, name) for cause in do)}
    # What a plain intervention may use: observations that the intervention could not have changed.
    unaffected = {name: value for name, value in evidence.items() if name not in affected}
    if scm.settled(unaffected, do, outcome) is None:
        return "abduction"
    return "no-op" if scm.settled(evidence, {}, outcome) == after else "intervention"


def _story(suite: Suite, shape: Shape, difficulty: int, rng: Random, *, nonce: bool) -> Story:
    match suite:
        case "scm-text":
            return tell(draw_rules(shape, difficulty, rng), rng, nonce=nonce)
        case "scm-math":
            return pose(draw_equations(shape, difficulty, rng), rng)
        case "scm-code":
            return write(draw_program(shape, difficulty, rng), rng, nonce=nonce)
        case "scm-image":
            return board(draw_rules(shape, difficulty, rng), rng)


def _draw(story: Story, shape: Shape, query: Query, stays: bool | None, rng: Random) -> _Draw | None:
    """A world, an observation of it and an intervention; ``None`` unless they make a question of the wanted kind.

    ``stays`` says whether the outcome must stay the same in the world drawn; ``None`` allows both.
    """
    scm = story.scm
    exposure, outcome = scm.names["x"], scm.names["y"]
    world = {name: rng.choice(domain) for name, domain in sorted(scm.exogenous.items())}
    values = scm.run(world)
    action = {exposure: story.settings(values[exposure], rng)}
    # The world itself tells at once whether the outcome moves; the enumeration below is what costs time.
    if stays is not None and (scm.run(world, action)[outcome] == values[outcome]) != stays:
        return None
    share = rng.choice((0.6, 0.8, 1.0))
    seen = {name for name in shape.variables if name not in shape.hidden and rng.random() < share} | {"x"}
    unknown = math.prod(len(domain) for name, domain in scm.exogenous.items() if name.removeprefix("u_") not in seen)
    if unknown > _MAX_UNKNOWN:
        return None
    evidence = {scm.names[name]: values[scm.names[name]] for name in sorted(seen)}
    if query_of(scm, evidence, action, outcome) != query:
        return None
    return _Draw(
        story=story,
        evidence=evidence,
        action=action,
        factual=scm.counterfactual(evidence, {}),
        counterfactual=scm.counterfactual(evidence, action),
    )


def _case(draw: _Draw, suite: Suite, seed: int, index: int, facets: dict[str, str], rng: Random) -> Case:
    scm = draw.story.scm
    roles = roles_from_graph(scm.edges, draw.exposure, draw.outcome, scm.order)
    variables = [
        Variable(
            name=name,
            role=role,
            factual=_settled(draw.factual[name]),
            counterfactual=_settled(draw.counterfactual[name]) or UNDETERMINED,
        )
        for name, role in roles.items()
    ]
    # By role and name: the order of the list says nothing about the graph.
    variables.sort(key=lambda variable: (list(Role).index(variable.role), variable.name))
    name = f"{suite}-{seed}-{index:05d}"
    told = draw.story.told(draw.evidence, rng)
    return Case(
        id=name,
        dataset=suite,
        modality=MODALITIES[suite],
        context=told.context,
        media=told.media,
        question=draw.story.question(draw.action, rng),
        answer_kind=draw.story.answer_kind,
        variables=tuple(variables),
        edges=scm.edges,
        intervention=draw.action,
        exogenous=_unseen(draw, told),
        mechanisms=told.mechanisms,
        target=_settled(draw.counterfactual[draw.outcome]) or UNDETERMINED,
        gold_kind="executed",
        source="generated by counterpoise",
        revision=GENERATOR,
        cluster=name,
        facets=facets | {"domain": draw.story.domain_name, "effect": draw.effect},
        execution=Execution(scm=scm, observed=tuple(draw.evidence)),
    )


def _unseen(draw: _Draw, told: Told) -> tuple[Exogenous, ...]:
    """Every exogenous variable but the roots whose value was observed, by name."""
    scm = draw.story.scm
    roots = {f"u_{identifier}": name for identifier, name in scm.names.items() if f"u_{identifier}" in scm.exogenous}
    worlds = scm.abduct(draw.evidence)
    found = []
    for identifier, words in told.unseen.items():
        # A root is named like its variable; a cause that acts on a variable beside its parents is not.
        if words.name == roots[identifier] and words.name in draw.evidence:
            continue
        texts = frozenset(words.values[world[identifier]] for world in worlds)
        value = _settled(texts) or UNDETERMINED
        found.append(Exogenous(name=words.name, identifier=identifier, values=words.values, value=value))
    return tuple(sorted(found, key=lambda cause: cause.name))


def _settled(texts: frozenset[str]) -> str | None:
    """The only possible value, or ``None`` when there are several."""
    return next(iter(texts)) if len(texts) == 1 else None
