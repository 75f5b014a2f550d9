"""Where a stage's input comes from: gold, the model's own earlier answers, or gold up to a stage and its own after it.

============  ==============================================================================================
isolated      every stage is asked apart, given the gold of the stages before it; the answer, the question alone
chained       variables, graph, intervention, outcome, answer in turn, each given the model's own answers to all
              before it; abduction beside the chain, given the model's own variables and graph
substitution  as chained, but gold up to and including the stage ``upto``; for a case with unseen causes there is a
              level between intervention and outcome at which the gold of abduction is told too
============  ==============================================================================================
"""

from collections.abc import Mapping
from typing import Any, Literal

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.stages import (
    CHAIN,
    MAX_EDGES,
    MAX_VARIABLES,
    NAME_CHARS,
    VALUE_CHARS,
    Given,
    gold_shown,
    isolated,
    reads,
)

__all__ = ["MODES", "Mode", "as_given", "given_to", "levels", "own_variables", "stages_in"]

Mode = Literal["isolated", "chained", "substitution"]
MODES: tuple[Mode, ...] = ("isolated", "chained", "substitution")


def levels(case: Case) -> tuple[Stage, ...]:
    """The stages up to which gold can be substituted; none for a case without gold for the whole chain."""
    if not set(CHAIN) <= set(case.stages):
        return ()
    return tuple(stage for stage in case.stages if stage is not Stage.ANSWER)


def stages_in(case: Case, mode: Mode, upto: Stage | None = None) -> tuple[Stage, ...]:
    """The stages that are asked in turn in chained mode or at a level of substitution.

    Empty where the case has no gold for the whole chain. In isolated mode every stage stands alone.
    """
    if not levels(case):
        return ()
    order = list(Stage)
    if mode == "chained":
        return tuple(stage for stage in case.stages if stage in CHAIN or stage is Stage.ABDUCTION)
    return tuple(stage for stage in CHAIN if upto is None or order.index(stage) > order.index(upto))


def given_to(case: Case, stage: Stage, mode: Mode, upto: Stage | None, own: Mapping[Stage, Any]) -> dict[Stage, Any]:
    """What a stage's prompt shows.

    Args:
        case: the case.
        stage: the stage.
        mode: the mode.
        upto: of a substitution, the last stage whose gold is given.
        own: the model's answers so far, in the form of :func:`as_given`.
    """
    if mode == "isolated":
        return isolated(case, stage)
    given: dict[Stage, Any] = {}
    for earlier in reads(stage):
        if upto is not None and list(Stage).index(earlier) <= list(Stage).index(upto):
            if earlier in case.stages:
                given[earlier] = gold_shown(case, earlier)
        elif earlier in own and earlier is not Stage.ABDUCTION:
            given[earlier] = own[earlier]
    return given


def own_variables(mode: Mode, upto: Stage | None, given: Given) -> list[dict[str, Any]] | None:
    """The variables of a prompt where they are the model's own; ``None`` where they are the gold ones."""
    if mode != "chained" or Stage.VARIABLES not in given:
        return None
    found: list[dict[str, Any]] = given[Stage.VARIABLES]
    return found


def as_given(stage: Stage, answer: Any) -> Any:
    """A model's answer as later prompts show it: bounded like the answers that a schema allows.

    Args:
        stage: that was answered.
        answer: structured answer, or ``None`` for a completion that could not be read: later stages are given nothing.
    """
    match stage:
        case Stage.VARIABLES:
            return [
                {
                    "name": item["name"][:NAME_CHARS],
                    "role": item["role"],
                    "value": item["value"] and item["value"][:VALUE_CHARS],
                }
                for item in (answer or [])[:MAX_VARIABLES]
            ]
        case Stage.GRAPH:
            return [[cause[:NAME_CHARS], effect[:NAME_CHARS]] for cause, effect in (answer or [])[:MAX_EDGES]]
        case Stage.ANSWER:
            return answer
        case _:
            pairs = list((answer or {}).items())[:MAX_VARIABLES]
            return {name[:NAME_CHARS]: value[:VALUE_CHARS] for name, value in pairs}
