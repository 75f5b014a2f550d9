"""Examples as conversations, and which of their tokens carry loss: counted, checked, and compared with the trainer.

Arms are compared at equal numbers of loss-bearing tokens, so these are counted with the masks that training uses.
"""

from collections.abc import Sequence
from typing import Any

from counterpoise.customization.examples import Example
from counterpoise.doctor.examples import Example as Masked
from counterpoise.doctor.masking import Masker
from counterpoise.doctor.masks import FAULTS, examine_masks
from counterpoise.errors import DataError, RunError

__all__ = ["check_examples", "check_labels", "conversations", "count_loss_tokens"]

Row = dict[str, list[dict[str, str]]]
"""``prompt`` and ``completion``, each a list of turns, as TRL's trainer takes them."""


def conversations(examples: Sequence[Example]) -> list[Row]:
    """The rows that the trainer is given: a system turn where there is one, the user's, and the assistant's."""
    rows = []
    for example in examples:
        system = [{"role": "system", "content": example.system}] if example.system else []
        rows.append(
            {
                "prompt": [*system, {"role": "user", "content": example.prompt}],
                "completion": [{"role": "assistant", "content": example.completion}],
            }
        )
    return rows


def count_loss_tokens(examples: Sequence[Example], tokenizer: Any) -> list[int]:
    """Loss-bearing tokens of each example, by the mask doctor's account of what the trainer does.

    Raises:
        UnsupportedError: the tokenizer lacks the chat template or the special tokens that training needs.
        DataError: the chat template or the tokenizer fails on an example.
    """
    masker = Masker(tokenizer, "turns")
    counts = []
    for number, row in enumerate(conversations(examples), start=1):
        try:
            counts.append(sum(masker.mask(Masked(number, "turns", row["prompt"], row["completion"], {})).loss))
        # Templates and tokenizers raise errors of all kinds; the trainer would stop at any.
        except Exception as error:
            raise DataError(
                f"the chat template or the tokenizer fails: {error}", where=f"training example {number}"
            ) from error
    return counts


def check_examples(examples: Sequence[Example], tokenizer: Any, max_length: int) -> None:
    """Confirm on every example that exactly the assistant's turn, its end included, carries loss.

    Raises:
        DataError: an example is longer than ``max_length`` tokens, or it would not be learned as it is meant; the
            faults are those of :data:`counterpoise.doctor.masks.FAULTS`.
        UnsupportedError: the tokenizer lacks the chat template or the special tokens that training needs.
    """
    report = examine_masks(conversations(examples), tokenizer)
    if report.longest > max_length:
        raise DataError(_too_long(examples, tokenizer, max_length), expected=f"at most {max_length} (max_length)")
    if report.faulty:
        worst = report.offenders[0]
        name, detail = next(iter(worst.faults.items()))
        raise DataError(
            f"{report.faulty} of {report.examples} training examples would not be learned as they are meant, "
            f"number {worst.number} first: {detail}",
            where=_begin(examples[worst.number - 1]),
            fix=f"that is fault {name!r} of the mask doctor: {FAULTS[name]}",
        )


def check_labels(rows: Sequence[Sequence[int]], examples: Sequence[Example], tokenizer: Any) -> int:
    """Compare the trainer's labels with the counts that arms are made equal by.

    Args:
        rows: the labels of each example, in order; -100 where a token carries no loss.
        examples: what they were made from.
        tokenizer: that counted.

    Returns:
        Loss-bearing tokens of all examples.

    Raises:
        RunError: they differ, so the trainer would not train on what was counted.
    """
    trained = [sum(label != -100 for label in labels) for labels in rows]
    counted = count_loss_tokens(examples, tokenizer)
    if trained != counted:
        place = next((i for i, (a, b) in enumerate(zip(trained, counted, strict=False)) if a != b), len(trained))
        raise RunError(
            f"the trainer's labels are not those that were counted ({len(trained)} of {len(counted)} examples, "
            f"{sum(trained)} against {sum(counted)} tokens, number {place + 1} differs first)",
            fix="the installed trl masks otherwise than this version knows; install trl 1.16",
        )
    return sum(trained)


def _too_long(examples: Sequence[Example], tokenizer: Any, limit: int) -> str:
    """Names the first example that is too long."""
    for number, row in enumerate(conversations(examples), start=1):
        length = examine_masks([row], tokenizer).longest
        if length > limit:
            return f"training example {number} has {length} tokens ({_begin(examples[number - 1])})"
    raise AssertionError("no example is too long")


def _begin(example: Example) -> str:
    return f"{example.prompt[:40]!r}..."
