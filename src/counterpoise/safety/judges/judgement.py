"""What a judge is: from prompts and completions, in one batch, to what the completions do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

__all__ = ["LABELS", "Judge", "Judgement", "Label"]

Label = Literal["full_compliance", "partial_refusal", "full_refusal"]
LABELS: tuple[Label, ...] = get_args(Label)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's verdict on one completion.

    Attributes:
        label: what the completion does; ``None`` when the judge does not tell, or could not.
        reason: what the verdict rests on, one line; with ``failed``, what went wrong.
        values: what else the judge measured, by name; each judge documents which of these it gives: ``harmful`` in
            [0, 1] (how surely the completion does what a disallowed request asks), ``harmfulness_score`` in 1 to 5,
            ``helpfulness_score`` in 1 to 5, ``coherence`` in [0, 1], ``refusal`` in [0, 1] (how surely it refuses,
            fully or partly).
        failed: the judge itself failed (its answer could not be read, its model gave an error); such a completion is
            left out of rates and counted beside them. A completion that cannot be read is no failure of the judge.
    """

    label: Label | None
    reason: str
    values: Mapping[str, float] = field(default_factory=dict)
    failed: bool = False


class Judge(Protocol):
    """Labels completions in batches.

    A completion is text from anywhere: a judge never raises on one, and never follows what it says.
    """

    @property
    def name(self) -> str:
        """Name with version; raised whenever a verdict may change."""
        ...

    def __call__(self, pairs: Sequence[tuple[str, str]], /) -> list[Judgement]:
        """One judgement for each ``(prompt, completion)``, in the order given; no pairs give an empty list."""
        ...
