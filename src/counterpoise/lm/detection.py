"""Where things that are named in words are in a picture, by a zero-shot detector from a local folder.

Known kinds are OWL-ViT and OWLv2 (``google/owlvit-base-patch32``, ``google/owlv2-base-patch16-ensemble``) and Grounding
DINO (``IDEA-Research/grounding-dino-tiny``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from counterpoise.errors import UnsupportedError
from counterpoise.lm.pretrained import load_pretrained, read_config

__all__ = ["MAX_LABELS", "Box", "Detector", "ZeroShotDetector"]

MAX_LABELS = 16
"""Looked for in one picture; further ones are not."""

_THRESHOLDS = {"owlvit": 0.1, "owlv2": 0.1, "grounding-dino": 0.3, "mm-grounding-dino": 0.3}
"""Kind of model to the score from which on its authors take a box."""
_LABEL_CHARS = 48
_OVERLAP = 0.5
"""Boxes of one label that share more than this (intersection over union) are the same thing."""
_BOXES_PER_LABEL = 5
_CANDIDATES = 300
_MIN_SIDE = 8
"""Pixels; in a smaller picture there is nothing to see, and scaling a line fails."""


@dataclass(frozen=True, slots=True)
class Box:
    """A thing found in a picture.

    Attributes:
        label: as it was asked for.
        score: of the model, in [0, 1].
        left: first column, in pixels.
        top: first row.
        right: column after the last.
        bottom: row after the last.
    """

    label: str
    score: float
    left: int
    top: int
    right: int
    bottom: int


@runtime_checkable
class Detector(Protocol):
    """Finds things in pictures."""

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of the weights."""
        ...

    def detect(self, pixels: NDArray[np.uint8], labels: Sequence[str]) -> list[Box]:
        """The boxes of the labels in a picture, label by label, best first."""
        ...


class ZeroShotDetector:
    """A detector that takes labels in words.

    Args:
        folder: as written by ``save_pretrained``, with preprocessing.
        name: reported as the model's name; default the folder.
        device: as torch names it; default a GPU where there is one.
        threshold: the least score of a box; default what the model's authors take.

    Raises:
        DataError: the folder is missing, incomplete or damaged, or weights are not in it.
        UnsupportedError: the model brings its own code, or is none of the known kinds.
    """

    def __init__(
        self, folder: Path, *, name: str | None = None, device: str | None = None, threshold: float | None = None
    ) -> None:
        kind = str(read_config(folder).get("model_type"))
        if kind not in _THRESHOLDS:
            raise UnsupportedError(
                f"the model in {folder} is of the kind {kind!r}",
                where="model_type in config.json",
                expected="a zero-shot detector: " + ", ".join(sorted(_THRESHOLDS)),
            )
        from counterpoise.lm.loading import default_device, folder_revision

        self.name = name or str(folder)
        self.revision = folder_revision(folder)
        self._phrases = "grounding" in kind
        self._threshold = _THRESHOLDS[kind] if threshold is None else threshold
        self._device = device or default_device()
        self._model, self._processor = load_pretrained(folder, "AutoModelForZeroShotObjectDetection", "AutoProcessor")
        self._model.to(self._device)
        settings = self._model.config
        # Of the whole prompt, or of each label. What is longer is cut: the models fail on it.
        self._max_tokens = settings.max_text_len if self._phrases else settings.text_config.max_position_embeddings

    def detect(self, pixels: NDArray[np.uint8], labels: Sequence[str]) -> list[Box]:
        """Where the labels are in a picture.

        Args:
            pixels: height, width, and red, green and blue.
            labels: what to look for. Letters, digits, hyphens and apostrophes count; labels without any, repeated
                ones and those beyond the first :data:`MAX_LABELS` are left out.

        Returns:
            Boxes inside the picture, label by label in the order given, best first; of a label at most five, none of
            which overlaps another by more than half. None in a picture with a side below eight pixels.
        """
        asked: dict[str, str] = {}
        for label in labels:
            if (spelled := _spelled(label)) and len(asked) < MAX_LABELS:
                asked.setdefault(spelled, label)
        height, width = pixels.shape[:2]
        if not asked or min(height, width) < _MIN_SIDE:
            return []
        texts = list(asked)
        found = [
            Box(texts[label], score, *corners)
            for label, score, edges in self._candidates(pixels, texts)
            if score >= self._threshold and (corners := _inside(edges, width, height)) is not None
        ]
        boxes = _distinct(found, texts)
        return [Box(asked[box.label], box.score, box.left, box.top, box.right, box.bottom) for box in boxes]

    def _candidates(self, pixels: NDArray[np.uint8], texts: list[str]) -> list[tuple[int, float, list[float]]]:
        """Number of the label, score and edges of every box that the model proposes."""
        import torch

        inputs = self._processor(
            images=[pixels],
            text=[texts],
            truncation=True,
            max_length=self._max_tokens,
            return_tensors="pt",
            # Guessed otherwise, from sides that may be as short as the three colours.
            input_data_format="channels_last",
        ).to(self._device)
        with torch.inference_mode():
            outputs = self._model(**inputs)
        height, width = pixels.shape[:2]
        if self._phrases:
            return _by_phrase(outputs, self._separators(inputs["input_ids"][0].tolist()), len(texts), width, height)
        # Below every score, so that one place decides.
        results = self._processor.post_process_grounded_object_detection(
            outputs, threshold=-1.0, target_sizes=[(height, width)]
        )[0]
        return list(zip(results["labels"].tolist(), results["scores"].tolist(), results["boxes"].tolist(), strict=True))

    def _separators(self, tokens: Sequence[int]) -> list[int]:
        """Where the labels of a prompt "a. b. c." end."""
        full_stop = self._processor.tokenizer.convert_tokens_to_ids(".")
        return [place for place, token in enumerate(tokens) if token == full_stop]


