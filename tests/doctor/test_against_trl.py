"""The mask doctor against TRL's own preparation of a dataset and its collator: equal, example by example."""

import random

import pytest

from counterpoise.doctor.masks import examine_masks

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

WORDS = "the cat sat on mat one two user assistant λ 雪 🐈 \t \n <|end|> <|start|>assistant".split(" ")
# The header of an answer ends in something that the whole conversation leaves out.
THINKING = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n<think></think>{% endif %}"
)
LENGTHS = [None, 60, 12]


@pytest.fixture(scope="module")
def model(tiny_llama):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_llama("unused", merges=True))


def text(rng):
    return " ".join(rng.choices(WORDS, k=rng.randint(0, 12)))


def turn(rng, role):
    return {"role": role, "content": text(rng)}


def conversation(rng, exchanges):
    system = [turn(rng, "system")] if rng.random() < 0.5 else []
    return [*system, *(turn(rng, role) for _ in range(exchanges) for role in ("user", "assistant"))]


def rows(shape, number=40):
    """Seeded rows of one shape; empty answers, special tokens inside texts and long prompts are among them."""
    rng = random.Random(shape)
    if shape == "text":
        return [{"text": text(rng)} for _ in range(number)]
    if shape == "strings":
        return [{"prompt": text(rng), "completion": text(rng)} for _ in range(number)]
    if shape == "messages":
        return [{"messages": conversation(rng, rng.randint(1, 3))} for _ in range(number)]
    whole = [conversation(rng, rng.randint(1, 2)) for _ in range(number)]
    return [{"prompt": turns[:-1], "completion": turns[-1:]} for turns in whole]


def trl_counts(rows, model, tokenizer, tmp_path, max_length, **settings):
    """By TRL: labels that are not -100 in the batch of each example; 0 for an example that was left out."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from counterpoise.customization.finetune.training import quiet_training

    arguments = SFTConfig(
        output_dir=str(tmp_path), max_length=max_length, use_cpu=True, bf16=False, report_to="none", **settings
    )
    dataset = Dataset.from_list([{**row, "number": number} for number, row in enumerate(rows)])
    with quiet_training():
        trainer = SFTTrainer(model=model, args=arguments, train_dataset=dataset, processing_class=tokenizer)
    counts = [0] * len(rows)
    for row in trainer.train_dataset:
        batch = trainer.data_collator([{"input_ids": row["input_ids"], "labels": row["labels"]}])
        counts[row["number"]] = int((batch["labels"] != -100).sum())
    return counts


def our_counts(rows, tokenizer, max_length):
    return [examine_masks([row], tokenizer, max_length=max_length).loss_tokens for row in rows]


@pytest.mark.parametrize("max_length", LENGTHS)
@pytest.mark.parametrize(
    ("shape", "template"),
    [("text", "plain"), ("strings", "plain"), ("turns", "plain"), ("turns", "marked"), ("turns", "thinking")],
)
def test_completion_only(shape, template, max_length, model, tokenizer, templates, tmp_path):
    made = tokenizer({**templates, "thinking": THINKING}[template], merges=True)
    examples = rows(shape)
    ours = our_counts(examples, made, max_length)
    assert ours == trl_counts(examples, model, made, tmp_path, max_length)
    # Some examples must lose all, or this would compare little.
    if max_length != 60:
        assert (min(ours) == 0) == (max_length == 12 and shape != "text")


@pytest.mark.parametrize("max_length", LENGTHS)
def test_assistant_only_by_the_marks_of_the_template(max_length, model, tokenizer, templates, tmp_path):
    made = tokenizer(templates["marked"], merges=True)
    examples = rows("messages")
    expected = trl_counts(examples, model, made, tmp_path, max_length, assistant_only_loss=True)
    assert our_counts(examples, made, max_length) == expected
    assert sum(expected) > 0


@pytest.mark.parametrize("max_length", LENGTHS)
def test_assistant_only_by_a_template_that_trl_puts_in_place(max_length, model, tokenizer, tmp_path):
    from trl.chat_template_utils import qwen3_chat_template

    made = tokenizer(qwen3_chat_template, merges=True)
    examples = rows("messages")
    expected = trl_counts(examples, model, made, tmp_path, max_length, assistant_only_loss=True)
    assert our_counts(examples, made, max_length) == expected
    report = examine_masks(examples, made, max_length=max_length)
    assert report.rule == "the assistant's turns"
    assert report.loss_tokens == sum(expected)


def test_without_marks_trl_refuses_messages_and_the_last_turn_is_the_completion(model, tokenizer, tmp_path):
    made = tokenizer(merges=True)
    examples = rows("messages")
    with pytest.raises(ValueError, match="not training-compatible"):
        trl_counts(examples, model, made, tmp_path, None, assistant_only_loss=True)
    report = examine_masks(examples, made)
    assert report.rule == "the last turn"
    assert "refuses assistant_only_loss" in report.notes[0]
    split = [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in examples]
    assert our_counts(examples, made, 90) == trl_counts(split, model, made, tmp_path, 90)
