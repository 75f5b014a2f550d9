"""What reading a source came to, for its reader to check."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["InputReport"]

_SAID = {
    "duplicates": "repeated",
    "overlong": "too long",
    "empty": "without a question or an answer",
    "misfits": "of another shape than the others, or not readable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputReport:
    """Counts over the texts of a source; each text with a problem is counted once, by the first that it has.

    Attributes:
        source: as it was named.
        format: of the file, or ``hub``.
        shape: of the records; see :data:`~counterpoise.curation.inputs.shapes.Shape`.
        fields: names of the fields in use, by what they are.
        total: texts, with those that have a problem.
        usable: texts without one.
        duplicates: texts whose content (capitals and white space aside) or id an earlier one has.
        overlong: texts with too many words.
        empty: texts whose question or answer is empty.
        misfits: records that do not fit the shape, or that cannot be written again.
        first: place and problem of the first text of each count that is not zero, by the count's name.
        notes: what else a reader must know: fields left alone, turns left out, a revision that may change.
    """

    source: str
    format: str
    shape: str
    fields: Mapping[str, str]
    total: int
    usable: int
    duplicates: int = 0
    overlong: int = 0
    empty: int = 0
    misfits: int = 0
    first: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The same in words, the sum first."""
        fields = ", ".join(f"{part} from {name!r}" for part, name in self.fields.items()) or "each record is a list"
        counts = [
            f"{count:,} {said}; the first: {self.first[name]}"
            for name, said in _SAID.items()
            if (count := getattr(self, name))
        ]
        total = f"{self.total:,} text{'s' * (self.total != 1)}"
        return [f"{self.source}: {total}, {self.usable:,} usable ({self.shape}: {fields})", *counts, *self.notes]
