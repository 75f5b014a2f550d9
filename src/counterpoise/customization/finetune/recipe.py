"""How a step is trained: the numbers of one recipe, and recipes with names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterpoise.errors import UnknownNameError

__all__ = ["RECIPES", "Recipe"]

_MANY_EPOCHS = 3
_HIGH_RATE = 1e-4  # for all weights of a large model
_LARGE = 500_000_000  # parameters


class Recipe(BaseModel):
    """How a step is trained.

    The defaults are a light touch: LoRA for few epochs. Full fine-tuning for tens of epochs, as in some published
    recipes, ruins small models whatever the data. In files, the name of one of :data:`RECIPES` may stand for it.

    Whatever the recipe, the optimizer is AdamW without weight decay, gradients are clipped to a norm of 1, examples
    come in a new seeded order each epoch, and nothing is dropped out.

    Attributes:
        method: ``lora`` or ``full``.
        learning_rate: peak of a linear schedule that warms up over the first tenth of the steps.
        epochs: passes over the examples.
        batch_size: examples per optimizer step, over all processes together.
        rank: of the LoRA matrices.
        alpha: LoRA scaling; the update is scaled by ``alpha / rank``.
        targets: names of the linear layers that get LoRA matrices, or ``all-linear``.
        max_length: longest example in tokens, prompt included; a longer one is an error, never cut. Nor is one longer
            than the model's context window allowed.
        packing: whether the examples of an optimizer step lie end to end in one row, without padding and without
            seeing each other, rather than padded in rows of their own. It changes the time, not what is learned.
            ``None`` packs where the model keeps packed examples apart and where it takes fewer operations; ``True``
            is refused for a model that does not keep them apart.

    >>> Recipe.model_validate("light") == Recipe()
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["lora", "full"] = "lora"
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    epochs: int = Field(default=2, ge=1, le=100)
    batch_size: int = Field(default=8, ge=1)
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    max_length: int = Field(default=1024, ge=8)
    packing: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return cls.named(value).model_dump()
        except UnknownNameError as error:
            raise ValueError(str(error)) from error

    @classmethod
    def named(cls, name: str) -> Self:
        """The recipe of that name.

        Raises:
            UnknownNameError: there is none.
        """
        if name not in RECIPES:
            raise UnknownNameError("recipe", name, RECIPES)
        return cls(**RECIPES[name])

    def longest(self, window: int | None) -> int:
        """Tokens that an example may have.

        Args:
            window: the model's context window in tokens; ``None`` where it has no bound.
        """
        return min(self.max_length, window or self.max_length)

    def notes(self, parameters: int) -> list[str]:
        """What a user should think twice about, one line each.

        Args:
            parameters: of the whole model.
        """
        found = []
        if self.epochs > _MANY_EPOCHS:
            found.append(
                f"{self.epochs} epochs: after {_MANY_EPOCHS} a model learns its examples by heart; "
                "watch over-refusal and utility"
            )
        if self.method == "full" and self.learning_rate > _HIGH_RATE and parameters > _LARGE:
            found.append(
                f"full fine-tuning of {parameters / 1e9:.1f} billion parameters at a rate of {self.learning_rate:g}: "
                f"above {_HIGH_RATE:g} large models lose what they knew"
            )
        return found


RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "light": {},
        "gentle": {"learning_rate": 2e-4, "epochs": 3, "alpha": 16},
        "attention": {"learning_rate": 5e-4, "epochs": 3, "targets": ("q_proj", "k_proj", "v_proj", "o_proj")},
        "full": {"method": "full", "learning_rate": 2e-5, "epochs": 3},
        "full-small": {"method": "full", "learning_rate": 1e-4, "epochs": 2},
    }
)
"""Recipes by name, as what they change of the defaults.

- ``light``: the defaults. LoRA of rank 16 on all linear layers at 1e-3 for 2 epochs.
- ``gentle``: LoRA at 2e-4 for 3 epochs with half the scaling, for models of some billions of parameters.
- ``attention``: LoRA on the projections of attention only, at 5e-4 for 3 epochs; less than half of the adapter.
  The layers have these names in Llama, SmolLM2, Mistral and Qwen.
- ``full``: every weight, at 2e-5 for 3 epochs.
- ``full-small``: every weight, at 1e-4 for 2 epochs, for models far below a billion parameters.
"""
