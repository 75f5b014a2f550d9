import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterpoise.errors import DataError, MissingExtraError, UnsupportedError
from counterpoise.lm.local import LocalLM
from counterpoise.lm.protocol import LanguageModel, Request

TOPICS = ["the cat", "a mat", "one two three " * 6, "x", "sat on the mat, user", "system " * 15, "é ☃", "three"]


def ask(text, **parameters):
    return Request(messages=[{"role": "user", "content": text}], **{"max_tokens": 12, **parameters})


def prompt_ids(lm, request):
    text = lm.tokenizer.apply_chat_template(list(request.messages), add_generation_prompt=True, tokenize=False)
    return lm.tokenizer(text, add_special_tokens=False)["input_ids"]


@torch.inference_mode()
def greedy_reference(lm, request):
    """One request, no cache, no batch: the definition of greedy decoding."""
    ids, written = prompt_ids(lm, request), []
    while len(written) < request.max_tokens:
        token = int(lm.model(torch.tensor([ids + written])).logits[0, -1].argmax())
        if token == lm.tokenizer.eos_token_id:
            return written, "stop"
        written.append(token)
    return written, "length"


def test_satisfies_the_protocol(tiny):
    assert isinstance(tiny, LanguageModel)
    assert tiny.name == "tiny"
    assert len(tiny.revision) == 16


def test_greedy_equals_one_by_one_without_cache(tiny):
    requests = [ask(topic, max_tokens=5 + 9 * number) for number, topic in enumerate(TOPICS * 2)]
    completions = tiny.generate(requests)
    finishes = set()
    for request, (completion,) in zip(requests, completions, strict=True):
        tokens, finish = greedy_reference(tiny, request)
        assert completion.text == tiny.tokenizer.decode(tokens, skip_special_tokens=True)
        assert (completion.finish, completion.output_tokens) == (finish, len(tokens))
        assert completion.input_tokens == len(prompt_ids(tiny, request))
        assert completion.error is None
        assert completion.seconds > 0
        finishes.add(finish)
    # Both ways to end must occur, or compaction was not exercised.
    assert finishes == {"stop", "length"}


def test_shared_beginning_gives_the_same_text(tiny):
    shared = {"role": "system", "content": "one two three, the cat sat on the mat. " * 3}
    requests = [Request(messages=[shared, {"role": "user", "content": topic}], max_tokens=20) for topic in TOPICS]
    together = tiny.generate(requests)
    for request, (completion,) in zip(requests, together, strict=True):
        tokens, _ = greedy_reference(tiny, request)
        assert completion.text == tiny.tokenizer.decode(tokens, skip_special_tokens=True)


