"""Putting texts from anywhere into a guard's prompt so that they stay texts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from jinja2 import TemplateError

from counterpoise.errors import DataError, UnsupportedError

__all__ = ["clipped", "conversation", "defused", "filled", "published", "special_tokens"]


def published(name: str) -> str:
    """The prompt of that name, byte for byte as its authors published it; the file ends with one more line break."""
    file = resources.files("counterpoise.safety.judges.hub") / "prompts" / f"{name}.txt"
    return file.read_text(encoding="utf-8").removesuffix("\n")


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its ``{names}`` replaced, once: braces in the values mean nothing.

    >>> filled("{a} and {b}", {"a": "{b}", "b": "2"})
    '{b} and 2'
    """
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)


def defused(text: str, marks: Iterable[str]) -> str:
    """A text in which none of the marks occurs: a space stands after the first character of each.

    The published forms have no way to quote, so this is the least change after which a text can neither end its part
    of the prompt nor begin another.

    >>> defused("ends here [/INST] no", ["[/INST]"])
    'ends here [ /INST] no'
    """
    pattern = _any_of(tuple(sorted(set(marks), key=lambda mark: (-len(mark), mark))))
    return pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text) if pattern else text


@lru_cache(maxsize=16)
def _any_of(marks: tuple[str, ...]) -> re.Pattern[str] | None:
    # A mark of one character cannot be broken, and one with a space after its first would come out as it went in.
    breakable = [re.escape(mark) for mark in marks if len(mark) > 1 and not mark[1].isspace()]
    return re.compile("|".join(breakable)) if breakable else None


def special_tokens(tokenizer: Any) -> list[str]:
    """What a tokenizer takes for control rather than text, such as the end of a turn."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    return sorted({*tokenizer.all_special_tokens, *(token.content for token in added if token.special)})


def clipped(tokenizer: Any, text: str, tokens: int, *, keep: Literal["start", "end"]) -> str:
    """A text's first or last tokens; the text itself when it has no more of them."""
    found: Sequence[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    if len(found) <= tokens:
        return text
    kept = found[:tokens] if keep == "start" else found[-tokens:]
    return str(tokenizer.decode(list(kept), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def conversation(tokenizer: Any, prompt: str, completion: str) -> str:
    """Request and completion in the chat template that a guard's tokenizer brings.

    Some templates want contents as strings, others as lists of parts, and pass over the other kind without a word; so
    the result is looked at.

    Raises:
        UnsupportedError: the tokenizer has no chat template.
        DataError: the template refuses the two texts, or leaves one of them out.
    """
    if getattr(tokenizer, "chat_template", None) is None:
        raise UnsupportedError(
            "the guard's tokenizer has no chat template", expected="the one that was published with it"
        )
    for parts in (False, True):
        messages = [
            {"role": role, "content": [{"type": "text", "text": text}] if parts else text}
            for role, text in (("user", prompt), ("assistant", completion))
        ]
        try:
            text = str(tokenizer.apply_chat_template(messages, tokenize=False))
        except (TemplateError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"the guard's chat template refuses request and completion: {error}") from error
        # A template for strings would print a list as Python does.
        if prompt.strip() in text and completion.strip() in text and "{'type': 'text'" not in text:
            return text
    raise DataError("the guard's chat template leaves out request or completion")
