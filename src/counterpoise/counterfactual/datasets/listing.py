"""What of every dataset can be read here."""

from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.datasets import DATASETS, available, load
from counterpoise.counterfactual.datasets.fetch import state

__all__ = ["listing"]


def listing(data: Path | None) -> list[dict[str, Any]]:
    """A mapping for every registered dataset.

    Returns:
        ``name``, ``title``, ``modality``, ``gold_kind``, ``available``, ``cases`` (usable), ``staged`` (of them with
        gold for a stage before the answer), ``rejects``, ``source``, ``revision``, ``licence``, ``files`` (path to its
        :data:`~counterpoise.counterfactual.datasets.fetch.State`, of files that can be fetched). The numbers are
        ``None`` where the data is not here.

    Raises:
        DataError: a file that is here is malformed.
    """
    entries = []
    for name, dataset in DATASETS.items():
        here = available(dataset, data)
        found = load(name, data) if here else None
        entries.append(
            {
                "name": name,
                "title": dataset.title,
                "modality": dataset.modality,
                "gold_kind": dataset.gold_kind,
                "available": here,
                "cases": None if found is None else len(found.cases),
                "staged": None if found is None else sum(case.stages != (Stage.ANSWER,) for case in found.cases),
                "rejects": None if found is None else len(found.rejects),
                "source": dataset.source,
                "revision": dataset.revision,
                "licence": dataset.licence,
                "files": {download.path: state(download, data) for download in dataset.downloads},
            }
        )
    return entries
