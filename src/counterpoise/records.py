"""Run folders: a manifest, append-only rows, resume by key.

A run folder belongs to one configuration. Its ``rows.jsonl`` only grows; a line that was cut short by a kill is
removed when the run is resumed, and every finished row is kept. All other files are written under a
temporary name and renamed, so a reader never sees half a file.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counterpoise import __version__
from counterpoise.errors import DataError, OutputError

__all__ = [
    "Manifest",
    "Row",
    "RowFile",
    "RunFolder",
    "Status",
    "Tokens",
    "append_line",
    "canonical_json",
    "content_hash",
    "drop_torn_line",
    "iter_numbered",
    "read_jsonl",
    "read_manifest",
    "read_numbered",
    "scratch_folder",
    "write_atomic",
]

Status = Literal["ok", "parse_failed", "model_failed", "unscored"]
"""How a row came out.

``ok``: answered and scored. ``parse_failed``: answered, but nothing usable could be read from it (scores 0, stays in
the denominator). ``model_failed``: the model gave no answer (scores 0, stays in the denominator). ``unscored``:
answered and read, but the scorer could not decide (a judge failed); no score, and counted beside every rate.
"""


class Tokens(BaseModel):
    """Tokens read and written by the model for one row; true counts of the model's own tokenizer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: int = Field(default=0, ge=0)
    output: int = Field(default=0, ge=0)


class Row(BaseModel):
    """Columns that the rows of every kind of run share; each kind adds its own.

    Attributes:
        run: id of the run that wrote the row.
        kind: which kind of run: ``diagnose``, ``curate`` or ``lab``.
        model: the model's name as the user gave it.
        status: see :data:`Status`.
        reason: why the status is not ``ok``; one line.
        score: in [0, 1]; what it measures is said by the subclass; ``None`` when there is none.
        seconds: wall time spent on this row; for batched work, its share of the batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    kind: str
    model: str
    status: Status
    reason: str | None = None
    score: float | None = None
    tokens: Tokens = Tokens()
    seconds: float = 0.0


class Manifest(BaseModel):
    """What produced a run folder.

    Attributes:
        run: id derived from kind and configuration, so equal requests have equal ids.
        kind: the kind of run.
        config: everything that determines the rows.
        state: ``running`` until the last row is written, then ``complete``.
        warnings: things a reader of the results must know.
    """

    model_config = ConfigDict(extra="forbid")

    run: str
    kind: str
    config: dict[str, Any]
    state: Literal["running", "complete"] = "running"
    started: str
    finished: str | None = None
    counterpoise: str = __version__
    python: str = platform.python_version()
    platform: str = f"{platform.system()} {platform.machine()}"
    packages: dict[str, str] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    facts: dict[str, Any] = Field(default_factory=dict)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(value: Any, *, length: int = 12) -> str:
    """The first ``length`` hexadecimal digits of the SHA-256 of the value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name in the same folder, then rename it into place.

    Raises:
        OutputError: the folder cannot be written or the disk is full; the old file, if any, is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def append_line(path: Path, line: str) -> None:
    """Append one line in a single write.

    Raises:
        OutputError: the write failed (full disk, permissions); the file is as it was. What a kill tears is removed on
            the next open.
    """
    data = (line + "\n").encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        before = os.fstat(handle).st_size
        try:
            while data:
                data = data[os.write(handle, data) :]
        except OSError:
            # A fragment left here would be glued to the next line that fits.
            os.ftruncate(handle, before)
            raise
        finally:
            os.close(handle)
    except OSError as error:
        raise OutputError(
            f"cannot append to {path}: {error.strerror or error}",
            fix="free the disk or choose another folder, then run the same command again to resume",
        ) from error


def read_jsonl(path: Path, *, drop_torn: bool = False) -> list[dict[str, Any]]:
    """Every object of a JSON-lines file; see :func:`read_numbered`."""
    return [value for _, value in read_numbered(path, drop_torn=drop_torn)]


