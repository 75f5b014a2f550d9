"""Fit the rules of the default matcher on the labelled pairs: ``python -m counterpoise.counterfactual.match.fit``.

Writes ``meaning.json``: one logistic rule for all pairs, and one for each of five parts that was fitted without it; all
pairs of one gold text are in one part, so no gold is on both sides of a split. The same for the threshold of
``embedding-raw``. Nothing is random: the parts follow from the gold texts, and the loss is convex.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from counterpoise.counterfactual.match.calibrate import kappa_of
from counterpoise.counterfactual.match.labelled import LabelledPair, shipped_pairs
from counterpoise.counterfactual.match.meaning import (
    FEATURES,
    FOLDS,
    EmbeddingRaw,
    Examined,
    Rule,
    Rules,
    examine,
    fold_of,
)
from counterpoise.counterfactual.match.registry import EMBEDDER, known_words
from counterpoise.lm.embedding import Embedder, open_embedder

__all__ = ["fit", "main"]

Floats = NDArray[np.float64]

_PENALTY = 1.0
"""Strength of the quadratic penalty on the weights, set beforehand: features lie in [0, 1], so weights stay small."""
_SMOOTHED = 0.05
"""A threshold is judged by the mean kappa this far around it, so that a lucky spot is not chosen."""


def fit(pairs: Sequence[LabelledPair], embedder: Embedder) -> dict[str, Any]:
    """The content of ``meaning.json`` for these pairs.

    Every pair that needs no rule keeps its decision; the rule is fitted to the others alone, the threshold to all.
    """
    examined = examine([pair.pair for pair in pairs], embedder, known_words())
    blank = Rules(Rule(0.0), ())
    cosines = [float(score or 0.0) for score in EmbeddingRaw(embedder, blank).match([pair.pair for pair in pairs])]
    labels = np.array([pair.label == "same" for pair in pairs])
    parts = np.array([fold_of(pair.gold) for pair in pairs])
    everything = np.ones(len(pairs), dtype=bool)

    def both(kept: NDArray[np.bool_]) -> tuple[dict[str, Any], dict[str, Any]]:
        chosen = np.flatnonzero(kept)
        raw = {"threshold": _threshold(np.array(cosines)[kept], labels[kept])}
        return _meaning([examined[place] for place in chosen], labels[kept]), raw

    whole = both(everything)
    without = [both(parts != part) for part in range(FOLDS)]
    return {
        name: {"whole": whole[place], "without": [one[place] for one in without]}
        for place, name in enumerate(("meaning", "embedding-raw"))
    }


def _meaning(examined: Sequence[Examined], labels: NDArray[np.bool_]) -> dict[str, Any]:
    open_pairs = [place for place, one in enumerate(examined) if one.decided is None]
    # Labelled pairs have one gold text, so one row of features each.
    features = np.array([examined[place].features[0] for place in open_pairs])
    bias, *weights = _logistic(features, labels[open_pairs])
    rule = Rule(0.5, bias, tuple(weights))
    scores = np.array([one.score(rule) for one in examined])
    return {
        "threshold": _threshold(scores, labels, low=0.3, high=0.7),
        "bias": bias,
        "weights": dict(zip(FEATURES, weights, strict=True)),
    }


def _logistic(features: Floats, labels: NDArray[np.bool_]) -> list[float]:
    """Bias and weights with the least penalised log loss, each weight with the sign that its feature allows."""
    signs = np.where(labels, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        margins = -signs * (parameters[0] + features @ parameters[1:])
        slopes = -signs / (1 + np.exp(-margins))
        value = np.logaddexp(0, margins).sum() + _PENALTY / 2 * np.square(parameters[1:]).sum()
        return float(value), np.concatenate([[slopes.sum()], features.T @ slopes + _PENALTY * parameters[1:]])

    allowed = {0: (None, None), 1: (0.0, None), -1: (None, 0.0)}
    bounds = [(None, None), *(allowed[sign] for sign in FEATURES.values())]
    found = minimize(
        loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}
    )
    return [round(float(value), 3) + 0.0 for value in found.x]


def _threshold(scores: Floats, labels: NDArray[np.bool_], *, low: float = 0.0, high: float = 1.0) -> float:
    """The threshold whose neighbourhood has the greatest mean kappa; of several, the middle one."""
    grid = np.round(np.arange(low - _SMOOTHED, high + _SMOOTHED + 1e-9, 0.01), 2)
    kappas = np.nan_to_num([_kappa_at(scores, labels, threshold) for threshold in grid])
    width = round(_SMOOTHED / 0.01)
    smooth = np.array([kappas[place - width : place + width + 1].mean() for place in range(width, len(grid) - width)])
    best = np.flatnonzero(smooth >= smooth.max() - 1e-9)
    return float(grid[width + best[len(best) // 2]])


def _kappa_at(scores: Floats, labels: NDArray[np.bool_], threshold: float) -> float:
    given = scores >= threshold
    counts = [(given & labels).sum(), (given & ~labels).sum(), (~given & labels).sum(), (~given & ~labels).sum(), 0, 0]
    return float(kappa_of(np.array(counts, dtype=np.float64)))


def main(write: Callable[[str], object] = sys.stdout.write) -> None:
    """Fit on the shipped pairs and write ``meaning.json`` beside this module."""
    record = fit(shipped_pairs(), open_embedder(EMBEDDER))
    file = Path(__file__).with_name("meaning.json")
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write(f"{file}\n")


if __name__ == "__main__":
    main()
