"""The texts of a row as a report shows them: made visible, cut where they are endless, folded where they may harm."""

from dataclasses import dataclass

from counterpoise.report.visible import clip

__all__ = ["Passage", "Sample", "SampleGroup", "outcome_of", "passage"]

_MOST_CHARS = 4000
_LONG_CHARS = 700


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of a row.

    Attributes:
        name: what it is: ``completion``, ``gold`` and so on.
        text: visible characters only, at most 4,000 of them.
        hidden: characters of the text that are not shown.
        folded: shown only when the reader asks: it is long, one of several, or answers a disallowed request.
        warning: why it is folded, if not for its length.
        prose: meant to be read as running text, not as data.
        outcome: how it came out, where a sample holds several rows; else empty.
        good: whether that is as expected; ``None`` where that cannot be said.
    """

    name: str
    text: str
    hidden: int = 0
    folded: bool = False
    warning: str = ""
    prose: bool = False
    outcome: str = ""
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One row, or the rows of one item at several places: where it is from, how it came out, its texts.

    Attributes:
        outcome: how it came out; empty where each passage has its own.
        setting: of a diagnosis, mode and elicitation.
    """

    title: str
    outcome: str
    good: bool | None
    reason: str
    passages: tuple[Passage, ...]
    setting: str = ""


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """Rows shown together, for instance one stage of one model.

    Attributes:
        of: of how many the samples are.
        unit: what is counted.
    """

    title: str
    samples: tuple[Sample, ...]
    of: int
    unit: str = "rows"


def passage(
    name: str,
    text: str,
    warning: str = "",
    *,
    prose: bool = False,
    folded: bool = False,
    outcome: str = "",
    good: bool | None = None,
) -> Passage:
    """A text as it is shown; it is folded if it is long or comes with a warning."""
    shown, hidden = clip(text, _MOST_CHARS)
    folded = folded or bool(warning) or len(shown) > _LONG_CHARS
    return Passage(name, shown, hidden, folded=folded, warning=warning, prose=prose, outcome=outcome, good=good)


def outcome_of(status: str, otherwise: str) -> str:
    """The status of a row in words, or something better where it is ``ok``."""
    return otherwise if status == "ok" else status.replace("_", " ")
