"""The datasets of the diagnosis: one file each, listed here.

A dataset is a value: who made it, where it comes from, and a function that reads it. :func:`load` is the only way in,
and it never passes on a case that :func:`~counterpoise.counterfactual.case.problems` finds fault with.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from counterpoise.counterfactual.case import Case, problems
from counterpoise.counterfactual.datasets import (
    arithmetic,
    clomo,
    coco,
    code_preference,
    crass,
    cvqa_bool,
    cvqa_count,
    humaneval_exe,
    malalgoqa,
    open_critic,
    rnn_typology,
    scm_code,
    scm_image,
    scm_math,
    scm_text,
)
from counterpoise.counterfactual.datasets.dataset import Dataset, Reject
from counterpoise.counterfactual.datasets.file import SUFFIX as CASES
from counterpoise.counterfactual.datasets.file import case_file
from counterpoise.counterfactual.datasets.module import SUFFIX as MODULE
from counterpoise.counterfactual.datasets.module import module_dataset
from counterpoise.errors import DataError, UnknownNameError

__all__ = ["DATASETS", "Dataset", "Loaded", "Reject", "available", "get", "load"]

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        scm_text.DATASET,
        scm_math.DATASET,
        scm_code.DATASET,
        scm_image.DATASET,
        crass.DATASET,
        clomo.DATASET,
        rnn_typology.DATASET,
        malalgoqa.DATASET,
        arithmetic.DATASET,
        cvqa_bool.DATASET,
        cvqa_count.DATASET,
        coco.DATASET,
        humaneval_exe.DATASET,
        open_critic.DATASET,
        code_preference.DATASET,
    )
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The valid cases of a dataset, and what was refused and why."""

    cases: tuple[Case, ...]
    rejects: tuple[Reject, ...]


def get(name: str) -> Dataset:
    """The dataset of that name, or the one in a file: of cases (``.jsonl``) or a Python file that defines it (``.py``).

    Raises:
        UnknownNameError: there is none.
        DataError: the file cannot be read, a line is not a case, or the Python file defines no dataset.
    """
    if name.endswith(CASES):
        return case_file(name)
    if name.endswith(MODULE):
        return module_dataset(name)
    try:
        return DATASETS[name]
    except KeyError:
        raise UnknownNameError("dataset", name, DATASETS) from None


def available(dataset: Dataset, data: Path | None) -> bool:
    """Whether the dataset can be read here: it is generated, or its files are in the data folder."""
    return not dataset.files or (data is not None and any((data / file).is_file() for file in dataset.files))


def load(name: str, data: Path | None = None) -> Loaded:
    """Read and validate a dataset.

    Args:
        name: a registered name, or a file of cases.
        data: the folder with downloaded data; not needed for generated datasets.

    Raises:
        UnknownNameError: no such dataset.
        DataError: the folder has no data for it, or a file in it is malformed.
    """
    dataset = get(name)
    if dataset.files and data is None:
        raise DataError(
            f"dataset {name!r} needs downloaded data",
            fix=f"get it from {dataset.source} and pass its folder with --data or COUNTERPOISE_DATA",
        )
    if not available(dataset, data):
        raise DataError(
            f"no data for dataset {name!r} in {data}",
            expected=" or ".join(dataset.files),
            fix=f"get it from {dataset.source}",
        )
    cases, rejects = dataset.read(data)
    valid, faulty = _validated(cases)
    if not valid:
        first = f": {faulty[0].id}: {faulty[0].reason}" if faulty else ""
        raise DataError(f"dataset {name!r} has no valid case{first}", where=str(data) if dataset.files else None)
    return Loaded(tuple(valid), (*rejects, *faulty))


def _validated(cases: Iterable[Case]) -> tuple[list[Case], list[Reject]]:
    valid: dict[str, Case] = {}
    rejects: list[Reject] = []
    for case in cases:
        faults = problems(case)
        if case.id in valid:
            faults.append("the same item occurs twice")
        if faults:
            rejects.append(Reject(case.id, "; ".join(faults)))
        else:
            valid[case.id] = case
    return list(valid.values()), rejects
