"""Embeddings that are kept on disk by content: fitting again on the same texts embeds nothing again."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from counterpoise.errors import OutputError
from counterpoise.lm.embedding import Embedder
from counterpoise.records import content_hash, write_atomic
from counterpoise.safety.judges.classifier.softmax import Floats

__all__ = ["CachedEmbedder"]


class CachedEmbedder:
    """An embedder that keeps the vectors of each call in a file.

    A file's name is a hash of the texts and of the embedder's identity. It holds numbers only, no text. A folder that
    cannot be written, or a damaged file, costs time and nothing else.

    Args:
        embedder: gives the vectors.
        folder: where the files are kept; created when needed.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder
        self.name = embedder.name
        self.revision = embedder.revision

    def embed(self, texts: Sequence[str]) -> Floats:
        """See :class:`~counterpoise.lm.embedding.Embedder`."""
        file = self._folder / f"{content_hash([self.name, self.revision, list(texts)], length=32)}.npy"
        try:
            vectors: Floats = np.load(file, allow_pickle=False)
            if len(vectors) == len(texts) and vectors.dtype == np.float32:
                return vectors
        except (OSError, ValueError, EOFError):
            pass
        vectors = self._embedder.embed(texts)
        buffer = io.BytesIO()
        np.save(buffer, vectors, allow_pickle=False)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(file, buffer.getvalue())
        except (OSError, OutputError):
            pass
        return vectors
