"""What one training step did, and the file that says so."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpoise.errors import DataError

__all__ = ["RESULT_FILE", "FinetuneResult", "OnStep", "finished"]

RESULT_FILE = "finetune.json"
"""Written into a checkpoint's folder beside its weights."""

OnStep = Callable[[int, int], None]
"""Called with optimizer steps done and steps in all."""


@dataclass(frozen=True, slots=True)
class FinetuneResult:
    """What one training step did.

    Attributes:
        examples: number of examples.
        loss_tokens: tokens that carried loss, per epoch.
        epochs: passes over the examples.
        learning_rate: peak learning rate.
        losses: mean loss per token of each optimizer step, in order.
        seconds: wall time of training, loading and saving left out.
        tokens: of the examples, per epoch, prompts included and padding left out; 0 where it is not known.
        packed: whether the examples of a step lay end to end in one row.
        processes: that trained together.
        notes: what a user should know about this step, one line each.
    """

    examples: int
    loss_tokens: int
    epochs: int
    learning_rate: float
    losses: tuple[float, ...]
    seconds: float
    tokens: int = 0
    packed: bool = False
    processes: int = 1
    notes: tuple[str, ...] = ()

    @property
    def loss_first(self) -> float:
        """Mean loss over the first tenth of the steps, at least one."""
        return self._mean(self.losses[: self._tenth])

    @property
    def loss_last(self) -> float:
        """Mean loss over the last tenth of the steps, at least one."""
        return self._mean(self.losses[-self._tenth :])

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens trained on in a second of wall time; ``None`` where their number or the time is not known."""
        return self.tokens * self.epochs / self.seconds if self.tokens and self.seconds else None

    @property
    def _tenth(self) -> int:
        return max(1, len(self.losses) // 10)

    @staticmethod
    def _mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else float("nan")


def finished(folder: Path) -> FinetuneResult | None:
    """The result of a finished training step; ``None`` when the folder holds none.

    Raises:
        DataError: the folder is damaged.
    """
    file = folder / RESULT_FILE
    if not file.is_file():
        return None
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        lists = {name: tuple(value[name]) for name in ("losses", "notes") if name in value}
        return FinetuneResult(**{**value, **lists})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError("checkpoint is damaged", where=str(file), fix="delete its folder to train it again") from error
