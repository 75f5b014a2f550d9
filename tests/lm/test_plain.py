import shutil

import pytest

from counterpoise.errors import UsageError
from counterpoise.lm.hub import hub_folder
from counterpoise.lm.loading import load_folder, load_tokenizer
from counterpoise.lm.local import LocalLM
from counterpoise.lm.plain import open_plain, plain
from counterpoise.lm.protocol import Request

PROMPT = "<|start|> the cat\n\n sat {{ on }} the mat \n"


@pytest.fixture(scope="module")
def bare(tiny_folder, tmp_path_factory):
    """The tiny model without a chat template."""
    folder = shutil.copytree(tiny_folder, tmp_path_factory.mktemp("bare") / "model")
    (folder / "chat_template.jinja").unlink()
    assert load_tokenizer(folder).chat_template is None
    return folder


def test_a_prompt_is_read_as_it_is(bare):
    lm = open_plain(bare, name="bare")
    asked = []
    encode = lm._encode
    lm._encode = lambda text: asked.append(text) or encode(text)
    ((completion,),) = lm.generate([Request(messages=plain(PROMPT), max_tokens=4)])
    assert asked == [PROMPT]
    assert completion.finish in ("stop", "length")
    tokens = load_tokenizer(bare)(PROMPT, add_special_tokens=False)["input_ids"]
    assert (completion.input_tokens, tokens[0]) == (len(tokens), load_tokenizer(bare).bos_token_id)


def test_a_given_chat_template_is_part_of_the_revision(bare, tiny_folder):
    plain_lm = open_plain(bare, name="bare")
    assert plain_lm.name == "bare"
    assert plain_lm.revision == open_plain(bare, name="another name").revision
    assert plain_lm.revision != LocalLM.from_folder(bare, chat_template="{{ messages }}").revision
    own = load_folder(tiny_folder)
    given = load_folder(tiny_folder, chat_template=own.tokenizer.chat_template)
    assert given.revision != own.revision


def test_the_hub_is_asked_for_weights_and_texts_only(monkeypatch, tmp_path):
    asked = {}

    def download(repository, **options):
        asked.update(options, repository=repository)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert hub_folder("owner/name@v1") == tmp_path
    assert (asked["repository"], asked["revision"]) == ("owner/name", "v1")
    assert sorted(asked["allow_patterns"]) == ["*.jinja", "*.json", "*.model", "*.safetensors", "*.txt"]


def test_a_hub_that_says_no_is_one_line(monkeypatch):
    def gated(*_, **__):
        raise OSError("401 Client Error.\nCannot access gated repo")

    monkeypatch.setattr("huggingface_hub.snapshot_download", gated)
    with pytest.raises(UsageError, match="cannot get the model 'owner/name' from the hub: 401 Client Error") as raised:
        hub_folder("owner/name")
    assert "\n" not in str(raised.value)
