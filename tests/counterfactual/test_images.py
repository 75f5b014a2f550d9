"""Cases with pictures in a run: what a model is shown, and what happens where a picture cannot be."""

import base64
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ChatMessageTool, ContentImage, ModelOutput, ModelUsage, get_model
from PIL import Image

from counterpoise.cli import main
from counterpoise.counterfactual.case import Case, Photo
from counterpoise.counterfactual.datasets import load
from counterpoise.counterfactual.pictures import picture
from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.tools.image import GroundingTool
from counterpoise.lm.detection import ZeroShotDetector
from counterpoise.records import read_jsonl

# Inspect AI passes its retry library an old name, and leaves streams for the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PLAIN = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
PAIRS = [
    ("An old goat with a bell stands beside a barn.", "An old donkey with a bell stands beside a barn."),
    ("Two kites fly over the harbour.", "Two gulls fly over the harbour."),
    ("A bowl of plums on a wooden bench.", "A bowl of figs on a wooden bench."),
    ("The tram waits at the corner of the square.", "The bus waits at the corner of the square."),
]
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]


@pytest.fixture(scope="module")
def vlm(tiny_vlm) -> Path:
    return tiny_vlm(8192)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)


@pytest.fixture
def scenes(tmp_path) -> list[Case]:
    """Two drawn scenes, in the file scenes.jsonl."""
    cases = [generate(GenerateConfig(suite="scm-image"), 1, index) for index in range(2)]
    write(tmp_path / "scenes.jsonl", cases)
    return cases


@pytest.fixture
def coco(tmp_path) -> Path:
    """A data folder with pairs of captions and their photographs."""
    return captions(tmp_path / "data", PAIRS)


