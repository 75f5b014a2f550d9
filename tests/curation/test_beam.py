"""The search against two plain statements of what it should find: judge everything, and enumerate everything."""

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.curation.beam import Found, Objective, beam_search
from counterpoise.rng import rng_for, seed_for

OBJECTIVES: list[Objective] = ["max", "min", "random"]


class World:
    """A small random tree: an item is a string, its children add a letter; every property comes from its name."""

    def __init__(self, seed: int, *, branching: int = 3, values: int = 4, passing: float = 0.5) -> None:
        self.seed, self.branching, self.values, self.passing = seed, branching, values, passing
        self.judged: list[str] = []
        self.expanded: list[tuple[int, str]] = []

    def children(self, number: int, item: str) -> list[str]:
        rng = rng_for(self.seed, "children", number, item)
        # Sampling with repetition: duplicates within and across parents of one length.
        return [item[:1] + "".join(rng.choices("abc", k=number)) for _ in range(self.branching)]

    def value(self, item: str) -> float | None:
        rng = rng_for(self.seed, "value", item)
        draw = rng.randrange(self.values + 2)
        # Few values, so ties are common; some are unusable.
        return {self.values: None, self.values + 1: math.inf}.get(draw, float(draw))

    def passes(self, item: str) -> bool:
        return rng_for(self.seed, "passes", item).random() < self.passing

    def expand(self, number: int, frontier: Sequence[Sequence[str]]) -> list[list[str]]:
        self.expanded += [(number, item) for items in frontier for item in items]
        return [[child for item in items for child in self.children(number, item)] for items in frontier]

    def perplexities(self, items: Sequence[str]) -> list[float | None]:
        return [self.value(item) for item in items]

    def judge(self, items: Sequence[str]) -> list[bool]:
        self.judged += items
        return [self.passes(item) for item in items]

    def search(self, starts: Sequence[str], **settings) -> list[Found[str]]:
        return beam_search(starts, self.expand, self.perplexities, self.judge, key=str, seed=self.seed, **settings)


def order(world: World, start: str, objective: Objective) -> Callable[[str], tuple[float, str]]:
    def rank(item: str) -> tuple[float, str]:
        value = world.value(item)
        assert value is not None
        if objective == "random":
            return float(seed_for(world.seed, "order", start, item)), item
        return (value if objective == "min" else -value), item

    return rank


def alike(one: str, other: str) -> bool:
    """A symmetric likeness of about every third pair, not transitive: distance of the numbers of one letter."""
    return one != other and abs(one.count("a") - other.count("a")) == 1


def eager(
    world: World, start: str, *, beam: int | None, rounds: int, objective: Objective, guarded: bool = False
) -> list[str]:
    """The same search for one start, judging every candidate: the definition."""
    kept: list[str] = []
    seen = {start}
    for number in range(1, rounds + 1):
        new = []
        for parent in kept or [start]:
            for child in world.children(number, parent):
                if child not in seen:
                    seen.add(child)
                    new.append(child)
        usable = [item for item in new if (value := world.value(item)) is not None and math.isfinite(value)]
        passed = [item for item in usable if world.passes(item)]
        best: list[str] = []
        for item in sorted(kept + passed, key=order(world, start, objective)):
            if not (guarded and any(alike(item, better) for better in best)):
                best.append(item)
        best = best[:beam]
        if kept and best == kept:
            break
        kept = best
    return kept


def items(found: Found[str]) -> list[str]:
    return [kept.item for kept in found.kept]


worlds = st.builds(
    World,
    st.integers(0, 10**6),
    branching=st.integers(1, 5),
    values=st.integers(1, 6),
    passing=st.sampled_from([0, 0.3, 0.7, 1]),
)


