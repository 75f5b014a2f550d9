"""What tools are worth: the score with and without them on the same cases, and what they find by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.counterfactual.results.metrics import METRICS, advantage
from counterpoise.statistics import Estimate, cluster_bootstrap, mean

__all__ = ["ToolGain", "ToolRecall", "tool_gains", "tool_recalls"]

RowLike = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolGain:
    """One use of tools on one stage.

    Attributes:
        run: the run of the rows; likewise ``model``, ``dataset``, ``mode``, ``upto``, ``stage``.
        elicit: the elicitation that both have.
        use: ``hints`` or ``calls``.
        metric: the stage's headline measure.
        gain: with tools minus without, on the cases scored for both, with the paired interval; no value without such.
        failed: rows with tools that could not be read or for which the model failed; they count as wrong.
    """

    run: str
    model: str
    dataset: str
    mode: str
    upto: str
    stage: Stage
    elicit: str
    use: str
    metric: str
    gain: Estimate
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRecall:
    """How many gold variables of a role a tool finds by itself.

    Attributes:
        dataset: of the cases.
        tool: its name and version.
        role: of the variables.
        recall: share found, with an interval from cases resampled by cluster; its ``n`` is a number of cases.
        variables: gold variables of the role.
    """

    dataset: str
    tool: str
    role: Role
    recall: Estimate
    variables: int


def tool_gains(rows: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[ToolGain]:
    """The gain of each use of tools over the same elicitation without, in order of first appearance.

    Args:
        rows: rows of diagnosis runs as JSON objects.
        seed: of the bootstrap.
        resamples: of the bootstrap.
    """
    groups: dict[tuple[str, ...], list[RowLike]] = {}
    for row in rows:
        key = tuple(str(row[name] or "") for name in _PLACE)
        groups.setdefault((*key, row["elicit"]), []).append(row)
    found = []
    for key, mine in groups.items():
        elicit, _, use = key[-1].partition("+")
        plain = groups.get((*key[:-1], elicit))
        if not use or plain is None:
            continue
        run, model, dataset, mode, upto, stage = key[:-1]
        found.append(
            ToolGain(
                run=run,
                model=model,
                dataset=dataset,
                mode=mode,
                upto=upto,
                stage=Stage(stage),
                elicit=elicit,
                use=use,
                metric=METRICS[Stage(stage)],
                gain=advantage(Stage(stage), mine, plain, seed=seed, resamples=resamples),
                failed=sum(row["status"] in ("parse_failed", "model_failed") for row in mine),
            )
        )
    return found


def tool_recalls(records: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[ToolRecall]:
    """Recall by dataset and role.

    Args:
        records: as :func:`~counterpoise.counterfactual.tools.use.recalls` returns them.
        seed: of the bootstrap.
        resamples: of the bootstrap.
    """
    found = []
    for dataset, tool in dict.fromkeys((record["dataset"], record["tool"]) for record in records):
        mine = [record for record in records if (record["dataset"], record["tool"]) == (dataset, tool)]
        for role in Role:
            those = [(record["counts"][role], record["cluster"]) for record in mine if role in record["counts"]]
            if those:
                columns = [(float(count["tp"]), float(count["tp"] + count["fn"])) for count, _ in those]
                clusters = [cluster for _, cluster in those]
                estimate = cluster_bootstrap(columns, clusters, mean, seed=seed, resamples=resamples)
                total = round(sum(column[1] for column in columns))
                found.append(ToolRecall(dataset=dataset, tool=tool, role=role, recall=estimate, variables=total))
    return found


_PLACE = ("run", "model", "dataset", "mode", "upto", "stage")
