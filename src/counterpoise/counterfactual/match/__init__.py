"""When two texts mean the same, and which predicted variable stands for which gold variable."""

from counterpoise.counterfactual.match.assignment import assign
from counterpoise.counterfactual.match.pair import Matcher, Pair, same
from counterpoise.counterfactual.match.registry import DEFAULT, matchers, open_matcher
from counterpoise.counterfactual.match.spelling import (
    EXACT,
    NORMALISED,
    normalise,
    number,
    same_value,
    without_subject,
)

__all__ = [
    "DEFAULT",
    "EXACT",
    "NORMALISED",
    "Matcher",
    "Pair",
    "assign",
    "matchers",
    "normalise",
    "number",
    "open_matcher",
    "same",
    "same_value",
    "without_subject",
]