@settings(max_examples=200, deadline=None)
@given(worlds, st.integers(1, 4) | st.none(), st.integers(1, 4), st.sampled_from(OBJECTIVES), st.booleans())
def test_lazy_judging_selects_what_judging_everything_would(world, beam, rounds, objective, guarded) -> None:
    starts = ["x", "y", "z"]
    found = world.search(starts, beam=beam, rounds=rounds, objective=objective, similar=alike if guarded else None)
    for start, one in zip(starts, found, strict=True):
        assert items(one) == eager(world, start, beam=beam, rounds=rounds, objective=objective, guarded=guarded)
    assert len(set(world.judged)) == len(world.judged)


@settings(max_examples=100, deadline=None)
@given(worlds, st.integers(1, 3), st.sampled_from(OBJECTIVES))
def test_an_unbounded_beam_is_exhaustive_search(world, rounds, objective) -> None:
    reached: set[str] = set()
    for number in range(1, rounds + 1):
        parents = sorted(reached) or ["x"]
        grown = {
            child
            for parent in parents
            for child in world.children(number, parent)
            if child != "x"
            and world.passes(child)
            and (value := world.value(child)) is not None
            and math.isfinite(value)
        }
        if reached and grown <= reached:
            break
        reached |= grown
    found = world.search(["x"], beam=None, rounds=rounds, objective=objective)[0]
    assert items(found) == sorted(reached, key=order(world, "x", objective))


@settings(max_examples=100, deadline=None)
@given(worlds, st.integers(1, 3), st.integers(1, 3), st.sampled_from(OBJECTIVES))
def test_nothing_is_judged_twice_or_in_vain(world, beam, rounds, objective) -> None:
    world.search(["x"], beam=beam, rounds=rounds, objective=objective)
    assert len(set(world.judged)) == len(world.judged)
    one_by_one = World(world.seed, branching=world.branching, values=world.values, passing=world.passing)
    kept: list[str] = []
    seen = {"x"}
    for number in range(1, rounds + 1):
        new = []
        for parent in kept or ["x"]:
            new += [c for c in dict.fromkeys(one_by_one.children(number, parent)) if c not in seen and not seen.add(c)]
        rank = order(world, "x", objective)
        pool = sorted([i for i in new if (v := world.value(i)) is not None and math.isfinite(v)] + kept, key=rank)
        best: list[str] = []
        for item in pool:
            if len(best) == beam:
                break
            if item in kept or one_by_one.judge([item])[0]:
                best.append(item)
        if kept and best == kept:
            break
        kept = best
    assert sorted(world.judged) == sorted(one_by_one.judged)


@settings(max_examples=50, deadline=None)
@given(worlds, st.integers(1, 3), st.integers(1, 3), st.sampled_from(OBJECTIVES))
def test_searches_side_by_side_do_not_influence_each_other(world, beam, rounds, objective) -> None:
    together = world.search(["x", "y"], beam=beam, rounds=rounds, objective=objective)
    apart = [world.search([start], beam=beam, rounds=rounds, objective=objective)[0] for start in ("x", "y")]
    assert together == apart


def flat(values: dict[str, float], passing: set[str]):
    """A world of one round: every item is a child of the start."""
    return (
        lambda number, frontier: [sorted(values) if items else [] for items in frontier],
        lambda items: [values[item] for item in items],
        lambda items: [item in passing for item in items],
    )


