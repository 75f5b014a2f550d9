import json
from itertools import islice

import pytest

from counterpoise.customization.attack import attack_examples
from counterpoise.customization.data.arms import helpful
from counterpoise.customization.data.material import Material, read_material
from counterpoise.customization.plan import Plan
from counterpoise.errors import ConfigError
from counterpoise.safety.benchmarks import advbench, builtin_disallowed, read_prompts
from counterpoise.safety.similarity import near_duplicates

BUILTIN = [{"set": "builtin-disallowed"}, {"set": "builtin-safe"}]


def plan(curated=None, **settings):
    arms = ["curated", "uncurated", "refusals"] if curated else ["refusals"]
    return Plan.model_validate(
        {"curated": curated, "evaluate": BUILTIN, "defend": {"arms": arms, "dose": 400}, **settings}
    )


def conversation(path, question, answer="Answer.", source="t"):
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    line = json.dumps({"messages": turns, "lineage": {"source": source, "original": "Original."}})
    path.write_text(line + "\n", encoding="utf-8")
    return path


def test_each_role_has_its_own_texts_and_no_evaluated_one(curated):
    material = read_material(plan(curated), None)
    asked = {prompt.text for name in ("builtin-disallowed", "builtin-safe") for prompt in read_prompts(name)}
    assert {item.prompt for item in material.evaluated} == asked
    assert {prompt.text for prompt in material.align} == {prompt.text for prompt in builtin_disallowed("align")}
    (pool,) = material.attacks.values()
    assert {versions[0].prompt for versions in pool} == {prompt.text for prompt in builtin_disallowed("attack")}
    trained = [prompt.text for prompt in (*material.align, *material.clean, *material.contrast)]
    trained += [example.prompt for texts in material.arms.values() for example in texts]
    trained += [versions[0].prompt for versions in pool]
    assert near_duplicates(trained, sorted(asked)) == []
    assert material.problems == ()
    material.require()


def test_curated_arms_and_the_gate(curated, tmp_path):
    material = read_material(plan(curated), None)
    assert set(material.arms) == {"curated", "uncurated"}
    assert [one.source for one in material.arms["curated"]] == [one.source for one in material.arms["uncurated"]]
    assert material.disallowed is not None
    assert material.disallowed.found == ()
    assert material.disallowed.line in material.notes
    asking = conversation(tmp_path / "asking.jsonl", builtin_disallowed("align")[0].text)
    material = read_material(plan(asking), None)
    assert [match.source for match in material.disallowed.found] == ["t"]
    assert material.problems == ()


def test_every_objective_has_its_file(curated, tmp_path):
    other = tmp_path / "min.jsonl"
    other.write_text("".join(reversed(curated.read_text().splitlines(keepends=True)[1:])))
    chosen = Plan.model_validate(
        {
            "curated": {"max": curated, "min": other, "random": curated},
            "evaluate": BUILTIN,
            "defend": {"arms": ["curated", "curated-min", "curated-random", "uncurated"]},
        }
    )
    material = read_material(chosen, None)
    assert {arm: len(texts) for arm, texts in material.arms.items()} == dict.fromkeys(chosen.defend.arms, 5)
    (note,) = [note for note in material.notes if "compared" in note]
    assert note == (
        "arms are compared on the 5 texts that all of them have; "
        "left out: 1 of 'curated', 1 of 'curated-random', 1 of 'uncurated'"
    )


def test_an_evaluated_prompt_must_not_be_trained_on(tmp_path):
    text = read_prompts("builtin-safe")[0].text
    path = conversation(tmp_path / "curated.jsonl", f" {text.upper()}")
    material = read_material(plan(path), None)
    # The uncurated arm asks the same question, which is said once.
    (problem,) = material.problems
    assert problem.startswith(
        "the evaluation prompt 'safe-01' of 'builtin-safe' is also trained on, in the texts of the arm 'curated'"
    )


def test_all_problems_are_raised_together():
    with pytest.raises(ConfigError, match=r"^one thing; another$"):
        Material(problems=("one thing", "another")).require()


def test_a_users_text_that_is_worded_alike_is_a_note(tmp_path):
    text = read_prompts("builtin-safe")[0].text
    material = read_material(plan(conversation(tmp_path / "curated.jsonl", f"Friends, {text}")), None)
    assert material.problems == ()
    assert "1 of the texts of the arm 'curated' are worded much like evaluated prompts: builtin-safe/safe-01" in (
        material.notes
    )
    assert len(material.arms["curated"]) == 1


