"""What a dataset is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from counterpoise.counterfactual.case import Case, GoldKind, Modality, Role

__all__ = ["Dataset", "Download", "Reject"]


@dataclass(frozen=True, slots=True)
class Reject:
    """An item that is not used, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file of a dataset at its source.

    Attributes:
        path: where it goes below the data folder; one of the dataset's ``files``.
        repository: ``owner/name`` on GitHub, or of a dataset on the Hugging Face hub.
        revision: a commit or tag of the repository, which is what pins it. "main" where no commit is known: then only
            the digest that fetching writes down tells versions apart.
        file: path in the repository.
        hub: whether the repository is a dataset on the Hugging Face hub.
        sha256: of the file's bytes, where they are known; anything else that comes is refused.
    """

    path: str
    repository: str
    revision: str
    file: str
    hub: bool = False
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
        roles: what takes each causal role in its cases, a phrase each; a role without variables is absent.
        gold: how the gold of the stages came about, in a sentence.
        files: paths below the data folder, any of which is enough; empty for generated datasets.
        downloads: files that ``counterpoise fetch`` gets.
        obtain: what a user has to do by hand; empty where fetching is enough.
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
    roles: Mapping[Role, str] = field(default_factory=dict)
    gold: str = ""
    files: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()
    obtain: str = ""
    read: Callable[[Path | None], tuple[list[Case], list[Reject]]]
    shots: Callable[[Path | None], list[Case]] | None = None
