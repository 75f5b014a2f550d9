"""Every error that Counterpoise raises on purpose.

::

    CounterpoiseError
    ├── UsageError            bad arguments, files or configuration (exit code 2)
    │   ├── ConfigError       a configuration file or value is not valid
    │   ├── DataError         an input data file is missing, malformed or incomplete
    │   ├── UnknownNameError  a dataset, model, stage or option that does not exist
    │   ├── OutputError       an output folder that cannot be used
    │   ├── MissingExtraError an optional dependency that is not installed
    │   └── UnsupportedError  a real thing that cannot be asked of this model or dataset
    └── RunError              the work itself failed (exit code 1)

A message is one line and says what is wrong, where, what was expected and what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "CounterpoiseError",
    "DataError",
    "MissingExtraError",
    "OutputError",
    "RunError",
    "UnknownNameError",
    "UnsupportedError",
    "UsageError",
]


class CounterpoiseError(Exception):
    """Base of all errors raised on purpose; shown to a user without a traceback.

    Args:
        what: what is wrong.
        where: file, line, field or option; optional.
        expected: what would have been right; optional.
        fix: what to do about it; optional.

    >>> str(DataError("no field 'answer'", where="in.jsonl line 3", expected="a question and an answer"))
    "no field 'answer' (in.jsonl line 3); expected a question and an answer"
    """

    exit_code = 1

    def __init__(
        self, what: str, *, where: str | None = None, expected: str | None = None, fix: str | None = None
    ) -> None:
        message = what
        if where:
            message += f" ({where})"
        if expected:
            message += f"; expected {expected}"
        if fix:
            message += f"; {fix}"
        # One line, whatever a foreign exception or file put into the parts.
        super().__init__(" ".join(message.split()))


class UsageError(CounterpoiseError):
    """The request cannot be carried out as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file or value is not valid; names every problem at once."""


class DataError(UsageError):
    """An input data file is missing, malformed or incomplete."""


class UnknownNameError(UsageError):
    """A name that is not among the known ones; suggests the nearest.

    >>> str(UnknownNameError("dataset", "crss", ["crass", "arithmetic"]))
    "unknown dataset 'crss'; expected one of arithmetic, crass; did you mean 'crass'?"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(str(one) for one in known)
        near = get_close_matches(name, names, n=1)
        super().__init__(
            f"unknown {kind} {name!r}",
            expected="one of " + ", ".join(names),
            fix=f"did you mean {near[0]!r}?" if near else None,
        )


class OutputError(UsageError):
    """An output folder that cannot be written or belongs to another run."""


class MissingExtraError(UsageError):
    """An optional dependency that is not installed.

    >>> str(MissingExtraError("trl", extra="train", purpose="fine-tuning"))
    "fine-tuning needs the package 'trl'; install it with: pip install 'counterpoise[train]'"
    """

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}",
            fix=f"install it with: pip install 'counterpoise[{extra}]'",
        )


class UnsupportedError(UsageError):
    """A real thing that cannot be asked of this model or dataset."""


class RunError(CounterpoiseError):
    """The work itself failed: nothing finished is lost, and the run can be resumed."""
