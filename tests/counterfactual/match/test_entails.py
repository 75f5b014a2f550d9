"""Natural language inference by a tiny cross-encoder that the tests build themselves; no hub is asked."""

import json
import shutil

import pytest

from counterpoise.counterfactual.match import Pair, open_matcher
from counterpoise.counterfactual.match.entails import Entails
from counterpoise.errors import CounterpoiseError, DataError, UnsupportedError, UsageError
from counterpoise.lm.entailment import CrossEncoder, Entailer, open_entailer

WORDS = "it is about this : the door open closed not price bread of state [ ] . , a b c".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random two-layer BERT over pairs whose label 1 is entailment."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    path = tmp_path_factory.mktemp("nli") / "model"
    path.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (path / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(path / "vocab.txt")).save_pretrained(path)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        id2label={0: "contradiction", 1: "Entailment", 2: "neutral"},
        label2id={"contradiction": 0, "Entailment": 1, "neutral": 2},
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForSequenceClassification(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def encoder(folder):
    return CrossEncoder(folder, device="cpu", batch_size=3)


def changed(folder, tmp_path, **config):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**record, **config}))
    return copy


PAIRS = [
    ("the door is open.", "the door is closed."),
    ("a", "b"),
    ("", ""),
    ("price of bread " * 200, "open \ud800"),
    ("a b c", "c"),
]


def test_the_probability_is_that_of_the_label_named_entailment(encoder, folder):
    import torch

    tokens = encoder._tokenizer(*PAIRS[0], return_tensors="pt")
    with torch.inference_mode():
        wanted = torch.softmax(encoder._model(**tokens).logits[0], dim=-1)[1].item()
    assert encoder.entailment(PAIRS[:1]) == pytest.approx([wanted], abs=1e-6)
    assert isinstance(encoder, Entailer)
    assert encoder.name == str(folder)
    assert len(encoder.revision) == 16


def test_a_batch_is_scored_as_one_at_a_time_and_in_order(encoder):
    alone = [encoder.entailment([pair])[0] for pair in PAIRS]
    assert encoder.entailment(PAIRS) == pytest.approx(alone, abs=1e-5)
    assert encoder.entailment([]) == []


def test_the_label_order_is_read_from_the_configuration(folder, tmp_path, encoder):
    moved = changed(folder, tmp_path, id2label={"0": "entailment", "1": "neutral", "2": "contradiction"})
    assert CrossEncoder(moved, device="cpu").entailment(PAIRS[:1]) != pytest.approx(encoder.entailment(PAIRS[:1]))


@pytest.mark.parametrize(
    "labels",
    [
        {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"},
        {"0": "entailment", "1": "entailment"},
        {"0": "entailment"},
        {"a": "entailment", "b": "neutral"},
        {"0": "neutral", "9": "entailment"},
        None,
        ["entailment", "neutral"],
    ],
)
def test_labels_that_do_not_say_which_is_entailment_are_refused(folder, tmp_path, labels):
    with pytest.raises(UnsupportedError, match=r"does not say which label is entailment \(id2label in config\.json\)"):
        CrossEncoder(changed(folder, tmp_path, id2label=labels))


def test_a_model_with_its_own_code_is_refused(folder, tmp_path):
    with pytest.raises(UnsupportedError, match="brings its own Python code, which is never run"):
        CrossEncoder(changed(folder, tmp_path, auto_map={"AutoModel": "evil.Model"}))


def test_weights_must_be_safetensors_and_those_of_a_classifier(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    copy = changed(folder, tmp_path)
    weights = load_file(copy / "model.safetensors")
    bare = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier")}
    save_file(bare, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lacks weights \(classifier"):
        CrossEncoder(copy)
    (copy / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(DataError, match="cannot load the model in"):
        CrossEncoder(copy)
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(DataError, match=r"no weights in folder .*; expected \*.safetensors files"):
        CrossEncoder(copy)
    (copy / "config.json").write_text("{")
    with pytest.raises(DataError, match="the model's configuration cannot be read"):
        CrossEncoder(copy)
    with pytest.raises(DataError, match="no model in folder"):
        CrossEncoder(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cross-encoder/nli", "the inference model 'cross-encoder/nli' is not pinned; expected owner/name@revision"),
        ("cross-encoder/nli@main", "is not pinned"),
        ("./nowhere", "no inference model './nowhere'; expected a folder with config.json"),
        ("nowhere", "no inference model 'nowhere'; expected a folder"),
        ("", "no inference model ''"),
    ],
)
def test_a_name_that_is_no_model_gets_one_line(name, message):
    with pytest.raises(UsageError) as caught:
        open_entailer(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pinned_model_that_cannot_be_had_gets_one_line(monkeypatch):
    import huggingface_hub

    asked = []

    def offline(repository, **options):
        asked.append((repository, options["revision"], options["allow_patterns"]))
        raise OSError("no route to host\nsecond line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    name = "cross-encoder/nli-deberta-v3-small@" + "0" * 40
    with pytest.raises(UsageError) as caught:
        open_matcher("nli", nli=name)
    assert str(caught.value) == (
        f"cannot get the inference model {name!r}: no route to host; download it elsewhere and name its folder"
    )
    assert asked[0][:2] == ("cross-encoder/nli-deberta-v3-small", "0" * 40)
    assert not any(pattern.endswith((".bin", ".py", ".pkl", ".pt")) for pattern in asked[0][2])


def test_a_pinned_model_is_opened_from_its_snapshot(monkeypatch, folder):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **options: str(folder))
    assert open_entailer("owner/name@" + "a" * 40).name == "owner/name@" + "a" * 40


class Table:
    """An entailer that knows what follows from what."""

    name, revision = "table", "1"

    def __init__(self, follows):
        self.follows, self.asked = follows, []

    def entailment(self, pairs):
        self.asked += pairs
        return [self.follows.get(pair, 0.0) for pair in pairs]


def test_the_same_is_what_follows_both_ways():
    forth, back = ("Door: open.", "Door: ajar."), ("Door: ajar.", "Door: open.")
    pair = Pair("value", "open", "ajar", about=("door",))
    assert Entails(Table({forth: 0.9, back: 0.8})).match([pair]) == [0.8]
    assert Entails(Table({forth: 0.9})).match([pair]) == [0.0]
    aliased = Pair("value", "shut", "ajar", aliases=("open",), about=("door",))
    assert Entails(Table({forth: 0.9, back: 0.8})).match([aliased]) == [0.8]


def test_statements_and_what_needs_no_model():
    table = Table({})
    pairs = [Pair("name", "fee", "fine."), Pair("value", "open", "open"), Pair("value", "open", "?!")]
    assert Entails(table).match(pairs) == [0.0, 1.0, 0.0]
    assert table.asked[0] == ("It is about this: fee.", "It is about this: fine.")
    assert table.asked[2] == ("It is open.", "It is open.")
    assert Entails(table).detail == "table 1"


def test_the_registry_opens_a_folder(folder):
    matcher = open_matcher("nli", nli=str(folder))
    (score,) = matcher.match([Pair("value", "open", "closed", about=("the door",))])
    assert 0 <= score <= 1
    with pytest.raises(CounterpoiseError):
        open_matcher("nli", nli=str(folder.parent))
