"""What is trained: one exchange."""

from dataclasses import dataclass

__all__ = ["Example"]


@dataclass(frozen=True, slots=True)
class Example:
    """One request with the answer that is trained; only the answer carries loss.

    Attributes:
        prompt: the user's turn.
        completion: the assistant's turn.
        source: what it was made from; equal sources are one text in several versions.
        system: the system turn before it; empty for none, which leaves the system turn to the model's chat template.
    """

    prompt: str
    completion: str
    source: str = ""
    system: str = ""
