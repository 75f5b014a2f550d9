import base64
import io

import numpy as np
import pytest
from PIL import Image

from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.suite.render.scene import png
from counterpoise.counterfactual.tools import Finding, Tool, open_tool
from counterpoise.counterfactual.tools.image import GroundingTool, masked
from counterpoise.errors import DataError
from counterpoise.lm.detection import Box


class Recorded:
    """Finds every label in the upper left corner, a pixel further on each time, and notes what it was asked."""

    name = "recorded"
    revision = "1"

    def __init__(self):
        self.asked = []

    def detect(self, pixels, labels):
        self.asked.append((pixels.shape, list(labels)))
        return [Box(label, 0.5, at, 0, at + 2, 2) for at, label in enumerate(labels)]


@pytest.fixture(scope="module")
def scene():
    return generate(GenerateConfig(suite="scm-image"), 1, 0)


@pytest.fixture(scope="module")
def drawn(scene):
    return png(scene.media[0])


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_labels_are_what_the_question_names(gate):
    tool = GroundingTool(Recorded())
    assert isinstance(tool, Tool)
    assert tool.labels(gate) == ["keeper", "lever"]
    assert tool.labels(gate.model_copy(update={"question": "Why?"}))[:1] == ["keeper"]
    assert tool.labels(gate.model_copy(update={"question": "Why?", "context": ""})) == []


def test_findings_are_places_in_the_pictures(gate, drawn):
    detector = Recorded()
    tool = GroundingTool(detector)
    assert tool.find(gate, [drawn]) == [
        Finding("object", "keeper", "box 0,0 to 2,2; score 0.50"),
        Finding("object", "lever", "box 1,0 to 3,2; score 0.50"),
    ]
    assert detector.asked == [(pixels(drawn).shape, ["keeper", "lever"])]
    two = tool.find(gate, [drawn, drawn])
    assert two[0].detail == "box 0,0 to 2,2, picture 1; score 0.50; box 0,0 to 2,2, picture 2; score 0.50"
    assert tool.find(gate) == []


def test_a_model_lists_what_it_looks_for(drawn):
    detector = Recorded()
    found = GroundingTool(detector).run("a red box, the lamp\nstar", [drawn])
    assert [one.text for one in found] == ["a red box", "the lamp", "star"]
    assert GroundingTool(detector).run("lamp") == []


def test_an_address_is_as_good_as_bytes(gate, drawn):
    tool = GroundingTool(Recorded())
    address = f"data:image/png;base64,{base64.b64encode(drawn).decode()}"
    assert tool.find(gate, [address]) == tool.find(gate, [drawn])
    file = io.BytesIO()
    Image.fromarray(pixels(drawn)).save(file, format="JPEG")
    assert tool.find(gate, [file.getvalue()]) == tool.find(gate, [drawn])


@pytest.mark.parametrize(
    "picture",
    [b"", b"\x89PNG\r\n", "", "https://example.org/a.png", "file:///a.png", "data:image/png;base64,?", "data:,x"],
)
def test_what_is_no_picture(gate, picture):
    tool = GroundingTool(Recorded())
    for use in (lambda: tool.find(gate, [picture]), lambda: tool.run("lamp", [picture]), lambda: masked(picture, [])):
        with pytest.raises(DataError, match="image"):
            use()


def test_masking_keeps_the_boxes_and_greys_the_rest(drawn):
    before = pixels(drawn)
    height, width = before.shape[:2]
    boxes = [Box("a", 1.0, 10, 20, 60, 70), Box("b", 0.5, 40, 50, 90, 100), Box("c", 0.5, width - 5, 0, width, 3)]
    after = pixels(masked(drawn, boxes))
    inside = np.zeros((height, width), dtype=bool)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    assert after.shape == before.shape
    assert (after[inside] == before[inside]).all()
    assert (after[~inside] == 128).all()
    assert masked(drawn, boxes) == masked(drawn, boxes)


def test_a_box_as_large_as_the_picture_and_none(drawn):
    before = pixels(drawn)
    height, width = before.shape[:2]
    assert (pixels(masked(drawn, [Box("a", 1.0, 0, 0, width, height)])) == before).all()
    assert (pixels(masked(drawn, [])) == before).all()


def test_pictures_of_a_case_in_focus(scene, drawn):
    tool = GroundingTool(Recorded())
    (shown,) = tool.focused(scene, [drawn])
    labels = tool.labels(scene)
    assert (pixels(shown)[:2, : len(labels) + 1] == pixels(drawn)[:2, : len(labels) + 1]).all()
    assert (pixels(shown)[3:] == 128).all()
    assert tool.focused(scene, []) == []


def test_a_real_detector_looks_at_a_drawn_scene(tiny_detector, scene, drawn, checked):
    tool = open_tool("image", str(tiny_detector))
    found = tool.find(scene, [drawn])
    checked(found)
    assert found
    assert {one.text for one in found} <= set(tool.labels(scene))
    assert open_tool("image", str(tiny_detector)).find(scene, [drawn]) == found
    height, width = pixels(drawn).shape[:2]
    for box in tool.boxes(drawn, tool.labels(scene)):
        assert 0 <= box.left < box.right <= width
        assert 0 <= box.top < box.bottom <= height
    assert pixels(tool.focused(scene, [drawn])[0]).shape == (height, width, 3)


def test_a_real_detector_takes_any_text(tiny_detector, drawn, hostile, checked):
    checked(open_tool("image", str(tiny_detector)).run(hostile, [drawn]))
