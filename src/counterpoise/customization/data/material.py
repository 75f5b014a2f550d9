"""What a lab run trains on and what it asks: read and checked as a whole before any model is loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from counterpoise.curation.contrast import Stance, exchanges
from counterpoise.customization.attack import Attack, attack_pool, own_examples
from counterpoise.customization.data.arms import CONTRAST_EVERY, MAX_REPEATS
from counterpoise.customization.data.disallowed import DisallowedCheck, disallowed_requests
from counterpoise.customization.data.overlap import likenesses, plain
from counterpoise.customization.examples import (
    Example,
    Pool,
    common_texts,
    read_curated,
    read_uncurated,
    refused,
)
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.arm import Arm
from counterpoise.errors import ConfigError, UsageError
from counterpoise.records import content_hash
from counterpoise.safety.benchmarks import (
    Prompt,
    advbench,
    alpaca,
    builtin_benign,
    builtin_contrast,
    builtin_disallowed,
)
from counterpoise.safety.measures.item import Item
from counterpoise.safety.measures.sets import MEASURE_SETS

__all__ = ["Material", "read_material"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Every text of a run.

    Attributes:
        align: disallowed requests that alignment, and the arms of refusals, may use.
        clean: ordinary requests with answers.
        contrast: safe requests that sound unsafe, with answers.
        exchanges: short exchanges about harms (``declined``) and about what only sounds like one (``alarming``), where
            the arm ``contrast`` is used.
        attacks: each attack's own examples, by the attack's name.
        arms: the texts of the arms that have texts of their own: curated ones and their originals.
        evaluated: every item of the sets that are evaluated, whatever their limits.
        disallowed: whether the arms' texts ask for what a model should decline; ``None`` without such texts.
        problems: why nothing can be trained with it, one line each; the other fields may then be incomplete.
        notes: what a reader of the results must know.
    """

    align: tuple[Prompt, ...] = ()
    clean: tuple[Prompt, ...] = ()
    contrast: tuple[Prompt, ...] = ()
    exchanges: Mapping[Stance, Pool] = field(default_factory=dict)
    attacks: Mapping[str, Pool] = field(default_factory=dict)
    arms: Mapping[Arm, Sequence[Example]] = field(default_factory=dict)
    evaluated: tuple[Item, ...] = ()
    disallowed: DisallowedCheck | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def require(self) -> None:
        """See to it that there are no problems.

        Raises:
            ConfigError: there are; names all of them.
        """
        if self.problems:
            raise ConfigError("; ".join(self.problems))

    @property
    def digests(self) -> dict[str, str]:
        """A hash of each kind of text, by its name: runs with equal hashes train on and ask the same."""
        kinds: dict[str, Sequence[object]] = {
            "align": self.align,
            "clean": self.clean,
            "contrast": self.contrast,
            **{f"exchanges {stance}": pool for stance, pool in self.exchanges.items()},
            **{f"attack {name}": pool for name, pool in self.attacks.items()},
            **{f"arm {name}": texts for name, texts in self.arms.items()},
            "evaluated": self.evaluated,
        }
        return {name: content_hash([str(text) for text in texts]) for name, texts in kinds.items()}


def read_material(plan: Plan, data: Path | None) -> Material:
    """Read everything a plan needs, and check it.

    Texts of public and built-in sources that are worded much like something that is evaluated are left out, and
    counted in the notes. A user's own texts are never left out: one that is evaluated as it stands is a problem, one
    that is worded much like something evaluated is a note.

    Args:
        plan: the plan.
        data: folder with downloaded data, used instead of the plan's.

    Returns:
        The material; with problems where a file is missing or malformed, something is both trained on and evaluated,
        or there are too few texts for what the plan asks for.
    """
    return _Reading(plan, data or plan.data).material()


