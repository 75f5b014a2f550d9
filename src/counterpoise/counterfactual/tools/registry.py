"""The tools by modality and name."""

from collections.abc import Callable
from typing import get_args

from counterpoise.counterfactual.case import Modality
from counterpoise.counterfactual.tools.tool import Tool
from counterpoise.errors import UnknownNameError, UsageError

__all__ = ["open_tool"]

_NER = "ner:"


def open_tool(modality: str, named: str | None = None) -> Tool:
    """The extraction tool for a modality, ready to use.

    Args:
        modality: ``text``, ``mathematics``, ``code`` or ``image``.
        named: which one, where there are several; default the one that needs no model. Text: ``textblob`` or
            ``ner:FOLDER``, a token classifier. Mathematics: ``pint``. Code: ``ast``. Image: the folder of a zero-shot
            detector, which has no default.

    Raises:
        UnknownNameError: there is no such modality, or no such tool for it.
        MissingExtraError: the package that does the work is not installed.
        UsageError: the model's folder is not given.
        DataError, UnsupportedError: the model in the folder cannot be used.
    """
    match modality:
        case "text":
            if named is not None and named.startswith(_NER):
                return _entities(named.removeprefix(_NER))
            return _default("text", named, "textblob", _phrases)
        case "mathematics":
            return _default("mathematics", named, "pint", _quantities)
        case "code":
            return _default("code", named, "ast", _syntax)
        case "image":
            return _grounding(named)
    raise UnknownNameError("modality", modality, get_args(Modality))


def _default(modality: str, named: str | None, default: str, open_it: Callable[[], Tool]) -> Tool:
    if named not in (None, default):
        known = [default, f"{_NER}FOLDER"] if modality == "text" else [default]
        raise UnknownNameError(f"{modality} tool", str(named), known)
    return open_it()


def _phrases() -> Tool:
    from counterpoise.counterfactual.tools.text import PhraseTool

    return PhraseTool()


def _entities(folder: str) -> Tool:
    from counterpoise.counterfactual.tools.text import EntityTool

    if not folder:
        raise UsageError(
            "the text tool 'ner:' needs a model folder",
            fix="name it, such as ner:./bert-base-NER (dslim/bert-base-NER)",
        )
    return EntityTool.from_folder(folder)


def _quantities() -> Tool:
    from counterpoise.counterfactual.tools.mathematics import QuantityTool

    return QuantityTool()


def _syntax() -> Tool:
    from counterpoise.counterfactual.tools.code import SyntaxTool

    return SyntaxTool()


def _grounding(folder: str | None) -> Tool:
    if not folder:
        raise UsageError(
            "the image tool needs a zero-shot detector",
            fix="name its folder with --extractor image=FOLDER, such as a download of google/owlvit-base-patch32",
        )
    from counterpoise.counterfactual.tools.image import GroundingTool

    return GroundingTool.from_folder(folder)
