"""A model on this machine that is asked with finished prompts, which no chat template touches.

Classifiers that are language models were trained on prompts of their own form; a chat template would change them.
"""

from pathlib import Path

from counterpoise.lm.protocol import LanguageModel, Message

__all__ = ["open_plain", "plain"]

_AS_WRITTEN = "{{ messages[0]['content'] }}"


def open_plain(folder: Path, *, name: str, adapter: Path | None = None) -> LanguageModel:
    """The model of a folder, for prompts made by :func:`plain`.

    Nothing is put before or after a prompt: one that has to begin with a special token must have it in its text.

    Args:
        folder: as :func:`counterpoise.lm.loading.load_folder` takes it; its tokenizer needs no chat template.
        name: reported as the model's name.
        adapter: a PEFT adapter folder to merge into the weights.

    Raises:
        DataError, UnsupportedError, MissingExtraError: as :func:`counterpoise.lm.loading.load_folder`.
    """
    from counterpoise.lm.local import LocalLM

    return LocalLM.from_folder(folder, name=name, adapter=adapter, chat_template=_AS_WRITTEN)


def plain(text: str) -> list[Message]:
    """A finished prompt as the one message of a request."""
    return [{"role": "user", "content": text}]
