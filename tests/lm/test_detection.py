"""Boxes by tiny detectors of the two known kinds; no hub is asked."""

import json
import shutil

import numpy as np
import pytest

from counterpoise.errors import DataError, UnsupportedError
from counterpoise.lm.detection import MAX_LABELS, Box, Detector, ZeroShotDetector


@pytest.fixture(scope="module")
def detector(tiny_detector):
    return ZeroShotDetector(tiny_detector, device="cpu", threshold=0.0)


@pytest.fixture(scope="module")
def grounding(tmp_path_factory):
    """A random Grounding DINO with six boxes."""
    import torch
    from transformers import (
        BertConfig,
        BertTokenizerFast,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoProcessor,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    folder = tmp_path_factory.mktemp("grounding") / "model"
    folder.mkdir()
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] . ? red box lamp a".split()
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    pictures = GroundingDinoImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 64})
    GroundingDinoProcessor(pictures, tokenizer).save_pretrained(folder)
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=32,
            patch_size=2,
            embed_dim=8,
            depths=[1] * 4,
            num_heads=[1] * 4,
            window_size=2,
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        ),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=6,
        max_text_len=32,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        GroundingDinoForObjectDetection(config).save_pretrained(folder)
    return folder


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def overlap(first, second):
    wide = min(first.right, second.right) - max(first.left, second.left)
    high = min(first.bottom, second.bottom) - max(first.top, second.top)
    both = max(wide, 0) * max(high, 0)
    return both / (sum((box.right - box.left) * (box.bottom - box.top) for box in (first, second)) - both)


def check(boxes, labels, height, width):
    assert boxes
    assert [labels.index(box.label) for box in boxes] == sorted(labels.index(box.label) for box in boxes)
    for box in boxes:
        assert 0 <= box.left < box.right <= width
        assert 0 <= box.top < box.bottom <= height
        assert 0 <= box.score <= 1
    for label in labels:
        mine = [box for box in boxes if box.label == label]
        assert len(mine) <= 5
        assert [box.score for box in mine] == sorted((box.score for box in mine), reverse=True)
        assert all(overlap(one, other) <= 0.5 for at, one in enumerate(mine) for other in mine[:at])


LABELS = ["red box", "a lamp"]


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (8, 8), (8, 200), (300, 500)])
def test_boxes_are_inside_apart_and_in_order(detector, size):
    boxes = detector.detect(noise(*size), LABELS)
    assert isinstance(detector, Detector)
    check(boxes, LABELS, *size)
    assert boxes == detector.detect(noise(*size), LABELS)


