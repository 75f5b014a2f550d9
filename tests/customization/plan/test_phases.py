from itertools import pairwise, product

import pytest

from counterpoise.customization.plan.arm import ARMS
from counterpoise.customization.plan.phases import PHASES, Step, checkpoint_name, percent, steps

ORDER = {
    "none": "align attack+harm",
    "after": "align attack+harm defend.curated",
    "before": "align defend.curated attack+harm",
    "during": "align mixed+harm.curated",
    "every": "align defend.curated+1of3 mixed+harm.curated+2of3 defend.curated+3of3",
}


@pytest.mark.parametrize("phase", PHASES)
def test_order_of_steps(phase):
    assert " ".join(map(str, steps(phase, "curated", attack="harm"))) == ORDER[phase]


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_no_phase(phase):
    assert steps(phase, "nothing") == steps("none", "nothing") == steps(phase, "curated", dose=0)


@pytest.mark.parametrize("phase", PHASES)
def test_without_alignment_the_rest_is_the_same(phase):
    assert steps(phase, "curated", align=False) == steps(phase, "curated")[1:]


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "none"])
def test_every_phase_uses_the_whole_dose_once(phase):
    parts = [step.part for step in steps(phase, "curated", dose=0.5) if step.arm]
    assert sum(1 / whole for _, whole in parts) == pytest.approx(1)
    assert len(set(parts)) == len(parts)


def test_arms_share_alignment_and_attack():
    for first, second in pairwise(arm for arm in ARMS if arm != "nothing"):
        a, b = steps("after", first), steps("after", second)
        assert a[:2] == b[:2]
        assert a[2] != b[2]


def test_checkpoints_have_names_of_their_own():
    paths = {
        steps(phase, arm, attack=attack, ratio=ratio, dose=dose)[:number]
        for phase, arm, attack, ratio, dose in product(PHASES, ARMS, ("a", "b-r5"), (0.05, 0.25, 1), (0.1, 0.125, 1))
        for number in range(1, 5)
    }
    names = {checkpoint_name(seed, path) for seed in (0, 1) for path in paths}
    assert len(names) == 2 * len(paths)
    assert not any(set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789+-._") for name in names)


def test_what_differs_from_the_whole_is_in_the_name():
    assert str(Step("attack", "harm", 0.25)) == "attack+harm+r25"
    assert str(Step("mixed", "harm", 0.5, "curated", 0.1, (2, 3))) == "mixed+harm+r50.curated+d10+2of3"
    assert checkpoint_name(3, ()) == "base"


def test_shares_of_less_than_a_percent_stay_apart():
    assert len({percent(share) for share in (0.001, 0.0015, 0.01, 0.1, 1)}) == 5
