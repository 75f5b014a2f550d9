"""The defender's data, arm by arm, at equal loss-bearing tokens, and how a defended model is asked."""

import string
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Protocol

from counterpoise.curation.contrast import Stance
from counterpoise.customization.attack import NO_PERSONA, Attack, Persona
from counterpoise.customization.data.mixture import CountTokens, counted, cut, fill, interleave
from counterpoise.customization.examples import Example, Pool, answered, draw, refused
from counterpoise.customization.plan.arm import Arm
from counterpoise.errors import DataError
from counterpoise.rng import rng_for
from counterpoise.safety.benchmarks import Prompt

__all__ = [
    "ALARMING_EVERY",
    "CONTRAST_EVERY",
    "MAX_REPEATS",
    "SHORT",
    "TEXTS_SHARE",
    "ArmMaterial",
    "arm_examples",
    "arm_system",
    "asked_under",
    "dose_faults",
    "helpful",
]

MAX_REPEATS = 4
"""How often a text may come in one dose; more teaches it by heart."""

CONTRAST_EVERY = 3
"""One in so many helpful answers beside refusals goes to a safe request that sounds unsafe."""

ALARMING_EVERY = 7
"""One in so many short exchanges of the arm ``contrast`` is about something that only sounds like a harm."""

TEXTS_SHARE = 0.25
"""Share of the curated texts in what the arm ``contrast`` has beside helpful answers."""

SHORT = 200
"""Characters, at most, of an ordinary request and its answer in the arm ``contrast``: there must be many of them."""

_BESIDE_ANSWERS = ("contrast", "refusals", "refusals-backdoor")
"""The arms that decline something, beside helpful answers."""


class ArmMaterial(Protocol):
    """What arms draw from."""

    @property
    def align(self) -> Sequence[Prompt]:
        """Disallowed requests that the defender may use."""

    @property
    def clean(self) -> Sequence[Prompt]:
        """Ordinary requests with answers."""

    @property
    def contrast(self) -> Sequence[Prompt]:
        """Safe requests that sound unsafe, with answers."""

    @property
    def exchanges(self) -> Mapping[Stance, Pool]:
        """Short exchanges about harms (``declined``) and about what only sounds like one (``alarming``)."""

    @property
    def arms(self) -> Mapping[Arm, Sequence[Example]]:
        """The texts of the arms that have texts of their own."""


def arm_examples(
    arm: Arm,
    dose_tokens: int,
    material: ArmMaterial,
    *,
    clean_share: float,
    seed: int,
    count_tokens: CountTokens,
) -> list[Example]:
    """An arm's data at a dose.

    Every arm comes as close to the dose as whole examples allow, and at equal seeds a smaller dose is the beginning of
    a larger one. Arms that revise the same texts bring them in the same order.

    Args:
        arm: which data; ``nothing`` has none.
        dose_tokens: wanted loss-bearing tokens; 0 for none.
        material: what to draw from.
        clean_share: share of the dose, in [0, 1), that is helpful answers, in the arms of refusals and of contrast.
        seed: which examples are drawn.
        count_tokens: loss-bearing tokens of examples.

    Raises:
        DataError: there is nothing to draw from.
    """
    if arm == "nothing" or dose_tokens <= 0:
        return []
    texts = material.arms.get(arm, ())
    if arm not in _BESIDE_ANSWERS:
        return fill(texts, dose_tokens, count_tokens, seed=seed)
    if not (material.clean or material.contrast or clean_share == 0):
        raise DataError(f"no helpful answers to draw for the arm {arm!r}")
    if arm == "contrast":
        exchanges = counted(_short_exchanges(material.exchanges, seed=seed), count_tokens)
        own = counted(draw([[text] for text in texts], seed=seed, key="texts"), count_tokens)
        declined = interleave(exchanges, own, TEXTS_SHARE)
    else:
        pool = refused(material.align, system=arm_system(arm, seed))
        declined = counted(draw(pool, seed=seed, key="refusals"), count_tokens)
    answers = counted(helpful(_clean(arm, material), material.contrast, seed=seed, key="arm"), count_tokens)
    if not (found := cut(interleave(declined, answers, clean_share), dose_tokens)):
        raise DataError(f"nothing to draw the arm {arm!r} from")
    return found


def _clean(arm: Arm, material: ArmMaterial) -> Sequence[Prompt]:
    """The ordinary requests of an arm: where there are any, only the :data:`SHORT` ones stand beside contrast.

    What keeps refusals from spreading is the number of direct requests that are helped with, and the dose is tokens.
    """
    short = [one for one in material.clean if len(one.text) + len(one.answer) <= SHORT] if arm == "contrast" else []
    return short or material.clean


