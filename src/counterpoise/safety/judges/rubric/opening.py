"""From a rubric's name and a model to the judge."""

from pathlib import Path

from counterpoise.errors import UnknownNameError
from counterpoise.lm.protocol import LanguageModel
from counterpoise.safety.judges.judgement import Judge
from counterpoise.safety.judges.rubric.judge import RubricJudge
from counterpoise.safety.judges.rubric.rubrics import HARMFULNESS, HELPFULNESS, Rubric

__all__ = ["RUBRIC_JUDGES", "open_rubric_judge"]

_RUBRICS: dict[str, Rubric] = {rubric.name: rubric for rubric in (HARMFULNESS, HELPFULNESS)}

RUBRIC_JUDGES: dict[str, str] = {rubric.name: rubric.title for rubric in _RUBRICS.values()}
"""Names and one-line titles, for lists; each needs a model, as ``NAME=MODEL``."""


def open_rubric_judge(
    kind: str, model: str | LanguageModel, *, cache: Path | None = None, max_tokens: int = 512
) -> Judge:
    """A language model as a judge.

    Args:
        kind: a key of :data:`RUBRIC_JUDGES`.
        model: the model, or its name as :func:`counterpoise.lm.names.open_model` takes it.
        cache: folder in which its calls are kept by content; ``None`` keeps none.
        max_tokens: room for a reply; more for models that think before they answer.

    Raises:
        UnknownNameError: no such rubric, or no such embedded model.
        UsageError, DataError: the model cannot be opened.
    """
    rubric = _RUBRICS.get(kind)
    if rubric is None:
        raise UnknownNameError("judge", kind, _RUBRICS)
    if isinstance(model, str):
        from counterpoise.lm.names import open_model

        model = open_model(model)
    if cache is not None:
        from counterpoise.lm.cached import CachedLM

        model = CachedLM(model, cache)
    return RubricJudge(rubric, model, max_tokens=max_tokens)
