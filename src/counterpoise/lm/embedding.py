"""Sentence embeddings: texts to unit vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from counterpoise.errors import UnknownNameError
from counterpoise.lm.embedded import EMBEDDED, minilm_folder

if TYPE_CHECKING:
    import torch

__all__ = ["Embedder", "MiniLM", "open_embedder"]

Vectors = NDArray[np.float32]

KEPT_TEXTS = 20_000
"""Vectors kept: 30 MB."""
MAX_TOKENS = 256
"""Longer texts are cut: the length the model was trained and published with."""


@runtime_checkable
class Embedder(Protocol):
    """Maps texts to vectors whose dot product is their cosine similarity."""

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of the weights."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape ``[len(texts), dimensions]``, each of length 1; no texts give ``[0, dimensions]``."""
        ...


class MiniLM:
    """all-MiniLM-L6-v2: 384 dimensions, the mean of the last layer over a text's tokens.

    Args:
        folder: with the BERT model and its tokenizer; default the installed package.
        name: reported as the embedder's name.
        batch_size: texts per forward pass.

    Raises:
        UsageError: the package is not installed.
    """

    def __init__(self, folder: Path | None = None, *, name: str = "embedded/minilm", batch_size: int = 64) -> None:
        from transformers import BertModel, BertTokenizer

        from counterpoise.lm.loading import folder_revision, quiet_libraries

        folder = folder or minilm_folder()
        self.name = name
        self.revision = folder_revision(folder)
        self._batch_size = batch_size
        self._kept: dict[str, Vectors] = {}
        with quiet_libraries():
            self._tokenizer: Any = BertTokenizer.from_pretrained(str(folder), local_files_only=True)
            self._model: Any = BertModel.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, add_pooling_layer=False
            ).eval()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See :class:`Embedder`; texts beyond 256 tokens are cut, the empty text has a vector too.

        Vectors are kept: comparing answers asks for the same words again and again.
        """
        fresh = list(dict.fromkeys(text for text in texts if text not in self._kept))
        vectors = self._embedded(fresh)
        if len(self._kept) + len(fresh) > KEPT_TEXTS:
            self._kept = {text: self._kept[text] for text in dict.fromkeys(texts) if text in self._kept}
        self._kept.update(zip(fresh, vectors, strict=True))
        return np.stack([self._kept[text] for text in texts]) if texts else vectors

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        import torch

        vectors = np.empty((len(texts), self._model.config.hidden_size), dtype=np.float32)
        if not texts:
            return vectors
        encoded = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"]
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            batch = self._tokenizer.pad({"input_ids": [encoded[index] for index in chosen]}, return_tensors="pt")
            with torch.inference_mode():
                vectors[chosen] = self._pooled(batch).numpy()
        return vectors

    def _pooled(self, batch: Any) -> "torch.Tensor":
        from torch.nn.functional import normalize

        hidden = self._model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        # [CLS] and [SEP] count as tokens, as they did in training; so the divisor is never 0.
        pooled: torch.Tensor = normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
        return pooled


def open_embedder(name: str) -> Embedder:
    """The embedder of that name.

    Raises:
        UnknownNameError: there is none.
        UsageError: its package is not installed.
    """
    known = [model.name for model in EMBEDDED.values() if model.kind == "embedder"]
    if name not in known:
        raise UnknownNameError("embedder", name, known)
    return MiniLM(name=name)
