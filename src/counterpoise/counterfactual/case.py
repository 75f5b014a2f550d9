"""The evaluation item of the diagnosis: one counterfactual question with its causal gold.

A case carries the gold of every stage that it has gold for. Values are strings, as the context shows them. A case whose
gold was computed carries the model that computed it, so :func:`problems` can compute it again.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import networkx as nx
from pydantic import BaseModel, ConfigDict, Field

from counterpoise.counterfactual.media import Media, Photo
from counterpoise.counterfactual.scm import SCM, ScmError
from counterpoise.records import content_hash

__all__ = [
    "UNDETERMINED",
    "AnswerKind",
    "Case",
    "Edge",
    "Execution",
    "Exogenous",
    "GoldKind",
    "Media",
    "Modality",
    "Photo",
    "ProgramExecution",
    "Role",
    "Stage",
    "Variable",
    "problems",
]

Modality = Literal["text", "mathematics", "code", "image"]
AnswerKind = Literal["choice", "number", "numeral", "label", "literal", "edit"]
"""How answers are compared.

``choice``: the letter of an option. ``number``: a number, by value. ``numeral``: a digit string, digit for digit.
``label``: a word or phrase of the context. ``literal``: a Python literal, by type and value. ``edit``: a text that was
rewritten, by the words that were taken out and put in.
"""
GoldKind = Literal["executed", "derived", "published", "annotated"]
Edge = tuple[str, str]
"""A directed edge ``(parent, child)`` between variable names."""

UNDETERMINED = "undetermined"
"""The right answer where the observations leave several outcomes possible."""


class Role(StrEnum):
    """The four causal roles; several variables may share one."""

    EXPOSURE = "exposure"
    COVARIATE = "covariate"
    MEDIATOR = "mediator"
    OUTCOME = "outcome"


class Stage(StrEnum):
    """The steps that are measured, in order; ``answer`` is the whole question end to end.

    ``abduction`` stands beside the chain of the other four: it is there for executed cases only, and what it finds is
    not told to the outcome stage unless a substitution says so.
    """

    VARIABLES = "variables"
    GRAPH = "graph"
    INTERVENTION = "intervention"
    ABDUCTION = "abduction"
    OUTCOME = "outcome"
    ANSWER = "answer"


class Variable(BaseModel):
    """A variable with its role and its values in both worlds.

    Attributes:
        name: as the context names it; unique within the case.
        factual: value before the intervention; ``None`` where it has none (a base-16 sum in base 10).
        counterfactual: value after the intervention; ``None`` where the case has no gold for it.
        aliases: other names that mean the same variable.
        gloss: what the variable is, where the name alone does not say it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Role
    factual: str | None = None
    counterfactual: str | None = None
    aliases: tuple[str, ...] = ()
    gloss: str = ""


class Exogenous(BaseModel):
    """An unseen cause that the observations may or may not settle: what abduction asks for.

    Attributes:
        name: as prompts name it; unique within the case.
        identifier: of the exogenous variable in the executed model.
        values: its possible values, each with the text that states it.
        value: the text of the one value that agrees with the observations, or :data:`UNDETERMINED`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    identifier: str
    values: Mapping[int, str]
    value: str


class Execution(BaseModel):
    """What is needed to compute a case's gold again.

    Attributes:
        scm: the structural causal model.
        observed: the variables whose factual values the context states: the evidence of abduction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scm: SCM
    observed: tuple[str, ...]


