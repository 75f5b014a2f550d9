"""Named entities by a token classifier from a local folder, such as a download of ``dslim/bert-base-NER``.

The model is any token classifier that transformers implements, with labels such as ``B-PER``, ``I-PER`` and ``O``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from counterpoise.errors import UnsupportedError
from counterpoise.lm.pretrained import load_pretrained, read_config

__all__ = ["Entity", "EntityTagger", "TokenClassifier"]

_MAX_TOKENS = 512
_OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity: ``text[start:end]``.

    Attributes:
        start: offset of its first character.
        end: offset after its last one.
        label: its kind as the model names it, without ``B-`` or ``I-``.
    """

    start: int
    end: int
    label: str


@runtime_checkable
class EntityTagger(Protocol):
    """Finds named entities."""

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of the weights."""
        ...

    def entities(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text, in order of appearance, without overlap."""
        ...


class TokenClassifier:
    """A token classifier whose labels mark entities.

    A word is labelled by its first token; neighbouring words of one kind are one entity unless the second begins a new
    one. Long texts are read in windows that overlap.

    Args:
        folder: as written by ``save_pretrained``.
        name: reported as the model's name; default the folder.
        device: as torch names it; default a GPU where there is one.
        batch_size: windows per forward pass.

    Raises:
        DataError: the folder is missing, incomplete or damaged, or the classifier's weights are not in it.
        UnsupportedError: the model brings its own code, its labels do not mark entities, or its tokenizer does not say
            where tokens stand in the text.
    """

    def __init__(
        self, folder: Path, *, name: str | None = None, device: str | None = None, batch_size: int = 16
    ) -> None:
        config = read_config(folder)
        self._labels = _entity_labels(config, folder)
        from counterpoise.lm.loading import default_device, folder_revision

        self.name = name or str(folder)
        self.revision = folder_revision(folder)
        self._batch_size = batch_size
        self._device = device or default_device()
        self._model, self._tokenizer = load_pretrained(folder, "AutoModelForTokenClassification", "AutoTokenizer")
        if not self._tokenizer.is_fast:
            raise UnsupportedError(
                f"the tokenizer in {folder} does not say where its tokens stand", expected="one with a tokenizer.json"
            )
        self._model.to(self._device)
        positions = getattr(self._model.config, "max_position_embeddings", _MAX_TOKENS)
        # RoBERTa and its kin count positions from 2.
        self._max_tokens = max(8, min(_MAX_TOKENS, int(positions) - 2 * ("roberta" in self._model.config.model_type)))

    def entities(self, texts: Sequence[str]) -> list[list[Entity]]:
        """See :class:`EntityTagger`; an empty text has none."""
        words: list[dict[int, tuple[int, int, str]]] = [{} for _ in texts]
        encoded = self._windows([_encodable(text) for text in texts])
        for start in range(0, len(encoded), self._batch_size):
            chosen = encoded[start : start + self._batch_size]
            for window, labels in zip(chosen, self._predicted(chosen), strict=True):
                _note(words[window.text], window, [self._labels.get(label, _OUTSIDE) for label in labels])
        return [
            _joined(text, [found[word] for word in sorted(found)]) for text, found in zip(texts, words, strict=True)
        ]

    def _windows(self, texts: Sequence[str]) -> list["_Window"]:
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=self._max_tokens,
            stride=self._max_tokens // 4,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        return [
            _Window(
                text=encoded["overflow_to_sample_mapping"][place],
                tokens=encoded["input_ids"][place],
                offsets=encoded["offset_mapping"][place],
                words=encoded.word_ids(place),
            )
            for place in range(len(encoded["input_ids"]))
        ]

    def _predicted(self, windows: Sequence["_Window"]) -> list[list[int]]:
        """The likeliest label of every token."""
        import torch

        batch = self._tokenizer.pad({"input_ids": [window.tokens for window in windows]}, return_tensors="pt")
        with torch.inference_mode():
            best = self._model(**batch.to(self._device)).logits.argmax(dim=-1).tolist()
        # Some tokenizers pad on the left.
        left = self._tokenizer.padding_side == "left"
        return [
            row[len(row) - len(window.tokens) :] if left else row[: len(window.tokens)]
            for row, window in zip(best, windows, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Window:
    """Tokens of a part of a text: their ids, places in the text and numbers of their words."""

    text: int
    tokens: Sequence[int]
    offsets: Sequence[tuple[int, int]]
    words: Sequence[int | None]


def _note(found: dict[int, tuple[int, int, str]], window: _Window, labels: Sequence[str]) -> None:
    """Add a window's words: start, end and label; of a word in two windows the first label counts."""
    for (start, end), word, label in zip(window.offsets, window.words, labels, strict=True):
        if word is None or end <= start:
            continue
        known = found.get(word)
        found[word] = (start, end, label) if known is None else (known[0], max(known[1], end), known[2])


def _joined(text: str, words: Sequence[tuple[int, int, str]]) -> list[Entity]:
    entities: list[Entity] = []
    previous = _OUTSIDE
    for start, end, label in words:
        begins, _, kind = label.rpartition("-")
        if label != _OUTSIDE:
            adjacent = entities and not text[entities[-1].end : start].strip()
            if adjacent and previous == kind and begins not in ("B", "S"):
                entities[-1] = Entity(entities[-1].start, end, kind)
            else:
                # Byte-level tokenizers count the space before a word as its first character.
                entities.append(Entity(start + len(text[start:end]) - len(text[start:end].lstrip()), end, kind))
        previous = kind if label != _OUTSIDE else _OUTSIDE
    return [entity for entity in entities if entity.end > entity.start]


def _entity_labels(config: dict[str, Any], folder: Path) -> dict[int, str]:
    """The labels by number; models number them differently, so they are read, never assumed."""
    labels = config.get("id2label")
    named = {str(key): str(label) for key, label in labels.items()} if isinstance(labels, dict) else {}
    if _OUTSIDE not in named.values() or len(named) < 2 or not all(key.isdecimal() for key in named):
        raise UnsupportedError(
            f"the model in {folder} does not mark named entities",
            where="id2label in config.json",
            expected="labels such as O, B-PER, I-PER",
        )
    return {int(key): label for key, label in named.items()}


def _encodable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which no tokenizer takes; as long as before."""
    return text.encode("utf-8", "replace").decode("utf-8")