class _Reading:
    """One call of :func:`read_material`: what went wrong so far, and what is worth knowing."""

    def __init__(self, plan: Plan, data: Path | None) -> None:
        self.plan = plan
        self.data = data
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.reported: set[int] = set()
        sets = dict.fromkeys(entry.set for entry in plan.evaluate)
        read = [self._read(partial(MEASURE_SETS[name].read, data)) for name in sets]
        self.evaluated = tuple(item for items in read for item in items)
        self.asked = [item.prompt for item in self.evaluated]
        self.verbatim = {plain(item.prompt): item for item in reversed(self.evaluated)}

    def material(self) -> Material:
        public = self.plan.source == "public"
        align = self._read(lambda: advbench(self.data, "align") if public else builtin_disallowed("align"))
        clean = self._read(lambda: alpaca(self.data) if public else builtin_benign())
        arms, beside = self._arms(), self._exchanges()
        material = Material(
            align=self._spared(align, "disallowed requests"),
            clean=self._spared(clean, "ordinary requests"),
            contrast=self._spared(builtin_contrast(), "safe requests that sound unsafe"),
            exchanges=beside,
            attacks={attack.name: self._attack(attack) for attack in self.plan.attacks},
            arms=arms,
            evaluated=self.evaluated,
            disallowed=self._disallowed(arms, beside),
        )
        self._count(material)
        return replace(material, problems=tuple(dict.fromkeys(self.problems)), notes=tuple(self.notes))

    def _read(self, read: Callable[[], Sequence[_T]]) -> Sequence[_T]:
        """What is read; where that cannot be done, nothing and a problem."""
        try:
            return read()
        except UsageError as problem:
            self.problems.append(str(problem))
            return ()

    def _spared(self, prompts: Sequence[Prompt], what: str) -> tuple[Prompt, ...]:
        """The prompts that are not worded like something evaluated."""
        kept = self._unlike([prompt.text for prompt in prompts], what)
        return tuple(prompts[index] for index in kept)

    def _unlike(self, texts: Sequence[str], what: str) -> list[int]:
        alike = likenesses(texts, self.asked)
        if alike:
            self.notes.append(
                f"{len(alike)} of {len(texts):,} {what} are not trained on: they are worded like evaluated ones"
            )
        return [index for index in range(len(texts)) if index not in alike]

    def _attack(self, attack: Attack) -> Pool:
        if attack.source == "jailbreakbench" and attack.source in {item.set for item in self.evaluated}:
            self.problems.append(
                f"the attack {attack.name!r} trains on jailbreakbench, which is evaluated too and has no splits; "
                "take another source, or evaluate another set"
            )
            return []
        pool = self._read(partial(attack_pool, attack, self.plan.source, self.data))
        requests = [versions[0].prompt for versions in pool]
        if attack.file is not None:
            self._own(requests, f"the file of the attack {attack.name!r}")
            return pool
        return [pool[index] for index in self._unlike(requests, f"texts of the attack {attack.name!r}")]

    def _arms(self) -> dict[Arm, Sequence[Example]]:
        arms: dict[Arm, Sequence[Example]] = {}
        for arm in self.plan.needs_curated:
            path = self.plan.curated_file(arm)
            if path is not None:
                read = read_uncurated if arm == "uncurated" else read_curated
                arms[arm] = self._read(partial(read, path))
        arms, note = common_texts(arms)
        self.notes += [note] if note else []
        for arm, examples in arms.items():
            self._own([example.prompt for example in examples], f"the texts of the arm {arm!r}")
        return arms

    def _exchanges(self) -> dict[Stance, Pool]:
        found: dict[Stance, Pool] = {}
        stances: tuple[Stance, ...] = ("declined", "alarming") if "contrast" in self.plan.needs_curated else ()
        for stance in stances:
            every = [
                (topic, Example(one.question, one.answer))
                for topic, versions in enumerate(exchanges(stance))
                for one in versions
            ]
            kept = self._unlike([example.prompt for _, example in every], f"short exchanges ({stance})")
            pool: dict[int, list[Example]] = {}
            for topic, example in (every[index] for index in kept):
                pool.setdefault(topic, []).append(example)
            found[stance] = list(pool.values())
        return found

    def _own(self, texts: Sequence[str], what: str) -> None:
        """Look at a user's own texts, which are never left out."""
        same = {id(item): item for text in texts if (item := self.verbatim.get(plain(text)))}
        new = [item for number, item in same.items() if number not in self.reported]
        self.reported |= set(same)
        for item in new[:1]:
            more = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
            self.problems.append(
                f"the evaluation prompt {item.id!r} of {item.set!r} is also trained on, in {what}{more}; "
                "expected training texts that share no prompt with the evaluation sets"
            )
        alike = likenesses(texts, self.asked)
        if alike and not same:
            named = sorted({f"{self.evaluated[place].set}/{self.evaluated[place].id}" for place, _ in alike.values()})
            self.notes.append(f"{len(alike)} of {what} are worded much like evaluated prompts: {', '.join(named[:5])}")

    def _disallowed(
        self, arms: Mapping[Arm, Sequence[Example]], beside: Mapping[Stance, Pool]
    ) -> DisallowedCheck | None:
        own = [example for arm, examples in arms.items() if arm != "uncurated" for example in examples]
        own += [example for pool in beside.values() for versions in pool for example in versions]
        if not own:
            return None
        check = disallowed_requests(own, self.data)
        self.notes.append(check.line)
        return check

    def _count(self, material: Material) -> None:
        """Whether there are enough texts for the counts of the plan; doses are counted in tokens, later."""
        align = self.plan.align
        refusals = sum(map(len, refused(material.align)))
        if align is not None:
            contrast = align.clean // CONTRAST_EVERY if material.contrast else 0
            self._enough("align.refusals", align.refusals, refusals)
            self._enough("align.clean, in its ordinary part,", align.clean - contrast, len(material.clean))
            self._enough("align.clean, in its contrast,", contrast, len(material.contrast))
        for attack in self.plan.attacks:
            shares = (attack.ratio, *attack.ratios)
            own = sum(map(len, material.attacks[attack.name]))
            self._enough(f"the attack {attack.name!r}", max(own_examples(attack, share) for share in shares), own)
            clean = attack.examples - min(own_examples(attack, share) for share in shares)
            self._enough(f"the ordinary part of the attack {attack.name!r}", clean, len(material.clean))

    def _enough(self, what: str, wanted: int, there: int) -> None:
        # Where nothing could be read, that was said already.
        if there and wanted > MAX_REPEATS * there:
            self.problems.append(
                f"not enough data: {what} asks for {wanted:,} examples of {there:,} distinct ones; "
                f"each may come {MAX_REPEATS} times"
            )