def captions(folder: Path, pairs: list[tuple[str, str]]) -> Path:
    images = folder / "coco_counterfactuals" / "images"
    images.mkdir(parents=True)
    lines = []
    for index, (first, second) in enumerate(pairs):
        names = {f"image_{side}": f"{index}_0_img_{side}" for side in (0, 1)}
        lines.append({"id": f"{index}_0", "caption_0": first, "caption_1": second, **names})
        Image.new("RGB", (48, 32), COLOURS[index % 4]).save(images / f"{index}_0_img_0.jpg")
    (images.parent / "examples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def write(path: Path, cases: list[Case]) -> None:
    path.write_text("".join(case.model_dump_json() + "\n" for case in cases), encoding="utf-8")


def diagnose(capsys, *arguments: Any, out: str = "run") -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, rows by case and stage, and what was said of an error."""
    code = main(["diagnose", *map(str, arguments), "--matcher", "normalised", "--out", out])
    error = capsys.readouterr().err
    rows = read_jsonl(Path(out) / "rows.jsonl") if code == 0 else []
    return code, sorted(rows, key=lambda row: (row["case_id"], row["stage"], row["elicit"])), error


def refused(capsys, *arguments: Any) -> str:
    """The line that a run is refused with; it leaves nothing behind."""
    code, _, error = diagnose(capsys, *arguments)
    assert code == 2
    assert error.count("\n") == 1
    assert not Path("run").exists()
    return error


@pytest.fixture
def shown(monkeypatch) -> list[list[Any]]:
    """Puts a hosted model in place that answers nothing of use; the messages that it is shown, call by call."""
    calls: list[list[Any]] = []

    def respond(messages, tools, tool_choice, config):
        calls.append(list(messages))
        called = any(isinstance(message, ChatMessageTool) for message in messages)
        if tools and not called:
            output = ModelOutput.for_tool_call("mockllm", "extract", {"text": "red lamp, door\nwindow"})
        else:
            output = ModelOutput.from_content("mockllm", '{"answer": "A"}')
        output.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)
        return output

    monkeypatch.setattr(
        "counterpoise.lm.hosted.open_inspect_model",
        lambda name: get_model("mockllm/model", custom_outputs=respond, memoize=False),
    )
    return calls


HOSTED = ("--model", "mockllm/model", "--stage", "answer")


def pictures(messages: list[Any], turn: int = -1) -> list[bytes]:
    """The pictures of a turn; they stand before its text."""
    content = messages[turn].content
    if isinstance(content, str):
        return []
    kinds = [part.type for part in content]
    assert kinds == ["image"] * (len(kinds) - 1) + ["text"]
    return [base64.b64decode(part.image.partition(",")[2]) for part in content if isinstance(part, ContentImage)]


def colour(content: bytes) -> tuple[int, ...]:
    red, green, blue = Image.open(io.BytesIO(content)).convert("RGB").getpixel((5, 5))
    return tuple(30 if part < 100 else 200 for part in (red, green, blue))


def test_a_local_model_is_shown_drawn_scenes(capsys, vlm, scenes):
    asked = ("--model", vlm, "--dataset", "scenes.jsonl", "--stage", "intervention,answer")
    code, seen, _ = diagnose(capsys, *asked)
    assert code == 0
    assert [(row["case_id"], row["stage"]) for row in seen] == sorted(
        (case.id, stage) for case in scenes for stage in ("answer", "intervention")
    )
    assert {row["status"] for row in seen} <= {"ok", "parse_failed"}
    code, unseen, _ = diagnose(capsys, *asked, "--text-only-baseline", out="blind")
    assert code == 0
    assert {row["status"] for row in unseen} <= {"ok", "parse_failed"}
    # The picture is 16 tokens of the prompt, and all that is different.
    for with_it, without in zip(seen, unseen, strict=True):
        assert with_it["tokens"]["input"] - without["tokens"]["input"] == 16


def test_a_local_model_is_shown_photographs(capsys, vlm, coco):
    asked = ("--model", vlm, "--dataset", "coco", "--data", coco, "--limit", 2, "--stage", "answer")
    code, seen, _ = diagnose(capsys, *asked)
    assert code == 0
    assert len(seen) == 2
    assert {row["status"] for row in seen} <= {"ok", "parse_failed"}
    assert {row["modality"] for row in seen} == {"image"}
    _, unseen, _ = diagnose(capsys, *asked, "--text-only-baseline", out="blind")
    for with_it, without in zip(seen, unseen, strict=True):
        assert with_it["tokens"]["input"] - without["tokens"]["input"] == 16


def test_every_case_is_shown_its_own_photograph(capsys, coco, shown):
    code, rows, _ = diagnose(capsys, *HOSTED, "--dataset", "coco", "--data", coco)
    assert code == 0
    assert len(rows) == len(shown) == len(PAIRS)
    for messages in shown:
        (content,) = pictures(messages)
        (index,) = [at for at, (first, _) in enumerate(PAIRS) if first in messages[-1].text]
        assert colour(content) == COLOURS[index]


def test_without_pictures_nothing_else_changes(capsys, coco, shown):
    diagnose(capsys, *HOSTED, "--dataset", "coco", "--data", coco)
    code, rows, _ = diagnose(capsys, *HOSTED, "--dataset", "coco", "--data", coco, "--text-only-baseline", out="blind")
    assert code == 0
    assert len(rows) == len(PAIRS)
    seen, unseen = shown[: len(PAIRS)], shown[len(PAIRS) :]
    assert [len(pictures(messages)) for messages in (*seen, *unseen)] == [1] * len(PAIRS) + [0] * len(PAIRS)
    assert sorted(messages[-1].text for messages in seen) == sorted(messages[-1].text for messages in unseen)
    assert json.loads(Path("blind/manifest.json").read_text())["config"]["text_only"]


@pytest.fixture(scope="module")
def blind(tiny_llama) -> Path:
    """A model for text alone."""
    return tiny_llama(PLAIN, merges=True, max_position_embeddings=8192, initializer_range=0.3)


@pytest.mark.parametrize("model", ["embedded/smollm2", "folder"])
def test_a_model_for_text_alone_is_refused(capsys, scenes, blind, model):
    name = blind if model == "folder" else model
    error = refused(capsys, "--model", name, "--dataset", "scenes.jsonl")
    assert f"{name} reads no images; expected a vision model, or --text-only-baseline" in error


def test_a_model_for_text_alone_may_be_the_baseline(capsys, scenes, blind):
    code, rows, _ = diagnose(
        capsys, "--model", blind, "--dataset", "scenes.jsonl", "--stage", "answer", "--text-only-baseline"
    )
    assert code == 0
    assert len(rows) == 2
    assert {row["status"] for row in rows} <= {"ok", "parse_failed"}


def test_missing_photographs_are_said_to_be(capsys, coco, shown):
    for path in (coco / "coco_counterfactuals" / "images").iterdir():
        path.unlink()
    asked = (*HOSTED, "--dataset", "coco", "--data", coco)
    error = refused(capsys, *asked)
    assert "no picture of coco can be read, the first for: no picture coco_counterfactuals/images/" in error
    assert "get data/images.zip" in error
    assert error.endswith("is one of them; or --text-only-baseline asks without\n")
    assert shown == []
    code, rows, _ = diagnose(capsys, *asked, "--text-only-baseline")
    assert code == 0
    assert len(rows) == len(PAIRS)


def test_photographs_of_a_file_of_cases_need_the_data_folder(capsys, gate, coco, shown):
    case = gate.model_copy(update={"media": (Photo(file="coco_counterfactuals/images/0_0_img_0.jpg"),)})
    write(Path("gates.jsonl"), [case])
    error = refused(capsys, *HOSTED, "--dataset", "gates.jsonl")
    assert "no picture of hand can be read" in error
    assert "(no --data and no COUNTERPOISE_DATA); get its pictures" in error
    code, rows, _ = diagnose(capsys, *HOSTED, "--dataset", "gates.jsonl", "--data", coco)
    assert code == 0
    assert len(rows) == 1
    assert len(pictures(shown[0])) == 1


def announced(width: int, height: int) -> bytes:
    """A few bytes that announce a picture of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BAD = {
    "200 megapixels": (announced(20_000, 10_000), "an image is too large"),
    "no image": (b"<html>not found</html>", "an image cannot be identified"),
    "cut off": (announced(20, 20), "an image cannot be decoded"),
    "absent": (None, "no picture coco_counterfactuals/images/1_0_img_0.jpg"),
}


@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_a_photograph_that_cannot_be_shown_costs_its_case_only(capsys, coco, shown, content, reason):
    path = coco / "coco_counterfactuals" / "images" / "1_0_img_0.jpg"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    code, rows, _ = diagnose(capsys, *HOSTED, "--dataset", "coco", "--data", coco)
    assert code == 0
    assert [row["case_id"] for row in rows] == ["coco-0_0", "coco-2_0", "coco-3_0"]
    assert {row["status"] for row in rows} == {"ok"}
    (warning,) = json.loads(Path("run/manifest.json").read_text())["warnings"]
    assert warning.startswith("coco: pictures that could not be shown: 1, the first: ")
    assert reason in warning
    # With a limit another case takes its place, as far as there are others.
    _, rows, _ = diagnose(capsys, *HOSTED, "--dataset", "coco", "--data", coco, "--limit", 3, out="three")
    assert len(rows) == 3


@pytest.fixture
def many(tmp_path) -> Path:
    """Enough cases that some are set apart for demonstrations."""
    pairs = [(f"A {one} on a stone wall.", f"A {other} on a stone wall.") for one, other in THINGS]
    return captions(tmp_path / "many", pairs)


THINGS = [
    ("kettle", "jug"),
    ("rope", "chain"),
    ("parrot", "raven"),
    ("violin", "flute"),
    ("ladder", "broom"),
    ("pumpkin", "melon"),
    ("lantern", "candle"),
    ("saddle", "bucket"),
    ("anchor", "wheel"),
    ("drum", "horn"),
]


def test_solved_cases_are_shown_with_their_photographs_or_not_at_all(capsys, many, shown):
    asked = (*HOSTED, "--dataset", "coco", "--data", many, "--elicit", "few-shot")
    code, rows, _ = diagnose(capsys, *asked)
    assert code == 0
    turns = [message for message in shown[0] if message.role == "user"]
    assert len(turns) == 4
    assert [len(pictures([turn])) for turn in turns] == [1] * 4

    shown.clear()
    code, again, _ = diagnose(capsys, *asked, "--text-only-baseline", out="blind")
    assert code == 0
    assert len(again) == len(rows)
    assert [len(pictures([message])) for message in shown[0] if message.role == "user"] == [0] * 4

    # Without their photographs, the solved cases are left out and the others run.
    shown.clear()
    tested = {row["case_id"].removeprefix("coco-") for row in rows}
    images = many / "coco_counterfactuals" / "images"
    for path in images.iterdir():
        if path.name.removesuffix("_img_0.jpg") not in tested:
            path.unlink()
    assert 0 < len(list(images.iterdir())) == len(tested) < len(THINGS)
    code, without, _ = diagnose(capsys, *asked, out="without")
    assert code == 0
    assert {row["status"] for row in without} == {"ok"}
    assert [message.role for message in shown[0]] == ["user"]


@pytest.fixture
def finds_all(monkeypatch):
    """Random detectors are sure of nothing."""
    monkeypatch.setattr("counterpoise.lm.detection._THRESHOLDS", {"owlvit": 0.0})


@pytest.mark.usefixtures("finds_all")
def test_the_tool_shows_the_picture_again_with_the_rest_greyed_out(capsys, scenes, shown, tiny_detector):
    code, rows, _ = diagnose(
        capsys,
        *HOSTED,
        *("--dataset", "scenes.jsonl", "--tools", "off,hints,calls", "--extractor", f"image={tiny_detector}"),
    )
    assert code == 0
    assert [row["elicit"] for row in rows] == ["direct", "direct+calls", "direct+hints"] * 2
    tool = GroundingTool(ZeroShotDetector(tiny_detector, device="cpu"))
    told = 0
    for messages in shown:
        question = next(message for message in messages if message.role == "user")
        (case,) = [case for case in scenes if case.context.strip() in question.text]
        original, *more = pictures([question])
        assert original == picture(case.media[0], None)
        if "Notes:" in question.text:
            told += 1
            assert more == tool.focused(case, [original])
            assert more != [original]
            assert "box " in question.text
            assert "The last picture above: the same again, with everything greyed out" in question.text
        else:
            assert more == []
    assert told == len(scenes)
    results = [message for messages in shown for message in messages if isinstance(message, ChatMessageTool)]
    assert len(results) == len(scenes)
    for result in results:
        assert result.error is None
        assert "- object: " in result.text
        assert "box " in result.text
    records = read_jsonl(Path("run/tools.jsonl"))
    assert sorted(record["case_id"] for record in records) == sorted(case.id for case in scenes)
    assert all(record["found"] > 0 for record in records)


def test_a_tool_that_finds_nothing_says_and_shows_nothing(capsys, scenes, shown, tiny_detector, monkeypatch):
    monkeypatch.setattr("counterpoise.lm.detection._THRESHOLDS", {"owlvit": 2.0})
    code, rows, _ = diagnose(
        capsys, *HOSTED, "--dataset", "scenes.jsonl", "--tools", "hints", "--extractor", f"image={tiny_detector}"
    )
    assert code == 0
    assert {row["elicit"] for row in rows} == {"direct+hints"}
    assert [len(pictures(messages)) for messages in shown] == [1, 1]
    assert not any("Notes:" in messages[-1].text for messages in shown)


def test_the_registered_name_reads_the_folder(coco):
    assert [case.id for case in load("coco", coco).cases] == [f"coco-{index}_0" for index in range(len(PAIRS))]
