"""What a tool is, and what of a case it may read."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, runtime_checkable

from counterpoise.counterfactual.case import Case, Modality
from counterpoise.counterfactual.tools.finding import Finding
from counterpoise.errors import MissingExtraError

__all__ = ["MAX_CHARS", "Picture", "Tool", "installed_version", "visible"]

MAX_CHARS = 100_000
"""Of a text that a tool looks at; the rest is left out."""

Picture = bytes | str
"""A picture as the bytes of a PNG or JPEG file, or as a ``data:`` address of them."""


@runtime_checkable
class Tool(Protocol):
    """Extracts something from a case, before a model is asked or when it asks for it.

    The same input gives the same findings: without repetitions, in order of appearance, at most
    :data:`~counterpoise.counterfactual.tools.finding.MAX_FINDINGS`.
    """

    @property
    def name(self) -> str:
        """As reports name it, with the version of what does the work."""
        ...

    @property
    def modality(self) -> Modality:
        """Of the cases that it is for."""
        ...

    @property
    def description(self) -> str:
        """What it does, in one line for a model."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the findings may."""
        ...

    def find(self, case: Case, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """What is in a case: its context, question, options and pictures. The gold is never looked at."""
        ...

    def run(self, text: str, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """What is in any text, also a hostile one. Never raises for a text; nothing in it is executed."""
        ...


def visible(case: Case) -> str:
    """What a model is told of a case: context, question and options, a paragraph each."""
    return "\n\n".join(part for part in (case.context, case.question, *case.options) if part.strip())


def installed_version(package: str, *, purpose: str) -> str:
    """The version of an installed package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise MissingExtraError(package, extra="tools", purpose=purpose) from None