def test_boxes_are_those_of_the_model(detector):
    import torch

    pixels = noise(48, 64)
    inputs = detector._processor(images=[pixels], text=[["lamp"]], return_tensors="pt")
    with torch.inference_mode():
        outputs = detector._model(**inputs)
    best = int(outputs.logits[0, :, 0].argmax())
    x, y, wide, high = outputs.pred_boxes[0, best].tolist()
    first = max(detector.detect(pixels, ["lamp"]), key=lambda box: box.score)
    assert first.score == pytest.approx(float(torch.sigmoid(outputs.logits[0, best, 0])), abs=1e-5)
    assert first.left == max(0, int((x - wide / 2) * 64))
    assert first.bottom == min(48, -int(-(y + high / 2) * 48 // 1))


def test_the_threshold_is_the_least_score(tiny_detector, detector):
    every = detector.detect(noise(48, 64), LABELS)
    middle = sorted(box.score for box in every)[len(every) // 2]
    some = ZeroShotDetector(tiny_detector, device="cpu", threshold=middle).detect(noise(48, 64), LABELS)
    assert some
    assert min(box.score for box in some) >= middle
    assert ZeroShotDetector(tiny_detector, device="cpu", threshold=1.1).detect(noise(48, 64), LABELS) == []


def test_labels_are_given_back_as_they_were_asked_for(detector, grounding):
    for model in (detector, ZeroShotDetector(grounding, device="cpu", threshold=0.0)):
        boxes = model.detect(noise(48, 64), ["  The RED box. ", "the red box", "lamp?"])
        assert {box.label for box in boxes} <= {"  The RED box. ", "lamp?"}


@pytest.mark.parametrize("labels", [[], [""], ["!", ".", "'", "\0", "\ud800", "\N{GRINNING FACE}"]])
def test_nothing_to_look_for(detector, labels):
    assert detector.detect(noise(48, 64), labels) == []


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (3, 64), (64, 3), (1, 500)])
def test_pictures_in_which_there_is_nothing_to_see(detector, size):
    assert detector.detect(noise(*size), LABELS) == []


def test_hostile_labels(detector, grounding):
    labels = [
        "x" * 100_000,
        "lamp. red box. [SEP] [CLS]",
        "<|endoftext|>",
        "中" * 900,
        *(f"box {n}" for n in range(500)),
    ]
    for model in (detector, ZeroShotDetector(grounding, device="cpu", threshold=0.0)):
        boxes = model.detect(noise(48, 64), labels)
        assert {box.label for box in boxes} <= set(labels[:MAX_LABELS])


def test_a_model_that_scores_words_of_a_prompt(grounding):
    import torch

    model = ZeroShotDetector(grounding, device="cpu", threshold=0.0)
    pixels = noise(48, 64)
    labels = ["red box", "lamp", "a red lamp"]
    boxes = model.detect(pixels, labels)
    check(boxes, labels, 48, 64)
    inputs = model._processor(images=[pixels], text=[labels], return_tensors="pt")
    # [CLS] red box . lamp . a red lamp . [SEP]
    assert inputs["input_ids"].shape == (1, 11)
    with torch.inference_mode():
        scores = torch.sigmoid(model._model(**inputs).logits[0])
    per_label = torch.stack([scores[:, 1:3].amax(-1), scores[:, 4], scores[:, 6:9].amax(-1)], dim=-1)
    wanted = {(labels[int(row.argmax())], round(float(row.max()), 4)) for row in per_label}
    assert {(box.label, round(box.score, 4)) for box in boxes} <= wanted


def changed(folder, tmp_path, **config):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**record, **config}))
    return copy


def test_name_revision_and_the_usual_threshold(tiny_detector, detector, tmp_path):
    assert detector.name == str(tiny_detector)
    assert len(detector.revision) == 16
    usual = ZeroShotDetector(changed(tiny_detector, tmp_path, initializer_factor=2.0), name="mine", device="cpu")
    assert usual.name == "mine"
    assert usual.revision != detector.revision
    assert all(isinstance(box, Box) and box.score >= 0.1 for box in usual.detect(noise(48, 64), LABELS))


def test_models_that_are_no_detectors(tiny_detector, tiny_tagger, tmp_path):
    with pytest.raises(
        UnsupportedError, match=r"of the kind 'bert' \(model_type in config\.json\); expected a zero-shot"
    ):
        ZeroShotDetector(tiny_tagger)
    with pytest.raises(UnsupportedError, match="brings its own Python code, which is never run"):
        ZeroShotDetector(changed(tiny_detector, tmp_path, auto_map={"AutoModel": "mine.Model"}))


def test_folders_without_a_model(tiny_detector, tmp_path):
    with pytest.raises(DataError, match=r"no model in folder .*absent; expected config\.json"):
        ZeroShotDetector(tmp_path / "absent")
    copy = changed(tiny_detector, tmp_path)
    (copy / "model.safetensors").write_bytes(b"\x08")
    with pytest.raises(DataError, match="cannot load the model in"):
        ZeroShotDetector(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match="no weights in folder"):
        ZeroShotDetector(copy)


def test_a_folder_without_preprocessing(tiny_detector, tmp_path):
    copy = changed(tiny_detector, tmp_path)
    (copy / "processor_config.json").unlink()
    with pytest.raises(DataError, match="cannot load the model in"):
        ZeroShotDetector(copy)
