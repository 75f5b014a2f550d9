"""From a completion's text to a structured answer, whatever the text.

Models write the asked JSON, near-JSON, other key names, or prose. What states the asked answer without ambiguity is
read; anything else is ``parse_failed`` with a reason. Nothing is guessed: two different final answers are no answer.
Completions are hostile input: nothing is evaluated, nothing raises, and the time is linear in the length of the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from counterpoise.counterfactual.case import Case, Role, Stage
from counterpoise.counterfactual.match import normalise
from counterpoise.counterfactual.parse.answer import parse_answer
from counterpoise.counterfactual.parse.statements import without_thoughts
from counterpoise.counterfactual.parse.structured import Names, parse_structured
from counterpoise.counterfactual.parse.tolerant_json import clean

__all__ = ["Parsed", "clean", "parse"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a completion says.

    Attributes:
        status: ``ok`` when there is an answer.
        answer: the structured answer in the form of :mod:`~counterpoise.counterfactual.stages`, JSON values only; else
            ``None``.
        reason: why there is none; or, for an answer read from a completion that was cut off, a note that says so.
    """

    status: Literal["ok", "parse_failed"]
    answer: Any = None
    reason: str | None = None


def parse(case: Case, stage: Stage, completion_text: str, *, names: Sequence[str] | None = None) -> Parsed:
    """Read a stage's answer from a completion; never raises, whatever the text is.

    A variable that is given a value is called as the prompt calls it where the spelling allows; other names, and those
    of edges, stay as they were written.

    Args:
        case: says what the stage asks; its gold has no influence beyond the names that the prompt gave.
        stage: the stage.
        completion_text: the completion.
        names: of the variables that the prompt gave; default those of the gold with their aliases, which isolated mode
            gives. No influence on the stages variables, abduction and answer.

    What a model marks as its thoughts is not read. An incomplete last item of a completion that was cut off is dropped
    and the complete ones are kept. A list with the same variable twice and different values says nothing about that
    variable.
    """
    text = without_thoughts(clean(completion_text))
    if not text.strip():
        empty = "holds nothing but thoughts" if completion_text.strip() else "is empty"
        return Parsed("parse_failed", reason=f"the completion {empty}")
    if stage is Stage.ANSWER:
        answer, reason = parse_answer(case, text)
        if answer is None:
            return Parsed("parse_failed", reason=reason)
        return Parsed("ok", clean(answer))
    found, note = parse_structured(_known(case, stage, names), stage, text)
    return Parsed("parse_failed" if found is None else "ok", found, note)


def _known(case: Case, stage: Stage, names: Sequence[str] | None) -> Names:
    if stage is Stage.ABDUCTION:
        meant = [(cause.name, cause.name) for cause in case.exogenous]
    elif names is not None:
        meant = [(name, name) for name in names]
    else:
        asked = case.of_role(Role.MEDIATOR, Role.OUTCOME) if stage is Stage.OUTCOME else case.variables
        meant = [(text, v.name) for v in asked for text in (v.name, *v.aliases)]
    # Of one spelling the first; a name as it is given is always itself.
    spelled = {normalise(text): name for text, name in reversed(meant)}
    return {text: name for text, name in (spelled | dict(reversed(meant))).items() if text}
