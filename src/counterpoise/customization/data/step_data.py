"""What each training step of a plan trains on."""

from itertools import islice

from counterpoise.customization.attack import attack_examples
from counterpoise.customization.data.arms import arm_examples, helpful
from counterpoise.customization.data.material import Material
from counterpoise.customization.data.mixture import CountTokens, in_parts, mix
from counterpoise.customization.examples import Example, refusal_examples
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.phases import Step

__all__ = ["StepData"]


class StepData:
    """The examples of a plan's steps; equal steps and seeds give equal examples.

    Args:
        plan: the plan.
        material: its texts.
        count_tokens: loss-bearing tokens of examples; asked for the same ones again and again.
    """

    def __init__(self, plan: Plan, material: Material, count_tokens: CountTokens) -> None:
        self._plan = plan
        self._material = material
        self.count = count_tokens

    def of(self, step: Step, seed: int) -> tuple[list[Example], list[Example]]:
        """The examples of a step: everything in training order, and those of them that are the arm's data.

        Args:
            step: which step.
            seed: the cell's seed.

        Raises:
            DataError: there is nothing to draw from.
        """
        if step.name == "align":
            return mix(self._align(seed), seed=seed), []
        attack = []
        if step.attack is not None:
            kind = self._plan.attack(step.attack)
            attack = attack_examples(kind, self._material, ratio=step.ratio, seed=seed)
        defence = self._defence(step, seed)
        return mix([attack, defence], seed=seed), defence

    def _align(self, seed: int) -> list[list[Example]]:
        align, material = self._plan.align, self._material
        if align is None:
            return []
        answers = helpful(material.clean, material.contrast, seed=seed, key="align")
        return [refusal_examples(material.align, align.refusals, seed=seed), list(islice(answers, align.clean))]

    def _defence(self, step: Step, seed: int) -> list[Example]:
        """The arm's data, or the part of it that belongs to the step."""
        if step.arm is None:
            return []
        defend = self._plan.defend
        whole = arm_examples(
            step.arm,
            round(step.dose * defend.dose),
            self._material,
            clean_share=defend.clean_share,
            seed=seed,
            count_tokens=self.count,
        )
        place, parts = step.part
        return whole if parts == 1 else in_parts(whole, parts, self.count)[place - 1]
