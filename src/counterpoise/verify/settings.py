"""What a verification measures when nobody says otherwise."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from counterpoise.errors import ConfigError, UnknownNameError
from counterpoise.safety.measures import DEFAULT_JUDGE, MEASURE_SETS, Evaluate, MeasureSettings
from counterpoise.verify.reasoning import ReasoningSettings

__all__ = ["BUILTIN_SETS", "PUBLIC_SETS", "VerifySettings", "absent_sets", "default_sets"]

BUILTIN_SETS = (
    "builtin-disallowed",
    "builtin-safe",
    "builtin-ordinary",
    "utility-builtin",
    "arithmetic-builtin",
    "perplexity-gap",
)
"""Asked where there is no data folder."""

PUBLIC_SETS = {
    "advbench": 60,
    "jailbreakbench": 30,
    "strongreject": 30,
    "harmbench": 30,
    "malicious-instruct": 30,
    "xstest-safe": 60,
    "jailbreakbench-benign": 30,
    "alpaca-benign": 40,
    "utility-builtin": 40,
    "utility-csqa": 100,
    "utility-openbookqa": 50,
    "utility-arc-challenge": 50,
    "gsm8k": 24,
    "perplexity-gap-advbench": 30,
}
"""Asked where there is one: set to how many of its items. The built-in questions are among them because a small model
knows more of those than of the public ones, so a loss shows."""


class VerifySettings(BaseModel):
    """What a verification measures.

    Attributes:
        model: as the user names it.
        measures: sets, judges and how they are asked.
        reasoning: the slice of the diagnosis; ``None`` for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    measures: MeasureSettings
    reasoning: ReasoningSettings | None = ReasoningSettings()

    @classmethod
    def checked(
        cls,
        *,
        model: str,
        sets: Sequence[str] = (),
        limit: int | None = None,
        judges: Sequence[str] = (),
        max_tokens: int = 32,
        reasoning_limit: int | None = 5,
        seed: int = 0,
        data: Path | None = None,
    ) -> "VerifySettings":
        """Settings from plain names.

        Args:
            model: as the user names it.
            sets: names of sets, whole unless there is a limit; none for the default ones.
            limit: items per set at most.
            judges: the labelling judge, then further ones; none for the default one.
            max_tokens: new tokens of a judged completion.
            reasoning_limit: cases per dataset of the slice; ``None`` for no slice.
            seed: of every choice of items.
            data: decides what the default sets are.

        Raises:
            UnknownNameError: there is no such set.
            ConfigError: a number that is too small, or a name that is given twice.
        """
        for name in sets:
            if name not in MEASURE_SETS:
                raise UnknownNameError("set", name, MEASURE_SETS)
        numbers = (("limit", limit), ("max-tokens", max_tokens), ("reasoning-limit", reasoning_limit))
        for option, value in numbers:
            if value is not None and value < 1:
                raise ConfigError(f"{option} is {value}", expected="at least 1")
        for kind, names in (("set", sets), ("judge", judges)):
            if twice := sorted({name for name in names if list(names).count(name) > 1}):
                raise ConfigError(f"{kind} named twice: {', '.join(twice)}")
        chosen = [Evaluate(set=name, limit=limit) for name in sets] if sets else default_sets(data, limit)
        return cls(
            model=model,
            measures=MeasureSettings(
                evaluate=tuple(chosen),
                judges=tuple(judges) or (DEFAULT_JUDGE,),
                max_tokens=max_tokens,
                seed=seed,
            ),
            reasoning=None if reasoning_limit is None else ReasoningSettings(limit=reasoning_limit, seed=seed),
        )


def default_sets(data: Path | None, limit: int | None = None) -> list[Evaluate]:
    """The sets that are asked by default: public ones whose files are there, else the built-in ones.

    >>> [entry.set for entry in default_sets(None)][:2]
    ['builtin-disallowed', 'builtin-safe']
    """
    missing = set(PUBLIC_SETS) if data is None else set(absent_sets(data))
    present = [
        Evaluate(set=name, limit=most if limit is None else min(limit, most))
        for name, most in PUBLIC_SETS.items()
        if name not in missing
    ]
    if all(not MEASURE_SETS[entry.set].files for entry in present):
        return [Evaluate(set=name, limit=limit) for name in BUILTIN_SETS]
    return present


def absent_sets(data: Path) -> list[str]:
    """The default sets of which a file is not in the data folder."""
    return [name for name in PUBLIC_SETS if not all((data / file).is_file() for file in MEASURE_SETS[name].files)]