class ProgramExecution(BaseModel):
    """What is needed to run a case's program again, in both worlds.

    The reader of the dataset runs it, in a process of its own; a case holds what came out.

    Attributes:
        program: the source of a function.
        entry_point: the function's name.
        arguments: of the call, as source text.
        rewrite: name and version of the change of semantics that makes the other world.
        values: name of a variable to its values in the factual and in the counterfactual world, as they came out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    program: str
    entry_point: str
    arguments: str
    rewrite: str
    values: Mapping[str, tuple[str, str]]


class Case(BaseModel):
    """One counterfactual question and its gold.

    Attributes:
        id: stable across versions of the same source; unique within the dataset.
        dataset: registered name.
        context: what is known before the question, as far as it is said in words.
        media: pictures that belong to the context.
        question: the counterfactual question; names the intervention in words.
        options: texts of the options of a ``choice`` case, in the order shown; else empty.
        answer_kind: how an answer is compared with the target.
        variables: gold of the variables stage; empty when there is none.
        edges: gold of the graph stage; empty when there is none.
        intervention: gold of the intervention stage: variable to counterfactual value.
        exogenous: gold of the abduction stage; empty when there is none.
        mechanisms: how each variable follows from others, a line each, in the words of the context; what the abduction
            stage is given beside the graph.
        target: gold answer; an option's letter for ``choice``, the whole new text for ``edit``.
        original: of an ``edit`` case, the text that is rewritten; the context holds it too.
        gold_kind: where the stage gold comes from.
        source: where the item comes from.
        revision: version of the source.
        cluster: items of one cluster are not independent (same premise, same story).
        facets: properties to break results down by (shape, query, difficulty, base).
        execution: for ``executed`` gold, the model or program that computed it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    dataset: str
    modality: Modality
    context: str
    media: tuple[Media | Photo, ...] = ()
    question: str
    options: tuple[str, ...] = ()
    answer_kind: AnswerKind
    variables: tuple[Variable, ...] = ()
    edges: tuple[Edge, ...] = ()
    intervention: Mapping[str, str] = Field(default_factory=dict)
    exogenous: tuple[Exogenous, ...] = ()
    mechanisms: tuple[str, ...] = ()
    target: str
    # Left out where there is none, so that the cases of other kinds keep their bytes.
    original: str | None = Field(default=None, exclude_if=lambda text: text is None)
    gold_kind: GoldKind
    source: str
    revision: str
    cluster: str
    facets: Mapping[str, str] = Field(default_factory=dict)
    execution: Execution | ProgramExecution | None = None

    @property
    def scm(self) -> SCM | None:
        """The structural causal model that computed the gold, where one did."""
        return self.execution.scm if isinstance(self.execution, Execution) else None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that this case has gold for."""
        found = {Stage.ANSWER}
        if self.variables:
            found.add(Stage.VARIABLES)
            if self.edges:
                found.add(Stage.GRAPH)
            if self.intervention:
                found.add(Stage.INTERVENTION)
                if self.exogenous:
                    found.add(Stage.ABDUCTION)
                answers = self.of_role(Role.MEDIATOR, Role.OUTCOME)
                if answers and all(variable.counterfactual is not None for variable in answers):
                    found.add(Stage.OUTCOME)
        return tuple(stage for stage in Stage if stage in found)

    @property
    def hash(self) -> str:
        """Identity of the whole content."""
        return content_hash(self.model_dump(mode="json"))

    def of_role(self, *roles: Role) -> tuple[Variable, ...]:
        """The variables of the given roles, in the case's order."""
        return tuple(variable for variable in self.variables if variable.role in roles)

    def variable(self, name: str) -> Variable:
        """The variable of that exact name; ``KeyError`` when there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)


_PLACEHOLDER = re.compile(
    r"\s*(n\.?\s*/?\s*a\.?|none|null|nan|tbd|todo|\?+|\.+|-+"
    r"|unspecified.*|placeholder.*|basic (condition|result)|altered .*)?\s*",
    re.IGNORECASE,
)


def problems(case: Case) -> list[str]:
    """Every reason why a case must not be used; empty for a valid case.

    Checks that texts are present and no placeholder, names are unique, the intervention is on the exposure and changes
    it, edges join variables without a cycle, the target is a possible answer, mechanisms are parts of the context, and,
    where the gold was executed, that the model gives the same graph, values, unseen causes and target again and that a
    scene shows what was observed and nothing else.
    """
    found: list[str] = []
    if not case.question.strip():
        found.append("the question is empty")
    if case.answer_kind == "choice":
        found += _option_problems(case)
    found += _text_problems(case)
    found += _graph_problems(case)
    found += _intervention_problems(case)
    found += _mechanism_problems(case)
    if case.modality == "image" and not case.media:
        found.append("an image case without a picture")
    if case.exogenous and case.scm is None:
        found.append("gold of the abduction stage without the model that computed it")
    if case.answer_kind == "edit":
        found += _edit_problems(case)
    if case.gold_kind == "executed":
        if case.execution is None:
            found.append("executed gold without the model that computed it")
        elif not found and isinstance(case.execution, ProgramExecution):
            found += _program_problems(case, case.execution)
        elif not found and isinstance(case.execution, Execution):
            found += _execution_problems(case, case.execution)
    return found


def _edit_problems(case: Case) -> list[str]:
    if not case.original or not case.original.split():
        return ["an edit without the text that is rewritten"]
    if case.original.split() == case.target.split():
        return ["the target is the text that was to be rewritten"]
    return []


def _option_problems(case: Case) -> list[str]:
    found = []
    letters = [chr(ord("A") + index) for index in range(len(case.options))]
    if len(case.options) < 2:
        found.append(f"a choice of {len(case.options)} option(s)")
    if any(not option.strip() for option in case.options):
        found.append("an option is empty")
    if len({option.strip().lower() for option in case.options}) != len(case.options):
        found.append("two options are the same")
    if case.target not in letters:
        found.append(f"target {case.target!r} is not an option's letter")
    return found


def _text_problems(case: Case) -> list[str]:
    found = []
    # Of a program, "None" and "-" are values like others.
    literal = case.answer_kind == "literal"
    if not literal and _PLACEHOLDER.fullmatch(case.target):
        found.append(f"target {case.target!r} is a placeholder")
    names = [variable.name for variable in case.variables]
    found += [f"variable name {name!r} occurs twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for variable in case.variables:
        if _PLACEHOLDER.fullmatch(variable.name):
            found.append(f"variable name {variable.name!r} is a placeholder")
        for world, value in (("factual", variable.factual), ("counterfactual", variable.counterfactual)):
            if value is not None and _PLACEHOLDER.fullmatch(value) and not (literal and value.strip()):
                found.append(f"{world} value {value!r} of {variable.name!r} is a placeholder")
    if case.variables:
        for role in (Role.EXPOSURE, Role.OUTCOME):
            if not case.of_role(role):
                found.append(f"no variable has the role {role}")
    return found


def _graph_problems(case: Case) -> list[str]:
    names = {variable.name for variable in case.variables}
    found = []
    for parent, child in case.edges:
        found += [f"edge endpoint {end!r} is not a variable" for end in (parent, child) if end not in names]
        if parent == child:
            found.append(f"edge from {parent!r} to itself")
    if len(set(case.edges)) != len(case.edges):
        found.append("an edge occurs twice")
    if not nx.is_directed_acyclic_graph(nx.DiGraph(list(case.edges))):
        found.append("the graph has a cycle")
    return found


def _intervention_problems(case: Case) -> list[str]:
    found = []
    by_name = {variable.name: variable for variable in case.variables}
    for name, value in case.intervention.items():
        variable = by_name.get(name)
        if variable is None:
            found.append(f"intervention on {name!r}, which is not a variable")
        elif variable.role is not Role.EXPOSURE:
            found.append(f"intervention on {name!r}, which is not the exposure")
        elif variable.counterfactual != value:
            found.append(
                f"intervention sets {name!r} to {value!r} but its counterfactual value is {variable.counterfactual!r}"
            )
        elif variable.factual is None or variable.factual.strip().lower() == value.strip().lower():
            found.append(f"intervention does not change {name!r}")
    return found


def _mechanism_problems(case: Case) -> list[str]:
    # Lines of code are indented in the context only, so white space does not count.
    context = " ".join(case.context.split())
    return [
        f"mechanism {line!r} is not in the context" for line in case.mechanisms if " ".join(line.split()) not in context
    ]


def _program_problems(case: Case, execution: ProgramExecution) -> list[str]:
    """The values of a case against those that its program gave."""
    found = []
    for variable in case.variables:
        said = (variable.factual, variable.counterfactual)
        if variable.role in (Role.MEDIATOR, Role.OUTCOME) and said != execution.values.get(variable.name):
            found.append(
                f"values of {variable.name!r} are {said}, the program gave {execution.values.get(variable.name)}"
            )
        if variable.role is Role.OUTCOME and case.target != variable.counterfactual:
            found.append(f"target is {case.target!r}, the program gave {variable.counterfactual!r}")
    return found


def _execution_problems(case: Case, execution: Execution) -> list[str]:
    scm = execution.scm
    if set(scm.edges) != set(case.edges):
        return ["the graph is not that of the executed model"]
    try:
        evidence = {name: _factual(case, name) for name in execution.observed}
        predicted = scm.counterfactual(evidence, case.intervention)
        observed = scm.counterfactual(evidence, {})
    except (ScmError, KeyError) as error:
        return [f"the model cannot be executed: {error}"]
    found = []
    for variable in case.variables:
        values = predicted.get(variable.name)
        if values is None:
            found.append(f"variable {variable.name!r} is not in the executed model")
            continue
        if variable.factual is not None and observed[variable.name] != {variable.factual}:
            found.append(
                f"factual value of {variable.name!r} is {variable.factual!r}, which the observations do not give"
            )
        gold = next(iter(values)) if len(values) == 1 else UNDETERMINED
        if variable.counterfactual is not None and variable.counterfactual != gold:
            found.append(
                f"counterfactual value of {variable.name!r} is {variable.counterfactual!r}, execution gives {gold!r}"
            )
        if variable.role is Role.OUTCOME and case.target != gold:
            found.append(f"target is {case.target!r}, execution gives {gold!r}")
    if case.mechanisms and len(case.mechanisms) != len({child for _, child in case.edges}):
        found.append("there is not one mechanism for every variable with a cause")
    return found + _abduction_problems(case, scm, evidence) + _scene_problems(case, evidence)


def _abduction_problems(case: Case, scm: SCM, evidence: Mapping[str, str]) -> list[str]:
    found = []
    names = [exogenous.name for exogenous in case.exogenous]
    if len(set(names)) != len(names):
        found.append("two exogenous variables have the same name")
    worlds = scm.abduct(evidence) if case.exogenous else ()
    for exogenous in case.exogenous:
        if set(exogenous.values) != set(scm.exogenous.get(exogenous.identifier, ())):
            found.append(f"values of exogenous {exogenous.name!r} are not those of the executed model")
            continue
        texts = {exogenous.values[world[exogenous.identifier]] for world in worlds}
        gold = next(iter(texts)) if len(texts) == 1 else UNDETERMINED
        if exogenous.value != gold:
            found.append(f"exogenous {exogenous.name!r} is {exogenous.value!r}, abduction gives {gold!r}")
    return found


def _scene_problems(case: Case, evidence: Mapping[str, str]) -> list[str]:
    scenes = [media for media in case.media if isinstance(media, Media)]
    shown = {item.name: item.state for scene in scenes for item in scene.items if item.state is not None}
    return [
        f"the picture shows {name!r} as {shown.get(name)!r}, observed was {evidence.get(name)!r}"
        for name in sorted(shown.keys() | evidence.keys())
        if scenes and shown.get(name) != evidence.get(name)
    ]


def _factual(case: Case, name: str) -> str:
    value = case.variable(name).factual
    if value is None:
        raise ScmError(f"observed variable {name!r} has no factual value")
    return value
