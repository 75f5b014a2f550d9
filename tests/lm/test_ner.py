"""Named entities by a tiny token classifier; no hub is asked."""

import json
import shutil

import pytest

from counterpoise.errors import DataError, UnsupportedError
from counterpoise.lm.ner import Entity, EntityTagger, TokenClassifier


@pytest.fixture(scope="module")
def tagger(tiny_tagger):
    return TokenClassifier(tiny_tagger, device="cpu", batch_size=2)


def said(tagger, text):
    return [(text[one.start : one.end], one.label) for one in tagger.entities([text])[0]]


def changed(folder, tmp_path, **config):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**record, **config}))
    return copy


def test_words_of_one_kind_are_one_entity_until_a_new_one_begins(tagger):
    assert isinstance(tagger, EntityTagger)
    # "lovelace" is two tokens, the second of which has another label: the first counts.
    assert said(tagger, "Ada Lovelace met Ada in Paris.") == [("Ada Lovelace", "PER"), ("Ada", "PER"), ("Paris", "LOC")]
    assert said(tagger, "Ada Ada, Paris Paris") == [("Ada", "PER"), ("Ada", "PER"), ("Paris", "LOC"), ("Paris", "LOC")]


def test_an_inner_label_without_a_beginning_is_an_entity_too(tagger):
    assert said(tagger, "The Lovelace") == [("Lovelace", "PER")]


@pytest.mark.parametrize("text", ["", " ", "the", "\0", "\ud800 \ud800", "\u202e\u200b"])
def test_texts_without_entities(tagger, text):
    assert tagger.entities([text]) == [[]]


def test_no_texts(tagger):
    assert tagger.entities([]) == []


def test_a_lone_surrogate_moves_nothing(tagger):
    assert said(tagger, "\ud800 Ada") == [("Ada", "PER")]


def test_long_texts_are_read_to_their_end_and_in_order(tagger):
    text = "the met " * 13 + "Ada " + "the , " * 40 + "Ada Lovelace" + " in" * 90 + " Paris"
    assert said(tagger, text) == [("Ada", "PER"), ("Ada Lovelace", "PER"), ("Paris", "LOC")]


def test_an_entity_across_two_windows_is_found_once(tagger):
    for before in range(20, 34):
        assert said(tagger, "the " * before + "Ada Lovelace in Paris") == [("Ada Lovelace", "PER"), ("Paris", "LOC")]


def test_a_batch_is_as_one_at_a_time(tagger):
    texts = ["Ada", "", "Paris and Ada Lovelace " * 12, "the"]
    assert tagger.entities(texts) == [tagger.entities([text])[0] for text in texts]


def test_labels_without_a_beginning_or_inside(tiny_tagger, tmp_path):
    folder = changed(tiny_tagger, tmp_path, id2label={0: "O", 1: "PER", 2: "PER", 3: "LOC", 4: "LOC"})
    assert TokenClassifier(folder, device="cpu").entities(["Ada Lovelace"]) == [[Entity(0, 12, "PER")]]


def test_name_and_revision(tiny_tagger, tagger, tmp_path):
    assert tagger.name == str(tiny_tagger)
    assert TokenClassifier(tiny_tagger, name="mine", device="cpu").name == "mine"
    other = changed(tiny_tagger, tmp_path, id2label={0: "O", 1: "A", 2: "B", 3: "C", 4: "D"})
    assert len(tagger.revision) == 16
    assert TokenClassifier(other, device="cpu").revision != tagger.revision


@pytest.mark.parametrize("labels", [{0: "NOUN", 1: "VERB"}, {0: "O"}, {"x": "O", "y": "B-PER"}, "O", None])
def test_labels_that_mark_no_entities(tiny_tagger, tmp_path, labels):
    with pytest.raises(UnsupportedError, match=r"does not mark named entities \(id2label in config\.json\); expected"):
        TokenClassifier(changed(tiny_tagger, tmp_path, id2label=labels))


def test_a_model_with_its_own_code_is_refused(tiny_tagger, tmp_path):
    with pytest.raises(UnsupportedError, match="brings its own Python code, which is never run"):
        TokenClassifier(changed(tiny_tagger, tmp_path, auto_map={"AutoModel": "mine.Model"}))


def test_folders_without_a_model(tiny_tagger, tmp_path):
    with pytest.raises(DataError, match=r"no model in folder .*absent; expected config\.json"):
        TokenClassifier(tmp_path / "absent")
    copy = changed(tiny_tagger, tmp_path)
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match="no weights in folder"):
        TokenClassifier(copy)
    (copy / "model.safetensors").write_bytes(b"\x08")
    with pytest.raises(DataError, match="cannot load the model in"):
        TokenClassifier(copy)
    (copy / "config.json").write_text("[]")
    with pytest.raises(DataError, match="the model's configuration is no object"):
        TokenClassifier(copy)
    (copy / "config.json").write_text("{")
    with pytest.raises(DataError, match="the model's configuration cannot be read"):
        TokenClassifier(copy)


def test_pickled_weights_are_not_read(tiny_tagger, tmp_path):
    import torch

    copy = changed(tiny_tagger, tmp_path)
    (copy / "model.safetensors").rename(copy / "other.safetensors")
    torch.save({}, copy / "pytorch_model.bin")
    with pytest.raises(DataError, match="cannot load the model in"):
        TokenClassifier(copy)


def test_a_model_without_its_classifier_is_refused(tiny_tagger, tmp_path):
    from safetensors.torch import load_file, save_file

    copy = changed(tiny_tagger, tmp_path)
    weights = load_file(copy / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lacks weights \(classifier\.bias\)"):
        TokenClassifier(copy)
