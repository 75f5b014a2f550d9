"""Models that read images, on random models small enough to build here."""

import asyncio
import base64
import io
import json
import shutil
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ContentAudio, ContentImage, ContentText, GenerateConfig, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate
from PIL import Image
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from counterpoise.errors import DataError, UnsupportedError, UsageError
from counterpoise.lm import vision
from counterpoise.lm.images import read_image
from counterpoise.lm.loading import load_vision_folder, reads_images
from counterpoise.lm.names import open_model
from counterpoise.lm.protocol import LanguageModel, Request
from counterpoise.lm.vision import VisionLM

# Inspect AI itself calls tenacity in a way that tenacity deprecates, and leaves streams for the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
# Weights of this size keep greedy choices far apart, so that rounding does not change a text.
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
}
SIGHT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    "initializer_range": 0.3,
}


def text_settings(tokenizer):
    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    return {**TEXT, "vocab_size": len(tokenizer), **ids}


def idefics3(byte_tokenizer):
    """Images cut into tiles, as SmolVLM reads them; texts without images are padded with black ones."""
    tiles = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    tokenizer = byte_tokenizer("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *tiles)
    config = transformers.Idefics3Config(
        vision_config=SIGHT,
        text_config=transformers.LlamaConfig(**text_settings(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    processor = transformers.Idefics3Processor(
        Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}),
        tokenizer,
        image_seq_len=4,
        chat_template=TEMPLATE.replace("IMAGE", "<image>"),
    )
    return transformers.Idefics3ForConditionalGeneration(config), processor


def qwen2_vl(byte_tokenizer):
    """Images in their own size, positions in three dimensions, and a processor with a part for videos."""
    tokenizer = byte_tokenizer("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    number = tokenizer.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
    config = transformers.Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 16, "hidden_size": 32, "num_heads": 2, "patch_size": 4, "mlp_ratio": 2},
        text_config={**text_settings(tokenizer), "rope_parameters": rope},
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )
    # The part for videos needs torchvision even to be saved.
    parts = {"get_attributes": classmethod(lambda _: ["image_processor", "tokenizer"])}
    processor = type("Qwen2VLProcessor", (transformers.Qwen2VLProcessor,), parts)(
        Qwen2VLImageProcessorPil(patch_size=4, min_pixels=16 * 16, max_pixels=32 * 32),
        tokenizer,
        chat_template=TEMPLATE.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    return transformers.Qwen2VLForConditionalGeneration(config), processor


BUILDERS = {"idefics3": idefics3, "qwen2_vl": qwen2_vl}
KINDS = ("llava", *BUILDERS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_vlm, byte_tokenizer) -> dict[str, Path]:
    saved = {"llava": tiny_vlm(512)}
    for name, build in BUILDERS.items():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model, processor = build(byte_tokenizer)
        saved[name] = tmp_path_factory.mktemp("vision") / name
        model.save_pretrained(saved[name])
        processor.save_pretrained(saved[name])
    return saved


@pytest.fixture(scope="module")
def loaded(folders) -> dict[str, VisionLM]:
    return {
        name: VisionLM.from_folder(folder, name=name, dtype=torch.float32, device="cpu", max_batch=8)
        for name, folder in folders.items()
    }


@pytest.fixture(scope="module")
def lm(loaded) -> VisionLM:
    return loaded["llava"]


@pytest.fixture
def copy(folders, tmp_path):
    return shutil.copytree(folders["llava"], tmp_path / "model")


def uri(image, kind="PNG", **settings):
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def noise(seed, height=40, width=60, kind="PNG"):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return uri(Image.fromarray(pixels), kind)


def said(text, *images):
    return [{"role": "user", "content": text, **({"images": list(images)} if images else {})}]


def ask(text, *images, **parameters):
    return Request(messages=said(text, *images), **{"max_tokens": 12, **parameters})


def texts(completions):
    return [[one.text for one in each] for each in completions]


def mixed():
    return [
        ask("the cat", noise(1)),
        ask("the cat", noise(2), max_tokens=5),
        ask("the cat"),
        ask("one two three, a longer text without an image"),
        ask("x", noise(3, 20, 90, "JPEG"), noise(4)),
        ask("mat", noise(5), temperature=1.5, top_p=0.9, n=3, seed=3),
        ask("mat", temperature=1.5, n=2, seed=3),
        Request(messages=[*said("a", noise(6)), {"role": "assistant", "content": "b"}, *said("c")], max_tokens=12),
    ]


def test_satisfies_the_protocol(lm):
    assert isinstance(lm, LanguageModel)
    assert len(lm.revision) == 16
    assert lm.context_window == 512
    assert lm.generate([]) == []
    assert lm.logprobs([]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_changes_what_is_written(loaded, kind):
    lm = loaded[kind]
    first, second, none = lm.generate([ask("the cat", noise(1)), ask("the cat", noise(2)), ask("the cat")])
    assert len({one[0].text for one in (first, second, none)}) == 3
    assert first[0].input_tokens > none[0].input_tokens
    scores = [one.logprobs for one in lm.logprobs([(said("a", noise(seed)), "the cat") for seed in (1, 2)])]
    assert max(abs(one - other) for one, other in zip(*scores, strict=True)) > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_equals_one_by_one(loaded, kind):
    lm, requests = loaded[kind], mixed()
    together = lm.generate(requests)
    assert all(one.error is None for each in together for one in each)
    assert texts(together) == [texts([lm.generate([request])[0]])[0] for request in requests]
    backwards = lm.generate(requests[::-1])[::-1]
    assert texts(together) == texts(backwards)


@torch.inference_mode()
def greedy_reference(lm, request):
    """One request, no cache, no batch: the definition of greedy decoding."""
    inputs, written = plain_inputs(lm, request.messages), []
    while len(written) < request.max_tokens:
        token = int(lm.model(**inputs, use_cache=False).logits[0, -1].argmax())
        if token == lm.tokenizer.eos_token_id:
            break
        written.append(token)
        extend(inputs, [token])
    return lm.tokenizer.decode(written, skip_special_tokens=True)


def plain_inputs(lm, messages):
    turns = [
        {
            "role": message["role"],
            "content": [*({"type": "image"} for _ in message.get("images", [])), {"type": "text", "text": "?"}],
        }
        for message in messages
    ]
    for turn, message in zip(turns, messages, strict=True):
        turn["content"][-1]["text"] = message["content"]
    text = lm.processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    images = [
        Image.open(io.BytesIO(base64.b64decode(one.split(",")[1])))
        for message in messages
        for one in message.get("images", [])
    ]
    return dict(lm.processor(text=text, images=images or None, add_special_tokens=False, return_tensors="pt"))


def extend(inputs, tokens):
    more = torch.tensor([tokens])
    inputs["input_ids"] = torch.cat([inputs["input_ids"], more], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if "mm_token_type_ids" in inputs:
        inputs["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(more)], dim=1)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_equals_a_plain_loop(loaded, kind):
    requests = [request for request in mixed() if request.temperature == 0]
    for request, (completion,) in zip(requests, loaded[kind].generate(requests), strict=True):
        assert completion.text == greedy_reference(loaded[kind], request)


@pytest.mark.parametrize("kind", KINDS)
def test_logprobs_equal_one_forward_pass(loaded, kind):
    lm = loaded[kind]
    pairs = [
        (said("the cat", noise(1)), "the cat sat"),
        (said("the cat"), "x"),
        (said("a", noise(2, 20, 90)), ""),
        (said("one two three"), "mat, the mat, the mat"),
    ]
    for (messages, continuation), scored in zip(pairs, lm.logprobs(pairs), strict=True):
        inputs = plain_inputs(lm, messages)
        tokens = lm.tokenizer(continuation, add_special_tokens=False)["input_ids"]
        start = inputs["input_ids"].shape[1] - 1
        extend(inputs, [int(token) for token in tokens]) if tokens else None
        with torch.inference_mode():
            table = lm.model(**inputs, use_cache=False).logits[0].log_softmax(-1)
        expected = [float(table[start + index, token]) for index, token in enumerate(tokens)]
        assert scored.logprobs == pytest.approx(expected, abs=1e-4)
        assert "".join(scored.tokens) == continuation


def test_small_budgets_change_nothing(folders, lm):
    small = VisionLM.from_folder(folders["llava"], dtype=torch.float32, device="cpu", max_batch=3, max_batch_tokens=100)
    assert texts(small.generate(mixed())) == texts(lm.generate(mixed()))
    pairs = [(said("a", noise(seed)), "the cat" * seed) for seed in range(5)]
    for one, other in zip(small.logprobs(pairs), lm.logprobs(pairs), strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_schema_forced_output_parses(lm):
    mats = {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}
    schema = {
        "type": "object",
        "properties": {"cat": {"type": "boolean"}, "mats": mats},
        "required": ["cat", "mats"],
        "additionalProperties": False,
    }
    requests = [
        ask("the cat", noise(1), schema=schema, n=3, temperature=1.5, max_tokens=120),
        ask("the cat", schema=schema, max_tokens=120),
        ask("the cat", noise(1)),
    ]
    *forced, free = lm.generate(requests)
    for completion in [*forced[0], *forced[1]]:
        assert completion.finish == "stop", completion
        assert list(json.loads(completion.text)) == ["cat", "mats"]
    assert free[0].text == lm.generate([ask("the cat", noise(1))])[0][0].text


def test_a_schema_that_cannot_be_compiled_fails_alone(lm):
    bad, good = lm.generate([ask("a", noise(1), n=2, schema={"type": "nonsense"}), ask("a", noise(1))])
    assert [one.finish for one in bad] == ["error", "error"]
    assert "schema" in bad[0].error
    assert good[0].error is None


def test_a_stop_string_ends_before_its_first_occurrence(lm):
    free = lm.generate([ask("the cat", noise(1), max_tokens=40)])[0][0].text
    stop = free[len(free) // 2 : len(free) // 2 + 2]
    stopped, other = lm.generate(
        [ask("the cat", noise(1), max_tokens=40, stop=(stop,)), ask("the cat", noise(1), max_tokens=40)]
    )
    assert (stopped[0].text, stopped[0].finish) == (free.split(stop, 1)[0], "stop")
    assert (other[0].text, other[0].finish) == (free, "length")


def test_seeds_are_reproducible_and_samples_differ(lm):
    many = lm.generate([ask("mat", noise(1), n=6, temperature=1.5, seed=3)])[0]
    few, other = lm.generate([ask("mat", noise(1), n=2, temperature=1.5, seed=seed) for seed in (3, 4)])
    assert len({one.text for one in many}) > 1
    assert [one.text for one in few] == [one.text for one in many[:2]]
    assert [one.text for one in few] != [one.text for one in other]
    greedy = lm.generate([ask("mat", noise(1))])[0][0].text
    assert lm.generate([ask("mat", noise(1), temperature=1.0, top_p=1e-9)])[0][0].text == greedy


def png_header(width, height):
    """A file that promises an image and holds none."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def address(content, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def cut(whole):
    head, body = whole.split(",")
    content = base64.b64decode(body)
    return f"{head},{base64.b64encode(content[: len(content) // 2]).decode()}"


BAD = {
    "no image": (address(b"hello"), "an image cannot be identified (image 1); expected a PNG or JPEG file"),
    "empty": (address(b""), "an image cannot be identified (image 1)"),
    "truncated png": (cut(noise(1)), "an image cannot be decoded: "),
    "truncated jpeg": (cut(noise(1, kind="JPEG")), "an image cannot be decoded: "),
    "header only": (address(png_header(10, 10)), "an image cannot be decoded: "),
    "60 megapixels": (address(png_header(6_000, 10_000)), "an image is too large (image 1); expected at most 50 mega"),
    "100 megapixels": (address(png_header(10_000, 10_000)), "an image is too large (image 1)"),
    "200 megapixels": (address(png_header(20_000, 10_000)), "an image is too large (image 1)"),
    "line": (address(png_header(1, 1_000_000)), "an image of 1 x 1000000 pixels is a line (image 1)"),
    "gif": (address(base64.b64decode(uri(Image.new("L", (9, 9)), "GIF").split(",")[1])), "cannot be identified"),
    "said to be gif": (uri(Image.new("L", (9, 9)), "GIF"), "an image at an address that is not read (image 1)"),
    "hosted": ("https://example.org/cat.png", "an image at an address that is not read (image 1); expected data:"),
    "no base64": ("data:image/png;base64,@@@@", "an image cannot be decoded: "),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD)
def test_a_bad_image_fails_alone_in_one_line(lm, bad, message):
    broken, good = lm.generate([ask("the cat", bad, n=2), ask("the cat", noise(1))])
    assert [one.finish for one in broken] == ["error", "error"]
    assert message in broken[0].error
    assert "\n" not in broken[0].error
    assert " at 0x" not in broken[0].error
    assert good[0].error is None
    with pytest.raises(DataError, match="an image"):
        lm.logprobs([(said("the cat", bad), "x")])


def test_too_large_is_said_whatever_is_done_with_warnings(lm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (failed,) = lm.generate([ask("a", BAD["100 megapixels"][0])])[0]
    assert "at most 50 megapixels" in failed.error


def test_images_that_are_too_large_together_are_refused(lm, monkeypatch):
    monkeypatch.setattr(vision, "MAX_PIXELS_TOGETHER", 3_000_000)
    many, one = lm.generate([ask("a", *[noise(1, 1000, 1000)] * 4), ask("a", noise(1))])
    assert "too large together; expected at most 3 megapixels" in many[0].error
    assert one[0].error is None


def test_pictures_are_shown_upright_in_colour_on_white():
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert read_image(uri(clear), "x").getpixel((0, 0)) == (255, 255, 255)
    deep = Image.fromarray(np.full((4, 4), 0x8000, dtype=np.uint16))
    assert read_image(uri(deep), "x").getpixel((0, 0)) == (128, 128, 128)
    assert read_image(uri(Image.new("1", (4, 4), 1)), "x").getpixel((0, 0)) == (255, 255, 255)
    assert read_image(uri(Image.new("P", (4, 4)), transparency=0), "x").getpixel((0, 0)) == (255, 255, 255)
    assert read_image(uri(Image.new("CMYK", (4, 4)), "JPEG"), "x").mode == "RGB"
    turned = Image.new("RGB", (8, 4))
    turned.getexif()[0x0112] = 6
    assert read_image(uri(turned, "JPEG", exif=turned.getexif()), "x").size == (4, 8)


def test_a_placeholder_in_the_text_fails_alone(lm):
    bad, worse, good = lm.generate([ask("<image>"), ask("<image>", noise(1)), ask("the cat", noise(1))])
    assert "the processor refuses the messages: " in bad[0].error
    assert "the processor refuses the messages: " in worse[0].error
    assert good[0].error is None


def test_a_prompt_without_room_fails_alone(lm):
    long, good = lm.generate([ask("cat " * 600, noise(1)), ask("cat", noise(1))])
    assert "which leaves no room for 12 more; expected at most 512 together" in long[0].error
    assert good[0].error is None
    with pytest.raises(DataError, match=r"has \d+ tokens with its prompt \(pair 1\); expected at most 512"):
        lm.logprobs([(said("a", noise(1)), "cat " * 600)])


@pytest.fixture
def failing(lm):
    """Makes the model refuse some of its inputs; ``generate`` looks at the signature of ``forward``, which stays."""
    hooks = []

    def refuse(reason):
        def look(_, args, settings):
            if error := reason(settings["input_ids"]):
                raise error

        hooks.append(lm.model.register_forward_pre_hook(look, with_kwargs=True))

    yield refuse
    for hook in hooks:
        hook.remove()


def test_what_fails_together_is_tried_apart(lm, failing):
    expected = texts(lm.generate(mixed()))
    sizes = []

    def narrow(tokens):
        sizes.append(len(tokens))
        return RuntimeError("out of memory") if len(tokens) > 2 else None

    failing(narrow)
    assert texts(lm.generate(mixed())) == expected
    assert max(sizes) > 2


def test_what_fails_halfway_is_written_anew(lm, failing):
    requests = [ask("the cat", noise(1), max_tokens=3), ask("x", max_tokens=20), ask("a", noise(2), max_tokens=20)]
    expected = texts(lm.generate(requests))
    steps = []

    def once(tokens):
        steps.append(len(tokens))
        return RuntimeError("interrupted") if len(steps) == 10 else None

    failing(once)
    assert texts(lm.generate(requests)) == expected
    assert steps.count(3) == 10


def test_a_failing_model_gives_errors_not_an_exception(lm, failing):
    failing(lambda _: ValueError("no such\nthing"))
    completions = lm.generate([ask("a", n=2), ask("b", noise(1))])
    assert [one.error for each in completions for one in each] == ["the model failed: no such thing"] * 3


def test_the_folder_s_sampling_settings_do_not_matter(lm, monkeypatch):
    expected = texts(lm.generate(mixed()))
    settings = transformers.GenerationConfig(
        repetition_penalty=5.0, temperature=0.1, do_sample=True, eos_token_id=lm.tokenizer.eos_token_id
    )
    monkeypatch.setattr(lm.model, "generation_config", settings)
    assert texts(lm.generate(mixed())) == expected
    assert lm.model.generation_config is settings


def test_training_mode_is_given_back(lm):
    lm.model.train()
    try:
        lm.generate([ask("a", max_tokens=1)])
        assert lm.model.training
    finally:
        lm.model.eval()


def test_requests_may_arrive_while_others_are_written(lm):
    asked, delivered = [], {}

    def source():
        asked.append(len(delivered))
        return {1: [("a", ask("the cat", noise(1)))], 4: [("b", ask("a", "nonsense")), ("c", ask("x"))]}.get(
            len(asked), []
        )

    lm.serve(source, delivered.__setitem__)
    assert len(asked) > 12
    assert delivered["a"][0].text == lm.generate([ask("the cat", noise(1))])[0][0].text
    assert delivered["b"][0].finish == "error"
    assert delivered["c"][0].text == lm.generate([ask("x")])[0][0].text


def test_what_the_caller_raises_ends_the_call(lm):
    arriving = [[("a", ask("the cat", noise(1)))]]

    def source():
        if not arriving:
            raise RuntimeError("nobody waits")
        return arriving.pop()

    with pytest.raises(RuntimeError, match="nobody waits"):
        lm.serve(source, lambda *_: pytest.fail("delivered"))

    def refuse(*_):
        raise ValueError("not wanted")

    arriving = [[("a", ask("the cat"))]]
    with pytest.raises(ValueError, match="not wanted"):
        lm.serve(lambda: arriving.pop() if arriving else [], refuse)


def test_progress_counts_samples(lm):
    seen = []
    lm.on_progress = lambda done, total: seen.append((done, total))
    try:
        lm.generate([ask("a", noise(1), n=2), ask("a", "nonsense"), ask("b")])
    finally:
        lm.on_progress = None
    assert [total for _, total in seen] == [4, 4, 4]
    assert seen[-1][0] == 4


def test_it_is_silent(folders, capfd):
    quiet = VisionLM.from_folder(folders["idefics3"], device="cpu", dtype=torch.bfloat16)
    assert all(one.error is None for each in quiet.generate(mixed()) for one in each)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_which_folders_read_images(folders, tiny_folder, copy, tmp_path):
    assert all(reads_images(folder) for folder in folders.values())
    assert not reads_images(tiny_folder)
    assert not reads_images(tmp_path / "absent")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"architectures": None}))
    assert reads_images(copy)
    (copy / "config.json").write_text(json.dumps(config | {"architectures": ["SomethingForCausalLM"]}))
    assert not reads_images(copy)
    for damaged in ("{", "[]", '{"model_type": []}'):
        (copy / "config.json").write_text(damaged)
        assert not reads_images(copy)


def test_a_name_opens_the_model_that_its_folder_holds(folders):
    opened = open_model(str(folders["llava"]))
    assert isinstance(opened, VisionLM)
    assert opened.name == str(folders["llava"])


def test_loading_refuses_what_cannot_be_used(copy):
    whole = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(whole | {"auto_map": {"AutoModel": "model.Mine"}}))
    with pytest.raises(UnsupportedError, match="brings its own Python code, which is never run"):
        load_vision_folder(copy)
    (copy / "config.json").write_text(json.dumps(whole))
    template = (copy / "chat_template.jinja").read_text()
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(UnsupportedError, match=r"the processor in .* has no chat template"):
        load_vision_folder(copy)
    (copy / "chat_template.jinja").write_text(template)
    (copy / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(DataError, match="cannot load the model in") as raised:
        load_vision_folder(copy)
    assert "\n" not in str(raised.value)
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match="no weights in folder"):
        load_vision_folder(copy)


def test_a_folder_without_a_processor_is_refused(copy):
    (copy / "processor_config.json").unlink()
    with pytest.raises((UnsupportedError, DataError), match=r"processor|preprocessor"):
        load_vision_folder(copy)


@pytest.mark.parametrize(
    "template",
    [
        "{% for message in messages %}{{ message['content'] }}{% endfor %}",
        "{% for message in messages %}{{ message['content'] + 'x' }}{% endfor %}",
        "{% for message in messages %}{{ message['content'][-1]['text'] }}{% endfor %}",
    ],
)
def test_a_template_without_a_place_for_images_is_refused(copy, template):
    (copy / "chat_template.jinja").write_text(template)
    with pytest.raises(UnsupportedError, match="the chat template of 'x'"):
        VisionLM.from_folder(copy, name="x", device="cpu")


def test_bounds_are_checked(lm):
    with pytest.raises(UsageError, match="max_batch is 0; expected at least 1"):
        VisionLM(lm.model, lm.processor, name="x", revision="1", max_batch=0)


def test_a_text_model_refuses_images(tiny):
    (failed,), (good,) = tiny.generate([ask("the cat", noise(1)), ask("the cat")])
    assert failed.error == "model 'tiny' reads text only; expected a vision model for images"
    assert good.error is None


def shown(text, *images):
    return ChatMessageUser(content=[*(ContentImage(image=image) for image in images), ContentText(text=text)])


def test_an_evaluation_shows_images(folders, lm, tmp_path):
    model = get_model(
        f"counterpoise/{folders['llava']}", memoize=False, dtype="float32", device="cpu", config=GenerateConfig()
    )
    assert isinstance(model.api._engine.model, VisionLM)
    asked = [("the cat", [noise(1)]), ("the cat", [noise(2)]), ("the cat", []), ("x", [noise(3), noise(4)])]
    task = Task(
        dataset=MemoryDataset([Sample(input=[shown(text, *images)], target="a") for text, images in asked]),
        solver=generate(max_tokens=6),
        scorer=includes(),
    )
    (log,) = eval(task, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success"
    direct = lm.generate([ask(text, *images, max_tokens=6) for text, images in asked])
    for sample, (expected,) in zip(log.samples, direct, strict=True):
        assert sample.output.completion == expected.text
        assert sample.output.usage.input_tokens == expected.input_tokens


def test_inspect_is_told_what_cannot_be_read(folders, tiny_folder):
    def answer(model, message):
        return asyncio.run(model.api.generate([message], [], "auto", GenerateConfig(max_tokens=2)))

    seeing = get_model(f"counterpoise/{folders['llava']}", memoize=False, dtype="float32", device="cpu")
    assert answer(seeing, shown("a", address(b"hello"))).error.startswith("an image cannot be identified")
    sound = ChatMessageUser(content=[ContentAudio(audio="data:audio/wav;base64,AAAA", format="wav")])
    with pytest.raises(UnsupportedError, match="this model reads no audio; expected text"):
        answer(seeing, sound)
    blind = get_model(f"counterpoise/{tiny_folder}", memoize=False)
    with pytest.raises(UnsupportedError, match="this model reads text only; expected a vision model for images"):
        answer(blind, shown("a", noise(1)))
