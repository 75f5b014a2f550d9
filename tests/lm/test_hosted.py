import asyncio

import pytest
from inspect_ai.model import ModelOutput, ModelUsage

from counterpoise.errors import UnsupportedError, UsageError
from counterpoise.lm.hosted import InspectLM, open_inspect_model, response_schema
from counterpoise.lm.protocol import LanguageModel, Request

# Inspect AI itself calls tenacity in a way that tenacity deprecates, and leaves streams for the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def answering(text="fine", **fields):
    """An output with its usage, so that the mock does not count tokens (which needs a download)."""
    output = ModelOutput.from_content("mockllm", text)
    output.usage = ModelUsage(input_tokens=7, output_tokens=2, total_tokens=9)
    return output.model_copy(update=fields)


def ask(text="hello", **parameters):
    return Request(messages=[{"role": "system", "content": "s"}, {"role": "user", "content": text}], **parameters)


def test_settings_reach_the_provider_and_counts_come_back():
    seen = []

    def respond(input, tools, tool_choice, config):
        seen.append((input, config))
        return answering()

    lm = InspectLM("mockllm/model", custom_outputs=respond)
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    request = ask(n=3, temperature=0.7, top_p=0.9, seed=5, max_tokens=9, stop=("x",), schema=schema)
    (completions,) = lm.generate([request])
    assert isinstance(lm, LanguageModel)
    assert [(one.text, one.input_tokens, one.output_tokens, one.finish) for one in completions] == [
        ("fine", 7, 2, "stop")
    ] * 3
    messages, config = seen[0]
    assert [message.role for message in messages] == ["system", "user"]
    assert (config.temperature, config.top_p, config.max_tokens, config.stop_seqs) == (0.7, 0.9, 9, ["x"])
    assert config.response_schema.json_schema.model_dump(exclude_none=True) == schema
    assert len({config.seed for _, config in seen}) == 3


def test_order_is_kept_and_a_failure_stays_alone():
    def respond(input, tools, tool_choice, config):
        text = input[-1].text
        if text == "bad":
            raise RuntimeError("quota\nexceeded [now]")
        return answering(text.upper())

    lm = InspectLM("mockllm/model", custom_outputs=respond)
    completions = lm.generate([ask("a"), ask("bad"), ask("c")])
    assert [one[0].text for one in completions] == ["A", "", "C"]
    assert completions[1][0].finish == "error"
    assert "quota" in completions[1][0].error
    assert "\n" not in completions[1][0].error


def test_cut_and_refused_answers():
    outputs = [
        ModelOutput.from_content("mockllm", "half", stop_reason="max_tokens"),
        ModelOutput.from_content("mockllm", "", stop_reason="content_filter", error="filtered"),
    ]
    for output in outputs:
        output.usage = ModelUsage()
    cut, refused = InspectLM("mockllm/model", custom_outputs=outputs).generate([ask(), ask()])
    assert (cut[0].finish, cut[0].text) == ("length", "half")
    assert (refused[0].finish, refused[0].error) == ("error", "filtered")


def test_it_works_inside_a_running_loop():
    async def inside():
        return InspectLM("mockllm/model", custom_outputs=[answering()]).generate([ask()])

    assert asyncio.run(inside())[0][0].text == "fine"


def test_it_cannot_score_texts():
    lm = InspectLM("mockllm/model")
    assert lm.logprobs([]) == []
    assert lm.generate([]) == []
    with pytest.raises(UnsupportedError, match="'mockllm/model' cannot score a given text; expected a local model"):
        lm.logprobs([([{"role": "user", "content": "a"}], "b")])


@pytest.mark.parametrize("name", ["nonsense/model", "openai/gpt-5", "counterpoise/smolm", "counterpoise/./absent"])
def test_a_model_that_cannot_be_set_up_is_one_line(name, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match=f"model '{name}' cannot be used: ") as raised:
        open_inspect_model(name)
    assert "\n" not in str(raised.value)
    assert "[bold]" not in str(raised.value)


def test_schema_conversion_keeps_what_inspect_knows():
    schema = {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3}
    assert response_schema(schema).json_schema.model_dump(exclude_none=True) == {
        "type": "array",
        "items": {"enum": ["a", "b"]},
    }
