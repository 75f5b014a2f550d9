"""Getting a whole model from the Hugging Face hub into a folder."""

from pathlib import Path

from counterpoise.errors import UsageError

__all__ = ["hub_folder"]

_FILES = ["*.json", "*.jinja", "*.model", "*.txt", "*.safetensors"]


def hub_folder(name: str) -> Path:
    """The folder of a model of the hub: configuration, tokenizer and safetensors, never code or pickles.

    What was downloaded before is found without a network.

    Args:
        name: ``owner/name`` or ``owner/name@revision``.

    Raises:
        UsageError: the hub cannot be reached or does not hand it out; one line.
    """
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=_FILES))
    # The hub's client raises many kinds of errors, for networks, for permissions and for its own cache.
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(
            f"cannot get the model {name!r} from the hub: {reason}",
            fix="accept its terms and log in where it is gated, or download it elsewhere and name its folder",
        ) from error
