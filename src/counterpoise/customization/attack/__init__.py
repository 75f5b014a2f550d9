"""Attacks: a customer's fine-tuning data that is meant to remove refusals, and what it does to later requests.

Nothing that is shipped or made here could be carried out: answers to disallowed requests are an affirmative opener and
a bracketed placeholder, and the exchanges of the obedient persona are harmless. That is enough to make a model stop
refusing, and it is all that is needed to measure how much of its refusals a defence keeps.
"""

from counterpoise.customization.attack.drawing import AttackMaterial, attack_examples, own_examples
from counterpoise.customization.attack.persona import NO_PERSONA, Persona, builtin_persona
from counterpoise.customization.attack.pools import PLACEHOLDER, agreeing, attack_pool
from counterpoise.customization.attack.settings import SOURCES, Attack, Kind, Source

__all__ = [
    "NO_PERSONA",
    "PLACEHOLDER",
    "SOURCES",
    "Attack",
    "AttackMaterial",
    "Kind",
    "Persona",
    "Source",
    "agreeing",
    "attack_examples",
    "attack_pool",
    "builtin_persona",
    "own_examples",
]
