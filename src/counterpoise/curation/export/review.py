"""Which revisions a person's review lets into the set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from counterpoise.curation.decisions import Decision

__all__ = ["Only", "Review"]

Only = Literal["accepted", "not-rejected"]


@dataclass(frozen=True, slots=True)
class Review:
    """A person's decisions about the revisions of a run, and what they let into the set.

    Attributes:
        decisions: by text id; a text that is not there is undecided.
        only: ``accepted`` revisions, or every one that is ``not-rejected``.
    """

    decisions: Mapping[str, Decision]
    only: Only

    def decision(self, text_id: str) -> Literal["accept", "reject", "undecided"]:
        """What was decided about a text."""
        return self.decisions.get(text_id, "undecided")

    def why_not(self, text_id: str) -> str | None:
        """Why a text's revision is not in the set; ``None`` where it is."""
        decision = self.decision(text_id)
        if decision == "reject":
            return "rejected in the review"
        return "not decided in the review" if decision == "undecided" and self.only == "accepted" else None
