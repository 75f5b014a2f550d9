"""Cases from a file, one a line, as ``counterpoise generate`` writes them."""

from pathlib import Path

from pydantic import ValidationError

from counterpoise.counterfactual.case import Case
from counterpoise.counterfactual.datasets.dataset import Dataset, Reject
from counterpoise.errors import CounterpoiseError, DataError
from counterpoise.records import read_numbered

__all__ = ["SUFFIX", "case_file"]

SUFFIX = ".jsonl"
"""What tells a file of cases from the name of a dataset."""


def case_file(name: str) -> Dataset:
    """The dataset in a file of cases.

    Its name is the file as it was named, so that the name finds it again. Where all cases say the same dataset, rows do
    too; else the file's stem.

    Raises:
        DataError: the file cannot be read, or a line is not a case; names the line.
    """
    path = Path(name)
    cases, rejects = _read(path)
    if not cases:
        raise DataError("no case in the file", where=name, expected="one case a line")
    return Dataset(
        name=name,
        title=f"cases from {path.name}",
        modality=cases[0].modality,
        gold_kind=cases[0].gold_kind,
        source=name,
        revision=cases[0].revision,
        licence="as its author states it",
        read=lambda data: (cases, rejects),
    )


def _read(path: Path) -> tuple[list[Case], list[Reject]]:
    cases: list[Case] = []
    rejects: list[Reject] = []
    for number, value in read_numbered(path):
        try:
            cases.append(Case.model_validate(value))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            more = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
            raise DataError(
                f"not a case: {field}: {first['msg']}{more}",
                where=f"{path} line {number}",
                expected="a line as counterpoise generate writes it",
            ) from error
        except CounterpoiseError as error:
            # A model that cannot be executed: the line is a case, and its gold is not right.
            rejects.append(Reject(str(value.get("id")), f"line {number}: {error}"))
    if rejects and not cases:
        raise DataError(rejects[0].reason, where=str(path))
    if len({case.dataset for case in cases}) > 1:
        cases = [case.model_copy(update={"dataset": path.stem}) for case in cases]
    return cases, rejects
