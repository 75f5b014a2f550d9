"""A curation's rows to files, one row at a time."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from counterpoise.curation.export.card import dataset_card, plain
from counterpoise.curation.export.files import atomic_writer
from counterpoise.curation.export.forms import FILES, LINES, uncurated, with_original
from counterpoise.curation.export.numbers import Numbers
from counterpoise.curation.export.parquet import has_parquet, parquet_writer
from counterpoise.curation.export.review import Review
from counterpoise.errors import DataError, OutputError
from counterpoise.records import Manifest, canonical_json, iter_numbered, write_atomic

__all__ = ["export", "write_set"]

Row = Mapping[str, Any]
Sink = Callable[[Row], object]

_PARTICULARS = re.compile(r"\d[\d,.]*|'[^']*'|\"[^\"]*\"")
"""Numbers and quotations within a reason."""


def export(folder: Path, manifest: Manifest) -> None:
    """Write the curated set of a run into its folder, from its ``rows.jsonl``.

    That is ``curated.jsonl``, ``curated.prompt_completion.jsonl``, ``curated.parquet`` where pyarrow is installed,
    the dataset card ``README.md`` and ``snippets/``. See :func:`write_set`.

    Raises:
        DataError: ``rows.jsonl`` is missing or damaged.
        OutputError: the folder cannot be written.
    """
    forms = ["messages", "prompt-completion", *(["parquet"] if has_parquet() else [])]
    write_set(folder, manifest, folder, forms)


def write_set(
    run: Path,
    manifest: Manifest,
    out: Path,
    forms: Sequence[str],
    *,
    review: Review | None = None,
    originals: bool = False,
) -> Numbers:
    """Write a run's curated set in some forms, its card and, beside the form ``messages``, the snippets that read it.

    Rows are read and written one at a time; those without a revision are left out and counted in the card. Equal rows
    give equal bytes.

    Args:
        run: folder with the ``rows.jsonl``.
        manifest: of the run.
        out: folder to write into; exists.
        forms: keys of :data:`~counterpoise.curation.export.forms.FILES`.
        review: a person's decisions, and which texts they let in.
        originals: write the uncurated twin of every file too, and the originals into the lineage.

    Raises:
        DataError: ``rows.jsonl`` is missing or damaged, or a decision is about a text that it does not have.
        MissingExtraError: Parquet is asked for and pyarrow is not installed.
        OutputError: the folder cannot be written.
    """
    numbers = Numbers(manifest.config["objective"])
    unknown = set(review.decisions) if review else set()
    try:
        with ExitStack() as files:
            sinks = [files.enter_context(_writer(out / FILES[form], form)) for form in forms]
            twins = [files.enter_context(_writer(out / f"un{FILES[form]}", form)) for form in forms if originals]
            for row in _rows(run):
                reason = _why_not(row)
                if review:
                    unknown.discard(row["text_id"])
                    if reason is None:
                        numbers.decided[review.decision(row["text_id"])] += 1
                        reason = review.why_not(row["text_id"])
                numbers.add(row, reason)
                if reason is None:
                    _write(with_original(row) if originals else row, sinks)
                    _write(uncurated(row), twins)
            if unknown:
                raise DataError(
                    f"{len(unknown)} decision(s) about texts that the run does not have, {min(unknown)!r} for one",
                    where=str(run),
                    fix="pass the decisions that were saved from this run's review page",
                )
    except UnicodeEncodeError as error:
        raise DataError("a row has text that is not valid Unicode", where=str(run / "rows.jsonl")) from error
    card = dataset_card(numbers, manifest, forms, originals=originals, only=review.only if review else None)
    write_atomic(out / "README.md", card)
    if "messages" in forms:
        _copy(resources.files("counterpoise.curation.export") / "snippets", out / "snippets")
    return numbers


def _rows(run: Path) -> Iterator[Row]:
    path = run / "rows.jsonl"
    for number, row in iter_numbered(path, drop_torn=True):
        revised, lineage = row.get("revised"), row.get("lineage")
        texts = [row.get("text_id"), row.get("question"), row.get("original"), "" if revised is None else revised]
        if not all(isinstance(text, str) for text in texts) or (revised is not None and not isinstance(lineage, dict)):
            raise DataError("not a row of a curation", where=f"{path} line {number}", expected="a run of curate")
        yield row


def _why_not(row: Row) -> str | None:
    """Why a row has no revision, without what differs from row to row; ``None`` where it has one."""
    if row.get("revised") is not None:
        return None
    return plain(_PARTICULARS.sub("…", str(row.get("reason")).split(":", 1)[0]))


def _write(row: Row, sinks: Sequence[Sink]) -> None:
    for sink in sinks:
        sink(row)


def _writer(path: Path, form: str) -> AbstractContextManager[Sink]:
    return parquet_writer(path) if form == "parquet" else _line_writer(path, LINES[form])


@contextmanager
def _line_writer(path: Path, line: Callable[[Row], dict[str, Any]]) -> Iterator[Sink]:
    with atomic_writer(path) as file:
        yield lambda row: file.write((canonical_json(line(row)) + "\n").encode())


def _copy(source: Traversable, target: Path) -> None:
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    for entry in source.iterdir():
        if entry.is_dir():
            _copy(entry, target / entry.name)
        else:
            # Code is kept as text, so that nothing takes it for a module of the package.
            write_atomic(target / entry.name.removesuffix(".txt"), entry.read_bytes())
