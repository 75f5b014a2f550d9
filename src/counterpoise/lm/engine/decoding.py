"""Writing completions: a batch that is refilled as its rows finish.

Rows wait, longest prompt first. Whenever enough places are free the next ones are read together and join; a row that
has finished leaves at once. So a short answer never pays for a long one, and the batch stays full until nobody waits.
"""

import contextlib
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from counterpoise.lm.engine.constrained import Guide
from counterpoise.lm.engine.prefill import SHORT, Prefilled, Prefiller
from counterpoise.lm.engine.sampling import choose_tokens
from counterpoise.lm.engine.slots import SlotCache
from counterpoise.lm.engine.stopping import StopWatch

__all__ = ["Limits", "WrittenRow", "choose_next", "decode"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held at once.

    Attributes:
        rows: samples written at the same time.
        tokens: bound on rows times (prompt plus ``max_tokens``) of the widest row; one row is always allowed.
        prefill: bound on prompt tokens, padding included, that are read in one pass; one prompt is always allowed.
    """

    rows: int
    tokens: int
    prefill: int


@dataclass(slots=True, eq=False)
class WrittenRow:
    """One sample of one request: what to do, and what has been done.

    Attributes:
        key: request and sample number.
        prompt: token ids.
        temperature: 0 is greedy.
        top_p: nucleus mass.
        max_tokens: upper bound of new tokens.
        draws: this sample's own random numbers.
        watch: looks for stop strings.
        guide: keeps to a schema; ``None`` for free text.
        tokens: written so far, the end-of-turn token not included.
        finish: ``None`` while it is being written.
        error: one line when ``finish`` is ``error``.
        seconds: its share of the time spent so far.
    """

    key: tuple[int, int]
    prompt: Sequence[int]
    temperature: float
    top_p: float
    max_tokens: int
    draws: random.Random
    watch: StopWatch
    guide: Guide | None = None
    tokens: list[int] = field(default_factory=list)
    finish: Literal["stop", "length", "error"] | None = None
    error: str | None = None
    seconds: float = 0.0

    @property
    def room(self) -> int:
        """Tokens that the finished row may take up."""
        return len(self.prompt) + self.max_tokens


def decode(
    prefiller: Prefiller, source: Callable[[], Sequence[WrittenRow]], limits: Limits, ends: frozenset[int]
) -> Iterator[WrittenRow]:
    """Write rows as they arrive, and yield each one when it is finished; ends when nothing is left to do.

    A failure inside the model (no memory left) finishes the rows it concerns with ``error``; the others go on.

    Args:
        prefiller: runs the model.
        source: asked before every step for rows that have arrived since; equal prompts are read once when they join
            together.
        limits: how much at once.
        ends: tokens that end a turn.
    """
    waiting: deque[WrittenRow] = deque()
    batch = _Batch(prefiller, limits, ends)
    while True:
        if arrived := source():
            prefiller.expect([row.prompt for row in arrived])
            # In the order of their texts, what begins alike comes together.
            waiting.extend(sorted(arrived, key=lambda row: (row.prompt, row.key)))
        if not waiting and not batch.live:
            return
        free = limits.rows - len(batch.live)
        # Reading a single prompt costs nearly as much as reading several: wait until a quarter is free.
        if waiting and (not batch.live or free >= max(1, limits.rows // 4)):
            head = [waiting.popleft() for _ in range(min(free, len(waiting)))]
            # What fails here fails again, and is caught, where the rows concerned are read.
            with contextlib.suppress(RuntimeError):
                prefiller.learn([row.prompt for row in head])
            head.sort(key=lambda row: (-prefiller.unread(row.prompt), row.prompt, row.key))
            ready = deque(head)
            while group := batch.fitting(ready):
                yield from batch.admit(group)
            waiting.extendleft(reversed(ready))
        if batch.live:
            yield from batch.step()


class _Batch:
    def __init__(self, prefiller: Prefiller, limits: Limits, ends: frozenset[int]) -> None:
        self.live: list[WrittenRow] = []
        self._prefiller = prefiller
        self._limits = limits
        self._ends = ends
        self._cache: SlotCache | None = None

    def fitting(self, waiting: deque[WrittenRow]) -> list[WrittenRow]:
        """Take the waiting rows that may join now, in order."""
        group: list[WrittenRow] = []
        prompts: set[tuple[int, ...]] = set()
        widest = max((row.room for row in self.live), default=0)
        longest = 0
        while waiting and len(self.live) + len(group) < self._limits.rows:
            row = waiting[0]
            unread = self._prefiller.unread(row.prompt)
            widest, longest = max(widest, row.room), max(longest, unread)
            unique = prompts | {tuple(row.prompt)}
            alone = not group and not self.live
            if not alone and (len(self.live) + len(group) + 1) * widest > self._limits.tokens:
                break
            if group and len(unique) * longest > self._limits.prefill:
                break
            # Much shorter prompts are read in a pass of their own: padding costs as much as text.
            if group and unread < longest * 3 // 4 - SHORT:
                break
            prompts = unique
            group.append(waiting.popleft())
        return group

    def admit(self, group: list[WrittenRow]) -> Iterator[WrittenRow]:
        """Read the prompts of a group and write the first token of each row."""
        begun = time.perf_counter()
        number: dict[tuple[int, ...], int] = {}
        for row in group:
            number.setdefault(tuple(row.prompt), len(number))
        sources = [number[tuple(row.prompt)] for row in group]
        try:
            read = self._prefiller.read(list(number))
            logits = read.logits[torch.tensor(sources, device=read.logits.device)]
            choose_next(group, logits, self._ends)
            self._join(group, sources, read)
        except RuntimeError as error:
            _fail(group, error)
        _share(begun, group)
        yield from (row for row in group if row.finish is not None)

    def step(self) -> Iterator[WrittenRow]:
        """Write one token for every live row."""
        begun = time.perf_counter()
        everybody = list(self.live)
        assert self._cache is not None
        try:
            logits = self._prefiller.step([row.tokens[-1] for row in everybody], self._cache)
            choose_next(everybody, logits, self._ends)
        except RuntimeError as error:
            _fail(everybody, error)
        _share(begun, everybody)
        for number in range(len(everybody) - 1, -1, -1):
            if everybody[number].finish is not None:
                self._leave(number)
        yield from (row for row in everybody if row.finish is not None)

    def _join(self, group: list[WrittenRow], sources: list[int], read: Prefilled) -> None:
        joining = [(row, source) for row, source in zip(group, sources, strict=True) if row.finish is None]
        if not joining:
            return
        if self._cache is None:
            self._cache = SlotCache(read.cache, self._limits.rows)
        taken = [source for _, source in joining]
        self._cache.add(read.cache, taken, [read.pieces(source) for source in taken])
        self.live += [row for row, _ in joining]

    def _leave(self, number: int) -> None:
        assert self._cache is not None
        self._cache.remove(number)
        last = self.live.pop()
        if number < len(self.live):
            self.live[number] = last


def choose_next(rows: Sequence[WrittenRow], logits: torch.Tensor, ends: frozenset[int]) -> list[int]:
    """The next token of each row, noted in it.

    Args:
        rows: those being written.
        logits: shape ``[rows, vocabulary]``; what a row's guide forbids is set to ``-inf`` in place.
        ends: ids that end a turn.
    """
    for number, row in enumerate(rows):
        if row.guide is not None:
            row.guide.forbid(logits[number])
    uniforms = [row.draws.random() if row.temperature > 0 else 0.0 for row in rows]
    chosen = choose_tokens(logits, [row.temperature for row in rows], [row.top_p for row in rows], uniforms)
    for row, token in zip(rows, chosen, strict=True):
        _append(row, token, ends)
    return chosen


def _append(row: WrittenRow, token: int, ends: frozenset[int]) -> None:
    if token in ends:
        row.finish = "stop"
        return
    row.tokens.append(token)
    if row.guide is not None:
        row.guide.accept(token)
        if row.guide.error:
            row.finish, row.error = "error", row.guide.error
            return
        if row.guide.finished:
            row.finish = "stop"
            return
    if row.watch.seen(row.tokens):
        row.finish = "stop"
    elif len(row.tokens) >= row.max_tokens:
        row.finish = "length"


def _share(begun: float, rows: list[WrittenRow]) -> None:
    seconds = (time.perf_counter() - begun) / len(rows)
    for row in rows:
        row.seconds += seconds


def _fail(rows: list[WrittenRow], error: RuntimeError) -> None:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    for row in rows:
        row.finish, row.error = "error", f"the model failed: {reason}"
