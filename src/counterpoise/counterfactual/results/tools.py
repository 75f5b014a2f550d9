"""What tools are worth: the score with and without them on the same cases, and what they find by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.counterfactual.results.metrics import EDIT_METRIC, METRICS, advantage, summarise
from counterpoise.statistics import Estimate, cluster_bootstrap, mean

__all__ = ["ToolCount", "ToolGain", "ToolRecall", "ToolRecord", "tool_gains", "tool_recalls"]

RowLike = Mapping[str, Any]

# No case has nearly as many variables; without a bound, a number in a file could be too large to compute with.
_Number = Annotated[int, Field(ge=0, le=1_000_000)]


class ToolCount(BaseModel):
    """Gold variables of one role that a tool found (``tp``) and did not find (``fn``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tp: _Number
    fn: _Number


class ToolRecord(BaseModel):
    """One line of a run's ``tools.jsonl``, as :func:`~counterpoise.counterfactual.tools.use.recalls` returns them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    case_id: str
    cluster: str
    tool: str
    found: _Number
    counts: dict[Role, ToolCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolGain:
    """One use of tools on one stage.

    Attributes:
        run: the run of the rows; likewise ``model``, ``dataset``, ``mode``, ``upto``, ``stage``.
        elicit: the elicitation that both have.
        use: ``hints`` or ``calls``.
        metric: the stage's headline measure.
        with_tools: its value with tools, on the cases scored for both; no value without such.
        without: its value without tools, on the same cases.
        gain: with tools minus without, with the paired interval; no value where either side has none.
        failed: rows with tools that could not be read or for which the model failed; they count as wrong.
        left_out: cases with a row on one side that are not scored on both.
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
    with_tools: Estimate
    without: Estimate
    gain: Estimate
    failed: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRecall:
    """How many gold variables of a role a tool finds by itself.

    Attributes:
        run: of the records; empty where it was not said.
        dataset: of the cases.
        tool: its name and version.
        role: of the variables.
        recall: share found, with an interval from cases resampled by cluster; its ``n`` is a number of cases.
        variables: gold variables of the role.
    """

    run: str
    dataset: str
    tool: str
    role: Role
    recall: Estimate
    variables: int


def tool_gains(rows: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[ToolGain]:
    """The gain of each use of tools over the same elicitation without; a use whose plain rows are absent has no line.

    Args:
        rows: rows of diagnosis runs as JSON objects.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        In order of first appearance, stages in their own order.
    """
    groups: dict[tuple[str, ...], dict[Stage, list[RowLike]]] = {}
    for row in rows:
        key = tuple(str(row[name] or "") for name in _PLACE)
        groups.setdefault((*key, row["elicit"]), {}).setdefault(Stage(row["stage"]), []).append(row)
    found = []
    for key, stages in groups.items():
        elicit, _, use = key[-1].partition("+")
        plain = groups.get((*key[:-1], elicit), {})
        if use:
            found += [
                _gain(key[:-1], stage, elicit, use, stages[stage], plain[stage], seed, resamples)
                for stage in Stage
                if stage in stages and stage in plain
            ]
    return found


def tool_recalls(
    records: Sequence[RowLike], *, run: str = "", seed: int = 0, resamples: int = 2000
) -> list[ToolRecall]:
    """Recall by dataset, tool and role, in order of first appearance and roles in theirs.

    Args:
        records: as :func:`~counterpoise.counterfactual.tools.use.recalls` returns them.
        run: what to call their run.
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
                found.append(
                    ToolRecall(
                        run=run,
                        dataset=dataset,
                        tool=tool,
                        role=role,
                        recall=cluster_bootstrap(
                            columns, [cluster for _, cluster in those], mean, seed=seed, resamples=resamples
                        ),
                        variables=round(sum(items for _, items in columns)),
                    )
                )
    return found


_PLACE = ("run", "model", "dataset", "mode", "upto")
_NO_VALUE = Estimate(None, None, None, 0, 0)


def _gain(
    place: Sequence[str],
    stage: Stage,
    elicit: str,
    use: str,
    aided: Sequence[RowLike],
    plain: Sequence[RowLike],
    seed: int,
    resamples: int,
) -> ToolGain:
    run, model, dataset, mode, upto = place
    scored = [{row["case_id"]: row for row in side if row["score"] is not None} for side in (aided, plain)]
    both = [case for case in scored[0] if case in scored[1]]
    mine, theirs = ([side[case] for case in both] for side in scored)
    edited = any("edit" in row["counts"] for row in (*aided, *plain))
    return ToolGain(
        run=run,
        model=model,
        dataset=dataset,
        mode=mode,
        upto=upto,
        stage=stage,
        elicit=elicit,
        use=use,
        metric=EDIT_METRIC if edited else METRICS[stage],
        with_tools=_level(mine, seed, resamples),
        without=_level(theirs, seed, resamples),
        gain=advantage(stage, mine, theirs, seed=seed, resamples=resamples),
        failed=sum(row["status"] in ("parse_failed", "model_failed") for row in aided),
        left_out=len({row["case_id"] for row in (*aided, *plain)}) - len(both),
    )


def _level(rows: Sequence[RowLike], seed: int, resamples: int) -> Estimate:
    """The headline estimate of rows of one stage."""
    return summarise(rows, seed=seed, resamples=resamples)[0].estimate if rows else _NO_VALUE
