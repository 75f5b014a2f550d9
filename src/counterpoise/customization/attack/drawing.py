"""The examples of an attack at a ratio: its own and ordinary ones, drawn so that ratios can be compared in pairs."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Protocol

from counterpoise.customization.attack.settings import Attack
from counterpoise.customization.examples.drawing import Pool, answered, draw
from counterpoise.customization.examples.example import Example
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import Prompt

__all__ = ["AttackMaterial", "attack_examples", "own_examples"]


class AttackMaterial(Protocol):
    """What attacks draw from."""

    @property
    def attacks(self) -> Mapping[str, Pool]:
        """The pool of each attack, by the attack's name."""

    @property
    def clean(self) -> Sequence[Prompt]:
        """Ordinary requests with answers."""


def own_examples(attack: Attack, ratio: float | None = None) -> int:
    """How many of an attack's examples are its own at a ratio; halves are rounded up.

    >>> own_examples(Attack(examples=10, ratio=0.25)), own_examples(Attack(examples=10), 0)
    (3, 0)
    """
    return int(attack.examples * (attack.ratio if ratio is None else ratio) + 0.5)


def attack_examples(
    attack: Attack, material: AttackMaterial, *, ratio: float | None = None, seed: int
) -> list[Example]:
    """What the customer trains on: the attack's own examples, then ordinary ones, ``attack.examples`` in all.

    At equal seeds the attack's own examples at a smaller ratio are the first of those at a larger one, and the ordinary
    ones the other way round. Texts come again only after all have come once, then each in another version where it
    has several.

    Args:
        attack: the attack.
        material: what to draw from.
        ratio: share of its own, in [0, 1]; by default the attack's.
        seed: which are drawn.

    Raises:
        DataError: there is nothing to draw from.
    """
    own = own_examples(attack, ratio)
    pool = material.attacks.get(attack.name, ())
    if own and not pool:
        raise DataError(f"the attack {attack.name!r} has no examples to draw from")
    if own < attack.examples and not material.clean:
        raise DataError("no ordinary requests to draw clean examples from")
    harmful = islice(draw(pool, seed=seed, key="attack"), own)
    clean = islice(draw(answered(material.clean), seed=seed, key="attack-clean"), attack.examples - own)
    return [*harmful, *clean]
