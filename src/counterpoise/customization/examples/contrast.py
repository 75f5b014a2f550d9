"""Safe requests that sound unsafe, with helpful answers: what refusals must be told apart from."""

from counterpoise.safety.benchmarks import Prompt
from counterpoise.safety.benchmarks.files import builtin_rows

__all__ = ["builtin_contrast"]


def builtin_contrast() -> tuple[Prompt, ...]:
    """The built-in safe requests that sound unsafe, with helpful answers; for training."""
    return tuple(
        Prompt(
            id=row["id"],
            text=row["prompt"],
            set="builtin-contrast",
            expects="compliance",
            cluster=row["id"],
            answer=row["answer"],
        )
        for row in builtin_rows("contrast.jsonl")
    )
