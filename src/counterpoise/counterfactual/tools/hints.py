"""Findings as a few lines of a prompt."""

from collections.abc import Sequence

from counterpoise.counterfactual.tools.finding import Finding, plain

__all__ = ["MAX_HINT_CHARS", "hints"]

MAX_HINT_CHARS = 1200
"""Of what :func:`hints` returns."""

_HEAD = "A program extracted this automatically; the list may be incomplete or wrong."
_ITEM_CHARS = 100


def hints(findings: Sequence[Finding]) -> str:
    """Findings as lines for a prompt, a line per kind, in at most :data:`MAX_HINT_CHARS` characters.

    The first line says that a program made the list. What does not fit is left out from the end and counted. No
    findings give an empty text.

    >>> print(hints([Finding("noun phrase", "red door"), Finding("named entity", "Ada", "person")]))
    A program extracted this automatically; the list may be incomplete or wrong.
    - noun phrase: red door
    - named entity: Ada (person)
    """
    shown = len(findings)
    while shown and len(text := _lines(findings, shown)) > MAX_HINT_CHARS:
        shown -= 1
    return text if shown else ""


def _lines(findings: Sequence[Finding], shown: int) -> str:
    kinds: dict[str, list[str]] = {}
    for finding in findings[:shown]:
        item = plain(finding.text, _ITEM_CHARS)
        if finding.detail:
            item += f" ({plain(finding.detail, _ITEM_CHARS)})"
        kinds.setdefault(plain(finding.kind, _ITEM_CHARS), []).append(item)
    lines = [_HEAD, *(f"- {kind}: {'; '.join(items)}" for kind, items in kinds.items())]
    if shown < len(findings):
        lines.append(f"- and {len(findings) - shown} more")
    return "\n".join(lines)