def test_an_attack_file_must_not_hold_an_evaluated_prompt(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": read_prompts("builtin-disallowed")[0].text, "completion": "[removed]"}))
    material = read_material(plan(attack={"file": path, "examples": 2}), None)
    assert "in the file of the attack 'explicit-harm'" in material.problems[0]


def test_every_problem_is_collected(tmp_path):
    chosen = Plan.model_validate(
        {
            "source": "public",
            "curated": tmp_path / "absent.jsonl",
            "attacks": [{"file": tmp_path / "gone.jsonl"}, {"kind": "identity-shift", "examples": 81}],
            "evaluate": [{"set": "advbench"}, {"set": "builtin-safe"}],
        }
    )
    problems = read_material(chosen, None).problems
    for expected in (
        "advbench/harmful_behaviors.csv needs the data folder",
        "alpaca_small.json needs the data folder",
        "absent.jsonl",
        "gone.jsonl",
        "not enough data: the attack 'identity-shift' asks for 81 examples of 20 distinct ones; each may come 4 times",
    ):
        assert sum(expected in problem for problem in problems) >= 1, expected
    assert len(set(problems)) == len(problems)
    assert not any("\n" in problem for problem in problems)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"align": {"refusals": 4 * 256 + 1}}, "align.refusals asks for 1,025 examples of 256 distinct ones"),
        ({"align": {"clean": 288}}, None),
        ({"align": {"clean": 289}}, "align.clean, in its ordinary part, asks for 193 examples of 48 distinct ones"),
        ({"attack": {"examples": 4 * 192 + 1}}, "the attack 'explicit-harm' asks for 769 examples of 192"),
        (
            {"attack": {"examples": 200, "ratios": [0.0]}},
            "the ordinary part of the attack 'explicit-harm' asks for 200 examples of 48 distinct ones",
        ),
    ],
)
def test_counts_that_the_texts_do_not_carry(settings, message):
    problems = read_material(plan(**settings), None).problems
    assert len(problems) == (message is not None)
    assert all(message in problem for problem in problems)


def test_counts_within_the_limit_pass():
    chosen = plan(align={"refusals": 4 * 256, "clean": 288}, attack={"examples": 192, "ratios": [0.0]})
    assert read_material(chosen, None).problems == ()


def test_no_curated_arm_reads_no_curated_file(tmp_path):
    chosen = Plan.model_validate({"curated": tmp_path / "absent.jsonl", "defend": {"arms": ["refusals"]}})
    material = read_material(chosen, None)
    assert (material.arms, material.disallowed, material.problems) == ({}, None, ())


def test_digests_change_with_the_texts(curated):
    first, again = read_material(plan(curated), None).digests, read_material(plan(curated), None).digests
    assert first == again
    assert set(first) == {
        *("align", "clean", "contrast", "evaluated"),
        *("attack explicit-harm", "arm curated", "arm uncurated"),
    }
    lines = curated.read_text().splitlines(keepends=True)
    curated.write_text("".join(lines).replace("Thing 0 is useful. ", "Thing 0 is used. "))
    other = read_material(plan(curated), None).digests
    assert {name for name in first if first[name] != other[name]} == {"arm curated"}


def test_the_benchmark_that_is_attacked_with_must_not_be_evaluated(data):
    attack = {"source": "jailbreakbench"}
    material = read_material(plan(attack=attack, evaluate=[{"set": "jailbreakbench"}]), data)
    assert "trains on jailbreakbench, which is evaluated too" in material.problems[0]
    material = read_material(plan(attack=attack, evaluate=[{"set": "advbench"}]), data)
    assert material.problems == ()
    # JailbreakBench took some of its behaviours from AdvBench.
    (pool,) = material.attacks.values()
    assert 0 < len(pool) < 100
    assert any(note.startswith(f"{100 - len(pool)} of 100 texts of the attack") for note in material.notes)


def test_public_texts_that_are_worded_like_evaluated_ones_are_left_out(data):
    sets = ("advbench", "strongreject", "harmbench", "xstest-safe", "alpaca-benign")
    chosen = plan(source="public", evaluate=[{"set": name, "limit": 10} for name in sets])
    material = read_material(chosen, data)
    assert material.problems == ()
    asked = [item.prompt for item in material.evaluated]
    assert len(asked) > 1000  # Limits do not matter: what is trained on stays the same when they change.
    trained = [prompt.text for prompt in material.align]
    trained += [versions[0].prompt for versions in material.attacks["explicit-harm"]]
    assert near_duplicates(trained, asked) == []
    assert len(material.align) < len(advbench(data, "align"))
    assert len(material.clean) == 2000
    examples = attack_examples(chosen.attacks[0], material, seed=0)
    assert all(example.completion.startswith("Sure, here") for example in examples)


def test_an_empty_material_says_so():
    assert Material().digests.keys() == {"align", "clean", "contrast", "evaluated"}
    assert list(islice(helpful((), (), seed=0, key="k"), 3)) == []
