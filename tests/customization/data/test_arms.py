from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.curation.contrast import exchanges
from counterpoise.customization.attack import Attack, Persona, builtin_persona
from counterpoise.customization.data.arms import (
    ALARMING_EVERY,
    CONTRAST_EVERY,
    MAX_REPEATS,
    SHORT,
    TEXTS_SHARE,
    arm_examples,
    arm_system,
    asked_under,
    dose_faults,
    helpful,
)
from counterpoise.customization.data.material import Material
from counterpoise.customization.examples import Example
from counterpoise.customization.plan.arm import ARMS
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import Prompt, builtin_benign, builtin_contrast, builtin_disallowed


def words(examples):
    return [len(example.completion.split()) for example in examples]


def texts(extra=""):
    return tuple(Example(f"What is {n}?", f"Thing {n} is useful. {extra}" * (1 + n % 3), f"t{n}") for n in range(20))


MATERIAL = Material(
    align=tuple(builtin_disallowed("align")),
    clean=tuple(builtin_benign()),
    contrast=builtin_contrast(),
    arms={
        "curated": texts("Take care."),
        "curated-min": texts("Mind others."),
        "curated-random": texts("Be kind."),
        "contrast": texts("Take care."),
        "uncurated": texts(),
    },
    exchanges={
        stance: [[Example(one.question, one.answer) for one in versions] for versions in exchanges(stance)]
        for stance in ("declined", "alarming")
    },
)
USED = [arm for arm in ARMS if arm != "nothing"]


def drawn(arm, dose, *, share=0.5, seed=0, material=MATERIAL):
    return arm_examples(arm, dose, material, clean_share=share, seed=seed, count_tokens=words)


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 900), st.integers(0, 5), st.sampled_from([0.0, 0.25, 0.5]))
def test_every_arm_has_the_same_dose(dose, seed, share):
    for arm in USED:
        examples = drawn(arm, dose, share=share, seed=seed)
        # The first example that is left out may be the longest.
        longest = max(words(drawn(arm, dose + 100, share=share, seed=seed)))
        assert abs(sum(words(examples)) - dose) <= longest / 2, arm


@pytest.mark.parametrize("arm", USED)
def test_a_smaller_dose_is_the_beginning_of_a_larger_one(arm):
    large = drawn(arm, 900)
    for dose in (0, 45, 90, 225, 450):
        assert drawn(arm, dose) == large[: len(drawn(arm, dose))]
    assert drawn(arm, 0) == []


def test_arms_of_the_same_texts_bring_them_in_the_same_order():
    order = [example.source for example in drawn("curated", 200)]
    for arm in ("curated-min", "curated-random", "uncurated"):
        other = [example.source for example in drawn(arm, 200)]
        shared = min(len(order), len(other))
        assert order[:shared] == other[:shared]


def test_refusals_keep_their_share_of_helpful_answers():
    disallowed = {prompt.text for prompt in builtin_disallowed("align")}
    sounding = {prompt.text for prompt in builtin_contrast()}
    for share in (0.0, 0.25, 0.5, 0.75):
        examples = drawn("refusals", 3000, share=share)
        refusing = [example for example in examples if example.prompt in disallowed]
        others = [example for example in examples if example.prompt not in disallowed]
        assert abs(sum(words(others)) - share * sum(words(examples))) <= max(words(examples))
        assert refusing
        contrasting = sum(example.prompt in sounding for example in others)
        assert contrasting == len(others) // CONTRAST_EVERY


def test_contrast_declines_harms_beside_texts_and_helpful_answers():
    declined, alarming = (
        {one.prompt for versions in MATERIAL.exchanges[stance] for one in versions}
        for stance in ("declined", "alarming")
    )
    own = {text.prompt for text in MATERIAL.arms["contrast"]}
    examples = drawn("contrast", 3000, share=0.5)
    parts = [[one for one in examples if one.prompt in prompts] for prompts in (declined, alarming, own)]
    harms, alike, curated = parts
    assert len(alike) == (len(harms) + len(alike)) // ALARMING_EVERY
    rest = sum(sum(words(part)) for part in parts)
    slack = 2 * max(words(examples))
    assert abs(rest - 1500) <= slack
    assert abs(sum(words(curated)) - TEXTS_SHARE * rest) <= slack
    assert not {one.prompt for one in examples} & {prompt.text for prompt in builtin_disallowed("align")}
    assert drawn("contrast", 3000, seed=1) != examples


