"""The classifier's weights as a file: numbers only, nothing that could be run."""

import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoise.errors import DataError
from counterpoise.safety.judges.classifier.coherence import CoherenceModel, Tables
from counterpoise.safety.judges.classifier.features import Scaling
from counterpoise.safety.judges.classifier.refusal import RefusalHeads, RefusalModel
from counterpoise.safety.judges.classifier.softmax import Softmax
from counterpoise.safety.judges.classifier.stances import StanceModel

__all__ = ["Weights", "from_bytes", "record", "shipped_weights", "to_bytes"]

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Weights:
    """All of the classifier.

    Attributes:
        stances: of sentences.
        refusal: of completions, whole and cut.
        coherence: of completions.
    """

    stances: StanceModel
    refusal: RefusalHeads
    coherence: CoherenceModel


@cache
def shipped_weights() -> Weights:
    """The weights that come with the package.

    Raises:
        DataError: the file is damaged.
    """
    file = _folder().joinpath("weights.npz")
    return from_bytes(file.read_bytes(), where=str(file))


@cache
def record() -> dict[str, Any]:
    """What the shipped weights were fitted on, when, and how well they did (``weights.json``)."""
    found: dict[str, Any] = json.loads(_folder().joinpath("weights.json").read_text(encoding="utf-8"))
    return found


def to_bytes(weights: Weights) -> bytes:
    """The content of a weights file; equal weights give equal bytes."""
    arrays: Arrays = {
        "stances.vocabulary": _packed(weights.stances.vocabulary),
        **_softmax_arrays("stances", weights.stances.model),
        "coherence.common": _packed(weights.coherence.tables.common),
        # Logarithms between -4 and 4, in steps of 1/30; and between -6 and 0, in steps of 1/20.
        "coherence.words": np.round(weights.coherence.tables.words * 30).astype(np.int8),
        "coherence.letters": np.round(weights.coherence.tables.letters * 20).astype(np.int8),
        **_scaling_arrays("coherence", weights.coherence.scaling),
        **_softmax_arrays("coherence", weights.coherence.model),
    }
    for name, head in (("whole", weights.refusal.whole), ("cut", weights.refusal.cut)):
        arrays |= {
            f"{name}.vocabulary": _packed(head.vocabulary),
            f"{name}.kinds": _packed({kind: place for place, kind in enumerate(head.factors)}),
            f"{name}.factors": np.array(list(head.factors.values()), dtype=np.float32),
            **_scaling_arrays(name, head.scaling),
            **_softmax_arrays(name, head.model),
        }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return buffer.getvalue()


def from_bytes(content: bytes, *, where: str = "weights") -> Weights:
    """The weights of a file's content.

    Args:
        content: of a file that :func:`to_bytes` made.
        where: the file's name, for the error.

    Raises:
        DataError: it is no such file.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays: Arrays = {name: file[name] for name in file.files}
        return Weights(
            stances=StanceModel(_unpacked(arrays["stances.vocabulary"]), _softmax("stances", arrays)),
            refusal=RefusalHeads(whole=_head("whole", arrays), cut=_head("cut", arrays)),
            coherence=CoherenceModel(
                Tables(
                    _unpacked(arrays["coherence.common"]),
                    arrays["coherence.words"].astype(np.float32) / np.float32(30),
                    arrays["coherence.letters"].astype(np.float32) / np.float32(20),
                ),
                _scaling("coherence", arrays),
                _softmax("coherence", arrays),
            ),
        )
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError("the classifier's weights are damaged", where=where, fix="reinstall the package") from error


def _head(name: str, arrays: Arrays) -> RefusalModel:
    kinds = _unpacked(arrays[f"{name}.kinds"])
    return RefusalModel(
        _unpacked(arrays[f"{name}.vocabulary"]),
        _scaling(name, arrays),
        {kind: float(arrays[f"{name}.factors"][place]) for kind, place in kinds.items()},
        _softmax(name, arrays),
    )


def _softmax_arrays(name: str, model: Softmax) -> Arrays:
    return {
        f"{name}.weights": model.weights.astype(np.float16),
        f"{name}.bias": model.bias.astype(np.float32),
    }


def _softmax(name: str, arrays: Arrays) -> Softmax:
    return Softmax(arrays[f"{name}.weights"].astype(np.float32), arrays[f"{name}.bias"].astype(np.float32))


def _scaling_arrays(name: str, scaling: Scaling) -> Arrays:
    return {f"{name}.mean": scaling.mean.astype(np.float32), f"{name}.spread": scaling.spread.astype(np.float32)}


def _scaling(name: str, arrays: Arrays) -> Scaling:
    return Scaling(arrays[f"{name}.mean"], arrays[f"{name}.spread"])


def _packed(columns: dict[str, int]) -> NDArray[np.uint8]:
    """Names in the order of their columns, one a line, as UTF-8."""
    return np.frombuffer("\n".join(sorted(columns, key=columns.__getitem__)).encode(), dtype=np.uint8)


def _unpacked(packed: NDArray[Any]) -> dict[str, int]:
    return {name: column for column, name in enumerate(packed.tobytes().decode().split("\n"))}


def _folder() -> Any:
    return resources.files("counterpoise.safety.judges.classifier")
