import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.curation.seeds import Seed
from counterpoise.curation.seeds.compare import NEAR, Changed, difference, find_seed, leaders, nearest
from counterpoise.errors import DataError

OLD = (
    Seed(keyword="fire exit", category="home", gloss="A way out."),
    Seed(keyword="gas leak", category="home", gloss="Bad air."),
    Seed(keyword="trip hazard", category="home"),
)


def test_equal_sets_do_not_differ(embedder):
    found = difference(OLD, OLD, embedder)
    assert (found.kept, found.added, found.removed, found.changed, found.near) == (3, (), (), (), ())


def test_what_differs_is_named(embedder):
    new = (
        Seed(keyword="Fire  Exit", category="work", gloss="A way out of danger."),
        Seed(keyword="gas leak", category="home", gloss="Bad air."),
        Seed(keyword="hazard trip", category="home"),
        Seed(keyword="smoke", category="home"),
    )
    found = difference(OLD, new, embedder)
    assert found.kept == 2
    assert [seed.keyword for seed in found.added] == ["hazard trip", "smoke"]
    assert [seed.keyword for seed in found.removed] == ["trip hazard"]
    assert found.changed == (
        Changed("Fire  Exit", "keyword", "fire exit", "Fire  Exit"),
        Changed("Fire  Exit", "category", "home", "work"),
        Changed("Fire  Exit", "gloss", "A way out.", "A way out of danger."),
    )
    assert [(pair.old, pair.new, pair.similarity) for pair in found.near] == [("trip hazard", "hazard trip", 1.0)]
    assert found.to_json()["near"] == [{"old": "trip hazard", "new": "hazard trip", "similarity": 1.0}]


def test_near_duplicates_that_both_sets_have_are_no_difference(embedder):
    both = (Seed(keyword="trip hazard", category="a"), Seed(keyword="hazard trip", category="a"))
    assert difference(both, both, embedder).near == ()
    assert len(difference(both[:1], both, embedder).near) == 1


def test_a_seed_is_found_whatever_its_case():
    assert find_seed(OLD, " FIRE exit") is OLD[0]
    with pytest.raises(DataError, match=r"^no keyword 'fire exits' among 3; did you mean 'fire exit'\?$"):
        find_seed(OLD, "fire exits")
    with pytest.raises(DataError, match=r"^no keyword 'zebra' among 3$"):
        find_seed(OLD, "zebra")


def test_the_nearest_are_others(embedder):
    seeds = (*OLD, Seed(keyword="exit fire", category="work"))
    found = nearest(seeds, seeds[0], embedder, 3)
    assert found[0] == (seeds[3], 1.0)
    vector = embedder.embed([seeds[0].keyword])[0]
    assert [value for _, value in found] == sorted(
        (round(float(embedder.embed([seed.keyword])[0] @ vector), 3) for seed in seeds[1:]), reverse=True
    )
    assert len(nearest(seeds, seeds[0], embedder, 2)) == 2
    assert len(nearest(seeds, seeds[0], embedder, 9)) == 3
    assert nearest(seeds[:1], seeds[0], embedder, 5) == []


@st.composite
def unit_vectors(draw):
    angles = draw(st.lists(st.integers(0, 359), min_size=0, max_size=40))
    radians = np.deg2rad(np.array(angles, dtype=float))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@given(unit_vectors(), st.integers(0, 5))
def test_leaders_are_apart_and_everyone_is_near_their_own(vectors, fixed):
    found = leaders(vectors, NEAR, fixed)
    similarity = vectors @ vectors.T
    chosen = [index for index, leader in enumerate(found) if leader == index]
    assert chosen[:fixed] == list(range(min(fixed, len(vectors))))
    for index, leader in enumerate(found):
        assert leader <= index
        assert found[leader] == leader
        earlier = [similarity[index, one] for one in chosen if one < index]
        if leader != index:
            assert similarity[index, leader] >= NEAR - 1e-6
            assert similarity[index, leader] == pytest.approx(max(earlier), abs=1e-6)
        elif index >= fixed:
            assert max(earlier, default=-1.0) < NEAR + 1e-6