def read_numbered(path: Path, *, drop_torn: bool = False) -> list[tuple[int, dict[str, Any]]]:
    """Every object of a JSON-lines file with the number of its line, in order; see :func:`iter_numbered`."""
    return list(iter_numbered(path, drop_torn=drop_torn))


def iter_numbered(path: Path, *, drop_torn: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON-lines file with the numbers of their lines, one at a time; blank lines are skipped.

    Args:
        path: the file.
        drop_torn: leave out what follows the last newline: a row of a run whose write was interrupted. Only for files
            that Counterpoise appends to; a file by someone else may well end without a newline.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is not a JSON object; names the line.
    """
    try:
        # A binary file ends a line at "\n" only; text would also end it at "\r", which JSON may have between tokens.
        with path.open("rb") as file:
            for number, data in enumerate(file, start=1):
                if data.strip() and not (drop_torn and not data.endswith(b"\n")):
                    yield number, _object(data, path, number)
    except OSError as error:
        raise DataError(f"cannot read file: {error.strerror}", where=str(path)) from error


def _object(data: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError as error:
        raise DataError("file is not UTF-8 text", where=str(path), fix="re-encode it as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise DataError("not valid JSON", where=f"{path} line {number}", expected="one object a line") from error
    if not isinstance(value, dict):
        raise DataError(f"a {type(value).__name__}", where=f"{path} line {number}", expected="a JSON object")
    return value


class RowFile:
    """An append-only JSON-lines file that knows which keys it already holds.

    Args:
        path: the file; created on the first append.
        key: the identity of a row; a second row of the same key is refused.
        keep: hold the rows in memory too, as ``rows``; without it memory grows by the keys alone.

    Raises:
        DataError: a complete line of an existing file is not a JSON object.
    """

    def __init__(self, path: Path, *, key: Callable[[Mapping[str, Any]], str], keep: bool = True) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._key = key
        self._keep = keep
        self._keys: set[str] = set()
        drop_torn_line(path)
        for _, row in iter_numbered(path) if path.exists() else ():
            self._remember(row)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def append(self, row: BaseModel | Mapping[str, Any]) -> None:
        """Write one row; a row whose key is present already raises ``ValueError``."""
        value = row.model_dump(mode="json") if isinstance(row, BaseModel) else dict(row)
        if (key := self._key(value)) in self._keys:
            raise ValueError(f"row {key!r} is already in {self.path}")
        append_line(self.path, canonical_json(value))
        self._remember(value)

    def _remember(self, row: dict[str, Any]) -> None:
        self._keys.add(self._key(row))
        if self._keep:
            self.rows.append(row)


def drop_torn_line(path: Path) -> None:
    """Cut what follows the last newline of a file that Counterpoise appends to: a write that was interrupted.

    Raises:
        OutputError: the file cannot be opened or changed.
    """
    if not path.exists():
        return
    try:
        with path.open("rb+") as file:
            size = end = file.seek(0, os.SEEK_END)
            while end:
                begin = max(0, end - _BLOCK)
                file.seek(begin)
                newline = file.read(end - begin).rfind(b"\n")
                if newline >= 0:
                    end = begin + newline + 1
                    break
                end = begin
            if end < size:
                file.truncate(end)
    except OSError as error:
        raise OutputError(f"cannot open {path}: {error.strerror or error}") from error


_BLOCK = 1 << 16


class RunFolder:
    """A folder that holds one run: ``manifest.json``, ``rows.jsonl``, ``report.html``, ``logs/``.

    Use :meth:`open`, as a context manager; the folder is locked while it is open.
    """

    def __init__(self, path: Path, manifest: Manifest, lock: int) -> None:
        self.path = path
        self.manifest = manifest
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, kind: str, config: Mapping[str, Any], packages: tuple[str, ...] = ()) -> Self:
        """Create the folder, or resume the run that is in it.

        Args:
            path: the folder; its parents are created.
            kind: the kind of run.
            config: everything that determines the rows; JSON values only.
            packages: distributions whose versions belong in the manifest.

        Raises:
            OutputError: the folder cannot be written, holds other files, belongs to a run of another
                configuration, or is in use by another process.
        """
        settings = json.loads(json.dumps(config))
        run = f"{kind}-{content_hash([kind, settings])}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            entries = {entry.name for entry in path.iterdir()} - {".lock"}
            lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OutputError(f"cannot use output folder {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise OutputError(
                f"output folder {path} is in use by another process",
                fix="wait for it or choose another folder",
            ) from error
        try:
            resumed = (path / "manifest.json").exists()
            if resumed:
                manifest = cls._resume(path, run, kind, settings)
            elif {name for name in entries if not name.startswith(".manifest.json.")}:
                raise OutputError(
                    f"output folder {path} is not empty and holds no run",
                    fix="choose an empty or a new folder",
                )
            else:
                manifest = Manifest(run=run, kind=kind, config=settings, started=_now())
            versions = {name: metadata.version(name) for name in packages}
            folder = cls(path, manifest, lock)
            if not resumed:
                manifest.packages = versions
            elif manifest.state == "running" and manifest.packages != versions:
                folder.warn("the run was resumed with other package versions than it was started with")
            folder.save()
            folder.log("resumed" if resumed else "started")
        except BaseException:
            os.close(lock)
            raise
        return folder

    @staticmethod
    def _resume(path: Path, run: str, kind: str, config: dict[str, Any]) -> Manifest:
        manifest = read_manifest(path)
        if manifest.run != run:
            if manifest.kind != kind:
                difference = f"a {manifest.kind} run"
            else:
                keys = sorted(
                    key for key in manifest.config.keys() | config.keys() if manifest.config.get(key) != config.get(key)
                )
                difference = "another configuration: " + ", ".join(keys)
            raise OutputError(
                f"output folder {path} holds the run {manifest.run} of {difference}",
                fix="choose another folder, or repeat that run's options to resume it",
            )
        return manifest

    @property
    def run(self) -> str:
        """The run's id."""
        return self.manifest.run

    def rows(self, *, key: Callable[[Mapping[str, Any]], str], name: str = "rows.jsonl", keep: bool = True) -> RowFile:
        """The run's row file, with the rows it already has; see :class:`RowFile` for the arguments."""
        return RowFile(self.path / name, key=key, keep=keep)

    def warn(self, message: str) -> None:
        """Record something that a reader of the results must know; a repeated message is kept once."""
        if message not in self.manifest.warnings:
            self.manifest.warnings.append(message)
            self.save()

    def complete(self, **facts: Any) -> None:
        """Mark the run as finished and record facts about it (counts, totals)."""
        self.manifest.facts |= facts
        if self.manifest.state != "complete":
            self.manifest.state = "complete"
            self.manifest.finished = _now()
            self.log("completed")
        self.save()

    def log(self, event: str) -> None:
        """Add a line to ``logs/events.jsonl``: when the run was started, resumed, completed."""
        logs = self.path / "logs"
        try:
            logs.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write below {self.path}: {error.strerror or error}") from error
        append_line(logs / "events.jsonl", canonical_json({"event": event, "time": _now()}))

    def save(self) -> None:
        """Write the manifest."""
        write_atomic(self.path / "manifest.json", self.manifest.model_dump_json(indent=2) + "\n")

    def close(self) -> None:
        """Release the folder's lock."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_manifest(path: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        DataError: there is none, or it is not a manifest.
    """
    file = path / "manifest.json"
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise DataError(f"no run in folder {path}", expected="a folder with a manifest.json") from error
    except ValidationError as error:
        raise DataError(
            "manifest is damaged", where=str(file), expected="a manifest written by counterpoise"
        ) from error


@contextlib.contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A folder that appears under ``path`` only when its content is complete.

    The caller fills the yielded temporary folder; on success it is renamed to ``path``, on an exception removed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise OutputError(f"cannot write below {path.parent}: {error.strerror or error}") from error
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        # Another process may have finished the same work first: equal content, so theirs may stay.
        if path.exists():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
