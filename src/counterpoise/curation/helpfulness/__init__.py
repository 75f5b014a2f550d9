"""How helpful a revision still is as an answer, told by a formula or by a language model."""

from counterpoise.curation.helpfulness.model_judge import CRITERIA, ModelJudge
from counterpoise.curation.helpfulness.offline import WEIGHTS, Helpfulness
from counterpoise.curation.helpfulness.rating import Judge, Rating

__all__ = ["CRITERIA", "WEIGHTS", "Helpfulness", "Judge", "ModelJudge", "Rating"]
