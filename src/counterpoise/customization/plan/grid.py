"""The cells of a plan, and which training step depends on which.

A cell is one combination of seed, attack, ratio, phase, arm and dose, and a list of training steps. Lists that begin
alike share checkpoints, so all cells together are a forest: a checkpoint depends on the one it continues from, and on
nothing else. :func:`dependency_graph` holds it as a graph, :func:`training_order` gives an order in which every
checkpoint comes after the one it continues from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx

from counterpoise.customization.plan.arm import Arm
from counterpoise.customization.plan.document import AttackStep, Plan
from counterpoise.customization.plan.phases import Phase, Step, checkpoint_name, percent, steps

__all__ = ["BASE", "Cell", "Graph", "cells", "chain_names", "dependency_graph", "training_order"]

BASE = "base"
"""The node of the base model, on which everything depends."""

Graph: TypeAlias = "nx.DiGraph[Any]"
"""Nodes are names of checkpoints; an edge leads from a checkpoint to one that continues from it.

Every node but :data:`BASE` has the attributes ``path`` (its training steps), ``seed`` and ``cell`` (the first cell, in
the order of :func:`cells`, that needs it).
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of the plan's grid.

    Attributes:
        name: unique within the plan.
        phase: when the arm's data is used; ``none`` in the undefended cell.
        arm: which data; ``nothing`` in the undefended cell.
        seed: of everything random in it.
        attack: name of the attack.
        ratio: share of the attack's examples that are its own.
        dose: share of the plan's dose; 0 in the undefended cell.
        steps: the training steps, in order.
        main: whether it belongs to the grid of the main ratio and the whole dose, not to a sweep around it.
    """

    name: str
    phase: Phase
    arm: Arm
    seed: int
    attack: str
    ratio: float
    dose: float
    steps: tuple[Step, ...]
    main: bool = True

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint that the cell ends at."""
        return checkpoint_name(self.seed, self.steps)


def cells(plan: Plan) -> list[Cell]:
    """The cells of a plan: for each seed and attack first the undefended one, then the grid, then the sweeps.

    Every seed, attack and ratio has one undefended cell (phase ``none``, arm ``nothing``), which all others are
    compared with; a phase ``none``, an arm ``nothing`` and a dose of 0 add nothing to it. Sweeps change one thing at a
    time: ratios at the whole dose, doses at the attack's main ratio.
    """
    return [cell for seed in plan.seeds for attack in plan.attacks for cell in _of_attack(plan, seed, attack)]


def _of_attack(plan: Plan, seed: int, attack: AttackStep) -> Iterator[Cell]:
    align, defend, main = plan.align is not None, plan.defend, attack.ratio

    def cell(phase: Phase, arm: Arm, ratio: float, dose: float) -> Cell:
        suffix = f"-r{percent(ratio)}" if ratio != main else ""
        suffix += f"-d{percent(dose)}" if dose not in (0, 1) else ""
        path = steps(phase, arm, attack=attack.name, ratio=ratio, dose=dose, align=align)
        whole = ratio == main and dose in (0, 1)
        return Cell(
            f"{attack.name}-{phase}-{arm}-s{seed}{suffix}", phase, arm, seed, attack.name, ratio, dose, path, whole
        )

    yield cell("none", "nothing", main, 0)
    for phase in defend.used_phases:
        for arm in defend.used_arms:
            yield cell(phase, arm, main, 1)
    for dose in dict.fromkeys(defend.doses):
        for phase in defend.swept_phases if dose not in (0, 1) else ():
            for arm in defend.swept_arms:
                yield cell(phase, arm, main, dose)
    for ratio in dict.fromkeys(attack.ratios):
        if ratio != main:
            yield cell("none", "nothing", ratio, 0)
            for phase in defend.swept_phases:
                for arm in defend.swept_arms:
                    yield cell(phase, arm, ratio, 1)


def dependency_graph(grid: Sequence[Cell]) -> Graph:
    """Which checkpoint continues from which; the same nodes and edges in whatever order the cells are given.

    >>> from counterpoise.customization.plan.document import Plan
    >>> plan = Plan.model_validate({"defend": {"arms": ["refusals"]}, "attack": {"name": "harm"}})
    >>> sorted(dependency_graph(cells(plan)).edges)
    [('base', 's0-align'), ('s0-align', 's0-align-attack+harm'),
     ('s0-align-attack+harm', 's0-align-attack+harm-defend.refusals')]
    """
    graph: Graph = nx.DiGraph()
    graph.add_node(BASE, path=(), seed=None, cell=None)
    for cell in grid:
        for number in range(len(cell.steps)):
            path = cell.steps[: number + 1]
            name = checkpoint_name(cell.seed, path)
            if name not in graph:
                graph.add_node(name, path=path, seed=cell.seed, cell=cell)
                graph.add_edge(checkpoint_name(cell.seed, path[:-1]), name)
    return graph


def training_order(graph: Graph) -> list[str]:
    """Every checkpoint, :data:`BASE` first, each after the one that it continues from.

    A checkpoint's descendants follow it directly, so that as few as possible wait for their turn and weights that are
    no longer needed can be deleted early.
    """
    order: list[str] = list(nx.dfs_preorder_nodes(graph, BASE))
    return order


def chain_names(graph: Graph, name: str) -> list[str]:
    """The checkpoints whose weights, one on top of the other, are those of a checkpoint: its ancestors and itself."""
    path, seed = graph.nodes[name]["path"], graph.nodes[name]["seed"]
    return [checkpoint_name(seed, path[: number + 1]) for number in range(len(path))]
