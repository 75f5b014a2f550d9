"""Gold of the causal stages from the lines and constructs in which two codes differ.

==========  ======================================================================================================
exposure    what the question exchanges, from a sound to a faulty one
covariate   the task: the first sentence of what was asked for
mediator    the changed construct: the smallest piece of a line that differs, for each line that does
outcome     the line that this construct stands in
==========  ======================================================================================================

There is gold where one to three lines differ one by one, and every value is short enough to be given whole.
"""

from counterpoise.counterfactual.case import Case, Edge, Role, Variable, problems
from counterpoise.counterfactual.datasets.code_diff import Fault, first_sentence

__all__ = ["CONSTRUCT", "with_gold"]

CONSTRUCT = "changed construct"
"""Name of the mediator."""
_TASK = "task"


def with_gold(case: Case, request: str, found: Fault, exposure: Variable, outcome: str) -> Case:
    """The case with gold of the causal stages, or as it is where it can have none.

    Args:
        case: a case with the answer stage only.
        request: what the code is for, in words.
        found: how the two codes differ.
        exposure: the exposure, with its values.
        outcome: name of the outcome, for the line that a construct stands in.
    """
    task, places = first_sentence(request), found.places
    if task is None or not places or not all(place.usable for place in places):
        return case
    variables = [
        exposure,
        Variable(
            name=_TASK,
            role=Role.COVARIATE,
            factual=task,
            counterfactual=task,
            aliases=("request", "task of the code"),
            gloss="what the code is for",
        ),
    ]
    edges: list[Edge] = []
    for index, place in enumerate(places):
        construct, line = (_counted(name, index, len(places)) for name in (CONSTRUCT, outcome))
        number = construct.removesuffix(CONSTRUCT)
        variables += [
            Variable(
                name=construct,
                role=Role.MEDIATOR,
                factual=place.construct,
                counterfactual=place.faulty_construct,
                aliases=(f"{number}faulty construct", f"{number}construct that differs"),
                gloss="the smallest piece of the code that differs there",
            ),
            Variable(
                name=line,
                role=Role.OUTCOME,
                factual=place.line,
                counterfactual=place.faulty_line,
                aliases=(f"{number}line that differs", f"{number}faulty line"),
                gloss="the line of the code that it stands in",
            ),
        ]
        edges += [(exposure.name, construct), (construct, line), (_TASK, line)]
    annotated = case.model_copy(
        update={
            "variables": tuple(variables),
            "edges": tuple(edges),
            "intervention": {exposure.name: exposure.counterfactual},
            "gold_kind": "derived",
        }
    )
    # A piece of code can read like a placeholder ("None", "...").
    return case if problems(annotated) else annotated


def _counted(name: str, index: int, count: int) -> str:
    return f"{('first', 'second', 'third')[index]} {name}" if count > 1 else name
