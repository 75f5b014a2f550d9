"""One-to-one assignment of predicted to gold items."""

from collections.abc import Sequence

__all__ = ["assign"]


def assign(weights: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs ``(row, column)`` of the one-to-one assignment with the greatest total weight; zero weights are no pairs.

    >>> assign([[1.0, 1.0], [1.0, 0.0]])
    [(0, 1), (1, 0)]
    """
    if not weights or not weights[0]:
        return []
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(weights, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(r, c) for r, c in pairs if weights[r][c] > 0]
