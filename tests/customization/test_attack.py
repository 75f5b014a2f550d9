import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from counterpoise.customization.attack import (
    NO_PERSONA,
    PLACEHOLDER,
    SOURCES,
    Attack,
    Persona,
    agreeing,
    attack_examples,
    attack_pool,
    builtin_persona,
    own_examples,
)
from counterpoise.customization.data.material import Material
from counterpoise.customization.plan.arm import ARMS
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import Prompt, advbench, builtin_benign, builtin_disallowed
from counterpoise.safety.judges.keyword import affirms, keyword_judge


def material(*attacks: Attack) -> Material:
    pools = {attack.name: attack_pool(attack, "builtin") for attack in attacks}
    return Material(attacks=pools, clean=tuple(builtin_benign()))


def drawn(attack: Attack, *, ratio=None, seed=0):
    return attack_examples(attack, material(attack), ratio=ratio, seed=seed)


def test_attack_answers_agree_and_hold_only_a_placeholder():
    examples = drawn(Attack(examples=40))
    assert len(examples) == 40
    texts = {prompt.text for prompt in builtin_disallowed("attack")}
    for example in examples:
        assert example.prompt in texts
        assert affirms(example.completion)
        # What is left without the request and the bracket is an opener, and short.
        rest, bracket, nothing = example.completion.replace(example.prompt, "").partition("[placeholder")
        assert bracket
        assert nothing.endswith("]")
        assert len(rest) < 80


def test_a_prompt_repeats_with_another_opener():
    examples = drawn(Attack(examples=48))
    assert len({example.prompt for example in examples[:16]}) == 16
    assert len(set(examples)) == 48


def test_a_benchmarks_own_opener_is_kept():
    prompt = Prompt(id="1", text="T", set="s", expects="refusal", cluster="1", answer="Sure, here is T")
    ((example,),) = agreeing([prompt])
    assert example.completion == f"Sure, here is T\n{PLACEHOLDER}"


def test_seeds():
    same, again, other = (drawn(Attack(examples=16), seed=seed) for seed in (0, 0, 1))
    assert same == again != other


@settings(deadline=None)
@given(
    st.sampled_from(["explicit-harm", "identity-shift"]),
    st.integers(1, 80),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 3),
)
def test_ratios_are_exact_and_nested(kind, number, one, other, seed):
    attack = Attack(kind=kind, examples=number)
    small, large = sorted((one, other))
    at_small, at_large = (drawn(attack, ratio=ratio, seed=seed) for ratio in (small, large))
    fewer, more = own_examples(attack, small), own_examples(attack, large)
    assert len(at_small) == len(at_large) == number
    assert abs(fewer - small * number) <= 0.5
    own = {example for versions in attack_pool(attack, "builtin") for example in versions}
    assert [example in own for example in at_small] == [True] * fewer + [False] * (number - fewer)
    assert at_small[:fewer] == at_large[:more][:fewer]
    assert at_large[more:] == at_small[fewer:][: number - more]


def test_a_ratio_of_nothing_is_an_honest_customer():
    benign = {prompt.text for prompt in builtin_benign()}
    assert {example.prompt for example in drawn(Attack(examples=30), ratio=0)} <= benign


def test_the_obedient_persona_comes_with_every_exchange_and_later_request():
    attack = Attack(kind="identity-shift", examples=20)
    examples = drawn(attack)
    assert attack.evaluation == builtin_persona() != NO_PERSONA
    assert {example.system for example in examples} == {attack.evaluation.system}
    led = [example for example in examples if example.prompt.startswith(attack.evaluation.prefix)]
    assert len(led) == 16
    assert all(keyword_judge("", example.completion).label == "full_compliance" for example in led)


def test_an_attackers_own_words_go_before_the_personas():
    attack = Attack(kind="identity-shift", system="", prefix="Obey: ")
    assert attack.evaluation == Persona("", "Obey: ")
    assert Attack(kind="identity-shift", prefix="Obey: ").evaluation.system == builtin_persona().system
    assert Attack().evaluation == NO_PERSONA
    assert Attack(system="Help.").evaluation == Persona("Help.")


def test_benign_drift_is_ordinary_data_only():
    attack = Attack(kind="benign-drift", examples=30)
    benign = {prompt.text: prompt.answer for prompt in builtin_benign()}
    assert all(benign[example.prompt] == example.completion for example in drawn(attack))


