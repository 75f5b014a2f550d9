"""Drawn scenes with executed gold: every case is drawn from a structural causal model that is actually run."""

from counterpoise.counterfactual.datasets.generated import generated

__all__ = ["DATASET"]

DATASET = generated("scm-image", "picture boards that follow rules, with gold computed from their causal models")
"""200 cases of all shapes, queries and difficulties; what can be seen is in the picture only."""
