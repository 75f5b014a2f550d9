"""Multinomial logistic regression: the one kind of model that the classifier is made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["Floats", "Softmax", "fit_softmax"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Softmax:
    """Probabilities of classes, linear in the features before normalisation.

    Attributes:
        weights: shape ``[features, classes]``.
        bias: shape ``[classes]``.
    """

    weights: Floats
    bias: Floats

    def __call__(self, features: Floats) -> Floats:
        """Probabilities of shape ``[items, classes]`` for features of shape ``[items, features]``; rows sum to 1."""
        logits = features @ self.weights + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities


def fit_softmax(
    features: Floats,
    classes: NDArray[np.int64],
    *,
    count: int,
    penalty: float,
    importance: NDArray[np.float64] | None = None,
    steps: int = 80,
) -> Softmax:
    """The model with the least mean log loss plus ``penalty`` times the sum of its squared weights.

    The loss is convex and nothing is random. The search stops after ``steps`` iterations at the latest, which on many
    features is a mild penalty of its own.

    Args:
        features: shape ``[items, features]``.
        classes: shape ``[items]``, in ``0 .. count - 1``.
        count: number of classes.
        penalty: strength of the penalty; the bias has none.
        importance: of each item, shape ``[items]``; by default equal.
        steps: greatest number of iterations of L-BFGS.
    """
    items, width = features.shape
    share = np.ones(items) if importance is None else importance
    share = share / share.sum()
    wanted = np.zeros((items, count))
    wanted[np.arange(items), classes] = 1.0

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat[:-count].reshape(width, count), flat[-count:]
        logits = (features @ weights.astype(np.float32)).astype(np.float64) + bias
        logits -= logits.max(axis=1, keepdims=True)
        total = np.log(np.exp(logits).sum(axis=1))
        value = float(share @ (total - (logits * wanted).sum(axis=1))) + penalty * float((weights**2).sum())
        error = share[:, None] * (np.exp(logits - total[:, None]) - wanted)
        slope = (features.T @ error.astype(np.float32)).astype(np.float64) + 2 * penalty * weights
        return value, np.concatenate([slope.ravel(), error.sum(axis=0)])

    found = minimize(
        loss,
        np.zeros((width + 1) * count),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "maxcor": 12, "ftol": 1e-9, "gtol": 1e-7},
    )
    flat = found.x.astype(np.float32)
    return Softmax(flat[:-count].reshape(width, count), flat[-count:])
