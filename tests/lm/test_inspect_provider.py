import asyncio
import json
import threading

import pytest
import torch
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    ResponseSchema,
    get_model,
)
from inspect_ai.scorer import includes
from inspect_ai.solver import generate
from inspect_ai.tool import ToolInfo
from inspect_ai.util import JSONSchema

from counterpoise.lm import inspect_provider
from counterpoise.lm.local import LocalLM
from counterpoise.lm.protocol import Request

# Inspect AI itself calls tenacity in a way that tenacity deprecates, and leaves streams for the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def model(tiny_folder):
    return get_model(f"counterpoise/{tiny_folder}", memoize=False)


def direct(model, text, **parameters):
    request = Request(messages=[{"role": "user", "content": text}], **parameters)
    return model.api._engine.model.generate([request])[0]


def test_an_evaluation_runs_and_answers_as_the_engine_does(model, tmp_path):
    texts = [f"the cat {number}" for number in range(12)]
    task = Task(
        dataset=MemoryDataset([Sample(input=text, target="a") for text in texts]),
        solver=generate(max_tokens=6),
        scorer=includes(),
    )
    (log,) = eval(task, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success"
    for text, sample in zip(texts, log.samples, strict=True):
        (expected,) = direct(model, text, max_tokens=6)
        assert sample.output.completion == expected.text
        assert sample.output.usage.output_tokens == expected.output_tokens
        assert sample.output.usage.input_tokens == expected.input_tokens


def test_concurrent_calls_share_a_batch(model, monkeypatch):
    sizes = []
    prefiller = model.api._engine.model._prefiller
    step = prefiller.step

    def counted(tokens, cache):
        sizes.append(len(tokens))
        return step(tokens, cache)

    monkeypatch.setattr(prefiller, "step", counted)

    async def ask_all():
        config = GenerateConfig(max_tokens=5, temperature=2.0, max_connections=32)
        calls = [model.generate(f"mat {number}", config=config) for number in range(16)]
        return await asyncio.gather(*calls)

    outputs = asyncio.run(ask_all())
    assert len(outputs) == 16
    assert max(sizes) > 4


def test_settings_are_honoured(model):
    class Bounded(JSONSchema):
        maxItems: int | None = None

    schema = Bounded.model_validate({"type": "array", "items": {"enum": ["cat"]}, "maxItems": 2})
    config = GenerateConfig(
        num_choices=3,
        temperature=1.5,
        top_p=0.9,
        seed=4,
        max_tokens=80,
        response_schema=ResponseSchema(name="x", json_schema=schema),
    )
    output = asyncio.run(model.generate("the", config=config))
    assert len(output.choices) == 3
    for choice in output.choices:
        assert len(json.loads(choice.message.text)) <= 2
    sampled = GenerateConfig(temperature=1.5, top_p=0.9, seed=4, max_tokens=8, stop_seqs=["zzzz"])
    expected = direct(model, "the", temperature=1.5, top_p=0.9, seed=4, max_tokens=8, stop=("zzzz",))[0].text
    assert asyncio.run(model.generate("the", config=sampled)).completion == expected


def test_a_request_that_cannot_be_carried_out_is_an_error_not_a_crash(model):
    output = asyncio.run(model.generate("cat " * 600, config=GenerateConfig(max_tokens=5)))
    assert "leaves no room" in output.error
    assert output.stop_reason == "unknown"


def test_tool_results_become_text_and_tool_calls_are_refused(model):
    messages = [
        ChatMessageUser(content="a"),
        ChatMessageAssistant(content="b"),
        ChatMessageTool(content="42", function="clock", tool_call_id="1"),
    ]
    output = asyncio.run(model.api.generate(messages, [], "auto", GenerateConfig(max_tokens=3)))
    assert output.usage.output_tokens <= 3
    assert inspect_provider._message(messages[2], images=False) == {"role": "user", "content": "Result of clock:\n42"}
    tool = ToolInfo(name="clock", description="tells the time")
    with pytest.raises(Exception, match="cannot call tools"):
        asyncio.run(model.api.generate(messages, [tool], "auto", GenerateConfig(max_tokens=3)))


def test_one_engine_for_all_users(tiny_folder, model):
    other = get_model(f"counterpoise/{tiny_folder}", memoize=False, config=GenerateConfig(max_tokens=2))
    assert other.api._engine is model.api._engine
    assert model.api.max_connections() == 2 * model.api._engine.model.max_batch


def test_a_fault_of_the_engine_reaches_the_caller(tiny_folder, monkeypatch):
    engine = inspect_provider._Engine(LocalLM.from_folder(tiny_folder, dtype=torch.float32, device="cpu"))

    def fail(source, deliver):
        source()
        raise ValueError("broken")

    monkeypatch.setattr(engine.model, "serve", fail)
    call = inspect_provider._Call(Request(messages=[{"role": "user", "content": "a"}]))
    engine.submit(call)
    with pytest.raises(ValueError, match="broken"):
        call.answer.result(timeout=10)
    monkeypatch.undo()
    again = inspect_provider._Call(Request(messages=[{"role": "user", "content": "a"}], max_tokens=2))
    engine.submit(again)
    assert again.answer.result(timeout=10)[0].finish in ("stop", "length")


def test_when_nobody_waits_the_engine_stops(tiny_folder, monkeypatch):
    lm = LocalLM.from_folder(tiny_folder, dtype=torch.float32, device="cpu")
    engine = inspect_provider._Engine(lm)
    begun, go_on = threading.Event(), threading.Event()
    steps = []
    step = lm._prefiller.step

    def slow(tokens, cache):
        steps.append(len(tokens))
        begun.set()
        go_on.wait(10)
        return step(tokens, cache)

    monkeypatch.setattr(lm._prefiller, "step", slow)
    monkeypatch.setattr(lm, "_ends", frozenset())
    call = inspect_provider._Call(Request(messages=[{"role": "user", "content": "a"}], max_tokens=300))
    engine.submit(call)
    assert begun.wait(10)
    assert call.answer.cancel()
    go_on.set()
    engine._thread.shutdown(wait=True)
    assert len(steps) <= 2