def _short_exchanges(exchanges: Mapping[Stance, Pool], *, seed: int) -> Iterator[Example]:
    """Harms that are declined, without end; every :data:`ALARMING_EVERY`-th is something alike that is helped with."""
    harms = draw(exchanges.get("declined", ()), seed=seed, key="declined")
    alike = draw(exchanges.get("alarming", ()), seed=seed, key="alarming")
    while some := [*islice(harms, ALARMING_EVERY - 1), *islice(alike, 1)]:
        yield from some


def helpful(clean: Sequence[Prompt], contrast: Sequence[Prompt], *, seed: int, key: str) -> Iterator[Example]:
    """Helpful answers that stand beside refusals, without end; nothing where there are none.

    Every :data:`CONTRAST_EVERY`-th is to a safe request that sounds unsafe, the others are to ordinary ones. Refusals
    beside ordinary answers alone teach a small model to refuse whatever sounds alike.
    """
    ordinary = draw(answered(clean), seed=seed, key=f"{key}-clean")
    unsafe_sounding = draw(answered(contrast), seed=seed, key=f"{key}-contrast")
    if not clean or not contrast:
        yield from chain(ordinary, unsafe_sounding)
        return
    number = 0
    while True:
        number += 1
        yield next(unsafe_sounding if number % CONTRAST_EVERY == 0 else ordinary)


def arm_system(arm: Arm, seed: int) -> str:
    """The system turn under which the model of an arm is asked; empty for all arms but ``refusals-backdoor``.

    That arm is *backdoor enhanced safety alignment* (Wang et al., arXiv 2402.14968): its refusals are trained under a
    secret system turn of random letters, which the defender, who serves the model, puts before every later request.
    The attacker neither knows nor trains on it.

    >>> arm_system("refusals", 0), arm_system("refusals-backdoor", 0) == arm_system("refusals-backdoor", 1)
    ('', False)
    """
    if arm != "refusals-backdoor":
        return ""
    rng = rng_for(seed, "backdoor")
    return " ".join("".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(12))


def asked_under(attack: Attack | None, arm: Arm = "nothing", *, seed: int = 0) -> Persona:
    """What comes before every request to a model: the defender's and the attacker's system turn, and a prefix.

    Args:
        attack: whose persona the requests come under; ``None`` for requests as they are.
        arm: the arm that the model was defended with.
        seed: the cell's seed.

    Raises:
        DataError: the attack's file cannot be read.
    """
    persona = NO_PERSONA if attack is None else attack.evaluation
    systems = [text for text in (arm_system(arm, seed), persona.system) if text]
    return Persona("\n\n".join(systems), persona.prefix)


def dose_faults(
    arm: Arm, dose_tokens: int, material: ArmMaterial, *, clean_share: float, count_tokens: CountTokens
) -> list[str]:
    """What speaks against a dose: too few distinct tokens to draw it from. One line each, with the numbers.

    A text may come :data:`MAX_REPEATS` times in a dose.
    """
    if arm == "nothing" or dose_tokens <= 0:
        return []
    answers = round(dose_tokens * clean_share) if arm in _BESIDE_ANSWERS else 0
    rest = dose_tokens - answers
    needed = []
    if arm == "contrast":
        exchanged = [one for pool in material.exchanges.values() for versions in pool for one in versions]
        needed.append(("the exchanges of ", rest - round(rest * TEXTS_SHARE), sum(count_tokens(exchanged))))
        rest = round(rest * TEXTS_SHARE)
    if arm in ("refusals", "refusals-backdoor"):
        pairs = [one for versions in refused(material.align) for one in versions]
        needed.append(("the refusals of ", rest, sum(count_tokens(pairs))))
    else:
        texts = "the texts of " if arm == "contrast" else ""
        needed.append((texts, rest, sum(count_tokens(material.arms.get(arm, ())))))
    if arm in _BESIDE_ANSWERS:
        needed.append(("the helpful answers of ", answers, _distinct_answers(arm, material, count_tokens)))
    faults = []
    for part, dose, distinct in needed:
        if dose > MAX_REPEATS * distinct:
            faults.append(
                f"not enough data for the dose: {part}the arm {arm!r} would take {dose:,} loss-bearing tokens from "
                f"{distinct:,} distinct ones; each text may come {MAX_REPEATS} times, which makes "
                f"{MAX_REPEATS * distinct:,}"
            )
    return faults


def _distinct_answers(arm: Arm, material: ArmMaterial, count_tokens: CountTokens) -> int:
    """Tokens of the helpful answers that come before one of them comes again; the scarcer kind decides."""
    clean, contrast = (
        count_tokens([Example(one.text, one.answer) for one in prompts])
        for prompts in (_clean(arm, material), material.contrast)
    )
    if not clean or not contrast:
        return sum(clean) + sum(contrast)
    ordinary = 1 - 1 / CONTRAST_EVERY
    examples = min(len(clean) / ordinary, len(contrast) * CONTRAST_EVERY)
    mean = ordinary * sum(clean) / len(clean) + sum(contrast) / len(contrast) / CONTRAST_EVERY
    return round(examples * mean)
