import pytest

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune import Finetuner, Recipe
from counterpoise.customization.finetune.masks import check_examples, check_labels, conversations, count_loss_tokens
from counterpoise.errors import DataError, RunError, UnsupportedError

NO_SYSTEM = (
    "{% for message in messages %}{% if message['role'] != 'system' %}<|start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
NO_END = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer(finetuner):
    from counterpoise.lm.loading import load_tokenizer

    return load_tokenizer(finetuner._folder)


def test_only_the_answer_and_its_end_carry_loss(finetuner, tokenizer, pairs):
    # One token per byte; <|end|> and the line break after it are two more.
    expected = [len(example.completion.encode()) + 2 for example in pairs]
    assert finetuner.count_tokens(pairs) == expected
    assert count_loss_tokens(pairs, tokenizer) == expected


def test_a_system_turn_is_rendered_and_carries_no_loss(finetuner, tokenizer):
    plain, under = Example("Hi.", "Hello."), Example("Hi.", "Hello.", system="You are a parrot.")
    assert conversations([under])[0]["prompt"][0] == {"role": "system", "content": "You are a parrot."}
    assert [turn["role"] for turn in conversations([plain])[0]["prompt"]] == ["user"]
    first, second = finetuner.count_tokens([plain, under])
    assert first == second == len("Hello.") + 2


def test_equal_doses_are_equal_in_training(finetuner, pairs, tmp_path):
    """Two arms filled to the same count carry the same loss-bearing tokens in the trainer."""
    first, second = pairs[:3], [*pairs[:2], Example("Other.", pairs[2].completion)]
    assert sum(finetuner.count_tokens(first)) == sum(finetuner.count_tokens(second))
    results = [
        finetuner.train([], arm, Recipe(epochs=1, rank=1), seed=0, out=tmp_path / str(number))
        for number, arm in enumerate((first, second))
    ]
    assert results[0].loss_tokens == results[1].loss_tokens == sum(finetuner.count_tokens(first))


def test_labels_that_are_not_those_counted_stop_the_training(tokenizer, pairs, finetuner, tmp_path, monkeypatch):
    right = [[-100] * 5 + [7] * number for number in count_loss_tokens(pairs, tokenizer)]
    assert check_labels(right, pairs, tokenizer) == sum(count_loss_tokens(pairs, tokenizer))
    wrong = [right[0], [*right[1], 7], *right[2:]]
    with pytest.raises(RunError, match=r"labels are not those that were counted .*number 2 differs first"):
        check_labels(wrong, pairs, tokenizer)
    with pytest.raises(RunError, match="11 of 12 examples"):
        check_labels(right[:-1], pairs, tokenizer)

    # As if the trainer learned prompts, too.
    import trl

    prepare = trl.SFTTrainer._prepare_dataset

    def learn_all(self, *arguments, **options):
        return prepare(self, *arguments, **options).map(lambda row: {"labels": row["input_ids"]})

    monkeypatch.setattr(trl.SFTTrainer, "_prepare_dataset", learn_all)
    with pytest.raises(RunError, match="labels are not those that were counted"):
        finetuner.train([], pairs, Recipe(rank=1), seed=0, out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("template", "example", "fault"),
    [
        (NO_SYSTEM, Example("Hi.", "Hello.", system="You are a parrot."), r"turn 1 of 'system' .*fault 'dropped'"),
        (NO_END, Example("Hi.", "Hello."), "fault 'no-end'"),
        (None, Example("Hi.", " "), "turn 2 of the assistant is empty.*fault 'empty'"),
    ],
)
def test_the_mask_doctor_refuses_what_would_not_be_learned(template, example, fault, tokenizer):
    import copy

    changed = copy.deepcopy(tokenizer)
    changed.chat_template = template or tokenizer.chat_template
    fine = Example("Who?", "Nobody.")
    with pytest.raises(DataError, match=rf"1 of 2 .*number 2 first.*{fault}" if template != NO_END else fault):
        check_examples([fine, example], changed, 512)


def test_too_long_names_the_example(tokenizer):
    with pytest.raises(DataError, match=r"training example 2 has \d+ tokens \('Long\.'.*at most 64"):
        check_examples([Example("a", "b"), Example("Long.", "b" * 80)], tokenizer, 64)


def test_a_template_that_fails_is_one_line(tokenizer):
    import copy

    changed = copy.deepcopy(tokenizer)
    changed.chat_template = "{{ raise_exception('no system turns') }}"
    with pytest.raises(DataError, match=r"no system turns .*training example 1"):
        count_loss_tokens([Example("a", "b")], changed)


def test_without_a_padding_token_the_end_pads_and_nothing_else_changes(retokenized, finetuner, pairs, light, tmp_path):
    folder = retokenized(lambda tokenizer: setattr(tokenizer, "pad_token", None))
    recipe = light.model_copy(update={"packing": False})
    without = Finetuner(str(folder)).train([], pairs, recipe, seed=3, out=tmp_path / "a")
    assert any("no padding token" in note for note in without.notes)
    with_one = finetuner.train([], pairs, recipe, seed=3, out=tmp_path / "b")
    assert with_one.notes == ()
    assert without.losses == with_one.losses
    assert without.loss_tokens == with_one.loss_tokens


def test_neither_padding_nor_end_is_refused_before_training(retokenized, pairs, tmp_path):
    def strip(tokenizer):
        tokenizer.pad_token = tokenizer.eos_token = None

    with pytest.raises(UnsupportedError, match="neither a padding nor an end-of-sequence token"):
        Finetuner(str(retokenized(strip))).train([], pairs, Recipe(), seed=0, out=tmp_path / "x")
