"""One Inspect AI task per dataset.

``inspect eval counterpoise/crass -T stage=graph --model ...`` runs one stage of one dataset, ``-T mode=chained`` the
chain.
"""

import os
from collections.abc import Callable
from pathlib import Path

from inspect_ai import Task, task

from counterpoise.counterfactual.asking import INSPECT, Asking, one_task
from counterpoise.counterfactual.datasets import DATASETS, load
from counterpoise.counterfactual.diagnose import (
    DiagnoseConfig,
    chosen_cases,
    demonstrations,
    items_of,
    open_tools,
    split,
)
from counterpoise.counterfactual.score import matcher_for
from counterpoise.errors import DataError, UnknownNameError

__all__ = ["TASKS"]

_MODES = ("isolated", "chained")


def _registered(name: str) -> Callable[..., Task]:
    """Registers the task of a dataset, under the dataset's name with underscores."""

    @task(name=name.replace("-", "_"))
    def dataset_task(
        stage: str = "answer",
        mode: str = "isolated",
        elicit: str = "direct",
        tools: str = "off",
        extractor: str | None = None,
        k: int = 5,
        limit: int | None = None,
        seed: int = 0,
        text_only: bool = False,
        data: str | None = None,
    ) -> Task:
        """One stage of a dataset in isolated mode, or the whole chain in chained mode.

        Args:
            stage: variables, graph, intervention, abduction, outcome or answer; of a chain every stage is asked.
            mode: isolated or chained.
            elicit: direct, few-shot, cot, cot-sc or tot.
            tools: off, hints or calls.
            extractor: the tool, as MODALITY=NAME, where it is not the default one; image=FOLDER for pictures.
            k: samples of cot-sc, branches of tot.
            limit: cases, drawn by the seed; all by default.
            seed: of the choice of cases and of sampling.
            text_only: ask about pictures without showing them.
            data: folder of downloaded datasets; COUNTERPOISE_DATA by default.
        """
        if mode not in _MODES:
            # A substitution is a task for each level, and its point is the comparison of levels.
            raise UnknownNameError("mode of a single task", mode, _MODES)
        config = DiagnoseConfig.checked(
            model=INSPECT,
            datasets=[name],
            stages=[stage] if mode == "isolated" else None,
            limit=limit,
            modes=[mode],
            elicits=[elicit],
            tools=[tools],
            extractors=[extractor] if extractor else [],
            k=k,
            text_only=text_only,
            seed=seed,
        )
        folder = Path(data or os.environ["COUNTERPOISE_DATA"]) if data or "COUNTERPOISE_DATA" in os.environ else None
        shots, tested = split(name, load(name, folder), folder)
        cases = [case for case in tested if mode != "isolated" or config.stages[0] in case.stages]
        chosen, _ = chosen_cases(config, cases, folder)
        items = items_of(chosen, config.stages, modes=config.modes, elicits=config.ways)
        if not items:
            raise DataError(f"no case of {name!r} has gold for stage {stage!r} in mode {mode!r}")
        asking = Asking(
            config=config,
            run=INSPECT,
            keep=lambda _: None,
            shots={name: demonstrations(config, shots, folder)},
            matcher=matcher_for(chosen, config.matcher),
            tools=open_tools(config, chosen),
            data=folder,
        )
        return one_task(items, asking, asking.keep)

    return dataset_task


TASKS = {name: _registered(name) for name in DATASETS}
"""The task of every registered dataset."""
