"""Natural language inference: how likely one text follows from another, by a cross-encoder.

The model is any sequence classifier that transformers implements and that was trained on inference, such as
``cross-encoder/nli-deberta-v3-small``: from a local folder, or from the hub at a pinned revision. Weights are read from
safetensors only, and no code that comes with a model is run.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from counterpoise.errors import UnsupportedError, UsageError
from counterpoise.lm.pretrained import load_pretrained, read_config

__all__ = ["CrossEncoder", "Entailer", "open_entailer"]

_PINNED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")
_EXPECTED = "a folder with config.json, tokenizer and safetensors, or owner/name@revision with all 40 digits"
_MAX_TOKENS = 512  # Longer pairs are cut, as in training.
_FILES = ("*.json", "*.safetensors", "*.model", "*.txt")


@runtime_checkable
class Entailer(Protocol):
    """Says how likely one text follows from another."""

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of the weights."""
        ...

    def entailment(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The probability that the second text of each pair follows from the first, in order."""
        ...


class CrossEncoder:
    """A sequence classifier over pairs of texts, one of whose labels is "entailment".

    Args:
        folder: as written by ``save_pretrained``.
        name: reported as the model's name; default the folder.
        device: as torch names it; default a GPU where there is one.
        batch_size: pairs per forward pass.

    Raises:
        DataError: the folder is missing, incomplete or damaged, or the classifier's weights are not in it.
        UnsupportedError: the model brings its own code, or its labels do not say which is "entailment".
    """

    def __init__(
        self, folder: Path, *, name: str | None = None, device: str | None = None, batch_size: int = 32
    ) -> None:
        from counterpoise.lm.loading import default_device, folder_revision

        self._entailment = _entailment_label(read_config(folder), folder)
        self.name = name or str(folder)
        self.revision = folder_revision(folder)
        self._batch_size = batch_size
        self._device = device or default_device()
        self._model, self._tokenizer = load_pretrained(folder, "AutoModelForSequenceClassification", "AutoTokenizer")
        self._model.to(self._device)
        positions = getattr(self._model.config, "max_position_embeddings", _MAX_TOKENS)
        # RoBERTa counts positions from 2.
        self._max_tokens = min(_MAX_TOKENS, int(positions) - 2 * (self._model.config.model_type == "roberta"))

    def entailment(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """See :class:`Entailer`; pairs beyond the model's length are cut, no pairs give an empty list."""
        import torch

        plain = [(_encodable(first), _encodable(second)) for first, second in pairs]
        probabilities = [0.0] * len(pairs)
        # Neighbours of equal length waste no padding.
        order = sorted(range(len(pairs)), key=lambda place: len(plain[place][0]) + len(plain[place][1]))
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            batch = self._tokenizer(
                [plain[place][0] for place in chosen],
                [plain[place][1] for place in chosen],
                padding=True,
                truncation=True,
                max_length=self._max_tokens,
                return_tensors="pt",
            ).to(self._device)
            with torch.inference_mode():
                logits = self._model(**batch).logits.float()
            for place, row in zip(chosen, torch.softmax(logits, dim=-1).tolist(), strict=True):
                probabilities[place] = row[self._entailment]
        return probabilities


def open_entailer(name: str) -> CrossEncoder:
    """The inference model of that name.

    Args:
        name: a folder, or ``owner/name@revision``: a hub id with the 40 digits of a commit. A folder that exists is
            taken as a folder. A pinned model that was downloaded before is found without a network.

    Raises:
        UsageError: the name is neither, or the model cannot be had from the hub.
        DataError, UnsupportedError: as :class:`CrossEncoder`.
    """
    path = Path(name).expanduser()
    if name and path.is_dir():
        return CrossEncoder(path, name=name)
    pinned = _PINNED.fullmatch(name)
    if pinned is None:
        if re.fullmatch(r"[\w.-]+/[\w.-]+(@.*)?", name) and not name.startswith((".", "~")):
            raise UsageError(
                f"the inference model {name!r} is not pinned", expected="owner/name@revision with all 40 digits"
            )
        raise UsageError(f"no inference model {name!r}", expected=_EXPECTED)
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            pinned["repository"], revision=pinned["revision"], allow_patterns=list(_FILES), local_files_only=False
        )
    # The hub's client raises many kinds of errors, for networks, for permissions and for its own cache.
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(
            f"cannot get the inference model {name!r}: {reason}",
            fix="download it elsewhere and name its folder",
        ) from error
    return CrossEncoder(Path(folder), name=name)


def _encodable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _entailment_label(config: dict[str, Any], folder: Path) -> int:
    """The position of the label "entailment"; models order their labels differently, so it is read, never assumed."""
    labels = config.get("id2label")
    named = (
        {str(key): str(label).strip().casefold() for key, label in labels.items()} if isinstance(labels, dict) else {}
    )
    found = [key for key, label in named.items() if label == "entailment"]
    if len(named) < 2 or len(found) != 1 or not found[0].isdigit() or int(found[0]) >= len(named):
        raise UnsupportedError(
            f"the model in {folder} does not say which label is entailment",
            where="id2label in config.json",
            expected="labels such as contradiction, entailment, neutral",
        )
    return int(found[0])
