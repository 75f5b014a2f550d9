"""Where the things of a question are in its pictures, and pictures with all else greyed out.

The boxes come from a detector that takes labels in words; the labels are the noun phrases of the question.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counterpoise.counterfactual.case import Case, Modality
from counterpoise.counterfactual.pictures import as_uri
from counterpoise.counterfactual.tools.finding import Finding, collect
from counterpoise.counterfactual.tools.text import PhraseTool
from counterpoise.counterfactual.tools.tool import MAX_CHARS, Picture
from counterpoise.lm.detection import MAX_LABELS, Box, Detector
from counterpoise.lm.images import read_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["GroundingTool", "masked"]

_GREY = (128, 128, 128)
_MAX_PICTURES = 8


class GroundingTool:
    """Boxes of the things that a text names, in the pictures of a case.

    Args:
        detector: finds labels in pictures; see :mod:`counterpoise.lm.detection`.

    Raises:
        MissingExtraError: textblob, which finds the labels, is not installed.
    """

    modality: Final[Modality] = "image"
    description: Final = "finds the things that a list of words names in the pictures, as boxes with scores"

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._phrases = PhraseTool()
        self.name = f"detector {detector.name}"
        self.version = f"{detector.revision}; labels by {self._phrases.name} ({self._phrases.version})"

    @classmethod
    def from_folder(cls, folder: str) -> "GroundingTool":
        """The tool with the detector in a folder.

        Raises:
            DataError, UnsupportedError: as :class:`counterpoise.lm.detection.ZeroShotDetector`.
            MissingExtraError: textblob is not installed.
        """
        from counterpoise.lm.detection import ZeroShotDetector

        return cls(ZeroShotDetector(Path(folder).expanduser(), name=Path(folder).name))

    def labels(self, case: Case) -> list[str]:
        """What is looked for: the noun phrases of the question, or where it has none, those of the context."""
        return self._phrases.phrases(case.question, MAX_LABELS) or self._phrases.phrases(case.context, MAX_LABELS)

    def find(self, case: Case, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """What of the question is where in the pictures; nothing without pictures.

        Raises:
            DataError: a picture cannot be read.
        """
        return self._found(pictures, self.labels(case))

    def run(self, text: str, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """Where the things of a list are in the pictures: one on each line, or with commas between.

        Raises:
            DataError: a picture cannot be read; the text is never a reason.
        """
        # Only so much of a text can hold labels.
        return self._found(pictures, text[:MAX_CHARS].replace("\n", ",").split(",", 10 * MAX_LABELS)[: 10 * MAX_LABELS])

    def boxes(self, picture: Picture, labels: Sequence[str]) -> list[Box]:
        """The boxes of some labels in a picture.

        Raises:
            DataError: the picture cannot be read.
        """
        import numpy as np

        return self._detector.detect(np.asarray(_opened(picture)), labels)

    def focused(self, case: Case, pictures: Sequence[Picture]) -> list[bytes]:
        """The pictures of a case with all but the things of the question greyed out; see :func:`masked`.

        Raises:
            DataError: a picture cannot be read.
        """
        labels = self.labels(case)
        return [masked(picture, self.boxes(picture, labels)) for picture in pictures]

    def _found(self, pictures: Sequence[Picture], labels: Sequence[str]) -> list[Finding]:
        found = []
        for number, picture in enumerate(pictures[:_MAX_PICTURES], start=1):
            which = f", picture {number}" if len(pictures) > 1 else ""
            for box in self.boxes(picture, labels):
                place = f"box {box.left},{box.top} to {box.right},{box.bottom}{which}; score {box.score:.2f}"
                found.append((box.label, place))
        return collect(Finding("object", label, "; ".join(places)) for label, places in _grouped(found).items())


def masked(picture: Picture, boxes: Iterable[Box]) -> bytes:
    """A copy of a picture, as a PNG file, in which everything outside the boxes is grey.

    Pixels inside any box are kept as they are. Without a box there is nothing to hold on to, and the picture is
    returned as it is, so that a detector that found nothing does not blind the model.

    Raises:
        DataError: the picture cannot be read.
    """
    from PIL import Image

    image = _opened(picture)
    frames = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    shown = Image.new("RGB", image.size, _GREY) if frames else image
    for frame in frames:
        shown.paste(image.crop(frame), frame)
    file = io.BytesIO()
    shown.save(file, format="PNG")
    return file.getvalue()


def _grouped(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The places of each label, labels in order."""
    places: dict[str, list[str]] = {}
    for label, place in found:
        places.setdefault(label, []).append(place)
    return places


def _opened(picture: Picture) -> "Image":
    """A picture in red, green and blue."""
    return read_image(as_uri(picture) if isinstance(picture, bytes) else picture, "a picture")
