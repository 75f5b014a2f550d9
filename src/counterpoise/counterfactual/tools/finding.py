"""What a tool found, and the bounds that keep it small."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

__all__ = ["MAX_FINDINGS", "MAX_TEXT", "Finding", "collect", "plain", "record"]

MAX_FINDINGS = 60
"""Of one text; what comes later is left out."""
MAX_TEXT = 160
"""Characters of a finding's text or detail; the rest is left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a tool found.

    Attributes:
        kind: what sort of thing, such as ``noun phrase``.
        text: the thing itself, as the text has it.
        detail: what else the tool says of it; may be empty.
    """

    kind: str
    text: str
    detail: str = ""


def record(finding: Finding) -> dict[str, str]:
    """A finding as JSON has it."""
    return asdict(finding)


def collect(findings: Iterable[Finding], limit: int = MAX_FINDINGS) -> list[Finding]:
    r"""The findings on one line each, without repetitions and empty ones, in order, at most ``limit``.

    Two findings are the same when kind and text are, capitals aside; the first is kept. No more is asked of the
    iterable than is needed.

    >>> collect([Finding("number", "3"), Finding("number", " 3\0"), Finding("number", "")])
    [Finding(kind='number', text='3', detail='')]
    """
    found: dict[tuple[str, str], Finding] = {}
    for one in findings:
        if len(found) >= limit:
            break
        if text := plain(one.text):
            found.setdefault((one.kind, text.casefold()), Finding(one.kind, text, plain(one.detail)))
    return list(found.values())


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """A text on one line, cut to a length; what cannot be printed or stored becomes a space."""
    # Cut first, generously: white space may shrink, and hostile texts are long.
    shown = "".join(character if character.isprintable() else " " for character in text[: 4 * limit])
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"
