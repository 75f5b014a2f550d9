import json

import pytest

from counterpoise.customization.material import read_material, step_examples
from counterpoise.customization.phases import Step
from counterpoise.customization.plan import Plan
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import builtin_disallowed, read_prompts


def words(examples):
    return [len(example.completion.split()) for example in examples]


def plan(curated, **settings):
    return Plan.model_validate(
        {"curated": curated, "defend": {"arms": ["curated", "uncurated", "refusals"], "dose": 400}, **settings}
    )


def test_all_arms_get_the_same_dose(curated):
    chosen = plan(curated)
    material = read_material(chosen, None)
    for arm in ("curated", "uncurated", "refusals"):
        examples, defence = step_examples(chosen, material, Step("defend", arm), 0, words)
        assert sorted(map(repr, examples)) == sorted(map(repr, defence))
        assert abs(sum(words(defence)) - 400) <= max(words(defence)) / 2, arm


def test_mixed_steps_hold_attack_and_defence(curated):
    chosen = plan(curated, attack={"examples": 20, "clean": 5})
    material = read_material(chosen, None)
    attack, none = step_examples(chosen, material, Step("attack"), 0, words)
    mixed, defence = step_examples(chosen, material, Step("mixed", "curated"), 0, words)
    assert none == []
    assert len(attack) == 25
    assert sorted(map(repr, mixed)) == sorted(map(repr, [*attack, *defence]))


def test_steps_use_their_own_split_and_never_a_test_prompt(curated):
    chosen = plan(curated)
    material = read_material(chosen, None)
    asked = {prompt.text for name in ("builtin-disallowed", "builtin-safe") for prompt in read_prompts(name)}
    align = {prompt.text for prompt in builtin_disallowed("align")}
    attack = {prompt.text for prompt in builtin_disallowed("attack")}
    for step, allowed in (("align", align), ("attack", attack), ("defend", align)):
        examples, _ = step_examples(chosen, material, Step(step, "refusals" if step == "defend" else None), 0, words)
        prompts = {example.prompt for example in examples}
        assert prompts & allowed
        assert not prompts & asked
        assert not prompts & ((align | attack) - allowed)
    assert material.overlaps() == []


def test_same_seed_same_examples(curated):
    chosen = plan(curated)
    material = read_material(chosen, None)
    for step in (Step("align"), Step("attack"), Step("defend", "uncurated"), Step("mixed", "refusals")):
        assert step_examples(chosen, material, step, 1, words) == step_examples(chosen, material, step, 1, words)
        assert step_examples(chosen, material, step, 1, words) != step_examples(chosen, material, step, 2, words)


def test_an_evaluated_prompt_must_not_be_trained_on(tmp_path):
    text = read_prompts("builtin-safe")[0].text
    turns = [{"role": "user", "content": f" {text.upper()}"}, {"role": "assistant", "content": "Answer."}]
    path = tmp_path / "curated.jsonl"
    path.write_text(json.dumps({"messages": turns, "lineage": {"source": "t", "original": "Answer."}}) + "\n")
    with pytest.raises(DataError, match="'safe-01' of 'builtin-safe' is also trained on"):
        read_material(plan(path), None)


def test_limits_draw_the_same_prompts_again(curated):
    chosen = plan(curated, evaluate=[{"set": "builtin-safe", "limit": 5}])
    first, second = read_material(chosen, None), read_material(chosen, None)
    assert first.evaluated == second.evaluated
    assert len(first.evaluated) == 5
    assert len(read_material(plan(curated, evaluate=[{"set": "builtin-safe", "limit": 500}]), None).evaluated) == 40


def test_no_curated_arm_reads_no_curated_file(tmp_path):
    chosen = Plan.model_validate({"curated": tmp_path / "absent.jsonl", "defend": {"arms": ["refusals"]}})
    assert read_material(chosen, None).curated == ()


def test_public_sources(curated, data):
    chosen = plan(curated, source="public", evaluate=[{"set": "advbench"}, {"set": "xstest-safe"}])
    material = read_material(chosen, data)
    assert len(material.clean) == 2000
    assert {prompt.set for prompt in material.attack} == {"advbench"}
    examples, _ = step_examples(chosen, material, Step("attack"), 0, words)
    assert all(example.completion.startswith("Sure, here") for example in examples)


def test_public_sources_need_data(curated):
    with pytest.raises(DataError, match="COUNTERPOISE_DATA"):
        read_material(plan(curated, source="public"), None)
