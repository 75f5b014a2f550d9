"""The curated set as one Parquet table with the full lineage."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counterpoise.curation.export.files import atomic_writer
from counterpoise.curation.export.forms import curated_line, user_turn
from counterpoise.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow

__all__ = ["has_parquet", "parquet_row", "parquet_schema", "parquet_writer", "require_parquet"]

_GROUP = 500
"""Rows of a row group; as many are held in memory."""


def has_parquet() -> bool:
    """Whether the library that writes Parquet is installed."""
    return find_spec("pyarrow") is not None


def require_parquet() -> None:
    """Raise ``MissingExtraError`` unless Parquet can be written."""
    if not has_parquet():
        raise MissingExtraError("pyarrow", extra="curate", purpose="writing Parquet")


def parquet_schema() -> "pyarrow.Schema":
    """The columns of ``curated.parquet``.

    ``messages``, ``question`` and ``answer`` are what is trained on; ``original_question`` and ``original_answer`` what
    it was made from. The others are the lineage of ``curated.jsonl``, models as two columns each, ``criteria`` and
    ``ancestors`` as lists; they may be null. Perplexities are per token, helpfulness and its criteria in [0, 1].
    """
    import pyarrow as pa

    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    ancestor = {
        "id": text,
        "parent": text,
        "round": pa.int32(),
        "question": text,
        "text": text,
        "keywords": texts,
        "temperature": number,
        "top_p": number,
        "seed": pa.int64(),
        "perplexity": number,
        "helpfulness": number,
    }
    nullable = {
        "original_question": text,
        "original_answer": text,
        "question_generated": pa.bool_(),
        "objective": text,
        "keywords": texts,
        "id": text,
        "parent": text,
        "round": pa.int32(),
        "temperature": number,
        "top_p": number,
        "seed": pa.int64(),
        "style": text,
        "prompt_version": text,
        "reviser": text,
        "reviser_revision": text,
        "target": text,
        "target_revision": text,
        "judge": text,
        "perplexity_before": number,
        "perplexity_after": number,
        "helpfulness": number,
        "criteria": pa.list_(pa.struct({"name": text, "value": number})),
        "gloss_copied": pa.bool_(),
        "ancestors": pa.list_(pa.struct(ancestor)),
    }
    return pa.schema(
        [
            pa.field("text_id", text, nullable=False),
            pa.field("messages", pa.list_(pa.struct({"role": text, "content": text})), nullable=False),
            pa.field("question", text, nullable=False),
            pa.field("answer", text, nullable=False),
            *(pa.field(name, kind) for name, kind in nullable.items()),
        ]
    )


def parquet_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with a revision as a row of the table; names that the schema does not have are left out there."""
    lineage = row["lineage"]
    models = {
        name + suffix: (lineage.get(name) or {}).get(part)
        for name in ("reviser", "target")
        for suffix, part in (("", "name"), ("_revision", "revision"))
    }
    criteria = row.get("criteria") or {}
    return {
        **lineage,
        **models,
        "text_id": row["text_id"],
        "messages": curated_line(row)["messages"],
        "question": user_turn(row),
        "answer": row["revised"],
        "original_question": row["question"],
        "original_answer": row["original"],
        "question_generated": row.get("question_generated", False),
        "perplexity_before": row.get("perplexity_before"),
        "criteria": [{"name": name, "value": value} for name, value in sorted(criteria.items())],
    }


@contextlib.contextmanager
def parquet_writer(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A function that adds a row to a Parquet file, which appears when the block ends.

    Rows go to the file five hundred at a time, so memory does not grow with them. Equal rows give equal bytes with the
    same version of pyarrow.

    Raises:
        DataError: a value is not of its column's type.
        MissingExtraError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """
    require_parquet()
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = parquet_schema()
    waiting: list[dict[str, Any]] = []
    with atomic_writer(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as table:

        def flush() -> None:
            try:
                table.write_table(pa.Table.from_pylist(waiting, schema=schema))
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                raise DataError(
                    f"rows do not fit {path.name}: {error}", fix="export without the form parquet"
                ) from error
            waiting.clear()

        def add(row: Mapping[str, Any]) -> None:
            waiting.append(parquet_row(row))
            if len(waiting) == _GROUP:
                flush()

        yield add
        if waiting:
            flush()
