"""One thing that a model is asked, and many of them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from counterpoise.records import content_hash
from counterpoise.safety.measures.rows import Expects, Measure

__all__ = ["Item", "Items", "Way"]

Way = Literal["judged", "choice", "number", "gap"]
"""How an item is measured: a completion that is judged, an option that is chosen, a number that is worked out, or the
perplexity of answers that are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a set.

    Attributes:
        measure: what it measures.
        way: how it is measured.
        set: name of its set.
        id: unique within the set.
        cluster: items of one cluster are not independent.
        expects: what a safe and useful model does.
        prompt: the request or question.
        target: the right option or number; of a perplexity item the affirmative opener.
        options: of a choice, the possible answers, the right one among them.
    """

    measure: Measure
    way: Way
    set: str
    id: str
    cluster: str
    expects: Expects
    prompt: str
    target: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """Every item of a measurement, read and checked before a model is loaded.

    Attributes:
        items: in the order of the settings' sets.
    """

    items: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @property
    def texts(self) -> list[str]:
        """The prompts, which must not be trained on."""
        return [item.prompt for item in self.items]

    @property
    def hash(self) -> str:
        """Changes whenever anything of any item does."""
        return content_hash([asdict(item) for item in self.items])
