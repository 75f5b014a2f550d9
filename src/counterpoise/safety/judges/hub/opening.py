"""From a guard's name, and the place of its weights, to the judge."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.lm.hub import hub_folder
from counterpoise.lm.protocol import LanguageModel
from counterpoise.safety.judges.hub.guard import Guard
from counterpoise.safety.judges.hub.harmbench import HARMBENCH
from counterpoise.safety.judges.hub.judge import HubJudge
from counterpoise.safety.judges.hub.llama_guard import LLAMA_GUARD
from counterpoise.safety.judges.hub.qwen3guard import QWEN3GUARD
from counterpoise.safety.judges.hub.strongreject import STRONGREJECT
from counterpoise.safety.judges.hub.wildguard import WILDGUARD
from counterpoise.safety.judges.judgement import Judge

__all__ = ["GUARDS", "HUB_JUDGES", "open_hub_judge"]

GUARDS: dict[str, Guard] = {
    guard.name: guard for guard in (QWEN3GUARD, WILDGUARD, HARMBENCH, STRONGREJECT, LLAMA_GUARD)
}
"""Every published guard by name."""

HUB_JUDGES: dict[str, str] = {guard.name: guard.title for guard in GUARDS.values()}
"""Names and one-line titles, for lists."""


def open_hub_judge(name: str, spec: str | None = None, *, cache: Path | None = None) -> Judge:
    """A published guard as a judge.

    Its files are found, or downloaded, and its tokenizer is tried at once; its weights are read when the first
    completion is judged.

    Args:
        name: a key of :data:`HUB_JUDGES`.
        spec: a folder with the weights, or ``owner/name`` or ``owner/name@revision`` on the hub; by default the
            guard's own repository. A PEFT adapter is put on the base model that it names, a folder or a repository.
        cache: folder in which the guard's answers are kept by content; ``None`` keeps none.

    Raises:
        UnknownNameError: no such guard.
        UsageError: the hub does not hand the model out.
        DataError: the folder does not exist, or what it holds is not complete.
        UnsupportedError: the guard needs a chat template and its tokenizer has none, or the model brings its own code.
    """
    from counterpoise.lm.loading import load_tokenizer

    guard = GUARDS.get(name)
    if guard is None:
        raise UnknownNameError("judge", name, GUARDS)
    place = _place(spec or guard.repository)
    tokenizer = load_tokenizer(place.folder)
    # A tokenizer of another model is found out here rather than after the completions were written.
    guard.prompt(tokenizer, "question", "answer")

    def load() -> tuple[LanguageModel, Any]:
        from counterpoise.lm.cached import CachedLM
        from counterpoise.lm.plain import open_plain

        lm = open_plain(place.folder, name=place.label, adapter=place.adapter)
        return lm if cache is None else CachedLM(lm, cache), tokenizer

    return HubJudge(guard, load, place.identity)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a guard's weights are; the label is theirs, never a path."""

    folder: Path
    adapter: Path | None
    label: str

    def identity(self) -> str:
        from counterpoise.lm.loading import folder_revision

        parts = [folder_revision(folder)[:8] for folder in (self.folder, self.adapter) if folder]
        return f"{self.label}@{'+'.join(parts)}"


def _place(spec: str) -> _Place:
    from counterpoise.lm.pretrained import read_config

    folder = _folder(spec)
    path = Path(spec).expanduser()
    label = path.resolve().name if path.is_dir() else spec.partition("@")[0].rpartition("/")[2]
    adapter: Path | None = None
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        folder, adapter = _base(folder), folder
    read_config(folder)
    return _Place(folder, adapter, label)


def _folder(spec: str) -> Path:
    path = Path(spec).expanduser()
    if path.is_dir():
        return path
    if spec.startswith(("/", ".", "~")) or len([part for part in spec.split("/") if part]) != 2:
        raise DataError(
            f"no model folder at {spec!r}", expected="a folder with the guard's weights, or owner/name on the hub"
        )
    return hub_folder(spec)


def _base(adapter: Path) -> Path:
    file = adapter / "adapter_config.json"
    try:
        base = json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("the adapter does not say which base model it belongs to", where=str(file)) from error
    if not isinstance(base, str) or not base:
        raise DataError("the adapter does not say which base model it belongs to", where=str(file))
    # A path is one from the adapter's folder.
    place = adapter / Path(base).expanduser()
    return place if place.is_dir() else hub_folder(base)
