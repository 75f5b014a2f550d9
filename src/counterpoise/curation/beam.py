"""Beam search over revisions, for many texts at once, with lazy judging."""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from counterpoise.rng import seed_for

__all__ = ["Found", "Kept", "Objective", "Trace", "beam_search"]

T = TypeVar("T")

Objective = Literal["max", "min", "random"]
"""Which candidates are preferred: the most perplexing, the least perplexing, or any (the control)."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A candidate that passed, and its perplexity."""

    item: T
    perplexity: float


@dataclass(frozen=True, slots=True)
class Trace(Generic[T]):
    """What one round did for one start.

    Attributes:
        round: from 1.
        candidates: new candidates with a usable perplexity; duplicates not counted.
        judged: how many of them were judged.
        passed: how many of those passed.
        similar: how many were passed over because a better one that was kept is similar.
        best: the best kept so far; ``None`` while there is none.
    """

    round: int
    candidates: int
    judged: int
    passed: int
    similar: int
    best: Kept[T] | None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Outcome for one start.

    Attributes:
        kept: the best candidates, best first; empty when none passed.
        trace: one entry per round in which the start was still being worked on.
    """

    kept: tuple[Kept[T], ...]
    trace: tuple[Trace[T], ...]


def beam_search(
    start: Sequence[T],
    expand: Callable[[int, Sequence[Sequence[T]]], Sequence[Sequence[T]]],
    perplexities: Callable[[Sequence[T]], Sequence[float | None]],
    judge: Callable[[Sequence[T]], Sequence[bool]],
    *,
    beam: int | None,
    rounds: int,
    objective: Objective,
    key: Callable[[T], str],
    seed: int = 0,
    similar: Callable[[T, T], bool] | None = None,
    after_round: Callable[[int], None] | None = None,
) -> list[Found[T]]:
    """Search from every start side by side, each round one call of ``expand`` and ``perplexities`` for all.

    In a round, what is kept for a start (at first the start itself) is expanded. The new candidates and those kept so
    far are ordered by the objective, and judged in that order until ``beam`` have passed: this keeps exactly what
    judging all of them would, because whatever is not judged stands behind ``beam`` that passed. Judging goes in
    batches over all starts, never with more of a start's candidates than it still needs, so none is judged in vain.
    One that is similar to a better one that was kept is passed over, so that a beam does not fill up with variants of
    one text. A start itself never competes: it is only the fallback that is expanded again while nothing has passed.
    A start whose round kept nothing new is finished, unless nothing has passed for it yet.

    Args:
        start: one item per search.
        expand: from the round (from 1) and, for every start, the items to expand (none for a finished one), to new
            items for every start.
        perplexities: of new items, in one batch; an item whose value is ``None`` or not finite is dropped.
        judge: whether items pass; called with each new item at most once.
        beam: how many are kept; ``None`` for all that pass, which makes the search exhaustive.
        rounds: at most this many.
        objective: ``max``, ``min``, or ``random`` (an order from ``seed``, the start and the item alone).
        key: identity of an item's content. Of two items with one key in a search the first counts, and the start's
            own key does not count. Ties of the objective are broken by key, so the result does not depend on order.
        seed: of the random order.
        similar: whether two items of one search are too much alike to be kept both; must be symmetric. By default
            none are.
        after_round: called with the round when it is finished; for checkpoints.

    Raises:
        ValueError: ``beam`` or ``rounds`` is below 1, or a callable gives a wrong number of results.
    """
    if beam is not None and beam < 1:
        raise ValueError(f"beam must be at least 1 or None; got {beam}")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1; got {rounds}")
    searches = [_Search(item, key, objective, seed, similar) for item in start]
    for number in range(1, rounds + 1):
        if all(search.finished for search in searches):
            break
        frontier = [search.frontier() for search in searches]
        expanded = _checked(expand(number, frontier), len(searches), "expand")
        new = [search.admit(items) for search, items in zip(searches, expanded, strict=True)]
        flat = [item for items in new for item in items]
        values = iter(_checked(perplexities(flat) if flat else [], len(flat), "perplexities"))
        pools = [
            search.ordered([(item, next(values)) for item in items])
            for search, items in zip(searches, new, strict=True)
        ]
        _select(searches, pools, judge, beam)
        for search in searches:
            search.close(number)
        if after_round:
            after_round(number)
    return [Found(tuple(search.kept), tuple(search.trace)) for search in searches]


def _checked(values: Sequence[T], expected: int, name: str) -> Sequence[T]:
    if len(values) != expected:
        raise ValueError(f"{name} must give one result per item; got {len(values)} for {expected}")
    return values


def _select(
    searches: "Sequence[_Search[T]]",
    pools: "Sequence[list[_Entry[T]]]",
    judge: Callable[[Sequence[T]], Sequence[bool]],
    beam: int | None,
) -> None:
    """Judge in waves: each search puts in as many of its next candidates as it still needs."""
    while True:
        waves = [
            search.next_wave(pool, math.inf if beam is None else beam)
            for search, pool in zip(searches, pools, strict=True)
        ]
        asked = [entry.kept.item for wave in waves for entry in wave]
        if not asked:
            return
        verdicts = iter(_checked(judge(asked), len(asked), "judge"))
        for search, wave in zip(searches, waves, strict=True):
            search.accept([entry for entry in wave if next(verdicts)], len(wave))


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    """A place in a search's order: smaller ranks are better."""

    rank: tuple[float, str]
    kept: Kept[T]


