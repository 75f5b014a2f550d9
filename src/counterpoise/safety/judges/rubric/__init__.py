"""Judges that are language models with a rubric: how harmful a completion is, and how helpful."""

from counterpoise.safety.judges.rubric.judge import RubricJudge
from counterpoise.safety.judges.rubric.opening import RUBRIC_JUDGES, open_rubric_judge
from counterpoise.safety.judges.rubric.rubrics import CRITERIA, HARMFULNESS, HELPFULNESS, Rubric

__all__ = [
    "CRITERIA",
    "HARMFULNESS",
    "HELPFULNESS",
    "RUBRIC_JUDGES",
    "Rubric",
    "RubricJudge",
    "open_rubric_judge",
]
