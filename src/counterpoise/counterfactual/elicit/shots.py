"""Solved cases for few-shot prompts, kept apart from what is measured."""

from collections.abc import Sequence

from counterpoise.counterfactual.case import Case
from counterpoise.rng import seed_for

__all__ = ["RESERVED", "reserve"]

RESERVED = 4
"""Clusters of a dataset that are set apart for demonstrations where it has no others."""


def reserve(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Split cases into demonstrations and the test split; no cluster is in both.

    Clusters with gold for the most stages are set apart first; the choice depends on the clusters' names alone, so
    every run over the dataset measures the same cases.

    Returns:
        Demonstrations, one per reserved cluster, and the test split. Of fewer than twice :data:`RESERVED` clusters none
        is reserved.
    """
    clusters: dict[str, list[Case]] = {}
    for case in cases:
        clusters.setdefault(case.cluster, []).append(case)
    if len(clusters) < 2 * RESERVED:
        return [], list(cases)
    ranked = sorted(
        clusters,
        key=lambda name: (-max(len(case.stages) for case in clusters[name]), seed_for(0, "shots", name), name),
    )
    chosen = ranked[:RESERVED]
    shots = [min(clusters[name], key=lambda case: (-len(case.stages), case.id)) for name in chosen]
    return shots, [case for case in cases if case.cluster not in chosen]
