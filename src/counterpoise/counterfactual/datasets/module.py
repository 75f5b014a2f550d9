"""A dataset in a Python file of the user's: the file says ``DATASET = Dataset(...)``."""

import importlib.util
from functools import cache
from pathlib import Path

from counterpoise.counterfactual.datasets.dataset import Dataset
from counterpoise.errors import CounterpoiseError, DataError

__all__ = ["SUFFIX", "module_dataset"]

SUFFIX = ".py"
"""What tells a Python file from the name of a dataset."""


def module_dataset(name: str) -> Dataset:
    """The dataset that a Python file defines, under the name of the file, so that the name finds it again.

    The file is run, like any program that its user names; a file from others is to be read first.

    Raises:
        DataError: there is no such file, it fails, or it defines no dataset.
    """
    path = Path(name)
    if not path.is_file():
        raise DataError("no such file", where=name, expected="a Python file that defines DATASET")
    return _read(name, path.resolve(), path.stat().st_mtime_ns)


@cache
def _read(name: str, path: Path, changed: int) -> Dataset:
    spec = importlib.util.spec_from_file_location(f"counterpoise_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DataError("not a Python file", where=name)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except CounterpoiseError:
        raise
    except Exception as error:
        raise DataError(f"the file fails: {type(error).__name__}: {error}", where=name) from error
    dataset = getattr(module, "DATASET", None)
    if not isinstance(dataset, Dataset):
        raise DataError("the file defines no dataset", where=name, expected="DATASET = Dataset(...)")
    return Dataset(**{field: getattr(dataset, field) for field in Dataset.__slots__} | {"name": name})
