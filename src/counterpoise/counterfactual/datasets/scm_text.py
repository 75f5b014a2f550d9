"""Stories with executed gold: every case is drawn from a structural causal model that is actually run."""

from counterpoise.counterfactual.datasets.generated import generated

__all__ = ["DATASET"]

DATASET = generated(
    "scm-text", "stories about rules and hidden conditions, with gold computed from their causal models"
)
"""200 cases of all shapes, queries and difficulties; about a third in invented words."""
