import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from counterpoise.counterfactual.case import Case, Photo, problems
from counterpoise.counterfactual.pictures import LONGEST_SIDE, absent, picture, unreadable
from counterpoise.errors import DataError


def photo(folder: Path, name: str, size: tuple[int, int] = (40, 30), **options) -> Photo:
    (folder / "pictures").mkdir(exist_ok=True)
    Image.new("RGB", size, (200, 30, 30)).save(folder / "pictures" / name, **options)
    return Photo(file=f"pictures/{name}")


def asking(*media: Photo) -> Case:
    return Case(
        id="red",
        dataset="hand",
        modality="image",
        context="",
        media=media,
        question="Would it be red if it were painted blue?",
        options=("yes", "no"),
        answer_kind="choice",
        target="B",
        gold_kind="published",
        source="this project",
        revision="1",
        cluster="red",
    )


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that announce a picture of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_photograph_is_read_and_sent_as_png(tmp_path: Path) -> None:
    shown = Image.open(io.BytesIO(picture(photo(tmp_path, "a.jpg"), tmp_path)))
    assert (shown.format, shown.size) == ("PNG", (40, 30))
    red, green, blue = shown.getpixel((20, 15))
    assert red > 180
    assert green < 60
    assert blue < 60


def test_a_large_photograph_is_reduced_and_loses_what_the_camera_wrote(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x0112] = 6  # lies on its side
    one = photo(tmp_path, "a.jpg", (3000, 1500), exif=exif)
    content = picture(one, tmp_path)
    assert Image.open(io.BytesIO(content)).size == (LONGEST_SIDE // 2, LONGEST_SIDE)
    assert b"a camera" not in content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "identified"),
        (b"GIF89a", "identified"),
        (b"<svg/>", "identified"),
        (huge_png(20_000, 10_000), "50 megapixels"),
        (huge_png(60_000, 60_000), "50 megapixels"),
    ],
)
def test_what_is_no_picture_is_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    one = photo(tmp_path, "a.png")
    (tmp_path / one.file).write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        picture(one, tmp_path)
    assert "a.png" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert reason in (unreadable(asking(one), tmp_path) or "")


def test_a_truncated_photograph_is_refused(tmp_path: Path) -> None:
    one = photo(tmp_path, "a.jpg", (400, 300))
    whole = (tmp_path / one.file).read_bytes()
    (tmp_path / one.file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="decoded"):
        picture(one, tmp_path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    here, gone = photo(tmp_path, "a.png"), Photo(file="pictures/b.png")
    cases = [asking(here), asking(gone), asking(gone)]
    assert absent(cases, tmp_path) == ["pictures/b.png"]
    assert absent(cases, None) == ["pictures/a.png", "pictures/b.png"]
    assert unreadable(cases[0], tmp_path) is None
    assert "no such picture" in (unreadable(cases[1], tmp_path) or "")
    with pytest.raises(DataError, match="COUNTERPOISE_DATA"):
        picture(here, None)


@pytest.mark.parametrize("file", ["../a.png", "/etc/a.png", "a/../../b.png", "", "a\\b.png", "a\0.png", "."])
def test_a_path_never_leaves_the_folder(file: str) -> None:
    with pytest.raises(ValueError, match="below the data folder"):
        Photo(file=file)


def test_a_case_with_a_photograph_is_sound_and_travels(tmp_path: Path) -> None:
    case = asking(Photo(file="pictures/a.png"))
    assert problems(case) == []
    assert Case.model_validate_json(case.model_dump_json()) == case