def _by_phrase(
    outputs: Any, ends: Sequence[int], labels: int, width: int, height: int
) -> list[tuple[int, float, list[float]]]:
    """Boxes of a model that scores the tokens of a prompt: a label's score is that of its best token.

    The model's own reading of scores as words loses which label they belong to.
    """
    import torch

    scores = torch.sigmoid(outputs.logits[0].float())
    spans = list(zip([0, *ends], ends, strict=False))[:labels]
    if not spans:
        return []
    # The first token is a mark of its own, and so is every full stop.
    per_label = torch.stack(
        [
            scores[:, start + 1 : end].amax(dim=-1) if end > start + 1 else torch.zeros_like(scores[:, 0])
            for start, end in spans
        ],
        dim=-1,
    )
    best = per_label.max(dim=-1)
    found = []
    for (x, y, wide, high), score, label in zip(
        outputs.pred_boxes[0].tolist(), best.values.tolist(), best.indices.tolist(), strict=True
    ):
        edges = [(x - wide / 2) * width, (y - high / 2) * height, (x + wide / 2) * width, (y + high / 2) * height]
        found.append((label, score, edges))
    return found


def _inside(edges: Sequence[float], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Whole pixels of a box within the picture; ``None`` where nothing is left of it."""
    if not all(map(math.isfinite, edges)):
        return None
    left, top = max(0, math.floor(edges[0])), max(0, math.floor(edges[1]))
    right, bottom = min(width, math.ceil(edges[2])), min(height, math.ceil(edges[3]))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _distinct(boxes: Sequence[Box], labels: Sequence[str]) -> list[Box]:
    """The best boxes of each label, without those that overlap a better one."""
    # Ties by place, so that the same scores give the same boxes.
    order = sorted(boxes, key=lambda box: (-box.score, box.top, box.left, box.bottom, box.right))[:_CANDIDATES]
    kept: dict[str, list[Box]] = {label: [] for label in labels}
    for box in order:
        mine = kept[box.label]
        if len(mine) < _BOXES_PER_LABEL and all(_overlap(box, other) <= _OVERLAP for other in mine):
            mine.append(box)
    return [box for label in labels for box in kept[label]]


def _overlap(first: Box, second: Box) -> float:
    wide = min(first.right, second.right) - max(first.left, second.left)
    high = min(first.bottom, second.bottom) - max(first.top, second.top)
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (first, second)]
    return wide * high / (sum(areas) - wide * high)


def _spelled(label: str) -> str:
    """A label as the model is asked for it; a full stop would end it early."""
    kept = "".join(character if character.isalnum() or character in "-'" else " " for character in label[:400])
    spelled = " ".join(kept.lower().split())[:_LABEL_CHARS].strip()
    return spelled if any(map(str.isalnum, spelled)) else ""
