"""A few short checks with real weights; everything else is tested with a tiny model."""

import json

import pytest
import torch

from counterpoise.lm.embedded import smollm2_folder
from counterpoise.lm.local import LocalLM
from counterpoise.lm.protocol import Request

QUESTIONS = [
    "What is the capital of France?",
    "Say yes.",
    "Count from one to five. " * 8,
    "If the lamp had been off, would the room have been dark?",
]


@pytest.fixture(scope="module")
def lm():
    return LocalLM.from_folder(smollm2_folder(), name="embedded/smollm2", dtype=torch.float32, max_batch=3)


def chat(text):
    return [{"role": "user", "content": text}]


def test_answers_equal_those_of_transformers(lm):
    requests = [Request(messages=chat(question), max_tokens=16) for question in QUESTIONS]
    for question, (completion,) in zip(QUESTIONS, lm.generate(requests), strict=True):
        ids = lm.tokenizer.apply_chat_template(
            chat(question), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        written = lm.model.generate(**ids, max_new_tokens=16, do_sample=False)
        expected = lm.tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        assert completion.text == expected
        assert completion.input_tokens == ids["input_ids"].shape[1]


def test_it_knows_a_likely_answer_from_an_unlikely_one(lm):
    likely, unlikely = lm.logprobs(
        [(chat(QUESTIONS[0]), "The capital of France is Paris."), (chat(QUESTIONS[0]), "Seventeen green umbrellas.")]
    )
    assert sum(likely.logprobs) / len(likely.logprobs) > -1 > sum(unlikely.logprobs) / len(unlikely.logprobs)


def test_a_small_model_still_writes_json():
    lm = LocalLM.from_folder(smollm2_folder())
    schema = {
        "type": "object",
        "properties": {"fruit": {"type": "string", "maxLength": 12}, "ripe": {"type": "boolean"}},
        "required": ["fruit", "ripe"],
        "additionalProperties": False,
    }
    request = Request(messages=chat("Describe a fruit."), n=3, temperature=1.0, seed=1, max_tokens=60, schema=schema)
    for completion in lm.generate([request])[0]:
        assert list(json.loads(completion.text)) == ["fruit", "ripe"]
