"""The pictures of a case as a model is shown them: scenes are drawn, photographs read from the data folder.

Photographs are foreign files: :mod:`counterpoise.lm.images` decodes them or refuses to. What is sent on is encoded
anew, without the data that a camera leaves in a file.
"""

import base64
import io
from collections.abc import Iterable
from pathlib import Path

from counterpoise.counterfactual.case import Case
from counterpoise.counterfactual.media import Media, Photo
from counterpoise.counterfactual.suite.render.scene import png
from counterpoise.errors import DataError
from counterpoise.lm.images import read_image

__all__ = ["LONGEST_SIDE", "MAX_BYTES", "absent", "as_uri", "picture", "unreadable"]

MAX_BYTES = 64_000_000
"""Of a photograph's file."""
LONGEST_SIDE = 1024
"""Pixels to which a larger photograph is reduced."""


def picture(media: Media | Photo, data: Path | None) -> bytes:
    """The PNG bytes of a picture.

    Raises:
        DataError: a photograph that is not there, cannot be decoded or is too large.
    """
    if isinstance(media, Media):
        return png(media)
    path = _path(media, data)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"a file of {path.stat().st_size} bytes", where=str(path), expected=f"at most {MAX_BYTES}")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("no such picture", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot read file: {error.strerror}", where=str(path)) from error
    shown = read_image(as_uri(content), str(path))
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    shown.save(buffer, format="PNG")
    return buffer.getvalue()


def as_uri(content: bytes) -> str:
    """The bytes of a picture as a ``data:`` address."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def absent(cases: Iterable[Case], data: Path | None) -> list[str]:
    """The photographs of some cases that are not in the data folder, each once, in order."""
    files = dict.fromkeys(media.file for case in cases for media in case.media if isinstance(media, Photo))
    return [file for file in files if data is None or not (data / file).is_file()]


def unreadable(case: Case, data: Path | None) -> str | None:
    """Why a picture of the case cannot be shown; ``None`` where all can."""
    for media in case.media:
        if isinstance(media, Photo):
            try:
                picture(media, data)
            except DataError as error:
                return str(error)
    return None


def _path(media: Photo, data: Path | None) -> Path:
    if data is None:
        raise DataError(f"picture {media.file} needs the data folder", fix="pass it with --data or COUNTERPOISE_DATA")
    return data / media.file
