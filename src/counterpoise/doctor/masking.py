"""Which tokens of an example carry loss: what TRL's ``SFTTrainer`` does, step by step, without a model.

Source: ``SFTTrainer._prepare_dataset`` of TRL 1.16. A string gets the tokenizer's end-of-sequence token if it does not
end in it; a conversation is tokenised by its chat template. Of prompt and completion, all that comes after the longest
common prefix of the prompt alone (with the header of an answer) and of both together carries loss. Of messages, under
``assistant_only_loss``, what the template has between ``{% generation %}`` and ``{% endgeneration %}``. Of a text,
everything. Only then are examples cut.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from counterpoise.doctor.examples import Example, Shape, Turn
from counterpoise.errors import UnsupportedError

__all__ = ["Masked", "Masker"]

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")


@dataclass(frozen=True, slots=True)
class Masked:
    """An example's tokens before they are cut.

    Attributes:
        ids: the tokens.
        loss: for each, whether it carries loss (its label is not -100).
        mismatch: why the model would be trained on a prompt it never sees, or on tokens of the prompt; ``None`` where
            neither is so.
        ended: every stretch of loss ends with the end of a turn or of the sequence, white space aside.
    """

    ids: Sequence[int]
    loss: Sequence[bool]
    mismatch: str | None
    ended: bool


class Masker:
    """Masks examples of one shape with one tokenizer.

    Args:
        tokenizer: of transformers.
        shape: of all examples.

    Attributes:
        rule: what carries loss, in words.
        notes: what else a user must know.

    Raises:
        UnsupportedError: the tokenizer lacks the chat template or the special tokens that training needs.
    """

    def __init__(self, tokenizer: Any, shape: Shape) -> None:
        _require(tokenizer, shape)
        self._tokenizer = tokenizer
        self._ends = {tokenizer.eos_token_id, *tokenizer.get_added_vocab().values()}
        self._template: str | None = None
        self._marked = False
        self.rule = "the completion"
        self.notes: list[str] = []
        if tokenizer.pad_token is None:
            self.notes.append("the tokenizer has no padding token; the trainer pads with the end of the sequence")
        if shape == "text":
            self.rule = "every token: a text does not say where a prompt ends"
        elif shape == "messages":
            self._choose_template()

    def _choose_template(self) -> None:
        """Use the chat template's marks of what the assistant says, or TRL's, or else split before the last turn."""
        self._marked = bool(_GENERATION.search(self._tokenizer.get_chat_template()))
        if not self._marked:
            try:
                from trl.chat_template_utils import get_training_chat_template

                self._template = get_training_chat_template(self._tokenizer)
                found = "puts one of its own in its place"
            except ImportError:
                found = "may have one of its own to put in its place; TRL is not installed here"
            except ValueError:
                found = "refuses assistant_only_loss with it"
            self._marked = self._template is not None
            self.notes.append(f"the chat template has no {{% generation %}} marks: the trainer {found}")
        if self._marked:
            self.rule = "the assistant's turns"
            self.notes.append("train with assistant_only_loss=True, or every token of the messages carries loss")
        else:
            self.rule = "the last turn"
            self.notes.append("train on prompt and completion, with the last turn as the completion")

    def mask(self, example: Example) -> Masked:
        """The tokens of an example, and which of them carry loss.

        Raises:
            Exception: anything that the chat template or the tokenizer raises, as it would end the training.
        """
        if example.shape == "text":
            ids = self._string(self._with_end(example.completion))
            return self._masked(ids, [True] * len(ids))
        if example.shape == "strings":
            whole = self._string(example.prompt + self._with_end(example.completion))
            return self._after(self._string(example.prompt), whole)
        if example.shape == "turns":
            prompt, completion = example.prompt, example.completion
        elif self._marked:
            return self._generated(example)
        else:
            prompt, completion = example.completion[:-1], example.completion[-1:]
        whole = self._chat(example, [*prompt, *completion])
        if completion[0]["role"] != "assistant" and example.shape == "messages":
            return self._masked(whole, [False] * len(whole))
        strangers = {turn["role"] for turn in completion} - {"assistant"}
        return self._after(
            self._chat(example, prompt, add_generation_prompt=True),
            whole,
            f"turns of {', '.join(sorted(strangers))} are in the completion" if strangers else None,
        )

    def render(self, example: Example) -> str:
        """A conversation as text, by the template that the trainer would use."""
        return str(self._apply(example, [*example.prompt, *example.completion], tokenize=False))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some tokens, special ones included."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _generated(self, example: Example) -> Masked:
        """By the marks of the template; every header must be a prompt that the model will see, and carry no loss."""
        turns: list[Turn] = example.completion
        found = self._apply(example, turns, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
        ids, loss = found["input_ids"], [bool(one) for one in found["assistant_masks"]]
        mismatch, begin = None, 0
        for place, turn in enumerate(turns):
            if turn["role"] == "assistant" and mismatch is None:
                head = self._chat(example, turns[:place], add_generation_prompt=True)
                end = _common(head, ids)
                mismatch = self._mismatch(head, end) or (
                    f"before turn {place + 1} the template marks {sum(loss[begin:end])} tokens as the assistant's"
                    if any(loss[begin:end])
                    else None
                )
                begin = _common(self._chat(example, turns[: place + 1]), ids)
        return self._masked(ids, loss, mismatch)

    def _after(self, prompt: Sequence[int], whole: Sequence[int], mismatch: str | None = None) -> Masked:
        """All that comes after the prompt carries loss."""
        begin = _common(prompt, whole)
        loss = [False] * begin + [True] * (len(whole) - begin)
        return self._masked(whole, loss, mismatch or self._mismatch(prompt, begin))

    def _mismatch(self, prompt: Sequence[int], common: int) -> str | None:
        if common == len(prompt):
            return None
        return (
            f"the end of the prompt alone, {self.decode(prompt[common:])!r}, is other tokens with the answer after it"
        )

    def _masked(self, ids: Sequence[int], loss: Sequence[bool], mismatch: str | None = None) -> Masked:
        stretches = [
            [token for token, _ in run] for has, run in groupby(zip(ids, loss, strict=True), lambda t: t[1]) if has
        ]
        return Masked(ids, loss, mismatch, all(map(self._is_ended, stretches)))

    def _is_ended(self, stretch: Sequence[int]) -> bool:
        last = next((token for token in reversed(stretch) if self.decode([token]).strip()), None)
        return last in self._ends

    def _with_end(self, text: str) -> str:
        end = str(self._tokenizer.eos_token)
        return text if text.endswith(end) else text + end

    def _string(self, text: str) -> list[int]:
        return list(self._tokenizer(text=text)["input_ids"])

    def _chat(self, example: Example, turns: Sequence[Turn], **more: Any) -> list[int]:
        return list(self._apply(example, turns, tokenize=True, return_dict=True, **more)["input_ids"]) if turns else []

    def _apply(self, example: Example, turns: Sequence[Turn], **more: Any) -> Any:
        return self._tokenizer.apply_chat_template(list(turns), **more, **_arguments(example.template, self._template))


def _require(tokenizer: Any, shape: Shape) -> None:
    """Refuse a tokenizer with which the trainer could not begin."""
    if tokenizer.eos_token is None:
        if shape in ("strings", "text"):
            raise UnsupportedError("the tokenizer has no end-of-sequence token, which the trainer puts after each text")
        if tokenizer.pad_token is None:
            raise UnsupportedError("the tokenizer has neither a padding nor an end-of-sequence token to pad with")
    if shape in ("messages", "turns"):
        try:
            tokenizer.get_chat_template()
        except ValueError as error:
            raise UnsupportedError(
                "the tokenizer has no chat template",
                expected="an instruction-tuned model's, or a chat_template.jinja beside its tokenizer",
            ) from error


def _arguments(given: Mapping[str, Any], template: str | None) -> dict[str, Any]:
    """What the trainer hands to the chat template besides the turns."""
    tools = given.get("tools")
    more = given.get("chat_template_kwargs", {})
    if "chat_template" in more:
        # The trainer would run it; data is no place for programs.
        raise ValueError("the example brings a chat template of its own")
    return {"chat_template": template, "tools": json.loads(tools) if isinstance(tools, str) else tools, **more}


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))
