"""How the records of a source are to be read: found from the first of them, or as a user says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from counterpoise.curation.inputs.fields import Misfit, field_names, has_field, listed, value_of
from counterpoise.curation.inputs.formats import Record
from counterpoise.curation.inputs.guessing import guess
from counterpoise.curation.inputs.shapes import FIELDS, PARTS, SHAPES, Reading, Shape
from counterpoise.errors import DataError, UnknownNameError, UsageError

__all__ = ["EXPECTED", "LOOKED_AT", "detect", "fields_from", "shapes_with"]

LOOKED_AT = 32
"""Records whose majority decides; more only while none fits."""
EXPECTED = (
    "question and answer, prompt and completion, instruction (with input) and output, messages, choices with a key, "
    "or text"
)
"""The fields that are understood, for messages to users."""


def fields_from(options: Iterable[str]) -> dict[str, str]:
    """Field names by what they are, from a command line.

    >>> fields_from(["question=QUERY", "answer=reply.text"])
    {'question': 'QUERY', 'answer': 'reply.text'}

    Raises:
        UsageError: an option is not of that form, names something that texts do not have, or comes twice; only
            ``context`` may be empty, for none.
    """
    fields: dict[str, str] = {}
    for option in options:
        part, equals, name = option.partition("=")
        if not equals or not (name.strip() or part == "context"):
            raise UsageError(f"{option!r} names no field", where="--field", expected="PART=NAME, as in question=QUERY")
        if part not in FIELDS:
            raise UnknownNameError("part of a text", part, FIELDS)
        if part in fields:
            raise UsageError(f"two fields for {part!r}", where="--field", expected="one")
        fields[part] = name.strip()
    return fields


def shapes_with(fields: Mapping[str, str], shape: Shape | None) -> list[Shape]:
    """The shapes that records can have when these fields are named.

    Raises:
        UnknownNameError: there is no such shape or part of a text.
        UsageError: no shape has all of them.
    """
    if shape not in (None, *SHAPES):
        raise UnknownNameError("shape", str(shape), SHAPES)
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise UnknownNameError("part of a text", unknown[0], FIELDS)
    parts = set(fields) - {"id"}
    found = [one for one in SHAPES if parts <= set(PARTS[one]) and shape in (None, one)]
    if not found:
        named = ", ".join(sorted(parts))
        raise UsageError(
            f"no text has the fields {named} together" if shape is None else f"shape {shape!r} has no fields {named}",
            expected="; or ".join(f"{one}: {', '.join(PARTS[one])}" for one in SHAPES if shape in (None, one)),
        )
    return found


def detect(
    records: Iterable[Record], fields: Mapping[str, str], shapes: Sequence[Shape], where: str
) -> tuple[Reading, Record]:
    """The way to read most of the first :data:`LOOKED_AT` records, the earlier one of equals; or the first that fits.

    Args:
        records: of the source, from its beginning.
        fields: what the user named.
        shapes: what to try; see :func:`shapes_with`.
        where: the source, and what its records are counted in.

    Returns:
        The reading, and the first record that it fits.

    Raises:
        DataError: there are no records, none fits, or none of those looked at has a field that is named.
    """
    found: Counter[Reading] = Counter()
    examples: dict[Reading, Record] = {}
    first: Record | None = None
    misfit: tuple[int, str] | None = None
    missing = {name for name in fields.values() if name}
    for count, record in enumerate(records):
        if count >= LOOKED_AT and (found or missing):
            break
        first = first or record
        missing = {name for name in missing if not has_field(record.value, name)}
        try:
            reading = guess(value_of(record), fields, shapes)
        except Misfit as reason:
            misfit = misfit or (record.number, str(reason))
        else:
            found[reading] += 1
            examples.setdefault(reading, record)
    if first is None:
        raise DataError("no texts", where=where.rsplit(" ", 1)[0], expected=EXPECTED)
    if missing:
        raise _no_field(min(missing), first, where)
    if misfit and not found:
        number, text = misfit
        raise DataError(
            f"no record fits: {text}",
            where=f"{where} {number}",
            expected=EXPECTED,
            fix="name its fields, as in --field question=NAME --field answer=NAME",
        )
    reading = found.most_common(1)[0][0]
    return reading, examples[reading]


def _no_field(name: str, record: Record, where: str) -> DataError:
    known = field_names(record.value)
    near = get_close_matches(name, known, n=1)
    return DataError(
        f"no field {name!r}",
        where=f"{where} {record.number}",
        expected=f"one of {listed(known)}",
        fix=f"did you mean {near[0]!r}?" if near else None,
    )
