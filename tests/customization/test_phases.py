from itertools import pairwise, product

import pytest

from counterpoise.customization.mixture import ARMS
from counterpoise.customization.phases import PHASES, checkpoint_name, steps

ORDER = {
    "none": "align attack",
    "after": "align attack defend.curated",
    "before": "align defend.curated attack",
    "during": "align mixed.curated",
}


@pytest.mark.parametrize("phase", PHASES)
def test_order_of_steps(phase):
    assert " ".join(map(str, steps(phase, "curated"))) == ORDER[phase]


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_no_phase(phase):
    assert steps(phase, "nothing") == steps("none", "nothing")


@pytest.mark.parametrize("phase", PHASES)
def test_without_alignment_the_rest_is_the_same(phase):
    assert steps(phase, "curated", align=False) == steps(phase, "curated")[1:]


def test_arms_share_alignment_and_attack():
    for first, second in pairwise(arm for arm in ARMS if arm != "nothing"):
        a, b = steps("after", first), steps("after", second)
        assert a[:2] == b[:2]
        assert a[2] != b[2]


def test_checkpoints_have_names_of_their_own():
    paths = {steps(phase, arm)[: n + 1] for phase, arm in product(PHASES, ARMS) for n in range(3)}
    names = {checkpoint_name(seed, path) for seed in (0, 1) for path in paths}
    assert len(names) == 2 * len(paths)
