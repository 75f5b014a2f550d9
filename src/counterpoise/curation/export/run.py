"""A finished run as a folder to hand on: the forms that are wanted, the card, the snippets."""

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpoise.curation.decisions import read_decisions
from counterpoise.curation.export.forms import FILES
from counterpoise.curation.export.parquet import require_parquet
from counterpoise.curation.export.review import Only, Review
from counterpoise.curation.export.write import write_set
from counterpoise.errors import DataError, OutputError, UnknownNameError, UsageError
from counterpoise.records import read_manifest, scratch_folder

__all__ = ["Exported", "export_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was exported.

    Attributes:
        out: the folder.
        run: id of the run.
        texts: of the run.
        exported: of them are in the set.
        left_out: the others, counted by reason.
        decided: revisions by decision (``accept``, ``reject``, ``undecided``); empty without a review.
        files: paths in the folder, sorted.
        changed: whether the folder is new; it held exactly these files otherwise.
    """

    out: str
    run: str
    texts: int
    exported: int
    left_out: dict[str, int]
    decided: dict[str, int]
    files: tuple[str, ...]
    changed: bool


def export_run(
    run: Path,
    out: Path,
    forms: Sequence[str] = ("messages", "prompt-completion"),
    *,
    decisions: Path | None = None,
    only: Only | None = None,
    originals: bool = False,
) -> Exported:
    """Write a finished run's curated set into a new folder, which appears only when it is whole.

    Args:
        run: the run folder.
        out: new or empty, or with exactly what would be written, which is then left as it is.
        forms: which forms, of ``messages``, ``prompt-completion``, ``sharegpt``, ``alpaca`` and ``parquet``.
        decisions: a file that the review page saved.
        only: which texts the decisions let in; every one that is ``not-rejected`` by default.
        originals: write the uncurated twin of every file too, for controls.

    Raises:
        DataError: there is no finished curation in ``run``, or the decisions are not about it.
        MissingExtraError: Parquet is asked for and pyarrow is not installed.
        OutputError: ``out`` cannot be written or holds something else.
        UnknownNameError: a form does not exist.
        UsageError: no form is given, or ``only`` without decisions.
    """
    for name in forms:
        if name not in FILES:
            raise UnknownNameError("form", name, FILES)
    if not forms:
        raise UsageError("no form to export", expected="one or more of " + ", ".join(FILES))
    if only is not None and decisions is None:
        raise UsageError("'only' chooses by decisions, and none are given", fix="pass --decisions, or leave --only out")
    if "parquet" in forms:
        require_parquet()
    manifest = read_manifest(run)
    if manifest.kind != "curate":
        raise DataError(f"the run in {run} is a {manifest.kind} run", expected="a run of curate")
    if manifest.state != "complete":
        raise DataError(f"the run in {run} is not finished", fix="repeat its command to finish it")
    review = None
    if decisions is not None:
        review = Review(read_decisions(decisions, run=manifest.run), only or "not-rejected")
    with scratch_folder(out) as scratch:
        numbers = write_set(run, manifest, scratch, forms, review=review, originals=originals)
        files = _files(scratch)
        changed = _settle(out, scratch, files)
    return Exported(
        out=str(out),
        run=manifest.run,
        texts=numbers.texts,
        exported=numbers.exported,
        left_out=dict(sorted(numbers.left_out.items())),
        decided=dict(sorted(numbers.decided.items())),
        files=tuple(files),
        changed=changed,
    )


def _settle(out: Path, scratch: Path, files: Sequence[str]) -> bool:
    """Make way for the new folder; whether it is needed, which it is not when ``out`` equals it."""
    if not out.exists():
        return True
    try:
        if not any(out.iterdir()):
            out.rmdir()
            return True
        if _files(out) == files and not any(filecmp.cmpfiles(out, scratch, files, shallow=False)[1:]):
            return False
    except OSError as error:
        raise OutputError(f"cannot use output folder {out}: {error.strerror or error}") from error
    raise OutputError(f"output folder {out} holds something else", fix="choose an empty or a new folder")


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
