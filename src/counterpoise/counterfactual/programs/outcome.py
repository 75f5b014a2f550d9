"""What came out of running a program."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Run", "Status", "World"]

Status = Literal[
    "returned",
    "raised",
    "undefined",
    "time",
    "memory",
    "recursion",
    "exit",
    "denied",
    "length",
    "crashed",
    "varies",
]
"""How a call ended.

``returned``: with a value. ``raised``: with an exception. ``undefined``: it used position 0 where there is none, caught
or not. ``time``, ``memory``, ``recursion``: it went beyond a limit. ``exit``: it tried to end the process. ``denied``:
it reached for files, processes, threads or the network. ``length``: its value is too long to write. ``crashed``: the
process ended or said something else. ``varies``: it came out otherwise when it was run again with another hash seed.
"""


class World(BaseModel):
    """One call in one world.

    Attributes:
        status: how it ended.
        text: the value's ``repr`` where it returned; else what there is to say.
        uses: how many positions it used that depend on the first one.
        reads: number of an expression to the text of its first value (``None`` where that is long), and how many
            positions had been used before and after it was evaluated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    text: str = ""
    uses: int = 0
    reads: Mapping[int, tuple[str | None, int, int]] = Field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why there is no value, after "the call"."""
        return {
            "returned": "returned",
            "raised": f"raises {self.text}",
            "undefined": "uses position 0",
            "time": "takes too long",
            "memory": "takes too much memory",
            "recursion": "recurses too deeply",
            "exit": "ends the process",
            "denied": f"does what is not allowed ({self.text})",
            "length": "returns a value that is too long",
            "crashed": f"breaks the process ({self.text})",
            "varies": "comes out otherwise when run again",
        }[self.status]


class Run(BaseModel):
    """One call: of the program as it is, and rewritten with positions from 0 and from 1.

    A world is ``None`` where the one before did not return.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    original: World
    factual: World | None = None
    counterfactual: World | None = None

    @property
    def returned(self) -> bool:
        """Whether there is a value in every world."""
        return self.counterfactual is not None and self.counterfactual.status == "returned"

    @property
    def positions(self) -> bool:
        """Whether a position was used in any world, even one that means the same in both."""
        return any(world.uses or world.reads for world in (self.factual, self.counterfactual) if world is not None)
