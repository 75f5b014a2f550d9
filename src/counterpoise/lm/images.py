"""Images that are sent to a model of this machine. They are foreign files: what is not checked here is not checked."""

import base64
import io

from PIL import Image, ImageOps, UnidentifiedImageError

from counterpoise.errors import DataError

__all__ = ["MAX_PIXELS", "read_image"]

MAX_PIXELS = 50_000_000
"""Of an image; a larger one is refused before it is decoded."""

MAX_RATIO = 200
"""Of the longer side to the shorter. Scaling a line's short side up to a model's size would fill the memory."""

_HEADS = {f"data:image/{kind};base64" for kind in ("png", "jpeg", "jpg")}


def read_image(uri: str, where: str) -> Image.Image:
    """Decode the picture of a ``data:`` address in RGB, upright, on white where it is transparent.

    Args:
        uri: ``data:image/png;base64,...`` or the same with ``jpeg``; nothing is fetched.
        where: what an error calls it.

    Raises:
        DataError: not a PNG or JPEG file in base64, damaged, of more than :data:`MAX_PIXELS`, or a line.
    """
    head, _, body = uri.partition(",")
    if head.lower() not in _HEADS:
        raise DataError("an image at an address that is not read", where=where, expected="data:image/png;base64,...")
    too_large = DataError(
        "an image is too large", where=where, expected=f"at most {MAX_PIXELS // 1_000_000} megapixels"
    )
    try:
        content = base64.b64decode(body, validate=True)
        # Only the beginning of the file is looked at until load().
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise too_large
            if max(opened.size) > MAX_RATIO * min(opened.size):
                raise DataError(
                    f"an image of {opened.width} x {opened.height} pixels is a line",
                    where=where,
                    expected=f"sides of at most {MAX_RATIO} to 1",
                )
            opened.load()
            return _flat(ImageOps.exif_transpose(opened))
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large from error
    # Its own message is an address in memory.
    except UnidentifiedImageError as error:
        raise DataError("an image cannot be identified", where=where, expected="a PNG or JPEG file") from error
    # A hostile file fails anywhere in the decoder: zlib, struct, a missing chunk, a colour profile.
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise DataError(f"an image cannot be decoded: {reason}", where=where, expected="PNG or JPEG") from error


def _flat(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Sixteen bits of grey would be cut off at 255.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")
