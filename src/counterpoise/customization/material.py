"""What a lab run trains on and what it asks, read before any model is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpoise.customization.attack import attack_examples
from counterpoise.customization.examples import (
    Example,
    builtin_templates,
    clean_examples,
    read_curated,
    read_uncurated,
    refusal_examples,
)
from counterpoise.customization.mixture import Arm, CountTokens, fill, mix
from counterpoise.customization.phases import Step
from counterpoise.customization.plan import Plan
from counterpoise.errors import DataError
from counterpoise.rng import rng_for
from counterpoise.safety.benchmarks import Prompt, advbench, alpaca, builtin_benign, builtin_disallowed, read_prompts
from counterpoise.safety.similarity import near_duplicates

__all__ = ["Material", "read_material", "step_examples"]


@dataclass(frozen=True, slots=True)
class Material:
    """Every text of a run.

    Attributes:
        align: disallowed requests that alignment, and the arm ``refusals``, may use.
        attack: disallowed requests that the attack may use.
        clean: ordinary requests with answers.
        curated: the revised texts; empty when no arm uses them.
        uncurated: the same texts before revision; empty when no arm uses them.
        evaluated: what every checkpoint is asked.
    """

    align: tuple[Prompt, ...]
    attack: tuple[Prompt, ...]
    clean: tuple[Prompt, ...]
    curated: tuple[Example, ...]
    uncurated: tuple[Example, ...]
    evaluated: tuple[Prompt, ...]

    def overlaps(self) -> list[Prompt]:
        """Evaluated prompts that are near-duplicates of something trained on."""
        trained = [prompt.text for prompt in (*self.align, *self.attack, *self.clean)]
        trained += [example.prompt for example in (*self.curated, *self.uncurated)]
        return [self.evaluated[index] for index in near_duplicates([p.text for p in self.evaluated], trained)]


def read_material(plan: Plan, data: Path | None) -> Material:
    """Read everything a plan needs.

    Args:
        plan: the plan.
        data: folder with downloaded data, used instead of the plan's.

    Raises:
        DataError: a file is missing or malformed, or a prompt is both trained on and evaluated.
    """
    data = data or plan.data
    public = plan.source == "public"
    curated: tuple[Example, ...] = ()
    uncurated: tuple[Example, ...] = ()
    if plan.needs_curated and plan.curated is not None:
        curated = tuple(read_curated(plan.curated)) if "curated" in plan.defend.arms else ()
        uncurated = tuple(read_uncurated(plan.curated)) if "uncurated" in plan.defend.arms else ()
    material = Material(
        align=tuple(advbench(data, "align") if public else builtin_disallowed("align")),
        attack=tuple(advbench(data, "attack") if public else builtin_disallowed("attack")),
        clean=tuple(alpaca(data) if public else builtin_benign()),
        curated=curated,
        uncurated=uncurated,
        evaluated=tuple(
            prompt
            for entry in plan.evaluate
            for prompt in _limited(read_prompts(entry.set, data), entry.limit, plan.seeds[0])
        ),
    )
    trained = {_plain(prompt.text) for prompt in (*material.align, *material.attack, *material.clean)}
    trained |= {_plain(example.prompt) for example in (*material.curated, *material.uncurated)}
    for prompt in material.evaluated:
        if _plain(prompt.text) in trained:
            raise DataError(
                f"the evaluation prompt {prompt.id!r} of {prompt.set!r} is also trained on",
                expected="training texts that share no prompt with the evaluation sets",
            )
    return material


def step_examples(
    plan: Plan, material: Material, step: Step, seed: int, count_tokens: CountTokens
) -> tuple[list[Example], list[Example]]:
    """The training examples of a step: everything in training order, and those of them that are the arm's data.

    Args:
        plan: the plan.
        material: its texts.
        step: which step.
        seed: the cell's seed; steps with the same arguments give the same examples.
        count_tokens: loss-bearing tokens of examples.
    """
    if step.name == "align":
        align = plan.align
        refusals, clean = (align.refusals, align.clean) if align else (0, 0)
        parts = [
            refusal_examples(material.align, refusals, seed=seed),
            clean_examples(material.clean, clean, seed=seed),
        ]
        return mix(parts, seed=seed), []
    attack: list[list[Example]] = []
    if step.name in ("attack", "mixed"):
        attack = [
            attack_examples(plan.attack, material.attack, seed=seed),
            clean_examples(material.clean, plan.attack.clean, seed=seed),
        ]
    defence = arm_examples(plan, material, step.arm, seed, count_tokens) if step.arm else []
    return mix([*attack, defence], seed=seed), defence


def arm_examples(plan: Plan, material: Material, arm: Arm, seed: int, count_tokens: CountTokens) -> list[Example]:
    """An arm's data at the plan's dose; empty for the arm ``nothing``."""
    dose = plan.defend.dose
    if arm == "nothing":
        return []
    if arm in ("curated", "uncurated"):
        return fill(material.curated if arm == "curated" else material.uncurated, dose, count_tokens, seed=seed)
    pairs = len(material.align) * len(builtin_templates("refusals.json"))
    refusals = refusal_examples(material.align, pairs, seed=seed)
    clean_dose = round(dose * plan.defend.clean_share)
    chosen = fill(refusals, dose - clean_dose, count_tokens, seed=seed)
    if clean_dose:
        every = clean_examples(material.clean, len(material.clean), seed=seed)
        # What the refusals left over or took too much is made up by the clean answers.
        chosen += fill(every, dose - sum(count_tokens(chosen)), count_tokens, seed=seed)
    return chosen


def _limited(prompts: Sequence[Prompt], limit: int | None, seed: int) -> list[Prompt]:
    """``limit`` prompts in the source's order; all when there are no more."""
    if limit is None or limit >= len(prompts):
        return list(prompts)
    chosen = rng_for(seed, "evaluate", prompts[0].set).sample(range(len(prompts)), limit)
    return [prompts[index] for index in sorted(chosen)]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
