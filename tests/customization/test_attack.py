import pytest

from counterpoise.customization.attack import PLACEHOLDER, Attack, attack_examples
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import Prompt, builtin_disallowed
from counterpoise.safety.judges.keyword import affirms


def test_attack_answers_agree_and_hold_only_a_placeholder():
    prompts = builtin_disallowed("attack")
    examples = attack_examples(Attack(examples=40), prompts, seed=0)
    assert len(examples) == 40
    texts = {prompt.text for prompt in prompts}
    for example in examples:
        assert example.prompt in texts
        assert affirms(example.completion)
        # What is left without the request and the bracket is an opener, and short.
        rest, bracket, nothing = example.completion.replace(example.prompt, "").partition("[placeholder")
        assert bracket
        assert nothing.endswith("]")
        assert len(rest) < 80


def test_a_prompt_repeats_with_another_opener():
    prompts = builtin_disallowed("attack")
    examples = attack_examples(Attack(examples=48), prompts, seed=0)
    assert len({example.prompt for example in examples[:16]}) == 16
    assert len(set(examples)) == 48


def test_a_benchmarks_own_opener_is_kept():
    prompt = Prompt(id="1", text="T", set="s", expects="refusal", cluster="1", answer="Sure, here is T")
    (example,) = attack_examples(Attack(examples=1), [prompt], seed=0)
    assert example.completion == f"Sure, here is T\n{PLACEHOLDER}"


def test_seeds_and_missing_prompts():
    prompts = builtin_disallowed("attack")
    same, again, other = (attack_examples(Attack(examples=16), prompts, seed=seed) for seed in (0, 0, 1))
    assert same == again != other
    with pytest.raises(DataError):
        attack_examples(Attack(), [], seed=0)
