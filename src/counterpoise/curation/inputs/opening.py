"""The texts of a source: opened once, gone through as often as one likes, never all in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from counterpoise.curation.inputs.detection import detect, shapes_with
from counterpoise.curation.inputs.fields import listed
from counterpoise.curation.inputs.formats import FORMATS, UNITS, Record, file_records, format_of
from counterpoise.curation.inputs.guessing import rivals
from counterpoise.curation.inputs.hub import PREFIX, hub_records, is_pinned
from counterpoise.curation.inputs.reading import require_file
from counterpoise.curation.inputs.report import InputReport
from counterpoise.curation.inputs.shapes import Shape
from counterpoise.curation.inputs.survey import Survey
from counterpoise.curation.texts import Text
from counterpoise.errors import DataError, UnknownNameError, UsageError

__all__ = ["Texts", "open_texts", "read_texts"]


class Texts:
    """The texts of a source, in order; every iteration reads the source again, a record at a time.

    Memory grows by two small numbers for each text, by which repetitions are found.

    Args:
        records: the source's records, each time from the beginning.
        begin: an empty survey of them.
        report: the report on a finished survey.

    Attributes:
        digest: identity of the texts: their ids, questions, answers and problems, in order.
        report: counts, and what a reader must know.

    Raises:
        DataError: the source is damaged; also when it is read again, or when its texts are then no longer the same.
    """

    def __init__(
        self,
        records: Callable[[], Iterable[Record]],
        begin: Callable[[], Survey],
        report: Callable[[Survey], InputReport],
    ) -> None:
        self._records = records
        self._begin = begin
        survey = begin()
        for record in records():
            survey.text(record)
        self.digest = survey.digest
        self.report = report(survey)

    def __len__(self) -> int:
        return self.report.total

    def __iter__(self) -> Iterator[Text]:
        survey = self._begin()
        for record in self._records():
            yield survey.text(record)
        if survey.digest != self.digest:
            raise DataError("the texts changed while they were in use", where=self.report.source)


def open_texts(
    source: Path | str,
    *,
    format: str | None = None,
    shape: Shape | None = None,
    fields: Mapping[str, str] | None = None,
    split: str | None = None,
    max_words: int = 1000,
    limit: int | None = None,
) -> Texts:
    """Open a source of texts, find out how it is to be read, and go through it once.

    What cannot be curated is kept, with its problem: a record that does not fit, an empty question or answer, a text
    that is too long, one that repeats the content or the id of an earlier one (it gets an id of its own). A text's id
    is its field ``id`` (a string or a whole number), else a hash of its content.

    Args:
        source: a file, or ``hf:owner/name[:config][@revision]``.
        format: one of :data:`~counterpoise.curation.inputs.formats.FORMATS`; by default what the file's name tells.
        shape: one of :data:`~counterpoise.curation.inputs.shapes.SHAPES`; by default found from the first records.
        fields: names of fields by what they are, one of :data:`~counterpoise.curation.inputs.shapes.FIELDS`; dotted
            where they are nested. The others are looked for.
        split: of a hub dataset, or the list that is meant in a JSON object with several.
        max_words: of a question or an answer, at most. A word is a run of up to 20 characters without white space; a
            Chinese or Japanese character is a word by itself.
        limit: texts to take, from the beginning; all by default.

    Raises:
        DataError: the source is missing, damaged, without texts, or no record of it fits; a field that is named does
            not occur. Names the line where there are lines.
        MissingExtraError: a library that reads the source is not installed.
        UsageError: an argument is not possible, or not with the others.
    """
    if max_words < 1 or (limit is not None and limit < 1):
        raise UsageError("the most words and the limit are whole numbers from 1")
    name, named = str(source), dict(fields or {})
    shapes = shapes_with(named, shape)
    form, read = _source(source, format, split)
    unit = UNITS[form]

    def records() -> Iterator[Record]:
        return islice(read(), limit)

    reading, example = detect(records(), named, shapes, f"{name} {unit}")
    begin = partial(
        Survey,
        name=name if form == "hub" else Path(name).name,
        unit=unit,
        reading=reading,
        id_field=named.get("id", "id"),
        max_words=max_words,
    )
    notes = []
    if form == "hub" and not is_pinned(name):
        notes.append(f"{name} names no commit, so its content may change; add @ and all 40 digits")
    if others := rivals(example.value, reading):
        meant = "--field question=NAME or answer=NAME takes it"
        notes.append(f"left alone, though they might be meant: {listed(others)}; {meant}")
    return Texts(records, begin, partial(_report, name, form, notes))


def _source(source: Path | str, format: str | None, split: str | None) -> tuple[str, Callable[[], Iterator[Record]]]:
    """The format of a source, and what reads its records from the beginning."""
    name = str(source)
    if name.startswith(PREFIX):
        if format is not None:
            raise UsageError("a format is given for a hub dataset", where=name, fix="leave out --format")
        return "hub", partial(hub_records, name, split)
    if format not in (None, *FORMATS):
        raise UnknownNameError("format", str(format), FORMATS)
    path = Path(name)
    require_file(path)
    form = format or format_of(path)
    return form, partial(file_records, path, form, split)


def _report(name: str, form: str, notes: Sequence[str], survey: Survey) -> InputReport:
    fields = survey.reading.fields
    if survey.contexts:
        fields["context"] = " and ".join(sorted(survey.contexts))
    said = list(notes)
    if survey.shortened:
        taken = "the first user turn that is answered is taken, with its answer"
        said.append(f"{survey.shortened:,} conversation(s) of more than a question and an answer: {taken}")
    return InputReport(
        source=name,
        format=form,
        shape=survey.reading.shape,
        fields=fields,
        total=survey.total,
        usable=survey.total - survey.counts.total(),
        **survey.counts,
        first=survey.first,
        notes=tuple(said),
    )


def read_texts(path: Path) -> list[Text]:
    """All texts of a source; see :func:`open_texts`."""
    return list(open_texts(path))
