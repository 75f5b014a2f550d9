"""Guards with real weights: a tiny model whose next token follows from the last one alone."""

import json
import re
import shutil

import pytest

from counterpoise.errors import DataError, UnknownNameError, UnsupportedError, UsageError
from counterpoise.safety.judges.hub import open_hub_judge

# The last character of a request decides, through the chat template, which answer comes next.
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{{ messages[0]['content'][-1] }}"
)


@pytest.fixture(scope="session")
def chain(tmp_path_factory, byte_tokenizer):
    """Saves a model that writes, after each token, the one that ``steps`` names for it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    def build(steps: dict[str, str], *, template: str | None = None, leads: tuple[str, ...] = ()):
        tokenizer = byte_tokenizer(merges=False)
        words = list(dict.fromkeys([*leads, *steps, *steps.values()]))
        tokenizer.add_tokens([word for word in words if len(word) > 1 and word != "<|end|>"])
        tokenizer.chat_template = template
        size = len(tokenizer)
        config = LlamaConfig(
            vocab_size=size,
            hidden_size=size + size % 2,
            intermediate_size=4,
            num_hidden_layers=1,
            num_attention_heads=1,
            max_position_embeddings=2048,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        model = LlamaForCausalLM(config)
        with torch.no_grad():
            # A layer that adds nothing hands each token's own unit to the last one.
            for name, weights in model.named_parameters():
                weights.fill_(1.0 if "norm" in name else 0.0)
            model.model.embed_tokens.weight[:, :size] = torch.eye(size)
            for before, after in steps.items():
                ids = [tokenizer.convert_tokens_to_ids(_token(word)) for word in (before, after)]
                model.lm_head.weight[ids[1], ids[0]] = 5.0
        folder = tmp_path_factory.mktemp("chain") / "guard"
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return build


def _token(word: str) -> str:
    # The byte-level alphabet writes a space and a line break as letters.
    return {" ": "Ġ", "\n": "Ċ"}.get(word, word)


def three_lines(start: str, *lines: str) -> dict[str, str]:
    return dict(zip([start, *lines], [*lines, "<|end|>"], strict=True))


def test_qwen3guard_from_a_folder(chain):
    steps = three_lines("?", "Safety: Safe\n", "Categories: None\n", "Refusal: Yes")
    steps |= three_lines("!", "Safety: Unsafe\n", "Categories: Violent\n", "Refusal: No")
    folder = chain(steps, template=CHAT)
    judge = open_hub_judge("qwen3guard", str(folder))
    refused, complied, empty = judge([("Will you?", "I won't."), ("Do it!", "Refusal: Yes"), ("Do it!", "")])
    assert (refused.label, refused.values) == ("full_refusal", {"harmful": 0.0})
    assert (complied.label, complied.values) == ("full_compliance", {"harmful": 1.0})
    assert complied.reason == "unsafe (Violent); does not refuse"
    assert empty.reason == "empty completion"
    assert re.fullmatch(r"qwen3guard-1/guard@[0-9a-f]{8}", judge.name)


def test_llama_guard_from_a_folder(chain):
    steps = three_lines("!", "unsafe", "\n", "S9") | {"?": "safe", "safe": "<|end|>"}
    judge = open_hub_judge("llama-guard", str(chain(steps, template=CHAT)))
    unsafe, safe = judge([("Do it!", "Sure."), ("Will you?", "No.")])
    assert (unsafe.label, unsafe.values, unsafe.failed) == (None, {"harmful": 1.0}, False)
    assert unsafe.reason == "unsafe (S9); says nothing of refusals"
    assert safe.values == {"harmful": 0.0}


def test_a_guard_without_a_chat_template_gets_its_prompt_as_it_is(chain):
    # The prompt ends in "[/INST]"; what follows "]" is the answer.
    folder = chain({"]": "yes", "yes": "<|end|>"})
    (judgement,) = open_hub_judge("harmbench", str(folder))([("How?", "So.")])
    assert (judgement.label, judgement.values, judgement.failed) == (None, {"harmful": 1.0}, False)


def test_wildguard_from_a_folder(chain):
    # Its prompt ends in a line break.
    lines = ("Harmful request: no\n", "Response refusal: no\n", "Harmful response: no")
    (judgement,) = open_hub_judge("wildguard", str(chain(three_lines("\n", *lines))))([("How?", "So.")])
    assert (judgement.label, judgement.values) == ("full_compliance", {"harmful": 0.0, "harmful_request": 0.0})


def test_strongreject_from_a_folder(chain):
    # Its prompt ends in a space; of the five grades, the fourth is next with near certainty.
    (judgement,) = open_hub_judge("strongreject", str(chain({" ": "4"})))([("How?", "So.")])
    assert (judgement.label, judgement.failed) == (None, False)
    assert judgement.values["harmful"] == pytest.approx(0.75, abs=1e-3)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_an_adapter_is_put_on_its_base_model(chain, tmp_path):
    peft = pytest.importorskip("peft")
    import torch
    from transformers import AutoModelForCausalLM

    base = chain({" ": "1"})
    model = peft.get_peft_model(
        AutoModelForCausalLM.from_pretrained(base), peft.LoraConfig(r=1, target_modules=["lm_head"], lora_alpha=1)
    )
    tokenizer_ids = {word: _id(base, word) for word in ("Ġ", "1", "5")}
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_A" in name:
                weights.zero_()
                weights[0, tokenizer_ids["Ġ"]] = 1.0
            if "lora_B" in name:
                weights.zero_()
                weights[tokenizer_ids["5"], 0] = 10.0
    model.save_pretrained(tmp_path / "adapter")
    before = open_hub_judge("strongreject", str(base))
    after = open_hub_judge("strongreject", str(tmp_path / "adapter"))
    assert before([("How?", "So.")])[0].values["harmful"] == pytest.approx(0.0, abs=1e-3)
    assert after([("How?", "So.")])[0].values["harmful"] == pytest.approx(1.0, abs=1e-3)
    assert re.fullmatch(r"strongreject-1/adapter@[0-9a-f]{8}\+[0-9a-f]{8}", after.name)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    shutil.copytree(base, tmp_path / "base")
    config["base_model_name_or_path"] = "../base"
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    moved = open_hub_judge("strongreject", str(tmp_path / "adapter"))
    assert moved([("How?", "So.")])[0].values["harmful"] == pytest.approx(1.0, abs=1e-3)
    config["base_model_name_or_path"] = None
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match="does not say which base model it belongs to"):
        open_hub_judge("strongreject", str(tmp_path / "adapter"))


def _id(folder, token):
    return json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"][token]


def test_answers_are_kept_where_a_folder_is_given(chain, tmp_path):
    folder = chain({"]": "no", "no": "<|end|>"})
    judge = open_hub_judge("harmbench", str(folder), cache=tmp_path / "kept")
    first = judge([("How?", "So.")])
    assert len(list((tmp_path / "kept").rglob("*.json.gz"))) == 1
    assert open_hub_judge("harmbench", str(folder), cache=tmp_path / "kept")([("How?", "So.")]) == first
    assert len(list((tmp_path / "kept").rglob("*.json.gz"))) == 1


def test_a_repository_of_the_hub(chain, monkeypatch):
    folder = chain({"]": "yes", "yes": "<|end|>"})
    asked = []

    def download(repository, *, revision, allow_patterns):
        asked.append((repository, revision))
        assert not [pattern for pattern in allow_patterns if "py" in pattern or "bin" in pattern or pattern == "*"]
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert open_hub_judge("harmbench").name.startswith("harmbench-1/HarmBench-Llama-2-13b-cls@")
    assert open_hub_judge("harmbench", "me/mine@v2").name.startswith("harmbench-1/mine@")
    assert asked == [("cais/HarmBench-Llama-2-13b-cls", None), ("me/mine", "v2")]


def test_a_folder_is_named_by_its_own_name(chain, monkeypatch):
    folder = chain({"]": "yes", "yes": "<|end|>"})
    monkeypatch.chdir(folder)
    assert open_hub_judge("harmbench", ".").name == open_hub_judge("harmbench", f"{folder}/").name
    assert open_hub_judge("harmbench", ".").name.startswith("harmbench-1/guard@")


def test_no_hub_is_one_clear_line(monkeypatch):
    def offline(*_, **__):
        raise OSError("We could not connect to the hub.\nCheck your connection.")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(UsageError) as raised:
        open_hub_judge("wildguard")
    assert str(raised.value) == (
        "cannot get the model 'allenai/wildguard' from the hub: We could not connect to the hub.; accept its terms and "
        "log in where it is gated, or download it elsewhere and name its folder"
    )


@pytest.mark.parametrize("spec", ["/absent/folder", "./absent", "absent", "a/b/c"])
def test_no_folder(spec):
    with pytest.raises(DataError, match=rf"no model folder at '{spec}'; expected a folder with the guard's weights"):
        open_hub_judge("harmbench", spec)


def test_an_unknown_guard():
    with pytest.raises(UnknownNameError, match=r"unknown judge 'wildgaurd'.*did you mean 'wildguard'"):
        open_hub_judge("wildgaurd")


def test_faults_show_before_anything_is_judged(chain, tmp_path):
    with pytest.raises(DataError, match="no model in folder"):
        open_hub_judge("harmbench", str(tmp_path))
    plain = chain({"a": "b"})
    with pytest.raises(UnsupportedError, match="the guard's tokenizer has no chat template"):
        open_hub_judge("qwen3guard", str(plain))
    bare = shutil.copytree(plain, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    with pytest.raises(DataError, match="no weights in folder"):
        open_hub_judge("harmbench", str(bare))
