"""What a dataset is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from counterpoise.counterfactual.case import Case, GoldKind, Modality

__all__ = ["Dataset", "Reject"]


@dataclass(frozen=True, slots=True)
class Reject:
    """An item that is not used, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A registered dataset.

    Attributes:
        name: as the command line names it.
        title: one line that says what it measures.
        modality: of its contexts.
        gold_kind: of its stage gold.
        source: where a user gets it.
        revision: version of the source that the reader was written against.
        licence: of the source, as its authors state it.
        files: paths below the data folder, any of which is enough; empty for generated datasets.
        read: from the data folder to cases and rejects; raises DataError for a malformed file.
        shots: solved cases outside the test split, for few-shot prompts; ``None`` where a run reserves some clusters.
    """

    name: str
    title: str
    modality: Modality
    gold_kind: GoldKind
    source: str
    revision: str
    licence: str
    files: tuple[str, ...] = ()
    read: Callable[[Path | None], tuple[list[Case], list[Reject]]]
    shots: Callable[[Path | None], list[Case]] | None = None