@given(
    order=st.permutations(range(len(TOPICS))),
    size=st.integers(1, len(TOPICS)),
    temperature=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    top_p=st.sampled_from([0.3, 0.9, 1.0]),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_sample_does_not_depend_on_its_batch(tiny, order, size, temperature, top_p):
    requests = [
        ask(topic, n=2, temperature=temperature, top_p=top_p, seed=number) for number, topic in enumerate(TOPICS)
    ]
    chosen = [requests[number] for number in order[:size]]
    batched = tiny.generate(chosen)
    for request, completions in zip(chosen, batched, strict=True):
        alone = tiny.generate([request])[0]
        assert [one.text for one in completions] == [one.text for one in alone]


def test_parameters_are_each_request_s_own(tiny):
    hot = ask("the cat", temperature=2.0, seed=1, max_tokens=30)
    requests = [ask("the cat", max_tokens=3), hot, ask("the cat", temperature=2.0, seed=2, max_tokens=30)]
    short, first, second = (completions[0] for completions in tiny.generate(requests))
    assert short.output_tokens <= 3
    assert first.text != second.text
    assert tiny.generate([hot])[0][0].text == first.text


def test_samples_differ_and_a_prefix_of_samples_is_kept(tiny):
    many = tiny.generate([ask("the mat", n=6, temperature=1.5, seed=3)])[0]
    few = tiny.generate([ask("the mat", n=2, temperature=1.5, seed=3)])[0]
    assert len(many) == 6
    assert len({completion.text for completion in many}) > 1
    assert [completion.text for completion in few] == [completion.text for completion in many[:2]]


def test_tiny_nucleus_is_greedy(tiny):
    greedy = tiny.generate([ask("one two", max_tokens=20)])[0][0]
    nucleus = tiny.generate([ask("one two", max_tokens=20, temperature=1.0, top_p=1e-9)])[0][0]
    assert nucleus.text == greedy.text


def test_stop_string_ends_before_its_first_occurrence(tiny):
    free = tiny.generate([ask("the cat", max_tokens=40)])[0][0].text
    stop = free[len(free) // 2 : len(free) // 2 + 2]
    stopped, other = tiny.generate([ask("the cat", max_tokens=40, stop=(stop,)), ask("the cat", max_tokens=40)])
    assert stopped[0].text == free.split(stop, 1)[0]
    assert stopped[0].finish == "stop"
    assert other[0].text == free


@pytest.mark.parametrize(
    ("schema", "check"),
    [
        ({"type": "object", "properties": {"b": {"type": "boolean"}, "a": {"type": "boolean"}}, "required": ["b", "a"],
          "additionalProperties": False}, lambda value: list(value) == ["b", "a"]),
        ({"type": "array", "items": {"enum": ["cat", "mat"]}, "minItems": 2, "maxItems": 3},
         lambda value: 2 <= len(value) <= 3 and set(value) <= {"cat", "mat"}),
        ({"enum": ["yes", "no"]}, lambda value: value in ("yes", "no")),
        ({"type": "string", "maxLength": 5}, lambda value: len(value) <= 5),
    ],
)  # fmt: skip
def test_schema_constrained_output_parses(tiny, schema, check):
    requests = [ask("the cat", n=3, temperature=1.5, max_tokens=150, schema=schema), ask("free", temperature=1.0)]
    constrained, free = tiny.generate(requests)
    for completion in constrained:
        assert completion.finish == "stop", completion
        assert check(json.loads(completion.text))
    assert len(free) == 1


def test_schema_that_cannot_be_compiled_fails_alone(tiny):
    bad, good = tiny.generate([ask("a", n=2, schema={"type": "nonsense"}), ask("a")])
    assert [completion.finish for completion in bad] == ["error", "error"]
    assert "schema" in bad[0].error
    assert "\n" not in bad[0].error
    assert good[0].finish != "error"


def test_prompt_without_room_fails_alone(tiny):
    long, good = tiny.generate([ask("cat " * 600), ask("cat")])
    assert long[0].finish == "error"
    assert "leaves no room for 12 more" in long[0].error
    assert good[0].finish != "error"


def test_messages_that_the_template_refuses_fail_alone(tiny_folder):
    lm = LocalLM.from_folder(tiny_folder, dtype=torch.float32, device="cpu")
    lm.tokenizer.chat_template = "{% if messages|length > 1 %}{{ raise_exception('one only') }}{% endif %}x"
    two = Request(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], max_tokens=2)
    bad, good = lm.generate([two, ask("a", max_tokens=2)])
    assert "the chat template refuses the messages: one only" in bad[0].error
    assert good[0].finish != "error"


def test_a_failing_model_gives_errors_not_an_exception(tiny_folder, monkeypatch):
    lm = LocalLM.from_folder(tiny_folder, dtype=torch.float32, device="cpu")

    def fail(*_, **__):
        raise RuntimeError("out of memory\nsecond line")

    monkeypatch.setattr(lm.model, "forward", fail)
    completions = lm.generate([ask("a", n=2), ask("b")])
    assert [[one.error for one in each] for each in completions] == [
        ["the model failed: out of memory second line"] * 2,
        ["the model failed: out of memory second line"],
    ]


def test_nothing_asked_nothing_answered(tiny):
    assert tiny.generate([]) == []
    assert tiny.logprobs([]) == []


def test_progress_counts_samples(tiny):
    seen = []
    tiny.on_progress = lambda done, total: seen.append((done, total))
    try:
        tiny.generate([ask("a", n=2), ask("cat " * 600), ask("b")])
    finally:
        tiny.on_progress = None
    assert [total for _, total in seen] == [4, 4, 4]
    # The prompt that is too long is known to fail before anything is written.
    assert seen[0][0] == 1
    assert seen[-1][0] == 4


def test_requests_may_arrive_while_others_are_written(tiny):
    later = [[("c", ask("three", n=2, temperature=1.0))], [], [("b", ask("cat " * 600)), ("a", ask("the cat"))]]
    delivered = {}
    tiny.serve(lambda: later.pop() if later else [], delivered.__setitem__)
    assert delivered["b"][0].finish == "error"
    assert delivered["a"][0].text == tiny.generate([ask("the cat")])[0][0].text
    together = tiny.generate([ask("three", n=2, temperature=1.0)])[0]
    assert [one.text for one in delivered["c"]] == [one.text for one in together]


def test_training_mode_is_given_back(tiny):
    tiny.model.train()
    try:
        tiny.generate([ask("a", max_tokens=1)])
        assert tiny.model.training
    finally:
        tiny.model.eval()


def test_small_budgets_change_nothing(tiny_folder, tiny):
    small = LocalLM.from_folder(tiny_folder, dtype=torch.float32, device="cpu", max_batch=3, max_batch_tokens=60)
    requests = [ask(topic) for topic in TOPICS]
    assert [one.text for (one,) in small.generate(requests)] == [one.text for (one,) in tiny.generate(requests)]


def test_bfloat16_runs(tiny_folder):
    lm = LocalLM.from_folder(tiny_folder, dtype=torch.bfloat16, device="cpu")
    assert lm.revision != LocalLM.from_folder(tiny_folder, dtype=torch.float32, device="cpu").revision
    assert all(one.error is None for (one,) in lm.generate([ask(topic) for topic in TOPICS]))


@torch.inference_mode()
def direct_logprobs(lm, messages, continuation):
    prompt = prompt_ids(lm, Request(messages=messages))
    tokens = lm.tokenizer(continuation, add_special_tokens=False)["input_ids"]
    logits = lm.model(torch.tensor([prompt + tokens])).logits[0].log_softmax(-1)
    return [float(logits[len(prompt) + index - 1, token]) for index, token in enumerate(tokens)]


@pytest.mark.parametrize("logits_at_once", [1 << 25, 1])
def test_logprobs_equal_a_direct_computation(tiny, monkeypatch, logits_at_once):
    monkeypatch.setattr("counterpoise.lm.engine.scoring.LOGITS_AT_ONCE", logits_at_once)
    chats = [[{"role": "user", "content": topic}] for topic in TOPICS]
    pairs = [(chats[number % 3], topic) for number, topic in enumerate(TOPICS)] + [(chat, "the cat") for chat in chats]
    for (messages, continuation), scored in zip(pairs, tiny.logprobs(pairs), strict=True):
        assert scored.logprobs == pytest.approx(direct_logprobs(tiny, messages, continuation), abs=1e-4)
        assert len(scored.tokens) == len(scored.logprobs)


@pytest.mark.parametrize("shared", [1, 2, 16])
def test_continuations_that_begin_alike_are_read_together(tiny, monkeypatch, shared):
    """Beginnings within beginnings, one that is another's whole, equal ones, an empty one, and other prompts."""
    monkeypatch.setattr("counterpoise.lm.engine.scoring.SHARED", shared)
    chats = [[{"role": "user", "content": topic}] for topic in TOPICS[:2]]
    begin = " ".join(TOPICS[:4])
    ends = ["", " a", " a", *(f" the cat {topic}" for topic in TOPICS), *(f" a dog {topic}" for topic in TOPICS)]
    pairs = [(chats[0], begin + end) for end in ends] + [(chats[1], begin), (chats[0], ""), (chats[1], "cat")]
    fed = []
    forward = tiny.model.forward

    def counted(*args, **kwargs):
        fed.append(kwargs["input_ids"].numel())
        return forward(*args, **kwargs)

    monkeypatch.setattr(tiny.model, "forward", counted)
    scored = tiny.logprobs(pairs)
    together = sum(fed)
    monkeypatch.setattr("counterpoise.lm.engine.scoring.SHARED", 10**6)
    fed.clear()
    apart = tiny.logprobs(pairs)
    monkeypatch.undo()
    assert together < 0.7 * sum(fed)
    for one, other, (messages, continuation) in zip(scored, apart, pairs, strict=True):
        assert one.tokens == other.tokens
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert one.logprobs == pytest.approx(direct_logprobs(tiny, messages, continuation), abs=1e-4)


def test_empty_continuation_has_no_tokens(tiny):
    chat = [{"role": "user", "content": "a"}]
    empty, full = tiny.logprobs([(chat, ""), (chat, "cat")])
    assert empty.tokens == empty.logprobs == ()
    assert "".join(full.tokens) == "cat"


def test_logprobs_beyond_the_window_are_refused(tiny):
    with pytest.raises(DataError, match=r"has \d+ tokens with its prompt \(pair 1\); expected at most 512"):
        tiny.logprobs([([{"role": "user", "content": "a"}], "cat " * 600)])


def test_no_chat_template_is_said(tiny):
    class Plain:
        chat_template = None

    with pytest.raises(UnsupportedError, match="'x' has no chat template; expected an instruction-tuned model"):
        LocalLM(tiny.model, Plain(), name="x", revision="1")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_adapter_is_merged_or_refused(tiny_folder, tiny, tmp_path, monkeypatch):
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_folder)
    adapted = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapted.save_pretrained(tmp_path)
    merged = LocalLM.from_folder(tiny_folder, adapter=tmp_path, dtype=torch.float32, device="cpu")
    assert merged.revision != tiny.revision
    chat = [{"role": "user", "content": "the cat"}]
    with torch.inference_mode():
        adapted.eval()
        ids = prompt_ids(tiny, Request(messages=chat))
        expected = adapted(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
    token = int(expected.argmax())
    text = tiny.tokenizer.decode([token])
    if tiny.tokenizer(text, add_special_tokens=False)["input_ids"] == [token]:
        assert merged.logprobs([(chat, text)])[0].logprobs[0] == pytest.approx(float(expected[token]), abs=1e-4)
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingExtraError, match="loading an adapter needs the package 'peft'"):
        LocalLM.from_folder(tiny_folder, adapter=tmp_path)
