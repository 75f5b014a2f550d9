"""Getting the files of a dataset from their source, pinned to a commit, and telling whether a file is the pinned one.

A file is written under a temporary name, its digest compared, and renamed: what is in the data folder is whole. An
existing file is never overwritten.
"""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

from counterpoise.counterfactual.datasets.dataset import Dataset, Download
from counterpoise.errors import DataError, OutputError
from counterpoise.records import append_line

__all__ = ["LOG", "Fetched", "State", "address", "fetch", "state", "unpinned"]

LOG = "fetched.jsonl"
"""In the data folder: a line for each file that was fetched, with its address and digest."""
TIMEOUT_SECONDS = 60.0
MAX_BYTES = 4_000_000_000
_BLOCK = 1 << 20

State = Literal["pinned", "differs", "unknown", "absent"]
"""A file against its download: the same bytes; other bytes; bytes that are not known; not there."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file after fetching.

    Attributes:
        path: below the data folder.
        address: where it comes from.
        sha256: of its bytes.
        state: ``fetched`` now; ``present`` before, and the pinned bytes; or ``kept``, present before with other bytes
            or bytes of which nothing is known.
    """

    path: str
    address: str
    sha256: str
    state: Literal["fetched", "present", "kept"]


def address(download: Download) -> str:
    """The address of a file at its pinned revision.

    >>> address(Download(path="a/b.json", repository="owner/name", revision="v1", file="data/b.json"))
    'https://raw.githubusercontent.com/owner/name/v1/data/b.json'
    """
    if download.hub:
        return f"https://huggingface.co/datasets/{download.repository}/resolve/{download.revision}/{download.file}"
    return f"https://raw.githubusercontent.com/{download.repository}/{download.revision}/{download.file}"


def state(download: Download, data: Path | None) -> State:
    """What is known of the file in the data folder."""
    path = None if data is None else data / download.path
    if path is None or not path.is_file():
        return "absent"
    if download.sha256 is None:
        return "unknown"
    return "pinned" if _digest(path) == download.sha256 else "differs"


def unpinned(dataset: Dataset, data: Path | None) -> list[str]:
    """The files of a dataset that are in the data folder with other bytes than the pinned ones."""
    return [download.path for download in dataset.downloads if state(download, data) == "differs"]


def fetch(dataset: Dataset, data: Path, *, open_address: Callable[[str], IO[bytes]] | None = None) -> list[Fetched]:
    """Get every file of a dataset that is not in the data folder yet.

    Args:
        dataset: a registered dataset.
        data: the data folder; made where it does not exist.
        open_address: opens an address for reading; default over the network.

    Raises:
        DataError: the dataset has no files to fetch, a file cannot be had, or is not the pinned one.
        OutputError: the folder cannot be written.
    """
    if not dataset.files:
        raise DataError(f"dataset {dataset.name!r} needs no files")
    if not dataset.downloads:
        raise DataError(
            f"dataset {dataset.name!r} cannot be fetched", fix=dataset.obtain or f"get it from {dataset.source}"
        )
    found = []
    for download in dataset.downloads:
        path, source = data / download.path, address(download)
        if path.is_file():
            digest = _digest(path)
            found.append(Fetched(download.path, source, digest, "present" if digest == download.sha256 else "kept"))
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            digest = _save(download, path, (open_address or _open)(source), source)
            one = Fetched(download.path, source, digest, "fetched")
            append_line(data / LOG, json.dumps(asdict(one) | {"revision": download.revision}))
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise DataError(
                f"cannot be fetched: {getattr(error, 'reason', error)}",
                where=source,
                fix=f"check the connection, or get it from {dataset.source} and put it at {path}",
            ) from error
        except OSError as error:
            raise OutputError(f"cannot write: {error.strerror}", where=str(path)) from error
        found.append(one)
    return found


def _open(source: str) -> IO[bytes]:
    request = urllib.request.Request(source, headers={"User-Agent": "counterpoise"})
    return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # type: ignore[no-any-return]


def _save(download: Download, path: Path, stream: IO[bytes], source: str) -> str:
    """Write what a stream holds and return its digest; nothing is left of a file that is refused."""
    partial = path.with_name(f".{path.name}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with stream, partial.open("wb") as file:
            while block := stream.read(_BLOCK):
                size += len(block)
                if size > MAX_BYTES:
                    raise DataError(f"more than {MAX_BYTES} bytes", where=source)
                digest.update(block)
                file.write(block)
        if download.sha256 not in (None, digest.hexdigest()):
            raise DataError(
                f"sha256 is {digest.hexdigest()}", where=source, expected=download.sha256, fix="nothing was kept"
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
