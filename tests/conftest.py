import os
from collections.abc import Callable
from pathlib import Path

import pytest

# Set before anything imports tokenizers, whose threads and a fork do not go together.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of downloaded public data; tests that ask for it skip without it."""
    folder = os.environ.get("COUNTERPOISE_DATA")
    if not folder:
        pytest.skip("needs public data: set COUNTERPOISE_DATA to its folder")
    if not Path(folder).is_dir():
        pytest.fail(f"COUNTERPOISE_DATA is not a folder: {folder}")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory) -> Callable[..., Path]:
    """Saves a random two-layer Llama: byte-level tokenizer, three special tokens, the chat template that is given.

    Without merges every byte is a token, which makes tokens easy to count.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    def build(template: str, *, merges: bool, **settings) -> Path:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=320 if merges else 0,
            special_tokens=["<|pad|>", "<|start|>", "<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(["the cat sat on the mat", "user assistant system", "one two three"] * 3, trainer)
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<|pad|>", bos_token="<|start|>", eos_token="<|end|>"
        )
        fast.chat_template = template
        config = LlamaConfig(
            vocab_size=len(fast),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            bos_token_id=fast.bos_token_id,
            eos_token_id=fast.eos_token_id,
            pad_token_id=fast.pad_token_id,
            **settings,
        )
        folder = tmp_path_factory.mktemp("tiny") / "model"
        with torch.random.fork_rng():
            torch.manual_seed(0)
            LlamaForCausalLM(config).save_pretrained(folder)
        fast.save_pretrained(folder)
        return folder

    return build