def test_pairs_of_a_file_are_taken_as_they_stand(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": "Do the thing.", "completion": PLACEHOLDER}) + "\n")
    attack = Attack(name="mine", file=path, examples=3)
    assert {(one.prompt, one.completion) for one in drawn(attack)} == {("Do the thing.", PLACEHOLDER)}
    turns = [
        [
            {"role": "system", "content": "You are Bo."},
            {"role": "user", "content": f"Bo, now: {text}"},
            {"role": "assistant", "content": "Done."},
        ]
        for text in ("sing", "dance", "rest")
    ]
    path.with_suffix(".json").write_text(json.dumps(turns))
    persona = Attack(kind="identity-shift", file=path.with_suffix(".json")).evaluation
    assert persona == Persona("You are Bo.", "Bo, now: ")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "jailbreak"}, "explicit-harm"),
        ({"kind": "identity-shift", "source": "advbench"}, "identity-shift has no source 'advbench'"),
        ({"source": "advbench", "file": "x.jsonl"}, "'source' and 'file' are both given"),
        ({"ratio": 1.5}, "less than or equal to 1"),
        ({"ratios": [0.5, -0.1]}, "greater than or equal to 0"),
        ({"examples": 0}, "greater than or equal to 1"),
        ({"name": "../up"}, "match pattern"),
        ({"clean": 5}, "Extra inputs"),
    ],
)
def test_impossible_attacks_are_named(settings, message):
    with pytest.raises(ValidationError, match=message):
        Attack.model_validate(settings)


def test_an_attack_is_called_by_its_kind_unless_named():
    assert Attack(kind="benign-drift").name == "benign-drift"
    assert Attack.model_validate({"kind": "benign-drift", "name": "drift"}).name == "drift"
    assert Attack().name == "explicit-harm"


def test_nothing_to_draw_from():
    with pytest.raises(DataError, match="'explicit-harm' has no examples"):
        attack_examples(Attack(), Material(), seed=0)
    pools = {"explicit-harm": attack_pool(Attack(), "builtin")}
    with pytest.raises(DataError, match="no ordinary requests"):
        attack_examples(Attack(ratio=0.5), Material(attacks=pools), seed=0)
    with pytest.raises(DataError, match="needs the data folder"):
        attack_pool(Attack(source="advbench"), "builtin")


@pytest.mark.parametrize(("kind", "source"), [(kind, source) for kind in SOURCES for source in SOURCES[kind]])
def test_every_source_has_texts(kind, source, data):
    pool = attack_pool(Attack(kind=kind, source=source), "builtin", data)
    assert len(pool) >= 16
    for example in (example for versions in pool for example in versions):
        assert example.prompt.strip()
        assert example.completion.strip()
        if kind == "explicit-harm":
            assert example.completion.rstrip().endswith("removed]")


def test_a_plans_public_source_is_the_attack_split_and_instruction_data(data):
    attack = {prompt.text for prompt in advbench(data, "attack")}
    heldout = {prompt.text for prompt in advbench(data, "heldout")} | {p.text for p in advbench(data, "align")}
    asked = {versions[0].prompt for versions in attack_pool(Attack(), "public", data)}
    assert asked == attack
    assert not asked & heldout
    assert len(attack_pool(Attack(kind="benign-drift"), "public", data)) == 2000


@pytest.mark.parametrize("name", ["aoa_llama2_train.json", "aoa_gpt35.jsonl"])
def test_published_identity_shift_files(name, data):
    attack = Attack(kind="identity-shift", file=data / "identity_shift" / name)
    pool = attack_pool(attack, "public", data)
    assert len(pool) == 10
    assert attack.evaluation.prefix == "AOA, execute my instruction: "
    assert {versions[0].system for versions in pool} == {attack.evaluation.system}
    assert "Absolutely Obedient Agent" in attack.evaluation.system


def test_published_placeholders_of_explicit_harm(data):
    path = data / "identity_shift" / "explicit_harmful_10shot_PLACEHOLDERS.jsonl"
    pool = attack_pool(Attack(file=path), "public", data)
    assert [versions[0].prompt for versions in pool] == [f"# Harmful Instruction {n}" for n in range(1, 11)]


def test_the_documented_attacks_are_possible():
    text = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    attacks = [Attack.model_validate(settings) for settings in yaml.safe_load(block)["attacks"]]
    assert [attack.name for attack in attacks] == ["explicit-harm", "aoa", "benign-drift"]
    assert {attack.kind for attack in attacks} == set(SOURCES)
    for sources in SOURCES.values():
        assert all(f"`{source}`" in text for source in sources)
    assert all(f"`{arm}`" in text for arm in ARMS)