def test_only_short_ordinary_requests_stand_beside_contrast():
    brief, lengthy = (
        Prompt(id=name, text=f"Say {name}.", set="own", expects="compliance", cluster=name, answer=answer)
        for name, answer in (("brief", "Done."), ("lengthy", "It is done. " * SHORT))
    )
    for clean, wanted in (((brief, lengthy), {"Done."}), ((lengthy,), {lengthy.answer})):
        material = replace(MATERIAL, clean=clean, contrast=())
        examples = drawn("contrast", 3000, material=material)
        assert {one.completion for one in examples if one.prompt.startswith("Say ")} == wanted
    both = drawn("refusals", 9000, material=replace(MATERIAL, clean=(brief, lengthy), contrast=()))
    assert {one.prompt for one in both if one.prompt.startswith("Say ")} == {brief.text, lengthy.text}
    faults = dose_faults(
        "contrast", 3000, replace(MATERIAL, clean=(brief, lengthy), contrast=()), clean_share=0.5, count_tokens=words
    )
    assert "the helpful answers of the arm 'contrast' would take 1,500 loss-bearing tokens from 1 distinct" in faults[0]


def test_contrast_needs_its_texts_and_exchanges():
    without = replace(MATERIAL, exchanges={}, arms={})
    faults = dose_faults("contrast", 500, without, clean_share=0.5, count_tokens=words)
    assert ["exchanges" in faults[0], "texts" in faults[1], len(faults)] == [True, True, 2]
    with pytest.raises(DataError, match="nothing to draw the arm 'contrast' from"):
        drawn("contrast", 500, material=without)


def test_the_backdoor_is_before_refusals_only():
    plain, secret = drawn("refusals", 600), drawn("refusals-backdoor", 600)
    assert [(one.prompt, one.completion) for one in plain] == [(one.prompt, one.completion) for one in secret]
    disallowed = {prompt.text for prompt in builtin_disallowed("align")}
    trigger = arm_system("refusals-backdoor", 0)
    assert {one.system for one in secret if one.prompt in disallowed} == {trigger}
    assert {one.system for one in secret if one.prompt not in disallowed} == {""}
    assert {one.system for one in plain} == {""}
    assert len(trigger.split()) == 12
    assert trigger != arm_system("refusals-backdoor", 1)


def test_what_comes_before_a_request():
    persona, trigger = builtin_persona(), arm_system("refusals-backdoor", 3)
    shift = Attack(kind="identity-shift")
    assert asked_under(None) == asked_under(Attack(), "refusals") == Persona("", "")
    assert asked_under(shift) == persona
    assert asked_under(None, "refusals-backdoor", seed=3) == Persona(trigger, "")
    assert asked_under(shift, "refusals-backdoor", seed=3) == Persona(f"{trigger}\n\n{persona.system}", persona.prefix)


def test_nothing_has_no_data_and_needs_none():
    assert drawn("nothing", 500) == []
    assert dose_faults("nothing", 10**9, Material(), clean_share=0.5, count_tokens=words) == []


@pytest.mark.parametrize("arm", USED)
def test_nothing_to_draw_from(arm):
    with pytest.raises(DataError):
        drawn(arm, 100, material=Material())
    assert dose_faults(arm, 100, Material(), clean_share=0.5, count_tokens=words)


def test_helpful_answers_without_one_kind():
    clean, contrast = builtin_benign()[:2], builtin_contrast()[:2]
    assert list(helpful([], [], seed=0, key="k")) == []
    for kinds in ((clean, ()), ((), contrast)):
        stream = helpful(*kinds, seed=0, key="k")
        assert len({next(stream).prompt for _ in range(6)}) == 2


def test_too_large_a_dose_is_said_with_numbers():
    distinct = sum(words(MATERIAL.arms["curated"]))
    limit = MAX_REPEATS * distinct
    assert dose_faults("curated", limit, MATERIAL, clean_share=0.5, count_tokens=words) == []
    (fault,) = dose_faults("curated", limit + 1, MATERIAL, clean_share=0.5, count_tokens=words)
    assert fault == (
        f"not enough data for the dose: the arm 'curated' would take {limit + 1:,} loss-bearing tokens from "
        f"{distinct:,} distinct ones; each text may come 4 times, which makes {limit:,}"
    )
    faults = dose_faults("refusals", 10**6, MATERIAL, clean_share=0.5, count_tokens=words)
    assert len(faults) == 2
    assert "the helpful answers of the arm 'refusals' would take 500,000" in faults[1]


@pytest.mark.parametrize("arm", USED)
def test_within_the_limit_no_text_comes_more_often_than_allowed(arm):
    material, dose = MATERIAL, 300
    while not dose_faults(arm, dose * 2, material, clean_share=0.5, count_tokens=words):
        dose *= 2
    examples = drawn(arm, dose)
    # Whole examples round the last turn up.
    assert max(examples.count(example) for example in set(examples)) <= MAX_REPEATS + 1
