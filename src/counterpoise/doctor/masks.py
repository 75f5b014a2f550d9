"""The mask doctor: how much of training data carries loss, and which examples would not be learned as they are meant.

A wrong mask shows nowhere in a loss curve: the trainer drops examples whose answer was cut away without a word, learns
prompts by heart, or never learns to stop. Here each example is masked as the trainer would (see
:mod:`counterpoise.doctor.masking`) and looked at.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate, chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from counterpoise.doctor.examples import Example, Shape, read_examples
from counterpoise.doctor.masking import Masked, Masker
from counterpoise.doctor.turns import dropped, empty, out_of_order
from counterpoise.errors import UsageError
from counterpoise.report.visible import one_line, visible

__all__ = ["FAULTS", "MaskReport", "Offender", "Shown", "examine_masks"]

FAULTS = {
    "refused": "the chat template or the tokenizer fails, and with it the training",
    "no-loss": "no token carries loss: nothing is learned, or the trainer leaves it out without a word",
    "truncated": "tokens with loss are cut off at the greatest length",
    "prompt-in-loss": "the prompt is other tokens than when the model answers it, or carries loss",
    "no-end": "no end of turn carries loss: the model may not learn to stop",
    "empty": "an answer without text",
    "roles": "turns in an order that is no conversation",
    "dropped": "the chat template leaves content out",
}
"""What is looked for, by name."""

_OFFENDERS = 5  # kept for each fault
_LONGEST = 600  # characters of a stretch that are shown


@dataclass(frozen=True, slots=True)
class Offender:
    """An example with faults.

    Attributes:
        number: of its line, item or row, from 1.
        tokens: before the cut; 0 where it was refused.
        loss_tokens: that carry loss after the cut.
        faults: what is wrong in detail, by the names of :data:`FAULTS`; one line each.
    """

    number: int
    tokens: int
    loss_tokens: int
    faults: dict[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """The text of an example in stretches.

    Attributes:
        number: of its line, item or row, from 1.
        stretches: ``(kind, text)`` with the kinds ``context``, ``loss`` and ``cut``, in order; the text of long ones is
            shortened in the middle, and characters that cannot be seen are written out.
    """

    number: int
    stretches: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MaskReport:
    """What the mask doctor found.

    Attributes:
        shape: which fields the examples have.
        rule: what carries loss, in words.
        notes: what else a user must know.
        max_length: tokens of an example that are kept, from its start; ``None`` for all.
        examples: how many there are.
        faulty: how many of them have a fault.
        tokens: in all, after the cut.
        loss_tokens: of these, those that carry loss.
        minimum: loss tokens of the example that has fewest, after the cut.
        median: the lower of two medians.
        maximum: of the example that has most.
        longest: tokens of the longest example before the cut.
        faults: number of examples with each fault; names of :data:`FAULTS`.
        offenders: the first examples of each fault, in order.
        shown: examples as text, as many as were asked for; those with faults first.
    """

    shape: Shape
    rule: str
    notes: tuple[str, ...]
    max_length: int | None
    examples: int
    faulty: int
    tokens: int
    loss_tokens: int
    minimum: int
    median: int
    maximum: int
    longest: int
    faults: dict[str, int]
    offenders: tuple[Offender, ...]
    shown: tuple[Shown, ...]

    @property
    def loss_share(self) -> float | None:
        """Share of the tokens that carry loss, in [0, 1]; ``None`` where there are no tokens."""
        return self.loss_tokens / self.tokens if self.tokens else None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "loss_share": self.loss_share}


def examine_masks(
    source: Path | Iterable[Mapping[str, Any]], tokenizer: Any, *, max_length: int | None = None, show: int = 0
) -> MaskReport:
    """Mask every example as TRL's trainer would, and look for what would not be learned as it is meant.

    Examples are looked at one after the other, so memory does not grow with their number.

    Args:
        source: a file, or rows, of ``messages``, ``prompt`` and ``completion`` (strings or lists of turns) or ``text``.
        tokenizer: of transformers, as training uses it.
        max_length: as of the trainer; ``None`` cuts nothing.
        show: how many examples are to be shown as text.

    Raises:
        DataError: the file cannot be read, there are no examples, or one has not the fields of the first one.
        UnsupportedError: the tokenizer lacks the chat template or the special tokens that training needs.
        UsageError: ``max_length`` is less than 1.
    """
    if max_length is not None and max_length < 1:
        raise UsageError(f"max_length is {max_length}", expected="at least 1")
    examples = read_examples(source)
    first = next(examples)
    masker = Masker(tokenizer, first.shape)
    tally = _Tally(masker, max_length, show)
    for example in chain([first], examples):
        tally.add(example)
    return tally.report(first.shape)


class _Tally:
    """What is kept of the examples that were seen: counts, the first offenders, and those to show."""

    def __init__(self, masker: Masker, max_length: int | None, show: int) -> None:
        self._masker = masker
        self._max_length = max_length
        self._show = show
        self._losses: Counter[int] = Counter()
        self._faults: Counter[str] = Counter()
        self._tokens = self._longest = self._faulty = 0
        self._offenders: list[Offender] = []
        self._shown: dict[bool, list[Shown]] = {True: [], False: []}

    def add(self, example: Example) -> None:
        """Look at one example."""
        masked, faults = self._examine(example)
        kept = masked.loss[: self._max_length]
        self._tokens += len(kept)
        self._longest = max(self._longest, len(masked.ids))
        self._losses[sum(kept)] += 1
        if faults:
            self._faulty += 1
            if any(self._faults[name] < _OFFENDERS for name in faults):
                self._offenders.append(Offender(example.number, len(masked.ids), sum(kept), faults))
            self._faults.update(faults.keys())
        if len(shown := self._shown[bool(faults)]) < self._show:
            shown.append(Shown(example.number, _stretches(masked, len(kept), self._masker)))

    def _examine(self, example: Example) -> tuple[Masked, dict[str, str]]:
        """The tokens of an example and its faults, in the order of :data:`FAULTS`."""
        found: dict[str, str | None] = dict.fromkeys(FAULTS)
        masked = Masked([], [], None, True)
        conversation = example.shape in ("messages", "turns")
        turns = [*example.prompt, *example.completion] if conversation else []
        try:
            # A lone surrogate is no text; the error of tokenizers about it says nothing.
            json.dumps([example.prompt, example.completion], ensure_ascii=False, default=str).encode()
            masked = self._masker.mask(example)
            if conversation:
                found["dropped"] = dropped(turns, self._masker.render(example))
        # Templates and tokenizers raise errors of all kinds; the trainer would stop at any.
        except Exception as error:
            found["refused"] = f"{type(error).__name__}: {error}"
        else:
            learned = [token for token, loss in zip(masked.ids, masked.loss, strict=True) if loss]
            kept = sum(masked.loss[: self._max_length])
            cut = f"{len(learned) - kept} of {len(learned)} tokens with loss are cut off"
            if kept == 0:
                found["no-loss"] = cut if learned else "no token carries loss"
            # Many templates end a turn with a line break after its end, which nobody will miss.
            if self._masker.decode(learned[kept:]).strip():
                found["truncated"] = cut
            found["prompt-in-loss"] = masked.mismatch
            if not masked.ended:
                found["no-end"] = "a stretch of loss does not end with the end of a turn"
        if conversation:
            found["roles"] = out_of_order(turns)
            found["empty"] = empty(turns)
        elif not example.completion.strip():
            found["empty"] = "the text is empty"
        return masked, {name: one_line(detail) for name, detail in found.items() if detail}

    def report(self, shape: Shape) -> MaskReport:
        """The whole of it."""
        return MaskReport(
            shape=shape,
            rule=self._masker.rule,
            notes=tuple(self._masker.notes),
            max_length=self._max_length,
            examples=self._losses.total(),
            faulty=self._faulty,
            tokens=self._tokens,
            loss_tokens=sum(loss * number for loss, number in self._losses.items()),
            minimum=min(self._losses),
            median=_median(self._losses),
            maximum=max(self._losses),
            longest=self._longest,
            faults={name: self._faults[name] for name in FAULTS if self._faults[name]},
            offenders=tuple(self._offenders),
            shown=tuple([*self._shown[True], *self._shown[False]][: self._show]),
        )


def _median(counts: Counter[int]) -> int:
    """The lower median of values with their numbers."""
    before = list(accumulate(counts[value] for value in sorted(counts)))
    return sorted(counts)[bisect_left(before, (counts.total() + 1) // 2)]


def _stretches(masked: Masked, kept: int, masker: Masker) -> tuple[tuple[str, str], ...]:
    kinds = ["cut" if place >= kept else "loss" if loss else "context" for place, loss in enumerate(masked.loss)]
    runs = groupby(zip(masked.ids, kinds, strict=True), key=itemgetter(1))
    return tuple((kind, _clipped(masker.decode([token for token, _ in run]))) for kind, run in runs)


def _clipped(text: str) -> str:
    if len(text) <= _LONGEST:
        return visible(text)
    half = _LONGEST // 2
    return f"{visible(text[:half])} [… {len(text) - 2 * half} characters …] {visible(text[-half:])}"
