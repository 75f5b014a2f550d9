import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Set before anything imports tokenizers, whose threads and a fork do not go together.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Set before anything imports torch: processes side by side, each with a thread for every core, wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


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
def byte_tokenizer() -> Callable[..., Any]:
    """Makes a byte-level tokenizer with three special tokens and those that are given.

    Without merges every byte is a token, which makes tokens easy to count.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    def make(*specials: str, merges: bool = True):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=320 if merges else 0,
            special_tokens=["<|pad|>", "<|start|>", "<|end|>", *specials],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(["the cat sat on the mat", "user assistant system", "one two three"] * 3, trainer)
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<|pad|>", bos_token="<|start|>", eos_token="<|end|>"
        )

    return make


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory, byte_tokenizer) -> Callable[..., Path]:
    """Saves a random two-layer Llama with the chat template that is given; see ``byte_tokenizer``."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    def build(template: str, *, merges: bool, **settings) -> Path:
        fast = byte_tokenizer(merges=merges)
        fast.chat_template = template
        config = LlamaConfig(
            vocab_size=len(fast),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            **{"max_position_embeddings": 512, **settings},
            bos_token_id=fast.bos_token_id,
            eos_token_id=fast.eos_token_id,
            pad_token_id=fast.pad_token_id,
        )
        folder = tmp_path_factory.mktemp("tiny") / "model"
        with torch.random.fork_rng():
            torch.manual_seed(0)
            LlamaForCausalLM(config).save_pretrained(folder)
        fast.save_pretrained(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def tiny_vlm(tmp_path_factory, byte_tokenizer) -> Callable[[int], Path]:
    """Saves a random two-layer Llava with a context window of so many tokens; a picture is 16 tokens."""
    import torch
    import transformers
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    # Weights of this size keep greedy choices far apart, so that rounding does not change a text.
    shape = {"num_hidden_layers": 2, "initializer_range": 0.3}
    template = (
        "{% for message in messages %}<|start|>{{ message['role'] }}\n{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
    )

    def build(window: int) -> Path:
        tokenizer = byte_tokenizer("<image>")
        config = transformers.LlavaConfig(
            vision_config=transformers.CLIPVisionConfig(
                **shape, hidden_size=16, intermediate_size=32, num_attention_heads=2, image_size=32, patch_size=8
            ),
            text_config=transformers.LlamaConfig(
                **shape,
                hidden_size=32,
                intermediate_size=64,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=window,
                vocab_size=len(tokenizer),
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            ),
            image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        )
        processor = transformers.LlavaProcessor(
            CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
            tokenizer,
            patch_size=8,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=template,
        )
        folder = tmp_path_factory.mktemp("vlm") / "llava"
        with torch.random.fork_rng():
            torch.manual_seed(0)
            transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
        processor.save_pretrained(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def tiny_tagger(tmp_path_factory) -> Path:
    """A two-layer BERT for named entities, taught by hand: "ada" and "lovelace" are a person, "paris" is a place."""
    import torch
    from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tagger") / "model"
    folder.mkdir()
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] ada love ##lace paris the met in and . ,".split()
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertForTokenClassification(config)
    with torch.no_grad():
        # Layers that add nothing hand each token's own embedding, a unit of its own, to the classifier.
        for name, weights in model.named_parameters():
            weights.fill_(1.0 if "LayerNorm.weight" in name else 0.0)
        model.bert.embeddings.word_embeddings.weight[:, : len(words)] = torch.eye(len(words))
        for word, label in {"ada": 1, "love": 2, "##lace": 4, "paris": 3}.items():
            model.classifier.weight[label, words.index(word)] = 5.0
        model.classifier.bias[0] = 1.0
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory) -> Path:
    """A random one-layer OWL-ViT for pictures of 32 by 32 pixels, which looks at 16 fields; letters are tokens."""
    import string

    import torch
    from transformers import CLIPTokenizer, OwlViTConfig, OwlViTForObjectDetection, OwlViTProcessor
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

    folder = tmp_path_factory.mktemp("detector") / "model"
    letters = string.ascii_lowercase + string.digits
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={token: at for at, token in enumerate(tokens)}, merges=[], model_max_length=16)
    pictures = OwlViTImageProcessorPil(size={"height": 32, "width": 32})
    OwlViTProcessor(image_processor=pictures, tokenizer=tokenizer).save_pretrained(folder)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = OwlViTConfig(
        text_config={
            **shape,
            "vocab_size": len(tokens),
            "max_position_embeddings": 16,
            "bos_token_id": len(tokens) - 2,
            "eos_token_id": len(tokens) - 1,
            "pad_token_id": len(tokens) - 1,
        },
        vision_config={**shape, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        OwlViTForObjectDetection(config).save_pretrained(folder)
    return folder
