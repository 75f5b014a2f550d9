"""The engine against a plain one-by-one loop on models that differ where it could go wrong."""

import pytest
import torch
import transformers

from counterpoise.errors import UnsupportedError
from counterpoise.lm.local import LocalLM
from counterpoise.lm.protocol import Request

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,
}
SHARED = "one two three, the cat sat on the mat. " * 3
TOPICS = ["the cat", "x", "a mat and a cat " * 4, "three", "user system"]

CONFIGURATIONS = {
    "multi-head attention": ("Llama", {**SIZES, "num_key_value_heads": 4}),
    "local attention": ("Mistral", {**SIZES, "sliding_window": 7}),
    "every other layer local": (
        "Gemma3Text",
        {**SIZES, "sliding_window": 7, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "capped logits": ("Gemma2", {**SIZES, "sliding_window": 200, "query_pre_attn_scalar": 8}),
    "biased attention": ("Qwen2", {key: value for key, value in SIZES.items() if key != "head_dim"}),
    "normalised queries": ("Qwen3", SIZES),
    "learned positions": (
        "GPT2",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.3},
    ),
}


def build(name, settings, tokenizer):
    torch.manual_seed(1)
    kind = name.removesuffix("Text")
    config = getattr(transformers, f"{name}Config")(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **settings,
    )
    model = getattr(transformers, f"{kind}ForCausalLM", None) or getattr(transformers, f"{kind}LMHeadModel")
    return model(config).eval()


@torch.inference_mode()
def reference(lm, request):
    text = lm.tokenizer.apply_chat_template(list(request.messages), add_generation_prompt=True, tokenize=False)
    ids, written = lm.tokenizer(text, add_special_tokens=False)["input_ids"], []
    while len(written) < request.max_tokens:
        token = int(lm.model(torch.tensor([ids + written]), use_cache=False).logits[0, -1].argmax())
        if token == lm.tokenizer.eos_token_id:
            break
        written.append(token)
    return lm.tokenizer.decode(written, skip_special_tokens=True)


@pytest.mark.parametrize(
    ("kind", "attention"),
    [
        (kind, attention)
        for kind in CONFIGURATIONS
        for attention in ("sdpa", "eager")
        # transformers has no fused kernel for capped logits.
        if (kind, attention) != ("capped logits", "sdpa")
    ],
)
def test_greedy_equals_a_plain_loop(tiny, kind, attention):
    model = build(*CONFIGURATIONS[kind], tiny.tokenizer)
    model.set_attn_implementation(attention)
    lm = LocalLM(model, tiny.tokenizer, name=kind, revision="1", max_batch=3)
    requests = [
        Request(
            messages=[{"role": "system", "content": SHARED}, {"role": "user", "content": topic}],
            max_tokens=6 + 5 * number,
        )
        for number, topic in enumerate(TOPICS)
    ]
    for request, (completion,) in zip(requests, lm.generate(requests), strict=True):
        assert completion.error is None
        assert completion.text == reference(lm, request)
    assert model.config._attn_implementation == attention


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_logprobs_equal_one_forward_pass(tiny, kind):
    lm = LocalLM(build(*CONFIGURATIONS[kind], tiny.tokenizer), tiny.tokenizer, name=kind, revision="1")
    pairs = [([{"role": "user", "content": topic}], "the cat sat on a mat " + topic) for topic in TOPICS]
    for (messages, continuation), scored in zip(pairs, lm.logprobs(pairs), strict=True):
        text = tiny.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        prompt, rest = (tiny.tokenizer(part, add_special_tokens=False)["input_ids"] for part in (text, continuation))
        with torch.inference_mode():
            table = lm.model(torch.tensor([prompt + rest]), use_cache=False).logits[0].log_softmax(-1)
        expected = [float(table[len(prompt) + index - 1, token]) for index, token in enumerate(rest)]
        assert scored.logprobs == pytest.approx(expected, abs=1e-3)


def test_a_recurrent_state_is_refused(tiny):
    config = transformers.MambaConfig(vocab_size=len(tiny.tokenizer), hidden_size=16, num_hidden_layers=1)
    with pytest.raises(UnsupportedError, match="cannot run models of type 'mamba', which keep a recurrent state"):
        LocalLM(transformers.MambaForCausalLM(config), tiny.tokenizer, name="m", revision="1")