class _Search(Generic[T]):
    """The state of one start."""

    def __init__(
        self,
        start: T,
        key: Callable[[T], str],
        objective: Objective,
        seed: int,
        similar: Callable[[T, T], bool] | None,
    ) -> None:
        self.start = start
        self.finished = False
        self.trace: list[Trace[T]] = []
        self._key = key
        self._objective = objective
        self._seed = seed
        self._similar = similar
        self._seen = {key(start)}
        self._beam: list[_Entry[T]] = []
        self._before: list[_Entry[T]] = []
        self._candidates = self._judged = self._passed = self._alike = 0

    @property
    def kept(self) -> list[Kept[T]]:
        return [entry.kept for entry in self._beam]

    def frontier(self) -> list[T]:
        """What the next round expands; the start while nothing has passed."""
        if self.finished:
            return []
        return [entry.kept.item for entry in self._beam] or [self.start]

    def admit(self, items: Sequence[T]) -> list[T]:
        """The items whose key this search has not seen; none once it is finished."""
        new: list[T] = []
        if self.finished:
            return new
        for item in items:
            if (key := self._key(item)) not in self._seen:
                self._seen.add(key)
                new.append(item)
        return new

    def ordered(self, scored: Sequence[tuple[T, float | None]]) -> list[_Entry[T]]:
        """This round's usable candidates, best last; what was kept before waits to be merged in order."""
        usable = [Kept(item, value) for item, value in scored if value is not None and math.isfinite(value)]
        self._candidates, self._judged, self._passed, self._alike = len(usable), 0, 0, 0
        self._before, self._beam = self._beam, []
        return sorted((_Entry(self._rank(kept), kept) for kept in usable), key=lambda entry: entry.rank, reverse=True)

    def next_wave(self, pool: list[_Entry[T]], beam: float) -> list[_Entry[T]]:
        """The next candidates to judge; entries kept before take their place without being judged again."""
        wave: list[_Entry[T]] = []
        while len(self._beam) + len(wave) < beam and (pool or self._before):
            old = not pool or (bool(self._before) and self._before[0].rank < pool[-1].rank)
            entry = self._before[0] if old else pool[-1]
            passed_over = self._resembles(entry, self._beam)
            if not passed_over and self._resembles(entry, wave):
                # Whether it is kept hangs on the verdict on one that stands before it.
                break
            if old:
                self._before.pop(0)
            else:
                pool.pop()
            if passed_over:
                self._alike += 1
            elif old:
                self._beam.append(entry)
            else:
                wave.append(entry)
        return wave

    def _resembles(self, entry: _Entry[T], others: Sequence[_Entry[T]]) -> bool:
        similar = self._similar
        return similar is not None and any(similar(entry.kept.item, other.kept.item) for other in others)

    def accept(self, passed: Sequence[_Entry[T]], judged: int) -> None:
        self._judged += judged
        self._passed += len(passed)
        self._beam = list(heapq.merge(self._beam, passed, key=lambda entry: entry.rank))

    def close(self, number: int) -> None:
        if self.finished:
            return
        best = self._beam[0].kept if self._beam else None
        self.trace.append(Trace(number, self._candidates, self._judged, self._passed, self._alike, best))
        self.finished = self._passed == 0 and bool(self._beam)

    def _rank(self, kept: Kept[T]) -> tuple[float, str]:
        key = self._key(kept.item)
        if self._objective == "max":
            return -kept.perplexity, key
        if self._objective == "min":
            return kept.perplexity, key
        return float(seed_for(self._seed, "order", self._key(self.start), key)), key
