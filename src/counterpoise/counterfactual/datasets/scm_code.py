"""Python functions with executed gold: every case is drawn from a structural causal model that is actually run."""

from counterpoise.counterfactual.datasets.generated import generated

__all__ = ["DATASET"]

DATASET = generated("scm-code", "calls of Python functions with unseen arguments, with gold computed from their models")
"""200 cases of all shapes, queries and difficulties; about a third in invented words."""