def test_ties_are_broken_by_key_whatever_the_order() -> None:
    _, perplexities, judge = flat({"b": 1.0, "a": 1.0, "c": 1.0}, {"a", "b", "c"})
    for permutation in (["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]):
        found = beam_search(
            ["start"], lambda *_, p=permutation: [p], perplexities, judge, beam=2, rounds=1, objective="max", key=str
        )
        assert items(found[0]) == ["a", "b"]


def test_the_start_is_only_a_fallback() -> None:
    """While nothing passes the start is expanded again; it is never among what is kept."""
    expanded: list[list[list[str]]] = []

    def expand(number: int, frontier: Sequence[Sequence[str]]) -> list[list[str]]:
        expanded.append([list(one) for one in frontier])
        return [[f"{item}{number}" for item in one] + ["start"] for one in frontier]

    found = beam_search(
        ["start"],
        expand,
        lambda items: [1.0] * len(items),
        lambda items: [item == "start2" for item in items],
        beam=1,
        rounds=4,
        objective="max",
        key=str,
    )
    assert items(found[0]) == ["start2"]
    # Rounds 1 and 2 expand the start, round 3 the revision; that brings nothing new, so there is no round 4.
    assert expanded == [[["start"]], [["start"]], [["start2"]]]
    assert [trace.passed for trace in found[0].trace] == [0, 1, 0]
    assert [trace.best and trace.best.item for trace in found[0].trace] == [None, "start2", "start2"]


def test_a_finished_search_is_not_expanded_while_others_go_on() -> None:
    asked: list[list[int]] = []
    rounds_done: list[int] = []

    def expand(number: int, frontier: Sequence[Sequence[str]]) -> list[list[str]]:
        asked.append([len(items) for items in frontier])
        return [["done"] if items == ["a"] or items == ["done"] else [f"b{number}"] for items in frontier]

    found = beam_search(
        ["a", "b"],
        expand,
        lambda items: [float(item[1:] or 0) if item[0] == "b" else 1.0 for item in items],
        lambda items: [True] * len(items),
        beam=1,
        rounds=4,
        objective="max",
        key=str,
        after_round=rounds_done.append,
    )
    assert asked == [[1, 1], [1, 1], [0, 1], [0, 1]]
    assert [items(one) for one in found] == [["done"], ["b4"]]
    assert [len(one.trace) for one in found] == [2, 4]
    assert rounds_done == [1, 2, 3, 4]


def test_objectives_prefer_what_they_say() -> None:
    expand, perplexities, judge = flat({"low": 2.0, "middle": 5.0, "high": 9.0}, {"low", "middle", "high"})

    def best(objective: Objective, seed: int = 0) -> str:
        found = beam_search(
            ["s"], expand, perplexities, judge, beam=1, rounds=1, objective=objective, key=str, seed=seed
        )
        return items(found[0])[0]

    assert best("max") == "high"
    assert best("min") == "low"
    assert {best("random", seed) for seed in range(30)} == {"low", "middle", "high"}
    assert best("random", 3) == best("random", 3)


def test_arguments_are_checked() -> None:
    expand, perplexities, judge = flat({"a": 1.0}, {"a"})
    with pytest.raises(ValueError, match="beam must be at least 1 or None; got 0"):
        beam_search(["s"], expand, perplexities, judge, beam=0, rounds=1, objective="max", key=str)
    with pytest.raises(ValueError, match="rounds must be at least 1; got 0"):
        beam_search(["s"], expand, perplexities, judge, beam=1, rounds=0, objective="max", key=str)
    with pytest.raises(ValueError, match="judge must give one result per item; got 0 for 1"):
        beam_search(["s"], expand, perplexities, lambda items: [], beam=1, rounds=1, objective="max", key=str)


def test_no_starts_ask_for_nothing() -> None:
    def never(*_: object) -> list[object]:
        raise AssertionError("asked")

    assert beam_search([], never, never, never, beam=1, rounds=3, objective="max", key=str) == []  # type: ignore


def test_a_variant_of_a_kept_item_is_passed_over_without_being_judged() -> None:
    values = {"red ball": 5.0, "red balls": 4.0, "blue sky": 3.0, "blue skies": 2.0, "tree": 1.0}
    expand, perplexities, passes = flat(values, {"red balls", "red ball", "blue skies", "tree"})
    judged: list[str] = []
    found = beam_search(
        ["start"],
        expand,
        perplexities,
        lambda items: judged.extend(items) or passes(items),
        beam=3,
        rounds=1,
        objective="max",
        key=str,
        similar=lambda one, other: one.split()[0] == other.split()[0],
    )[0]
    # "blue skies" resembles "blue sky" too, but that one did not pass.
    assert items(found) == ["red ball", "blue skies", "tree"]
    assert sorted(judged) == ["blue skies", "blue sky", "red ball", "tree"]
    assert found.trace[0].similar == 1
